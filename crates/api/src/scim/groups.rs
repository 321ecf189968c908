//! `/Groups`: create, read, list, replace, patch, delete (RFC 7644 §3.3–3.6).
//!
//! Members are never loaded unless the answer shows them: a change of one member of a hundred thousand must not cost
//! a hundred thousand.

use crate::body::JsonBody;
use crate::error::ApiError;
use crate::owners::Name;
use crate::scim::answer::{self, About};
use crate::scim::call::{Call, IdInPath, about, about_new};
use crate::scim::docs::{ReadRefusals, WriteRefusals};
use crate::scim::failure::{change_failed, create_failed};
use crate::scim::group_json::{self, GroupJson, MEMBERS};
use crate::scim::large_groups::Writer;
use crate::scim::link_again::link_again;
use crate::scim::lists;
use crate::scim::messages::{ScimGroupBody, ScimList, ScimPatch, ScimResource};
use crate::scim::strict_members;
use crate::state::ApiState;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use rollcall_scim::Error;
use rollcall_scim::patch::{self, Context, Detached, DetachedChange, PatchRequest};
use rollcall_scim::profile::GroupPatchResponse;
use rollcall_scim::projection::Projection;
use rollcall_scim::resource::{self, Resource};
use rollcall_store::StoreError;
use rollcall_store::groups::{GroupUpdate, StoredGroup};
use rollcall_store::write::Wish;

/// Whoever decides how a group is called also decides about deletions; another source only lets go of it.
const DISPLAY_NAME: Name<'_> = (None, "displayName");

/// `POST /Groups`.
#[utoipa::path(
    post, path = "/Groups", tag = "scim", operation_id = "scimCreateGroup",
    request_body(content = ScimGroupBody, content_type = "application/scim+json"),
    responses(
        (status = 201, description = "The new group", content_type = "application/scim+json", body = ScimResource),
        WriteRefusals,
    ),
)]
pub(super) async fn create(
    call: Call,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let rt = call.types().group();
    let projection = call.query.projection(rt)?;
    let mut group = resource::parse(rt, &body, &call.client.source.profile)
        .map_err(|error| about_new(rt, "displayName", &body, error))?;
    let members = group.take_values(MEMBERS);
    let owners = call.rules().group_owners();
    let mut wish = owners.apply_to_new(rt, call.source(), group.clone());
    let taken = if members_withheld(&call) { &[][..] } else { &members };
    if taken.len() < members.len() {
        wish.withheld.push(MEMBERS.to_owned());
    }
    strict_members::check(&state, &call, taken).await?;
    let ids: Vec<String> = strict_members::ids(taken).map(str::to_owned).collect();
    let refusal = match state.store().create_group(&call.actor(), wish, &ids).await {
        Ok(stored) => return reply(&call, &state, StatusCode::CREATED, (&stored, &projection)).await,
        Err(error) => error,
    };
    let how = GroupUpdate {
        view: group_json::view(&projection, call.source()),
        pinned: false,
        members_withheld: members_withheld(&call),
    };
    let again = match refusal {
        StoreError::Conflict(_) => link_again(&state, &call, (&group, members), how).await?,
        _ => None,
    };
    let stored = again.ok_or_else(|| create_failed(refusal, rt, group.string("displayName")))?;
    reply(&call, &state, StatusCode::CREATED, (&stored, &projection)).await
}

/// `GET /Groups/{id}`.
#[utoipa::path(
    get, path = "/Groups/{id}", tag = "scim", operation_id = "scimReadGroup",
    params(("id" = String, Path, description = "The SCIM id")),
    responses(
        (status = 200, description = "The group", content_type = "application/scim+json", body = ScimResource),
        (status = 304, description = "The client has this version already; only of an answer without what the version does not cover"),
        ReadRefusals,
    ),
)]
pub(super) async fn read(call: Call, id: IdInPath, State(state): State<ApiState>) -> Result<Response, ApiError> {
    let rt = call.types().group();
    let projection = call.query.projection(rt)?;
    let view = group_json::view(&projection, call.source());
    let group = state.store().group(call.client.tenant, id.resolve(rt)?, view).await?;
    let group = group.ok_or_else(|| id.not_found(rt))?;
    if group_json::is_versioned(&projection) && call.has_version(group.version) {
        return Ok(bodiless(&call, StatusCode::NOT_MODIFIED, &group));
    }
    reply(&call, &state, StatusCode::OK, (&group, &projection)).await
}

