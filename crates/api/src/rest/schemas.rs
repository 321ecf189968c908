//! `/schemas`: what a tenant adds to users and groups.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::{ConflictRefusal, Refusals};
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::page::Page;
use crate::services::schemas::{self, SchemaView};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use http::StatusCode;
use rollcall_store::sources::SetUpBy;
use serde_json::Value;
use utoipa::ToSchema;

/// Every schema that the tenant has registered.
#[utoipa::path(
    get, path = "/schemas", tag = "schemas", operation_id = "listSchemas",
    responses((status = 200, description = "All, in the order in which they were registered", body = Page<SchemaView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<SchemaView>>, ApiError> {
    params.end()?;
    let data = schemas::list(state.store(), client.tenant).await?;
    Ok(Json(Page::whole(data)))
}

/// A schema to register.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewSchema {
    /// Which resources it extends: `User` or `Group`.
    #[schema(example = "User")]
    resource_type: String,
    /// The schema as RFC 7643 section 7 writes it.
    #[schema(value_type = Object, example = json!({
        "id": "urn:example:hr:2.0:User", "name": "HR",
        "attributes": [{ "name": "costBearer", "type": "string", "description": "Who pays" }],
    }))]
    schema: Value,
}

/// Another version of a schema.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NextSchema {
    /// The schema as RFC 7643 section 7 writes it; its id is the one in the URL.
    #[schema(value_type = Object)]
    schema: Value,
}

/// Registers a schema. The next SCIM request can use it, in all processes: it is in `/Schemas` and `/ResourceTypes`, and its
/// attributes are checked, stored, filtered by and patched like any other.
#[utoipa::path(
    post, path = "/schemas", tag = "schemas", operation_id = "createSchema", request_body = NewSchema,
    responses((status = 201, description = "The schema", body = SchemaView), Refusals, ConflictRefusal),
)]
pub(super) async fn create(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<(StatusCode, Json<SchemaView>), ApiError> {
    params.end()?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let created = schemas::create(state.store(), client.tenant, by, &body).await?;
    state.rules().invalidate_all();
    Ok((StatusCode::CREATED, Json(created)))
}

/// One schema.
#[utoipa::path(
    get, path = "/schemas/{urn}", tag = "schemas", operation_id = "readSchema",
    params(("urn" = String, Path, description = "Its URN, in any case")),
    responses((status = 200, description = "The schema", body = SchemaView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(urn): InPath<String>,
) -> Result<Json<SchemaView>, ApiError> {
    Ok(Json(schemas::read(state.store(), client.tenant, &urn).await?))
}

/// Replaces a schema by another version. Attributes can be added and described anew; one that resources hold values of
/// can neither go nor change its type.
#[utoipa::path(
    put, path = "/schemas/{urn}", tag = "schemas", operation_id = "replaceSchema", request_body = NextSchema,
    params(("urn" = String, Path, description = "Its URN, in any case")),
    responses((status = 200, description = "The schema as it is now", body = SchemaView), Refusals, ConflictRefusal),
)]
pub(super) async fn replace(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(urn): InPath<String>,
    JsonBody(body): JsonBody,
) -> Result<Json<SchemaView>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let replaced = schemas::replace(state.store(), client.tenant, by, (&urn, &body)).await?;
    state.rules().invalidate_all();
    Ok(Json(replaced))
}

/// Removes a schema of which no resource holds a value.
#[utoipa::path(
    delete, path = "/schemas/{urn}", tag = "schemas", operation_id = "deleteSchema",
    params(("urn" = String, Path, description = "Its URN, in any case")),
    responses((status = 204, description = "It is gone"), Refusals, ConflictRefusal),
)]
pub(super) async fn delete(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(urn): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    schemas::delete(state.store(), client.tenant, by, &urn).await?;
    state.rules().invalidate_all();
    Ok(StatusCode::NO_CONTENT)
}
