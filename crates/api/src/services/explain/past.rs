//! What was so at a moment in the past: from the change log, the journal of what targets accepted, and the versions of the
//! mapping. What is not kept is said.

use super::evidence::{self, AcceptedView, PlannedView};
use crate::error::ApiError;
use crate::services::attempts::AttemptView;
use crate::services::changes::ChangeView;
use crate::services::overrides::OverrideView;
use crate::services::targets::no_target;
use rollcall_provisioning::entity::{Attributes, Observed};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, TargetId, TenantId};
use rollcall_provisioning::proposal::readable;
use rollcall_store::Store;
use rollcall_store::changes::Operation;
use rollcall_store::projection::{AcceptedQuery, AcceptedRow, AttemptQuery, Target};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;
use uuid::Uuid;

/// Steps that are looked through on either side of the moment.
const STEPS: i64 = 1_000;

/// How a person stood at a moment in the past.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PastExplanation {
    /// The moment.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The answer in a few lines.
    pub verdict: String,
    /// The person's SCIM id.
    pub resource_id: Uuid,
    /// The last request until then that changed the person, with the version that it made and the names of what it
    /// changed; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<ChangeView>,
    /// The version of the mapping that counted then.
    pub mapping: RulesThen,
    /// How each target stood.
    pub targets: Vec<TargetThen>,
    /// What cannot be told, because it is not kept, in sentences.
    pub not_kept: Vec<String>,
}

/// The rules that counted at a moment.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct RulesThen {
    /// The version; 0 is the document that all begin with.
    pub version: i32,
    /// Why it was saved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Since when it counted.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub since: Option<OffsetDateTime>,
    /// Who saved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// How one target stood at a moment.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TargetThen {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// What had been done until then, in a sentence.
    pub decision: String,
    /// Whether there was an account; absent where that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<bool>,
    /// What the account held, as far as it is known.
    pub attributes: Vec<ValueThen>,
    /// What people held of the account against the rules.
    pub overrides: Vec<OverrideView>,
    /// The last try until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<AttemptView>,
    /// The last actions until then that the target accepted, the newest first.
    pub accepted: Vec<AcceptedView>,
    /// The last plans until then that the person is in, as they stand now.
    pub plans: Vec<PlannedView>,
}

/// What an account held of one attribute at a moment.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct ValueThen {
    /// Which attribute.
    #[schema(example = "mobile")]
    pub attribute: String,
    /// The value; `null` is none.
    pub value: Option<Value>,
    /// When that was written; absent when it is only known from what was there later.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub written_at: Option<OffsetDateTime>,
    /// The request behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The plan that permitted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<Uuid>,
    /// The version of the mapping that decided it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping_version: Option<i32>,
}

/// Explains how a person stood at a moment, at one target or at all, of one attribute or of all.
///
/// # Errors
/// 404 for a person of whom nothing is known, and for the target.
pub async fn explain_past(
    store: &Store,
    tenant: TenantId,
    (id, only): (ResourceId, Option<TargetId>),
    (at, now): (OffsetDateTime, OffsetDateTime),
    attribute: Option<&str>,
) -> Result<PastExplanation, ApiError> {
    let bounds = store.change_bounds(tenant, id, at).await?;
    if bounds.first.is_none() {
        return Err(ApiError::NotFound { what: format!("the user {id}") });
    }
    let mut chosen = store.targets(tenant).await?;
    if let Some(only) = only {
        chosen.retain(|target| target.id == only);
        if chosen.is_empty() {
            return Err(no_target(&only.to_string()));
        }
    }
    let sources = store.sources(tenant).await?;
    let mapping = store.mapping_at(tenant, at).await?.map_or(
        RulesThen { version: 0, note: None, since: None, by: None },
        |entry| RulesThen {
            version: entry.version,
            note: Some(entry.note).filter(|note| !note.is_empty()),
            since: Some(entry.created_at),
            by: Some(entry.created_by),
        },
    );
    let mut targets = Vec::new();
    for target in chosen {
        targets.push(target_then(store, (tenant, target), id, (at, now), attribute).await?);
    }
    let deleted = bounds.last.as_ref().is_some_and(|entry| entry.operation == Operation::Delete);
    let mut lines = vec![match &bounds.last {
        None => "The person was not in the directory yet.".to_owned(),
        Some(_) if deleted => "The person was deleted.".to_owned(),
        Some(entry) => {
            format!(
                "The directory held version {} of the person; version {} of the mapping counted.",
                entry.version, mapping.version
            )
        }
    }];
    lines.extend(targets.iter().map(|target| format!("{}: {}", target.target, target.decision)));
    let mut not_kept = vec![
        "The values that sources had sent: the change log keeps the names of attributes, never a person's values.".to_owned(),
        "Where a delivery stood between two steps (waiting, held, tried again), and when the target was read back: the steps \
         themselves are kept."
            .to_owned(),
    ];
    if let Some(erased) = bounds.erased_at {
        not_kept.push(format!(
            "What was kept of the person was erased at {}: values are not known any more.",
            told(erased)
        ));
    }
    let by_unknown_rules =
        |target: &TargetThen| target.accepted.iter().any(|accepted| accepted.mapping_version.is_none());
    if targets.iter().any(by_unknown_rules) {
        not_kept.push("By which version of the mapping the oldest steps were decided.".to_owned());
    }
    Ok(PastExplanation {
        at,
        verdict: lines.join("\n"),
        resource_id: id.0,
        last_request: bounds.last.map(|entry| ChangeView::of(entry, &sources)),
        mapping,
        targets,
        not_kept,
    })
}

