//! Adoption as people see it: how the scan stands, who is in which bucket, and what is left to decide.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{TargetId, TenantId};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// Where a candidate belongs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Bucket {
    /// Certainly the same.
    Linked,
    /// Perhaps the same.
    Suggested,
    /// A key points to somebody else.
    Contradiction,
    /// An account for whom there is no person.
    OnlyInTarget,
    /// A person for whom there is no account.
    OnlyInDirectory,
}

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Linked, Self::Suggested, Self::Contradiction, Self::OnlyInTarget, Self::OnlyInDirectory];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Suggested => "suggested",
            Self::Contradiction => "contradiction",
            Self::OnlyInTarget => "only_in_target",
            Self::OnlyInDirectory => "only_in_directory",
        }
    }

    /// The bucket behind a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.as_str() == word)
    }
}

/// A scan.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Scan {
    /// Which.
    pub id: Uuid,
    /// How far it is.
    pub state: String,
    /// Who began it.
    pub requested_by: String,
    /// When.
    pub requested_at: OffsetDateTime,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
    /// How many calls it has made.
    pub calls: i64,
    /// How many org units it has read.
    pub org_units: i64,
    /// How many it has come upon and not read.
    pub org_units_left: i64,
    /// How many accounts it has found.
    pub accounts: i64,
    /// How many the target says that it has.
    pub expected: Option<i64>,
    /// What the application may not read.
    pub hidden: Vec<String>,
    /// Failed tries in a row.
    pub attempt: i32,
    /// When it is tried again.
    pub due_at: Option<OffsetDateTime>,
    /// Why it failed last.
    pub error: Option<String>,
}

/// How many candidates are in a bucket.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Coverage {
    /// Which bucket.
    pub bucket: String,
    /// How many.
    pub count: i64,
    /// How many of them nobody has decided about. Accounts without a person are undecided while nothing marks them.
    pub undecided: i64,
}

/// A candidate, with what people know the two by.
#[derive(Clone, PartialEq, Eq, Debug, FromRow)]
pub struct Candidate {
    /// Which.
    pub id: Uuid,
    /// Where it belongs.
    pub bucket: String,
    /// The person.
    pub resource_id: Option<Uuid>,
    /// Their userName.
    pub user_name: Option<String>,
    /// Their displayName.
    pub display_name: Option<String>,
    /// The account.
    pub remote_id: Option<String>,
    /// Its name.
    pub account_name: Option<String>,
    /// Its job number.
    pub account_job_number: Option<String>,
    /// Its title.
    pub account_title: Option<String>,
    /// The sum of the weights.
    pub score: i32,
    /// The keys that agree.
    pub keys: Vec<String>,
    /// The keys that differ.
    pub differs: Vec<String>,
    /// What was decided.
    pub decision: Option<String>,
    /// By whom.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<OffsetDateTime>,
    /// What the account is marked as.
    pub mark: Option<String>,
}

/// Which candidates to list, in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct CandidateQuery {
    /// Only of this bucket.
    pub bucket: Option<Bucket>,
    /// Only those nobody has decided about.
    pub undecided: bool,
    /// Only after this one.
    pub after: Option<Uuid>,
    /// The most rows.
    pub limit: i64,
}

/// Departments whose path several org units of a scan have.
const AMBIGUOUS: &str = "
    WITH RECURSIVE ours AS (
        SELECT o.id, o.name AS path, o.name_key AS path_key FROM org_units o
        WHERE o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = $2 AND o.gone_at IS NULL
        UNION ALL
        SELECT o.id, ours.path || ' / ' || o.name, ours.path_key || chr(31) || o.name_key FROM ours
        JOIN org_units o ON o.tenant_id = $1 AND o.target_id = $2 AND o.parent_id = ours.id AND o.gone_at IS NULL)
    SELECT o.path, array_agg(u.remote_id ORDER BY u.remote_id) FROM ours o
    JOIN scanned_units u ON u.tenant_id = $1 AND u.target_id = $2 AND u.scan_id = $3 AND u.depth > 0
                        AND u.attributes IS NOT NULL AND u.path_key = o.path_key
    WHERE NOT EXISTS (SELECT 1 FROM links l WHERE l.tenant_id = $1 AND l.target_id = $2
                        AND l.resource_kind = 'org_unit' AND l.resource_id = o.id AND l.remote_id IS NOT NULL)
    GROUP BY o.id, o.path HAVING count(*) > 1 ORDER BY o.path LIMIT 50";

