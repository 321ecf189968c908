//! What people decided by hand about single groups, and what each group has become at a target.

use super::group_loading::choice_from;
use super::group_marks::{Groups, mark_groups_again, mark_people_of, note_asked};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::mapping::{Asked, Choice, Mapping};
use serde_json::{Map, Value, json};
use sqlx::Row;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// A decision about one group.
#[derive(Clone, Copy, Debug)]
pub struct GroupChoice<'a> {
    /// At which target.
    pub target: TargetId,
    /// Which group.
    pub group: ResourceId,
    /// What it becomes; `None` leaves it to the rules again.
    pub choice: Option<&'a Choice>,
    /// Who says so.
    pub by: &'a str,
    /// By which request.
    pub request_id: &'a str,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum ChooseError {
    /// There is no such target.
    #[error("there is no such target")]
    NoTarget,
    /// There is no such group.
    #[error("there is no such group")]
    NoGroup,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ChooseError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A group and what is known of it at a target.
#[derive(Clone, Debug)]
pub struct GroupItem {
    /// The group.
    pub id: ResourceId,
    /// The resource without members and read-only attributes.
    pub attributes: Map<String, Value>,
    /// Name and profile of the source that pushes it.
    pub source: Option<(String, String)>,
    /// What a person decided about it.
    pub choice: Option<Choice>,
    /// Who did.
    pub chosen_by: Option<String>,
    /// When.
    pub chosen_at: Option<OffsetDateTime>,
    /// How many members it names.
    pub named: i64,
    /// `role` or `chat`, once there is one.
    pub entity: Option<String>,
    /// The target's id of it.
    pub remote_id: Option<String>,
    /// How many the target has in it through us.
    pub applied: i64,
    /// How many are to be in it and are not.
    pub missing: i64,
    /// How many of those the target refuses.
    pub refused: i64,
    /// Where its delivery stands; `None` when it was never looked at.
    pub state: Option<DeliveryState>,
    /// Why, in words for a person.
    pub reason: Option<String>,
}

/// Which groups to list, in the order of their ids.
#[derive(Clone, Copy, Debug)]
pub struct GroupQuery {
    /// At which target.
    pub target: TargetId,
    /// Only this one.
    pub group: Option<ResourceId>,
    /// Only after this one.
    pub after: Option<ResourceId>,
    /// The most rows.
    pub limit: i64,
}

impl Store {
    /// Decides what a group becomes, whatever the rules say; the change log says by whom. The group is looked at at once,
    /// and waits for no plan: somebody has decided.
    pub async fn choose_group(&self, tenant: TenantId, new: &GroupChoice<'_>) -> Result<(), ChooseError> {
        let (target, group) = (new.target.0, new.group.0);
        let mut tx = self.pool().begin().await?;
        // As many may be marked as the group has members.
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        // As a new version of the mapping does it, so that neither forgets the other.
        let document: Option<Option<Value>> = sqlx::query_scalar(
            "SELECT m.document FROM tenants o
             LEFT JOIN mappings m ON m.tenant_id = o.id AND m.version = o.mapping_version
             WHERE o.id = $1 FOR UPDATE OF o",
        )
        .bind(tenant.0)
        .fetch_optional(&mut *tx)
        .await?;
        let (there, known): (bool, bool) = sqlx::query_as(
            "SELECT EXISTS (SELECT 1 FROM targets WHERE tenant_id = $1 AND id = $2),
                    EXISTS (SELECT 1 FROM groups WHERE tenant_id = $1 AND id = $3 AND deleted_at IS NULL)",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(group)
        .fetch_one(&mut *tx)
        .await?;
        if !there {
            return Err(ChooseError::NoTarget);
        }
        if !known {
            return Err(ChooseError::NoGroup);
        }
        let before: Option<Value> = sqlx::query_scalar(
            "DELETE FROM group_choices WHERE tenant_id = $1 AND target_id = $2 AND group_id = $3 RETURNING choice",
        )
        .bind(tenant.0)
        .bind(target)
        .bind(group)
        .fetch_optional(&mut *tx)
        .await?;
        let after = new.choice.map(Choice::to_value);
        if let Some(after) = &after {
            sqlx::query(
                "INSERT INTO group_choices (tenant_id, target_id, group_id, choice, chosen_by, chosen_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(tenant.0)
            .bind(target)
            .bind(group)
            .bind(after)
            .bind(new.by)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        }
        let asked = Asked::by(&document.flatten().unwrap_or_else(Mapping::default_document));
        note_asked(&mut tx, tenant, asked).await?;
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $2, $3, 'group_chosen', 'group', $4, 0, $5)",
        )
        .bind(tenant.0)
        .bind(self.now())
        .bind(new.request_id)
        .bind(group)
        .bind(json!({ "by": new.by, "target": target, "before": before, "after": after }))
        .execute(&mut *tx)
        .await?;
        let this = Groups { target: Some(target), group: Some(group), let_through: true };
        mark_groups_again(&mut tx, tenant, this, self.now()).await?;
        // Whether it was a department by a rule is not known here.
        mark_people_of(&mut tx, tenant, (target, group), self.now()).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(())
    }

