//! `/deliveries`: where each resource stands towards each target, and the wish to look again.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::deliveries::{self, DeliveryView};
use crate::services::given;
use crate::services::page::Page;
use crate::services::retry::{self, Retried};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId};
use rollcall_store::projection::{DeliveryQuery, MarkAgain};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where resources stand, in the order of their ids.
#[utoipa::path(
    get, path = "/deliveries", tag = "projection", operation_id = "listDeliveries",
    params(
        ("state" = Option<String>, Query, description = "Only in this state: pending, applying, in_step, retrying, \
            waiting, needs_attention, held or gone"),
        ("target" = Option<Uuid>, Query, description = "Only towards this target"),
        ("kind" = Option<String>, Query, description = "Only of this kind: user, group or org_unit"),
        ("resource" = Option<Uuid>, Query, description = "Only of this resource"),
        ("held_by" = Option<String>, Query, description = "Only what this holds, as `held_by` of a delivery names it"),
        ("code" = Option<String>, Query, description = "Only with this error code"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of deliveries", body = Page<DeliveryView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<DeliveryView>>, ApiError> {
    let query = DeliveryQuery {
        target: params.id("target")?.map(TargetId),
        state: params.word("state", DeliveryState::parse)?,
        kind: params.word("kind", ResourceKind::parse)?,
        resource: params.id("resource")?.map(ResourceId),
        held_by: params.text("held_by"),
        code: params.text("code"),
        after: None,
        limit: params.limit()?,
    };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(deliveries::list(state.store(), client.tenant, &query, cursor.as_deref()).await?))
}

/// Which deliveries are to be looked at again. Every member narrows them down.
#[derive(Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRequest {
    /// Only of this resource.
    #[serde(default, deserialize_with = "given::optional_id")]
    resource_id: Option<Uuid>,
    /// Only towards this target.
    #[serde(default, deserialize_with = "given::optional_id")]
    target_id: Option<Uuid>,
    /// Only in this state. Without it and without a resource: those that retry, wait or need attention.
    #[schema(example = "needs_attention")]
    state: Option<String>,
}

/// Looks at deliveries again now: one resource, or all that fit.
#[utoipa::path(
    post, path = "/deliveries/retry", tag = "projection", operation_id = "retryDeliveries",
    request_body = RetryRequest,
    responses((status = 200, description = "How many are looked at again", body = Retried), Refusals),
)]
pub(super) async fn retry(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<Retried>, ApiError> {
    params.end()?;
    let request: RetryRequest = given::body(body)?;
    let parse = |word: String| {
        DeliveryState::parse(&word).ok_or_else(|| {
            ApiError::parameter("state", format!("cannot be {word:?}; the OpenAPI document lists its values"))
        })
    };
    let which = MarkAgain {
        target: request.target_id.map(TargetId),
        resource: request.resource_id.map(ResourceId),
        state: request.state.map(parse).transpose()?,
    };
    Ok(Json(retry::mark(state.store(), client.tenant, &which, request_id.as_str()).await?))
}
