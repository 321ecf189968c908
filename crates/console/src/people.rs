//! Lists: everybody who was received, and everything that stands in a state towards a target.

use crate::frame::{Section, page};
use crate::home::{recent, sends};
use crate::operator::Operator;
use crate::query::{Query, encoded};
use crate::row::Row;
use crate::state::ConsoleState;
use crate::trouble::Trouble;
use crate::view::View;
use crate::words::age::{When, moment};
use crate::words::count::{Tally, number};
use crate::words::guard::held_name;
use crate::words::standing::{Badge, CHOICES, Choice, choice};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use rollcall_api::ApiError;
use rollcall_api::services::overview::{Overview, TargetOverview};
use rollcall_api::services::page::Page;
use rollcall_api::services::roster::RosterUser;
use rollcall_api::services::standings::Wanted;
use rollcall_api::services::{person, roster, standings};
use rollcall_provisioning::ids::{ResourceKind, TargetId};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Rows of a page.
const ROWS: i64 = 50;

/// What is listed.
#[derive(Deserialize, Clone, Default, Debug)]
pub(crate) struct Asked {
    /// A word of [`CHOICES`], or a state.
    state: Option<String>,
    /// A target's id.
    target: Option<Uuid>,
    /// `user` (which is meant when there is none), `org_unit`, or `any`.
    kind: Option<String>,
    /// What holds it.
    held_by: Option<String>,
    /// An error code.
    code: Option<String>,
    /// Where the page begins.
    after: Option<String>,
    /// A userName to go to.
    find: Option<String>,
}

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    as_of: String,
    title: String,
    meaning: String,
    problem: Option<String>,
    targets: Vec<Chip>,
    states: Vec<Chip>,
    rows: Vec<Row>,
    received: Vec<Person>,
    again: Option<AgainAll>,
    first: Option<String>,
    next: Option<String>,
    back: String,
}

/// A link that limits the list.
struct Chip {
    href: String,
    label: String,
    count: Option<String>,
    chosen: bool,
}

/// Somebody who was received.
struct Person {
    key: String,
    href: String,
    name: String,
    also: String,
    active: bool,
    standings: Vec<(String, Badge)>,
    changed: When,
}

/// What the form that retries a whole list names.
struct AgainAll {
    target: String,
    state: &'static str,
}

/// `GET /console/people`.
pub(crate) async fn people(
    State(state): State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let mut problem = None;
    if let Some(wanted) = asked.find.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
        match person::id_of(state.api().store(), operator.tenant, wanted).await {
            Ok(id) => return Ok(Redirect::to(&format!("/console/people/{id}")).into_response()),
            Err(ApiError::NotFound { .. }) => problem = Some(format!("Nobody has the userName {wanted}.")),
            Err(error) => return Err(error.into()),
        }
    }
    let list = List::of(asked)?;
    let overview = recent(&state, operator.tenant).await?;
    let section = if list.kind == Some(ResourceKind::OrgUnit) { Section::Departments } else { Section::People };
    let people = People { problem, ..list.read(&state, &operator, &overview, &view).await? };
    page(&view, &operator, (&people.title.clone(), section), &people)
}

/// `GET /console/departments`: the same list, of departments.
pub(crate) async fn departments(
    state: State<ConsoleState>,
    operator: Operator,
    view: View,
    Query(asked): Query<Asked>,
) -> Result<Response, Trouble> {
    let asked = Asked { kind: Some(ResourceKind::OrgUnit.as_str().to_owned()), find: None, ..asked };
    people(state, operator, view, Query(asked)).await
}

/// A list that makes sense.
struct List {
    choice: Option<Choice>,
    target: Option<Uuid>,
    /// `None`: of any kind.
    kind: Option<ResourceKind>,
    held_by: Option<String>,
    code: Option<String>,
    after: Option<String>,
}

impl List {
    fn of(asked: Asked) -> Result<Self, Trouble> {
        let choice = match asked.state.as_deref().filter(|word| !word.is_empty()) {
            None => None,
            Some(word) => Some(choice(word).ok_or(Trouble::NoSuchPage)?),
        };
        let kind = match asked.kind.as_deref() {
            None | Some("") => Some(ResourceKind::User),
            Some("any") => None,
            Some(word) => Some(ResourceKind::parse(word).ok_or(Trouble::NoSuchPage)?),
        };
        let word = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (held_by, code) = (word(asked.held_by), word(asked.code));
        Ok(Self { choice, target: asked.target, kind, held_by, code, after: asked.after })
    }

    /// Everybody, whether or not they were ever due at a target.
    fn is_roster(&self) -> bool {
        let everybody = self.choice.is_none() && self.target.is_none() && !self.is_narrow();
        everybody && self.kind == Some(ResourceKind::User)
    }

