//! From *wanted* and *known* to the actions between them.

use crate::connector::{Clearing, TargetSchema};
use crate::entity::{Attributes, Desired, Entity, EntityKind, Observed};
use crate::finding::{Finding, FindingKind};
use serde_json::Value;
use std::collections::BTreeMap;

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
    /// A new entity. For an account the remote id is ours to choose; for an org unit the target chooses it.
    Create {
        /// What is created.
        kind: EntityKind,
        /// The remote id that an account gets; for an org unit `None`.
        remote_id: Option<String>,
        /// Its attributes.
        attributes: Attributes,
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
}

impl Action {
    /// The word used in attempts, metrics and logs.
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::Delete { .. } => "delete",
        }
    }

    /// What it acts on.
    pub const fn kind(&self) -> EntityKind {
        match self {
            Self::Create { kind, .. } | Self::Update { kind, .. } | Self::Delete { kind, .. } => *kind,
        }
    }

    /// The names of the attributes it touches.
    pub fn attributes(&self) -> Vec<&str> {
        match self {
            Self::Create { attributes, .. } => attributes.keys().map(String::as_str).collect(),
            Self::Update { changes, .. } => changes.keys().map(String::as_str).collect(),
            Self::Delete { .. } => Vec::new(),
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

/// Plans for one entity. `new_id` is the remote id that a new account gets (`None` for an org unit).
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
            let create = Action::Create { kind, remote_id: new_id.map(str::to_owned), attributes };
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
        if current == value.as_ref() {
            continue;
        }
        let spec = schema.attribute(kind, name);
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
