//! Limits of guards that follow from what is usual: proposed with the arithmetic, accepted by a person; and what limits would
//! have held last week.

use crate::error::ApiError;
use crate::services::guards::{self, GuardsView, LimitView};
use crate::services::targets::chosen;
use rollcall_provisioning::guard::{DAYS_NEEDED, Effect, Guard, Guards, Learnt, Limit, TIMES, Window, learn};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{EffectDay, EffectHistory, Protected};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use time::{Date, Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

/// How far back limits are tried.
const WEEK: Duration = Duration::days(7);
/// The most plans that limits are tried on.
const PLANS: i64 = 200;

/// Limits that follow from what is usual.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ProposalsView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// How many whole days are known, from the one after the target was made on; 60 at most.
    pub days: usize,
    /// How many are needed before anything is proposed.
    pub days_needed: usize,
    /// The first of them.
    #[schema(value_type = String, format = Date)]
    pub from: String,
    /// The last of them.
    #[schema(value_type = String, format = Date)]
    pub to: String,
    /// What is proposed, by guard; none while too few days are known.
    pub proposals: Vec<LimitProposal>,
}

/// A limit that follows from what is usual.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct LimitProposal {
    /// The guard.
    #[schema(example = "people.remove")]
    pub guard: &'static str,
    /// `looser`, `tighter` or `same`, as what is allowed at once is more, less or as much as now.
    #[schema(example = "tighter")]
    pub change: &'static str,
    /// The days on which there was something, without what a person had decided about.
    pub history: Vec<DayView>,
    /// The number that 99 of 100 days do not exceed.
    pub percentile_99: u64,
    /// How many times as much is proposed.
    pub times: u64,
    /// The proposal is never below this.
    pub floor: u64,
    /// How many there are of what it protects.
    pub base: u64,
    /// The limit in force.
    pub limit: LimitView,
    /// What it allows at once.
    pub most: u64,
    /// The limit that is proposed.
    pub proposed: LimitView,
    /// What that would allow at once.
    pub proposed_most: u64,
    /// The same in a sentence.
    #[schema(example = "3 × 4 a day = 12, at least 5: 1.2 % of 1012; now 1 %, which is 10")]
    pub arithmetic: String,
}

/// How much there was on a day.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct DayView {
    /// The day (UTC).
    #[schema(value_type = String, format = Date)]
    pub day: String,
    /// How much; of a guard that counts apart, the most of one.
    pub observed: u64,
}

/// What limits would have held.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TriedView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// How many plans of the last seven days were tried.
    pub plans: usize,
    /// How many whole days were tried.
    pub days: usize,
    /// What would have been too much.
    pub trips: Vec<TriedTrip>,
}

/// Something that would have been too much.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TriedTrip {
    /// The plan; absent where it is a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Uuid>,
    /// The day, of a plan the one on which it was made.
    #[schema(value_type = String, format = Date)]
    pub day: String,
    /// What was counted.
    #[schema(example = "people.remove")]
    pub effect: String,
    /// How much there was.
    pub observed: u64,
    /// How much would have been allowed.
    pub most: u64,
}

/// Limits that follow from what is usual.
///
/// # Errors
/// 404.
pub async fn proposals(store: &Store, tenant: TenantId, id: TargetId) -> Result<ProposalsView, ApiError> {
    let target = chosen(store, tenant, id).await?;
    let (history, protected) = known(store, tenant, id).await?;
    let learning = Guard::all().filter(|guard| guard.learns());
    let proposals = learning.filter_map(|guard| proposal(guard, &target.guards, &history, protected)).collect();
    Ok(ProposalsView {
        target_id: id.0,
        target: target.name.clone(),
        days: history.number(),
        days_needed: DAYS_NEEDED,
        from: history.from.to_string(),
        to: history.to.to_string(),
        proposals,
    })
}

/// Sets the limits of `wanted` guards as they are proposed now; of all that differ if there are none. The change log says who
/// did it.
///
/// # Errors
/// 404; 400 for a guard without a proposal; 409 while too few days are known.
pub async fn accept(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    wanted: &[String],
    by: &str,
) -> Result<GuardsView, ApiError> {
    let (history, protected) = known(store, tenant, id).await?;
    if history.number() < DAYS_NEEDED {
        let known = history.number();
        let text = format!("{known} whole days are known of the target; limits are proposed from {DAYS_NEEDED} on.");
        return Err(ApiError::Conflict(text));
    }
    for word in wanted {
        if !Guard::parse(word).is_some_and(Guard::learns) {
            let problem = format!("holds {}, for which nothing is proposed", quoted(word));
            return Err(ApiError::parameter("guards", problem));
        }
    }
    guards::change(store, (tenant, id), by, |in_force| {
        let mut guards = in_force.clone();
        for guard in Guard::all().filter(|guard| guard.learns()) {
            let is_wanted = wanted.is_empty() || wanted.iter().any(|word| word == guard.as_str());
            let Some((learnt, most)) = learnt(guard, in_force, &history, protected).filter(|_| is_wanted) else {
                continue;
            };
            if learnt.most != most || !wanted.is_empty() {
                guards = guards.with(guard, learnt.limit);
            }
        }
        Ok(guards)
    })
    .await
}

