//! A draft of the mapping: pasted or changed, checked, previewed, saved. What was typed stays until it is saved.

use super::effects::Effects;
use super::{done, problems, text_of};
use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::Query;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence};
use crate::view::View;
use crate::words::rules::{Problem, Rule, Tested};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use rollcall_api::ApiError;
use rollcall_api::services::mapping::written::{NotADocument, Written};
use rollcall_api::services::mapping::{self, Draft, preview};
use rollcall_api::services::who;
use serde::Deserialize;

/// Which version the draft begins with.
#[derive(Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Asked {
    version: Option<i32>,
}

/// What the form says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Typed {
    /// The document, in TOML or JSON.
    text: String,
    note: String,
    /// The version that counted when the draft was begun.
    after: String,
    /// `on` if examples may fail.
    allow_failing: String,
    /// What the button says: `check`, `preview` or `save`.
    act: String,
}

#[derive(Template, Default)]
#[template(path = "mapping_draft.html")]
struct DraftPage {
    text: String,
    note: String,
    after: String,
    allow_failing: bool,
    /// What was refused just now.
    problem: Option<String>,
    problems: Vec<Problem>,
    checked: Option<Checked>,
    effects: Option<Effects>,
}

/// What came of a check.
struct Checked {
    against: i32,
    rules: Vec<Rule>,
    examples: Vec<Tested>,
}

/// `GET /console/mapping/draft`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let store = state.api().store();
    let counting = mapping::in_force(store, operator.tenant).await?;
    let document = match asked.version {
        None => counting.document,
        Some(version) => mapping::version(store, operator.tenant, version).await?.document,
    };
    let body = DraftPage { text: text_of(&document), after: counting.version.to_string(), ..DraftPage::default() };
    shown(&operator, view, (StatusCode::OK, body))
}

fn shown(operator: &Operator, view: View, (status, body): (StatusCode, DraftPage)) -> Result<Response, Trouble> {
    let answer = page(&view.still(), operator, ("A draft of the mapping", Section::Mapping), &body)?;
    Ok((status, answer).into_response())
}

/// `POST /console/mapping/draft`.
pub(crate) async fn act(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(typed) = typed.map_err(|_| Trouble::NoSuchPage)?;
    let (api, tenant) = (state.api(), operator.tenant);
    let schema = &*api.target().schema;
    let page = |typed: Typed| DraftPage {
        text: typed.text,
        note: typed.note,
        after: typed.after,
        allow_failing: !typed.allow_failing.is_empty(),
        ..DraftPage::default()
    };
    let written = match Written::read(&typed.text) {
        Ok(written) => written,
        Err(error) => {
            let problems = vec![Problem::of_text(&error)];
            let problem = Some("This is no document, so nothing was done.".to_owned());
            return shown(&operator, view, (StatusCode::BAD_REQUEST, DraftPage { problem, problems, ..page(typed) }));
        }
    };
    let refused = match typed.act.as_str() {
        "save" => {
            let draft = Draft {
                document: &written.document,
                note: typed.note.trim(),
                by: &who::operator(&operator.name),
                after: Some(typed.after.parse().unwrap_or(i32::MAX)),
                allow_failing_examples: !typed.allow_failing.is_empty(),
            };
            match mapping::save(api.store(), tenant, schema, draft).await {
                Ok(saved) => return Ok(done(&state, &operator, saved.version)),
                Err(error) => error,
            }
        }
        "preview" => match preview::tried(api, tenant, Some(&written.document), Vec::new()).await {
            Ok(found) => {
                let effects = Some(Effects::of(&found));
                return shown(&operator, view, (StatusCode::OK, DraftPage { effects, ..page(typed) }));
            }
            Err(error) => error,
        },
        _ => match mapping::check(api.store(), tenant, schema, &written.document).await {
            Ok(found) => {
                let body = DraftPage {
                    problem: (!found.valid).then(|| "The document cannot be used.".to_owned()),
                    problems: found.errors.iter().map(|error| Problem::of(error, Some(&written))).collect(),
                    checked: found.valid.then(|| Checked {
                        against: found.compared_with,
                        rules: found.changes.iter().map(Rule::of).collect(),
                        examples: found.examples.iter().map(Tested::of).collect(),
                    }),
                    ..page(typed)
                };
                return shown(&operator, view, (StatusCode::OK, body));
            }
            Err(error) => error,
        },
    };
    if matches!(refused, ApiError::Outdated(_)) {
        return outdated(&state, (&operator, view), page(typed)).await;
    }
    let (refusal, problems) = problems(refused, Some(&written))?;
    let body = DraftPage { problem: Some(sentence(&refusal)), problems, ..page(typed) };
    shown(&operator, view, (refusal.status, body))
}

/// Another version counts than the one that the draft was made from. Whoever has seen that may save it all the same.
async fn outdated(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    body: DraftPage,
) -> Result<Response, Trouble> {
    let version = mapping::in_force(state.api().store(), operator.tenant).await?.version;
    let problem = format!(
        "Version {version} of the mapping counts by now, and this draft was made from another one, so nothing was saved. All \
         versions show what has changed; saved once more, the draft takes the place of version {version}."
    );
    let body = DraftPage { problem: Some(problem), after: version.to_string(), ..body };
    shown(operator, view, (StatusCode::PRECONDITION_FAILED, body))
}

impl Problem {
    fn of_text(error: &NotADocument) -> Self {
        Self {
            place: error.place.map(crate::words::rules::place).unwrap_or_default(),
            part: String::new(),
            text: error.problem.clone(),
        }
    }
}
