//! Deliveries as people see them: lists, counts, and the wish to look again.

use super::links::Link;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// A delivery with the name of its resource.
#[derive(Clone, Debug)]
pub struct DeliveryItem {
    /// Towards which target.
    pub target: TargetId,
    /// What kind of resource.
    pub kind: ResourceKind,
    /// Which resource.
    pub resource: ResourceId,
    /// The user's userName, the group's displayName or the department's name; `None` when the resource is gone.
    pub name: Option<String>,
    /// The user's displayName.
    pub display_name: Option<String>,
    /// Where it stands.
    pub state: DeliveryState,
    /// Why, in words for a person.
    pub reason: Option<String>,
    /// The resource that it waits for.
    pub waiting_for: Option<ResourceId>,
    /// Error class or finding kind.
    pub error_class: Option<String>,
    /// Error code.
    pub error_code: Option<String>,
    /// Failed tries in a row.
    pub attempt: i32,
    /// When it is looked at by itself.
    pub due_at: Option<OffsetDateTime>,
    /// Since when the target is behind the directory.
    pub dirty_since: Option<OffsetDateTime>,
    /// The version that the target has.
    pub applied_version: Option<i64>,
    /// When the target got it.
    pub applied_at: Option<OffsetDateTime>,
    /// The resource's version now; `None` for a department.
    pub current_version: Option<i64>,
    /// The request that made it dirty last.
    pub request_id: Option<String>,
    /// When the row changed last.
    pub updated_at: OffsetDateTime,
    /// What holds it: `rehearsal`, or `guard:` and the effect that tripped it.
    pub held_by: Option<String>,
    /// What would be done; see [`rollcall_provisioning::proposal::Proposal::to_value`].
    pub proposal: Option<Value>,
}

/// Which deliveries to list, in the order of resource ids.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// Only towards this target.
    pub target: Option<TargetId>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only of this kind.
    pub kind: Option<ResourceKind>,
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Only what this holds; see [`rollcall_provisioning::delivery::HeldBy`].
    pub held_by: Option<String>,
    /// Only with this error code.
    pub code: Option<String>,
    /// Only after this resource id (and target id, for one resource at several targets).
    pub after: Option<(ResourceId, TargetId)>,
    /// The most rows.
    pub limit: i64,
}

/// How many deliveries of a kind stand where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliveryCount {
    /// What kind of resource.
    pub kind: ResourceKind,
    /// Where they stand.
    pub state: DeliveryState,
    /// How many.
    pub count: i64,
}

/// The delivery that is behind for the longest time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OldestWaiting {
    /// Which resource.
    pub resource: ResourceId,
    /// Since when.
    pub since: OffsetDateTime,
}

/// Which deliveries are to be looked at again.
#[derive(Clone, Copy, Debug, Default)]
pub struct MarkAgain {
    /// Only towards this target.
    pub target: Option<TargetId>,
    /// Only of this resource.
    pub resource: Option<ResourceId>,
    /// Only in this state; without it, those that retry, wait or need attention.
    pub state: Option<DeliveryState>,
}

impl Store {
    /// Lists deliveries.
    pub async fn deliveries(&self, tenant: TenantId, query: &DeliveryQuery) -> Result<Vec<DeliveryItem>, StoreError> {
        let (after_resource, after_target) =
            query.after.map_or((None, None), |(resource, target)| (Some(resource.0), Some(target.0)));
        let rows = sqlx::query(
            "SELECT d.target_id, d.resource_kind, d.resource_id, d.state, d.reason, d.waiting_for, d.error_class,
                    d.error_code, d.attempt, d.due_at, d.dirty_since, d.applied_version, d.applied_at, d.request_id,
                    d.updated_at, d.held_by, d.proposal, COALESCE(u.attributes ->> 'userName', g.attributes ->> 'displayName', o.name) AS name,
                    u.attributes ->> 'displayName' AS display_name, COALESCE(u.version, g.version) AS current_version
             FROM deliveries d
             LEFT JOIN users u ON d.resource_kind = 'user' AND u.tenant_id = d.tenant_id AND u.id = d.resource_id
             LEFT JOIN groups g ON d.resource_kind = 'group' AND g.tenant_id = d.tenant_id AND g.id = d.resource_id
             LEFT JOIN org_units o ON d.resource_kind = 'org_unit' AND o.tenant_id = d.tenant_id
                                  AND o.target_id = d.target_id AND o.id = d.resource_id
             WHERE d.tenant_id = $1 AND ($2::uuid IS NULL OR d.target_id = $2)
               AND ($3::text IS NULL OR d.state = $3) AND ($4::text IS NULL OR d.resource_kind = $4)
               AND ($5::uuid IS NULL OR d.resource_id = $5)
               AND ($6::uuid IS NULL OR (d.resource_id, d.target_id) > ($6, $7::uuid))
               AND ($9::text IS NULL OR d.held_by = $9) AND ($10::text IS NULL OR d.error_code = $10)
             ORDER BY d.resource_id, d.target_id LIMIT $8",
        )
        .bind(tenant.0)
        .bind(query.target.map(|id| id.0))
        .bind(query.state.map(DeliveryState::as_str))
        .bind(query.kind.map(ResourceKind::as_str))
        .bind(query.resource.map(|id| id.0))
        .bind(after_resource)
        .bind(after_target)
        .bind(query.limit)
        .bind(&query.held_by)
        .bind(&query.code)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(item_from).collect()
    }

