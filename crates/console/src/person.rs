//! The page of one resource: what the source says, what the target should have, where it stands and why, and what
//! has happened to it. A department, which no source ever names, has the same page without the source's part.

mod evidence;
mod invitation;

use crate::frame::{Section, page};
use crate::history::{self, EVENTS, Entry, From};
use crate::home::{Mode, recent, sends};
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::row::{Row, resource_href};
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence, told_on_page, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::source::{Said, said, shown};
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use evidence::Evidence;
use invitation::Invitation;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::explain::{Explanation, FindingView, TargetDecision, explain};
use rollcall_api::services::invitations::{self, InviteAgainRequest};
use rollcall_api::services::person::PersonView;
use rollcall_api::services::standings::{self, Wanted};
use rollcall_api::services::{deliveries::DeliveryView, roster, timeline, who};
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use serde::Deserialize;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Template)]
#[template(path = "person.html")]
struct Subject {
    as_of: String,
    name: String,
    also: String,
    id: String,
    /// Active, inactive or deleted; `None` for a department.
    life: Option<&'static str>,
    standings: Vec<Standing>,
    findings: Vec<FindingView>,
    said: Vec<Said>,
    should: Vec<Said>,
    history: Vec<Entry>,
    newest: Option<String>,
    older: Option<String>,
    back: String,
    /// What was refused just now.
    problem: Option<String>,
}

/// Where the resource stands at one target.
struct Standing {
    target: String,
    mode: Mode,
    row: Option<Row>,
    /// Why nothing is sent to the target now.
    blocked: Option<String>,
    remote_id: Option<String>,
    observed: &'static str,
    invitation: Option<Invitation>,
    applied: String,
    applied_at: Option<When>,
    request: Option<String>,
    evidence: Evidence,
}

/// `GET /console/people/{id}`.
pub(crate) async fn person(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
    Query(from): Query<From>,
) -> Result<Response, Trouble> {
    page_of(&state, (&operator, view), (ResourceId(id), &from), None).await
}

/// What the form of an invitation holds.
#[derive(Deserialize, Default)]
pub(crate) struct Invite {
    #[serde(default)]
    reason: String,
    target: Option<Uuid>,
}

/// `POST /console/people/{id}/invite-again`.
pub(crate) async fn invite_again(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(id): InPath,
    form: Result<Form<Invite>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Invite { reason, target }) = form.unwrap_or_default();
    let (id, by) = (ResourceId(id), who::operator(&operator.name));
    let request = InviteAgainRequest { reason, target };
    match invitations::invite_again(state.api().store(), operator.tenant, id, &request, &by).await {
        Ok(_) => {
            state.overviews().forget(operator.tenant);
            Ok(Redirect::to(&format!("/console/people/{id}")).into_response())
        }
        Err(error) => page_of(&state, (&operator, view), (id, &From::default()), Some(&told_on_page(error)?)).await,
    }
}

/// The page of a person, with a refusal if there was one.
async fn page_of(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    (id, from): (ResourceId, &From),
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let counting = state.api().usable_mapping(tenant).await?;
    let why = explain(store, counting.as_deref(), tenant, (id, None), (now, None)).await?;
    let wrote = roster::source_says(store, tenant, id).await?;
    let path = format!("/console/people/{id}");
    let newest = from.is_older().then(|| path.clone());
    let timeline = timeline::read(store, tenant, id, EVENTS, &from.clone().place()).await?;
    let names: Vec<(Uuid, String)> = why.targets.iter().map(|one| (one.target_id, one.target.clone())).collect();
    let subject = Subject {
        history: history::entries(&timeline, &names, now),
        newest,
        older: history::older(&timeline, &path),
        back: if refused.is_none() { view.address() } else { path },
        problem: refused.map(sentence),
        ..Subject::of_person(why, wrote.as_ref(), now)
    };
    let asks = |standing: &Standing| standing.invitation.as_ref().is_some_and(|invitation| invitation.again.is_some());
    // There may be a reason to fill in.
    let view = if subject.standings.iter().any(asks) || refused.is_some() { view.still() } else { view };
    let answer = page(&view, operator, (&subject.name.clone(), Section::People), &subject)?;
    Ok(with_status(answer, refused))
}

