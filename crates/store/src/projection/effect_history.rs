//! How much was usual: what passed the guards day by day, without what a person had decided about, and what a rehearsal would
//! have sent.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use serde_json::Value;
use sqlx::FromRow;
use time::Date;

/// How far back it is looked, in days.
const DAYS: i32 = 60;

/// How much of an effect there was on a day.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct EffectDay {
    /// The effect, as [`rollcall_provisioning::guard::Effect::key`] writes it.
    pub effect: String,
    /// The day (UTC).
    pub day: Date,
    /// How much.
    pub size: i64,
}

/// What is known of the days of a target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EffectHistory {
    /// The first day that counts: the one after the target was made. What is done on that first day is the set-up.
    pub from: Date,
    /// The last day that counts: yesterday.
    pub to: Date,
    /// What there was. A day that is missing had none.
    pub days: Vec<EffectDay>,
}

impl EffectHistory {
    /// How many days are known.
    pub fn number(&self) -> usize {
        usize::try_from((self.to - self.from).whole_days() + 1).unwrap_or(0)
    }
}

impl Store {
    /// Counts what a rehearsal would send: effects that the delivery had not before. The day on which the target was made
    /// does not count.
    pub async fn count_rehearsed(&self, claim: &Claim, proposal: &Value) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO effect_days AS d (tenant_id, target_id, effect, day, passed, proposed)
             SELECT DISTINCT $1, $2, e.effect, ($7::timestamptz AT TIME ZONE 'UTC')::date, 0, 1
             FROM jsonb_array_elements_text($6::jsonb -> 'effects') AS e (effect)
             JOIN deliveries v ON v.tenant_id = $1 AND v.target_id = $2 AND v.resource_kind = $3 AND v.resource_id = $4
                              AND v.lease_epoch = $5 AND NOT COALESCE(v.proposal -> 'effects' ? e.effect, false)
             JOIN targets t ON t.tenant_id = $1 AND t.id = $2
                           AND (t.created_at AT TIME ZONE 'UTC')::date < ($7::timestamptz AT TIME ZONE 'UTC')::date
             ORDER BY e.effect
             ON CONFLICT (tenant_id, target_id, effect, day) DO UPDATE SET proposed = d.proposed + 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(proposal)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The days of a target, 60 at most; `None` when there is no such target.
    pub async fn effect_history(
        &self,
        tenant: TenantId,
        target: TargetId,
    ) -> Result<Option<EffectHistory>, StoreError> {
        let span: Option<(Date, Date)> = sqlx::query_as(
            "SELECT GREATEST((created_at AT TIME ZONE 'UTC')::date + 1, ($3::timestamptz AT TIME ZONE 'UTC')::date - $4),
                    ($3::timestamptz AT TIME ZONE 'UTC')::date - 1
             FROM targets WHERE tenant_id = $1 AND id = $2",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(DAYS)
        .fetch_optional(self.pool())
        .await?;
        let Some((from, to)) = span else { return Ok(None) };
        let days = sqlx::query_as(
            "SELECT effect, day, GREATEST(passed - decided, 0) + proposed AS size FROM effect_days
             WHERE tenant_id = $1 AND target_id = $2 AND day BETWEEN $3 AND $4
               AND GREATEST(passed - decided, 0) + proposed > 0
             ORDER BY day, effect LIMIT 100000",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(from)
        .bind(to)
        .fetch_all(self.pool())
        .await?;
        Ok(Some(EffectHistory { from, to, days }))
    }
}
