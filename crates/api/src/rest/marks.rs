//! `/targets/{id}/marks`: what must not be touched at a target, and what people intend.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::adoption::{by, by_text};
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::adoption::{self, MarkRequest, MarkView};
use crate::services::page::Page;
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use rollcall_provisioning::ids::TargetId;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// A mark that was made.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub(crate) struct MarkMade {
    /// Its id.
    id: Uuid,
}

/// All marks, in the order of their ids. Administrators of the target are protected since the scan that found them.
#[utoipa::path(
    get, path = "/targets/{id}/marks", tag = "adoption", operation_id = "listMarks",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of marks", body = Page<MarkView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    Path(target): Path<String>,
    mut params: Params,
) -> Result<Json<Page<MarkView>>, ApiError> {
    let (limit, cursor) = (params.limit()?, params.text("cursor"));
    params.end()?;
    let target = by_text(&target)?;
    Ok(Json(adoption::marks(state.store(), client.tenant, target, limit, cursor.as_deref()).await?))
}

/// Marks an account, a department or a person, in place of what it was marked as. Whatever is `protected` or
/// `do_not_touch` is not changed or removed unless two people release a plan that does.
#[utoipa::path(
    post, path = "/targets/{id}/marks", tag = "adoption", operation_id = "setMark",
    params(("id" = Uuid, Path, description = "The target's id")), request_body = MarkRequest,
    responses((status = 201, description = "The mark's id", body = MarkMade), Refusals, ConflictRefusal),
)]
pub(super) async fn set(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<MarkMade>), ApiError> {
    let request: MarkRequest = given::body(body)?;
    let id = adoption::mark(state.store(), client.tenant, target, &request, &by(&state, &client).await?).await?;
    Ok((StatusCode::CREATED, Json(MarkMade { id })))
}

/// Lifts a mark. What it held is looked at again. One that is `protected` or `do_not_touch` is lifted by two people: the
/// first call asks for it, and somebody else's lifts it.
#[utoipa::path(
    delete, path = "/targets/{id}/marks/{mark}", tag = "adoption", operation_id = "liftMark",
    params(("id" = Uuid, Path, description = "The target's id"), ("mark" = Uuid, Path, description = "The mark's id")),
    responses(
        (status = 204, description = "It is lifted"), (status = 202, description = "Somebody else has to lift it, too"),
        Refusals,
    ),
)]
pub(super) async fn lift(
    client: ApiClient,
    State(state): State<ApiState>,
    Path((target, mark)): Path<(String, String)>,
    params: Params,
) -> Result<StatusCode, ApiError> {
    params.end()?;
    let mark = Uuid::try_parse(&mark).map_err(|_| ApiError::NotFound { what: "the mark".to_owned() })?;
    let by = who::token_decider(state.store(), client.tenant, client.credential).await?;
    let lifted = adoption::lift(state.store(), client.tenant, by_text(&target)?, mark, &by).await?;
    Ok(if lifted { StatusCode::NO_CONTENT } else { StatusCode::ACCEPTED })
}