async fn target_then(
    store: &Store,
    (tenant, target): (TenantId, Target),
    id: ResourceId,
    (at, now): (OffsetDateTime, OffsetDateTime),
    attribute: Option<&str>,
) -> Result<TargetThen, ApiError> {
    let place = (tenant, target.id);
    let until = AcceptedQuery { until: Some(at), limit: STEPS, ..AcceptedQuery::default() };
    let since = AcceptedQuery { after: Some(at), limit: STEPS, ..AcceptedQuery::default() };
    let (done, later) = tokio::try_join!(store.accepted(place, id, &until), store.accepted(place, id, &since))?;
    let link = store.link(tenant, target.id, ResourceKind::User, id).await?;
    let observed = link.map_or(Observed::Absent, |link| link.observed);
    let (account, mut attributes) = account_then(&done, &later, &observed);
    attributes.retain(|value| attribute.is_none_or(|attribute| value.attribute == attribute));
    let images: Vec<Attributes> = attributes
        .iter()
        .filter_map(|value| Some(Attributes::from([(value.attribute.clone(), value.value.clone()?)])))
        .collect();
    let paths = store.unit_paths(place, &evidence::units_of(images.iter())).await?;
    for value in &mut attributes {
        value.value = value.value.as_ref().map(|shown| readable(&value.attribute, shown, &paths));
    }
    let tries = AttemptQuery {
        resource: Some(id),
        target: Some(target.id),
        until: Some(at),
        limit: 1,
        ..AttemptQuery::default()
    };
    let last_attempt = store.attempts(tenant, &tries).await?.into_iter().next().map(AttemptView::from);
    let mut plans = evidence::planned(store, place, id, now).await?;
    plans.retain(|plan| plan.created_at <= at);
    let shown = AcceptedQuery { until: Some(at), attribute, limit: evidence::ACCEPTED, ..AcceptedQuery::default() };
    let mut overrides = evidence::overrides(store, place, id, Some(at)).await?;
    overrides.retain(|held| attribute.is_none_or(|attribute| held.attribute == attribute));
    Ok(TargetThen {
        target_id: target.id.0,
        target: target.name,
        decision: decision(done.first(), account),
        account,
        attributes,
        overrides,
        last_attempt,
        accepted: evidence::accepted(store, place, id, &shown).await?,
        plans,
    })
}

/// What had been done, in a sentence.
fn decision(last: Option<&AcceptedRow>, account: Option<bool>) -> String {
    let there = match account {
        Some(true) => "there was an account",
        Some(false) => "there was no account",
        None => "whether there was an account is not known",
    };
    match last {
        None => format!("{there}; Rollcall had done nothing to it."),
        Some(last) => format!("{there}; the last thing done was {} at {}.", last.action, told(last.at)),
    }
}

/// Whether there was an account, and what it held: what was written until then, and else what was there before it was
/// touched the next time, or is there still. `done` is the newest first, `later` the oldest first.
fn account_then(done: &[AcceptedRow], later: &[AcceptedRow], now: &Observed) -> (Option<bool>, Vec<ValueThen>) {
    let is = |row: &AcceptedRow, verb: &str| row.action.split(' ').next() == Some(verb);
    let ends = |row: &&AcceptedRow| is(row, "create") || is(row, "delete");
    let existed = match (done.iter().find(ends), later.iter().find(ends), now) {
        (Some(last), _, _) => Some(is(last, "create")),
        (None, Some(next), _) => Some(is(next, "delete")),
        (None, None, Observed::Known(_)) => Some(true),
        (None, None, Observed::Absent) => Some(false),
        (None, None, Observed::Unknown) => None,
    };
    if existed == Some(false) {
        return (existed, Vec::new());
    }
    let mut known: BTreeMap<String, ValueThen> = BTreeMap::new();
    for row in done.iter().rev() {
        if ends(&row) {
            known.clear();
        }
        for attribute in &row.attributes {
            let value = row.after.as_ref().and_then(|image| image.get(attribute)).cloned();
            if row.after.is_some() {
                known.insert(attribute.clone(), ValueThen::written(attribute, value, row));
            }
        }
    }
    let mut touched: BTreeSet<&str> = known.keys().map(String::as_str).collect::<BTreeSet<_>>();
    let mut found: Vec<ValueThen> = Vec::new();
    let mut ended = false;
    for row in later {
        let names: Vec<&String> = match &row.before {
            Some(before) if is(row, "delete") => before.keys().collect(),
            _ => row.attributes.iter().collect(),
        };
        for name in names {
            if let (true, Some(before)) = (touched.insert(name), &row.before) {
                found.push(ValueThen::seen(name, before.get(name).cloned()));
            }
        }
        if ends(&row) {
            ended = true;
            break;
        }
    }
    if let (false, Observed::Known(entity)) = (ended, now) {
        let rest = entity.attributes.iter().filter(|(name, _)| !touched.contains(name.as_str()));
        found.extend(rest.map(|(name, value)| ValueThen::seen(name, Some(value.clone()))));
    }
    let mut all: Vec<ValueThen> = known.into_values().chain(found).collect();
    all.sort_by(|one, other| one.attribute.cmp(&other.attribute));
    (existed, all)
}

impl ValueThen {
    fn written(attribute: &str, value: Option<Value>, row: &AcceptedRow) -> Self {
        Self {
            written_at: Some(row.at),
            request_id: row.request_id.clone(),
            plan_id: row.plan_id,
            mapping_version: row.mapping_version,
            ..Self::seen(attribute, value)
        }
    }

    fn seen(attribute: &str, value: Option<Value>) -> Self {
        let attribute = attribute.to_owned();
        Self { attribute, value, written_at: None, request_id: None, plan_id: None, mapping_version: None }
    }
}

fn told(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_else(|_| at.to_string())
}
