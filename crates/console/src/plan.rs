//! The page of one plan: what it does, resource by resource, why a part of it is held, and what can be decided.

pub(crate) mod decide;

use crate::frame::{Section, page};
use crate::home::Mode;
use crate::operator::Operator;
use crate::query::{InPath, Query};
use crate::row::resource_href;
use crate::state::ConsoleState;
use crate::trouble::{Trouble, capitalised, with_status};
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{count_of, number};
use crate::words::plan::{Line, VERBS, Verb, change_state, size, state as state_of};
use crate::words::status::ended as sentence;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use rollcall_api::refusal::Refusal;
use rollcall_api::services::page::Page;
use rollcall_api::services::plans::{self, PlanChangeQuery, PlanChangeView, PlanView, UndoesView};
use rollcall_api::services::{targets, who};
use rollcall_provisioning::decider::Decider;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Changes of a page.
const ROWS: i64 = 50;
/// A change with more attributes is folded.
const FOLDED: usize = 4;

/// What is listed of a plan.
#[derive(Deserialize, Clone, Default, Debug)]
pub(crate) struct Asked {
    verb: Option<String>,
    guarded: Option<bool>,
    /// Only what cannot be undone, in whole or in part.
    hindered: Option<bool>,
    /// Where the page begins.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    as_of: String,
    address: String,
    target: String,
    mode: Mode,
    badge: (&'static str, &'static str),
    size: String,
    made: When,
    by: String,
    /// Until when it can be applied; `None` when nothing is left to decide.
    open_until: Option<When>,
    effort: String,
    guards: Vec<String>,
    decided: Vec<String>,
    /// Of a plan that undoes: what.
    undoes: Option<Undoes>,
    /// How many resources have something that cannot be undone, with the list of them.
    hindered: Option<(String, String)>,
    /// Where the form goes that makes a plan which undoes it; `None` while it has sent nothing.
    undo: Option<String>,
    states: Vec<String>,
    /// What was refused just now.
    problem: Option<Problem>,
    make: String,
    actions: Actions,
    chips: Vec<Chip>,
    rows: Vec<Row>,
    next: Option<String>,
}

/// What a plan undoes.
struct Undoes {
    text: String,
    /// The plan whose doing it is.
    plan: Option<String>,
}

/// Why a decision was refused, with what has moved.
struct Problem {
    text: String,
    moved: Vec<(String, String)>,
    more: Option<String>,
}

/// What can be decided.
struct Actions {
    /// How many can be applied now; `None` when none can.
    apply: Option<String>,
    held: Option<String>,
    release: Release,
    reject: bool,
}

/// What the reader can do about the release of what guards hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Release {
    /// Nothing.
    No,
    /// Ask for it.
    Ask,
    /// They have asked for it, so somebody else has to grant it.
    Asked,
    /// Grant it.
    Grant,
}

struct Chip {
    href: String,
    label: String,
    chosen: bool,
}

struct Row {
    key: String,
    href: String,
    name: String,
    also: &'static str,
    sign: &'static str,
    verb: &'static str,
    lines: Vec<Line>,
    is_folded: bool,
    held: Vec<String>,
    /// What of it cannot be undone, or is lost.
    cannot: Vec<String>,
    badge: Option<(&'static str, &'static str)>,
}

/// `GET /console/plans/{id}`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    InPath(id): InPath,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    shown(&state, (&operator, view), id, asked, None).await
}

