//! How the targets of a tenant stand.

use crate::error::ApiError;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::Target;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// A target, and how much of the directory it has.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TargetView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The kind of connector.
    #[schema(example = "dingtalk")]
    pub kind: String,
    /// Whether changes are sent: `rehearsal`, `live` or `paused`.
    #[schema(example = "live")]
    pub mode: String,
    /// Why nothing is sent at the moment, although nobody has turned it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// How many deliveries stand where.
    pub counts: Vec<Count>,
    /// The change that the target has been owed for the longest time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oldest_waiting: Option<Oldest>,
}

impl TargetView {
    /// How many deliveries of users stand in this state.
    pub fn users(&self, state: &str) -> i64 {
        let of_users = self.counts.iter().filter(|count| count.kind == "user" && count.state == state);
        of_users.map(|count| count.count).sum()
    }
}

/// A target that is stopped for a cause.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Stop {
    /// When it is tried again.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// The cause as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The cause in words, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Stop {
    /// The stop of a target, while it lasts.
    pub(crate) fn of(target: &Target, now: OffsetDateTime) -> Option<Self> {
        let until = target.stopped_until.filter(|until| *until > now)?;
        Some(Self { until, code: target.stopped_code.clone(), reason: target.stopped_reason.clone() })
    }
}

/// How many deliveries of a kind stand in a state.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Count {
    /// `user`, `group` or `org_unit`.
    #[schema(example = "user")]
    pub kind: String,
    /// The state.
    #[schema(example = "in_step")]
    pub state: String,
    /// How many.
    pub count: i64,
}

/// The change that waits for the longest time.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Oldest {
    /// Whose.
    pub resource_id: Uuid,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

/// One target.
///
/// # Errors
/// 404.
pub(crate) async fn chosen(store: &Store, tenant: TenantId, id: TargetId) -> Result<Target, ApiError> {
    let found = store.targets(tenant).await?.into_iter().find(|target| target.id == id);
    found.ok_or_else(|| no_target(&id.to_string()))
}

/// There is no such target.
pub(crate) fn no_target(text: &str) -> ApiError {
    ApiError::NotFound { what: format!("the target {}", quoted(text)) }
}

/// The targets of a tenant, by name.
pub async fn list(store: &Store, tenant: TenantId, now: OffsetDateTime) -> Result<Vec<TargetView>, ApiError> {
    let mut views = Vec::new();
    for target in store.targets(tenant).await? {
        let counts = store.delivery_counts(tenant, target.id).await?;
        let oldest = store.oldest_waiting(tenant, target.id).await?;
        views.push(TargetView {
            id: target.id.0,
            mode: target.mode.as_str().to_owned(),
            stopped: Stop::of(&target, now),
            name: target.name,
            kind: target.kind,
            counts: counts
                .into_iter()
                .map(|count| Count {
                    kind: count.kind.as_str().to_owned(),
                    state: count.state.as_str().to_owned(),
                    count: count.count,
                })
                .collect(),
            oldest_waiting: oldest.map(|oldest| Oldest { resource_id: oldest.resource.0, since: oldest.since }),
        });
    }
    Ok(views)
}
