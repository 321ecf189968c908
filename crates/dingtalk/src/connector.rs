//! DingTalk behind Rollcall's door to a target.

use crate::account::{self, Accounts};
use crate::client::Client;
use crate::hidden::Sight;
use crate::schema::DingTalkSchema;
use crate::settings::{Settings, SettingsError};
use crate::{department, fit};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::{
    Answer, Applied, Connector, ConnectorError, Cursor, Hidden, Named, Page, TargetSchema,
};
use rollcall_provisioning::entity::{self, Attributes, Entity, EntityKind};
use rollcall_provisioning::plan::{self, Action};
use std::sync::Arc;

/// One configured DingTalk organisation. Keep one for as long as its settings hold: it caches the token and
/// the connections.
pub struct DingTalk {
    pub(crate) client: Client,
    pub(crate) settings: Settings,
    sight: Sight,
}

impl DingTalk {
    /// A connector with these settings, counting its calls against `budget`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting that cannot be used.
    pub fn new(settings: &Settings, budget: Arc<dyn Budget>) -> Result<Self, SettingsError> {
        Ok(Self { client: Client::new(settings, budget)?, settings: settings.clone(), sight: Sight::default() })
    }

    const fn accounts(&self) -> Accounts<'_> {
        Accounts { client: &self.client, settings: &self.settings, sight: &self.sight }
    }

    async fn carry_out(&self, action: &Action) -> Result<Applied, ConnectorError> {
        fit::action(action)?;
        let client = &self.client;
        let remote_id = match action {
            Action::Create { kind: EntityKind::Account, remote_id, attributes, password } => {
                self.accounts().create(remote_id.as_deref(), attributes, password.as_ref()).await?
            }
            Action::Create { kind: EntityKind::OrgUnit, attributes, .. } => {
                department::create(client, attributes).await?
            }
            Action::Update { kind: EntityKind::Account, remote_id, changes } => {
                self.accounts().update(remote_id, changes).await?;
                remote_id.clone()
            }
            Action::Update { kind: EntityKind::OrgUnit, remote_id, changes } => {
                department::update(client, self.touchable(remote_id)?, changes).await?;
                remote_id.clone()
            }
            Action::Delete { kind: EntityKind::Account, remote_id } => {
                self.accounts().delete(remote_id).await?;
                remote_id.clone()
            }
            Action::Delete { kind: EntityKind::OrgUnit, remote_id } => {
                department::delete(client, self.touchable(remote_id)?).await?;
                remote_id.clone()
            }
            other => return Err(ConnectorError::unsupported(other.kind().as_str())),
        };
        Ok(Applied::to(remote_id))
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
        &DingTalkSchema
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

    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        match action.kind() {
            EntityKind::Account => account::after(before, action),
            EntityKind::OrgUnit => department::after(before, action),
            _ => plan::after(before, action),
        }
    }
}
