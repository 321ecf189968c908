//! The change log: who changed what, when, because of which request; and what people were alerted to.
//!
//! It is append-only. Entries are numbered in the order in which they were written; two writes that overlap may be
//! committed in the other order, so a reader that follows the log at its very end can see a lower number a moment
//! after a higher one.

use crate::sources::SetUpBy;
use crate::write::Actor;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, ResourceKind, SourceId, TenantId};
use serde_json::Value;
use sqlx::PgExecutor;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// The most entries handed out at once.
const MAX_LIMIT: i64 = 1_000;

/// What an entry tells.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Operation {
    /// A resource was created.
    Create,
    /// A resource was changed.
    Update,
    /// A resource was deleted.
    Delete,
    /// People were told that something is wrong with a resource.
    Alert,
    /// Sending to a target was stopped for a cause.
    TargetStopped,
    /// A guard of a target began to hold changes.
    GuardTripped,
    /// What such a guard held is not too much any more.
    GuardClosed,
    /// Somebody asked for the release of a plan.
    ReleaseRequested,
    /// Somebody else released it.
    PlanReleased,
    /// Somebody rejected it.
    PlanRejected,
    /// Somebody marked what must not be touched.
    Marked,
    /// Somebody asked that such a mark be lifted.
    MarkLiftRequested,
    /// Somebody lifted such a mark.
    MarkLifted,
    /// The links that adoption had made were forgotten.
    AdoptionRestarted,
    /// Somebody applied a plan, or a part of it.
    PlanApplied,
    /// Somebody changed the limits of a target's guards.
    GuardsChanged,
    /// Somebody fetched the first password of an account.
    FirstPasswordFetched,
    /// Somebody decided that the account of a person who has left goes at once.
    RemovedAtOnce,
    /// Somebody decided that a person who has not answered an invitation is invited once more.
    InvitedAgain,
    /// What was kept of a person who has left was erased.
    Erased,
    /// Somebody decided by hand what a group becomes at a target.
    GroupChosen,
    /// A plan that was applied holds attributes against the rules.
    Overridden,
    /// Somebody lifted such an override.
    OverrideLifted,
    /// Such an override ended, because the rules want something else by now.
    OverrideEnded,
    /// Somebody linked a person to an account by hand.
    Linked,
    /// Somebody broke a link.
    LinkBroken,
    /// Somebody had a link looked for again.
    LinkRematched,
    /// A target is paused, because the database was restored or copied.
    TargetPaused,
}

impl Operation {
    const ALL: [Self; 28] = [
        Self::Create,
        Self::Update,
        Self::Delete,
        Self::Alert,
        Self::TargetStopped,
        Self::GuardTripped,
        Self::GuardClosed,
        Self::ReleaseRequested,
        Self::PlanReleased,
        Self::PlanRejected,
        Self::Marked,
        Self::MarkLiftRequested,
        Self::MarkLifted,
        Self::AdoptionRestarted,
        Self::PlanApplied,
        Self::GuardsChanged,
        Self::FirstPasswordFetched,
        Self::RemovedAtOnce,
        Self::InvitedAgain,
        Self::Erased,
        Self::GroupChosen,
        Self::Overridden,
        Self::OverrideLifted,
        Self::OverrideEnded,
        Self::Linked,
        Self::LinkBroken,
        Self::LinkRematched,
        Self::TargetPaused,
    ];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Alert => "alert",
            Self::TargetStopped => "target_stopped",
            Self::GuardTripped => "guard_tripped",
            Self::GuardClosed => "guard_closed",
            Self::ReleaseRequested => "release_requested",
            Self::PlanReleased => "plan_released",
            Self::PlanRejected => "plan_rejected",
            Self::Marked => "marked",
            Self::MarkLiftRequested => "mark_lift_requested",
            Self::MarkLifted => "mark_lifted",
            Self::AdoptionRestarted => "adoption_restarted",
            Self::PlanApplied => "plan_applied",
            Self::GuardsChanged => "guards_changed",
            Self::FirstPasswordFetched => "first_password_fetched",
            Self::RemovedAtOnce => "removed_at_once",
            Self::InvitedAgain => "invited_again",
            Self::Erased => "erased",
            Self::GroupChosen => "group_chosen",
            Self::Overridden => "overridden",
            Self::OverrideLifted => "override_lifted",
            Self::OverrideEnded => "override_ended",
            Self::Linked => "linked",
            Self::LinkBroken => "link_broken",
            Self::LinkRematched => "link_rematched",
            Self::TargetPaused => "target_paused",
        }
    }

    /// The operation behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }
}

