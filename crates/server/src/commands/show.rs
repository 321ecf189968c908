//! How things stand, and why: what the REST API says, for people at a shell.

use super::chosen_tenant;
use super::output::{Output, count_of, table};
use super::setup::rfc3339;
use crate::cli::TenantArg;
use crate::clock::{SystemClock, TimeOrderedIds};
use anyhow::{Context, Result};
use rollcall_api::services::{deliveries, person, retry as retrying, targets};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{IdSource, TenantId};
use rollcall_provisioning::time::Clock;
use rollcall_store::Store;
use rollcall_store::projection::{DeliveryQuery, MarkAgain};
use serde_json::json;
use std::fmt::Write as _;

/// How many of those who need attention are listed; the rest is counted.
const LISTED: i64 = 20;

/// What is received, waiting, applied and in need of attention.
pub(super) async fn status(which: &TenantArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
    let now = SystemClock.now();
    let views = targets::list(store, tenant.id, now).await?;
    let query = DeliveryQuery { state: Some(DeliveryState::NeedsAttention), limit: LISTED, ..DeliveryQuery::default() };
    let attention = deliveries::list(store, tenant.id, &query, None).await?;
    let document = json!({ "tenant": tenant.name, "targets": views, "needs_attention": attention });
    output.result(&document, || {
        let mut text = format!("Tenant {}\n", tenant.name);
        if views.is_empty() {
            text.push_str("\nThere is no target yet; make one with `rollcall target create`.\n");
        }
        for view in &views {
            let _ = writeln!(text, "\nTarget {} ({}, {})", view.name, view.kind, view.mode);
            if let Some(stop) = &view.stopped {
                let reason = stop.reason.as_deref().unwrap_or("no reason was kept");
                let _ = writeln!(text, "Sending is stopped until {}: {reason}", rfc3339(stop.until));
            }
            for stop in view.stops.iter().filter(|stop| stop.kind.is_some()) {
                let (kind, reason) = (stop.kind.unwrap_or_default(), stop.reason.as_deref().unwrap_or_default());
                let done = stop.step.map_or("sent", |step| if step == "create" { "created" } else { "changed" });
                let _ = writeln!(text, "Nothing of the kind {kind} is {done} until {}: {reason}", rfc3339(stop.until));
            }
            if let Some(oldest) = &view.oldest_waiting {
                let _ = writeln!(text, "The oldest change waits since {}.", rfc3339(oldest.since));
            }
            let rows: Vec<_> = view
                .counts
                .iter()
                .map(|count| vec![count.kind.clone(), count.state.clone(), count.count.to_string()])
                .collect();
            text.push_str(&table(&["kind", "state", "count"], &rows));
            text.push('\n');
        }
        if !attention.data.is_empty() {
            text.push_str("\nNeeds attention\n");
        }
        for item in &attention.data {
            let name = item.name.clone().unwrap_or_else(|| item.resource_id.to_string());
            let _ = writeln!(text, "  {name}: {}", item.reason.as_deref().unwrap_or("no reason was kept"));
        }
        if attention.has_more {
            text.push_str("  … and more: GET /api/v1/deliveries?state=needs_attention\n");
        }
        text
    })?;
    Ok(())
}

/// Looks again at what retries, waits or needs attention, or at one person.
pub(super) async fn retry(user_name: Option<&str>, which: &TenantArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?;
    let resource = match user_name {
        Some(user_name) => Some(find(store, tenant.id, user_name).await?),
        None => None,
    };
    let request_id = format!("cli-{}", TimeOrderedIds.new_id().simple());
    let again = MarkAgain { resource, ..MarkAgain::default() };
    let done = retrying::mark(store, tenant.id, &again, &request_id).await?;
    // This process has no workers and ends at once, so the others are told before it does.
    store.tell_workers().await?;
    output.result(&serde_json::to_value(done)?, || {
        format!("{} looked at again.", count_of(done.marked, "delivery is", "deliveries are"))
    })?;
    Ok(())
}

pub(super) async fn find(
    store: &Store,
    tenant: TenantId,
    user_name: &str,
) -> Result<rollcall_provisioning::ids::ResourceId> {
    person::id_of(store, tenant, user_name)
        .await
        .with_context(|| format!("{user_name} cannot be found in the directory"))
}
