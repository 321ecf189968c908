//! Plans: made, shown, applied, released and rejected from a shell.

mod text;

pub(super) use text::{shown, undo as undo_text};

use super::output::{Output, count_of, table};
use super::setup::rfc3339;
use super::who::decides;
use super::{chosen_tenant, show, targets};
use crate::cli::{ApplyArgs, NewPlanArgs, PlanArgs, PlanCommand, ReleaseArgs, VerbArg};
use crate::clock::SystemClock;
use anyhow::{Context, Result};
use rollcall_api::ApiError;
use rollcall_api::services::plans::{self, PlanChangeView, PlanView, Scope, WaveRequest};
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::time::Clock as _;
use rollcall_store::Store;
use rollcall_store::projection::PlanChangeQuery;
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use uuid::Uuid;

/// A plan with changes.
const CHANGES: u8 = 2;
/// A plan of which a guard holds a part.
const GUARDED: u8 = 3;
/// Plans that are listed.
const LISTED: i64 = 50;
/// Changes that are shown with what cannot be undone of them.
const HINDERED: i64 = 20;
/// Changes that are read at once.
const AT_ONCE: i64 = 200;

/// Makes a plan, or does something with one that was made.
pub(super) async fn plan(args: PlanArgs, store: &Store, output: &Output) -> Result<ExitCode> {
    match args.command {
        None => return make(args.new, store, output).await,
        Some(PlanCommand::Show { plan, only, guarded, limit, tenant }) => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?.id;
            let found = plans::read(store, tenant, plan, SystemClock.now()).await.map_err(told)?;
            let verb = only.map(|verb| match verb {
                VerbArg::Create => "create".to_owned(),
                VerbArg::Update => "update".to_owned(),
                VerbArg::Delete => "delete".to_owned(),
            });
            let query = PlanChangeQuery { verb, guarded: guarded.then_some(true), ..PlanChangeQuery::default() };
            let (changes, more) = changes(store, tenant, plan, (query, limit)).await?;
            let document = json!({ "plan": found, "changes": changes, "has_more": more });
            output.result(&document, || {
                let mut text = text::plan(&found);
                for change in &changes {
                    text.push_str(&text::change(&found, change));
                }
                if more {
                    text.push_str(
                        "\n… and more: --limit shows them, `rollcall plan -o` and the REST API all of them.\n",
                    );
                }
                text.trim_end().to_owned()
            })?;
        }
        Some(PlanCommand::List(which)) => {
            let tenant = chosen_tenant(store, which.tenant.as_deref()).await?.id;
            let found = plans::list(store, tenant, None, (LISTED, None), SystemClock.now()).await.map_err(told)?.data;
            let row = |plan: &PlanView| {
                let made = rfc3339(plan.created_at);
                vec![
                    plan.id.to_string(),
                    plan.target.clone(),
                    plan.state.clone(),
                    text::size(plan),
                    plan.created_by.clone(),
                    made,
                ]
            };
            let rows: Vec<_> = found.iter().map(row).collect();
            let header = ["id", "target", "state", "changes", "made by", "at"];
            output.result(&serde_json::to_value(&found)?, || match rows.as_slice() {
                [] => "There is no plan yet; make one with `rollcall plan`.".to_owned(),
                rows => table(&header, rows),
            })?;
        }
        Some(PlanCommand::Reject { plan, by, tenant }) => {
            let tenant = chosen_tenant(store, tenant.tenant.as_deref()).await?.id;
            let by = decides(&by);
            let done = plans::reject(store, tenant, plan, (&by, SystemClock.now())).await.map_err(told)?;
            output.result(&serde_json::to_value(&done)?, || {
                format!("Plan {plan} is rejected: nothing more of it is applied.")
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(args: NewPlanArgs, store: &Store, output: &Output) -> Result<ExitCode> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let target = targets::chosen(store, tenant, args.target.as_deref()).await?;
    let scope = Scope { users: ids(store, tenant, &args.users).await?, held_by: None };
    let by = decides(&args.by);
    let made = plans::make(store, tenant, target.id, scope, (&by, SystemClock.now())).await.map_err(told)?;
    if let Some(file) = &args.out {
        write(store, tenant, &made, file).await?;
    }
    let behind = behind(store, tenant, target.id).await?;
    let document = json!({ "plan": made, "still_looked_at": behind });
    output.result(&document, || {
        let mut text = text::plan(&made);
        if behind > 0 {
            let number = count_of(u64::try_from(behind).unwrap_or(0), "delivery is", "deliveries are");
            let _ =
                writeln!(text, "\n{number} still being looked at and not in this plan; make another one in a moment.");
        }
        text.push_str(&text::next_steps(&made));
        text.trim_end().to_owned()
    })?;
    Ok(ended_with(&made))
}

/// How a command ends that has made a plan.
pub(super) fn ended_with(made: &PlanView) -> ExitCode {
    match (made.total, made.guarded) {
        (0, _) => ExitCode::SUCCESS,
        (_, 0) => ExitCode::from(CHANGES),
        _ => ExitCode::from(GUARDED),
    }
}

/// The first changes of a plan that have something that cannot be undone, and whether there are more.
pub(super) async fn hindered(store: &Store, tenant: TenantId, plan: Uuid) -> Result<(Vec<PlanChangeView>, bool)> {
    let query = PlanChangeQuery { hindered: true, ..PlanChangeQuery::default() };
    changes(store, tenant, plan, (query, HINDERED)).await
}

/// Applies a plan, or a part of it.
pub(super) async fn apply(args: ApplyArgs, store: &Store, output: &Output) -> Result<ExitCode> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let wave = match (args.people, args.department, args.users.as_slice()) {
        (Some(number), _, _) => WaveRequest::People(number),
        (_, Some(path), _) => WaveRequest::Department(path),
        (_, _, []) => WaveRequest::All,
        (_, _, names) => WaveRequest::Users(ids(store, tenant, names).await?),
    };
    let by = decides(&args.by);
    let done = plans::apply(store, tenant, args.plan, wave, (&by, SystemClock.now())).await.map_err(told)?;
    // This process has no workers and ends at once, so the others are told before it does.
    store.tell_workers().await?;
    output.result(&serde_json::to_value(&done)?, || {
        let permitted = u64::try_from(done.permitted).unwrap_or(0);
        let mut text = match permitted {
            0 => "Nothing is sent.".to_owned(),
            _ => format!(
                "{} on the way, if nothing has moved by then; `rollcall plan show {}` says what becomes of each.",
                count_of(permitted, "change is", "changes are"),
                args.plan
            ),
        };
        if done.withheld > 0 {
            let _ = write!(
                text,
                "\nGuards hold {} until the plan is released: rollcall release {} --reason \"…\"",
                done.withheld, args.plan
            );
        }
        text
    })?;
    let held_back = done.permitted == 0 && done.withheld > 0;
    Ok(if held_back { ExitCode::from(GUARDED) } else { ExitCode::SUCCESS })
}

/// Asks for a release, or grants it.
pub(super) async fn release(args: ReleaseArgs, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, args.tenant.tenant.as_deref()).await?.id;
    let (by, now, plan) = (Decider::new(&decides(&args.by)), SystemClock.now(), args.plan);
    if let Some(reason) = &args.reason {
        let done = plans::request_release(store, tenant, plan, reason, (&by, now)).await.map_err(told)?;
        return output.result(&serde_json::to_value(&done)?, || {
            format!("The release of plan {plan} is asked for by {}.\nA second person grants it: rollcall release {plan} --approve", by.words())
        });
    }
    let done = plans::release(store, tenant, plan, (&by, now)).await.map_err(told)?;
    output.result(&serde_json::to_value(&done)?, || {
        format!(
            "Plan {plan} is released by {}; nothing of it is sent yet.\nApply it: rollcall apply {plan}",
            by.words()
        )
    })
}

/// At most `limit` changes of a plan, and whether there are more.
async fn changes(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    (query, limit): (PlanChangeQuery, i64),
) -> Result<(Vec<PlanChangeView>, bool)> {
    let (mut all, mut cursor, most) = (Vec::new(), None, usize::try_from(limit).unwrap_or(0));
    let query = PlanChangeQuery { limit: AT_ONCE.min(limit.max(1)), ..query };
    loop {
        let page = plans::changes(store, tenant, plan, &query, cursor.as_deref()).await.map_err(told)?;
        all.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() || all.len() >= most {
            let more = cursor.is_some() || all.len() > most;
            all.truncate(most);
            return Ok((all, more));
        }
    }
}

/// Writes the whole plan to a file.
pub(super) async fn write(store: &Store, tenant: TenantId, plan: &PlanView, file: &Path) -> Result<()> {
    let text = if file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv")) {
        let mut export = plans::export(store, tenant, plan.id, PlanChangeQuery::default()).await.map_err(told)?;
        let mut text = String::new();
        while let Some(part) = export.part().await.map_err(told)? {
            text.push_str(&part);
        }
        text
    } else {
        let (changes, _) = changes(store, tenant, plan.id, (PlanChangeQuery::default(), i64::MAX)).await?;
        serde_json::to_string_pretty(&json!({ "plan": plan, "changes": changes }))? + "\n"
    };
    let failed = || format!("plan {} is made, but {} cannot be written", plan.id, file.display());
    tokio::fs::write(file, text).await.with_context(failed)
}

/// How many deliveries of a target nobody has looked at yet.
async fn behind(store: &Store, tenant: TenantId, target: TargetId) -> Result<i64> {
    let counts = store.delivery_counts(tenant, target).await?;
    let open = |state| matches!(state, DeliveryState::Pending | DeliveryState::Applying | DeliveryState::Retrying);
    Ok(counts.iter().filter(|count| open(count.state)).map(|count| count.count).sum())
}

async fn ids(store: &Store, tenant: TenantId, names: &[String]) -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for name in names {
        ids.push(show::find(store, tenant, name).await?.0);
    }
    Ok(ids)
}

/// A refusal with what to do about it, and what has moved.
pub(super) fn told(error: ApiError) -> anyhow::Error {
    let refusal = error.refusal();
    if refusal.status.is_server_error() {
        return error.into();
    }
    let mut text = refusal.detail;
    for moved in refusal.extras.moved {
        let name = moved.name.unwrap_or_else(|| moved.resource_id.to_string());
        let _ = write!(text, "\n  moved: {name}");
    }
    anyhow::anyhow!(text)
}
