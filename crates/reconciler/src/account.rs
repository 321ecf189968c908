//! A user who should have an account: map, place, observe, plan, act.

use crate::act::{Acted, Interrupt, Job, ended, finding, held};
use crate::observe::Seen;
use crate::report;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::guard;
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::mapping::{self, Mapped};
use rollcall_provisioning::plan::{Action, Plan, plan};
use rollcall_store::projection::{Link, LoadedUser, TargetMode};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// An account on its way to what is wanted.
struct Wish {
    attributes: BTreeMap<String, Option<Value>>,
    findings: Vec<Finding>,
    /// The department wanted; `None` is the root.
    unit: Option<Uuid>,
    /// The manager, when they must be at the target first.
    manager_awaited: Option<Uuid>,
}

/// An action that the target refused, with what was known when it was tried.
#[derive(Clone, Copy)]
struct Refusal<'a> {
    error: &'a ConnectorError,
    action: &'a Action,
    observed: &'a Observed,
    loaded: &'a LoadedUser,
}

impl Job<'_> {
    /// Delivers a user who is present.
    pub(crate) async fn deliver_account(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
    ) -> Result<Outcome, Interrupt> {
        let mapped = mapping::user(user, self.ready.connector.schema());
        if mapped.blocked {
            // Whoever has an account already keeps it as it is until the value is mended.
            return Ok(Outcome::NeedsAttention(mapped.findings));
        }
        let unit = self.store.place(self.claim, &mapped.org_path).await?.ok_or(Interrupt::LostClaim)?;
        let rehearsal = self.ready.target.mode == TargetMode::Rehearsal;
        let org_unit = match self.org_unit(unit).await? {
            Some(remote_id) => remote_id,
            None if rehearsal => "new".to_owned(),
            None => {
                let name = mapped.org_path.last().map_or("", |unit| unit.name.as_str());
                return Ok(report::waits_for_department(unit.unwrap_or_default(), name));
            }
        };
        let wish = self.wish(mapped, loaded, unit, &org_unit);
        let mobile = wish.attributes.get(entity::MOBILE).and_then(Option::as_ref).and_then(Value::as_str);
        let observed = match self.observe_account(loaded.link.as_ref(), mobile).await? {
            Seen::Now(observed) => observed,
            Seen::End(outcome) => return Ok(outcome),
        };
        if rehearsal {
            let desired = Desired::Present(wish.attributes);
            return Ok(report::rehearsed(&self.plan_account(&desired, &observed, loaded.link.as_ref())));
        }
        self.fulfil(wish, observed, loaded).await
    }

    async fn org_unit(&self, unit: Option<Uuid>) -> Result<Option<String>, Interrupt> {
        match unit {
            None => Ok(Some(self.ready.connector.root_org_unit().to_owned())),
            Some(unit) => Ok(self.store.unit_remote_id(self.claim, unit).await?),
        }
    }

    fn wish(&self, mapped: Mapped, loaded: &LoadedUser, unit: Option<Uuid>, org_unit: &str) -> Wish {
        let Mapped { mut attributes, manager, mut findings, .. } = mapped;
        attributes.insert(entity::ORG_UNITS.to_owned(), Some(json!([org_unit])));
        let mut manager_awaited = None;
        match (&manager, &loaded.manager) {
            (None, _) => {
                attributes.insert(entity::MANAGER.to_owned(), None);
            }
            (Some(_), Some(found)) if found.id == self.claim.resource.0 => findings.push(report::bad_manager(true)),
            (Some(_), Some(found)) if !found.present => {
                // A manager who left manages nobody; the source will name the next one.
                attributes.insert(entity::MANAGER.to_owned(), None);
            }
            (Some(_), Some(found)) => match &found.remote_id {
                Some(remote_id) => {
                    attributes.insert(entity::MANAGER.to_owned(), Some(json!(remote_id)));
                }
                None => manager_awaited = Some(found.id),
            },
            (Some(_), None) => findings.push(report::bad_manager(false)),
        }
        Wish { attributes, findings, unit, manager_awaited }
    }

    fn plan_account(&self, desired: &Desired, observed: &Observed, link: Option<&Link>) -> Plan {
        let id = userid(self.claim.resource, link, observed);
        plan(EntityKind::Account, desired, observed, Some(&id), self.ready.connector.schema())
    }

    /// Plans and acts until the wish is fulfilled, dropping an optional attribute that the target refuses; each
    /// turn drops one, so it ends.
    async fn fulfil(&self, mut wish: Wish, mut observed: Observed, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        loop {
            let desired = Desired::Present(wish.attributes.clone());
            let made = self.plan_account(&desired, &observed, loaded.link.as_ref());
            let connector = &self.ready.connector;
            if let Err(found) = guard::judge(&made, &desired, connector.schema(), connector.root_org_unit()) {
                return Ok(report::contradiction(&found));
            }
            let Some(action) = made.actions.first() else {
                wish.findings.extend(made.findings);
                return self.fulfilled(wish, loaded).await;
            };
            match self.act(action, &observed).await? {
                Acted::Done(Some(entity)) => observed = Observed::Known(entity),
                Acted::Done(None) => observed = Observed::Absent,
                Acted::Lost(error) => return Ok(ended(&error)),
                Acted::Refused(error) => {
                    let refusal = Refusal { error: &error, action, observed: &observed, loaded };
                    if let Some(outcome) = self.refused(&refusal, &mut wish).await? {
                        return Ok(outcome);
                    }
                }
            }
        }
    }

    async fn fulfilled(&self, wish: Wish, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        if loaded.placement.applied != wish.unit {
            held(self.store.placed(self.claim, wish.unit).await?)?;
        }
        // Those who report to this person may have waited for the account.
        self.store.wake_waiting(self.claim).await?;
        if !wish.findings.is_empty() {
            return Ok(Outcome::NeedsAttention(wish.findings));
        }
        Ok(wish.manager_awaited.map_or(Outcome::InStep, report::waits_for_manager))
    }

    /// What a refusal means. `None`: the wish was changed and is tried again.
    async fn refused(&self, refusal: &Refusal<'_>, wish: &mut Wish) -> Result<Option<Outcome>, Interrupt> {
        let Refusal { error, action, observed, loaded } = *refusal;
        match (error.class, error.attribute) {
            (ErrorClass::Invited, _) => {
                if let Action::Create { attributes, .. } = action {
                    held(self.store.link_unknown(self.claim, None).await?)?;
                    held(self.store.link_invited(self.claim, attributes).await?)?;
                }
                Ok(Some(report::invited(time::Duration::ZERO, false)))
            }
            (ErrorClass::NotFound, _) => {
                // Somebody removed the account by hand: it is read first, then made anew.
                held(self.store.link_unknown(self.claim, None).await?)?;
                Ok(Some(ended(error)))
            }
            (ErrorClass::MissingReference, Some(entity::MANAGER)) => {
                wish.attributes.remove(entity::MANAGER);
                let manager = loaded.manager.as_ref().map(|manager| manager.id);
                if let Some(manager) = manager {
                    self.store.link_doubted(self.claim, ResourceKind::User, ResourceId(manager)).await?;
                }
                wish.manager_awaited = manager;
                Ok(None)
            }
            (ErrorClass::MissingReference, Some(entity::ORG_UNITS)) => {
                let Some(unit) = wish.unit else { return Ok(Some(ended(error))) };
                self.store.link_doubted(self.claim, ResourceKind::OrgUnit, ResourceId(unit)).await?;
                Ok(Some(report::waits_for_department(unit, "it belongs to")))
            }
            (ErrorClass::Conflict, Some(entity::MOBILE)) if *observed == Observed::Absent => {
                Ok(Some(self.mobile_taken(error, wish).await?))
            }
            (ErrorClass::Conflict, None) if *observed == Observed::Absent => {
                // The userid is ours alone, so whoever has it is this person: read it.
                held(self.store.link_unknown(self.claim, None).await?)?;
                Ok(Some(Outcome::Failed {
                    class: ErrorClass::Transient,
                    code: error.code.clone(),
                    message: error.message.clone(),
                    retry_after: None,
                }))
            }
            (ErrorClass::Invalid | ErrorClass::Conflict | ErrorClass::Forbidden, Some(attribute))
                if self.optional(attribute, wish) =>
            {
                wish.attributes.remove(attribute);
                wish.findings.push(finding(error));
                Ok(None)
            }
            _ => Ok(Some(ended(error))),
        }
    }

    fn optional(&self, attribute: &str, wish: &Wish) -> bool {
        let spec = self.ready.connector.schema().attribute(EntityKind::Account, attribute);
        spec.is_some_and(|spec| !spec.required) && wish.attributes.contains_key(attribute)
    }

    /// Names the account that has the number, so that a person knows where to look.
    async fn mobile_taken(&self, error: &ConnectorError, wish: &Wish) -> Result<Outcome, Interrupt> {
        let mobile = wish.attributes.get(entity::MOBILE).and_then(Option::as_ref).and_then(Value::as_str);
        let mut found = finding(error);
        if let Some(mobile) = mobile
            && let Ok(Some(holder)) = self.ready.connector.account_by_mobile(mobile).await
        {
            found.advice = match self.store.linked_resource(self.claim, &holder).await? {
                Some(resource) => format!(
                    "It belongs to DingTalk account {holder}, which is user {resource} of this directory. \
                     Give one of the two another number at the source."
                ),
                None => format!(
                    "It belongs to DingTalk account {holder}, which Rollcall does not manage. Correct the number \
                     at the source, or remove that account in DingTalk and retry."
                ),
            };
        }
        Ok(Outcome::NeedsAttention(vec![found]))
    }
}

/// The userid that this person's account has or gets: the SCIM id without dashes, with a number after it from the
/// second account on, since a userid is never used twice. `link` is as it was loaded, `observed` is what is known now.
fn userid(resource: ResourceId, link: Option<&Link>, observed: &Observed) -> String {
    if let Observed::Known(Entity { remote_id, .. }) = observed {
        return remote_id.clone();
    }
    let generation = link.map_or(1, |link| {
        // An account that was there and has been found gone since the link was loaded: that has used up its id.
        let found_gone = link.observed == Observed::Unknown && !link.snapshot.is_empty();
        link.generation + i32::from(found_gone)
    });
    match generation {
        1 => resource.0.simple().to_string(),
        generation => format!("{}-{generation}", resource.0.simple()),
    }
}
