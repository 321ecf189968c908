//! How a try ended, as the row remembers it.
//!
//! Two deliveries that wait for each other must not miss each other: the one that arrives wakes those that
//! wait in a statement *after* its link is committed, and the one that decides to wait looks at the link once
//! more *after* its own row is committed. Until that second look the row stays due, so that a crash between
//! the two cannot lose the wake.

use super::claims::Claim;
use super::targets::TargetMode;
use crate::changes::Alert;
use crate::manager::{manager_names, names_as_manager};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::{DeliveryState, Standing, WAITING_FOR_MEMBERS};
use rollcall_provisioning::ids::ResourceId;
use sqlx::PgExecutor;
use std::time::Duration;
use time::OffsetDateTime;

/// What recording did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// The row has the new standing.
    Settled,
    /// A newer mark came meanwhile: the row is pending again.
    MoreToDo,
    /// A newer claim exists: nothing was written.
    LostClaim,
}

/// How soon a row that decided to wait is looked at again if its worker dies at that very moment.
const SECOND_LOOK: Duration = Duration::from_secs(15);

impl Store {
    /// Records the end of a try and gives the claim back. `applied_version` is the resource's version that
    /// the target now has, if it has it.
    pub async fn record(
        &self,
        claim: &Claim,
        standing: &Standing,
        applied_version: Option<i64>,
    ) -> Result<Recorded, StoreError> {
        let more = self.end_try(self.pool(), claim, standing, applied_version).await?;
        match (more, standing.waiting_for) {
            (None, _) => Ok(Recorded::LostClaim),
            (Some(true), _) => Ok(Recorded::MoreToDo),
            (Some(false), None) => Ok(Recorded::Settled),
            (Some(false), Some(on)) => self.look_again(claim, on, standing.due_at).await,
        }
    }

    /// Records that something may not be sent before a moment, because of the settings or the deny windows of the target.
    /// If these have changed since the claim it is looked at again at once.
    pub async fn record_later(&self, claim: &Claim, standing: &Standing) -> Result<Recorded, StoreError> {
        let mut tx = self.pool().begin().await?;
        // Whoever changes them now waits for this, and then finds the delivery waiting.
        let revision: Option<i64> =
            sqlx::query_scalar("SELECT settings_revision FROM targets WHERE tenant_id = $1 AND id = $2 FOR SHARE")
                .bind(claim.tenant.0)
                .bind(claim.target.0)
                .fetch_optional(&mut *tx)
                .await?;
        let more = if revision == Some(claim.settings_revision) {
            self.end_try(&mut *tx, claim, standing, None).await?
        } else {
            let at_once = Standing { due_at: Some(self.now()), ..standing.clone() };
            self.end_try(&mut *tx, claim, &at_once, None).await?
        };
        tx.commit().await?;
        Ok(match more {
            None => Recorded::LostClaim,
            Some(true) => Recorded::MoreToDo,
            Some(false) => Recorded::Settled,
        })
    }

