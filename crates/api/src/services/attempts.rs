//! Attempts: each action that was tried at a target, and its end.

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::ids::TenantId;
use rollcall_store::Store;
use rollcall_store::projection::{AttemptQuery, AttemptRow};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// One try. Names of attributes are kept, values are not.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AttemptView {
    /// Its number; grows.
    pub id: i64,
    /// When it ended.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The target.
    pub target_id: Uuid,
    /// `user`, `group` or `org_unit`.
    pub kind: String,
    /// The resource.
    pub resource_id: Uuid,
    /// What was done.
    #[schema(example = "update account")]
    pub action: String,
    /// The attributes that it touched.
    pub attributes: Vec<String>,
    /// `accepted`, `failed` or `unknown` (the answer was lost).
    pub outcome: String,
    /// What the failure means.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_class: Option<String>,
    /// The target's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// What happened, in words for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// How long the call took, in milliseconds.
    pub duration_ms: i32,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl From<AttemptRow> for AttemptView {
    fn from(row: AttemptRow) -> Self {
        Self {
            id: row.id,
            at: row.at,
            target_id: row.target_id,
            kind: row.resource_kind,
            resource_id: row.resource_id,
            action: row.action,
            attributes: row.attributes,
            outcome: row.outcome,
            error_class: row.error_class,
            error_code: row.error_code,
            message: row.message,
            duration_ms: row.duration_ms,
            request_id: row.request_id,
        }
    }
}

/// A page of attempts, the newest first. `query.limit` is the size of the page; `cursor` is where it begins, and
/// replaces `query.before`.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    query: &AttemptQuery,
    cursor: Option<&str>,
) -> Result<Page<AttemptView>, ApiError> {
    let query = AttemptQuery { before: Cursor::number(cursor)?, limit: query.limit.saturating_add(1), ..*query };
    let rows = store.attempts(tenant, &query).await?;
    Ok(Page::of(rows, query.limit.saturating_sub(1), |row| Cursor::Number(row.id), AttemptView::from))
}
