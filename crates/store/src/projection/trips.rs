//! Trips: what guards hold, by which limit, and how that ends.
//!
//! A trip holds whatever has its effect until a person decides: by a plan, or by other limits. Then it is judged anew, as
//! a whole: by all that it holds together with what has passed. So deliveries and plans judge by the same limits. Whoever
//! judges by the limits of a target and whoever changes them wait for each other.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::guard::{Effect, Guard, Guards, Reading, Trip, Window};
use rollcall_provisioning::ids::{TargetId, TenantId};
use serde_json::{Value, json};
use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;
use uuid::Uuid;

/// The most trips that are looked at again at once.
const AT_ONCE: i64 = 1_000;

/// A guard that holds or held changes.
#[derive(Clone, Debug, FromRow)]
pub struct TripRow {
    /// Towards which target.
    pub target_id: Uuid,
    /// Which trip.
    pub id: Uuid,
    /// The effect, as [`Effect::key`] writes it.
    pub effect: String,
    /// `plan`, `day` or `week`.
    pub window_of: String,
    /// How many there were.
    pub observed: i64,
    /// How many were allowed.
    pub most: i64,
    /// Of how many.
    pub base: i64,
    /// The same in a sentence.
    pub arithmetic: String,
    /// Since when.
    pub tripped_at: OffsetDateTime,
    /// Until when, if it is over.
    pub closed_at: Option<OffsetDateTime>,
    /// Who ended it; nobody when nothing was held by it any more.
    pub closed_by: Option<String>,
    /// How many deliveries it holds now.
    pub held: i64,
}

/// What became of a trip that somebody wants to close.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Closing {
    /// There is no such trip, or it is closed already.
    NotOpen,
    /// What it holds is still too much, by this arithmetic.
    TooMuch(String),
    /// It is closed, and what it held is looked at again.
    Closed,
}

/// An open trip.
#[derive(FromRow)]
struct Open {
    id: Uuid,
    effect: String,
    window_of: String,
    observed: i64,
    base: i64,
}

const TRIPS: &str =
    "SELECT t.target_id, t.id, t.effect, t.window_of, t.observed, t.most, t.base, t.arithmetic, t.tripped_at,
            t.closed_at, t.closed_by,
            CASE WHEN t.closed_at IS NULL THEN (
                SELECT count(*) FROM deliveries d WHERE d.tenant_id = $1 AND d.target_id = t.target_id
                  AND d.held_by = 'guard:' || t.effect) ELSE 0 END AS held
     FROM trips t WHERE t.tenant_id = $1 AND ($2::uuid IS NULL OR t.target_id = $2)
     ORDER BY t.closed_at IS NULL DESC, t.tripped_at DESC LIMIT 200";

/// The deliveries `d` that hold something because of the effect `$3` at the target `$2`. One that several guards hold names
/// only the first of them, but its proposal names what it does, and what its source sent is counted although it is held.
macro_rules! held_by {
    () => {
        "d.tenant_id = $1 AND d.target_id = $2 AND d.held_by LIKE 'guard:%' \
         AND (d.held_by = 'guard:' || $3 OR d.proposal -> 'effects' ? $3 \
              OR $3 LIKE 'source.deactivate:%' \
                 AND EXISTS (SELECT 1 FROM effects e WHERE e.tenant_id = $1 AND e.target_id = $2 AND e.effect = $3 \
                               AND e.resource_id = d.resource_id))"
    };
}

impl Store {
    /// The trips of a tenant, open ones first, then the newest.
    pub async fn trips(&self, tenant: TenantId, target: Option<TargetId>) -> Result<Vec<TripRow>, StoreError> {
        let query = sqlx::query_as(TRIPS).bind(tenant.0).bind(target.map(|id| id.0));
        Ok(query.fetch_all(self.pool()).await?)
    }