/// The page, after a decision that was refused with the reason.
async fn shown(
    state: &ConsoleState,
    (operator, view): (&Operator, View),
    id: Uuid,
    asked: Asked,
    refused: Option<&Refusal>,
) -> Result<Response, Trouble> {
    let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
    let plan = plans::read(store, tenant, id, now).await?;
    let verb = asked.verb.as_deref().and_then(Verb::of);
    let query = PlanChangeQuery {
        verb: verb.map(|verb| verb.word.to_owned()),
        guarded: asked.guarded,
        hindered: asked.hindered.unwrap_or(false),
        limit: ROWS,
        ..PlanChangeQuery::default()
    };
    let changes = plans::changes(store, tenant, id, &query, asked.after.as_deref()).await?;
    let targets = targets::list(store, tenant, now).await?;
    let mode = targets.iter().find(|target| target.id == plan.target_id).map_or("", |target| target.mode.as_str());
    let mut body = PlanPage::of(&plan, changes, &asked, (&who::operator(&operator.name), now));
    body.mode = Mode::of_word(mode);
    body.problem = refused.map(Problem::of);
    // There is something to fill in, unless something is under way.
    let view = if plan.state == "applying" && refused.is_none() { view } else { view.still() };
    let answer = page(&view, operator, ("Plan", Section::Plans), &body)?;
    Ok(with_status(answer, refused))
}

impl Problem {
    fn of(refusal: &Refusal) -> Self {
        let moved = &refusal.extras.moved;
        let listed = i64::try_from(moved.len()).unwrap_or(i64::MAX);
        let more = refusal.extras.moved_count.unwrap_or(0) - listed;
        Self {
            text: capitalised(&refusal.detail),
            moved: moved
                .iter()
                .map(|one| {
                    let id = one.resource_id.to_string();
                    (resource_href("", &id), one.name.clone().unwrap_or(id))
                })
                .collect(),
            more: (more > 0).then(|| format!("and {} more", number(more))),
        }
    }
}

impl PlanPage {
    fn of(plan: &PlanView, changes: Page<PlanChangeView>, asked: &Asked, (me, now): (&str, OffsetDateTime)) -> Self {
        let address = format!("/console/plans/{}", plan.id);
        let mut decided = Vec::new();
        if let Some(release) = &plan.release {
            let reason = release.reason.as_deref().unwrap_or("no reason was kept");
            decided.push(format!("{} has asked for its release: {reason}", release.requested_by));
            decided.extend(release.approved_by.as_ref().map(|by| format!("{by} has released it.")));
        }
        decided.extend(plan.applied_by.as_ref().map(|by| format!("{by} has applied it, or a part of it.")));
        let count = |state: &String, count: &i64| {
            let (_, label) = change_state(state);
            format!("{} {}", number(*count), label.to_lowercase())
        };
        Self {
            as_of: moment(now),
            target: plan.target.clone(),
            mode: Mode::of_word(""),
            badge: state_of(plan),
            size: size(plan),
            made: When::past(plan.created_at, now),
            by: plan.created_by.clone(),
            open_until: plan.is_open().then(|| When::future(plan.expires_at, now)),
            effort: format!(
                "{} at the target, at least {} s within its rate budget",
                count_of(plan.calls, "call", "calls"),
                number(plan.seconds)
            ),
            guards: plan.guards.iter().filter_map(|guard| guard.arithmetic.clone()).collect(),
            decided,
            states: plan.states.iter().map(|(state, number)| count(state, number)).collect(),
            undoes: plan.undoes.as_ref().map(Undoes::of),
            hindered: (plan.hindered > 0)
                .then(|| (count_of(plan.hindered, "resource", "resources"), format!("{address}?hindered=true"))),
            undo: plan.states.get("applied").is_some_and(|count| *count > 0).then(|| format!("{address}/undo")),
            problem: None,
            make: format!("/console/targets/{}/plans", plan.target_id),
            actions: Actions::of(plan, me),
            chips: chips(plan, &address, asked),
            rows: changes.data.iter().map(Row::of).collect(),
            next: changes
                .next_cursor
                .map(|cursor| format!("{}after={cursor}", joined(&filter_address(&address, asked)))),
            address,
        }
    }
}

fn filter_address(address: &str, asked: &Asked) -> String {
    match (asked.verb.as_deref().and_then(Verb::of), asked.guarded, asked.hindered) {
        (Some(verb), ..) => format!("{address}?verb={}", verb.word),
        (None, Some(guarded), _) => format!("{address}?guarded={guarded}"),
        (None, None, Some(true)) => format!("{address}?hindered=true"),
        (None, None, _) => address.to_owned(),
    }
}

