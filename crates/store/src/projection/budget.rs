//! The rate budget that all workers of an installation share: one row per limit, holding the moment at which
//! the next call may go (the generic cell rate algorithm). It uses the database's clock, because workers'
//! clocks differ.

use crate::{Store, StoreError};
use rollcall_provisioning::budget::{BoxFuture, Budget, BudgetError, Limit};
use std::time::Duration;

impl Store {
    async fn reserve_places(&self, limits: &[Limit], longest: Duration) -> Result<Duration, StoreError> {
        let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        let keys: Vec<&str> = limits.iter().map(|limit| limit.key.as_str()).collect();
        let intervals: Vec<i64> = limits.iter().map(|limit| micros(limit.interval)).collect();
        let slacks: Vec<i64> =
            limits.iter().map(|limit| micros(limit.interval * limit.burst.saturating_sub(1))).collect();
        // The rows are taken in the order of their keys, so that two reservations never wait for each other.
        let wait: Option<f64> = sqlx::query_scalar(
            "WITH wanted AS (
                 SELECT key, interval_us * interval '1 microsecond' AS step, slack_us * interval '1 microsecond' AS slack
                 FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS w (key, interval_us, slack_us)),
             there AS (
                 SELECT b.key, b.next_at FROM rate_budgets b WHERE b.key = ANY($1) ORDER BY b.key FOR UPDATE),
             queue AS (SELECT max(next_at) - clock_timestamp() AS wait FROM there),
             reserved AS (
                 INSERT INTO rate_budgets AS b (key, next_at)
                 SELECT key, clock_timestamp() + step FROM wanted
                 WHERE (SELECT wait IS NULL OR wait <= make_interval(secs => $4) FROM queue) ORDER BY key
                 ON CONFLICT (key) DO UPDATE
                 SET next_at = GREATEST(b.next_at, clock_timestamp() - (SELECT slack FROM wanted w WHERE w.key = b.key))
                               + (SELECT step FROM wanted w WHERE w.key = b.key)
                 RETURNING key, next_at)
             SELECT extract(epoch FROM COALESCE(
                 (SELECT max(r.next_at - w.step - clock_timestamp()) FROM reserved r JOIN wanted w ON w.key = r.key),
                 (SELECT wait FROM queue)))::float8",
        )
        .bind(keys)
        .bind(intervals)
        .bind(slacks)
        .bind(longest.as_secs_f64())
        .fetch_one(self.pool())
        .await?;
        Ok(Duration::from_secs_f64(wait.unwrap_or(0.0).clamp(0.0, 86_400.0)))
    }

    async fn pause_places(&self, key: &str, pause: Duration) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO rate_budgets AS b (key, next_at) VALUES ($1, clock_timestamp() + make_interval(secs => $2))
             ON CONFLICT (key) DO UPDATE SET next_at = GREATEST(b.next_at, clock_timestamp() + make_interval(secs => $2))",
        )
        .bind(key)
        .bind(pause.as_secs_f64())
        .execute(self.pool())
        .await?;
        Ok(())
    }
}

impl Budget for Store {
    fn reserve<'a>(&'a self, limits: &'a [Limit], longest: Duration) -> BoxFuture<'a, Result<Duration, BudgetError>> {
        let reserved = self.reserve_places(limits, longest);
        Box::pin(async move { reserved.await.map_err(|error| BudgetError(Box::new(error))) })
    }

    fn pause<'a>(&'a self, key: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), BudgetError>> {
        Box::pin(async move { self.pause_places(key, pause).await.map_err(|error| BudgetError(Box::new(error))) })
    }
}
