//! A user who has left, or was deleted: the account goes.

use crate::act::{Acted, Interrupt, Job, ended, held};
use crate::gate::{Asked, Verdict};
use crate::observe::{Seen, Sought};
use crate::report;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Desired, EntityKind, Observed};
use rollcall_provisioning::guard::{Effect, Guard};
use rollcall_provisioning::mapping::Verdict as ScopeVerdict;
use rollcall_provisioning::plan::plan;
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::LoadedUser;
use time::Duration as Span;

/// How long it is watched whether somebody who has left accepts an invitation all the same. DingTalk documents neither
/// how long one is good for nor a way to withdraw it.
const WATCH: Span = Span::days(90);

impl Job<'_> {
    /// Delivers the departure of a user, or of one whom the rules have `left_out`.
    pub(crate) async fn deliver_departure(
        &self,
        loaded: &LoadedUser,
        left_out: Option<&ScopeVerdict>,
    ) -> Result<Outcome, Interrupt> {
        let link = loaded.link.as_ref();
        let by_new_rules = left_out.is_some() && self.claim.let_through != self.claim.mapping_version;
        if !by_new_rules {
            held(self.store.displace(self.claim).await?)?;
        }
        let observed = match self.observe_account(link, Sought::Unwanted).await? {
            Seen::Now(observed) => observed,
            Seen::Invited(since) if since > WATCH => Observed::Absent,
            Seen::Invited(since) => return Ok(report::invited_leaver(since)),
            Seen::End(outcome) => return Ok(outcome),
        };
        let made = plan(EntityKind::Account, &Desired::Absent, &observed, None, self.ready.connector.schema());
        for action in &made.actions {
            let source = self.store.departed_by(self.claim).await?;
            let sent = source
                .filter(|_| left_out.is_none())
                .map(|source| Effect::new(Guard::SourceDeactivate, &source.to_string()));
            let asked = Asked {
                action,
                observed: &observed,
                besides: sent.as_slice(),
                paths: &Paths::new(),
                manager_awaited: None,
                decided: false,
                by_new_rules,
            };
            match self.may(asked).await? {
                Verdict::Go { .. } => {}
                Verdict::Held { by, proposal } => return Ok(report::held_back(by, action, proposal, &[])),
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
        held(self.store.displace(self.claim).await?)?;
        held(self.store.placed(self.claim, &[]).await?)?;
        // Whoever was given them as manager while they were leaving has not been told by the departure itself.
        self.store.mark_dependents(self.claim).await?;
        Ok(left_out.map_or(Outcome::Gone, |scope| Outcome::LeftOut { reason: scope.reason() }))
    }
}
