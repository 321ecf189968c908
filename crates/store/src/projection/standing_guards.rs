//! Guards that look at how things stand: how many report to somebody who leaves, and how many people a source has of those
//! that it had yesterday.
//!
//! What they hold is looked at again when things have changed: a list that was short for an hour holds nobody for good.

use super::claims::Claim;
use super::guards::base_of;
use super::trips::guards_of;
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
const DAY: Duration = Duration::from_hours(24);

/// How many people of the tenant `$1` name this person as their manager, of those who have not left themselves.
macro_rules! reports_of {
    ($person:literal) => {
        concat!(
            "(SELECT count(*) FROM (
                 SELECT r.id FROM users r
                 WHERE r.tenant_id = $1 AND r.manager_id = ",
            $person,
            "::text AND r.manager_by IS NULL AND r.deleted_at IS NULL AND r.active AND r.id <> ",
            $person,
            "
                 UNION
                 SELECT r.id FROM users m
                 CROSS JOIN LATERAL (",
            manager_names!("m", creator = "m.source_id"),
            ") named
                 JOIN users r ON r.tenant_id = $1 AND ",
            names_as_manager!(),
            "
                 WHERE m.tenant_id = $1 AND m.id = ",
            $person,
            " AND r.deleted_at IS NULL AND r.active AND r.id <> ",
            $person,
            ") reports)"
        )
    };
}

/// How many active people the source `$2` of the tenant `$1` has: those whom it created, and those whom it calls by a name of
/// its own although another one created them.
macro_rules! size_of_source {
    ($tenant:literal, $source:literal) => {
        concat!(
            "(SELECT count(*) FROM users u WHERE u.tenant_id = ",
            $tenant,
            " AND u.source_id = ",
            $source,
            " AND u.active AND u.deleted_at IS NULL)
             + (SELECT count(*) FROM users u WHERE u.tenant_id = ",
            $tenant,
            " AND u.external_ids ? ",
            $source,
            "::text AND u.external_ids IS NOT NULL AND u.source_id <> ",
            $source,
            " AND u.active AND u.deleted_at IS NULL)"
        )
    };
}

impl Store {
    /// What of the departure of the claim's person is over the limits. If `sources` have sent it, also whether their lists
    /// are suddenly short.
    pub async fn standing_effects(&self, claim: &Claim, sources: &[SourceId]) -> Result<Vec<Effect>, StoreError> {
        let mut asked = vec![Effect::new(Guard::ManagersLost, &claim.resource.to_string())];
        asked.extend(sources.iter().map(|source| Effect::new(Guard::SourceEmpty, &source.to_string())));
        let mut connection = self.pool().acquire().await?;
        let guards = guards_of(&mut connection, (claim.tenant, claim.target)).await?;
        let mut over = Vec::new();
        for effect in asked {
            if self.standing(&mut connection, (claim.tenant, claim.target), &effect, &guards).await?.is_some() {
                over.push(effect);
            }
        }
        connection.keep();
        Ok(over)
    }

    /// The sources whose lists the claim's person is in or was in: the one that created them, and those that call them by a
    /// name of their own.
    pub async fn sources_of(&self, claim: &Claim) -> Result<Vec<SourceId>, StoreError> {
        let sources: Vec<Uuid> = sqlx::query_scalar(
            "SELECT source_id FROM users WHERE tenant_id = $1 AND id = $2
             UNION
             SELECT known.key::uuid FROM users u CROSS JOIN LATERAL jsonb_each(u.external_ids) known
             WHERE u.tenant_id = $1 AND u.id = $2 AND u.external_ids IS NOT NULL ORDER BY 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.resource.0)
        .fetch_all(self.pool())
        .await?;
        Ok(sources.into_iter().map(SourceId).collect())
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
        let now: i64 = sqlx::query_scalar(concat!("SELECT ", size_of_source!("$1", "$2")))
            .bind(tenant.0)
            .bind(source)
            .fetch_one(connection)
            .await?;
        Ok(Some((u64::try_from(yesterday).unwrap_or(0), u64::try_from(now).unwrap_or(0))))
    }

    /// Notes how many people each source has, once an hour. Returns how many sources were counted.
    pub async fn note_source_sizes(&self) -> Result<u64, StoreError> {
        let now = self.now();
        let counted: i64 = sqlx::query_scalar(concat!(
            "WITH forgotten AS (DELETE FROM source_sizes WHERE at < $3),
             noted AS (
                 INSERT INTO source_sizes (tenant_id, source_id, at, active)
                 SELECT s.tenant_id, s.id, $1, ",
            size_of_source!("s.tenant_id", "s.id"),
            "
                 FROM sources s
                 WHERE NOT EXISTS (SELECT 1 FROM source_sizes n
                                   WHERE n.tenant_id = s.tenant_id AND n.source_id = s.id AND n.at > $2)
                 ON CONFLICT DO NOTHING RETURNING 1)
             SELECT count(*) FROM noted"
        ))
        .bind(now)
        .bind(now - NOTED_EVERY)
        .bind(now - KEPT)
        .fetch_one(self.pool())
        .await?;
        Ok(u64::try_from(counted).unwrap_or(0))
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

/// Names, at the deletions of people in a plan, whom more than `more_than` others name as their manager: what such a deletion
/// has besides. To be called before the plan is judged.
pub(super) async fn name_managers(
    tx: &mut PgConnection,
    tenant: TenantId,
    plan: Uuid,
    guards: &Guards,
) -> Result<(), StoreError> {
    let more_than = i64::try_from(guards.limit(Guard::ManagersLost).floor).unwrap_or(i64::MAX);
    sqlx::query(concat!(
        "UPDATE plan_changes c
         SET proposal = jsonb_set(c.proposal, '{effects}', COALESCE(c.proposal -> 'effects', '[]')
                                  || to_jsonb('managers.lost:' || c.resource_id::text))
         WHERE c.tenant_id = $1 AND c.plan_id = $2 AND c.resource_kind = 'user' AND c.proposal ->> 'verb' = 'delete'
           AND NOT c.proposal -> 'effects' ? ('managers.lost:' || c.resource_id::text)
           AND ",
        reports_of!("c.resource_id"),
        " > $3"
    ))
    .bind(tenant.0)
    .bind(plan)
    .bind(more_than)
    .execute(tx)
    .await?;
    Ok(())
}

/// How many people name this person as their manager, of those who have not left themselves.
async fn reports(connection: &mut PgConnection, tenant: TenantId, person: Uuid) -> Result<u64, StoreError> {
    let number: i64 = sqlx::query_scalar(concat!("SELECT ", reports_of!("$2")))
        .bind(tenant.0)
        .bind(person)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(number).unwrap_or(0))
}
