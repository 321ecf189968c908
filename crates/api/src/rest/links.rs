//! `/targets/{id}/links`: which resource is which entity of a target, and mending it.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::adoption::by;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::{Id, InPath, LinkAt};
use crate::rest::params::Params;
use crate::services::given;
use crate::services::links::{self, BrokenView, LinkReason, LinkRequest, LinkView, RematchView};
use crate::services::page::Page;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId};
use rollcall_store::projection::{LinkQuery, LinkState};

/// What the links are limited to.
fn filters(params: &mut Params) -> Result<LinkQuery, ApiError> {
    Ok(LinkQuery {
        kind: params.word("kind", ResourceKind::parse)?,
        adopted: params.word("origin", links::parse_origin)?,
        state: params.word("observed", LinkState::parse)?,
        remote_id: params.text("remote_id"),
        person: params.text("person"),
        marked: params.flag("marked")?,
        resource: params.id("resource")?.map(ResourceId),
        ..LinkQuery::default()
    })
}

/// Every link of a target, in the order of resource ids.
#[utoipa::path(
    get, path = "/targets/{id}/links", tag = "adoption", operation_id = "listLinks",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("kind" = Option<String>, Query, description = "Only of this kind: user, org_unit or group"),
        ("origin" = Option<String>, Query, description = "Only to what was there before (adopted), or to what Rollcall made (made)"),
        ("observed" = Option<String>, Query, description = "Only of which this is known: known, unknown or invited"),
        ("remote_id" = Option<String>, Query, description = "Only to the entity with this id at the target"),
        ("person" = Option<String>, Query, description = "Only of people with this userName or displayName, in any case"),
        ("marked" = Option<bool>, Query, description = "Only of what is marked as protected or do_not_touch, or only of the rest"),
        ("resource" = Option<Uuid>, Query, description = "Only of this resource"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of links", body = Page<LinkView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    Id(target): Id<TargetId>,
    mut params: Params,
) -> Result<Json<Page<LinkView>>, ApiError> {
    let query = LinkQuery { limit: params.limit()?, ..filters(&mut params)? };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(links::list(state.store(), client.tenant, target, &query, cursor.as_deref()).await?))
}

/// The same as a CSV file, all of it.
#[utoipa::path(
    get, path = "/targets/{id}/links.csv", tag = "adoption", operation_id = "exportLinks",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("kind" = Option<String>, Query, description = "Only of this kind"),
        ("origin" = Option<String>, Query, description = "Only adopted or made"),
        ("observed" = Option<String>, Query, description = "Only of which this is known"),
        ("remote_id" = Option<String>, Query, description = "Only to this entity"),
        ("person" = Option<String>, Query, description = "Only of people who are called so"),
        ("marked" = Option<bool>, Query, description = "Only of what is marked, or only of the rest"),
        ("resource" = Option<Uuid>, Query, description = "Only of this resource"),
    ),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"), Refusals),
)]
pub(super) async fn export(
    client: ApiClient,
    State(state): State<ApiState>,
    Id(target): Id<TargetId>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let query = filters(&mut params)?;
    params.end()?;
    let text = links::export(state.store(), client.tenant, target, &query).await?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], text).into_response())
}

/// Links a person to an account that was there before. That changes nothing at the target: what differs is held until a plan
/// permits it. The account must have been found by a scan, or be there when it is looked for now.
#[utoipa::path(
    post, path = "/targets/{id}/links", tag = "adoption", operation_id = "createLink", request_body = LinkRequest,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 201, description = "The link", body = LinkView), Refusals, ConflictRefusal),
)]
pub(super) async fn create(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<LinkView>), ApiError> {
    let request: LinkRequest = given::body(body)?;
    let rules = state.mapping_of(client.tenant).await?;
    let by = by(&state, &client).await?;
    let what = (state.store(), state.targets(), &*rules.mapping);
    let made = links::create(what, (client.tenant, target), &request, &by).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Breaks a link: what was believed is forgotten, and the target stays as it is. Of a person it is remembered that the account
/// is not theirs. Nothing is made for the resource, and nothing that it is linked to next is changed, until a plan permits it.
#[utoipa::path(
    delete, path = "/targets/{id}/links/{kind}/{resource}", tag = "adoption", operation_id = "breakLink",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("kind" = String, Path, description = "user or org_unit"),
        ("resource" = Uuid, Path, description = "The resource's id"),
        ("reason" = String, Query, description = "Why; it is kept in the change log"),
    ),
    responses((status = 200, description = "What it was linked to", body = BrokenView), Refusals, ConflictRefusal),
)]
pub(super) async fn break_link(
    client: ApiClient,
    State(state): State<ApiState>,
    at: LinkAt,
    mut params: Params,
) -> Result<Json<BrokenView>, ApiError> {
    let reason = params.text("reason").unwrap_or_default();
    params.end()?;
    let by = by(&state, &client).await?;
    let whose = (client.tenant, at.target);
    Ok(Json(links::break_link(state.store(), whose, (at.kind, at.resource), (&reason, &by)).await?))
}

/// Breaks a link, if there is one, and finds out once more who is who, from what the newest scan has found: the resource is
/// linked again if it is certain, and is a candidate to be decided about otherwise. The same entity may be found again, unless
/// somebody has refused it or broken the link to it.
#[utoipa::path(
    post, path = "/targets/{id}/links/{kind}/{resource}/rematch", tag = "adoption", operation_id = "rematchLink",
    request_body = LinkReason,
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("kind" = String, Path, description = "user or org_unit"),
        ("resource" = Uuid, Path, description = "The resource's id"),
    ),
    responses((status = 202, description = "It was begun", body = RematchView), Refusals, ConflictRefusal),
)]
pub(super) async fn rematch(
    client: ApiClient,
    State(state): State<ApiState>,
    at: LinkAt,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<RematchView>), ApiError> {
    params.end()?;
    let LinkReason { reason } = given::body(body)?;
    let by = by(&state, &client).await?;
    let whose = (client.tenant, at.target);
    let found = links::rematch(state.store(), whose, (at.kind, at.resource), (&reason, &by)).await?;
    Ok((StatusCode::ACCEPTED, Json(found)))
}
