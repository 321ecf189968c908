//! Whether a step may be sent: not in rehearsal, not past a guard, not against what is marked or newly adopted, unless a
//! plan permits exactly that.

use crate::act::{Interrupt, Job, Later};
use crate::report;
use rollcall_provisioning::allowance::{Allowance, Period};
use rollcall_provisioning::delivery::HeldBy;
use rollcall_provisioning::entity::{self, Attributes, EntityKind, Observed};
use rollcall_provisioning::guard::{Effect, Guard, attributes_with, effects};
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::proposal::{Line, Paths, Proposal};
use rollcall_provisioning::window::Nature;
use rollcall_store::projection::{Hold, Passage, TargetMode};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

/// A step that somebody wants to send.
pub(crate) struct Asked<'a> {
    pub(crate) action: &'a Action,
    /// What is known of the entity.
    pub(crate) observed: &'a Observed,
    /// Effects that it has by its cause.
    pub(crate) besides: &'a [Effect],
    /// The paths of the departments that it names.
    pub(crate) paths: &'a Paths,
    /// The manager who follows as soon as they are at the target.
    pub(crate) manager_awaited: Option<Uuid>,
    /// A plan has permitted an earlier step of the same delivery.
    pub(crate) decided: bool,
    /// An operator has decided this step: only a mark can stop it, and what takes two people always.
    pub(crate) by_operator: bool,
    /// It follows from other rules than those by which the entity is there.
    pub(crate) by_new_rules: bool,
}

/// The answer.
pub(crate) enum Verdict {
    /// It may be sent. Whether a plan says so.
    Go { decided: bool },
    /// It waits for a plan.
    Held { by: HeldBy, proposal: Proposal },
    /// This part of it waits for a plan; the other attributes may be asked about again.
    Partly { by: HeldBy, rest: Action, proposal: Proposal },
    /// Guards hold these attributes of it; of anything but an update, all of it.
    Guarded { holds: Vec<Hold>, attributes: BTreeSet<String>, proposal: Proposal },
}

impl Verdict {
    /// `attributes` of an update wait for a plan, the others do not.
    fn partly(by: HeldBy, action: &Action, attributes: &BTreeSet<String>, proposal: Proposal) -> Self {
        let others = action.attributes().into_iter().filter(|name| !attributes.contains(*name)).map(str::to_owned);
        match action.without(&others.collect()) {
            Some(rest) => Self::Partly { by, rest, proposal: proposal.only(attributes) },
            None => Self::Held { by, proposal },
        }
    }
}

/// What a plan allows of a step.
enum Leave {
    /// All of it.
    All,
    /// All but these attributes, of which it says nothing.
    But(BTreeSet<String>),
    /// Nothing.
    None,
}

