//! People who leave: one who goes at once, and what they hand over.

use super::chosen_tenant;
use super::output::{Output, count_of, table};
use super::show::find;
use super::who::decides;
use crate::cli::{HandoversArgs, RemoveArgs};
use anyhow::Result;
use rollcall_api::services::leavers::{self, HeritageView, RemovalRequest};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::HandoverQuery;
use std::fmt::Write as _;
use uuid::Uuid;

/// Lets the account of a person who has left go at once.
pub(super) async fn remove(args: RemoveArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let id = named(store, tenant, &args.person).await?;
    let request = RemovalRequest { reason: args.reason };
    let done = leavers::remove_at_once(store, tenant, id, &request, &decides(&args.by)).await?;
    // This process has no workers and ends at once, so the others are told before it does.
    store.tell_workers().await?;
    output.result(&serde_json::to_value(done)?, || {
        let accounts = count_of(done.targets, "account goes", "accounts go");
        format!("{accounts} now; `rollcall explain {}` says how it stands.", args.person)
    })?;
    Ok(())
}

/// What leavers hand over.
pub(super) async fn handovers(args: HandoversArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    if let Some(person) = &args.person {
        let id = named(store, tenant, person).await?;
        let found = leavers::heritage(store, tenant, id).await?;
        return output.result(&serde_json::to_value(&found)?, || text(&found));
    }
    let query = HandoverQuery { open: args.open, limit: args.limit, ..HandoverQuery::default() };
    let page = leavers::handovers(store, tenant, &query, None).await?;
    output.result(&serde_json::to_value(&page)?, || {
        if page.data.is_empty() {
            return "Nobody who has left had anything to hand over.".to_owned();
        }
        let rows: Vec<_> = page
            .data
            .iter()
            .map(|row| {
                let who = row.user_name.clone().unwrap_or_else(|| row.leaver_id.to_string());
                let heir = row.successor.clone().or_else(|| row.successor_id.map(|id| id.to_string()));
                let to = heir.or_else(|| row.problem.clone().map(|problem| format!("nobody ({problem})")));
                vec![
                    who,
                    row.target.clone(),
                    row.reports.to_string(),
                    row.departments.to_string(),
                    to.unwrap_or_default(),
                ]
            })
            .collect();
        let mut text = table(&["leaver", "target", "reports", "departments", "to"], &rows);
        if page.has_more {
            text.push_str("\n… and more: --limit shows them, GET /api/v1/handovers all of them");
        }
        text
    })
}

fn text(found: &HeritageView) -> String {
    let mut text = String::new();
    if found.active {
        text.push_str("The person is active, so nothing is handed over.\n");
    }
    for at in &found.handovers {
        let _ = writeln!(text, "{}: {}", at.handover.target, at.handover.sentence());
        for unit in &at.headed {
            let state = match (unit.headed, unit.successor_in_it) {
                (true, _) => "has a head of its own",
                (false, true) => "headed by the successor",
                (false, false) => "has no head: no successor is in it",
            };
            let _ = writeln!(text, "  department {}: {state}", unit.name);
        }
    }
    for report in &found.reports {
        let name = report.user_name.clone().unwrap_or_else(|| report.id.to_string());
        let _ = writeln!(text, "  report {name}");
    }
    if text.is_empty() {
        text.push_str("The person had nothing to hand over.");
    }
    text.trim_end().to_owned()
}

/// Somebody by userName; whoever was deleted is found by SCIM id alone.
pub(super) async fn named(store: &Store, tenant: TenantId, person: &str) -> Result<ResourceId> {
    match Uuid::try_parse(person) {
        Ok(id) => Ok(ResourceId(id)),
        Err(_) => find(store, tenant, person).await,
    }
}
