//! People who come back by POST.
//!
//! RFC 7644 has a returning person found by filter and activated. Okta after a re-assignment, and feeds after a
//! re-hire, POST them again, and a 409 would stop them for good. For such profiles the POST of an inactive person of
//! the same source, known by userName or externalId, replaces what is stored and keeps the id.

use crate::error::ApiError;
use crate::scim::call::Call;
use crate::scim::failure::create_failed;
use crate::scim::user_json::UserJson;
use crate::state::ApiState;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::path::AttributePath;
use rollcall_scim::projection::Projection;
use rollcall_scim::resource::Resource;
use rollcall_store::StoreError;
use rollcall_store::listing::Matching;
use rollcall_store::users::{Namesake, StoredUser, UserQuery, UserView};
use rollcall_store::write::UpdateError;
use serde_json::Value;

/// Candidates looked at when nobody has the name. More than a few people with one externalId are a mistake that no
/// guess repairs.
const CANDIDATES: i64 = 5;

/// Creates the person that `resource` describes, or brings them back.
pub(super) async fn create_or_restore(
    state: &ApiState,
    call: &Call,
    resource: &Resource,
    view: UserView,
) -> Result<StoredUser, ApiError> {
    let failed = |error| create_failed(error, call.types().user(), resource.string("userName"));
    let restores = call.client.source.profile.restore_on_post;
    let namesake = if restores { Namesake::Respected } else { Namesake::Ignored };
    let wish = call.rules().user_owners().apply_to_new(call.types().user(), call.source(), resource.clone());
    match state.store().create_user(&call.actor(), wish.clone(), namesake).await {
        Err(StoreError::Conflict(_) | StoreError::Namesake) if restores => {}
        end => return end.map_err(failed),
    }
    if let Some(user) = restore(state, call, resource, view).await? {
        return Ok(user);
    }
    // Whoever it was, it is not the person meant.
    state.store().create_user(&call.actor(), wish, Namesake::Ignored).await.map_err(failed)
}

/// Brings the person back that `resource` describes; `None` if there is nobody to bring back.
async fn restore(
    state: &ApiState,
    call: &Call,
    resource: &Resource,
    view: UserView,
) -> Result<Option<StoredUser>, ApiError> {
    let Some(gone) = find(state, call, resource).await? else { return Ok(None) };
    let owners = call.rules().user_owners();
    let become_what = |user: &StoredUser| {
        if is_inactive(user) { Ok(owners.apply(call.source(), &user.resource, resource.clone())) } else { Err(()) }
    };
    match state.store().update_user(&call.actor(), gone.id, view, become_what).await {
        Ok(updated) => Ok(Some(updated.value)),
        // Somebody else was faster, in one way or another; the creation that follows says what is true now.
        Err(UpdateError::NotFound | UpdateError::Refused(())) => Ok(None),
        Err(UpdateError::Store(error)) => Err(create_failed(error, call.types().user(), resource.string("userName"))),
    }
}

/// Finds who may be meant. Whoever has the name must be the one: while they have it, nobody else could get it, however
/// many share the externalId.
async fn find(state: &ApiState, call: &Call, resource: &Resource) -> Result<Option<StoredUser>, ApiError> {
    let user_name = resource.string("userName").unwrap_or_default();
    let mut candidates = list(state, call, &equals("userName", user_name.into()), 1).await?;
    if let (true, Some(external_id)) = (candidates.is_empty(), resource.string("externalId")) {
        let known = vec![equals("active", false.into()), equals("externalId", external_id.into())];
        candidates = list(state, call, &Filter::And(known), CANDIDATES).await?;
    }
    Ok(candidates.into_iter().find(|user| is_inactive(user) && user.external_ids.creator() == call.source()))
}

async fn list(state: &ApiState, call: &Call, filter: &Filter, count: i64) -> Result<Vec<StoredUser>, ApiError> {
    let rt = call.types().user();
    let json = UserJson { types: call.types(), base: &call.base };
    let whole = Projection::standard(rt);
    let judge = |user: &StoredUser| filter.matches(rt, &json.render(user, &whole));
    let matching = Some(Matching { filter, judge: &judge });
    let view = UserView { source: Some(call.source()), ..UserView::default() };
    let query = UserQuery { matching, start_index: 1, count, view };
    Ok(state.store().list_users(call.client.tenant, &query).await?.items)
}

fn equals(attribute: &str, value: Value) -> Filter {
    Filter::Compare { path: AttributePath::core(attribute), op: CompareOp::Eq, value }
}

fn is_inactive(user: &StoredUser) -> bool {
    user.resource.boolean("active") == Some(false)
}
