//! One group by its id, and whether members are known.

use super::row::{GroupRow, group_columns, group_joins};
use super::{GroupView, Load, StoredGroup};
use crate::members::named_id;
use crate::write::Lock;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, SourceId, TenantId};
use sqlx::PgExecutor;

/// The most members that are loaded with one group. Whoever wants to see more of them reads the group's [`Roll`](super::Roll).
pub const LOADED_MEMBERS: usize = 1_000;

macro_rules! one_group {
    ($lock:literal) => {
        concat!(
            "SELECT ",
            group_columns!(),
            " FROM groups g",
            group_joins!("$3"),
            "WHERE g.tenant_id = $1 AND g.id = $2 AND g.deleted_at IS NULL",
            $lock
        )
    };
}

/// Reads a group on whatever connection or transaction.
pub(super) async fn read(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    id: ResourceId,
    source: Option<SourceId>,
    (load, lock): (Load, Lock),
) -> Result<Option<StoredGroup>, StoreError> {
    let statement = match lock {
        Lock::None => one_group!(""),
        Lock::Row => one_group!(" FOR NO KEY UPDATE OF g"),
    };
    let limit = match load {
        Load::Nothing => Some(0),
        Load::First(most) => i64::try_from(most).ok().map(|most| most + 1),
        Load::All => None,
    };
    let row: Option<GroupRow> =
        sqlx::query_as(statement).bind(tenant.0).bind(id.0).bind(limit).fetch_optional(executor).await?;
    row.map(|row| row.into_group(source, load)).transpose()
}

impl Store {
    /// The group with that id, if there is one and it is not deleted. One round trip, whatever the view.
    pub async fn group(
        &self,
        tenant: TenantId,
        id: ResourceId,
        view: GroupView,
    ) -> Result<Option<StoredGroup>, StoreError> {
        let load = if view.members { Load::First(LOADED_MEMBERS) } else { Load::Nothing };
        read(self.pool(), tenant, id, view.source, (load, Lock::None)).await
    }

    /// Those of the ids that belong to no live user or group, in their order. For clients whose profile wants
    /// unknown members refused.
    pub async fn unknown_members(&self, tenant: TenantId, ids: &[String]) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT asked.id FROM unnest($2::text[]) WITH ORDINALITY AS asked (id, position) \
             WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL \
                               AND u.id = ANY($3) AND u.id::text = asked.id) \
               AND NOT EXISTS (SELECT 1 FROM groups g WHERE g.tenant_id = $1 AND g.deleted_at IS NULL \
                               AND g.id = ANY($3) AND g.id::text = asked.id) \
             ORDER BY asked.position",
        )
        .bind(tenant.0)
        .bind(ids)
        .bind(ids.iter().filter_map(|id| id.parse().ok()).collect::<Vec<uuid::Uuid>>())
        .fetch_all(self.pool())
        .await?)
    }
}
