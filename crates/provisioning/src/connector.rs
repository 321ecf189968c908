//! The door to a target. A connector reads and writes entities and says what each failure means; it decides
//! nothing.

use crate::budget::BoxFuture;
use crate::entity::{ACCOUNT_KIND, Attributes, Entity, EntityKind};
use crate::plan::Action;
use crate::stop::Cause;
use serde_json::Value;

mod error;
mod read;

pub use error::{ConnectorError, ErrorClass};
pub use read::{Circle, Cursor, Hidden, Named, Page};

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
        match self.name.strip_suffix('.') {
            None => self.name == name,
            Some(_) => name.len() > self.name.len() && name.starts_with(self.name),
        }
    }
}

/// What a target allows.
pub trait TargetSchema: Send + Sync {
    /// The attributes of a kind of entity; any other attribute is unknown to the target.
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec];

    /// One attribute by name.
    fn attribute(&self, kind: EntityKind, name: &str) -> Option<&AttributeSpec> {
        self.attributes(kind).iter().find(|spec| spec.names(name))
    }

    /// The names of the attributes without which an entity cannot be created. What an account needs may depend on its
    /// `account_kind` ([`ACCOUNT_KIND`]; `None` is the usual kind).
    fn required(&self, kind: EntityKind, account_kind: Option<&str>) -> Vec<&'static str> {
        let account_kind = account_kind.unwrap_or(NORMAL_ACCOUNT);
        let needed = |spec: &&AttributeSpec| spec.is_needed_by(account_kind);
        self.attributes(kind).iter().filter(needed).map(|spec| spec.name).collect()
    }

    /// The value that means the same as none: what a switch is that nobody has touched.
    fn blank(&self, kind: EntityKind, name: &str) -> Option<&Value> {
        let _ = (kind, name);
        None
    }
}

/// The usual kind of account.
pub const NORMAL_ACCOUNT: &str = "normal";

/// The kind of account that these attributes are of.
pub fn account_kind(attributes: &Attributes) -> Option<&str> {
    attributes.get(ACCOUNT_KIND).and_then(Value::as_str)
}

/// What an accepted action left behind.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// The entity's remote id; for a creation the new one.
    pub remote_id: String,
    /// Members whom the target did not take although it took the others: remote id and why.
    pub refused: Vec<(String, ConnectorError)>,
}

impl Applied {
    /// All of it was done.
    pub const fn to(remote_id: String) -> Self {
        Self { remote_id, refused: Vec::new() }
    }
}

/// What comes of a call to a target.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, ConnectorError>>;

/// A connector to one configured target.
///
/// A read that fails is an error, never an absence or an empty list: whoever deletes relies on it. Reads of kinds that
/// a target does not have are refused as [`ConnectorError::unsupported`].
pub trait Connector: Send + Sync {
    /// What the target allows.
    fn schema(&self) -> &dyn TargetSchema;

    /// The account with this remote id; `None` if there is none.
    fn account<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>>;

    /// The remote id of the account that has this mobile number (in the target's form); `None` if none has.
    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<String>>;

    /// The org unit with this remote id; `None` if there is none.
    fn org_unit<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>>;

    /// The org unit of this name directly under `parent`; `None` if there is none.
    fn org_unit_by_name<'a>(&'a self, parent: &'a str, name: &'a str) -> Answer<'a, Option<Entity>>;

    /// The entity with this remote id; `None` if there is none.
    fn entity<'a>(&'a self, kind: EntityKind, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        match kind {
            EntityKind::Account => self.account(remote_id),
            EntityKind::OrgUnit => self.org_unit(remote_id),
            EntityKind::Role | EntityKind::Chat | EntityKind::Contact => unsupported(kind.as_str()),
        }
    }

    /// The entity that has this name `within` another one: an org unit within the one above, a role within the role
    /// group of that name (`None` is the group that roles get when nothing else is said). `None` if there is none.
    fn by_name<'a>(&'a self, kind: EntityKind, within: Option<&'a str>, name: &'a str) -> Answer<'a, Option<Entity>> {
        match kind {
            EntityKind::OrgUnit => self.org_unit_by_name(within.unwrap_or_else(|| self.root_org_unit()), name),
            _ => unsupported("entities by their name"),
        }
    }

    /// The external contact who has this mobile number (in the target's form); `None` if none has.
    fn contact_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<Entity>> {
        let _ = mobile;
        unsupported("external contacts")
    }

    /// The remote ids of the members of a role or chat, from a place on; `None` is the beginning.
    fn members<'a>(
        &'a self,
        kind: EntityKind,
        remote_id: &'a str,
        from: Option<&'a Cursor>,
    ) -> Answer<'a, Page<String>> {
        let _ = (kind, remote_id, from);
        unsupported("members")
    }

    /// The org units directly under this one.
    fn children<'a>(&'a self, org_unit: &'a str) -> Answer<'a, Vec<Named>> {
        let _ = org_unit;
        unsupported("lists of org units")
    }

    /// The accounts directly in this org unit, without what [`Connector::unlisted`] names. An account in several org
    /// units is on the list of each.
    fn accounts_in<'a>(&'a self, org_unit: &'a str, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        let _ = (org_unit, from);
        unsupported("lists of accounts")
    }

    /// All roles, also those that are not ours to change.
    fn roles<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        let _ = from;
        unsupported("roles")
    }

    /// All external contacts.
    fn contacts<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        let _ = from;
        unsupported("external contacts")
    }

    /// The remote ids of the accounts that administer the target, which must never be removed.
    fn administrators(&self) -> Answer<'_, Vec<String>> {
        unsupported("administrators")
    }

    /// How many accounts the target holds: what a list of all accounts must add up to.
    fn account_count(&self) -> Answer<'_, u64> {
        unsupported("the number of accounts")
    }

    /// What the application may not read of entities of this kind, so that it is missing from every read.
    fn unreadable(&self, kind: EntityKind) -> Answer<'_, Hidden> {
        let _ = kind;
        Box::pin(async { Ok(Hidden::default()) })
    }

    /// What [`Connector::accounts_in`] does not tell although a read of the one account does.
    fn unlisted(&self) -> Hidden {
        Hidden::default()
    }

    /// The most members of one [`Action::AddMembers`] (`adding`) or [`Action::RemoveMembers`].
    fn most_members(&self, kind: EntityKind, adding: bool) -> usize {
        let _ = (kind, adding);
        0
    }

    /// The most members of a role or chat; `None` where there is no limit.
    fn capacity(&self, kind: EntityKind) -> Option<usize> {
        let _ = kind;
        None
    }

    /// Whether a creation whose answer was lost can be repeated, because the second one finds or meets the first. If
    /// not, a person has to look.
    fn repeatable(&self, kind: EntityKind) -> bool {
        kind != EntityKind::Chat
    }

    /// Carries out one action. A repeated deletion is a success.
    fn apply<'a>(&'a self, action: &'a Action) -> Answer<'a, Applied>;

    /// The remote id of the org unit at the top, which exists always and is never touched.
    fn root_org_unit(&self) -> &str;

    /// Why a refusal of the class [`ErrorClass::Stopped`] or [`ErrorClass::KindStopped`] was given.
    fn cause(&self, error: &ConnectorError) -> Cause {
        let _ = error;
        Cause::Organisation
    }

    /// The attributes that an accepted `action` leaves on an entity that had `before`.
    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        crate::plan::after(before, action)
    }
}

fn unsupported<'a, T: Send + 'a>(what: &'a str) -> Answer<'a, T> {
    let error = ConnectorError::unsupported(what);
    Box::pin(async { Err(error) })
}
