//! Breaking a link: what was believed of a resource and an entity is forgotten, and the target is left as it is.
//!
//! The delivery is held by adoption afterwards: nothing new is made for the resource, and nothing is changed at what it is
//! linked to next, until a plan permits it. The entity's id is not used for the resource again by itself, because the
//! generation grows.

use super::by_hand::{LinkError, not_correlating, only_one};
use crate::projection::Claim;
use crate::projection::plans::end_plan_change;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// What a broken link says to people who ask for the plan that permitted something of it.
const MEANWHILE: &str = "The link was broken meanwhile.";

/// A link to be broken.
#[derive(Clone, Copy, Debug)]
pub struct Parting<'a> {
    /// What kind of resource.
    pub kind: ResourceKind,
    /// Which.
    pub resource: ResourceId,
    /// Why.
    pub reason: &'a str,
    /// Who says so.
    pub by: &'a str,
}

/// What looking again came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rematching {
    /// The scan from which it is found out once more who is who.
    pub scan: Uuid,
    /// The entity to which it was linked.
    pub remote_id: Option<String>,
}

#[derive(FromRow)]
struct LinkRow {
    remote_id: Option<String>,
    observed: String,
    invited: bool,
    contact: bool,
}

#[derive(FromRow)]
struct DeliveryRow {
    resource_kind: String,
    permit: Option<Uuid>,
    busy: bool,
}

impl Store {
    /// Breaks a link, and remembers of a person that the account is not theirs. Returns the entity's id.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing is changed then.
    pub async fn break_link(
        &self,
        tenant: TenantId,
        target: TargetId,
        parting: &Parting<'_>,
    ) -> Result<String, LinkError> {
        let mut tx = self.pool().begin().await?;
        only_one(&mut tx, tenant, target).await?;
        not_correlating(&mut tx, tenant, target).await?;
        let remote_id = self.part(&mut tx, (tenant, target), parting).await?.ok_or(LinkError::NotLinked)?;
        if parting.kind == ResourceKind::User {
            self.refuse_pair(&mut tx, (tenant, target), parting, &remote_id).await?;
        }
        self.say(&mut tx, (tenant, target), parting, ("link_broken", Some(&remote_id))).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(remote_id)
    }

