//! Why is this person (not) in DingTalk? The way of the last change, station by station: the request that brought it,
//! what is stored, what the mapping makes of it, what was decided, and the last try.

mod evidence;
mod mapping;
mod past;

pub use evidence::{AcceptedView, HeldView, PlannedView};
pub use mapping::{FindingView, MappingView};
pub use past::{PastExplanation, RulesThen, TargetThen, ValueThen, explain_past};

use crate::error::ApiError;
use crate::services::attempts::AttemptView;
use crate::services::changes::ChangeView;
use crate::services::deliveries::DeliveryView;
use crate::services::leavers::{self, HandoverView};
use crate::services::mapping::rendered::with_traces;
use crate::services::overrides::OverrideView;
use crate::services::person::{self, Found, PersonView};
use crate::services::targets::{Stop, no_target};
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_provisioning::mapping::Mapping;
use rollcall_provisioning::overrides::ACCOUNT;
use rollcall_store::Store;
use rollcall_store::changes::{ChangeCursor, Operation};
use rollcall_store::facts::FactsOf;
use rollcall_store::projection::{AcceptedQuery, AttemptQuery, Target, TargetMode};
use serde::Serialize;
use std::fmt::Write as _;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// How far back the last request is looked for, past alerts that came after it.
const ENTRIES: i64 = 20;

/// Why a person is, or is not, where they should be.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Explanation {
    /// The answer in a few lines, one for each target.
    pub verdict: String,
    /// What is stored, and where it stands.
    pub person: PersonView,
    /// The last request that changed the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_request: Option<ChangeView>,
    /// What the mapping makes of what is stored; absent for a person who has left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingView>,
    /// What was decided, for each target.
    pub targets: Vec<TargetDecision>,
    /// What a person who has left has handed over, one entry for each target.
    pub handovers: Vec<HandoverView>,
}

/// What was decided for one target.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TargetDecision {
    /// The target.
    pub target_id: Uuid,
    /// Its name.
    pub target: String,
    /// Whether it gets changes: `rehearsal`, `live` or `paused`.
    pub mode: String,
    /// Why nothing is sent at the moment, although nobody has turned it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// The decision in a sentence.
    pub decision: String,
    /// What holds the person, and what would be done if nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<HeldView>,
    /// The last try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_attempt: Option<AttemptView>,
    /// The last actions that the target accepted, the newest first.
    pub accepted: Vec<AcceptedView>,
    /// The last plans that the person is in, the newest first.
    pub plans: Vec<PlannedView>,
    /// What people hold of the account against the rules.
    pub overrides: Vec<OverrideView>,
}

impl Explanation {
    /// Leaves out what is not about this attribute.
    fn only(&mut self, attribute: &str) {
        if let Some(mapping) = &mut self.mapping {
            mapping.attributes.retain(|name, _| name == attribute);
            mapping.traces.retain(|trace| trace.attribute == attribute);
            if attribute != entity::ORG_UNITS {
                mapping.departments.clear();
                mapping.places.clear();
            }
            mapping.manager = mapping.manager.take().filter(|_| attribute == entity::MANAGER);
            mapping.findings.retain(|finding| finding.attribute.as_deref().is_none_or(|of| of == attribute));
        }
        for target in &mut self.targets {
            target.overrides.retain(|held| held.attribute == attribute || held.attribute == ACCOUNT);
            let proposal = target.held.as_mut().and_then(|held| held.proposal.as_mut());
            if let Some(proposal) = proposal {
                proposal.lines.retain(|line| line.attribute == attribute);
            }
        }
    }
}

/// Explains a person, at one target or at all, of one attribute or of all, under a mapping if it can be used.
///
/// # Errors
/// 404 for the person, or for the target.
pub async fn explain(
    store: &Store,
    mapping: Option<&Mapping>,
    tenant: TenantId,
    (id, only): (ResourceId, Option<TargetId>),
    (now, attribute): (OffsetDateTime, Option<&str>),
) -> Result<Explanation, ApiError> {
    let Found { person, user } = person::find(store, tenant, id).await?;
    // Who has left has no account to be mapped.
    let mapping = match mapping.filter(|_| user.is_some() && person.active) {
        Some(mapping) => mapped(store, tenant, id, mapping).await?,
        None => None,
    };
    let mut chosen = store.targets(tenant).await?;
    if let Some(only) = only {
        chosen.retain(|target| target.id == only);
        if chosen.is_empty() {
            return Err(no_target(&only.to_string()));
        }
    }
    let accepted = AcceptedQuery { attribute, limit: evidence::ACCEPTED, ..AcceptedQuery::default() };
    let mut targets = Vec::new();
    for target in chosen {
        let standing = person.standings.iter().find(|standing| standing.delivery.target_id == target.id.0);
        let stopped = Stop::of(&target, now);
        targets.push(TargetDecision {
            decision: decision(&target, stopped.as_ref(), standing.map(|standing| &standing.delivery)),
            target_id: target.id.0,
            mode: target.mode.as_str().to_owned(),
            stopped,
            held: standing.and_then(|standing| HeldView::of(&standing.delivery)),
            last_attempt: last_attempt(store, tenant, target.id, id).await?,
            accepted: evidence::accepted(store, (tenant, target.id), id, &accepted).await?,
            plans: evidence::planned(store, (tenant, target.id), id, now).await?,
            overrides: evidence::overrides(store, (tenant, target.id), id, None).await?,
            target: target.name,
        });
    }
    let mut handovers = leavers::of_person(store, tenant, id).await?;
    handovers.retain(|handover| only.is_none_or(|only| only.0 == handover.target_id));
    let mut verdict = verdict(&person, mapping.as_ref(), &targets);
    for handover in handovers.iter().filter(|handover| handover.reports > 0 || handover.departments > 0) {
        let _ = write!(verdict, "\n{}: {}", handover.target, handover.sentence());
    }
    let last_request = last_request(store, tenant, id).await?;
    let mut explanation = Explanation { verdict, person, last_request, mapping, targets, handovers };
    if let Some(attribute) = attribute {
        explanation.only(attribute);
    }
    Ok(explanation)
}

