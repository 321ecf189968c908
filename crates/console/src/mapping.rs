//! The mapping: its versions with who and when, one of them, two compared, and going back.

pub(crate) mod draft;
mod effects;

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence, told_on_page, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{Tally, count_of};
use crate::words::rules::{Problem, Rule, Tested};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Redirect, Response};
use effects::Effects;
use rollcall_api::ApiError;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::credentials::{self, CredentialView};
use rollcall_api::services::held::{self, HeldView};
use rollcall_api::services::mapping::preview::{self, PreviewView};
use rollcall_api::services::mapping::{self, Draft, MappingDocument, MappingVersionView, written};
use rollcall_api::services::who;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

/// Versions of a page.
const ROWS: i64 = 50;

/// Where the list begins.
#[derive(Deserialize, Clone, Default, Debug)]
pub(crate) struct Asked {
    after: Option<String>,
}

/// Which versions are compared. A field of a form that is empty is none.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(default)]
pub(crate) struct Compared {
    from: String,
    to: String,
}

#[derive(Template)]
#[template(path = "mapping.html")]
struct Versions {
    as_of: String,
    active: Version,
    rows: Vec<Version>,
    first: bool,
    next: Option<String>,
}

/// A version in the list.
struct Version {
    number: i32,
    note: String,
    saved: Option<When>,
    by: String,
    active: bool,
}

#[derive(Template)]
#[template(path = "mapping_compare.html")]
struct Comparison {
    from: i32,
    to: i32,
    rules: Vec<Rule>,
}

#[derive(Template)]
#[template(path = "mapping_version.html")]
struct VersionPage {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    version: Version,
    /// The version that counts.
    counting: i32,
    /// What it says otherwise than the one before.
    changes: Vec<Rule>,
    /// What would be said otherwise if it counted again; nothing of the one that counts.
    back: Vec<Rule>,
    problems: Vec<Problem>,
    examples: Vec<Tested>,
    /// What is held because of it, and waits for a plan.
    held: Vec<Waiting>,
    /// What has still to be looked at under it, before it is known whether it is held.
    owed: Option<String>,
    text: String,
    effects: Option<Effects>,
}

/// What a version holds at a target.
struct Waiting {
    target: String,
    whom: String,
    href: String,
    /// Where the form goes that makes a plan of it.
    make: String,
    held_by: String,
}

/// What the form that goes back says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Back {
    note: String,
    /// The version that counted when the page was shown.
    after: String,
}

impl Version {
    fn of(view: &MappingVersionView, credentials: &[CredentialView], now: OffsetDateTime) -> Self {
        Self {
            number: view.version,
            note: view.note.clone(),
            saved: Some(When::past(view.saved_at, now)),
            by: author(&view.saved_by, credentials),
            active: view.active,
        }
    }

    fn of_document(document: &MappingDocument, credentials: &[CredentialView], now: OffsetDateTime) -> Self {
        Self {
            number: document.version,
            note: document.note.clone(),
            saved: document.saved_at.map(|at| When::past(at, now)),
            by: document.saved_by.as_deref().map(|by| author(by, credentials)).unwrap_or_default(),
            active: document.active,
        }
    }
}

/// Who saved a version: a credential by what people call it.
fn author(saved_by: &str, credentials: &[CredentialView]) -> String {
    let id = saved_by.strip_prefix("token:");
    let known = id.and_then(|id| credentials.iter().find(|credential| credential.id.to_string() == id));
    known.map_or_else(|| saved_by.to_owned(), |credential| format!("token {}", credential.label))
}

/// A document as people write it: TOML, or JSON where TOML has no word for something.
fn text_of(document: &Value) -> String {
    written::to_toml(document)
        .or_else(|_| serde_json::to_string_pretty(document))
        .unwrap_or_else(|_| document.to_string())
}

/// `GET /console/mapping`.
pub(crate) async fn list(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let found = mapping::versions(store, tenant, ROWS, asked.after.as_deref()).await?;
    let credentials = credentials::list(store, tenant).await?;
    let active = mapping::in_force(store, tenant).await?;
    let body = Versions {
        as_of: moment(now),
        active: Version::of_document(&active, &credentials, now),
        rows: found.data.iter().map(|version| Version::of(version, &credentials, now)).collect(),
        first: asked.after.is_none(),
        next: found.next_cursor.map(|after| format!("/console/mapping?after={after}")),
    };
    page(&view.still(), &operator, ("Mapping", Section::Mapping), &body)
}

/// `GET /console/mapping/compare`.
pub(crate) async fn compare(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(Compared { from, to }): Query<Compared>,
) -> Result<Response, Trouble> {
    let number = |text: String| match text.trim() {
        "" => Ok(None),
        text => text.parse::<i32>().map(Some).map_err(|_| Trouble::NoSuchPage),
    };
    let found = mapping::diff(state.api().store(), operator.tenant, number(from)?, number(to)?).await?;
    let body = Comparison { from: found.from, to: found.to, rules: found.changes.iter().map(Rule::of).collect() };
    page(&view.still(), &operator, ("Two versions of the mapping", Section::Mapping), &body)
}

