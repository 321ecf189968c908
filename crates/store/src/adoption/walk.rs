//! The walk of a scan through a target: what it has come upon, and where it goes on.

use super::scans::{ScanClaim, fenced};
use crate::{Store, StoreError};
use rollcall_provisioning::entity::{Attributes, Entity};
use sqlx::PgConnection;
use uuid::Uuid;

/// An org unit that is to be read.
#[derive(Clone, PartialEq, Debug, sqlx::FromRow)]
pub struct UnitToRead {
    /// The target's own id.
    pub remote_id: String,
    /// Names from the top.
    pub path: String,
    /// The same, folded.
    pub path_key: String,
    /// How far below the top.
    pub depth: i32,
    /// Whether it was looked at and its accounts are next.
    pub looked_at: bool,
    /// Where the list of its accounts goes on; `None` is its beginning.
    pub place: Option<String>,
}

/// An org unit that was found under another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundUnit {
    /// The target's own id.
    pub remote_id: String,
    /// Names from the top.
    pub path: String,
    /// The same, folded.
    pub path_key: String,
}

/// What one step of a scan brought.
#[derive(Clone, PartialEq, Debug)]
pub enum ScanStep {
    /// An org unit and what is directly under it.
    Unit {
        /// What it has.
        attributes: Attributes,
        /// What is under it.
        children: Vec<FoundUnit>,
    },
    /// It is gone.
    Gone,
    /// Its accounts could not be listed because it seems to be gone: it is looked at once more.
    Doubted,
    /// A page of its accounts, and where the list goes on.
    Accounts {
        /// Who is on it.
        accounts: Vec<Entity>,
        /// Where the next page begins.
        next: Option<String>,
    },
}

/// What is asked at the end of a walk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WalkEnd {
    /// How many accounts the target says that it has.
    pub expected: u64,
    /// Who administers it.
    pub administrators: Vec<String>,
    /// What the application may not read.
    pub hidden: Vec<String>,
    /// Calls that the answers cost.
    pub calls: u32,
}

