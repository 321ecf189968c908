//! Scans as jobs: begun by a person, carried on by whichever worker holds the lease, and never lost with it.

use crate::projection::TargetMode;
use crate::{Store, StoreError};
use rollcall_provisioning::correlation::Weights;
use rollcall_provisioning::ids::{TargetId, TenantId};
use serde_json::Value;
use sqlx::{PgConnection, Row};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// How far a scan is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ScanPhase {
    /// Reading the target.
    Walking,
    /// Finding out who is who.
    Correlating,
    /// Linking what is certain.
    Linking,
}

impl ScanPhase {
    /// The word used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Walking => "walking",
            Self::Correlating => "correlating",
            Self::Linking => "linking",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Walking, Self::Correlating, Self::Linking].into_iter().find(|phase| phase.as_str() == word)
    }
}

/// A scan that a worker holds.
#[derive(Clone, Debug)]
pub struct ScanClaim {
    /// Whose.
    pub tenant: TenantId,
    /// Of which target.
    pub target: TargetId,
    /// Which.
    pub scan: Uuid,
    /// The number of this claim.
    pub epoch: i64,
    /// How far it is.
    pub phase: ScanPhase,
    /// Failed tries in a row.
    pub attempt: u32,
}

/// Why a scan does not begin or go on.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is one already.
    #[error("a scan is under way")]
    UnderWay,
    /// There is none to go on with.
    #[error("there is no such scan")]
    None,
    /// There is no such target.
    #[error("there is no such target")]
    NoTarget,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for StartError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.constraint() == Some("scans_open_key") => Self::UnderWay,
            _ => Self::Store(error.into()),
        }
    }
}

/// How a scan failed.
#[derive(Clone, Copy, Debug)]
pub struct ScanFailure<'a> {
    /// The target's code.
    pub code: &'a str,
    /// What happened and what to do, for a person.
    pub text: &'a str,
    /// When it is tried again; never by itself if nothing is said.
    pub again: Option<OffsetDateTime>,
}

