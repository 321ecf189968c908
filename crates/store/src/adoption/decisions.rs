//! What people decide about candidates: one by one, by a rule, or all over again.

use super::linking::Linking;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A decision about a candidate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// The account is the person's.
    Accepted,
    /// It is not.
    Rejected,
    /// The person has none there and gets a new one.
    New,
    /// What was decided is taken back. A link that was made stays.
    Undecided,
}

impl Decision {
    /// The word used in JSON, CSV and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::New => "new",
            Self::Undecided => "undecided",
        }
    }

    /// The decision behind a word; the command forms are understood, too.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "accepted" | "accept" => Self::Accepted,
            "rejected" | "reject" => Self::Rejected,
            "new" => Self::New,
            "undecided" => Self::Undecided,
            _ => return None,
        })
    }
}

/// Which suggestions are accepted together.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BulkRule {
    /// All of these keys agree; `name` is meant also where the department agrees besides.
    pub keys: Vec<String>,
    /// The sum of weights is this or more.
    pub at_least: i32,
    /// Also where a key differs.
    pub despite_differences: bool,
}

/// What decisions came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Decided {
    /// How many candidates were decided about.
    pub decided: u64,
    /// Of the accepted ones, how many were linked now.
    pub linking: Linking,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// There is no such candidate.
    #[error("there is no candidate {0}")]
    NotFound(Uuid),
    /// The decision has no meaning for it.
    #[error("the candidate {id} cannot be {word}: {why}")]
    Senseless {
        /// Which candidate.
        id: Uuid,
        /// Which decision.
        word: &'static str,
        /// Why not.
        why: &'static str,
    },
    /// A scan is under way, which may change what there is to decide.
    #[error("a scan is under way")]
    UnderWay,
    /// A worker is at some of them.
    #[error("{0} of them are being worked at; try again in a moment")]
    Busy(u64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DecisionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    bucket: String,
    resource_id: Option<Uuid>,
    remote_id: Option<String>,
    decision: Option<String>,
    taken: bool,
}

impl Store {
    /// Decides about candidates: all of them, or none.
    pub async fn decide(
        &self,
        tenant: TenantId,
        target: TargetId,
        decisions: &[(Uuid, Decision)],
        by: &str,
    ) -> Result<Decided, DecisionError> {
        let mut tx = self.pool().begin().await?;
        let decided = self.decide_in(&mut tx, (tenant, target), decisions, by).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(decided)
    }

    /// How many suggestions a rule would accept now, and, unless it is only asked, accepts them.
    pub async fn decide_by_rule(
        &self,
        tenant: TenantId,
        target: TargetId,
        rule: &BulkRule,
        by: Option<&str>,
    ) -> Result<Decided, DecisionError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        let plain: Vec<&String> = rule.keys.iter().filter(|key| *key != "name").collect();
        let ids: Vec<Uuid> = sqlx::query_scalar(
            "SELECT id FROM candidates
             WHERE tenant_id = $1 AND target_id = $2 AND bucket = 'suggested' AND decision IS NULL
               AND keys @> $3 AND (NOT $4 OR keys && '{name,name_and_department}') AND score >= $5
               AND ($6 OR cardinality(differs) = 0)
             ORDER BY id LIMIT 1000000",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(&plain)
        .bind(plain.len() < rule.keys.len())
        .bind(rule.at_least)
        .bind(rule.despite_differences)
        .fetch_all(&mut *tx)
        .await?;
        let Some(by) = by else {
            tx.rollback().await?;
            let decided = u64::try_from(ids.len()).unwrap_or(u64::MAX);
            return Ok(Decided { decided, linking: Linking::default() });
        };
        let decisions: Vec<(Uuid, Decision)> = ids.into_iter().map(|id| (id, Decision::Accepted)).collect();
        let decided = self.decide_in(&mut tx, (tenant, target), &decisions, by).await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(decided)
    }

