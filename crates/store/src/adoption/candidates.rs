//! Who may be who, from what a scan found: read for the correlation, and kept.

use super::scans::{ScanClaim, fenced};
use super::shown::Bucket;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::Attributes;
use rollcall_provisioning::ids::ResourceId;
use sqlx::{FromRow, PgConnection};
use std::collections::HashMap;
use uuid::Uuid;

/// How many rows one statement writes.
const AT_ONCE: usize = 5_000;

/// An account that a scan found.
#[derive(Clone, PartialEq, Debug)]
pub struct FoundAccount {
    /// The target's own id.
    pub remote_id: String,
    /// What it had.
    pub attributes: Attributes,
}

/// What is decided already about people and accounts.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Correlation {
    /// Pairs that are linked.
    pub linked: Vec<(ResourceId, String)>,
    /// Pairs that a person has refused.
    pub refused: Vec<(ResourceId, String)>,
    /// How many accounts were found.
    pub found: u64,
    /// How many the target says that it has.
    pub expected: u64,
}

/// A row to be kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPair {
    /// Where it belongs.
    pub bucket: Bucket,
    /// The person.
    pub resource: Option<ResourceId>,
    /// The account.
    pub remote_id: Option<String>,
    /// The sum of the weights.
    pub score: u32,
    /// The keys that agree.
    pub keys: Vec<String>,
    /// The keys that differ.
    pub differs: Vec<String>,
}

#[derive(FromRow)]
struct SettledRow {
    resource_id: Uuid,
    remote_id: String,
    linked: bool,
}

impl Store {
    /// Accounts that the scan found, in the order of their ids, after one of them.
    pub async fn accounts_to_correlate(
        &self,
        claim: &ScanClaim,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<FoundAccount>, StoreError> {
        let rows: Vec<(String, sqlx::types::Json<Attributes>)> = sqlx::query_as(
            "SELECT remote_id, attributes FROM scanned_accounts
             WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND ($4::text IS NULL OR remote_id > $4)
             ORDER BY remote_id LIMIT $5",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(after)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        let account = |(remote_id, attributes): (String, sqlx::types::Json<Attributes>)| FoundAccount {
            remote_id,
            attributes: attributes.0,
        };
        Ok(rows.into_iter().map(account).collect())
    }

    /// The folded paths of the org units that the scan found, by their remote ids.
    pub async fn unit_path_keys(&self, claim: &ScanClaim) -> Result<HashMap<String, String>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT remote_id, path_key FROM scanned_units WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3
             ORDER BY remote_id LIMIT 1000000",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().collect())
    }

    /// What is decided already.
    pub async fn settled_pairs(&self, claim: &ScanClaim) -> Result<Correlation, StoreError> {
        let rows: Vec<SettledRow> = sqlx::query_as(
            "SELECT resource_id, remote_id, true AS linked FROM links
             WHERE tenant_id = $1 AND target_id = $2 AND resource_kind = 'user' AND remote_id IS NOT NULL
             UNION ALL
             SELECT resource_id, remote_id, false FROM candidates
             WHERE tenant_id = $1 AND target_id = $2 AND decision = 'rejected'
               AND resource_id IS NOT NULL AND remote_id IS NOT NULL",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .fetch_all(self.pool())
        .await?;
        let (found, expected): (i64, Option<i64>) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM scanned_accounts a
                     WHERE a.tenant_id = $1 AND a.target_id = $2 AND a.scan_id = $3), expected
             FROM scans WHERE tenant_id = $1 AND target_id = $2 AND id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .fetch_one(self.pool())
        .await?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        let mut settled =
            Correlation { found: number(found), expected: number(expected.unwrap_or(0)), ..Correlation::default() };
        for row in rows {
            let pairs = if row.linked { &mut settled.linked } else { &mut settled.refused };
            pairs.push((ResourceId(row.resource_id), row.remote_id));
        }
        Ok(settled)
    }

