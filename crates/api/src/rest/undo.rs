//! `/targets/{id}/undo` and `/overrides`: taking back what was done, and what is held by that.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::{Refusals, UndoRefusal};
use crate::rest::in_path::{InPath, OverrideId};
use crate::rest::params::Params;
use crate::services::overrides::{self, OverrideView};
use crate::services::page::Page;
use crate::services::plans::{self, PlanView, UndoRequest};
use crate::services::{given, who};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use rollcall_provisioning::ids::{ResourceId, TargetId};
use rollcall_store::projection::OverrideQuery;

/// Makes a plan that undoes what was done at a target: by a plan, to people, in a time, or because of a version of the
/// mapping. It is made of what was kept before each change, shows what cannot be undone and why, is judged by the guards as
/// a whole, and sends nothing by itself. When it is applied, each attribute that it brings back is held at that value
/// (an override) as long as the rules want what they want now.
#[utoipa::path(
    post, path = "/targets/{id}/undo", tag = "plans", operation_id = "undo", request_body = UndoRequest,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 201, description = "The plan", body = PlanView), Refusals, UndoRefusal),
)]
pub(super) async fn undo(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    let undoing = given::body::<UndoRequest>(body)?.undoing()?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let place = (client.tenant, target);
    let plan = plans::undo(state.store(), state.target(), place, &undoing, (&by, state.clock().now())).await?;
    Ok((StatusCode::CREATED, Json(plan)))
}

/// What is held at targets against the rules, the newest first.
#[utoipa::path(
    get, path = "/overrides", tag = "plans", operation_id = "listOverrides",
    params(
        ("target" = Option<Uuid>, Query, description = "Only at this target"),
        ("resource" = Option<Uuid>, Query, description = "Only of this person or department"),
        ("ended" = Option<String>, Query, description = "Also those that have ended (true)"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of overrides", body = Page<OverrideView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<OverrideView>>, ApiError> {
    let query = OverrideQuery {
        target: params.id("target")?.map(TargetId),
        resource: params.id("resource")?.map(ResourceId),
        ended: params.word("ended", |word| word.parse::<bool>().ok())?.unwrap_or(false),
        limit: params.limit()?,
        ..OverrideQuery::default()
    };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(overrides::list(state.store(), client.tenant, &query, cursor.as_deref()).await?))
}

/// Lifts an override: the rules count again, and what they want is sent as far as guards let it pass. The change log says
/// who did it.
#[utoipa::path(
    delete, path = "/overrides/{id}", tag = "plans", operation_id = "liftOverride",
    params(("id" = i64, Path, description = "The override's number")),
    responses((status = 204, description = "It is lifted"), Refusals),
)]
pub(super) async fn lift(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(OverrideId(id)): InPath<OverrideId>,
) -> Result<StatusCode, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    overrides::lift(state.store(), client.tenant, id, &by, request_id.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
