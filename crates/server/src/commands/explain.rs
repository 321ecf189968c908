//! Why a person is, or is not, in DingTalk, now or at a moment in the past.

use super::leavers::named;
use super::output::{Output, one_line};
use super::plans::{shown, told};
use super::setup::rfc3339;
use super::{chosen_tenant, show};
use crate::cli::TenantArg;
use crate::clock::SystemClock;
use crate::connector::target_facts;
use anyhow::{Result, bail};
use rollcall_api::services::explain::{
    self as explaining, AcceptedView, Explanation, PastExplanation, PlannedView, TargetThen,
};
use rollcall_api::services::overrides::OverrideView;
use rollcall_api::services::plans::moment;
use rollcall_api::services::proposal::LineView;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::time::Clock as _;
use rollcall_store::Store;

/// What is to be explained.
pub(super) struct About<'a> {
    /// Whom.
    pub(super) person: &'a str,
    /// Only this attribute.
    pub(super) field: Option<&'a str>,
    /// At this moment.
    pub(super) at: Option<&'a str>,
}

/// Says why.
pub(super) async fn run(about: &About<'_>, which: &TenantArg, store: &Store, output: &Output) -> Result<()> {
    let tenant = chosen_tenant(store, which.tenant.as_deref()).await?.id;
    let facts = target_facts();
    if let Some(field) = about.field.filter(|field| facts.schema.attribute(EntityKind::Account, field).is_none()) {
        bail!("accounts have no attribute {field:?}; they have mobile, title, org_units and others");
    }
    let now = SystemClock.now();
    if let Some(at) = about.at {
        let at = moment("at", at).map_err(told)?;
        let id = named(store, tenant, about.person).await?;
        let found = explaining::explain_past(store, tenant, (id, None), (at, now), about.field).await.map_err(told)?;
        return output.result(&serde_json::to_value(&found)?, || then(&found));
    }
    let id = show::find(store, tenant, about.person).await?;
    let counting = rollcall_api::compile(store, tenant, &*facts.schema).await.ok();
    let mapping = counting.as_ref().map(|counting| &*counting.mapping);
    let found = explaining::explain(store, mapping, tenant, (id, None), (now, about.field)).await?;
    output.result(&serde_json::to_value(&found)?, || stations(&found))
}

/// The way of the last change, station by station.
fn stations(found: &Explanation) -> String {
    let mut lines = vec![found.verdict.clone(), String::new()];
    if let Some(request) = &found.last_request {
        lines.push(format!(
            "1 Source     {} at {}, request {}",
            request.operation,
            rfc3339(request.at),
            request.request_id
        ));
    }
    lines.push(format!("2 Store      user {}", found.person.id));
    if let Some(mapping) = &found.mapping {
        for (name, value) in &mapping.attributes {
            let value = value.as_ref().map_or_else(|| "(no value)".to_owned(), ToString::to_string);
            lines.push(format!("3 Mapping    {name} = {value}"));
        }
        if !mapping.places.is_empty() {
            lines.push(format!("3 Mapping    departments = {}", mapping.departments.join(" / ")));
        }
        for finding in &mapping.findings {
            lines.push(format!("3 Finding    {} {}", finding.message, finding.advice));
        }
    }
    for target in &found.targets {
        lines.push(format!("4 Decision   {}: {}", target.target, target.decision));
        if let Some(hold) = &target.held {
            lines.push(format!("4 Held by    {}", hold.by));
            let proposal = hold.proposal.as_ref();
            lines
                .extend(proposal.into_iter().flat_map(|proposal| &proposal.lines).map(|line| step("4 Would be", line)));
        }
        lines.extend(target.overrides.iter().map(held));
        lines.extend(target.plans.iter().map(planned));
        if let Some(attempt) = &target.last_attempt {
            lines.push(format!(
                "5 Sent       {} {} at {} ({} ms)",
                attempt.action,
                attempt.outcome,
                rfc3339(attempt.at),
                attempt.duration_ms
            ));
        }
        lines.extend(target.accepted.iter().flat_map(done));
    }
    lines.join("\n")
}