impl Job<'_> {
    /// Asks whether a step may be sent.
    pub(crate) async fn may(&self, asked: Asked<'_>) -> Result<Verdict, Interrupt> {
        let Asked { action, observed, besides, decided, .. } = asked;
        self.is_not_denied(Nature::of(action))?;
        let mut effects = effects(action, before(observed));
        effects.extend_from_slice(besides);
        effects.retain(|effect| effect.guard.watches_live());
        if decided {
            return self.go(&effects).await;
        }
        if let Some(mark) = self.store.mark_against(self.claim, action.kind(), action.remote_id()).await? {
            let proposal = self.proposal(&asked).await?.protected();
            let hold = Hold { effect: Effect::new(Guard::Protected, ""), arithmetic: report::marked(&mark) };
            return match self.leave(&asked, &proposal).await? {
                Leave::All => self.go(&effects).await,
                Leave::But(attributes) => {
                    let proposal = proposal.only(&attributes);
                    Ok(Verdict::Guarded { holds: vec![hold], attributes, proposal })
                }
                Leave::None => Ok(Verdict::Guarded { holds: vec![hold], attributes: BTreeSet::new(), proposal }),
            };
        }
        // One person alone may not lock the organisation out.
        if asked.by_operator && !effects.iter().any(|effect| effect.guard.is_absolute()) {
            return self.go(&effects).await;
        }
        let waits_for_plan = match self.claim.mode {
            _ if self.claim.adopted => Some(HeldBy::Adoption),
            TargetMode::Rehearsal => Some(HeldBy::Rehearsal),
            _ if asked.by_new_rules => Some(HeldBy::Mapping(self.claim.mapping_version)),
            _ => None,
        };
        if let Some(by) = waits_for_plan {
            let proposal = self.proposal(&asked).await?;
            return match self.leave(&asked, &proposal).await? {
                Leave::All => self.go(&effects).await,
                Leave::But(attributes) => Ok(Verdict::partly(by, action, &attributes, proposal)),
                Leave::None => Ok(Verdict::Held { by, proposal }),
            };
        }
        if effects.is_empty() {
            return Ok(Verdict::Go { decided: false });
        }
        let mut holds = match self.store.pass(self.claim, &effects, false).await? {
            Passage::Free => return Ok(Verdict::Go { decided: false }),
            Passage::Held(holds) => holds,
            Passage::LostClaim => return Err(Interrupt::LostClaim),
        };
        let held: Vec<Effect> = holds.iter().map(|hold| hold.effect.clone()).collect();
        let mut attributes = attributes_with(action, before(observed), &held).into_iter().map(str::to_owned).collect();
        let mut proposal = self.proposal(&asked).await?;
        if let Action::Update { .. } = action {
            proposal = proposal.only(&attributes);
        }
        match self.leave(&asked, &proposal).await? {
            Leave::All => return self.go(&effects).await,
            Leave::But(beyond) => {
                holds.retain(|hold| {
                    let held = attributes_with(action, before(observed), std::slice::from_ref(&hold.effect));
                    held.into_iter().any(|name| beyond.contains(name))
                });
                proposal = proposal.only(&beyond);
                attributes = beyond;
            }
            Leave::None => {}
        }
        Ok(Verdict::Guarded { holds, attributes, proposal })
    }

    /// Refuses what a deny window of the target denies now. A rehearsal sends nothing anyway.
    pub(crate) fn is_not_denied(&self, nature: Nature) -> Result<(), Interrupt> {
        if self.claim.mode == TargetMode::Rehearsal {
            return Ok(());
        }
        let Some(closed) = self.ready.target.windows.closed(nature, self.now) else { return Ok(()) };
        let until = closed.until.time();
        let reason = format!(
            "The deny window \"{}\" is open until {} {:02}:{:02} UTC; this is sent then.",
            closed.name,
            closed.until.date(),
            until.hour(),
            until.minute()
        );
        Err(Interrupt::Later(Later { until: closed.until, cause: (None, "deny_window".to_owned()), reason }))
    }

    /// Refuses what is more than the target may be sent, until the next day or month begins. Whoever loses their access does
    /// not wait for it.
    pub(crate) async fn is_allowed_for(&self, nature: Nature) -> Result<(), Interrupt> {
        let allowance = Allowance::of(&self.ready.target.settings);
        if !allowance.is_limited() || nature == Nature::EndsAccess {
            return Ok(());
        }
        let spent = self.store.calls_spent(self.claim.tenant, self.claim.target).await?;
        let Some(left) = allowance.left(spent).filter(|left| left.calls == 0) else { return Ok(()) };
        let until = left.period.next(self.now);
        let reason = format!(
            "The {} calls that the target may be sent {} are used up; this is sent from {} 00:00 UTC on. The setting \
             calls_per_{} says how many there are.",
            left.of,
            left.period.as_str(),
            until.date(),
            if left.period == Period::Day { "day" } else { "month" }
        );
        Err(Interrupt::Later(Later { until, cause: (None, "calls_used_up".to_owned()), reason }))
    }

    /// A person has decided: the guards only count.
    async fn go(&self, effects: &[Effect]) -> Result<Verdict, Interrupt> {
        if !effects.is_empty() && self.store.pass(self.claim, effects, true).await? == Passage::LostClaim {
            return Err(Interrupt::LostClaim);
        }
        Ok(Verdict::Go { decided: true })
    }

    /// How much of a step the plan that permits this delivery, if there is one, allows.
    async fn leave(&self, asked: &Asked<'_>, proposal: &Proposal) -> Result<Leave, Interrupt> {
        let Some(plan) = self.claim.permit else { return Ok(Leave::None) };
        let Some(planned) = self.store.permitted(self.claim, plan).await? else { return Ok(Leave::None) };
        if proposal.is_within(&planned.proposal) {
            return Ok(Leave::All);
        }
        let narrows = planned.undoes && matches!(asked.action, Action::Update { .. });
        // An account that is there by other rules is asked about once more by those.
        let is_asked_again = asked.by_new_rules && asked.action.kind() == EntityKind::Account;
        if let Some(mut beyond) = proposal.beyond(&planned.proposal).filter(|_| narrows && !is_asked_again) {
            // A manager who follows later is no part of this step.
            let touched = asked.action.attributes();
            beyond.retain(|name| touched.contains(&name.as_str()));
            return Ok(if beyond.is_empty() { Leave::All } else { Leave::But(beyond) });
        }
        if asked.by_new_rules {
            // The plan may have been made of what is to be done by the rules that still count for the account.
            return Ok(Leave::None);
        }
        let detail = "Something else is to be done by now; it is held again and needs a new plan.";
        self.store.plan_change_ended(self.claim, plan, "moved", Some(detail)).await?;
        Ok(Leave::None)
    }

    /// The step in words.
    async fn proposal(&self, asked: &Asked<'_>) -> Result<Proposal, Interrupt> {
        let unknown = self.unknown_units(asked);
        let paths = self.store.unit_paths((self.claim.tenant, self.claim.target), &unknown).await?;
        Ok(self.in_words(asked, paths))
    }

    /// The departments that the step or the entity names and whose paths are not known, by their remote ids.
    pub(crate) fn unknown_units<'a>(&self, asked: &Asked<'a>) -> Vec<&'a str> {
        let had = before(asked.observed).get(entity::ORG_UNITS).and_then(Value::as_array);
        let parent = before(asked.observed).get(entity::PARENT).and_then(Value::as_str);
        let root = self.ready.connector.root_org_unit();
        let names = had.into_iter().flatten().filter_map(Value::as_str).chain(parent);
        names.filter(|id| *id != root && !asked.paths.contains_key(*id)).collect()
    }

    /// The step in words, with `paths` of the departments that were unknown, and with the manager who is to follow.
    pub(crate) fn in_words(&self, asked: &Asked<'_>, mut paths: Paths) -> Proposal {
        paths.extend(asked.paths.iter().map(|(id, path)| (id.clone(), path.clone())));
        paths.insert(self.ready.connector.root_org_unit().to_owned(), "/".to_owned());
        let mut proposal = Proposal::new(asked.action, before(asked.observed), &paths);
        let by_standing = asked.besides.iter().filter(|effect| effect.guard.looks_at_standing());
        proposal.effects.extend(by_standing.map(Effect::key));
        if let (Some(manager), Action::Create { .. } | Action::Update { .. }) = (asked.manager_awaited, asked.action) {
            let had = before(asked.observed).get(entity::MANAGER).cloned();
            let follows = Some(json!(manager.simple().to_string()));
            // While a call for the manager is under way they are awaited, although nothing changes.
            if had != follows {
                proposal.lines.push(Line { attribute: entity::MANAGER.to_owned(), before: had, after: follows });
            }
        }
        proposal
    }
}

/// What an entity had before a step.
pub(crate) fn before(observed: &Observed) -> &Attributes {
    static NOTHING: Attributes = Attributes::new();
    match observed {
        Observed::Known(entity) => &entity.attributes,
        Observed::Absent | Observed::Unknown => &NOTHING,
    }
}
