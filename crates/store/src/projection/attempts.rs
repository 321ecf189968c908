//! Attempts: each action that was tried at a target, and its end. What an accepted one changed is kept with its values
//! before and after, because a plan is undone by them; lists show the names of attributes alone.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::{self, Attributes};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use sqlx::FromRow;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// One try to be kept.
#[derive(Clone, Debug)]
pub struct Attempt<'a> {
    /// What was done: `create account`, `delete org_unit`, …
    pub action: &'a str,
    /// The names of the attributes that it touched.
    pub attributes: Vec<String>,
    /// `accepted`, `failed` or `unknown` (the answer was lost).
    pub outcome: &'a str,
    /// The class of the failure.
    pub error_class: Option<&'a str>,
    /// The target's code.
    pub error_code: Option<&'a str>,
    /// What happened, in words for a person.
    pub message: Option<&'a str>,
    /// How long the call took, in milliseconds.
    pub duration_ms: i32,
    /// Who tried.
    pub worker: &'a str,
    /// Of an accepted action, the attributes that it touched as they were before; `None` when there was no entity.
    pub before: Option<Attributes>,
    /// The same after it; `None` when there is no entity any more.
    pub after: Option<Attributes>,
    /// The version of the mapping that decided it.
    pub mapping_version: i32,
}

/// One try, as kept.
#[derive(Clone, Debug, FromRow)]
pub struct AttemptRow {
    /// Grows with time within a tenant.
    pub id: i64,
    /// Towards which target.
    pub target_id: Uuid,
    /// When it ended.
    pub at: OffsetDateTime,
    /// `user`, `group` or `org_unit`.
    pub resource_kind: String,
    /// Which resource.
    pub resource_id: Uuid,
    /// The mark it served.
    pub mark: i64,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// Who tried.
    pub worker: String,
    /// What was done.
    pub action: String,
    /// Attribute names.
    pub attributes: Vec<String>,
    /// `accepted`, `failed` or `unknown`.
    pub outcome: String,
    /// The class of the failure.
    pub error_class: Option<String>,
    /// The target's code.
    pub error_code: Option<String>,
    /// What happened.
    pub message: Option<String>,
    /// Milliseconds.
    pub duration_ms: i32,
}

/// An action that was accepted, with what it changed.
#[derive(Clone, Debug, FromRow)]
pub struct AcceptedRow {
    /// When it ended.
    pub at: OffsetDateTime,
    /// What was done.
    pub action: String,
    /// The request that caused it.
    pub request_id: Option<String>,
    /// What it touched as it was before; `None` when there was no entity, or nothing was kept.
    pub before: Option<Json<Attributes>>,
    /// The same after it; `None` when there is no entity any more, or nothing was kept.
    pub after: Option<Json<Attributes>>,
    /// The plan that permitted it.
    pub plan_id: Option<Uuid>,
    /// The attributes that it touched.
    pub attributes: Vec<String>,
    /// The version of the mapping that decided it; `None` of the oldest ones.
    pub mapping_version: Option<i32>,
}

/// Which accepted actions to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptedQuery<'a> {
    /// Only until this moment.
    pub until: Option<OffsetDateTime>,
    /// Only after this moment; then the oldest first.
    pub after: Option<OffsetDateTime>,
    /// Only those that touched this attribute, or made or removed the entity.
    pub attribute: Option<&'a str>,
    /// The most rows.
    pub limit: i64,
}

/// Which attempts to list: the newest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct AttemptQuery {
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Only towards this target.
    pub target: Option<TargetId>,
    /// Only older than this id.
    pub before: Option<i64>,
    /// Only until this moment.
    pub until: Option<OffsetDateTime>,
    /// The most rows.
    pub limit: i64,
}

