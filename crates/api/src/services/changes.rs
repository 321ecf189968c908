//! The change log: who changed what, when, because of which request; and what people were alerted to.

use crate::error::ApiError;
use crate::services::page::{Cursor, Page};
use rollcall_provisioning::ids::{ResourceId, SourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::changes::{ChangeCursor, ChangeEntry};
use rollcall_store::sources::Source;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// One entry of the log.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ChangeView {
    /// Its number; grows.
    pub id: i64,
    /// When it was written.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The name of the source that did it; absent when it was no source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The request it followed from.
    pub request_id: String,
    /// What happened: `create`, `update`, `delete`, `alert`, …
    #[schema(example = "update")]
    pub operation: String,
    /// What kind of thing it is about.
    #[schema(example = "user")]
    pub kind: String,
    /// The resource.
    pub resource_id: Uuid,
    /// The resource's version afterwards.
    pub version: i64,
    /// What changed: names of attributes and ids, never a person's values.
    #[schema(value_type = Object)]
    pub details: Value,
}

impl ChangeView {
    pub(crate) fn of(entry: ChangeEntry, sources: &[Source]) -> Self {
        let name = |id: SourceId| sources.iter().find(|source| source.id == id).map(|source| source.name.clone());
        Self {
            id: entry.id,
            at: entry.at,
            source: entry.source.and_then(name),
            request_id: entry.request_id,
            operation: entry.operation.as_str().to_owned(),
            kind: entry.subject.as_str().to_owned(),
            resource_id: entry.resource.0,
            version: entry.version,
            details: entry.details,
        }
    }
}

/// A page of the log, the newest first, of one resource or of all.
pub async fn list(
    store: &Store,
    tenant: TenantId,
    resource: Option<ResourceId>,
    limit: i64,
    cursor: Option<&str>,
) -> Result<Page<ChangeView>, ApiError> {
    let before = ChangeCursor::Before(Cursor::number(cursor)?.unwrap_or(i64::MAX));
    let rows = store.changes(tenant, before, limit.saturating_add(1), resource).await?;
    let sources = store.sources(tenant).await?;
    Ok(Page::of(rows, limit, |row| Cursor::Number(row.id), |row| ChangeView::of(row, &sources)))
}
