//! Links: which person, department or group is what at a target, found by filters, and mended with a reason.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::{InPath, Query, encoded};
use crate::row::resource_href;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::standing::Badge;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Redirect, Response};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use rollcall_api::ApiError;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::links::{self, LinkQuery, LinkRequest, LinkState, LinkView};
use rollcall_api::services::targets::TargetView;
use rollcall_api::services::{person, targets, who};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of a page.
const ROWS: i64 = 50;

/// What is listed. An empty word, as a form sends it, limits nothing.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(default)]
pub(crate) struct Asked {
    target: Option<Uuid>,
    kind: String,
    origin: String,
    observed: String,
    person: String,
    account: String,
    marked: String,
    /// Where the page begins.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "links.html")]
struct Links {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    targets: Vec<Chip>,
    target: Option<Uuid>,
    filters: Vec<Filter>,
    person: String,
    account: String,
    csv: String,
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

struct Chip {
    href: String,
    label: String,
    chosen: bool,
}

/// A choice of the form: its name, what it is called, and the words with their labels.
struct Filter {
    name: &'static str,
    label: &'static str,
    choices: Vec<(&'static str, &'static str, bool)>,
}

struct Row {
    key: String,
    href: String,
    name: String,
    also: String,
    kind: &'static str,
    remote_id: String,
    remote_name: String,
    origin: &'static str,
    observed: &'static str,
    mark: Option<String>,
    badge: Option<Badge>,
    changed: When,
    /// Where its forms go; `None` when a person cannot mend it.
    address: Option<String>,
}

/// What the forms say.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Decided {
    person: String,
    account: String,
    reason: String,
}

const KINDS: [(&str, &str); 4] =
    [("", "Everything"), ("user", "People"), ("org_unit", "Departments"), ("group", "Groups")];
const ORIGINS: [(&str, &str); 3] = [("", "Any origin"), ("adopted", "Was there before"), ("made", "Made by Rollcall")];
const STATES: [(&str, &str); 4] =
    [("", "Known or not"), ("known", "Known"), ("unknown", "To be read"), ("invited", "Invited")];
const MARKS: [(&str, &str); 3] = [("", "Marked or not"), ("true", "Not to be touched"), ("false", "Not marked")];

impl Asked {
    /// What the list is limited to.
    fn query(&self) -> Result<LinkQuery, Trouble> {
        let word = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(LinkQuery {
            kind: read(word(&self.kind), ResourceKind::parse)?,
            adopted: read(word(&self.origin), links::parse_origin)?,
            state: read(word(&self.observed), LinkState::parse)?,
            remote_id: word(&self.account),
            person: word(&self.person),
            marked: read(word(&self.marked), |word| word.parse().ok())?,
            limit: ROWS,
            ..LinkQuery::default()
        })
    }

    /// The address of a path with what limits the list, and where it begins.
    fn address(&self, path: &str, target: Option<Uuid>, after: Option<&str>) -> String {
        let target = target.map(|id| id.to_string()).unwrap_or_default();
        let parts = [
            ("target", target.as_str()),
            ("kind", &self.kind),
            ("origin", &self.origin),
            ("observed", &self.observed),
            ("person", &self.person),
            ("account", &self.account),
            ("marked", &self.marked),
            ("after", after.unwrap_or_default()),
        ];
        let given = parts.into_iter().filter(|(_, value)| !value.trim().is_empty());
        let query: Vec<String> = given.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) }
    }
}

/// One of a few words; a word that means nothing is no page.
fn read<T>(text: Option<String>, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Trouble> {
    text.map(|text| parse(&text).ok_or(Trouble::NoSuchPage)).transpose()
}

/// `GET /console/links`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), asked, None).await
}

