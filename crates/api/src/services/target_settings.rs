//! The settings of a target: what they are, changing them, and giving the target another secret. No answer holds a secret.

use crate::error::ApiError;
use crate::services::targets::{chosen, no_target};
use crate::target_kinds::{SecretOf, Setting, SettingProblem, TargetKinds};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{NewSettings, Target};
use rollcall_store::sources::SetUpBy;
use rollcall_store::write::UpdateError;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// The settings of a target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TargetSettingsView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// The kind of connector.
    #[schema(example = "dingtalk")]
    pub kind: String,
    /// Grows with every change of a setting or of the secret.
    pub revision: i64,
    /// Every setting. The secret is not among them: it is never shown.
    pub settings: Vec<SettingView>,
}

/// A setting.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct SettingView {
    /// Its name.
    #[schema(example = "enterprise_accounts")]
    pub name: &'static str,
    /// What it is.
    #[schema(value_type = Value, example = true)]
    pub value: Value,
    /// What it is for, and what it can be.
    pub what: &'static str,
}

impl TargetSettingsView {
    fn of(target: &Target, kinds: &dyn TargetKinds) -> Self {
        let given = target.settings.as_object().cloned().unwrap_or_default();
        // What does not fit any more is shown as it stands.
        let values = kinds.complete(&target.kind, &given).unwrap_or(given);
        let view = |setting: &Setting| SettingView {
            name: setting.name,
            value: values.get(setting.name).cloned().unwrap_or_default(),
            what: setting.what,
        };
        Self {
            target_id: target.id.0,
            target: target.name.clone(),
            kind: target.kind.clone(),
            revision: target.settings_revision,
            settings: kinds.settings(&target.kind).iter().map(view).collect(),
        }
    }
}

/// The settings of a target.
///
/// # Errors
/// 404.
pub async fn read(
    store: &Store,
    kinds: &dyn TargetKinds,
    tenant: TenantId,
    id: TargetId,
) -> Result<TargetSettingsView, ApiError> {
    Ok(TargetSettingsView::of(&chosen(store, tenant, id).await?, kinds))
}

/// Changes settings by a merge patch (RFC 7396): `null` gives a setting back the value that it has when nobody says anything.
/// Every worker uses them from its next delivery on, and what failed is looked at again.
///
/// # Errors
/// 404, and 400 that names the setting which cannot be used: nothing is changed then.
pub async fn change(
    store: &Store,
    kinds: &dyn TargetKinds,
    (tenant, id): (TenantId, TargetId),
    (by, request_id): (SetUpBy, &str),
    patch: &Map<String, Value>,
) -> Result<TargetSettingsView, ApiError> {
    let changed = store.change_target(tenant, id, (by, request_id), |target| {
        let settings = merged(kinds, target, patch)?;
        if by != SetUpBy::CommandLine {
            let before = target.settings.as_object().cloned().unwrap_or_default();
            kinds.check_addresses(&target.kind, &before, &settings).map_err(unusable)?;
        }
        Ok(NewSettings { settings: Value::Object(settings), secret_sealed: None })
    });
    done(changed.await, kinds, id)
}

/// Gives a target another secret. Every worker uses it from its next delivery on.
///
/// # Errors
/// 404, and 400 for a secret that cannot be one.
pub async fn set_secret(
    store: &Store,
    kinds: &dyn TargetKinds,
    (tenant, id): (TenantId, TargetId),
    (by, request_id): (SetUpBy, &str),
    secret: &SecretString,
) -> Result<TargetSettingsView, ApiError> {
    let changed = store.change_target(tenant, id, (by, request_id), |target| {
        kinds.check_secret(&target.kind, secret).map_err(unusable)?;
        let sealed = kinds.seal(SecretOf { tenant, target: id, name: &target.name }, secret)?;
        Ok(NewSettings { settings: target.settings.clone(), secret_sealed: Some(sealed) })
    });
    done(changed.await, kinds, id)
}

/// The value of a setting as people type it: a switch, a list or a small number is that; a key or an id may be all digits, and
/// is a text. The members of a list may stand without brackets.
pub fn typed(name: &str, text: &str) -> Value {
    let is_list = name == "contact_label_ids" && !text.starts_with('[');
    let json = if is_list { format!("[{text}]") } else { text.to_owned() };
    // However large, what counts calls is a number.
    let is_json = |value: &Value| is_no_text(value) || value.is_u64() && name.starts_with("calls_per_");
    serde_json::from_str(&json).ok().filter(is_json).unwrap_or_else(|| text.into())
}

/// Keys and ids may be all digits: only what cannot be meant as a text is read as JSON.
fn is_no_text(value: &Value) -> bool {
    matches!(value, Value::Bool(_) | Value::Array(_)) || value.as_u64().is_some_and(|number| number < 1_000)
}

fn done(
    changed: Result<rollcall_store::write::Updated<Target>, UpdateError<ApiError>>,
    kinds: &dyn TargetKinds,
    id: TargetId,
) -> Result<TargetSettingsView, ApiError> {
    match changed {
        Ok(updated) => Ok(TargetSettingsView::of(&updated.value, kinds)),
        Err(UpdateError::NotFound) => Err(no_target(&id.to_string())),
        Err(UpdateError::Refused(refusal)) => Err(refusal),
        Err(UpdateError::Store(error)) => Err(error.into()),
    }
}

fn merged(
    kinds: &dyn TargetKinds,
    target: &Target,
    patch: &Map<String, Value>,
) -> Result<Map<String, Value>, ApiError> {
    let known = kinds.settings(&target.kind);
    let mut settings = target.settings.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if !known.iter().any(|setting| setting.name == name) {
            let names: Vec<&str> = known.iter().map(|setting| setting.name).collect();
            let problem = format!("holds {}; the settings are {}", quoted(name), names.join(", "));
            return Err(ApiError::parameter("body", problem));
        }
        match value {
            Value::Null => settings.remove(name),
            value => settings.insert(name.clone(), value.clone()),
        };
    }
    kinds.complete(&target.kind, &settings).map_err(unusable)
}

fn unusable(SettingProblem { name, problem }: SettingProblem) -> ApiError {
    ApiError::parameter(name.unwrap_or("body"), problem)
}
