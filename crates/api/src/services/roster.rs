//! Everybody and every group that was received, and what the source says of one of them.

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::users::UserView;
use serde_json::{Map, Value};
use uuid::Uuid;

pub use rollcall_store::roster::{RosterGroup, RosterUser};

/// A page of the people who were received, in the order in which they were created.
///
/// # Errors
/// 400 for a cursor of another list.
pub async fn people(
    store: &Store,
    tenant: TenantId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<RosterUser>, ApiError> {
    let rows = store.roster_users(tenant, after(cursor)?, limit.saturating_add(1)).await?;
    Ok(Page::of(rows, limit, |row| place(row.id), |row| row))
}

/// A page of the groups that were received, in the order in which they were created.
///
/// # Errors
/// 400 for a cursor of another list.
pub async fn groups(
    store: &Store,
    tenant: TenantId,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<RosterGroup>, ApiError> {
    let rows = store.roster_groups(tenant, after(cursor)?, limit.saturating_add(1)).await?;
    Ok(Page::of(rows, limit, |row| place(row.id), |row| row))
}

/// What the sources wrote about a person, by attribute; `None` when the person is not there any more.
///
/// # Errors
/// When the store cannot be asked.
pub async fn source_says(
    store: &Store,
    tenant: TenantId,
    id: ResourceId,
) -> Result<Option<Map<String, Value>>, ApiError> {
    let user = store.user(tenant, id, UserView::default()).await?;
    Ok(user.map(|user| user.resource.into_map()))
}

fn place(id: ResourceId) -> Cursor {
    Cursor::Ids(id.0, Uuid::nil())
}

fn after(cursor: Option<&str>) -> Result<Option<ResourceId>, ApiError> {
    Ok(Cursor::ids(cursor)?.map(|(id, _)| ResourceId(id)))
}
