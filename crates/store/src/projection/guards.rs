//! Guards at work: what passed them, what trips them, and what is held until a person decides.
//!
//! A worker asks before it sends something that is guarded. Whoever asks about one effect of one target does so alone,
//! so that no two pass through the last free place together.

use super::claims::Claim;
use super::placements::fenced;
use super::trips::limits_in_force;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::guard::{Effect, Guard, Guards, Reading, Trip, Window};
use rollcall_provisioning::ids::{SourceId, TargetId, TenantId};
use sqlx::{PgConnection, Row};
use time::OffsetDateTime;
use uuid::Uuid;

/// What guards say to a step.
#[derive(Clone, PartialEq, Debug)]
pub enum Passage {
    /// It may go, and is counted.
    Free,
    /// It is held, by each of these; nothing was counted.
    Held(Vec<Hold>),
    /// The claim is lost.
    LostClaim,
}

/// What holds a step.
#[derive(Clone, PartialEq, Debug)]
pub struct Hold {
    /// The effect that trips its guard.
    pub effect: Effect,
    /// How it came to that.
    pub arithmetic: String,
}

impl Store {
    /// Asks the guards about the effects of a step that the claim is about to send.
    ///
    /// `urgent` steps pass and are counted: a person has decided about them. The limits are those in force at this moment.
    pub async fn pass(&self, claim: &Claim, effects: &[Effect], urgent: bool) -> Result<Passage, StoreError> {
        let mut tx = self.pool().begin().await?;
        let guards = limits_in_force(&mut tx, claim).await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(Passage::LostClaim);
        }
        let mut effects = effects.to_vec();
        effects.sort_unstable();
        let mut holds = Vec::new();
        for effect in &effects {
            alone(&mut tx, claim, effect).await?;
            if urgent {
                continue;
            }
            // How things stand is asked anew each time: an open trip need not be true any more.
            let standing = effect.guard.looks_at_standing();
            if !standing && let Some(arithmetic) = open_trip(&mut tx, claim, effect, self.now()).await? {
                holds.push(Hold { effect: effect.clone(), arithmetic });
            } else if let Some(trip) = self.over_the_limit(&mut tx, claim, effect, &guards).await? {
                open(self, &mut tx, claim, &trip).await?;
                holds.push(Hold { effect: effect.clone(), arithmetic: trip.to_string() });
            }
        }
        let counted = |effect: &&Effect| {
            !effect.guard.looks_at_standing() && (holds.is_empty() || effect.guard == Guard::SourceDeactivate)
        };
        for effect in effects.iter().filter(counted) {
            self.count(&mut tx, claim, effect, urgent).await?;
        }
        tx.commit().await?;
        Ok(if holds.is_empty() { Passage::Free } else { Passage::Held(holds) })
    }

    async fn over_the_limit(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        effect: &Effect,
        guards: &Guards,
    ) -> Result<Option<Trip>, StoreError> {
        if effect.guard.looks_at_standing() {
            return self.standing(tx, (claim.tenant, claim.target), effect, guards).await;
        }
        let limit = guards.limit(effect.guard);
        let passed = |window: Window| self.now() - window.span();
        let row = sqlx::query(
            "SELECT count(*) FILTER (WHERE at > $4) AS plan, count(*) FILTER (WHERE at > $5) AS day, count(*) AS week
             FROM effects
             WHERE tenant_id = $1 AND target_id = $2 AND effect = $3 AND at > $6 AND resource_id <> $7",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(effect.key())
        .bind(passed(Window::Plan))
        .bind(passed(Window::Day))
        .bind(passed(Window::Week))
        .bind(claim.resource.0)
        .fetch_one(&mut *tx)
        .await?;
        let number = |name: &str| -> Result<u64, StoreError> {
            Ok(u64::try_from(row.try_get::<i64, _>(name)?).unwrap_or(0).saturating_add(1))
        };
        let mut reading = Reading { plan: number("plan")?, day: number("day")?, week: number("week")?, base: 0 };
        if counts_departures(effect.guard) {
            // Those who are on their way out already: the guard judges all of them, not the first few.
            reading.plan = reading.plan.saturating_add(self.departing(tx, claim, effect).await?);
        }
        if reading.judge(effect, &limit).is_none() {
            return Ok(None);
        }
        reading.base = base_of(tx, (claim.tenant, claim.target), effect.guard).await?;
        Ok(reading.judge(effect, &limit))
    }

    /// How many others are about to leave, or held on their way, and not counted yet.
    async fn departing(&self, tx: &mut PgConnection, claim: &Claim, effect: &Effect) -> Result<u64, StoreError> {
        let number: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM deliveries d
             JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user'
                         AND l.resource_id = d.resource_id AND l.observed <> 'absent'
                         -- Whoever is on the way out for days is no part of those who begin.
                         AND (l.left_at IS NULL
                              OR EXISTS (SELECT 1 FROM links own WHERE own.tenant_id = $1 AND own.target_id = $2
                                           AND own.resource_kind = 'user' AND own.resource_id = $4
                                           AND own.left_at IS NOT NULL))
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' AND d.lane = $3
               AND d.state IN ('pending', 'applying', 'retrying', 'held') AND d.resource_id <> $4
               AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.tenant_id = $1 AND e.target_id = $2 AND e.effect = $5
                                 AND e.resource_id = d.resource_id AND e.at > $6)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(Lane::Leaver.number())
        .bind(claim.resource.0)
        .bind(effect.key())
        .bind(self.now() - Window::Plan.span())
        .fetch_one(tx)
        .await?;
        Ok(u64::try_from(number).unwrap_or(0))
    }

    /// `decided`: a person has, so that it says nothing of what is usual.
    async fn count(
        &self,
        tx: &mut PgConnection,
        claim: &Claim,
        effect: &Effect,
        decided: bool,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "WITH before AS (
                 SELECT at FROM effects
                 WHERE tenant_id = $1 AND target_id = $2 AND effect = $3 AND resource_id = $4),
             noted AS (
                 INSERT INTO effects AS e (tenant_id, target_id, effect, resource_id, at) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (tenant_id, target_id, effect, resource_id) DO UPDATE SET at = EXCLUDED.at)
             INSERT INTO effect_days AS d (tenant_id, target_id, effect, day, passed, decided)
             SELECT $1, $2, $3, ($5::timestamptz AT TIME ZONE 'UTC')::date, 1, $6::int
             WHERE NOT EXISTS (SELECT 1 FROM before WHERE (at AT TIME ZONE 'UTC')::date
                                                          = ($5::timestamptz AT TIME ZONE 'UTC')::date)
             ON CONFLICT (tenant_id, target_id, effect, day) DO UPDATE
             SET passed = d.passed + 1, decided = d.decided + EXCLUDED.decided",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(effect.key())
        .bind(claim.resource.0)
        .bind(self.now())
        .bind(i32::from(decided))
        .execute(tx)
        .await?;
        Ok(())
    }

    /// The source that deactivated or deleted the claim's user, if it was one.
    pub async fn departed_by(&self, claim: &Claim) -> Result<Option<SourceId>, StoreError> {
        let source: Option<Option<Uuid>> = sqlx::query_scalar(
            "SELECT source_id FROM changes
             WHERE tenant_id = $1 AND resource_id = $2 AND operation IN ('create', 'update', 'delete')
             ORDER BY id DESC LIMIT 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.resource.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(source.flatten().map(SourceId))
    }
}

