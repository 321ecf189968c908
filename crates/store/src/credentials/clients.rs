//! OAuth 2.0 clients of a source (RFC 6749 §2): who may fetch access tokens. What they prove it with are credentials.

use super::LISTED_DEAD;
use super::add::lock_owner;
use crate::changes::{Operation, SetUp, Subject, record_set_up};
use crate::sources::SetUpBy;
use crate::wake::CREDENTIALS_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{OauthClientId, SourceId, TenantId};
use serde_json::json;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many clients of one source may be in use at the same time.
const MAX_LIVE: i64 = 20;

/// What authentication needs to know of the client that a credential belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialClient {
    /// Its id.
    pub id: OauthClientId,
    /// What it may do; `None` for everything.
    pub scopes: Option<Vec<String>>,
    /// How long its access tokens live, in seconds.
    pub token_seconds: i32,
    /// Since when it is refused.
    pub revoked_at: Option<OffsetDateTime>,
}

/// A client as people see it in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OauthClient {
    /// Its id.
    pub id: OauthClientId,
    /// The source that it speaks for.
    pub source: SourceId,
    /// What people call it.
    pub label: String,
    /// What it may do; `None` for everything.
    pub scopes: Option<Vec<String>>,
    /// How long its access tokens live, in seconds.
    pub token_seconds: i32,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// Since when it is refused.
    pub revoked_at: Option<OffsetDateTime>,
}

/// A client to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewOauthClient<'a> {
    /// The source that it speaks for.
    pub source: SourceId,
    /// What people call it.
    pub label: &'a str,
    /// What it may do; `None` for everything.
    pub scopes: Option<&'a [String]>,
    /// How long its access tokens live, in seconds: 3,600 to 21,600.
    pub token_seconds: i32,
    /// Who adds it, and by which request.
    pub by: (SetUpBy, &'a str),
}

#[derive(sqlx::FromRow)]
struct ClientRow {
    id: Uuid,
    source_id: Uuid,
    label: String,
    scopes: Option<Vec<String>>,
    token_seconds: i32,
    created_at: OffsetDateTime,
    revoked_at: Option<OffsetDateTime>,
}

impl From<ClientRow> for OauthClient {
    fn from(row: ClientRow) -> Self {
        Self {
            id: OauthClientId(row.id),
            source: SourceId(row.source_id),
            label: row.label,
            scopes: row.scopes,
            token_seconds: row.token_seconds,
            created_at: row.created_at,
            revoked_at: row.revoked_at,
        }
    }
}

impl Store {
    /// Adds a client. [`StoreError::Unknown`] when there is no such source, [`StoreError::TooManyLive`] when it has enough
    /// already.
    pub async fn add_oauth_client(
        &self,
        tenant: TenantId,
        client: NewOauthClient<'_>,
    ) -> Result<OauthClientId, StoreError> {
        let (id, now) = (OauthClientId(self.new_id()), self.now());
        let mut tx = self.pool().begin().await?;
        lock_owner(&mut tx, tenant.0, Some(client.source.0)).await?;
        let live: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM oauth_clients WHERE tenant_id = $1 AND source_id = $2 AND revoked_at IS NULL",
        )
        .bind(tenant.0)
        .bind(client.source.0)
        .fetch_one(&mut *tx)
        .await?;
        if live >= MAX_LIVE {
            return Err(StoreError::TooManyLive { what: "OAuth clients of this source", limit: MAX_LIVE });
        }
        sqlx::query(
            "INSERT INTO oauth_clients (tenant_id, id, source_id, label, scopes, token_seconds, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(client.source.0)
        .bind(client.label)
        .bind(client.scopes)
        .bind(client.token_seconds)
        .bind(now)
        .execute(&mut *tx)
        .await?;
        let by = client.by;
        let details = json!({
            "label": client.label, "source": client.source.0, "scopes": client.scopes,
            "token_seconds": client.token_seconds,
        });
        let entry = SetUp { operation: Operation::Create, subject: Subject::OauthClient, id: id.0, by, details };
        record_set_up(&mut *tx, tenant, entry, now).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The clients of a tenant, newest first: every one that is not revoked, and of the revoked ones the newest
    /// [`LISTED_DEAD`].
    pub async fn oauth_clients(&self, tenant: TenantId) -> Result<Vec<OauthClient>, StoreError> {
        let rows: Vec<ClientRow> = sqlx::query_as(
            "SELECT id, source_id, label, scopes, token_seconds, created_at, revoked_at \
             FROM oauth_clients WHERE tenant_id = $1 AND (revoked_at IS NULL OR id IN ( \
                 SELECT id FROM oauth_clients WHERE tenant_id = $1 AND revoked_at IS NOT NULL \
                 ORDER BY created_at DESC, id DESC LIMIT $2)) \
             ORDER BY created_at DESC, id DESC",
        )
        .bind(tenant.0)
        .bind(LISTED_DEAD)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(OauthClient::from).collect())
    }

    /// Revokes a client with all its credentials and access tokens, and tells every process; false when there is none, or
    /// it was revoked before.
    pub async fn revoke_oauth_client(
        &self,
        tenant: TenantId,
        id: OauthClientId,
        by: (SetUpBy, &str),
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.pool().begin().await?;
        let label: Option<String> = sqlx::query_scalar(
            "WITH revoked AS ( \
                 UPDATE oauth_clients SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL \
                 RETURNING label), \
             proofs AS ( \
                 UPDATE credentials c SET revoked_at = $3 FROM revoked \
                 WHERE c.tenant_id = $1 AND c.client_id = $2 AND c.revoked_at IS NULL) \
             SELECT r.label FROM revoked r, pg_notify($4, '')",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(now)
        .bind(CREDENTIALS_CHANNEL)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(label) = label else { return Ok(false) };
        let details = json!({ "label": label });
        let entry = SetUp { operation: Operation::Delete, subject: Subject::OauthClient, id: id.0, by, details };
        record_set_up(&mut *tx, tenant, entry, now).await?;
        tx.commit().await?;
        Ok(true)
    }
}
