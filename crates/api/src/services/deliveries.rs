//! Deliveries: where each resource stands towards each target, and why.

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use crate::services::proposal::ProposalView;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{DeliveryItem, DeliveryQuery, Target};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// The standing of one resource towards one target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct DeliveryView {
    /// The target.
    pub target_id: Uuid,
    /// The target's name.
    pub target: String,
    /// `user`, `group` or `org_unit`.
    #[schema(example = "user")]
    pub kind: String,
    /// The resource.
    pub resource_id: Uuid,
    /// The user's userName or the department's name; absent when nothing remembers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The user's displayName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// `pending`, `applying`, `in_step`, `retrying`, `waiting`, `needs_attention`, `held` or `gone`.
    #[schema(example = "needs_attention")]
    pub state: String,
    /// Why, in words for a person, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The resource that must come first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting_for: Option<Uuid>,
    /// What kind of hindrance.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "conflict")]
    pub error_class: Option<String>,
    /// The target's code, or a word of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "60104")]
    pub error_code: Option<String>,
    /// Failed tries in a row.
    pub attempt: i32,
    /// When it is looked at again by itself; absent when only a change brings it back.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub due_at: Option<OffsetDateTime>,
    /// Since when the target is behind the directory.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub dirty_since: Option<OffsetDateTime>,
    /// The version that the target has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_version: Option<i64>,
    /// The version that the directory has; absent for departments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<i64>,
    /// When the target got its version.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<OffsetDateTime>,
    /// What holds it: `rehearsal`, or `guard:` and the effect that tripped the guard. Only of what is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "guard:people.remove")]
    pub held_by: Option<String>,
    /// What would be done if nothing held it. Only of what is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<ProposalView>,
    /// The request that made it due last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// When anything about it changed last.
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

impl DeliveryView {
    pub(crate) fn of(item: DeliveryItem, targets: &[Target]) -> Self {
        let target = targets.iter().find(|target| target.id == item.target);
        let is_held = item.state == DeliveryState::Held;
        Self {
            target_id: item.target.0,
            target: target.map_or_else(String::new, |target| target.name.clone()),
            kind: item.kind.as_str().to_owned(),
            resource_id: item.resource.0,
            name: item.name,
            display_name: item.display_name,
            state: item.state.as_str().to_owned(),
            reason: item.reason,
            waiting_for: item.waiting_for.map(|id| id.0),
            error_class: item.error_class,
            error_code: item.error_code,
            attempt: item.attempt,
            due_at: item.due_at,
            dirty_since: item.dirty_since,
            applied_version: item.applied_version,
            current_version: item.current_version,
            applied_at: item.applied_at,
            held_by: item.held_by.filter(|_| is_held),
            proposal: item.proposal.as_ref().filter(|_| is_held).map(ProposalView::of),
            request_id: item.request_id,
            updated_at: item.updated_at,
        }
    }
}

/// A page of deliveries, in the order of resource ids. `query.limit` is the size of the page; `cursor` is where it
/// begins, and replaces `query.after`.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    query: &DeliveryQuery,
    cursor: Option<&str>,
) -> Result<Page<DeliveryView>, ApiError> {
    let after = Cursor::ids(cursor)?.map(|(resource, target)| (ResourceId(resource), TargetId(target)));
    let query = DeliveryQuery { after, limit: query.limit.saturating_add(1), ..query.clone() };
    let rows = store.deliveries(tenant, &query).await?;
    let targets = store.targets(tenant).await?;
    let place = |row: &DeliveryItem| Cursor::Ids(row.resource.0, row.target.0);
    Ok(Page::of(rows, query.limit.saturating_sub(1), place, |row| DeliveryView::of(row, &targets)))
}
