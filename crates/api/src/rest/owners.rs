//! `/attribute-owners`: which source decides which attribute.

use crate::auth::ApiClient;
use crate::body::JsonBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::params::Params;
use crate::services::owners::{self, OwnerView};
use crate::services::page::Page;
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_store::sources::SetUpBy;
use utoipa::ToSchema;

/// Every attribute that one source decides.
#[utoipa::path(
    get, path = "/attribute-owners", tag = "sources", operation_id = "listAttributeOwners",
    responses((status = 200, description = "All, by type and name", body = Page<OwnerView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<OwnerView>>, ApiError> {
    params.end()?;
    let data = owners::list(state.store(), client.tenant).await?;
    Ok(Json(Page::whole(data)))
}

/// All owners.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewOwners {
    /// Every attribute that one source decides; what is not named is decided by whoever writes it last.
    owners: Vec<NewOwner>,
}

/// An attribute, and the source that decides it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct NewOwner {
    /// `User` or `Group`.
    #[schema(example = "User")]
    resource_type: String,
    /// The attribute as a whole; of an extension its URN, a colon and the name.
    #[schema(example = "title")]
    attribute: String,
    /// The name or the id of the source.
    #[schema(example = "workday")]
    source: String,
}

/// Sets all owners at once. What another source writes of an attribute is then accepted, recorded in the change log as
/// `withheld`, and not applied; values that are there stay. Who decides `active` of users, or `displayName` of groups, also
/// decides about deletions: a deletion by another source only takes its externalId away. Nobody is active before whoever
/// decides `active` has said so.
#[utoipa::path(
    put, path = "/attribute-owners", tag = "sources", operation_id = "setAttributeOwners", request_body = NewOwners,
    responses((status = 200, description = "All owners as they are now", body = Page<OwnerView>), Refusals),
)]
pub(super) async fn set(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    params: Params,
    JsonBody(body): JsonBody,
) -> Result<Json<Page<OwnerView>>, ApiError> {
    params.end()?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let rules = state.rules_of(client.tenant).await?;
    let data = owners::set(state.store(), client.tenant, by, (&rules, &body)).await?;
    state.rules().invalidate_all();
    Ok(Json(Page::whole(data)))
}
