//! Adoption of an organisation that is there already, for people: scans, who is who, decisions and marks.

mod decide;
mod marks;
mod table;

pub use decide::{DecidedView, DecisionRequest, OneDecision, RuleRequest, by_rule, decide, restart};
pub use marks::{MarkRequest, MarkView, lift, list as marks, set as mark};
pub use table::{export, import};

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::correlation::Weights;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::adoption::{Bucket, Candidate, CandidateQuery, Coverage, Scan, StartError};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// How adoption of a target stands.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AdoptionView {
    /// The newest scan; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanView>,
    /// How many are in which bucket.
    pub buckets: Vec<BucketView>,
    /// What is left before going live; empty when nothing is.
    pub left: Vec<String>,
}

/// A scan.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ScanView {
    /// Its id.
    pub id: Uuid,
    /// `walking`, `correlating`, `linking`, `done`, `failed` or `cancelled`.
    #[schema(example = "done")]
    pub state: String,
    /// Who began it.
    pub requested_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub requested_at: OffsetDateTime,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<OffsetDateTime>,
    /// How many calls it has made; all of them read.
    pub calls: i64,
    /// How many departments it has read.
    pub org_units: i64,
    /// How many it has come upon and not read yet.
    pub org_units_left: i64,
    /// How many accounts it has found.
    pub accounts: i64,
    /// How many the target says that it has. Where fewer were found, nothing is linked without asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts_expected: Option<i64>,
    /// What the application may not read, so that nobody is recognised by it.
    pub unreadable: Vec<String>,
    /// Failed tries in a row.
    pub attempt: i32,
    /// When it is tried again.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<OffsetDateTime>,
    /// Why it failed last, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A bucket.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct BucketView {
    /// `linked`, `suggested`, `contradiction`, `only_in_target` or `only_in_directory`.
    #[schema(example = "suggested")]
    pub bucket: String,
    /// How many are in it.
    pub count: i64,
    /// How many of them nobody has decided about.
    pub undecided: i64,
}

/// Somebody of the directory, somebody of the target, or two who may be the same.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CandidateView {
    /// Its id.
    pub id: Uuid,
    /// In which bucket.
    #[schema(example = "suggested")]
    pub bucket: String,
    /// The person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<Uuid>,
    /// Their userName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Their displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The account's id at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote_id: Option<String>,
    /// The account's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_name: Option<String>,
    /// The account's job number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_job_number: Option<String>,
    /// The account's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_title: Option<String>,
    /// The sum of the weights.
    pub score: i32,
    /// The keys that agree: `job_number`, `mobile`, `company_email`, `personal_email`, `name_and_department`, `name`.
    pub keys: Vec<String>,
    /// The keys that both have and that differ.
    pub differs: Vec<String>,
    /// `accepted`, `rejected` or `new`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<OffsetDateTime>,
    /// What the account is marked as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// A scan that was begun or goes on.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub struct ScanStarted {
    /// Its id.
    pub id: Uuid,
}

impl From<Scan> for ScanView {
    fn from(scan: Scan) -> Self {
        Self {
            id: scan.id,
            state: scan.state,
            requested_by: scan.requested_by,
            requested_at: scan.requested_at,
            finished_at: scan.finished_at,
            calls: scan.calls,
            org_units: scan.org_units,
            org_units_left: scan.org_units_left,
            accounts: scan.accounts,
            accounts_expected: scan.expected,
            unreadable: scan.hidden,
            attempt: scan.attempt,
            due_at: scan.due_at,
            error: scan.error,
        }
    }
}

impl From<Candidate> for CandidateView {
    fn from(row: Candidate) -> Self {
        Self {
            id: row.id,
            bucket: row.bucket,
            resource_id: row.resource_id,
            user_name: row.user_name,
            display_name: row.display_name,
            remote_id: row.remote_id,
            account_name: row.account_name,
            account_job_number: row.account_job_number,
            account_title: row.account_title,
            score: row.score,
            keys: row.keys,
            differs: row.differs,
            decision: row.decision,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            mark: row.mark,
        }
    }
}

/// How adoption stands.
///
/// # Errors
/// 404 when there is no such target.
pub async fn status(store: &Store, tenant: TenantId, target: TargetId) -> Result<AdoptionView, ApiError> {
    exists(store, tenant, target).await?;
    let (scan, counts) = tokio::try_join!(store.newest_scan(tenant, target), store.coverage(tenant, target))?;
    let mut left = left(scan.as_ref(), &counts);
    if let Some(scan) = &scan {
        for (path, remote_ids) in store.ambiguous_units(tenant, target, scan.id).await? {
            let ids = remote_ids.join(", ");
            left.push(format!(
                "The department \u{201c}{path}\u{201d} could be any of {ids}: give the others another name in DingTalk."
            ));
        }
    }
    let view = |count: Coverage| BucketView { bucket: count.bucket, count: count.count, undecided: count.undecided };
    Ok(AdoptionView { scan: scan.map(ScanView::from), buckets: counts.into_iter().map(view).collect(), left })
}

