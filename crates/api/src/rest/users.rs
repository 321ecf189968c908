//! `/users`: one person, and why they stand where they stand.

use crate::auth::ApiClient;
use crate::edge::request_id::RequestId;
use crate::error::ApiError;
use crate::rest::docs::Refusals;
use crate::rest::in_path::{Id, InPath};
use crate::rest::params::Params;
use crate::services::explain::{self, Explanation, PastExplanation};
use crate::services::first_password::{self, FirstPasswordView};
use crate::services::page::Page;
use crate::services::person::{self, PersonView};
use crate::services::plans::moment;
use crate::state::ApiState;
use axum::extract::State;
use axum::{Extension, Json};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{ResourceId, TargetId};
use rollcall_scim::error::quoted;
use rollcall_store::sources::SetUpBy;
use serde::Serialize;
use utoipa::ToSchema;

/// An explanation of now, or of a moment in the past.
#[derive(Serialize, ToSchema, Clone, Debug)]
#[serde(untagged)]
pub(crate) enum Explained {
    /// How a person stands.
    Now(Box<Explanation>),
    /// How a person stood.
    Then(Box<PastExplanation>),
}

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
    InPath(id): InPath<ResourceId>,
) -> Result<Json<PersonView>, ApiError> {
    Ok(Json(person::by_id(state.store(), client.tenant, id).await?))
}

/// Why this person is, or is not, at the targets: the last request, what is stored, what the mapping makes of it,
/// what was decided, what holds them, the last try, what the target has accepted, the plans that they are in.
///
/// With `at` it tells what was so at that moment, from the change log, the journal of what targets accepted and the
/// versions of the mapping, and says what is not kept.
#[utoipa::path(
    get, path = "/users/{id}/explain", tag = "people", operation_id = "explainUser",
    params(
        ("id" = Uuid, Path, description = "The SCIM id"),
        ("target" = Option<Uuid>, Query, description = "Only at this target"),
        ("attribute" = Option<String>, Query, description = "Only of this attribute of the account, such as mobile"),
        ("at" = Option<String>, Query, description = "At this moment in the past, such as 2026-11-23T09:00:00Z"),
    ),
    responses((status = 200, description = "The explanation; with `at` that of the past", body = Explained), Refusals),
)]
pub(super) async fn explain(
    client: ApiClient,
    State(state): State<ApiState>,
    Id(id): Id<ResourceId>,
    mut params: Params,
) -> Result<Json<Explained>, ApiError> {
    let (now, target) = (state.clock().now(), params.id("target")?.map(TargetId));
    let at = params.text("at").map(|text| moment("at", &text)).transpose()?;
    let attribute = params.text("attribute");
    params.end()?;
    let attribute = attribute.as_deref();
    if let Some(name) = attribute.filter(|name| state.target().schema.attribute(EntityKind::Account, name).is_none()) {
        let problem = format!("is {}, which accounts do not have", quoted(name));
        return Err(ApiError::parameter("attribute", problem));
    }
    if let Some(at) = at {
        let found = explain::explain_past(state.store(), client.tenant, (id, target), (at, now), attribute).await?;
        return Ok(Json(Explained::Then(Box::new(found))));
    }
    let counting = state.usable_mapping(client.tenant).await?;
    let found =
        explain::explain(state.store(), counting.as_deref(), client.tenant, (id, target), (now, attribute)).await?;
    Ok(Json(Explained::Now(Box::new(found))))
}

/// Fetches the first passwords of a person's accounts, of the kind whose sign-in DingTalk keeps, where DingTalk does not tell
/// them itself. Each is shown once, in this answer, and forgotten with that; the change log says who has fetched it.
#[utoipa::path(
    post, path = "/users/{id}/first-password", tag = "people", operation_id = "fetchFirstPassword",
    params(("id" = Uuid, Path, description = "The SCIM id")),
    responses((status = 200, description = "The passwords, by target", body = Page<FirstPasswordView>), Refusals),
)]
pub(super) async fn first_password(
    client: ApiClient,
    State(state): State<ApiState>,
    Extension(request_id): Extension<RequestId>,
    InPath(id): InPath<ResourceId>,
) -> Result<Json<Page<FirstPasswordView>>, ApiError> {
    let by = (SetUpBy::Token(client.credential), request_id.as_str());
    let views = first_password::fetch(state.store(), state.kinds(), (client.tenant, id), by).await?;
    Ok(Json(Page::whole(views)))
}
