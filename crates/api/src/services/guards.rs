//! Guards of a target: their limits, what they count now, and what they hold.

use crate::error::ApiError;
use crate::services::reason;
use crate::services::source_names::SourceNames;
use crate::services::targets::chosen;
use rollcall_provisioning::guard::{Effect, Guard, Guards, Limit, Window};
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{Closing, EffectReading, Protected, TripRow};
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The guards of a target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct GuardsView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// Every guard.
    pub guards: Vec<GuardView>,
}

/// A guard, and how it stands.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct GuardView {
    /// Its word.
    #[schema(example = "people.remove")]
    pub guard: &'static str,
    /// The limit in force; absent for a guard that holds every change that it counts, and for
    /// the quota, which follows from the settings `calls_per_day` and `calls_per_month` of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitView>,
    /// Whether the limit is the target's own, and not the one that all begin with.
    pub own: bool,
    /// How many there are of what it protects.
    pub base: i64,
    /// How many it lets pass with that base.
    pub most: Counts,
    /// What has passed, by effect. A guard that counts attribute by attribute has several.
    pub passed: Vec<PassedView>,
    /// What it holds now.
    pub open: Vec<TripView>,
}

/// How much is allowed.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Debug)]
pub struct LimitView {
    /// This much is always allowed.
    pub floor: u64,
    /// The share of the base that is allowed, 0 to 1.
    pub share: f64,
    /// How many times as much is allowed in a day; `null`: a day is not counted.
    pub day: Option<u64>,
    /// How many times as much is allowed in a week; `null`: a week is not counted.
    pub week: Option<u64>,
}

impl From<Limit> for LimitView {
    fn from(Limit { floor, share, day, week }: Limit) -> Self {
        Self { floor, share, day, week }
    }
}

/// Numbers for each window; `null` where a window is not counted.
#[derive(Serialize, ToSchema, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counts {
    /// At once: in a plan, or within an hour at a live target.
    pub at_once: Option<u64>,
    /// Within 24 hours.
    pub day: Option<u64>,
    /// Within seven days.
    pub week: Option<u64>,
}

/// How often an effect has passed its guard.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PassedView {
    /// The effect: the guard, and of what where that is counted apart.
    #[schema(example = "fields.changed:title")]
    pub effect: String,
    /// In the last hour.
    pub hour: i64,
    /// In the last 24 hours.
    pub day: i64,
    /// In the last seven days.
    pub week: i64,
}

/// A guard that holds or held changes.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct TripView {
    /// Its id.
    pub id: Uuid,
    /// The target.
    pub target_id: Uuid,
    /// The effect that was counted.
    #[schema(example = "people.remove")]
    pub effect: String,
    /// Over what: `plan`, `day` or `week`.
    pub window: String,
    /// How many there were.
    pub observed: i64,
    /// How many were allowed.
    pub most: i64,
    /// Of how many.
    pub base: i64,
    /// The same in a sentence.
    #[schema(example = "people.remove: 14 at once, more than 10 (1 % of 1012, at least 5)")]
    pub arithmetic: String,
    /// How many deliveries it holds now.
    pub held: i64,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub tripped_at: OffsetDateTime,
    /// When it ended; absent while it holds.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<OffsetDateTime>,
    /// Who ended it; absent when nothing was held by it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
}

impl TripView {
    fn of(row: TripRow, sources: &SourceNames) -> Self {
        Self {
            id: row.id,
            target_id: row.target_id,
            effect: row.effect,
            window: row.window_of,
            observed: row.observed,
            most: row.most,
            base: row.base,
            arithmetic: sources.told(&row.arithmetic),
            held: row.held,
            tripped_at: row.tripped_at,
            closed_at: row.closed_at,
            closed_by: row.closed_by,
        }
    }
}

/// The guards of a target.
///
/// # Errors
/// 404.
pub async fn read(store: &Store, tenant: TenantId, target: TargetId) -> Result<GuardsView, ApiError> {
    let target = chosen(store, tenant, target).await?;
    let (readings, protected) = store.guard_readings(tenant, target.id).await?;
    let open = open_trips(store, tenant, Some(target.id)).await?;
    let view = |guard| guard_view(guard, &target.guards, (&readings, protected), &open);
    Ok(GuardsView { target_id: target.id.0, target: target.name.clone(), guards: Guard::all().map(view).collect() })
}

/// Replaces the target's own limits: an object of guard to `{"floor": 5, "share": 0.01, "day": 2, "week": 4}`. A guard that
/// is left out has the limit that all begin with.
///
/// # Errors
/// 404; 400 that names the part which cannot be used; 409 for a looser limit of a guard that holds something, which takes two
/// people. Nothing is changed then.
pub async fn replace(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    limits: &Value,
    by: &str,
) -> Result<GuardsView, ApiError> {
    if !limits.is_object() {
        return Err(ApiError::parameter("limits", "must be an object of guards with their limits"));
    }
    let guards = Guards::parse(limits)?;
    change(store, (tenant, target), by, |_| Ok(guards)).await
}

/// Sets the limit of one guard, as [`replace`] takes it; `None` gives it back the limit that all begin with. Limits of other
/// guards that somebody else sets meanwhile stay.
///
/// # Errors
/// As [`replace`].
pub async fn set_one(
    store: &Store,
    whose: (TenantId, TargetId),
    (guard, limit): (&str, Option<&Value>),
    by: &str,
) -> Result<GuardsView, ApiError> {
    change(store, whose, by, |in_force| Ok(Guards::parse(&with_one(in_force, guard, limit)?)?)).await
}

