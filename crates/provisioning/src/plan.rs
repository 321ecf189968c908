//! From *wanted* and *known* to the actions between them.

use crate::connector::{Clearing, TargetSchema, account_kind};
use crate::entity::{Attributes, Desired, Entity, EntityKind, Observed};
use crate::finding::{Finding, FindingKind};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What happens to one attribute. An attribute that is not named is kept.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// It gets this value.
    Set(Value),
    /// It loses its value.
    Clear,
}

/// One step at a target. Every action can be repeated without harm.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// A new entity. For an account the remote id is ours to choose; for every other kind the target chooses it.
    Create {
        /// What is created.
        kind: EntityKind,
        /// The remote id that an account gets. For a chat a key of ours, by which the target knows a repetition.
        /// `None` for the other kinds.
        remote_id: Option<String>,
        /// Its attributes.
        attributes: Attributes,
        /// The first password of an account whose sign-in the target keeps. No plan has one: it is made right before
        /// the action is carried out, and kept nowhere.
        password: Option<InitialPassword>,
    },
    /// Some attributes of an existing entity.
    Update {
        /// What is changed.
        kind: EntityKind,
        /// Which one.
        remote_id: String,
        /// Only what differs.
        changes: BTreeMap<String, Change>,
    },
    /// An entity goes.
    Delete {
        /// What goes.
        kind: EntityKind,
        /// Which one.
        remote_id: String,
    },
    /// Accounts become members of a role or chat; who is one already stays one.
    AddMembers {
        /// What they become members of.
        kind: EntityKind,
        /// Which one.
        remote_id: String,
        /// The remote ids of the accounts, no more than [`crate::connector::Connector::most_members`].
        members: Vec<String>,
    },
    /// Accounts are no longer members of a role or chat; who is none stays none.
    RemoveMembers {
        /// What they were members of.
        kind: EntityKind,
        /// Which one.
        remote_id: String,
        /// The remote ids of the accounts, no more than [`crate::connector::Connector::most_members`].
        members: Vec<String>,
    },
}

/// The first password of an account. It is shown nowhere.
#[derive(Clone, Debug)]
pub struct InitialPassword(SecretString);

impl InitialPassword {
    /// This password.
    pub fn new(password: impl Into<SecretString>) -> Self {
        Self(password.into())
    }

    /// The password, for the one call that carries it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl PartialEq for InitialPassword {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Action {
    /// The word used in attempts, metrics and logs.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
            Self::AddMembers { .. } => "add_members",
            Self::RemoveMembers { .. } => "remove_members",
        }
    }

    /// What it acts on.
    pub const fn kind(&self) -> EntityKind {
        match self {
            Self::Create { kind, .. }
            | Self::Update { kind, .. }
            | Self::Delete { kind, .. }
            | Self::AddMembers { kind, .. }
            | Self::RemoveMembers { kind, .. } => *kind,
        }
    }

    /// Which entity it acts on: the remote id of one that is there, or that a creation asks for.
    pub fn remote_id(&self) -> Option<&str> {
        match self {
            Self::Create { remote_id, .. } => remote_id.as_deref(),
            Self::Update { remote_id, .. }
            | Self::Delete { remote_id, .. }
            | Self::AddMembers { remote_id, .. }
            | Self::RemoveMembers { remote_id, .. } => Some(remote_id),
        }
    }

    /// The accounts that it makes members, or that it makes members no more.
    pub fn members(&self) -> &[String] {
        match self {
            Self::AddMembers { members, .. } | Self::RemoveMembers { members, .. } => members,
            Self::Create { .. } | Self::Update { .. } | Self::Delete { .. } => &[],
        }
    }

    /// The same without these attributes; `None` if nothing is left of it.
    #[must_use]
    pub fn without(&self, attributes: &BTreeSet<String>) -> Option<Self> {
        let Self::Update { kind, remote_id, changes } = self else { return Some(self.clone()) };
        let mut changes = changes.clone();
        changes.retain(|name, _| !attributes.contains(name));
        let rest = Self::Update { kind: *kind, remote_id: remote_id.clone(), changes };
        (!rest.attributes().is_empty()).then_some(rest)
    }

    /// The names of the attributes it touches.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Create { attributes, .. } => attributes.keys().map(String::as_str).collect(),
            Self::Update { changes, .. } => changes.keys().map(String::as_str).collect(),
            Self::Delete { .. } | Self::AddMembers { .. } | Self::RemoveMembers { .. } => Vec::new(),
        }
    }
}

/// Steps in their order, and what cannot be done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Plan {
    /// The steps.
    pub actions: Vec<Action>,
    /// Wishes that the target cannot fulfil; the rest of the plan stands.
    pub findings: Vec<Finding>,
}

