//! Guards of a target: the limits in force, what they would have held, limits that follow from what is usual, and setting
//! one.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::state::ConsoleState;
use crate::trouble::{Trouble, sentence, told_on_page, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{count_of, number};
use crate::words::guard;
use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Redirect, Response};
use rollcall_api::ApiError;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::guards::{self, Counts, GuardView, LimitView, TripView};
use rollcall_api::services::learning::{self, LimitProposal, ProposalsView, TriedTrip, TriedView};
use rollcall_api::services::targets::TargetView;
use rollcall_api::services::{targets, who};
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::ids::TargetId;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

/// What the form says that accepts all proposals that differ.
const ALL: &str = "all";

/// Trips of the past that are shown; the newest ones.
const PAST: usize = 20;

/// Whose guards.
#[derive(Deserialize, Clone, Copy, Default, Debug)]
pub(crate) struct Asked {
    target: Option<Uuid>,
}

#[derive(Template)]
#[template(path = "guards.html")]
struct GuardsPage {
    as_of: String,
    /// What was refused just now.
    problem: Option<String>,
    targets: Vec<Chip>,
    /// `None` while there is no target.
    of: Option<OfTarget>,
}

struct Chip {
    href: String,
    label: String,
    chosen: bool,
}

struct OfTarget {
    /// Where the forms go.
    address: String,
    /// What limits would have held last week, if somebody has just asked.
    tried: Option<Tried>,
    guards: Vec<Row>,
    learnt: Learnt,
    past: Vec<Past>,
}

/// A guard.
struct Row {
    word: &'static str,
    what: String,
    limit: String,
    own: bool,
    /// What it lets pass: at once, in a day, in a week.
    most: String,
    passed: Vec<String>,
    held: Option<String>,
    /// What its form holds; `None` where no limit can be set.
    form: Option<Limit>,
    /// Whether a limit can be tried on last week.
    learns: bool,
    /// Whether its form is unfolded, because it was sent just now.
    is_open: bool,
}

/// A limit as the form shows and takes it.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(default)]
pub(crate) struct Limit {
    guard: String,
    floor: String,
    /// In percent.
    share: String,
    /// Empty: not counted.
    day: String,
    /// Empty: not counted.
    week: String,
    /// What the button says: `set`, `usual` or `try`.
    act: String,
}

struct Tried {
    summary: String,
    trips: Vec<String>,
}

struct Learnt {
    /// How much is known.
    known: String,
    proposals: Vec<Proposal>,
    /// Whether anything would change.
    differs: bool,
}

struct Proposal {
    word: &'static str,
    what: String,
    class: &'static str,
    change: &'static str,
    arithmetic: String,
    history: Vec<String>,
}

struct Past {
    what: String,
    arithmetic: String,
    tripped: When,
    closed: Option<When>,
    by: Option<String>,
}

/// The guards whose proposals are accepted.
#[derive(Deserialize)]
pub(crate) struct Accepted {
    /// Its word, or [`ALL`].
    guard: String,
}

/// What a form led to that the page has to show.
enum Told {
    Nothing,
    Refused(Refusal, Limit),
    Tried(TriedView, Limit),
}

/// `GET /console/guards`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), asked, Told::Nothing).await
}

async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    asked: Asked,
    told: Told,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let all = targets::list(store, tenant, now).await?;
    let target = asked.target.or_else(|| all.first().map(|target| target.id)).map(TargetId);
    let of = match target {
        None => None,
        Some(id) => {
            let found = guards::read(store, tenant, id).await?;
            let proposals = learning::proposals(store, tenant, id).await?;
            let trips = guards::trips(store, tenant, id).await?;
            Some(OfTarget::of(&found.guards, &proposals, &trips, &told, now))
        }
    };
    let body = GuardsPage {
        as_of: moment(now),
        problem: if let Told::Refused(refusal, _) = &told { Some(sentence(refusal)) } else { None },
        targets: chips(&all, target),
        of: of.zip(target).map(|(of, id)| OfTarget { address: format!("/console/targets/{id}/guards"), ..of }),
    };
    // There are limits to fill in.
    let answer = page(&view.still(), operator, ("Guards", Section::Guards), &body)?;
    Ok(with_status(answer, if let Told::Refused(refusal, _) = &told { Some(refusal) } else { None }))
}

