//! Deliveries in any of several states, as one list; and looking at them again.

use crate::error::ApiError;
use crate::services::deliveries::{self, DeliveryView};
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{DeliveryQuery, MarkAgain};

/// Which deliveries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// Only towards this target.
    pub target: Option<TargetId>,
    /// Only of this kind of resource.
    pub kind: Option<ResourceKind>,
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Only what this holds, as the REST interface names it.
    pub held_by: Option<String>,
    /// Only with this error code.
    pub code: Option<String>,
    /// Only in one of these states; in any, when there are none.
    pub states: Vec<DeliveryState>,
}

/// A page of at most `limit` deliveries, in the order of resource ids.
///
/// # Errors
/// 400 for a cursor of another list.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    wanted: &Wanted,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<DeliveryView>, ApiError> {
    let query = |state| DeliveryQuery {
        target: wanted.target,
        kind: wanted.kind,
        resource: wanted.resource,
        held_by: wanted.held_by.clone(),
        code: wanted.code.clone(),
        state,
        after: None,
        limit,
    };
    let states: Vec<Option<DeliveryState>> = match wanted.states.as_slice() {
        [] => vec![None],
        some => some.iter().copied().map(Some).collect(),
    };
    let (mut rows, mut has_more) = (Vec::new(), false);
    for state in states {
        // Each state has an index of its own order, so a page of several is the beginning of all of theirs.
        let page = deliveries::list(store, tenant, &query(state), cursor).await?;
        has_more |= page.has_more;
        rows.extend(page.data);
    }
    rows.sort_by_key(|row| (row.resource_id, row.target_id));
    let limit = usize::try_from(limit).unwrap_or(0);
    has_more |= rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| has_more).map(|row| Cursor::Ids(row.resource_id, row.target_id).encode());
    Ok(Page { data: rows, next_cursor, has_more })
}

/// Marks deliveries, so that they are looked at again now; says how many. With neither a resource nor a state it is
/// those that retry, wait or need attention. `request_id` is kept with the attempts that follow.
///
/// # Errors
/// When the store cannot be asked.
pub async fn look_again(store: &Store, tenant: TenantId, wanted: &Wanted, request_id: &str) -> Result<u64, ApiError> {
    let mark = |state| MarkAgain { target: wanted.target, resource: wanted.resource, state };
    if wanted.states.is_empty() {
        return Ok(store.mark_again(tenant, &mark(None), request_id).await?);
    }
    let mut marked = 0_u64;
    for state in &wanted.states {
        marked = marked.saturating_add(store.mark_again(tenant, &mark(Some(*state)), request_id).await?);
    }
    Ok(marked)
}