impl Store {
    /// Begins a scan, of which the org unit at the top is all that is known.
    ///
    /// # Errors
    /// [`StartError::UnderWay`] if one is; [`StartError::NoTarget`].
    pub async fn start_scan(&self, tenant: TenantId, target: TargetId, by: &str) -> Result<Uuid, StartError> {
        let id = self.new_id();
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        let there: Option<Uuid> = sqlx::query_scalar("SELECT id FROM targets WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(target.0)
            .fetch_optional(&mut *tx)
            .await?;
        there.ok_or(StartError::NoTarget)?;
        sqlx::query(
            "INSERT INTO scans (tenant_id, target_id, id, state, requested_by, requested_at, due_at)
             VALUES ($1, $2, $3, 'walking', $4, $5, $5)",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(id)
        .bind(by)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        forget_old(&mut tx, tenant, target).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(id)
    }

    /// Goes on with a scan that failed, where it was.
    ///
    /// # Errors
    /// [`StartError::None`] if the newest one did not fail.
    pub async fn resume_scan(&self, tenant: TenantId, target: TargetId) -> Result<Uuid, StartError> {
        self.reopen(tenant, target, "failed", ScanPhase::Walking).await
    }

    /// Finds out once more who is who, from what the newest finished scan has found.
    ///
    /// # Errors
    /// [`StartError::None`] if the newest one is not finished.
    pub async fn correlate_again(&self, tenant: TenantId, target: TargetId) -> Result<Uuid, StartError> {
        self.reopen(tenant, target, "done", ScanPhase::Correlating).await
    }

    async fn reopen(
        &self,
        tenant: TenantId,
        target: TargetId,
        state: &str,
        phase: ScanPhase,
    ) -> Result<Uuid, StartError> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "UPDATE scans SET state = $4, attempt = 0, due_at = $5, error_code = NULL, error = NULL, finished_at = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND state = $3
               AND id = (SELECT id FROM scans WHERE tenant_id = $1 AND target_id = $2
                         ORDER BY requested_at DESC, id DESC LIMIT 1)
             RETURNING id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(state)
        .bind(phase.as_str())
        .bind(self.now())
        .fetch_optional(self.pool())
        .await?;
        self.signal.dirty();
        id.ok_or(StartError::None)
    }

    /// Ends the scan that is under way. What it found stays. `false` when there is none.
    pub async fn cancel_scan(&self, tenant: TenantId, target: TargetId) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE scans SET state = 'cancelled', due_at = NULL, finished_at = $3, lease_epoch = lease_epoch + 1
             WHERE tenant_id = $1 AND target_id = $2 AND state IN ('walking', 'correlating', 'linking')",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Claims a scan that is due, of a target that is neither paused nor stopped.
    pub async fn claim_scan(&self, worker: &str, lease: Duration) -> Result<Option<ScanClaim>, StoreError> {
        let row = sqlx::query(
            "WITH due AS (
                 SELECT s.tenant_id, s.target_id, s.id FROM targets t
                 JOIN scans s ON s.tenant_id = t.tenant_id AND s.target_id = t.id
                 WHERE t.mode <> 'paused' AND (t.stopped_until IS NULL OR t.stopped_until <= $1) AND s.due_at <= $1
                   AND (s.lease_until IS NULL OR s.lease_until < now())
                 ORDER BY s.due_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
             UPDATE scans s
             SET lease_epoch = s.lease_epoch + 1, leased_by = $2, lease_until = now() + make_interval(secs => $3)
             FROM due WHERE s.tenant_id = due.tenant_id AND s.target_id = due.target_id AND s.id = due.id
             RETURNING s.tenant_id, s.target_id, s.id, s.lease_epoch, s.state, s.attempt",
        )
        .bind(self.now())
        .bind(worker)
        .bind(lease.as_secs_f64())
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let (scan, word): (Uuid, String) = (row.try_get("id")?, row.try_get("state")?);
        Ok(Some(ScanClaim {
            tenant: TenantId(row.try_get("tenant_id")?),
            target: TargetId(row.try_get("target_id")?),
            scan,
            epoch: row.try_get("lease_epoch")?,
            phase: ScanPhase::parse(&word).ok_or_else(|| StoreError::corrupt("scans", "state", scan))?,
            attempt: u32::try_from(row.try_get::<i32, _>("attempt")?).unwrap_or(0),
        }))
    }

    /// Holds a scan for longer. `false` when it is lost, or its target paused or stopped since.
    pub async fn hold_scan(&self, claim: &ScanClaim, lease: Duration) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE scans s SET lease_until = now() + make_interval(secs => $5)
             FROM targets t
             WHERE s.tenant_id = $1 AND s.target_id = $2 AND s.id = $3 AND s.lease_epoch = $4
               AND t.tenant_id = $1 AND t.id = $2 AND t.mode <> $6
               AND (t.stopped_until IS NULL OR t.stopped_until <= $7)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(claim.epoch)
        .bind(lease.as_secs_f64())
        .bind(TargetMode::Paused.as_str())
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a scan back: another worker, or this one, goes on with it.
    pub async fn release_scan(&self, claim: &ScanClaim) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE scans SET leased_by = NULL, lease_until = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lease_epoch = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(claim.epoch)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Keeps how a step failed, and gives the scan back.
    pub async fn scan_failed(&self, claim: &ScanClaim, failure: &ScanFailure<'_>) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE scans SET attempt = attempt + 1, error_code = $5, error = $6, due_at = $7, leased_by = NULL,
                    lease_until = NULL, state = CASE WHEN $7::timestamptz IS NULL THEN 'failed' ELSE state END,
                    finished_at = CASE WHEN $7::timestamptz IS NULL THEN $8 END
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lease_epoch = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(claim.epoch)
        .bind(failure.code)
        .bind(failure.text)
        .bind(failure.again)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// How much the keys count at a target. `None` when there is no such target.
    pub async fn weights(&self, tenant: TenantId, target: TargetId) -> Result<Option<Weights>, StoreError> {
        let value: Option<Value> = sqlx::query_scalar("SELECT weights FROM targets WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(target.0)
            .fetch_optional(self.pool())
            .await?;
        let corrupt = |_| StoreError::corrupt("targets", "weights", target.0);
        value.map(|value| Weights::parse(&value).map_err(corrupt)).transpose()
    }

    /// Sets how much the keys count. `false` when there is no such target.
    pub async fn set_weights(&self, tenant: TenantId, target: TargetId, weights: &Weights) -> Result<bool, StoreError> {
        let done = sqlx::query("UPDATE targets SET weights = $3 WHERE tenant_id = $1 AND id = $2")
            .bind(tenant.0)
            .bind(target.0)
            .bind(weights.to_value())
            .execute(self.pool())
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

/// Whether the scan is still held; its row stays locked until the transaction ends.
pub(super) async fn fenced(tx: &mut PgConnection, claim: &ScanClaim) -> Result<bool, StoreError> {
    let held: Option<i64> = sqlx::query_scalar(
        "SELECT lease_epoch FROM scans
         WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lease_epoch = $4 FOR UPDATE",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.scan)
    .bind(claim.epoch)
    .fetch_optional(tx)
    .await?;
    Ok(held.is_some())
}

/// Of the finished scans only the oldest, which is what there was before Rollcall, and the newest are kept.
async fn forget_old(tx: &mut PgConnection, tenant: TenantId, target: TargetId) -> Result<(), StoreError> {
    let old: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM scans s WHERE tenant_id = $1 AND target_id = $2
           AND state NOT IN ('walking', 'correlating', 'linking')
           AND id IS DISTINCT FROM (SELECT id FROM scans WHERE tenant_id = $1 AND target_id = $2 AND state = 'done'
                                    ORDER BY requested_at, id LIMIT 1)
           AND id IS DISTINCT FROM (SELECT id FROM scans WHERE tenant_id = $1 AND target_id = $2 AND state = 'done'
                                    ORDER BY requested_at DESC, id DESC LIMIT 1)",
    )
    .bind(tenant.0)
    .bind(target.0)
    .fetch_all(&mut *tx)
    .await?;
    for statement in [
        "DELETE FROM scanned_accounts WHERE tenant_id = $1 AND target_id = $2 AND scan_id = ANY($3)",
        "DELETE FROM scanned_units WHERE tenant_id = $1 AND target_id = $2 AND scan_id = ANY($3)",
        "DELETE FROM scans WHERE tenant_id = $1 AND target_id = $2 AND id = ANY($3)",
    ] {
        sqlx::query(statement).bind(tenant.0).bind(target.0).bind(&old).execute(&mut *tx).await?;
    }
    Ok(())
}
