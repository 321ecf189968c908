//! `/targets/{id}/guards` and `/targets/{id}/trips`: how much is too much, and what is held for it.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::{InPath, TripAt};
use crate::services::guards::{self, GuardsView, TripView};
use crate::services::page::Page;
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use rollcall_provisioning::ids::TargetId;
use serde::Deserialize;
use utoipa::ToSchema;

/// Every guard of a target: its limit in force, what has passed it, what it holds.
#[utoipa::path(
    get, path = "/targets/{id}/guards", tag = "plans", operation_id = "readGuards",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "All guards", body = GuardsView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<GuardsView>, ApiError> {
    Ok(Json(guards::read(state.store(), client.tenant, target).await?))
}

/// The limits that a target has of its own, by guard. A guard that is left out has the limit that all begin with.
#[derive(ToSchema)]
#[schema(example = json!({ "people.remove": { "floor": 10, "share": 0.01, "day": 2, "week": 4 } }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct OwnLimits(std::collections::BTreeMap<String, NewLimit>);

/// How much is allowed.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewLimit {
    /// This much is always allowed.
    floor: u64,
    /// The share of the base that is allowed, 0 to 1.
    share: f64,
    /// How many times as much is allowed in a day; left out: a day is not counted.
    day: Option<u64>,
    /// How many times as much is allowed in a week; left out: a week is not counted.
    week: Option<u64>,
}

/// Replaces the limits that a target has of its own. What is decided from now on is judged by them, and so is, as a whole,
/// what each guard holds. The limit of a guard that holds something now cannot be made looser: to let that pass takes two
/// people, who release a plan of it. The change log says who did it.
#[utoipa::path(
    put, path = "/targets/{id}/guards", tag = "plans", operation_id = "replaceGuards", request_body = OwnLimits,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "All guards as they are now", body = GuardsView), Refusals, ConflictRefusal),
)]
pub(super) async fn replace(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<GuardsView>, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    Ok(Json(guards::replace(state.store(), client.tenant, target, &body, &by).await?))
}

/// What guards hold and held: open ones first, then the newest, 200 at most.
#[utoipa::path(
    get, path = "/targets/{id}/trips", tag = "plans", operation_id = "listTrips",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The trips", body = Page<TripView>), Refusals),
)]
pub(super) async fn trips(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<Page<TripView>>, ApiError> {
    Ok(Json(Page::whole(guards::trips(state.store(), client.tenant, target).await?)))
}

/// Why a trip is closed.
#[derive(Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClosedTrip {
    /// Why, for the change log; 1 to 1,000 characters.
    #[schema(example = "Most of them have come back.")]
    reason: Option<String>,
}

/// Judges anew, as a whole, what a guard holds. If it is not too much any more by the limits in force, the trip is closed,
/// and what it held goes on; the change log says who did it, and why if the request does. If it still is, the answer is 409: that takes other limits, or a
/// plan that two people release.
#[utoipa::path(
    post, path = "/targets/{id}/trips/{trip}/close", tag = "plans", operation_id = "closeTrip",
    request_body = Option<ClosedTrip>,
    params(("id" = Uuid, Path, description = "The target's id"), ("trip" = Uuid, Path, description = "The trip's id")),
    responses((status = 200, description = "All guards as they are now", body = GuardsView), Refusals, ConflictRefusal),
)]
pub(super) async fn close(
    client: ApiClient,
    State(state): State<ApiState>,
    TripAt { target, trip }: TripAt,
    body: Option<JsonBody>,
) -> Result<Json<GuardsView>, ApiError> {
    let ClosedTrip { reason } = body.map_or_else(|| Ok(ClosedTrip::default()), |JsonBody(body)| given::body(body))?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let by = (reason.as_deref(), by.as_str());
    Ok(Json(guards::close(state.store(), (client.tenant, target), trip, by).await?))
}