    /// Whether only a part of what stands in a state is listed.
    fn is_narrow(&self) -> bool {
        self.held_by.is_some() || self.code.is_some()
    }

    async fn read(
        &self,
        state: &ConsoleState,
        operator: &Operator,
        overview: &Overview,
        view: &View,
    ) -> Result<People, Trouble> {
        let (store, tenant, now) = (state.api().store(), operator.tenant, state.now());
        let (mut rows, mut received) = (Vec::new(), Vec::new());
        let next = if self.is_roster() {
            let page = roster::people(store, tenant, ROWS, self.after.as_deref()).await?;
            received = persons(&page, overview, now);
            page.next_cursor
        } else {
            let wanted = Wanted {
                target: self.target.map(TargetId),
                kind: self.kind,
                resource: None,
                held_by: self.held_by.clone(),
                code: self.code.clone(),
                states: self.choice.map(|choice| choice.states.to_vec()).unwrap_or_default(),
            };
            let page = standings::list(store, tenant, &wanted, ROWS, self.after.as_deref()).await?;
            rows = page
                .data
                .iter()
                .map(|delivery| Row::of(delivery, sending(overview, delivery.target_id), now))
                .collect();
            page.next_cursor
        };
        Ok(People {
            as_of: moment(now),
            title: self.title(),
            meaning: self.meaning(),
            problem: None,
            targets: self.target_chips(overview),
            states: self.state_chips(overview),
            again: self.again_all(&rows),
            rows,
            received,
            first: self.after.as_ref().map(|_| self.part(None)),
            next: next.map(|after| self.part(Some(&after))),
            back: view.address(),
        })
    }

    fn title(&self) -> String {
        let whom = match self.kind {
            Some(ResourceKind::User) => "People",
            Some(ResourceKind::Group) => "Groups",
            Some(ResourceKind::OrgUnit) => "Departments",
            None => "People and departments",
        };
        match (self.choice, self.is_roster()) {
            (Some(choice), _) => format!("{whom}: {}", choice.label.to_lowercase()),
            (None, true) => format!("{whom} received"),
            (None, false) => whom.to_owned(),
        }
    }

    fn meaning(&self) -> String {
        match (&self.held_by, self.code.as_deref(), self.choice) {
            (Some(held_by), ..) => format!("Only what this holds: {}.", held_name(held_by)),
            (None, Some("deny_window"), _) => "Only what waits for the end of a deny window.".to_owned(),
            (None, Some("calls_used_up"), _) => "Only what waits for calls that the target may be sent.".to_owned(),
            (None, _, choice) => choice.map(|choice| choice.meaning.to_owned()).unwrap_or_default(),
        }
    }

    fn href(&self, target: Option<Uuid>, choice: Option<&Choice>, after: Option<&str>) -> String {
        let kind = match self.kind {
            Some(ResourceKind::User) => None,
            Some(kind) => Some(kind.as_str().to_owned()),
            None => Some("any".to_owned()),
        };
        let parts = [
            ("target", target.map(|id| id.to_string())),
            ("state", choice.map(|choice| choice.word.to_owned())),
            ("kind", kind),
            ("after", after.map(str::to_owned)),
        ];
        let parts: Vec<String> =
            parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?))).collect();
        if parts.is_empty() { "/console/people".to_owned() } else { format!("/console/people?{}", parts.join("&")) }
    }

    /// This list from a place on.
    fn part(&self, after: Option<&str>) -> String {
        let narrow = [("held_by", &self.held_by), ("code", &self.code)];
        let narrow = narrow.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let address = self.href(self.target, self.choice.as_ref(), after);
        narrow.fold(address, |address, (name, value)| {
            let joint = if address.contains('?') { '&' } else { '?' };
            format!("{address}{joint}{name}={}", encoded(value))
        })
    }

    /// One chip for each target; none when there is no choice to make.
    fn target_chips(&self, overview: &Overview) -> Vec<Chip> {
        if overview.targets.len() < 2 {
            return Vec::new();
        }
        let chip = |label: &str, target: Option<Uuid>| Chip {
            href: self.href(target, self.choice.as_ref(), None),
            label: label.to_owned(),
            count: None,
            chosen: self.target == target,
        };
        let all = std::iter::once(chip("All targets", None));
        all.chain(overview.targets.iter().map(|target| chip(&target.view.name, Some(target.view.id)))).collect()
    }

    fn state_chips(&self, overview: &Overview) -> Vec<Chip> {
        let of_list = |target: &&TargetOverview| self.target.is_none_or(|id| id == target.view.id);
        let count = |choice: &Choice| -> i64 {
            let tallies = overview.targets.iter().filter(of_list).map(|target| Tally::of(&target.view, choice.states));
            tallies.map(|tally| self.counted(tally)).sum()
        };
        let all = Chip {
            href: self.href(self.target, None, None),
            label: "All".to_owned(),
            count: None,
            chosen: self.choice.is_none(),
        };
        let chips = CHOICES.iter().map(|choice| Chip {
            href: self.href(self.target, Some(choice), None),
            label: choice.label.to_owned(),
            count: Some(number(count(choice))),
            chosen: self.choice.as_ref() == Some(choice) && !self.is_narrow(),
        });
        std::iter::once(all).chain(chips).collect()
    }

    fn counted(&self, tally: Tally) -> i64 {
        match self.kind {
            Some(ResourceKind::User) => tally.people,
            Some(ResourceKind::OrgUnit) => tally.departments,
            Some(ResourceKind::Group) => tally.groups,
            None => tally.all(),
        }
    }

    /// The whole list can be retried when all of it stands still for one reason.
    fn again_all(&self, rows: &[Row]) -> Option<AgainAll> {
        // The form names a state, and would retry more than the list shows.
        let choice = self.choice.filter(|choice| choice.states.len() == 1 && !self.is_narrow())?;
        let offered = rows.len() > 1 && rows.iter().all(|row| row.again.is_some());
        offered
            .then(|| AgainAll { target: self.target.map(|id| id.to_string()).unwrap_or_default(), state: choice.word })
    }
}

