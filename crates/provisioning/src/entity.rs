//! What a target holds, and what we know of it.
//!
//! Attribute names are Rollcall's own, the same for every target; a connector translates them into its wire
//! names. Values are JSON values, so that a mapping can produce them without knowing the target.

use serde_json::Value;
use std::collections::BTreeMap;

/// The person's name as the target shows it: string.
pub const NAME: &str = "name";
/// The mobile number in the target's own form: string. DingTalk's normal accounts need it.
pub const MOBILE: &str = "mobile";
/// An e-mail address: string.
pub const EMAIL: &str = "email";
/// An extension or desk number: string.
pub const TELEPHONE: &str = "telephone";
/// The job title: string.
pub const TITLE: &str = "title";
/// The employee number: string.
pub const JOB_NUMBER: &str = "job_number";
/// The office: string.
pub const WORK_PLACE: &str = "work_place";
/// The mailbox of the organisation, where the target keeps one: string.
pub const ORG_EMAIL: &str = "org_email";
/// A free remark: string.
pub const REMARK: &str = "remark";
/// The first day at work: integer, milliseconds since 1970 of midnight where the organisation is.
pub const HIRED_DATE: &str = "hired_date";
/// Whether colleagues do not see the number: boolean.
pub const HIDE_MOBILE: &str = "hide_mobile";
/// Whether ordinary staff cannot reach the person directly: boolean.
pub const SENIOR_MODE: &str = "senior_mode";
/// Before the name of a field that the organisation made itself, as in `extension.shirt size`: string.
pub const EXTENSION_PREFIX: &str = "extension.";
/// What kind of account it is: `normal`, `sso` or `dingtalk`. Decided when it is created.
pub const ACCOUNT_KIND: &str = "account_kind";
/// Whether the account may be used: boolean. Only enterprise accounts can be turned off.
pub const ENABLED: &str = "enabled";
/// Whether the account administers the target: boolean. Only the target decides; no rule gives it.
pub const ADMINISTRATOR: &str = "administrator";
/// The name that a person signs in with, where the target keeps it: string.
pub const LOGIN_ID: &str = "login_id";
/// The nickname of an enterprise account: string.
pub const NICKNAME: &str = "nickname";
/// The number of an enterprise account, which needs none: string.
pub const EXCLUSIVE_MOBILE: &str = "exclusive_mobile";
/// Where the person stands in each org unit: object of remote id to integer.
pub const ORG_UNIT_ORDERS: &str = "org_unit_orders";
/// The title in each org unit: object of remote id to string.
pub const ORG_UNIT_TITLES: &str = "org_unit_titles";
/// Remote id of the org unit that counts as the person's own: string.
pub const PRIMARY_ORG_UNIT: &str = "primary_org_unit";
/// Remote ids of the org units that the account belongs to: array of strings, sorted, each once.
pub const ORG_UNITS: &str = "org_units";
/// Remote id of the manager's account: string.
pub const MANAGER: &str = "manager";
/// Remote id of the org unit above: string. Only org units have it.
pub const PARENT: &str = "parent";
/// Our own id of the resource, where the target can carry one: string. Only org units have it.
pub const SOURCE_IDENTIFIER: &str = "source_identifier";

/// Remote ids of the accounts that head an org unit: array of strings, sorted, each once.
pub const HEADS: &str = "heads";
/// Where an org unit or account stands among its neighbours: integer.
pub const ORDER: &str = "order";
/// Whether only its own people see an org unit: boolean.
pub const HIDDEN: &str = "hidden";
/// Whether the people of an org unit see only their own org unit: boolean.
pub const RESTRICTED: &str = "restricted";
/// The name of the group that a role belongs to: string.
pub const ROLE_GROUP: &str = "role_group";
/// Remote id of the account that owns a chat: string.
pub const OWNER: &str = "owner";
/// The company of an external contact: string.
pub const COMPANY: &str = "company";
/// Remote id of the account that looks after an external contact: string.
pub const FOLLOWER: &str = "follower";
/// The labels of an external contact: array of integers, sorted, each once.
pub const LABELS: &str = "labels";

/// Attribute name → value. An attribute that is missing has no value.
pub type Attributes = BTreeMap<String, Value>;

/// Kinds of entity that a target holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntityKind {
    /// A person's account.
    Account,
    /// A department.
    OrgUnit,
    /// A role that accounts can have.
    Role,
    /// A group chat.
    Chat,
    /// Somebody outside who is in the address book: an external contact.
    Contact,
}

impl EntityKind {
    /// The word used in attempts, metrics and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::OrgUnit => "org_unit",
            Self::Role => "role",
            Self::Chat => "chat",
            Self::Contact => "contact",
        }
    }
}

/// An entity as the target has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    /// The target's own id: `userid`, `dept_id` or role id at DingTalk.
    pub remote_id: String,
    /// What it holds, as far as the connector can read it.
    pub attributes: Attributes,
}

/// What should be there.
#[derive(Clone, PartialEq, Debug)]
pub enum Desired {
    /// Nothing: the person left, the department is empty.
    Absent,
    /// An entity with these attributes. `None` means *no value*: whatever is there is cleared. An attribute
    /// that is not named is left alone.
    Present(BTreeMap<String, Option<Value>>),
}

/// What we know to be there.
#[derive(Clone, PartialEq, Debug)]
pub enum Observed {
    /// Certainly nothing.
    Absent,
    /// A call was begun and its end is not known: something may be there. It must be read before planning.
    Unknown,
    /// This, when we last wrote or read it.
    Known(Entity),
}
