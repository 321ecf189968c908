//! People who come back by POST.
//!
//! RFC 7644 has a returning person found by filter and activated. Okta after a re-assignment, and feeds after a
//! re-hire, POST them again, and a 409 would stop them for good. For such profiles the POST of an inactive person of
//! the same source, known by userName or externalId, replaces what is stored and keeps the id.

use crate::error::ApiError;
use crate::scim::call::Call;
use crate::scim::failure::create_failed;
use crate::state::ApiState;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_scim::resource::Resource;
use rollcall_store::StoreError;
use rollcall_store::changes::ChangeCursor;
use rollcall_store::listing::Matching;
use rollcall_store::users::{Namesake, StoredUser, UserQuery, UserView};
use rollcall_store::write::UpdateError;

/// Candidates looked at. More than a few people with one externalId are a mistake that no guess repairs.
const CANDIDATES: i64 = 5;

/// Creates the person that `resource` describes, or brings them back.
pub(super) async fn create_or_restore(
    state: &ApiState,
    call: &Call,
    resource: &Resource,
    view: UserView,
) -> Result<StoredUser, ApiError> {
    let failed = |error| create_failed(error, state.types().user(), resource.string("userName"));
    let restores = call.client.source.profile.restore_on_post;
    let namesake = if restores { Namesake::Respected } else { Namesake::Ignored };
    match state.store().create_user(&call.actor(), resource, namesake).await {
        Err(StoreError::Conflict(_) | StoreError::Namesake) if restores => {}
        end => return end.map_err(failed),
    }
    if let Some(user) = restore(state, call, resource, view).await? {
        return Ok(user);
    }
    // Whoever it was, it is not the person meant.
    state.store().create_user(&call.actor(), resource, Namesake::Ignored).await.map_err(failed)
}

/// Brings the person back that `resource` describes; `None` if there is nobody to bring back.
async fn restore(
    state: &ApiState,
    call: &Call,
    resource: &Resource,
    view: UserView,
) -> Result<Option<StoredUser>, ApiError> {
    let Some(gone) = find(state, call, resource).await? else { return Ok(None) };
    let become_what = |user: &StoredUser| if is_inactive(user) { Ok(resource.clone()) } else { Err(()) };
    match state.store().update_user(&call.actor(), gone.id, view, become_what).await {
        Ok(updated) => Ok(Some(updated.value)),
        // Somebody else was faster, in one way or another; the creation that follows says what is true now.
        Err(UpdateError::NotFound | UpdateError::Refused(())) => Ok(None),
        Err(UpdateError::Store(error)) => Err(create_failed(error, state.types().user(), resource.string("userName"))),
    }
}

async fn find(state: &ApiState, call: &Call, resource: &Resource) -> Result<Option<StoredUser>, ApiError> {
    let user_name = resource.string("userName").unwrap_or_default();
    let filter = inactive_with(user_name, resource.string("externalId"));
    let rt = state.types().user();
    let json = crate::scim::user_json::UserJson { types: state.types(), base: &call.base };
    let whole = rollcall_scim::projection::Projection::standard(rt);
    let judge = |user: &StoredUser| filter.matches(rt, &json.render(user, &whole));
    let query = UserQuery {
        matching: Some(Matching { filter: &filter, judge: &judge }),
        start_index: 1,
        count: CANDIDATES,
        view: UserView::default(),
    };
    let mut candidates = state.store().list_users(call.client.tenant, &query).await?.items;
    // Whoever has the name must be the one: nobody else could get it.
    let key = fold(user_name);
    candidates.sort_by_key(|user| user.resource.string("userName").map(fold).as_deref() != Some(key.as_str()));
    for user in candidates {
        let first = state.store().changes(call.client.tenant, ChangeCursor::After(0), 1, Some(user.id)).await?;
        if first.first().and_then(|entry| entry.source) == Some(call.client.source.id) {
            return Ok(Some(user));
        }
    }
    Ok(None)
}

fn inactive_with(user_name: &str, external_id: Option<&str>) -> Filter {
    let equals = |attribute: &str, value: serde_json::Value| Filter::Compare {
        path: AttributePath::core(attribute),
        op: CompareOp::Eq,
        value,
    };
    let by_name = equals("userName", user_name.into());
    let known = match external_id {
        Some(id) => Filter::Or(vec![by_name, equals("externalId", id.into())]),
        None => by_name,
    };
    Filter::And(vec![equals("active", false.into()), known])
}

fn is_inactive(user: &StoredUser) -> bool {
    user.resource.boolean("active") == Some(false)
}
