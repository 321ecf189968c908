//! Plans as people read them: what would be done, how much of it guards hold, who decided what.

mod decide;
mod export;
mod undo;
mod wave;

pub use decide::{AppliedView, NewPlanRequest, Scope, apply, make, reject, release, request_release};
pub use export::{Export, export};
pub use rollcall_store::projection::PlanChangeQuery;
pub use undo::{CannotView, UndoRequest, UndoesView, Undoing, moment, undo};
pub use wave::WaveRequest;

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use crate::services::proposal::{LineView, ProposalView};
use crate::services::source_names::SourceNames;
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{ApplyError, PlanChange, PlanRow, Target};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Calls per second of a target that does not say how many it permits.
const CALLS_PER_SECOND: i64 = 20;

/// The most plans that are listed as waiting for a second person.
pub(super) const MOST_UNRELEASED: i64 = 200;

/// A plan.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PlanView {
    /// Its id.
    pub id: Uuid,
    /// The target.
    pub target_id: Uuid,
    /// The target's name.
    pub target: String,
    /// What it was made of: `held`, or `undo` for the way back from what was done.
    pub kind: String,
    /// `ready`, `guarded` (a guard holds a part of it), `applying`, `applied`, `partly_applied` (the rest can still be
    /// applied), `rejected` or `expired`.
    #[schema(example = "guarded")]
    pub state: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Who wanted it.
    #[schema(example = "token maria")]
    pub created_by: String,
    /// Until when it can be applied.
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// How many resources it changes.
    pub total: i64,
    /// How many of these a guard holds until the plan is released.
    pub guarded: i64,
    /// How many, by kind and verb.
    pub changes: Vec<PlanCount>,
    /// How many updates touch which attribute.
    pub attributes: BTreeMap<String, i64>,
    /// The calls that change something at the target.
    pub calls: i64,
    /// How many calls of what the target may be sent were left when the plan was made; absent where nothing limits them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls_left: Option<i64>,
    /// How long these take at least: each kind of call has its own rate budget at the target.
    pub seconds: i64,
    /// What guards count in it, and which of them would hold a part of it.
    pub guards: Vec<PlanGuard>,
    /// Of a plan that undoes: what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<UndoesView>,
    /// Of a plan that undoes: how many resources have something that cannot be undone. Its changes say what and why.
    pub hindered: i64,
    /// How many of its changes stand where: `planned`, `permitted`, `applied`, `moved`, `failed` or `impossible`.
    pub states: BTreeMap<String, i64>,
    /// The release of what guards hold, once somebody has asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ReleaseView>,
    /// Who applied it, or a part of it, first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// When that was.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<OffsetDateTime>,
    /// When the last of what was permitted had ended.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<OffsetDateTime>,
}

/// How many resources of a kind are changed in a way.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PlanCount {
    /// `user`, `group` or `org_unit`.
    #[schema(example = "user")]
    pub kind: String,
    /// `create`, `update` or `delete`.
    #[schema(example = "create")]
    pub verb: String,
    /// How many.
    pub count: i64,
}

/// What a guard counts in a plan.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PlanGuard {
    /// The effect: the guard, and of what where that is counted apart.
    #[schema(example = "people.remove")]
    pub effect: String,
    /// How often it is in the plan; of the quota, how many calls wait for it if it is too little: people who lose their
    /// account do not.
    pub count: i64,
    /// Why it is too much; absent when it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "people.remove: 14 at once, more than 10 (1 % of 1012, at least 5)")]
    pub arithmetic: Option<String>,
}

/// The release of a plan.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct ReleaseView {
    /// Who asked for it.
    pub requested_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<OffsetDateTime>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Who granted it; absent while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// When.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub approved_at: Option<OffsetDateTime>,
}

/// One resource in a plan.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PlanChangeView {
    /// `user`, `group` or `org_unit`.
    #[schema(example = "user")]
    pub kind: String,
    /// The resource.
    pub resource_id: Uuid,
    /// The user's userName or the department's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `create`, `update` or `delete`; `none` where nothing can be undone.
    #[schema(example = "update")]
    pub verb: String,
    /// Each attribute that changes.
    pub lines: Vec<LineView>,
    /// What guards count of it.
    pub effects: Vec<String>,
    /// Whether a guard holds it until the plan is released.
    pub guarded: bool,
    /// Why it was held when the plan was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `planned`, `permitted` (on its way), `applied`, `moved` (something else is to be done by now), `failed`, or
    /// `impossible` (nothing of it can be undone).
    #[schema(example = "planned")]
    pub state: String,
    /// What became of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When that changed last.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Of a plan that undoes: what of it cannot be undone, and what is lost.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cannot: Vec<CannotView>,
}

