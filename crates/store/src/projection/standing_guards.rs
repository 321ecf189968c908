//! Guards that look at how things stand: how many report to somebody who leaves, and how many people a source has of those
//! that it had yesterday.
//!
//! What they hold is looked at again when things have changed: a list that was short for an hour holds nobody for good.

use super::claims::Claim;
use super::guards::base_of;
use crate::manager::{manager_names, names_as_manager};
use crate::{Store, StoreError};
use rollcall_provisioning::guard::{Effect, Guard, Guards, Standing, Trip};
use rollcall_provisioning::ids::{SourceId, TargetId, TenantId};
use sqlx::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// How often it is noted how many people a source has.
const NOTED_EVERY: Duration = Duration::from_mins(59);
/// How long that is kept.
const KEPT: Duration = Duration::from_hours(8 * 24);
/// The most trips that are looked at again at once.
const TRIPS_AT_ONCE: i64 = 1_000;
const DAY: Duration = Duration::from_hours(24);

impl Store {
    /// What of the departure of the claim's person is over the limits, if `source` has sent it.
    pub async fn standing_effects(
        &self,
        claim: &Claim,
        guards: &Guards,
        source: Option<SourceId>,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut asked = vec![Effect::new(Guard::ManagersLost, &claim.resource.to_string())];
        asked.extend(source.map(|source| Effect::new(Guard::SourceEmpty, &source.to_string())));
        let mut connection = self.pool().acquire().await?;
        let mut over = Vec::new();
        for effect in asked {
            if self.standing(&mut connection, (claim.tenant, claim.target), &effect, guards).await?.is_some() {
                over.push(effect);
            }
        }
        Ok(over)
    }

    /// Judges an effect of a guard that looks at how things stand.
    pub(super) async fn standing(
        &self,
        connection: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        effect: &Effect,
        guards: &Guards,
    ) -> Result<Option<Trip>, StoreError> {
        let Ok(scope) = Uuid::try_parse(&effect.scope) else { return Ok(None) };
        let standing = match effect.guard {
            Guard::ManagersLost => {
                let reports = reports(connection, tenant, scope).await?;
                let people = if reports == 0 { 0 } else { base_of(connection, (tenant, target), effect.guard).await? };
                Standing::Manager { reports, people }
            }
            _ => match self.source_size(connection, tenant, scope).await? {
                Some((yesterday, now)) => {
                    let before = held_since(connection, (tenant, target), effect).await?;
                    Standing::Source { yesterday: yesterday.max(before), now }
                }
                None => return Ok(None),
            },
        };
        Ok(standing.judge(effect, &guards.limit(effect.guard)))
    }