/// `GET /console/mapping/versions/{version}`.
pub(crate) async fn version(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(version): InPath<i32>,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), version, Told::Nothing).await
}

/// What a form of the page led to.
enum Told {
    Nothing,
    Refused(Refusal),
    Previewed(Box<PreviewView>),
}

async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    number: i32,
    told: Told,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let found = mapping::version(store, tenant, number).await?;
    let credentials = credentials::list(store, tenant).await?;
    let checked = mapping::check(store, tenant, &*state.api().target().schema, &found.document).await?;
    let before = if number == 0 { Vec::new() } else { mapping::diff(store, tenant, None, Some(number)).await?.changes };
    let held = if found.active { held::read(store, tenant, now).await? } else { Vec::new() };
    let body = VersionPage {
        as_of: moment(now),
        problem: if let Told::Refused(refusal) = &told { Some(sentence(refusal)) } else { None },
        counting: checked.compared_with,
        changes: before.iter().map(Rule::of).collect(),
        back: checked.changes.iter().map(Rule::of).collect(),
        problems: checked.errors.iter().map(|error| Problem::of(error, None)).collect(),
        examples: checked.examples.iter().map(Tested::of).collect(),
        held: held.iter().filter_map(|target| Waiting::at(target, number)).collect(),
        owed: Some(held.iter().map(|target| target.owed).sum::<i64>())
            .filter(|owed| *owed > 0)
            .map(|owed| count_of(owed, "change has", "changes have")),
        text: text_of(&found.document),
        version: Version::of_document(&found, &credentials, now),
        effects: if let Told::Previewed(found) = &told { Some(Effects::of(found)) } else { None },
    };
    // Of the one that counts there is nothing to fill in, and who is held appears by itself.
    let view = if found.active && matches!(told, Told::Nothing) { view } else { view.still() };
    let answer = page(&view, operator, ("A version of the mapping", Section::Mapping), &body)?;
    Ok(with_status(answer, if let Told::Refused(refusal) = &told { Some(refusal) } else { None }))
}

/// `POST /console/mapping/versions/{version}/preview`: what it would make of everybody.
pub(crate) async fn preview_version(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(number): InPath<i32>,
) -> Result<Response, Trouble> {
    let found = mapping::version(state.api().store(), operator.tenant, number).await?;
    let told = match preview::tried(state.api(), operator.tenant, Some(&found.document), Vec::new()).await {
        Ok(found) => Told::Previewed(Box::new(found)),
        Err(error) => Told::Refused(told_on_page(error)?),
    };
    shown(&state, (&operator, view), number, told).await
}

/// `POST /console/mapping/versions/{version}/revert`: its document counts again, as a new version.
pub(crate) async fn revert(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(number): InPath<i32>,
    form: Result<Form<Back>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Back { note, after }) = form.unwrap_or_default();
    let draft = Draft {
        document: &Value::Null,
        note: note.trim(),
        by: &who::operator(&operator.name),
        after: Some(after.parse().unwrap_or(i32::MAX)),
        allow_failing_examples: true,
    };
    let schema = &*state.api().target().schema;
    match mapping::revert(state.api().store(), operator.tenant, schema, (number, draft)).await {
        Ok(saved) => Ok(done(&state, &operator, saved.version)),
        Err(error) => {
            let told = Told::Refused(told_on_page(error)?);
            shown(&state, (&operator, view), number, told).await
        }
    }
}

/// Leads to the version that counts now.
fn done(state: &ConsoleState, operator: &Operator, version: i32) -> Response {
    state.overviews().forget(operator.tenant);
    Redirect::to(&format!("/console/mapping/versions/{version}")).into_response()
}

/// What is wrong with a document, part by part; anything else is no business of its page.
fn problems(error: ApiError, written: Option<&written::Written>) -> Result<(Refusal, Vec<Problem>), Trouble> {
    let problems = match &error {
        ApiError::Unfit { errors, .. } => errors.iter().map(|error| Problem::of(error, written)).collect(),
        _ => Vec::new(),
    };
    Ok((told_on_page(error)?, problems))
}

impl Waiting {
    fn at(target: &HeldView, version: i32) -> Option<Self> {
        let held_by = format!("mapping:{version}");
        let hold = target.holds.iter().find(|hold| hold.held_by == held_by)?;
        Some(Self {
            target: target.target.clone(),
            whom: Tally { people: hold.people, departments: hold.departments, groups: hold.groups }.to_string(),
            href: format!(
                "/console/people?target={}&kind=any&state=held&held_by={}",
                target.target_id,
                crate::query::encoded(&held_by)
            ),
            make: format!("/console/targets/{}/plans", target.target_id),
            held_by,
        })
    }
}
