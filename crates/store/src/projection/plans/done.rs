//! What a plan undoes, as it is found: the steps that were taken, and how each resource stands now.

use crate::StoreError;
use crate::projection::links::Link;
use crate::projection::overrides::{OverrideParts, live_overrides, read_overrides};
use rollcall_provisioning::entity::{self, Attributes, EntityKind};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::overrides::Override;
use rollcall_provisioning::undo::{Step, Unit, Waiting};
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use uuid::Uuid;

/// Resources that are looked at, and written, at once: what an undo of many takes of the memory.
const PAGE: i64 = 500;

/// What waits of the delivery `d` for a person's decision, with what the rules want: the lines of its proposal. What waits
/// because of another version of the mapping is not what the rules want of a person by now: those that their account came by
/// still count for it.
macro_rules! waiting_lines {
    () => {
        "(CASE WHEN d.resource_kind <> 'user' OR d.held_by NOT LIKE 'mapping:%' THEN d.proposal -> 'lines' END)"
    };
}
pub(super) use waiting_lines;

/// A step that was taken at a target, with whose it was.
#[derive(FromRow)]
pub(super) struct StepRow {
    pub(super) id: i64,
    pub(super) at: OffsetDateTime,
    pub(super) resource_id: Uuid,
    pub(super) action: String,
    pub(super) attributes: Vec<String>,
    pub(super) outcome: String,
    pub(super) before: Option<Json<Attributes>>,
    pub(super) after: Option<Json<Attributes>>,
    pub(super) chosen: bool,
    pub(super) whose: String,
}

/// How a resource stands, as read.
pub(super) struct Found {
    pub(super) kind: String,
    pub(super) id: Uuid,
    pub(super) name: Option<String>,
    pub(super) entity: EntityKind,
    pub(super) present: bool,
    pub(super) left_out: Option<String>,
    pub(super) marked: bool,
    pub(super) link: Option<Link>,
    pub(super) overrides: Vec<Override>,
    pub(super) waiting: Waiting,
}

/// A line of a proposal.
#[derive(Deserialize)]
struct WaitingLine {
    attribute: String,
    after: Option<Value>,
}

impl StepRow {
    /// The step as the way back is found from it.
    pub(super) fn step(&self) -> Step<'_> {
        Step {
            number: self.id,
            at: self.at,
            action: &self.action,
            attributes: &self.attributes,
            before: self.before.as_ref().map(|image| &image.0),
            after: self.after.as_ref().map(|image| &image.0),
            lost: self.outcome != "accepted",
            chosen: self.chosen,
            whose: &self.whose,
        }
    }
}

/// The next resources of which something is undone, in the order of their ids.
pub(super) async fn page(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    after: Uuid,
) -> Result<Vec<Found>, StoreError> {
    let rows = sqlx::query(concat!(
        "SELECT r.resource_kind, r.resource_id, COALESCE(u.attributes ->> 'userName', g.attributes ->> 'displayName', o.name) AS name,
                CASE r.resource_kind WHEN 'user' THEN COALESCE(u.active AND u.deleted_at IS NULL, false) ELSE true END AS present,
                CASE WHEN d.state = 'gone' OR d.proposal ->> 'verb' = 'delete' THEN COALESCE(d.reason, '') END AS left_out, l.entity,
                ",
        waiting_lines!(),
        " AS waiting,
                EXISTS (SELECT 1 FROM marks m
                        WHERE m.tenant_id = $1 AND m.target_id = $2 AND m.lifted_at IS NULL
                          AND m.kind IN ('protected', 'do_not_touch')
                          AND (m.resource_id = r.resource_id OR m.remote_id = l.remote_id
                               AND m.entity_kind = CASE r.resource_kind WHEN 'user' THEN 'account' ELSE 'org_unit' END)) AS marked,
                l.remote_id AS l_remote_id, l.generation AS l_generation, l.observed AS l_observed, l.snapshot AS l_snapshot,
                l.invited_at AS l_invited_at, l.invitations AS l_invitations,
                    l.last_invited_at AS l_last_invited_at, l.invite_again_by AS l_invite_again_by, l.left_at AS l_left_at, l.removal_by AS l_removal_by, l.updated_at AS l_updated_at, l.adopted_at AS l_adopted_at,
                ",
        live_overrides!("$1", "$2", "r.resource_kind", "r.resource_id"),
        " AS overrides
         FROM (SELECT DISTINCT resource_kind, resource_id FROM undone WHERE resource_id > $3 ORDER BY resource_id LIMIT $4) r
         LEFT JOIN users u ON r.resource_kind = 'user' AND u.tenant_id = $1 AND u.id = r.resource_id
         LEFT JOIN groups g ON r.resource_kind = 'group' AND g.tenant_id = $1 AND g.id = r.resource_id
         LEFT JOIN org_units o ON r.resource_kind = 'org_unit' AND o.tenant_id = $1 AND o.target_id = $2
                              AND o.id = r.resource_id
         LEFT JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = r.resource_kind
                               AND d.resource_id = r.resource_id
         LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = r.resource_kind
                          AND l.resource_id = r.resource_id
         ORDER BY r.resource_id"
    ))
    .bind(tenant.0)
    .bind(target.0)
    .bind(after)
    .bind(PAGE)
    .fetch_all(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let (kind, id): (String, Uuid) = (row.try_get("resource_kind")?, row.try_get("resource_id")?);
            let role: Option<String> = row.try_get("entity")?;
            let overrides: Option<Json<OverrideParts>> = row.try_get("overrides")?;
            let waiting: Option<Json<Vec<WaitingLine>>> = row.try_get("waiting")?;
            let waiting = waiting.into_iter().flat_map(|lines| lines.0).map(|line| (line.attribute, line.after));
            let entity = match kind.as_str() {
                "user" => EntityKind::Account,
                "org_unit" => EntityKind::OrgUnit,
                _ if role.as_deref() == Some(EntityKind::Chat.as_str()) => EntityKind::Chat,
                _ => EntityKind::Role,
            };
            Ok(Found {
                name: row.try_get("name")?,
                entity,
                present: row.try_get("present")?,
                left_out: row.try_get("left_out")?,
                marked: row.try_get("marked")?,
                link: Link::read(row, "l_", id)?,
                overrides: read_overrides(overrides),
                waiting: waiting.collect(),
                kind,
                id,
            })
        })
        .collect()
}

