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
    /// An effect that `guard` counts, apart for each `scope` if it does so.
    pub fn new(guard: Guard, scope: &str) -> Self {
        Self { guard, scope: scope.to_owned() }
    }

    /// What [`Self::key`] wrote.
    pub fn parse(key: &str) -> Option<Self> {
        let (guard, scope) = key.split_once(':').unwrap_or((key, ""));
        Guard::parse(guard).map(|guard| Self::new(guard, scope))
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
    let mut found: Vec<Effect> = effects_by_attribute(action, before).into_iter().map(|(_, effect)| effect).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The attributes of an update for which `action` has one of `effects`: what has to wait when those are held.
pub fn attributes_with<'a>(action: &'a Action, before: &Attributes, effects: &[Effect]) -> Vec<&'a str> {
    let mut found: Vec<&str> = effects_by_attribute(action, before)
        .into_iter()
        .filter(|(_, effect)| effects.contains(effect))
        .filter_map(|(attribute, _)| attribute)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn effects_by_attribute<'a>(action: &'a Action, before: &Attributes) -> Vec<(Option<&'a str>, Effect)> {
    match action {
        Action::Create { kind: EntityKind::Account, .. } => vec![(None, Effect::new(Guard::PeopleCreate, ""))],
        Action::Delete { kind: EntityKind::Account, .. } => {
            let mut found = vec![(None, Effect::new(Guard::PeopleRemove, ""))];
            if administers(before) {
                found.push((None, Effect::new(Guard::AdministratorsLost, "")));
            }
            found
        }
        Action::Delete { kind: EntityKind::Contact, .. } => vec![(None, Effect::new(Guard::PeopleRemove, ""))],
        Action::Delete { kind: EntityKind::OrgUnit, .. } => vec![(None, Effect::new(Guard::DepartmentsRemove, ""))],
        Action::Update { kind: EntityKind::Account, changes, .. } => changes
            .iter()
            .flat_map(|(name, change)| {
                of_change(name, change, before).into_iter().map(move |effect| (Some(name.as_str()), effect))
            })
            .collect(),
        // Of members the whole group is judged at once, not step by step.
        Action::Create { .. }
        | Action::Update { .. }
        | Action::Delete { .. }
        | Action::AddMembers { .. }
        | Action::RemoveMembers { .. } => Vec::new(),
    }
}

/// Whether an account that has `before` administers the target.
fn administers(before: &Attributes) -> bool {
    before.get(entity::ADMINISTRATOR) == Some(&Value::Bool(true))
}

fn of_change(name: &str, change: &Change, before: &Attributes) -> Vec<Effect> {
    let had = before.get(name);
    let mut found = Vec::new();
    match (name, change) {
        (entity::ENABLED, Change::Set(Value::Bool(false))) => {
            found.push(Effect::new(Guard::PeopleDeactivate, ""));
            if administers(before) {
                found.push(Effect::new(Guard::AdministratorsLost, ""));
            }
        }
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
