//! Targets: set up, listed, paused and resumed.

use super::chosen_tenant;
use super::output::{Output, count_of};
use super::setup::{BY, rfc3339, taken};
use crate::cli::{ModeArg, NewTargetArgs, TargetArg, TargetCommand, TenantArg};
use crate::config::Config;
use crate::connector::{DINGTALK, Kinds};
use crate::secrets::MasterKeys;
use anyhow::{Context, Result, bail, ensure};
use rollcall_api::services::first_password::{self, FirstPasswordView};
use rollcall_api::services::stops;
use rollcall_api::services::target_settings::{self, TargetSettingsView};
use rollcall_api::target_kinds::{SecretOf, TargetKinds as _};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::stop::{Reach, Step};
use rollcall_store::Store;
use rollcall_store::projection::{NewTarget, Stop, Target, TargetMode};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::path::Path;

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
        TargetCommand::Create(new) => make(new, config, store, output).await?,
        TargetCommand::List(which) => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
            let targets = store.targets(tenant.id).await?;
            let document = targets
                .iter()
                .map(|target| {
                    json!({
                        "id": target.id.0, "name": target.name, "kind": target.kind, "mode": target.mode.as_str(),
                        "paused_reason": target.paused_reason,
                        "stops": target.stops.iter().map(stop_document).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let rows: Vec<_> = targets
                .iter()
                .map(|target| {
                    let paused = target.paused_reason.clone();
                    let stopped: Vec<String> = paused.into_iter().chain(target.stops.iter().map(stop_line)).collect();
                    let stopped = if stopped.is_empty() { "-".to_owned() } else { stopped.join("; ") };
                    vec![target.name.clone(), target.kind.clone(), target.mode.as_str().to_owned(), stopped]
                })
                .collect();
            output.table(&document, &["name", "kind", "mode", "stopped"], &rows)?;
        }
        TargetCommand::Show(which) => {
            let tenant = chosen_tenant(store, which.tenant.tenant.as_deref()).await?;
            let target = chosen(store, tenant.id, which.target.as_deref()).await?;
            let view = target_settings::read(store, &kinds(config)?, tenant.id, target.id).await?;
            show(&view, *output)?;
        }
        TargetCommand::Set { name, settings, resets, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let target = chosen(store, tenant.id, Some(&name)).await?;
            let patch = patch(&settings, &resets)?;
            ensure!(!patch.is_empty(), "nothing is to be changed: name a --set or a --reset");
            let whose = (tenant.id, target.id);
            show(&target_settings::change(store, &kinds(config)?, whose, BY, &patch).await?, *output)?;
        }
        TargetCommand::Secret { name, app_secret_file, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let target = chosen(store, tenant.id, Some(&name)).await?;
            let secret = secret_in(&app_secret_file)?;
            let whose = (tenant.id, target.id);
            let view = target_settings::set_secret(store, &kinds(config)?, whose, BY, &secret).await?;
            let document = json!({ "id": view.target_id, "name": view.target, "revision": view.revision });
            output.result(&document, || format!("Target {name} has the new secret; workers use it from now on."))?;
        }
        TargetCommand::Try(which) => {
            let tenant = chosen_tenant(store, which.tenant.tenant.as_deref()).await?;
            let target = chosen(store, tenant.id, which.target.as_deref()).await?;
            let tried = stops::try_now(store, (tenant.id, target.id), BY).await?;
            store.tell_workers().await?;
            output.result(&serde_json::to_value(tried)?, || match tried.stops {
                0 => format!("Nothing of target {} is stopped.", target.name),
                stops => format!("{} tried now.", count_of(stops, "stop is", "stops are")),
            })?;
        }
        TargetCommand::Windows { name, file, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?;
            let target = chosen(store, tenant.id, Some(&name)).await?;
            let view = match file {
                None => stops::windows(store, tenant.id, target.id).await?,
                Some(file) => {
                    let text = std::fs::read_to_string(&file)
                        .with_context(|| format!("the file {} cannot be read", file.display()))?;
                    let windows = serde_json::from_str(&text)
                        .with_context(|| format!("the file {} is not JSON", file.display()))?;
                    let view = stops::set_windows(store, (tenant.id, target.id), BY, &windows).await?;
                    store.tell_workers().await?;
                    view
                }
            };
            let shown = || serde_json::to_string_pretty(&view.windows).unwrap_or_default();
            output.result(&view.windows, shown)?;
        }
        TargetCommand::Mode { name, mode, tenant } => {
            set_mode(&TargetArg { target: Some(name), tenant }, mode, store, output).await?;
        }
    }
    Ok(())
}

fn stop_document(stop: &Stop) -> Value {
    json!({
        "kind": stop.reach.kind().map(EntityKind::as_str), "step": stop.reach.step().map(Step::as_str), "cause": stop.cause, "code": stop.code, "reason": stop.reason,
        "advice": stop.advice, "since": rfc3339(stop.since), "next_try_at": rfc3339(stop.next_try_at),
    })
}

fn stop_line(stop: &Stop) -> String {
    let what = match stop.reach {
        Reach::Target => "everything".to_owned(),
        reach => reach.word(),
    };
    format!("{what} ({}), next try {}: {} {}", stop.cause, rfc3339(stop.next_try_at), stop.reason, stop.advice)
}

async fn make(new: NewTargetArgs, config: &Config, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, new.tenant.tenant.as_deref()).await?;
    let secret = secret_in(&new.app_secret_file)?;
    let mut settings = patch(&new.settings, &[])?;
    for (name, value) in [
        ("app_key", json!(new.app_key)),
        ("oapi_url", json!(new.oapi_url)),
        ("api_url", json!(new.api_url)),
        ("calls_per_second", json!(new.calls_per_second)),
    ] {
        settings.insert(name.to_owned(), value);
    }
    std::fs::create_dir_all(&config.data_dir)?;
    let aim = Aim { name: &new.name, settings, secret: &secret, mode: new.mode.into() };
    let id = create(store, &kinds(config)?, tenant.id, aim).await?;
    let (name, mode) = (&new.name, TargetMode::from(new.mode).as_str());
    output.result(&json!({ "id": id.0, "name": name, "mode": mode }), || format!("Target {name} is in {mode}."))
}

