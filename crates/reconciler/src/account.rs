//! A user who should have an account: map, place, observe, plan, act.

use crate::act::{Acted, Interrupt, Job, ended, finding, held};
use crate::contact::is_contact;
use crate::gate::{Asked, Verdict};
use crate::observe::{Seen, Sought};
use crate::placing::Placed;
use crate::refusal::Refusal;
use crate::report;
use crate::wish::{Wish, mobile};
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{GroupFacts, Mapped, Mapping, Person, PersonKind, SourceFacts};
use rollcall_provisioning::plan::{Plan, plan};
use rollcall_provisioning::retry;
use rollcall_scim::profile::ManagerBy;
use rollcall_store::projection::{Claim, Link, LoadedUser, TargetMode};
use serde_json::{Map, Value};

impl Job<'_> {
    /// Delivers a user who is present.
    pub(crate) async fn deliver_account(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
    ) -> Result<Outcome, Interrupt> {
        let mapped = self.ask_rules(user, loaded, Mapping::person);
        if !mapped.scope.included {
            return self.deliver_departure(loaded, Some(&mapped.scope)).await;
        }
        let link = loaded.link.as_ref();
        if mapped.kind == PersonKind::Contact {
            return self.deliver_contact(mapped, loaded).await;
        }
        if is_contact(link) {
            // They become a member: the contact goes first.
            if let Some(outcome) = self.remove_contact(loaded).await? {
                return Ok(outcome);
            }
            return Box::pin(self.deliver_account(user, &self.with_link_of_now(loaded).await?)).await;
        }
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
        if link.is_some_and(|link| link.left_at.is_some()) {
            held(self.store.link_returned(self.claim).await?)?;
        }
        let mut decided = false;
        if self.is_remapped(link) {
            match self.under_new_rules(&mapped, loaded).await? {
                Ok(by_plan) => decided = by_plan,
                Err(outcome) => return Ok(outcome),
            }
        }
        let rehearsal = self.claim.mode == TargetMode::Rehearsal;
        let placing = match self.place(&mapped.departments, rehearsal).await? {
            Placed::At(placing) => placing,
            Placed::Waits(outcome) => return Ok(outcome),
        };
        let mut wish = Wish::new(self.claim.resource, mapped, loaded, placing);
        wish.decided = decided;
        let observed = match self.observe_account(link, Sought::Wanted(wish.mobile())).await? {
            Seen::Now(observed) => observed,
            Seen::Invited(since) => return Ok(report::invited(since)),
            Seen::End(outcome) => return Ok(outcome),
        };
        match link {
            // It may have been found gone, which has used up its userid.
            Some(Link { observed: Observed::Unknown, .. }) => {
                self.fulfil(wish, observed, &self.with_link_of_now(loaded).await?).await
            }
            _ => self.fulfil(wish, observed, loaded).await,
        }
    }

    /// What was loaded, with the link as it is by now.
    pub(crate) async fn with_link_of_now(&self, loaded: &LoadedUser) -> Result<LoadedUser, Interrupt> {
        let Claim { tenant, target, kind, resource, .. } = *self.claim;
        let link = self.store.link(tenant, target, kind, resource).await?;
        Ok(LoadedUser { link, ..loaded.clone() })
    }

    /// Asks the rules about a person.
    pub(crate) fn ask_rules<T>(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
        ask: impl FnOnce(&Mapping, &Person<'_>) -> T,
    ) -> T {
        let id = self.claim.resource.to_string();
        let groups: Vec<GroupFacts<'_>> =
            loaded.groups.iter().map(|group| GroupFacts { id: &group.id, resource: &group.attributes }).collect();
        let source = loaded.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
        ask(&self.ready.mapping, &Person { id: &id, resource: user, groups: &groups, source: source.as_ref() })
    }

    /// Whether the account is there by other rules than those that count now. A target in rehearsal holds everything
    /// anyway.
    fn is_remapped(&self, link: Option<&Link>) -> bool {
        self.claim.let_through != self.claim.mapping_version
            && self.claim.mode == TargetMode::Live
            && link.is_some_and(|link| link.observed != Observed::Absent)
    }

    /// What other rules would change at an account is held until a plan permits it, and nobody is placed before that.
    /// Whether a plan does; not, when nothing would change.
    async fn under_new_rules(&self, mapped: &Mapped, loaded: &LoadedUser) -> Result<Result<bool, Outcome>, Interrupt> {
        let placing = self.look_up(&mapped.departments).await?;
        let mut wish = Wish::new(self.claim.resource, mapped.clone(), loaded, placing);
        let observed = match self.observe_account(loaded.link.as_ref(), Sought::Wanted(wish.mobile())).await? {
            Seen::Now(Observed::Absent) => return Ok(Ok(false)),
            Seen::Now(observed) => observed,
            Seen::Invited(since) => return Ok(Err(report::invited(since))),
            Seen::End(outcome) => return Ok(Err(outcome)),
        };
        let made = self.plan_account(&wish, &wish.desired(&observed), &observed, loaded.link.as_ref());
        let Some(action) = made.actions.first() else { return Ok(Ok(false)) };
        Ok(match self.may(Asked { by_new_rules: true, ..wish.asks(action, &observed) }).await? {
            Verdict::Go { .. } => Ok(true),
            Verdict::Held { by, proposal } => {
                wish.findings.extend(made.findings);
                Err(report::held_back(by, action, proposal, &wish.findings))
            }
            Verdict::Guarded { holds, proposal, .. } => Err(report::guarded(&holds, proposal, &wish.findings)),
        })
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
            match self.may(wish.asks(action, &observed)).await? {
                Verdict::Go { decided } => wish.decided = decided,
                Verdict::Held { by, proposal } => {
                    wish.findings.extend(made.findings);
                    return Ok(report::held_back(by, action, proposal, &wish.findings));
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
            if let Some((unit, name)) = wish.unit_awaited() {
                return Ok(report::waits_for_department(*unit, name));
            }
            let with_password = self.with_first_password(action).await?;
            match self.act(with_password.as_ref().unwrap_or(action), &observed).await? {
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
        if moved && loaded.placement.applied != *wish.units() {
            held(self.store.placed(self.claim, wish.units()).await?)?;
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