impl PlanView {
    /// Whether what is left of it can be applied, released or rejected.
    pub fn is_open(&self) -> bool {
        !matches!(self.state.as_str(), "applied" | "rejected" | "expired")
    }

    /// How many resources it changes in this way.
    pub fn count(&self, verb: &str) -> i64 {
        self.changes.iter().filter(|change| change.verb == verb).map(|change| change.count).sum()
    }

    /// How many of its changes nobody has applied yet.
    pub fn planned(&self) -> i64 {
        self.states.get("planned").copied().unwrap_or(0)
    }

    fn of(row: PlanRow, (targets, sources): (&[Target], &SourceNames), now: OffsetDateTime) -> Self {
        let target = targets.iter().find(|target| target.id.0 == row.target_id);
        let changes = counts(&row.summary);
        let rate = target.and_then(|target| target.settings.get("calls_per_second")?.as_i64());
        let rate = rate.unwrap_or(CALLS_PER_SECOND).max(1);
        let is_late = row.expires_at <= now && !matches!(row.state.as_str(), "applied" | "rejected" | "applying");
        Self {
            id: row.id,
            target_id: row.target_id,
            target: target.map_or_else(String::new, |target| target.name.clone()),
            kind: row.kind,
            state: if is_late { "expired".to_owned() } else { row.state },
            created_at: row.created_at,
            created_by: row.created_by,
            expires_at: row.expires_at,
            total: changes.iter().map(|change| change.count).sum(),
            guarded: row.guarded,
            attributes: numbers(row.summary.get("attributes")),
            calls: row.summary.get("calls").and_then(Value::as_i64).unwrap_or(0),
            calls_left: row.summary.get("calls_left").and_then(Value::as_i64),
            seconds: changes.iter().map(|change| (change.count + rate - 1) / rate).max().unwrap_or(0),
            changes,
            guards: guards(&row.summary, sources),
            undoes: row.undoes.as_ref().and_then(UndoesView::of),
            hindered: row.hindered,
            states: numbers(Some(&row.states)),
            release: row.requested_by.map(|requested_by| ReleaseView {
                requested_by,
                requested_at: row.requested_at,
                reason: row.reason,
                approved_by: row.approved_by,
                approved_at: row.approved_at,
            }),
            applied_by: row.applied_by,
            applied_at: row.applied_at,
            ended_at: row.ended_at,
        }
    }
}

impl From<PlanChange> for PlanChangeView {
    fn from(row: PlanChange) -> Self {
        let ProposalView { verb, lines, effects } = ProposalView::of(&row.proposal);
        Self {
            kind: row.resource_kind,
            resource_id: row.resource_id,
            name: row.name,
            verb,
            lines,
            effects,
            guarded: row.guarded,
            reason: row.reason,
            state: row.state,
            detail: row.detail,
            updated_at: row.updated_at,
            cannot: CannotView::all(row.cannot.as_ref()),
        }
    }
}

fn counts(summary: &Value) -> Vec<PlanCount> {
    let all = summary.get("changes").and_then(Value::as_array).into_iter().flatten();
    let text = |one: &Value, name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    all.map(|one| PlanCount {
        kind: text(one, "kind"),
        verb: text(one, "verb"),
        count: one.get("count").and_then(Value::as_i64).unwrap_or(0),
    })
    .collect()
}

fn numbers(object: Option<&Value>) -> BTreeMap<String, i64> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, number)| (name.clone(), number.as_i64().unwrap_or(0))).collect()
}

fn guards(summary: &Value, sources: &SourceNames) -> Vec<PlanGuard> {
    let tripped = |effect: &str| summary.get("guards")?.get(effect)?.as_str().map(|text| sources.told(text));
    // Whoever loses their access does not wait for the quota.
    let leavers =
        counts(summary).iter().find(|one| one.kind == "user" && one.verb == "delete").map_or(0, |one| one.count);
    let free = |effect: &str| if effect == Guard::Quota.as_str() { leavers } else { 0 };
    let counted = numbers(summary.get("effects")).into_iter();
    counted
        .map(|(effect, count)| PlanGuard { arithmetic: tripped(&effect), count: count - free(&effect), effect })
        .collect()
}

