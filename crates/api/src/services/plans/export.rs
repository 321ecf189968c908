//! A plan as CSV (RFC 4180): one row for each attribute that changes, for people who check it in a spreadsheet.
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-` or `@` for a formula, and whoever may write a person's title
//! could have it run. Such a cell gets an apostrophe before it, which spreadsheets show as text.

use super::PlanChangeView;
use crate::error::ApiError;
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{ApplyError, PlanChangeQuery};
use serde_json::Value;
use uuid::Uuid;

/// Resources that are read at once.
const AT_ONCE: i64 = 500;

const HEADER: &str = "kind,resource_id,name,verb,guarded,state,attribute,before,after,reason\r\n";

/// A plan that is written part by part, so that a large one needs no more memory than a small one.
pub struct Export {
    store: Store,
    tenant: TenantId,
    plan: Uuid,
    query: PlanChangeQuery,
    /// What is written next; `None` at the end.
    next: Option<String>,
}

/// Begins to write the changes of a plan that fit the query.
///
/// # Errors
/// 404.
pub async fn export(store: &Store, tenant: TenantId, plan: Uuid, query: PlanChangeQuery) -> Result<Export, ApiError> {
    if store.plan(tenant, plan).await?.is_none() {
        return Err(ApiError::Plan(ApplyError::NotFound));
    }
    let query = PlanChangeQuery { after: None, limit: AT_ONCE, ..query };
    Ok(Export { store: store.clone(), tenant, plan, query, next: Some(HEADER.to_owned()) })
}

impl Export {
    /// The next part; `None` at the end.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn part(&mut self) -> Result<Option<String>, ApiError> {
        let Some(mut text) = self.next.take() else { return Ok(None) };
        let rows = self.store.plan_changes(self.tenant, self.plan, &self.query).await?;
        self.query.after = rows.last().map(|row| ResourceId(row.resource_id));
        if i64::try_from(rows.len()).unwrap_or(i64::MAX) >= self.query.limit {
            self.next = Some(String::new());
        }
        for row in rows {
            put(&mut text, &PlanChangeView::from(row));
        }
        Ok(Some(text))
    }
}

fn put(text: &mut String, change: &PlanChangeView) {
    let id = change.resource_id.to_string();
    let guarded = if change.guarded { "yes" } else { "no" };
    let name = change.name.as_deref().unwrap_or_default();
    let cannot: Vec<&str> = change.cannot.iter().map(|cannot| cannot.message.as_str()).collect();
    let said = change.detail.as_deref().or(change.reason.as_deref());
    let reason = said.into_iter().chain(cannot).collect::<Vec<_>>().join(" ");
    let mut row = |attribute: &str, before: &str, after: &str| {
        let cells = [&change.kind, &id, name, &change.verb, guarded, &change.state, attribute, before, after, &reason];
        text.push_str(&cells.map(cell).join(","));
        text.push_str("\r\n");
    };
    if change.lines.is_empty() {
        row("", "", "");
    }
    for line in &change.lines {
        row(&line.attribute, &plain(line.before.as_ref()), &plain(line.after.as_ref()));
    }
}

/// A value as text: what is no text, as JSON.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A text as one cell.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::proposal::LineView;
    use serde_json::json;
    use time::OffsetDateTime;

    #[test]
    fn no_cell_is_a_formula_or_two_cells() {
        for (text, expected) in [
            ("Clerk", "Clerk"),
            ("=HYPERLINK(\"http://evil.example\")", "\"'=HYPERLINK(\"\"http://evil.example\"\")\""),
            ("+852-91234567", "'+852-91234567"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a,b", "\"a,b\""),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }

    #[test]
    fn one_row_for_each_attribute() {
        let line = |attribute: &str, before: Value, after: Value| LineView {
            attribute: attribute.to_owned(),
            before: Some(before),
            after: Some(after),
        };
        let mut change = PlanChangeView {
            kind: "user".to_owned(),
            resource_id: Uuid::nil(),
            name: Some("ann".to_owned()),
            verb: "update".to_owned(),
            lines: vec![
                line("title", json!("Clerk"), json!("Head, Asia")),
                line("org_units", Value::Null, json!(["Sales"])),
            ],
            effects: Vec::new(),
            guarded: true,
            reason: None,
            state: "planned".to_owned(),
            detail: None,
            updated_at: OffsetDateTime::UNIX_EPOCH,
            cannot: Vec::new(),
        };
        let mut text = String::new();
        put(&mut text, &change);
        let start = format!("user,{},ann,update,yes,planned,", Uuid::nil());
        let expected = format!("{start}title,Clerk,\"Head, Asia\",\r\n{start}org_units,,\"[\"\"Sales\"\"]\",\r\n");
        assert_eq!(text, expected);
        change.lines.clear();
        text.clear();
        put(&mut text, &change);
        assert_eq!(text, format!("{start},,,\r\n"));
    }
}
