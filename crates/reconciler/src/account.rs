//! A user who should have an account: map, place, observe, plan, act.

use crate::act::{Acted, Interrupt, Job, ended, finding, held};
use crate::gate::{Asked, Verdict};
use crate::observe::{Seen, Sought};
use crate::refusal::Refusal;
use crate::report::{self, BadManager};
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{Mapped, Person, Reference};
use rollcall_provisioning::plan::{Plan, plan, unique_value};
use rollcall_provisioning::proposal::{Paths, Proposal};
use rollcall_provisioning::retry;
use rollcall_scim::profile::ManagerBy;
use rollcall_store::projection::{Claim, Hold, Link, LoadedUser, TargetMode, WantedPlace};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// An account on its way to what is wanted.
pub(crate) struct Wish {
    pub(crate) attributes: BTreeMap<String, Option<Value>>,
    pub(crate) findings: Vec<Finding>,
    /// The departments wanted, in the order of their ids; none is the root.
    pub(crate) units: Vec<Uuid>,
    /// The userid that a new account gets.
    userid: Option<String>,
    /// Attributes that an account keeps as they were when it was created.
    once: BTreeSet<String>,
    /// The manager, when they must be at the target first.
    manager_awaited: Option<Uuid>,
    /// Why the target does not take the manager, although we believe that they are there.
    pub(crate) manager_refused: Option<ConnectorError>,
    /// Values that another account has.
    wants: Vec<String>,
    /// The paths of the departments wanted, by remote id.
    paths: Paths,
    /// A department wanted that is not at the target yet, which a rehearsal does not wait for.
    unit_awaited: Option<(Uuid, String)>,
    /// Whether a plan permits it.
    decided: bool,
    /// What guards hold of it.
    held: Option<(Vec<Hold>, Proposal)>,
}

impl Wish {
    /// What is wanted of an account of which this much is known.
    fn desired(&self, observed: &Observed) -> Desired {
        let mut attributes = self.attributes.clone();
        if let Observed::Known(_) = observed {
            attributes.retain(|name, _| !self.once.contains(name));
        }
        Desired::Present(attributes)
    }

    /// The number, in the target's form.
    pub(crate) fn mobile(&self) -> Option<&str> {
        mobile(&self.attributes)
    }

    /// Guards hold a part of it.
    fn hold(&mut self, holds: Vec<Hold>, proposal: Proposal) {
        match &mut self.held {
            None => self.held = Some((holds, proposal)),
            Some((before, held)) => {
                before.extend(holds);
                held.lines.extend(proposal.lines);
            }
        }
    }

    /// Another account has the value of this attribute. Returns all that are taken.
    pub(crate) fn taken(&mut self, attribute: &str) -> Vec<String> {
        let value = self.attributes.get(attribute).and_then(Option::as_ref);
        self.wants.extend(value.and_then(|value| unique_value(attribute, value)));
        self.wants.clone()
    }
}

fn mobile(attributes: &BTreeMap<String, Option<Value>>) -> Option<&str> {
    attributes.get(entity::MOBILE).and_then(Option::as_ref).and_then(Value::as_str)
}

