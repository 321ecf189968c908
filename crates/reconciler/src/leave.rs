//! A user who has left, or was deleted: the account goes.

use crate::act::{Acted, Interrupt, Job, ended, held};
use crate::observe::Seen;
use crate::report;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Desired, EntityKind, Observed};
use rollcall_provisioning::plan::plan;
use rollcall_store::projection::{LoadedUser, TargetMode};

impl Job<'_> {
    /// Delivers the departure of a user.
    pub(crate) async fn deliver_departure(&self, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        let observed = match self.observe_account(loaded.link.as_ref(), None).await? {
            Seen::Now(observed) => observed,
            // An invitation that is still open could be accepted tomorrow, so it is watched; one that was not
            // answered for two weeks is forgotten, since the person is not to come anyway.
            Seen::End(Outcome::NeedsAttention(_)) => Observed::Absent,
            Seen::End(outcome) => return Ok(outcome),
        };
        let made = plan(EntityKind::Account, &Desired::Absent, &observed, None, self.ready.connector.schema());
        if self.ready.target.mode == TargetMode::Rehearsal && !made.actions.is_empty() {
            return Ok(report::rehearsed(&made));
        }
        for action in &made.actions {
            match self.act(action, &observed).await? {
                Acted::Done(_) => {}
                Acted::Refused(error) | Acted::Lost(error) => return Ok(ended(&error)),
            }
        }
        held(self.store.displace(self.claim).await?)?;
        held(self.store.placed(self.claim, None).await?)?;
        if !made.actions.is_empty() {
            self.store.wake_conflicts(self.claim).await?;
        }
        Ok(Outcome::Gone)
    }
}
