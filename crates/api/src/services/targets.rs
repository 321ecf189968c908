//! How the targets of a tenant stand.

use crate::error::ApiError;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_provisioning::stop::{Reach, Step};
use rollcall_scim::error::quoted;
use rollcall_store::Store;
use rollcall_store::projection::{self, Target};
use serde::Serialize;
use serde_json::Value;
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
    /// Why it is paused, if no person has paused it: its database was restored or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_reason: Option<String>,
    /// Why nothing is sent at the moment, although nobody has turned it off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stop>,
    /// Everything of it that does not work until its cause has gone: all of it, or single kinds of entity or step.
    pub stops: Vec<Stop>,
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

/// A target, or a kind of entity of it, that is stopped for a cause.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct Stop {
    /// The kind of entity that is stopped: `account`, `org_unit`, `role`, `chat` or `contact`; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// `create` or `update` when only such steps are stopped; absent for all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// Why: `credential`, `permission`, `organisation`, `quota`, `ban`, `settings`, `outage` or `values`.
    #[schema(example = "credential")]
    pub cause: String,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// How many tries in a row have failed.
    pub tries: i32,
    /// When it is tried again.
    #[serde(with = "time::serde::rfc3339")]
    pub until: OffsetDateTime,
    /// The cause as a code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The cause in words, with what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do.
    pub advice: String,
    /// The calls that were refused, ten at most, the newest last.
    #[schema(value_type = Vec<Object>)]
    pub calls: Value,
}

impl Stop {
    /// The stop of a target, while it lasts.
    pub(crate) fn of(target: &Target, now: OffsetDateTime) -> Option<Self> {
        target.stopped_until.filter(|until| *until > now)?;
        target.stop(Reach::Target).map(Self::view)
    }

    fn view(stop: &projection::Stop) -> Self {
        let reason = format!("{} {}", stop.reason, stop.advice);
        Self {
            kind: stop.reach.kind().map(EntityKind::as_str),
            step: stop.reach.step().map(Step::as_str),
            cause: stop.cause.clone(),
            since: stop.since,
            tries: stop.tries,
            until: stop.next_try_at,
            code: Some(stop.code.clone()),
            reason: Some(reason.trim().to_owned()),
            advice: stop.advice.clone(),
            calls: stop.calls.clone(),
        }
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
            paused_reason: target.paused_reason.clone(),
            stopped: Stop::of(&target, now),
            stops: target.stops.iter().map(Stop::view).collect(),
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
