//! What a mapping would make of everybody, before it is saved. People are read in batches and judged by a thread of their
//! own, so that neither the memory nor the threads that answer other requests feel how many they are.

pub use super::projected::TargetEffect;
pub use super::rendered::{InputView, ShownPerson, TraceView};

use super::projected::Projected;
use super::rendered::{as_person, asked_for, chosen, user_name};
use crate::compiled::TargetFacts;
use crate::error::ApiError;
use crate::limits::{MOST_SHOWN, PREVIEW_TIME};
use crate::state::ApiState;
use rollcall_provisioning::ids::{ResourceId, TenantId};
use rollcall_provisioning::mapping::{Failing, Mapping, Preview, Report, SampleReason};
use rollcall_store::Store;
use rollcall_store::facts::{FactsOf, PersonFacts};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

/// How many people are read at a time.
const BATCH: i64 = 500;

/// Batches that wait to be judged.
const AHEAD: usize = 2;

/// What a mapping would make of everybody.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct PreviewView {
    /// How many active people were looked at.
    pub people: u64,
    /// Whether that was everybody. A directory that is too large for the time that there is shows its beginning.
    pub complete: bool,
    /// How many would be projected without any finding.
    pub ready: u64,
    /// How many would be kept out, or kept as they are, because a required attribute has no usable value.
    pub blocked: u64,
    /// Who is in, by the rule that decides.
    pub included: Vec<RuleCount>,
    /// Who is left out, by the rule that decides.
    pub excluded: Vec<RuleCount>,
    /// How many become what: `normal`, `sso`, `dingtalk` or `contact`.
    pub kinds: BTreeMap<String, u64>,
    /// Who fails.
    pub failing: Vec<FailingView>,
    /// Who has a value that somebody before them has and that must be unique.
    pub duplicates: Vec<DuplicateView>,
    /// Whether there were more values than can be remembered, so that there may be more duplicates.
    pub duplicates_incomplete: bool,
    /// A few people shown whole: those with the most that can go wrong.
    pub samples: Vec<ShownPerson>,
    /// Those who were asked for, with how each attribute came about.
    pub users: Vec<ShownPerson>,
    /// What would change at each target.
    pub targets: Vec<TargetEffect>,
    /// What happens next, in a sentence.
    pub next: String,
}

/// People by the rule of `scope` that decides.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct RuleCount {
    /// The rule; absent if none decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// How many.
    pub people: u64,
}

/// People to whom one thing happens.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct FailingView {
    /// What, as a code.
    #[schema(example = "mobile_missing")]
    pub code: String,
    /// The target's attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// How many.
    pub people: u64,
    /// Whether some of them are kept out altogether.
    pub blocks: bool,
    /// The SCIM ids of the first of them.
    pub first: Vec<String>,
    /// What is wrong with the first of them.
    pub message: String,
    /// What to do about it.
    pub advice: String,
}

/// People who share a value that must be unique.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct DuplicateView {
    /// The target's attribute.
    pub attribute: String,
    /// How many have what somebody before them has.
    pub people: u64,
    /// The SCIM ids of the first of them.
    pub first: Vec<String>,
}

/// What is to be looked at.
#[derive(Clone, Debug)]
pub struct PreviewOf {
    /// The mapping.
    pub mapping: Arc<Mapping>,
    /// The mapping that counts, if it may name other managers.
    pub counting: Option<Arc<Mapping>>,
    /// People who are shown whole.
    pub users: Vec<Uuid>,
}

/// Looks at everybody with a draft, or with the document that counts; waits until few enough others do so.
///
/// # Errors
/// 422 if the draft cannot be compiled; else as [`preview`].
pub async fn tried(
    state: &ApiState,
    tenant: TenantId,
    document: Option<&Value>,
    users: Vec<Uuid>,
) -> Result<PreviewView, ApiError> {
    let (store, target) = (state.store(), state.target());
    let of = if let Some(document) = document {
        let counting = state.usable_mapping(tenant).await?;
        let draft = super::compiled(store, tenant, &*target.schema, document).await?;
        PreviewOf { mapping: Arc::new(draft), counting, users }
    } else {
        let mapping = state.mapping_of(tenant).await?.mapping;
        PreviewOf { mapping, counting: None, users }
    };
    let _place = state.previews().acquire().await;
    preview(store, tenant, target, of).await
}

