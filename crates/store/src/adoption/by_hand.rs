//! Links that a person makes by hand: this account is this person's.
//!
//! Like every first link it changes nothing: the account is read in full, and whatever differs is held until a plan permits
//! it. Whoever is linked already is not taken away from anybody here; that link is broken first ([`super::breaking`]).

use super::linking::Linking;
use crate::{Store, StoreError};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// A link to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewLink<'a> {
    /// The person.
    pub person: ResourceId,
    /// The account.
    pub remote_id: &'a str,
    /// Whether somebody has just seen the account at the target; if not, the newest finished scan must have found it.
    pub seen: bool,
    /// Why it is theirs.
    pub reason: &'a str,
    /// Who says so.
    pub by: &'a str,
}

/// Why a link is not made or broken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no such target.
    #[error("there is no such target")]
    NoTarget,
    /// There is no such person, or they were deleted.
    #[error("there is no such person")]
    NoPerson,
    /// The resource has no link.
    #[error("it is linked to nothing")]
    NotLinked,
    /// The person has left.
    #[error("the person is not active")]
    Inactive,
    /// The person has an account already.
    #[error("the person is linked to the account {0}")]
    PersonLinked(String),
    /// What the target has of the person cannot be told now: a creation is in doubt.
    #[error("what the target has of it is in doubt")]
    InDoubt,
    /// The person was invited and has not accepted.
    #[error("the person was invited and has not accepted")]
    Invited,
    /// The person is an external contact.
    #[error("the person is an external contact")]
    Contact,
    /// The account is somebody else's.
    #[error("the account is that of {name} ({resource})")]
    AccountLinked {
        /// Whose.
        resource: ResourceId,
        /// Their userName, as far as it is known.
        name: String,
    },
    /// The person or the account is not to be touched.
    #[error("it is marked as {kind}: {reason} ({made_by})")]
    Marked {
        /// As what.
        kind: String,
        /// Why.
        reason: String,
        /// By whom.
        made_by: String,
    },
    /// No finished scan has found the account, and nobody has looked.
    #[error("the account is not known")]
    UnknownAccount,
    /// Roles and chats are found by their names.
    #[error("a group is found by its name")]
    ByName,
    /// Nothing was ever scanned to the end.
    #[error("no scan is finished")]
    NoScan,
    /// A scan is finding out who is who.
    #[error("a scan is under way")]
    UnderWay,
    /// A worker is at it.
    #[error("a worker is at it")]
    Busy,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for LinkError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

#[derive(FromRow)]
struct PersonRow {
    active: bool,
    observed: Option<String>,
    remote_id: Option<String>,
    invited: bool,
    contact: bool,
}

#[derive(FromRow)]
struct MarkRow {
    kind: String,
    reason: String,
    made_by: String,
}

impl Store {
    /// Links a person to an account that was there before.
    ///
    /// # Errors
    /// Whatever stands in the way; nothing is changed then.
    pub async fn create_link(&self, tenant: TenantId, target: TargetId, new: &NewLink<'_>) -> Result<(), LinkError> {
        let mut tx = self.pool().begin().await?;
        only_one(&mut tx, tenant, target).await?;
        not_correlating(&mut tx, tenant, target).await?;
        check_person(&mut tx, tenant, target, new.person).await?;
        check_account(&mut tx, tenant, target, new).await?;
        let pairs = [(new.person.0, new.remote_id.to_owned())];
        match self.link_pairs(&mut tx, (tenant.0, target.0), &pairs).await? {
            Linking { linked: 1, .. } => {}
            _ => return Err(LinkError::Busy),
        }
        sqlx::query(
            "WITH alone AS (
                 DELETE FROM candidates
                 WHERE tenant_id = $1 AND target_id = $2
                   AND (resource_id = $3 AND remote_id IS NULL OR remote_id = $4 AND resource_id IS NULL))
             UPDATE candidates SET decision = 'accepted', superseded = false, decided_by = $5, decided_at = $6
             WHERE tenant_id = $1 AND target_id = $2 AND resource_id = $3 AND remote_id = $4",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(new.person.0)
        .bind(new.remote_id)
        .bind(new.by)
        .bind(self.now())
        .execute(&mut *tx)
        .await?;
        self.supersede(&mut tx, (tenant, target), &pairs, new.by).await?;
        sqlx::query(
            "INSERT INTO changes (tenant_id, at, request_id, operation, resource_kind, resource_id, version, details)
             VALUES ($1, $3, '', 'linked', 'user', $4, 0,
                     jsonb_build_object('target', $2::uuid, 'remote_id', $5::text, 'reason', $6::text, 'by', $7::text))",
        )
        .bind(tenant.0)
        .bind(target.0)
        .bind(self.now())
        .bind(new.person.0)
        .bind(new.remote_id)
        .bind(new.reason)
        .bind(new.by)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.signal.dirty();
        Ok(())
    }
}

