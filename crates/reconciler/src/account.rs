//! A user who should have an account: map, place, observe, plan, act.

use crate::act::{Acted, Interrupt, Job, ended, finding, held};
use crate::connectors::Ready;
use crate::contact::is_contact;
use crate::gate::{Asked, Verdict};
use crate::holding::{hold_places, left_out};
use crate::observe::{Seen, Sought};
use crate::placing::{Placed, Placing};
use crate::refusal::Refusal;
use crate::report;
use crate::wish::{Wish, mobile};
use rollcall_provisioning::contradiction;
use rollcall_provisioning::delivery::{HeldBy, Outcome};
use rollcall_provisioning::entity::{self, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{GroupFacts, HeldGroup, Mapped, Mapping, Person, PersonKind, SourceFacts};
use rollcall_provisioning::plan::{Action, Plan, plan};
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
        if loaded.link.as_ref().is_some_and(|link| link.left_at.is_some()) {
            held(self.store.link_returned(self.claim).await?)?;
        }
        if loaded.handed_over {
            held(self.store.take_back(self.claim).await?)?;
        }
        let remapped = self.is_remapped(loaded.link.as_ref());
        let rules =
            if remapped { self.under_new_rules(user, loaded).await? } else { NewRules::Count { decided: false } };
        match rules {
            NewRules::Count { decided } => {
                if !decided && self.claim.mode == TargetMode::Live {
                    // Whatever is to be done from now on follows from something else, so it is not held because of them.
                    self.let_through().await?;
                }
                self.deliver_by_rules(user, loaded, decided).await
            }
            NewRules::End(outcome) => Ok(outcome),
            NewRules::Wait(outcome) => self.under_old_rules(user, loaded, outcome).await,
        }
    }

    /// Notes that the account is as the rules that count now want it, unless that is known.
    pub(crate) async fn let_through(&self) -> Result<(), Interrupt> {
        if self.claim.let_through == self.claim.mapping_version {
            return Ok(());
        }
        held(self.store.let_through(self.claim).await?)
    }

    /// Delivers a user who is present by the rules that count for them.
    async fn deliver_by_rules(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
        decided: bool,
    ) -> Result<Outcome, Interrupt> {
        let mut mapped = self.ask_rules(user, loaded, Mapping::person);
        self.place_by_groups(&mut mapped).await?;
        let ended = hold_places(&mut mapped, loaded);
        self.end_overrides(ended).await?;
        if let Some(reason) = left_out(&mapped, loaded) {
            return self.deliver_departure(loaded, Some(&reason)).await;
        }
        let link = loaded.link.as_ref();
        if mapped.kind == PersonKind::Contact {
            return self.deliver_contact(mapped, loaded).await;
        }
        if is_contact(link) {
            // They become a member: the contact goes first.
            if let Some(outcome) = self.remove_contact(loaded, false).await? {
                return Ok(outcome);
            }
            return Box::pin(self.deliver_account(user, &self.with_link_of_now(loaded).await?)).await;
        }
        if mapped.blocked {
            return self.blocked(mapped, link).await;
        }
        let rehearsal = self.claim.mode == TargetMode::Rehearsal;
        let placing = match self.place(&mapped.departments, rehearsal).await? {
            Placed::At(placing) => placing,
            Placed::Waits(outcome) => return Ok(outcome),
        };
        let mut wish = self.wish(mapped, loaded, placing);
        wish.decided = decided;
        self.end_overrides(std::mem::take(&mut wish.ended)).await?;
        let observed = match self.observe_account(link, Sought::Wanted(wish.mobile())).await? {
            Seen::Now(observed) => observed,
            Seen::Invited(awaited) if self.invites_now(&awaited) => {
                return self.invite_again(wish, &awaited, loaded).await;
            }
            Seen::Invited(awaited) => return Ok(self.awaits(&awaited, link)),
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

    /// Whoever has an account already keeps it as it is until the value is mended. It is looked for all the same, because
    /// others may wait for this person.
    async fn blocked(&self, mapped: Mapped, link: Option<&Link>) -> Result<Outcome, Interrupt> {
        let again = match self.observe_account(link, Sought::Wanted(mobile(&mapped.attributes))).await? {
            Seen::Now(_) => None,
            Seen::Invited(awaited) => Some(self.look_again(&awaited.invited)),
            Seen::End(outcome) => return Ok(outcome),
        };
        Ok(Outcome::NeedsAttention { findings: mapped.findings, awaited: None, again, wants: Vec::new() })
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

    /// Adds the departments that follow from a person's groups.
    async fn place_by_groups(&self, mapped: &mut Mapped) -> Result<(), Interrupt> {
        if !self.claim.asks_groups {
            return Ok(());
        }
        let groups = self.store.held_groups(self.claim).await?;
        let source = |of: &(String, String)| SourceFacts::new(&of.0, &of.1);
        let sources: Vec<Option<SourceFacts>> = groups.iter().map(|group| group.source.as_ref().map(source)).collect();
        let held: Vec<HeldGroup<'_>> = groups
            .iter()
            .zip(&sources)
            .map(|(group, source)| HeldGroup {
                facts: GroupFacts { id: &group.id, resource: &group.attributes },
                direct: group.direct,
                choice: group.choice.as_ref(),
                source: source.as_ref(),
            })
            .collect();
        self.ready.mapping.place_by_groups(mapped, &held);
        Ok(())
    }

    /// Whether the account is there by other rules than those that count now. A target in rehearsal holds everything
    /// anyway.
    pub(crate) fn is_remapped(&self, link: Option<&Link>) -> bool {
        self.claim.let_through != self.claim.mapping_version
            && self.claim.mode == TargetMode::Live
            && link.is_some_and(|link| link.observed != Observed::Absent)
    }

    /// What other rules would change at an account is held until a plan permits it, and nobody is placed before that.
    async fn under_new_rules(&self, user: &Map<String, Value>, loaded: &LoadedUser) -> Result<NewRules, Interrupt> {
        let mut mapped = self.ask_rules(user, loaded, Mapping::person);
        self.place_by_groups(&mut mapped).await?;
        hold_places(&mut mapped, loaded);
        if let Some(reason) = left_out(&mapped, loaded) {
            let end = self.deliver_departure(loaded, Some(&reason)).await?;
            return Ok(if matches!(end, Outcome::Held { .. }) { NewRules::Wait(end) } else { NewRules::End(end) });
        }
        let there = loaded.link.as_ref().filter(|link| is_contact(Some(link)));
        if let (Some(link), PersonKind::Contact) = (there, mapped.kind) {
            return self.contact_under_new_rules(mapped, link).await;
        }
        if there.is_some() {
            // They become a member: the contact goes first.
            return Ok(match self.remove_contact(loaded, false).await? {
                Some(end @ Outcome::Held { .. }) => NewRules::Wait(end),
                Some(end) => NewRules::End(end),
                None => {
                    let loaded = self.with_link_of_now(loaded).await?;
                    NewRules::End(Box::pin(self.deliver_account(user, &loaded)).await?)
                }
            });
        }
        if mapped.kind == PersonKind::Contact {
            return Ok(match self.deliver_departure(loaded, Some(&mapped.scope.reason())).await? {
                Outcome::LeftOut { .. } => {
                    NewRules::End(self.deliver_contact(mapped, &self.with_link_of_now(loaded).await?).await?)
                }
                end @ Outcome::Held { .. } => NewRules::Wait(end),
                end => NewRules::End(end),
            });
        }
        if mapped.blocked {
            return Ok(NewRules::Wait(self.blocked(mapped, loaded.link.as_ref()).await?));
        }
        let placing = self.look_up(&mapped.departments).await?;
        let mut wish = self.wish(mapped, loaded, placing);
        let observed = match self.observe_account(loaded.link.as_ref(), Sought::Wanted(wish.mobile())).await? {
            Seen::Now(Observed::Absent) => return Ok(NewRules::Count { decided: false }),
            Seen::Now(observed) => observed,
            Seen::Invited(awaited) => return Ok(NewRules::End(self.awaits(&awaited, loaded.link.as_ref()))),
            Seen::End(outcome) => return Ok(NewRules::End(outcome)),
        };
        let made = self.plan_account(&wish, &wish.desired(&observed), &observed, loaded.link.as_ref());
        let Some(action) = made.actions.first() else { return Ok(NewRules::Count { decided: false }) };
        Ok(match self.may(Asked { by_new_rules: true, ..wish.asks(action, &observed) }).await? {
            Verdict::Go { .. } => NewRules::Count { decided: true },
            Verdict::Held { by, proposal } => {
                wish.findings.extend(made.findings);
                NewRules::Wait(report::held_back(by, action, proposal, &wish.findings))
            }
            Verdict::Partly { by, rest, proposal } => {
                NewRules::Wait(report::held_back(by, &rest, proposal, &wish.findings))
            }
            Verdict::Guarded { holds, proposal, .. } => {
                NewRules::End(report::guarded(&holds, proposal, &wish.findings))
            }
        })
    }

    /// Until a plan lets an account through to other rules it is kept by those that it came by: what its source changes
    /// does not wait for the plan. `waits` is what the other rules would do.
    async fn under_old_rules(
        &self,
        user: &Map<String, Value>,
        loaded: &LoadedUser,
        waits: Outcome,
    ) -> Result<Outcome, Interrupt> {
        let version = self.claim.let_through;
        let Some(mapping) = self.connectors.earlier_mapping(&self.ready.target, version).await? else {
            return Ok(waits);
        };
        let ready = Ready { mapping, version, ..self.ready.clone() };
        // What it does is by the rules that it was let through by, so there is nothing to note.
        let claim = Claim { let_through: self.claim.mapping_version, ..self.claim.clone() };
        let by_old_rules = Job { ready: &ready, claim: &claim, ..*self };
        let end = by_old_rules.deliver_by_rules(user, loaded, false).await?;
        let guarded = matches!(end, Outcome::Held { by: HeldBy::Guard(_), .. });
        match end {
            Outcome::InStep | Outcome::NeedsAttention { awaited: None, again: None, .. } => {}
            Outcome::Held { .. } if guarded => {}
            end => return Ok(end),
        }
        let Claim { tenant, target, kind, resource, .. } = *self.claim;
        let link = self.store.link(tenant, target, kind, resource).await?;
        if link == loaded.link {
            return Ok(report::both(end, waits));
        }
        if let Some(plan) = self.claim.permit.filter(|_| !guarded) {
            // What a plan permitted was by the rules that still count; what waits now is something else.
            self.store.plan_change_ended(self.claim, plan, "applied", None).await?;
        }
        // What the other rules would do is told of the account as it is now.
        let loaded = LoadedUser { link, ..loaded.clone() };
        match self.under_new_rules(user, &loaded).await? {
            // Nothing of the account waits any more. Where the person belongs, and what they head, is still to be noted.
            NewRules::Count { decided } => {
                self.let_through().await?;
                self.deliver_by_rules(user, &loaded, decided).await
            }
            NewRules::Wait(outcome) => Ok(report::both(end, outcome)),
            NewRules::End(outcome) => Ok(outcome),
        }
    }

    pub(crate) fn wish(&self, mapped: Mapped, loaded: &LoadedUser, placing: Placing) -> Wish {
        let mut wish = Wish::new(self.claim.resource, mapped, loaded, placing, self.ready.mapping.names_successors());
        wish.hold_back(&loaded.overrides, self.ready.connector.schema());
        wish
    }

    pub(crate) fn plan_account(
        &self,
        wish: &Wish,
        desired: &Desired,
        observed: &Observed,
        link: Option<&Link>,
    ) -> Plan {
        let first = wish.userid.clone().unwrap_or_else(|| self.claim.resource.0.simple().to_string());
        let id = userid(&first, link, observed);
        plan(EntityKind::Account, desired, observed, Some(&id), self.ready.connector.schema())
    }

    /// Plans and acts until the wish is fulfilled, dropping an optional attribute that the target refuses; each
    /// turn drops one, so it ends.
    pub(crate) async fn fulfil(
        &self,
        mut wish: Wish,
        mut observed: Observed,
        loaded: &LoadedUser,
    ) -> Result<Outcome, Interrupt> {
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
                Verdict::Partly { by, rest, proposal } => {
                    wish.wait(by, rest, proposal);
                    continue;
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
            if matches!(action, Action::Create { .. }) && self.claim.let_through != self.claim.mapping_version {
                // An account that is made by the rules that count now has nothing of older ones, also when the delivery
                // goes on after that.
                held(self.store.let_through(self.claim).await?)?;
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
        let waits = wish.held.is_some() || wish.waits.is_some();
        if !waits {
            // Whatever somebody has to see to besides.
            self.let_through().await?;
        } else if let Some(plan) = self.claim.permit.filter(|_| wish.decided || wish.in_part) {
            // What waits is no part of the plan.
            self.store.plan_change_ended(self.claim, plan, "applied", None).await?;
        }
        Ok(ending(wish, loaded))
    }
}

/// What other rules than those by which an account is there mean for it.
pub(crate) enum NewRules {
    /// They count: they change nothing, or a plan permits what they change.
    Count { decided: bool },
    /// They would change something, which waits for a plan, or cannot be followed.
    Wait(Outcome),
    /// The delivery ends here.
    End(Outcome),
}

/// How a delivery ends when all of the wish is done that can be done.
pub(crate) fn ending(wish: Wish, loaded: &LoadedUser) -> Outcome {
    let manager_missing = loaded.manager.is_none() && loaded.manager_by != ManagerBy::Id;
    let Wish { mut findings, manager_awaited, manager_refused, wants, held: guarded, waits, .. } = wish;
    if let Some((by, rest, proposal)) = waits {
        return report::held_back(by, &rest, proposal, &findings);
    }
    if let Some((holds, proposal)) = guarded {
        return report::guarded(&holds, proposal, &findings);
    }
    if findings.is_empty() {
        return match (manager_refused, manager_awaited) {
            (Some(error), _) => ended(&error),
            (None, Some(manager)) => report::waits_for_manager(manager),
            (None, None) => Outcome::InStep,
        };
    }
    // A manager who is created in the same moment may not have seen that this person waits for them.
    let again = (manager_refused.is_some() || manager_missing).then_some(retry::LONGEST);
    findings.extend(manager_refused.as_ref().map(finding));
    Outcome::NeedsAttention { findings, awaited: manager_awaited.map(ResourceId), again, wants }
}

/// Whether somebody had an account before.
pub(crate) fn rejoins(link: Option<&Link>) -> bool {
    link.is_some_and(|link| link.generation > 1)
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
