//! Overrides: what people hold at targets against the rules, since when, why and for how long.

pub use rollcall_store::projection::OverrideQuery;

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::overrides::readable_paths;
use rollcall_store::Store;
use rollcall_store::projection::OverrideRow;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// One attribute that is held against the rules.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct OverrideView {
    /// Its number; grows.
    pub id: i64,
    /// At which target.
    pub target_id: Uuid,
    /// `user` or `org_unit`.
    #[schema(example = "user")]
    pub kind: String,
    /// Of which resource.
    pub resource_id: Uuid,
    /// The userName, or the name of the department.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which attribute; `account` is the account as a whole, which is held absent.
    #[schema(example = "title")]
    pub attribute: String,
    /// What it is held at; `null` is no value. Departments are named by their paths.
    pub value: Option<Value>,
    /// What the rules want instead. It ends when they want anything else than this.
    pub against: Option<Value>,
    /// Who made it.
    #[schema(example = "token maria")]
    pub made_by: String,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    pub made_at: OffsetDateTime,
    /// Why.
    pub reason: String,
    /// The day on which somebody is to ask whether it is still needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_on: Option<String>,
    /// The plan that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<OffsetDateTime>,
    /// Who lifted it; absent when it ended by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_why: Option<String>,
}

impl From<OverrideRow> for OverrideView {
    fn from(row: OverrideRow) -> Self {
        let is_places = row.attribute == entity::ORG_UNITS;
        let shown = |value: Option<Value>| {
            let value = value.filter(|value| !value.is_null());
            if is_places { value.as_ref().map(readable_paths) } else { value }
        };
        Self {
            id: row.id,
            target_id: row.target_id,
            kind: row.resource_kind,
            resource_id: row.resource_id,
            name: row.name,
            attribute: row.attribute,
            value: shown(row.value),
            against: shown(row.against),
            made_by: row.made_by,
            made_at: row.made_at,
            reason: row.reason,
            review_on: row.review_on.map(|day| day.to_string()),
            plan_id: row.plan_id,
            ended_at: row.ended_at,
            ended_by: row.ended_by,
            ended_why: row.ended_why,
        }
    }
}

/// A page of overrides, the newest first. `query.limit` is the size of the page; `cursor` is where it begins, and replaces
/// `query.before`.
///
/// # Errors
/// 400 for a cursor of another list.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    query: &OverrideQuery,
    cursor: Option<&str>,
) -> Result<Page<OverrideView>, ApiError> {
    let query = OverrideQuery { before: Cursor::number(cursor)?, limit: query.limit.saturating_add(1), ..*query };
    let rows = store.overrides(tenant, &query).await?;
    Ok(Page::of(rows, query.limit.saturating_sub(1), |row| Cursor::Number(row.id), OverrideView::from))
}

/// Lifts an override: the rules count again, and what they want is sent as far as guards let it pass.
///
/// # Errors
/// 404 when there is none that counts.
pub async fn lift(store: &Store, tenant: TenantId, id: i64, by: &str, request_id: &str) -> Result<(), ApiError> {
    if store.lift_override(tenant, id, by, request_id).await? {
        return Ok(());
    }
    Err(ApiError::NotFound { what: format!("an override {id} that counts") })
}
