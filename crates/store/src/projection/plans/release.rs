//! What two people decide about a plan: one asks for its release, another one grants it. And that nothing more of it is done.

use super::ApplyError;
use crate::{Store, StoreError};
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::ids::TenantId;
use serde_json::json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// How far the release of a plan is.
#[derive(FromRow)]
struct Standing {
    requested_by: Option<String>,
    requested_as: Option<Vec<String>>,
    reason: Option<String>,
    approved_by: Option<String>,
}

impl Store {
    /// Asks for what a guard holds of the plan to be released.
    pub async fn request_release(
        &self,
        tenant: TenantId,
        plan: Uuid,
        by: &Decider,
        reason: &str,
    ) -> Result<(), ApplyError> {
        let mut tx = self.pool().begin().await?;
        self.open_plan(&mut tx, tenant, plan).await?;
        match standing(&mut tx, tenant, plan).await? {
            Standing { approved_by: Some(by), .. } => return Err(ApplyError::Released { by }),
            Standing { requested_by: Some(by), reason, .. } => {
                return Err(ApplyError::Requested { by, reason: reason.unwrap_or_default() });
            }
            Standing { .. } => {}
        }
        let guarded: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM plan_changes WHERE tenant_id = $1 AND plan_id = $2 AND guarded)",
        )
        .bind(tenant.0)
        .bind(plan)
        .fetch_one(&mut *tx)
        .await?;
        if !guarded {
            return Err(ApplyError::NotGuarded);
        }
        sqlx::query(
            "UPDATE plans SET requested_by = $3, requested_at = $4, reason = $5, requested_as = $6
             WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.0)
        .bind(plan)
        .bind(by.words())
        .bind(self.now())
        .bind(reason)
        .bind(by.behind())
        .execute(&mut *tx)
        .await?;
        self.note(&mut tx, (tenant, plan), "release_requested", json!({ "by": by.words(), "reason": reason })).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Releases what a guard holds of the plan. Whoever may have asked for it may not.
    pub async fn release_plan(&self, tenant: TenantId, plan: Uuid, by: &Decider) -> Result<(), ApplyError> {
        let mut tx = self.pool().begin().await?;
        self.open_plan(&mut tx, tenant, plan).await?;
        let Standing { requested_by, requested_as, approved_by, .. } = standing(&mut tx, tenant, plan).await?;
        let requested_by = requested_by.ok_or(ApplyError::NotRequested)?;
        if let Some(by) = approved_by {
            return Err(ApplyError::Released { by });
        }
        if by.may_be(&requested_as.unwrap_or_else(|| Decider::new(&requested_by).behind())) {
            return Err(ApplyError::SamePerson { requested_by });
        }
        sqlx::query("UPDATE plans SET approved_by = $3, approved_at = $4 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(plan)
            .bind(by.words())
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        self.note(&mut tx, (tenant, plan), "plan_released", json!({ "by": by.words() })).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Rejects a plan: nothing more of it is applied.
    pub async fn reject_plan(&self, tenant: TenantId, plan: Uuid, by: &str) -> Result<(), ApplyError> {
        let mut tx = self.pool().begin().await?;
        self.open_plan(&mut tx, tenant, plan).await?;
        sqlx::query("UPDATE plans SET state = 'rejected', ended_at = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(plan)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        self.note(&mut tx, (tenant, plan), "plan_rejected", json!({ "by": by })).await?;
        tx.commit().await?;
        Ok(())
    }
}

async fn standing(tx: &mut PgConnection, tenant: TenantId, plan: Uuid) -> Result<Standing, StoreError> {
    let standing = sqlx::query_as(
        "SELECT requested_by, requested_as, reason, approved_by FROM plans WHERE tenant_id = $1 AND id = $2",
    )
    .bind(tenant.0)
    .bind(plan)
    .fetch_one(tx)
    .await?;
    Ok(standing)
}