impl Store {
    /// Keeps one try. It is history, so it needs no fence: also a worker that lost its lease did try.
    pub async fn keep_attempt(&self, claim: &Claim, attempt: &Attempt<'_>) -> Result<(), StoreError> {
        sqlx::query(
            "WITH counted AS (
                 INSERT INTO call_days AS c (tenant_id, target_id, day, calls)
                 VALUES ($1, $2, ($3::timestamptz AT TIME ZONE 'UTC')::date, 1)
                 ON CONFLICT (tenant_id, target_id, day) DO UPDATE SET calls = c.calls + 1)
             INSERT INTO attempts (tenant_id, target_id, at, resource_kind, resource_id, mark, request_id, worker,
                                   action, attributes, outcome, error_class, error_code, message, duration_ms,
                                   before, after, plan_id, mapping_version, by_mapping)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
                     -- What the account was let through by was another version. A new account follows from the rules if
                     -- the person has not changed since they were left out.
                     $20 AND ($9 NOT LIKE 'create %' OR $4 <> 'user' OR EXISTS (
                         SELECT 1 FROM users u WHERE u.tenant_id = $1 AND u.id = $5 AND u.version = $21)))",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(self.now())
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.mark)
        .bind(&claim.request_id)
        .bind(attempt.worker)
        .bind(attempt.action)
        .bind(&attempt.attributes)
        .bind(attempt.outcome)
        .bind(attempt.error_class)
        .bind(attempt.error_code)
        .bind(attempt.message)
        .bind(attempt.duration_ms)
        .bind(attempt.before.as_ref().map(Json))
        .bind(attempt.after.as_ref().map(Json))
        .bind(claim.permit)
        .bind(attempt.mapping_version)
        .bind(claim.let_through != claim.mapping_version)
        .bind(claim.applied_version)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The actions of a resource that a target accepted, the newest first, with their values.
    pub async fn accepted(
        &self,
        (tenant, target): (TenantId, TargetId),
        resource: ResourceId,
        query: &AcceptedQuery<'_>,
    ) -> Result<Vec<AcceptedRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT at, action, request_id, before, after, plan_id, attributes, mapping_version FROM attempts
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND outcome = 'accepted'
               AND ($4::timestamptz IS NULL OR at <= $4) AND ($5::timestamptz IS NULL OR at > $5)
               AND ($6::text IS NULL OR $6 = ANY (attributes) OR action LIKE 'delete %')
             ORDER BY CASE WHEN $5 IS NULL THEN -id ELSE id END LIMIT $7",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(resource.0)
        .bind(query.until)
        .bind(query.after)
        .bind(query.attribute)
        .bind(query.limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// When the answer to a creation for the claim's resource was lost last, unless that was before `after`.
    pub async fn creation_lost(
        &self,
        claim: &Claim,
        after: OffsetDateTime,
    ) -> Result<Option<OffsetDateTime>, StoreError> {
        let at = sqlx::query_scalar(
            "SELECT max(at) FROM attempts
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND resource_kind = $4
               AND outcome = 'unknown' AND starts_with(action, 'create ') AND at > $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(claim.kind.as_str())
        .bind(after)
        .fetch_one(self.pool())
        .await?;
        Ok(at)
    }

    /// Whether the last try that was about the use of the claim's account has turned it off, and was accepted. If not, an
    /// account that is off may be so by a call whose answer was lost, and that did not come to the end of all it does.
    pub async fn is_turned_off(&self, claim: &Claim) -> Result<bool, StoreError> {
        let off: Option<bool> = sqlx::query_scalar(
            "SELECT outcome = 'accepted' AND COALESCE(after ->> $5 = 'false', false) FROM attempts
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND resource_kind = $4 AND $5 = ANY (attributes)
             ORDER BY id DESC LIMIT 1",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(claim.kind.as_str())
        .bind(entity::ENABLED)
        .fetch_optional(self.pool())
        .await?;
        Ok(off == Some(true))
    }

    /// Lists attempts, the newest first.
    pub async fn attempts(&self, tenant: TenantId, query: &AttemptQuery) -> Result<Vec<AttemptRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT id, target_id, at, resource_kind, resource_id, mark, request_id, worker, action, attributes,
                    outcome, error_class, error_code, message, duration_ms
             FROM attempts
             WHERE tenant_id = $1 AND ($2::uuid IS NULL OR resource_id = $2)
               AND ($3::uuid IS NULL OR target_id = $3) AND ($4::bigint IS NULL OR id < $4)
               AND ($6::timestamptz IS NULL OR at <= $6)
             ORDER BY id DESC LIMIT $5",
        )
        .bind(tenant.0)
        .bind(query.resource.map(|id| id.0))
        .bind(query.target.map(|id| id.0))
        .bind(query.before)
        .bind(query.limit)
        .bind(query.until)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}
