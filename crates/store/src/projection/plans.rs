//! Plans: what is held, set down so that people can read, approve and apply exactly that.
//!
//! A plan is made of the proposals of held deliveries at one moment. Applying it gives each of them a permit; the
//! worker that then comes to a delivery sends it only if what it would do is within what the plan says.
//!
//! A plan that undoes is made of the journal instead. Applying it also makes the overrides by which what it brings back
//! lasts, in the same transaction.

mod apply;
mod done;
mod holding;
mod make;
mod show;
mod undo;

pub use apply::{Applied, ApplyError, Wave};
pub use make::{NewPlan, PlanScope};
pub use show::{PlanChange, PlanChangeQuery, PlanRow, PlannedRow};
pub use undo::{NewUndo, UndoScope};

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};
use serde_json::Value;
use uuid::Uuid;

impl Store {
    /// What the plan that permits the claim says of its resource, while it may still be sent.
    pub async fn permitted(&self, claim: &Claim, plan: Uuid) -> Result<Option<Value>, StoreError> {
        let proposal = sqlx::query_scalar(
            "SELECT proposal FROM plan_changes
             WHERE tenant_id = $1 AND plan_id = $2 AND resource_kind = $3 AND resource_id = $4 AND state = 'permitted'",
        )
        .bind(claim.tenant.0)
        .bind(plan)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(proposal)
    }

    /// Keeps what became of a plan's change: `applied`, `moved` (something else is to be done by now) or `failed`. Ends
    /// the plan with its last change. Nothing is kept when the claim is lost.
    pub async fn plan_change_ended(
        &self,
        claim: &Claim,
        plan: Uuid,
        state: &str,
        detail: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.pool().begin().await?;
        // The plan before the delivery, as whoever applies it takes them.
        sqlx::query("SELECT 1 FROM plans WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
            .bind(claim.tenant.0)
            .bind(plan)
            .execute(&mut *tx)
            .await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(());
        }
        sqlx::query(
            "UPDATE plan_changes SET state = $5, detail = $6, updated_at = $7
             WHERE tenant_id = $1 AND plan_id = $2 AND resource_kind = $3 AND resource_id = $4 AND state = 'permitted'",
        )
        .bind(claim.tenant.0)
        .bind(plan)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(state)
        .bind(detail)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        // What was withheld or not yet applied leaves the plan partly applied; it can be gone on with.
        sqlx::query(
            "UPDATE plans p
             SET state = CASE WHEN EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                                             AND c.state NOT IN ('applied', 'impossible')) THEN 'partly_applied' ELSE 'applied' END,
                 ended_at = $3
             WHERE p.tenant_id = $1 AND p.id = $2 AND p.state = 'applying'
               AND NOT EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                                 AND c.state = 'permitted')",
        )
        .bind(claim.tenant.0)
        .bind(plan)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
