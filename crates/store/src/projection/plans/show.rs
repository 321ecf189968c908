//! Plans as people see them.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use serde_json::Value;
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// A plan.
#[derive(Clone, Debug, FromRow)]
pub struct PlanRow {
    /// Of which target.
    pub target_id: Uuid,
    /// Which plan.
    pub id: Uuid,
    /// `held` or `undo`.
    pub kind: String,
    /// `ready`, `guarded`, `applying`, `applied`, `partly_applied` or `rejected`.
    pub state: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Who wanted it.
    pub created_by: String,
    /// Until when it may be applied.
    pub expires_at: OffsetDateTime,
    /// What is counted in it.
    pub summary: Value,
    /// Who asked for its release.
    pub requested_by: Option<String>,
    /// When.
    pub requested_at: Option<OffsetDateTime>,
    /// Why.
    pub reason: Option<String>,
    /// Who released it.
    pub approved_by: Option<String>,
    /// When.
    pub approved_at: Option<OffsetDateTime>,
    /// Who applied it first.
    pub applied_by: Option<String>,
    /// When.
    pub applied_at: Option<OffsetDateTime>,
    /// When the last of what was permitted had ended.
    pub ended_at: Option<OffsetDateTime>,
    /// How many of its changes stand where.
    pub states: Value,
    /// How many of its changes a guard would hold.
    pub guarded: i64,
    /// Of a plan that undoes: what, why, and when its overrides are to be reviewed.
    pub undoes: Option<Value>,
    /// How many of its resources have something that cannot be undone.
    pub hindered: i64,
}

/// One resource in a plan.
#[derive(Clone, Debug, FromRow)]
pub struct PlanChange {
    /// `user`, `group` or `org_unit`.
    pub resource_kind: String,
    /// Which resource.
    pub resource_id: Uuid,
    /// The userName or the name.
    pub name: Option<String>,
    /// What would be done; see [`rollcall_provisioning::proposal::Proposal::to_value`].
    pub proposal: Value,
    /// Whether a guard would hold it.
    pub guarded: bool,
    /// Why it was held when the plan was made.
    pub reason: Option<String>,
    /// `planned`, `permitted`, `applied`, `moved`, `failed`, or `impossible` when nothing of it can be undone.
    pub state: String,
    /// What became of it, in words.
    pub detail: Option<String>,
    /// When that changed last.
    pub updated_at: OffsetDateTime,
    /// Of a plan that undoes: what cannot be undone, an array.
    pub cannot: Option<Value>,
}

/// Which changes of a plan to list, in the order of resource ids.
#[derive(Clone, Debug, Default)]
pub struct PlanChangeQuery {
    /// Only with this verb.
    pub verb: Option<String>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only those that a guard would hold, or only those that none would.
    pub guarded: Option<bool>,
    /// Only those of which something cannot be undone.
    pub hindered: bool,
    /// Only after this resource.
    pub after: Option<ResourceId>,
    /// The most rows.
    pub limit: i64,
}

/// Where a resource stands in a plan.
#[derive(Clone, Debug, FromRow)]
pub struct PlannedRow {
    /// Which plan.
    pub plan_id: Uuid,
    /// Where the plan stands; see [`PlanRow::state`].
    pub plan_state: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Until when it may be applied.
    pub expires_at: OffsetDateTime,
    /// Where the resource stands in it; see [`PlanChange::state`].
    pub state: String,
    /// Whether a guard would hold it.
    pub guarded: bool,
    /// What became of it, in words.
    pub detail: Option<String>,
}

/// Plans `p` of the tenant `$1`.
macro_rules! plans {
    ($which:literal) => {
        concat!(
            "SELECT p.target_id, p.id, p.kind, p.state, p.created_at, p.created_by, p.expires_at, p.summary,
                    p.requested_by, p.requested_at, p.reason, p.approved_by, p.approved_at, p.applied_by, p.applied_at,
                    p.ended_at, p.undoes,
                    (SELECT count(*) FROM plan_changes c WHERE c.tenant_id = p.tenant_id AND c.plan_id = p.id
                       AND c.undo -> 'cannot' <> '[]') AS hindered,
                    (SELECT COALESCE(jsonb_object_agg(c.state, c.number), '{}') FROM (
                        SELECT c.state, count(*) AS number FROM plan_changes c
                        WHERE c.tenant_id = p.tenant_id AND c.plan_id = p.id GROUP BY c.state) c) AS states,
                    (SELECT count(*) FROM plan_changes c
                     WHERE c.tenant_id = p.tenant_id AND c.plan_id = p.id AND c.guarded) AS guarded
             FROM plans p
             WHERE p.tenant_id = $1 AND ",
            $which,
            // Ids begin with the time at which they were given out (RFC 9562 §5.7).
            " ORDER BY p.id DESC LIMIT $2"
        )
    };
}

