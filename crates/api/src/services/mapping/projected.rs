//! What a mapping would change at the targets, person by person, as far as it follows from what is known of the accounts.
//!
//! Attributes and departments are compared by the planner that workers use. A manager is an account of the target, which
//! may only be found on the way; so of managers it is only told whether another one is named than by the mapping that
//! counts now.

use crate::compiled::TargetFacts;
use rollcall_provisioning::entity::{self, Desired, EntityKind, Observed};
use rollcall_provisioning::ids::TargetId;
use rollcall_provisioning::mapping::{Mapped, PersonKind, Reference};
use rollcall_provisioning::plan::{Action, plan};
use rollcall_store::facts::{KnownUnits, PersonFacts};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;
use uuid::Uuid;

/// The most people who are named for one target.
const MOST_NAMED: usize = 20;

/// What a mapping would change at one target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TargetEffect {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// People who have no account there and would get one.
    pub created: u64,
    /// Accounts that would change. Under a mapping that is saved these are held.
    pub changed: u64,
    /// Accounts of people whom the mapping leaves out. Under a mapping that is saved these are held.
    pub removed: u64,
    /// Accounts that would stay as they are.
    pub unchanged: u64,
    /// Accounts that stay as they are because a required attribute has no usable value.
    pub kept: u64,
    /// Accounts of which it is not known what they hold, because the answer to a call was lost.
    pub unread: u64,
    /// How many accounts change in which attribute.
    pub attributes: BTreeMap<String, u64>,
    /// The SCIM ids of the first whose account changes or goes.
    pub first: Vec<Uuid>,
}

/// The count for one target.
#[derive(Debug)]
pub(super) struct Projected {
    pub(super) target: TargetId,
    pub(super) units: KnownUnits,
    pub(super) effect: TargetEffect,
}

impl Projected {
    pub(super) fn new(target: TargetId, name: String, units: KnownUnits) -> Self {
        let effect = TargetEffect {
            target_id: target.0,
            target: name,
            created: 0,
            changed: 0,
            removed: 0,
            unchanged: 0,
            kept: 0,
            unread: 0,
            attributes: BTreeMap::new(),
            first: Vec::new(),
        };
        Self { target, units, effect }
    }

    /// Counts one more person. `before` is whom the mapping that counts names as the manager, if it may be another.
    pub(super) fn add(
        &mut self,
        facts: &PersonFacts,
        mapped: &Mapped,
        before: Option<&Reference>,
        known: &TargetFacts,
    ) {
        let observed = facts.accounts.iter().find(|(target, _)| *target == self.target);
        let observed = observed.map_or(&Observed::Absent, |(_, observed)| observed);
        let effect = &mut self.effect;
        let entity = match (observed, mapped.scope.included) {
            (Observed::Absent, false) => return,
            (Observed::Absent, true) => {
                effect.created += u64::from(!mapped.blocked && mapped.kind != PersonKind::Contact);
                return;
            }
            (Observed::Unknown | Observed::Known(_), false) => {
                effect.removed += 1;
                name(&mut effect.first, facts);
                return;
            }
            (Observed::Unknown, true) => {
                effect.unread += 1;
                return;
            }
            (Observed::Known(entity), true) => entity,
        };
        if mapped.blocked || mapped.kind == PersonKind::Contact {
            effect.kept += 1;
            return;
        }
        let desired = Desired::Present(self.wanted(mapped, &known.root_org_unit));
        let made = plan(EntityKind::Account, &desired, observed, Some(&entity.remote_id), &*known.schema);
        let mut changes: BTreeSet<&str> = BTreeSet::new();
        for action in &made.actions {
            if let Action::Update { changes: made, .. } = action {
                changes.extend(made.keys().map(String::as_str));
            }
        }
        if before.is_some_and(|before| *before != mapped.manager && mapped.manager != Reference::LeftAlone) {
            changes.insert(entity::MANAGER);
        }
        let effect = &mut self.effect;
        if changes.is_empty() {
            effect.unchanged += 1;
            return;
        }
        effect.changed += 1;
        name(&mut effect.first, facts);
        for attribute in changes {
            *effect.attributes.entry(attribute.to_owned()).or_default() += 1;
        }
    }

    /// The attributes of an account that is there, but for the manager.
    fn wanted(&self, mapped: &Mapped, root: &str) -> BTreeMap<String, Option<Value>> {
        let mut wanted = mapped.attributes.clone();
        wanted.retain(|name, _| !mapped.once.contains(name));
        if matches!(mapped.kind, PersonKind::Sso | PersonKind::DingTalk) {
            wanted.insert(entity::ENABLED.to_owned(), Some(json!(true)));
        }
        let mut units: Vec<String> = Vec::new();
        let (mut orders, mut titles) = (Map::new(), Map::new());
        for department in &mapped.departments {
            let found = if department.path.is_empty() { Some(root) } else { self.units.remote_id(&department.path) };
            // One that is not there yet is another one than any that is.
            let unit = found.map_or_else(|| format!("new:{}", path(department)), str::to_owned);
            if let Some(order) = department.order {
                orders.insert(unit.clone(), json!(order));
            }
            if let Some(title) = &department.title {
                titles.insert(unit.clone(), json!(title));
            }
            units.push(unit);
        }
        let first = units.first().cloned();
        let all: BTreeSet<String> = units.into_iter().collect();
        if let Some(first) = first.filter(|_| all.len() > 1) {
            wanted.insert(entity::PRIMARY_ORG_UNIT.to_owned(), Some(json!(first)));
        }
        for (name, by_unit) in [(entity::ORG_UNIT_ORDERS, orders), (entity::ORG_UNIT_TITLES, titles)] {
            if !by_unit.is_empty() {
                wanted.insert(name.to_owned(), Some(Value::Object(by_unit)));
            }
        }
        wanted.insert(entity::ORG_UNITS.to_owned(), Some(json!(all)));
        wanted
    }
}

fn path(department: &rollcall_provisioning::mapping::Department) -> String {
    department.path.iter().map(|unit| unit.key.as_str()).collect::<Vec<_>>().join(" / ")
}

fn name(first: &mut Vec<Uuid>, facts: &PersonFacts) {
    if first.len() < MOST_NAMED {
        first.push(facts.id.0);
    }
}