async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    asked: Asked,
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let all = targets::list(store, tenant, now).await?;
    let target = asked.target.or_else(|| all.first().map(|target| target.id));
    let found = match target {
        None => None,
        Some(target) => {
            let query = asked.query()?;
            Some(links::list(store, tenant, TargetId(target), &query, asked.after.as_deref()).await?)
        }
    };
    let (rows, next) = found.map(|page| (page.data, page.next_cursor)).unwrap_or_default();
    let body = Links {
        as_of: moment(now),
        problem: refused.map(sentence),
        targets: chips(&all, target, &asked),
        target,
        filters: filters(&asked),
        person: asked.person.clone(),
        account: asked.account.clone(),
        csv: asked.address(&format!("/console/targets/{}/links.csv", target.unwrap_or_default()), None, None),
        rows: rows.iter().map(|link| Row::of(link, target.unwrap_or_default(), now)).collect(),
        first: asked.after.as_ref().map(|_| asked.address("/console/links", target, None)),
        next: next.map(|after| asked.address("/console/links", target, Some(&after))),
    };
    // There is something to fill in.
    let answer = page(&view.still(), operator, ("Links", Section::Links), &body)?;
    Ok(with_status(answer, refused))
}

/// `GET /console/targets/{id}/links.csv`.
pub(crate) async fn export(
    State(state): State<ConsoleState>,
    operator: Operator,
    InPath(target): InPath,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let text = links::export(state.api().store(), operator.tenant, TargetId(target), &asked.query()?).await?;
    let headers =
        [(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, "attachment; filename=\"links.csv\"")];
    Ok((headers, text).into_response())
}

/// `POST /console/targets/{id}/links`.
pub(crate) async fn create(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(target): InPath,
    form: Result<Form<Decided>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Decided { person: name, account, reason }) = form.unwrap_or_default();
    let (api, tenant) = (state.api(), operator.tenant);
    let making = async {
        let id = person::id_of(api.store(), tenant, name.trim()).await?;
        let request = LinkRequest { resource_id: id.0, remote_id: account, reason };
        let rules = api.mapping_of(tenant).await?;
        let what = (api.store(), api.targets(), &*rules.mapping);
        links::create(what, (tenant, TargetId(target)), &request, &who::operator(&operator.name)).await
    };
    let made = making.await.map(drop);
    ended(&state, (operator, view), target, made).await
}

/// `POST /console/targets/{id}/links/{kind}/{resource}/break`.
pub(crate) async fn break_link(
    State(state): State<ConsoleState>,
    whose: (Operator, View),
    InPath(link): InPath<(Uuid, String, Uuid)>,
    form: Result<Form<Decided>, FormRejection>,
) -> Result<Response, Trouble> {
    mended(&state, whose, link, (Mend::Break, form)).await
}

/// `POST /console/targets/{id}/links/{kind}/{resource}/rematch`.
pub(crate) async fn rematch(
    State(state): State<ConsoleState>,
    whose: (Operator, View),
    InPath(link): InPath<(Uuid, String, Uuid)>,
    form: Result<Form<Decided>, FormRejection>,
) -> Result<Response, Trouble> {
    mended(&state, whose, link, (Mend::Rematch, form)).await
}

/// What is done about a link that is wrong.
enum Mend {
    Break,
    Rematch,
}

async fn mended(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    (target, kind, resource): (Uuid, String, Uuid),
    (mend, form): (Mend, Result<Form<Decided>, FormRejection>),
) -> Result<Response, Trouble> {
    let Form(Decided { reason, .. }) = form.unwrap_or_default();
    let kind = ResourceKind::parse(&kind).ok_or(Trouble::NoSuchPage)?;
    let (store, by) = (state.api().store(), who::operator(&operator.name));
    let (whose, what) = ((operator.tenant, TargetId(target)), (kind, ResourceId(resource)));
    let done = match mend {
        Mend::Break => links::break_link(store, whose, what, (&reason, &by)).await.map(drop),
        Mend::Rematch => links::rematch(store, whose, what, (&reason, &by)).await.map(drop),
    };
    ended(state, (operator, view), target, done).await
}