impl Store {
    /// Departments that are not linked because several org units of a scan have their path: the path, and the remote ids.
    pub async fn ambiguous_units(
        &self,
        tenant: TenantId,
        target: TargetId,
        scan: Uuid,
    ) -> Result<Vec<(String, Vec<String>)>, StoreError> {
        let found = sqlx::query_as(AMBIGUOUS).bind(tenant.0).bind(target.0).bind(scan).fetch_all(self.pool()).await?;
        Ok(found)
    }

    /// The newest scan of a target.
    pub async fn newest_scan(&self, tenant: TenantId, target: TargetId) -> Result<Option<Scan>, StoreError> {
        let scan = sqlx::query_as(
            "SELECT s.id, s.state, s.requested_by, s.requested_at, s.finished_at, s.calls, s.expected, s.hidden, s.attempt,
                    s.due_at, s.error,
                    (SELECT count(*) FROM scanned_units u WHERE u.tenant_id = $1 AND u.target_id = $2
                       AND u.scan_id = s.id AND u.read) AS org_units,
                    (SELECT count(*) FROM scanned_units u WHERE u.tenant_id = $1 AND u.target_id = $2
                       AND u.scan_id = s.id AND NOT u.read) AS org_units_left,
                    (SELECT count(*) FROM scanned_accounts a WHERE a.tenant_id = $1 AND a.target_id = $2
                       AND a.scan_id = s.id) AS accounts
             FROM scans s WHERE s.tenant_id = $1 AND s.target_id = $2
             ORDER BY s.requested_at DESC, s.id DESC LIMIT 1",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_optional(self.pool())
        .await?;
        Ok(scan)
    }

    /// How many candidates are in which bucket.
    pub async fn coverage(&self, tenant: TenantId, target: TargetId) -> Result<Vec<Coverage>, StoreError> {
        let counts = sqlx::query_as(
            "SELECT c.bucket, count(*) AS count,
                    count(*) FILTER (WHERE c.decision IS NULL AND c.bucket <> 'linked' AND m.id IS NULL) AS undecided
             FROM candidates c
             LEFT JOIN marks m ON m.tenant_id = $1 AND m.target_id = $2 AND m.entity_kind = 'account'
                              AND m.remote_id = c.remote_id AND m.lifted_at IS NULL AND c.bucket = 'only_in_target'
             WHERE c.tenant_id = $1 AND c.target_id = $2 GROUP BY c.bucket ORDER BY c.bucket",
        )
        .bind(tenant.0)
        .bind(target.0)
        .fetch_all(self.pool())
        .await?;
        Ok(counts)
    }

    /// Lists candidates.
    pub async fn candidates(
        &self,
        tenant: TenantId,
        target: TargetId,
        query: &CandidateQuery,
    ) -> Result<Vec<Candidate>, StoreError> {
        let rows = sqlx::query_as(
            "SELECT c.id, c.bucket, c.resource_id, u.attributes ->> 'userName' AS user_name,
                    u.attributes ->> 'displayName' AS display_name, c.remote_id, a.attributes ->> 'name' AS account_name,
                    a.attributes ->> 'job_number' AS account_job_number, a.attributes ->> 'title' AS account_title,
                    c.score, c.keys, c.differs, c.decision, c.decided_by, c.decided_at, m.kind AS mark
             FROM candidates c
             LEFT JOIN users u ON u.tenant_id = c.tenant_id AND u.id = c.resource_id
             LEFT JOIN scanned_accounts a ON a.tenant_id = c.tenant_id AND a.target_id = c.target_id
                                         AND a.scan_id = c.scan_id AND a.remote_id = c.remote_id
             LEFT JOIN marks m ON m.tenant_id = c.tenant_id AND m.target_id = c.target_id AND m.entity_kind = 'account'
                              AND m.remote_id = c.remote_id AND m.lifted_at IS NULL
             WHERE c.tenant_id = $1 AND c.target_id = $2 AND ($3::text IS NULL OR c.bucket = $3)
               AND (NOT $4 OR c.decision IS NULL AND c.bucket <> 'linked'
                              AND (m.id IS NULL OR c.bucket <> 'only_in_target'))
               AND ($5::uuid IS NULL OR c.id > $5)
             ORDER BY c.id LIMIT $6",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(query.bucket.map(Bucket::as_str))
        .bind(query.undecided)
        .bind(query.after)
        .bind(query.limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows)
    }
}