impl Job<'_> {
    /// Delivers a user who is present.
    pub(crate) async fn deliver_account(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
    ) -> Result<Outcome, Interrupt> {
        let id = self.claim.resource.to_string();
        let mapped = self.ready.mapping.person(&Person::alone(&id, user));
        let link = loaded.link.as_ref();
        if mapped.blocked {
            // Whoever has an account already keeps it as it is until the value is mended. It is looked for all the
            // same, because others may wait for this person.
            let again = match self.observe_account(link, Sought::Wanted(mobile(&mapped.attributes))).await? {
                Seen::Now(_) => None,
                Seen::Invited(since) => Some(report::look_again(since)),
                Seen::End(outcome) => return Ok(outcome),
            };
            return Ok(Outcome::NeedsAttention { findings: mapped.findings, awaited: None, again, wants: Vec::new() });
        }
        let places = if mapped.org_path().is_empty() {
            Vec::new()
        } else {
            vec![WantedPlace { path: mapped.org_path(), head: false }]
        };
        let units = self.store.place(self.claim, &places).await?.ok_or(Interrupt::LostClaim)?;
        let rehearsal = self.claim.mode == TargetMode::Rehearsal;
        let mut org_units = BTreeSet::new();
        let mut paths = Paths::new();
        let mut unit_awaited = None;
        for (unit, place) in units.iter().zip(&places) {
            let name = place.path.last().map_or("", |unit| unit.name.as_str());
            let remote_id = match self.store.unit_remote_id(self.claim, *unit).await? {
                Some(remote_id) => remote_id,
                None if rehearsal => {
                    unit_awaited = unit_awaited.or_else(|| Some((*unit, name.to_owned())));
                    format!("new:{unit}")
                }
                None => return Ok(report::waits_for_department(*unit, name)),
            };
            let path: Vec<&str> = place.path.iter().map(|unit| unit.name.as_str()).collect();
            paths.insert(remote_id.clone(), path.join(" / "));
            org_units.insert(remote_id);
        }
        if org_units.is_empty() {
            org_units.insert(self.ready.connector.root_org_unit().to_owned());
        }
        let mut wish = self.wish(mapped, loaded, units, &org_units);
        wish.paths = paths;
        wish.unit_awaited = unit_awaited;
        let observed = match self.observe_account(link, Sought::Wanted(wish.mobile())).await? {
            Seen::Now(observed) => observed,
            Seen::Invited(since) => return Ok(report::invited(since)),
            Seen::End(outcome) => return Ok(outcome),
        };
        match link {
            // It may have been found gone, which has used up its userid.
            Some(Link { observed: Observed::Unknown, .. }) => {
                let Claim { tenant, target, kind, resource, .. } = *self.claim;
                let link = self.store.link(tenant, target, kind, resource).await?;
                self.fulfil(wish, observed, &LoadedUser { link, ..loaded.clone() }).await
            }
            _ => self.fulfil(wish, observed, loaded).await,
        }
    }

    fn wish(&self, mapped: Mapped, loaded: &LoadedUser, mut units: Vec<Uuid>, org_units: &BTreeSet<String>) -> Wish {
        units.sort_unstable();
        let Mapped { mut attributes, manager, mut findings, userid, once, .. } = mapped;
        attributes.insert(entity::ORG_UNITS.to_owned(), Some(json!(org_units)));
        let mut manager_awaited = None;
        match (&manager, &loaded.manager) {
            (Reference::LeftAlone, _) => {}
            (Reference::Nobody, _) => {
                attributes.insert(entity::MANAGER.to_owned(), None);
            }
            (Reference::To(_), Some(found)) if found.id == self.claim.resource.0 => {
                findings.push(report::bad_manager(BadManager::Themselves));
            }
            (Reference::To(_), Some(found)) if !found.present => {
                // A manager who left manages nobody; the source will name the next one.
                attributes.insert(entity::MANAGER.to_owned(), None);
            }
            (Reference::To(_), Some(found)) => match &found.remote_id {
                Some(remote_id) => {
                    attributes.insert(entity::MANAGER.to_owned(), Some(json!(remote_id)));
                }
                None => manager_awaited = Some(found.id),
            },
            (Reference::To(_), None) => {
                let why = if loaded.manager_ambiguous { BadManager::Several } else { BadManager::Unknown };
                findings.push(report::bad_manager(why));
            }
        }
        Wish {
            attributes,
            findings,
            units,
            userid,
            once,
            manager_awaited,
            manager_refused: None,
            wants: Vec::new(),
            paths: Paths::new(),
            unit_awaited: None,
            decided: false,
            held: None,
        }
    }

    fn plan_account(&self, wish: &Wish, desired: &Desired, observed: &Observed, link: Option<&Link>) -> Plan {
        let first = wish.userid.clone().unwrap_or_else(|| self.claim.resource.0.simple().to_string());
        let id = userid(&first, link, observed);
        plan(EntityKind::Account, desired, observed, Some(&id), self.ready.connector.schema())
    }

    /// Plans and acts until the wish is fulfilled, dropping an optional attribute that the target refuses; each
    /// turn drops one, so it ends.
    async fn fulfil(&self, mut wish: Wish, mut observed: Observed, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        loop {
            let desired = wish.desired(&observed);
            let made = self.plan_account(&wish, &desired, &observed, loaded.link.as_ref());
            let connector = &self.ready.connector;
            if let Err(found) = contradiction::judge(&made, &desired, connector.schema(), connector.root_org_unit()) {
                return Ok(report::contradiction(&found));
            }
            let Some(action) = made.actions.first() else {
                wish.findings.extend(made.findings);
                return self.fulfilled(wish, loaded).await;
            };
            let asked = Asked {
                action,
                observed: &observed,
                besides: &[],
                paths: &wish.paths,
                manager_awaited: wish.manager_awaited,
                decided: wish.decided,
            };
            match self.may(asked).await? {
                Verdict::Go { decided } => wish.decided = decided,
                Verdict::Rehearsed(proposal) => {
                    wish.findings.extend(made.findings);
                    return Ok(report::rehearsed(action, proposal, &wish.findings));
                }
                Verdict::Adopted(proposal) => {
                    wish.findings.extend(made.findings);
                    return Ok(report::adopted(action, proposal, &wish.findings));
                }
                Verdict::Guarded { holds, attributes, proposal } if attributes.is_empty() => {
                    return Ok(report::guarded(&holds, proposal, &wish.findings));
                }
                Verdict::Guarded { holds, attributes, proposal } => {
                    // The rest of the wish goes on; each turn takes at least one attribute out of it.
                    wish.attributes.retain(|name, _| !attributes.contains(name));
                    wish.hold(holds, proposal);
                    continue;
                }
            }
            if let Some((unit, name)) = &wish.unit_awaited {
                return Ok(report::waits_for_department(*unit, name));
            }
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
        let moved = wish.attributes.contains_key(entity::ORG_UNITS);
        if moved && loaded.placement.applied != wish.units {
            held(self.store.placed(self.claim, &wish.units).await?)?;
        }
        let manager_missing = loaded.manager.is_none() && loaded.manager_by != ManagerBy::Id;
        let Wish { mut findings, manager_awaited, manager_refused, wants, held: guarded, .. } = wish;
        if let Some((holds, proposal)) = guarded {
            return Ok(report::guarded(&holds, proposal, &findings));
        }
        if findings.is_empty() {
            return Ok(match (manager_refused, manager_awaited) {
                (Some(error), _) => ended(&error),
                (None, Some(manager)) => report::waits_for_manager(manager),
                (None, None) => Outcome::InStep,
            });
        }
        // A manager who is created in the same moment may not have seen that this person waits for them.
        let again = (manager_refused.is_some() || manager_missing).then_some(retry::LONGEST);
        findings.extend(manager_refused.as_ref().map(finding));
        Ok(Outcome::NeedsAttention { findings, awaited: manager_awaited.map(ResourceId), again, wants })
    }
}

/// The most characters of a userid.
const MOST_ID_CHARS: usize = 64;

/// The userid that this person's account has or gets: the first one, with a number after it from the second account on,
/// since a userid is never used twice.
fn userid(first: &str, link: Option<&Link>, observed: &Observed) -> String {
    if let Observed::Known(Entity { remote_id, .. }) = observed {
        return remote_id.clone();
    }
    match link.map_or(1, |link| link.generation) {
        1 => first.to_owned(),
        generation => {
            let number = format!("-{generation}");
            // A userid is made of ASCII characters.
            let first = first.get(..MOST_ID_CHARS - number.len()).unwrap_or(first);
            format!("{first}{number}")
        }
    }
}