/// Whether the target gets anything now.
fn sending(overview: &Overview, target: Uuid) -> bool {
    overview.targets.iter().find(|one| one.view.id == target).is_none_or(|one| sends(&one.view))
}

fn persons(page: &Page<RosterUser>, overview: &Overview, now: OffsetDateTime) -> Vec<Person> {
    let name_of = |id: TargetId| {
        let target = overview.targets.iter().find(|target| target.view.id == id.0);
        target.map(|target| target.view.name.clone()).unwrap_or_default()
    };
    let person = |user: &RosterUser| Person {
        key: format!("row-{}", user.id),
        href: format!("/console/people/{}", user.id),
        name: user.display_name.clone().unwrap_or_else(|| user.user_name.clone()),
        also: user.display_name.as_ref().map(|_| user.user_name.clone()).unwrap_or_default(),
        active: user.active,
        standings: user.standings.iter().map(|(target, state)| (name_of(*target), Badge::of(*state))).collect(),
        changed: When::past(user.modified_at, now),
    };
    page.data.iter().map(person).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{overview, target};

    fn list(state: Option<&str>, kind: Option<&str>) -> List {
        let text = |word: Option<&str>| word.map(str::to_owned);
        List::of(Asked { state: text(state), kind: text(kind), ..Asked::default() }).expect("a list")
    }

    #[test]
    fn lists_have_titles_and_addresses_of_their_own() {
        for (state, kind, title, href) in [
            (None, None, "People received", "/console/people"),
            (Some("held"), None, "People: held", "/console/people?state=held"),
            (
                Some("waiting_to_be_sent"),
                Some("any"),
                "People and departments: waiting",
                "/console/people?state=waiting_to_be_sent&kind=any",
            ),
            (None, Some("org_unit"), "Departments", "/console/people?kind=org_unit"),
        ] {
            let list = list(state, kind);
            assert_eq!(list.title(), title);
            assert_eq!(list.href(list.target, list.choice.as_ref(), None), href);
        }
    }

    #[test]
    fn unknown_words_are_no_page() {
        for (state, kind) in [(Some("synced"), None), (None, Some("printer"))] {
            let text = |word: Option<&str>| word.map(str::to_owned);
            let asked = Asked { state: text(state), kind: text(kind), ..Asked::default() };
            assert!(matches!(List::of(asked), Err(Trouble::NoSuchPage)));
        }
    }

    #[test]
    fn chips_count_what_their_lists_hold() {
        let overview = overview(vec![target("live", &[("pending", 2), ("retrying", 1), ("in_step", 1200)])]);
        let chips = list(Some("in_step"), None).state_chips(&overview);
        let counts: Vec<_> =
            chips.iter().map(|chip| (chip.label.as_str(), chip.count.as_deref(), chip.chosen)).collect();
        assert_eq!(
            counts.get(..3),
            Some([("All", None, false), ("Waiting", Some("3"), false), ("Applied", Some("1,200"), true)].as_slice())
        );
        assert!(list(None, None).target_chips(&overview).is_empty(), "one target is no choice");
    }
}