impl Store {
    /// The last plans that a resource is in, the newest first.
    pub async fn planned(
        &self,
        (tenant, target): (TenantId, TargetId),
        resource: ResourceId,
        limit: i64,
    ) -> Result<Vec<PlannedRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT p.id AS plan_id, p.state AS plan_state, p.created_at, p.expires_at, c.state, c.guarded, c.detail
             FROM plans p
             JOIN plan_changes c ON c.tenant_id = p.tenant_id AND c.plan_id = p.id AND c.resource_id = $3
             WHERE p.tenant_id = $1 AND p.target_id = $2 ORDER BY p.created_at DESC, p.id DESC LIMIT $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(resource.0)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// Those of `resources` of which nothing was ever due at the target.
    pub async fn never_due(
        &self,
        (tenant, target): (TenantId, TargetId),
        resources: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM unnest($3::uuid[]) AS id
             WHERE NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.tenant_id = $1 AND d.target_id = $2
                                 AND d.resource_id = id) LIMIT 10",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(resources.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(ResourceId).collect())
    }

    /// Those of `resources` that a plan does not hold.
    pub async fn not_in_plan(
        &self,
        tenant: TenantId,
        plan: Uuid,
        resources: &[ResourceId],
    ) -> Result<Vec<ResourceId>, StoreError> {
        let rows: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM unnest($3::uuid[]) AS id
             WHERE NOT EXISTS (SELECT 1 FROM plan_changes c WHERE c.tenant_id = $1 AND c.plan_id = $2
                                 AND c.resource_id = id) LIMIT 10",
        )
        .bind(tenant.0)
        .bind(plan)
        .bind(resources.iter().map(|id| id.0).collect::<Vec<_>>())
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(ResourceId).collect())
    }

    /// One plan.
    pub async fn plan(&self, tenant: TenantId, plan: Uuid) -> Result<Option<PlanRow>, StoreError> {
        let row = sqlx::query_as(plans!("p.id = $3")).bind(tenant.0).bind(1_i64).bind(plan);
        Ok(row.fetch_optional(self.pool()).await?)
    }

    /// The plans of a tenant, the newest first; only those made before the plan `before`, if it is given.
    pub async fn plans(
        &self,
        tenant: TenantId,
        target: Option<TargetId>,
        before: Option<Uuid>,
        limit: i64,
    ) -> Result<Vec<PlanRow>, StoreError> {
        let rows = sqlx::query_as(plans!("($3::uuid IS NULL OR p.target_id = $3) AND ($4::uuid IS NULL OR p.id < $4)"))
            .bind(tenant.0)
            .bind(limit)
            .bind(target.map(|id| id.0))
            .bind(before)
            .fetch_all(self.pool())
            .await?;
        Ok(rows)
    }

    /// The plans that wait for a second person to release them, the newest first.
    pub async fn unreleased_plans(&self, tenant: TenantId, limit: i64) -> Result<Vec<PlanRow>, StoreError> {
        let rows = sqlx::query_as(plans!(
            "p.requested_by IS NOT NULL AND p.approved_by IS NULL AND p.state NOT IN ('applied', 'rejected')
               AND p.expires_at > $3"
        ))
        .bind(tenant.0)
        .bind(limit)
        .bind(self.now())
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// The changes of a plan.
    pub async fn plan_changes(
        &self,
        tenant: TenantId,
        plan: Uuid,
        query: &PlanChangeQuery,
    ) -> Result<Vec<PlanChange>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT resource_kind, resource_id, name, proposal, guarded, reason, state, detail, updated_at,
                    undo -> 'cannot' AS cannot
             FROM plan_changes
             WHERE tenant_id = $1 AND plan_id = $2 AND ($3::text IS NULL OR proposal ->> 'verb' = $3)
               AND ($4::text IS NULL OR state = $4) AND ($5::boolean IS NULL OR guarded = $5)
               AND ($6::uuid IS NULL OR resource_id > $6) AND (NOT $8 OR undo -> 'cannot' <> '[]')
             ORDER BY resource_id LIMIT $7",
        )
        .bind(tenant.0)
        .bind(plan)
        .bind(&query.verb)
        .bind(&query.state)
        .bind(query.guarded)
        .bind(query.after.map(|id| id.0))
        .bind(query.limit)
        .bind(query.hindered)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}
