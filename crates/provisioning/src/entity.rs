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
/// Remote ids of the org units that the account belongs to: array of strings, sorted, each once.
pub const ORG_UNITS: &str = "org_units";
/// Remote id of the manager's account: string.
pub const MANAGER: &str = "manager";
/// Remote id of the org unit above: string. Only org units have it.
pub const PARENT: &str = "parent";
/// Our own id of the resource, where the target can carry one: string. Only org units have it.
pub const SOURCE_IDENTIFIER: &str = "source_identifier";

/// Attribute name → value. An attribute that is missing has no value.
pub type Attributes = BTreeMap<String, Value>;

/// Kinds of entity that a target holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntityKind {
    /// A person's account.
    Account,
    /// A department.
    OrgUnit,
}

/// An entity as the target has it.
#[derive(Clone, PartialEq, Debug)]
pub struct Entity {
    /// The target's own id: `userid` or `dept_id` at DingTalk.
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
