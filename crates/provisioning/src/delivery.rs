//! The standing of one resource towards one target, and how a try changes it.
//!
//! The states and their moves are here; the store keeps what [`next`] returns and never invents a state.

use crate::connector::ErrorClass;
use crate::finding::Finding;
use crate::ids::ResourceId;
use crate::proposal::Proposal;
use crate::retry;
use std::fmt;
use std::time::Duration;
use time::OffsetDateTime;

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeliveryState {
    /// Something changed and nobody has looked yet.
    Pending,
    /// A worker is at it.
    Applying,
    /// The target has what the directory says.
    InStep,
    /// It failed for a passing reason and will be tried again.
    Retrying,
    /// It needs something that is not there yet: a department, a manager, an accepted invitation.
    Waiting,
    /// A person must act: the value is wrong, taken, or the application may not.
    NeedsAttention,
    /// Set aside by a guard or because the target is in rehearsal.
    Held,
    /// The resource has left, and so has its entity.
    Gone,
}

impl DeliveryState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Pending,
        Self::Applying,
        Self::InStep,
        Self::Retrying,
        Self::Waiting,
        Self::NeedsAttention,
        Self::Held,
        Self::Gone,
    ];

    /// The word used in tables, JSON, metrics and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applying => "applying",
            Self::InStep => "in_step",
            Self::Retrying => "retrying",
            Self::Waiting => "waiting",
            Self::NeedsAttention => "needs_attention",
            Self::Held => "held",
            Self::Gone => "gone",
        }
    }

    /// The state behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Which deliveries go first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Lane {
    /// People who lose their access.
    Leaver = 0,
    /// Departments, because people need them.
    OrgUnit = 1,
    /// Everything else.
    Other = 2,
}

impl Lane {
    /// The number kept in the table; smaller goes first.
    pub const fn number(self) -> i16 {
        self as i16
    }
}

/// What a delivery waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum WaitingFor {
    /// Another resource must be projected first; it wakes this one.
    Resource(ResourceId),
    /// The person must accept DingTalk's invitation; looked at again after this long.
    Invitation(Duration),
    /// The next stage of a person's leaving, in this long.
    Leaving(Duration),
    /// People must be moved out of a department; each move marks it.
    Moves,
    /// People are about to be placed, which tells whether a department is new or renamed; looked at again after this
    /// long.
    Placements(Duration),
    /// Members of a group who have no account yet; each of them marks it.
    Members,
    /// The owner whom the plan of a chat shows; their account marks it, and it is looked at again after this long.
    Owner(Duration),
    /// The rest of what is to be done: it goes on at once, after others have had their turn.
    Turn,
}

/// The code of a delivery that waits for members alone: everything else of it is done.
pub const WAITING_FOR_MEMBERS: &str = "waiting_for_members";

/// What holds a delivery.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeldBy {
    /// The target is in rehearsal.
    Rehearsal,
    /// Adoption has linked or unlinked what was there before us.
    Adoption,
    /// Another version of the mapping changes an account that is there.
    Mapping(i32),
    /// A guard; the effect that tripped it, as [`crate::guard::Effect::key`] writes it.
    Guard(String),
}

impl fmt::Display for HeldBy {
    /// The word kept in tables: `rehearsal`, `adoption`, `mapping:4`, `guard:people.remove`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rehearsal => f.write_str("rehearsal"),
            Self::Adoption => f.write_str("adoption"),
            Self::Mapping(version) => write!(f, "mapping:{version}"),
            Self::Guard(effect) => write!(f, "guard:{effect}"),
        }
    }
}

