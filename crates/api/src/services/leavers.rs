//! Leavers: one who is removed at once, and what they hand over.

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use crate::services::person;
use crate::services::reason;
use crate::services::targets::no_target;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{HandedOver, HandoverQuery, HeadedUnit, Report, Target};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Most reports and departments of one leaver that are shown.
const SHOWN: i64 = 200;

/// Why the account of a leaver goes at once.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct RemovalRequest {
    /// The reason; it is kept in the change log.
    #[schema(example = "Dismissed without notice.")]
    pub reason: String,
}

/// What becomes of it.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
pub struct RemovalView {
    /// At how many targets an account goes now.
    pub targets: u64,
}

/// Lets the account of a person who has left go at once, whatever the days of the rules and the guards say. What is marked
/// as protected is held all the same.
///
/// # Errors
/// 404; 400 for the reason; 409 when the person has not left, or has no account any more.
pub async fn remove_at_once(
    store: &Store,
    tenant: TenantId,
    id: ResourceId,
    request: &RemovalRequest,
    by: &str,
) -> Result<RemovalView, ApiError> {
    let reason = reason::given(&request.reason)?;
    let person = person::by_id(store, tenant, id).await?;
    if person.active {
        let problem = "The person has not left. Deactivate or delete them at the source first: as long as the directory \
                       has them as active, an account that is removed is made anew.";
        return Err(ApiError::Conflict(problem.to_owned()));
    }
    match store.remove_at_once(tenant, id, by, reason).await? {
        0 => Err(ApiError::Conflict("There is no account of this person any more, or there never was one.".to_owned())),
        targets => Ok(RemovalView { targets }),
    }
}

/// What a leaver hands over at one target.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct HandoverView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// The leaver's SCIM id.
    pub leaver_id: Uuid,
    /// Their userName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Their displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// What the source says of the successor, as the rule of the mapping reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub named: Option<String>,
    /// The SCIM id of the successor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor_id: Option<Uuid>,
    /// Their userName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<String>,
    /// Why nobody takes over: `no_rule` (the mapping does not say where the successor stands), `nobody` (the source names
    /// none), `unknown`, `several`, `left` (the successor, too), `rule_failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "nobody")]
    pub problem: Option<String>,
    /// How many people report to the leaver, as the directory has it.
    pub reports: i64,
    /// How many departments the leaver headed.
    pub departments: i64,
    /// When this was found out last.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

impl HandoverView {
    fn of(row: HandedOver, targets: &[Target]) -> Self {
        let target = targets.iter().find(|target| target.id.0 == row.target_id);
        Self {
            target: target.map_or_else(|| row.target_id.to_string(), |target| target.name.clone()),
            target_id: row.target_id,
            leaver_id: row.leaver_id,
            user_name: row.user_name,
            display_name: row.display_name,
            named: row.named,
            successor_id: row.successor_id,
            successor: row.successor_name,
            problem: row.problem,
            reports: row.reports,
            departments: row.departments,
            at: row.at,
        }
    }

    /// It in a sentence for people.
    pub fn sentence(&self) -> String {
        let had = format!("{} reports to them and {} departments headed", self.reports, self.departments);
        let why = match self.problem.as_deref() {
            None => {
                let heir = self.successor.clone().or_else(|| self.successor_id.map(|id| id.to_string()));
                return format!("{had}: handed to {}.", heir.unwrap_or_default());
            }
            Some("no_rule") => "the mapping does not say where the source names a successor",
            Some("nobody") => "the source names no successor",
            Some("unknown") => "the directory does not have the successor whom the source names",
            Some("several") => "several people could be the successor whom the source names",
            Some("left") => "the successor has left, too",
            Some(_) => "the rule for the successor failed",
        };
        format!("{had}: nobody takes over, because {why}.")
    }
}

/// A page of handovers.
///
/// # Errors
/// 404 for the target.
pub async fn handovers(
    store: &Store,
    tenant: TenantId,
    query: &HandoverQuery,
    cursor: Option<&str>,
) -> Result<Page<HandoverView>, ApiError> {
    let targets = store.targets(tenant).await?;
    if let Some(target) = query.target.filter(|target| !targets.iter().any(|found| found.id == *target)) {
        return Err(no_target(&target.to_string()));
    }
    let query = HandoverQuery { after: Cursor::ids(cursor)?, limit: query.limit.saturating_add(1), ..*query };
    let rows = store.handovers(tenant, &query).await?;
    Ok(Page::of(
        rows,
        query.limit.saturating_sub(1),
        |row| Cursor::Ids(row.leaver_id, row.target_id),
        |row| HandoverView::of(row, &targets),
    ))
}

/// Somebody who reports to a leaver.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct ReportView {
    /// The SCIM id.
    pub id: Uuid,
    /// The userName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        Self { id: report.id, user_name: report.user_name, display_name: report.display_name }
    }
}

/// A department that a leaver headed.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct HeadedUnitView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it has a head of its own by now, so that nobody has to take over.
    pub headed: bool,
    /// Whether the successor is in it, as heads must be.
    pub successor_in_it: bool,
}

impl From<HeadedUnit> for HeadedUnitView {
    fn from(unit: HeadedUnit) -> Self {
        Self { id: unit.id, name: unit.name, headed: unit.headed, successor_in_it: unit.successor_in_it }
    }
}

/// What one person hands over.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct HeritageView {
    /// Whether the person is active still, so that nothing is handed over yet.
    pub active: bool,
    /// Who report to the person, as the directory has it; at most 200.
    pub reports: Vec<ReportView>,
    /// What was handed over, one entry for each target; none of somebody who has not left.
    pub handovers: Vec<HeritageAt>,
}

/// What one person has handed over at one target.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct HeritageAt {
    /// To whom, or why to nobody.
    pub handover: HandoverView,
    /// The departments; at most 200.
    pub headed: Vec<HeadedUnitView>,
}

/// What one person hands over: whoever reports to them, and the departments that they headed.
///
/// # Errors
/// 404.
pub async fn heritage(store: &Store, tenant: TenantId, id: ResourceId) -> Result<HeritageView, ApiError> {
    let person = person::by_id(store, tenant, id).await?;
    let reports = store.reports(tenant, id, SHOWN).await?;
    let mut handovers = Vec::new();
    for handover in of_person(store, tenant, id).await? {
        let headed = store.headed_units(tenant, TargetId(handover.target_id), id, SHOWN).await?;
        handovers.push(HeritageAt { handover, headed: headed.into_iter().map(HeadedUnitView::from).collect() });
    }
    Ok(HeritageView { active: person.active, reports: reports.into_iter().map(ReportView::from).collect(), handovers })
}

/// What one person has handed over.
pub(crate) async fn of_person(store: &Store, tenant: TenantId, id: ResourceId) -> Result<Vec<HandoverView>, ApiError> {
    let query = HandoverQuery { leaver: Some(id), limit: SHOWN, ..HandoverQuery::default() };
    let rows = store.handovers(tenant, &query).await?;
    let targets = store.targets(tenant).await?;
    Ok(rows.into_iter().map(|row| HandoverView::of(row, &targets)).collect())
}
