//! `/targets/{id}/adoption`: an organisation that is there already, and who is who in it.

use crate::auth::ApiClient;
use crate::body::{self, JsonBody};
use crate::edge::arrival::Arrival;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::adoption::{
    self, AdoptionView, CandidateView, DecidedView, DecisionRequest, RuleRequest, ScanStarted,
};
use crate::services::page::Page;
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use rollcall_provisioning::ids::TargetId;
use rollcall_store::adoption::{Bucket, CandidateQuery};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// What a request is made by, in the words of the change log.
pub(super) async fn by(state: &ApiState, client: &ApiClient) -> Result<String, ApiError> {
    who::token(state.store(), client.tenant, client.credential).await
}

/// How adoption stands: the newest scan, who is in which bucket, and what is left before going live.
#[utoipa::path(
    get, path = "/targets/{id}/adoption", tag = "adoption", operation_id = "readAdoption",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "How it stands", body = AdoptionView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<AdoptionView>, ApiError> {
    Ok(Json(adoption::status(state.store(), client.tenant, target).await?))
}

/// Begins to read the organisation from top to bottom. Nothing is written to it. Who is who is found out at the end;
/// whoever is certain is linked, which changes nothing either: whatever differs waits for a plan.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/scan", tag = "adoption", operation_id = "startScan",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 202, description = "It was begun", body = ScanStarted), Refusals, ConflictRefusal),
)]
pub(super) async fn scan(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<(StatusCode, Json<ScanStarted>), ApiError> {
    let started = adoption::scan(state.store(), client.tenant, target, &by(&state, &client).await?).await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}

/// Ends the scan that is under way. What it found stays.
#[utoipa::path(
    delete, path = "/targets/{id}/adoption/scan", tag = "adoption", operation_id = "cancelScan",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 204, description = "It was ended"), Refusals),
)]
pub(super) async fn cancel(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<StatusCode, ApiError> {
    adoption::cancel(state.store(), client.tenant, target).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes on with a scan that failed, where it was.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/scan/resume", tag = "adoption", operation_id = "resumeScan",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 202, description = "It goes on", body = ScanStarted), Refusals, ConflictRefusal),
)]
pub(super) async fn resume(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<(StatusCode, Json<ScanStarted>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(adoption::resume(state.store(), client.tenant, target).await?)))
}

/// Finds out once more who is who, from what the newest scan has found: after more people came, or with other weights.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/correlate", tag = "adoption", operation_id = "correlateAgain",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 202, description = "It was begun", body = ScanStarted), Refusals, ConflictRefusal),
)]
pub(super) async fn correlate(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<(StatusCode, Json<ScanStarted>), ApiError> {
    Ok((StatusCode::ACCEPTED, Json(adoption::correlate(state.store(), client.tenant, target).await?)))
}

/// What was forgotten.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub(crate) struct Restarted {
    /// How many links there were.
    unlinked: u64,
}

/// Starts adoption over: all links that it made, and all decisions, are forgotten. Nothing changes at the target, and
/// nothing of it will change without a plan. Marks stay.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/restart", tag = "adoption", operation_id = "restartAdoption",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "What was forgotten", body = Restarted), Refusals, ConflictRefusal),
)]
pub(super) async fn restart(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<Restarted>, ApiError> {
    let unlinked = adoption::restart(state.store(), client.tenant, target, &by(&state, &client).await?).await?;
    Ok(Json(Restarted { unlinked }))
}

/// Who may be who, in the order of ids.
#[utoipa::path(
    get, path = "/targets/{id}/adoption/candidates", tag = "adoption", operation_id = "listCandidates",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("bucket" = Option<String>, Query, description = "Only of this bucket: linked, suggested, contradiction, \
            only_in_target or only_in_directory"),
        ("undecided" = Option<bool>, Query, description = "Only those nobody has decided about"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of candidates", body = Page<CandidateView>), Refusals),
)]
pub(super) async fn candidates(
    client: ApiClient,
    State(state): State<ApiState>,
    Path(target): Path<String>,
    mut params: Params,
) -> Result<Json<Page<CandidateView>>, ApiError> {
    let target = by_text(&target)?;
    let query = CandidateQuery {
        bucket: params.word("bucket", Bucket::parse)?,
        undecided: params.flag("undecided")?.unwrap_or(false),
        after: None,
        limit: params.limit()?,
    };
    let cursor = params.text("cursor");
    params.end()?;
    Ok(Json(adoption::candidates(state.store(), client.tenant, target, &query, cursor.as_deref()).await?))
}

