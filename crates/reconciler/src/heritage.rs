//! What a leaver hands over: those who report to them, and the departments that they head.

use crate::act::{Interrupt, Job, held};
use rollcall_provisioning::mapping::{Leaving, Reference};
use rollcall_store::projection::{NewHandover, Successor};
use uuid::Uuid;

/// How many leavers in a row may have handed over to each other.
const MOST_STEPS: usize = 8;

impl Job<'_> {
    /// Notes who takes over from the claim's person. Of somebody who has nothing to hand over nothing is noted, unless the
    /// rules name successors: then whoever may report to them later finds it.
    pub(crate) async fn hand_over(&self, leaving: &Leaving) -> Result<(), Interrupt> {
        if !self.ready.mapping.names_successors() && !self.store.has_heritage(self.claim).await? {
            return Ok(());
        }
        let (named, successor) = match &leaving.successor {
            _ if leaving.finding.is_some() => (None, Err("rule_failed")),
            Reference::LeftAlone => (None, Err("no_rule")),
            Reference::Nobody => (None, Err("nobody")),
            Reference::To(named) => (Some(named.as_str()), self.successor(named).await?),
        };
        held(self.store.hand_over(self.claim, &NewHandover { named, successor }).await?)
    }

    /// Whom a name means, or why nobody. Whoever has left in turn stands for the one who took over from them.
    async fn successor(&self, named: &str) -> Result<Result<Uuid, &'static str>, Interrupt> {
        let mut found = match self.store.successors(self.claim, named).await?.as_slice() {
            [] => return Ok(Err("unknown")),
            [one] => *one,
            [..] => return Ok(Err("several")),
        };
        for _ in 0..MOST_STEPS {
            if found.id == self.claim.resource.0 {
                return Ok(Err("left"));
            }
            if found.present {
                return Ok(Ok(found.id));
            }
            let Some(id) = self.store.heir(self.claim, found.id).await? else { return Ok(Err("left")) };
            let present = self.store.is_present(self.claim, id.into()).await?;
            found = Successor { id, present };
        }
        Ok(Err("left"))
    }
}
