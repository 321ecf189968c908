//! Adopting an organisation that is there already: what the REST API does, for people at a shell.

use super::output::{Output, print, table};
use super::who::decides;
use super::{chosen_tenant, targets};
use crate::cli::{AdoptCommand, MarkArgs, TargetArg};
use anyhow::{Context, Result};
use rollcall_api::services::adoption::{
    self, AdoptionView, CandidateView, DecidedView, DecisionRequest, MarkRequest, OneDecision, RuleRequest,
};
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::adoption::{Bucket, CandidateQuery};
use serde_json::json;
use std::fmt::Write as _;

/// Who decides here.
const BY: &str = "command line";
/// How many marks are shown.
const MARKS: i64 = 200;

/// Which target, and whose.
pub(super) type Of = (TenantId, TargetId);

pub(super) async fn run(command: AdoptCommand, store: &Store, output: &Output) -> Result<()> {
    match command {
        AdoptCommand::Scan { resume, correlate, cancel, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            if cancel {
                adoption::cancel(store, tenant, target).await?;
                return output.result(&json!({ "cancelled": true }), || "The scan was ended.".to_owned());
            }
            let started = match (resume, correlate) {
                (true, _) => adoption::resume(store, tenant, target).await?,
                (_, true) => adoption::correlate(store, tenant, target).await?,
                _ => adoption::scan(store, tenant, target, BY).await?,
            };
            output.result(&serde_json::to_value(started)?, || {
                "A worker does it from now on; `rollcall adopt status` shows how far it is.".to_owned()
            })
        }
        AdoptCommand::Status(target) => {
            let (tenant, target) = of(store, target.into()).await?;
            let view = adoption::status(store, tenant, target).await?;
            output.result(&serde_json::to_value(&view)?, || describe(&view))
        }
        AdoptCommand::Review { bucket, undecided, limit, target } => {
            let parse = |word: String| Bucket::parse(&word).with_context(|| format!("there is no bucket {word:?}"));
            let query = CandidateQuery { bucket: bucket.map(parse).transpose()?, undecided, after: None, limit };
            let (tenant, target) = of(store, target.into()).await?;
            review(store, (tenant, target), &query, output).await
        }
        AdoptCommand::Decide { row, decision, keys, despite_differences, preview, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            let (decided, would) = match (row, decision, keys) {
                (Some(id), Some(decision), _) => {
                    let request = DecisionRequest { decisions: vec![OneDecision { id, decision }] };
                    (adoption::decide(store, tenant, target, &request, BY).await?, false)
                }
                (_, _, keys) => {
                    let keys = keys.unwrap_or_default();
                    let request = RuleRequest { keys, at_least: 0, despite_differences, preview };
                    (adoption::by_rule(store, tenant, target, request, BY).await?, preview)
                }
            };
            tell(store, decided, would, output).await
        }
        AdoptCommand::Export(target) => {
            let (tenant, target) = of(store, target.into()).await?;
            print(adoption::export(store, tenant, target, None).await?.trim_end())
        }
        AdoptCommand::Import { file, target } => {
            let (tenant, target) = of(store, target.into()).await?;
            let text = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            let decided = adoption::import(store, tenant, target, &text, BY).await?;
            tell(store, decided, false, output).await
        }
        AdoptCommand::Mark(args) => mark(args, store, output).await,
        AdoptCommand::Restart(target) => {
            let (tenant, target) = of(store, target.into()).await?;
            let unlinked = adoption::restart(store, tenant, target, BY).await?;
            store.tell_workers().await?;
            output.result(&json!({ "unlinked": unlinked }), || {
                format!("{unlinked} links were forgotten; nothing was changed in the organisation.")
            })
        }
    }
}

pub(super) async fn of(store: &Store, which: TargetArg) -> Result<Of> {
    let tenant = chosen_tenant(store, which.tenant.tenant.as_deref()).await?;
    let target = targets::chosen(store, tenant.id, which.target.as_deref()).await?;
    Ok((tenant.id, target.id))
}

