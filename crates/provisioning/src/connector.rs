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

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ValueType {
    /// A string.
    #[default]
    Text,
    /// A boolean.
    Flag,
    /// An integer.
    Whole,
    /// An array of integers, sorted, each once.
    Wholes,
    /// Something that no rule gives, because it follows from other entities.
    Derived,
}

/// What the characters of a string value must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// Any.
    #[default]
    Free,
    /// `name@domain`.
    Mail,
    /// A telephone number in the target's form: digits, or `+<country code>-<digits>`.
    Phone,
    /// 1 to 64 of `A-Z a-z 0-9 _ -`.
    Id,
    /// None of these.
    Without(&'static str),
}

impl Form {
    /// Whether a string has this form.
    pub fn admits(self, text: &str) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match self {
            Self::Free => true,
            Self::Mail => text.rsplit_once('@').is_some_and(|(name, domain)| {
                !name.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
            }),
            Self::Phone => match text.strip_prefix('+') {
                None => digits(text),
                Some(text) => text.split_once('-').is_some_and(|(country, rest)| digits(country) && digits(rest)),
            },
            Self::Id => {
                (1..=64).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            }
            Self::Without(forbidden) => !text.contains(|letter| forbidden.contains(letter)),
        }
    }

    /// What it asks for, to be read after "must be".
    pub fn describe(self) -> String {
        match self {
            Self::Free => "a text".to_owned(),
            Self::Mail => "an address such as name@example.com".to_owned(),
            Self::Phone => "a number such as 13800000001 or +852-91234567".to_owned(),
            Self::Id => "1 to 64 of the letters A to Z, digits, _ and -".to_owned(),
            Self::Without(forbidden) => {
                format!("without {}", forbidden.chars().map(String::from).collect::<Vec<_>>().join(" "))
            }
        }
    }
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
    /// What its values are.
    pub value_type: ValueType,
    /// What the characters of a string value must be.
    pub form: Form,
    /// The kinds of account ([`crate::entity::ACCOUNT_KIND`]) that have the attribute; empty for all.
    pub account_kinds: &'static [&'static str],
    /// The kinds of account that cannot exist without it, where it is not required of all that have it.
    pub needed_by: &'static [&'static str],
}

impl AttributeSpec {
    /// An optional text of any length that can be changed and cleared: what others begin with.
    pub const OPTIONAL: Self = Self {
        name: "",
        required: false,
        max_chars: None,
        create_only: false,
        clearing: Clearing::Possible,
        sensitive: false,
        unique: false,
        value_type: ValueType::Text,
        form: Form::Free,
        account_kinds: &[],
        needed_by: &[],
    };

    /// Whether accounts of this kind have it.
    pub fn is_of(&self, account_kind: &str) -> bool {
        self.account_kinds.is_empty() || self.account_kinds.contains(&account_kind)
    }

    /// Whether accounts of this kind cannot exist without it.
    pub fn is_needed_by(&self, account_kind: &str) -> bool {
        self.is_of(account_kind) && (self.required || self.needed_by.contains(&account_kind))
    }

    /// Whether an attribute of this name is meant: a name that ends with a dot stands for all that begin so.
    pub fn names(&self, name: &str) -> bool {
        self.name == name || (self.name.ends_with('.') && name.len() > self.name.len() && name.starts_with(self.name))
    }
}

/// What a target allows.
pub trait TargetSchema: Send + Sync {
    /// The attributes of a kind of entity; any other attribute is unknown to the target.
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec];

    /// The attributes of an external contact; none if the target has no such people.
    fn contact_attributes(&self) -> &[AttributeSpec] {
        &[]
    }

    /// One attribute by name.
    fn attribute(&self, kind: EntityKind, name: &str) -> Option<&AttributeSpec> {
        self.attributes(kind).iter().find(|spec| spec.names(name))
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
