//! `/profiles` and `/sources`: how each SCIM client is understood, and changing that.

use crate::auth::ApiClient;
use crate::body::MergePatchBody;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::in_path::InPath;
use crate::rest::params::Params;
use crate::services::page::Page;
use crate::services::sources::{self, ProfileView, SourceChange, SourceView};
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_provisioning::ids::SourceId;
use rollcall_store::sources::SetUpBy;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Every profile with every switch: where it stands, what it does, why it exists, and whose client needs it.
#[utoipa::path(
    get, path = "/profiles", tag = "sources", operation_id = "listProfiles",
    responses((status = 200, description = "All profiles", body = Page<ProfileView>), Refusals),
)]
pub(super) async fn profiles(_client: ApiClient, params: Params) -> Result<Json<Page<ProfileView>>, ApiError> {
    params.end()?;
    Ok(Json(Page::whole(sources::profiles())))
}

/// Every source with its profile and its switches, overridden or not.
#[utoipa::path(
    get, path = "/sources", tag = "sources", operation_id = "listSources",
    responses((status = 200, description = "All sources, by name", body = Page<SourceView>), Refusals),
)]
pub(super) async fn list(
    client: ApiClient,
    State(state): State<ApiState>,
    params: Params,
) -> Result<Json<Page<SourceView>>, ApiError> {
    params.end()?;
    let data = sources::list(state.store(), client.tenant).await?;
    Ok(Json(Page::whole(data)))
}

/// One source.
#[utoipa::path(
    get, path = "/sources/{id}", tag = "sources", operation_id = "readSource",
    params(("id" = Uuid, Path, description = "The source's id")),
    responses((status = 200, description = "The source", body = SourceView), Refusals),
)]
pub(super) async fn read(
    client: ApiClient,
    State(state): State<ApiState>,
    InPath(id): InPath<SourceId>,
) -> Result<Json<SourceView>, ApiError> {
    Ok(Json(sources::read(state.store(), client.tenant, id).await?))
}

/// What is to become of a source, as a JSON merge patch (RFC 7396). Both members may be left out.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it only describes a body")]
pub(crate) struct SourcePatch {
    /// The name of another profile. The overrides stay.
    #[schema(nullable = false, example = "entra")]
    profile: Option<String>,
    /// Switches with their values; `null` gives one back to the profile. `null` instead of the object resets all.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({ "manager_by": "employeeNumber", "string_booleans": null }))]
    overrides: Option<BTreeMap<String, Value>>,
}

/// Changes the profile or single switches of a source. Its next request is served so, in all processes. What was
/// changed, by whom, is in the change log.
#[utoipa::path(
    patch, path = "/sources/{id}", tag = "sources", operation_id = "changeSource",
    params(("id" = Uuid, Path, description = "The source's id")),
    request_body(content(
        (SourcePatch = "application/merge-patch+json"),
        (SourcePatch = "application/json"),
    )),
    responses((status = 200, description = "The source as it is now", body = SourceView), Refusals),
)]
pub(super) async fn change(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(id): InPath<SourceId>,
    MergePatchBody(body): MergePatchBody,
) -> Result<Json<SourceView>, ApiError> {
    let change = SourceChange::parse(&body)?;
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let source = sources::change(state.store(), client.tenant, id, by, &change).await?;
    // Other processes hear of it in a moment; whoever asks this one again need not wait for that.
    state.credentials().invalidate_all();
    Ok(Json(source))
}