/// Plans for one entity. `new_id` is the remote id that a new account gets, or the key of a new chat.
///
/// [`Observed::Unknown`] must have been read before: it plans nothing.
pub fn plan(
    kind: EntityKind,
    desired: &Desired,
    observed: &Observed,
    new_id: Option<&str>,
    schema: &dyn TargetSchema,
) -> Plan {
    match (desired, observed) {
        (_, Observed::Unknown) | (Desired::Absent, Observed::Absent) => Plan::default(),
        (Desired::Absent, Observed::Known(entity)) => {
            let delete = Action::Delete { kind, remote_id: entity.remote_id.clone() };
            Plan { actions: vec![delete], findings: Vec::new() }
        }
        (Desired::Present(wanted), Observed::Absent) => {
            let attributes =
                wanted.iter().filter_map(|(name, value)| value.clone().map(|value| (name.clone(), value))).collect();
            let create = Action::Create { kind, remote_id: new_id.map(str::to_owned), attributes, password: None };
            Plan { actions: vec![create], findings: Vec::new() }
        }
        (Desired::Present(wanted), Observed::Known(entity)) => update(kind, wanted, entity, schema),
    }
}

fn update(
    kind: EntityKind,
    wanted: &BTreeMap<String, Option<Value>>,
    entity: &Entity,
    schema: &dyn TargetSchema,
) -> Plan {
    let mut plan = Plan::default();
    let mut changes = BTreeMap::new();
    for (name, value) in wanted {
        let current = entity.attributes.get(name);
        if satisfied(value.as_ref(), current, schema.blank(kind, name)) {
            continue;
        }
        let spec = schema.attribute(kind, name);
        if spec.zip(account_kind(&entity.attributes)).is_some_and(|(spec, there)| !spec.is_of(there)) {
            // What only accounts of another kind have. That this one is of the wrong kind is told by itself.
            continue;
        }
        match (value, spec) {
            (_, Some(spec)) if spec.create_only => {
                // A blank wish for something that cannot be changed is no wish, and a value that we may not read
                // (DingTalk hides numbers from applications without that permission) is no difference.
                if value.is_some() && current.is_some() {
                    plan.findings.push(unchangeable(name));
                }
            }
            (None, Some(spec)) if spec.clearing == Clearing::Impossible => {
                plan.findings.push(unclearable(name));
            }
            (Some(value), _) => {
                changes.insert(name.clone(), Change::Set(value.clone()));
            }
            (None, _) => {
                changes.insert(name.clone(), Change::Clear);
            }
        }
    }
    if !changes.is_empty() {
        plan.actions.push(Action::Update { kind, remote_id: entity.remote_id.clone(), changes });
    }
    plan
}

/// Whether nothing has to be done. Of an object (titles by org unit) only the named members are wanted, and `null` means
/// that one is not; everywhere else, none and `blank` are the same.
pub(crate) fn satisfied(wanted: Option<&Value>, current: Option<&Value>, blank: Option<&Value>) -> bool {
    if let Some(Value::Object(wanted)) = wanted {
        let member = |name: &str| current.and_then(|current| current.get(name)).unwrap_or(&Value::Null);
        return wanted.iter().all(|(name, value)| value == member(name));
    }
    wanted.or(blank) == current.or(blank)
}

fn unchangeable(attribute: &str) -> Finding {
    Finding {
        kind: FindingKind::Conflict,
        code: format!("{attribute}_unchangeable"),
        attribute: Some(attribute.to_owned()),
        source_path: None,
        message: format!("The {attribute} of an existing DingTalk account cannot be changed by an application."),
        advice: format!(
            "Ask the person to change the {attribute} in DingTalk, or put the old value back at the source."
        ),
    }
}

fn unclearable(attribute: &str) -> Finding {
    Finding {
        kind: FindingKind::Invalid,
        code: format!("{attribute}_unclearable"),
        attribute: Some(attribute.to_owned()),
        source_path: None,
        message: format!("The {attribute} has no value at the source, and the target has no way to clear it."),
        advice: format!("Clear the {attribute} in the target by hand, or give it a value at the source."),
    }
}

/// The values that an entity had `before` and does not have any more (`after` is `None` when it is gone), of those that
/// no two entities can share: another one may have them now. Written as [`unique_value`] does.
pub fn given_up(
    kind: EntityKind,
    before: &Attributes,
    after: Option<&Attributes>,
    schema: &dyn TargetSchema,
) -> Vec<String> {
    let unique = schema.attributes(kind).iter().filter(|spec| spec.unique);
    let value = |attributes: &Attributes, name| attributes.get(name).and_then(|value| unique_value(name, value));
    unique
        .filter_map(|spec| {
            let had = value(before, spec.name)?;
            (after.and_then(|after| value(after, spec.name)).as_ref() != Some(&had)).then_some(had)
        })
        .collect()
}

/// A value of an attribute as it is compared between entities: `email=ada@example.com`, whatever its case.
pub fn unique_value(attribute: &str, value: &Value) -> Option<String> {
    value.as_str().map(|text| format!("{attribute}={}", rollcall_scim::fold::fold(text)))
}

/// The attributes that an accepted `action` leaves on an entity that had `before`.
pub fn after(before: &Attributes, action: &Action) -> Attributes {
    match action {
        Action::Create { attributes, .. } => attributes.clone(),
        Action::Delete { .. } => Attributes::new(),
        Action::AddMembers { .. } | Action::RemoveMembers { .. } => before.clone(),
        Action::Update { changes, .. } => {
            let mut attributes = before.clone();
            for (name, change) in changes {
                match change {
                    Change::Set(value) => attributes.insert(name.clone(), value.clone()),
                    Change::Clear => attributes.remove(name),
                };
            }
            attributes
        }
    }
}
