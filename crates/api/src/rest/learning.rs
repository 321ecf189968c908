//! `/targets/{id}/guards/proposals` and `/targets/{id}/guards/test`: limits that follow from what is usual, and what limits
//! would have held last week.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::guards::OwnLimits;
use crate::rest::in_path::InPath;
use crate::services::guards::GuardsView;
use crate::services::learning::{self, ProposalsView, TriedView};
use crate::services::who;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use rollcall_provisioning::ids::TargetId;
use serde_json::Value;
use utoipa::ToSchema;

/// Limits that follow from what is usual at a target: three times what 99 of 100 days did not exceed, never below the floor
/// that all begin with. Proposed from 14 whole days on; nothing is changed by itself.
#[utoipa::path(
    get, path = "/targets/{id}/guards/proposals", tag = "plans", operation_id = "proposeLimits",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The proposals, with the arithmetic", body = ProposalsView), Refusals),
)]
pub(super) async fn proposals(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<ProposalsView>, ApiError> {
    Ok(Json(learning::proposals(state.store(), client.tenant, target).await?))
}

/// Which proposals are accepted.
#[derive(ToSchema)]
#[schema(example = json!({ "guards": ["people.remove"] }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct AcceptedProposals {
    /// The guards; left out: all whose limit would change.
    guards: Option<Vec<String>>,
}

/// Sets limits as they are proposed now. The change log says who did it.
#[utoipa::path(
    post, path = "/targets/{id}/guards/proposals/accept", tag = "plans", operation_id = "acceptLimits",
    request_body = AcceptedProposals, params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "All guards as they are now", body = GuardsView), Refusals, ConflictRefusal),
)]
pub(super) async fn accept(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<GuardsView>, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let wanted = wanted(&body)?;
    Ok(Json(learning::accept(state.store(), (client.tenant, target), &wanted, &by).await?))
}

fn wanted(body: &Value) -> Result<Vec<String>, ApiError> {
    let members = body.as_object().ok_or_else(|| ApiError::parameter("body", "must be an object"))?;
    if members.keys().any(|name| name != "guards") {
        return Err(ApiError::parameter("body", "can only have the member guards"));
    }
    let must_be = || ApiError::parameter("guards", "must be an array of at least one guard");
    let Some(guards) = members.get("guards") else { return Ok(Vec::new()) };
    let guards = guards.as_array().filter(|guards| !guards.is_empty()).ok_or_else(must_be)?;
    guards.iter().map(|guard| guard.as_str().map(str::to_owned).ok_or_else(must_be)).collect()
}

/// Limits to be tried.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct TriedLimits {
    /// Limits of one's own; a guard that is not named has the limit that all begin with. Left out: those in force.
    limits: Option<OwnLimits>,
}

/// Says what limits would have held of the plans and the days of the last seven days. Nothing is changed.
#[utoipa::path(
    post, path = "/targets/{id}/guards/test", tag = "plans", operation_id = "testLimits", request_body = TriedLimits,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "What would have been too much", body = TriedView), Refusals),
)]
pub(super) async fn try_limits(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<TriedView>, ApiError> {
    let members = body.as_object().ok_or_else(|| ApiError::parameter("body", "must be an object"))?;
    if members.keys().any(|name| name != "limits") {
        return Err(ApiError::parameter("body", "can only have the member limits"));
    }
    let asked = (client.tenant, target);
    Ok(Json(learning::try_on_last_week(state.store(), asked, members.get("limits"), state.clock().now()).await?))
}
