//! What a step does that a person may want to be asked about.

use super::Guard;
use crate::entity::{self, Attributes, EntityKind};
use crate::plan::{Action, Change};
use serde_json::Value;

/// Attributes by which a person is known elsewhere: changing many of them at once is rarely meant.
const IDENTITY: [&str; 3] = [entity::MOBILE, entity::EMAIL, entity::JOB_NUMBER];

/// One effect: the guard that counts it and, where that guard counts apart, of what.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Effect {
    /// Who counts it.
    pub guard: Guard,
    /// The attribute or the group that is counted by itself; empty where all count together.
    pub scope: String,
}

impl Effect {
    fn new(guard: Guard, scope: &str) -> Self {
        Self { guard, scope: scope.to_owned() }
    }

    /// Guard and scope in one word, as in `fields.blanked:title`: what tables and JSON name a count by.
    pub fn key(&self) -> String {
        if self.scope.is_empty() {
            self.guard.as_str().to_owned()
        } else {
            format!("{}:{}", self.guard.as_str(), self.scope)
        }
    }
}

/// The effects of `action` on an entity that had `before`, each once.
pub fn effects(action: &Action, before: &Attributes) -> Vec<Effect> {
    let mut found = match action {
        Action::Create { kind: EntityKind::Account, .. } => vec![Effect::new(Guard::PeopleCreate, "")],
        Action::Delete { kind: EntityKind::Account, .. } => vec![Effect::new(Guard::PeopleRemove, "")],
        Action::Delete { kind: EntityKind::OrgUnit, .. } => vec![Effect::new(Guard::DepartmentsRemove, "")],
        Action::Update { kind: EntityKind::Account, changes, .. } => {
            changes.iter().flat_map(|(name, change)| of_change(name, change, before)).collect()
        }
        // Of members the whole group is judged at once, not step by step.
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::AddMembers { .. }
        | Action::RemoveMembers { .. } => Vec::new(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

fn of_change(name: &str, change: &Change, before: &Attributes) -> Vec<Effect> {
    let had = before.get(name);
    let mut found = Vec::new();
    match (name, change) {
        (entity::ENABLED, Change::Set(Value::Bool(false))) => found.push(Effect::new(Guard::PeopleDeactivate, "")),
        (entity::ENABLED, _) => {}
        (entity::ORG_UNITS, _) if had.is_some() => found.push(Effect::new(Guard::PeopleMove, "")),
        (_, Change::Clear) if had.is_some() => found.push(Effect::new(Guard::FieldsBlanked, name)),
        _ => {}
    }
    if IDENTITY.contains(&name) && had.is_some() {
        found.push(Effect::new(Guard::IdentityChange, ""));
    }
    // An attribute that gets its first value hides nothing that was there.
    if had.is_some() {
        found.push(Effect::new(Guard::FieldsChanged, name));
    }
    found
}
