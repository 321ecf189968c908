//! How a call to a target fails.

use crate::finding::FindingKind;
use std::time::Duration;

/// What a failure means for what comes next. Made by the connector's own table; see [`crate::retry`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorClass {
    /// It may work later, unchanged: busy, time-out, network.
    Transient,
    /// Too many calls; the same call works after a pause.
    RateLimited,
    /// Nothing of this target works until a person acts (credentials, scope, address not allowed) or a ban
    /// ends: the whole target is stopped, not the one resource blamed.
    Stopped,
    /// Nothing of this *kind* of entity works until a person acts or a quota is renewed: a permission that only
    /// chats need, the calls of a month. Entities of other kinds go on.
    KindStopped,
    /// The value belongs to another entity, or can no longer be changed.
    Conflict,
    /// The value does not fit.
    Invalid,
    /// The entity is not there.
    NotFound,
    /// This one entity is out of the application's reach.
    Forbidden,
    /// Several entities could be meant.
    Ambiguous,
    /// The person was invited and is not there until they accept (DingTalk 40103).
    Invited,
    /// An entity that this one needs is not there (any more): a department, a manager.
    MissingReference,
}

impl ErrorClass {
    /// The word used in tables, JSON, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::RateLimited => "rate_limited",
            Self::Stopped => "stopped",
            Self::KindStopped => "kind_stopped",
            Self::Conflict => "conflict",
            Self::Invalid => "invalid",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::Ambiguous => "ambiguous",
            Self::Invited => "invited",
            Self::MissingReference => "missing_reference",
        }
    }

    /// The kind of finding that a failure of this class becomes when it stops a resource for good.
    pub const fn finding(self) -> FindingKind {
        match self {
            Self::Conflict => FindingKind::Conflict,
            Self::Forbidden | Self::Stopped | Self::KindStopped => FindingKind::Forbidden,
            Self::Ambiguous => FindingKind::Ambiguous,
            _ => FindingKind::Invalid,
        }
    }
}

/// A failed call.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ConnectorError {
    /// What it means.
    pub class: ErrorClass,
    /// The target's code (`60104`, `88/60011`), or a word of ours (`timeout`, `connection`).
    pub code: String,
    /// What happened, in words for a person, without personal data.
    pub message: String,
    /// What a person can do about it. A sentence; empty when nothing needs to be done.
    pub advice: String,
    /// Our name of the attribute that is to blame, if the code says so.
    pub attribute: Option<&'static str>,
    /// How long the target wants to be left alone, if it says so.
    pub retry_after: Option<Duration>,
    /// Whether a write may have happened all the same: the answer was lost.
    pub outcome_unknown: bool,
}

impl ConnectorError {
    /// Whether there was no answer of the target itself: the network, a time-out, or a server in front of it that says that
    /// it is not there.
    pub fn is_outage(&self) -> bool {
        matches!(self.code.as_str(), "connection" | "connection_lost" | "timeout") || self.code.starts_with("http_5")
    }

    /// Whether the target does not take the values of this one resource.
    pub fn is_about_values(&self) -> bool {
        let refused = matches!(
            self.class,
            ErrorClass::Invalid | ErrorClass::Conflict | ErrorClass::Forbidden | ErrorClass::Ambiguous
        );
        refused && !self.outcome_unknown && !self.was_not_sent()
    }

    /// Whether it failed before anything was sent.
    pub fn was_not_sent(&self) -> bool {
        matches!(self.code.as_str(), "budget" | "paused" | "unsupported")
    }

    /// The refusal of what this kind of target cannot do at all, `what` as in `roles`. Nothing was sent.
    pub fn unsupported(what: &str) -> Self {
        Self {
            class: ErrorClass::Forbidden,
            code: "unsupported".to_owned(),
            message: format!("The target has no way for an application to reach {what}."),
            advice: "Leave it out of the mapping.".to_owned(),
            attribute: None,
            retry_after: None,
            outcome_unknown: false,
        }
    }
}