/// What an entry is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// A resource of the directory, or a department.
    Resource(ResourceKind),
    /// A target.
    Target,
    /// A source: its profile and its overrides.
    Source,
    /// A token, a password, a secret or a trusted signature.
    Credential,
    /// An OAuth client.
    OauthClient,
    /// From where, how fast and how a source may call.
    SourceAccess,
    /// An extension schema of the tenant.
    Schema,
    /// Which source decides which attribute; the id is the tenant's.
    Owners,
    /// The rules by which people and groups become entities; the id is the tenant's.
    Mapping,
}

impl Subject {
    /// What is no resource.
    const SET_UP: [Self; 8] = [
        Self::Target,
        Self::Source,
        Self::Credential,
        Self::OauthClient,
        Self::SourceAccess,
        Self::Schema,
        Self::Owners,
        Self::Mapping,
    ];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resource(kind) => kind.as_str(),
            Self::Target => "target",
            Self::Source => "source",
            Self::Credential => "credential",
            Self::OauthClient => "oauth_client",
            Self::SourceAccess => "source_access",
            Self::Schema => "schema",
            Self::Owners => "attribute_owners",
            Self::Mapping => "mapping",
        }
    }

    /// The subject behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        let set_up = Self::SET_UP.into_iter().find(|subject| subject.as_str() == word);
        set_up.or_else(|| ResourceKind::parse(word).map(Self::Resource))
    }
}

/// One entry of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeEntry {
    /// Its number; grows.
    pub id: i64,
    /// When it was written.
    pub at: OffsetDateTime,
    /// The client that did it; `None` when it was not a client.
    pub source: Option<SourceId>,
    /// The request it followed from.
    pub request_id: String,
    /// What it tells.
    pub operation: Operation,
    /// What it is about.
    pub subject: Subject,
    /// The resource, or what else it is about.
    pub resource: ResourceId,
    /// The resource's version afterwards.
    pub version: i64,
    /// What changed: names of attributes and ids, never a person's values.
    pub details: Value,
}

/// From where on the log is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeCursor {
    /// Entries after that one, oldest first. From 0: all.
    After(i64),
    /// Entries before that one, newest first. From [`i64::MAX`]: all.
    Before(i64),
}

/// What the log says of a person around a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct ChangeBounds {
    /// When the first entry was written; `None` when there is none.
    pub first: Option<OffsetDateTime>,
    /// The last change until the moment.
    pub last: Option<ChangeEntry>,
    /// When what was kept of the person was erased.
    pub erased_at: Option<OffsetDateTime>,
}

/// Something that people must know about a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Alert {
    /// What kind of resource it is about.
    pub kind: ResourceKind,
    /// The resource.
    pub resource: ResourceId,
    /// The resource's version, as far as it was looked at.
    pub version: i64,
    /// The request that led to it.
    pub request_id: String,
    /// What it is about: target, code, reason.
    pub details: Value,
}

#[derive(sqlx::FromRow)]
struct ChangeRow {
    id: i64,
    at: OffsetDateTime,
    source_id: Option<Uuid>,
    request_id: String,
    operation: String,
    resource_kind: String,
    resource_id: Uuid,
    version: i64,
    details: Value,
}

impl TryFrom<ChangeRow> for ChangeEntry {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("changes", column, row.resource_id);
        Ok(Self {
            id: row.id,
            at: row.at,
            source: row.source_id.map(SourceId),
            operation: Operation::parse(&row.operation).ok_or_else(|| corrupt("operation"))?,
            subject: Subject::parse(&row.resource_kind).ok_or_else(|| corrupt("resource_kind"))?,
            request_id: row.request_id,
            resource: ResourceId(row.resource_id),
            version: row.version,
            details: row.details,
        })
    }
}

macro_rules! select_changes {
    ($condition:literal) => {
        concat!(
            "SELECT id, at, source_id, request_id, operation, resource_kind, resource_id, version, details ",
            "FROM changes WHERE tenant_id = $1 AND ",
            $condition,
            " LIMIT $3"
        )
    };
}

impl Store {
    /// At most `limit` entries (1,000 at most), of one resource or of all.
    pub async fn changes(
        &self,
        tenant: TenantId,
        from: ChangeCursor,
        limit: i64,
        resource: Option<ResourceId>,
    ) -> Result<Vec<ChangeEntry>, StoreError> {
        let (statement, bound) = match (from, resource) {
            (ChangeCursor::After(id), None) => (select_changes!("id > $2 ORDER BY id"), id),
            (ChangeCursor::Before(id), None) => (select_changes!("id < $2 ORDER BY id DESC"), id),
            (ChangeCursor::After(id), Some(_)) => (select_changes!("resource_id = $4 AND id > $2 ORDER BY id"), id),
            (ChangeCursor::Before(id), Some(_)) => {
                (select_changes!("resource_id = $4 AND id < $2 ORDER BY id DESC"), id)
            }
        };
        let rows: Vec<ChangeRow> = sqlx::query_as(statement)
            .bind(tenant.0)
            .bind(bound)
            .bind(limit.clamp(0, MAX_LIMIT))
            .bind(resource.map(|resource| resource.0))
            .fetch_all(self.pool())
            .await?;
        rows.into_iter().map(ChangeEntry::try_from).collect()
    }

