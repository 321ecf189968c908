//! DingTalk behind Rollcall's door to a target.

use crate::account::{self, Accounts};
use crate::chat::{self, Chats};
use crate::client::Client;
use crate::contact::Contacts;
use crate::hidden::Sight;
use crate::role::{self, Groups, Roles};
use crate::schema::{DingTalkSchema, WithNormalChats};
use crate::settings::{Settings, SettingsError};
use crate::transport::Connections;
use crate::{department, error, fit};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::{
    Answer, Applied, Connector, ConnectorError, Cursor, Hidden, Named, Page, TargetSchema,
};
use rollcall_provisioning::entity::{self, Attributes, Entity, EntityKind};
use rollcall_provisioning::plan::{self, Action, Change};
use rollcall_provisioning::stop::Cause;
use std::collections::BTreeMap;
use std::sync::Arc;

/// One configured DingTalk organisation. Keep one for as long as its settings hold: it caches the token and
/// the connections.
pub struct DingTalk {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    sight: Sight,
    groups: Groups,
}

impl DingTalk {
    /// A connector with these settings, counting its calls against `budget`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting that cannot be used.
    pub fn new(settings: &Settings, budget: Arc<dyn Budget>) -> Result<Self, SettingsError> {
        settings.validate()?;
        Self::over(settings, budget, &Connections::new(settings.timeout)?)
    }

    /// The same over connections that others use too; their timeout counts.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting that cannot be used.
    pub fn over(
        settings: &Settings,
        budget: Arc<dyn Budget>,
        connections: &Connections,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            client: Client::new(settings, budget, connections)?,
            settings: settings.clone(),
            sight: Sight::default(),
            groups: Groups::default(),
        })
    }

    const fn accounts(&self) -> Accounts<'_> {
        Accounts { client: &self.client, settings: &self.settings, sight: &self.sight }
    }

    const fn role(&self) -> Roles<'_> {
        Roles { client: &self.client, groups: &self.groups, usual_group: self.settings.role_group.as_str() }
    }

    fn chat(&self) -> Chats<'_> {
        Chats { client: &self.client, template: self.settings.chat_template_id.as_deref() }
    }

    const fn contact(&self) -> Contacts<'_> {
        Contacts { client: &self.client, settings: &self.settings }
    }

    async fn carry_out(&self, action: &Action) -> Result<Applied, ConnectorError> {
        fit::action(action)?;
        let kind = action.kind();
        let remote_id = match action {
            Action::Create { remote_id, attributes, password, .. } => match kind {
                EntityKind::Account => {
                    self.accounts().create(remote_id.as_deref(), attributes, password.as_ref()).await?
                }
                EntityKind::OrgUnit => department::create(&self.client, attributes).await?,
                EntityKind::Role => self.role().create(attributes).await?,
                EntityKind::Chat => self.chat().create(remote_id.as_deref(), attributes).await?,
                EntityKind::Contact => self.contact().create(attributes).await?,
            },
            Action::Update { remote_id, changes, .. } => {
                self.update(kind, remote_id, changes).await?;
                remote_id.clone()
            }
            Action::Delete { remote_id, .. } => {
                self.delete(kind, remote_id).await?;
                remote_id.clone()
            }
            Action::AddMembers { remote_id, members, .. } => return self.add_members(kind, remote_id, members).await,
            Action::RemoveMembers { remote_id, members, .. } => {
                self.remove_members(kind, remote_id, members).await?;
                remote_id.clone()
            }
        };
        Ok(Applied::to(remote_id))
    }

    async fn update(
        &self,
        kind: EntityKind,
        remote_id: &str,
        changes: &BTreeMap<String, Change>,
    ) -> Result<(), ConnectorError> {
        match kind {
            EntityKind::Account => self.accounts().update(remote_id, changes).await,
            EntityKind::OrgUnit => department::update(&self.client, self.touchable(remote_id)?, changes).await,
            EntityKind::Role => self.role().update(remote_id, changes).await,
            EntityKind::Chat => self.chat().update(remote_id, changes).await,
            EntityKind::Contact => self.contact().update(remote_id, changes).await,
        }
    }

    async fn delete(&self, kind: EntityKind, remote_id: &str) -> Result<(), ConnectorError> {
        match kind {
            EntityKind::Account => self.accounts().delete(remote_id).await,
            EntityKind::OrgUnit => department::delete(&self.client, self.touchable(remote_id)?).await,
            EntityKind::Role => self.role().delete(remote_id).await,
            EntityKind::Chat => self.chat().delete(remote_id).await,
            EntityKind::Contact => self.contact().delete(remote_id).await,
        }
    }

    async fn add_members(
        &self,
        kind: EntityKind,
        remote_id: &str,
        members: &[String],
    ) -> Result<Applied, ConnectorError> {
        match kind {
            EntityKind::Role => self.role().add_members(remote_id, members).await,
            EntityKind::Chat => {
                self.chat().add_members(remote_id, members).await?;
                Ok(Applied::to(remote_id.to_owned()))
            }
            _ => Err(ConnectorError::unsupported("members")),
        }
    }

    async fn remove_members(
        &self,
        kind: EntityKind,
        remote_id: &str,
        members: &[String],
    ) -> Result<(), ConnectorError> {
        match kind {
            EntityKind::Role => self.role().remove_members(remote_id, members).await,
            EntityKind::Chat => self.chat().remove_members(remote_id, members).await,
            _ => Err(ConnectorError::unsupported("members")),
        }
    }

    /// The number of a department that may be written: not the one at the top (60007, 60018).
    fn touchable(&self, id: &str) -> Result<i64, ConnectorError> {
        let number =
            fit::department_number(id).filter(|id| Some(*id) != fit::department_number(&self.settings.root_dept_id));
        number.ok_or_else(|| fit::untouchable(id))
    }
}

