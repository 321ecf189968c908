//! The directory and its targets at a glance: counts, and the moments of the last events.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use sqlx::FromRow;
use time::OffsetDateTime;

/// How much a tenant's directory holds.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct DirectoryGlance {
    /// The tenant's name.
    pub tenant: String,
    /// Users that are not deleted.
    pub people: i64,
    /// Groups that are not deleted.
    pub groups: i64,
    /// Configured SCIM clients.
    pub sources: i64,
    /// When a source changed something last.
    pub last_received: Option<OffsetDateTime>,
}

/// The last events of a target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromRow)]
pub struct TargetMoments {
    /// When it accepted a change last.
    pub last_applied: Option<OffsetDateTime>,
    /// When it was stopped last, whether or not it still is.
    pub last_stopped: Option<OffsetDateTime>,
}

impl Store {
    /// Counts what a tenant's directory holds; `None` when there is no such tenant.
    pub async fn directory_glance(&self, tenant: TenantId) -> Result<Option<DirectoryGlance>, StoreError> {
        let glance = sqlx::query_as(
            "SELECT t.name AS tenant,
                    (SELECT count(*) FROM users WHERE tenant_id = $1 AND deleted_at IS NULL) AS people,
                    (SELECT count(*) FROM groups WHERE tenant_id = $1 AND deleted_at IS NULL) AS groups,
                    (SELECT count(*) FROM sources WHERE tenant_id = $1) AS sources,
                    (SELECT at FROM changes WHERE tenant_id = $1 AND source_id IS NOT NULL
                     ORDER BY id DESC LIMIT 1) AS last_received
             FROM tenants t WHERE t.id = $1",
        )
        .bind(tenant.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(glance)
    }

    /// The last events of a target.
    pub async fn target_moments(&self, tenant: TenantId, target: TargetId) -> Result<TargetMoments, StoreError> {
        let moments = sqlx::query_as(
            "SELECT (SELECT at FROM attempts WHERE tenant_id = $1 AND target_id = $2 AND outcome = 'accepted'
                     ORDER BY id DESC LIMIT 1) AS last_applied,
                    (SELECT at FROM changes WHERE tenant_id = $1 AND resource_id = $2
                       AND operation = 'target_stopped' ORDER BY id DESC LIMIT 1) AS last_stopped",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_one(self.pool())
        .await?;
        Ok(moments)
    }
}
