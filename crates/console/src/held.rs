//! What is held, target by target: by what, why, whom, since when, and what to do about it.

use crate::frame::{Section, page};
use crate::home::Mode;
use crate::operator::Operator;
use crate::query::{InPath, encoded};
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence as told, told_on_page, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{Tally, count_of};
use crate::words::guard;
use crate::words::plan::size;
use crate::words::status::{ended as sentence, stopped_part};
use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use rollcall_api::edge::request_id::RequestId;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::guards;
use rollcall_api::services::held::{self, HeldView, HoldView, PutOffView};
use rollcall_api::services::plans::PlanView;
use rollcall_api::services::targets::Stop;
use rollcall_api::services::{stops, who};
use rollcall_provisioning::ids::TargetId;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// The address of the page.
const ADDRESS: &str = "/console/held";

#[derive(Template)]
#[template(path = "held.html")]
struct Held {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    targets: Vec<AtTarget>,
}

/// What is held at a target.
struct AtTarget {
    key: String,
    name: String,
    mode: Mode,
    /// Where its forms go.
    address: String,
    /// What waits while it is paused.
    paused: Option<String>,
    stops: Vec<Stopped>,
    holds: Vec<Hold>,
    releases: Vec<Release>,
    put_off: Vec<PutOff>,
}

/// Something that does not work until its cause has gone.
struct Stopped {
    what: String,
    reason: String,
    since: When,
    next: When,
}

/// What one thing holds.
struct Hold {
    key: String,
    what: String,
    reason: String,
    /// How many of how many; of guards alone.
    too_much: Option<String>,
    since: Option<When>,
    whom: String,
    href: String,
    advice: &'static str,
    held_by: String,
    /// Where the form goes that has a trip judged anew.
    close: Option<String>,
}

/// A plan that waits for a second person.
struct Release {
    href: String,
    size: String,
    asked_by: String,
    reason: String,
    asked: Option<When>,
}

/// What waits for a time.
struct PutOff {
    what: &'static str,
    reason: String,
    whom: String,
    href: String,
    until: Option<When>,
}

/// What the form that closes a trip says.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Reason {
    reason: String,
}

/// `GET /console/held`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), None).await
}

async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let now = state.now();
    let found = held::read(state.api().store(), operator.tenant, now).await?;
    let body = Held {
        as_of: moment(now),
        problem: refused.map(told),
        targets: found.iter().map(|target| AtTarget::of(target, now)).collect(),
    };
    // There are reasons to fill in.
    let answer = page(&view.still(), operator, ("Held", Section::Held), &body)?;
    Ok(with_status(answer, refused))
}

/// `POST /console/targets/{id}/trips/{trip}/close`.
pub(crate) async fn close(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath((target, trip)): InPath<(Uuid, Uuid)>,
    form: Result<Form<Reason>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Reason { reason }) = form.unwrap_or_default();
    let (whose, by) = ((operator.tenant, TargetId(target)), who::operator(&operator.name));
    match guards::close(state.api().store(), whose, trip, (Some(&reason), &by)).await {
        Ok(_) => {
            state.overviews().forget(operator.tenant);
            Ok(Redirect::to(ADDRESS).into_response())
        }
        Err(error) => shown(&state, (&operator, view), Some(&told_on_page(error)?)).await,
    }
}

/// `POST /console/targets/{id}/try`.
pub(crate) async fn try_now(
    State(state): State<ConsoleState>,
    operator: Operator,
    Extension(request): Extension<RequestId>,
    InPath(target): InPath,
) -> Result<Redirect, Trouble> {
    let by = operator.as_author(&state).await?;
    stops::try_now(state.api().store(), (operator.tenant, TargetId(target)), (by, request.as_str())).await?;
    state.overviews().forget(operator.tenant);
    Ok(Redirect::to(ADDRESS))
}

impl AtTarget {
    fn of(view: &HeldView, now: OffsetDateTime) -> Self {
        let list = |filter: String| format!("/console/people?target={}&kind=any&{filter}", view.target_id);
        let waits = count_of(view.owed, "change waits", "changes wait");
        Self {
            key: format!("target-{}", view.target_id),
            name: view.target.clone(),
            mode: Mode::of_word(&view.mode),
            address: format!("/console/targets/{}", view.target_id),
            paused: (view.mode == "paused").then(|| {
                let reason = view.paused_reason.as_ref().map(|reason| format!("{reason} ")).unwrap_or_default();
                format!("{reason}{waits} until sending goes on. Nothing is lost.")
            }),
            stops: view.stops.iter().map(|stop| Stopped::of(stop, now)).collect(),
            holds: view.holds.iter().map(|hold| Hold::of(hold, view.target_id, &list, now)).collect(),
            releases: view.releases.iter().map(|plan| Release::of(plan, now)).collect(),
            put_off: view.put_off.iter().map(|put_off| PutOff::of(put_off, &list, now)).collect(),
        }
    }

    fn is_free(&self) -> bool {
        let nothing = self.holds.is_empty() && self.releases.is_empty() && self.put_off.is_empty();
        nothing && self.stops.is_empty() && self.paused.is_none()
    }
}

