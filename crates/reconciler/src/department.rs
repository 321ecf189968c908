//! A department: made parents first, renamed in place, removed leaf first when nobody is in it.

use crate::act::{Acted, Interrupt, Job, ended, finding, held, unread};
use crate::gate::{Asked, Verdict};
use crate::holding::hold_back;
use crate::observe::Refused;
use crate::report;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::plan::{Action, plan, unique_value};
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::{LoadedUnit, Rename, TargetMode};
use serde_json::json;
use std::collections::BTreeMap;

/// Before our id in a department's `source_identifier`: what carries it was made by us and may be removed by us.
const OURS: &str = "rollcall:";

impl Job<'_> {
    /// Delivers a department.
    pub(crate) async fn deliver_department(&self) -> Result<Outcome, Interrupt> {
        let Some(mut unit) = self.store.load_unit(self.claim).await? else { return Ok(Outcome::Gone) };
        if !unit.wanted {
            return self.remove_department(&unit).await;
        }
        let rehearsal = self.claim.mode == TargetMode::Rehearsal;
        let parent = match (unit.parent, self.parent(&unit)) {
            (_, Some(remote_id)) => remote_id,
            (Some(parent), None) if !rehearsal => return Ok(report::waits_for_parent(parent)),
            (parent, None) => placeholder(parent),
        };
        let absent = unit.link.as_ref().is_none_or(|link| link.observed == Observed::Absent);
        if absent {
            match self.store.take_over_renamed(self.claim, OURS).await? {
                Rename::No => {}
                Rename::UnderWay => return Ok(report::waits_for_placements()),
                Rename::TakenOver => {
                    unit = self.store.load_unit(self.claim).await?.ok_or(Interrupt::LostClaim)?;
                }
            }
        }
        self.keep_department(&unit, &parent).await
    }

    /// The remote id of the department above; `None` when it is not known to be at the target.
    fn parent(&self, unit: &LoadedUnit) -> Option<String> {
        match unit.parent {
            None => Some(self.ready.connector.root_org_unit().to_owned()),
            Some(_) => unit.parent_remote_id.clone(),
        }
    }

    async fn keep_department(&self, unit: &LoadedUnit, parent: &str) -> Result<Outcome, Interrupt> {
        let mut observed = match self.observe_department(unit).await? {
            Ok(observed) => observed,
            Err(outcome) => return Ok(outcome),
        };
        let (desired, over) = self.desired(unit, parent, &observed);
        self.end_overrides(over).await?;
        let mut paths = Paths::new();
        if let Some(above) = unit.parent.filter(|_| self.claim.mode == TargetMode::Rehearsal) {
            paths.insert(parent.to_owned(), self.store.unit_path(self.claim, above).await?);
        }
        let connector = &self.ready.connector;
        let made = plan(EntityKind::OrgUnit, &desired, &observed, None, connector.schema());
        if let Err(found) = contradiction::judge(&made, &desired, connector.schema(), connector.root_org_unit()) {
            return Ok(report::contradiction(&found));
        }
        let (mut waits, mut in_part) = (None, false);
        for action in &made.actions {
            let (sent, rest) = self.allowed(self.asked(action, &observed, &paths), &made.findings).await?;
            in_part |= sent.is_some() && rest.is_some();
            waits = rest.or(waits);
            let Some(action) = &sent else { continue };
            if let Some(parent) = unit.parent.filter(|_| parent == placeholder(unit.parent)) {
                return Ok(report::waits_for_parent(parent));
            }
            match self.act(action, &observed).await? {
                Acted::Done(Some(entity)) => observed = Observed::Known(entity),
                Acted::Done(None) => observed = Observed::Absent,
                Acted::Refused(error) if error.class == ErrorClass::Conflict && is_creation(action) => {
                    if let Some(outcome) = self.adopt(unit, parent, &error).await? {
                        return Ok(outcome);
                    }
                }
                Acted::Refused(error) if error.class == ErrorClass::NotFound => {
                    held(self.store.link_unknown(self.claim, None).await?)?;
                    return Ok(ended(&error));
                }
                Acted::Refused(error) if error.class == ErrorClass::MissingReference => {
                    return self.parent_missing(unit, &error).await;
                }
                Acted::Refused(error) if error.class == ErrorClass::Conflict => return Ok(name_taken(unit, &error)),
                Acted::Refused(error) | Acted::Lost(error) => return Ok(ended(&error)),
            }
        }
        if let Some(waits) = waits {
            if let Some(plan) = self.claim.permit.filter(|_| in_part) {
                // What waits is no part of it.
                self.store.plan_change_ended(self.claim, plan, "applied", None).await?;
            }
            return Ok(waits);
        }
        Ok(if made.findings.is_empty() { Outcome::InStep } else { Outcome::attention(made.findings) })
    }

    /// What of a step may be sent, and what becomes of the rest. Of a plan that undoes, what it does not name waits on.
    async fn allowed(
        &self,
        asked: Asked<'_>,
        findings: &[Finding],
    ) -> Result<(Option<Action>, Option<Outcome>), Interrupt> {
        let action = asked.action;
        let (sent, waits) = match self.may(asked).await? {
            Verdict::Go { .. } => return Ok((Some(action.clone()), None)),
            Verdict::Held { by, proposal } => {
                return Ok((None, Some(report::held_back(by, action, proposal, findings))));
            }
            Verdict::Guarded { holds, attributes, proposal } => {
                let sent = if attributes.is_empty() { None } else { action.without(&attributes) };
                (sent, report::guarded(&holds, proposal, &[]))
            }
            Verdict::Partly { by, rest, proposal } => {
                let rest_names = rest.attributes().into_iter().map(str::to_owned).collect();
                (action.without(&rest_names), report::held_back(by, &rest, proposal, findings))
            }
        };
        Ok((sent, Some(waits)))
    }

    fn asked<'a>(&self, action: &'a Action, observed: &'a Observed, paths: &'a Paths) -> Asked<'a> {
        let by_new_rules =
            self.claim.let_through != self.claim.mapping_version && matches!(observed, Observed::Known(_));
        Asked {
            action,
            observed,
            besides: &[],
            paths,
            manager_awaited: None,
            decided: false,
            by_operator: false,
            by_new_rules,
        }
    }

    /// What is wanted of a department, and the attributes of which an override has ended.
    fn desired(&self, unit: &LoadedUnit, parent: &str, observed: &Observed) -> (Desired, Vec<String>) {
        let mut wanted = BTreeMap::from([
            (entity::NAME.to_owned(), Some(json!(unit.name))),
            (entity::PARENT.to_owned(), Some(json!(parent))),
        ]);
        let mapping = &self.ready.mapping;
        if mapping.names_heads() {
            let heads = (!unit.heads.is_empty()).then(|| json!(unit.heads));
            wanted.insert(entity::HEADS.to_owned(), heads);
        }
        if mapping.names_visibility() {
            let seen = mapping.visibility(&unit.path);
            wanted.insert(entity::HIDDEN.to_owned(), Some(json!(seen.hidden)));
            wanted.insert(entity::RESTRICTED.to_owned(), Some(json!(seen.restricted)));
        }
        if *observed == Observed::Absent {
            // Our sign is written once: it stays with the department through renames.
            wanted.insert(entity::SOURCE_IDENTIFIER.to_owned(), Some(json!(format!("{OURS}{}", self.claim.resource))));
        }
        let ended = hold_back(&unit.overrides, &mut wanted, EntityKind::OrgUnit, self.ready.connector.schema());
        (Desired::Present(wanted), ended)
    }

    /// What is there, or with what the delivery ends because that cannot be told.
    async fn observe_department(&self, unit: &LoadedUnit) -> Result<Result<Observed, Outcome>, Interrupt> {
        let Some(link) = &unit.link else { return Ok(Ok(Observed::Absent)) };
        if link.observed != Observed::Unknown {
            return Ok(Ok(link.observed.clone()));
        }
        let connector = &self.ready.connector;
        let found = match (&link.remote_id, self.parent(unit)) {
            (Some(remote_id), _) => connector.org_unit(remote_id).await,
            // The answer to a creation was lost: department ids are not ours to choose, the name is the key.
            (None, Some(parent)) => match connector.org_unit_by_name(&parent, &unit.name).await {
                Ok(None) => match self.by_our_sign(&parent).await {
                    Ok(found) => Ok(found),
                    Err(Refused::Connector(error)) => Err(error),
                    Err(Refused::Interrupt(interrupt)) => return Err(interrupt),
                },
                found => found,
            },
            (None, None) => return Ok(Err(report::waits_for_parent(unit.parent.unwrap_or_default()))),
        };
        let found = match found {
            Ok(Some(entity)) if self.is_anothers(&entity).await? => None,
            Ok(found) => found,
            Err(error) if error.class == ErrorClass::MissingReference => {
                return Ok(Err(self.parent_missing(unit, &error).await?));
            }
            Err(error) => return Ok(Err(unread(error)?)),
        };
        Ok(Ok(self.settle(link, found).await?))
    }

    /// Whether another of our departments is this one.
    async fn is_anothers(&self, entity: &Entity) -> Result<bool, Interrupt> {
        let holder = self.store.linked_resource(self.claim, &entity.remote_id).await?;
        Ok(holder.is_some_and(|holder| holder != self.claim.resource))
    }

    /// The name is taken under this parent: the department that has it becomes ours to fill, not to remove.
    /// `None` when it was adopted.
    async fn adopt(
        &self,
        unit: &LoadedUnit,
        parent: &str,
        error: &ConnectorError,
    ) -> Result<Option<Outcome>, Interrupt> {
        let found = match self.ready.connector.org_unit_by_name(parent, &unit.name).await {
            Ok(found) => found,
            Err(error) if error.class == ErrorClass::MissingReference => {
                return Ok(Some(self.parent_missing(unit, &error).await?));
            }
            Err(error) => return Ok(Some(unread(error)?)),
        };
        let Some(entity) = found else { return Ok(Some(name_taken(unit, error))) };
        if self.is_anothers(&entity).await? {
            return Ok(Some(name_taken(unit, error)));
        }
        self.store.mark_dependents(self.claim).await?;
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(None)
    }

    /// The target does not know the department above, although we believed that it is there. That one is read again;
    /// this one is tried again ever more slowly, because the target may go on to contradict itself.
    async fn parent_missing(&self, unit: &LoadedUnit, error: &ConnectorError) -> Result<Outcome, Interrupt> {
        if let Some(parent) = unit.parent {
            self.store.link_doubted(self.claim, ResourceKind::OrgUnit, ResourceId(parent)).await?;
        }
        Ok(ended(error))
    }

    async fn remove_department(&self, unit: &LoadedUnit) -> Result<Outcome, Interrupt> {
        // Also of an occupied one, if it is in doubt: a new one that might take it over waits until it is known.
        let observed = match self.observe_department(unit).await? {
            Ok(observed) => observed,
            Err(outcome) => return Ok(outcome),
        };
        if unit.occupied {
            return Ok(report::waits_for_moves());
        }
        if let Observed::Known(entity) = &observed {
            if is_ours(entity) {
                let action = Action::Delete { kind: EntityKind::OrgUnit, remote_id: entity.remote_id.clone() };
                if let Some(outcome) = self.has_departments(&entity.remote_id).await? {
                    return Ok(outcome);
                }
                match self.may(self.asked(&action, &observed, &Paths::new())).await? {
                    Verdict::Go { .. } => {}
                    Verdict::Held { by, proposal } | Verdict::Partly { by, proposal, .. } => {
                        return Ok(report::held_back(by, &action, proposal, &[]));
                    }
                    Verdict::Guarded { holds, proposal, .. } => return Ok(report::guarded(&holds, proposal, &[])),
                }
                match self.act(&action, &observed).await? {
                    Acted::Done(_) => {}
                    Acted::Refused(error) | Acted::Lost(error) => return Ok(ended(&error)),
                }
            } else {
                // It was there before us, so it stays; we only forget it.
                held(self.store.link_absent(self.claim, true).await?)?;
            }
        }
        self.end_all_overrides(&unit.overrides, "The department is gone.").await?;
        held(self.store.retire_unit(self.claim).await?)?;
        Ok(Outcome::Gone)
    }

    /// Why a department cannot be removed yet, if there are others under it. Ours have gone before; no page says whether
    /// DingTalk removes empty ones together with what they are in, so it is not left to it.
    async fn has_departments(&self, remote_id: &str) -> Result<Option<Outcome>, Interrupt> {
        match self.ready.connector.children(remote_id).await {
            Ok(children) if children.is_empty() => Ok(None),
            Ok(children) => {
                let (mut ours, mut of_others) = (Vec::new(), Vec::new());
                for child in children {
                    let known = self.store.linked_resource(self.claim, &child.remote_id).await?.is_some();
                    if known { ours.push(child.name) } else { of_others.push(child.name) }
                }
                Ok(Some(report::has_departments(&of_others, &ours)))
            }
            // It is gone already.
            Err(error) if matches!(error.class, ErrorClass::NotFound | ErrorClass::MissingReference) => Ok(None),
            Err(error) => Ok(Some(unread(error)?)),
        }
    }

    /// The department under `parent` that carries our sign for the claimed one. The answer to its creation was lost, and
    /// somebody has renamed it before we could find it by its name.
    async fn by_our_sign(&self, parent: &str) -> Result<Option<Entity>, Refused> {
        let sign = format!("{OURS}{}", self.claim.resource);
        for child in self.ready.connector.children(parent).await? {
            if self.store.linked_resource(self.claim, &child.remote_id).await.map_err(Interrupt::from)?.is_some() {
                continue;
            }
            let found = self.ready.connector.org_unit(&child.remote_id).await?;
            let signed =
                |entity: &Entity| entity.attributes.get(entity::SOURCE_IDENTIFIER) == Some(&json!(sign.as_str()));
            if let Some(entity) = found.filter(signed) {
                return Ok(Some(entity));
            }
        }
        Ok(None)
    }
}

/// Stands for the remote id of a department that is not there yet.
fn placeholder(unit: Option<uuid::Uuid>) -> String {
    format!("new:{}", unit.unwrap_or_default())
}

/// Another department under the same one has the name.
fn name_taken(unit: &LoadedUnit, error: &ConnectorError) -> Outcome {
    let wants = unique_value(entity::NAME, &json!(unit.name)).into_iter().collect();
    Outcome::NeedsAttention { findings: vec![finding(error)], awaited: None, again: None, wants }
}

fn is_creation(action: &Action) -> bool {
    matches!(action, Action::Create { .. })
}

fn is_ours(entity: &Entity) -> bool {
    let sign = entity.attributes.get(entity::SOURCE_IDENTIFIER).and_then(|value| value.as_str());
    sign.is_some_and(|sign| sign.starts_with(OURS))
}
