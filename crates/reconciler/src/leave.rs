//! A user who has left, or was deleted: the account goes.

use crate::act::{Acted, Interrupt, Job, ended, held};
use crate::gate::{Asked, Verdict};
use crate::observe::{Seen, Sought};
use crate::report;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Desired, EntityKind, Observed};
use rollcall_provisioning::guard::{Effect, Guard};
use rollcall_provisioning::plan::plan;
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::LoadedUser;
use time::Duration as Span;

/// How long it is watched whether somebody who has left accepts an invitation all the same. DingTalk documents neither
/// how long one is good for nor a way to withdraw it.
const WATCH: Span = Span::days(90);

impl Job<'_> {
    /// Delivers the departure of a user.
    pub(crate) async fn deliver_departure(&self, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        let link = loaded.link.as_ref();
        held(self.store.displace(self.claim).await?)?;
        let observed = match self.observe_account(link, Sought::Unwanted).await? {
            Seen::Now(observed) => observed,
            Seen::Invited(since) if since > WATCH => Observed::Absent,
            Seen::Invited(since) => return Ok(report::invited_leaver(since)),
            Seen::End(outcome) => return Ok(outcome),
        };
        let made = plan(EntityKind::Account, &Desired::Absent, &observed, None, self.ready.connector.schema());
        for action in &made.actions {
            let source = self.store.departed_by(self.claim).await?;
            let sent = source.map(|source| Effect::new(Guard::SourceDeactivate, &source.to_string()));
            let asked = Asked {
                action,
                observed: &observed,
                besides: sent.as_slice(),
                paths: &Paths::new(),
                manager_awaited: None,
                decided: false,
            };
            match self.may(asked).await? {
                Verdict::Go { .. } => {}
                Verdict::Rehearsed(proposal) => return Ok(report::rehearsed(action, proposal, &[])),
                Verdict::Adopted(proposal) => return Ok(report::adopted(action, proposal, &[])),
                Verdict::Guarded { holds, proposal, .. } => return Ok(report::guarded(&holds, proposal, &[])),
            }
            match self.act(action, &observed).await? {
                Acted::Done(_) => {}
                Acted::Refused(error) | Acted::Lost(error) => return Ok(ended(&error)),
            }
        }
        if made.actions.is_empty() && link.is_some_and(|link| link.invited_at.is_some()) {
            // The invitation is not watched any more, and its userid not asked for again.
            held(self.store.link_absent(self.claim, true).await?)?;
        }
        held(self.store.placed(self.claim, &[]).await?)?;
        // Whoever was given them as manager while they were leaving has not been told by the departure itself.
        self.store.mark_dependents(self.claim).await?;
        Ok(Outcome::Gone)
    }
}