fn joined(address: &str) -> String {
    format!("{address}{}", if address.contains('?') { '&' } else { '?' })
}

/// What the list can be limited to.
fn chips(plan: &PlanView, address: &str, asked: &Asked) -> Vec<Chip> {
    let now = filter_address(address, asked);
    let chip = |label: String, href: String| Chip { chosen: href == now, label, href };
    let mut chips = vec![chip(format!("All {}", number(plan.total)), address.to_owned())];
    for verb in VERBS {
        let count = plan.count(verb.word);
        if count > 0 {
            let label = format!("{} {} {}", verb.sign, verb.label, number(count));
            chips.push(chip(label, format!("{address}?verb={}", verb.word)));
        }
    }
    if plan.guarded > 0 {
        chips.push(chip(format!("! Held {}", number(plan.guarded)), format!("{address}?guarded=true")));
    }
    if plan.hindered > 0 {
        chips.push(chip(format!("Cannot be undone {}", number(plan.hindered)), format!("{address}?hindered=true")));
    }
    chips
}

impl Undoes {
    fn of(view: &UndoesView) -> Self {
        let mut what = Vec::new();
        what.extend(view.plan.map(|_| "what a plan has sent".to_owned()));
        let people = i64::try_from(view.people.len()).unwrap_or(i64::MAX);
        what.extend((people > 0).then(|| format!("what was done to {}", count_of(people, "person", "people"))));
        what.extend(view.from.as_ref().map(|from| format!("from {from} on")));
        what.extend(view.to.as_ref().map(|to| format!("before {to}")));
        what.extend(view.mapping_version.map(|version| format!("what followed from version {version} of the mapping")));
        let review = view.review_on.as_ref().map_or_else(String::new, |day| format!(" To be reviewed on {day}."));
        Self {
            text: format!("It takes back {}: {}{review}", what.join(", "), sentence(&view.reason)),
            plan: view.plan.map(|plan| format!("/console/plans/{plan}")),
        }
    }
}

impl Actions {
    fn of(plan: &PlanView, me: &str) -> Self {
        let is_released = plan.release.as_ref().is_some_and(|release| release.approved_by.is_some());
        let asked = plan.release.as_ref().filter(|_| !is_released);
        let held = if is_released { 0 } else { plan.guarded };
        let free = (plan.planned() - held).max(0);
        let is_open = plan.is_open();
        let release = match asked {
            _ if !is_open || held == 0 => Release::No,
            None => Release::Ask,
            Some(asked) if same_person(&asked.requested_by, me) => Release::Asked,
            Some(_) => Release::Grant,
        };
        Self {
            apply: (is_open && free > 0).then(|| number(free)),
            held: (is_open && held > 0).then(|| count_of(held, "change", "changes")),
            release,
            reject: is_open,
        }
    }
}

/// Whether two count as one person, as far as their names say.
fn same_person(one: &str, other: &str) -> bool {
    Decider::new(one).may_be(&Decider::new(other).behind())
}

