//! `/targets`.

use crate::auth::ApiClient;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::page::Page;
use crate::services::targets::{self, TargetView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;

/// How every target stands: mode, counts by state, what has waited for the longest time.
#[utoipa::path(
    get, path = "/targets", tag = "projection", operation_id = "listTargets",
    responses((status = 200, description = "All targets, by name", body = Page<TargetView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<TargetView>>, ApiError> {
    params.end()?;
    let data = targets::list(state.store(), client.tenant, state.clock().now()).await?;
    Ok(Json(Page::whole(data)))
}
