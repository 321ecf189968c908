//! `/plans`: what is held, as plans that people read, apply, release and reject.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::{Id, InPath, PlanId};
use crate::rest::params::Params;
use crate::services::page::Page;
use crate::services::plans::{self, AppliedView, NewPlanRequest, PlanChangeView, PlanView, WaveRequest};
use crate::services::{given, who};
use crate::state::ApiState;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use rollcall_provisioning::ids::TargetId;
use rollcall_store::projection::PlanChangeQuery;
use serde::Deserialize;
use serde_json::Value;
use std::error::Error as StdError;
use utoipa::ToSchema;

/// Makes a plan of what a target holds now: because it is in rehearsal, or because a guard holds it. The plan is judged as a
/// whole, can be applied for a day, and sends nothing by itself.
#[utoipa::path(
    post, path = "/targets/{id}/plans", tag = "plans", operation_id = "makePlan", request_body = NewPlanRequest,
    params(("id" = Uuid, Path, description = "The target's id")),
    responses((status = 201, description = "The plan", body = PlanView), Refusals),
)]
pub(super) async fn make(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(target): InPath<TargetId>,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<PlanView>), ApiError> {
    let scope = given::body::<NewPlanRequest>(body)?.scope()?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    let plan = plans::make(state.store(), client.tenant, target, scope, (&by, state.clock().now())).await?;
    Ok((StatusCode::CREATED, Json(plan)))
}

/// The plans, the newest first.
#[utoipa::path(
    get, path = "/plans", tag = "plans", operation_id = "listPlans",
    params(
        ("target" = Option<Uuid>, Query, description = "Only of this target"),
        ("limit" = Option<i64>, Query, description = "Plans in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of the plans", body = Page<PlanView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<PlanView>>, ApiError> {
    let (target, limit) = (params.id("target")?.map(TargetId), params.limit()?);
    let cursor = params.text("cursor");
    params.end()?;
    let (page, now) = ((limit, cursor.as_deref()), state.clock().now());
    Ok(Json(plans::list(state.store(), client.tenant, target, page, now).await?))
}

/// One plan: how much it would do, how long that takes, what guards say of it, who decided what.
#[utoipa::path(
    get, path = "/plans/{id}", tag = "plans", operation_id = "readPlan",
    params(("id" = Uuid, Path, description = "The plan's id")),
    responses((status = 200, description = "The plan", body = PlanView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(PlanId(plan)): InPath<PlanId>,
) -> Result<Json<PlanView>, ApiError> {
    Ok(Json(plans::read(state.store(), client.tenant, plan, state.clock().now()).await?))
}

/// What a plan would do, resource by resource, each attribute before and after. With `Accept: text/csv` all of it, one row
/// for each attribute.
#[utoipa::path(
    get, path = "/plans/{id}/changes", tag = "plans", operation_id = "listPlanChanges",
    params(
        ("id" = Uuid, Path, description = "The plan's id"),
        ("verb" = Option<String>, Query, description = "Only with this verb: create, update or delete"),
        ("state" = Option<String>, Query, description = "Only in this state: planned, permitted, applied, moved, failed or impossible"),
        ("guarded" = Option<String>, Query, description = "Only what a guard holds (true), or only the rest (false)"),
        ("hindered" = Option<String>, Query, description = "Only what cannot be undone, or not without a loss (true)"),
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out; not for CSV"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before; not for CSV"),
    ),
    responses(
        (status = 200, description = "A page of the changes; as CSV all of them", content(
            (Page<PlanChangeView> = "application/json"), (String = "text/csv"),
        )),
        Refusals,
    ),
)]
pub(super) async fn changes(
    client: ApiClient,
    State(state): State<ApiState>,
    Id(PlanId(plan)): Id<PlanId>,
    mut params: Params,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let one_of = |words: &'static [&'static str]| move |word: &str| words.contains(&word).then(|| word.to_owned());
    let wants_csv = wants_csv(&headers);
    let query = PlanChangeQuery {
        verb: params.word("verb", one_of(&["create", "update", "delete"]))?,
        state: params.word("state", one_of(&["planned", "permitted", "applied", "moved", "failed", "impossible"]))?,
        guarded: params.word("guarded", |word| word.parse::<bool>().ok())?,
        hindered: params.word("hindered", |word| word.parse::<bool>().ok())?.unwrap_or(false),
        after: None,
        limit: if wants_csv { 0 } else { params.limit()? },
    };
    if wants_csv {
        params.end()?;
        return csv(&state, client, plan, query).await;
    }
    let cursor = params.text("cursor");
    params.end()?;
    let page = plans::changes(state.store(), client.tenant, plan, &query, cursor.as_deref()).await?;
    Ok(Json(page).into_response())
}