    /// What we know of a resource at a target.
    pub async fn link(
        &self,
        tenant: TenantId,
        target: TargetId,
        kind: ResourceKind,
        resource: ResourceId,
    ) -> Result<Option<Link>, StoreError> {
        let row = sqlx::query(
            "SELECT remote_id, generation, observed, snapshot, invited_at, invitations, last_invited_at,
                    invite_again_by, left_at, removal_by, updated_at, adopted_at FROM links
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .fetch_optional(self.pool())
        .await?;
        row.map_or(Ok(None), |row| Link::read(&row, "", resource.0))
    }

    /// Counts the deliveries of a target by kind and state. Whom a survey has still to look at is pending.
    pub async fn delivery_counts(&self, tenant: TenantId, target: TargetId) -> Result<Vec<DeliveryCount>, StoreError> {
        let rows: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT d.resource_kind, of.state, count(*) FROM deliveries d
             LEFT JOIN surveys s ON s.tenant_id = d.tenant_id AND s.target_id = d.target_id AND d.resource_kind = 'user'
                                AND (s.after IS NULL OR d.resource_id > s.after)
             CROSS JOIN LATERAL (SELECT CASE WHEN s.number IS NULL THEN d.state ELSE 'pending' END AS state) of
             WHERE d.tenant_id = $1 AND d.target_id = $2 GROUP BY d.resource_kind, of.state ORDER BY d.resource_kind, of.state",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_all(self.pool())
        .await?;
        rows.into_iter()
            .map(|(kind, state, count)| {
                let kind = super::kind_from(&kind, target.0)?;
                Ok(DeliveryCount { kind, state: state_from(&state, target.0)?, count })
            })
            .collect()
    }

    /// The change that a target has been owed for the longest time: pending, applying or retrying.
    pub async fn oldest_waiting(
        &self,
        tenant: TenantId,
        target: TargetId,
    ) -> Result<Option<OldestWaiting>, StoreError> {
        let row: Option<(Uuid, OffsetDateTime)> = sqlx::query_as(
            "SELECT resource_id, dirty_since FROM deliveries
             WHERE tenant_id = $1 AND target_id = $2 AND state IN ('pending', 'applying', 'retrying')
               AND dirty_since IS NOT NULL
             ORDER BY dirty_since LIMIT 1",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(row.map(|(resource, since)| OldestWaiting { resource: ResourceId(resource), since }))
    }

    /// Marks deliveries, so that they are looked at again now. Returns how many.
    pub async fn mark_again(&self, tenant: TenantId, which: &MarkAgain, request_id: &str) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries
             SET mark = mark + 1, attempt = 0, due_at = $5, waiting_for = NULL, request_id = $6, updated_at = $5,
                 dirty_since = COALESCE(dirty_since, $5),
                 state = CASE WHEN lease_until > now() THEN state ELSE 'pending' END
             WHERE tenant_id = $1 AND ($2::uuid IS NULL OR target_id = $2) AND ($3::uuid IS NULL OR resource_id = $3)
               AND CASE WHEN $4::text IS NULL AND $3::uuid IS NULL
                        THEN state IN ('retrying', 'waiting', 'needs_attention')
                        ELSE $4::text IS NULL OR state = $4 END",
        )
        .bind(tenant.0)
        .bind(which.target.map(|id| id.0))
        .bind(which.resource.map(|id| id.0))
        .bind(which.state.map(DeliveryState::as_str))
        .bind(self.now())
        .bind(request_id)
        .execute(self.pool())
        .await?;
        self.signal.dirty();
        Ok(done.rows_affected())
    }
}

fn state_from(word: &str, id: Uuid) -> Result<DeliveryState, StoreError> {
    DeliveryState::parse(word).ok_or_else(|| StoreError::corrupt("deliveries", "state", id))
}

fn item_from(row: &PgRow) -> Result<DeliveryItem, StoreError> {
    let resource: Uuid = row.try_get("resource_id")?;
    let kind: String = row.try_get("resource_kind")?;
    let state: String = row.try_get("state")?;
    Ok(DeliveryItem {
        target: TargetId(row.try_get("target_id")?),
        kind: super::kind_from(&kind, resource)?,
        resource: ResourceId(resource),
        name: row.try_get("name")?,
        display_name: row.try_get("display_name")?,
        state: state_from(&state, resource)?,
        reason: row.try_get("reason")?,
        waiting_for: row.try_get::<Option<Uuid>, _>("waiting_for")?.map(ResourceId),
        error_class: row.try_get("error_class")?,
        error_code: row.try_get("error_code")?,
        attempt: row.try_get("attempt")?,
        due_at: row.try_get("due_at")?,
        dirty_since: row.try_get("dirty_since")?,
        applied_version: row.try_get("applied_version")?,
        applied_at: row.try_get("applied_at")?,
        current_version: row.try_get("current_version")?,
        request_id: row.try_get("request_id")?,
        updated_at: row.try_get("updated_at")?,
        held_by: row.try_get("held_by")?,
        proposal: row.try_get("proposal")?,
    })
}