/// `POST /console/targets/{id}/guards`: sets a limit, gives a guard back the usual one, or tries a limit on last week.
pub(crate) async fn set(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(target): InPath,
    form: Result<Form<Limit>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(form) = form.unwrap_or_default();
    let (store, whose, by) = (state.api().store(), (operator.tenant, TargetId(target)), who::operator(&operator.name));
    let wanted = match form.act.as_str() {
        "usual" => Ok(None),
        _ => form.value().map(Some),
    };
    let done = match wanted {
        Err(error) => Err(error),
        Ok(limit) if form.act == "try" => {
            let tried = learning::try_one(store, whose, (&form.guard, limit.as_ref()), state.now()).await;
            return match tried {
                Ok(tried) => again(&state, (operator, view), target, Told::Tried(tried, form)).await,
                Err(error) => again(&state, (operator, view), target, Told::Refused(told_on_page(error)?, form)).await,
            };
        }
        Ok(limit) => guards::set_one(store, whose, (&form.guard, limit.as_ref()), &by).await.map(drop),
    };
    ended(&state, (operator, view), (target, form), done).await
}

/// `POST /console/targets/{id}/guards/accept`.
pub(crate) async fn accept(
    State(state): State<ConsoleState>,
    (operator, view): (Operator, View),
    InPath(target): InPath,
    form: Result<Form<Accepted>, FormRejection>,
) -> Result<Response, Trouble> {
    let Form(Accepted { guard }) = form.map_err(|_| Trouble::NoSuchPage)?;
    let (whose, by) = ((operator.tenant, TargetId(target)), who::operator(&operator.name));
    let wanted: Vec<String> = Some(guard).filter(|guard| guard != ALL).into_iter().collect();
    let done = learning::accept(state.api().store(), whose, &wanted, &by).await.map(drop);
    ended(&state, (operator, view), (target, Limit::default()), done).await
}

/// Leads back to the guards; a refusal is shown on their page.
async fn ended(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    (target, form): (Uuid, Limit),
    done: Result<(), ApiError>,
) -> Result<Response, Trouble> {
    let Err(error) = done else {
        state.overviews().forget(operator.tenant);
        return Ok(Redirect::to(&format!("/console/guards?target={target}")).into_response());
    };
    again(state, (operator, view), target, Told::Refused(told_on_page(error)?, form)).await
}

async fn again(
    state: &ConsoleState,
    (operator, view): (Operator, View),
    target: Uuid,
    told: Told,
) -> Result<Response, Trouble> {
    shown(state, (&operator, view), Asked { target: Some(target) }, told).await
}

/// One chip for each target; none when there is no choice to make.
fn chips(all: &[TargetView], chosen: Option<TargetId>) -> Vec<Chip> {
    if all.len() < 2 {
        return Vec::new();
    }
    let chip = |target: &TargetView| Chip {
        href: format!("/console/guards?target={}", target.id),
        label: target.name.clone(),
        chosen: chosen.is_some_and(|id| id.0 == target.id),
    };
    all.iter().map(chip).collect()
}

impl OfTarget {
    fn of(all: &[GuardView], proposals: &ProposalsView, trips: &[TripView], told: &Told, now: OffsetDateTime) -> Self {
        let typed = match told {
            Told::Nothing => None,
            Told::Refused(_, form) | Told::Tried(_, form) => Some(form),
        };
        let past = trips.iter().filter(|trip| trip.closed_at.is_some()).take(PAST);
        Self {
            address: String::new(),
            tried: if let Told::Tried(tried, form) = told { Some(Tried::of(tried, &form.guard)) } else { None },
            guards: all.iter().map(|guard| Row::of(guard, typed)).collect(),
            learnt: Learnt::of(proposals),
            past: past.map(|trip| Past::of(trip, now)).collect(),
        }
    }
}