    /// Changes the target's own limits; the change log says by whom. `change` is given those in force and the trips, as
    /// [`trips`](Self::trips) lists them: nobody else changes or judges by the limits until it is done. What it refuses
    /// changes nothing. Open trips are judged anew. `None` when there is no such target.
    pub async fn change_guards<E>(
        &self,
        (tenant, target): (TenantId, TargetId),
        by: &str,
        change: impl FnOnce(&Guards, &[TripRow]) -> Result<Guards, E> + Send,
    ) -> Result<Option<Result<(), E>>, StoreError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        limits_change(&mut tx, target).await?;
        let in_force = guards_of(&mut tx, (tenant, target)).await?;
        let trips: Vec<TripRow> = sqlx::query_as(TRIPS).bind(tenant.0).bind(Some(target.0)).fetch_all(&mut *tx).await?;
        let guards = match change(&in_force, &trips) {
            Ok(guards) => guards,
            Err(refused) => return Ok(Some(Err(refused))),
        };
        let done = sqlx::query(
            "WITH changed AS (
                 UPDATE targets SET guards = $3, settings_revision = settings_revision + 1
                 WHERE tenant_id = $1 AND id = $2 RETURNING id)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT $1, $4, '', 'guards_changed', 'target', $2, 0, jsonb_build_object('by', $5::text, 'limits', $3::jsonb)
             FROM changed",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(guards.to_value())
        .bind(self.now())
        .bind(by)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        for open in open_trips(&mut tx, (tenant, target), None).await? {
            match self.still_trips(&mut tx, (tenant, target), &open, &guards).await? {
                Some(trip) => rewrite(&mut tx, (tenant, target), open.id, &trip).await?,
                None => self.end_trip(&mut tx, (tenant, target), &open, Some((by, None))).await?,
            }
        }
        tx.commit().await?;
        self.signal.dirty();
        Ok(Some(Ok(())))
    }

    /// Closes a trip because somebody says so, for this reason if they give one, if what it holds is not too much any more, by
    /// the limits in force. More takes a plan that two people release.
    pub async fn close_trip(
        &self,
        tenant: TenantId,
        target: TargetId,
        trip: Uuid,
        by: (&str, Option<&str>),
    ) -> Result<Closing, StoreError> {
        self.judge_trip((tenant, target), trip, Some(by)).await
    }

    /// Closes trips of guards that look at how things stand when these have changed, or when nobody is held any more, and
    /// looks again at what they held. Returns how many.
    pub async fn reconsider_trips(&self) -> Result<u64, StoreError> {
        let open: Vec<(Uuid, Uuid, Uuid)> = sqlx::query_as(
            "SELECT tenant_id, target_id, id FROM trips
             WHERE closed_at IS NULL AND (effect LIKE 'source.empty:%' OR effect LIKE 'managers.lost:%')
             ORDER BY tripped_at LIMIT $1",
        )
        .bind(AT_ONCE)
        .fetch_all(self.pool())
        .await?;
        let mut closed = 0;
        for (tenant, target, trip) in open {
            let end = self.judge_trip((TenantId(tenant), TargetId(target)), trip, None).await?;
            closed += u64::from(end == Closing::Closed);
        }
        Ok(closed)
    }

    async fn judge_trip(
        &self,
        (tenant, target): (TenantId, TargetId),
        trip: Uuid,
        by: Option<(&str, Option<&str>)>,
    ) -> Result<Closing, StoreError> {
        let mut tx = self.pool().begin().await?;
        limits_change(&mut tx, target).await?;
        let Some(open) = open_trips(&mut tx, (tenant, target), Some(trip)).await?.pop() else {
            return Ok(Closing::NotOpen);
        };
        let guards = guards_of(&mut tx, (tenant, target)).await?;
        if let Some(trip) = self.still_trips(&mut tx, (tenant, target), &open, &guards).await? {
            return Ok(Closing::TooMuch(trip.to_string()));
        }
        self.end_trip(&mut tx, (tenant, target), &open, by).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(Closing::Closed)
    }

    /// What an open trip holds, if that is too much by these limits.
    async fn still_trips(
        &self,
        tx: &mut PgConnection,
        whose: (TenantId, TargetId),
        open: &Open,
        guards: &Guards,
    ) -> Result<Option<Trip>, StoreError> {
        let Some(effect) = Effect::parse(&open.effect) else { return Ok(None) };
        let (held, hour, day, week): (i64, i64, i64, i64) = sqlx::query_as(concat!(
            "WITH held AS MATERIALIZED (SELECT d.resource_id FROM deliveries d WHERE ",
            held_by!(),
            "),
             passed AS (
                 SELECT e.at FROM effects e WHERE e.tenant_id = $1 AND e.target_id = $2 AND e.effect = $3 AND e.at > $6
                   AND NOT EXISTS (SELECT 1 FROM held WHERE held.resource_id = e.resource_id))
             SELECT (SELECT count(*) FROM held), (SELECT count(*) FROM passed WHERE at > $4),
                    (SELECT count(*) FROM passed WHERE at > $5), (SELECT count(*) FROM passed)"
        ))
        .bind(whose.0.0)
        .bind(whose.1.0)
        .bind(&open.effect)
        .bind(self.now() - Window::Plan.span())
        .bind(self.now() - Window::Day.span())
        .bind(self.now() - Window::Week.span())
        .fetch_one(&mut *tx)
        .await?;
        if held == 0 {
            return Ok(None);
        }
        if effect.guard.looks_at_standing() {
            return self.standing(tx, whose, &effect, guards).await;
        }
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let limit = guards.limit(effect.guard);
        if effect.guard == Guard::MembersRemove {
            // Of one role or chat it is held how many members were to leave, not how many deliveries.
            let (observed, base) = (number(open.observed), number(open.base));
            let window = Window::ALL.into_iter().find(|window| window.as_str() == open.window_of);
            let window = window.unwrap_or(Window::Plan);
            let most = limit.most(window, base);
            return Ok(most.filter(|most| observed > *most).map(|most| Trip {
                effect,
                window,
                observed,
                most,
                base,
                limit,
            }));
        }
        let [plan, day, week] = [hour, day, week].map(|passed| number(held).saturating_add(number(passed)));
        let base = super::guards::base_of(tx, whose, effect.guard).await?;
        Ok(Reading { plan, day, week, base }.judge(&effect, &limit))
    }

    /// Closes a trip, and looks again at what it held, and at what is under way, which may have been held a moment ago and
    /// not have said so yet.
    async fn end_trip(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        open: &Open,
        by: Option<(&str, Option<&str>)>,
    ) -> Result<(), StoreError> {
        sqlx::query(concat!(
            "WITH closed AS (
                 UPDATE trips SET closed_at = $4, closed_by = $6
                 WHERE tenant_id = $1 AND target_id = $2 AND id = $5 AND closed_at IS NULL RETURNING id),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $4, '', 'guard_closed', 'target', $2, 0, $7 FROM closed),
             held AS MATERIALIZED (
                 SELECT d.resource_kind, d.resource_id FROM deliveries d
                 WHERE (",
            held_by!(),
            ") OR d.tenant_id = $1 AND d.target_id = $2 AND d.state = 'applying'
                 ORDER BY d.resource_id FOR UPDATE OF d)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $4, updated_at = $4, dirty_since = COALESCE(d.dirty_since, $4),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM held WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = held.resource_kind
               AND d.resource_id = held.resource_id"
        ))
        .bind(tenant.0)
        .bind(target.0)
        .bind(&open.effect)
        .bind(self.now())
        .bind(open.id)
        .bind(by.map(|(by, _)| by))
        .bind(closed(open, by))
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// What the change log says of a trip that is over.
fn closed(open: &Open, by: Option<(&str, Option<&str>)>) -> Value {
    let mut details = json!({ "guard": open.effect, "trip": open.id });
    if let (Some((by, reason)), Some(members)) = (by, details.as_object_mut()) {
        members.insert("by".to_owned(), Value::from(by));
        members.extend(reason.map(|reason| ("reason".to_owned(), Value::from(reason))));
    }
    details
}

