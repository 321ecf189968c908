//! Looking at every group again: when the rules for groups change, when a target is new, when somebody decides by hand.

use crate::StoreError;
use crate::members::named_id;
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::mapping::Asked;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// Notes what depends on groups by the document that counts now, and by what was decided by hand. A write of a group that
/// has not seen it yet would mark nothing, so it is waited for, and others wait until the transaction ends.
pub(crate) async fn note_asked(tx: &mut PgConnection, tenant: TenantId, asked: Asked) -> Result<Asked, StoreError> {
    let (before, now): (Vec<bool>, Vec<bool>) = sqlx::query_as(
        "SELECT ARRAY[o.maps_groups, o.asks_groups],
                ARRAY[$2 OR EXISTS (SELECT 1 FROM group_choices c WHERE c.tenant_id = $1)
                         OR EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.resource_kind = 'group'
                                      AND l.observed <> 'absent'),
                      $3 OR EXISTS (SELECT 1 FROM group_choices c
                                    WHERE c.tenant_id = $1 AND c.choice ->> 'becomes' = 'department')]
         FROM tenants o WHERE o.id = $1 FOR UPDATE",
    )
    .bind(tenant.0)
    .bind(asked.maps_groups)
    .bind(asked.asks_groups)
    .fetch_one(&mut *tx)
    .await?;
    if before == now {
        return Ok(asked_of(&now));
    }
    if before.iter().zip(&now).any(|(before, now)| !before & now) {
        sqlx::query("LOCK TABLE groups IN SHARE MODE").execute(&mut *tx).await?;
    }
    let now = asked_of(&now);
    sqlx::query("UPDATE tenants SET maps_groups = $2, asks_groups = $3 WHERE id = $1")
        .bind(tenant.0)
        .bind(now.maps_groups)
        .bind(now.asks_groups)
        .execute(tx)
        .await?;
    Ok(now)
}

fn asked_of(flags: &[bool]) -> Asked {
    let flag = |place: usize| flags.get(place).copied().unwrap_or(false);
    Asked { maps_groups: flag(0), asks_groups: flag(1) }
}

/// Which groups are looked at again, with all their members.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    /// Only towards this target.
    pub(crate) target: Option<Uuid>,
    /// Only this one.
    pub(crate) group: Option<Uuid>,
    /// Whether a delivery that is new is let through under the rules that count now.
    pub(crate) let_through: bool,
}

/// Marks groups.
pub(crate) async fn mark_groups_again(
    tx: &mut PgConnection,
    tenant: TenantId,
    which: Groups,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    for statement in [
        "INSERT INTO deliveries AS d (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at, dirty_since,
                                      mapping_version, updated_at)
         SELECT $1, t.id, 'group', g.id, 2, 'pending', $5, $5, CASE WHEN $4 THEN o.mapping_version ELSE 0 END, $5
         FROM groups g CROSS JOIN targets t JOIN tenants o ON o.id = $1
         WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND t.tenant_id = $1
           AND ($2::uuid IS NULL OR t.id = $2) AND ($3::uuid IS NULL OR g.id = $3)
         ORDER BY g.id, t.id
         ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
         SET mark = d.mark + 1, attempt = 0, due_at = $5, updated_at = $5, waiting_for = NULL,
             dirty_since = COALESCE(d.dirty_since, $5),
             mapping_version = CASE WHEN $4 THEN excluded.mapping_version ELSE d.mapping_version END,
             state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END",
        "INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id)
         SELECT $1, t.id, g.id, g.id FROM groups g CROSS JOIN targets t
         WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND t.tenant_id = $1
           AND ($2::uuid IS NULL OR t.id = $2) AND ($3::uuid IS NULL OR g.id = $3) AND $4 IS NOT NULL AND $5 IS NOT NULL
         ORDER BY t.id, g.id
         ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1",
    ] {
        sqlx::query(statement)
            .bind(tenant.0)
            .bind(which.target)
            .bind(which.group)
            .bind(which.let_through)
            .bind(now)
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

/// Marks everybody who is in a group or in groups within it: it becomes another department, or none.
pub(crate) async fn mark_people_of(
    tx: &mut PgConnection,
    tenant: TenantId,
    (target, group): (Uuid, Uuid),
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(concat!(
        "WITH RECURSIVE below (id) AS (
             SELECT $3::uuid
             UNION
             SELECT g.id FROM below
             JOIN memberships m ON m.tenant_id = $1 AND m.group_id = below.id
             JOIN groups g ON g.tenant_id = $1 AND g.id = ",
        named_id!("m.member_id"),
        "),
         people AS (
             SELECT ",
        named_id!("m.member_id"),
        " AS id FROM below JOIN memberships m ON m.tenant_id = $1 AND m.group_id = below.id),
         them AS MATERIALIZED (
             SELECT d.resource_id FROM deliveries d
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
               AND d.resource_id IN (SELECT id FROM people)
             ORDER BY d.resource_id FOR UPDATE)
         UPDATE deliveries d
         SET mark = d.mark + 1, attempt = 0, due_at = $4, updated_at = $4, waiting_for = NULL,
             dirty_since = COALESCE(d.dirty_since, $4),
             state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
         FROM them
         WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' AND d.resource_id = them.resource_id"
    ))
    .bind(tenant.0)
    .bind(target)
    .bind(group)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}
