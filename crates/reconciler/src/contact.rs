//! A user who is to be an external contact: somebody outside who is in the address book, without an account.
//!
//! The target chooses a contact's id, and knows a second creation by the number. A link is that of a contact when its
//! snapshot says so, from before the creation on, so that a creation whose answer was lost is looked for by its number.

use crate::account::NewRules;
use crate::act::{Acted, Interrupt, Job, ended, finding, held, unread};
use crate::gate::{Asked, Verdict};
use crate::leave::Leaving;
use crate::report;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass, account_kind};
use rollcall_provisioning::delivery::Outcome;
use rollcall_provisioning::entity::{self, Attributes, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::mapping::{Mapped, PersonKind};
use rollcall_provisioning::plan::{Action, plan, unique_value};
use rollcall_provisioning::proposal::Paths;
use rollcall_store::projection::{Link, LoadedUser, Placement};
use serde_json::Value;
use std::collections::BTreeMap;
use time::Duration as Span;

/// How long after a creation whose answer was lost the contact may still appear.
const ARRIVAL: Span = Span::minutes(1);

/// Whether what is linked is a contact, or was to become one.
pub(crate) fn is_contact(link: Option<&Link>) -> bool {
    link.is_some_and(|link| account_kind(&link.snapshot) == Some(PersonKind::Contact.as_str()))
}

/// What an observation found.
enum Seen {
    Now(Observed),
    End(Outcome),
}

impl Job<'_> {
    /// Delivers a user who is to be a contact.
    pub(crate) async fn deliver_contact(&self, mapped: Mapped, loaded: &LoadedUser) -> Result<Outcome, Interrupt> {
        let account = loaded.link.as_ref().filter(|link| !is_contact(Some(*link)));
        if account.is_some_and(|link| link.observed != Observed::Absent || link.invited.is_some()) {
            // They were a member: the account goes first.
            match Box::pin(self.deliver_departure(loaded, Some(&mapped.scope.reason()))).await? {
                Outcome::LeftOut { .. } => {}
                outcome => return Ok(outcome),
            }
            return Box::pin(self.deliver_contact(mapped, &self.with_link_of_now(loaded).await?)).await;
        }
        if loaded.placement != Placement::default() {
            // They were to be a member, and had no account yet: whoever is outside belongs in no department.
            held(self.store.displace(self.claim).await?)?;
            held(self.store.placed(self.claim, &[]).await?)?;
        }
        if mapped.blocked {
            return Ok(Outcome::attention(mapped.findings));
        }
        let link = loaded.link.as_ref().filter(|link| is_contact(Some(*link)));
        let observed = match self.observe_contact(link, true).await? {
            Seen::Now(observed) => observed,
            Seen::End(outcome) => return Ok(outcome),
        };
        self.fulfil_contact(mapped, observed).await
    }

    /// What other rules would change at a contact is held until a plan permits it.
    pub(crate) async fn contact_under_new_rules(&self, mapped: Mapped, link: &Link) -> Result<NewRules, Interrupt> {
        if mapped.blocked {
            return Ok(NewRules::Wait(Outcome::attention(mapped.findings)));
        }
        let observed = match self.observe_contact(Some(link), true).await? {
            Seen::Now(Observed::Absent) => return Ok(NewRules::Count { decided: false }),
            Seen::Now(observed) => observed,
            Seen::End(outcome) => return Ok(NewRules::End(outcome)),
        };
        let Mapped { mut attributes, once, mut findings, .. } = mapped;
        attributes.insert(entity::ACCOUNT_KIND.to_owned(), Some(PersonKind::Contact.as_str().into()));
        attributes.retain(|name, _| !once.contains(name));
        let schema = self.ready.connector.schema();
        let made = plan(EntityKind::Contact, &Desired::Present(attributes), &observed, None, schema);
        let Some(action) = made.actions.first() else { return Ok(NewRules::Count { decided: false }) };
        findings.extend(made.findings);
        Ok(match self.ask_for_contact(action, &observed, (&findings, true)).await? {
            None => NewRules::Count { decided: true },
            Some(outcome) => NewRules::Wait(outcome),
        })
    }

    /// Removes the contact of somebody who is to be none any more. `None` when nothing of it is there.
    pub(crate) async fn remove_contact(
        &self,
        loaded: &LoadedUser,
        sent_by_source: bool,
    ) -> Result<Option<Outcome>, Interrupt> {
        let observed = match self.observe_contact(loaded.link.as_ref(), false).await? {
            Seen::Now(observed) => observed,
            Seen::End(outcome) => return Ok(Some(outcome)),
        };
        let made = plan(EntityKind::Contact, &Desired::Absent, &observed, None, self.ready.connector.schema());
        let Some(action) = made.actions.first() else {
            held(self.store.link_absent(self.claim, false).await?)?;
            return Ok(None);
        };
        let by_new_rules = !sent_by_source && self.claim.let_through != self.claim.mapping_version;
        let leaving = Leaving { action, observed: &observed, sent_by_source, by_new_rules };
        self.send_leaver(&leaving, loaded.link.as_ref()).await
    }

    async fn fulfil_contact(&self, mapped: Mapped, mut observed: Observed) -> Result<Outcome, Interrupt> {
        let Mapped { mut attributes, once, mut findings, .. } = mapped;
        attributes.insert(entity::ACCOUNT_KIND.to_owned(), Some(PersonKind::Contact.as_str().into()));
        loop {
            let mut wanted = attributes.clone();
            if let Observed::Known(_) = &observed {
                wanted.retain(|name, _| !once.contains(name));
            }
            let schema = self.ready.connector.schema();
            let made = plan(EntityKind::Contact, &Desired::Present(wanted), &observed, None, schema);
            let Some(action) = made.actions.first() else {
                findings.extend(made.findings);
                // Whatever somebody has to see to besides.
                self.let_through().await?;
                return Ok(if findings.is_empty() { Outcome::InStep } else { Outcome::attention(findings) });
            };
            if let Some(outcome) = self.ask_for_contact(action, &observed, (&findings, false)).await? {
                return Ok(outcome);
            }
            if let Action::Create { attributes, .. } = action {
                held(self.store.link_as_contact(self.claim, attributes).await?)?;
            }
            match self.act(action, &observed).await? {
                Acted::Done(Some(contact)) => observed = Observed::Known(contact),
                Acted::Done(None) => observed = Observed::Absent,
                Acted::Lost(error) => return Ok(ended(&error)),
                Acted::Refused(error) => match self.contact_refused(&error, action, &mut attributes).await? {
                    Answer::Found(contact) => observed = Observed::Known(contact),
                    Answer::Without(found) => findings.push(found),
                    Answer::End(outcome) => return Ok(outcome),
                },
            }
        }
    }

    /// Asks whether a step may be sent; `None` when it may.
    async fn ask_for_contact(
        &self,
        action: &Action,
        observed: &Observed,
        (findings, by_new_rules): (&[Finding], bool),
    ) -> Result<Option<Outcome>, Interrupt> {
        let asked = Asked {
            action,
            observed,
            besides: &[],
            paths: &Paths::new(),
            manager_awaited: None,
            decided: false,
            by_operator: false,
            by_new_rules,
        };
        Ok(match self.may(asked).await? {
            Verdict::Go { .. } => None,
            Verdict::Held { by, proposal } | Verdict::Partly { by, proposal, .. } => {
                Some(report::held_back(by, action, proposal, findings))
            }
            Verdict::Guarded { holds, proposal, .. } => Some(report::guarded(&holds, proposal, findings)),
        })
    }

    async fn observe_contact(&self, link: Option<&Link>, wanted: bool) -> Result<Seen, Interrupt> {
        let Some(link) = link else { return Ok(Seen::Now(Observed::Absent)) };
        if link.observed != Observed::Unknown {
            return Ok(Seen::Now(link.observed.clone()));
        }
        let connector = &self.ready.connector;
        let number = link.snapshot.get(entity::MOBILE).and_then(Value::as_str);
        let read = match (&link.remote_id, number) {
            (Some(id), _) => connector.entity(EntityKind::Contact, id).await,
            (None, Some(number)) => connector.contact_by_mobile(number).await,
            (None, None) => Ok(None),
        };
        let found = match read {
            Ok(found) => found,
            Err(error) => return Ok(Seen::End(unread(error)?)),
        };
        // The number alone may be that of somebody else's contact, for which ours was refused.
        let name = link.snapshot.get(entity::NAME);
        let found = found.filter(|contact| link.remote_id.is_some() || contact.attributes.get(entity::NAME) == name);
        match found {
            Some(contact) if self.is_free(&contact).await? => {
                held(self.store.link_known(self.claim, &contact).await?)?;
                Ok(Seen::Now(Observed::Known(contact)))
            }
            None if !wanted && link.remote_id.is_none() && self.now - link.updated_at < ARRIVAL => {
                Ok(Seen::End(report::creation_may_arrive(ARRIVAL.unsigned_abs())))
            }
            _ => {
                held(self.store.link_still_absent(self.claim).await?)?;
                Ok(Seen::Now(Observed::Absent))
            }
        }
    }

    /// Whether no other person of ours is this contact.
    async fn is_free(&self, contact: &Entity) -> Result<bool, Interrupt> {
        let holder = self.store.linked_resource(self.claim, &contact.remote_id).await?;
        Ok(holder.is_none_or(|holder| holder == self.claim.resource))
    }

    async fn contact_refused(
        &self,
        error: &ConnectorError,
        action: &Action,
        attributes: &mut BTreeMap<String, Option<Value>>,
    ) -> Result<Answer, Interrupt> {
        match (action, error.class, error.attribute) {
            (Action::Create { attributes, .. }, ErrorClass::Conflict, Some(entity::MOBILE)) => {
                self.contact_with_number(error, attributes).await
            }
            (_, ErrorClass::NotFound, _) => {
                // Somebody removed the contact by hand: it is read first, then made anew.
                held(self.store.link_unknown(self.claim, None).await?)?;
                Ok(Answer::End(ended(error)))
            }
            (_, ErrorClass::Invalid | ErrorClass::Conflict | ErrorClass::Forbidden, Some(attribute))
                if self.is_optional(attribute) && attributes.remove(attribute).is_some() =>
            {
                Ok(Answer::Without(finding(error)))
            }
            _ => Ok(Answer::End(ended(error))),
        }
    }

    fn is_optional(&self, attribute: &str) -> bool {
        let spec = self.ready.connector.schema().attribute(EntityKind::Contact, attribute);
        spec.is_some_and(|spec| !spec.required)
    }

    /// There is a contact of this number: the one that an earlier creation has made, or somebody else's.
    async fn contact_with_number(&self, error: &ConnectorError, wanted: &Attributes) -> Result<Answer, Interrupt> {
        let number = wanted.get(entity::MOBILE).and_then(Value::as_str).unwrap_or_default();
        let there = match self.ready.connector.contact_by_mobile(number).await {
            Ok(there) => there,
            Err(error) => return Ok(Answer::End(unread(error)?)),
        };
        if let Some(contact) = there
            && contact.attributes.get(entity::NAME) == wanted.get(entity::NAME)
            && self.is_free(&contact).await?
        {
            held(self.store.link_known(self.claim, &contact).await?)?;
            return Ok(Answer::Found(contact));
        }
        let mut found = finding(error);
        "Another external contact of the organisation has the number. Correct it at the source, or remove that contact in \
         DingTalk and retry."
            .clone_into(&mut found.advice);
        let wants = wanted.get(entity::MOBILE).and_then(|number| unique_value(entity::MOBILE, number));
        let wants = wants.into_iter().collect();
        Ok(Answer::End(Outcome::NeedsAttention { findings: vec![found], awaited: None, again: None, wants }))
    }
}

/// What a refusal leads to.
enum Answer {
    /// It is there already.
    Found(Entity),
    /// The rest goes on without an attribute.
    Without(Finding),
    /// Nothing goes on.
    End(Outcome),
}