    /// Breaks the link, if there is one, and finds out once more who is who, from what the newest scan has found. The same
    /// entity may be found again; what a person has refused is not.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing is changed then.
    pub async fn rematch(
        &self,
        tenant: TenantId,
        target: TargetId,
        parting: &Parting<'_>,
    ) -> Result<Rematching, LinkError> {
        let mut tx = self.pool().begin().await?;
        only_one(&mut tx, tenant, target).await?;
        not_correlating(&mut tx, tenant, target).await?;
        let remote_id = self.part(&mut tx, (tenant, target), parting).await?;
        // What was decided about the pair is to be found out again.
        sqlx::query(
            "DELETE FROM candidates
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND $4 = 'user'
               AND (decision IS NULL OR decision IN ('accepted', 'new'))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(parting.resource.0)
        .bind(parting.kind.as_str())
        .execute(&mut *tx)
        .await?;
        let scan: Option<Uuid> = sqlx::query_scalar(
            "UPDATE scans
             SET state = CASE state WHEN 'done' THEN 'correlating' ELSE state END, error_code = NULL, error = NULL,
                 attempt = CASE state WHEN 'done' THEN 0 ELSE attempt END, finished_at = NULL,
                 due_at = CASE state WHEN 'done' THEN $3 ELSE due_at END
             WHERE tenant_id = $1 AND target_id = $2 AND state IN ('done', 'walking')
               AND id = (SELECT id FROM scans WHERE tenant_id = $1 AND target_id = $2
                         ORDER BY requested_at DESC, id DESC LIMIT 1)
             RETURNING id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .fetch_optional(&mut *tx)
        .await?;
        let scan = scan.ok_or(LinkError::NoScan)?;
        self.say(&mut tx, (tenant, target), parting, ("link_rematched", remote_id.as_deref())).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(Rematching { scan, remote_id })
    }

    /// Whether somebody has said that this account is not that of the claim's person.
    ///
    /// # Errors
    /// The database failed.
    pub async fn is_parted(&self, claim: &Claim, remote_id: &str) -> Result<bool, StoreError> {
        let parted = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM candidates
                            WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND remote_id = $4
                              AND decision = 'rejected' AND NOT superseded)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(remote_id)
        .fetch_one(self.pool())
        .await?;
        Ok(parted)
    }

    /// Forgets a link. `None` when there was none.
    async fn part(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        parting: &Parting<'_>,
    ) -> Result<Option<String>, LinkError> {
        let Parting { kind, resource, .. } = *parting;
        if kind == ResourceKind::Group {
            return Err(LinkError::ByName);
        }
        there_is(tx, (tenant, target), parting).await?;
        self.locked(tx, (tenant, target), parting).await?;
        let link: Option<LinkRow> = sqlx::query_as(
            "SELECT remote_id, observed, invited_at IS NOT NULL AS invited,
                    COALESCE(snapshot ->> 'account_kind' = 'contact', false) AS contact
             FROM links WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(link) = link else { return Ok(None) };
        let remote_id = match (link.remote_id, link.observed.as_str()) {
            (Some(_), _) if link.contact => return Err(LinkError::Contact),
            (Some(remote_id), _) => remote_id,
            (None, _) if link.invited => return Err(LinkError::Invited),
            (None, "absent") => return Ok(None),
            (None, _) => return Err(LinkError::InDoubt),
        };
        for statement in [FORGET_LINK, FORGET_PLACES, FORGET_ROLES, HOLD] {
            sqlx::query(statement)
                .bind(tenant.0)
                .bind(target.0)
                .bind(kind.as_str())
                .bind(resource.0)
                .bind(self.now())
                .execute(&mut *tx)
                .await?;
        }
        Ok(Some(remote_id))
    }

    /// Locks the deliveries that are written to, in the order in which a write of several marks takes them, after the plan
    /// that permits something of it, which ends with that.
    async fn locked(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        parting: &Parting<'_>,
    ) -> Result<(), LinkError> {
        let Parting { kind, resource, .. } = *parting;
        let permit: Option<Option<Uuid>> = sqlx::query_scalar(
            "SELECT permit FROM deliveries
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .fetch_optional(&mut *tx)
        .await?;
        let permit = permit.flatten();
        if let Some(plan) = permit {
            sqlx::query("SELECT 1 FROM plans WHERE tenant_id = $1 AND id = $2 FOR UPDATE")
                .bind(tenant.0)
                .bind(plan)
                .execute(&mut *tx)
                .await?;
        }
        // Whoever was never due has no delivery, and nothing is to become due of it without being held.
        sqlx::query(
            "INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at, dirty_since,
                                     updated_at)
             VALUES ($1, $2, $3, $4, $5, 'pending', $6, $6, $6) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .bind(if kind == ResourceKind::OrgUnit { Lane::OrgUnit } else { Lane::Other }.number())
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(
            "SELECT resource_kind, permit, COALESCE(lease_until > now(), false) AS busy FROM deliveries
             WHERE tenant_id = $1 AND target_id = $2
               AND (resource_kind = $3 AND resource_id = $4
                    OR $3 = 'user' AND resource_kind = 'group'
                       AND resource_id IN (SELECT group_id FROM group_members
                                           WHERE tenant_id = $1 AND target_id = $2 AND user_id = $4))
             ORDER BY resource_id FOR UPDATE",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(kind.as_str())
        .bind(resource.0)
        .fetch_all(&mut *tx)
        .await?;
        let own = rows.iter().find(|row| row.resource_kind == kind.as_str());
        if own.is_none_or(|row| row.busy || row.permit != permit) {
            return Err(LinkError::Busy);
        }
        if let Some(plan) = permit {
            let ended = ("moved", Some(MEANWHILE));
            end_plan_change(tx, (tenant, plan), (kind, resource), ended, self.now()).await?;
        }
        Ok(())
    }

    /// The account is not this person's; whatever was rejected only because it was believed to be is open again.
    async fn refuse_pair(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        parting: &Parting<'_>,
        remote_id: &str,
    ) -> Result<(), StoreError> {
        let refused = sqlx::query(
            "UPDATE candidates SET decision = 'rejected', superseded = false, decided_by = $5, decided_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND remote_id = $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(parting.resource.0)
        .bind(remote_id)
        .bind(parting.by)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        if refused.rows_affected() == 0 {
            sqlx::query(
                "INSERT INTO candidates (tenant_id, target_id, id, scan_id, bucket, resource_id, remote_id, decision,
                                         decided_by, decided_at)
                 VALUES ($1, $2, $3, COALESCE((SELECT s.id FROM scans s WHERE s.tenant_id = $1 AND s.target_id = $2
                                               ORDER BY s.requested_at DESC, s.id DESC LIMIT 1), $2),
                         'suggested', $4, $5, 'rejected', $6, $7)",
            )
            .bind(tenant.0)
            .bind(target.0)
            .bind(self.new_id())
            .bind(parting.resource.0)
            .bind(remote_id)
            .bind(parting.by)
            .bind(self.now())
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query(
            "UPDATE candidates c SET decision = NULL, superseded = false, decided_by = NULL, decided_at = NULL
             WHERE c.tenant_id = $1 AND c.target_id = $2 AND c.superseded AND (c.resource_id = $3 OR c.remote_id = $4)
               AND NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2
                                 AND l.resource_kind = 'user' AND l.remote_id IS NOT NULL
                                 AND (l.resource_id = c.resource_id OR l.remote_id = c.remote_id))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(parting.resource.0)
        .bind(remote_id)
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn say(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        parting: &Parting<'_>,
        (operation, remote_id): (&str, Option<&str>),
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $3, '', $4, $5, $6, 0,
                     jsonb_strip_nulls(jsonb_build_object('target', $2::uuid, 'remote_id', $7::text, 'reason', $8::text,
                                                          'by', $9::text)))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(operation)
        .bind(parting.kind.as_str())
        .bind(parting.resource.0)
        .bind(remote_id)
        .bind(parting.reason)
        .bind(parting.by)
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// `$1` to `$4` are the tenant, the target, the kind and the id of the resource, `$5` the present moment, in each of these.
const FORGET_LINK: &str = "
    UPDATE links SET observed = 'absent', remote_id = NULL, snapshot = '{}', invited_at = NULL, left_at = NULL,
           removal_by = NULL, entity = NULL, adopted = false, kept = false, out_at = NULL, adopted_at = NULL,
           invitations = 0, last_invited_at = NULL, invited_number = NULL, invite_again_by = NULL,
           generation = generation + 1, updated_at = $5
    WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4";

/// The target has the person in no department, as far as we know.
const FORGET_PLACES: &str = "
    WITH elsewhere AS (
        DELETE FROM placements
        WHERE tenant_id = $1 AND target_id = $2 AND $3 = 'user' AND user_id = $4 AND NOT wanted AND $5::timestamptz IS NOT NULL)
    UPDATE placements SET applied = false
    WHERE tenant_id = $1 AND target_id = $2 AND $3 = 'user' AND user_id = $4 AND wanted AND applied";

/// Nor in any role or chat.
const FORGET_ROLES: &str = "
    WITH marked AS (
        UPDATE deliveries d
        SET mark = d.mark + 1, due_at = $5, updated_at = $5, dirty_since = COALESCE(d.dirty_since, $5),
            state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
        WHERE $3 = 'user' AND d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'group'
          AND d.resource_id IN (SELECT group_id FROM group_members WHERE tenant_id = $1 AND target_id = $2 AND user_id = $4))
    UPDATE group_members SET mark = mark + 1, offered = NULL, applied = false, remote_id = NULL
    WHERE $3 = 'user' AND tenant_id = $1 AND target_id = $2 AND user_id = $4";

/// Whoever is at it has lost its claim, and what is to be done next waits for a plan.
const HOLD: &str = "
    UPDATE deliveries
    SET adopted = true, permit = NULL, mark = mark + 1, attempt = 0, due_at = $5, updated_at = $5, waiting_for = NULL,
        dirty_since = COALESCE(dirty_since, $5), state = 'pending', lease_epoch = lease_epoch + 1
    WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4";

/// Refuses what is neither in the directory nor linked.
async fn there_is(
    tx: &mut PgConnection,
    (tenant, target): (TenantId, TargetId),
    parting: &Parting<'_>,
) -> Result<(), LinkError> {
    let there: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM links WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4)
             OR $3 = 'user' AND EXISTS (SELECT 1 FROM users WHERE tenant_id = $1 AND id = $4 AND deleted_at IS NULL)
             OR $3 = 'org_unit' AND EXISTS (SELECT 1 FROM org_units WHERE tenant_id = $1 AND target_id = $2 AND id = $4
                                              AND gone_at IS NULL)",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(parting.kind.as_str())
    .bind(parting.resource.0)
    .fetch_one(tx)
    .await?;
    if there { Ok(()) } else { Err(LinkError::NotLinked) }
}
