//! The first password of an account whose sign-in the target keeps: made right before the account is, and kept nowhere but
//! sealed, where an operator is to fetch it.

use crate::act::{Interrupt, Job};
use crate::connectors::{FactoryError, FirstPassword};
use crate::delivery::unusable;
use rollcall_provisioning::connector::account_kind;
use rollcall_provisioning::mapping::PersonKind;
use rollcall_provisioning::plan::Action;

impl Job<'_> {
    /// The creation with a password, if it is that of an account which needs one; `None` for every other action.
    pub(crate) async fn with_first_password(&self, action: &Action) -> Result<Option<Action>, Interrupt> {
        let Action::Create { kind, remote_id: Some(userid), attributes, .. } = action else { return Ok(None) };
        if account_kind(attributes) != Some(PersonKind::DingTalk.as_str()) {
            return Ok(None);
        }
        let (factory, target, user) = (&self.ready.factory, &self.ready.target, self.claim.resource);
        let stopped = |error: FactoryError| Interrupt::Stopped(unusable(&error));
        let FirstPassword { mut password, sealed } = factory.first_password(target, user).map_err(stopped)?;
        if let Some(sealed) = sealed {
            let kept = self.store.keep_first_password(self.claim, userid, &sealed).await?;
            let kept = kept.ok_or(Interrupt::LostClaim)?;
            if kept != sealed {
                password = factory.kept_password(target, user, &kept).map_err(stopped)?;
            }
        }
        let (remote_id, attributes) = (Some(userid.clone()), attributes.clone());
        Ok(Some(Action::Create { kind: *kind, remote_id, attributes, password: Some(password) }))
    }
}
