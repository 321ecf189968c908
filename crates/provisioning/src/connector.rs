//! The door to a target. A connector reads and writes entities and says what each failure means; it decides
//! nothing.

use crate::budget::BoxFuture;
use crate::entity::{Attributes, Entity, EntityKind};
use crate::finding::FindingKind;
use crate::plan::Action;
use std::time::Duration;

/// How an attribute can be emptied at the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Clearing {
    /// The connector knows how.
    Possible,
    /// The target has no way; the old value stays and that is reported.
    Impossible,
}

/// What a target allows for one attribute.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the attribute")]
pub struct AttributeSpec {
    /// The attribute's name, see [`crate::entity`].
    pub name: &'static str,
    /// Whether an entity cannot exist without it.
    pub required: bool,
    /// The most characters (Unicode scalar values) of a string value; `None` where the value is no string.
    pub max_chars: Option<usize>,
    /// Whether it can only be given when the entity is created.
    pub create_only: bool,
    /// How it is emptied.
    pub clearing: Clearing,
    /// Whether it is personal data that is masked in attempts and logs.
    pub sensitive: bool,
    /// Whether two entities cannot have the same value, be it alone or together with others that are marked so:
    /// what one gives up may be what another one was refused.
    pub unique: bool,
}

/// What a target allows.
pub trait TargetSchema: Send + Sync {
    /// The attributes of a kind of entity; any other attribute is unknown to the target.
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec];

    /// One attribute by name.
    fn attribute(&self, kind: EntityKind, name: &str) -> Option<&AttributeSpec> {
        self.attributes(kind).iter().find(|spec| spec.name == name)
    }
}

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
            Self::Forbidden | Self::Stopped => FindingKind::Forbidden,
            Self::Ambiguous => FindingKind::Ambiguous,
            _ => FindingKind::Invalid,
        }
    }
}

/// A failed call.
#[derive(Clone, Debug, thiserror::Error)]
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

/// What an accepted action left behind.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// The entity's remote id; for a creation the new one.
    pub remote_id: String,
}

/// A connector to one configured target.
pub trait Connector: Send + Sync {
    /// What the target allows.
    fn schema(&self) -> &dyn TargetSchema;

    /// The account with this remote id; `None` if there is none.
    fn account<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>>;

    /// The remote id of the account that has this mobile number (in the target's form); `None` if none has.
    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> BoxFuture<'a, Result<Option<String>, ConnectorError>>;

    /// The org unit with this remote id; `None` if there is none.
    fn org_unit<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>>;

    /// The org unit of this name directly under `parent`; `None` if there is none.
    fn org_unit_by_name<'a>(
        &'a self,
        parent: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>>;

    /// Carries out one action. A repeated deletion is a success.
    fn apply<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<Applied, ConnectorError>>;

    /// The remote id of the org unit at the top, which exists always and is never touched.
    fn root_org_unit(&self) -> &str;

    /// The attributes that an accepted `action` leaves on an entity that had `before`.
    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        crate::plan::after(before, action)
    }
}