impl Row {
    fn of(view: &GuardView, typed: Option<&Limit>) -> Self {
        let typed = typed.filter(|form| form.guard == view.guard);
        let unlimited = if view.guard == "quota" {
            "What is left of the target’s settings calls_per_day and calls_per_month"
        } else {
            "Every change takes two people"
        };
        Self {
            word: view.guard,
            what: guard::label(view.guard).to_owned(),
            limit: view.limit.map_or_else(|| unlimited.to_owned(), |limit| limit_text(&limit, view.base)),
            own: view.own,
            learns: Guard::parse(view.guard).is_some_and(Guard::learns),
            most: if view.limit.is_some() { most_text(&view.most) } else { String::new() },
            passed: view
                .passed
                .iter()
                .map(|passed| {
                    let of = match passed.effect.split_once(':') {
                        Some(("fields.blanked" | "fields.changed", attribute)) => format!(" of {attribute}"),
                        _ => String::new(),
                    };
                    let [hour, day, week] = [passed.hour, passed.day, passed.week].map(number);
                    format!("{hour} passed{of} in the last hour, {day} in 24 hours, {week} in seven days")
                })
                .collect(),
            held: view
                .open
                .iter()
                .map(|trip| trip.held)
                .reduce(|all, held| all + held)
                .map(|held| count_of(held, "change", "changes")),
            form: typed.cloned().or_else(|| view.limit.map(|limit| Limit::of(view.guard, &limit))),
            is_open: typed.is_some(),
        }
    }
}

fn limit_text(limit: &LimitView, base: i64) -> String {
    let times = |times: Option<u64>, window: &str| {
        times.map_or_else(String::new, |times| match times {
            1 => format!("; as much in {window}"),
            times => format!("; {times} times as much in {window}"),
        })
    };
    format!(
        "{} % of {}, at least {}{}{}",
        percent(limit.share),
        number(base),
        limit.floor,
        times(limit.day, "24 hours"),
        times(limit.week, "seven days")
    )
}

fn most_text(most: &Counts) -> String {
    let windows = [(most.at_once, "at once"), (most.day, "in 24 hours"), (most.week, "in seven days")];
    let counted = windows.into_iter().filter_map(|(most, window)| Some(format!("{} {window}", most?)));
    counted.collect::<Vec<_>>().join(", ")
}

/// A share as a percentage, without what arithmetic adds to it.
fn percent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

impl Limit {
    fn of(guard: &str, limit: &LimitView) -> Self {
        let times = |times: Option<u64>| times.map(|times| times.to_string()).unwrap_or_default();
        Self {
            guard: guard.to_owned(),
            floor: limit.floor.to_string(),
            share: percent(limit.share).to_string(),
            day: times(limit.day),
            week: times(limit.week),
            act: String::new(),
        }
    }

    /// As the REST interface takes it.
    ///
    /// # Errors
    /// 400 for a share that is no percentage. Everything else is judged where limits are.
    fn value(&self) -> Result<Value, ApiError> {
        let number = |text: &str| match (text.trim(), text.trim().parse::<u64>()) {
            ("", _) => Value::Null,
            (_, Ok(number)) => number.into(),
            (text, Err(_)) => text.into(),
        };
        let share = self.share.trim().trim_end_matches('%').trim_end().parse::<f64>().ok();
        let share = share.filter(|share| (0.0..=100.0).contains(share));
        let share = share.ok_or_else(|| ApiError::InvalidParameter {
            name: "share",
            problem: "must be a percentage from 0 to 100".to_owned(),
        })?;
        Ok(json!({
            "floor": number(&self.floor), "share": share / 100.0, "day": number(&self.day), "week": number(&self.week),
        }))
    }
}

