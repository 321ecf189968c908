//! Erasure: what is kept of a person who has left, and whose days are over, is forgotten.
//!
//! What stays says that something was done, when, by whom and to which id: the change log, and attempts and plans without
//! what was in them. A person who is anywhere still, or has something due, is not erased.

use crate::{Store, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

/// The accounts that the people in `$1` and `$2` (tenants and ids) had.
const ACCOUNTS: &str = "
     CREATE TEMPORARY TABLE erased_accounts ON COMMIT DROP AS
     SELECT l.tenant_id, l.target_id, former.remote_id
     FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     JOIN links l ON l.tenant_id = p.tenant_id AND l.resource_kind = 'user' AND l.resource_id = p.id
     CROSS JOIN LATERAL unnest(l.former_ids) AS former (remote_id)
     UNION
     SELECT c.tenant_id, c.target_id, c.remote_id
     FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     JOIN candidates c ON c.tenant_id = p.tenant_id AND c.resource_id = p.id
     WHERE c.remote_id IS NOT NULL AND (c.decision = 'accepted' OR c.bucket = 'linked' AND c.decision IS NULL)";

/// What scans and marks know of these accounts.
const OF_ACCOUNTS: [&str; 3] = [
    "DELETE FROM scanned_accounts s USING erased_accounts e
     WHERE s.tenant_id = e.tenant_id AND s.target_id = e.target_id AND s.remote_id = e.remote_id",
    "DELETE FROM candidates c USING erased_accounts e
     WHERE c.tenant_id = e.tenant_id AND c.target_id = e.target_id AND c.remote_id = e.remote_id",
    "DELETE FROM marks m USING erased_accounts e
     WHERE m.tenant_id = e.tenant_id AND m.target_id = e.target_id AND m.entity_kind = 'account'
       AND m.remote_id = e.remote_id",
];

/// What is kept of the people in `$1` and `$2` (tenants and ids). What was done stays; what was in it goes.
const OF_PEOPLE: [&str; 9] = [
    "WITH p AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)),
     no_marks AS (DELETE FROM marks m USING p WHERE m.tenant_id = p.tenant_id AND m.resource_id = p.id)
     DELETE FROM candidates c USING p WHERE c.tenant_id = p.tenant_id AND c.resource_id = p.id",
    "UPDATE attempts a SET before = NULL, after = NULL, message = NULL
     FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE a.tenant_id = p.tenant_id AND a.resource_kind = 'user' AND a.resource_id = p.id",
    "UPDATE plan_changes c
     SET name = NULL, reason = NULL, detail = NULL, undo = NULL,
         proposal = jsonb_build_object('verb', c.proposal -> 'verb', 'lines', '[]'::jsonb,
                                       'effects', COALESCE(c.proposal -> 'effects', '[]'::jsonb))
     FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE c.tenant_id = p.tenant_id AND c.resource_kind = 'user' AND c.resource_id = p.id",
    "DELETE FROM overrides o USING unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE o.tenant_id = p.tenant_id AND o.resource_kind = 'user' AND o.resource_id = p.id",
    "UPDATE changes c SET details = c.details - 'reason'
     FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE c.tenant_id = p.tenant_id AND c.resource_kind = 'user' AND c.resource_id = p.id AND c.details ? 'reason'",
    "WITH p AS (SELECT * FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)),
     no_handovers AS (DELETE FROM handovers h USING p WHERE h.tenant_id = p.tenant_id AND h.leaver_id = p.id),
     no_headships AS (DELETE FROM headships h USING p WHERE h.tenant_id = p.tenant_id AND h.leaver_id = p.id),
     no_placements AS (DELETE FROM placements l USING p WHERE l.tenant_id = p.tenant_id AND l.user_id = p.id)
     DELETE FROM memberships m USING p WHERE m.tenant_id = p.tenant_id AND m.member_id = p.id::text",
    "DELETE FROM links l USING unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE l.tenant_id = p.tenant_id AND l.resource_kind = 'user' AND l.resource_id = p.id",
    "DELETE FROM deliveries d USING unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE d.tenant_id = p.tenant_id AND d.resource_kind = 'user' AND d.resource_id = p.id",
    "DELETE FROM users u USING unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)
     WHERE u.tenant_id = p.tenant_id AND u.id = p.id",
];

impl Store {
    /// Erases up to `limit` people whose days are over. Several workers may do this at once. Returns how many.
    pub async fn erase(&self, limit: i64) -> Result<u64, StoreError> {
        let mut tx = self.pool().begin().await?;
        let mut people = self.whose_days_are_over(&mut tx, limit).await?;
        people.sort_unstable();
        people.dedup();
        if people.is_empty() {
            return Ok(0);
        }
        let (tenants, ids): (Vec<Uuid>, Vec<Uuid>) = people.into_iter().unzip();
        sqlx::query(ACCOUNTS).bind(&tenants).bind(&ids).execute(&mut *tx).await?;
        for step in OF_ACCOUNTS {
            sqlx::query(step).execute(&mut *tx).await?;
        }
        for step in OF_PEOPLE {
            sqlx::query(step).bind(&tenants).bind(&ids).execute(&mut *tx).await?;
        }
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             SELECT p.tenant_id, $3, '', 'erased', 'user', p.id, 0, '{}'
             FROM unnest($1::uuid[], $2::uuid[]) AS p (tenant_id, id)",
        )
        .bind(&tenants)
        .bind(&ids)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(u64::try_from(ids.len()).unwrap_or(0))
    }

    /// People who are gone at every target and whose days are over at each of them. Their rows and those of
    /// their deliveries stay locked until the end of the transaction, so that nobody brings them back or applies a plan to
    /// them meanwhile.
    async fn whose_days_are_over(&self, tx: &mut PgConnection, limit: i64) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        let people = sqlx::query_as(
            "SELECT u.tenant_id, u.id FROM deliveries d
             JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.resource_id
             WHERE d.erase_at <= $1 AND d.resource_kind = 'user' AND (u.deleted_at IS NOT NULL OR NOT u.active)
               AND NOT EXISTS (SELECT 1 FROM deliveries o
                               WHERE o.tenant_id = u.tenant_id AND o.resource_kind = 'user' AND o.resource_id = u.id
                                 AND (o.state <> 'gone' OR o.mark > o.done_mark OR o.erase_at IS NULL OR o.erase_at > $1))
               AND NOT EXISTS (SELECT 1 FROM links l
                               WHERE l.tenant_id = u.tenant_id AND l.resource_kind = 'user' AND l.resource_id = u.id
                                 AND (l.observed <> 'absent' OR l.invited_at IS NOT NULL))
             ORDER BY d.erase_at LIMIT $2 FOR UPDATE OF u, d SKIP LOCKED",
        )
        .bind(self.now())
        .bind(limit)
        .fetch_all(tx)
        .await?;
        Ok(people)
    }
}