/// Changes the limits in force. By which one person would let pass what a guard holds is refused.
pub(super) async fn change(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    by: &str,
    change: impl FnOnce(&Guards) -> Result<Guards, ApiError> + Send,
) -> Result<GuardsView, ApiError> {
    let sources = SourceNames::of(store, tenant).await?;
    let changed = store.change_guards((tenant, target), by, |in_force, trips| {
        let guards = change(in_force)?;
        frees_nothing(in_force, &guards, trips, &sources)?;
        Ok::<_, ApiError>(guards)
    });
    changed.await?.ok_or_else(|| super::targets::no_target(&target.to_string()))??;
    read(store, tenant, target).await
}

/// Limits with another one of one guard.
pub(super) fn with_one(guards: &Guards, guard: &str, limit: Option<&Value>) -> Result<Value, ApiError> {
    if Guard::parse(guard).is_none() {
        return Err(ApiError::parameter("guard", format!("names {}, which is no guard", quoted(guard))));
    }
    let mut limits = guards.to_value();
    if let Some(limits) = limits.as_object_mut() {
        match limit {
            Some(limit) => limits.insert(guard.to_owned(), limit.clone()),
            None => limits.remove(guard),
        };
    }
    Ok(limits)
}

fn frees_nothing(in_force: &Guards, guards: &Guards, trips: &[TripRow], sources: &SourceNames) -> Result<(), ApiError> {
    for trip in holding(trips) {
        let Some(guard) = Effect::parse(&trip.effect).map(|effect| effect.guard).filter(|guard| guard.has_limit())
        else {
            continue;
        };
        let base = u64::try_from(trip.base).unwrap_or(0);
        if guards.limit(guard).is_looser_than(&in_force.limit(guard), base) {
            return Err(ApiError::Conflict(format!(
                "{} holds {} now ({}), and a looser limit would let that pass by one person's word. Two people release a plan \
                 of it (rollcall plan, rollcall release), or the source takes it back; the limit can be set then. Nothing was \
                 changed.",
                trip.effect,
                trip.held,
                sources.told(&trip.arithmetic)
            )));
        }
    }
    Ok(())
}

/// The trips of a target, open ones first, then the newest; at most 200.
///
/// # Errors
/// 404.
pub async fn trips(store: &Store, tenant: TenantId, target: TargetId) -> Result<Vec<TripView>, ApiError> {
    let target = chosen(store, tenant, target).await?;
    let sources = SourceNames::of(store, tenant).await?;
    let trips = store.trips(tenant, Some(target.id)).await?;
    Ok(trips.into_iter().map(|trip| TripView::of(trip, &sources)).collect())
}

/// Closes a trip, if what it holds is not too much any more by the limits in force. Why is kept in the change log.
///
/// # Errors
/// 400 for a reason that says nothing or too much; 404 when there is no such trip; 409 when it is closed already, or when what it holds is still too much.
pub async fn close(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    trip: Uuid,
    (reason, by): (Option<&str>, &str),
) -> Result<GuardsView, ApiError> {
    let reason = reason.map(reason::given).transpose()?;
    let target = chosen(store, tenant, target).await?;
    match store.close_trip(tenant, target.id, trip, (by, reason)).await? {
        Closing::Closed => read(store, tenant, target.id).await,
        Closing::TooMuch(arithmetic) => Err(ApiError::Conflict(format!(
            "What the guard holds is still too much: {arithmetic}. Release a plan with it, or set other limits."
        ))),
        Closing::NotOpen => {
            let known = store.trips(tenant, Some(target.id)).await?.into_iter().any(|known| known.id == trip);
            Err(if known {
                ApiError::Conflict("The trip is closed already.".to_owned())
            } else {
                ApiError::NotFound { what: format!("the trip {}", quoted(&trip.to_string())) }
            })
        }
    }
}

/// The trips that hold something now, of one target or of all.
pub async fn open_trips(store: &Store, tenant: TenantId, target: Option<TargetId>) -> Result<Vec<TripView>, ApiError> {
    let (trips, sources) = (store.trips(tenant, target).await?, SourceNames::of(store, tenant).await?);
    Ok(holding(&trips).map(|trip| TripView::of(trip.clone(), &sources)).collect())
}

fn holding(trips: &[TripRow]) -> impl Iterator<Item = &TripRow> {
    trips.iter().filter(|trip| trip.closed_at.is_none() && trip.held > 0)
}

fn guard_view(
    guard: Guard,
    guards: &Guards,
    (readings, protected): (&[EffectReading], Protected),
    open: &[TripView],
) -> GuardView {
    let word = guard.as_str();
    let is_of = |effect: &str| effect.split(':').next() == Some(word);
    let limit = guards.limit(guard);
    let base = if guard == Guard::DepartmentsRemove { protected.departments } else { protected.people };
    let most = |window| limit.most(window, u64::try_from(base).unwrap_or(0));
    GuardView {
        guard: word,
        limit: guard.has_limit().then(|| limit.into()),
        own: guards.is_own(guard),
        base,
        most: Counts { at_once: most(Window::Plan), day: most(Window::Day), week: most(Window::Week) },
        passed: readings
            .iter()
            .filter(|reading| is_of(&reading.effect))
            .map(|reading| PassedView {
                effect: reading.effect.clone(),
                hour: reading.hour,
                day: reading.day,
                week: reading.week,
            })
            .collect(),
        open: open.iter().filter(|trip| is_of(&trip.effect)).cloned().collect(),
    }
}
