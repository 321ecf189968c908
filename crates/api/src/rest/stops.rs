//! `/targets/{id}/try` and `/targets/{id}/windows`: going on after a stop, and times at which nothing is sent.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::in_path::InPath;
use crate::services::stops::{self, DenyWindowsView, Tried};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_provisioning::ids::TargetId;
use rollcall_store::sources::SetUpBy;
use utoipa::ToSchema;

/// Tries everything that is stopped of a target now: one delivery of each, the others as soon as that works.
#[utoipa::path(
    post, path = "/targets/{id}/try", tag = "projection", operation_id = "tryTarget",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "How many stops are tried", body = Tried), Refusals),
)]
pub(super) async fn try_now(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<Tried>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    Ok(Json(stops::try_now(state.store(), (client.tenant, target), by).await?))
}

/// The times at which nothing, or nothing destructive, is sent to a target.
#[utoipa::path(
    get, path = "/targets/{id}/windows", tag = "set-up", operation_id = "readDenyWindows",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The windows", body = DenyWindowsView), Refusals),
)]
pub(super) async fn windows(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<DenyWindowsView>, ApiError> {
    Ok(Json(stops::windows(state.store(), client.tenant, target).await?))
}

/// The deny windows of a target, all of them.
#[derive(ToSchema)]
#[schema(example = json!({ "windows": [{
    "name": "payroll", "days": ["thu", "fri"], "from": "18:00", "to": "06:00", "zone": "Asia/Hong_Kong",
    "denies": "everything", "leavers": "go_on",
}] }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewDenyWindows {
    /// The windows, 50 at most.
    windows: Vec<NewDenyWindow>,
}

/// A time at which a target is left alone, every week.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewDenyWindow {
    /// What people call it; it stands in the reason of everything that waits for its end.
    name: String,
    /// On which days it begins: `mon` to `sun`.
    days: Vec<String>,
    /// When it begins, as `18:00`.
    from: String,
    /// When it ends; on the next day if that is not after `from`.
    to: String,
    /// In which time zone, by its IANA name.
    zone: String,
    /// `everything`, or `destructive`: what removes or clears something.
    denies: Option<String>,
    /// `go_on`: people who leave lose their access all the same. `wait`: they do not.
    leavers: Option<String>,
}

/// Replaces the deny windows of a target. What is due in a window is sent at its end. The change log says who did it.
#[utoipa::path(
    put, path = "/targets/{id}/windows", tag = "set-up", operation_id = "replaceDenyWindows", request_body = NewDenyWindows,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "The windows as they are now", body = DenyWindowsView), Refusals),
)]
pub(super) async fn set_windows(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<DenyWindowsView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let windows = body.get("windows").ok_or_else(|| ApiError::parameter("windows", "must be given"))?;
    Ok(Json(stops::set_windows(state.store(), (client.tenant, target), by, windows).await?))
}
