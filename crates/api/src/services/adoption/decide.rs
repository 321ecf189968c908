//! Decisions about candidates.

use super::exists;
use crate::error::ApiError;
use crate::services::given;
use rollcall_provisioning::correlation::Key;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_store::Store;
use rollcall_store::adoption::{BulkRule, Decided, Decision, DecisionError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Decisions, of which all are taken or none.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct DecisionRequest {
    /// What is decided.
    pub decisions: Vec<OneDecision>,
}

/// A decision about one candidate.
#[derive(Deserialize, ToSchema, Debug)]
#[serde(deny_unknown_fields)]
pub struct OneDecision {
    /// The candidate.
    #[serde(deserialize_with = "given::id")]
    pub id: Uuid,
    /// `accepted`, `rejected`, `new` or `undecided`.
    #[schema(example = "accepted")]
    pub decision: String,
}

/// Which suggestions are accepted together.
#[derive(Deserialize, ToSchema, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct RuleRequest {
    /// All of these keys agree. `name` is meant also where the department agrees besides.
    #[schema(example = json!(["mobile", "name"]))]
    pub keys: Vec<String>,
    /// The sum of weights is this or more.
    #[serde(default)]
    pub at_least: i32,
    /// Also where a key differs.
    #[serde(default)]
    pub despite_differences: bool,
    /// Only say how many there are.
    #[serde(default)]
    pub preview: bool,
}

/// What decisions came to.
#[derive(Serialize, ToSchema, Clone, Copy, Debug)]
pub struct DecidedView {
    /// About how many candidates was, or would be, decided.
    pub decided: u64,
    /// How many of the accepted ones were linked now. Nothing changes at the target by that.
    pub linked: u64,
}

impl From<Decided> for DecidedView {
    fn from(decided: Decided) -> Self {
        Self { decided: decided.decided, linked: decided.linking.linked }
    }
}

/// Decides about candidates.
///
/// # Errors
/// 400 or 409 that says which decision stands in the way; nothing is decided then.
pub async fn decide(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    request: &DecisionRequest,
    by: &str,
) -> Result<DecidedView, ApiError> {
    exists(store, tenant, target).await?;
    let read = |one: &OneDecision| {
        let wrong = || ApiError::parameter("decision", "must be accepted, rejected, new or undecided");
        Ok((one.id, Decision::parse(&one.decision).ok_or_else(wrong)?))
    };
    let decisions = request.decisions.iter().map(read).collect::<Result<Vec<_>, ApiError>>()?;
    store.decide(tenant, target, &decisions, by).await.map(DecidedView::from).map_err(refused)
}

/// Accepts all suggestions that fit a rule, or says how many there are.
///
/// # Errors
/// 400 for a rule without keys, or with one that there is not.
pub async fn by_rule(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    request: RuleRequest,
    by: &str,
) -> Result<DecidedView, ApiError> {
    exists(store, tenant, target).await?;
    let known: Vec<&str> = Key::ALL.into_iter().map(Key::as_str).collect();
    if request.keys.is_empty() || request.keys.iter().any(|key| !known.contains(&key.as_str())) {
        return Err(ApiError::parameter("keys", format!("must name one or more of {}", known.join(", "))));
    }
    let RuleRequest { keys, at_least, despite_differences, preview } = request;
    let rule = BulkRule { keys, at_least, despite_differences };
    let decided = store.decide_by_rule(tenant, target, &rule, (!preview).then_some(by)).await;
    decided.map(DecidedView::from).map_err(refused)
}

/// Starts adoption over: forgets all links that it made. Returns how many there were.
///
/// # Errors
/// 409 while a scan, or a worker, is at it.
pub async fn restart(store: &Store, tenant: TenantId, target: TargetId, by: &str) -> Result<u64, ApiError> {
    exists(store, tenant, target).await?;
    store.restart_adoption(tenant, target, by).await.map_err(refused)
}

pub(super) fn refused(error: DecisionError) -> ApiError {
    match error {
        DecisionError::NotFound(id) => ApiError::NotFound { what: format!("the candidate \"{id}\"") },
        DecisionError::Senseless { .. } => ApiError::Conflict(format!("Nothing was decided: {error}.")),
        DecisionError::UnderWay => ApiError::Conflict(
            "A scan is under way, which may change what there is to decide; wait for its end.".to_owned(),
        ),
        DecisionError::Busy(_) => ApiError::Conflict(format!("Nothing was done: {error}.")),
        DecisionError::Store(error) => error.into(),
    }
}