/// How a try ended.
#[derive(Clone, PartialEq, Debug)]
pub enum Outcome {
    /// Target and directory agree.
    InStep,
    /// The entity is gone, as wanted.
    Gone,
    /// The rules leave the resource out, so there is no entity.
    LeftOut {
        /// Which rule, in a sentence.
        reason: String,
    },
    /// The person has left, and the rules keep the entity.
    Kept {
        /// Why, in a sentence.
        reason: String,
    },
    /// Something else must come first. `reason` is a sentence for a person.
    Waiting {
        /// What.
        on: WaitingFor,
        /// Why, in a sentence.
        reason: String,
    },
    /// A person must act.
    NeedsAttention {
        /// What hinders. Never empty.
        findings: Vec<Finding>,
        /// A resource that is needed besides, and wakes this one.
        awaited: Option<ResourceId>,
        /// When it is looked at again by itself, if it may end without the person.
        again: Option<Duration>,
        /// Values that it was refused because another entity has them, as [`crate::plan::unique_value`] writes them:
        /// whoever gives one up wakes it.
        wants: Vec<String>,
    },
    /// The plan is known but may not be sent. `reason` is a sentence for a person.
    Held {
        /// What holds it.
        by: HeldBy,
        /// What would be done.
        proposal: Proposal,
        /// Why, in a sentence.
        reason: String,
    },
    /// It failed for a passing reason.
    Failed {
        /// What the failure means; transient or rate limited.
        class: ErrorClass,
        /// The target's code.
        code: String,
        /// What happened, in words for a person.
        message: String,
        /// How long the target wants to be left alone, if it said so.
        retry_after: Option<Duration>,
    },
}

impl Outcome {
    /// A person must act, and nothing else helps.
    pub const fn attention(findings: Vec<Finding>) -> Self {
        Self::NeedsAttention { findings, awaited: None, again: None, wants: Vec::new() }
    }
}

/// What the store keeps after a try.
#[derive(Clone, PartialEq, Debug)]
pub struct Standing {
    /// The new state.
    pub state: DeliveryState,
    /// When it is looked at again by itself; `None` when only a new mark or a wake brings it back.
    pub due_at: Option<OffsetDateTime>,
    /// Failed tries in a row; 0 after any other end.
    pub attempt: u32,
    /// The resource that wakes it.
    pub waiting_for: Option<ResourceId>,
    /// What holds it.
    pub held_by: Option<HeldBy>,
    /// What would be done if nothing held it, as [`Proposal::to_value`] writes it.
    pub proposal: Option<serde_json::Value>,
    /// The values that wake it when another entity gives them up.
    pub wants: Vec<String>,
    /// Error class or finding kind, if it did not go well.
    pub error_class: Option<&'static str>,
    /// The code of the first hindrance.
    pub error_code: Option<String>,
    /// The reason in words for a person.
    pub reason: Option<String>,
    /// Whether a person is to be told now.
    pub alert: bool,
}

impl Standing {
    fn settled(state: DeliveryState) -> Self {
        Self {
            state,
            due_at: None,
            attempt: 0,
            waiting_for: None,
            held_by: None,
            proposal: None,
            wants: Vec::new(),
            error_class: None,
            error_code: None,
            reason: None,
            alert: false,
        }
    }
}