impl Row {
    fn of(change: &PlanChangeView) -> Self {
        let id = change.resource_id.to_string();
        let verb = Verb::of(&change.verb);
        let lines: Vec<Line> = change.lines.iter().map(Line::of).collect();
        let why = change.reason.as_deref().filter(|_| change.guarded);
        Self {
            key: format!("change-{id}"),
            href: resource_href(&change.kind, &id),
            name: change.name.clone().unwrap_or_else(|| "Without a name".to_owned()),
            also: if change.kind == "org_unit" { "Department" } else { "" },
            sign: verb.map_or("·", |verb| verb.sign),
            verb: verb.map_or("Nothing", |verb| verb.label),
            is_folded: lines.len() > FOLDED,
            lines,
            held: change
                .detail
                .as_deref()
                .or(why)
                .map(|why| why.lines().map(str::to_owned).collect())
                .unwrap_or_default(),
            cannot: change
                .cannot
                .iter()
                .map(|one| match &one.attribute {
                    Some(attribute) => format!("{attribute}: {}", one.message),
                    None => one.message.clone(),
                })
                .collect(),
            badge: match change.state.as_str() {
                "planned" if change.guarded => Some(("held", "Held by a guard")),
                "planned" => None,
                other => Some(change_state(other)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW, plan};
    use rollcall_api::refusal::{Extras, Moved};
    use rollcall_api::services::plans::ReleaseView;
    use rollcall_api::services::proposal::LineView;

    fn change(attribute: &str, before: &str, after: &str) -> PlanChangeView {
        let text = |text: &str| Some(serde_json::Value::from(text));
        PlanChangeView {
            kind: "user".to_owned(),
            resource_id: Uuid::from_u128(2),
            name: Some(HOSTILE.to_owned()),
            verb: "update".to_owned(),
            lines: vec![LineView { attribute: attribute.to_owned(), before: text(before), after: text(after) }],
            effects: Vec::new(),
            guarded: true,
            reason: Some(HOSTILE.to_owned()),
            state: "planned".to_owned(),
            detail: None,
            updated_at: NOW,
            cannot: Vec::new(),
        }
    }

    fn rendered(plan: &PlanView, data: Vec<PlanChangeView>, me: &str) -> PlanPage {
        let changes = Page { data, next_cursor: None, has_more: false };
        PlanPage::of(plan, changes, &Asked::default(), (me, NOW))
    }

    #[test]
    fn values_stay_text_and_numbers_are_masked() {
        let data = vec![change("title", HOSTILE, HOSTILE), change("mobile", "+852-91234567", "+852-98887777")];
        let page = rendered(&plan("guarded", 2), data, "operator bob").render().expect("a page");
        assert!(!page.contains("<script") && !page.contains("9123") && !page.contains("9888"), "{page}");
        assert!(
            page.contains("+852 •••• 4567") && page.contains("+12 create ~1,480 update −3 remove !2 held"),
            "{page}"
        );
    }

    #[test]
    fn whoever_asks_for_a_release_does_not_grant_it() {
        let mut asked = plan("guarded", 1_495);
        let actions = Actions::of(&asked, "operator ann");
        assert_eq!((actions.release, actions.apply), (Release::Ask, None));
        asked.release = Some(ReleaseView {
            requested_by: "operator ann".to_owned(),
            requested_at: Some(NOW),
            reason: Some("Because.".to_owned()),
            approved_by: None,
            approved_at: None,
        });
        let (mine, other) = (Actions::of(&asked, "operator ann"), Actions::of(&asked, "operator bob"));
        assert_eq!((mine.release, other.release), (Release::Asked, Release::Grant));
        for (me, button) in [("operator ann", false), ("operator bob", true)] {
            let page = rendered(&asked, Vec::new(), me).render().expect("a page");
            assert_eq!(page.contains(">Release it<"), button, "{me}");
        }
        if let Some(release) = &mut asked.release {
            release.approved_by = Some("operator bob".to_owned());
        }
        let after = Actions::of(&asked, "operator ann");
        assert_eq!((after.apply.as_deref(), after.held, after.release), (Some("1,495"), None, Release::No));
    }

    #[test]
    fn what_has_moved_is_listed() {
        let moved = vec![Moved { resource_id: Uuid::from_u128(2), name: Some(HOSTILE.to_owned()) }];
        let refusal = Refusal::new(http::StatusCode::CONFLICT, "plan_stale", "3 changes have moved");
        let refusal = refusal.extras(Extras { moved, moved_count: Some(3), ..Extras::default() });
        let mut page = rendered(&plan("ready", 0), Vec::new(), "operator ann");
        page.problem = Some(Problem::of(&refusal));
        let page = page.render().expect("a page");
        assert!(
            page.contains("3 changes have moved.") && page.contains("and 2 more") && page.contains("Make a new plan")
        );
        assert!(!page.contains("<script"), "{page}");
    }
}
