//! Links: what the REST API does, for people at a shell.

use super::adopt::of;
use super::output::{Output, print};
use super::show::find;
use super::who::decides;
use crate::ask::Ask;
use crate::cli::{LinkFilters, LinksCommand, PartArgs};
use crate::config::Config;
use crate::connector::{Factory, target_facts};
use crate::secrets::MasterKeys;
use anyhow::{Context as _, Result};
use rollcall_api::services::links::{self, LinkRequest, LinkView};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TenantId};
use rollcall_store::Store;
use rollcall_store::projection::{LinkQuery, LinkState};
use std::sync::Arc;

pub(super) async fn run(command: LinksCommand, config: &Config, store: &Store, output: &Output) -> Result<()> {
    match command {
        LinksCommand::List { filters, limit, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            let query = LinkQuery { limit, ..query(filters)? };
            let page = links::list(store, tenant, target, &query, None).await?;
            let rows: Vec<_> = page.data.iter().map(row).collect();
            let header = ["kind", "resource", "name", "account", "called", "origin", "observed", "mark", "state"];
            output.table(&serde_json::to_value(&page)?, &header, &rows)
        }
        LinksCommand::Create { person, account, reason, by, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            let resource_id = find(store, tenant, &person).await?.0;
            let request = LinkRequest { resource_id, remote_id: account, reason };
            let rules = rollcall_api::compile(store, tenant, &*target_facts().schema).await?;
            let keys = MasterKeys::load_or_create(&config.master_key_path())?;
            let targets = Ask(Factory { keys, budget: Arc::new(store.clone()) });
            let what = (store, &targets as _, &*rules.mapping);
            let made = links::create(what, (tenant, target), &request, &decides(&by)).await?;
            store.tell_workers().await?;
            output.result(&serde_json::to_value(&made)?, || {
                let account = made.remote_id.as_deref().unwrap_or_default();
                format!("{person} is the account {account} from now on. What differs waits for a plan.")
            })
        }
        LinksCommand::Break(args) => {
            let (tenant, target) = of(store, args.target.clone().into()).await?;
            let (what, by) = (part(store, tenant, &args).await?, decides(&args.by));
            let broken = links::break_link(store, (tenant, target), what, (&args.reason, &by)).await?;
            store.tell_workers().await?;
            output.result(&serde_json::to_value(&broken)?, || {
                format!("The link to {} is broken; nothing was changed in the organisation.", broken.remote_id)
            })
        }
        LinksCommand::Rematch(args) => {
            let (tenant, target) = of(store, args.target.clone().into()).await?;
            let (what, by) = (part(store, tenant, &args).await?, decides(&args.by));
            let found = links::rematch(store, (tenant, target), what, (&args.reason, &by)).await?;
            store.tell_workers().await?;
            output.result(&serde_json::to_value(&found)?, || {
                "A worker looks for it from now on; `rollcall links list` and `rollcall adopt review` show what it found."
                    .to_owned()
            })
        }
        LinksCommand::Export { filters, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            print(links::export(store, tenant, target, &query(filters)?).await?.trim_end())
        }
    }
}

fn query(filters: LinkFilters) -> Result<LinkQuery> {
    let LinkFilters { kind, origin, observed, remote_id, person, marked } = filters;
    let kind = kind.map(|word| ResourceKind::parse(&word).with_context(|| format!("there is no kind {word:?}")));
    let adopted =
        origin.map(|word| links::parse_origin(&word).with_context(|| format!("{word:?} is neither adopted nor made")));
    let state = observed
        .map(|word| LinkState::parse(&word).with_context(|| format!("{word:?} is none of known, unknown, invited")));
    Ok(LinkQuery {
        kind: kind.transpose()?,
        adopted: adopted.transpose()?,
        state: state.transpose()?,
        remote_id,
        person,
        marked: marked.then_some(true),
        ..LinkQuery::default()
    })
}

async fn part(store: &Store, tenant: TenantId, args: &PartArgs) -> Result<(ResourceKind, ResourceId)> {
    Ok(match args.department {
        Some(id) => (ResourceKind::OrgUnit, ResourceId(id)),
        None => (ResourceKind::User, find(store, tenant, args.person.as_deref().unwrap_or_default()).await?),
    })
}

fn row(link: &LinkView) -> Vec<String> {
    let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
    vec![
        link.kind.clone(),
        link.resource_id.to_string(),
        or_nothing(&link.name),
        or_nothing(&link.remote_id),
        or_nothing(&link.remote_name),
        link.origin.to_owned(),
        link.observed.clone(),
        link.mark.clone().unwrap_or_default(),
        link.state.clone().unwrap_or_default(),
    ]
}