impl Stopped {
    fn of(stop: &Stop, now: OffsetDateTime) -> Self {
        Self {
            what: stop.kind.map_or_else(|| "Sending is stopped".to_owned(), |kind| stopped_part(kind, stop.step)),
            reason: sentence(stop.reason.as_deref().unwrap_or("The cause was not recorded")),
            since: When::lasting(stop.since, now),
            next: When::future(stop.until, now),
        }
    }
}

impl Hold {
    fn of(hold: &HoldView, target: Uuid, list: &impl Fn(String) -> String, now: OffsetDateTime) -> Self {
        let tally = Tally { people: hold.people, departments: hold.departments, groups: hold.groups };
        Self {
            key: format!("hold-{target}-{}", encoded(&hold.held_by)),
            what: guard::held_name(&hold.held_by),
            reason: sentence(&hold.reason),
            too_much: hold.trip.as_ref().map(guard::too_much),
            since: hold.trip.as_ref().map(|trip| When::lasting(trip.tripped_at, now)),
            whom: tally.to_string(),
            href: list(format!("state=held&held_by={}", encoded(&hold.held_by))),
            advice: hold.advice,
            held_by: hold.held_by.clone(),
            close: hold.trip.as_ref().map(|trip| format!("/console/targets/{target}/trips/{}/close", trip.id)),
        }
    }
}

impl Release {
    fn of(plan: &PlanView, now: OffsetDateTime) -> Self {
        let release = plan.release.as_ref();
        Self {
            href: format!("/console/plans/{}", plan.id),
            size: size(plan),
            asked_by: release.map(|release| release.requested_by.clone()).unwrap_or_default(),
            reason: release.and_then(|release| release.reason.clone()).unwrap_or_default(),
            asked: release.and_then(|release| release.requested_at).map(|at| When::past(at, now)),
        }
    }
}

impl PutOff {
    fn of(view: &PutOffView, list: &impl Fn(String) -> String, now: OffsetDateTime) -> Self {
        Self {
            what: if view.code == "deny_window" { "A deny window is open" } else { "The calls are used up" },
            reason: view.reason.clone(),
            whom: Tally { people: view.people, departments: view.departments, groups: view.groups }.to_string(),
            href: list(format!("state=waiting&code={}", encoded(&view.code))),
            until: view.until.map(|until| When::future(until, now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW, plan};
    use rollcall_api::services::guards::TripView;
    use rollcall_api::services::plans::ReleaseView;
    use time::Duration;

    fn trip() -> TripView {
        TripView {
            id: Uuid::from_u128(5),
            target_id: Uuid::from_u128(1),
            effect: "people.remove".to_owned(),
            window: "plan".to_owned(),
            observed: 14,
            most: 10,
            base: 1_012,
            arithmetic: format!("people.remove: 14 at once, more than 10 ({HOSTILE})"),
            held: 14,
            tripped_at: NOW - Duration::minutes(4),
            closed_at: None,
            closed_by: None,
        }
    }

    fn held() -> HeldView {
        let release = ReleaseView {
            requested_by: HOSTILE.to_owned(),
            requested_at: Some(NOW),
            reason: Some(HOSTILE.to_owned()),
            approved_by: None,
            approved_at: None,
        };
        HeldView {
            target_id: Uuid::from_u128(1),
            target: HOSTILE.to_owned(),
            mode: "paused".to_owned(),
            paused_reason: None,
            holds: vec![HoldView {
                held_by: "guard:people.remove".to_owned(),
                people: 14,
                departments: 0,
                groups: 0,
                reason: trip().arithmetic,
                advice: "Look.",
                trip: Some(trip()),
            }],
            releases: vec![PlanView { release: Some(release), ..plan("guarded", 2) }],
            stops: Vec::new(),
            put_off: vec![PutOffView {
                code: "deny_window".to_owned(),
                reason: HOSTILE.to_owned(),
                until: Some(NOW + Duration::HOUR),
                people: 3,
                departments: 1,
                groups: 0,
            }],
            owed: 42,
        }
    }

    fn rendered(held: &HeldView) -> String {
        let targets = vec![AtTarget::of(held, NOW)];
        Held { as_of: String::new(), problem: None, targets }.render().expect("a page")
    }

    #[test]
    fn everything_that_holds_is_told_with_whom_and_what_to_do() {
        let page = rendered(&held());
        assert!(!page.contains("<script"), "{page}");
        for part in [
            "Accounts removed",
            "14 at once; 10 are let pass, of 1,012",
            ">4 min<",
            "state=held&#38;held_by=guard%3Apeople.remove",
            "14 people",
            "/trips/00000000-0000-0000-0000-000000000005/close",
            "42 changes wait until sending goes on",
            "A deny window is open",
            "code=deny_window",
            "3 people and 1 department",
            "in 1 h",
            "/console/plans/",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("Nothing is held"), "{page}");
    }

    #[test]
    fn nothing_is_said_to_be_nothing() {
        let free = HeldView { holds: Vec::new(), releases: Vec::new(), put_off: Vec::new(), ..held() };
        assert!(rendered(&HeldView { mode: "live".to_owned(), ..free }).contains("Nothing is held here."));
    }
}