/// `GET /console/departments/{id}`.
pub(crate) async fn department(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
    Query(from): Query<From>,
) -> Result<Response, Trouble> {
    let id = ResourceId(id);
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let wanted = Wanted { resource: Some(id), kind: Some(ResourceKind::OrgUnit), ..Wanted::default() };
    let found = standings::list(store, tenant, &wanted, EVENTS, None).await?;
    let overview = recent(&state, tenant).await?;
    let path = format!("/console/departments/{id}");
    let newest = from.is_older().then(|| path.clone());
    let timeline = timeline::read(store, tenant, id, EVENTS, &from.place()).await?;
    let names: Vec<(Uuid, String)> = overview.targets.iter().map(|one| (one.view.id, one.view.name.clone())).collect();
    let standing = |delivery: &DeliveryView| {
        let target = overview.targets.iter().find(|one| one.view.id == delivery.target_id);
        let mode = Mode::of_word(target.map_or("", |one| one.view.mode.as_str()));
        Standing::of(delivery, mode, target.is_none_or(|one| sends(&one.view)), now)
    };
    let first = found.data.first().ok_or(Trouble::NoSuchPage)?;
    let subject = Subject {
        as_of: moment(now),
        name: first.name.clone().unwrap_or_else(|| "Without a name".to_owned()),
        also: "Department".to_owned(),
        id: id.to_string(),
        life: None,
        standings: found.data.iter().map(standing).collect(),
        findings: Vec::new(),
        said: Vec::new(),
        should: Vec::new(),
        history: history::entries(&timeline, &names, now),
        newest,
        older: history::older(&timeline, &path),
        back: view.address(),
        problem: None,
    };
    page(&view, &operator, (&subject.name.clone(), Section::Departments), &subject)
}

/// `GET /console/resources/{id}`: leads to the page of a resource whose kind the link does not know.
pub(crate) async fn resource(
    State(state): State<ConsoleState>,
    operator: Operator,
    InPath(id): InPath,
) -> Result<Response, Trouble> {
    let id = ResourceId(id);
    let wanted = Wanted { resource: Some(id), ..Wanted::default() };
    let found = standings::list(state.api().store(), operator.tenant, &wanted, 1, None).await?;
    let kind = found.data.first().map(|delivery| delivery.kind.as_str());
    match kind {
        Some(kind @ ("user" | "org_unit")) => Ok(Redirect::to(&resource_href(kind, &id.to_string())).into_response()),
        _ => Err(Trouble::NoSuchPage),
    }
}

impl Subject {
    fn of_person(why: Explanation, wrote: Option<&Map<String, Value>>, now: OffsetDateTime) -> Self {
        let person = &why.person;
        let (should, findings) = match why.mapping {
            None => (Vec::new(), Vec::new()),
            Some(mapping) => {
                let mut should: Vec<Said> = mapping
                    .attributes
                    .iter()
                    .map(|(name, value)| {
                        let none = || "no value".to_owned();
                        Said::plain(name, value.as_ref().map_or_else(none, |value| shown(name, value)))
                    })
                    .collect();
                if !mapping.departments.is_empty() {
                    should.push(Said::plain("department", mapping.departments.join(" › ")));
                }
                (should, mapping.findings)
            }
        };
        Self {
            as_of: moment(now),
            name: name_of(person),
            also: person.user_name.clone().filter(|name| *name != name_of(person)).unwrap_or_default(),
            id: person.id.to_string(),
            life: Some(match person {
                person if person.deleted => "Deleted at the source",
                person if person.active => "Active",
                _ => "Inactive",
            }),
            standings: why.targets.iter().map(|decided| Standing::at(decided, person, now)).collect(),
            findings,
            said: wrote.map(said).unwrap_or_default(),
            should,
            history: Vec::new(),
            newest: None,
            older: None,
            back: String::new(),
            problem: None,
        }
    }
}

fn name_of(person: &PersonView) -> String {
    let name = person.display_name.as_ref().or(person.user_name.as_ref());
    name.cloned().unwrap_or_else(|| "No longer known".to_owned())
}

impl Standing {
    fn at(decided: &TargetDecision, person: &PersonView, now: OffsetDateTime) -> Self {
        let mode = Mode::of_word(&decided.mode);
        let sending = decided.mode != "paused" && decided.stopped.is_none();
        let standing = person.standings.iter().find(|standing| standing.delivery.target_id == decided.target_id);
        let mut at = match standing {
            None => Self { target: decided.target.clone(), ..Self::none(mode) },
            Some(standing) => Self::of(&standing.delivery, mode, sending, now),
        };
        if let Some(link) = standing.and_then(|standing| standing.link.as_ref()) {
            at.remote_id.clone_from(&link.remote_id);
            at.observed = match link.observed.as_str() {
                "known" => "The account is there.",
                "unknown" => "The answer to the last call was lost, so the account is read before anything is done.",
                _ => "There is no account.",
            };
            let invitation = link.invitation.as_ref();
            at.invitation =
                invitation.map(|open| Invitation::of(open, person.active.then_some(decided.target_id), now));
        }
        at.evidence = Evidence::of(decided, now);
        at.blocked = decided.stopped.as_ref().map(|stop| {
            let reason = stop.reason.as_deref().unwrap_or("The cause was not recorded.");
            format!("Nothing is sent to this target now: {reason}")
        });
        at
    }

