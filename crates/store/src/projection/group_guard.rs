//! The guard of members: how many are taken out of one role or chat, counted group by group and person by person.

use super::claims::Claim;
use super::group_members::join_by_hash;
use super::guards::{Hold, Passage, alone, open, open_trip};
use super::placements::fenced;
use super::trips::limits_in_force;
use crate::{Store, StoreError};
use rollcall_provisioning::guard::{Effect, Reading, Window};
use sqlx::PgConnection;

/// The members who are about to be taken out.
macro_rules! leaving {
    () => {
        "SELECT gm.user_id FROM group_members gm WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = $3 \
         AND gm.mark > gm.done_mark AND gm.applied AND NOT gm.wanted"
    };
}

impl Store {
    /// Asks the guard about all members who are about to be taken out of the claim's role or chat. `urgent` removals pass and are counted: a person has decided about them.
    pub async fn pass_removals(&self, claim: &Claim, effect: &Effect, urgent: bool) -> Result<Passage, StoreError> {
        let mut tx = self.pool().begin().await?;
        let guards = limits_in_force(&mut tx, claim).await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(Passage::LostClaim);
        }
        join_by_hash(&mut tx).await?;
        alone(&mut tx, claim, effect).await?;
        if !urgent {
            let held = if let Some(arithmetic) = open_trip(&mut tx, claim, effect, self.now()).await? {
                Some(arithmetic)
            } else {
                let reading = self.removals(&mut tx, claim, effect).await?;
                match reading.judge(effect, &guards.limit(effect.guard)) {
                    None => None,
                    Some(trip) => {
                        open(self, &mut tx, claim, &trip).await?;
                        Some(trip.to_string())
                    }
                }
            };
            if let Some(arithmetic) = held {
                tx.commit().await?;
                return Ok(Passage::Held(vec![Hold { effect: effect.clone(), arithmetic }]));
            }
        }
        self.count_removals(&mut tx, claim, effect).await?;
        tx.commit().await?;
        Ok(Passage::Free)
    }

    async fn removals(&self, tx: &mut PgConnection, claim: &Claim, effect: &Effect) -> Result<Reading, StoreError> {
        let (now, hour, day, week, base): (i64, i64, i64, i64, i64) = sqlx::query_as(concat!(
            "WITH leaving AS MATERIALIZED (",
            leaving!(),
            "),
             passed AS (
                 SELECT e.at FROM effects e WHERE e.tenant_id = $1 AND e.target_id = $2 AND e.effect = $4 AND e.at > $7
                   AND NOT EXISTS (SELECT 1 FROM leaving WHERE leaving.user_id = e.resource_id))
             SELECT (SELECT count(*) FROM leaving), (SELECT count(*) FROM passed WHERE at > $5),
                    (SELECT count(*) FROM passed WHERE at > $6), (SELECT count(*) FROM passed),
                    (SELECT count(*) FROM group_members WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3
                       AND applied)"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(effect.key())
        .bind(self.now() - Window::Plan.span())
        .bind(self.now() - Window::Day.span())
        .bind(self.now() - Window::Week.span())
        .fetch_one(tx)
        .await?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let now = number(now);
        let [plan, day, week] = [hour, day, week].map(|passed| now.saturating_add(number(passed)));
        // Those who went in the last hour belonged to it too.
        Ok(Reading { plan, day, week, base: number(base).saturating_add(number(hour)) })
    }

    async fn count_removals(&self, tx: &mut PgConnection, claim: &Claim, effect: &Effect) -> Result<(), StoreError> {
        sqlx::query(concat!(
            "WITH leaving AS MATERIALIZED (",
            leaving!(),
            "),
             fresh AS (
                 SELECT count(*) AS number FROM leaving
                 WHERE NOT EXISTS (SELECT 1 FROM effects e WHERE e.tenant_id = $1 AND e.target_id = $2 AND e.effect = $4
                                     AND e.resource_id = leaving.user_id
                                     AND (e.at AT TIME ZONE 'UTC')::date = ($5::timestamptz AT TIME ZONE 'UTC')::date)),
             noted AS (
                 INSERT INTO effects (tenant_id, target_id, effect, resource_id, at)
                 SELECT $1, $2, $4, leaving.user_id, $5 FROM leaving ORDER BY leaving.user_id
                 ON CONFLICT (tenant_id, target_id, effect, resource_id) DO UPDATE SET at = excluded.at)
             INSERT INTO effect_days AS d (tenant_id, target_id, effect, day, passed)
             SELECT $1, $2, $4, ($5::timestamptz AT TIME ZONE 'UTC')::date, fresh.number FROM fresh WHERE fresh.number > 0
             ON CONFLICT (tenant_id, target_id, effect, day) DO UPDATE SET passed = d.passed + excluded.passed"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(effect.key())
        .bind(self.now())
        .execute(tx)
        .await?;
        Ok(())
    }
}