    /// Writes the end of a try. Says whether there is more to do; `None` when the claim is lost.
    async fn end_try(
        &self,
        executor: impl PgExecutor<'_>,
        claim: &Claim,
        standing: &Standing,
        applied_version: Option<i64>,
    ) -> Result<Option<bool>, StoreError> {
        let now = self.now();
        let at_rest = matches!(standing.state, DeliveryState::InStep | DeliveryState::Gone);
        let failed = standing.state == DeliveryState::Retrying;
        // A plan's leave to send ends with the delivery, not with a try.
        let goes_on = matches!(standing.state, DeliveryState::Retrying | DeliveryState::Waiting);
        let due_at = if standing.waiting_for.is_some() { Some(now + SECOND_LOOK) } else { standing.due_at };
        let rehearsed = claim.mode == TargetMode::Rehearsal;
        let more: Option<bool> = sqlx::query_scalar(
            "WITH went AS (
                 -- A claim made while the target went live has the new mark and rehearsed all the same.
                 SELECT EXISTS (SELECT 1 FROM targets
                                WHERE tenant_id = $1 AND id = $2 AND mode = 'live' AND $19) AS live)
             UPDATE deliveries
             SET done_mark = CASE WHEN $6 THEN done_mark ELSE $7 END,
                 leased_by = NULL, lease_until = NULL, updated_at = $8,
                 state = CASE WHEN mark > $7 OR went.live THEN 'pending' ELSE $9 END,
                 due_at = CASE WHEN mark > $7 OR went.live THEN $8 ELSE $10 END,
                 attempt = CASE WHEN mark > $7 OR went.live THEN 0 ELSE $11 END,
                 waiting_for = CASE WHEN mark > $7 OR went.live THEN NULL ELSE $12::uuid END,
                 wants = NULLIF($18, '{}'::text[]), held_by = CASE WHEN NOT (mark > $7 OR went.live) THEN $20 END,
                 proposal = CASE WHEN NOT (mark > $7 OR went.live) THEN $21::jsonb END,
                 -- A plan that was applied during the work has permitted what comes next.
                 permit = CASE WHEN $22 OR permit IS DISTINCT FROM $26 THEN permit END,
                 mapping_version = CASE WHEN $25 THEN $23 ELSE mapping_version END,
                 adopted = adopted AND NOT $16 AND NOT (permit IS NOT NULL AND $24),
                 error_class = $13, error_code = $14, reason = $15,
                 dirty_since = CASE WHEN NOT $16 THEN dirty_since WHEN mark > $7 THEN $8 END,
                 lane = CASE WHEN $16 AND mark = $7 THEN CASE resource_kind WHEN 'org_unit' THEN 1 ELSE 2 END ELSE lane END,
                 applied_version = COALESCE($17, applied_version),
                 applied_at = CASE WHEN $17::bigint IS NULL THEN applied_at ELSE $8 END
             FROM went
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND lease_epoch = $5
             RETURNING mark > $7 OR went.live",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(failed)
        .bind(claim.mark)
        .bind(now)
        .bind(standing.state.as_str())
        .bind(due_at)
        .bind(i32::try_from(standing.attempt).unwrap_or(i32::MAX))
        .bind(standing.waiting_for.map(|id| id.0))
        .bind(standing.error_class)
        .bind(&standing.error_code)
        .bind(&standing.reason)
        .bind(at_rest)
        .bind(applied_version)
        .bind(&standing.wants)
        .bind(rehearsed)
        .bind(standing.held_by.as_ref().map(ToString::to_string))
        .bind(&standing.proposal)
        .bind(goes_on)
        .bind(claim.mapping_version)
        .bind(standing.state == DeliveryState::NeedsAttention)
        .bind(at_rest || standing.error_code.as_deref() == Some(WAITING_FOR_MEMBERS))
        .bind(claim.permit)
        .fetch_optional(executor)
        .await?;
        Ok(more)
    }

    /// Notes that the resource is as the mapping of the claim wants it, or that this mapping changes nothing: from then on
    /// nothing is held because of it. `false`: the claim is lost.
    pub async fn let_through(&self, claim: &Claim) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries SET mapping_version = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 AND lease_epoch = $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(claim.mapping_version)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The second look of a delivery that decided to wait for `on`. If that is not there, or an external contact, who can
    /// be nobody's manager, the delivery is looked at by
    /// itself at `otherwise`. Whoever has a new mark by now is due already.
    async fn look_again(
        &self,
        claim: &Claim,
        on: ResourceId,
        otherwise: Option<OffsetDateTime>,
    ) -> Result<Recorded, StoreError> {
        let woken: Option<bool> = sqlx::query_scalar(
            "WITH there AS (
                 SELECT EXISTS (SELECT 1 FROM links WHERE tenant_id = $1 AND target_id = $2
                                  AND resource_kind IN ('user', 'org_unit') AND resource_id = $6
                                  AND observed = 'known'
                                  AND snapshot ->> 'account_kind' IS DISTINCT FROM 'contact') AS yes)
             UPDATE deliveries d
             SET due_at = CASE WHEN there.yes THEN COALESCE(d.dirty_since, $7) ELSE $8 END,
                 state = CASE WHEN there.yes THEN 'pending' ELSE d.state END,
                 mark = d.mark + CASE WHEN there.yes THEN 1 ELSE 0 END,
                 waiting_for = CASE WHEN there.yes THEN NULL ELSE d.waiting_for END
             FROM there
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = $3 AND d.resource_id = $4
               AND d.lease_epoch = $5 AND d.waiting_for = $6 AND d.mark = $9
             RETURNING there.yes",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(on.0)
        .bind(self.now())
        .bind(otherwise)
        .bind(claim.mark)
        .fetch_optional(self.pool())
        .await?;
        Ok(if woken == Some(true) { Recorded::MoreToDo } else { Recorded::Settled })
    }

