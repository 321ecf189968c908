//! Group members that nobody is. Most sources may name them, because one unknown member must not stop a whole push;
//! a strict source is told (RFC 7643 §2.3.7 leaves it to the server).

use crate::error::ApiError;
use crate::scim::call::Call;
use crate::state::ApiState;
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::Error;
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::sub;
use rollcall_store::groups::{GroupView, StoredGroup};
use rollcall_store::write::Wish;
use serde_json::Value;

/// Most unknown members that an error names.
const NAMED_AT_MOST: usize = 10;

/// The ids that elements of `members` name.
pub(super) fn ids(members: &[Value]) -> impl Iterator<Item = &str> {
    members.iter().filter_map(|member| member.get(sub::VALUE)?.as_str())
}

/// Refuses members that nobody is, if the source's profile wants that.
///
/// # Errors
/// 400 `invalidValue` that names them.
pub(super) async fn check(state: &ApiState, call: &Call, members: &[Value]) -> Result<(), ApiError> {
    if call.client.source.profile.dangling_members || members.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = ids(members).map(str::to_owned).collect();
    let unknown = state.store().unknown_members(call.client.tenant, &ids).await?;
    if unknown.is_empty() {
        return Ok(());
    }
    let named: Vec<&str> = unknown.iter().take(NAMED_AT_MOST).map(String::as_str).collect();
    Err(Error::invalid_value(format!(
        "members: {} of the given values belong to no user and no group, among them {}; create them first, or leave \
         them out",
        unknown.len(),
        named.join(", ")
    ))
    .into())
}

/// The same for a change, which is tried on what is stored to see whom it would add.
///
/// # Errors
/// As [`check`]. What is wrong with the change itself is left to the change.
pub(super) async fn check_change(
    state: &ApiState,
    call: &Call,
    id: ResourceId,
    become_what: impl Fn(&StoredGroup) -> Result<(Wish<Resource>, Vec<DetachedChange>), Error>,
) -> Result<(), ApiError> {
    if call.client.source.profile.dangling_members {
        return Ok(());
    }
    let Some(group) = state.store().group(call.client.tenant, id, GroupView::default()).await? else {
        return Ok(());
    };
    let Ok((_, changes)) = become_what(&group) else { return Ok(()) };
    let mut added = Vec::new();
    for DetachedChange { change, .. } in changes {
        if let Detached::Add(members) | Detached::Replace(members) = change {
            added.extend(members);
        }
    }
    check(state, call, &added).await
}
