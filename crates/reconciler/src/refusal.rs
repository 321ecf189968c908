//! What it means for a person when the target refuses an action on their account.

use crate::act::{Interrupt, Job, ended, finding, held};
use crate::invitation::Awaited;
use crate::observe::asked_for;
use crate::report;
use crate::wish::Wish;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, EntityKind, Observed};
use rollcall_provisioning::ids::{ResourceId, ResourceKind};
use rollcall_provisioning::plan::Action;
use rollcall_store::projection::{Handover, LoadedUser};

/// An action that the target refused, with what was known when it was tried.
#[derive(Clone, Copy)]
pub(crate) struct Refusal<'a> {
    pub(crate) error: &'a ConnectorError,
    pub(crate) action: &'a Action,
    pub(crate) observed: &'a Observed,
    pub(crate) loaded: &'a LoadedUser,
}

impl Job<'_> {
    /// What a refusal means. `None`: the wish was changed and is tried again.
    pub(crate) async fn refused(&self, refusal: &Refusal<'_>, wish: &mut Wish) -> Result<Option<Outcome>, Interrupt> {
        let Refusal { error, action, observed, loaded } = *refusal;
        match (error.class, error.attribute) {
            (ErrorClass::Invited, _) => {
                let Action::Create { attributes, .. } = action else { return Ok(Some(ended(error))) };
                let invited = self.store.link_invited(self.claim, attributes).await?.ok_or(Interrupt::LostClaim)?;
                let awaited = Awaited { invited, number: wish.mobile().unwrap_or_default().to_owned() };
                Ok(Some(self.awaits(&awaited, loaded.link.as_ref())))
            }
            (ErrorClass::NotFound, _) => {
                // Somebody removed the account by hand: it is read first, then made anew.
                held(self.store.link_unknown(self.claim, None).await?)?;
                Ok(Some(ended(error)))
            }
            (ErrorClass::MissingReference, Some(entity::MANAGER)) => {
                // The account is served without the manager, who is read again; then it is tried ever more slowly,
                // because the target may go on to contradict itself.
                if wish.attributes.remove(entity::MANAGER).is_none() {
                    return Ok(Some(ended(error)));
                }
                if let Some(manager) = &loaded.manager {
                    let named = match manager.handover {
                        Some(Handover::To(heir, _)) if !manager.present => heir,
                        _ => manager.id,
                    };
                    self.store.link_doubted(self.claim, ResourceKind::User, ResourceId(named)).await?;
                }
                wish.manager_refused = Some(error.clone());
                Ok(None)
            }
            (ErrorClass::MissingReference, Some(entity::ORG_UNITS)) => {
                // The answer does not say which of them is missing.
                for unit in wish.units() {
                    self.store.link_doubted(self.claim, ResourceKind::OrgUnit, ResourceId(*unit)).await?;
                }
                Ok(Some(ended(error)))
            }
            (ErrorClass::Conflict, Some(entity::MOBILE)) if *observed == Observed::Absent => {
                Ok(Some(self.mobile_taken(error, wish).await?))
            }
            (ErrorClass::Conflict, None) if *observed == Observed::Absent => {
                let Action::Create { remote_id: Some(remote_id), .. } = action else { return Ok(Some(ended(error))) };
                if asked_for(remote_id) == Some(self.claim.resource) {
                    return Ok(Some(self.ours_already(remote_id, error).await?));
                }
                // A rule made the userid: whoever has it may be anybody.
                Ok(Some(report::userid_taken(remote_id)))
            }
            (ErrorClass::Invalid | ErrorClass::Conflict | ErrorClass::Forbidden, Some(attribute))
                if self.optional(attribute, wish) =>
            {
                if error.class == ErrorClass::Conflict {
                    wish.taken(attribute);
                }
                wish.attributes.remove(attribute);
                wish.findings.push(finding(error));
                Ok(None)
            }
            _ => Ok(Some(ended(error))),
        }
    }

    fn optional(&self, attribute: &str, wish: &Wish) -> bool {
        let spec = self.ready.connector.schema().attribute(EntityKind::Account, attribute);
        spec.is_some_and(|spec| !spec.required) && wish.attributes.contains_key(attribute)
    }

    /// The account is this person's own: an earlier creation took effect although it did not look so. It is read, and
    /// that it is ours is remembered until then.
    async fn ours_already(&self, remote_id: &str, error: &ConnectorError) -> Result<Outcome, Interrupt> {
        held(self.store.link_unknown(self.claim, Some(remote_id)).await?)?;
        Ok(Outcome::Failed {
            class: ErrorClass::Transient,
            code: error.code.clone(),
            message: error.message.clone(),
            retry_after: None,
        })
    }

    /// Names the account that has the number, so that a person knows where to look, unless it is this person's own.
    async fn mobile_taken(&self, error: &ConnectorError, wish: &mut Wish) -> Result<Outcome, Interrupt> {
        let mut found = finding(error);
        if let Some(mobile) = wish.mobile()
            && let Ok(Some(holder)) = self.ready.connector.account_by_mobile(mobile).await
        {
            if asked_for(&holder) == Some(self.claim.resource) && !self.store.is_parted(self.claim, &holder).await? {
                return self.ours_already(&holder, error).await;
            }
            found.advice = match self.store.linked_resource(self.claim, &holder).await? {
                Some(resource) => format!(
                    "It belongs to DingTalk account {holder}, which is user {resource} of this directory. \
                     Give one of the two another number at the source."
                ),
                None => format!(
                    "It belongs to DingTalk account {holder}, which Rollcall does not manage. Correct the number \
                     at the source, or remove that account in DingTalk and retry."
                ),
            };
        }
        let wants = wish.taken(entity::MOBILE);
        Ok(Outcome::NeedsAttention { findings: vec![found], awaited: None, again: None, wants })
    }
}