    /// Wakes every delivery that waits for the claim's resource, if that is at the target, and no external contact. They get back their place in
    /// the order of changes, so that managers, whom sources send first, are served before those who report to them.
    /// Returns how many.
    ///
    /// To be called at the end of every delivery, however it ended: while a call was under way the link was unknown, and
    /// whoever looked then decided to wait.
    pub async fn wake_waiting(&self, claim: &Claim) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries d
             SET mark = d.mark + 1, due_at = COALESCE(d.dirty_since, $5), waiting_for = NULL, updated_at = $5,
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.waiting_for = $4
               AND EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = $3
                             AND l.resource_id = $4 AND l.observed = 'known'
                             AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact')",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// The claim's entity has given up values that no two can share: everything of this target that was refused one of
    /// them is looked at again, and also what is under way, since it may have been refused one just before and not have
    /// said so yet. Returns how many.
    pub async fn wake_refused(&self, claim: &Claim, values: &[String]) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $5, updated_at = $5, dirty_since = COALESCE(d.dirty_since, $5),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND (d.resource_kind, d.resource_id) <> ($3, $4)
               AND (d.wants && $6
                    OR d.state = 'applying'
                       AND NOT EXISTS (SELECT 1 FROM users u
                                       WHERE u.tenant_id = $1 AND u.id = d.resource_id
                                         AND (NOT u.active OR u.deleted_at IS NOT NULL)))",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(self.now())
        .bind(values)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// The claim's entity is gone, or there under a new remote id after it had been gone: whoever names it at the target
    /// has the old one, and is looked at again. Nothing is written when there never was another remote id. Returns how many.
    pub async fn mark_dependents(&self, claim: &Claim) -> Result<u64, StoreError> {
        let done = sqlx::query(concat!(
            "WITH dependent AS (
                 SELECT 'user' AS kind, u.id FROM users u
                 WHERE $3 = 'user' AND u.tenant_id = $1 AND u.manager_id = $4::text AND u.deleted_at IS NULL
                 UNION ALL
                 SELECT 'user', r.id FROM users m
                 CROSS JOIN LATERAL (",
            manager_names!("m", creator = "m.source_id"),
            ") named
                 JOIN users r ON r.tenant_id = $1 AND ",
            names_as_manager!(),
            "
                 WHERE $3 = 'user' AND m.tenant_id = $1 AND m.id = $4 AND r.deleted_at IS NULL
                 UNION ALL
                 SELECT 'user', p.user_id FROM placements p
                 WHERE $3 = 'org_unit' AND p.tenant_id = $1 AND p.target_id = $2 AND p.unit_id = $4 AND p.wanted
                 UNION ALL
                 SELECT 'org_unit', o.id FROM org_units o
                 WHERE $3 = 'org_unit' AND o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = $4
                   AND o.gone_at IS NULL)
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $5, updated_at = $5, dirty_since = COALESCE(d.dirty_since, $5),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM dependent
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = dependent.kind
               AND d.resource_id = dependent.id
               AND EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = $3
                             AND l.resource_id = $4 AND (l.generation > 1 OR l.adopted_at IS NOT NULL))"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// Tells people: an entry of the change log that says that a delivery keeps failing.
    pub async fn alert(&self, claim: &Claim, standing: &Standing) -> Result<(), StoreError> {
        let details = serde_json::json!({
            "target": claim.target.0,
            "error_class": standing.error_class,
            "error_code": standing.error_code,
            "reason": standing.reason,
            "failed_tries": standing.attempt,
        });
        let alert = Alert {
            kind: claim.kind,
            resource: claim.resource,
            version: 0,
            request_id: claim.request_id.clone().unwrap_or_default(),
            details,
        };
        self.record_alert(claim.tenant, &alert).await
    }
}
