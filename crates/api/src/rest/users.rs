//! `/users`: one person, and why they stand where they stand.

use crate::auth::ApiClient;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::explain::{self, Explanation};
use crate::services::page::Page;
use crate::services::person::{self, PersonView};
use crate::state::ApiState;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::error::quoted;
use uuid::Uuid;

/// The person with a userName, whatever its case. Nobody: an empty list.
#[utoipa::path(
    get, path = "/users", tag = "people", operation_id = "findUser",
    params(("userName" = String, Query, description = "The SCIM userName")),
    responses((status = 200, description = "At most one person", body = Page<PersonView>), Refusals),
)]
pub(super) async fn by_user_name(
    client: ApiClient,
    State(state): State<ApiState>,
    mut params: Params,
) -> Result<Json<Page<PersonView>>, ApiError> {
    let user_name = params.text("userName").ok_or_else(|| ApiError::parameter("userName", "must be given"))?;
    params.end()?;
    let data = match person::by_user_name(state.store(), client.tenant, &user_name).await {
        Ok(person) => vec![person],
        Err(ApiError::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(Json(Page::whole(data)))
}

/// One person: what is stored, and where they stand towards each target. Deleted people are shown as long as
/// something remembers them.
#[utoipa::path(
    get, path = "/users/{id}", tag = "people", operation_id = "readUser",
    params(("id" = Uuid, Path, description = "The SCIM id")),
    responses((status = 200, description = "The person", body = PersonView), Refusals),
)]
pub(super) async fn by_id(
    client: ApiClient,
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<Json<PersonView>, ApiError> {
    params.end()?;
    Ok(Json(person::by_id(state.store(), client.tenant, resource_id(id)?).await?))
}

/// Why this person is, or is not, at the targets: the last request, what is stored, what the mapping makes of it,
/// what was decided, the last try.
#[utoipa::path(
    get, path = "/users/{id}/explain", tag = "people", operation_id = "explainUser",
    params(("id" = Uuid, Path, description = "The SCIM id")),
    responses((status = 200, description = "The explanation", body = Explanation), Refusals),
)]
pub(super) async fn explain(
    client: ApiClient,
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    params: Params,
) -> Result<Json<Explanation>, ApiError> {
    params.end()?;
    let (id, now) = (resource_id(id)?, state.clock().now());
    Ok(Json(explain::explain(state.store(), state.target_schema(), client.tenant, id, now).await?))
}

/// A text that is no id, or not even UTF-8 after percent-decoding, is an id that does not exist.
fn resource_id(text: Result<Path<String>, PathRejection>) -> Result<ResourceId, ApiError> {
    let text = text.map_or_else(|_| "?".to_owned(), |Path(text)| text);
    let id = Uuid::try_parse(&text).map_err(|_| ApiError::NotFound { what: format!("the user {}", quoted(&text)) })?;
    Ok(ResourceId(id))
}
