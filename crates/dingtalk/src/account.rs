//! People: the calls. What is sent is made in [`body`], what is read is understood in [`read`].
//!
//! An update sends only what changes, with one call, except where DingTalk replaces as a whole what Rollcall changes in
//! part: then the person is read first (custom fields of which one goes, posts and orders in departments). The read
//! writes nothing, so a repetition does no harm.

mod body;
mod extension;
mod placement;
mod read;

use crate::client::Client;
use crate::hidden::Sight;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::wire::account::{
    Admins, CountUsers, FoundUser, ListUsers, Mobile, User, UserBody, UserCount, UserId, UserPage,
};
use crate::{fit, list};
use body::Draft;
use rollcall_provisioning::connector::{ConnectorError, Cursor, ErrorClass, Page};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::Change;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) use read::{UNLISTED, after};

/// DingTalk refuses title and departments together when its personnel system keeps them.
const KEPT_BY_PERSONNEL_SYSTEM: &str = "12150";
/// The most people on one page (page `queries-the-complete-information-of-a-department-user`).
const PAGE: u32 = 100;

/// The people of one organisation.
pub(crate) struct Accounts<'a> {
    pub(crate) client: &'a Client,
    pub(crate) settings: &'a Settings,
    pub(crate) sight: &'a Sight,
}

impl Accounts<'_> {
    pub(crate) async fn get(&self, userid: &str) -> Result<Option<Entity>, ConnectorError> {
        match self.user(userid).await {
            Ok(user) => read::entity(user).map(Some).ok_or_else(|| self.client.unreadable(Operation::UserGet)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn user(&self, userid: &str) -> Result<User, ConnectorError> {
        let user: User = self.client.query(Operation::UserGet, &UserId { userid }).await?;
        // What an answer that does not even say who it is about leaves out cannot be taken for empty.
        if user.userid.is_some() { Ok(user) } else { Err(self.client.unreadable(Operation::UserGet)) }
    }

    pub(crate) async fn by_mobile(&self, mobile: &str) -> Result<Option<String>, ConnectorError> {
        let mobile = body::mobile_to_send(self.settings, mobile);
        match self.client.query::<_, FoundUser>(Operation::UserByMobile, &Mobile { mobile: &mobile }).await {
            Ok(found) => found.userid.map(Some).ok_or_else(|| self.client.unreadable(Operation::UserByMobile)),
            Err(error) if error.class == ErrorClass::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The people directly in a department (page `queries-the-complete-information-of-a-department-user`).
    pub(crate) async fn list(&self, department: &str, from: Option<&Cursor>) -> Result<Page<Entity>, ConnectorError> {
        let operation = Operation::UserList;
        let at = list::at(from);
        let dept_id = fit::department(entity::ORG_UNITS, &Value::String(department.to_owned()))?;
        let body = ListUsers { dept_id, cursor: list::number(&at)?, size: PAGE };
        let page: UserPage = self.client.query(operation, &body).await?;
        if page.has_more.is_none() && page.list.is_none() {
            return Err(self.client.unreadable(operation));
        }
        let people: Option<Vec<Entity>> = page.list.unwrap_or_default().into_iter().map(read::entity).collect();
        let people = people.ok_or_else(|| self.client.unreadable(operation))?;
        let next = match page.has_more {
            Some(true) => Some(list::next(self.client, operation, &at, page.next_cursor)?),
            _ => None,
        };
        Ok(Page { items: people, next })
    }

    /// Page `user-management-acquires-number-employees`.
    pub(crate) async fn count(&self) -> Result<u64, ConnectorError> {
        let operation = Operation::UserCount;
        let found: UserCount = self.client.query(operation, &CountUsers { only_active: false }).await?;
        found.count.ok_or_else(|| self.client.unreadable(operation))
    }

    /// The main administrator and the others (page `query-the-administrator-list`). Every organisation has one.
    pub(crate) async fn administrators(&self) -> Result<Vec<String>, ConnectorError> {
        let operation = Operation::UserAdmins;
        let found: Admins = self.client.query(operation, &serde_json::Map::new()).await?;
        let ids: Option<Vec<String>> = found.admins.into_iter().map(|admin| admin.userid).collect();
        ids.filter(|ids| !ids.is_empty()).ok_or_else(|| self.client.unreadable(operation))
    }

    /// Creates a person and returns the userid that DingTalk keeps them under.
    pub(crate) async fn create(&self, userid: Option<&str>, attributes: &Attributes) -> Result<String, ConnectorError> {
        let mut draft = Draft::new(self.settings, userid);
        for (name, value) in attributes {
            draft.set(name, value)?;
        }
        let body = draft.for_creation()?;
        let answer = self.client.query::<_, Option<FoundUser>>(Operation::UserCreate, &body).await?;
        let created = answer.and_then(|created| created.userid).or(body.userid);
        created.ok_or_else(|| self.client.unreadable(Operation::UserCreate))
    }

    pub(crate) async fn update(&self, userid: &str, changes: &BTreeMap<String, Change>) -> Result<(), ConnectorError> {
        let mut draft = Draft::new(self.settings, Some(userid));
        for (name, change) in changes {
            match change {
                Change::Set(value) => draft.set(name, value)?,
                Change::Clear => draft.clear(name)?,
            }
        }
        let body = if draft.needs_present() {
            if draft.clears_custom_fields() {
                self.sight.must_show(self.client, entity::EXTENSION_PREFIX).await?;
            }
            draft.over(&self.user(userid).await?)?
        } else {
            draft.alone()?
        };
        self.send(&body, changes).await
    }

    async fn send(&self, body: &UserBody, changes: &BTreeMap<String, Change>) -> Result<(), ConnectorError> {
        self.client.command(Operation::UserUpdate, body).await.map_err(|mut error| {
            if error.code.ends_with(KEPT_BY_PERSONNEL_SYSTEM) && !changes.contains_key(entity::TITLE) {
                let posts = [entity::ORG_UNIT_TITLES, entity::PRIMARY_ORG_UNIT];
                let first = posts.into_iter().find(|name| changes.contains_key(*name));
                error.attribute = Some(first.unwrap_or(entity::ORG_UNITS));
            }
            error
        })
    }

    pub(crate) async fn delete(&self, userid: &str) -> Result<(), ConnectorError> {
        match self.client.command(Operation::UserDelete, &UserId { userid }).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(()),
            result => result,
        }
    }
}