/// One person at a time makes or breaks links of a target.
pub(super) async fn only_one(tx: &mut PgConnection, tenant: TenantId, target: TargetId) -> Result<(), LinkError> {
    let there: Option<Uuid> =
        sqlx::query_scalar("SELECT id FROM targets WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE")
            .bind(tenant.0)
            .bind(target.0)
            .fetch_optional(tx)
            .await?;
    there.map(drop).ok_or(LinkError::NoTarget)
}

/// What a scan that has begun to compare would make of it, it has decided already.
pub(super) async fn not_correlating(
    tx: &mut PgConnection,
    tenant: TenantId,
    target: TargetId,
) -> Result<(), LinkError> {
    let under_way: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM scans WHERE tenant_id = $1 AND target_id = $2 AND state IN ('correlating', 'linking'))",
    )
    .bind(tenant.0)
    .bind(target.0)
    .fetch_one(tx)
    .await?;
    if under_way { Err(LinkError::UnderWay) } else { Ok(()) }
}

async fn check_person(
    tx: &mut PgConnection,
    tenant: TenantId,
    target: TargetId,
    person: ResourceId,
) -> Result<(), LinkError> {
    let row: Option<PersonRow> = sqlx::query_as(
        "SELECT u.active, l.observed, l.remote_id, l.invited_at IS NOT NULL AS invited,
                COALESCE(l.snapshot ->> 'account_kind' = 'contact', false) AS contact
         FROM users u
         LEFT JOIN links l ON l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.resource_id = u.id
         WHERE u.tenant_id = $1 AND u.id = $3 AND u.deleted_at IS NULL",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(person.0)
    .fetch_optional(tx)
    .await?;
    let row = row.ok_or(LinkError::NoPerson)?;
    match (row.remote_id, row.observed.as_deref()) {
        (Some(_), _) if row.contact => Err(LinkError::Contact),
        (Some(remote_id), _) => Err(LinkError::PersonLinked(remote_id)),
        (None, _) if row.invited => Err(LinkError::Invited),
        (None, Some("unknown")) => Err(LinkError::InDoubt),
        _ if !row.active => Err(LinkError::Inactive),
        _ => Ok(()),
    }
}

async fn check_account(
    tx: &mut PgConnection,
    tenant: TenantId,
    target: TargetId,
    new: &NewLink<'_>,
) -> Result<(), LinkError> {
    let holder: Option<(Uuid, Option<String>)> = sqlx::query_as(
        "SELECT l.resource_id, u.attributes ->> 'userName' FROM links l
         LEFT JOIN users u ON u.tenant_id = $1 AND u.id = l.resource_id
         WHERE l.tenant_id = $1 AND l.target_id = $2 AND l.resource_kind = 'user' AND l.remote_id = $3",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(new.remote_id)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some((resource, name)) = holder {
        let name = name.unwrap_or_else(|| "somebody who was deleted".to_owned());
        return Err(LinkError::AccountLinked { resource: ResourceId(resource), name });
    }
    let mark: Option<MarkRow> = sqlx::query_as(
        "SELECT kind, reason, made_by FROM marks
         WHERE tenant_id = $1 AND target_id = $2 AND lifted_at IS NULL AND kind IN ('protected', 'do_not_touch')
           AND (entity_kind = $3 AND remote_id = $4 OR resource_id = $5)
         ORDER BY kind DESC LIMIT 1",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(EntityKind::Account.as_str())
    .bind(new.remote_id)
    .bind(new.person.0)
    .fetch_optional(&mut *tx)
    .await?;
    if let Some(MarkRow { kind, reason, made_by }) = mark {
        return Err(LinkError::Marked { kind, reason, made_by });
    }
    let found: bool = sqlx::query_scalar(
        "SELECT $4 OR EXISTS (
             SELECT 1 FROM scanned_accounts a
             WHERE a.tenant_id = $1 AND a.target_id = $2 AND a.remote_id = $3
               AND a.scan_id = (SELECT s.id FROM scans s WHERE s.tenant_id = $1 AND s.target_id = $2 AND s.state = 'done'
                                ORDER BY s.requested_at DESC, s.id DESC LIMIT 1))",
    )
    .bind(tenant.0)
    .bind(target.0)
    .bind(new.remote_id)
    .bind(new.seen)
    .fetch_one(tx)
    .await?;
    if found { Ok(()) } else { Err(LinkError::UnknownAccount) }
}
