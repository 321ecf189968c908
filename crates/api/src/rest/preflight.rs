//! `/targets/{id}/preflight`: whether the application of a target may do what is needed.

use crate::auth::ApiClient;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::services::preflight::{self, PreflightView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use rollcall_provisioning::ids::TargetId;

/// Asks the target whether the application may do what is needed: its permissions one by one, the contact range, the fields
/// that it may read, school departments, the monthly quota. Nothing is changed there. The answer is shown again for a minute.
#[utoipa::path(
    get, path = "/targets/{id}/preflight", tag = "set-up", operation_id = "preflightTarget",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "What was found", body = PreflightView), Refusals, ConflictRefusal),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<PreflightView>, ApiError> {
    let found = preflight::read(&state, client.tenant, target).await?;
    Ok(Json(PreflightView::clone(&found)))
}
