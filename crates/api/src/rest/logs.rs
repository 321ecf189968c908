//! `/attempts` and `/changes`: what was tried, and what was changed.

use crate::auth::ApiClient;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::attempts::{self, AttemptView};
use crate::services::changes::{self, ChangeView};
use crate::services::page::Page;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use rollcall_provisioning::ids::{ResourceId, TargetId};
use rollcall_store::projection::AttemptQuery;

/// What was tried at the targets, the newest first.
#[utoipa::path(
    get, path = "/attempts", tag = "projection", operation_id = "listAttempts",
    params(
        ("resource" = Option<Uuid>, Query, description = "Only of this resource"),
        ("target" = Option<Uuid>, Query, description = "Only towards this target"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of attempts", body = Page<AttemptView>), Refusals),
)]
pub(super) async fn attempts(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<AttemptView>>, ApiError> {
    let query = AttemptQuery {
        until: None,
        resource: params.id("resource")?.map(ResourceId),
        target: params.id("target")?.map(TargetId),
        before: None,
        limit: params.limit()?,
    };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(attempts::list(state.store(), client.tenant, &query, cursor.as_deref()).await?))
}

/// The change log: who changed what, because of which request; and what people were alerted to. The newest first.
#[utoipa::path(
    get, path = "/changes", tag = "directory", operation_id = "listChanges",
    params(
        ("resource" = Option<Uuid>, Query, description = "Only of this resource"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of the log", body = Page<ChangeView>), Refusals),
)]
pub(super) async fn changes(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<ChangeView>>, ApiError> {
    let resource = params.id("resource")?.map(ResourceId);
    let (limit, cursor) = (params.limit()?, params.text("cursor"));
    params.end()?;
    Ok(Json(changes::list(state.store(), client.tenant, resource, limit, cursor.as_deref()).await?))
}
