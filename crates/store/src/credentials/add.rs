//! Adding and revoking credentials. Both are kept in the change log, and every process is told.

use super::CredentialKind;
use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::connections::Transaction;
use crate::sources::SetUpBy;
use crate::wake::CREDENTIALS_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{CredentialId, OauthClientId, SourceId, TenantId};
use serde_json::{Value, json};
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many tokens, passwords or trusted issuers of one source may be live at the same time: the old one and the new one.
const MAX_LIVE: i64 = 2;
/// How many secrets, keys or federated identities of one OAuth client may be live at the same time.
const MAX_LIVE_OF_CLIENT: i64 = 5;
/// How many tokens of the REST API one tenant may have live at the same time.
const MAX_LIVE_OF_API: i64 = 50;

/// Whom a new credential speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// The REST API.
    Api,
    /// A source.
    Source(SourceId),
    /// An OAuth client, and so the client's source.
    Client(OauthClientId),
}

/// How a new credential proves itself.
#[derive(Clone, Copy)]
pub enum NewProof<'a> {
    /// By a secret with this SHA-256.
    Secret([u8; 32]),
    /// By a signature that is trusted so.
    Trust(&'a Value),
}

/// A credential to be added.
#[derive(Clone, Copy)]
pub struct NewCredential<'a> {
    /// Whom it speaks for.
    pub owner: Owner,
    /// How it proves itself.
    pub kind: CredentialKind,
    /// The proof.
    pub proof: NewProof<'a>,
    /// What people call it.
    pub label: &'a str,
    /// What it may do; `None` for everything.
    pub scopes: Option<&'a [String]>,
    /// From when on it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// Who adds it, and by which request.
    pub by: (SetUpBy, &'a str),
}

impl fmt::Debug for NewCredential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCredential").field("owner", &self.owner).field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Store {
    /// Adds a credential. [`StoreError::TooManyLive`] when its source or client has enough live ones of the kind already,
    /// [`StoreError::Unknown`] when there is no such source or client.
    pub async fn add_credential(
        &self,
        tenant: TenantId,
        credential: NewCredential<'_>,
    ) -> Result<CredentialId, StoreError> {
        let (id, now) = (CredentialId(self.new_id()), self.now());
        let mut tx = self.pool().begin().await?;
        let (source, client) = match credential.owner {
            Owner::Api => (None, None),
            Owner::Source(source) => (Some(source.0), None),
            Owner::Client(client) => (Some(source_of(&mut tx, tenant, client).await?), Some(client.0)),
        };
        Place { tenant: tenant.0, source, client, kind: credential.kind }.check_room(&mut tx, now).await?;
        let (hash, trust) = match credential.proof {
            NewProof::Secret(hash) => (Some(hash), None),
            NewProof::Trust(trust) => (None, Some(trust)),
        };
        sqlx::query(
            "WITH told AS (SELECT pg_notify($12, '')) \
             INSERT INTO credentials (tenant_id, id, source_id, client_id, kind, label, scopes, secret_hash, trust, \
                                      created_at, expires_at, minted_by) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13 FROM told",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(source)
        .bind(client)
        .bind(credential.kind.as_str())
        .bind(credential.label)
        .bind(credential.scopes)
        .bind(hash.as_ref().map(<[u8; 32]>::as_slice))
        .bind(trust)
        .bind(now)
        .bind(credential.expires_at)
        .bind(CREDENTIALS_CHANNEL)
        .bind(match credential.by.0 {
            SetUpBy::Token(minter) => Some(minter.0),
            SetUpBy::Operator(_) | SetUpBy::CommandLine => None,
        })
        .execute(&mut *tx)
        .await?;
        let by = credential.by;
        let details = json!({
            "kind": credential.kind.as_str(), "label": credential.label, "source": source, "client": client,
            "scopes": credential.scopes,
        });
        let entry = SetUp { operation: Operation::Create, subject: Subject::Credential, id: id.0, by, details };
        record_set_up(&mut *tx, tenant, entry, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Revokes a credential and tells every process; false when there is none, or it was revoked before.
    pub async fn revoke_credential(
        &self,
        tenant: TenantId,
        id: CredentialId,
        by: (SetUpBy, &str),
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.pool().begin().await?;
        let revoked: Option<(String, String)> = sqlx::query_as(
            "WITH revoked AS ( \
                 UPDATE credentials SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL \
                 RETURNING kind, label) \
             SELECT r.kind, r.label FROM revoked r, pg_notify($4, '')",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(now)
        .bind(CREDENTIALS_CHANNEL)
        .fetch_optional(&mut *tx)
        .await?;
        let Some((kind, label)) = revoked else { return Ok(false) };
        let details = json!({ "kind": kind, "label": label });
        let entry = SetUp { operation: Operation::Delete, subject: Subject::Credential, id: id.0, by, details };
        record_set_up(&mut *tx, tenant, entry, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}

/// The source of a client that is not revoked.
async fn source_of(tx: &mut Transaction, tenant: TenantId, client: OauthClientId) -> Result<Uuid, StoreError> {
    let source: Option<Uuid> = sqlx::query_scalar(
        "SELECT source_id FROM oauth_clients WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL",
    )
    .bind(tenant.0)
    .bind(client.0)
    .fetch_optional(&mut **tx)
    .await?;
    source.ok_or(StoreError::Unknown { what: "OAuth client" })
}

/// Where a credential is added.
struct Place {
    tenant: Uuid,
    source: Option<Uuid>,
    client: Option<Uuid>,
    kind: CredentialKind,
}

impl Place {
    async fn check_room(&self, tx: &mut Transaction, now: OffsetDateTime) -> Result<(), StoreError> {
        let (what, limit) = match (self.source, self.client) {
            (None, _) => ("tokens of the REST API", MAX_LIVE_OF_API),
            (Some(_), None) => ("credentials of this kind", MAX_LIVE),
            (Some(_), Some(_)) => ("credentials of this kind", MAX_LIVE_OF_CLIENT),
        };
        lock_owner(tx, self.tenant, self.source).await?;
        let live: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM credentials \
             WHERE tenant_id = $1 AND source_id IS NOT DISTINCT FROM $2 AND client_id IS NOT DISTINCT FROM $3 AND kind = $4 \
               AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $5)",
        )
        .bind(self.tenant)
        .bind(self.source)
        .bind(self.client)
        .bind(self.kind.as_str())
        .bind(now)
        .fetch_one(&mut **tx)
        .await?;
        if live < limit { Ok(()) } else { Err(StoreError::TooManyLive { what, limit }) }
    }
}

/// Locks a source, or a tenant as a whole, so that two additions go one after the other and each counts the other's.
pub(crate) async fn lock_owner(tx: &mut Transaction, tenant: Uuid, source: Option<Uuid>) -> Result<(), StoreError> {
    let (statement, what) = match source {
        Some(_) => ("SELECT 1 FROM sources WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE", "source"),
        None => ("SELECT 1 FROM tenants WHERE id = $1 AND $2::uuid IS NULL FOR NO KEY UPDATE", "tenant"),
    };
    let locked: Option<i32> = sqlx::query_scalar(statement).bind(tenant).bind(source).fetch_optional(&mut **tx).await?;
    locked.map(|_| ()).ok_or(StoreError::Unknown { what })
}