    /// The group of this displayName, whatever its case.
    pub async fn group_by_name(&self, tenant: TenantId, name: &str) -> Result<Option<ResourceId>, StoreError> {
        let id: Option<Uuid> = sqlx::query_scalar(
            "SELECT id FROM groups WHERE tenant_id = $1 AND display_name_key = $2 AND deleted_at IS NULL",
        )
        .bind(tenant.0)
        .bind(rollcall_scim::fold::fold(name))
        .fetch_optional(self.pool())
        .await?;
        Ok(id.map(ResourceId))
    }

    /// Lists groups with what is known of them at a target. `None` when there is no such target.
    pub async fn groups_at(&self, tenant: TenantId, query: &GroupQuery) -> Result<Option<Vec<GroupItem>>, StoreError> {
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM targets WHERE tenant_id = $1 AND id = $2)")
            .bind(tenant.0)
            .bind(query.target.0)
            .fetch_one(self.pool())
            .await?;
        if !there {
            return Ok(None);
        }
        let rows = sqlx::query(
            "WITH page AS MATERIALIZED (
                 SELECT g.* FROM groups g
                 WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND ($3::uuid IS NULL OR g.id = $3)
                   AND ($4::uuid IS NULL OR g.id > $4)
                 ORDER BY g.id LIMIT $5)
             SELECT g.id, g.attributes, s.name AS s_name, s.profile AS s_profile, c.choice, c.chosen_by, c.chosen_at,
                    (SELECT count(*) FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = g.id) AS named,
                    l.entity, CASE WHEN l.observed = 'known' THEN l.remote_id END AS remote_id,
                    counted.applied, counted.missing, counted.refused, d.state, d.reason
             FROM page g
             LEFT JOIN sources s ON s.tenant_id = $1 AND s.id = g.source_id
             LEFT JOIN group_choices c ON c.tenant_id = $1 AND c.target_id = $2 AND c.group_id = g.id
             LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'group'
                              AND l.resource_id = g.id
             LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'group'
                                   AND d.resource_id = g.id
             CROSS JOIN LATERAL (
                 SELECT count(*) FILTER (WHERE gm.applied) AS applied,
                        count(*) FILTER (WHERE gm.wanted AND NOT gm.applied) AS missing,
                        count(*) FILTER (WHERE gm.refused IS NOT NULL) AS refused
                 FROM group_members gm
                 WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.group_id = g.id AND gm.user_id <> g.id) counted
             ORDER BY g.id",
        )
        .bind(tenant.0)
        .bind(query.target.0)
        .bind(query.group.map(|id| id.0))
        .bind(query.after.map(|id| id.0))
        .bind(query.limit)
        .fetch_all(self.pool())
        .await?;
        rows.iter().map(item_from).collect::<Result<_, _>>().map(Some)
    }
}

fn item_from(row: &PgRow) -> Result<GroupItem, StoreError> {
    let id: Uuid = row.try_get("id")?;
    let attributes: Json<Map<String, Value>> = row.try_get("attributes")?;
    let corrupt = || StoreError::corrupt("deliveries", "state", id);
    let state: Option<String> = row.try_get("state")?;
    Ok(GroupItem {
        id: ResourceId(id),
        attributes: attributes.0,
        source: row.try_get::<Option<String>, _>("s_name")?.zip(row.try_get("s_profile")?),
        choice: choice_from(row, id)?,
        chosen_by: row.try_get("chosen_by")?,
        chosen_at: row.try_get("chosen_at")?,
        named: row.try_get("named")?,
        entity: row.try_get("entity")?,
        remote_id: row.try_get("remote_id")?,
        applied: row.try_get("applied")?,
        missing: row.try_get("missing")?,
        refused: row.try_get("refused")?,
        state: state.map(|word| DeliveryState::parse(&word).ok_or_else(corrupt)).transpose()?,
        reason: row.try_get("reason")?,
    })
}