async fn tell(store: &Store, decided: DecidedView, would: bool, output: &Output) -> Result<()> {
    // This process has no workers and ends at once, so the others are told before it does.
    store.tell_workers().await?;
    output.result(&serde_json::to_value(decided)?, || {
        let DecidedView { decided, linked } = decided;
        if would {
            format!("{decided} suggestions would be accepted.")
        } else {
            format!("{decided} decided, {linked} linked. Nothing was changed in the organisation.")
        }
    })
}

fn describe(view: &AdoptionView) -> String {
    let mut text = String::new();
    if let Some(scan) = &view.scan {
        let _ = writeln!(
            text,
            "Scan {}: {} departments read and {} left, {} accounts found{}, {} calls.",
            scan.state,
            scan.org_units,
            scan.org_units_left,
            scan.accounts,
            scan.accounts_expected.map_or_else(String::new, |expected| format!(" of {expected}")),
            scan.calls
        );
        if !scan.unreadable.is_empty() {
            let _ = writeln!(text, "The application may not read {}.", scan.unreadable.join(", "));
        }
        if let Some(error) = &scan.error {
            let _ = writeln!(text, "Failed tries: {}. {error}", scan.attempt);
        }
    }
    if !view.buckets.is_empty() {
        let rows: Vec<_> = view
            .buckets
            .iter()
            .map(|bucket| vec![bucket.bucket.clone(), bucket.count.to_string(), bucket.undecided.to_string()])
            .collect();
        let _ = writeln!(text, "\n{}", table(&["bucket", "count", "undecided"], &rows));
    }
    text.push_str(if view.left.is_empty() { "\nNothing is left to decide." } else { "\nLeft before going live:" });
    for item in &view.left {
        let _ = write!(text, "\n  {item}");
    }
    text
}

async fn review(store: &Store, (tenant, target): Of, query: &CandidateQuery, output: &Output) -> Result<()> {
    let page = adoption::candidates(store, tenant, target, query, None).await?;
    let row = |row: &CandidateView| {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        vec![
            row.id.to_string(),
            row.bucket.clone(),
            or_nothing(&row.user_name),
            or_nothing(&row.remote_id),
            or_nothing(&row.account_name),
            row.score.to_string(),
            row.keys.join(" "),
            row.differs.join(" "),
            row.decision.clone().or_else(|| row.mark.clone()).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = page.data.iter().map(row).collect();
    let header = ["row", "bucket", "person", "account", "name", "score", "agree", "differ", "decision"];
    output.table(&serde_json::to_value(&page)?, &header, &rows)
}

async fn mark(args: MarkArgs, store: &Store, output: &Output) -> Result<()> {
    let MarkArgs { account, department, person, kind, reason, review_on, lift, by, target } = args;
    let by = decides(&by);
    let (tenant, target) = of(store, target.into()).await?;
    if let Some(mark) = lift {
        let lifted = adoption::lift(store, tenant, target, mark, &Decider::new(&by)).await?;
        store.tell_workers().await?;
        return output.result(&json!({ "id": mark, "lifted": lifted }), || {
            let asked = "Somebody else has to lift it, too, since it forbids every step.";
            if lifted { "The mark is lifted.".to_owned() } else { asked.to_owned() }
        });
    }
    if account.is_none() && department.is_none() && person.is_none() {
        let page = adoption::marks(store, tenant, target, MARKS, None).await?;
        let rows: Vec<_> = page
            .data
            .iter()
            .map(|mark| {
                let about = mark.remote_id.clone().or_else(|| mark.resource_id.map(|id| id.to_string()));
                let about = about.unwrap_or_default();
                vec![mark.id.to_string(), mark.kind.clone(), mark.entity_kind.clone(), about, mark.reason.clone()]
            })
            .collect();
        return output.table(&serde_json::to_value(&page)?, &["mark", "kind", "of", "id", "reason"], &rows);
    }
    let request = MarkRequest { account, department, resource_id: person, kind, reason, review_on };
    let id = adoption::mark(store, tenant, target, &request, &by).await?;
    output.result(&json!({ "id": id }), || format!("Marked; `rollcall adopt mark --lift {id}` takes it back."))
}
