//! `/Users`: create, read, list, replace, patch, delete (RFC 7644 §3.3–3.6).

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::owners::ACTIVE;
use crate::scim::answer::{self, About};
use crate::scim::call::{Call, IdInPath, about, about_new};
use crate::scim::docs::{ReadRefusals, WriteRefusals};
use crate::scim::failure::change_failed;
use crate::scim::lists;
use crate::scim::messages::{ScimList, ScimPatch, ScimResource, ScimUserBody};
use crate::scim::restore::create_or_restore;
use crate::scim::user_json::{self, UserJson};
use crate::state::ApiState;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rollcall_scim::Error;
use rollcall_scim::patch::{self, Context, PatchRequest};
use rollcall_scim::path::AttributePath;
use rollcall_scim::profile::{ManagerBy, PatchResponse};
use rollcall_scim::projection::Projection;
use rollcall_scim::resource::{self, Resource};
use rollcall_scim::schema::enterprise;
use rollcall_store::users::StoredUser;
use rollcall_store::write::{Actor, Wish};

/// `POST /Users`.
#[utoipa::path(
    post, path = "/Users", tag = "scim", operation_id = "scimCreateUser", request_body(content = ScimUserBody, content_type = "application/scim+json"),
    responses(
        (status = 201, description = "The new user", content_type = "application/scim+json", body = ScimResource),
        WriteRefusals,
    ),
)]
pub(super) async fn create(
    call: Call,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let rt = call.types().user();
    let projection = call.query.projection(rt)?;
    let resource = resource::parse(rt, &body, &call.client.source.profile)
        .map_err(|error| about_new(rt, "userName", &body, error))?;
    let user = create_or_restore(&state, &call, resource, user_json::view(&projection, call.source())).await?;
    Ok(reply(&call, StatusCode::CREATED, &user, &projection))
}

/// `GET /Users/{id}`.
#[utoipa::path(
    get, path = "/Users/{id}", tag = "scim", operation_id = "scimReadUser",
    params(("id" = String, Path, description = "The SCIM id")),
    responses(
        (status = 200, description = "The user", content_type = "application/scim+json", body = ScimResource),
        (status = 304, description = "The client has this version already; only of an answer without what the version does not cover"),
        ReadRefusals,
    ),
)]
pub(super) async fn read(call: Call, id: IdInPath, State(state): State<ApiState>) -> Result<Response, ApiError> {
    let rt = call.types().user();
    let projection = call.query.projection(rt)?;
    let view = user_json::view(&projection, call.source());
    let user = state.store().user(call.client.tenant, id.resolve(rt)?, view).await?.ok_or_else(|| id.not_found(rt))?;
    if user_json::is_versioned(&projection) && call.has_version(user.version) {
        let location = call.base.resource(&rt.endpoint, user.id);
        return Ok(answer::bodiless(StatusCode::NOT_MODIFIED, About { version: user.version, location: &location }));
    }
    Ok(reply(&call, StatusCode::OK, &user, &projection))
}

/// `GET /Users`.
#[utoipa::path(
    get, path = "/Users", tag = "scim", operation_id = "scimListUsers",
    params(
        ("filter" = Option<String>, Query, description = "RFC 7644 section 3.4.2.2"),
        ("sortBy" = Option<String>, Query, description = "Attribute to order by; in the order of creation if left out"),
        ("sortOrder" = Option<String>, Query, description = "ascending, or descending"),
        ("startIndex" = Option<i64>, Query, description = "Position of the first user wanted, from 1"),
        ("cursor" = Option<String>, Query, description = "Empty for the first page by cursor, then `nextCursor` or `previousCursor` of a page (RFC 9865)"),
        ("count" = Option<i64>, Query, description = "Users in a page, at most 1000; 100 if left out"),
        ("attributes" = Option<String>, Query, description = "Only these attributes"),
        ("excludedAttributes" = Option<String>, Query, description = "All but these attributes"),
    ),
    responses(
        (status = 200, description = "A ListResponse", content_type = "application/scim+json", body = ScimList),
        ReadRefusals,
    ),
)]
pub(super) async fn list(call: Call, State(state): State<ApiState>) -> Result<Response, ApiError> {
    lists::users(&call, &state, &call.query).await
}

