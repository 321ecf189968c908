//! The history of a resource as rows: what was received, and what was sent.

use crate::view::View;
use crate::words::age::When;
use rollcall_api::services::attempts::AttemptView;
use rollcall_api::services::changes::ChangeView;
use rollcall_api::services::timeline::{Event, Place, Timeline};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

/// Events of a page.
pub(crate) const EVENTS: i64 = 30;

/// Where the history on a page begins.
#[derive(Deserialize, Clone, Default, Debug)]
pub(crate) struct From {
    changes: Option<String>,
    attempts: Option<String>,
}

impl From {
    /// As the service wants it.
    pub(crate) fn place(self) -> Place {
        Place { changes: self.changes, attempts: self.attempts }
    }

    /// Whether this is not the newest part.
    pub(crate) fn is_older(&self) -> bool {
        self.changes.is_some() || self.attempts.is_some()
    }
}

/// One event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    /// Unique in a page.
    pub(crate) key: String,
    /// When.
    pub(crate) when: When,
    /// `received`, `sent` or `alert`, for the style sheet.
    pub(crate) class: &'static str,
    /// Which way it went.
    pub(crate) way: &'static str,
    /// What was done.
    pub(crate) what: String,
    /// The attributes that it touched.
    pub(crate) attributes: Vec<String>,
    /// How it ended, in words.
    pub(crate) outcome: String,
    /// The target's code.
    pub(crate) code: Option<String>,
    /// What the target said.
    pub(crate) message: Option<String>,
    /// The request that it followed from.
    pub(crate) request: Option<String>,
}

/// The rows of a history. `targets` gives their names.
pub(crate) fn entries(timeline: &Timeline, targets: &[(uuid::Uuid, String)], now: OffsetDateTime) -> Vec<Entry> {
    let entry = |event: &Event| match event {
        Event::Received(change) => received(change, now),
        Event::Sent(attempt) => sent(attempt, targets, now),
    };
    timeline.events.iter().map(entry).collect()
}

/// The address of the older part of a history, on the page at `path`.
pub(crate) fn older(timeline: &Timeline, path: &str) -> Option<String> {
    let place = timeline.older.as_ref()?;
    let parts = [("changes", &place.changes), ("attempts", &place.attempts)];
    let parts: Vec<String> =
        parts.into_iter().filter_map(|(name, place)| Some(format!("{name}={}", place.as_ref()?))).collect();
    Some(View::of(path, &parts.join("&"), false).address())
}

fn received(change: &ChangeView, now: OffsetDateTime) -> Entry {
    let detail = |name: &str| change.details.get(name);
    let by = change.source.as_deref().map_or_else(String::new, |source| format!(" by {source}"));
    let what = match (change.operation.as_str(), detail("active").and_then(Value::as_bool)) {
        ("create", _) => format!("Created{by}"),
        ("update", Some(true)) => format!("Activated{by}"),
        ("update", Some(false)) => format!("Deactivated{by}"),
        ("update", None) => format!("Changed{by}"),
        ("delete", _) => format!("Deleted{by}"),
        ("invited_again", _) => {
            let by = detail("by").and_then(Value::as_str).unwrap_or("somebody");
            format!("One more invitation was asked for by {by}")
        }
        ("alert", _) => "People were told that this keeps failing".to_owned(),
        (other, _) => format!("{other}{by}"),
    };
    let alert = change.operation == "alert";
    Entry {
        key: format!("change-{}", change.id),
        when: When::past(change.at, now),
        class: if alert { "alert" } else { "received" },
        way: if alert { "Alert" } else { "Received" },
        what,
        attributes: attributes(detail("attributes")),
        outcome: if alert || change.version == 0 { String::new() } else { format!("version {}", change.version) },
        code: detail("error_code").and_then(Value::as_str).map(str::to_owned),
        message: detail("reason").and_then(Value::as_str).map(str::to_owned),
        request: Some(change.request_id.clone()).filter(|id| !id.is_empty()),
    }
}

