//! The one sentence that says how a target stands, made from the facts.
//!
//! A stop says what, since when, why, when it ends and that nothing is lost.

use crate::trouble::capitalised;
use crate::words::age::{ahead, moment, span};
use crate::words::count::{Tally, count_of};
use rollcall_api::services::overview::TargetOverview;
use rollcall_provisioning::delivery::DeliveryState::{Applying, Held, NeedsAttention, Pending, Retrying, Waiting};
use time::OffsetDateTime;

/// How loud a status is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Nothing to do, nothing under way.
    Calm,
    /// Something is under way.
    Busy,
    /// A person has something to decide.
    Asking,
    /// Nothing is sent.
    Stopped,
}

impl Tone {
    /// For the style sheet.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Busy => "busy",
            Self::Asking => "asking",
            Self::Stopped => "stopped",
        }
    }

    /// A shape, for those who do not see the colour.
    pub const fn shape(self) -> &'static str {
        match self {
            Self::Calm => "✓",
            Self::Busy => "◐",
            Self::Asking => "▲",
            Self::Stopped => "■",
        }
    }
}

/// How a target stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// How loud.
    pub tone: Tone,
    /// In words.
    pub text: String,
}

/// The status of a target. `received` is how many people and groups the directory holds.
pub fn status(target: &TargetOverview, received: i64, now: OffsetDateTime) -> Status {
    let owed = Tally::of(&target.view, &[Pending, Applying, Retrying]).all();
    let waits = if owed == 0 {
        "Nothing waits.".to_owned()
    } else {
        format!(
            "Nothing is lost; {} {}.",
            count_of(owed, "change", "changes"),
            if owed == 1 { "waits" } else { "wait" }
        )
    };
    let stopped = |text: String| Status { tone: Tone::Stopped, text };
    match (target.view.mode.as_str(), &target.view.stopped) {
        ("paused", _) => match &target.view.paused_reason {
            Some(reason) => stopped(format!("Sending is paused. {} {waits}", ended(reason))),
            None => stopped(format!("Sending is paused by a person. {waits}")),
        },
        (mode, Some(stop)) => {
            let since = target.stopped_since.map_or_else(String::new, |since| format!(" since {}", moment(since)));
            let cause = stop.reason.as_deref().or(stop.code.as_deref()).unwrap_or("the cause was not recorded");
            let what = if mode == "rehearsal" { "Reading the target" } else { "Sending" };
            stopped(format!(
                "{what} is stopped{since}: {} It goes on {}. {waits}",
                ended(cause),
                ahead(stop.until, now)
            ))
        }
        (mode, None) => in_part(target, going(target, mode == "rehearsal", received, now), now),
    }
}

/// The same, with the kinds of entity that are stopped.
fn in_part(target: &TargetOverview, going: Status, now: OffsetDateTime) -> Status {
    let kinds = target.view.stops.iter().filter_map(|stop| Some((stop.kind?, stop)));
    kinds.fold(going, |status, (kind, stop)| {
        let what = stopped_part(kind, stop.step);
        let cause = stop.reason.as_deref().unwrap_or("the cause was not recorded");
        let text = format!("{} {what}: {} They go on {}.", status.text, ended(cause), ahead(stop.until, now));
        Status { tone: Tone::Stopped, text }
    })
}

/// What is stopped, of a kind of entity: `New accounts are stopped`.
pub fn stopped_part(kind: &str, step: Option<&str>) -> String {
    let things = match kind {
        "account" => "accounts",
        "org_unit" => "departments",
        "role" => "roles",
        "chat" => "chats",
        _ => "external contacts",
    };
    match step {
        Some("create") => format!("New {things} are stopped"),
        Some(_) => format!("Changes of {things} are stopped"),
        None => format!("{} are stopped", capitalised(things).trim_end_matches('.')),
    }
}

fn going(target: &TargetOverview, rehearsal: bool, received: i64, now: OffsetDateTime) -> Status {
    let tally = |states: &[_]| Tally::of(&target.view, states);
    let (attention, retrying, waiting, held) =
        (tally(&[NeedsAttention]), tally(&[Retrying]), tally(&[Waiting]), tally(&[Held]));
    let under_way = tally(&[Pending, Applying]);
    if received == 0 && target.view.counts.is_empty() {
        return Status { tone: Tone::Calm, text: "Nothing has been received yet.".to_owned() };
    }
    let mut parts = Vec::new();
    if attention.all() > 0 {
        parts.push(format!("{attention} {} attention", attention.verb("needs", "need")));
    }
    if retrying.all() > 0 {
        let verbs = retrying.verb("failed and is tried again by itself", "failed and are tried again by themselves");
        parts.push(format!("{retrying} {verbs}"));
    }
    if waiting.all() > 0 {
        parts.push(format!("{waiting} {} for something else", waiting.verb("waits", "wait")));
    }
    if under_way.all() > 0 {
        let oldest = target.view.oldest_waiting.as_ref();
        let oldest = oldest.map_or_else(String::new, |oldest| format!(", the oldest for {}", span(now - oldest.since)));
        parts.push(format!(
            "{} {} on the way{oldest}",
            count_of(under_way.all(), "change", "changes"),
            under_way.verb("is", "are")
        ));
    }
    if held.all() > 0 {
        let planned = if rehearsal { "planned and held" } else { "held" };
        parts.push(format!("{held} {} {planned}", held.verb("is", "are")));
    }
    let tone = match () {
        () if attention.all() > 0 || (held.all() > 0 && !rehearsal) => Tone::Asking,
        () if under_way.all() + retrying.all() > 0 => Tone::Busy,
        () => Tone::Calm,
    };
    let text = match (rehearsal, parts.as_slice()) {
        (false, []) => "Everything is in step.".to_owned(),
        (false, parts) => format!("{}. Everything else is in step.", parts.join("; ")),
        (true, []) => "This is a rehearsal: nothing is sent, and nothing would change.".to_owned(),
        (true, parts) => format!("This is a rehearsal: nothing is sent. {}.", parts.join("; ")),
    };
    Status { tone, text }
}