/// `PUT /Users/{id}`.
#[utoipa::path(
    put, path = "/Users/{id}", tag = "scim", operation_id = "scimReplaceUser",
    params(("id" = String, Path, description = "The SCIM id")), request_body(content = ScimUserBody, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The user as it is now", content_type = "application/scim+json", body = ScimResource),
        WriteRefusals,
    ),
)]
pub(super) async fn replace(
    call: Call,
    id: IdInPath,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let rt = call.types().user();
    let projection = call.query.projection(rt)?;
    let profile = &call.client.source.profile;
    let owners = call.rules().user_owners();
    let user = change(&call, &id, &state, (&call.actor(), &projection), |user| {
        let after = resource::replace(rt, &user.resource, &body, profile)?;
        Ok(owners.apply_whole(call.source(), &user.resource, after))
    })
    .await?;
    Ok(reply(&call, StatusCode::OK, &user, &projection))
}

/// `PATCH /Users/{id}`.
#[utoipa::path(
    patch, path = "/Users/{id}", tag = "scim", operation_id = "scimPatchUser",
    params(("id" = String, Path, description = "The SCIM id")), request_body(content = ScimPatch, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The user as it is now", content_type = "application/scim+json", body = ScimResource),
        (status = 204, description = "Done; for sources whose profile wants no body"),
        WriteRefusals,
    ),
)]
pub(super) async fn patch(
    call: Call,
    id: IdInPath,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let rt = call.types().user();
    let projection = call.query.projection(rt)?;
    let profile = &call.client.source.profile;
    let request = PatchRequest::parse(rt, &body, profile).map_err(|error| about(rt, id.as_str(), error))?;
    let context = Context { id: id.as_str(), profile, detached: &[] };
    let (owners, mut actor) = (call.rules().user_owners(), call.actor());
    if !request.names(&AttributePath::extension(enterprise::URN, "manager")) {
        actor.manager_by = ManagerBy::Id;
    }
    let user = change(&call, &id, &state, (&actor, &projection), |user| {
        let after = patch::apply(rt, &user.resource, &request, &context)?.resource;
        Ok(owners.apply(call.source(), &user.resource, after))
    })
    .await?;
    if profile.patch_response_users == PatchResponse::NoContent && !call.query.chooses_attributes() {
        let location = call.base.resource(&rt.endpoint, user.id);
        return Ok(answer::bodiless(StatusCode::NO_CONTENT, About { version: user.version, location: &location }));
    }
    Ok(reply(&call, StatusCode::OK, &user, &projection))
}

/// `DELETE /Users/{id}`.
#[utoipa::path(
    delete, path = "/Users/{id}", tag = "scim", operation_id = "scimDeleteUser",
    params(("id" = String, Path, description = "The SCIM id")),
    responses(
        (status = 204, description = "The user is gone; or, where another source decides `active`, this source has let go"),
        WriteRefusals,
    ),
)]
pub(super) async fn delete(call: Call, id: IdInPath, State(state): State<ApiState>) -> Result<Response, ApiError> {
    let rt = call.types().user();
    let (store, actor, resource_id) = (state.store(), call.actor(), id.resolve(rt)?);
    let check = |version| call.check_version(version).map_err(|error| about(rt, id.as_str(), error));
    // A source that does not decide whether somebody works here only lets go of them.
    let ended = if call.rules().user_owners().deny(call.source(), ACTIVE) {
        store.let_go_of_user(&actor, resource_id, ACTIVE.1, check).await
    } else {
        store.delete_user(&actor, resource_id, check).await
    };
    ended.map_err(|error| change_failed(error, rt, &id, None))?;
    Ok(answer::deleted())
}

/// Changes the user in the URL, if the client's precondition holds.
async fn change(
    call: &Call,
    id: &IdInPath,
    state: &ApiState,
    (actor, projection): (&Actor, &Projection<'_>),
    become_what: impl Fn(&StoredUser) -> Result<Wish<Resource>, Error> + Send + Sync,
) -> Result<StoredUser, ApiError> {
    let rt = call.types().user();
    let mut wanted_name = None;
    let changed = state
        .store()
        .update_user(actor, id.resolve(rt)?, user_json::view(projection, call.source()), |user| {
            let name = user.resource.string("userName").unwrap_or(id.as_str());
            let checked = call.check_version(user.version).and_then(|()| become_what(user));
            let wish = checked.map_err(|error| about(rt, name, error))?;
            wanted_name = wish.becomes.string("userName").map(str::to_owned);
            Ok(wish)
        })
        .await;
    match changed {
        Ok(updated) => Ok(updated.value),
        Err(error) => Err(change_failed(error, rt, id, wanted_name.as_deref())),
    }
}

fn reply(call: &Call, status: StatusCode, user: &StoredUser, projection: &Projection<'_>) -> Response {
    let rt = call.types().user();
    let location = call.base.resource(&rt.endpoint, user.id);
    let body = UserJson { types: call.types(), base: &call.base }.render(user, projection);
    answer::resource(status, &body, About { version: user.version, location: &location })
}
