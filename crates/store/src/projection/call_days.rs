//! How many calls that change something a target was sent. Each attempt adds one to its day, so it outlives every process.

use crate::{Store, StoreError};
use rollcall_provisioning::allowance::Spent;
use rollcall_provisioning::ids::{TargetId, TenantId};
use sqlx::PgExecutor;

impl Store {
    /// What a target was sent today and this month.
    pub async fn calls_spent(&self, tenant: TenantId, target: TargetId) -> Result<Spent, StoreError> {
        self.spent(self.pool(), (tenant, target)).await
    }

    pub(super) async fn spent(
        &self,
        executor: impl PgExecutor<'_>,
        (tenant, target): (TenantId, TargetId),
    ) -> Result<Spent, StoreError> {
        let (day, month): (i64, i64) = sqlx::query_as(
            "SELECT COALESCE(sum(calls) FILTER (WHERE day = ($3::timestamptz AT TIME ZONE 'UTC')::date), 0)::bigint,
                    COALESCE(sum(calls), 0)::bigint
             FROM call_days
             WHERE tenant_id = $1 AND target_id = $2
               AND day >= date_trunc('month', $3::timestamptz AT TIME ZONE 'UTC')::date",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .fetch_one(executor)
        .await?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Spent { day: number(day), month: number(month) })
    }
}
