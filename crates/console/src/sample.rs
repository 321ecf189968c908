//! Made-up values that the tests of several pages begin with.

use axum::response::Response;
use rollcall_api::services::deliveries::DeliveryView;
use rollcall_api::services::overview::{Overview, TargetOverview};
use rollcall_api::services::plans::{PlanCount, PlanView};
use rollcall_api::services::targets::{Count, TargetView};
use time::OffsetDateTime;
use time::macros::datetime;
use uuid::Uuid;

pub(crate) const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

/// A name that tries to become markup, and to turn around what follows it.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&\u{202e}gnp.exe";

/// The text of an answer.
pub(crate) async fn body_of(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
    String::from_utf8(bytes.to_vec()).expect("text")
}

pub(crate) fn delivery(state: &str) -> DeliveryView {
    DeliveryView {
        target_id: Uuid::from_u128(1),
        target: "hq".to_owned(),
        kind: "user".to_owned(),
        resource_id: Uuid::from_u128(2),
        name: Some("ada".to_owned()),
        display_name: Some("Ada Lovelace".to_owned()),
        state: state.to_owned(),
        reason: None,
        waiting_for: None,
        error_class: None,
        error_code: None,
        attempt: 0,
        due_at: None,
        dirty_since: None,
        applied_version: None,
        current_version: Some(1),
        applied_at: None,
        held_by: None,
        proposal: None,
        request_id: None,
        updated_at: NOW,
    }
}

pub(crate) fn target(mode: &str, people: &[(&str, i64)]) -> TargetOverview {
    let count =
        |(state, count): &(&str, i64)| Count { kind: "user".to_owned(), state: (*state).to_owned(), count: *count };
    TargetOverview {
        view: TargetView {
            paused_reason: None,
            id: Uuid::from_u128(1),
            name: "hq".to_owned(),
            kind: "dingtalk".to_owned(),
            mode: mode.to_owned(),
            stopped: None,
            stops: Vec::new(),
            counts: people.iter().map(count).collect(),
            oldest_waiting: None,
        },
        last_applied: None,
        stopped_since: None,
        trips: Vec::new(),
    }
}

pub(crate) fn overview(targets: Vec<TargetOverview>) -> Overview {
    Overview {
        tenant: "Acme".to_owned(),
        people: 3,
        groups: 1,
        sources: 1,
        last_received: None,
        releases: 0,
        targets,
        as_of: NOW,
    }
}

pub(crate) fn plan(state: &str, guarded: i64) -> PlanView {
    let count = |verb: &str, count| PlanCount { kind: "user".to_owned(), verb: verb.to_owned(), count };
    PlanView {
        id: Uuid::from_u128(9),
        target_id: Uuid::from_u128(1),
        target: "hq".to_owned(),
        kind: "held".to_owned(),
        state: state.to_owned(),
        created_at: NOW,
        created_by: "operator ann".to_owned(),
        expires_at: NOW + time::Duration::DAY,
        total: 1_495,
        guarded,
        changes: vec![count("create", 12), count("update", 1_480), count("delete", 3)],
        attributes: [("title".to_owned(), 1_480)].into(),
        calls: 1_495,
        calls_left: None,
        seconds: 74,
        guards: Vec::new(),
        states: [("planned".to_owned(), 1_495)].into(),
        release: None,
        applied_by: None,
        applied_at: None,
        ended_at: None,
        undoes: None,
        hindered: 0,
    }
}