/// Decides about candidates: all of them, or none. Whoever is accepted is linked, which changes nothing at the target.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/decisions", tag = "adoption", operation_id = "decideCandidates",
    params(("id" = Uuid, Path, description = "The target's id")), request_body = DecisionRequest,
    responses((status = 200, description = "What it came to", body = DecidedView), Refusals, ConflictRefusal),
)]
pub(super) async fn decide(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<DecidedView>, ApiError> {
    let request: DecisionRequest = given::body(body)?;
    Ok(Json(adoption::decide(state.store(), client.tenant, target, &request, &by(&state, &client).await?).await?))
}

/// Accepts all suggestions that fit a rule, such as an equal mobile number and an equal name; with `preview` it only says
/// how many.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/decisions/by-rule", tag = "adoption", operation_id = "decideByRule",
    params(("id" = Uuid, Path, description = "The target's id")), request_body = RuleRequest,
    responses((status = 200, description = "What it came, or would come, to", body = DecidedView), Refusals, ConflictRefusal),
)]
pub(super) async fn by_rule(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<DecidedView>, ApiError> {
    let request: RuleRequest = given::body(body)?;
    Ok(Json(adoption::by_rule(state.store(), client.tenant, target, request, &by(&state, &client).await?).await?))
}

/// All candidates as a CSV file, with an empty column for decisions.
#[utoipa::path(
    get, path = "/targets/{id}/adoption/candidates.csv", tag = "adoption", operation_id = "exportCandidates",
    params(
        ("id" = Uuid, Path, description = "The target's id"),
        ("bucket" = Option<String>, Query, description = "Only of this bucket"),
    ),
    responses((status = 200, description = "The file", body = String, content_type = "text/csv"), Refusals),
)]
pub(super) async fn export(
    client: ApiClient,
    State(state): State<ApiState>,
    Path(target): Path<String>,
    mut params: Params,
) -> Result<Response, ApiError> {
    let bucket = params.word("bucket", Bucket::parse)?;
    params.end()?;
    let text = adoption::export(state.store(), client.tenant, by_text(&target)?, bucket).await?;
    Ok(([(CONTENT_TYPE, "text/csv; charset=utf-8; header=present")], text).into_response())
}

/// Takes the decisions of a CSV file: its columns `row_id` and `decision` count. If a line is wrong, the answer names it and
/// nothing is decided.
#[utoipa::path(
    post, path = "/targets/{id}/adoption/candidates.csv", tag = "adoption", operation_id = "importCandidates",
    params(("id" = Uuid, Path, description = "The target's id")),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What it came to", body = DecidedView), Refusals, ConflictRefusal),
)]
pub(super) async fn import(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    request: Request,
) -> Result<Json<DecidedView>, ApiError> {
    body::check_encoding(request.headers())?;
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_default();
    let bytes = body::read(request.into_body(), &arrival).await?;
    let text = String::from_utf8(bytes).map_err(|_| ApiError::parameter("body", "must be UTF-8"))?;
    Ok(Json(adoption::import(state.store(), client.tenant, target, &text, &by(&state, &client).await?).await?))
}

/// How much each key counts, and from which sum on a pair is linked or suggested.
#[utoipa::path(
    get, path = "/targets/{id}/adoption/weights", tag = "adoption", operation_id = "readWeights",
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 200, description = "Key to number, with link_at and suggest_at", body = Value), Refusals),
)]
pub(super) async fn weights(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(adoption::weights(state.store(), client.tenant, target).await?))
}

/// Sets them, from the next correlation on; what is not named is as usual.
#[utoipa::path(
    put, path = "/targets/{id}/adoption/weights", tag = "adoption", operation_id = "setWeights",
    params(("id" = Uuid, Path, description = "The target's id")), request_body = Value,
    responses((status = 200, description = "As they are now", body = Value), Refusals),
)]
pub(super) async fn set_weights(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(adoption::set_weights(state.store(), client.tenant, target, &body).await?))
}

pub(super) fn by_text(text: &str) -> Result<TargetId, ApiError> {
    crate::rest::in_path::Named::by_text(text.to_owned())
}
