//! Overrides: attributes that people hold against the rules; see [`rollcall_provisioning::overrides`].
//!
//! They are made by applying a plan that undoes ([`super::plans`]), read with whatever a delivery loads, ended by a
//! delivery that finds that the rules want something else, and lifted by people.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::overrides::Override;
use serde_json::Value;
use sqlx::FromRow;
use time::{Date, OffsetDateTime};
use uuid::Uuid;

/// Overrides as a statement returns them: number, attribute, value, against.
pub(super) type OverrideParts = Vec<(i64, String, Option<Value>, Option<Value>)>;

/// The overrides of the row `$of`, which has tenant, target and resource: a JSON array of [`OverrideParts`], or null.
macro_rules! live_overrides {
    ($tenant:literal, $target:literal, $kind:literal, $resource:literal) => {
        concat!(
            "(SELECT jsonb_agg(jsonb_build_array(ov.id, ov.attribute, ov.value, ov.against))
              FROM (SELECT * FROM overrides ov WHERE ov.tenant_id = ",
            $tenant,
            " AND ov.target_id = ",
            $target,
            " AND ov.resource_kind = ",
            $kind,
            " AND ov.resource_id = ",
            $resource,
            " AND ov.ended_at IS NULL ORDER BY ov.attribute) ov)"
        )
    };
}
pub(super) use live_overrides;

/// Reads what [`live_overrides`] returns.
pub(super) fn read_overrides(parts: Option<sqlx::types::Json<OverrideParts>>) -> Vec<Override> {
    let parts = parts.map(|parts| parts.0).unwrap_or_default();
    let some = |value: Option<Value>| value.filter(|value| !value.is_null());
    parts
        .into_iter()
        .map(|(id, attribute, value, against)| Override { id, attribute, value: some(value), against: some(against) })
        .collect()
}

/// An override as people see it.
#[derive(Clone, Debug, FromRow)]
pub struct OverrideRow {
    /// Its number; grows.
    pub id: i64,
    /// At which target.
    pub target_id: Uuid,
    /// `user` or `org_unit`.
    pub resource_kind: String,
    /// Of which resource.
    pub resource_id: Uuid,
    /// The userName, or the name of the department; `None` when it is gone.
    pub name: Option<String>,
    /// Which attribute; see [`Override::attribute`].
    pub attribute: String,
    /// What it is held at; `None` is no value.
    pub value: Option<Value>,
    /// What the rules wanted when it was made.
    pub against: Option<Value>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: OffsetDateTime,
    /// Why.
    pub reason: String,
    /// The day on which somebody is to ask whether it is still needed.
    pub review_on: Option<Date>,
    /// The plan that made it.
    pub plan_id: Option<Uuid>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Who lifted it; `None` when it ended by itself.
    pub ended_by: Option<String>,
    /// Why it ended.
    pub ended_why: Option<String>,
}

/// Which overrides to list, the newest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct OverrideQuery {
    /// Only of this target.
    pub target: Option<TargetId>,
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Also those that have ended.
    pub ended: bool,
    /// Only those that counted at this moment.
    pub at: Option<OffsetDateTime>,
    /// Only older than this number.
    pub before: Option<i64>,
    /// The most rows.
    pub limit: i64,
}

