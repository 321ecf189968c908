//! One delivery, as lists and pages show it: whose, where it stands, why, since when, and what happens next.

use crate::words::age::When;
use crate::words::count::count_of;
use crate::words::standing::Badge;
use rollcall_api::services::deliveries::DeliveryView;
use time::OffsetDateTime;

/// One delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Row {
    /// Unique in a page, so that the script finds the row again.
    pub(crate) key: String,
    /// The page of the resource.
    pub(crate) href: String,
    /// What the resource is called.
    pub(crate) name: String,
    /// What else it is called.
    pub(crate) also: String,
    /// The target's name.
    pub(crate) target: String,
    /// Where it stands.
    pub(crate) badge: Badge,
    /// Why, one sentence or several.
    pub(crate) reasons: Vec<String>,
    /// The target's code.
    pub(crate) code: Option<String>,
    /// Since when it is behind.
    pub(crate) since: Option<When>,
    /// What happens next, of itself.
    pub(crate) next: Next,
    /// What the retry form names.
    pub(crate) again: Option<Again>,
}

/// What happens next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Next {
    /// In words.
    pub(crate) text: String,
    /// When, if that is known.
    pub(crate) at: Option<When>,
}

/// What the retry form names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Again {
    pub(crate) resource: String,
    pub(crate) target: String,
}

impl Row {
    /// A delivery at this moment. `sending`: whether its target gets anything now.
    pub(crate) fn of(view: &DeliveryView, sending: bool, now: OffsetDateTime) -> Self {
        let id = view.resource_id;
        let names = view.display_name.as_deref().or(view.name.as_deref());
        let nameless = if view.state == "gone" { "No longer known" } else { "Without a name" };
        Self {
            key: format!("row-{}-{id}", view.target_id),
            href: resource_href(&view.kind, &id.to_string()),
            name: names.unwrap_or(nameless).to_owned(),
            also: also(view),
            target: view.target.clone(),
            badge: Badge::of_word(&view.state),
            reasons: shown_reason(view).map(|reason| reason.lines().map(str::to_owned).collect()).unwrap_or_default(),
            code: view.error_code.clone().filter(|_| matches!(view.state.as_str(), "retrying" | "needs_attention")),
            since: view.dirty_since.map(|since| When::lasting(since, now)),
            next: Next::of(view, sending, now),
            again: may_retry(&view.state)
                .then(|| Again { resource: id.to_string(), target: view.target_id.to_string() }),
        }
    }
}

/// The page of a resource.
pub(crate) fn resource_href(kind: &str, id: &str) -> String {
    match kind {
        "user" => format!("/console/people/{id}"),
        "org_unit" => format!("/console/departments/{id}"),
        _ => format!("/console/resources/{id}"),
    }
}

fn also(view: &DeliveryView) -> String {
    match view.kind.as_str() {
        "org_unit" => "Department".to_owned(),
        _ if view.display_name.is_some() => view.name.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// The reason, while it is the reason of what is now: a delivery that is on its way again, or has arrived, keeps the
/// reason of an earlier try, and that is history.
fn shown_reason(view: &DeliveryView) -> Option<&str> {
    let now = !matches!(view.state.as_str(), "pending" | "applying" | "in_step" | "gone");
    view.reason.as_deref().filter(|_| now)
}

fn may_retry(state: &str) -> bool {
    matches!(state, "retrying" | "waiting" | "needs_attention" | "held")
}

impl Next {
    fn of(view: &DeliveryView, sending: bool, now: OffsetDateTime) -> Self {
        let at = view.due_at.map(|due| When::future(due, now));
        let plain = |text: &str| Self { text: text.to_owned(), at: None };
        match view.state.as_str() {
            "pending" if !sending => plain("It is sent when sending goes on."),
            "pending" if view.due_at.is_some_and(|due| due > now) => Self { text: "It is sent".to_owned(), at },
            "pending" => plain("It is sent as soon as a worker is free."),
            "applying" => plain("A worker is at it."),
            "retrying" => {
                let tries = count_of(i64::from(view.attempt), "try has", "tries have");
                if !sending {
                    return Self { text: format!("{tries} failed; the next one is when sending goes on."), at: None };
                }
                Self { text: format!("{tries} failed; the next one is"), at }
            }
            "waiting" if view.due_at.is_some() => Self { text: "It is looked at again".to_owned(), at },
            "waiting" => plain("It goes on by itself as soon as that is there."),
            "needs_attention" => plain("It is tried again when the data changes, or when you retry."),
            "held" => plain(
                "A plan can send it. It is looked at again when the target goes live, when the data changes, or when you retry.",
            ),
            _ => plain(""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NOW, delivery};
    use time::Duration;

    #[test]
    fn what_happens_next_fits_the_state() {
        for (state, due, expected, distance) in [
            ("retrying", Some(12), "3 tries have failed; the next one is", Some("in 12 s")),
            ("waiting", Some(3600), "It is looked at again", Some("in 1 h")),
            ("waiting", None, "It goes on by itself as soon as that is there.", None),
            ("needs_attention", None, "It is tried again when the data changes, or when you retry.", None),
            ("pending", Some(0), "It is sent as soon as a worker is free.", None),
            ("in_step", None, "", None),
        ] {
            let due_at = due.map(|seconds| NOW + Duration::seconds(seconds));
            let row = Row::of(&DeliveryView { attempt: 3, due_at, ..delivery(state) }, true, NOW);
            assert_eq!(row.next.text, expected, "{state}");
            assert_eq!(row.next.at.map(|when| when.distance).as_deref(), distance, "{state}");
        }
    }

    #[test]
    fn nothing_is_promised_while_nothing_is_sent() {
        for state in ["pending", "retrying"] {
            let due_at = Some(NOW + Duration::SECOND);
            let row = Row::of(&DeliveryView { attempt: 1, due_at, ..delivery(state) }, false, NOW);
            assert!(row.next.at.is_none() && row.next.text.ends_with("when sending goes on."), "{row:?}");
        }
    }

    #[test]
    fn an_old_reason_is_not_shown_as_a_new_one() {
        for (state, shown) in [("needs_attention", true), ("retrying", true), ("pending", false), ("in_step", false)] {
            let row = Row::of(&DeliveryView { reason: Some("A.\nB.".to_owned()), ..delivery(state) }, true, NOW);
            assert_eq!(row.reasons, if shown { vec!["A.", "B."] } else { Vec::new() }, "{state}");
        }
    }

    #[test]
    fn only_what_stands_still_can_be_retried() {
        for (state, can) in
            [("needs_attention", true), ("held", true), ("in_step", false), ("gone", false), ("applying", false)]
        {
            assert_eq!(Row::of(&delivery(state), true, NOW).again.is_some(), can, "{state}");
        }
    }
}