/// The answer in a few lines.
fn verdict(person: &PersonView, mapping: Option<&MappingView>, targets: &[TargetDecision]) -> String {
    let mut lines = Vec::new();
    if person.deleted {
        lines.push("The person was deleted, so no account is wanted.".to_owned());
    } else if !person.active {
        lines.push("The person is inactive, so no account is wanted.".to_owned());
    }
    if targets.is_empty() {
        lines.push("There is no target: nobody is projected anywhere.".to_owned());
    }
    lines.extend(targets.iter().map(|target| format!("{}: {}", target.target, target.decision)));
    if let Some(mapping) = mapping.filter(|mapping| mapping.blocked) {
        let findings: Vec<String> =
            mapping.findings.iter().map(|finding| format!("{} {}", finding.message, finding.advice)).collect();
        lines.push(format!("As stored, the person cannot be projected: {}", findings.join(" ")));
    }
    lines.join("\n")
}

async fn mapped(
    store: &Store,
    tenant: TenantId,
    id: ResourceId,
    mapping: &Mapping,
) -> Result<Option<MappingView>, ApiError> {
    let found = store.person_facts(tenant, FactsOf::These(&[id.0]), Uuid::nil(), 1).await?;
    Ok(found.first().map(|facts| with_traces(facts, mapping)))
}

async fn last_request(store: &Store, tenant: TenantId, id: ResourceId) -> Result<Option<ChangeView>, ApiError> {
    let entries = store.changes(tenant, ChangeCursor::Before(i64::MAX), ENTRIES, Some(id)).await?;
    let Some(entry) = entries
        .into_iter()
        .find(|entry| matches!(entry.operation, Operation::Create | Operation::Update | Operation::Delete))
    else {
        return Ok(None);
    };
    let sources = store.sources(tenant).await?;
    Ok(Some(ChangeView::of(entry, &sources)))
}

async fn last_attempt(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    id: ResourceId,
) -> Result<Option<AttemptView>, ApiError> {
    let query = AttemptQuery { resource: Some(id), target: Some(target), before: None, limit: 1, until: None };
    Ok(store.attempts(tenant, &query).await?.into_iter().next().map(AttemptView::from))
}

/// The decision in a sentence for a person.
fn decision(target: &Target, stopped: Option<&Stop>, delivery: Option<&DeliveryView>) -> String {
    let Some(delivery) = delivery else {
        return "nothing about this person was ever due here.".to_owned();
    };
    let reason = delivery.reason.as_deref().unwrap_or("no reason was recorded");
    match delivery.state.as_str() {
        "in_step" => match (delivery.applied_version, delivery.applied_at) {
            (Some(version), Some(at)) => format!("in step: version {version} was applied at {}.", clock(at)),
            _ => "in step.".to_owned(),
        },
        "gone" => match &delivery.reason {
            Some(reason) => format!("there is no account: {reason}"),
            None => "the person has left, and so has the account.".to_owned(),
        },
        "waiting" => format!("waiting: {reason}"),
        "needs_attention" => format!("a person must act: {reason}"),
        "held" => format!("held, nothing was sent: {reason}"),
        "retrying" => {
            let again =
                delivery.due_at.map_or_else(String::new, |due| format!(" It is tried again at {}.", clock(due)));
            format!("failed {} times in a row: {reason}{again}{}", delivery.attempt, blocked(target, stopped))
        }
        "applying" => "a worker is at it now.".to_owned(),
        _ => {
            let since = delivery.dirty_since.map_or_else(String::new, |since| format!(" since {}", clock(since)));
            format!("due{since} and not sent yet.{}", blocked(target, stopped))
        }
    }
}

/// Why nothing is sent at the moment, if nothing is.
fn blocked(target: &Target, stopped: Option<&Stop>) -> String {
    match (target.mode, stopped) {
        (TargetMode::Paused, _) => match &target.paused_reason {
            Some(reason) => format!(" Sending to this target is paused. {reason}"),
            None => " Sending to this target is paused by a person.".to_owned(),
        },
        (_, Some(stop)) => {
            let reason = stop.reason.as_deref().unwrap_or("the cause was not recorded");
            format!(" Sending to this target is stopped until {}: {reason}", clock(stop.until))
        }
        _ => String::new(),
    }
}

/// A moment for people, to the second.
pub(crate) fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{} {:02}:{:02}:{:02} UTC", at.date(), at.hour(), at.minute(), at.second())
}
