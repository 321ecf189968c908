//! The history of one resource, both ways in one list: what sources changed, and what targets were told.

use crate::error::ApiError;
use crate::services::attempts::{self, AttemptView};
use crate::services::changes::{self, ChangeView};
use crate::services::page::Cursor;
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::AttemptQuery;
use time::OffsetDateTime;

/// One event.
#[derive(Clone, Debug)]
pub enum Event {
    /// A source changed the resource, or people were alerted to something about it.
    Received(ChangeView),
    /// A target was told something about it.
    Sent(AttemptView),
}

impl Event {
    /// When it happened.
    pub fn at(&self) -> OffsetDateTime {
        match self {
            Self::Received(change) => change.at,
            Self::Sent(attempt) => attempt.at,
        }
    }
}

/// Where the next, older part of a history begins: a cursor for each of the two logs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// In the change log.
    pub changes: Option<String>,
    /// In the attempts.
    pub attempts: Option<String>,
}

/// A part of a history.
#[derive(Clone, Debug)]
pub struct Timeline {
    /// The events, the newest first.
    pub events: Vec<Event>,
    /// Where older ones begin; `None` when there are none.
    pub older: Option<Place>,
}

/// At most `limit` events of a resource, from that place on.
///
/// # Errors
/// 400 for a place of another list.
pub async fn read(
    store: &Store,
    tenant: TenantId,
    resource: ResourceId,
    limit: i64,
    from: &Place,
) -> Result<Timeline, ApiError> {
    let changes = changes::list(store, tenant, Some(resource), limit, from.changes.as_deref()).await?;
    let query = AttemptQuery { resource: Some(resource), limit, ..AttemptQuery::default() };
    let attempts = attempts::list(store, tenant, &query, from.attempts.as_deref()).await?;
    let more = changes.has_more || attempts.has_more;
    let most = usize::try_from(limit).unwrap_or(0);
    let available = changes.data.len() + attempts.data.len();
    let events = merge(changes.data, attempts.data, most);
    let older = (more || events.len() < available).then(|| rest(&events, from));
    Ok(Timeline { events, older })
}

/// The newest events of both logs. Each log keeps its own order, in which writes that overlapped may stand against
/// their times, so that the place after the last event shown is a place in both.
fn merge(changes: Vec<ChangeView>, attempts: Vec<AttemptView>, most: usize) -> Vec<Event> {
    let (mut changes, mut attempts) = (changes.into_iter().peekable(), attempts.into_iter().peekable());
    let next = || {
        let attempt_is_newer = match (changes.peek(), attempts.peek()) {
            (Some(change), Some(attempt)) => attempt.at >= change.at,
            (change, _) => change.is_none(),
        };
        if attempt_is_newer { attempts.next().map(Event::Sent) } else { changes.next().map(Event::Received) }
    };
    std::iter::from_fn(next).take(most).collect()
}

/// The place after `shown`. A log of which nothing was shown goes on where it was.
fn rest(shown: &[Event], from: &Place) -> Place {
    let mut place = from.clone();
    let (mut change, mut attempt) = (i64::MAX, i64::MAX);
    for event in shown {
        match event {
            Event::Received(entry) if entry.id < change => {
                change = entry.id;
                place.changes = Some(Cursor::Number(change).encode());
            }
            Event::Sent(entry) if entry.id < attempt => {
                attempt = entry.id;
                place.attempts = Some(Cursor::Number(attempt).encode());
            }
            Event::Received(_) | Event::Sent(_) => {}
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::Duration;
    use uuid::Uuid;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn change(id: i64, second: i64) -> ChangeView {
        ChangeView {
            id,
            at: START + Duration::seconds(second),
            source: None,
            request_id: String::new(),
            operation: "update".to_owned(),
            kind: "user".to_owned(),
            resource_id: Uuid::nil(),
            version: 1,
            details: serde_json::Value::Null,
        }
    }

    fn attempt(id: i64, second: i64) -> AttemptView {
        AttemptView {
            id,
            at: START + Duration::seconds(second),
            target_id: Uuid::nil(),
            kind: "user".to_owned(),
            resource_id: Uuid::nil(),
            action: "update account".to_owned(),
            attributes: Vec::new(),
            outcome: "accepted".to_owned(),
            error_class: None,
            error_code: None,
            message: None,
            duration_ms: 1,
            request_id: None,
        }
    }

    fn names(events: &[Event]) -> Vec<String> {
        let name = |event: &Event| match event {
            Event::Received(change) => format!("c{}", change.id),
            Event::Sent(attempt) => format!("a{}", attempt.id),
        };
        events.iter().map(name).collect()
    }

    #[test]
    fn both_ways_are_told_by_time_and_each_log_keeps_its_order() {
        // c8 was committed after c9 although it began before: the log says 9, 8, the times say otherwise.
        let changes = || vec![change(9, 50), change(8, 60), change(3, 10)];
        let attempts = || vec![attempt(5, 55), attempt(4, 20)];
        assert_eq!(names(&merge(changes(), attempts(), 9)), ["a5", "c9", "c8", "a4", "c3"]);
        assert_eq!(names(&merge(changes(), attempts(), 2)), ["a5", "c9"]);
        assert_eq!(names(&merge(Vec::new(), attempts(), 9)), ["a5", "a4"]);
        assert_eq!(names(&merge(changes(), Vec::new(), 1)), ["c9"]);
    }

    #[test]
    fn the_next_part_begins_after_what_was_shown_of_each_log() {
        let from = Place { changes: Some("kept".to_owned()), attempts: None };
        let only_attempts = merge(Vec::new(), vec![attempt(5, 2), attempt(4, 1)], 9);
        let after = Place { attempts: Some(Cursor::Number(4).encode()), ..from.clone() };
        assert_eq!(rest(&only_attempts, &from), after, "the change log goes on where it was");
    }
}