fn attributes(names: Option<&Value>) -> Vec<String> {
    let names = names.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Value::as_str).map(|name| short(name).to_owned()).collect()
}

/// The name of an extension's attribute without the extension's URN, which is longer than any line.
fn short(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, last)| last)
}

fn sent(attempt: &AttemptView, targets: &[(uuid::Uuid, String)], now: OffsetDateTime) -> Entry {
    let target = targets.iter().find(|(id, _)| *id == attempt.target_id);
    let to = target.map_or_else(String::new, |(_, name)| format!(" at {name}"));
    let took = format!("{} ms", attempt.duration_ms);
    let outcome = match attempt.outcome.as_str() {
        "accepted" => format!("✓ accepted, {took}"),
        "failed" => format!("▲ failed, {took}"),
        _ => format!("? the answer was lost, {took}"),
    };
    Entry {
        key: format!("attempt-{}", attempt.id),
        when: When::past(attempt.at, now),
        class: if attempt.outcome == "accepted" { "sent" } else { "refused" },
        way: "Sent",
        what: format!("{}{to}", sentence(&attempt.action)),
        attributes: attempt.attributes.clone(),
        outcome,
        code: attempt.error_code.clone(),
        message: attempt.message.clone(),
        request: attempt.request_id.clone(),
    }
}

/// `create account` as `Create account`, and departments by the name that people know.
fn sentence(action: &str) -> String {
    let action = action.replace("org_unit", "department");
    let mut letters = action.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::NOW;
    use serde_json::json;
    use uuid::Uuid;

    fn change(operation: &str, details: Value) -> ChangeView {
        ChangeView {
            id: 5,
            at: NOW,
            source: Some("okta".to_owned()),
            request_id: "r1".to_owned(),
            operation: operation.to_owned(),
            kind: "user".to_owned(),
            resource_id: Uuid::nil(),
            version: 2,
            details,
        }
    }

    #[test]
    fn changes_read_as_what_happened() {
        for (operation, details, expected) in [
            ("create", json!({}), "Created by okta"),
            ("update", json!({ "attributes": ["title"] }), "Changed by okta"),
            ("update", json!({ "active": false }), "Deactivated by okta"),
            ("update", json!({ "active": true }), "Activated by okta"),
            ("delete", json!({}), "Deleted by okta"),
            ("invited_again", json!({ "by": "ann" }), "One more invitation was asked for by ann"),
            ("alert", json!({ "reason": "Busy." }), "People were told that this keeps failing"),
        ] {
            assert_eq!(received(&change(operation, details), NOW).what, expected);
        }
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        let entry = received(&change("update", json!({ "attributes": ["title", urn] })), NOW);
        assert_eq!(entry.attributes, ["title", "department"]);
    }

    #[test]
    fn attempts_say_where_how_long_and_with_which_code() {
        let attempt = AttemptView {
            id: 9,
            at: NOW,
            target_id: Uuid::from_u128(1),
            kind: "org_unit".to_owned(),
            resource_id: Uuid::nil(),
            action: "delete org_unit".to_owned(),
            attributes: Vec::new(),
            outcome: "failed".to_owned(),
            error_class: Some("transient".to_owned()),
            error_code: Some("-1".to_owned()),
            message: Some("DingTalk is busy.".to_owned()),
            duration_ms: 120,
            request_id: None,
        };
        let entry = sent(&attempt, &[(Uuid::from_u128(1), "hq".to_owned())], NOW);
        assert_eq!(entry.what, "Delete department at hq");
        assert_eq!(entry.outcome, "▲ failed, 120 ms");
        assert_eq!((entry.code.as_deref(), entry.class), (Some("-1"), "refused"));
    }

    #[test]
    fn the_older_part_has_an_address() {
        let place = Place { changes: Some("AAA".to_owned()), attempts: None };
        let timeline = Timeline { events: Vec::new(), older: Some(place) };
        assert_eq!(older(&timeline, "/console/people/1").as_deref(), Some("/console/people/1?changes=AAA"));
        assert_eq!(older(&Timeline { older: None, ..timeline }, "/x"), None);
    }
}
