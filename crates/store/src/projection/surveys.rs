//! Surveys: looking at everybody of a target at once, after something changed for all of them.
//!
//! A mark for each person would be the obvious way, but a directory of a hundred thousand is looked at faster than it is
//! marked. A survey reads people page by page, settles in one statement whoever can be settled without a call, and marks
//! the others. It may end anywhere: the next worker goes on after the last page that was committed.

use super::claims::Claim;
use super::survey_units::{SurveyPlace, survey_units};
use super::targets::TargetMode;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Standing;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_provisioning::org_unit::OrgName;
use sqlx::{PgConnection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

/// A survey that a worker is at.
#[derive(Clone, Debug)]
pub struct Survey {
    /// Whose target.
    pub tenant: TenantId,
    /// Which target.
    pub target: TargetId,
    /// Grows when the survey begins anew.
    pub number: i64,
    /// The last one who was looked at.
    pub after: Option<Uuid>,
    /// Whether the target sends.
    pub mode: TargetMode,
    /// The target's settings.
    pub settings_revision: i64,
    /// The version of the tenant's mapping that counts.
    pub mapping_version: i32,
    /// Whether the rules make anything of groups.
    pub maps_groups: bool,
    /// Whether what becomes of a person depends on the groups that they are in.
    pub asks_groups: bool,
    worker: String,
}

/// One person as a survey leaves them.
#[derive(Debug)]
pub struct Settled {
    /// Which person, with the mark and the epoch that were seen.
    pub claim: Claim,
    /// Where the delivery stands now.
    pub standing: Standing,
    /// The version that the target has, if it has the resource's state.
    pub applied_version: Option<i64>,
    /// Where the person belongs, for one who belonged nowhere before.
    pub places: Vec<SurveyPlace>,
}

impl Store {
    /// Begins a survey of one target of a tenant, or of all of them; anew, if one is under way.
    pub(crate) async fn begin_surveys(
        &self,
        tx: &mut PgConnection,
        tenant: TenantId,
        target: Option<Uuid>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO surveys AS s (tenant_id, target_id, began_at)
             SELECT t.tenant_id, t.id, $3 FROM targets t WHERE t.tenant_id = $1 AND ($2::uuid IS NULL OR t.id = $2)
             ON CONFLICT (tenant_id, target_id) DO UPDATE
             SET number = s.number + 1, after = NULL, began_at = $3, leased_by = NULL, lease_until = NULL",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(self.now())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Takes a survey that nobody is at, if there is one. Paused targets are not surveyed.
    pub async fn claim_survey(&self, worker: &str, lease: Duration) -> Result<Option<Survey>, StoreError> {
        let row = sqlx::query(
            "WITH free AS (
                 SELECT s.tenant_id, s.target_id, t.mode, t.settings_revision, o.mapping_version, o.maps_groups, o.asks_groups
                 FROM surveys s
                 JOIN targets t ON t.tenant_id = s.tenant_id AND t.id = s.target_id
                 JOIN tenants o ON o.id = s.tenant_id
                 WHERE t.mode <> 'paused' AND (s.lease_until IS NULL OR s.lease_until < now())
                 ORDER BY s.began_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
             UPDATE surveys s SET leased_by = $1, lease_until = now() + make_interval(secs => $2)
             FROM free WHERE s.tenant_id = free.tenant_id AND s.target_id = free.target_id
             RETURNING s.tenant_id, s.target_id, s.number, s.after, free.mode, free.settings_revision, free.mapping_version,
                       free.maps_groups, free.asks_groups",
        )
        .bind(worker)
        .bind(lease.as_secs_f64())
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let target: Uuid = row.try_get("target_id")?;
        let mode: String = row.try_get("mode")?;
        Ok(Some(Survey {
            tenant: TenantId(row.try_get("tenant_id")?),
            target: TargetId(target),
            number: row.try_get("number")?,
            after: row.try_get("after")?,
            mode: TargetMode::parse(&mode).ok_or_else(|| StoreError::corrupt("targets", "mode", target))?,
            settings_revision: row.try_get("settings_revision")?,
            mapping_version: row.try_get("mapping_version")?,
            maps_groups: row.try_get("maps_groups")?,
            asks_groups: row.try_get("asks_groups")?,
            worker: worker.to_owned(),
        }))
    }

    /// Keeps what came of a page that ends with `last`: settles those who can be settled and have not changed meanwhile,
    /// and marks the rest of `seen`. `false` when somebody else is at the survey by now, and nothing was written.
    pub async fn keep_survey_page(
        &self,
        survey: &Survey,
        seen: &[Uuid],
        settled: &[Settled],
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let Some(last) = seen.last() else { return Ok(true) };
        let mut tx = self.pool().begin().await?;
        let held: Option<i64> = sqlx::query_scalar(
            "UPDATE surveys SET after = $5, lease_until = now() + make_interval(secs => $6)
             WHERE tenant_id = $1 AND target_id = $2 AND number = $3 AND leased_by = $4 RETURNING number",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(survey.number)
        .bind(&survey.worker)
        .bind(last)
        .bind(lease.as_secs_f64())
        .fetch_optional(&mut *tx)
        .await?;
        if held.is_none() {
            tx.rollback().await?;
            return Ok(false);
        }
        let free = unchanged(&mut tx, survey, seen, settled).await?;
        let others: Vec<Uuid> = {
            let free: HashSet<Uuid> = free.iter().map(|one| one.claim.resource.0).collect();
            seen.iter().filter(|id| !free.contains(*id)).copied().collect()
        };
        self.settle(&mut tx, survey, &free).await?;
        self.place_settled(&mut tx, survey, &free).await?;
        if !others.is_empty() {
            self.mark_surveyed(&mut tx, survey, &others).await?;
        }
        tx.commit().await?;
        if !others.is_empty() {
            self.signal.dirty();
        }
        Ok(true)
    }

    /// Everybody was looked at.
    pub async fn end_survey(&self, survey: &Survey) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM surveys WHERE tenant_id = $1 AND target_id = $2 AND number = $3 AND leased_by = $4")
            .bind(survey.tenant.0)
            .bind(survey.target.0)
            .bind(survey.number)
            .bind(&survey.worker)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// Gives a survey back, so that somebody takes it at once.
    pub async fn release_survey(&self, survey: &Survey) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE surveys SET lease_until = NULL, leased_by = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND number = $3 AND leased_by = $4",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(survey.number)
        .bind(&survey.worker)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// Writes the standings of those that have another one.
    async fn settle(&self, tx: &mut PgConnection, survey: &Survey, settled: &[&Settled]) -> Result<(), StoreError> {
        let column = |of: fn(&Settled) -> Option<String>| settled.iter().map(|one| of(one)).collect::<Vec<_>>();
        sqlx::query(
            "UPDATE deliveries d
             SET state = s.state, done_mark = d.mark, due_at = NULL, attempt = 0, waiting_for = NULL, wants = NULL,
                 held_by = s.held_by, proposal = s.proposal, reason = s.reason, error_class = s.error_class,
                 error_code = s.error_code, leased_by = NULL, lease_until = NULL, updated_at = $11, lane = 2,
                 mapping_version = CASE WHEN s.state IN ('in_step', 'gone') THEN $12 ELSE d.mapping_version END,
                 dirty_since = CASE WHEN s.state NOT IN ('in_step', 'gone') THEN COALESCE(d.dirty_since, $11) END,
                 applied_version = COALESCE(s.version, d.applied_version),
                 applied_at = CASE WHEN s.version <> d.applied_version OR d.applied_version IS NULL AND s.version IS NOT NULL
                                   THEN $11 ELSE d.applied_at END
             FROM unnest($3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::text[], $8::text[], $9::text[], $10::bigint[])
                  AS s (id, state, held_by, proposal, reason, error_class, error_code, version)
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' AND d.resource_id = s.id
               AND ((d.state, d.done_mark, d.held_by, d.proposal, d.reason, d.applied_version)
                    IS DISTINCT FROM (s.state, d.mark, s.held_by, s.proposal, s.reason, COALESCE(s.version, d.applied_version))
                    OR s.state IN ('in_step', 'gone') AND d.mapping_version <> $12)",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(settled.iter().map(|one| one.claim.resource.0).collect::<Vec<_>>())
        .bind(settled.iter().map(|one| one.standing.state.as_str()).collect::<Vec<_>>())
        .bind(column(|one| one.standing.held_by.as_ref().map(ToString::to_string)))
        .bind(settled.iter().map(|one| one.standing.proposal.clone()).collect::<Vec<_>>())
        .bind(column(|one| one.standing.reason.clone()))
        .bind(column(|one| one.standing.error_class.map(str::to_owned)))
        .bind(column(|one| one.standing.error_code.clone()))
        .bind(settled.iter().map(|one| one.applied_version).collect::<Vec<_>>())
        .bind(self.now())
        .bind(survey.mapping_version)
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Makes sure that the departments exist where people belong who belonged nowhere before, and keeps them from being
    /// taken away until that is noted. Returns them by their paths.
    async fn survey_places(
        &self,
        tx: &mut PgConnection,
        survey: &Survey,
        settled: &[&Settled],
    ) -> Result<HashMap<Vec<String>, Uuid>, StoreError> {
        let mut units: HashMap<Vec<String>, Uuid> = HashMap::new();
        let wanted: BTreeMap<Vec<String>, &[OrgName]> = settled
            .iter()
            .flat_map(|one| &one.places)
            .map(|place| (keys(&place.path), place.path.as_slice()))
            .collect();
        if wanted.is_empty() {
            return Ok(units);
        }
        let known = survey_units(tx, survey).await?;
        let found: Vec<(&[OrgName], Uuid)> =
            wanted.values().filter_map(|path| known.find(survey.target, path).map(|(unit, _)| (*path, unit))).collect();
        let there: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM org_units WHERE tenant_id = $1 AND target_id = $2 AND id = ANY($3) AND gone_at IS NULL
             ORDER BY id FOR SHARE",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(found.iter().map(|(_, unit)| *unit).collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
        let there: HashSet<Uuid> = there.into_iter().collect();
        units.extend(found.iter().filter(|(_, unit)| there.contains(unit)).map(|(path, unit)| (keys(path), *unit)));
        let marker = marker(survey);
        for path in wanted.values() {
            let mut above = Vec::new();
            for name in *path {
                let here: Vec<String> = above.iter().cloned().chain([name.key.clone()]).collect();
                if !units.contains_key(&here) {
                    let parent = units.get(&above).copied();
                    let unit = self.ensure_unit(&mut *tx, &marker, parent, name).await?;
                    units.insert(here.clone(), unit);
                }
                above = here;
            }
        }
        Ok(units)
    }

    /// Notes where those belong who belonged nowhere before, and marks departments that have something to do now.
    async fn place_settled(
        &self,
        tx: &mut PgConnection,
        survey: &Survey,
        settled: &[&Settled],
    ) -> Result<(), StoreError> {
        let units = self.survey_places(&mut *tx, survey, settled).await?;
        let mut wishes: HashMap<(Uuid, Uuid), bool> = HashMap::new();
        for one in settled {
            for place in &one.places {
                if let Some(unit) = units.get(&keys(&place.path)) {
                    *wishes.entry((one.claim.resource.0, *unit)).or_default() |= place.head;
                }
            }
        }
        if wishes.is_empty() {
            return Ok(());
        }
        sqlx::query(
            "INSERT INTO placements (tenant_id, target_id, user_id, unit_id, wanted, applied, head)
             SELECT $1, $2, w.user_id, w.unit_id, true, false, w.head
             FROM unnest($3::uuid[], $4::uuid[], $5::boolean[]) AS w (user_id, unit_id, head)
             ORDER BY w.user_id, w.unit_id
             ON CONFLICT (tenant_id, target_id, user_id, unit_id) DO UPDATE SET wanted = true, head = EXCLUDED.head",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(wishes.keys().map(|(user, _)| *user).collect::<Vec<_>>())
        .bind(wishes.keys().map(|(_, unit)| *unit).collect::<Vec<_>>())
        .bind(wishes.values().copied().collect::<Vec<_>>())
        .execute(&mut *tx)
        .await?;
        let unsettled: Vec<Uuid> = sqlx::query_scalar(
            "SELECT w.id FROM unnest($3::uuid[]) AS w (id)
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'org_unit'
                                   AND d.resource_id = w.id
             WHERE d.state IS NULL
                OR NOT (d.state IN ('in_step', 'pending', 'retrying', 'waiting')
                    OR d.state = 'held' AND d.proposal ->> 'verb' <> 'delete')
             ORDER BY w.id",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(wishes.keys().map(|(_, unit)| *unit).collect::<HashSet<_>>().into_iter().collect::<Vec<_>>())
        .fetch_all(&mut *tx)
        .await?;
        for unit in unsettled {
            self.mark_unit(&mut *tx, &marker(survey), unit).await?;
        }
        Ok(())
    }

    async fn mark_surveyed(&self, tx: &mut PgConnection, survey: &Survey, who: &[Uuid]) -> Result<(), StoreError> {
        sqlx::query(
            "WITH them AS MATERIALIZED (
                 SELECT resource_id FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id = ANY($3)
                 ORDER BY resource_id FOR UPDATE)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $4, updated_at = $4, attempt = 0, dirty_since = COALESCE(d.dirty_since, $4),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM them
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' AND d.resource_id = them.resource_id",
        )
        .bind(survey.tenant.0)
        .bind(survey.target.0)
        .bind(who)
        .bind(self.now())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// Locks the deliveries of a page, in the order in which a write of several marks takes them, and returns those of `settled`
/// that nobody has marked or claimed since they were read.
async fn unchanged<'a>(
    tx: &mut PgConnection,
    survey: &Survey,
    seen: &[Uuid],
    settled: &'a [Settled],
) -> Result<Vec<&'a Settled>, StoreError> {
    let rows: Vec<(Uuid, i64, i64)> = sqlx::query_as(
        "SELECT resource_id, mark, lease_epoch FROM deliveries
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id = ANY($3)
           AND (lease_until IS NULL OR lease_until < now())
         ORDER BY resource_id FOR UPDATE",
    )
    .bind(survey.tenant.0)
    .bind(survey.target.0)
    .bind(seen)
    .fetch_all(tx)
    .await?;
    let now: HashMap<Uuid, (i64, i64)> = rows.into_iter().map(|(id, mark, epoch)| (id, (mark, epoch))).collect();
    let same = |one: &&Settled| now.get(&one.claim.resource.0) == Some(&(one.claim.mark, one.claim.epoch));
    Ok(settled.iter().filter(same).collect())
}

fn keys(path: &[OrgName]) -> Vec<String> {
    path.iter().map(|name| name.key.clone()).collect()
}

/// In whose name departments are marked.
fn marker(survey: &Survey) -> Claim {
    Claim {
        tenant: survey.tenant,
        target: survey.target,
        kind: ResourceKind::User,
        resource: ResourceId(survey.target.0),
        mark: 0,
        epoch: 0,
        attempt: 0,
        request_id: None,
        dirty_since: None::<OffsetDateTime>,
        applied_version: None,
        mode: survey.mode,
        settings_revision: survey.settings_revision,
        mapping_version: survey.mapping_version,
        maps_groups: survey.maps_groups,
        asks_groups: survey.asks_groups,
        let_through: survey.mapping_version,
        permit: None,
        adopted: false,
    }
}