    /// How many people a source had yesterday, and has now. `None` when nobody knows of yesterday: it was set up since.
    async fn source_size(
        &self,
        connection: &mut PgConnection,
        tenant: TenantId,
        source: Uuid,
    ) -> Result<Option<(u64, u64)>, StoreError> {
        // Of yesterday the largest size, because a list may have been short for a moment; else the last one before.
        let yesterday: Option<i64> = sqlx::query_scalar(
            "SELECT COALESCE(
                 (SELECT max(active) FROM source_sizes
                  WHERE tenant_id = $1 AND source_id = $2 AND at <= $3 AND at > $4),
                 (SELECT active FROM source_sizes
                  WHERE tenant_id = $1 AND source_id = $2 AND at <= $3 ORDER BY at DESC LIMIT 1))",
        )
        .bind(tenant.0)
        .bind(source)
        .bind(self.now() - DAY)
        .bind(self.now() - 2 * DAY)
        .fetch_one(&mut *connection)
        .await?;
        let Some(yesterday) = yesterday else { return Ok(None) };
        let now: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM users WHERE tenant_id = $1 AND source_id = $2 AND active AND deleted_at IS NULL",
        )
        .bind(tenant.0)
        .bind(source)
        .fetch_one(connection)
        .await?;
        Ok(Some((u64::try_from(yesterday).unwrap_or(0), u64::try_from(now).unwrap_or(0))))
    }

    /// Notes how many people each source has, once an hour. Returns how many sources were counted.
    pub async fn note_source_sizes(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let counted: i64 = sqlx::query_scalar(
            "WITH forgotten AS (DELETE FROM source_sizes WHERE at < $3),
             noted AS (
                 INSERT INTO source_sizes (tenant_id, source_id, at, active)
                 SELECT s.tenant_id, s.id, $1, (SELECT count(*) FROM users u
                        WHERE u.tenant_id = s.tenant_id AND u.source_id = s.id AND u.active AND u.deleted_at IS NULL)
                 FROM sources s
                 WHERE NOT EXISTS (SELECT 1 FROM source_sizes n
                                   WHERE n.tenant_id = s.tenant_id AND n.source_id = s.id AND n.at > $2)
                 ON CONFLICT DO NOTHING RETURNING 1)
             SELECT count(*) FROM noted",
        )
        .bind(now)
        .bind(now - NOTED_EVERY)
        .bind(now - KEPT)
        .fetch_one(self.pool())
        .await?;
        Ok(u64::try_from(counted).unwrap_or(0))
    }

    /// Closes trips of these guards that things have overtaken, and looks again at what they held. Returns how many.
    pub async fn reconsider_trips(&self) -> Result<u64, StoreError> {
        let open: Vec<(Uuid, Uuid, Uuid, String)> = sqlx::query_as(
            "SELECT tenant_id, target_id, id, effect FROM trips
             WHERE closed_at IS NULL AND (effect LIKE 'source.empty:%' OR effect LIKE 'managers.lost:%')
             ORDER BY tripped_at LIMIT $1",
        )
        .bind(TRIPS_AT_ONCE)
        .fetch_all(self.pool())
        .await?;
        let mut closed = 0;
        for (tenant, target, trip, key) in open {
            let (tenant, target) = (TenantId(tenant), TargetId(target));
            let Some(effect) = Effect::parse(&key) else { continue };
            let Some(guards) = self.guards_of(tenant, target).await? else { continue };
            let mut connection = self.pool().acquire().await?;
            if self.standing(&mut connection, (tenant, target), &effect, &guards).await?.is_none() {
                drop(connection);
                self.close_trip((tenant, target), trip, &key).await?;
                closed += 1;
            }
        }
        Ok(closed)
    }

    async fn close_trip(
        &self,
        (tenant, target): (TenantId, TargetId),
        trip: Uuid,
        key: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH closed AS (
                 UPDATE trips SET closed_at = $4 WHERE tenant_id = $1 AND target_id = $2 AND id = $3),
             held AS MATERIALIZED (
                 SELECT resource_kind, resource_id FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND held_by = 'guard:' || $5 ORDER BY resource_id FOR UPDATE)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $4, updated_at = $4, dirty_since = COALESCE(d.dirty_since, $4),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM held WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = held.resource_kind
               AND d.resource_id = held.resource_id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(trip)
        .bind(self.now())
        .bind(key)
        .execute(self.pool())
        .await?;
        self.signal.dirty();
        Ok(())
    }
}

/// How many people the source had when its list was found to be short, while somebody is still held for that: a short list
/// does not become the usual one because nobody has looked at it for two days.
async fn held_since(
    connection: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    effect: &Effect,
) -> Result<u64, StoreError> {
    let base: Option<i64> = sqlx::query_scalar(
        "SELECT base FROM trips
         WHERE tenant_id = $1 AND target_id = $2 AND effect = $3 AND closed_at IS NULL
           AND EXISTS (SELECT 1 FROM deliveries WHERE tenant_id = $1 AND target_id = $2 AND held_by = 'guard:' || $3)",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(effect.key())
    .fetch_optional(connection)
    .await?;
    Ok(base.and_then(|base| u64::try_from(base).ok()).unwrap_or(0))
}

/// How many people name this person as their manager, of those who have not left themselves.
async fn reports(connection: &mut PgConnection, tenant: TenantId, person: Uuid) -> Result<u64, StoreError> {
    let number: i64 = sqlx::query_scalar(concat!(
        "SELECT count(*) FROM (
             SELECT r.id FROM users r
             WHERE r.tenant_id = $1 AND r.manager_id = $2::text AND r.manager_by IS NULL AND r.deleted_at IS NULL
               AND r.active AND r.id <> $2
             UNION
             SELECT r.id FROM users m
             CROSS JOIN LATERAL (",
        manager_names!("m", creator = "m.source_id"),
        ") named
             JOIN users r ON r.tenant_id = $1 AND ",
        names_as_manager!(),
        "
             WHERE m.tenant_id = $1 AND m.id = $2 AND r.deleted_at IS NULL AND r.active AND r.id <> $2) reports"
    ))
    .bind(tenant.0)
    .bind(person)
    .fetch_one(connection)
    .await?;
    Ok(u64::try_from(number).unwrap_or(0))
}