/// What limits would have held of the plans and the days of last week: those in force, or with `limits` others that are not
/// set by that.
///
/// # Errors
/// 404, and 400 that names the part of `limits` which cannot be used.
pub async fn try_on_last_week(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    limits: Option<&Value>,
    now: OffsetDateTime,
) -> Result<TriedView, ApiError> {
    let target = chosen(store, tenant, id).await?;
    let guards = match limits {
        None => target.guards.clone(),
        Some(limits) if limits.is_object() => Guards::parse(limits)?,
        Some(_) => return Err(ApiError::parameter("limits", "must be an object of guards with their limits")),
    };
    let (history, protected) = known(store, tenant, id).await?;
    let judge = |key: &str, observed: u64, windows: &[Window]| {
        let guard = Effect::parse(key)?.guard;
        let limit = guards.limit(guard);
        let most = windows.iter().find_map(|window| limit.most(*window, base(guard, protected)))?;
        (guard.learns() && observed > most).then_some(most)
    };
    let plans = store.plans(tenant, Some(id), None, PLANS).await?;
    let plans: Vec<_> = plans.into_iter().filter(|plan| plan.created_at > now - WEEK).collect();
    let mut trips = Vec::new();
    for plan in &plans {
        let effects = plan.summary.get("effects").and_then(Value::as_object).into_iter().flatten();
        trips.extend(effects.filter_map(|(effect, count)| {
            let observed = count.as_u64()?;
            let most = judge(effect, observed, &[Window::Plan])?;
            let day = plan.created_at.date().to_string();
            Some(TriedTrip { plan: Some(plan.id), day, effect: effect.clone(), observed, most })
        }));
    }
    let first = history.to - Duration::days(6);
    let last_week = history.days.iter().filter(|day| day.day >= first);
    trips.extend(last_week.filter_map(|EffectDay { effect, day, size }| {
        let observed = u64::try_from(*size).unwrap_or(0);
        let most = judge(effect, observed, &[Window::Day, Window::Plan])?;
        Some(TriedTrip { plan: None, day: day.to_string(), effect: effect.clone(), observed, most })
    }));
    let days = history.number().min(7);
    Ok(TriedView { target_id: id.0, target: target.name.clone(), plans: plans.len(), days, trips })
}

/// The same of the limits in force with another one of one guard; `None` is the limit that all begin with.
///
/// # Errors
/// 404, and 400 for a limit that cannot be used.
pub async fn try_one(
    store: &Store,
    (tenant, id): (TenantId, TargetId),
    (guard, limit): (&str, Option<&Value>),
    now: OffsetDateTime,
) -> Result<TriedView, ApiError> {
    if !Guard::parse(guard).is_some_and(Guard::learns) {
        let problem = format!("is {}, which is not judged by what passed in a week", quoted(guard));
        return Err(ApiError::parameter("guard", problem));
    }
    let limits = guards::with_one(&chosen(store, tenant, id).await?.guards, guard, limit)?;
    try_on_last_week(store, (tenant, id), Some(&limits), now).await
}

async fn known(store: &Store, tenant: TenantId, id: TargetId) -> Result<(EffectHistory, Protected), ApiError> {
    let history = store.effect_history(tenant, id).await?;
    let history = history.ok_or_else(|| super::targets::no_target(&id.to_string()))?;
    Ok((history, store.guard_readings(tenant, id).await?.1))
}

fn base(guard: Guard, protected: Protected) -> u64 {
    let base = if guard == Guard::DepartmentsRemove { protected.departments } else { protected.people };
    u64::try_from(base).unwrap_or(0)
}

/// The most that a guard counted of one effect, day by day.
fn days_of(guard: Guard, history: &EffectHistory) -> BTreeMap<Date, u64> {
    let mut days = BTreeMap::new();
    for EffectDay { effect, day, size } in &history.days {
        if Effect::parse(effect).is_some_and(|effect| effect.guard == guard) {
            let size = u64::try_from(*size).unwrap_or(0);
            days.entry(*day).and_modify(|most: &mut u64| *most = size.max(*most)).or_insert(size);
        }
    }
    days
}

/// What was learnt of a guard, and what its limit allows now.
fn learnt(guard: Guard, guards: &Guards, history: &EffectHistory, protected: Protected) -> Option<(Learnt, u64)> {
    let base = base(guard, protected);
    let mut sizes: Vec<u64> = days_of(guard, history).into_values().collect();
    sizes.resize(sizes.len().max(history.number()), 0);
    let limit = guards.limit(guard);
    let most = limit.most(Window::Plan, base).unwrap_or(0);
    Some((learn(guard, &sizes, base, &limit)?, most))
}

fn proposal(guard: Guard, guards: &Guards, history: &EffectHistory, protected: Protected) -> Option<LimitProposal> {
    let (learnt, most) = learnt(guard, guards, history, protected)?;
    let (base, limit) = (base(guard, protected), guards.limit(guard));
    let change = match learnt.most.cmp(&most) {
        std::cmp::Ordering::Greater => "looser",
        std::cmp::Ordering::Less => "tighter",
        std::cmp::Ordering::Equal => "same",
    };
    let days = days_of(guard, history).into_iter();
    Some(LimitProposal {
        guard: guard.as_str(),
        change,
        history: days.map(|(day, observed)| DayView { day: day.to_string(), observed }).collect(),
        percentile_99: learnt.percentile,
        times: TIMES,
        floor: learnt.floor,
        base,
        limit: limit.into(),
        most,
        proposed: learnt.limit.into(),
        proposed_most: learnt.most,
        arithmetic: arithmetic(&learnt, (&limit, most), base),
    })
}

fn arithmetic(learnt: &Learnt, (limit, most): (&Limit, u64), base: u64) -> String {
    format!(
        "{TIMES} × {} a day = {}, at least {}: {} % of {base}, which is {}; now {} %, at least {}, which is {most}",
        learnt.percentile,
        learnt.percentile.saturating_mul(TIMES),
        learnt.floor,
        percent(learnt.limit.share),
        learnt.most,
        percent(limit.share),
        limit.floor,
    )
}

/// Rounded to what is shown of it.
fn percent(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}