impl Store {
    /// The next org units to be read, at most `limit`; none when all are. A scan that knows none begins at `root`.
    pub async fn units_to_read(
        &self,
        claim: &ScanClaim,
        root: &str,
        limit: i64,
    ) -> Result<Vec<UnitToRead>, StoreError> {
        sqlx::query(
            "INSERT INTO scanned_units (tenant_id, target_id, scan_id, remote_id, depth, path, path_key)
             SELECT $1, $2, $3, $4, 0, '', '' FROM scans
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3 AND lease_epoch = $5
             ON CONFLICT DO NOTHING",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(root)
        .bind(claim.epoch)
        .execute(self.pool())
        .await?;
        let units = sqlx::query_as(
            "SELECT remote_id, path, path_key, depth, attributes IS NOT NULL AS looked_at, place FROM scanned_units
             WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND NOT read
             ORDER BY depth, remote_id LIMIT $4",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(units)
    }

    /// Keeps what a step about an org unit brought, and the calls that it cost. `false` when the scan is lost.
    pub async fn keep_step(
        &self,
        claim: &ScanClaim,
        unit: &UnitToRead,
        step: &ScanStep,
        calls: u32,
    ) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        match step {
            ScanStep::Unit { attributes, children } => {
                keep_unit(&mut tx, claim, unit, attributes, children).await?;
            }
            ScanStep::Gone => {
                about_unit(
                    &mut tx,
                    claim,
                    unit,
                    "DELETE FROM scanned_units
                     WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND remote_id = $4",
                )
                .await?;
            }
            ScanStep::Doubted => {
                about_unit(
                    &mut tx,
                    claim,
                    unit,
                    "UPDATE scanned_units SET attributes = NULL, place = NULL
                     WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND remote_id = $4",
                )
                .await?;
            }
            ScanStep::Accounts { accounts, next } => {
                keep_accounts(&mut tx, claim, unit, accounts, next.as_deref()).await?;
            }
        }
        sqlx::query(
            "UPDATE scans SET calls = calls + $4, attempt = 0, error_code = NULL, error = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(i64::from(calls))
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Ends the walk: keeps what the target says of itself, protects its administrators, and goes on to find out who is
    /// who. `false` when the scan is lost.
    pub async fn end_walk(&self, claim: &ScanClaim, end: &WalkEnd) -> Result<bool, StoreError> {
        let mut tx = self.pool().begin().await?;
        if !fenced(&mut tx, claim).await? {
            tx.rollback().await?;
            return Ok(false);
        }
        sqlx::query(
            "UPDATE scans SET state = 'correlating', expected = $4, hidden = $5, calls = calls + $6, attempt = 0,
                    error_code = NULL, error = NULL
             WHERE tenant_id = $1 AND target_id = $2 AND id = $3",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(i64::try_from(end.expected).unwrap_or(i64::MAX))
        .bind(&end.hidden)
        .bind(i64::from(end.calls))
        .execute(&mut *tx)
        .await?;
        let ids: Vec<Uuid> = end.administrators.iter().map(|_| self.new_id()).collect();
        // Whoever administers no more is no longer protected for that; a mark that a person has lifted stays so.
        sqlx::query(
            "DELETE FROM marks WHERE tenant_id = $1 AND target_id = $2 AND automatic AND remote_id <> ALL ($3)",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(&end.administrators)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "INSERT INTO marks (tenant_id, target_id, id, entity_kind, remote_id, kind, reason, made_by, made_at, automatic)
             SELECT $1, $2, a.id, 'account', a.remote_id, 'protected', 'administrator of the organisation', 'scan', $5, true
             FROM unnest($3::uuid[], $4::text[]) AS a (id, remote_id)
             ON CONFLICT (tenant_id, target_id, entity_kind, remote_id) WHERE remote_id IS NOT NULL DO NOTHING",
        )
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(&ids)
        .bind(&end.administrators)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }
}

async fn about_unit(
    tx: &mut PgConnection,
    claim: &ScanClaim,
    unit: &UnitToRead,
    statement: &'static str,
) -> Result<(), StoreError> {
    sqlx::query(statement)
        .bind(claim.tenant.0)
        .bind(claim.target.0)
        .bind(claim.scan)
        .bind(&unit.remote_id)
        .execute(tx)
        .await?;
    Ok(())
}

async fn keep_unit(
    tx: &mut PgConnection,
    claim: &ScanClaim,
    unit: &UnitToRead,
    attributes: &Attributes,
    children: &[FoundUnit],
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE scanned_units SET attributes = $5
         WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND remote_id = $4",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.scan)
    .bind(&unit.remote_id)
    .bind(sqlx::types::Json(attributes))
    .execute(&mut *tx)
    .await?;
    let column = |of: fn(&FoundUnit) -> &str| children.iter().map(of).collect::<Vec<_>>();
    // One that was moved while the walk went on is read where it was found first.
    sqlx::query(
        "INSERT INTO scanned_units (tenant_id, target_id, scan_id, remote_id, depth, path, path_key)
         SELECT $1, $2, $3, c.remote_id, $4, c.path, c.path_key
         FROM unnest($5::text[], $6::text[], $7::text[]) AS c (remote_id, path, path_key)
         ON CONFLICT DO NOTHING",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.scan)
    .bind(unit.depth.saturating_add(1))
    .bind(column(|child| &child.remote_id))
    .bind(column(|child| &child.path))
    .bind(column(|child| &child.path_key))
    .execute(tx)
    .await?;
    Ok(())
}

/// Somebody who is in several org units is on the list of each, and is kept once.
async fn keep_accounts(
    tx: &mut PgConnection,
    claim: &ScanClaim,
    unit: &UnitToRead,
    accounts: &[Entity],
    next: Option<&str>,
) -> Result<(), StoreError> {
    let ids: Vec<&str> = accounts.iter().map(|account| account.remote_id.as_str()).collect();
    let attributes: Vec<_> = accounts.iter().map(|account| sqlx::types::Json(&account.attributes)).collect();
    sqlx::query(
        "INSERT INTO scanned_accounts AS a (tenant_id, target_id, scan_id, remote_id, attributes)
         SELECT DISTINCT ON (f.remote_id) $1, $2, $3, f.remote_id, f.attributes
         FROM unnest($4::text[], $5::jsonb[]) AS f (remote_id, attributes)
         ON CONFLICT (tenant_id, target_id, scan_id, remote_id) DO UPDATE SET attributes = EXCLUDED.attributes",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.scan)
    .bind(ids)
    .bind(attributes)
    .execute(&mut *tx)
    .await?;
    sqlx::query(
        "UPDATE scanned_units SET place = $5, read = $5::text IS NULL
         WHERE tenant_id = $1 AND target_id = $2 AND scan_id = $3 AND remote_id = $4",
    )
    .bind(claim.tenant.0)
    .bind(claim.target.0)
    .bind(claim.scan)
    .bind(&unit.remote_id)
    .bind(next)
    .execute(tx)
    .await?;
    Ok(())
}
