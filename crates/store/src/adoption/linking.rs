//! Linking: the memory that a person is an account that was there before, and a department an org unit.
//!
//! The account of a new link is `unknown`, so that it is read in full before anything is planned: a list leaves out whom
//! people report to. Whatever then differs is held, because the delivery is marked as adopted. A link is only made where
//! nothing is known yet, and never while a worker is at the delivery.

use super::scans::{ScanClaim, fenced};
use crate::{Store, StoreError};
use rollcall_provisioning::delivery::Lane;
use sqlx::PgConnection;
use uuid::Uuid;

/// What linking came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Linking {
    /// How many were linked.
    pub linked: u64,
    /// How many a worker is at, so that they can be linked in a moment.
    pub busy: u64,
}

/// Pairs to be linked, in a table of that name: the kind and id of ours, the target's id and what it had.
const WANTED: &str = "CREATE TEMPORARY TABLE to_link (
        resource_kind text, resource_id uuid, remote_id text, attributes jsonb) ON COMMIT DROP";

/// What can be linked: nothing is known of ours, and nobody else is the target's.
const POSSIBLE: &str = "
    DELETE FROM to_link w
    WHERE EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = w.resource_kind
                    AND (l.remote_id = w.remote_id
                         OR l.resource_id = w.resource_id
                            AND (l.remote_id IS NOT NULL OR l.observed <> 'absent' OR l.invited_at IS NOT NULL)))";

/// Deliveries in the order in which a write of several marks takes them; those that a worker is at are not taken.
const LINK: &str = "
    WITH free AS MATERIALIZED (
        SELECT w.* FROM to_link w
        JOIN deliveries d ON d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = w.resource_kind
                         AND d.resource_id = w.resource_id
        WHERE d.lease_until IS NULL OR d.lease_until < now()
        ORDER BY d.resource_id FOR UPDATE OF d SKIP LOCKED),
    linked AS (
        INSERT INTO links AS l (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, snapshot, updated_at,
                                adopted_at)
        SELECT $1, $2, f.resource_kind, f.resource_id, f.remote_id,
               CASE WHEN f.attributes IS NULL THEN 'unknown' ELSE 'known' END, COALESCE(f.attributes, '{}'), $3, $3
        FROM free f
        ON CONFLICT (tenant_id, target_id, resource_kind, resource_id) DO UPDATE
        SET remote_id = EXCLUDED.remote_id, observed = EXCLUDED.observed, snapshot = EXCLUDED.snapshot,
            updated_at = $3, adopted_at = $3
        RETURNING l.resource_kind, l.resource_id)
    UPDATE deliveries d
    SET adopted = true, mark = d.mark + 1, attempt = 0, due_at = $3, updated_at = $3, waiting_for = NULL,
        dirty_since = COALESCE(d.dirty_since, $3), state = 'pending', lease_epoch = d.lease_epoch + 1
    FROM linked
    WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = linked.resource_kind
      AND d.resource_id = linked.resource_id";

/// Departments that the scan found: by our sign in them, else by their path, if it is that of one alone.
const DEPARTMENTS: &str = "
    WITH RECURSIVE ours AS (
        SELECT o.id, o.name_key AS path_key FROM org_units o
        WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = $2 AND o.gone_at IS NULL
        UNION ALL
        SELECT o.id, ours.path_key || chr(31) || o.name_key FROM ours
        JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = ours.id AND o.gone_at IS NULL),
    theirs AS (
        SELECT u.remote_id, u.path_key, u.attributes, u.attributes ->> 'source_identifier' AS sign FROM scanned_units u
        WHERE u.tenant_id = $1 AND u.target_id = $2 AND u.scan_id = $3 AND u.depth > 0 AND u.attributes IS NOT NULL),
    signed AS (
        SELECT o.id, t.remote_id, t.attributes FROM ours o JOIN theirs t ON t.sign = 'rollcall:' || o.id),
    on_path AS (
        SELECT o.id, t.remote_id, t.attributes, count(*) OVER (PARTITION BY o.id) AS several
        FROM ours o JOIN theirs t ON t.path_key = o.path_key
        WHERE NOT EXISTS (SELECT 1 FROM signed s WHERE s.id = o.id OR s.remote_id = t.remote_id))
    INSERT INTO to_link
    SELECT 'org_unit', id, remote_id, attributes FROM signed
    UNION ALL
    SELECT 'org_unit', id, remote_id, attributes FROM on_path WHERE several = 1";

