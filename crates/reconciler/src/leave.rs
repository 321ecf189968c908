//! A user who has left, or was deleted: the account goes, in stages if the rules say so.
//!
//! What the person managed and headed is handed over first. When access ends the person is out of departments' heads, roles and chats, and an enterprise account is turned off;
//! some days later the account is removed. The days are ours: an identity provider may never speak of the person again.

use crate::act::{Acted, Interrupt, Job, ended, held};
use crate::contact::is_contact;
use crate::gate::{Asked, Verdict};
use crate::invitation::invited_leaver;
use crate::observe::{ARRIVAL, Seen, Sought};
use crate::report;
use rollcall_provisioning::connector::{NORMAL_ACCOUNT, account_kind};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Desired, EntityKind, Observed};
use rollcall_provisioning::guard::{Effect, Guard};
use rollcall_provisioning::ids::SourceId;
use rollcall_provisioning::mapping::{Mapping, Stages};
use rollcall_provisioning::plan::{Action, plan};
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::{Claim, Hold, Link, LoadedUser, TargetMode};
use serde_json::Value;
use time::{Duration as Span, OffsetDateTime};
use uuid::Uuid;

/// How long it is watched whether somebody who has left accepts an invitation all the same. DingTalk documents neither
/// how long one is good for nor a way to withdraw it.
const WATCH: Span = Span::days(90);

