//! What people hold against the rules: merged into what is wanted, and ended when the rules want something else.

use crate::act::{Interrupt, Job, held};
use crate::wish::Wish;
use rollcall_provisioning::connector::TargetSchema;
use rollcall_provisioning::entity::{self, EntityKind};
use rollcall_provisioning::mapping::Mapped;
use rollcall_provisioning::overrides::{ACCOUNT, Override};
use rollcall_store::projection::LoadedUser;
use serde_json::Value;
use std::collections::BTreeMap;

/// Why an override ends by itself.
const WANTS_ANOTHER: &str = "Source or rules want something else by now.";

/// Why somebody is not to have an account, if they are not.
pub(crate) fn left_out(mapped: &Mapped, loaded: &LoadedUser) -> Option<String> {
    if !mapped.scope.included {
        return Some(mapped.scope.reason());
    }
    let held = loaded.overrides.iter().any(|held| held.attribute == ACCOUNT);
    held.then(|| "The creation of the account was undone; it is held absent until that is lifted.".to_owned())
}

/// Merges what is held into what is wanted. Returns the attributes of which an override has ended.
pub(crate) fn hold_back(
    overrides: &[Override],
    wanted: &mut BTreeMap<String, Option<Value>>,
    kind: EntityKind,
    schema: &dyn TargetSchema,
) -> Vec<String> {
    let mut ended = Vec::new();
    for held in overrides.iter().filter(|held| held.is_plain()) {
        if held.counts(wanted.get(&held.attribute), schema.blank(kind, &held.attribute)) {
            wanted.insert(held.attribute.clone(), held.value.clone());
        } else {
            ended.push(held.attribute.clone());
        }
    }
    ended
}

impl Wish {
    /// Merges what is held into it, and notes which overrides have ended.
    pub(crate) fn hold_back(&mut self, overrides: &[Override], schema: &dyn TargetSchema) {
        if overrides.is_empty() {
            return;
        }
        // Who the manager is to be is not known while they have no account.
        let undecided = |held: &&Override| held.attribute == entity::MANAGER && self.manager_awaited.is_some();
        let overrides: Vec<Override> = overrides.iter().filter(|held| !undecided(held)).cloned().collect();
        for held in &overrides {
            // What is written only once is not wanted of an account that is there.
            if self.once.remove(&held.attribute) {
                self.attributes.remove(&held.attribute);
            }
        }
        self.ended = hold_back(&overrides, &mut self.attributes, EntityKind::Account, schema);
    }
}

/// Puts a person where they are held. Returns the attribute if that has ended.
pub(crate) fn hold_places(mapped: &mut Mapped, loaded: &LoadedUser) -> Vec<String> {
    let Some(held) = loaded.overrides.iter().find(|held| held.attribute == entity::ORG_UNITS) else {
        return Vec::new();
    };
    if !mapped.scope.included || mapped.blocked {
        return Vec::new();
    }
    match held.places(&mapped.departments) {
        Some(places) => {
            mapped.departments = places;
            Vec::new()
        }
        None => vec![held.attribute.clone()],
    }
}

impl Job<'_> {
    /// Ends overrides because the rules want something else of these attributes.
    pub(crate) async fn end_overrides(&self, attributes: Vec<String>) -> Result<(), Interrupt> {
        if attributes.is_empty() {
            return Ok(());
        }
        held(self.store.end_overrides(self.claim, &attributes, WANTS_ANOTHER).await?)
    }

    /// Ends overrides, whatever the rules want.
    pub(crate) async fn end_all_overrides(&self, overrides: &[Override], why: &str) -> Result<(), Interrupt> {
        if overrides.is_empty() {
            return Ok(());
        }
        let attributes: Vec<String> = overrides.iter().map(|held| held.attribute.clone()).collect();
        held(self.store.end_overrides(self.claim, &attributes, why).await?)
    }
}