/// What operations, section 5.8, asks for before going live.
fn left(scan: Option<&Scan>, counts: &[Coverage]) -> Vec<String> {
    let Some(scan) = scan else { return vec!["The organisation has not been scanned.".to_owned()] };
    let mut left = Vec::new();
    if scan.state != "done" {
        left.push(format!("The scan is {}.", scan.state));
    } else if scan.expected.is_some_and(|expected| scan.accounts < expected) {
        left.push(format!(
            "The scan found {} accounts of {}: look at the application's contact range, and scan again.",
            scan.accounts,
            scan.expected.unwrap_or_default()
        ));
    }
    let undecided =
        |bucket: Bucket| counts.iter().find(|count| count.bucket == bucket.as_str()).map_or(0, |count| count.undecided);
    for (bucket, text) in [
        (Bucket::Contradiction, "contradictions are undecided"),
        (Bucket::Suggested, "suggestions are undecided"),
        (Bucket::OnlyInDirectory, "people without an account are not confirmed as new"),
        (Bucket::OnlyInTarget, "accounts without a person are not marked"),
    ] {
        match undecided(bucket) {
            0 => {}
            number => left.push(format!("{number} {text}.")),
        }
    }
    left
}

/// A page of candidates. `query.limit` is the size of the page.
///
/// # Errors
/// 404 when there is no such target.
pub async fn candidates(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    query: &CandidateQuery,
    cursor: Option<&str>,
) -> Result<Page<CandidateView>, ApiError> {
    exists(store, tenant, target).await?;
    let after = Cursor::ids(cursor)?.map(|(id, _)| id);
    let limit = query.limit;
    let query = CandidateQuery { after, limit: limit.saturating_add(1), ..query.clone() };
    let rows = store.candidates(tenant, target, &query).await?;
    Ok(Page::of(rows, limit, |row| Cursor::Ids(row.id, row.id), CandidateView::from))
}

/// Begins a scan.
///
/// # Errors
/// 404 when there is no such target, 409 when a scan is under way.
pub async fn scan(store: &Store, tenant: TenantId, target: TargetId, by: &str) -> Result<ScanStarted, ApiError> {
    store.start_scan(tenant, target, by).await.map(started).map_err(not_started)
}

/// Goes on with a scan that failed.
///
/// # Errors
/// 404 when there is no such target, 409 when the newest scan did not fail.
pub async fn resume(store: &Store, tenant: TenantId, target: TargetId) -> Result<ScanStarted, ApiError> {
    exists(store, tenant, target).await?;
    store.resume_scan(tenant, target).await.map(started).map_err(not_started)
}

/// Finds out once more who is who.
///
/// # Errors
/// 404 when there is no such target, 409 when no scan is finished.
pub async fn correlate(store: &Store, tenant: TenantId, target: TargetId) -> Result<ScanStarted, ApiError> {
    exists(store, tenant, target).await?;
    store.correlate_again(tenant, target).await.map(started).map_err(not_started)
}

/// Ends the scan that is under way.
///
/// # Errors
/// 404 when there is none.
pub async fn cancel(store: &Store, tenant: TenantId, target: TargetId) -> Result<(), ApiError> {
    let cancelled = store.cancel_scan(tenant, target).await?;
    if cancelled { Ok(()) } else { Err(ApiError::NotFound { what: "a scan that is under way".to_owned() }) }
}

/// How much the keys count.
///
/// # Errors
/// 404 when there is no such target.
pub async fn weights(store: &Store, tenant: TenantId, target: TargetId) -> Result<Value, ApiError> {
    let weights = store.weights(tenant, target).await?.ok_or_else(|| no_target(target))?;
    Ok(weights.to_value())
}

/// Sets how much the keys count, from the next correlation on.
///
/// # Errors
/// 400 that names the wrong member; 404 when there is no such target.
pub async fn set_weights(store: &Store, tenant: TenantId, target: TargetId, body: &Value) -> Result<Value, ApiError> {
    let weights =
        Weights::parse(body).map_err(|error| ApiError::parameter("body", format!("cannot be used: {error}")))?;
    if store.set_weights(tenant, target, &weights).await? { Ok(weights.to_value()) } else { Err(no_target(target)) }
}

fn started(id: Uuid) -> ScanStarted {
    ScanStarted { id }
}

fn not_started(error: StartError) -> ApiError {
    match error {
        StartError::UnderWay => ApiError::Conflict("A scan is under way; wait for its end, or cancel it.".to_owned()),
        StartError::None => ApiError::Conflict("There is no scan that this can be done with.".to_owned()),
        StartError::NoTarget => ApiError::NotFound { what: "the target".to_owned() },
        StartError::Store(error) => error.into(),
    }
}

/// Refuses a target that is not there.
async fn exists(store: &Store, tenant: TenantId, target: TargetId) -> Result<(), ApiError> {
    store.weights(tenant, target).await?.map(drop).ok_or_else(|| no_target(target))
}

fn no_target(target: TargetId) -> ApiError {
    ApiError::NotFound { what: format!("the target \"{target}\"") }
}