impl Store {
    /// Links the departments that the scan found, and the accounts of which it is certain. `None` when it is lost.
    pub async fn link_what_is_certain(&self, claim: &ScanClaim) -> Result<Option<Linking>, StoreError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(None);
        }
        sqlx::query(WANTED).execute(&mut *tx).await?;
        sqlx::query(DEPARTMENTS).bind(claim.tenant.0).bind(claim.target.0).bind(claim.scan).execute(&mut *tx).await?;
        sqlx::query(
            "INSERT INTO to_link SELECT 'user', resource_id, remote_id, NULL FROM candidates
             WHERE tenant_id = $1 AND target_id = $2 AND bucket = 'linked'
               AND (decision IS NULL OR decision = 'accepted')",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .execute(&mut *tx)
        .await?;
        let linking = self.make_links(&mut tx, claim.tenant.0, claim.target.0).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(Some(linking))
    }

    /// Ends a scan: all is linked that is certain. `false` when it is lost.
    pub async fn end_scan(&self, claim: &ScanClaim) -> Result<bool, StoreError> {
        let done = sqlx::query(
            "UPDATE scans SET state = 'done', finished_at = $5, due_at = NULL, leased_by = NULL, lease_until = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lease_epoch = $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(claim.epoch)
        .bind(self.now())
        .execute(self.pool())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Links these people and accounts, in the transaction.
    pub(super) async fn link_pairs(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (Uuid, Uuid),
        pairs: &[(Uuid, String)],
    ) -> Result<Linking, StoreError> {
        let (resources, remote_ids): (Vec<Uuid>, Vec<&str>) = pairs.iter().map(|(id, to)| (*id, to.as_str())).unzip();
        sqlx::query(WANTED).execute(&mut *tx).await?;
        sqlx::query("INSERT INTO to_link SELECT 'user', p.id, p.remote_id, NULL FROM unnest($1::uuid[], $2::text[]) AS p (id, remote_id)")
            .bind(resources)
            .bind(remote_ids)
            .execute(&mut *tx)
            .await?;
        self.make_links(tx, tenant, target).await
    }

    async fn make_links(&self, tx: &mut PgConnection, tenant: Uuid, target: Uuid) -> Result<Linking, StoreError> {
        sqlx::query(POSSIBLE).bind(tenant).bind(target).execute(&mut *tx).await?;
        // Whoever is new and was never due has no delivery; it is made when it becomes dirty, which it is at once.
        sqlx::query(
            "INSERT INTO deliveries (tenant_id, target_id, resource_kind, resource_id, lane, state, due_at, dirty_since,
                                     updated_at)
             SELECT $1, $2, w.resource_kind, w.resource_id, CASE w.resource_kind WHEN 'org_unit' THEN $4 ELSE $5 END,
                    'pending', $3, $3, $3
             FROM to_link w ON CONFLICT DO NOTHING",
        )
        .bind(tenant)
        .bind(target)
        .bind(self.now())
        .bind(Lane::OrgUnit.number())
        .bind(Lane::Other.number())
        .execute(&mut *tx)
        .await?;
        let wanted: i64 = sqlx::query_scalar("SELECT count(*) FROM to_link").fetch_one(&mut *tx).await?;
        let done = sqlx::query(LINK).bind(tenant).bind(target).bind(self.now()).execute(tx).await?;
        let linked = done.rows_affected();
        Ok(Linking { linked, busy: u64::try_from(wanted).unwrap_or(0).saturating_sub(linked) })
    }
}