/// The standing that follows `outcome`. `attempt` counts the failed tries in a row before this one; `seed`
/// spreads the retries of many resources and is the same for the same resource and attempt.
pub fn next(outcome: &Outcome, attempt: u32, now: OffsetDateTime, seed: u64) -> Standing {
    match outcome {
        Outcome::InStep => Standing::settled(DeliveryState::InStep),
        Outcome::Gone => Standing::settled(DeliveryState::Gone),
        Outcome::Kept { reason } => {
            Standing { reason: Some(reason.clone()), ..Standing::settled(DeliveryState::InStep) }
        }
        Outcome::LeftOut { reason } => {
            Standing { reason: Some(reason.clone()), ..Standing::settled(DeliveryState::Gone) }
        }
        Outcome::Held { by, proposal, reason } => Standing {
            held_by: Some(by.clone()),
            proposal: Some(proposal.to_value()),
            reason: Some(reason.clone()),
            ..Standing::settled(DeliveryState::Held)
        },
        Outcome::Waiting { on, reason } => {
            let (waiting_for, due_at, code) = match on {
                WaitingFor::Resource(id) => (Some(*id), None, "waiting_for_resource"),
                WaitingFor::Invitation(again) => (None, Some(now + *again), "invited"),
                WaitingFor::Leaving(again) => (None, Some(now + *again), "leaving"),
                WaitingFor::Moves => (None, None, "waiting_for_moves"),
                WaitingFor::Placements(again) => (None, Some(now + *again), "waiting_for_placements"),
                WaitingFor::Members => (None, None, WAITING_FOR_MEMBERS),
                WaitingFor::Owner(again) => (None, Some(now + *again), "waiting_for_owner"),
                WaitingFor::Turn => (None, Some(now), "more_to_do"),
            };
            Standing {
                waiting_for,
                due_at,
                error_code: Some(code.to_owned()),
                reason: Some(reason.clone()),
                ..Standing::settled(DeliveryState::Waiting)
            }
        }
        Outcome::NeedsAttention { findings, awaited, again, wants } => {
            let reasons: Vec<String> = findings.iter().map(ToString::to_string).collect();
            let first = findings.first();
            Standing {
                waiting_for: *awaited,
                wants: wants.clone(),
                due_at: again.map(|again| now + again),
                error_class: first.map(|finding| finding.kind.as_str()),
                error_code: first.map(|finding| finding.code.clone()),
                reason: Some(reasons.join("\n")),
                ..Standing::settled(DeliveryState::NeedsAttention)
            }
        }
        Outcome::Failed { class, code, message, retry_after } => {
            let failed = attempt.saturating_add(1);
            let retry = retry::decide(*class, failed, *retry_after, seed);
            Standing {
                state: DeliveryState::Retrying,
                due_at: Some(now + retry.after),
                attempt: failed,
                waiting_for: None,
                held_by: None,
                proposal: None,
                wants: Vec::new(),
                error_class: Some(class.as_str()),
                error_code: Some(code.clone()),
                reason: Some(message.clone()),
                alert: retry.alert,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::FindingKind;
    use uuid::Uuid;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    #[test]
    fn every_state_reads_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DeliveryState::parse("synced"), None);
    }

    #[test]
    fn a_passing_failure_is_tried_again_and_says_so() {
        let outcome = Outcome::Failed {
            class: ErrorClass::Transient,
            code: "-1".into(),
            message: "DingTalk is busy".into(),
            retry_after: None,
        };
        let standing = next(&outcome, 2, NOW, 7);
        assert_eq!(standing.state, DeliveryState::Retrying);
        assert_eq!(standing.attempt, 3);
        assert!(standing.due_at.is_some_and(|due| due > NOW));
        assert!(!standing.alert, "the third quick try is still quiet");
        assert!(next(&outcome, 3, NOW, 7).alert, "after three quick tries a person is told");
        assert!(!next(&outcome, 4, NOW, 7).alert, "once is enough");
    }

    #[test]
    fn waiting_for_a_resource_is_woken_not_polled() {
        let id = ResourceId(Uuid::from_u128(9));
        let outcome = Outcome::Waiting { on: WaitingFor::Resource(id), reason: "needs a department".into() };
        let standing = next(&outcome, 5, NOW, 7);
        assert_eq!((standing.state, standing.due_at), (DeliveryState::Waiting, None));
        assert_eq!((standing.waiting_for, standing.attempt), (Some(id), 0));
    }

    #[test]
    fn an_invitation_is_looked_at_again() {
        let on = WaitingFor::Invitation(Duration::from_mins(1));
        let standing = next(&Outcome::Waiting { on, reason: "invited".into() }, 0, NOW, 7);
        assert_eq!(standing.due_at, Some(NOW + Duration::from_mins(1)));
    }

    #[test]
    fn attention_names_every_finding() {
        let finding = |code: &str, message: &str| Finding {
            kind: FindingKind::Invalid,
            code: code.into(),
            attribute: None,
            source_path: Some("title".into()),
            message: message.into(),
            advice: "Shorten it.".into(),
        };
        let outcome = Outcome::attention(vec![finding("a", "First."), finding("b", "Second.")]);
        let standing = next(&outcome, 0, NOW, 7);
        assert_eq!((standing.state, standing.due_at), (DeliveryState::NeedsAttention, None));
        assert_eq!(standing.error_code.as_deref(), Some("a"));
        let reason = standing.reason.unwrap_or_default();
        assert!(reason.contains("First.") && reason.contains("Second."), "{reason}");
    }

    #[test]
    fn attention_can_also_wait_and_look_again() {
        let (id, again) = (ResourceId(Uuid::from_u128(9)), Duration::from_hours(24));
        let wants = vec!["email=a@x".to_owned()];
        let outcome = Outcome::NeedsAttention {
            findings: Vec::new(),
            awaited: Some(id),
            again: Some(again),
            wants: wants.clone(),
        };
        let standing = next(&outcome, 0, NOW, 7);
        assert_eq!((standing.waiting_for, standing.due_at, standing.wants), (Some(id), Some(NOW + again), wants));
    }
}