fn kinds(config: &Config) -> Result<Kinds> {
    Ok(Kinds { keys: MasterKeys::load_or_create(&config.master_key_path())?, any_host: true })
}

fn secret_in(file: &Path) -> Result<SecretString> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("the secret file {} cannot be read", file.display()))?;
    Ok(text.trim().into())
}

/// What is typed of settings, as a merge patch.
fn patch(settings: &[String], resets: &[String]) -> Result<Map<String, Value>> {
    let mut patch = Map::new();
    let mut add = |name: &str, value: Value| {
        if patch.insert(name.to_owned(), value).is_some() {
            bail!("the setting {name} is named twice");
        }
        Ok(())
    };
    for text in settings {
        let (name, typed) = text.split_once('=').with_context(|| format!("{text:?} is not of the form name=value"))?;
        add(name, target_settings::typed(name, typed))?;
    }
    for name in resets {
        add(name, Value::Null)?;
    }
    Ok(patch)
}

fn show(view: &TargetSettingsView, output: Output) -> Result<()> {
    let text = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let rows: Vec<_> = view
        .settings
        .iter()
        .map(|setting| vec![setting.name.to_owned(), text(&setting.value), setting.what.to_owned()])
        .collect();
    output.table(&serde_json::to_value(view)?, &["setting", "value", "what it is for"], &rows)
}

/// A DingTalk target to be made.
pub(crate) struct Aim<'a> {
    pub(crate) name: &'a str,
    pub(crate) settings: Map<String, Value>,
    pub(crate) secret: &'a SecretString,
    pub(crate) mode: TargetMode,
}

/// Makes a DingTalk target; its secret is sealed.
pub(crate) async fn create(store: &Store, kinds: &Kinds, tenant: TenantId, new: Aim<'_>) -> Result<TargetId> {
    let Aim { name, settings, secret, mode } = new;
    let id = store.new_target_id();
    kinds.check_secret(DINGTALK, secret)?;
    let new = NewTarget {
        id,
        name: name.to_owned(),
        kind: DINGTALK.to_owned(),
        settings: Value::Object(kinds.complete(DINGTALK, &settings)?),
        secret_sealed: kinds.seal(SecretOf { tenant, target: id, name }, secret)?,
        mode,
    };
    store.set_up_target(tenant, &new, BY).await.map_err(|error| taken(error, name))
}

/// Fetches the first passwords of a person's accounts.
pub(super) async fn first_password(
    user_name: &str,
    which: &TenantArg,
    config: &Config,
    store: &Store,
    output: &Output,
) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
    let user = super::show::find(store, tenant.id, user_name).await?;
    let fetched = first_password::fetch(store, &kinds(config)?, (tenant.id, user), BY).await?;
    let line = |view: &FirstPasswordView| format!("{}  {}  {}", view.target, view.userid, view.password);
    output.result(&serde_json::to_value(&fetched)?, || {
        let lines: Vec<String> = fetched.iter().map(line).collect();
        format!("{}\n\nThis is the only time that it is shown.", lines.join("\n"))
    })
}

pub(super) async fn set_mode(which: &TargetArg, mode: ModeArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.tenant.as_deref()).await?;
    let target = chosen(store, tenant.id, which.target.as_deref()).await?;
    let mode = TargetMode::from(mode);
    ensure!(store.change_target_mode(tenant.id, target.id, mode, BY).await?, "the target is gone");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_typed_as_name_and_value() {
        let typed = |settings: &[&str], resets: &[&str]| {
            let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            patch(&owned(settings), &owned(resets)).map(Value::Object)
        };
        let made = typed(
            &["enterprise_accounts=true", "calls_per_second=40", "contact_label_ids=12,345", "corp_id=20260001"],
            &["chat_template_id"],
        );
        let expected = json!({
            "enterprise_accounts": true, "calls_per_second": 40, "contact_label_ids": [12, 345], "corp_id": "20260001",
            "chat_template_id": null,
        });
        assert_eq!(made.expect("a patch"), expected);
        for (settings, resets, told) in [
            (&["enterprise_accounts"][..], &[][..], "not of the form name=value"),
            (&["a=1", "a=2"], &[], "a is named twice"),
            (&["a=1"], &["a"], "a is named twice"),
        ] {
            let error = typed(settings, resets).expect_err("a refusal").to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
