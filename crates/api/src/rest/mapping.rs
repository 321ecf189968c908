//! `/mapping`: the document that makes accounts of people, and its versions.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::rest::docs::{MappingRefusals, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::given;
use crate::services::mapping::{self, DiffView, Draft, MappingDocument, MappingSaved, MappingVersionView};
use crate::services::page::Page;
use crate::state::ApiState;
use axum::Json;
use axum::extract::State;
use http::header::{ETAG, IF_MATCH};
use http::{HeaderMap, StatusCode};
use rollcall_scim::version::{etag, if_match};
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A version in the answer's `ETag`.
type Tagged<T> = ([(http::HeaderName, String); 1], Json<T>);

/// The document that counts, with its version as the `ETag`. Until one is saved it is version 0, which all begin with.
#[utoipa::path(
    get, path = "/mapping", tag = "mapping", operation_id = "readMapping",
    responses((status = 200, description = "The document", body = MappingDocument), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Tagged<MappingDocument>, ApiError> {
    params.end()?;
    let found = mapping::in_force(state.store(), client.tenant).await?;
    Ok(([(ETAG, etag(found.version.into()))], Json(found)))
}

/// A version to be saved.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewVersion {
    /// The document; docs/mapping.md describes it.
    #[schema(value_type = Object, example = json!({
        "account": { "name": { "value": "user.displayName", "blank": "hold" } },
    }))]
    document: Value,
    /// Why it is changed, for those who read the list of versions.
    #[serde(default)]
    note: String,
    /// Whether it is saved although examples in it fail.
    #[serde(default)]
    allow_failing_examples: bool,
}

/// Saves a version, which counts from then on. Its examples run first. Nothing is sent by saving: accounts that it would
/// change are held until a plan permits it. A document that counts already is not saved again.
#[utoipa::path(
    put, path = "/mapping", tag = "mapping", operation_id = "replaceMapping", request_body = NewVersion,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the version that the change is based on")),
    responses((status = 200, description = "What counts now, and what happens next", body = MappingSaved), Refusals, MappingRefusals),
)]
pub(super) async fn replace(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Tagged<MappingSaved>, ApiError> {
    params.end()?;
    saved(&client, &state, &headers, body).await
}

/// Saves a version, as `PUT /mapping` does.
#[utoipa::path(
    post, path = "/mapping/versions", tag = "mapping", operation_id = "createMappingVersion", request_body = NewVersion,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the version that the change is based on")),
    responses(
        (status = 200, description = "The document counts already", body = MappingSaved),
        (status = 201, description = "What counts now, and what happens next", body = MappingSaved),
        Refusals, MappingRefusals,
    ),
)]
pub(super) async fn save(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Tagged<MappingSaved>), ApiError> {
    params.end()?;
    let (tag, Json(done)) = saved(&client, &state, &headers, body).await?;
    let status = if done.saved { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, (tag, Json(done))))
}

async fn saved(
    client: &ApiClient,
    state: &ApiState,
    headers: &HeaderMap,
    body: Value,
) -> Result<Tagged<MappingSaved>, ApiError> {
    let new: NewVersion = given::body(body)?;
    let draft = Draft {
        document: &new.document,
        note: &new.note,
        by: &format!("token:{}", client.credential),
        after: seen(client, state, headers).await?,
        allow_failing_examples: new.allow_failing_examples,
    };
    let done = mapping::save(state.store(), client.tenant, &*state.target().schema, draft).await?;
    Ok(([(ETAG, etag(done.version.into()))], Json(done)))
}

/// The version that the author has seen, if they say so.
async fn seen(client: &ApiClient, state: &ApiState, headers: &HeaderMap) -> Result<Option<i32>, ApiError> {
    let Some(header) = headers.get(IF_MATCH) else { return Ok(None) };
    let version = state.store().mapping_version(client.tenant).await?;
    let header = String::from_utf8_lossy(header.as_bytes());
    if_match(Some(&header), version.into()).map_err(|_| mapping::outdated(version))?;
    Ok(Some(version))
}

/// The saved versions, the newest first, without their documents.
#[utoipa::path(
    get, path = "/mapping/versions", tag = "mapping", operation_id = "listMappingVersions",
    params(
        ("limit" = Option<i64>, Query, description = "Items in a page, at most 200; 50 if left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: next_cursor of the page before"),
    ),
    responses((status = 200, description = "A page of versions", body = Page<MappingVersionView>), Refusals),
)]
pub(super) async fn versions(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<MappingVersionView>>, ApiError> {
    let (limit, cursor) = (params.limit()?, params.text("cursor"));
    params.end()?;
    Ok(Json(mapping::versions(state.store(), client.tenant, limit, cursor.as_deref()).await?))
}

/// One version with its document; 0 is the one that all begin with.
#[utoipa::path(
    get, path = "/mapping/versions/{version}", tag = "mapping", operation_id = "readMappingVersion",
    params(("version" = i32, Path, description = "Its number")),
    responses((status = 200, description = "The version", body = MappingDocument), Refusals),
)]
pub(super) async fn version(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(version): InPath<i32>,
) -> Result<Json<MappingDocument>, ApiError> {
    Ok(Json(mapping::version(state.store(), client.tenant, version).await?))
}

/// What one version says otherwise than another, rule by rule.
#[utoipa::path(
    get, path = "/mapping/diff", tag = "mapping", operation_id = "compareMappingVersions",
    params(
        ("from" = Option<i32>, Query, description = "The old version; without it the one before the new one"),
        ("to" = Option<i32>, Query, description = "The new version; without it the one that counts"),
    ),
    responses((status = 200, description = "The differences", body = DiffView), Refusals),
)]
pub(super) async fn diff(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<DiffView>, ApiError> {
    let (from, to) = (params.version("from")?, params.version("to")?);
    params.end()?;
    Ok(Json(mapping::diff(state.store(), client.tenant, from, to).await?))
}

/// Back to an earlier version.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revert {
    /// The version whose document shall count again; 0 is the one that all begin with.
    #[schema(example = 2)]
    version: i32,
    /// Why, for those who read the list of versions.
    #[serde(default)]
    note: String,
}

/// Saves the document of an earlier version as a new one. The answer says what changes by that; as with any other version
/// nothing is sent before a plan permits it. To see the effect first, preview the document of that version.
#[utoipa::path(
    post, path = "/mapping/revert", tag = "mapping", operation_id = "revertMapping", request_body = Revert,
    params(("If-Match" = Option<String>, Header, description = "The ETag of the version that counts as far as is known")),
    responses((status = 200, description = "What counts now, and what happens next", body = MappingSaved), Refusals, MappingRefusals),
)]
pub(super) async fn revert(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Tagged<MappingSaved>, ApiError> {
    params.end()?;
    let back: Revert = given::body(body)?;
    let draft = Draft {
        document: &Value::Null,
        note: &back.note,
        by: &format!("token:{}", client.credential),
        after: seen(&client, &state, &headers).await?,
        allow_failing_examples: true,
    };
    let done = mapping::revert(state.store(), client.tenant, &*state.target().schema, (back.version, draft)).await?;
    Ok(([(ETAG, etag(done.version.into()))], Json(done)))
}
