//! Whether what is to be done to a role or chat and its members may be sent: all of it is judged at once.

use crate::act::{Interrupt, Job};
use crate::gate::before;
use rollcall_provisioning::delivery::HeldBy;
use rollcall_provisioning::entity::Observed;
use rollcall_provisioning::guard::{Effect, Guard};
use rollcall_provisioning::plan::Action;
use rollcall_provisioning::proposal::{MEMBERS_ADDED, MEMBERS_REMOVED, Movement, Proposal};
use rollcall_store::projection::{Hold, Passage, TargetMode};
use serde_json::Value;

/// What somebody wants to send, besides members who come and go.
pub(crate) struct GroupStep<'a> {
    /// What concerns the role or chat itself.
    pub(crate) action: Option<&'a Action>,
    /// What is known of it.
    pub(crate) observed: &'a Observed,
}

/// The answer.
pub(crate) enum GroupVerdict {
    /// It may be sent, but for members who are to leave, if a guard holds those.
    Go { held: Option<(Vec<Hold>, Proposal)> },
    /// It waits for a plan.
    Held { by: HeldBy, proposal: Proposal },
}

impl Job<'_> {
    /// Asks whether a step and all that is to be done to members may be sent.
    pub(crate) async fn may_group(&self, step: &GroupStep<'_>) -> Result<GroupVerdict, Interrupt> {
        let counts = self.store.member_counts(self.claim).await?;
        let removal = Effect::new(Guard::MembersRemove, &self.claim.resource.to_string());
        let waits_for_plan = self.waits_for_plan();
        // Whoever waits for an account comes by the same plan as that.
        let come = counts.to_add > 0 || counts.waiting > 0 && waits_for_plan.is_some();
        if step.action.is_none() && !come && counts.to_remove == 0 {
            return Ok(GroupVerdict::Go { held: None });
        }
        if let Some(by) = waits_for_plan {
            let added = self.store.member_movement(self.claim, true).await?;
            let removed = self.store.member_movement(self.claim, false).await?;
            let action = step.action.map(|action| (action, before(step.observed)));
            let proposal = Proposal::of_group(action, (&added, &removed), &removal);
            if self.permits_group(&proposal).await? {
                self.pass_removals(&removal, counts.to_remove, true).await?;
                return Ok(GroupVerdict::Go { held: None });
            }
            return self.offered((&added, &removed), GroupVerdict::Held { by, proposal }).await;
        }
        let Some(holds) = self.pass_removals(&removal, counts.to_remove, false).await? else {
            return Ok(GroupVerdict::Go { held: None });
        };
        let (added, removed) = (Movement::default(), self.store.member_movement(self.claim, false).await?);
        // If the entity itself is to go, that is held with its members.
        let action = step.action.filter(|action| matches!(action, Action::Delete { .. }));
        let action = action.map(|action| (action, before(step.observed)));
        let proposal = Proposal::of_group(action, (&added, &removed), &removal);
        if self.permits_group(&proposal).await? {
            self.pass_removals(&removal, counts.to_remove, true).await?;
            return Ok(GroupVerdict::Go { held: None });
        }
        self.offered((&added, &removed), GroupVerdict::Go { held: Some((holds, proposal)) }).await
    }

    /// What keeps everything back that no plan permits.
    pub(crate) fn waits_for_plan(&self) -> Option<HeldBy> {
        match self.claim.mode {
            TargetMode::Rehearsal => Some(HeldBy::Rehearsal),
            _ if self.claim.let_through != self.claim.mapping_version => {
                Some(HeldBy::Mapping(self.claim.mapping_version))
            }
            _ => None,
        }
    }

    /// Remembers of each member in which plan it is shown.
    async fn offered(
        &self,
        movements: (&Movement, &Movement),
        verdict: GroupVerdict,
    ) -> Result<GroupVerdict, Interrupt> {
        if self.store.offer_members(self.claim, movements).await? { Ok(verdict) } else { Err(Interrupt::LostClaim) }
    }

    /// What holds the members who are to leave; `None` when they may go, and are counted.
    async fn pass_removals(&self, removal: &Effect, number: i64, urgent: bool) -> Result<Option<Vec<Hold>>, Interrupt> {
        if number == 0 {
            return Ok(None);
        }
        match self.store.pass_removals(self.claim, removal, urgent).await? {
            Passage::Free => Ok(None),
            Passage::Held(holds) => Ok(Some(holds)),
            Passage::LostClaim => Err(Interrupt::LostClaim),
        }
    }

    /// Whether the plan that permits this delivery, if there is one, says the same, also of each member.
    async fn permits_group(&self, proposal: &Proposal) -> Result<bool, Interrupt> {
        let Some(plan) = self.claim.permit else { return Ok(false) };
        let Some(planned) = self.store.permitted(self.claim, plan).await? else { return Ok(false) };
        let (added, removed) =
            (set(&planned.proposal, MEMBERS_ADDED, "after"), set(&planned.proposal, MEMBERS_REMOVED, "before"));
        if proposal.is_within(&planned.proposal) && self.store.were_offered(self.claim, added, removed).await? {
            return Ok(true);
        }
        let detail = "Something else is to be done by now; it is held again and needs a new plan.";
        self.store.plan_change_ended(self.claim, plan, "moved", Some(detail)).await?;
        Ok(false)
    }
}

/// What tells the members of a plan from others; nothing if it has none.
fn set<'a>(planned: &'a Value, attribute: &str, side: &str) -> &'a str {
    let lines = planned.get("lines").and_then(Value::as_array);
    let line =
        lines.into_iter().flatten().find(|line| line.get("attribute").and_then(Value::as_str) == Some(attribute));
    line.and_then(|line| line.get(side)?.get("set")?.as_str()).unwrap_or_default()
}
