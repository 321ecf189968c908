//! The kinds of target that this binary knows.

use crate::secrets::MasterKey;
use rollcall_api::TargetFacts;
use rollcall_dingtalk::{DingTalk, DingTalkSchema, Settings};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::Connector;
use rollcall_reconciler::{ConnectorFactory, FactoryError};
use rollcall_store::projection::Target;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What the `settings` of a DingTalk target hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DingTalkSettings {
    /// Base URL of the old host, where contacts are written.
    pub(crate) oapi_url: String,
    /// Base URL of the new host, where tokens come from.
    pub(crate) api_url: String,
    /// The application's key (Client ID).
    pub(crate) app_key: String,
    /// Calls per second that DingTalk permits per application and API; 20 in the standard edition.
    pub(crate) calls_per_second: u32,
}

impl DingTalkSettings {
    /// The connector's own settings.
    fn with_secret(self, secret: SecretString) -> Settings {
        Settings {
            oapi_url: self.oapi_url,
            api_url: self.api_url,
            calls_per_second: self.calls_per_second,
            ..Settings::new(self.app_key, secret)
        }
    }

    /// Whether a connector can be made of them, so that a mistake shows when it is made.
    pub(crate) fn check(&self, secret: SecretString) -> Result<(), rollcall_dingtalk::SettingsError> {
        self.clone().with_secret(secret).validate()
    }
}

/// What the secret of a target is sealed for.
pub(crate) fn purpose(tenant: rollcall_provisioning::ids::TenantId, name: &str) -> String {
    format!("target secret of {tenant}/{name}")
}

/// Makes DingTalk connectors.
pub(crate) struct Factory {
    /// Opens the application secrets.
    pub(crate) key: MasterKey,
    /// The rate budget that all workers share.
    pub(crate) budget: Arc<dyn Budget>,
}

impl Factory {
    /// A connector to DingTalk, with all that only this kind can do.
    pub(crate) fn dingtalk(&self, target: &Target) -> Result<DingTalk, FactoryError> {
        let refuse = |error: &dyn std::fmt::Display| FactoryError(error.to_string());
        if target.kind != "dingtalk" {
            return Err(FactoryError(format!("the kind {:?} is unknown", target.kind)));
        }
        let stored: DingTalkSettings =
            serde_json::from_value(target.settings.clone()).map_err(|error| refuse(&error))?;
        let secret = self
            .key
            .open(&purpose(target.tenant, &target.name), &target.secret_sealed)
            .map_err(|error| refuse(&error))?;
        DingTalk::new(&stored.with_secret(secret), Arc::clone(&self.budget)).map_err(|error| refuse(&error))
    }
}

impl ConnectorFactory for Factory {
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connector>, FactoryError> {
        Ok(Arc::new(self.dingtalk(target)?))
    }
}

/// What is the same for every target that this binary knows.
pub(crate) fn target_facts() -> TargetFacts {
    // No target has another root than the usual one.
    let standard = Settings::new(String::new(), SecretString::default());
    TargetFacts { schema: Arc::new(DingTalkSchema), root_org_unit: standard.root_dept_id }
}
