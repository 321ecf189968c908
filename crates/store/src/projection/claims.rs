//! Claiming: which deliveries a worker takes, and for how long they are its own.
//!
//! A lease ends by the database's time (`now()`), because workers' clocks differ; `due_at` is compared with
//! the injected clock, because it is the product's own schedule. The claim is committed before any work
//! begins.

use super::targets::TargetMode;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashSet;
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

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
    /// How many deliveries of which targets the worker is at already.
    pub at_work: &'a [(TargetId, usize)],
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
    /// The version that the target had before.
    pub applied_version: Option<i64>,
    /// Whether changes are sent, as it was at the moment of the claim.
    pub mode: TargetMode,
    /// Which settings the target had at that moment.
    pub settings_revision: i64,
    /// Which version of the tenant's mapping counted at that moment.
    pub mapping_version: i32,
    /// Whether the rules make anything of groups.
    pub maps_groups: bool,
    /// Whether what becomes of a person depends on the groups that they are in.
    pub asks_groups: bool,
    /// The version under which an existing account was last let through.
    pub let_through: i32,
    /// The plan by which it may be sent although something holds it.
    pub permit: Option<Uuid>,
    /// Whether what it is about was adopted, so that what differs waits for a plan.
    pub adopted: bool,
}

/// What a claim is about.
pub type ClaimKey = (TargetId, ResourceKind, ResourceId);

impl Claim {
    /// What it is about.
    pub const fn key(&self) -> ClaimKey {
        (self.target, self.kind, self.resource)
    }
}