/// The arithmetic of an open trip, unless nothing is held by it any more: then it is closed.
pub(super) async fn open_trip(
    tx: &mut PgConnection,
    claim: &Claim,
    effect: &Effect,
    now: OffsetDateTime,
) -> Result<Option<String>, StoreError> {
    let key = effect.key();
    let open: Option<(Uuid, String, bool)> = sqlx::query_as(
        "SELECT t.id, t.arithmetic,
                EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = $1 AND d.target_id = $2
                          AND d.held_by = 'guard:' || $3 AND d.resource_id <> $4)
         FROM trips t WHERE t.tenant_id = $1 AND t.target_id = $2 AND t.effect = $3 AND t.closed_at IS NULL",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(&key)
    .bind(claim.resource.0)
    .fetch_optional(&mut *tx)
    .await?;
    match open {
        None => Ok(None),
        // Whoever tripped it may not have said so yet in its own delivery.
        Some((_, arithmetic, true)) => Ok(Some(arithmetic)),
        Some((id, arithmetic, false)) => {
            let closed = sqlx::query(
                "UPDATE trips SET closed_at = $4 WHERE tenant_id = $1 AND target_id = $2 AND id = $3
                   AND tripped_at < $4::timestamptz - interval '1 minute'",
            )
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(id)
            .bind(now)
            .execute(tx)
            .await?;
            Ok((closed.rows_affected() == 0).then_some(arithmetic))
        }
    }
}

/// Opens a trip, and says so in the change log and the log.
pub(super) async fn open(store: &Store, tx: &mut PgConnection, claim: &Claim, trip: &Trip) -> Result<(), StoreError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let arithmetic = trip.to_string();
    sqlx::query(
        "WITH opened AS (
             INSERT INTO trips (tenant_id, target_id, id, effect, window_of, observed, most, base, arithmetic, tripped_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
             ON CONFLICT (tenant_id, target_id, effect) WHERE closed_at IS NULL DO NOTHING
             RETURNING id)
         INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
         SELECT $1, $10, '', 'guard_tripped', 'target', $2, 0,
                jsonb_build_object('guard', $4::text, 'reason', $9::text, 'trip', $3::uuid)
         FROM opened",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(store.new_id())
    .bind(trip.effect.key())
    .bind(trip.window.as_str())
    .bind(number(trip.observed))
    .bind(number(trip.most))
    .bind(number(trip.base))
    .bind(&arithmetic)
    .bind(store.now())
    .execute(tx)
    .await?;
    tracing::warn!(target_id = %claim.target, guard = trip.effect.key(), arithmetic, "a guard holds changes");
    Ok(())
}

/// Nobody else asks about this effect of this target until the transaction ends.
pub(super) async fn alone(tx: &mut PgConnection, claim: &Claim, effect: &Effect) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("{}/{}", claim.target.0, effect.key()))
        .execute(tx)
        .await?;
    Ok(())
}

const fn counts_departures(guard: Guard) -> bool {
    matches!(guard, Guard::PeopleRemove | Guard::PeopleDeactivate | Guard::SourceDeactivate)
}

/// How many there are of what a guard protects.
pub(super) async fn base_of(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    guard: Guard,
) -> Result<u64, StoreError> {
    let kind = if guard == Guard::DepartmentsRemove { "org_unit" } else { "user" };
    let number: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM links
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND observed <> 'absent'",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(kind)
    .fetch_one(tx)
    .await?;
    Ok(u64::try_from(number).unwrap_or(0))
}
