//! Asking the guards before something is sent that a person may want to be asked about.

use crate::act::{Interrupt, Job};
use rollcall_provisioning::entity::{Attributes, Observed};
use rollcall_provisioning::guard::{Effect, effects};
use rollcall_provisioning::plan::Action;
use rollcall_store::projection::{Hold, Passage};

impl Job<'_> {
    /// What holds `action`, with further effects that it has by its cause. Nothing, when it may go.
    pub(crate) async fn held_back(
        &self,
        action: &Action,
        observed: &Observed,
        besides: &[Effect],
    ) -> Result<Vec<Hold>, Interrupt> {
        let mut effects = effects(action, before(observed));
        effects.extend_from_slice(besides);
        effects.retain(|effect| effect.guard.watches_live());
        if effects.is_empty() {
            return Ok(Vec::new());
        }
        match self.store.pass(self.claim, &effects, &self.ready.target.guards, false).await? {
            Passage::Free => Ok(Vec::new()),
            Passage::Held(holds) => Ok(holds),
            Passage::LostClaim => Err(Interrupt::LostClaim),
        }
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