impl Store {
    /// Claims what is due. The targets take turns, counting what the worker is at already, so that neither the first
    /// import of one organisation nor its slow answers keep the others waiting. Of one target leavers go first, then
    /// departments, then the rest, and among equals the longest due.
    /// Deliveries of a paused or stopped target stay where they are, and cost nothing there. When a stop is to be tried, one
    /// delivery at a time is.
    pub async fn claim(&self, request: &ClaimRequest<'_>) -> Result<Vec<Claim>, StoreError> {
        let rows = sqlx::query(
            "WITH near AS (
                 SELECT t.mode, t.settings_revision, o.mapping_version, o.maps_groups, o.asks_groups,
                        t.stopped_until IS NOT NULL AS probing, d.*, COALESCE(busy.number, 0)
                        + row_number() OVER (PARTITION BY d.target_id ORDER BY d.lane, d.due_at, d.resource_id) AS turn
                 FROM targets t
                 JOIN tenants o ON o.id = t.tenant_id
                 LEFT JOIN unnest($6::uuid[], $7::bigint[]) AS busy (target_id, number) ON busy.target_id = t.id
                 CROSS JOIN LATERAL (
                     SELECT d.tenant_id, d.target_id, d.resource_kind, d.resource_id, d.lane, d.due_at
                     FROM deliveries d
                     WHERE d.tenant_id = t.tenant_id AND d.target_id = t.id AND d.due_at <= $1 AND d.lane <= $2
                       AND (d.lease_until IS NULL OR d.lease_until < now())
                     ORDER BY d.lane, d.due_at, d.resource_id
                     LIMIT $3
                     FOR UPDATE SKIP LOCKED) d
                 WHERE t.mode <> 'paused' AND (t.stopped_until IS NULL OR t.stopped_until <= $1)),
             due AS (SELECT * FROM near WHERE NOT probing OR turn = 1 ORDER BY turn, lane, due_at, resource_id LIMIT $3)
             UPDATE deliveries d
             SET lease_epoch = d.lease_epoch + 1, leased_by = $4, state = 'applying', updated_at = $1,
                 lease_until = now() + make_interval(secs => $5)
             FROM due
             WHERE d.tenant_id = due.tenant_id AND d.target_id = due.target_id
               AND d.resource_kind = due.resource_kind AND d.resource_id = due.resource_id
             RETURNING d.tenant_id, d.target_id, d.resource_kind, d.resource_id, d.mark, d.lease_epoch,
                       d.attempt, d.request_id, d.dirty_since, d.applied_version, d.permit, d.adopted,
                       d.mapping_version AS let_through,
                       due.mapping_version, due.mode, due.settings_revision, due.maps_groups, due.asks_groups",
        )
        .bind(self.now())
        .bind(request.up_to.number())
        .bind(i64::from(request.limit))
        .bind(request.worker)
        .bind(request.lease.as_secs_f64())
        .bind(request.at_work.iter().map(|(target, _)| target.0).collect::<Vec<_>>())
        .bind(request.at_work.iter().map(|(_, number)| i64::try_from(*number).unwrap_or(i64::MAX)).collect::<Vec<_>>())
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(claim_from).collect()
    }

    /// Holds claims for longer, and returns those that are held now. A lost one is not among them, nor is one whose row
    /// somebody else was writing to at that moment; there is time for another try.
    pub async fn extend(&self, claims: &[Claim], lease: Duration) -> Result<HashSet<ClaimKey>, StoreError> {
        let tenants: Vec<Uuid> = claims.iter().map(|claim| claim.tenant.0).collect();
        let targets: Vec<Uuid> = claims.iter().map(|claim| claim.target.0).collect();
        let kinds: Vec<&str> = claims.iter().map(|claim| claim.kind.as_str()).collect();
        let resources: Vec<Uuid> = claims.iter().map(|claim| claim.resource.0).collect();
        let epochs: Vec<i64> = claims.iter().map(|claim| claim.epoch).collect();
        let rows = sqlx::query(
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
               AND d.resource_kind = held.resource_kind AND d.resource_id = held.resource_id
             RETURNING d.target_id, d.resource_kind, d.resource_id",
        )
        .bind(tenants)
        .bind(targets)
        .bind(kinds)
        .bind(resources)
        .bind(epochs)
        .bind(lease.as_secs_f64())
        .fetch_all(self.pool())
        .await?;
        rows.iter()
            .map(|row| {
                let (kind, resource): (String, Uuid) = (row.try_get("resource_kind")?, row.try_get("resource_id")?);
                let kind = super::kind_from(&kind, resource)?;
                Ok((TargetId(row.try_get("target_id")?), kind, ResourceId(resource)))
            })
            .collect()
    }

    /// How long until the next delivery is due by itself, or a stop is over; `None` when nothing is scheduled.
    pub async fn next_due(&self) -> Result<Option<Duration>, StoreError> {
        // Lane by lane the index knows the answer, however much is due already.
        let due: Option<OffsetDateTime> = sqlx::query_scalar(
            "SELECT min(CASE WHEN t.stopped_until > $1 THEN t.stopped_until ELSE d.due_at END)
             FROM targets t
             CROSS JOIN unnest('{0,1,2}'::smallint[]) AS of (lane)
             LEFT JOIN LATERAL (
                 SELECT d.due_at FROM deliveries d
                 WHERE d.tenant_id = t.tenant_id AND d.target_id = t.id AND d.lane = of.lane AND d.due_at > $1
                 ORDER BY d.due_at LIMIT 1) d ON true
             WHERE t.mode <> 'paused'",
        )
        .bind(self.now())
        .fetch_one(self.pool())
        .await?;
        Ok(due.map(|due| (due - self.now()).try_into().unwrap_or(Duration::ZERO)))
    }
}

fn claim_from(row: &PgRow) -> Result<Claim, StoreError> {
    let kind: String = row.try_get("resource_kind")?;
    let resource: Uuid = row.try_get("resource_id")?;
    let attempt: i32 = row.try_get("attempt")?;
    let mode: String = row.try_get("mode")?;
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
        applied_version: row.try_get("applied_version")?,
        mode: TargetMode::parse(&mode).ok_or_else(|| StoreError::corrupt("targets", "mode", resource))?,
        settings_revision: row.try_get("settings_revision")?,
        mapping_version: row.try_get("mapping_version")?,
        maps_groups: row.try_get("maps_groups")?,
        asks_groups: row.try_get("asks_groups")?,
        let_through: row.try_get("let_through")?,
        permit: row.try_get("permit")?,
        adopted: row.try_get("adopted")?,
    })
}