/// A page of the plans of a tenant, of one target or of all, the newest first.
///
/// # Errors
/// 400 for a cursor of another list.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    target: Option<TargetId>,
    (limit, cursor): (i64, Option<&str>),
    now: OffsetDateTime,
) -> Result<Page<PlanView>, ApiError> {
    let before = Cursor::ids(cursor)?.map(|(plan, _)| plan);
    let rows = store.plans(tenant, target, before, limit.saturating_add(1));
    let (rows, targets) = tokio::try_join!(rows, store.targets(tenant))?;
    let sources = SourceNames::of(store, tenant).await?;
    let place = |row: &PlanRow| Cursor::Ids(row.id, row.target_id);
    Ok(Page::of(rows, limit, place, |row| PlanView::of(row, (&targets, &sources), now)))
}

/// The plans that somebody has asked to release, and nobody has released yet; the newest first, `limit` at most.
pub async fn unreleased(
    store: &Store,
    tenant: TenantId,
    limit: i64,
    now: OffsetDateTime,
) -> Result<Vec<PlanView>, ApiError> {
    let (rows, targets) = tokio::try_join!(store.unreleased_plans(tenant, limit), store.targets(tenant))?;
    let sources = SourceNames::of(store, tenant).await?;
    Ok(rows.into_iter().map(|row| PlanView::of(row, (&targets, &sources), now)).collect())
}

/// One plan.
///
/// # Errors
/// 404.
pub async fn read(store: &Store, tenant: TenantId, plan: Uuid, now: OffsetDateTime) -> Result<PlanView, ApiError> {
    let (row, targets) = tokio::try_join!(store.plan(tenant, plan), store.targets(tenant))?;
    let row = row.ok_or(ApiError::Plan(ApplyError::NotFound))?;
    Ok(PlanView::of(row, (&targets, &SourceNames::of(store, tenant).await?), now))
}

/// A page of the changes of a plan, in the order of resource ids. `query.limit` is the size of the page; `cursor` is where
/// it begins, and replaces `query.after`.
///
/// # Errors
/// 404, and 400 for a cursor of another list.
pub async fn changes(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    query: &PlanChangeQuery,
    cursor: Option<&str>,
) -> Result<Page<PlanChangeView>, ApiError> {
    let after = Cursor::ids(cursor)?.map(|(resource, _)| ResourceId(resource));
    let query = PlanChangeQuery { after, limit: query.limit.saturating_add(1), ..query.clone() };
    let rows = store.plan_changes(tenant, plan, &query).await?;
    if rows.is_empty() && store.plan(tenant, plan).await?.is_none() {
        return Err(ApiError::Plan(ApplyError::NotFound));
    }
    let place = |row: &PlanChange| Cursor::Ids(row.resource_id, plan);
    Ok(Page::of(rows, query.limit.saturating_sub(1), place, PlanChangeView::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::Duration;

    fn row(state: &str, expires_at: OffsetDateTime) -> PlanRow {
        let at = OffsetDateTime::UNIX_EPOCH;
        PlanRow {
            target_id: Uuid::nil(),
            id: Uuid::nil(),
            kind: "held".to_owned(),
            state: state.to_owned(),
            created_at: at,
            created_by: "token maria".to_owned(),
            expires_at,
            summary: json!({
                "changes": [
                    { "kind": "org_unit", "verb": "create", "count": 3 },
                    { "kind": "user", "verb": "create", "count": 41 },
                ],
                "attributes": { "title": 4 }, "calls": 44,
                "effects": { "people.create": 41, "people.move": 2 }, "guards": { "people.create": "too many" },
            }),
            requested_by: None,
            requested_at: None,
            reason: None,
            approved_by: None,
            approved_at: None,
            applied_by: None,
            applied_at: None,
            ended_at: None,
            states: json!({ "planned": 44 }),
            guarded: 41,
            undoes: None,
            hindered: 0,
        }
    }

    #[test]
    fn a_plan_says_how_much_it_is_and_how_long_it_takes() {
        let now = OffsetDateTime::UNIX_EPOCH;
        let plan = PlanView::of(row("guarded", now + Duration::HOUR), (&[], &SourceNames::default()), now);
        assert_eq!((plan.total, plan.count("create"), plan.planned(), plan.calls), (44, 44, 44, 44));
        assert_eq!(plan.seconds, 3, "41 people at 20 calls a second; the departments have a budget of their own");
        let tripped: Vec<_> = plan.guards.iter().filter(|guard| guard.arithmetic.is_some()).collect();
        assert_eq!((tripped.len(), tripped[0].effect.as_str()), (1, "people.create"));
    }

    #[test]
    fn what_is_too_old_says_so() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::DAY;
        for (state, shown) in [("ready", "expired"), ("partly_applied", "expired"), ("applied", "applied")] {
            let plan = PlanView::of(row(state, now), (&[], &SourceNames::default()), now);
            assert_eq!((plan.state.as_str(), plan.is_open()), (shown, false));
        }
    }
}