/// Whether CSV is asked for, and JSON is not.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges =
        accepted.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or_default());
    ranges.any(|range| range.trim().eq_ignore_ascii_case("text/csv"))
}

async fn csv(
    state: &ApiState,
    client: ApiClient,
    plan: uuid::Uuid,
    query: PlanChangeQuery,
) -> Result<Response, ApiError> {
    let export = plans::export(state.store(), client.tenant, plan, query).await?;
    let parts = stream::try_unfold(export, async |mut export| {
        let part = export.part().await.inspect_err(|error| {
            let error: &dyn StdError = error;
            tracing::error!(error, "a plan was broken off in the middle");
        })?;
        Ok::<_, ApiError>(part.map(|part| (part, export)))
    });
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CACHE_CONTROL, "no-store".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"plan-{plan}.csv\"")),
    ];
    Ok((headers, Body::from_stream(parts)).into_response())
}

/// How much of a plan is applied now.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyRequest {
    /// `"all"`, `{"people": 10}`, `{"department": "Sales / EMEA"}` (with those below it) or `{"users": [ids]}`. Departments
    /// that people need go with them.
    #[schema(value_type = Object, example = json!({ "people": 10 }))]
    wave: Value,
}

/// Applies a plan, or a part of it: exactly what it says, or nothing. What a guard holds is left out until the plan is
/// released.
#[utoipa::path(
    post, path = "/plans/{id}/apply", tag = "plans", operation_id = "applyPlan", request_body = ApplyRequest,
    params(("id" = Uuid, Path, description = "The plan's id")),
    responses((status = 200, description = "How many are sent now", body = AppliedView), Refusals, ConflictRefusal),
)]
pub(super) async fn apply(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(PlanId(plan)): InPath<PlanId>,
    JsonBody(body): JsonBody,
) -> Result<Json<AppliedView>, ApiError> {
    let wave = WaveRequest::parse(&given::body::<ApplyRequest>(body)?.wave)?;
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    Ok(Json(plans::apply(state.store(), client.tenant, plan, wave, (&by, state.clock().now())).await?))
}

/// Why a plan is to be released although guards hold a part of it.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseRequest {
    /// The reason; it is kept with the plan and in the change log.
    #[schema(example = "The branch in Leeds is closed.")]
    reason: String,
}

/// Asks for the release of what guards hold of a plan. Somebody else has to grant it. Who asked first, and why, stays.
#[utoipa::path(
    post, path = "/plans/{id}/request-release", tag = "plans", operation_id = "requestRelease",
    request_body = ReleaseRequest, params(("id" = Uuid, Path, description = "The plan's id")),
    responses((status = 200, description = "The plan as it is now", body = PlanView), Refusals, ConflictRefusal),
)]
pub(super) async fn request_release(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(PlanId(plan)): InPath<PlanId>,
    JsonBody(body): JsonBody,
) -> Result<Json<PlanView>, ApiError> {
    let ReleaseRequest { reason } = given::body(body)?;
    let by = who::token_decider(state.store(), client.tenant, client.credential).await?;
    let done = plans::request_release(state.store(), client.tenant, plan, &reason, (&by, state.clock().now()));
    Ok(Json(done.await?))
}

/// Releases what guards hold of a plan, so that it can be applied. Whoever asked for it is refused: whoever has the same name,
/// whatever its case, and the tokens that they made. Takes no body.
#[utoipa::path(
    post, path = "/plans/{id}/release", tag = "plans", operation_id = "releasePlan",
    params(("id" = Uuid, Path, description = "The plan's id")),
    responses((status = 200, description = "The plan as it is now", body = PlanView), Refusals, ConflictRefusal),
)]
pub(super) async fn release(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(PlanId(plan)): InPath<PlanId>,
) -> Result<Json<PlanView>, ApiError> {
    let by = who::token_decider(state.store(), client.tenant, client.credential).await?;
    Ok(Json(plans::release(state.store(), client.tenant, plan, (&by, state.clock().now())).await?))
}

/// Rejects a plan: nothing more of it is applied. Takes no body.
#[utoipa::path(
    post, path = "/plans/{id}/reject", tag = "plans", operation_id = "rejectPlan",
    params(("id" = Uuid, Path, description = "The plan's id")),
    responses((status = 200, description = "The plan as it is now", body = PlanView), Refusals, ConflictRefusal),
)]
pub(super) async fn reject(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(PlanId(plan)): InPath<PlanId>,
) -> Result<Json<PlanView>, ApiError> {
    let by = who::token(state.store(), client.tenant, client.credential).await?;
    Ok(Json(plans::reject(state.store(), client.tenant, plan, (&by, state.clock().now())).await?))
}
