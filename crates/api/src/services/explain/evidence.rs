//! What there is to see of a person at one target: what holds them, what was accepted, and the plans that they are in.

use crate::error::ApiError;
use crate::services::deliveries::DeliveryView;
use crate::services::overrides::OverrideView;
use crate::services::proposal::{LineView, ProposalView};
use rollcall_provisioning::entity::{self, Attributes};
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::proposal::{Paths, readable};
use rollcall_store::Store;
use rollcall_store::projection::{AcceptedQuery, AcceptedRow, OverrideQuery, PlannedRow};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// Accepted actions that are shown.
pub(super) const ACCEPTED: i64 = 5;
/// Overrides that are shown: more than an account has attributes.
const OVERRIDES: i64 = 200;
/// Plans that are shown.
const PLANS: i64 = 3;

/// What holds a person, and what would be done.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct HeldView {
    /// `rehearsal`, or `guard:` and the effect that tripped the guard.
    #[schema(example = "guard:people.remove")]
    pub by: String,
    /// Why, with its arithmetic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What would be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalView>,
}

/// An action that the target accepted.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct AcceptedView {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What was done.
    #[schema(example = "update account")]
    pub action: String,
    /// Each attribute that it touched, before and after.
    pub lines: Vec<LineView>,
    /// The SCIM request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The plan that permitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    /// The version of the mapping that decided it; absent of the oldest ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping_version: Option<i32>,
}

/// Where a person stands in a plan.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PlannedView {
    /// The plan.
    pub plan_id: Uuid,
    /// Where the plan stands; see `listPlans`.
    #[schema(example = "ready")]
    pub plan_state: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Where the person stands in it: `planned`, `permitted`, `applied`, `moved` or `failed`.
    #[schema(example = "planned")]
    pub state: String,
    /// Whether a guard holds it until the plan is released.
    pub guarded: bool,
    /// What became of it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl HeldView {
    /// What holds a delivery, if anything does.
    pub(super) fn of(delivery: &DeliveryView) -> Option<Self> {
        let by = delivery.held_by.clone()?;
        Some(Self { by, reason: delivery.reason.clone(), proposal: delivery.proposal.clone() })
    }
}

impl PlannedView {
    fn of(row: PlannedRow, now: OffsetDateTime) -> Self {
        let is_late = row.expires_at <= now && !matches!(row.plan_state.as_str(), "applied" | "rejected" | "applying");
        Self {
            plan_id: row.plan_id,
            plan_state: if is_late { "expired".to_owned() } else { row.plan_state },
            created_at: row.created_at,
            state: row.state,
            guarded: row.guarded,
            detail: row.detail,
        }
    }
}

/// The last plans that a person is in.
pub(super) async fn planned(
    store: &Store,
    place: (TenantId, TargetId),
    id: ResourceId,
    now: OffsetDateTime,
) -> Result<Vec<PlannedView>, ApiError> {
    let rows = store.planned(place, id, PLANS).await?;
    Ok(rows.into_iter().map(|row| PlannedView::of(row, now)).collect())
}

/// What people hold of the person's account against the rules, now or at a moment.
pub(super) async fn overrides(
    store: &Store,
    (tenant, target): (TenantId, TargetId),
    id: ResourceId,
    at: Option<OffsetDateTime>,
) -> Result<Vec<OverrideView>, ApiError> {
    let query = OverrideQuery {
        target: Some(target),
        resource: Some(id),
        ended: at.is_some(),
        at,
        before: None,
        limit: OVERRIDES,
    };
    Ok(store.overrides(tenant, &query).await?.into_iter().map(OverrideView::from).collect())
}

/// The actions that the target accepted, the newest first. Departments are named by their paths, those that are not there
/// any more by their ids.
pub(super) async fn accepted(
    store: &Store,
    place: (TenantId, TargetId),
    id: ResourceId,
    query: &AcceptedQuery<'_>,
) -> Result<Vec<AcceptedView>, ApiError> {
    let rows = store.accepted(place, id, query).await?;
    let units = units_of(rows.iter().flat_map(|row| [&row.before, &row.after]).flatten().map(|image| &image.0));
    let paths = store.unit_paths(place, &units).await?;
    let mut views: Vec<AcceptedView> = rows.iter().map(|row| view(row, &paths)).collect();
    if let Some(attribute) = query.attribute {
        for view in &mut views {
            view.lines.retain(|line| line.attribute == attribute);
        }
    }
    Ok(views)
}

/// The departments that these attributes name, each once.
pub(super) fn units_of<'a>(images: impl Iterator<Item = &'a Attributes>) -> Vec<&'a str> {
    images.flat_map(units).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The departments that attributes name, by their remote ids.
fn units(attributes: &Attributes) -> Vec<&str> {
    let listed = attributes.get(entity::ORG_UNITS).and_then(Value::as_array).into_iter().flatten();
    let primary = attributes.get(entity::PRIMARY_ORG_UNIT);
    let by_unit =
        [entity::ORG_UNIT_ORDERS, entity::ORG_UNIT_TITLES].into_iter().filter_map(|name| attributes.get(name));
    let keys = by_unit.filter_map(Value::as_object).flat_map(|by_unit| by_unit.keys().map(String::as_str));
    listed.chain(primary).filter_map(Value::as_str).chain(keys).collect()
}

fn view(row: &AcceptedRow, paths: &Paths) -> AcceptedView {
    let nothing = Attributes::new();
    let (before, after) =
        (row.before.as_ref().map_or(&nothing, |image| &image.0), row.after.as_ref().map_or(&nothing, |image| &image.0));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |attributes: &Attributes, name: &str| attributes.get(name).map(|value| readable(name, value, paths));
    let line =
        |name: &String| LineView { attribute: name.clone(), before: value(before, name), after: value(after, name) };
    AcceptedView {
        at: row.at,
        action: row.action.clone(),
        lines: names.into_iter().map(line).collect(),
        request_id: row.request_id.clone(),
        plan_id: row.plan_id,
        mapping_version: row.mapping_version,
    }
}
