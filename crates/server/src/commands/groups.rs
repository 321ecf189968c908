//! Groups: what they become, shown and decided from a shell.

use super::output::{Output, table};
use super::plans::told;
use super::who::decides;
use super::{chosen_tenant, targets};
use crate::cli::{GroupArgs, GroupCommand, NewDecision};
use crate::connector::target_facts;
use anyhow::{Context, Result};
use clap::ValueEnum as _;
use rollcall_api::compile;
use rollcall_api::services::groups::{self, Decider, GroupView};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_store::Store;
use serde_json::{Map, Value, json};

/// Groups read at once.
const PAGE: i64 = 200;

pub(super) async fn run(args: GroupArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.as_deref()).await?.id;
    let target = targets::chosen(store, tenant, args.target.as_deref()).await?.id;
    let rules = compile(store, tenant, &*target_facts().schema).await.map_err(told)?;
    let of = (tenant, &*rules.mapping);
    let decide = async |name: &str, decision: Option<&Value>, by: &str| -> Result<ResourceId> {
        let group = named(store, tenant, name).await?;
        let decider = Decider { by, request_id: "" };
        groups::decide(store, tenant, (target, group), decision, decider).await.map_err(told)?;
        Ok(group)
    };
    let shown = match args.command {
        GroupCommand::List => {
            let mut all: Vec<GroupView> = Vec::new();
            let mut cursor = None;
            loop {
                let page = groups::list(store, of, target, (PAGE, cursor.as_deref())).await.map_err(told)?;
                all.extend(page.data);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            let rows: Vec<Vec<String>> = all.iter().map(row).collect();
            let header = ["group", "becomes", "called", "by", "members", "in it", "state"];
            return output.result(&json!({ "data": all }), || table(&header, &rows));
        }
        GroupCommand::Explain { name } => named(store, tenant, &name).await?,
        GroupCommand::Set(new) => decide(&new.name, Some(&decision(&new)), &decides(&new.by)).await?,
        GroupCommand::Unset { name, by } => decide(&name, None, &decides(&by)).await?,
    };
    let found = groups::show(store, of, target, shown).await.map_err(told)?;
    output.result(&serde_json::to_value(&found)?, || text(&found))
}

async fn named(store: &Store, tenant: TenantId, name: &str) -> Result<ResourceId> {
    let found = store.group_by_name(tenant, name).await?;
    found.with_context(|| format!("there is no group {name:?}; `rollcall group list` shows them"))
}

/// The decision as the REST API takes it.
fn decision(new: &NewDecision) -> Value {
    let mut members = Map::new();
    let becomes = new.becomes.to_possible_value().map(|word| word.get_name().to_owned());
    let path = new.path.as_ref().map(|path| path.split('/').map(str::trim).collect::<Vec<_>>());
    members.insert("becomes".to_owned(), json!(becomes));
    members.insert("called".to_owned(), json!(new.called));
    members.insert("role_group".to_owned(), json!(new.role_group));
    members.insert("owner".to_owned(), json!(new.owner));
    members.insert("path".to_owned(), json!(path));
    members.insert("extra".to_owned(), json!(new.remove_extra.then_some("remove")));
    members.insert("nested".to_owned(), json!(new.nested.then_some(true)));
    members.insert("gone".to_owned(), json!(new.gone));
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}

fn row(group: &GroupView) -> Vec<String> {
    vec![
        group.display_name.clone(),
        group.becomes.to_owned(),
        called(group),
        group.rule.clone().unwrap_or_else(|| "no rule".to_owned()),
        group.members.named.to_string(),
        group.members.applied.to_string(),
        group.state.unwrap_or("-").to_owned(),
    ]
}

fn called(group: &GroupView) -> String {
    match (&group.called, &group.role_group, &group.path) {
        (Some(called), Some(role_group), _) => format!("{role_group} / {called}"),
        (Some(called), None, _) => called.clone(),
        (None, _, Some(path)) => path.join(" / "),
        (None, _, None) => "-".to_owned(),
    }
}

fn text(group: &GroupView) -> String {
    let rule = group.rule.as_ref().map_or_else(|| "no rule speaks of it".to_owned(), |rule| format!("by {rule}"));
    let mut lines = vec![format!("{} becomes {}: {} ({rule})", group.display_name, group.becomes, called(group))];
    if let Some(by_hand) = &group.by_hand {
        lines.push(format!("Decided by {}: {}", by_hand.by, by_hand.decision));
    }
    let members = group.members;
    lines.push(format!(
        "Members: {} named, {} in it, {} missing, {} refused by DingTalk",
        members.named, members.applied, members.missing, members.refused
    ));
    if let Some(remote_id) = &group.remote_id {
        lines.push(format!("At DingTalk: {remote_id}"));
    }
    lines.push(format!("State: {}", group.state.unwrap_or("never looked at")));
    lines.extend(group.reason.clone());
    lines.extend(group.findings.iter().cloned());
    lines.join("\n")
}