/// `GET /Groups`.
#[utoipa::path(
    get, path = "/Groups", tag = "scim", operation_id = "scimListGroups",
    params(
        ("filter" = Option<String>, Query, description = "RFC 7644 section 3.4.2.2"),
        ("sortBy" = Option<String>, Query, description = "Attribute to order by; in the order of creation if left out"),
        ("sortOrder" = Option<String>, Query, description = "ascending, or descending"),
        ("startIndex" = Option<i64>, Query, description = "Position of the first group wanted, from 1"),
        ("cursor" = Option<String>, Query, description = "Empty for the first page by cursor, then `nextCursor` or `previousCursor` of a page (RFC 9865)"),
        ("count" = Option<i64>, Query, description = "Groups in a page, at most 1000; 100 if left out"),
        ("attributes" = Option<String>, Query, description = "Only these attributes"),
        ("excludedAttributes" = Option<String>, Query, description = "All but these attributes"),
    ),
    responses(
        (status = 200, description = "A ListResponse", content_type = "application/scim+json", body = ScimList),
        ReadRefusals,
    ),
)]
pub(super) async fn list(call: Call, State(state): State<ApiState>) -> Result<Response, ApiError> {
    lists::groups(&call, &state, &call.query).await
}

/// `PUT /Groups/{id}`.
#[utoipa::path(
    put, path = "/Groups/{id}", tag = "scim", operation_id = "scimReplaceGroup",
    params(("id" = String, Path, description = "The SCIM id")),
    request_body(content = ScimGroupBody, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The group as it is now", content_type = "application/scim+json", body = ScimResource),
        WriteRefusals,
    ),
)]
pub(super) async fn replace(
    call: Call,
    id: IdInPath,
    State(state): State<ApiState>,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let rt = call.types().group();
    let projection = call.query.projection(rt)?;
    let profile = &call.client.source.profile;
    let owners = call.rules().group_owners();
    let become_what = |group: &StoredGroup| {
        let mut after = resource::replace(rt, &group.resource, &body, profile)?;
        let members = after.take_values(MEMBERS);
        let wish = owners.apply_whole(call.source(), &group.resource, after);
        if members.is_empty() && members_withheld(&call) {
            // What is left out is no wish.
            return Ok((wish, Vec::new()));
        }
        let members = DetachedChange { attribute: MEMBERS.to_owned(), change: Detached::Replace(members) };
        Ok((wish, vec![members]))
    };
    let group = change(&call, &id, &state, &projection, become_what).await?;
    reply(&call, &state, StatusCode::OK, (&group, &projection)).await
}

/// `PATCH /Groups/{id}`.
#[utoipa::path(
    patch, path = "/Groups/{id}", tag = "scim", operation_id = "scimPatchGroup",
    params(("id" = String, Path, description = "The SCIM id")),
    request_body(content = ScimPatch, content_type = "application/scim+json"),
    responses(
        (status = 200, description = "The group as it is now; without its members unless the source's profile wants \
            them", content_type = "application/scim+json", body = ScimResource),
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
    let rt = call.types().group();
    let profile = &call.client.source.profile;
    // A client that chooses attributes gets them (RFC 7644 §3.5.2); otherwise the profile decides.
    let wanted = profile.patch_response_groups;
    let (projection, bodiless_wanted) = match wanted {
        _ if call.query.chooses_attributes() => (call.query.projection(rt)?, false),
        GroupPatchResponse::Full => (Projection::standard(rt), false),
        GroupPatchResponse::WithoutMembers | GroupPatchResponse::NoContent => {
            (Projection::parse(rt, None, Some(MEMBERS))?, wanted == GroupPatchResponse::NoContent)
        }
    };
    let request = PatchRequest::parse(rt, &body, profile).map_err(|error| about(rt, id.as_str(), error))?;
    let context = Context { id: id.as_str(), profile, detached: &[MEMBERS] };
    let owners = call.rules().group_owners();
    let become_what = |group: &StoredGroup| {
        let patched = patch::apply(rt, &group.resource, &request, &context)?;
        Ok((owners.apply(call.source(), &group.resource, patched.resource), patched.detached))
    };
    let group = change(&call, &id, &state, &projection, become_what).await?;
    if bodiless_wanted {
        return Ok(bodiless(&call, StatusCode::NO_CONTENT, &group));
    }
    reply(&call, &state, StatusCode::OK, (&group, &projection)).await
}

