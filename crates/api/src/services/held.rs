//! What is held at every target, by what, and what to do about it: the things that wait for a person, and what only waits
//! for a time.

use crate::error::ApiError;
use crate::services::guards::{self, TripView};
use crate::services::plans::{self, PlanView};
use crate::services::source_names::SourceNames;
use crate::services::targets::{self, Stop, TargetView};
use rollcall_provisioning::guard::{Effect, Guard};
use rollcall_provisioning::ids::TenantId;
use rollcall_store::Store;
use rollcall_store::projection::{HeldRow, PutOffRow};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// What is held at a target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct HeldView {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// `rehearsal`, `live` or `paused`.
    #[schema(example = "live")]
    pub mode: String,
    /// Why it is paused, if no person has paused it: its database was restored or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_reason: Option<String>,
    /// What is held until a person decides, by what holds it; guards first.
    pub holds: Vec<HoldView>,
    /// Plans of which somebody has asked to release what guards hold, and nobody has granted it; the newest first, 200 at most
    /// of a tenant.
    pub releases: Vec<PlanView>,
    /// What does not work until its cause has gone: all of the target, or single kinds of entity or step.
    pub stops: Vec<Stop>,
    /// What waits for the end of a deny window, or for calls that the target may be sent.
    pub put_off: Vec<PutOffView>,
    /// How many changes wait to be sent. They wait for as long as the target is paused or stopped.
    pub owed: i64,
}

/// What one thing holds.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct HoldView {
    /// What holds it: `guard:` and the effect, `adoption`, `mapping:` and the version, or `rehearsal`. Lists of deliveries and
    /// new plans can be limited to it.
    #[schema(example = "guard:people.remove")]
    pub held_by: String,
    /// How many people it holds.
    pub people: i64,
    /// How many departments.
    pub departments: i64,
    /// How many groups.
    pub groups: i64,
    /// Why, in a sentence; of a guard with the arithmetic.
    #[schema(example = "people.remove: 14 at once, more than 10 (1 % of 1012, at least 5)")]
    pub reason: String,
    /// What to do about it.
    pub advice: &'static str,
    /// The trip of the guard, which can be closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trip: Option<TripView>,
}

/// What waits for a time.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PutOffView {
    /// `deny_window` or `calls_used_up`. Lists of deliveries can be limited to it.
    #[schema(example = "deny_window")]
    pub code: String,
    /// Why, in a sentence.
    pub reason: String,
    /// When it goes on.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub until: Option<OffsetDateTime>,
    /// How many people wait for it.
    pub people: i64,
    /// How many departments.
    pub departments: i64,
    /// How many groups.
    pub groups: i64,
}

/// What is held at each target of a tenant, by their names.
///
/// # Errors
/// When the store cannot be asked.
pub async fn read(store: &Store, tenant: TenantId, now: OffsetDateTime) -> Result<Vec<HeldView>, ApiError> {
    let (held, put_off) = tokio::try_join!(store.held(tenant), store.put_off(tenant))?;
    let sources = SourceNames::of(store, tenant).await?;
    let trips = guards::open_trips(store, tenant, None).await?;
    let plans = plans::unreleased(store, tenant, plans::MOST_UNRELEASED, now).await?;
    let targets = targets::list(store, tenant, now).await?;
    let view = |target: TargetView| {
        let id = target.id;
        let trip = |row: &HeldRow| {
            let effect = row.held_by.strip_prefix("guard:")?;
            trips.iter().find(|trip| trip.target_id == id && trip.effect == effect).cloned()
        };
        let holds = held.iter().filter(|row| row.target_id == id).map(|row| HoldView::of(row, trip(row), &sources));
        let mut holds: Vec<HoldView> = holds.collect();
        holds.sort_by_key(|hold| hold.trip.is_none());
        let owed = ["pending", "applying", "retrying"];
        HeldView {
            target_id: id,
            target: target.name,
            mode: target.mode,
            paused_reason: target.paused_reason,
            holds,
            releases: plans.iter().filter(|plan| plan.target_id == id).cloned().collect(),
            stops: target.stops,
            put_off: put_off.iter().filter(|row| row.target_id == id).map(PutOffView::from).collect(),
            owed: target
                .counts
                .iter()
                .filter(|count| owed.contains(&count.state.as_str()))
                .map(|count| count.count)
                .sum(),
        }
    };
    Ok(targets.into_iter().map(view).collect())
}

impl HoldView {
    fn of(row: &HeldRow, trip: Option<TripView>, sources: &SourceNames) -> Self {
        let (reason, advice) = match row.held_by.split_once(':') {
            Some(("guard", effect)) => {
                let untold = || sources.told(&format!("The guard {effect} holds it."));
                (trip.as_ref().map_or_else(untold, |trip| trip.arithmetic.clone()), of_guard(effect))
            }
            Some(("mapping", version)) => (
                format!("Version {version} of the mapping changes accounts that are there."),
                "Make a plan of it, read what would change, and apply it; or save another version of the mapping.",
            ),
            _ if row.held_by == "adoption" => (
                "Adoption has linked or unlinked what was at the target before Rollcall, and the two differ."
                    .to_owned(),
                "Make a plan of it, read what would change, and apply it.",
            ),
            _ => (
                "The target is in rehearsal: nothing is sent.".to_owned(),
                "Make a plan, read it, and apply it to a few people first. When the target goes live, everything is sent as far as \
                 guards let it pass.",
            ),
        };
        Self {
            held_by: row.held_by.clone(),
            people: row.people,
            departments: row.departments,
            groups: row.groups,
            reason,
            advice,
            trip,
        }
    }
}

/// What to do about what a guard holds.
fn of_guard(effect: &str) -> &'static str {
    match Effect::parse(effect).map(|effect| effect.guard) {
        Some(Guard::Protected) => {
            "Make a plan of it, which two people release; or two people lift the mark, if the account needs no protection any more."
        }
        Some(Guard::AdministratorsLost) => {
            "Make a plan of it, which two people release; or somebody takes the right to administer away in DingTalk first."
        }
        Some(Guard::SourceEmpty) => {
            "Look at the source first: its list is probably incomplete. When its people come back, what is held is looked at again \
             within ten minutes. If they have really left, make a plan of it, which two people release."
        }
        Some(Guard::ManagersLost) => {
            "Let the source give the reports another manager; then it is looked at again within ten minutes. Or make a plan of it, \
             which two people release."
        }
        Some(Guard::FieldsBlanked | Guard::FieldsChanged) => {
            "Look at the mapping and at the source first: one attribute of so many at once is often a mistake. If it is meant, make \
             a plan of it, which two people release."
        }
        _ => {
            "If it is meant, make a plan of it, which two people release. If not, let the source take it back, and have what is left \
             judged anew."
        }
    }
}

impl From<&PutOffRow> for PutOffView {
    fn from(row: &PutOffRow) -> Self {
        Self {
            code: row.code.clone(),
            reason: row.reason.clone(),
            until: row.until,
            people: row.people,
            departments: row.departments,
            groups: row.groups,
        }
    }
}
