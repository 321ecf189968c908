//! `/mapping/check`, `/mapping/test` and `/mapping/preview`: trying a document without saving it.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{MappingRefusals, Refusals};
use crate::rest::params::Params;
use crate::services::given;
use crate::services::mapping::preview::{self, PreviewView};
use crate::services::mapping::{self, CheckView, TestView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A document to be checked.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checked {
    /// The document.
    #[schema(value_type = Object)]
    document: Value,
}

/// Compiles a document, runs its examples and compares it with the one that counts. Saves nothing.
#[utoipa::path(
    post, path = "/mapping/check", tag = "mapping", operation_id = "checkMapping", request_body = Checked,
    responses((status = 200, description = "Whether it can be used, and what is wrong with it", body = CheckView), Refusals),
)]
pub(super) async fn check(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<CheckView>, ApiError> {
    params.end()?;
    let checked: Checked = given::body(body)?;
    Ok(Json(mapping::check(state.store(), client.tenant, &*state.target().schema, &checked.document).await?))
}

/// A document whose examples are run.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tested {
    /// The document; without it the one that counts.
    #[schema(value_type = Option<Object>)]
    #[serde(default)]
    document: Option<Value>,
}

/// Runs the examples of a document, or of the one that counts.
#[utoipa::path(
    post, path = "/mapping/test", tag = "mapping", operation_id = "testMapping", request_body = Tested,
    responses((status = 200, description = "How each example came out", body = TestView), Refusals, MappingRefusals),
)]
pub(super) async fn test(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<TestView>, ApiError> {
    params.end()?;
    let tested: Tested = given::body(body)?;
    let schema = &*state.target().schema;
    Ok(Json(mapping::test(state.store(), client.tenant, schema, tested.document.as_ref()).await?))
}

/// A document to be previewed.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Previewed {
    /// The document; without it the one that counts.
    #[schema(value_type = Option<Object>)]
    #[serde(default)]
    document: Option<Value>,
    /// SCIM ids of people who are shown whole, at most 50.
    #[serde(default)]
    users: Vec<Uuid>,
}

/// What a document would make of everybody who is active: who is in, who fails and why, a few people shown whole, and what
/// would change at each target. Saves nothing and sends nothing. It looks at people for 20 seconds at most; `complete` says
/// whether that was everybody.
#[utoipa::path(
    post, path = "/mapping/preview", tag = "mapping", operation_id = "previewMapping", request_body = Previewed,
    responses((status = 200, description = "What it would make of everybody", body = PreviewView), Refusals, MappingRefusals),
)]
pub(super) async fn preview(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<PreviewView>, ApiError> {
    params.end()?;
    let previewed: Previewed = given::body(body)?;
    let (document, users) = (previewed.document.as_ref(), previewed.users);
    Ok(Json(preview::tried(&state, client.tenant, document, users).await?))
}