/// `DELETE /Groups/{id}`.
#[utoipa::path(
    delete, path = "/Groups/{id}", tag = "scim", operation_id = "scimDeleteGroup",
    params(("id" = String, Path, description = "The SCIM id")),
    responses(
        (status = 204, description = "The group is gone; or, where another source decides `displayName`, this source has let go"),
        WriteRefusals,
    ),
)]
pub(super) async fn delete(call: Call, id: IdInPath, State(state): State<ApiState>) -> Result<Response, ApiError> {
    let rt = call.types().group();
    let (store, actor, resource_id) = (state.store(), call.actor(), id.resolve(rt)?);
    let check = |version| call.check_version(version).map_err(|error| about(rt, id.as_str(), error));
    let ended = if call.rules().group_owners().deny(call.source(), DISPLAY_NAME) {
        store.let_go_of_group(&actor, resource_id, DISPLAY_NAME.1, check).await
    } else {
        store.delete_group(&actor, resource_id, check).await
    };
    ended.map_err(|error| change_failed(error, rt, &id, None))?;
    Ok(answer::deleted())
}

/// Changes the group in the URL, if the client's precondition holds.
async fn change(
    call: &Call,
    id: &IdInPath,
    state: &ApiState,
    projection: &Projection<'_>,
    become_what: impl Fn(&StoredGroup) -> Result<(Wish<Resource>, Vec<DetachedChange>), Error> + Send + Sync,
) -> Result<StoredGroup, ApiError> {
    let rt = call.types().group();
    let resource_id = id.resolve(rt)?;
    let members_withheld = members_withheld(call);
    if !members_withheld {
        strict_members::check_change(state, call, resource_id, &become_what).await?;
    }
    let view = group_json::view(projection, call.source());
    let how = GroupUpdate { view, pinned: call.has_precondition(), members_withheld };
    let mut wanted_name = None;
    let changed = state
        .store()
        .update_group(&call.actor(), resource_id, how, |group| {
            let name = group.resource.string("displayName").unwrap_or(id.as_str());
            let checked = call.check_version(group.version).and_then(|()| become_what(group));
            let (Wish { becomes, withheld }, members) = checked.map_err(|error| about(rt, name, error))?;
            wanted_name = becomes.string("displayName").map(str::to_owned);
            Ok(Wish { becomes: (becomes, members), withheld })
        })
        .await;
    match changed {
        Ok(updated) => Ok(updated.value),
        Err(error) => Err(change_failed(error, rt, id, wanted_name.as_deref())),
    }
}

/// True if another source decides the members of groups.
fn members_withheld(call: &Call) -> bool {
    call.rules().group_owners().deny(call.source(), (None, MEMBERS))
}

async fn reply(
    call: &Call,
    state: &ApiState,
    status: StatusCode,
    (group, projection): (&StoredGroup, &Projection<'_>),
) -> Result<Response, ApiError> {
    let rt = call.types().group();
    if group.more_members {
        let whole = Writer::new(call, state, &call.query).resource(status, group.id).await?;
        return whole.ok_or_else(|| Error::not_found(&rt.name, &group.id.to_string()).into());
    }
    let location = call.base.resource(&rt.endpoint, group.id);
    let body = GroupJson { types: call.types(), base: &call.base }.render(group, projection);
    Ok(answer::resource(status, &body, About { version: group.version, location: &location }))
}

fn bodiless(call: &Call, status: StatusCode, group: &StoredGroup) -> Response {
    let location = call.base.resource(&call.types().group().endpoint, group.id);
    answer::bodiless(status, About { version: group.version, location: &location })
}
