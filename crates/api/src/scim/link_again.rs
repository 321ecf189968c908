//! Groups that come back by POST.
//!
//! A source whose DELETE took only its own name away, because another source keeps the group, was told that it is gone.
//! What is gone is in nobody's way (RFC 7644 §3.6), so its POST finds the group again, as it does with
//! [people](super::restore).

use crate::error::ApiError;
use crate::scim::call::Call;
use crate::scim::failure::create_failed;
use crate::scim::group_json::{GroupJson, MEMBERS};
use crate::state::ApiState;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::path::AttributePath;
use rollcall_scim::projection::Projection;
use rollcall_scim::resource::Resource;
use rollcall_store::groups::{GroupQuery, GroupUpdate, GroupView, StoredGroup};
use rollcall_store::listing::Matching;
use rollcall_store::write::{UpdateError, Wish};
use serde_json::Value;

/// Links the group again that has the name of `resource`, if the source has let go of it; `None` if there is none.
///
/// It becomes what the body says, but for its members: whoever creates a group takes nobody out of it.
pub(super) async fn link_again(
    state: &ApiState,
    call: &Call,
    (resource, members): (&Resource, Vec<Value>),
    how: GroupUpdate,
) -> Result<Option<StoredGroup>, ApiError> {
    let rt = call.types().group();
    let name = resource.string("displayName");
    let Some(gone) = find(state, call, name.unwrap_or_default()).await? else { return Ok(None) };
    let members = DetachedChange { attribute: MEMBERS.to_owned(), change: Detached::Add(members) };
    let become_what = |group: &StoredGroup| {
        if !group.external_ids.was_let_go_by(call.source()) {
            return Err(());
        }
        let owners = call.rules().group_owners();
        let Wish { becomes, withheld } = owners.apply_whole(call.source(), &group.resource, resource.clone());
        Ok(Wish { becomes: (becomes, vec![members.clone()]), withheld })
    };
    match state.store().update_group(&call.actor(), gone.id, how, become_what).await {
        Ok(updated) => Ok(Some(updated.value)),
        // Somebody else was faster, in one way or another.
        Err(UpdateError::NotFound | UpdateError::Refused(())) => Ok(None),
        Err(UpdateError::Store(error)) => Err(create_failed(error, rt, name)),
    }
}

/// The group of that name, if the source has let go of it.
async fn find(state: &ApiState, call: &Call, name: &str) -> Result<Option<StoredGroup>, ApiError> {
    let rt = call.types().group();
    let path = AttributePath::core("displayName");
    let filter = &Filter::Compare { path, op: CompareOp::Eq, value: name.into() };
    let json = GroupJson { types: call.types(), base: &call.base };
    let whole = Projection::standard(rt);
    let judge = |group: &StoredGroup| filter.matches(rt, &json.render(group, &whole));
    let view = GroupView { members: false, source: Some(call.source()) };
    let query = GroupQuery { matching: Some(Matching { filter, judge: &judge }), start_index: 1, count: 1, view };
    let found = state.store().list_groups(call.client.tenant, &query).await?.items.pop();
    Ok(found.filter(|group| group.external_ids.was_let_go_by(call.source())))
}
