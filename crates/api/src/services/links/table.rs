//! Links as a CSV file.

use super::{chosen, origin};
use crate::error::ApiError;
use rollcall_provisioning::csv;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{LinkQuery, LinkRow};
use time::format_description::well_known::Rfc3339;

/// How many links are read at once.
const AT_ONCE: i64 = 1_000;

const HEADER: [&str; 14] = [
    "kind",
    "resource_id",
    "name",
    "display_name",
    "active",
    "entity",
    "remote_id",
    "remote_name",
    "origin",
    "observed",
    "adopted_at",
    "mark",
    "state",
    "held_by",
];

/// All links that a query lists.
///
/// # Errors
/// 404 when there is no such target.
pub async fn export(store: &Store, tenant: TenantId, target: TargetId, query: &LinkQuery) -> Result<String, ApiError> {
    chosen(store, tenant, target).await?;
    let mut text = String::new();
    csv::write(&mut text, HEADER);
    let mut query = LinkQuery { after: None, limit: AT_ONCE, ..query.clone() };
    loop {
        let rows = store.links(tenant, target, &query).await?;
        for row in &rows {
            write(&mut text, row);
        }
        match rows.last() {
            Some(last) => query.after = Some(ResourceId(last.resource_id)),
            None => return Ok(text),
        }
    }
}

fn write(text: &mut String, row: &LinkRow) {
    let or_empty = |cell: &Option<String>| cell.clone().unwrap_or_default();
    let cells = [
        row.resource_kind.clone(),
        row.resource_id.to_string(),
        or_empty(&row.name),
        or_empty(&row.display_name),
        row.active.map(|active| active.to_string()).unwrap_or_default(),
        row.entity.clone(),
        or_empty(&row.remote_id),
        or_empty(&row.remote_name),
        origin(row.adopted).to_owned(),
        row.state.clone(),
        row.adopted_at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default(),
        or_empty(&row.mark),
        or_empty(&row.delivery),
        or_empty(&row.held_by),
    ];
    csv::write(text, cells.iter().map(String::as_str));
}
