//! What people do about stops and deny windows of a target.

use crate::error::ApiError;
use crate::services::targets::{chosen, no_target};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::window::Windows;
use rollcall_store::Store;
use rollcall_store::sources::SetUpBy;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// What came of the wish to try again.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub struct Tried {
    /// How many stops there are; all of them are tried now.
    pub stops: u64,
}

/// Tries everything that is stopped of a target now, instead of when its clock says so.
///
/// # Errors
/// 404.
pub async fn try_now(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    by: (SetUpBy, &str),
) -> Result<Tried, ApiError> {
    chosen(store, tenant, id).await?;
    Ok(Tried { stops: store.try_now(tenant, id, by).await? })
}

/// The deny windows of a target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct DenyWindowsView {
    /// The target.
    pub target_id: Uuid,
    /// The windows.
    #[schema(value_type = Vec<Object>)]
    pub windows: Value,
}

/// The deny windows of a target.
///
/// # Errors
/// 404.
pub async fn windows(store: &Store, tenant: TenantId, id: TargetId) -> Result<DenyWindowsView, ApiError> {
    let target = chosen(store, tenant, id).await?;
    Ok(DenyWindowsView { target_id: id.0, windows: target.windows.to_value() })
}

/// Replaces the deny windows of a target.
///
/// # Errors
/// 404, and 400 that says which window cannot be used and why: nothing is changed then.
pub async fn set_windows(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    by: (SetUpBy, &str),
    windows: &Value,
) -> Result<DenyWindowsView, ApiError> {
    let windows = Windows::parse(windows).map_err(|error| ApiError::parameter("windows", error.problem))?.to_value();
    if !store.set_deny_windows(tenant, id, &windows, by).await? {
        return Err(no_target(&id.to_string()));
    }
    Ok(DenyWindowsView { target_id: id.0, windows })
}
