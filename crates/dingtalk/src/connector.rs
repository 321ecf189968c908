//! DingTalk behind Rollcall's door to a target.

use crate::client::Client;
use crate::schema::DingTalkSchema;
use crate::settings::{Settings, SettingsError};
use crate::{account, department, fit};
use rollcall_provisioning::budget::{BoxFuture, Budget};
use rollcall_provisioning::connector::{Applied, Connector, ConnectorError, TargetSchema};
use rollcall_provisioning::entity::{Attributes, Entity, EntityKind};
use rollcall_provisioning::plan::{self, Action};
use std::sync::Arc;

/// One configured DingTalk organisation. Keep one for as long as its settings hold: it caches the token and
/// the connections.
pub struct DingTalk {
    pub(crate) client: Client,
    pub(crate) root: String,
}

impl DingTalk {
    /// A connector with these settings, counting its calls against `budget`. Nothing is called yet.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] names the setting that cannot be used.
    pub fn new(settings: &Settings, budget: Arc<dyn Budget>) -> Result<Self, SettingsError> {
        Ok(Self { client: Client::new(settings, budget)?, root: settings.root_dept_id.clone() })
    }

    async fn carry_out(&self, action: &Action) -> Result<Applied, ConnectorError> {
        fit::action(action)?;
        let client = &self.client;
        let remote_id = match action {
            Action::Create { kind: EntityKind::Account, remote_id, attributes, .. } => {
                account::create(client, remote_id.as_deref(), attributes).await?
            }
            Action::Create { kind: EntityKind::OrgUnit, attributes, .. } => {
                department::create(client, attributes).await?
            }
            Action::Update { kind: EntityKind::Account, remote_id, changes } => {
                account::update(client, remote_id, changes).await?;
                remote_id.clone()
            }
            Action::Update { kind: EntityKind::OrgUnit, remote_id, changes } => {
                department::update(client, self.touchable(remote_id)?, changes).await?;
                remote_id.clone()
            }
            Action::Delete { kind: EntityKind::Account, remote_id } => {
                account::delete(client, remote_id).await?;
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
        let number = fit::department_number(id).filter(|id| Some(*id) != fit::department_number(&self.root));
        number.ok_or_else(|| fit::untouchable(id))
    }
}

impl Connector for DingTalk {
    fn schema(&self) -> &dyn TargetSchema {
        &DingTalkSchema
    }

    fn account<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(account::get(&self.client, remote_id))
    }

    fn account_by_mobile<'a>(&'a self, mobile: &'a str) -> BoxFuture<'a, Result<Option<String>, ConnectorError>> {
        Box::pin(account::by_mobile(&self.client, mobile))
    }

    fn org_unit<'a>(&'a self, remote_id: &'a str) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(department::get(&self.client, remote_id))
    }

    fn org_unit_by_name<'a>(
        &'a self,
        parent: &'a str,
        name: &'a str,
    ) -> BoxFuture<'a, Result<Option<Entity>, ConnectorError>> {
        Box::pin(department::by_name(&self.client, parent, name))
    }

    fn apply<'a>(&'a self, action: &'a Action) -> BoxFuture<'a, Result<Applied, ConnectorError>> {
        Box::pin(self.carry_out(action))
    }

    fn root_org_unit(&self) -> &str {
        &self.root
    }

    fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        account::as_read(plan::after(before, action))
    }
}
