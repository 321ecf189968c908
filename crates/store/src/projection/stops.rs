//! Stops: what of a target does not work until its cause has gone. A stop reaches as far as its cause, the whole target or
//! one kind of entity, has the clock of its cause, and remembers the calls that were refused.
//!
//! When the time has come one delivery tries whether it works again; the others wait for what becomes of it.

use crate::sources::SetUpBy;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_provisioning::stop::{Cause, Reach, Step, next_try};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::Row as _;
use std::time::Duration;
use time::OffsetDateTime;

/// How long the one that tries may take before another one does.
const PROBE: Duration = Duration::from_mins(2);
/// How long others wait for leavers to try first.
const LEAVERS_FIRST: Duration = Duration::from_secs(5);
/// How many refused calls are kept.
const CALLS: i32 = 10;

/// What of a target does not work.
#[derive(Clone, PartialEq, Debug)]
pub struct Stop {
    /// What.
    pub reach: Reach,
    /// Why, as [`Cause::as_str`] writes it.
    pub cause: String,
    /// The target's code.
    pub code: String,
    /// What happened, in words for a person.
    pub reason: String,
    /// What a person can do.
    pub advice: String,
    /// Since when.
    pub since: OffsetDateTime,
    /// How many tries in a row have failed.
    pub tries: i32,
    /// When it is tried next.
    pub next_try_at: OffsetDateTime,
    /// The calls that were refused, the newest last: `at`, `resource_kind`, `resource_id`, `request_id`, `code`, and where it
    /// was a change `action` and `attributes`.
    pub calls: Value,
}

#[derive(Deserialize)]
struct StopRow {
    kind: String,
    cause: String,
    code: String,
    reason: String,
    advice: String,
    #[serde(with = "time::serde::rfc3339")]
    since: OffsetDateTime,
    tries: i32,
    #[serde(with = "time::serde::rfc3339")]
    next_try_at: OffsetDateTime,
    calls: Value,
}

/// The stops of a target, from the array of their rows.
pub(super) fn stops_from(rows: Value, target: TargetId) -> Result<Vec<Stop>, StoreError> {
    let rows: Vec<StopRow> =
        serde_json::from_value(rows).map_err(|_| StoreError::corrupt("stops", "next_try_at", target.0))?;
    let stop = |row: StopRow| {
        Ok(Stop {
            reach: Reach::parse(&row.kind).ok_or_else(|| StoreError::corrupt("stops", "kind", target.0))?,
            cause: row.cause,
            code: row.code,
            reason: row.reason,
            advice: row.advice,
            since: row.since,
            tries: row.tries,
            next_try_at: row.next_try_at,
            calls: row.calls,
        })
    };
    rows.into_iter().map(stop).collect()
}

/// A refusal that stops something.
#[derive(Clone, Copy, Debug)]
pub struct Refused<'a> {
    /// What.
    pub reach: Reach,
    /// Why.
    pub cause: Cause,
    /// The target's code.
    pub code: &'a str,
    /// What happened, in words for a person.
    pub reason: &'a str,
    /// What a person can do.
    pub advice: &'a str,
    /// How long the target wants to be left alone.
    pub wish: Option<Duration>,
    /// The settings that were used; a refusal of others than those that count now stops nothing.
    pub settings_revision: Option<i64>,
    /// For whom the call was made, and because of which request.
    pub by: Option<(ResourceKind, ResourceId, Option<&'a str>)>,
}