    fn of(delivery: &DeliveryView, mode: Mode, sending: bool, now: OffsetDateTime) -> Self {
        Self {
            target: delivery.target.clone(),
            row: Some(Row::of(delivery, sending, now)),
            applied: applied(delivery),
            applied_at: delivery.applied_at.map(|at| When::past(at, now)),
            request: delivery.request_id.clone(),
            ..Self::none(mode)
        }
    }

    fn none(mode: Mode) -> Self {
        Self {
            target: String::new(),
            mode,
            row: None,
            blocked: None,
            remote_id: None,
            observed: "",
            invitation: None,
            applied: String::new(),
            applied_at: None,
            request: None,
            evidence: Evidence::default(),
        }
    }
}

/// How far the target is.
fn applied(delivery: &DeliveryView) -> String {
    match (delivery.applied_version, delivery.current_version) {
        (Some(applied), Some(current)) if applied == current => format!("version {applied}, which is the newest"),
        (Some(applied), Some(current)) => format!("version {applied}; the directory has version {current}"),
        (Some(applied), None) => format!("version {applied}"),
        (None, _) if delivery.kind == "user" => "nothing yet".to_owned(),
        (None, _) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW, delivery};
    use rollcall_api::services::explain::MappingView;
    use rollcall_api::services::person::{LinkView, StandingView};
    use std::collections::BTreeMap;

    fn explanation() -> Explanation {
        let delivery = DeliveryView { reason: Some(HOSTILE.to_owned()), ..delivery("needs_attention") };
        let link = LinkView {
            remote_id: Some("u-1".to_owned()),
            observed: "known".to_owned(),
            invited_at: None,
            invitation: None,
        };
        let number = Some(Value::from("+852-91234567"));
        Explanation {
            verdict: String::new(),
            person: PersonView {
                id: Uuid::from_u128(2),
                user_name: Some("ada".to_owned()),
                display_name: Some(HOSTILE.to_owned()),
                external_ids: BTreeMap::new(),
                active: true,
                deleted: false,
                version: Some(1),
                created_at: None,
                modified_at: None,
                standings: vec![StandingView { delivery, link: Some(link) }],
            },
            last_request: None,
            mapping: Some(MappingView {
                included: true,
                scope: String::new(),
                kind: "normal".to_owned(),
                userid: None,
                places: Vec::new(),
                traces: Vec::new(),
                attributes: BTreeMap::from([("mobile".to_owned(), number), ("title".to_owned(), None)]),
                departments: vec!["Asia".to_owned(), HOSTILE.to_owned()],
                manager: None,
                findings: vec![FindingView {
                    kind: "invalid".to_owned(),
                    code: "title_too_long".to_owned(),
                    attribute: Some("title".to_owned()),
                    source_path: Some("title".to_owned()),
                    message: HOSTILE.to_owned(),
                    advice: "Shorten it at the source.".to_owned(),
                }],
                blocked: false,
            }),
            handovers: Vec::new(),
            targets: vec![TargetDecision {
                overrides: Vec::new(),
                target_id: Uuid::from_u128(1),
                target: "hq".to_owned(),
                mode: "live".to_owned(),
                stopped: None,
                decision: String::new(),
                held: None,
                last_attempt: None,
                accepted: Vec::new(),
                plans: Vec::new(),
            }],
        }
    }

    fn rendered(why: Explanation, wrote: &Value) -> String {
        let wrote = wrote.as_object();
        Subject::of_person(why, wrote, NOW).render().expect("a page")
    }

    #[test]
    fn nothing_a_source_wrote_becomes_markup() {
        let wrote = serde_json::json!({ "displayName": HOSTILE, HOSTILE: [{ "type": HOSTILE, "value": HOSTILE }] });
        let page = rendered(explanation(), &wrote);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("Shorten it at the source."), "{page}");
        for (place, _) in page.match_indices('\u{202e}') {
            let before = &page[..place];
            let isolated =
                ["<bdi>", "dir=\"auto\">", "dir=\"ltr\">"].iter().filter_map(|open| before.rfind(open)).max();
            assert!(isolated > before.rfind("</"), "not isolated: {}", &page[place - 120..place]);
        }
    }

    #[test]
    fn no_telephone_number_is_readable() {
        let wrote = serde_json::json!({ "phoneNumbers": [{ "type": "mobile", "value": "+852 9123 4567" }] });
        let page = rendered(explanation(), &wrote);
        assert!(!page.contains("9123"), "{page}");
        assert_eq!(
            page.matches("+852 •••• 4567").count(),
            2,
            "as the source wrote it, and as the target should have it"
        );
    }

    #[test]
    fn versions_say_how_far_the_target_is() {
        for (applied_version, current_version, expected) in [
            (None, Some(1), "nothing yet"),
            (Some(1), Some(1), "version 1, which is the newest"),
            (Some(1), Some(3), "version 1; the directory has version 3"),
        ] {
            assert_eq!(applied(&DeliveryView { applied_version, current_version, ..delivery("in_step") }), expected);
        }
    }
}
