//! Setting up a target, and changing whether changes are sent to it. Both are in the change log.

use crate::error::ApiError;
use crate::names;
use crate::services::targets::{chosen, no_target};
use crate::target_kinds::{SecretOf, SettingProblem, TargetKinds};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{NewTarget, TargetMode};
use rollcall_store::sources::SetUpBy;
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// The kind of target that is meant when none is named.
const USUAL_KIND: &str = "dingtalk";

/// A target to be set up.
pub struct TargetRequest {
    /// Its name, unique in the tenant.
    pub name: String,
    /// The kind of connector; left out: `dingtalk`.
    pub kind: Option<String>,
    /// Its settings, as `GET …/settings` names them.
    pub settings: Map<String, Value>,
    /// The application's secret.
    pub secret: SecretString,
    /// Whether changes are sent from the start; left out: `rehearsal`.
    pub mode: Option<String>,
}

/// A target and its mode.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct TargetModeView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// `rehearsal` (plans are made, nothing is sent), `live` or `paused`.
    #[schema(example = "rehearsal")]
    pub mode: &'static str,
}

/// Sets up a target. Its secret is sealed, and never shown again.
///
/// # Errors
/// 400 that names what cannot be used; 409 when the name is taken.
pub async fn create(
    store: &Store,
    kinds: &dyn TargetKinds,
    tenant: TenantId,
    by: (SetUpBy, &str),
    request: TargetRequest,
) -> Result<TargetModeView, ApiError> {
    let TargetRequest { name, kind, settings, secret, mode } = request;
    let name =
        names::parse(&name).map_err(|problem| ApiError::parameter("name", format!("cannot be used: {problem}")))?;
    let kind = kind.unwrap_or_else(|| USUAL_KIND.to_owned());
    let mode = mode.as_deref().map_or(Ok(TargetMode::Rehearsal), parse_mode)?;
    let settings = kinds.complete(&kind, &settings).map_err(unusable)?;
    kinds.check_addresses(&kind, &Map::new(), &settings).map_err(unusable)?;
    kinds.check_secret(&kind, &secret).map_err(unusable)?;
    let id = store.new_target_id();
    let secret_sealed = kinds.seal(SecretOf { tenant, target: id, name: &name }, &secret)?;
    let new = NewTarget { id, name: name.clone(), kind, settings: Value::Object(settings), secret_sealed, mode };
    store.set_up_target(tenant, &new, by).await?;
    Ok(TargetModeView { id: id.0, name, mode: mode.as_str() })
}

/// Changes whether changes are sent to a target.
///
/// # Errors
/// 404; 400 for a mode that there is not.
pub async fn set_mode(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    by: (SetUpBy, &str),
    mode: &str,
) -> Result<TargetModeView, ApiError> {
    let mode = parse_mode(mode)?;
    let target = chosen(store, tenant, id).await?;
    if !store.change_target_mode(tenant, id, mode, by).await? {
        return Err(no_target(&id.to_string()));
    }
    Ok(TargetModeView { id: id.0, name: target.name, mode: mode.as_str() })
}

fn parse_mode(word: &str) -> Result<TargetMode, ApiError> {
    TargetMode::parse(word).ok_or_else(|| ApiError::parameter("mode", "must be rehearsal, live or paused"))
}

fn unusable(SettingProblem { name, problem }: SettingProblem) -> ApiError {
    ApiError::parameter(name.unwrap_or("settings"), problem)
}
