//! What there is to see of a person at one target: what would be done, what was accepted, the plans that they are in.

use crate::words::age::When;
use crate::words::plan::{Line, change_state};
use rollcall_api::services::explain::{AcceptedView, PlannedView, TargetDecision};
use time::OffsetDateTime;

/// What there is to see at one target.
#[derive(Default)]
pub(super) struct Evidence {
    /// What would be done if nothing held it.
    pub(super) would: Vec<Line>,
    /// What is held against the rules.
    pub(super) overrides: Vec<Line>,
    /// The plans that it is in.
    pub(super) plans: Vec<Planned>,
    /// What was accepted last.
    pub(super) accepted: Vec<Accepted>,
}

/// A plan that the person is in.
pub(super) struct Planned {
    pub(super) href: String,
    pub(super) made: When,
    pub(super) plan: String,
    pub(super) badge: (&'static str, &'static str),
    pub(super) detail: Option<String>,
}

/// An action that the target accepted.
pub(super) struct Accepted {
    pub(super) when: When,
    pub(super) action: String,
    pub(super) request: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) lines: Vec<Line>,
}

impl Evidence {
    /// What is known of a target.
    pub(super) fn of(decided: &TargetDecision, now: OffsetDateTime) -> Self {
        let proposal = decided.held.as_ref().and_then(|held| held.proposal.as_ref());
        Self {
            would: proposal.map(|proposal| proposal.lines.iter().map(Line::of).collect()).unwrap_or_default(),
            overrides: decided.overrides.iter().map(Line::of_override).collect(),
            plans: decided.plans.iter().map(|plan| Planned::of(plan, now)).collect(),
            accepted: decided.accepted.iter().map(|accepted| Accepted::of(accepted, now)).collect(),
        }
    }
}

impl Planned {
    fn of(plan: &PlannedView, now: OffsetDateTime) -> Self {
        Self {
            href: format!("/console/plans/{}", plan.plan_id),
            made: When::past(plan.created_at, now),
            plan: plan.plan_state.replace('_', " "),
            badge: if plan.guarded && plan.state == "planned" {
                ("held", "Held by a guard")
            } else {
                change_state(&plan.state)
            },
            detail: plan.detail.clone(),
        }
    }
}

impl Accepted {
    fn of(accepted: &AcceptedView, now: OffsetDateTime) -> Self {
        Self {
            when: When::past(accepted.at, now),
            action: accepted.action.replace("org_unit", "department"),
            request: accepted.request_id.clone(),
            plan: accepted.plan_id.map(|id| format!("/console/plans/{id}")),
            lines: accepted.lines.iter().map(Line::of).collect(),
        }
    }
}
