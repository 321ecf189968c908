//! Leavers: one who is removed at once, and what they hand over.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::leavers::{self, HandoverView, HeritageView, RemovalRequest, RemovalView};
use crate::services::page::Page;
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use rollcall_provisioning::ids::{ResourceId, TargetId};
use rollcall_store::projection::HandoverQuery;

/// Lets the account of one person who has left go at once: the days of the rules for leavers do not count, guards do not
/// hold it, and no plan is needed, also in rehearsal. What is marked as protected is held all the same. It is kept in the
/// change log as `removed_at_once`, with the reason and who decided it.
#[utoipa::path(
    post, path = "/users/{id}/remove-at-once", tag = "people", operation_id = "removeAtOnce",
    params(("id" = Uuid, Path, description = "The SCIM id")), request_body = RemovalRequest,
    responses((status = 202, description = "It goes now", body = RemovalView), Refusals, ConflictRefusal),
)]
pub(super) async fn remove_at_once(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(id): InPath<ResourceId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<RemovalView>), ApiError> {
    let request: RemovalRequest = given::body(body)?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let done = leavers::remove_at_once(state.store(), client.tenant, id, &request, &by).await?;
    Ok((StatusCode::ACCEPTED, Json(done)))
}

/// What one person hands over: who report to them, the departments that they headed, and who takes over.
#[utoipa::path(
    get, path = "/users/{id}/handover", tag = "people", operation_id = "readHandover",
    params(("id" = Uuid, Path, description = "The SCIM id")),
    responses((status = 200, description = "What the person hands over", body = HeritageView), Refusals),
)]
pub(super) async fn heritage(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(id): InPath<ResourceId>,
) -> Result<Json<HeritageView>, ApiError> {
    Ok(Json(leavers::heritage(state.store(), client.tenant, id).await?))
}

/// Leavers who had something to hand over, and who takes over from them.
#[utoipa::path(
    get, path = "/handovers", tag = "people", operation_id = "listHandovers",
    params(
        ("target" = Option<Uuid>, Query, description = "Only at this target"),
        ("open" = Option<bool>, Query, description = "Only where something is left to nobody"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of handovers", body = Page<HandoverView>), Refusals),
)]
pub(super) async fn handovers(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<HandoverView>>, ApiError> {
    let flag = |word: &str| match word {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    };
    let query = HandoverQuery {
        target: params.id("target")?.map(TargetId),
        open: params.word("open", flag)?.unwrap_or(false),
        limit: params.limit()?,
        ..HandoverQuery::default()
    };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(leavers::handovers(state.store(), client.tenant, &query, cursor.as_deref()).await?))
}