/// A sentence with its full stop.
pub fn ended(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?', '。']) { text.to_owned() } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{NOW, target};
    use rollcall_api::services::targets::{Count, Oldest, Stop};
    use time::Duration;
    use uuid::Uuid;

    fn said(mode: &str, people: &[(&str, i64)]) -> (Tone, String) {
        let Status { tone, text } = status(&target(mode, people), 3, NOW);
        (tone, text)
    }

    #[test]
    fn one_sentence_from_the_facts() {
        for (mode, people, tone, text) in [
            ("live", vec![("in_step", 200), ("gone", 4)], Tone::Calm, "Everything is in step."),
            ("live", vec![("pending", 1)], Tone::Busy, "1 change is on the way. Everything else is in step."),
            (
                "live",
                vec![("pending", 40), ("applying", 2)],
                Tone::Busy,
                "42 changes are on the way. Everything else is in step.",
            ),
            (
                "live",
                vec![("needs_attention", 1), ("retrying", 2), ("waiting", 1), ("in_step", 9)],
                Tone::Asking,
                "1 person needs attention; 2 people failed and are tried again by themselves; 1 person waits for something \
                 else. Everything else is in step.",
            ),
            ("live", vec![("waiting", 2)], Tone::Calm, "2 people wait for something else. Everything else is in step."),
            ("live", vec![("held", 2)], Tone::Asking, "2 people are held. Everything else is in step."),
            (
                "rehearsal",
                vec![("held", 200)],
                Tone::Calm,
                "This is a rehearsal: nothing is sent. 200 people are planned and held.",
            ),
            (
                "rehearsal",
                vec![("in_step", 4)],
                Tone::Calm,
                "This is a rehearsal: nothing is sent, and nothing would change.",
            ),
            ("paused", vec![("in_step", 1)], Tone::Stopped, "Sending is paused by a person. Nothing waits."),
            (
                "paused",
                vec![("pending", 1200), ("retrying", 1)],
                Tone::Stopped,
                "Sending is paused by a person. Nothing is lost; 1,201 changes wait.",
            ),
        ] {
            assert_eq!(said(mode, &people), (tone, text.to_owned()), "{mode} {people:?}");
        }
    }

    #[test]
    fn a_stop_says_since_when_why_and_when_it_ends() {
        let stop = |reason: Option<&str>| Stop {
            kind: None,
            step: None,
            cause: "permission".to_owned(),
            since: NOW - Duration::minutes(10),
            tries: 1,
            advice: String::new(),
            calls: serde_json::Value::Null,
            until: NOW + Duration::minutes(5),
            code: Some("60011".to_owned()),
            reason: reason.map(str::to_owned),
        };
        let mut stopped = target("live", &[("pending", 42)]);
        stopped.view.stopped = Some(stop(Some("The application lacks a permission")));
        stopped.stopped_since = Some(NOW - Duration::minutes(10));
        assert_eq!(
            status(&stopped, 3, NOW).text,
            "Sending is stopped since 2026-03-01 07:50:00 UTC: The application lacks a permission. It goes on in 5 min. \
             Nothing is lost; 42 changes wait."
        );
        stopped.view.stopped = Some(stop(None));
        stopped.stopped_since = None;
        assert!(status(&stopped, 3, NOW).text.starts_with("Sending is stopped: 60011. It goes on in 5 min."));
    }

    #[test]
    fn nothing_received_is_not_everything_in_step() {
        let empty = status(&target("live", &[]), 0, NOW);
        assert_eq!((empty.tone, empty.text.as_str()), (Tone::Calm, "Nothing has been received yet."));
    }

    #[test]
    fn departments_count_and_the_oldest_change_has_an_age() {
        let mut busy = target("live", &[("pending", 1)]);
        busy.view.counts.push(Count { kind: "org_unit".into(), state: "pending".into(), count: 1 });
        busy.view.counts.push(Count { kind: "org_unit".into(), state: "needs_attention".into(), count: 2 });
        busy.view.oldest_waiting = Some(Oldest { resource_id: Uuid::nil(), since: NOW - Duration::seconds(4) });
        assert_eq!(
            status(&busy, 3, NOW).text,
            "2 departments need attention; 2 changes are on the way, the oldest for 4 s. Everything else is in step."
        );
    }
}