impl Tried {
    fn of(view: &TriedView, guard: &str) -> Self {
        let trip = |trip: &TriedTrip| {
            let what = if trip.plan.is_some() { "a plan of" } else { "on" };
            let effect = guard::of_effect(&trip.effect);
            format!("{effect}: {} {what} {}, and {} would have been let pass", trip.observed, trip.day, trip.most)
        };
        let of_guard = |trip: &&TriedTrip| trip.effect.split(':').next() == Some(guard);
        let trips: Vec<String> = view.trips.iter().filter(of_guard).map(trip).collect();
        let plans = i64::try_from(view.plans).unwrap_or(i64::MAX);
        let days = i64::try_from(view.days).unwrap_or(i64::MAX);
        Self {
            summary: format!(
                "With this limit of “{}”, of {} and {} of last week {}. Nothing was changed.",
                guard::label(guard),
                count_of(plans, "plan", "plans"),
                count_of(days, "whole day", "whole days"),
                if trips.is_empty() { "nothing would have been held" } else { "this would have been held" }
            ),
            trips,
        }
    }
}

impl Learnt {
    fn of(view: &ProposalsView) -> Self {
        let known = if view.proposals.is_empty() {
            format!(
                "{} of {} whole days are known that it takes before limits are proposed.",
                view.days, view.days_needed
            )
        } else {
            format!(
                "By what was usual on {} days, {} to {}: three times what 99 of 100 days did not exceed, and never less than the \
                 limit that all begin with always allows.",
                view.days, view.from, view.to
            )
        };
        Self {
            known,
            differs: view.proposals.iter().any(|proposal| proposal.change != "same"),
            proposals: view.proposals.iter().map(Proposal::of).collect(),
        }
    }
}

impl Proposal {
    fn of(view: &LimitProposal) -> Self {
        let (class, change) = match view.change {
            "looser" => ("held", "Looser than now"),
            "tighter" => ("pending", "Tighter than now"),
            _ => ("", "As now"),
        };
        Self {
            word: view.guard,
            what: guard::label(view.guard).to_owned(),
            class,
            change,
            arithmetic: view.arithmetic.clone(),
            history: view.history.iter().map(|day| format!("{}: {}", day.day, day.observed)).collect(),
        }
    }
}

impl Past {
    fn of(trip: &TripView, now: OffsetDateTime) -> Self {
        Self {
            what: guard::of_effect(&trip.effect),
            arithmetic: trip.arithmetic.clone(),
            tripped: When::past(trip.tripped_at, now),
            closed: trip.closed_at.map(|at| When::past(at, now)),
            by: trip.closed_by.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(floor: &str, share: &str, day: &str) -> Limit {
        let text = str::to_owned;
        Limit {
            guard: text("people.remove"),
            floor: text(floor),
            share: text(share),
            day: text(day),
            ..Limit::default()
        }
    }

    #[test]
    fn a_form_says_what_the_rest_interface_is_told() {
        for (given, expected) in [
            (limit("5", "1", "2"), Some(json!({ "floor": 5, "share": 0.01, "day": 2, "week": null }))),
            (limit(" 0 ", " 2.5 % ", ""), Some(json!({ "floor": 0, "share": 0.025, "day": null, "week": null }))),
            (limit("many", "1", ""), Some(json!({ "floor": "many", "share": 0.01, "day": null, "week": null }))),
            (limit("5", "101", ""), None),
            (limit("5", "", ""), None),
        ] {
            assert_eq!(given.value().ok(), expected, "{given:?}");
        }
    }

    #[test]
    fn a_limit_reads_as_it_is_typed() {
        let view = LimitView { floor: 5, share: 0.07, day: Some(2), week: None };
        let form = Limit::of("people.remove", &view);
        assert_eq!((form.share.as_str(), form.day.as_str(), form.week.as_str()), ("7", "2", ""));
        assert_eq!(limit_text(&view, 1_012), "7 % of 1,012, at least 5; 2 times as much in 24 hours");
        assert_eq!(most_text(&Counts { at_once: Some(70), day: Some(140), week: None }), "70 at once, 140 in 24 hours");
    }
}