/// The same at a moment in the past.
fn then(found: &PastExplanation) -> String {
    let mut lines = vec![format!("At {}", rfc3339(found.at)), found.verdict.clone(), String::new()];
    if let Some(request) = &found.last_request {
        let who = request.source.as_ref().map_or_else(|| "Rollcall".to_owned(), |source| format!("source {source}"));
        lines.push(format!(
            "1 Source     {who}, {} at {}, request {}",
            request.operation,
            rfc3339(request.at),
            request.request_id
        ));
        lines.push(format!("2 Store      user {} version {}", found.resource_id, request.version));
        if let Some(names) =
            request.details.get("attributes").and_then(serde_json::Value::as_array).filter(|names| !names.is_empty())
        {
            let names: Vec<&str> = names.iter().filter_map(serde_json::Value::as_str).collect();
            lines.push(format!("2 Changed    {}", names.join(", ")));
        }
    }
    let since = found.mapping.since.map_or_else(String::new, |since| format!(", since {}", rfc3339(since)));
    let by = found.mapping.by.as_ref().map_or_else(String::new, |by| format!(" by {by}"));
    lines.push(format!("3 Mapping    version {}{since}{by}", found.mapping.version));
    for target in &found.targets {
        lines.extend(target_then(target));
    }
    lines.extend(found.not_kept.iter().map(|missing| format!("- Not kept   {missing}")));
    lines.join("\n")
}

fn target_then(target: &TargetThen) -> Vec<String> {
    let mut lines = vec![format!("4 Decision   {}: {}", target.target, target.decision)];
    for value in &target.attributes {
        let written = value.written_at.map_or_else(String::new, |at| {
            let rules = value.mapping_version.map_or_else(String::new, |version| format!(" by version {version}"));
            let request = value.request_id.as_ref().map_or_else(String::new, |id| format!(", request {id}"));
            let plan = value.plan_id.map_or_else(String::new, |id| format!(", plan {id}"));
            format!("   written {}{rules}{request}{plan}", rfc3339(at))
        });
        lines.push(format!("4 Account    {} = {}{written}", value.attribute, shown(value.value.as_ref())));
    }
    lines.extend(target.overrides.iter().map(held));
    lines.extend(target.plans.iter().map(planned));
    if let Some(attempt) = &target.last_attempt {
        let end = attempt.error_code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        lines.push(format!(
            "5 Sent       {} {}{end} at {} ({} ms)",
            attempt.action,
            attempt.outcome,
            rfc3339(attempt.at),
            attempt.duration_ms
        ));
    }
    for accepted in &target.accepted {
        lines.extend(done(accepted));
    }
    lines
}

/// A plan that somebody is in, as a line of an explanation.
fn planned(plan: &PlannedView) -> String {
    let guarded = if plan.guarded { ", held by a guard" } else { "" };
    let (state, made) = (plan.plan_state.replace('_', " "), rfc3339(plan.created_at));
    format!("4 Plan       {} of {made}, {state}: {}{guarded}", plan.plan_id, plan.state)
}

/// An override, as a line of an explanation.
fn held(held: &OverrideView) -> String {
    let (value, against) = (shown(held.value.as_ref()), shown(held.against.as_ref()));
    format!(
        "4 Held at    {} = {value} instead of {against}, since {} by {}: {} (override {})",
        held.attribute,
        rfc3339(held.made_at),
        held.made_by,
        one_line(&held.reason),
        held.id
    )
}

/// An accepted action, as lines of an explanation.
fn done(accepted: &AcceptedView) -> Vec<String> {
    let request = accepted.request_id.as_deref().unwrap_or("unknown");
    let plan = accepted.plan_id.map_or_else(String::new, |id| format!(", plan {id}"));
    let first = format!("6 Accepted   {} at {}, request {request}{plan}", accepted.action, rfc3339(accepted.at));
    std::iter::once(first).chain(accepted.lines.iter().map(|line| step("6 Changed", line))).collect()
}

/// One attribute before and after, as a line of an explanation.
fn step(station: &str, line: &LineView) -> String {
    let (before, after) = (shown(line.before.as_ref()), shown(line.after.as_ref()));
    format!("{station:<12} {}: {before} → {after}", line.attribute)
}
