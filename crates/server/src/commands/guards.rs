//! Guards: shown and set from a shell.

use super::output::{Output, table};
use super::plans::told;
use super::setup::rfc3339;
use super::who::decides;
use super::{chosen_tenant, targets};
use crate::cli::{GuardsArgs, GuardsCommand};
use crate::clock::SystemClock;
use anyhow::{Context, Result};
use rollcall_api::services::guards::{self, GuardView, GuardsView};
use rollcall_api::services::learning::{self, ProposalsView, TriedTrip, TriedView};
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::time::Clock as _;
use rollcall_store::Store;
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

pub(super) async fn run(args: GuardsArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.as_deref()).await?.id;
    let target = targets::chosen(store, tenant, args.target.as_deref()).await?;
    let found = match args.command {
        None | Some(GuardsCommand::Show) => guards::read(store, tenant, target.id).await.map_err(told)?,
        Some(GuardsCommand::Set { file, by }) => {
            let by = decides(&by);
            let found = guards::replace(store, tenant, target.id, &limits_in(&file)?, &by).await.map_err(told)?;
            store.tell_workers().await?;
            found
        }
        Some(GuardsCommand::Close { trip, reason, by }) => {
            let by = decides(&by);
            let by = (reason.as_deref(), by.as_str());
            let found = guards::close(store, (tenant, target.id), trip, by).await.map_err(told)?;
            store.tell_workers().await?;
            found
        }
        Some(GuardsCommand::Accept { guards: wanted, all: _, by }) => {
            let by = decides(&by);
            let found = learning::accept(store, (tenant, target.id), &wanted, &by).await.map_err(told)?;
            store.tell_workers().await?;
            found
        }
        Some(GuardsCommand::Propose) => {
            let found = learning::proposals(store, tenant, target.id).await.map_err(told)?;
            return output.result(&serde_json::to_value(&found)?, || proposed(&found));
        }
        Some(GuardsCommand::Test { file }) => {
            let limits = file.as_deref().map(limits_in).transpose()?;
            let asked = (tenant, target.id);
            let now = SystemClock.now();
            let found = learning::try_on_last_week(store, asked, limits.as_ref(), now).await.map_err(told)?;
            return output.result(&serde_json::to_value(&found)?, || tried(&found));
        }
    };
    output.result(&serde_json::to_value(&found)?, || text(&found))
}

fn limits_in(file: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} holds no JSON", file.display()))
}

fn proposed(found: &ProposalsView) -> String {
    let ProposalsView { target, days, days_needed, from, to, proposals, .. } = found;
    if proposals.is_empty() {
        return format!("{days} whole days are known of target {target}; limits are proposed from {days_needed} on.");
    }
    let mut text = format!("Limits for target {target}, by what was usual on {days} days, {from} to {to}\n");
    for one in proposals {
        let _ = write!(text, "\n{:<8} {:<18} {}", one.change, one.guard, one.arithmetic);
        let history: Vec<String> = one.history.iter().map(|day| format!("{} {}", day.day, day.observed)).collect();
        if !history.is_empty() {
            let _ = write!(text, "\n{:<8} {:<18} {}", "", "", history.join(", "));
        }
    }
    text.push_str(
        "\n\nNothing is changed by itself: `rollcall guards accept <guard>` or `rollcall guards accept --all`.",
    );
    text
}

fn tried(found: &TriedView) -> String {
    let TriedView { target, plans, days, trips, .. } = found;
    let tried = format!("Of target {target} {plans} plans and {days} days of last week were tried.");
    if trips.is_empty() {
        return format!("{tried} Nothing would have been held.");
    }
    let row = |trip: &TriedTrip| {
        let what = trip.plan.map_or_else(|| "in a day".to_owned(), |plan| format!("plan {plan}"));
        vec![trip.day.clone(), what, trip.effect.clone(), trip.observed.to_string(), trip.most.to_string()]
    };
    let rows: Vec<Vec<String>> = trips.iter().map(row).collect();
    format!(
        "{tried} Too much would have been:\n\n{}",
        table(&["day", "what", "effect", "there were", "allowed"], &rows)
    )
}

fn text(found: &GuardsView) -> String {
    let rows: Vec<Vec<String>> = found.guards.iter().map(row).collect();
    let header = ["guard", "at once", "24 hours", "7 days", "limit", "passed in 24 hours"];
    let mut text = format!("Guards of target {}\n\n{}\n", found.target, table(&header, &rows));
    for trip in found.guards.iter().flat_map(|guard| &guard.open) {
        let _ = write!(
            text,
            "\nHeld since {}: {} ({} held, trip {})",
            rfc3339(trip.tripped_at),
            trip.arithmetic,
            trip.held,
            trip.id
        );
    }
    text
}

fn row(guard: &GuardView) -> Vec<String> {
    let most = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let passed: Vec<String> = guard
        .passed
        .iter()
        .filter(|passed| passed.day > 0)
        .map(|passed| match passed.effect.split_once(':') {
            Some((_, scope)) => format!("{scope} {}", passed.day),
            None => passed.day.to_string(),
        })
        .collect();
    let unlimited =
        if guard.guard == Guard::Quota.as_str() { "calls_per_day, calls_per_month" } else { "every change" };
    let limit = guard.limit.map_or_else(
        || unlimited.to_owned(),
        |limit| {
            let own = if guard.own { ", own" } else { "" };
            format!("{} % of {}, at least {}{own}", limit.share * 100.0, guard.base, limit.floor)
        },
    );
    vec![
        guard.guard.to_owned(),
        most(guard.most.at_once),
        most(guard.most.day),
        most(guard.most.week),
        limit,
        if passed.is_empty() { "0".to_owned() } else { passed.join(", ") },
    ]
}