    async fn decide_in(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        decisions: &[(Uuid, Decision)],
        by: &str,
    ) -> Result<Decided, DecisionError> {
        let under_way: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM scans WHERE tenant_id = $1 AND target_id = $2
                              AND state IN ('correlating', 'linking'))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_one(&mut *tx)
        .await?;
        if under_way {
            return Err(DecisionError::UnderWay);
        }
        let ids: Vec<Uuid> = decisions.iter().map(|(id, _)| *id).collect();
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT c.id, c.bucket, c.resource_id, c.remote_id, c.decision,
                    EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user'
                              AND l.remote_id IS NOT NULL
                              AND ((l.resource_id = c.resource_id) <> (l.remote_id = c.remote_id))) AS taken
             FROM candidates c WHERE c.tenant_id = $1 AND c.target_id = $2 AND c.id = ANY($3)
             ORDER BY c.id FOR UPDATE OF c",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(&ids)
        .fetch_all(&mut *tx)
        .await?;
        let mut pairs = Vec::new();
        let mut words = Vec::with_capacity(decisions.len());
        let mut seen = std::collections::HashSet::new();
        let by_id: std::collections::HashMap<Uuid, Row> = rows.into_iter().map(|row| (row.id, row)).collect();
        for (id, decision) in decisions {
            let row = by_id.get(id).ok_or(DecisionError::NotFound(*id))?;
            if let Some(why) = senseless(row, *decision) {
                return Err(DecisionError::Senseless { id: *id, word: decision.as_str(), why });
            }
            if let (Decision::Accepted, Some(resource), Some(remote_id)) = (decision, row.resource_id, &row.remote_id) {
                let person = seen.insert(resource.to_string());
                if !(seen.insert(format!("account {remote_id}")) && person) {
                    let why = "the same person or account is accepted twice";
                    return Err(DecisionError::Senseless { id: *id, word: decision.as_str(), why });
                }
                if row.decision.as_deref() != Some("accepted") {
                    pairs.push((resource, remote_id.clone()));
                }
            }
            words.push(Some(decision.as_str()).filter(|_| *decision != Decision::Undecided));
        }
        let done = sqlx::query(
            "UPDATE candidates c
             SET decision = d.word, superseded = false, decided_by = CASE WHEN d.word IS NOT NULL THEN $5 END,
                 decided_at = CASE WHEN d.word IS NOT NULL THEN $6::timestamptz END
             FROM unnest($3::uuid[], $4::text[]) AS d (id, word)
             WHERE c.tenant_id = $1 AND c.target_id = $2 AND c.id = d.id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(&ids)
        .bind(&words)
        .bind(by)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        let linking = self.link_pairs(tx, (tenant.0, target.0), &pairs).await?;
        if linking.busy > 0 {
            return Err(DecisionError::Busy(linking.busy));
        }
        self.supersede(tx, (tenant, target), &pairs, by).await?;
        Ok(Decided { decided: done.rows_affected(), linking })
    }

    /// Whoever is somebody by now is nobody else.
    pub(super) async fn supersede(
        &self,
        tx: &mut PgConnection,
        (tenant, target): (TenantId, TargetId),
        pairs: &[(Uuid, String)],
        by: &str,
    ) -> Result<(), StoreError> {
        let (resources, remote_ids): (Vec<Uuid>, Vec<&str>) = pairs.iter().map(|(id, to)| (*id, to.as_str())).unzip();
        sqlx::query(
            "UPDATE candidates SET decision = 'rejected', superseded = true, decided_by = $5, decided_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND decision IS NULL
               AND (resource_id = ANY($3) OR remote_id = ANY($4)) AND resource_id IS NOT NULL AND remote_id IS NOT NULL",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(resources)
        .bind(remote_ids)
        .bind(by)
        .bind(self.now())
        .execute(tx)
        .await?;
        Ok(())
    }

    /// Starts adoption over: every link that it made is forgotten, and what was decided. Nothing changes at the target,
    /// and nothing will without a plan. Marks and what scans have found stay. Returns how many links there were.
    pub async fn restart_adoption(&self, tenant: TenantId, target: TargetId, by: &str) -> Result<u64, DecisionError> {
        let mut tx = self.pool().begin().await?;
        sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *tx).await?;
        let under_way: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM scans WHERE tenant_id = $1 AND target_id = $2
                              AND state IN ('walking', 'correlating', 'linking'))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_one(&mut *tx)
        .await?;
        if under_way {
            return Err(DecisionError::UnderWay);
        }
        // Their claims are lost: whoever is at one of them writes nothing more, and calls nobody.
        let done = sqlx::query(
            "WITH them AS MATERIALIZED (
                 SELECT d.resource_kind, d.resource_id FROM deliveries d
                 JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = d.resource_kind
                             AND l.resource_id = d.resource_id AND l.adopted_at IS NOT NULL
                 WHERE d.tenant_id = $1 AND d.target_id = $2 AND (d.lease_until IS NULL OR d.lease_until < now())
                 ORDER BY d.resource_id FOR UPDATE OF d),
             forgotten AS (
                 DELETE FROM links l USING them
                 WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = them.resource_kind
                   AND l.resource_id = them.resource_id),
             elsewhere AS (
                 DELETE FROM placements p USING them
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND them.resource_kind = 'user'
                   AND p.user_id = them.resource_id AND NOT p.wanted),
             nowhere AS (
                 UPDATE placements p SET applied = false FROM them
                 WHERE p.tenant_id = $1 AND p.target_id = $2 AND them.resource_kind = 'user'
                   AND p.user_id = them.resource_id AND p.wanted AND p.applied)
             UPDATE deliveries d
             SET adopted = true, permit = NULL, mark = d.mark + 1, attempt = 0, due_at = $3, updated_at = $3,
                 waiting_for = NULL, dirty_since = COALESCE(d.dirty_since, $3), state = 'pending',
                 lease_epoch = d.lease_epoch + 1
             FROM them
             WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = them.resource_kind
               AND d.resource_id = them.resource_id",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM links WHERE tenant_id = $1 AND target_id = $2 AND adopted_at IS NOT NULL",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_one(&mut *tx)
        .await?;
        if left > 0 {
            return Err(DecisionError::Busy(u64::try_from(left).unwrap_or(0)));
        }
        sqlx::query(
            "WITH gone AS (DELETE FROM candidates WHERE tenant_id = $1 AND target_id = $2)
             INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $3, '', 'adoption_restarted', 'target', $2, 0, jsonb_build_object('by', $4::text))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(by)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(done.rows_affected())
    }
}

/// Why a decision has no meaning for a candidate.
fn senseless(row: &Row, decision: Decision) -> Option<&'static str> {
    let pair = row.resource_id.is_some() && row.remote_id.is_some();
    match decision {
        Decision::Accepted | Decision::Rejected if !pair => Some("only one of the two is there"),
        Decision::Accepted if row.taken => Some("the person or the account is linked to another by now"),
        Decision::New if row.bucket != "only_in_directory" => {
            Some("only a person without an account can get a new one")
        }
        Decision::Rejected | Decision::Undecided
            if row.bucket == "linked" || row.decision.as_deref() == Some("accepted") =>
        {
            Some("it is linked; break the link to take that back")
        }
        _ => None,
    }
}
