//! Claiming: which deliveries a worker takes, and for how long they are its own.
//!
//! A lease ends by the database's time (`now()`), because workers' clocks differ; `due_at` is compared with
//! the injected clock, because it is the product's own schedule. The claim is committed before any work
//! begins.

use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::time::Duration;
use time::OffsetDateTime;

/// What a worker wants to claim.
#[derive(Clone, Copy, Debug)]
pub struct ClaimRequest<'a> {
    /// The worker's name, for people.
    pub worker: &'a str,
    /// The last lane that it serves.
    pub up_to: Lane,
    /// The most deliveries.
    pub limit: u32,
    /// How long they are its own.
    pub lease: Duration,
}

/// A delivery that a worker holds.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose.
    pub tenant: TenantId,
    /// Towards which target.
    pub target: TargetId,
    /// What kind of resource.
    pub kind: ResourceKind,
    /// Which resource.
    pub resource: ResourceId,
    /// The mark seen now; a later one means that there is more to do.
    pub mark: i64,
    /// The number of this claim.
    pub epoch: i64,
    /// Failed tries in a row before this one.
    pub attempt: u32,
    /// The request that made it dirty last.
    pub request_id: Option<String>,
    /// Since when it is dirty.
    pub dirty_since: Option<OffsetDateTime>,
}

impl Store {
    /// Claims what is due, leavers first, then departments, then the rest; the longest due first within a
    /// lane. Deliveries of a paused or stopped target stay where they are.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claim>, StoreError> {
        let rows = sqlx::query(
            "WITH due AS (
                 SELECT d.tenant_id, d.target_id, d.resource_kind, d.resource_id
                 FROM deliveries d
                 JOIN targets t ON t.tenant_id = d.tenant_id AND t.id = d.target_id
                 WHERE d.due_at <= $1 AND d.lane <= $2
                   AND (d.lease_until IS NULL OR d.lease_until < now())
                   AND t.mode <> 'paused' AND (t.stopped_until IS NULL OR t.stopped_until <= $1)
                 ORDER BY d.lane, d.due_at, d.resource_id
                 LIMIT $3
                 FOR UPDATE OF d SKIP LOCKED)
             UPDATE deliveries d
             SET lease_epoch = d.lease_epoch + 1, leased_by = $4, state = 'applying', updated_at = $1,
                 lease_until = now() + make_interval(secs => $5)
             FROM due
             WHERE d.tenant_id = due.tenant_id AND d.target_id = due.target_id
               AND d.resource_kind = due.resource_kind AND d.resource_id = due.resource_id
             RETURNING d.tenant_id, d.target_id, d.resource_kind, d.resource_id, d.mark, d.lease_epoch,
                       d.attempt, d.request_id, d.dirty_since",
        )
        .bind(self.now())
        .bind(request.up_to.number())
        .bind(i64::from(request.limit))
        .bind(request.worker)
        .bind(request.lease.as_secs_f64())
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(claim_from).collect()
    }

    /// Holds claims for longer. Those that have been lost are passed over: their worker notices at its next write.
    pub async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<(), StoreError> {
        let tenants: Vec<uuid::Uuid> = claims.iter().map(|claim| claim.tenant.0).collect();
        let targets: Vec<uuid::Uuid> = claims.iter().map(|claim| claim.target.0).collect();
        let kinds: Vec<&str> = claims.iter().map(|claim| claim.kind.as_str()).collect();
        let resources: Vec<uuid::Uuid> = claims.iter().map(|claim| claim.resource.0).collect();
        let epochs: Vec<i64> = claims.iter().map(|claim| claim.epoch).collect();
        sqlx::query(
            "WITH held AS (
                 SELECT d.tenant_id, d.target_id, d.resource_kind, d.resource_id FROM deliveries d
                 JOIN unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[])
                      AS c (tenant_id, target_id, resource_kind, resource_id, epoch)
                   ON d.tenant_id = c.tenant_id AND d.target_id = c.target_id
                  AND d.resource_kind = c.resource_kind AND d.resource_id = c.resource_id
                  AND d.lease_epoch = c.epoch AND d.lease_until IS NOT NULL
                 FOR UPDATE OF d SKIP LOCKED)
             UPDATE deliveries d SET lease_until = now() + make_interval(secs => $6) FROM held
             WHERE d.tenant_id = held.tenant_id AND d.target_id = held.target_id
               AND d.resource_kind = held.resource_kind AND d.resource_id = held.resource_id",
        )
        .bind(tenants)
        .bind(targets)
        .bind(kinds)
        .bind(resources)
        .bind(epochs)
        .bind(lease.as_secs_f64())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Gives a claim back undone, so that another worker can take it at once. Used when a worker stops.
    pub async fn release(&self, claim: &Claim) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE deliveries SET lease_until = NULL, leased_by = NULL, state = 'pending', updated_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND lease_epoch = $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// How long until the next delivery is due by itself; `None` when nothing is scheduled.
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        let due: Option<OffsetDateTime> = sqlx::query_scalar(
            "SELECT min(d.due_at) FROM deliveries d
             JOIN targets t ON t.tenant_id = d.tenant_id AND t.id = d.target_id
             WHERE d.due_at > $1 AND t.mode <> 'paused'",
        )
        .bind(self.now())
        .fetch_one(self.pool())
        .await?;
        Ok(due.map(|due| (due - self.now()).try_into().unwrap_or(Duration::ZERO)))
    }
}

fn claim_from(row: &PgRow) -> Result<Claim, StoreError> {
    let kind: String = row.try_get("resource_kind")?;
    let resource: uuid::Uuid = row.try_get("resource_id")?;
    let attempt: i32 = row.try_get("attempt")?;
    Ok(Claim {
        tenant: TenantId(row.try_get("tenant_id")?),
        target: TargetId(row.try_get("target_id")?),
        kind: super::kind_from(&kind, resource)?,
        resource: ResourceId(resource),
        mark: row.try_get("mark")?,
        epoch: row.try_get("lease_epoch")?,
        attempt: u32::try_from(attempt).unwrap_or(0),
        request_id: row.try_get("request_id")?,
        dirty_since: row.try_get("dirty_since")?,
    })
}
