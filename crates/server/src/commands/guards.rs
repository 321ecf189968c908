//! Guards: shown and set from a shell.

use super::output::{Output, table};
use super::plans::told;
use super::setup::rfc3339;
use super::who::decides;
use super::{chosen_tenant, targets};
use crate::cli::{GuardsArgs, GuardsCommand};
use anyhow::{Context, Result};
use rollcall_api::services::guards::{self, GuardView, GuardsView};
use rollcall_provisioning::guard::Guard;
use rollcall_store::Store;
use serde_json::Value;
use std::fmt::Write as _;

pub(super) async fn run(args: GuardsArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.as_deref()).await?.id;
    let target = targets::chosen(store, tenant, args.target.as_deref()).await?;
    let found = match args.command {
        None | Some(GuardsCommand::Show) => guards::read(store, tenant, target.id).await.map_err(told)?,
        Some(GuardsCommand::Set { file, by }) => {
            let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let limits: Value =
                serde_json::from_str(&text).with_context(|| format!("{} holds no JSON", file.display()))?;
            let by = decides(&by);
            guards::replace(store, tenant, target.id, &limits, &by).await.map_err(told)?
        }
    };
    output.result(&serde_json::to_value(&found)?, || text(&found))
}

fn text(found: &GuardsView) -> String {
    let rows: Vec<Vec<String>> = found.guards.iter().map(row).collect();
    let header = ["guard", "at once", "24 hours", "7 days", "limit", "passed in 24 hours"];
    let mut text = format!("Guards of target {}\n\n{}\n", found.target, table(&header, &rows));
    for trip in found.guards.iter().flat_map(|guard| &guard.open) {
        let _ = write!(text, "\nHeld since {}: {} ({} held)", rfc3339(trip.tripped_at), trip.arithmetic, trip.held);
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
