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
mod release;
mod show;
mod undo;

pub use apply::{Applied, ApplyError, Wave};
pub use make::{NewPlan, PlanScope};
pub use show::{PlanChange, PlanChangeQuery, PlanRow, PlannedRow};
pub use undo::{NewUndo, UndoScope};

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TenantId};
use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

/// What a plan permits of a resource.
#[derive(Clone, PartialEq, Debug, FromRow)]
pub struct Permitted {
    /// What it says of it; see [`rollcall_provisioning::proposal::Proposal::to_value`].
    pub proposal: Value,
    /// Whether it takes back what was done: then it speaks of these attributes alone, and not of what else waits.
    pub undoes: bool,
}

impl Store {
    /// What the plan that permits the claim says of its resource, while it may still be sent.
    pub async fn permitted(&self, claim: &Claim, plan: Uuid) -> Result<Option<Permitted>, StoreError> {
        let permitted = sqlx::query_as(
            "SELECT proposal, undo IS NOT NULL AS undoes FROM plan_changes
             WHERE tenant_id = $1 AND plan_id = $2 AND resource_kind = $3 AND resource_id = $4 AND state = 'permitted'",
        )
        .bind(claim.tenant.0)
        .bind(plan)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(permitted)
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
        let what = (claim.kind, claim.resource);
        end_plan_change(&mut tx, (claim.tenant, plan), what, (state, detail), self.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Keeps what became of a change that a plan permits, and ends the plan with its last one. The plan is locked.
pub(crate) async fn end_plan_change(
    tx: &mut PgConnection,
    (tenant, plan): (TenantId, Uuid),
    (kind, resource): (ResourceKind, ResourceId),
    (state, detail): (&str, Option<&str>),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE plan_changes SET state = $5, detail = $6, updated_at = $7
         WHERE tenant_id = $1 AND plan_id = $2 AND resource_kind = $3 AND resource_id = $4 AND state = 'permitted'",
    )
    .bind(tenant.0)
    .bind(plan)
    .bind(kind.as_str())
    .bind(resource.0)
    .bind(state)
    .bind(detail)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    end_plan(tx, tenant, plan, now).await
}

/// Ends a plan of which nothing is permitted any more; its row is locked. What was withheld or not yet applied leaves it
/// partly applied; it can be gone on with.
async fn end_plan(tx: &mut PgConnection, tenant: TenantId, plan: Uuid, now: OffsetDateTime) -> Result<(), StoreError> {
    sqlx::query(        "UPDATE plans p
         SET state = CASE WHEN EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                                         AND c.state NOT IN ('applied', 'impossible')) THEN 'partly_applied' ELSE 'applied' END,
             ended_at = $3
         WHERE p.tenant_id = $1 AND p.id = $2 AND p.state = 'applying'
           AND NOT EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                             AND c.state = 'permitted')",
    )
    .bind(tenant.0)
    .bind(plan)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
