//! What is at the target: remembered when it is known, read when it is not.

use crate::act::{Interrupt, Job, held, unread};
use crate::invitation::Awaited;
use crate::report;
use rollcall_provisioning::connector::ConnectorError;
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{Attributes, Entity, MOBILE, Observed};
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::Link;
use std::time::Duration;
use uuid::Uuid;

/// How long after a call whose answer was lost its effect may still show.
pub(crate) const ARRIVAL: Duration = Duration::from_mins(1);

/// What an observation found.
pub(crate) enum Seen {
    /// This is there (or nothing is).
    Now(Observed),
    /// Nothing is there, but the person was invited and may still accept.
    Invited(Awaited),
    /// The delivery ends here.
    End(Outcome),
}

/// Whose account is looked for.
#[derive(Clone, Copy)]
pub(crate) enum Sought<'a> {
    /// That of a person who is to have one, with this number in the target's form.
    Wanted(Option<&'a str>),
    /// That of a person who has left.
    Unwanted,
}

/// Who holds a number.
enum Holder {
    Nobody,
    Another,
    Ours(Entity),
}

impl Job<'_> {
    /// The account of a link.
    pub(crate) async fn observe_account(&self, link: Option<&Link>, sought: Sought<'_>) -> Result<Seen, Interrupt> {
        let Some(link) = link else { return Ok(Seen::Now(Observed::Absent)) };
        match (&link.observed, &link.remote_id) {
            (Observed::Known(_), _) => Ok(Seen::Now(link.observed.clone())),
            (Observed::Unknown, Some(remote_id)) => self.read_account(link, remote_id, sought).await,
            (Observed::Unknown, None) | (Observed::Absent, _) => self.observe_absent(link, sought).await,
        }
    }

    /// The account of somebody who is to lose it, as it is at this moment: what is remembered does not say whether it
    /// has become an administrator's since. One that is not found may have been made a moment ago, so it counts as it is
    /// remembered: to remove what is not there does no harm.
    pub(crate) async fn observe_before_loss(&self, link: Option<&Link>) -> Result<Seen, Interrupt> {
        let Some(Link { observed: Observed::Known(known), .. }) = link else {
            return self.observe_account(link, Sought::Unwanted).await;
        };
        match self.ready.connector.account(&known.remote_id).await {
            Ok(None) => Ok(Seen::Now(Observed::Known(known.clone()))),
            Ok(Some(entity)) => {
                let entity = self.with_what_is_hidden(entity, &known.attributes);
                if entity != *known {
                    self.tell_of_values(self.entity_kind(), &known.attributes, Some(&entity.attributes)).await?;
                    held(self.store.link_known(self.claim, &entity).await?)?;
                }
                Ok(Seen::Now(Observed::Known(entity)))
            }
            Err(error) => Ok(Seen::End(unread(error)?)),
        }
    }

    async fn read_account(&self, link: &Link, remote_id: &str, sought: Sought<'_>) -> Result<Seen, Interrupt> {
        match self.ready.connector.account(remote_id).await {
            Ok(None) if matches!(sought, Sought::Unwanted) && self.may_arrive(link) => {
                Ok(Seen::End(report::creation_may_arrive(ARRIVAL)))
            }
            Ok(None) if link.invited.is_some() => {
                held(self.store.link_still_absent(self.claim).await?)?;
                self.observe_absent(link, sought).await
            }
            Ok(Some(entity)) if self.may_be_anybodys(link, &entity, sought) => match sought {
                Sought::Wanted(_) => Ok(Seen::End(report::userid_taken(remote_id))),
                Sought::Unwanted => {
                    held(self.store.link_absent(self.claim, true).await?)?;
                    Ok(Seen::Now(Observed::Absent))
                }
            },
            // What somebody was invited with need not be what the account was made with.
            Ok(Some(entity)) if link.invited.is_none() => {
                let entity = self.with_what_is_hidden(entity, &link.snapshot);
                Ok(Seen::Now(self.settle(link, Some(entity)).await?))
            }
            Ok(found) => Ok(Seen::Now(self.settle(link, found).await?)),
            Err(error) => Ok(Seen::End(unread(error)?)),
        }
    }

    /// Whether an account that we have never seen has a userid that is not made of the person's id, and another number:
    /// then a creation whose answer was lost need not have made it. Of one that was adopted it was decided whose it is.
    fn may_be_anybodys(&self, link: &Link, entity: &Entity, sought: Sought<'_>) -> bool {
        let number = entity.attributes.get(MOBILE).and_then(|number| number.as_str());
        let expected = match sought {
            Sought::Wanted(number) => number,
            Sought::Unwanted => None,
        };
        link.snapshot.is_empty()
            && link.adopted_at.is_none()
            && asked_for(&entity.remote_id) != Some(self.claim.resource)
            && (number.is_none() || number != expected)
    }

    /// Whether the answer to a creation was lost so short a time ago that it may still happen.
    fn may_arrive(&self, link: &Link) -> bool {
        let never_seen = link.snapshot.is_empty() || link.invited.is_some();
        never_seen && self.now - link.updated_at < ARRIVAL
    }

    /// Keeps what was read in place of what was believed.
    pub(crate) async fn settle(&self, link: &Link, found: Option<Entity>) -> Result<Observed, Interrupt> {
        let attributes = found.as_ref().map(|entity| &entity.attributes);
        self.tell_of_values(self.entity_kind(), &link.snapshot, attributes).await?;
        let Some(entity) = found else {
            self.account_goes().await?;
            held(self.store.link_absent(self.claim, !link.snapshot.is_empty()).await?)?;
            return Ok(Observed::Absent);
        };
        if link.snapshot.is_empty() || link.remote_id.as_ref() != Some(&entity.remote_id) {
            self.store.mark_dependents(self.claim).await?;
        }
        held(self.store.link_known(self.claim, &entity).await?)?;
        Ok(Observed::Known(entity))
    }

    /// What was read, with what it cannot show: DingTalk hides numbers from an application without that permission, and
    /// what cannot be changed is still what it was given.
    fn with_what_is_hidden(&self, mut entity: Entity, before: &Attributes) -> Entity {
        let schema = self.ready.connector.schema();
        for (name, value) in before {
            let fixed = schema.attribute(self.entity_kind(), name).is_some_and(|spec| spec.create_only);
            if fixed && !entity.attributes.contains_key(name) {
                entity.attributes.insert(name.clone(), value.clone());
            }
        }
        entity
    }

    /// Nothing is there. An invited person can be seen only after accepting, and then by their number: nothing promises
    /// that the userid is the one that we asked for.
    async fn observe_absent(&self, link: &Link, sought: Sought<'_>) -> Result<Seen, Interrupt> {
        let (Some(invited), Some(number)) = (&link.invited, link.snapshot.get(MOBILE).and_then(|n| n.as_str())) else {
            return Ok(Seen::Now(Observed::Absent));
        };
        if matches!(sought, Sought::Unwanted) && self.store.number_is_awaited(self.claim, number).await? {
            // Whoever accepts now is the one who came back under a new id.
            return Ok(Seen::Now(Observed::Absent));
        }
        let holder = match self.holder_of(number).await {
            Ok(holder) => holder,
            Err(Refused::Interrupt(interrupt)) => return Err(interrupt),
            Err(Refused::Connector(error)) => return Ok(Seen::End(unread(error)?)),
        };
        match (holder, sought) {
            (Holder::Ours(entity), _) => {
                let entity = self.with_what_is_hidden(entity, &link.snapshot);
                Ok(Seen::Now(self.settle(link, Some(entity)).await?))
            }
            // Nobody can accept under a number that another one has by now.
            (Holder::Another, Sought::Unwanted) => Ok(Seen::Now(Observed::Absent)),
            // Another number is another invitation.
            (_, Sought::Wanted(Some(mobile))) if mobile != number => Ok(Seen::Now(Observed::Absent)),
            _ => Ok(Seen::Invited(Awaited { invited: invited.clone(), number: number.to_owned() })),
        }
    }

    /// Who holds this number now.
    async fn holder_of(&self, number: &str) -> Result<Holder, Refused> {
        let Some(remote_id) = self.ready.connector.account_by_mobile(number).await? else { return Ok(Holder::Nobody) };
        if self.is_of_another(&remote_id).await? {
            return Ok(Holder::Another);
        }
        let account = self.ready.connector.account(&remote_id).await?;
        Ok(account.map_or(Holder::Nobody, Holder::Ours))
    }

    /// Whether an account is, or is to become, that of another of our resources.
    async fn is_of_another(&self, remote_id: &str) -> Result<bool, Interrupt> {
        if let Some(holder) = self.store.linked_resource(self.claim, remote_id).await? {
            return Ok(holder != self.claim.resource);
        }
        match asked_for(remote_id).filter(|id| *id != self.claim.resource) {
            Some(other) => Ok(self.store.is_present(self.claim, other).await?),
            None => Ok(false),
        }
    }
}

/// The resource for which we would ask for this userid, if it has the form of one that we ask for.
pub(crate) fn asked_for(userid: &str) -> Option<ResourceId> {
    let id = userid.split_once('-').map_or(userid, |(id, _)| id);
    if id.len() == 32 { Uuid::try_parse(id).ok().map(ResourceId) } else { None }
}

/// Either kind of failure on the way to an account.
pub(crate) enum Refused {
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
