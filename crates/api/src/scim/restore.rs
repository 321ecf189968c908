//! People who come back by POST.
//!
//! RFC 7644 has a returning person found by filter and activated. Okta after a re-assignment, and feeds after a
//! re-hire, POST them again, and a 409 would stop them for good. For such profiles the POST of an inactive person whom
//! the same source has created or linked, known by userName or externalId, replaces what is stored and keeps the id.
//!
//! A source whose DELETE took only its own name away, because another source keeps the person, was told that they are
//! gone, and what is gone is in nobody's way (RFC 7644 §3.6): its POST finds them again, whatever the profile and whether
//! or not they are active.

use crate::error::ApiError;
use crate::owners::ACTIVE;
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

/// Candidates looked at when nobody has the name: of several people with one externalId, a guess could give one the
/// account of another.
const CANDIDATES: i64 = 2;

/// Creates the person that `resource` describes, or brings them back.
pub(super) async fn create_or_restore(
    state: &ApiState,
    call: &Call,
    resource: Resource,
    view: UserView,
) -> Result<StoredUser, ApiError> {
    let owners = call.rules().user_owners();
    let resource = &if owners.deny(call.source(), ACTIVE) { with_active(resource) } else { resource };
    let failed = |error| create_failed(error, call.types().user(), resource.string("userName"));
    let namesake = if restores(call) { Namesake::Respected } else { Namesake::Ignored };
    let wish = owners.apply_to_new(call.types().user(), call.source(), resource.clone());
    let refusal = match state.store().create_user(&call.actor(), wish.clone(), namesake).await {
        Err(refusal @ (StoreError::Conflict(_) | StoreError::Namesake)) => refusal,
        end => return end.map_err(failed),
    };
    if let Some(user) = restore(state, call, resource, view).await? {
        return Ok(user);
    }
    match refusal {
        // Whoever it was, it is not the person meant.
        StoreError::Namesake => state.store().create_user(&call.actor(), wish, Namesake::Ignored).await.map_err(failed),
        refusal => Err(failed(refusal)),
    }
}

const fn restores(call: &Call) -> bool {
    call.client.source.profile.restore_on_post
}

/// The same with what is meant by saying nothing of `active`, so that it is seen when that is withheld.
fn with_active(resource: Resource) -> Resource {
    let mut attributes = resource.into_map();
    attributes.entry(ACTIVE.1).or_insert(Value::Bool(true));
    Resource::from_map(attributes)
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
        if comes_back(call, user) {
            Ok(owners.apply_whole(call.source(), &user.resource, resource.clone()))
        } else {
            Err(())
        }
    };
    match state.store().update_user(&call.actor(), gone.id, view, become_what).await {
        Ok(updated) => Ok(Some(updated.value)),
        // Somebody else was faster, in one way or another.
        Err(UpdateError::NotFound | UpdateError::Refused(())) => Ok(None),
        Err(UpdateError::Store(error)) => Err(create_failed(error, call.types().user(), resource.string("userName"))),
    }
}

/// Finds who may be meant. Whoever has the name must be the one: while they have it, nobody else could get it, however
/// many share the externalId.
async fn find(state: &ApiState, call: &Call, resource: &Resource) -> Result<Option<StoredUser>, ApiError> {
    let user_name = resource.string("userName").unwrap_or_default();
    let mut candidates = list(state, call, &equals("userName", user_name.into()), 1).await?;
    if let (true, true, Some(external_id)) = (restores(call), candidates.is_empty(), resource.string("externalId")) {
        let known = vec![equals("active", false.into()), equals("externalId", external_id.into())];
        candidates = list(state, call, &Filter::And(known), CANDIDATES).await?;
    }
    let only = if candidates.len() == 1 { candidates.pop() } else { None };
    Ok(only.filter(|user| comes_back(call, user)))
}

/// Whether a POST by the source can mean this person, who is there already.
fn comes_back(call: &Call, user: &StoredUser) -> bool {
    let ids = &user.external_ids;
    ids.was_let_go_by(call.source()) || restores(call) && is_inactive(user) && ids.has_known(call.source())
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
