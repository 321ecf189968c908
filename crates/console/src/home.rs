//! The home page: how every target stands, in one sentence and in numbers, and who needs a person.

use crate::frame::{Section, page};
use crate::operator::Operator;
use crate::row::Row;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{Tally, count_of, number};
use crate::words::standing::{CHOICES, Choice};
use crate::words::status::{Status, status};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::HOST;
use rollcall_api::services::overview::{self, Overview, TargetOverview};
use rollcall_api::services::standings::{self, Wanted};
use rollcall_api::services::targets::TargetView;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{TargetId, TenantId};
use time::OffsetDateTime;

/// Rows of each kind that are shown before the link to all of them.
const ROWS: i64 = 10;
/// What is listed, the most urgent first.
const LISTED: [DeliveryState; 3] = [DeliveryState::NeedsAttention, DeliveryState::Retrying, DeliveryState::Waiting];

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    tenant: String,
    as_of: String,
    last_received: Option<When>,
    people: String,
    groups: String,
    steps: Vec<Step>,
    /// What is held, in one line.
    held: Option<String>,
    targets: Vec<Card>,
    back: String,
}

/// Something that is still to be set up.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Step {
    what: &'static str,
    commands: Vec<String>,
    /// The page on which it is done, and what its link says.
    page: Option<(&'static str, &'static str)>,
}

struct Card {
    key: String,
    /// Where it is told what the application may do.
    preflight: String,
    name: String,
    mode: Mode,
    status: Status,
    last_applied: Option<When>,
    oldest: Option<Oldest>,
    /// Guards that hold something, with their arithmetic.
    trips: Vec<Trip>,
    tiles: Vec<Tile>,
    held: Option<Held>,
    lists: Vec<List>,
}

/// A guard that holds something.
struct Trip {
    arithmetic: String,
    held: String,
    since: When,
}

/// What is held, and waits for a plan.
struct Held {
    count: String,
    href: String,
    /// Where the form that makes a plan goes.
    make: String,
}

/// The mode of a target, as a badge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mode {
    /// For the style sheet.
    pub(crate) class: &'static str,
    /// The name.
    pub(crate) label: &'static str,
}

impl Mode {
    /// The badge of a mode that arrives as its word.
    pub(crate) fn of_word(word: &str) -> Self {
        match word {
            "live" => Self { class: "live", label: "Live" },
            "rehearsal" => Self { class: "rehearsal", label: "Rehearsal" },
            _ => Self { class: "paused", label: "Paused" },
        }
    }
}

struct Oldest {
    href: String,
    when: When,
}

struct Tile {
    choice: Choice,
    people: String,
    href: String,
    subs: Vec<Sub>,
    loud: bool,
}

/// A part of a number, or what is counted apart.
struct Sub {
    text: String,
    href: String,
}

struct List {
    choice: Choice,
    total: String,
    href: String,
    rows: Vec<Row>,
    target: String,
}

/// Whether a target gets anything now.
pub(crate) fn sends(target: &TargetView) -> bool {
    target.mode != "paused" && target.stopped.is_none()
}

/// The tenant's overview, new enough.
pub(crate) async fn recent(state: &ConsoleState, tenant: TenantId) -> Result<Overview, Trouble> {
    let read = async || overview::read(state.api().store(), tenant, state.now()).await;
    Ok(state.overviews().get(tenant, || state.now(), read).await?)
}

/// `GET /console`.
pub(crate) async fn show(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let overview = recent(&state, operator.tenant).await?;
    let mut lists = Vec::new();
    for target in &overview.targets {
        lists.push(listed(&state, operator.tenant, target).await?);
    }
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("this-server");
    let base = format!("{}://{host}", if operator.https { "https" } else { "http" });
    let home = Home::of(&overview, lists, &base, view.address());
    page(&view, &operator, ("Home", Section::Home), &home)
}

async fn listed(state: &ConsoleState, tenant: TenantId, target: &TargetOverview) -> Result<Vec<List>, Trouble> {
    let mut lists = Vec::new();
    for choice in LISTED.into_iter().filter_map(|state| crate::words::standing::choice(state.as_str())) {
        let total = Tally::of(&target.view, choice.states);
        if total.all() == 0 {
            continue;
        }
        let target_id = Some(TargetId(target.view.id));
        let wanted = Wanted { target: target_id, states: choice.states.to_vec(), ..Wanted::default() };
        let found = standings::list(state.api().store(), tenant, &wanted, ROWS, None).await?;
        let (now, sending) = (state.now(), sends(&target.view));
        lists.push(List {
            choice,
            total: total.to_string(),
            href: list_href(target, &choice, "any"),
            rows: found.data.iter().map(|delivery| Row::of(delivery, sending, now)).collect(),
            target: target.view.id.to_string(),
        });
    }
    Ok(lists)
}