impl Store {
    /// Stops what a call was refused for, until the next try by the clock of its cause. Those who were refused besides, at the
    /// same moment, change nothing but the list of calls. A person is told by an entry of the change log, once per cause.
    /// Returns when it is tried next; `None` when the settings have changed since, so that it may work already.
    pub async fn stop(
        &self,
        tenant: TenantId,
        target: TargetId,
        refused: &Refused<'_>,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        let (now, reach) = (self.now(), refused.reach.word());
        let mut tx = self.pool().begin().await?;
        let counts: Option<bool> = sqlx::query_scalar(
            "SELECT $3::bigint IS NULL OR settings_revision = $3 FROM targets WHERE tenant_id = $1 AND id = $2
             FOR NO KEY UPDATE",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(refused.settings_revision)
        .fetch_optional(&mut *tx)
        .await?;
        if counts != Some(true) {
            return Ok(None);
        }
        let before = sqlx::query(
            "SELECT code, tries, next_try_at, probing FROM stops WHERE tenant_id = $1 AND target_id = $2 AND kind = $3",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(&reach)
        .fetch_optional(&mut *tx)
        .await?;
        let mut tries = 1;
        let mut next = now + next_try(refused.cause, 1, refused.wish);
        let mut told = false;
        if let Some(row) = before {
            let (failed, at, probing) = (row.try_get("tries")?, row.try_get("next_try_at")?, row.try_get("probing")?);
            told = row.try_get::<String, _>("code")? == refused.code;
            (tries, next) = if probing || at <= now {
                let tries = i32::saturating_add(failed, 1);
                (tries, now + next_try(refused.cause, u32::try_from(tries).unwrap_or(u32::MAX), refused.wish))
            } else {
                (failed, at)
            };
        }
        let call = refused.by.map(|(kind, resource, request)| {
            let at = now.format(&time::format_description::well_known::Rfc3339).unwrap_or_default();
            json!({
                "at": at, "resource_kind": kind.as_str(), "resource_id": resource.0, "request_id": request,
                "code": refused.code,
            })
        });
        sqlx::query(
            "WITH refused AS (
                 SELECT COALESCE($11::jsonb || COALESCE((
                     SELECT jsonb_build_object('attempt', a.id, 'action', a.action, 'attributes', to_jsonb(a.attributes))
                     FROM attempts a
                     WHERE a.tenant_id = $1 AND a.target_id = $2 AND a.resource_id = ($11::jsonb ->> 'resource_id')::uuid
                       AND a.error_code = $5 ORDER BY a.id DESC LIMIT 1), '{}'), NULL) AS call),
             stopped AS (
                 INSERT INTO stops AS s (tenant_id, target_id, kind, cause, code, reason, advice, since, tries, next_try_at,
                                         probing, calls)
                 SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, false,
                        CASE WHEN call IS NULL THEN '[]' ELSE jsonb_build_array(call) END
                 FROM refused
                 ON CONFLICT (tenant_id, target_id, kind) DO UPDATE
                 SET cause = $4, code = $5, reason = $6, advice = $7, tries = $9, next_try_at = $10, probing = false,
                     calls = (SELECT COALESCE(jsonb_agg(e.value ORDER BY e.place), '[]')
                              FROM jsonb_array_elements(s.calls || EXCLUDED.calls) WITH ORDINALITY AS e (value, place)
                              WHERE e.place > jsonb_array_length(s.calls || EXCLUDED.calls) - $12))
             UPDATE targets SET stopped_until = $10 WHERE tenant_id = $1 AND id = $2 AND $3 = ''",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(&reach)
        .bind(refused.cause.as_str())
        .bind(refused.code)
        .bind(refused.reason)
        .bind(refused.advice)
        .bind(now)
        .bind(tries)
        .bind(next)
        .bind(call)
        .bind(CALLS)
        .execute(&mut *tx)
        .await?;
        if !told {
            let details = json!({
                "code": refused.code, "cause": refused.cause.as_str(),
                "kind": refused.reach.kind().map(EntityKind::as_str), "step": refused.reach.step().map(Step::as_str),
                "reason": format!("{} {}", refused.reason, refused.advice).trim(),
            });
            sqlx::query(
                "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 VALUES ($1, $3, '', 'target_stopped', 'target', $2, 0, $4)",
            )
            .bind(tenant.0)
            .bind(target.0)
            .bind(now)
            .bind(details)
            .execute(&mut *tx)
            .await?;
        }
        tx.commit().await?;
        Ok(Some(next))
    }

    /// Whether a call may be made although something that it needs was stopped: the first one that asks after the time of
    /// the next try. `None`: it may. Otherwise until when it is stopped. While somebody is about to lose their access, only a
    /// call that `ends_access` tries whether accounts work again.
    pub async fn probe(
        &self,
        tenant: TenantId,
        target: TargetId,
        (reach, ends_access): (Reach, bool),
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        let now = self.now();
        let mine = sqlx::query(
            "UPDATE stops SET probing = true, next_try_at = $5
             WHERE tenant_id = $1 AND target_id = $2 AND kind = $3 AND next_try_at <= $4
               AND ($6 OR kind <> 'account' OR NOT EXISTS (
                     SELECT 1 FROM deliveries d
                     WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.lane = $7 AND d.due_at <= $4))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(reach.word())
        .bind(now)
        .bind(now + PROBE)
        .bind(ends_access)
        .bind(Lane::Leaver.number())
        .execute(self.pool())
        .await?;
        if mine.rows_affected() == 1 {
            return Ok(None);
        }
        let until = sqlx::query_scalar(
            "SELECT CASE WHEN next_try_at > $4 THEN next_try_at ELSE $5 END FROM stops
             WHERE tenant_id = $1 AND target_id = $2 AND kind = $3",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(reach.word())
        .bind(now)
        .bind(now + LEAVERS_FIRST)
        .fetch_optional(self.pool())
        .await?;
        Ok(until)
    }

    /// It works again: the stop is forgotten, and whoever waits for its next try is due. Cheap when there was none.
    pub async fn clear_stop(&self, tenant: TenantId, target: TargetId, reach: Reach) -> Result<(), StoreError> {
        let now = self.now();
        let done = sqlx::query(
            "WITH gone AS (
                 DELETE FROM stops
                 WHERE tenant_id = $1 AND target_id = $2 AND kind = $3 AND (probing OR next_try_at <= $4)
                 RETURNING kind, cause, code),
             counted_anew AS (
                 -- Those who were refused before say nothing any more.
                 INSERT INTO refusals_counted (tenant_id, target_id, kind, code, since)
                 SELECT $1, $2, kind, code, $4 FROM gone WHERE cause = 'values'
                 ON CONFLICT (tenant_id, target_id, kind, code) DO UPDATE SET since = $4),
             open AS (
                 UPDATE targets SET stopped_until = NULL
                 WHERE tenant_id = $1 AND id = $2 AND $3 = '' AND EXISTS (SELECT 1 FROM gone))
             UPDATE deliveries SET due_at = $4
             WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND error_class = 'kind_stopped'
               AND EXISTS (SELECT 1 FROM gone)",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(reach.word())
        .bind(now)
        .execute(self.pool())
        .await?;
        if done.rows_affected() > 0 {
            self.signal.dirty();
        }
        Ok(())
    }

    /// Somebody wants everything that is stopped of a target to be tried now. Returns how many stops there are.
    pub async fn try_now(
        &self,
        tenant: TenantId,
        target: TargetId,
        (by, request_id): (SetUpBy, &str),
    ) -> Result<u64, StoreError> {
        let tried: i64 = sqlx::query_scalar(
            "WITH tried AS (
                 UPDATE stops SET next_try_at = $3, probing = false WHERE tenant_id = $1 AND target_id = $2 RETURNING kind),
             open AS (
                 UPDATE targets SET stopped_until = $3
                 WHERE tenant_id = $1 AND id = $2 AND EXISTS (SELECT 1 FROM tried WHERE kind = '')),
             due AS (
                 UPDATE deliveries SET due_at = $3
                 WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND error_class = 'kind_stopped'),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $3, $4, 'update', 'target', $2, 0, $5 WHERE EXISTS (SELECT 1 FROM tried))
             SELECT count(*) FROM tried",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(request_id)
        .bind(json!({ "by": by.to_json(), "stops": "tried now" }))
        .fetch_one(self.pool())
        .await?;
        self.signal.dirty();
        Ok(u64::try_from(tried).unwrap_or(0))
    }

    /// Replaces the deny windows of a target. Whoever waits for the end of one is looked at now. `false` when there is no such
    /// target.
    pub async fn set_deny_windows(
        &self,
        tenant: TenantId,
        target: TargetId,
        windows: &Value,
        (by, request_id): (SetUpBy, &str),
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        // Whoever has the windows of before has other settings than those that count now.
        let found: bool = sqlx::query_scalar(
            "WITH before AS (
                 SELECT deny_windows FROM targets WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE),
             changed AS (
                 UPDATE targets SET deny_windows = $3, settings_revision = settings_revision + 1
                 WHERE tenant_id = $1 AND id = $2 AND deny_windows <> $3),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $4, $5, 'update', 'target', $2, 0,
                        $6::jsonb || jsonb_build_object('deny_windows', jsonb_build_object('from', deny_windows, 'to', $3::jsonb))
                 FROM before WHERE deny_windows <> $3)
             SELECT EXISTS (SELECT 1 FROM before)",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(windows)
        .bind(self.now())
        .bind(request_id)
        .bind(json!({ "by": by.to_json() }))
        .fetch_one(&mut *tx)
        .await?;
        // In a statement of its own, which sees whoever has recorded meanwhile that it waits.
        sqlx::query(
            "UPDATE deliveries SET due_at = $3
             WHERE tenant_id = $1 AND target_id = $2 AND state = 'waiting' AND error_code = 'deny_window'",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(found)
    }
}
