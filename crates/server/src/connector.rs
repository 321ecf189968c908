//! The kinds of target that this binary knows: DingTalk.

mod password;
mod settings;

pub(crate) use settings::DingTalkSettings;

use crate::secrets::{Field, MasterKeys, Place, random};
use rollcall_api::TargetFacts;
use rollcall_api::target_kinds::{NotSealed, SecretOf, Setting, SettingProblem, TargetKinds};
use rollcall_dingtalk::{DingTalk, DingTalkSchema, Settings};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::Connector;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::plan::InitialPassword;
use rollcall_reconciler::{ConnectorFactory, FactoryError, FirstPassword};
use rollcall_store::projection::Target;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The word for this kind of target.
pub(crate) const DINGTALK: &str = "dingtalk";

/// Makes DingTalk connectors.
pub(crate) struct Factory {
    /// Opens the application secrets.
    pub(crate) keys: Arc<MasterKeys>,
    /// The rate budget that all workers share.
    pub(crate) budget: Arc<dyn Budget>,
}

impl Factory {
    /// A connector to DingTalk, with all that only this kind can do.
    pub(crate) fn dingtalk(&self, target: &Target) -> Result<DingTalk, FactoryError> {
        let refuse = |error: &dyn std::fmt::Display| FactoryError(error.to_string());
        if target.kind != DINGTALK {
            return Err(FactoryError(format!("the kind {:?} is unknown", target.kind)));
        }
        let stored = DingTalkSettings::stored(&target.settings).map_err(|error| refuse(&error))?;
        let secret =
            self.keys.open(&place(target, Field::AppSecret), &target.secret_sealed).map_err(|error| refuse(&error))?;
        DingTalk::new(&stored.with_secret(secret), Arc::clone(&self.budget)).map_err(|error| refuse(&error))
    }
}

fn place(target: &Target, field: Field) -> Place<'_> {
    Place { tenant: target.tenant, target: target.id, target_name: &target.name, field }
}

impl ConnectorFactory for Factory {
    fn connect(&self, target: &Target) -> Result<Arc<dyn Connector>, FactoryError> {
        Ok(Arc::new(self.dingtalk(target)?))
    }

    fn first_password(&self, target: &Target, user: ResourceId) -> Result<FirstPassword, FactoryError> {
        let failed = |error: anyhow::Error| FactoryError(format!("{error:#}"));
        let settings = DingTalkSettings::stored(&target.settings).map_err(|error| FactoryError(error.to_string()))?;
        let password = SecretString::from(password::readable(&random().map_err(failed)?));
        let sealed = if settings.send_initial_password {
            None
        } else {
            Some(self.keys.seal(&place(target, Field::FirstPassword(user)), &password).map_err(failed)?)
        };
        Ok(FirstPassword { password: InitialPassword::new(password), sealed })
    }

    fn kept_password(&self, target: &Target, user: ResourceId, sealed: &[u8]) -> Result<InitialPassword, FactoryError> {
        let opened = self.keys.open(&place(target, Field::FirstPassword(user)), sealed);
        opened.map(InitialPassword::new).map_err(|error| FactoryError(format!("{error:#}")))
    }
}

/// What the HTTP side and the command line know of DingTalk.
pub(crate) struct Kinds {
    /// Seals the application secrets.
    pub(crate) keys: Arc<MasterKeys>,
    /// Whether targets may be set up over HTTP at other hosts than DingTalk's.
    pub(crate) any_host: bool,
}

impl TargetKinds for Kinds {
    fn settings(&self, kind: &str) -> &'static [Setting] {
        if kind == DINGTALK { settings::SETTINGS } else { &[] }
    }

    fn complete(&self, kind: &str, given: &Map<String, Value>) -> Result<Map<String, Value>, SettingProblem> {
        if kind == DINGTALK { settings::complete(given) } else { Err(unknown(kind)) }
    }

    fn check_addresses(
        &self,
        kind: &str,
        before: &Map<String, Value>,
        settings: &Map<String, Value>,
    ) -> Result<(), SettingProblem> {
        if kind != DINGTALK {
            return Err(unknown(kind));
        }
        if self.any_host { Ok(()) } else { settings::check_addresses(before, settings) }
    }

    fn check_secret(&self, kind: &str, secret: &SecretString) -> Result<(), SettingProblem> {
        if kind == DINGTALK { settings::check_secret(secret) } else { Err(unknown(kind)) }
    }

    fn seal(&self, of: SecretOf<'_>, secret: &SecretString) -> Result<Vec<u8>, NotSealed> {
        let SecretOf { tenant, target, name } = of;
        let place = Place { tenant, target, target_name: name, field: Field::AppSecret };
        self.keys.seal(&place, secret).map_err(|error| NotSealed(format!("{error:#}")))
    }

    fn open_first_password(
        &self,
        of: SecretOf<'_>,
        user: ResourceId,
        sealed: &[u8],
    ) -> Result<SecretString, NotSealed> {
        let SecretOf { tenant, target, name } = of;
        let place = Place { tenant, target, target_name: name, field: Field::FirstPassword(user) };
        self.keys.open(&place, sealed).map_err(|error| NotSealed(format!("{error:#}")))
    }
}

fn unknown(kind: &str) -> SettingProblem {
    SettingProblem { name: None, problem: format!("belongs to a target of the kind {kind:?}, which is unknown") }
}

/// What is the same for every target that this binary knows.
pub(crate) fn target_facts() -> TargetFacts {
    // No target has another root than the usual one.
    let standard = Settings::new(String::new(), SecretString::default());
    TargetFacts { schema: Arc::new(DingTalkSchema), root_org_unit: standard.root_dept_id }
}