/// The list behind a number. A person can share the address.
fn list_href(target: &TargetOverview, choice: &Choice, kind: &str) -> String {
    format!("/console/people?target={}&state={}&kind={kind}", target.view.id, choice.word)
}

impl Home {
    fn of(overview: &Overview, lists: Vec<Vec<List>>, base: &str, back: String) -> Self {
        let now = overview.as_of;
        let received = overview.people + overview.groups;
        Self {
            tenant: overview.tenant.clone(),
            as_of: moment(now),
            last_received: overview.last_received.map(|at| When::past(at, now)),
            people: number(overview.people),
            groups: number(overview.groups),
            steps: steps(overview, base),
            held: crate::words::held::line(overview),
            targets: overview
                .targets
                .iter()
                .zip(lists)
                .map(|(target, lists)| Card::of(target, lists, received, now))
                .collect(),
            back,
        }
    }
}

impl Card {
    fn of(target: &TargetOverview, lists: Vec<List>, received: i64, now: OffsetDateTime) -> Self {
        Self {
            key: format!("target-{}", target.view.id),
            preflight: format!("/console/targets/{}/preflight", target.view.id),
            name: target.view.name.clone(),
            mode: Mode::of_word(&target.view.mode),
            status: status(target, received, now),
            last_applied: target.last_applied.map(|at| When::past(at, now)),
            oldest: target.view.oldest_waiting.as_ref().map(|oldest| Oldest {
                href: format!("/console/resources/{}", oldest.resource_id),
                when: When::past(oldest.since, now),
            }),
            trips: target
                .trips
                .iter()
                .map(|trip| Trip {
                    arithmetic: trip.arithmetic.clone(),
                    held: count_of(trip.held, "change", "changes"),
                    since: When::lasting(trip.tripped_at, now),
                })
                .collect(),
            tiles: tiles(target),
            held: held(target),
            lists,
        }
    }
}

/// What is held, if anything is.
fn held(target: &TargetOverview) -> Option<Held> {
    let (tally, choice) = (Tally::of(&target.view, &[DeliveryState::Held]), crate::words::standing::choice("held")?);
    (tally.all() > 0).then(|| Held {
        count: tally.to_string(),
        href: list_href(target, &choice, "any"),
        make: format!("/console/targets/{}/plans", target.view.id),
    })
}

/// A number for each choice. Retrying is a part of waiting, so it is shown below that and only when there is some.
fn tiles(target: &TargetOverview) -> Vec<Tile> {
    let (parts, wholes): (Vec<Choice>, Vec<Choice>) =
        CHOICES.into_iter().partition(|choice| choice.states == [DeliveryState::Retrying]);
    let tile = |choice: Choice| {
        let tally = Tally::of(&target.view, choice.states);
        let departments = count_of(tally.departments, "department", "departments");
        let departments = Sub { text: departments, href: list_href(target, &choice, "org_unit") };
        let mut subs: Vec<Sub> = (tally.departments > 0).then_some(departments).into_iter().collect();
        for part in parts.iter().filter(|part| part.states.iter().all(|state| choice.states.contains(state))) {
            let count = Tally::of(&target.view, part.states).all();
            let text = format!("{} {}", number(count), part.label.to_lowercase());
            subs.extend((count > 0).then(|| Sub { text, href: list_href(target, part, "any") }));
        }
        let loud = ["needs_attention", "held"].contains(&choice.word) && tally.all() > 0;
        Tile { people: number(tally.people), href: list_href(target, &choice, "user"), subs, loud, choice }
    };
    wholes.into_iter().map(tile).collect()
}

