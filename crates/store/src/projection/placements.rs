//! Placements: in which department a person belongs, and in which one the target has them.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::org_unit::OrgName;
use sqlx::{PgConnection, Row};
use uuid::Uuid;

/// The department of a person, wanted and applied. `None` is the root, or nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Placement {
    /// Where the directory wants them.
    pub wanted: Option<Uuid>,
    /// Where the target has them.
    pub applied: Option<Uuid>,
}

impl Store {
    /// Notes where a person belongs: makes sure that the departments of `path` exist, moves the person's wish
    /// to the last of them, and marks the departments that have something to do now: the new ones, and the one
    /// that the person leaves. An empty path is the root. Returns the department; `None` for the root.
    ///
    /// The outer `None` means that the claim is lost and nothing was changed.
    pub async fn place(&self, claim: &Claim, path: &[OrgName]) -> Result<Option<Option<Uuid>>, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        let mut unit = None;
        for name in path {
            unit = Some(self.ensure_unit(&mut tx, claim, unit, name).await?);
        }
        self.move_wish(&mut tx, claim, unit).await?;
        tx.commit().await?;
        Ok(Some(unit))
    }

    /// The person has left: they are wanted in no department. `false` when the claim is lost.
    pub async fn displace(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        self.move_wish(&mut tx, claim, None).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The target has the person in `unit` now (`None`: at the root, or not at all). The department that they
    /// left is marked, since it may be empty. `false` when the claim is lost.
    pub async fn placed(&self, claim: &Claim, unit: Option<Uuid>) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let before: Option<Uuid> = sqlx::query_scalar(
            "SELECT applied_unit FROM placements
             WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 FOR UPDATE",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(&mut *tx)
        .await?
        .flatten();
        sqlx::query(
            "INSERT INTO placements (tenant_id, target_id, user_id, applied_unit) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, target_id, user_id) DO UPDATE SET applied_unit = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(unit)
        .execute(&mut *tx)
        .await?;
        if let Some(before) = before.filter(|before| Some(*before) != unit) {
            self.mark_unit(&mut tx, claim, before).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn ensure_unit(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        parent: Option<Uuid>,
        name: &OrgName,
    ) -> Result<Uuid, StoreError> {
        let parent = parent.unwrap_or(claim.target.0);
        // Shared with everybody who places somebody below it; only whoever takes the department away wants it alone,
        // and must wait until the wish is noted.
        let there: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM org_units
             WHERE tenant_id = $1 AND target_id = $2 AND parent_id = $3 AND name_key = $4 AND gone_at IS NULL
             FOR SHARE",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(parent)
        .bind(&name.key)
        .fetch_optional(&mut *tx)
        .await?;
        if let Some(id) = there {
            return Ok(id);
        }
        let row = sqlx::query(
            "INSERT INTO org_units AS o (tenant_id, target_id, id, parent_id, name, name_key, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (tenant_id, target_id, parent_id, name_key) WHERE gone_at IS NULL
             DO UPDATE SET name = o.name
             RETURNING o.id, (xmax = 0) AS new",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(self.new_id())
        .bind(parent)
        .bind(&name.name)
        .bind(&name.key)
        .bind(self.now())
        .fetch_one(&mut *tx)
        .await?;
        let id: Uuid = row.try_get("id")?;
        if row.try_get("new")? {
            self.mark_unit(tx, claim, id).await?;
        }
        Ok(id)
    }

    async fn move_wish(&self, tx: &mut PgConnection, claim: &Claim, unit: Option<Uuid>) -> Result<(), StoreError> {
        let before: Option<Uuid> = sqlx::query_scalar(
            "SELECT wanted_unit FROM placements
             WHERE tenant_id = $1 AND target_id = $2 AND user_id = $3 FOR UPDATE",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .fetch_optional(&mut *tx)
        .await?
        .flatten();
        if before == unit && unit.is_none() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO placements (tenant_id, target_id, user_id, wanted_unit) VALUES ($1, $2, $3, $4)
             ON CONFLICT (tenant_id, target_id, user_id) DO UPDATE SET wanted_unit = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(unit)
        .execute(&mut *tx)
        .await?;
        if before == unit {
            return Ok(());
        }
        if let Some(before) = before {
            self.mark_unit(tx, claim, before).await?;
        }
        if let Some(unit) = unit {
            // A department that was on its way out is wanted again.
            self.mark_unit_unless_settled(tx, claim, unit).await?;
        }
        Ok(())
    }
}

/// Whether the claim is still held; its row stays locked until the transaction ends.
pub(super) async fn fenced(tx: &mut PgConnection, claim: &Claim) -> Result<bool, StoreError> {
    let held: Option<i64> = sqlx::query_scalar(
        "SELECT lease_epoch FROM deliveries
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 AND lease_epoch = $5
         FOR UPDATE",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.kind.as_str())
    .bind(claim.resource.0)
    .bind(claim.epoch)
    .fetch_optional(&mut *tx)
    .await?;
    Ok(held.is_some())
}