/// The limits of a claim's target as they are at this moment, and until the transaction ends. To be called before any row
/// is locked.
pub(super) async fn limits_in_force(tx: &mut PgConnection, claim: &Claim) -> Result<Guards, StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))")
        .bind(lock_of(claim.target))
        .execute(&mut *tx)
        .await?;
    guards_of(tx, (claim.tenant, claim.target)).await
}

/// Nobody judges by the limits of the target until the transaction ends.
async fn limits_change(tx: &mut PgConnection, target: TargetId) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))").bind(lock_of(target)).execute(tx).await?;
    Ok(())
}

fn lock_of(target: TargetId) -> String {
    format!("{}/limits", target.0)
}

/// The limits of a target.
pub(super) async fn guards_of(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
) -> Result<Guards, StoreError> {
    let limits: Option<Value> = sqlx::query_scalar("SELECT guards FROM targets WHERE tenant_id = $1 AND id = $2")
        .bind(tenant.0)
        .bind(target.0)
        .fetch_optional(tx)
        .await?;
    let limits = limits.unwrap_or_else(|| json!({}));
    Guards::parse(&limits).map_err(|_| StoreError::corrupt("targets", "guards", target.0))
}

/// The open trips of a target, or one of them.
async fn open_trips(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    only: Option<Uuid>,
) -> Result<Vec<Open>, StoreError> {
    let open = sqlx::query_as(
        "SELECT id, effect, window_of, observed, base FROM trips
         WHERE tenant_id = $1 AND target_id = $2 AND closed_at IS NULL AND ($3::uuid IS NULL OR id = $3) ORDER BY id",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(only)
    .fetch_all(tx)
    .await?;
    Ok(open)
}

/// The trip goes on, by other limits.
async fn rewrite(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    id: Uuid,
    trip: &Trip,
) -> Result<(), StoreError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    // How many people a source had is known since it tripped, and by nothing else.
    let keeps_base = trip.effect.guard == Guard::SourceEmpty;
    sqlx::query(
        "UPDATE trips SET window_of = $4, observed = $5, most = $6, base = CASE WHEN $9 THEN base ELSE $7 END, arithmetic = $8
         WHERE tenant_id = $1 AND target_id = $2 AND id = $3",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(id)
    .bind(trip.window.as_str())
    .bind(number(trip.observed))
    .bind(number(trip.most))
    .bind(number(trip.base))
    .bind(trip.to_string())
    .bind(keeps_base)
    .execute(tx)
    .await?;
    Ok(())
}