impl Job<'_> {
    /// Delivers the departure of a user, or of one whom the rules, or a person who undid something, have `left_out`, for
    /// this reason.
    pub(crate) async fn deliver_departure(
        &self,
        loaded: &LoadedUser,
        left_out: Option<&str>,
    ) -> Result<Outcome, Interrupt> {
        if is_contact(loaded.link.as_ref()) {
            let gone = || left_out.map_or(Outcome::Gone, |reason| Outcome::LeftOut { reason: reason.to_owned() });
            return Ok(self.remove_contact(loaded, left_out.is_none()).await?.unwrap_or_else(gone));
        }
        // A user who never was in the directory has no rules and nothing to hand over.
        let leaving = loaded.user.as_ref().filter(|_| left_out.is_none());
        let leaving = leaving.map(|user| (user, self.ask_rules(&user.attributes, loaded, Mapping::leaver)));
        let mut link = loaded.link.clone();
        let by_new_rules = left_out.is_some() && self.claim.let_through != self.claim.mapping_version;
        let goes_now = leaving.as_ref().is_none_or(|(_, leaving)| goes_now(leaving.stages, link.as_ref()));
        let beginning = Beginning { sent_by_source: leaving.is_some(), by_new_rules, goes_now };
        let asked = match self.may_begin(link.as_ref(), &beginning).await? {
            Begins::Held(outcome) => return Ok(outcome),
            Begins::Unasked => None,
            Begins::Asked(observed) => Some(observed),
        };
        let mut erase_on = None;
        if let Some((user, leaving)) = &leaving {
            // Before the person is displaced, which forgets the departments that they head.
            self.hand_over(leaving).await?;
            let since = self.store.link_leaving(self.claim, self.now).await?.unwrap_or(user.changed_at);
            erase_on = leaving.stages.erased_after_days.map(|days| since + Span::days(i64::from(days)));
            if let Some(outcome) = self.stay_for_now(leaving.stages, since, &mut link).await? {
                return Ok(outcome);
            }
        }
        let link = link.as_ref();
        if !by_new_rules {
            held(self.store.displace(self.claim).await?)?;
        }
        let is_asked = asked.is_some();
        let observed = match asked {
            Some(observed) => observed,
            None => match self.observe_before_loss(link).await? {
                Seen::Now(observed) => observed,
                Seen::Invited(awaited) if self.now - awaited.invited.last_at > WATCH => Observed::Absent,
                Seen::Invited(awaited) => return Ok(invited_leaver(awaited.invited.look_again(self.now))),
                Seen::End(outcome) => return Ok(outcome),
            },
        };
        let made = plan(EntityKind::Account, &Desired::Absent, &observed, None, self.ready.connector.schema());
        if let Some(action) = made.actions.first() {
            let step = Leaving { action, observed: &observed, sent_by_source: left_out.is_none(), by_new_rules };
            let sent = if is_asked { self.sent(&step).await? } else { self.send_leaver(&step, link).await? };
            if let Some(outcome) = sent {
                return Ok(outcome);
            }
            if let (Action::Delete { remote_id, .. }, true) = (action, self.creation_may_come().await?) {
                // DingTalk may carry out a creation that timed out after the account was created once more, and removed.
                held(self.store.link_unknown(self.claim, Some(remote_id)).await?)?;
                return Ok(report::creation_may_arrive(ARRIVAL));
            }
        }
        if made.actions.is_empty() && link.is_some_and(|link| link.invited.is_some()) {
            // The invitation is not watched any more, and its userid not asked for again.
            held(self.store.link_absent(self.claim, true).await?)?;
        }
        held(self.store.displace(self.claim).await?)?;
        held(self.store.placed(self.claim, &[]).await?)?;
        if !self.is_settled(loaded) {
            // Whoever was given them as manager while they were leaving has not been told by the departure itself. Told
            // is once: two whom the rules leave out, and who are each other's managers, would wake each other for ever.
            self.store.mark_dependents(self.claim).await?;
        }
        held(self.store.erase_on(self.claim, erase_on).await?)?;
        Ok(left_out.map_or(Outcome::Gone, |reason| Outcome::LeftOut { reason: reason.to_owned() }))
    }

    /// Whether the answer to a creation was lost so short a time ago that it may still happen, whatever was done since.
    async fn creation_may_come(&self) -> Result<bool, Interrupt> {
        Ok(self.store.creation_lost(self.claim, self.now - ARRIVAL).await?.is_some())
    }

    /// Asks before anything of a departure is done: what is held keeps the reports, the departments, the roles and the chats
    /// as they are. Whoever is on the way out already is asked again when the account is to go.
    ///
    /// What waits for a plan anyway is asked about later, so that the plan shows all that follows from it; but for a list that
    /// seems to be incomplete, and for too many who would lose their manager.
    async fn may_begin(&self, link: Option<&Link>, beginning: &Beginning) -> Result<Begins, Interrupt> {
        let Beginning { sent_by_source, by_new_rules, goes_now } = *beginning;
        let begins = |link: &&Link| link.observed != Observed::Absent && link.left_at.is_none();
        let Some(link) = link.filter(begins) else { return Ok(Begins::Unasked) };
        let waits_for_plan = self.claim.mode == TargetMode::Rehearsal || self.claim.adopted || by_new_rules;
        if waits_for_plan {
            if !sent_by_source {
                return Ok(Begins::Unasked);
            }
            let sources = self.senders(self.store.departed_by(self.claim).await?).await?;
            if self.store.standing_effects(self.claim, &sources).await?.is_empty() {
                return Ok(Begins::Unasked);
            }
        }
        let observed = match &link.observed {
            // Nothing is taken away yet that could not be given back.
            Observed::Known(_) if !goes_now && !waits_for_plan => link.observed.clone(),
            _ => match self.observe_before_loss(Some(link)).await? {
                Seen::Now(observed) => observed,
                Seen::Invited(_) => return Ok(Begins::Unasked),
                Seen::End(outcome) => return Ok(Begins::Held(outcome)),
            },
        };
        // Whatever days are between: who releases the departure releases its end.
        let made = plan(EntityKind::Account, &Desired::Absent, &observed, None, self.ready.connector.schema());
        let Some(action) = made.actions.first() else { return Ok(Begins::Unasked) };
        let step = Leaving { action, observed: &observed, sent_by_source, by_new_rules };
        Ok(match self.hold_leaver(&step, Some(link)).await? {
            Some(outcome) => Begins::Held(outcome),
            None if goes_now => Begins::Asked(observed),
            None => Begins::Unasked,
        })
    }

    /// The sources whose lists may be incomplete if they have sent the departure: the one that did, and all whose list the
    /// person was in.
    async fn senders(&self, departed_by: Option<SourceId>) -> Result<Vec<SourceId>, Interrupt> {
        let mut sources = self.store.sources_of(self.claim).await?;
        sources.extend(departed_by.filter(|source| !sources.contains(source)));
        Ok(sources)
    }

    /// Whether this departure has come to its end before.
    fn is_settled(&self, loaded: &LoadedUser) -> bool {
        let gone = loaded.link.as_ref().is_none_or(|link| link.observed == Observed::Absent);
        let version = loaded.user.as_ref().map(|user| user.version);
        gone && self.claim.applied_version == version && self.claim.let_through == self.claim.mapping_version
    }

    /// What is done to the account of somebody who has left before it goes; `None` when it goes now, or is not there.
    async fn stay_for_now(
        &self,
        stages: Stages,
        since: OffsetDateTime,
        known: &mut Option<Link>,
    ) -> Result<Option<Outcome>, Interrupt> {
        let Some(link) = known.as_ref().filter(|link| link.observed != Observed::Absent) else { return Ok(None) };
        let on = |days: u32| since + Span::days(i64::from(days));
        let removed_at = stages.removed_after_days.map(on);
        if link.removal_by.is_some() || removed_at.is_some_and(|at| at <= self.now) {
            return Ok(None);
        }
        if link.observed == Observed::Unknown {
            // Nobody is told that an account stays of which nobody knows whether it is there.
            if let Seen::End(outcome) = self.observe_account(Some(link), Sought::Unwanted).await? {
                return Ok(Some(outcome));
            }
            let Claim { tenant, target, kind, resource, .. } = *self.claim;
            *known = self.store.link(tenant, target, kind, resource).await?;
        }
        let Some(link) = known.as_ref().filter(|link| matches!(link.observed, Observed::Known(_))) else {
            return Ok(None);
        };
        let access_ends = on(stages.access_ended_after_days);
        if self.now < access_ends {
            return Ok(Some(report::leaves_on(access_ends, self.now)));
        }
        // First, because guards may hold it, and whoever is held stays where they are.
        if let Some(outcome) = self.turn_off(link).await? {
            return Ok(Some(outcome));
        }
        held(self.store.displace(self.claim).await?)?;
        held(self.store.access_ends(self.claim).await?)?;
        Ok(Some(match removed_at {
            Some(at) => report::removed_on(at, self.now),
            None => report::account_kept(),
        }))
    }

    /// Turns an enterprise account off, and ends its sessions. A normal one has no such switch (page
    /// `disable-an-exclusive-account`). Guards are asked by what is read right before.
    async fn turn_off(&self, link: &Link) -> Result<Option<Outcome>, Interrupt> {
        if account_kind(&link.snapshot).is_none_or(|kind| kind == NORMAL_ACCOUNT) {
            return Ok(None);
        }
        let is_off = link.snapshot.get(entity::ENABLED) == Some(&Value::Bool(false));
        if is_off && self.store.is_turned_off(self.claim).await? {
            return Ok(None);
        }
        let mut observed = match self.observe_before_loss(Some(link)).await? {
            Seen::Now(observed @ Observed::Known(_)) => observed,
            Seen::Now(_) | Seen::Invited(_) => return Ok(None),
            Seen::End(outcome) => return Ok(Some(outcome)),
        };
        if let Observed::Known(account) = &mut observed {
            // Nobody can read whether its sessions have ended, so it counts as in use until we have turned it off.
            account.attributes.insert(entity::ENABLED.to_owned(), Value::Bool(true));
        }
        let off = Desired::Present([(entity::ENABLED.to_owned(), Some(Value::Bool(false)))].into());
        let made = plan(EntityKind::Account, &off, &observed, None, self.ready.connector.schema());
        let Some(action) = made.actions.first() else { return Ok(None) };
        let step = Leaving { action, observed: &observed, sent_by_source: true, by_new_rules: false };
        self.send_leaver(&step, Some(link)).await
    }

    /// Guards count sources by their ids; people know their names.
    async fn name_sources(&self, holds: &mut [Hold]) -> Result<(), Interrupt> {
        for Hold { effect, arithmetic } in holds {
            if !matches!(effect.guard, Guard::SourceDeactivate | Guard::SourceEmpty) {
                continue;
            }
            let Ok(id) = Uuid::try_parse(&effect.scope) else { continue };
            if let Some(source) = self.store.source(self.claim.tenant, SourceId(id)).await? {
                *arithmetic = arithmetic.replace(&effect.scope, &source.name);
            }
        }
        Ok(())
    }

    /// Sends one step of a departure, if it may be sent. `None` when it was accepted.
    pub(crate) async fn send_leaver(
        &self,
        leaving: &Leaving<'_>,
        link: Option<&Link>,
    ) -> Result<Option<Outcome>, Interrupt> {
        if let Some(outcome) = self.hold_leaver(leaving, link).await? {
            return Ok(Some(outcome));
        }
        self.sent(leaving).await
    }

    async fn sent(&self, leaving: &Leaving<'_>) -> Result<Option<Outcome>, Interrupt> {
        Ok(match self.act(leaving.action, leaving.observed).await? {
            Acted::Done(_) => None,
            Acted::Refused(error) | Acted::Lost(error) => Some(ended(&error)),
        })
    }

    /// What holds one step of a departure. `None` when it may be sent.
    async fn hold_leaver(&self, leaving: &Leaving<'_>, link: Option<&Link>) -> Result<Option<Outcome>, Interrupt> {
        let Leaving { action, observed, sent_by_source, by_new_rules } = *leaving;
        let source = if sent_by_source { self.store.departed_by(self.claim).await? } else { None };
        let senders = if sent_by_source { self.senders(source).await? } else { Vec::new() };
        let mut effects = self.store.standing_effects(self.claim, &senders).await?;
        effects.extend(source.map(|source| Effect::new(Guard::SourceDeactivate, &source.to_string())));
        let asked = Asked {
            action,
            observed,
            besides: &effects,
            paths: &Paths::new(),
            manager_awaited: None,
            decided: false,
            by_operator: link.is_some_and(|link| link.removal_by.is_some()),
            by_new_rules,
        };
        Ok(match self.may(asked).await? {
            Verdict::Go { .. } => None,
            Verdict::Held { by, proposal } | Verdict::Partly { by, proposal, .. } => {
                Some(report::held_back(by, action, proposal, &[]))
            }
            Verdict::Guarded { mut holds, proposal, .. } => {
                self.name_sources(&mut holds).await?;
                Some(report::guarded(&holds, proposal, &[]))
            }
        })
    }
}

/// A departure that has not begun, as far as is known.
struct Beginning {
    /// Whether the source has sent it, and not the rules.
    sent_by_source: bool,
    by_new_rules: bool,
    /// Whether the account goes with it.
    goes_now: bool,
}

/// Whether a departure begins.
enum Begins {
    /// Something is in the way.
    Held(Outcome),
    /// Its end is asked about later.
    Unasked,
    /// It may, and so may its end, which is now; this is known of the account.
    Asked(Observed),
}

/// Whether the account goes at once when the person leaves.
fn goes_now(stages: Stages, link: Option<&Link>) -> bool {
    stages.removed_after_days == Some(0) || link.is_some_and(|link| link.removal_by.is_some())
}

/// A step of a departure.
#[derive(Clone, Copy)]
pub(crate) struct Leaving<'a> {
    pub(crate) action: &'a Action,
    pub(crate) observed: &'a Observed,
    /// Whether the source has sent it, and not the rules.
    pub(crate) sent_by_source: bool,
    pub(crate) by_new_rules: bool,
}
