//! People: the calls. What is sent is made in [`body`], what is read is understood in [`read`].
//!
//! An update sends only what changes, with one call, except where DingTalk replaces as a whole what Rollcall changes in
//! part: then the person is read first (custom fields of which one goes, posts and orders in departments). The read
//! writes nothing, so a repetition does no harm. In an organisation with enterprise accounts everybody is read first,
//! because an update of such an account must name its departments.
//!
//! Whether an enterprise account may be used is a call of its own. It is turned off before anything else is changed, and
//! turned on after everything else is: whoever looks in between finds nobody let in too early. If a later call of an
//! action fails, the earlier ones have done their work; such a failure always says that the outcome is not known, so
//! that the account is read and the rest is planned anew. Every call can be repeated.

mod body;
mod enterprise;
mod extension;
mod placement;
mod read;

use crate::client::Client;
use crate::error::halfway;
use crate::hidden::Sight;
use crate::operation::Operation;
use crate::settings::Settings;
use crate::wire::account::{
    Admins, CountUsers, FoundUser, ListUsers, Mobile, User, UserBody, UserCount, UserId, UserPage,
};
use crate::{fit, list};
use body::Draft;
use enterprise::{DINGTALK, NORMAL, SSO};
use rollcall_provisioning::connector::{ConnectorError, Cursor, ErrorClass, Page, account_kind};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::{Change, InitialPassword};
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) use enterprise::{DINGTALK as MANAGED_KIND, SSO as SSO_KIND};
pub(crate) use read::{UNLISTED, after, dialled};

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
        let user = match self.user(userid).await {
            Ok(user) => user,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let enabled = match (user.exclusive_account, user.disable_status) {
            (Some(true), Some(disabled)) => Some(!disabled),
            (Some(true), None) if self.settings.enterprise_accounts => Some(self.is_enabled(userid).await?),
            _ => None,
        };
        read::entity(user, enabled).map(Some).ok_or_else(|| self.client.unreadable(Operation::UserGet))
    }

    async fn user(&self, userid: &str) -> Result<User, ConnectorError> {
        let user: User = self.client.query(Operation::UserGet, &UserId { userid }).await?;
        // What an answer that does not even say who it is about leaves out cannot be taken for empty.
        if user.userid.is_some() { Ok(user) } else { Err(self.client.unreadable(Operation::UserGet)) }
    }

    pub(crate) async fn by_mobile(&self, mobile: &str) -> Result<Option<String>, ConnectorError> {
        let operation = Operation::UserByMobile;
        let mobile = body::mobile_to_send(self.settings, mobile);
        let support_exclusive_account_search = self.settings.enterprise_accounts;
        let body = Mobile { mobile: &mobile, support_exclusive_account_search };
        let found: FoundUser = match self.client.query(operation, &body).await {
            Ok(found) => found,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match (found.userid, &found.exclusive_account_userid_list[..]) {
            (Some(userid), _) => Ok(Some(userid)),
            (None, [only]) => Ok(Some(only.clone())),
            (None, []) => Err(self.client.unreadable(operation)),
            (None, _) => Err(ConnectorError {
                class: ErrorClass::Ambiguous,
                message: "Several enterprise accounts have the mobile number.".to_owned(),
                advice: "Link the person to one of them.".to_owned(),
                code: "several_accounts".to_owned(),
                attribute: Some(entity::MOBILE),
                retry_after: None,
                outcome_unknown: false,
            }),
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
        let people: Option<Vec<Entity>> =
            page.list.unwrap_or_default().into_iter().map(|user| read::entity(user, None)).collect();
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

    /// The main administrator and the others (page `query-the-administrator-list`).
    pub(crate) async fn administrators(&self) -> Result<Vec<String>, ConnectorError> {
        let operation = Operation::UserAdmins;
        let found: Admins = self.client.query(operation, &serde_json::Map::new()).await?;
        let ids = found.admins.and_then(|admins| admins.into_iter().map(|admin| admin.userid).collect());
        ids.ok_or_else(|| self.client.unreadable(operation))
    }

    /// Creates a person and returns the userid that DingTalk keeps them under.
    pub(crate) async fn create(
        &self,
        userid: Option<&str>,
        attributes: &Attributes,
        password: Option<&InitialPassword>,
    ) -> Result<String, ConnectorError> {
        let mut draft = Draft::new(self.settings, userid);
        match account_kind(attributes).unwrap_or(NORMAL) {
            NORMAL => {
                if let Some(attribute) = enterprise::not_for_normal(attributes.keys()) {
                    return Err(enterprise::unavailable(attribute));
                }
            }
            SSO | DINGTALK if !self.settings.enterprise_accounts => {
                return Err(enterprise::unavailable(entity::ACCOUNT_KIND));
            }
            kind @ (SSO | DINGTALK) => draft.enterprise(kind, password)?,
            _ => return Err(fit::unfit(entity::ACCOUNT_KIND, "malformed", "is none of normal, sso and dingtalk")),
        }
        let mut enabled = true;
        for (name, value) in attributes {
            if name == entity::ENABLED {
                enabled = fit::switch(entity::ENABLED, value)?;
            } else {
                draft.set(name, value)?;
            }
        }
        let body = draft.for_creation()?;
        let answer = self.client.query::<_, Option<FoundUser>>(Operation::UserCreate, &body).await?;
        let created = answer.and_then(|created| created.userid).or(body.userid);
        let created = created.ok_or_else(|| self.client.unreadable(Operation::UserCreate))?;
        if !enabled {
            self.disable(&created).await.map_err(halfway)?;
        }
        Ok(created)
    }

    pub(crate) async fn update(&self, userid: &str, changes: &BTreeMap<String, Change>) -> Result<(), ConnectorError> {
        if !self.settings.enterprise_accounts
            && let Some(attribute) = enterprise::not_for_normal(changes.keys())
        {
            return Err(enterprise::unavailable(attribute));
        }
        let mut enabled = None;
        let mut draft = Draft::new(self.settings, Some(userid));
        for (name, change) in changes {
            match change {
                Change::Set(value) if name == entity::ENABLED => enabled = Some(fit::switch(entity::ENABLED, value)?),
                Change::Set(value) => draft.set(name, value)?,
                Change::Clear => draft.clear(name)?,
            }
        }
        let others = changes.len() > usize::from(enabled.is_some());
        let body = if others { Some(self.body(userid, draft, changes).await?) } else { None };
        if enabled == Some(false) {
            self.disable(userid).await?;
        }
        if let Some(body) = &body {
            let sent = self.send(body, changes).await;
            sent.map_err(|error| if enabled == Some(false) { halfway(error) } else { error })?;
        }
        if enabled == Some(true) {
            let done = self.enable(userid).await;
            done.map_err(|error| if others { halfway(error) } else { error })?;
        }
        Ok(())
    }

    /// The body of an update, made over what is there where that matters.
    async fn body(
        &self,
        userid: &str,
        draft: Draft<'_>,
        changes: &BTreeMap<String, Change>,
    ) -> Result<UserBody, ConnectorError> {
        if !draft.needs_present() && !self.settings.enterprise_accounts {
            return draft.alone();
        }
        if draft.clears_custom_fields() {
            self.sight.must_show(self.client, entity::EXTENSION_PREFIX).await?;
        }
        let present = self.user(userid).await?;
        if present.exclusive_account != Some(true)
            && let Some(attribute) = enterprise::not_for_normal(changes.keys())
        {
            return Err(enterprise::unavailable(attribute));
        }
        draft.over(&present)
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