/// Leads back to the list; a refusal is shown on it.
async fn ended(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    target: Uuid,
    done: Result<(), ApiError>,
) -> Result<Response, Trouble> {
    let asked = Asked { target: Some(target), ..Asked::default() };
    let Err(error) = done else {
        state.overviews().forget(operator.tenant);
        return Ok(Redirect::to(&asked.address("/console/links", Some(target), None)).into_response());
    };
    let refusal = error.refusal();
    if !refusal.status.is_client_error() {
        return Err(error.into());
    }
    // A target that is not there has no list to show it on.
    if refusal.status == StatusCode::NOT_FOUND
        && !targets::list(state.api().store(), operator.tenant, state.now()).await?.iter().any(|one| one.id == target)
    {
        return Err(error.into());
    }
    shown(state, (&operator, view), asked, Some(&refusal)).await
}

/// One chip for each target; none when there is no choice to make.
fn chips(all: &[TargetView], chosen: Option<Uuid>, asked: &Asked) -> Vec<Chip> {
    if all.len() < 2 {
        return Vec::new();
    }
    let chip = |target: &TargetView| Chip {
        href: asked.address("/console/links", Some(target.id), None),
        label: target.name.clone(),
        chosen: chosen == Some(target.id),
    };
    all.iter().map(chip).collect()
}

fn filters(asked: &Asked) -> Vec<Filter> {
    let filter = |name, label, choices: &[(&'static str, &'static str)], now: &str| Filter {
        name,
        label,
        choices: choices.iter().map(|(word, text)| (*word, *text, *word == now)).collect(),
    };
    vec![
        filter("kind", "Kind", &KINDS, &asked.kind),
        filter("origin", "Origin", &ORIGINS, &asked.origin),
        filter("observed", "What is known", &STATES, &asked.observed),
        filter("marked", "Mark", &MARKS, &asked.marked),
    ]
}

fn label(choices: &[(&'static str, &'static str)], word: &str) -> &'static str {
    choices.iter().find(|(known, _)| *known == word).map_or("", |(_, label)| label)
}

impl Row {
    fn of(link: &LinkView, target: Uuid, now: OffsetDateTime) -> Self {
        let id = link.resource_id.to_string();
        let can_be_mended = link.kind != "group" && link.entity != "contact" && link.remote_id.is_some();
        Self {
            key: format!("link-{id}"),
            href: resource_href(&link.kind, &id),
            name: link
                .display_name
                .clone()
                .or_else(|| link.name.clone())
                .unwrap_or_else(|| "No longer known".to_owned()),
            also: link.display_name.as_ref().and(link.name.clone()).unwrap_or_default(),
            kind: match link.entity.as_str() {
                "account" => "Account",
                "contact" => "External contact",
                "org_unit" => "Department",
                "chat" => "Chat",
                _ => "Role",
            },
            remote_id: link.remote_id.clone().unwrap_or_default(),
            remote_name: link.remote_name.clone().unwrap_or_default(),
            origin: label(&ORIGINS, link.origin),
            observed: label(&STATES, &link.observed),
            mark: link.mark.as_ref().map(|mark| mark.replace('_', " ")),
            badge: link.state.as_deref().map(Badge::of_word),
            changed: When::past(link.updated_at, now),
            address: can_be_mended.then(|| format!("/console/targets/{target}/links/{}/{id}", link.kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_carry_what_the_list_is_limited_to() {
        let asked = Asked { person: "a&b <c>".to_owned(), kind: "user".to_owned(), ..Asked::default() };
        assert_eq!(
            asked.address("/console/links", None, Some("x")),
            "/console/links?kind=user&person=a%26b%20%3Cc%3E&after=x"
        );
        assert_eq!(Asked::default().address("/console/links", None, None), "/console/links");
        assert!(asked.query().is_ok());
        assert!(matches!(Asked { kind: "printer".to_owned(), ..asked }.query(), Err(Trouble::NoSuchPage)));
    }
}
