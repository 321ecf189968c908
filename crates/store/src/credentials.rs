//! Bearer tokens, as hashes.
//!
//! A source may have two live credentials, so that a token can be exchanged without a gap: add the new one, give it
//! to the client, revoke the old one.

use crate::sources::effective;
use crate::wake::CREDENTIALS_CHANNEL;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{CredentialId, SourceId, TenantId};
use rollcall_scim::profile::Profile;
use serde_json::Value;
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many credentials of one source may be live at the same time.
const MAX_LIVE: i64 = 2;

/// A credential to be added.
#[derive(Clone, Copy)]
pub struct NewCredential<'a> {
    /// The source it speaks for; `None` for a token of the REST API.
    pub source: Option<SourceId>,
    /// What people call it.
    pub label: &'a str,
    /// SHA-256 of the secret.
    pub secret_hash: [u8; 32],
    /// From when on it is refused.
    pub expires_at: Option<OffsetDateTime>,
}

impl fmt::Debug for NewCredential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewCredential").field("source", &self.source).finish_non_exhaustive()
    }
}

/// The source that a credential speaks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialSource {
    /// Its id.
    pub id: SourceId,
    /// Its name.
    pub name: String,
    /// What the client does differently from the RFCs.
    pub profile: Profile,
}

/// What authentication needs to know. Whether it is live is for the caller to judge, by its own clock.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose directory it opens.
    pub tenant: TenantId,
    /// Its id.
    pub id: CredentialId,
    /// The source it speaks for; `None` for a token of the REST API.
    pub source: Option<CredentialSource>,
    /// What people call it.
    pub label: String,
    /// SHA-256 of the secret. Never printed.
    pub secret_hash: [u8; 32],
    /// From when on it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// Since when it is refused.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used, to the precision with which uses are reported.
    pub last_used_at: Option<OffsetDateTime>,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").field("tenant", &self.tenant).field("id", &self.id).finish_non_exhaustive()
    }
}

/// A credential as people see it in a list: without its hash.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CredentialEntry {
    /// Its id.
    pub id: CredentialId,
    /// The source it speaks for; `None` for a token of the REST API.
    pub source: Option<SourceId>,
    /// What people call it.
    pub label: String,
    /// When it was made.
    pub created_at: OffsetDateTime,
    /// From when on it is refused.
    pub expires_at: Option<OffsetDateTime>,
    /// Since when it is refused.
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used.
    pub last_used_at: Option<OffsetDateTime>,
}

