//! Invitations: how many a person was sent, when the last one, and who wants one more.
//!
//! An invitation is the target's answer to the creation of an account, so each creation that may have that answer counts as
//! one from before its call on; an answer that says otherwise takes the count back.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::Attributes;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::invitation::{Invited, NOT_BEFORE};
use sqlx::Row;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;

/// What was known of invitations before a creation.
#[derive(Clone, Default, Debug)]
pub struct BeforeCreation {
    invitations: i32,
    last_invited_at: Option<OffsetDateTime>,
    number: Option<String>,
    asked_by: Option<String>,
}

/// What the columns `invited_at, invitations, last_invited_at, invite_again_by` say, each with `prefix` before its name.
/// `None` when the person was not invited, or has accepted.
pub(super) fn read_invited(row: &PgRow, prefix: &str) -> Result<Option<Invited>, StoreError> {
    let column = |name: &str| format!("{prefix}{name}");
    let Some(first_at) = row.try_get::<Option<OffsetDateTime>, _>(column("invited_at").as_str())? else {
        return Ok(None);
    };
    let last_at: Option<OffsetDateTime> = row.try_get(column("last_invited_at").as_str())?;
    let times: i32 = row.try_get(column("invitations").as_str())?;
    Ok(Some(Invited {
        first_at,
        // A worker of an earlier version counts nothing.
        last_at: last_at.unwrap_or(first_at),
        times: u32::try_from(times).unwrap_or(0).max(1),
        asked_by: row.try_get(column("invite_again_by").as_str())?,
    }))
}

impl Store {
    /// As [`Self::link_unknown`], before a call that creates the account of a person with this number, and that may invite
    /// them instead: it counts as an invitation from now on, and whoever wanted one has it. Says what was known before;
    /// `None` when the claim is lost, and the call must not be made.
    pub async fn link_creating(
        &self,
        claim: &Claim,
        remote_id: Option<&str>,
        number: &str,
    ) -> Result<Option<BeforeCreation>, StoreError> {
        let row = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE),
             before AS (
                 SELECT invitations, last_invited_at, invited_number, invite_again_by FROM links
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4),
             creating AS (
                 INSERT INTO links AS l (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, updated_at,
                                         invitations, last_invited_at, invited_number)
                 SELECT $1, $2, $3, $4, $6, 'unknown', $7, 1, $7, $8 FROM fence
                 ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
                 SET observed = 'unknown', remote_id = COALESCE($6, l.remote_id), updated_at = $7,
                     invitations = CASE WHEN l.invited_number = $8 THEN l.invitations + 1 ELSE 1 END,
                     last_invited_at = $7, invited_number = $8, invite_again_by = NULL)
             SELECT COALESCE(before.invitations, 0) AS invitations, before.last_invited_at, before.invited_number,
                    before.invite_again_by
             FROM fence LEFT JOIN before ON true",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(remote_id)
        .bind(self.now())
        .bind(number)
        .fetch_optional(self.pool())
        .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(BeforeCreation {
            invitations: row.try_get("invitations")?,
            last_invited_at: row.try_get("last_invited_at")?,
            number: row.try_get("invited_number")?,
            asked_by: row.try_get("invite_again_by")?,
        }))
    }

    /// As [`Self::link_still_absent`], after a creation that did nothing: no invitation was sent, so it does not count.
    /// Whoever wanted one still has it to come when the creation `comes_again` by itself. `false` when the claim is lost.
    pub async fn link_not_created(
        &self,
        claim: &Claim,
        before: BeforeCreation,
        comes_again: bool,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             UPDATE links SET observed = 'absent', remote_id = NULL, updated_at = $6, invitations = $7,
                    last_invited_at = $8, invited_number = $9, invite_again_by = $10
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND EXISTS (SELECT 1 FROM fence)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(self.now())
        .bind(before.invitations)
        .bind(before.last_invited_at)
        .bind(before.number)
        .bind(before.asked_by.filter(|_| comes_again))
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The person was invited with these attributes: nothing can be seen of them until they accept. The time of
    /// the first invitation under the same number is kept. `None` when the claim is lost.
    pub async fn link_invited(&self, claim: &Claim, with: &Attributes) -> Result<Option<Invited>, StoreError> {
        let row = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             UPDATE links
             SET observed = 'absent', remote_id = NULL, snapshot = $7, updated_at = $6,
                 invitations = GREATEST(invitations, 1), last_invited_at = COALESCE(last_invited_at, $6),
                 invited_at = CASE WHEN snapshot -> 'mobile' = $7 -> 'mobile' THEN COALESCE(invited_at, $6) ELSE $6 END
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND EXISTS (SELECT 1 FROM fence)
             RETURNING invited_at, invitations, last_invited_at, invite_again_by",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(self.now())
        .bind(sqlx::types::Json(with))
        .fetch_optional(self.pool())
        .await?;
        row.map_or(Ok(None), |row| read_invited(&row, ""))
    }

    /// Whether somebody else, who is to have an account, was invited under this number and has not accepted yet.
    pub async fn number_is_awaited(&self, claim: &Claim, number: &str) -> Result<bool, StoreError> {
        let awaited = sqlx::query_scalar(
            "SELECT EXISTS (
                 SELECT 1 FROM links l JOIN users u ON u.tenant_id = l.tenant_id AND u.id = l.resource_id
                 WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id <> $3
                   AND l.invited_at IS NOT NULL AND l.snapshot ->> 'mobile' = $4
                   AND u.active AND u.deleted_at IS NULL)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(number)
        .fetch_one(self.pool())
        .await?;
        Ok(awaited)
    }

    /// Somebody decides that a person who is to have an account, and has not answered an invitation, is invited once more at
    /// once, at one target or at all where the last invitation is old enough. Returns at how many targets.
    pub async fn invite_again(
        &self,
        tenant: TenantId,
        (user, target): (ResourceId, Option<TargetId>),
        by: &str,
        reason: &str,
    ) -> Result<u64, StoreError> {
        let now = self.now();
        let done: i64 = sqlx::query_scalar(
            "WITH wanted AS (
                 SELECT 1 FROM users WHERE tenant_id = $1 AND id = $2 AND active AND deleted_at IS NULL),
             decided AS (
                 UPDATE links SET invite_again_by = $3
                 WHERE tenant_id = $1 AND resource_kind = 'user' AND resource_id = $2
                   AND ($6::uuid IS NULL OR target_id = $6) AND invited_at IS NOT NULL AND invite_again_by IS NULL
                   AND COALESCE(last_invited_at, invited_at) <= $7 AND EXISTS (SELECT 1 FROM wanted)
                 RETURNING target_id),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $5, '', 'invited_again', 'user', $2, 0,
                        jsonb_build_object('by', $3::text, 'reason', $4::text, 'target', target_id)
                 FROM decided),
             marked AS (
                 UPDATE deliveries d
                 SET mark = d.mark + 1, due_at = $5, attempt = 0, updated_at = $5,
                     dirty_since = COALESCE(d.dirty_since, $5),
                     state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
                 FROM decided
                 WHERE d.tenant_id = $1 AND d.target_id = decided.target_id AND d.resource_kind = 'user'
                   AND d.resource_id = $2)
             SELECT count(*) FROM decided",
        )
        .bind(tenant.0)
        .bind(user.0)
        .bind(by)
        .bind(reason)
        .bind(now)
        .bind(target.map(|id| id.0))
        .bind(now - NOT_BEFORE)
        .fetch_one(self.pool())
        .await?;
        self.signal.dirty();
        Ok(u64::try_from(done).unwrap_or(0))
    }
}
