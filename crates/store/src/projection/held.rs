//! What is set aside at the targets of a tenant, counted by what holds it.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::TenantId;
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// How much one thing holds at a target.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct HeldRow {
    /// At which target.
    pub target_id: Uuid,
    /// What holds it; see [`rollcall_provisioning::delivery::HeldBy`].
    pub held_by: String,
    /// How many people.
    pub people: i64,
    /// How many departments.
    pub departments: i64,
    /// How many groups.
    pub groups: i64,
}

/// How much waits for the end of a deny window, or for calls that a target may be sent.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct PutOffRow {
    /// At which target.
    pub target_id: Uuid,
    /// `deny_window` or `calls_used_up`.
    pub code: String,
    /// Why, in a sentence that all of it shares.
    pub reason: String,
    /// Until when; the first of it.
    pub until: Option<OffsetDateTime>,
    /// How many people.
    pub people: i64,
    /// How many departments.
    pub departments: i64,
    /// How many groups.
    pub groups: i64,
}

/// How many of each kind the rows `d` are.
macro_rules! by_kind {
    () => {
        "count(*) FILTER (WHERE d.resource_kind = 'user') AS people, \
         count(*) FILTER (WHERE d.resource_kind = 'org_unit') AS departments, \
         count(*) FILTER (WHERE d.resource_kind = 'group') AS groups"
    };
}

impl Store {
    /// What is held, by target and by what holds it. Whom a survey has still to look at is pending, as in
    /// [`Store::delivery_counts`].
    pub async fn held(&self, tenant: TenantId) -> Result<Vec<HeldRow>, StoreError> {
        let rows = sqlx::query_as(concat!(
            "SELECT d.target_id, d.held_by, ",
            by_kind!(),
            " FROM deliveries d
             WHERE d.tenant_id = $1 AND d.held_by IS NOT NULL AND d.state = 'held'
               AND NOT EXISTS (SELECT 1 FROM surveys s WHERE s.tenant_id = d.tenant_id AND s.target_id = d.target_id
                                 AND d.resource_kind = 'user' AND (s.after IS NULL OR d.resource_id > s.after))
             GROUP BY d.target_id, d.held_by ORDER BY d.target_id, d.held_by"
        ))
        .bind(tenant.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// What is put off by deny windows and by what targets may be sent.
    pub async fn put_off(&self, tenant: TenantId) -> Result<Vec<PutOffRow>, StoreError> {
        let rows = sqlx::query_as(concat!(
            "SELECT d.target_id, d.error_code AS code, COALESCE(d.reason, '') AS reason, min(d.due_at) AS until, ",
            by_kind!(),
            " FROM deliveries d
             WHERE d.tenant_id = $1 AND d.state = 'waiting' AND d.error_code IN ('deny_window', 'calls_used_up')
             GROUP BY d.target_id, d.error_code, COALESCE(d.reason, '') ORDER BY 1, 2, 3"
        ))
        .bind(tenant.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}
