//! What a mapping would make of everybody.

use crate::words::count::{count_of, number};
use crate::words::source::shown as masked;
use rollcall_api::services::mapping::preview::{
    DuplicateView, FailingView, PreviewView, RuleCount, ShownPerson, TargetEffect,
};

/// What a mapping would make of everybody.
pub(super) struct Effects {
    pub(super) people: String,
    pub(super) next: String,
    pub(super) scope: Vec<String>,
    pub(super) targets: Vec<AtTarget>,
    pub(super) failing: Vec<Failing>,
    pub(super) samples: Vec<Sample>,
}

/// What would change at a target.
pub(super) struct AtTarget {
    pub(super) name: String,
    /// How many would get an account, change, lose it, stay, and so on.
    pub(super) counts: Vec<(&'static str, String)>,
    pub(super) attributes: Vec<String>,
    pub(super) first: Vec<String>,
}

/// People to whom one thing happens.
pub(super) struct Failing {
    pub(super) what: String,
    pub(super) text: String,
    pub(super) blocks: bool,
    pub(super) first: Vec<String>,
}

/// Somebody shown whole.
pub(super) struct Sample {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) why: String,
    pub(super) scope: String,
    pub(super) lines: Vec<(String, String)>,
}

impl Effects {
    pub(super) fn of(view: &PreviewView) -> Self {
        let some = if view.complete { "" } else { " (only the first ones; there was no time for the others)" };
        let count = |number: u64| count_of(signed(number), "person", "people");
        let rule = |word: &str, one: &RuleCount| {
            format!("{} {word}: {}", count(one.people), one.rule.as_deref().unwrap_or("no rule decides"))
        };
        let included = view.included.iter().map(|one| rule("in", one));
        let excluded = view.excluded.iter().map(|one| rule("left out", one));
        let failing = view.failing.iter().map(Failing::of);
        Self {
            people: format!(
                "{} looked at{some}: {} ready, {} kept out.",
                count(view.people),
                number(signed(view.ready)),
                number(signed(view.blocked))
            ),
            next: view.next.clone(),
            scope: included.chain(excluded).collect(),
            targets: view.targets.iter().map(AtTarget::of).collect(),
            failing: failing.chain(view.duplicates.iter().map(Failing::of_duplicate)).collect(),
            samples: view.samples.iter().map(Sample::of).collect(),
        }
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl AtTarget {
    fn of(view: &TargetEffect) -> Self {
        let counts = [
            ("get an account", view.created),
            ("change", view.changed),
            ("are removed", view.removed),
            ("stay as they are", view.unchanged),
            ("are kept, because a value is missing", view.kept),
            ("are still to be read", view.unread),
        ];
        let attributes = view.attributes.iter();
        Self {
            name: view.target.clone(),
            counts: counts.into_iter().map(|(what, count)| (what, number(signed(count)))).collect(),
            attributes: attributes.map(|(name, count)| format!("{name} {}", number(signed(*count)))).collect(),
            first: view.first.iter().map(ToString::to_string).collect(),
        }
    }
}

impl Failing {
    fn of(view: &FailingView) -> Self {
        Self {
            what: count_of(signed(view.people), "person", "people"),
            text: format!("{} {}", view.message, view.advice),
            blocks: view.blocks,
            first: view.first.clone(),
        }
    }

    fn of_duplicate(view: &DuplicateView) -> Self {
        Self {
            what: count_of(signed(view.people), "person", "people"),
            text: format!("They have the same {} as somebody else.", view.attribute),
            blocks: false,
            first: view.first.clone(),
        }
    }
}

impl Sample {
    fn of(view: &ShownPerson) -> Self {
        let chosen = view.chosen_for.iter().map(|why| why.replace('_', " "));
        let mut lines: Vec<(String, String)> = Vec::new();
        for (attribute, value) in &view.mapping.attributes {
            let value = value.as_ref().map_or_else(|| "no value".to_owned(), |value| masked(attribute, value));
            lines.push((attribute.clone(), value));
        }
        lines.extend(view.mapping.places.iter().map(|place| ("department".to_owned(), place.join(" / "))));
        lines.extend(
            view.mapping.findings.iter().map(|found| ("!".to_owned(), format!("{} {}", found.message, found.advice))),
        );
        Self {
            id: view.id.to_string(),
            name: view.user_name.clone().unwrap_or_else(|| view.id.to_string()),
            why: chosen.collect::<Vec<_>>().join(", "),
            scope: view.mapping.scope.clone(),
            lines,
        }
    }
}