impl Connector for DingTalk {
    fn schema(&self) -> &dyn TargetSchema {
        if self.settings.chat_template_id.is_some() { &DingTalkSchema } else { &WithNormalChats }
    }

    fn account<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(async move { self.accounts().get(remote_id).await })
    }

    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<String>> {
        Box::pin(async move { self.accounts().by_mobile(mobile).await })
    }

    fn org_unit<'a>(&'a self, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(department::get(&self.client, remote_id))
    }

    fn org_unit_by_name<'a>(&'a self, parent: &'a str, name: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(department::by_name(&self.client, parent, name))
    }

    fn entity<'a>(&'a self, kind: EntityKind, remote_id: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(async move {
            match kind {
                EntityKind::Account => self.accounts().get(remote_id).await,
                EntityKind::OrgUnit => department::get(&self.client, remote_id).await,
                EntityKind::Role => self.role().get(remote_id).await,
                EntityKind::Chat => self.chat().get(remote_id).await,
                EntityKind::Contact => self.contact().get(remote_id).await,
            }
        })
    }

    fn by_name<'a>(&'a self, kind: EntityKind, within: Option<&'a str>, name: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(async move {
            match kind {
                EntityKind::OrgUnit => {
                    department::by_name(&self.client, within.unwrap_or(&self.settings.root_dept_id), name).await
                }
                EntityKind::Role => self.role().by_name(within, name).await,
                // Names of people are no keys, and no call lists chats.
                EntityKind::Account | EntityKind::Chat | EntityKind::Contact => {
                    Err(ConnectorError::unsupported("an entity of this kind by its name"))
                }
            }
        })
    }

    fn members<'a>(
        &'a self,
        kind: EntityKind,
        remote_id: &'a str,
        from: Option<&'a Cursor>,
    ) -> Answer<'a, Page<String>> {
        Box::pin(async move {
            match kind {
                EntityKind::Role => self.role().members(remote_id, from).await,
                EntityKind::Chat => self.chat().members(remote_id, from).await,
                _ => Err(ConnectorError::unsupported("members")),
            }
        })
    }

    fn contact_by_mobile<'a>(&'a self, mobile: &'a str) -> Answer<'a, Option<Entity>> {
        Box::pin(async move { self.contact().by_mobile(mobile).await })
    }

    fn contacts<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        Box::pin(async move { self.contact().list(from).await })
    }

    fn roles<'a>(&'a self, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        Box::pin(async move { self.role().list(from).await })
    }

    fn most_members(&self, kind: EntityKind, adding: bool) -> usize {
        match (kind, adding) {
            (EntityKind::Role, true) => role::MOST_ADDED,
            (EntityKind::Role, false) => role::MOST_REMOVED,
            (EntityKind::Chat, _) => chat::MOST_MEMBERS,
            _ => 0,
        }
    }

    fn capacity(&self, kind: EntityKind) -> Option<usize> {
        (kind == EntityKind::Chat).then_some(chat::CAPACITY)
    }

    /// DingTalk knows a second account by its userid (60102), a department, role or external contact by what is taken
    /// (60021, 34021, 22005), a scene group by our key, and a normal group not at all.
    fn repeatable(&self, kind: EntityKind) -> bool {
        kind != EntityKind::Chat || self.settings.chat_template_id.is_some()
    }

    fn children<'a>(&'a self, org_unit: &'a str) -> Answer<'a, Vec<Named>> {
        Box::pin(async move { Ok(department::children(&self.client, org_unit).await?.0) })
    }

    fn accounts_in<'a>(&'a self, org_unit: &'a str, from: Option<&'a Cursor>) -> Answer<'a, Page<Entity>> {
        Box::pin(async move { self.accounts().list(org_unit, from).await })
    }

    fn administrators(&self) -> Answer<'_, Vec<String>> {
        Box::pin(async move { self.accounts().administrators().await })
    }

    fn account_count(&self) -> Answer<'_, u64> {
        Box::pin(async move { self.accounts().count().await })
    }

    fn unreadable(&self, kind: EntityKind) -> Answer<'_, Hidden> {
        Box::pin(async move {
            match kind {
                EntityKind::Account => {
                    let hidden = self.sight.hidden(&self.client).await?;
                    // No read tells the first; the second is only asked for where there are such accounts.
                    let enabled = (!self.settings.enterprise_accounts).then_some(entity::ENABLED);
                    Ok(hidden.and(&Hidden::new([entity::EXCLUSIVE_MOBILE].into_iter().chain(enabled))))
                }
                EntityKind::OrgUnit | EntityKind::Role | EntityKind::Chat | EntityKind::Contact => {
                    Ok(Hidden::default())
                }
            }
        })
    }

    fn unlisted(&self) -> Hidden {
        Hidden::new(account::UNLISTED)
    }

    fn apply<'a>(&'a self, action: &'a Action) -> Answer<'a, Applied> {
        Box::pin(self.carry_out(action))
    }

    fn root_org_unit(&self) -> &str {
        &self.settings.root_dept_id
    }

    fn cause(&self, error: &ConnectorError) -> Cause {
        error::cause(error)
    }

    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        match action.kind() {
            EntityKind::Account => account::after(before, action),
            EntityKind::OrgUnit => department::after(before, action),
            EntityKind::Role => self.role().after(before, action),
            EntityKind::Chat => plan::after(before, action),
            EntityKind::Contact => self.contact().after(before, action),
        }
    }
}