/// What is still to be set up before anything can arrive at a target.
fn steps(overview: &Overview, base: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    if overview.sources == 0 {
        steps.push(Step {
            what: "No source is set up yet. Make one for the system that sends your people, and a token for it:",
            commands: vec![
                "rollcall source create okta --profile okta".to_owned(),
                "rollcall token create --source okta".to_owned(),
            ],
            page: None,
        });
    }
    if overview.targets.is_empty() {
        steps.push(Step {
            what: "No target is set up yet. Make one for your DingTalk organisation; it begins as a rehearsal:",
            commands: Vec::new(),
            page: Some(("/console/targets", "Set up a target")),
        });
    }
    if overview.people + overview.groups == 0 && overview.sources > 0 {
        steps.push(Step {
            what: "Nothing has been received yet. Give your source the token and this address, then assign people \
                   to it there:",
            commands: vec![format!("{base}/scim/v2")],
            page: None,
        });
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{HOSTILE, NOW, delivery, overview, target};
    use rollcall_api::services::deliveries::DeliveryView;
    use rollcall_api::services::targets::Count;

    fn rendered(overview: &Overview, lists: Vec<Vec<List>>) -> String {
        Home::of(overview, lists, "https://host", "/console".to_owned()).render().expect("a page")
    }

    fn list(target: &TargetOverview, rows: Vec<Row>) -> List {
        let choice = crate::words::standing::choice("needs_attention").expect("a choice");
        List {
            choice,
            total: "1 person".to_owned(),
            href: list_href(target, &choice, "any"),
            rows,
            target: String::new(),
        }
    }

    #[test]
    fn every_number_is_a_link_to_its_list() {
        let mut target = target("live", &[("in_step", 4812), ("pending", 2), ("retrying", 3), ("needs_attention", 1)]);
        target.view.counts.push(Count { kind: "org_unit".into(), state: "in_step".into(), count: 14 });
        let page = rendered(&overview(vec![target.clone()]), vec![Vec::new()]);
        let id = target.view.id;
        for (word, kind, count) in [
            ("in_step", "user", "4,812"),
            ("in_step", "org_unit", "14 departments"),
            ("waiting_to_be_sent", "user", "5"),
            ("retrying", "any", "3 retrying"),
            ("needs_attention", "user", "1"),
            ("held", "user", "0"),
        ] {
            let link = format!("href=\"/console/people?target={id}&#38;state={word}&#38;kind={kind}\"");
            let (_, after) = page.split_once(&link).unwrap_or_else(|| panic!("{link} is missing in {page}"));
            let text = after.split_once("</a>").map(|(text, _)| text).unwrap_or_default();
            assert!(format!("{text}<").contains(&format!(">{count}<")), "{word}: {text}");
        }
        assert!(page.contains("1 person needs attention"), "{page}");
    }

    #[test]
    fn a_hostile_name_stays_text_and_keeps_its_direction_to_itself() {
        let hostile = DeliveryView {
            display_name: Some(HOSTILE.to_owned()),
            name: Some(HOSTILE.to_owned()),
            reason: Some(HOSTILE.to_owned()),
            ..delivery("needs_attention")
        };
        let mut target = target("live", &[("needs_attention", 1)]);
        target.view.name = HOSTILE.to_owned();
        let lists = vec![list(&target, vec![Row::of(&hostile, true, NOW)])];
        let page = rendered(&Overview { tenant: HOSTILE.to_owned(), ..overview(vec![target]) }, vec![lists]);
        assert!(!page.contains("<script"), "{page}");
        assert!(page.matches('\u{202e}').count() >= 4, "the name is shown");
        for (place, _) in page.match_indices('\u{202e}') {
            let before = &page[..place];
            let isolated = ["<bdi>", "dir=\"auto\">"].iter().filter_map(|open| before.rfind(open)).max();
            let closed = before.rfind("</");
            assert!(isolated > closed, "a name outside of an isolating element: {}", &before[before.len() - 80..]);
        }
    }

    #[test]
    fn what_is_missing_comes_with_its_command() {
        let nothing = Overview { people: 0, groups: 0, sources: 0, ..overview(Vec::new()) };
        for (overview, present, absent) in [
            (nothing.clone(), vec!["rollcall source create", "Set up a target"], vec!["/scim/v2"]),
            (
                Overview { sources: 1, ..nothing },
                vec!["Set up a target", "https://host/scim/v2"],
                vec!["source create"],
            ),
            (super::tests::overview(vec![target("live", &[])]), vec![], vec!["rollcall ", "/scim/v2"]),
        ] {
            let lists = overview.targets.iter().map(|_| Vec::new()).collect();
            let page = rendered(&overview, lists);
            for text in present {
                assert!(page.contains(text), "{text}: {page}");
            }
            for text in absent {
                assert!(!page.contains(text), "{text}: {page}");
            }
        }
    }

    #[test]
    fn the_mode_is_said_in_words() {
        for (mode, class, label) in
            [("live", "live", "Live"), ("rehearsal", "rehearsal", "Rehearsal"), ("paused", "paused", "Paused")]
        {
            let page = rendered(&overview(vec![target(mode, &[("in_step", 1)])]), vec![Vec::new()]);
            assert!(page.contains(&format!("class=\"mode {class}\">{label}<")), "{page}");
        }
    }
}
