//! What guards read now: how much of what they count has passed, and how much there is to protect.

use crate::{Store, StoreError};
use rollcall_provisioning::guard::Window;
use rollcall_provisioning::ids::{TargetId, TenantId};
use sqlx::FromRow;

/// How often an effect passed its guard.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct EffectReading {
    /// The effect, as [`rollcall_provisioning::guard::Effect::key`] writes it.
    pub effect: String,
    /// In the last hour.
    pub hour: i64,
    /// In the last 24 hours.
    pub day: i64,
    /// In the last seven days.
    pub week: i64,
}

/// How many there are of what guards protect.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromRow)]
pub struct Protected {
    /// Accounts at the target.
    pub people: i64,
    /// Departments at the target.
    pub departments: i64,
}

impl Store {
    /// What has passed the guards of a target in the last week, by effect; and what they protect.
    pub async fn guard_readings(
        &self,
        tenant: TenantId,
        target: TargetId,
    ) -> Result<(Vec<EffectReading>, Protected), StoreError> {
        let readings = sqlx::query_as(
            "SELECT effect, count(*) FILTER (WHERE at > $3) AS hour, count(*) FILTER (WHERE at > $4) AS day,
                    count(*) AS week
             FROM effects WHERE tenant_id = $1 AND target_id = $2 AND at > $5
             GROUP BY effect ORDER BY effect LIMIT 1000",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now() - Window::Plan.span())
        .bind(self.now() - Window::Day.span())
        .bind(self.now() - Window::Week.span())
        .fetch_all(self.pool())
        .await?;
        let protected = sqlx::query_as(
            "SELECT count(*) FILTER (WHERE resource_kind = 'user') AS people,
                    count(*) FILTER (WHERE resource_kind = 'org_unit') AS departments
             FROM links WHERE tenant_id = $1 AND target_id = $2 AND observed <> 'absent'",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_one(self.pool())
        .await?;
        Ok((readings, protected))
    }
}