#[derive(sqlx::FromRow)]
struct CredentialRow {
    source_id: Option<Uuid>,
    source_name: Option<String>,
    source_profile: Option<String>,
    source_overrides: Option<Value>,
    label: String,
    secret_hash: Vec<u8>,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl CredentialRow {
    fn into_credential(self, tenant: TenantId, id: CredentialId) -> Result<Credential, StoreError> {
        let source = match (self.source_id, self.source_name, self.source_profile.zip(self.source_overrides)) {
            (Some(source), Some(name), Some((word, overrides))) => {
                let profile = effective(source, &word, &overrides)?;
                Some(CredentialSource { id: SourceId(source), name, profile })
            }
            (None, ..) => None,
            // The foreign key forbids it.
            _ => return Err(StoreError::corrupt("credentials", "source_id", id.0)),
        };
        let secret_hash = <[u8; 32]>::try_from(self.secret_hash)
            .map_err(|_| StoreError::corrupt("credentials", "secret_hash", id.0))?;
        Ok(Credential {
            tenant,
            id,
            source,
            label: self.label,
            secret_hash,
            expires_at: self.expires_at,
            revoked_at: self.revoked_at,
            last_used_at: self.last_used_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: Uuid,
    source_id: Option<Uuid>,
    label: String,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl From<EntryRow> for CredentialEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            id: CredentialId(row.id),
            source: row.source_id.map(SourceId),
            label: row.label,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        }
    }
}

impl Store {
    /// Adds a credential. [`StoreError::TooManyLive`] when its source has two live ones already,
    /// [`StoreError::Unknown`] when there is no such source.
    pub async fn add_credential(
        &self,
        tenant: TenantId,
        credential: NewCredential<'_>,
    ) -> Result<CredentialId, StoreError> {
        let (id, now) = (CredentialId(self.new_id()), self.now());
        let mut tx = self.pool().begin().await?;
        if let Some(source) = credential.source {
            // The lock on the source makes two additions go one after the other, so that each counts the other's.
            let locked: Option<i32> =
                sqlx::query_scalar("SELECT 1 FROM sources WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE")
                    .bind(tenant.0)
                    .bind(source.0)
                    .fetch_optional(&mut *tx)
                    .await?;
            locked.ok_or(StoreError::Unknown { what: "source" })?;
            let live: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM credentials \
                 WHERE tenant_id = $1 AND source_id = $2 AND revoked_at IS NULL \
                   AND (expires_at IS NULL OR expires_at > $3)",
            )
            .bind(tenant.0)
            .bind(source.0)
            .bind(now)
            .fetch_one(&mut *tx)
            .await?;
            if live >= MAX_LIVE {
                return Err(StoreError::TooManyLive);
            }
        }
        sqlx::query(
            "WITH told AS (SELECT pg_notify($8, '')) \
             INSERT INTO credentials (tenant_id, id, source_id, label, secret_hash, created_at, expires_at) \
             SELECT $1, $2, $3, $4, $5, $6, $7 FROM told",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(credential.source.map(|source| source.0))
        .bind(credential.label)
        .bind(credential.secret_hash.as_slice())
        .bind(now)
        .bind(credential.expires_at)
        .bind(CREDENTIALS_CHANNEL)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A credential with its source, live or not.
    pub async fn credential(&self, tenant: TenantId, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        let row: Option<CredentialRow> = sqlx::query_as(
            "SELECT c.source_id, s.name AS source_name, s.profile AS source_profile, s.overrides AS source_overrides, \
                    c.label, c.secret_hash, \
                    c.expires_at, c.revoked_at, c.last_used_at \
             FROM credentials c LEFT JOIN sources s ON s.tenant_id = c.tenant_id AND s.id = c.source_id \
             WHERE c.tenant_id = $1 AND c.id = $2",
        )
        .bind(tenant.0)
        .bind(id.0)
        .fetch_optional(self.pool())
        .await?;
        row.map(|row| row.into_credential(tenant, id)).transpose()
    }

    /// Revokes a credential and tells every process; false when there is none, or it was revoked before.
    pub async fn revoke_credential(&self, tenant: TenantId, id: CredentialId) -> Result<bool, StoreError> {
        let told: Option<bool> = sqlx::query_scalar(
            "WITH revoked AS ( \
                 UPDATE credentials SET revoked_at = $3 WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL \
                 RETURNING id) \
             SELECT pg_notify($4, '') IS NOT NULL FROM revoked",
        )
        .bind(tenant.0)
        .bind(id.0)
        .bind(self.now())
        .bind(CREDENTIALS_CHANNEL)
        .fetch_optional(self.pool())
        .await?;
        Ok(told.is_some())
    }

    /// Records when credentials were last used, in one statement for all. An older moment never replaces a newer
    /// one.
    pub async fn touch_credentials(&self, uses: &[(TenantId, CredentialId, OffsetDateTime)]) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        let tenants: Vec<Uuid> = uses.iter().map(|(tenant, ..)| tenant.0).collect();
        let ids: Vec<Uuid> = uses.iter().map(|(_, id, _)| id.0).collect();
        let moments: Vec<OffsetDateTime> = uses.iter().map(|(.., at)| *at).collect();
        sqlx::query(
            "UPDATE credentials c SET last_used_at = GREATEST(c.last_used_at, used.at) \
             FROM (SELECT tenant_id, id, max(at) AS at \
                   FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS used (tenant_id, id, at) \
                   GROUP BY tenant_id, id) used \
             WHERE c.tenant_id = used.tenant_id AND c.id = used.id",
        )
        .bind(tenants)
        .bind(ids)
        .bind(moments)
        .execute(self.pool())
        .await?;
        Ok(())
    }

    /// The credentials of a tenant, newest first, also those that are not live any more.
    pub async fn credentials(&self, tenant: TenantId) -> Result<Vec<CredentialEntry>, StoreError> {
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT id, source_id, label, created_at, expires_at, revoked_at, last_used_at \
             FROM credentials WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC",
        )
        .bind(tenant.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(CredentialEntry::from).collect())
    }
}
