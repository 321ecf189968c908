//! Decisions about plans: making, applying, releasing and rejecting them. Each names who decides.

use super::wave::{WaveRequest, users};
use super::{PlanView, read};
use crate::error::ApiError;
use crate::services::reason;
use crate::services::targets::chosen;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guard;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{Applied, ApplyError, NewPlan, PlanScope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

impl From<ApplyError> for ApiError {
    fn from(error: ApplyError) -> Self {
        Self::Plan(error)
    }
}

/// What goes into a plan. Every member narrows it down.
#[derive(Deserialize, ToSchema, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct NewPlanRequest {
    /// Only these people, by their SCIM ids, and the departments that they need; 1,000 at most.
    #[schema(value_type = Option<Vec<Uuid>>)]
    pub users: Option<Value>,
    /// Only what this holds: `rehearsal`, `adoption`, `mapping:` and a version such as `mapping:3`, or `guard:` and an effect such
    /// as `guard:people.remove`.
    #[schema(example = "rehearsal")]
    pub held_by: Option<String>,
}

/// What goes into a plan.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Scope {
    /// Only these people; all if there are none.
    pub users: Vec<Uuid>,
    /// Only what this holds.
    pub held_by: Option<String>,
}

impl NewPlanRequest {
    /// What is asked for.
    ///
    /// # Errors
    /// 400 that names what cannot be used.
    pub fn scope(self) -> Result<Scope, ApiError> {
        let users = self.users.as_ref().map_or_else(|| Ok(Vec::new()), |value| users("users", value))?;
        let known = |held_by: &str| match held_by.split_once(':') {
            Some(("guard", effect)) => Guard::parse(effect.split(':').next().unwrap_or_default()).is_some(),
            Some(("mapping", version)) => version.parse::<i32>().is_ok(),
            _ => matches!(held_by, "rehearsal" | "adoption"),
        };
        match self.held_by {
            Some(held_by) if !known(&held_by) => {
                let problem = format!(
                    "cannot be {}; it can be rehearsal, adoption, mapping: and a version, or guard: and an effect",
                    quoted(&held_by)
                );
                Err(ApiError::parameter("held_by", problem))
            }
            held_by => Ok(Scope { users, held_by }),
        }
    }
}

/// Makes a plan of what a target holds now, judged as a whole.
///
/// # Errors
/// 404 for the target, 400 for people of whom nothing was ever due there.
pub async fn make(
    store: &Store,
    tenant: TenantId,
    target: TargetId,
    scope: Scope,
    (by, now): (&str, OffsetDateTime),
) -> Result<PlanView, ApiError> {
    let target = chosen(store, tenant, target).await?;
    let resources: Vec<ResourceId> = scope.users.into_iter().map(ResourceId).collect();
    if let Some(stranger) = store.never_due((tenant, target.id), &resources).await?.first() {
        let problem = format!("name {stranger}, who is not in the directory or was never due at this target");
        return Err(ApiError::parameter("users", problem));
    }
    let scope = PlanScope { resources, held_by: scope.held_by };
    let new = NewPlan { target: target.id, scope: &scope, guards: &target.guards, by };
    let plan = store.make_plan(tenant, &new).await?;
    read(store, tenant, plan, now).await
}

/// What was begun by applying a plan.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct AppliedView {
    /// How many resources are sent now.
    pub permitted: i64,
    /// How many a guard still holds, because nobody has released the plan.
    pub withheld: i64,
    /// The plan as it is now.
    pub plan: PlanView,
}

/// Applies what the wave takes of a plan: exactly what the plan says, or nothing.
///
/// # Errors
/// 404; 400 for a wave that cannot be; 409 when the plan is stale, expired or over.
pub async fn apply(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    wave: WaveRequest,
    (by, now): (&str, OffsetDateTime),
) -> Result<AppliedView, ApiError> {
    let target = TargetId(read(store, tenant, plan, now).await?.target_id);
    let wave = wave.resolve(store, tenant, (plan, target)).await?;
    let Applied { permitted, withheld } = store.apply_plan(tenant, plan, &wave, by).await?;
    Ok(AppliedView { permitted, withheld, plan: read(store, tenant, plan, now).await? })
}

/// Asks for the release of what guards hold of a plan.
///
/// # Errors
/// 404; 400 without a reason; 409 when the plan is expired or over, no guard holds anything of it, or somebody has asked
/// before.
pub async fn request_release(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    reason: &str,
    (by, now): (&Decider, OffsetDateTime),
) -> Result<PlanView, ApiError> {
    store.request_release(tenant, plan, by, reason::given(reason)?).await?;
    read(store, tenant, plan, now).await
}

/// Releases what guards hold of a plan. It is then still to be applied.
///
/// # Errors
/// 404; 403 for whoever may have asked for it; 409 when nobody has asked, or the plan is released, expired or over.
pub async fn release(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    (by, now): (&Decider, OffsetDateTime),
) -> Result<PlanView, ApiError> {
    store.release_plan(tenant, plan, by).await?;
    read(store, tenant, plan, now).await
}

/// Rejects a plan: nothing more of it is applied.
///
/// # Errors
/// 404; 409 when it is expired or over.
pub async fn reject(
    store: &Store,
    tenant: TenantId,
    plan: Uuid,
    (by, now): (&str, OffsetDateTime),
) -> Result<PlanView, ApiError> {
    store.reject_plan(tenant, plan, by).await?;
    read(store, tenant, plan, now).await
}