    /// What the log says of a resource around a moment.
    pub async fn change_bounds(
        &self,
        tenant: TenantId,
        resource: ResourceId,
        at: OffsetDateTime,
    ) -> Result<ChangeBounds, StoreError> {
        let last: Option<ChangeRow> = sqlx::query_as(
            "SELECT id, at, source_id, request_id, operation, resource_kind, resource_id, version, details FROM changes
             WHERE tenant_id = $1 AND resource_id = $2 AND at <= $3 AND operation IN ('create', 'update', 'delete')
             ORDER BY id DESC LIMIT 1",
        )
        .bind(tenant.0)
        .bind(resource.0)
        .bind(at)
        .fetch_optional(self.pool())
        .await?;
        let (first, erased_at) = sqlx::query_as(
            "SELECT min(at), max(at) FILTER (WHERE operation = 'erased') FROM changes
             WHERE tenant_id = $1 AND resource_id = $2 AND resource_kind = 'user'",
        )
        .bind(tenant.0)
        .bind(resource.0)
        .fetch_one(self.pool())
        .await?;
        Ok(ChangeBounds { first, last: last.map(ChangeEntry::try_from).transpose()?, erased_at })
    }

    /// Records an alert by itself.
    pub async fn record_alert(&self, tenant: TenantId, alert: &Alert) -> Result<(), StoreError> {
        record_alert(self.pool(), tenant, alert, self.now()).await
    }
}

/// Records an alert, inside whatever transaction it belongs to.
pub(crate) async fn record_alert(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    alert: &Alert,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(&alert.request_id)
    .bind(Operation::Alert.as_str())
    .bind(alert.kind.as_str())
    .bind(alert.resource.0)
    .bind(alert.version)
    .bind(&alert.details)
    .execute(executor)
    .await?;
    Ok(())
}

/// A change of the set-up: a credential, a client, what a source allows.
pub(crate) struct SetUp<'a> {
    /// What was done. A revocation counts as a deletion.
    pub(crate) operation: Operation,
    /// What it was done to.
    pub(crate) subject: Subject,
    /// Its id.
    pub(crate) id: Uuid,
    /// Who did it, and by which request.
    pub(crate) by: (SetUpBy, &'a str),
    /// What it is now; never a secret or its hash.
    pub(crate) details: Value,
}

/// Records a change of the set-up, inside the transaction that makes it.
pub(crate) async fn record_set_up(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    mut entry: SetUp<'_>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    let (by, request_id) = entry.by;
    if let Some(details) = entry.details.as_object_mut() {
        details.insert("by".to_owned(), by.to_json());
    }
    sqlx::query(
        "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details) \
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
    )
    .bind(tenant.0)
    .bind(now)
    .bind(request_id)
    .bind(entry.operation.as_str())
    .bind(entry.subject.as_str())
    .bind(entry.id)
    .bind(&entry.details)
    .execute(executor)
    .await?;
    Ok(())
}

/// Entries of a resource that are looked through for what a source was told last.
const LOOKED_BACK: i64 = 100;

/// Records what a source wrote of a resource and was not applied, because another source decides it: names of attributes.
/// A client that compares sends the same again and again, so what it was told last is not said once more.
pub(crate) async fn record_withheld(
    executor: impl PgExecutor<'_>,
    actor: &Actor,
    (kind, id, version): (ResourceKind, ResourceId, i64),
    withheld: &[String],
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO changes \
             (tenant_id, at, source_id, request_id, operation, resource_kind, resource_id, version, details) \
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, jsonb_build_object('attributes', '[]'::jsonb, 'withheld', $9::jsonb) \
         WHERE (SELECT last.details -> 'withheld' \
                FROM (SELECT id, source_id, details FROM changes WHERE tenant_id = $1 AND resource_id = $7 \
                      ORDER BY id DESC LIMIT $10) last \
                WHERE last.source_id = $3 AND last.details ? 'withheld' ORDER BY last.id DESC LIMIT 1) \
               IS DISTINCT FROM $9::jsonb",
    )
    .bind(actor.tenant.0)
    .bind(now)
    .bind(actor.source.0)
    .bind(&actor.request_id)
    .bind(Operation::Update.as_str())
    .bind(kind.as_str())
    .bind(id.0)
    .bind(version)
    .bind(Json(withheld))
    .bind(LOOKED_BACK)
    .execute(executor)
    .await?;
    Ok(())
}
