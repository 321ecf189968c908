//! What happens to a person's roles and chats when their account comes, goes, or may not be used any more.

use super::claims::Claim;
use super::placements::fenced;
use crate::{Store, StoreError};

/// Marks the groups of a CTE `theirs (group_id)` of the target `$2`, before the rows of the person `$3` are touched, as a
/// worker takes them.
macro_rules! mark_theirs {
    () => {
        "them AS MATERIALIZED (
             SELECT d.resource_id, theirs.group_id FROM deliveries d JOIN theirs ON theirs.group_id = d.resource_id
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'group'
             ORDER BY d.resource_id FOR UPDATE OF d),
         marked AS (
             UPDATE deliveries d
             SET mark = d.mark + 1, due_at = $4, updated_at = $4, dirty_since = COALESCE(d.dirty_since, $4),
                 state = CASE WHEN d.lease_until > now() THEN d.state ELSE 'pending' END
             FROM them
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'group' AND d.resource_id = them.resource_id
             RETURNING d.resource_id)"
    };
}

impl Store {
    /// The claim's person has an account: the groups that wait for it are looked at again. To be called at the end of
    /// every delivery of a person, as [`Self::wake_waiting`]. Returns how many.
    pub async fn wake_groups(&self, claim: &Claim) -> Result<u64, StoreError> {
        let done = sqlx::query(concat!(
            "WITH theirs AS (
                 SELECT gm.group_id FROM group_members gm
                 WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.user_id = $3 AND gm.wanted AND NOT gm.applied
                   AND gm.mark = gm.done_mark
                   AND EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2
                                 AND l.resource_kind = 'user' AND l.resource_id = $3 AND l.observed = 'known'
                                 AND l.snapshot ->> 'account_kind' IS DISTINCT FROM 'contact')),
             ",
            mark_theirs!(),
            "
             UPDATE group_members gm SET mark = gm.mark + 1 FROM marked
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.user_id = $3 AND gm.group_id = marked.resource_id"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected())
    }

    /// The claim's person leaves: all their groups are looked at again. If the account is `gone` the target has them in
    /// none any more, and what it says of the owner of a chat that was theirs must be read.
    pub async fn touch_groups(&self, claim: &Claim, gone: bool) -> Result<(), StoreError> {
        sqlx::query(concat!(
            "WITH theirs AS (
                 SELECT gm.group_id FROM group_members gm
                 WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.user_id = $3),
             ",
            mark_theirs!(),
            ",
             doubted AS (
                 UPDATE links c SET observed = 'unknown', updated_at = $4
                 FROM marked
                 JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id = $3
                 WHERE $5 AND c.tenant_id = $1 AND c.target_id = $2 AND c.resource_kind = 'group'
                   AND c.resource_id = marked.resource_id AND c.entity = 'chat' AND c.observed = 'known'
                   AND c.snapshot ->> 'owner' = l.remote_id)
             UPDATE group_members gm
             SET mark = gm.mark + 1, offered = NULL, applied = gm.applied AND NOT $5,
                 remote_id = CASE WHEN NOT $5 THEN gm.remote_id END
             FROM marked
             WHERE gm.tenant_id = $1 AND gm.target_id = $2 AND gm.user_id = $3 AND gm.group_id = marked.resource_id"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(self.now())
        .bind(gone)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The access of the claim's person has ended: they are to be in no role and no chat. `false` when the claim is lost.
    pub async fn access_ends(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        let ended = sqlx::query(
            "UPDATE links SET out_at = $4
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id = $3 AND out_at IS NULL",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        if ended.rows_affected() > 0 {
            self.touch_groups(claim, false).await?;
        }
        Ok(true)
    }

    /// The person has come back. If their access had ended they belong to their groups again, directly or through others.
    /// `false` when the claim is lost.
    pub async fn link_returned(&self, claim: &Claim) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(concat!(
            "WITH RECURSIVE up (id) AS (
                 SELECT m.group_id FROM links l
                 JOIN memberships m ON m.tenant_id = $1 AND m.member_id = $3::uuid::text
                 WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id = $3
                   AND l.out_at IS NOT NULL
                 UNION
                 SELECT m.group_id FROM up JOIN memberships m ON m.tenant_id = $1 AND m.member_id = up.id::text),
             theirs AS (SELECT up.id AS group_id FROM up),
             ",
            mark_theirs!(),
            "
             INSERT INTO group_members AS gm (tenant_id, target_id, group_id, user_id)
             SELECT $1, $2, marked.resource_id, $3 FROM marked ORDER BY marked.resource_id
             ON CONFLICT (tenant_id, target_id, group_id, user_id) DO UPDATE SET mark = gm.mark + 1, offered = NULL"
        ))
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "UPDATE links SET left_at = NULL, removal_by = NULL, out_at = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND resource_id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.resource.0)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}
