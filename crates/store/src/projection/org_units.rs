//! Departments as rows: marking them, and taking them away when they are empty.

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::proposal::Paths;
use sqlx::PgConnection;
use uuid::Uuid;

impl Store {
    /// Marks a department of the claim's target, whatever it stands at.
    pub(super) async fn mark_unit(&self, tx: &mut PgConnection, claim: &Claim, unit: Uuid) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO deliveries AS d (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at,
                                          dirty_since, request_id, mapping_version, updated_at)
             VALUES ($1, $2, 'org_unit', $3, $4, 'pending', $5, $5, $6, $7, $5)
             ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
             SET mark = d.mark + 1, due_at = $5, dirty_since = COALESCE(d.dirty_since, $5), attempt = 0,
                 waiting_for = NULL, request_id = $6, updated_at = $5,
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(unit)
        .bind(Lane::OrgUnit.number())
        .bind(self.now())
        .bind(&claim.request_id)
        .bind(claim.mapping_version)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Marks a department unless it is already known to be at the target and at rest.
    pub(super) async fn mark_unit_unless_settled(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        unit: Uuid,
    ) -> Result<(), StoreError> {
        let settled: Option<bool> = sqlx::query_scalar(
            "SELECT d.state IN ('in_step', 'pending', 'retrying', 'waiting') FROM deliveries d
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'org_unit' AND d.resource_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(unit)
        .fetch_optional(&mut *tx)
        .await?;
        if settled == Some(true) { Ok(()) } else { self.mark_unit(tx, claim, unit).await }
    }

    /// The path of a department of the claim's target: names from the top, ` / ` between them.
    pub async fn unit_path(&self, claim: &Claim, unit: Uuid) -> Result<String, StoreError> {
        let path: Option<String> = sqlx::query_scalar(
            "WITH RECURSIVE way AS (
                 SELECT o.parent_id, o.name AS path FROM org_units o
                 WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.id = $3
                 UNION ALL
                 SELECT o.parent_id, o.name || ' / ' || way.path FROM way
                 JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = way.parent_id)
             SELECT path FROM way WHERE parent_id = $2",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(unit)
        .fetch_optional(self.pool())
        .await?;
        Ok(path.unwrap_or_default())
    }

    /// The paths of departments of the claim's target, by their remote ids: names from the top, ` / ` between them.
    pub async fn unit_paths(
        &self,
        (tenant, target): (TenantId, TargetId),
        remote_ids: &[&str],
    ) -> Result<Paths, StoreError> {
        if remote_ids.is_empty() {
            return Ok(Paths::new());
        }
        let rows: Vec<(String, String)> = sqlx::query_as(
            "WITH RECURSIVE way AS (
                 SELECT l.remote_id, o.parent_id, o.name AS path FROM links l
                 JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = l.resource_id
                 WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'org_unit' AND l.remote_id = ANY($3)
                 UNION ALL
                 SELECT way.remote_id, o.parent_id, o.name || ' / ' || way.path FROM way
                 JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = way.parent_id)
             SELECT remote_id, path FROM way WHERE parent_id = $2",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(remote_ids)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// The department that people know by this path, as [`Self::unit_paths`] writes it.
    pub async fn unit_by_path(
        &self,
        (tenant, target): (TenantId, TargetId),
        path: &str,
    ) -> Result<Option<Uuid>, StoreError> {
        let found = sqlx::query_scalar(
            "WITH RECURSIVE way AS (
                 SELECT id, name AS path FROM org_units
                 WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $2 AND gone_at IS NULL
                 UNION ALL
                 SELECT o.id, way.path || ' / ' || o.name FROM way
                 JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = way.id AND o.gone_at IS NULL
                 WHERE starts_with($3, way.path || ' / '))
             SELECT id FROM way WHERE path = $3 LIMIT 1",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(path)
        .fetch_optional(self.pool())
        .await?;
        Ok(found)
    }

    /// The department is gone at the target. Its row goes too, unless somebody wants it again by now; then it
    /// stays and is looked at again. The department above is marked, since it may be empty now.
    /// `false` when the claim is lost.
    pub async fn retire_unit(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        // The department before its delivery, as those lock who place somebody in it.
        let parent: Option<Uuid> = sqlx::query_scalar(
            "SELECT parent_id FROM org_units
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND gone_at IS NULL FOR UPDATE",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(&mut *tx)
        .await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let Some(parent) = parent else {
            tx.rollback().await?;
            return Ok(true);
        };
        // A statement of its own: it sees whoever moved in before the row was locked.
        let wanted: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM placements
                            WHERE tenant_id = $1 AND target_id = $2 AND unit_id = $3 AND wanted)
                 OR EXISTS (SELECT 1 FROM org_units
                            WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $3 AND gone_at IS NULL)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_one(&mut *tx)
        .await?;
        if wanted {
            self.mark_unit(&mut tx, claim, claim.resource.0).await?;
        } else {
            sqlx::query("UPDATE org_units SET gone_at = $4 WHERE tenant_id = $1 AND target_id = $2 AND id = $3")
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .bind(claim.resource.0)
                .bind(self.now())
                .execute(&mut *tx)
                .await?;
            if parent != claim.target.0 {
                self.mark_unit(&mut tx, claim, parent).await?;
            }
        }
        tx.commit().await?;
        Ok(true)
    }
}
