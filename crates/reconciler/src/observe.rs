//! What is at the target: remembered when it is known, read when it is not.

use crate::act::{Interrupt, Job, held, unread};
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Entity, Observed};
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::Link;
use time::Duration as Span;

/// What an observation found.
pub(crate) enum Seen {
    /// This is there (or nothing is).
    Now(Observed),
    /// The delivery ends here.
    End(Outcome),
}

/// How long an invitation may stay unanswered before a person is told.
const INVITATION_PATIENCE: Span = Span::days(14);

impl Job<'_> {
    /// The account of a link. `mobile` is the number, in the target's form, by which an invited person is found.
    pub(crate) async fn observe_account(&self, link: Option<&Link>, mobile: Option<&str>) -> Result<Seen, Interrupt> {
        let Some(link) = link else { return Ok(Seen::Now(Observed::Absent)) };
        match &link.observed {
            Observed::Known(_) => Ok(Seen::Now(link.observed.clone())),
            Observed::Absent if link.invited_at.is_some() => self.observe_invited(link, mobile).await,
            Observed::Absent => Ok(Seen::Now(Observed::Absent)),
            Observed::Unknown => self.read_account(link).await,
        }
    }

    async fn read_account(&self, link: &Link) -> Result<Seen, Interrupt> {
        let Some(remote_id) = &link.remote_id else { return Ok(Seen::Now(Observed::Absent)) };
        match self.ready.connector.account(remote_id).await {
            Ok(found) => self.settle(found, !link.snapshot.is_empty()).await,
            Err(error) => Ok(Seen::End(unread(error)?)),
        }
    }

    /// Keeps what was read. `used`: an entity had been there before.
    pub(crate) async fn settle(&self, found: Option<Entity>, used: bool) -> Result<Seen, Interrupt> {
        let Some(entity) = found else {
            held(self.store.link_absent(self.claim, used).await?)?;
            return Ok(Seen::Now(Observed::Absent));
        };
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(Seen::Now(Observed::Known(entity)))
    }

    /// An invited person can be seen only after accepting, and then by their number: nothing promises that the
    /// userid is the one that we asked for.
    async fn observe_invited(&self, link: &Link, mobile: Option<&str>) -> Result<Seen, Interrupt> {
        let invited_with = link.snapshot.get(rollcall_provisioning::entity::MOBILE).and_then(|value| value.as_str());
        if mobile.is_some() && mobile != invited_with {
            // Another number is another invitation.
            return Ok(Seen::Now(Observed::Absent));
        }
        let Some(number) = invited_with.or(mobile) else { return Ok(Seen::Now(Observed::Absent)) };
        let found = match self.accepted(number).await {
            Ok(found) => found,
            Err(Refused::Interrupt(interrupt)) => return Err(interrupt),
            Err(Refused::Connector(error)) => return Ok(Seen::End(unread(error)?)),
        };
        match found {
            Some(entity) => self.settle(Some(entity), false).await,
            None => Ok(Seen::End(self.still_invited(link))),
        }
    }

    /// The account that has this number now, unless it belongs to another of our resources.
    async fn accepted(&self, number: &str) -> Result<Option<Entity>, Refused> {
        let Some(remote_id) = self.ready.connector.account_by_mobile(number).await? else { return Ok(None) };
        let holder = self.store.linked_resource(self.claim, &remote_id).await.map_err(Interrupt::from)?;
        if holder.is_some_and(|holder| holder != ResourceId(self.claim.resource.0)) {
            return Ok(None);
        }
        Ok(self.ready.connector.account(&remote_id).await?)
    }

    fn still_invited(&self, link: &Link) -> Outcome {
        let since = link.invited_at.map_or(Span::ZERO, |at| self.now - at);
        crate::report::invited(since, since > INVITATION_PATIENCE)
    }
}

/// Either kind of failure on the way to an account.
enum Refused {
    Connector(ConnectorError),
    Interrupt(Interrupt),
}

impl From<ConnectorError> for Refused {
    fn from(error: ConnectorError) -> Self {
        Self::Connector(error)
    }
}

impl From<Interrupt> for Refused {
    fn from(interrupt: Interrupt) -> Self {
        Self::Interrupt(interrupt)
    }
}
