//! Leaving: since when a person has left, who decided that the account goes at once, and when what is kept of the person
//! is erased.

use super::claims::Claim;
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use rollcall_provisioning::ids::{ResourceId, TenantId};
use time::OffsetDateTime;

impl Store {
    /// The person has left: since when, counted from the first look at it, which is now `at`. Nothing when there is no
    /// link.
    pub async fn link_leaving(&self, claim: &Claim, at: OffsetDateTime) -> Result<Option<OffsetDateTime>, StoreError> {
        let since: Option<Option<OffsetDateTime>> = sqlx::query_scalar(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             UPDATE links SET left_at = COALESCE(left_at, $6)
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND EXISTS (SELECT 1 FROM fence)
             RETURNING left_at",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(at)
        .fetch_optional(self.pool())
        .await?;
        Ok(since.flatten())
    }

    /// Somebody decides that the account of a person who has left goes at once, whatever the rules and the guards say;
    /// what is marked as protected is held all the same. Returns at how many targets.
    pub async fn remove_at_once(
        &self,
        tenant: TenantId,
        user: ResourceId,
        by: &str,
        reason: &str,
    ) -> Result<u64, StoreError> {
        let done: i64 = sqlx::query_scalar(
            "WITH leaver AS (
                 SELECT 1 FROM users WHERE tenant_id = $1 AND id = $2 AND (NOT active OR deleted_at IS NOT NULL)),
             decided AS (
                 UPDATE links SET removal_by = $3
                 WHERE tenant_id = $1 AND resource_kind = 'user' AND resource_id = $2 AND observed <> 'absent'
                   AND EXISTS (SELECT 1 FROM leaver)
                 RETURNING target_id),
             noted AS (
                 INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
                 SELECT $1, $5, '', 'removed_at_once', 'user', $2, 0,
                        jsonb_build_object('by', $3::text, 'reason', $4::text, 'target', target_id)
                 FROM decided),
             marked AS (
                 UPDATE deliveries d
                 SET mark = d.mark + 1, due_at = $5, attempt = 0, updated_at = $5, lane = $6,
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
        .bind(self.now())
        .bind(Lane::Leaver.number())
        .fetch_one(self.pool())
        .await?;
        self.signal.dirty();
        Ok(u64::try_from(done).unwrap_or(0))
    }

    /// The person has come back. `false` when the claim is lost.
    pub async fn link_returned(&self, claim: &Claim) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "WITH fence AS (
                 SELECT 1 FROM deliveries
                 WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
                   AND lease_epoch = $5 FOR UPDATE)
             UPDATE links SET left_at = NULL, removal_by = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4
               AND EXISTS (SELECT 1 FROM fence)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// When what is kept of the claim's person is erased, as far as this target is concerned; `None`: never. `false` when
    /// the claim is lost.
    pub async fn erase_on(&self, claim: &Claim, at: Option<OffsetDateTime>) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE deliveries SET erase_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = $3 AND resource_id = $4 AND lease_epoch = $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.kind.as_str())
        .bind(claim.resource.0)
        .bind(claim.epoch)
        .bind(at)
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
