//! Taking back what was done, and what is held by that.

use super::leavers::named;
use super::output::{Output, table};
use super::plans::{ended_with, shown, told, write};
use super::setup::rfc3339;
use super::who::decides;
use super::{chosen_tenant, plans, targets};
use crate::cli::{OverrideCommand, UndoArgs};
use crate::clock::{SystemClock, TimeOrderedIds};
use crate::connector::target_facts;
use anyhow::Result;
use rollcall_api::services::overrides::{self, OverrideView};
use rollcall_api::services::plans as planning;
use rollcall_api::services::plans::UndoRequest;
use rollcall_provisioning::ids::{IdSource as _, ResourceId, TargetId, TenantId};
use rollcall_provisioning::time::Clock as _;
use rollcall_store::Store;
use rollcall_store::projection::OverrideQuery;
use serde_json::json;
use std::process::ExitCode;

/// Makes a plan that undoes.
pub(super) async fn undo(args: UndoArgs, store: &Store, output: &Output) -> Result<ExitCode> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let now = SystemClock.now();
    let target = match (args.plan, &args.target) {
        (Some(plan), None) => TargetId(planning::read(store, tenant, plan, now).await.map_err(told)?.target_id),
        (_, name) => targets::chosen(store, tenant, name.as_deref()).await?.id,
    };
    let mut people = Vec::new();
    for name in &args.users {
        people.push(named(store, tenant, name).await?.0);
    }
    let request = UndoRequest {
        plan: args.plan.map(|plan| json!(plan)),
        users: (!people.is_empty()).then(|| json!(people)),
        from: args.from,
        to: args.to,
        mapping_version: args.mapping_version,
        reason: args.reason,
        review_on: args.review_on,
    };
    let undoing = request.undoing().map_err(told)?;
    let by = decides(&args.by);
    let made = planning::undo(store, &target_facts(), (tenant, target), &undoing, (&by, now)).await.map_err(told)?;
    if let Some(file) = &args.out {
        write(store, tenant, &made, file).await?;
    }
    let (changes, more) = plans::hindered(store, tenant, made.id).await?;
    let document = json!({ "plan": made, "hindered": changes, "has_more": more });
    output.result(&document, || plans::undo_text(&made, &changes, more))?;
    Ok(ended_with(&made))
}

/// Lists or lifts overrides.
pub(super) async fn run(command: OverrideCommand, store: &Store, output: &Output) -> Result<()> {
    match command {
        OverrideCommand::List { user, ended, limit, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?.id;
            let resource = person(store, tenant, user.as_deref()).await?;
            let query = OverrideQuery { resource, ended, limit, ..OverrideQuery::default() };
            let page = overrides::list(store, tenant, &query, None).await.map_err(told)?;
            output.result(&serde_json::to_value(&page)?, || {
                if page.data.is_empty() {
                    return "Nothing is held against the rules.".to_owned();
                }
                let rows: Vec<_> = page.data.iter().map(row).collect();
                let mut text =
                    table(&["number", "of", "attribute", "held at", "against", "by", "since", "review", "why"], &rows);
                if page.has_more {
                    text.push_str("\n… and more: --limit shows them, GET /api/v1/overrides all of them");
                }
                text
            })
        }
        OverrideCommand::Lift { number, by, tenant } => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?.id;
            let request_id = format!("cli-{}", TimeOrderedIds.new_id().simple());
            overrides::lift(store, tenant, number, &decides(&by), &request_id).await.map_err(told)?;
            // This process has no workers and ends at once, so the others are told before it does.
            store.tell_workers().await?;
            output.result(&json!({ "lifted": number }), || {
                format!("Override {number} is lifted: the rules count again, and what they want is sent.")
            })
        }
    }
}

async fn person(store: &Store, tenant: TenantId, name: Option<&str>) -> Result<Option<ResourceId>> {
    match name {
        None => Ok(None),
        Some(name) => named(store, tenant, name).await.map(Some),
    }
}

fn row(held: &OverrideView) -> Vec<String> {
    let ended = held.ended_at.map_or_else(String::new, |at| format!(" (ended {})", rfc3339(at)));
    vec![
        held.id.to_string(),
        held.name.clone().unwrap_or_else(|| held.resource_id.to_string()),
        held.attribute.clone(),
        shown(held.value.as_ref()),
        shown(held.against.as_ref()),
        held.made_by.clone(),
        format!("{}{ended}", rfc3339(held.made_at)),
        held.review_on.clone().unwrap_or_default(),
        held.reason.clone(),
    ]
}