impl Store {
    /// Lists overrides, the newest first.
    pub async fn overrides(&self, tenant: TenantId, query: &OverrideQuery) -> Result<Vec<OverrideRow>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT ov.id, ov.target_id, ov.resource_kind, ov.resource_id,
                    COALESCE(u.attributes ->> 'userName', o.name) AS name, ov.attribute, ov.value, ov.against, ov.made_by,
                    ov.made_at, ov.reason, ov.review_on, ov.plan_id, ov.ended_at, ov.ended_by, ov.ended_why
             FROM overrides ov
             LEFT JOIN users u ON ov.resource_kind = 'user' AND u.tenant_id = ov.tenant_id AND u.id = ov.resource_id
             LEFT JOIN org_units o ON ov.resource_kind = 'org_unit' AND o.tenant_id = ov.tenant_id
                                  AND o.target_id = ov.target_id AND o.id = ov.resource_id
             WHERE ov.tenant_id = $1 AND ($2::uuid IS NULL OR ov.target_id = $2)
               AND ($3::uuid IS NULL OR ov.resource_id = $3) AND ($4 OR ov.ended_at IS NULL)
               AND ($5::timestamptz IS NULL OR ov.made_at <= $5 AND (ov.ended_at IS NULL OR ov.ended_at > $5))
               AND ($6::bigint IS NULL OR ov.id < $6)
             ORDER BY ov.id DESC LIMIT $7",
        )
        .bind(tenant.0)
        .bind(query.target.map(|id| id.0))
        .bind(query.resource.map(|id| id.0))
        .bind(query.ended)
        .bind(query.at)
        .bind(query.before)
        .bind(query.limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }

    /// The rules want something else of these attributes of the claim's resource by now, or it has left: what holds them
    /// ends, and the change log says so. A plan whose change this was is told that it has moved. `false` when the claim is
    /// lost.
    pub async fn end_overrides(&self, claim: &Claim, attributes: &[String], why: &str) -> Result<bool, StoreError> {
        let (held, of_plan): (bool, bool) = sqlx::query_as(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE),
             ended AS (
                 UPDATE overrides SET ended_at = $6, ended_why = $7
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 AND ended_at IS NULL
                   AND attribute = ANY ($8) AND EXISTS (SELECT 1 FROM fence)
                 RETURNING attribute, plan_id),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $6, COALESCE($9, ''), 'override_ended', $3, $4, 0,
                        jsonb_build_object('target', $2::uuid, 'attributes', jsonb_agg(attribute), 'why', $7::text)
                 FROM ended HAVING count(*) > 0)
             SELECT EXISTS (SELECT 1 FROM fence), COALESCE((SELECT bool_or(plan_id = $10) FROM ended), false)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(self.now())
        .bind(why)
        .bind(attributes)
        .bind(&claim.request_id)
        .bind(claim.permit)
        .fetch_one(self.pool())
        .await?;
        if let Some(plan) = claim.permit.filter(|_| of_plan) {
            self.plan_change_ended(claim, plan, "moved", Some(why)).await?;
        }
        Ok(held)
    }

    /// Lifts an override, so that the rules count again; the change log says by whom. `false` when there is none that
    /// counts.
    pub async fn lift_override(
        &self,
        tenant: TenantId,
        id: i64,
        by: &str,
        request_id: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        // The delivery before the override, as a worker and whoever applies a plan take them.
        sqlx::query(
            "SELECT 1 FROM deliveries
             WHERE (tenant_id, target_id, resource_kind, resource_id) IN (
                 SELECT tenant_id, target_id, resource_kind, resource_id FROM overrides
                 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL) FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(id)
        .execute(&mut *tx)
        .await?;
        let lifted: i64 = sqlx::query_scalar(
            "WITH lifted AS (
                 UPDATE overrides SET ended_at = $3, ended_by = $4
                 WHERE tenant_id = $1 AND id = $2 AND ended_at IS NULL
                 RETURNING target_id, resource_kind, resource_id, attribute),
             marked AS (
                 UPDATE deliveries d
                 SET mark = d.mark + 1, due_at = $3, attempt = 0, waiting_for = NULL, request_id = $5, updated_at = $3,
                     dirty_since = COALESCE(d.dirty_since, $3),
                     state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
                 FROM lifted
                 WHERE d.tenant_id = $1 AND d.target_id = lifted.target_id AND d.resource_kind = lifted.resource_kind
                   AND d.resource_id = lifted.resource_id),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $3, $5, 'override_lifted', resource_kind, resource_id, 0,
                        jsonb_build_object('target', target_id, 'attributes', jsonb_build_array(attribute), 'by', $4::text)
                 FROM lifted)
             SELECT count(*) FROM lifted",
        )
        .bind(tenant.0)
        .bind(id)
        .bind(self.now())
        .bind(by)
        .bind(request_id)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(lifted > 0)
    }
}
