//! `/targets/{id}/groups`: what each group becomes at a target and why, and deciding it by hand.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::{DecisionRefusal, Refusals};
use crate::rest::in_path::{GroupAt, Id};
use crate::rest::params::Params;
use crate::services::groups::{self, Decider, GroupView};
use crate::services::page::Page;
use crate::services::who;
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use rollcall_provisioning::ids::TargetId;
use utoipa::ToSchema;

/// What every group becomes at a target: the rule that says so, how many of its members are in it, where it stands.
#[utoipa::path(
    get, path = "/targets/{id}/groups", tag = "projection", operation_id = "listGroups",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses((status = 200, description = "The groups, in the order of their ids", body = Page<GroupView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    Id(target): Id<TargetId>,
    mut params: Params,
) -> Result<Json<Page<GroupView>>, ApiError> {
    let (limit, cursor) = (params.limit()?, params.text("cursor"));
    params.end()?;
    let rules = state.mapping_of(client.tenant).await?;
    let of = (client.tenant, &*rules.mapping);
    Ok(Json(groups::list(state.store(), of, target, (limit, cursor.as_deref())).await?))
}

/// One group at a target: what it becomes, why, how many of its members are in it, where it stands and what hinders.
#[utoipa::path(
    get, path = "/targets/{id}/groups/{group}", tag = "projection", operation_id = "explainGroup",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("group" = Uuid, Path, description = "The group's SCIM id"),
    ),
    responses((status = 200, description = "The group", body = GroupView), Refusals),
)]
pub(super) async fn show(
    client: ApiClient,
    State(state): State<ApiState>,
    at: GroupAt,
) -> Result<Json<GroupView>, ApiError> {
    shown(&client, &state, at).await
}

async fn shown(client: &ApiClient, state: &ApiState, at: GroupAt) -> Result<Json<GroupView>, ApiError> {
    let rules = state.mapping_of(client.tenant).await?;
    let of = (client.tenant, &*rules.mapping);
    Ok(Json(groups::show(state.store(), of, at.target, at.group).await?))
}

/// What a group is to become.
#[derive(ToSchema)]
#[schema(example = json!({ "becomes": "role", "called": "Approver", "role_group": "From the directory" }))]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct Decision {
    /// `role`, `chat`, `department` or `nothing`.
    becomes: String,
    /// How the role or chat is called; left out: as the group.
    called: Option<String>,
    /// The role group of a role; left out: `Rollcall`.
    role_group: Option<String>,
    /// The owner of a chat, by userName or id; left out: a member.
    owner: Option<String>,
    /// The department, from the top down.
    path: Option<Vec<String>>,
    /// `tolerate` (if left out) or `remove` people whom the target has in it and the group has not.
    extra: Option<String>,
    /// Whether the members of groups within it count.
    nested: Option<bool>,
    /// `remove` or `keep` the role or chat when the group goes; left out: a role goes, a chat stays.
    gone: Option<String>,
}

/// Decides what one group becomes at a target, before all rules. It is done at once and waits for no plan, unless the target
/// is in rehearsal; guards watch over who would be removed. The change log says who decided.
#[utoipa::path(
    put, path = "/targets/{id}/groups/{group}", tag = "projection", operation_id = "decideGroup", request_body = Decision,
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("group" = Uuid, Path, description = "The group's SCIM id"),
    ),
    responses((status = 200, description = "The group as it is now", body = GroupView), Refusals, DecisionRefusal),
)]
pub(super) async fn decide(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    at: GroupAt,
    JsonBody(body): JsonBody,
) -> Result<Json<GroupView>, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let decider = Decider { by: &by, request_id: request_id.as_str() };
    groups::decide(state.store(), client.tenant, (at.target, at.group), Some(&body), decider).await?;
    shown(&client, &state, at).await
}

/// Takes back what was decided by hand: the rules count again.
#[utoipa::path(
    delete, path = "/targets/{id}/groups/{group}", tag = "projection", operation_id = "undecideGroup",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("group" = Uuid, Path, description = "The group's SCIM id"),
    ),
    responses((status = 204, description = "The rules count again"), Refusals),
)]
pub(super) async fn undecide(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    at: GroupAt,
) -> Result<StatusCode, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let decider = Decider { by: &by, request_id: request_id.as_str() };
    groups::decide(state.store(), client.tenant, (at.target, at.group), None, decider).await?;
    Ok(StatusCode::NO_CONTENT)
}