/// All steps about the resources of a page since the first one that is chosen, with whose each was.
pub(super) async fn steps(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    page: &[Found],
) -> Result<Vec<StepRow>, StoreError> {
    let rows = sqlx::query_as(
        "SELECT a.id, a.at, a.resource_id, a.action, a.attributes, a.outcome, a.before, a.after, c.id IS NOT NULL AS chosen,
                COALESCE('plan ' || p.id || ' (' || p.applied_by || ')', 'source ' || s.name, 'Rollcall') AS whose
         FROM (SELECT resource_kind, resource_id, min(id) AS first FROM undone
               WHERE resource_id = ANY ($3) GROUP BY resource_kind, resource_id) r
         JOIN attempts a ON a.tenant_id = $1 AND a.target_id = $2 AND a.resource_id = r.resource_id
                        AND a.resource_kind = r.resource_kind AND a.id >= r.first AND a.outcome IN ('accepted', 'unknown')
         LEFT JOIN undone c ON c.id = a.id
         LEFT JOIN plans p ON p.tenant_id = $1 AND p.id = a.plan_id
         LEFT JOIN LATERAL (
             SELECT c.source_id FROM changes c
             WHERE c.tenant_id = $1 AND c.resource_id = a.resource_id AND c.request_id = a.request_id
               AND c.source_id IS NOT NULL LIMIT 1) by ON true
         LEFT JOIN sources s ON s.tenant_id = $1 AND s.id = by.source_id
         ORDER BY a.id",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(page.iter().map(|found| found.id).collect::<Vec<_>>())
    .fetch_all(tx)
    .await?;
    Ok(rows)
}

/// The remote ids that images and entities name: of accounts and of departments.
pub(super) fn named(steps: &[StepRow], page: &[Found]) -> Vec<String> {
    let images = steps.iter().flat_map(|step| [&step.before, &step.after]).flatten().map(|image| &image.0);
    let now = page.iter().filter_map(|found| found.link.as_ref()).map(|link| &link.snapshot);
    let names = [entity::MANAGER, entity::HEADS, entity::ORG_UNITS, entity::PRIMARY_ORG_UNIT, entity::PARENT];
    let values = images.chain(now).flat_map(|image| names.iter().filter_map(|name| image.get(*name)));
    let texts = values.flat_map(|value| match value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect::<Vec<_>>(),
        value => value.as_str().into_iter().collect(),
    });
    texts.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) async fn accounts(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    named: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    let rows: Vec<String> = sqlx::query_scalar(
        "SELECT remote_id FROM links
         WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND observed = 'known' AND remote_id = ANY ($3)",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(named)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().collect())
}

/// Departments that are there, and those that were: their rows are kept for a while.
pub(super) async fn units(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    named: &[String],
) -> Result<BTreeMap<String, Unit>, StoreError> {
    let rows: Vec<(String, Vec<String>, bool)> = sqlx::query_as(
        "WITH RECURSIVE way AS (
             SELECT id.remote_id, o.parent_id, ARRAY[o.name] AS path, l.remote_id IS NOT NULL AND l.remote_id = id.remote_id
                    AND l.observed = 'known' AND o.gone_at IS NULL AS there
             FROM unnest($3::text[]) AS id (remote_id)
             JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'org_unit'
                         AND (l.remote_id = id.remote_id OR id.remote_id = ANY (l.former_ids))
             JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = l.resource_id
             UNION ALL
             SELECT way.remote_id, o.parent_id, o.name || way.path, way.there FROM way
             JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.id = way.parent_id)
         SELECT DISTINCT ON (remote_id) remote_id, path, there FROM way WHERE parent_id = $2
         ORDER BY remote_id, there DESC",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(named)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|(id, path, there)| (id, Unit { path, there })).collect())
}
