//! Targets: set up, listed, paused and resumed.

use super::chosen_tenant;
use super::output::Output;
use super::setup::{rfc3339, taken};
use crate::cli::{ModeArg, TargetArg, TargetCommand};
use crate::config::Config;
use crate::connector::{DingTalkSettings, purpose};
use crate::secrets::MasterKey;
use anyhow::{Context, Result, bail, ensure};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{NewTarget, Target, TargetMode};
use secrecy::SecretString;
use serde_json::json;

impl From<ModeArg> for TargetMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Rehearsal => Self::Rehearsal,
            ModeArg::Live => Self::Live,
            ModeArg::Paused => Self::Paused,
        }
    }
}

pub(super) async fn run(command: TargetCommand, config: &Config, store: &Store, output: &Output) -> Result<()> {
    match command {
        TargetCommand::Create { name, app_key, app_secret_file, oapi_url, api_url, calls_per_second, mode, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let secret = std::fs::read_to_string(&app_secret_file)
                .with_context(|| format!("the secret file {} cannot be read", app_secret_file.display()))?;
            let secret = SecretString::from(secret.trim());
            let settings = DingTalkSettings { oapi_url, api_url, app_key, calls_per_second };
            std::fs::create_dir_all(&config.data_dir)?;
            let key = MasterKey::load_or_create(&config.master_key_path())?;
            let aim = Aim { name: &name, settings: &settings, secret: &secret, mode: mode.into() };
            let id = create(store, &key, tenant.id, aim).await?;
            let mode = TargetMode::from(mode).as_str();
            output.result(&json!({ "id": id.0, "name": name, "mode": mode }), || {
                format!("Target {name} is in {mode}.")
            })?;
        }
        TargetCommand::List(which) => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
            let targets = store.targets(tenant.id).await?;
            let document = targets
                .iter()
                .map(|target| {
                    json!({
                        "id": target.id.0, "name": target.name, "kind": target.kind, "mode": target.mode.as_str(),
                        "stopped_until": target.stopped_until.map(rfc3339), "stopped_reason": target.stopped_reason,
                    })
                })
                .collect();
            let rows: Vec<_> = targets
                .iter()
                .map(|target| {
                    let stopped = target.stopped_reason.clone().unwrap_or_else(|| "-".to_owned());
                    vec![target.name.clone(), target.kind.clone(), target.mode.as_str().to_owned(), stopped]
                })
                .collect();
            output.table(&document, &["name", "kind", "mode", "stopped"], &rows)?;
        }
        TargetCommand::Mode { name, mode, tenant } => {
            set_mode(&TargetArg { target: Some(name), tenant }, mode, store, output).await?;
        }
    }
    Ok(())
}

/// A DingTalk target to be made.
pub(crate) struct Aim<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: &'a DingTalkSettings,
    pub(crate) secret: &'a SecretString,
    pub(crate) mode: TargetMode,
}

/// Makes a DingTalk target; its secret is sealed.
pub(crate) async fn create(store: &Store, key: &MasterKey, tenant: TenantId, new: Aim<'_>) -> Result<TargetId> {
    let Aim { name, settings, secret, mode } = new;
    let new = NewTarget {
        name: name.to_owned(),
        kind: "dingtalk".to_owned(),
        settings: serde_json::to_value(settings)?,
        secret_sealed: key.seal(&purpose(tenant, name), secret)?,
        mode,
    };
    settings.check(secret.clone())?;
    store.create_target(tenant, &new).await.map_err(|error| taken(error, name))
}

pub(super) async fn set_mode(which: &TargetArg, mode: ModeArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.tenant.as_deref()).await?;
    let target = chosen(store, tenant.id, which.target.as_deref()).await?;
    let mode = TargetMode::from(mode);
    ensure!(store.set_target_mode(tenant.id, target.id, mode).await?, "the target is gone");
    let document = json!({ "id": target.id.0, "name": target.name, "mode": mode.as_str() });
    output.result(&document, || format!("Target {} is {} now.", target.name, mode.as_str()))?;
    Ok(())
}

pub(super) async fn chosen(store: &Store, tenant: TenantId, name: Option<&str>) -> Result<Target> {
    let mut targets = store.targets(tenant).await?;
    if let Some(name) = name {
        let found = targets.into_iter().find(|target| target.name == name);
        return found.with_context(|| format!("there is no target {name:?}; `rollcall target list` shows them"));
    }
    match (targets.pop(), targets.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => bail!("there is no target yet; make one with `rollcall target create`"),
        (Some(_), false) => bail!("there are several targets; say which"),
    }
}