    /// Keeps who may be who, in place of what was believed before; what a person decided stays. The scan goes on to link
    /// what is certain. `false` when the scan is lost.
    pub async fn keep_candidates(&self, claim: &ScanClaim, pairs: &[NewPair]) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "DELETE FROM candidates WHERE tenant_id = $1 AND target_id = $2
               AND (decision IS NULL OR decision = 'new' AND resource_id = ANY($3))",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(of_pairs(pairs))
        .execute(&mut *tx)
        .await?;
        for some in pairs.chunks(AT_ONCE) {
            self.insert(&mut tx, claim, some).await?;
        }
        // Whoever may have an account already gets no second one before somebody has decided.
        sqlx::query(
            "WITH unclear AS MATERIALIZED (
                 SELECT d.resource_id FROM deliveries d
                 WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user' AND NOT d.adopted
                   AND d.resource_id IN (SELECT c.resource_id FROM candidates c WHERE c.tenant_id = $1 AND c.target_id = $2
                                           AND c.bucket IN ('suggested', 'contradiction') AND c.decision IS NULL)
                   AND NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2
                                     AND l.resource_kind = 'user' AND l.resource_id = d.resource_id
                                     AND l.remote_id IS NOT NULL)
                 ORDER BY d.resource_id FOR UPDATE)
             UPDATE deliveries d SET adopted = true FROM unclear
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'
               AND d.resource_id = unclear.resource_id",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .execute(&mut *tx)
        .await?;
        sqlx::query("UPDATE scans SET state = 'linking' WHERE tenant_id = $1 AND target_id = $2 AND id = $3")
            .bind(claim.tenant.0)
            .bind(claim.target.0)
            .bind(claim.scan)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    async fn insert(&self, tx: &mut PgConnection, claim: &ScanClaim, pairs: &[NewPair]) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = pairs.iter().map(|_| self.new_id()).collect();
        let list = |words: &[String]| words.join(" ");
        // A person who is to get a new account keeps that decision while no account turns up.
        sqlx::query(
            "INSERT INTO candidates (tenant_id, target_id, id, scan_id, bucket, resource_id, remote_id, score, keys, differs)
             SELECT $1, $2, p.id, $3, p.bucket, p.resource_id, p.remote_id, p.score,
                    string_to_array(p.keys, ' '), string_to_array(p.differs, ' ')
             FROM (SELECT id, bucket, resource_id, remote_id, score, keys, differs
                   FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::int[], $9::text[], $10::text[])
                        AS p (id, bucket, resource_id, remote_id, score, keys, differs)) p
             WHERE p.bucket <> 'only_in_directory'
                OR NOT EXISTS (SELECT 1 FROM candidates c WHERE c.tenant_id = $1 AND c.target_id = $2
                                 AND c.resource_id = p.resource_id AND c.decision = 'new')",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(ids)
        .bind(pairs.iter().map(|pair| pair.bucket.as_str()).collect::<Vec<_>>())
        .bind(pairs.iter().map(|pair| pair.resource.map(|id| id.0)).collect::<Vec<_>>())
        .bind(pairs.iter().map(|pair| pair.remote_id.as_deref()).collect::<Vec<_>>())
        .bind(pairs.iter().map(|pair| i32::try_from(pair.score).unwrap_or(i32::MAX)).collect::<Vec<_>>())
        .bind(pairs.iter().map(|pair| list(&pair.keys)).collect::<Vec<_>>())
        .bind(pairs.iter().map(|pair| list(&pair.differs)).collect::<Vec<_>>())
        .execute(tx)
        .await?;
        Ok(())
    }
}

/// The people for whom an account turned up.
fn of_pairs(pairs: &[NewPair]) -> Vec<Uuid> {
    let paired = pairs.iter().filter(|pair| pair.remote_id.is_some());
    paired.filter_map(|pair| pair.resource.map(|id| id.0)).collect()
}