/// Looks at everybody.
///
/// # Errors
/// 400 when more people are to be shown than may be.
pub async fn preview(
    store: &Store,
    tenant: TenantId,
    known: &TargetFacts,
    of: PreviewOf,
) -> Result<PreviewView, ApiError> {
    if of.users.len() > MOST_SHOWN {
        return Err(ApiError::parameter("users", format!("names more than {MOST_SHOWN} people")));
    }
    let until = Instant::now() + PREVIEW_TIME;
    let mut targets = Vec::new();
    for target in store.targets(tenant).await? {
        let units = store.known_units(tenant, target.id).await?;
        targets.push(Projected::new(target.id, target.name, units));
    }
    let shown = i64::try_from(MOST_SHOWN).unwrap_or(i64::MAX);
    let asked = store.person_facts(tenant, FactsOf::These(&of.users), Uuid::nil(), shown).await?;
    let users = asked.iter().map(|facts| asked_for(facts, &of.mapping)).collect();
    let (send, receive) = mpsc::channel(AHEAD);
    let (mapping, counting, known) = (Arc::clone(&of.mapping), of.counting, known.clone());
    let judged = tokio::task::spawn_blocking(move || judge(receive, &mapping, counting.as_deref(), (targets, &known)));
    let mut after = Uuid::nil();
    let complete = loop {
        let batch = store.person_facts(tenant, FactsOf::Everybody, after, BATCH).await?;
        let Some(last) = batch.last().map(|facts| facts.id.0) else { break true };
        after = last;
        if send.send(batch).await.is_err() {
            break false;
        }
        if Instant::now() > until {
            break false;
        }
    };
    drop(send);
    let judged = judged.await.map_err(|_| ApiError::Broken)?;
    let samples = samples(&judged.report, &judged.names);
    let Judged { report, targets, .. } = judged;
    Ok(view(report, (complete, samples, users), targets.into_iter().map(|one| one.effect).collect()))
}

/// What came of looking at everybody.
struct Judged {
    report: Report,
    /// The user names of those who may be shown.
    names: BTreeMap<String, Option<String>>,
    targets: Vec<Projected>,
}

fn judge(
    mut batches: mpsc::Receiver<Vec<PersonFacts>>,
    mapping: &Mapping,
    counting: Option<&Mapping>,
    (mut targets, known): (Vec<Projected>, &TargetFacts),
) -> Judged {
    let mut preview = Preview::new(mapping);
    let mut names = BTreeMap::new();
    while let Some(batch) = batches.blocking_recv() {
        for facts in &batch {
            as_person(facts, |person| {
                let mapped = preview.add(person);
                let before = counting.map(|counting| counting.person(person).manager);
                for target in &mut targets {
                    target.add(facts, &mapped, before.as_ref(), known);
                }
            });
        }
        // Of those who are shown so far some may be in this batch.
        let shown: BTreeMap<String, Option<String>> = preview
            .samples()
            .map(|id| {
                let facts = batch.iter().find(|facts| facts.id.to_string() == id);
                let known = names.get(id).cloned().flatten();
                (id.to_owned(), facts.and_then(user_name).or(known))
            })
            .collect();
        names = shown;
    }
    Judged { report: preview.finish(), names, targets }
}

/// The people of a report who are shown whole, each once.
fn samples(report: &Report, names: &BTreeMap<String, Option<String>>) -> Vec<ShownPerson> {
    let mut people: Vec<ShownPerson> = Vec::new();
    for (reason, sample) in &report.samples {
        let Ok(id) = Uuid::try_parse(&sample.id) else { continue };
        let reason = word(*reason).to_owned();
        if let Some(person) = people.iter_mut().find(|person| person.id == id) {
            person.chosen_for.push(reason);
        } else {
            let name = names.get(&sample.id).cloned().flatten();
            people.push(chosen(ResourceId(id), name, vec![reason], sample.mapped.clone()));
        }
    }
    people
}

const fn word(reason: SampleReason) -> &'static str {
    match reason {
        SampleReason::LongestName => "longest_name",
        SampleReason::OtherScript => "other_script",
        SampleReason::NoPhone => "no_phone",
        SampleReason::Contractor => "contractor",
        SampleReason::SeveralDepartments => "several_departments",
    }
}

fn view(
    report: Report,
    (complete, samples, users): (bool, Vec<ShownPerson>, Vec<ShownPerson>),
    targets: Vec<TargetEffect>,
) -> PreviewView {
    let duplicate = |(attribute, failing): (String, Failing)| DuplicateView {
        attribute,
        people: failing.count,
        first: failing.first,
    };
    let held: u64 = targets.iter().map(|target| target.changed + target.removed).sum();
    let next = format!(
        "Nothing was saved and nothing was sent. If this is saved, accounts that it changes ({held} here) are held until a \
         plan permits them."
    );
    PreviewView {
        people: report.people,
        complete,
        ready: report.ready,
        blocked: report.blocked,
        included: report.included.into_iter().map(|(rule, people)| RuleCount { rule, people }).collect(),
        excluded: report.excluded.into_iter().map(|(rule, people)| RuleCount { rule: Some(rule), people }).collect(),
        kinds: report.kinds.into_iter().map(|(kind, people)| (kind.as_str().to_owned(), people)).collect(),
        failing: report.failing.into_iter().map(failing).collect(),
        duplicates: report.duplicates.into_iter().map(duplicate).collect(),
        duplicates_incomplete: report.duplicates_incomplete,
        samples,
        users,
        targets,
        next,
    }
}

fn failing((code, failing): (String, Failing)) -> FailingView {
    let (attribute, message, advice) =
        failing.finding.map(|finding| (finding.attribute, finding.message, finding.advice)).unwrap_or_default();
    FailingView {
        code,
        attribute,
        people: failing.count,
        blocks: failing.blocks,
        first: failing.first,
        message,
        advice,
    }
}
