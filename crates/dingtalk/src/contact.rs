//! External contacts: people outside who are in the address book.
//!
//! Each needs labels and somebody who looks after them (page `add-enterprise-external-contacts`); for whom none is named,
//! those of the settings are taken. Labels are made in the DingTalk console, no call does. An update sends the whole
//! contact, so it is read first; the number can never be changed.

use crate::account::dialled;
use crate::client::Client;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::wire::contact::{Contact, ContactBody, ContactCall, ContactId, ContactPage, CreatedContact, ListContacts};
use crate::{fit, list};
use rollcall_provisioning::connector::{ConnectorError, Cursor, ErrorClass, Page};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::{self, Action, Change};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The most contacts on a page (page `obtain-the-external-contact-list`).
const PAGE: usize = 100;
/// What tells a contact from an account.
const KIND: &str = "contact";
/// The most labels of a contact (page `add-enterprise-external-contacts`).
pub(crate) const MOST_LABELS: usize = 20;

/// The external contacts of one organisation.
pub(crate) struct Contacts<'a> {
    pub(crate) client: &'a Client,
    pub(crate) settings: &'a Settings,
}

impl Contacts<'_> {
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Entity>, ConnectorError> {
        match self.contact(id).await {
            Ok(contact) => Ok(Some(entity_of(id.to_owned(), contact))),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn contact(&self, id: &str) -> Result<Contact, ConnectorError> {
        let operation = Operation::ContactGet;
        let contact: Contact = self.client.query(operation, &ContactId { user_id: id }).await?;
        // Without a name it is no answer, and what it leaves out cannot be taken for empty.
        if contact.name.is_some() { Ok(contact) } else { Err(self.client.unreadable(operation)) }
    }

    pub(crate) async fn list(&self, from: Option<&Cursor>) -> Result<Page<Entity>, ConnectorError> {
        let operation = Operation::ContactList;
        let at = list::at(from);
        let offset = list::number(&at)?;
        let page: ContactPage = self.client.whole(operation, &ListContacts { size: PAGE, offset }).await?;
        let found = page.results.ok_or_else(|| self.client.unreadable(operation))?;
        // There is no word of more: a page that is not full is the last one.
        let more = found.len() >= PAGE;
        let place = Some((offset + PAGE as u64).to_string());
        let next = if more { Some(list::next(self.client, operation, &at, place)?) } else { None };
        let contact = |mut contact: Contact| Some(entity_of(contact.user_id.take()?, contact));
        let items: Option<Vec<Entity>> = found.into_iter().map(contact).collect();
        Ok(Page { items: items.ok_or_else(|| self.client.unreadable(operation))?, next })
    }

    /// The contact who has this number: the one that a creation was refused for (22005). No call looks for it, so all
    /// are read.
    pub(crate) async fn by_mobile(&self, mobile: &str) -> Result<Option<Entity>, ConnectorError> {
        let mut from = None;
        loop {
            let page = self.list(from.as_ref()).await?;
            let has = |entity: &Entity| entity.attributes.get(entity::MOBILE).and_then(Value::as_str) == Some(mobile);
            if let Some(found) = page.items.into_iter().find(has) {
                return Ok(Some(found));
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// Creates a contact and returns the id that DingTalk gives it.
    pub(crate) async fn create(&self, attributes: &Attributes) -> Result<String, ConnectorError> {
        let mut body = ContactBody::default();
        for (name, value) in self.with_defaults(attributes) {
            set(&mut body, &name, &value)?;
        }
        let missing = if body.label_ids.is_empty() {
            Some(entity::LABELS)
        } else if body.follower_user_id.is_none() {
            Some(entity::FOLLOWER)
        } else {
            None
        };
        if let Some(name) = missing {
            let what = "has no value, and DingTalk needs one: name one in the mapping or in the settings of the target";
            return Err(fit::unfit(name, "missing", what));
        }
        let operation = Operation::ContactCreate;
        let created: CreatedContact = self.client.whole(operation, &ContactCall { contact: &body }).await?;
        created.userid.ok_or_else(|| self.client.unreadable(operation))
    }

    pub(crate) async fn update(&self, id: &str, changes: &BTreeMap<String, Change>) -> Result<(), ConnectorError> {
        let present = self.contact(id).await?;
        let mut body = ContactBody {
            user_id: Some(id.to_owned()),
            name: present.name,
            label_ids: present.label_ids,
            follower_user_id: present.follower_user_id,
            title: present.title,
            address: present.address,
            remark: present.remark,
            company_name: present.company_name,
            share_dept_ids: present.share_dept_ids,
            share_user_ids: present.share_user_ids,
            ..ContactBody::default()
        };
        for (name, change) in changes {
            match change {
                Change::Set(value) => set(&mut body, name, value)?,
                Change::Clear => set(&mut body, name, &Value::String(String::new()))?,
            }
        }
        self.client.command(Operation::ContactUpdate, &ContactCall { contact: &body }).await
    }

    pub(crate) async fn delete(&self, id: &str) -> Result<(), ConnectorError> {
        match self.client.command(Operation::ContactDelete, &ContactId { user_id: id }).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(()),
            result => result,
        }
    }

    /// The attributes that an accepted action leaves, as a read of the contact will return them.
    pub(crate) fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        let after = plan::after(before, action);
        let mut after =
            tidied(if matches!(action, Action::Create { .. }) { self.with_defaults(&after) } else { after });
        if !after.is_empty() {
            after.insert(entity::ACCOUNT_KIND.to_owned(), KIND.into());
        }
        after
    }

    fn with_defaults(&self, attributes: &Attributes) -> Attributes {
        let mut attributes = attributes.clone();
        let labels = || self.settings.contact_label_ids.iter().copied().map(Value::from).collect();
        attributes.entry(entity::LABELS.to_owned()).or_insert_with(labels);
        if let Some(follower) = &self.settings.contact_follower {
            attributes.entry(entity::FOLLOWER.to_owned()).or_insert_with(|| follower.clone().into());
        }
        attributes
    }
}

fn set(body: &mut ContactBody, name: &str, value: &Value) -> Result<(), ConnectorError> {
    let (attribute, field) = match name {
        entity::NAME => (entity::NAME, &mut body.name),
        entity::TITLE => (entity::TITLE, &mut body.title),
        entity::WORK_PLACE => (entity::WORK_PLACE, &mut body.address),
        entity::REMARK => (entity::REMARK, &mut body.remark),
        entity::COMPANY => (entity::COMPANY, &mut body.company_name),
        entity::FOLLOWER => (entity::FOLLOWER, &mut body.follower_user_id),
        entity::MOBILE => {
            let (country, number) = split(&fit::text(entity::MOBILE, value)?);
            (body.state_code, body.mobile) = (Some(country), Some(number));
            return Ok(());
        }
        entity::LABELS => {
            body.label_ids = fit::integers(entity::LABELS, value)?;
            if body.label_ids.len() > MOST_LABELS {
                return Err(fit::unfit(entity::LABELS, "too_many", "are more than 20"));
            }
            return Ok(());
        }
        // The schema has refused every other name before.
        _ => return Ok(()),
    };
    *field = Some(fit::text(attribute, value)?);
    Ok(())
}

/// Country code and number of what is written as `+65-91234567`, or bare for the mainland.
fn split(mobile: &str) -> (String, String) {
    match mobile.strip_prefix('+').and_then(|rest| rest.split_once('-')) {
        Some((country, number)) => (country.to_owned(), number.to_owned()),
        None => ("86".to_owned(), mobile.to_owned()),
    }
}

fn entity_of(remote_id: String, contact: Contact) -> Entity {
    let mobile = contact.mobile.map(|mobile| dialled(mobile, contact.state_code.as_deref()));
    let texts = [
        (entity::NAME, contact.name),
        (entity::MOBILE, mobile),
        (entity::TITLE, contact.title),
        (entity::WORK_PLACE, contact.address),
        (entity::REMARK, contact.remark),
        (entity::COMPANY, contact.company_name),
        (entity::FOLLOWER, contact.follower_user_id),
    ];
    let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::String(text?))));
    let mut attributes: Attributes = texts.collect();
    attributes.insert(entity::LABELS.to_owned(), contact.label_ids.into_iter().map(Value::from).collect());
    attributes.insert(entity::ACCOUNT_KIND.to_owned(), KIND.into());
    Entity { remote_id, attributes: tidied(attributes) }
}

/// Attributes as every read has them: labels in their order, each once; nothing empty.
fn tidied(mut attributes: Attributes) -> Attributes {
    if let Some(Value::Array(labels)) = attributes.get(entity::LABELS) {
        let labels: BTreeSet<i64> = labels.iter().filter_map(Value::as_i64).collect();
        attributes.insert(entity::LABELS.to_owned(), labels.into_iter().map(Value::from).collect());
    }
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    attributes.retain(|_, value| !empty(value));
    attributes
}
