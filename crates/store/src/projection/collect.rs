//! Collecting what nobody needs any more: resources that were deleted, once every target has let go of them.
//!
//! A deleted user is hidden from SCIM at once, but its row stays until its account is gone everywhere, since the row
//! is what says that the account must go. The change log keeps the history by id. Whoever is to be erased on a certain day
//! is left to that; see [`super::erasure`].

use crate::{Store, StoreError};
use time::Duration;

/// How long a deleted resource is kept after everything of it is gone, so that people can still look it up.
const KEPT: Duration = Duration::days(7);

impl Store {
    /// Removes up to `limit` deleted users and retired departments with all that belongs to them. Several workers may
    /// do this at once. Returns how many.
    pub async fn collect(&self, limit: i64) -> Result<u64, StoreError> {
        let before = self.now() - KEPT;
        let users = sqlx::query(
            "WITH doomed AS (
                 SELECT u.tenant_id, u.id FROM users u
                 WHERE u.deleted_at < $1
                   AND NOT EXISTS (SELECT 1 FROM deliveries d
                                   WHERE d.tenant_id = u.tenant_id AND d.resource_kind = 'user' AND d.resource_id = u.id
                                     AND (d.state <> 'gone' OR d.mark > d.done_mark OR d.erase_at IS NOT NULL))
                   AND NOT EXISTS (SELECT 1 FROM links l
                                   WHERE l.tenant_id = u.tenant_id AND l.resource_kind = 'user'
                                     AND l.resource_id = u.id AND l.observed <> 'absent')
                 LIMIT $2 FOR UPDATE SKIP LOCKED),
             no_deliveries AS (
                 DELETE FROM deliveries d USING doomed
                 WHERE d.tenant_id = doomed.tenant_id AND d.resource_kind = 'user' AND d.resource_id = doomed.id),
             no_links AS (
                 DELETE FROM links l USING doomed
                 WHERE l.tenant_id = doomed.tenant_id AND l.resource_kind = 'user' AND l.resource_id = doomed.id),
             no_handovers AS (
                 DELETE FROM handovers h USING doomed WHERE h.tenant_id = doomed.tenant_id AND h.leaver_id = doomed.id),
             no_headships AS (
                 DELETE FROM headships h USING doomed WHERE h.tenant_id = doomed.tenant_id AND h.leaver_id = doomed.id),
             no_placements AS (
                 DELETE FROM placements p USING doomed
                 WHERE p.tenant_id = doomed.tenant_id AND p.user_id = doomed.id),
             no_memberships AS (
                 DELETE FROM memberships m USING doomed
                 WHERE m.tenant_id = doomed.tenant_id AND m.member_id = doomed.id::text)
             DELETE FROM users u USING doomed WHERE u.tenant_id = doomed.tenant_id AND u.id = doomed.id",
        )
        .bind(before)
        .bind(limit)
        .execute(self.pool())
        .await?;
        let units = sqlx::query(
            "WITH doomed AS (
                 SELECT o.tenant_id, o.target_id, o.id FROM org_units o
                 WHERE o.gone_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED),
             no_deliveries AS (
                 DELETE FROM deliveries d USING doomed
                 WHERE d.tenant_id = doomed.tenant_id AND d.target_id = doomed.target_id
                   AND d.resource_kind = 'org_unit' AND d.resource_id = doomed.id),
             no_links AS (
                 DELETE FROM links l USING doomed
                 WHERE l.tenant_id = doomed.tenant_id AND l.target_id = doomed.target_id
                   AND l.resource_kind = 'org_unit' AND l.resource_id = doomed.id)
             DELETE FROM org_units o USING doomed
             WHERE o.tenant_id = doomed.tenant_id AND o.target_id = doomed.target_id AND o.id = doomed.id",
        )
        .bind(before)
        .bind(limit)
        .execute(self.pool())
        .await?;
        Ok(users.rows_affected() + units.rows_affected())
    }
}
