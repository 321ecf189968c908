//! Ways in: tokens, passwords, secrets of OAuth clients as hashes; and whose signatures are trusted.
//!
//! A source may have two live tokens, so that one can be exchanged without a gap: add the new one, give it to the client,
//! revoke the old one. Passwords and the secrets of OAuth clients go the same way.

pub mod access;
mod add;
mod assertions;
pub mod clients;

pub(crate) use add::lock_owner;
pub use add::{NewCredential, NewProof, Owner};

use crate::sources::effective;
use crate::{Store, StoreError};
use access::SourceAccess;
use clients::CredentialClient;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, SourceId, TenantId};
use rollcall_scim::profile::Profile;
use serde_json::Value;
use std::fmt;
use time::OffsetDateTime;
use uuid::Uuid;

/// How many credentials, and how many OAuth clients, that are refused by now are listed. The live ones are bounded each by
/// its own limit.
pub const LISTED_DEAD: i64 = 200;

/// How a credential proves itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CredentialKind {
    /// A bearer token (RFC 6750).
    Token,
    /// User name and password of HTTP Basic (RFC 7617).
    Password,
    /// A secret of an OAuth client (RFC 6749 §2.3.1).
    ClientSecret,
    /// Keys with which an OAuth client signs assertions of its own (RFC 7523 §2.2).
    PrivateKeyJwt,
    /// An identity for which somebody else signs assertions of an OAuth client, as Entra does for its workloads.
    Federation,
    /// An issuer whose tokens are taken as they are.
    Issuer,
}

impl CredentialKind {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Token, Self::Password, Self::ClientSecret, Self::PrivateKeyJwt, Self::Federation, Self::Issuer];

    /// The word used in tables, JSON and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Password => "password",
            Self::ClientSecret => "client_secret",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::Federation => "federation",
            Self::Issuer => "issuer",
        }
    }

    /// The kind behind a word written by [`Self::as_str`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
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
    /// From where, how fast, and whether with HTTP Basic it may call.
    pub access: SourceAccess,
}

/// What authentication needs to know. Whether it is live is for the caller to judge, by its own clock.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose directory it opens.
    pub tenant: TenantId,
    /// Its id.
    pub id: CredentialId,
    /// How it proves itself.
    pub kind: CredentialKind,
    /// The source it speaks for; `None` for a token of the REST API.
    pub source: Option<CredentialSource>,
    /// The OAuth client that it belongs to.
    pub client: Option<CredentialClient>,
    /// What people call it.
    pub label: String,
    /// What it may do; `None` for everything.
    pub scopes: Option<Vec<String>>,
    /// SHA-256 of the secret, where there is one. Never printed.
    pub secret_hash: Option<[u8; 32]>,
    /// Whose signature it trusts, where there is no secret.
    pub trust: Option<Value>,
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
    /// How it proves itself.
    pub kind: CredentialKind,
    /// The source it speaks for; `None` for a token of the REST API.
    pub source: Option<SourceId>,
    /// The OAuth client that it belongs to.
    pub client: Option<OauthClientId>,
    /// What people call it.
    pub label: String,
    /// What it may do; `None` for everything.
    pub scopes: Option<Vec<String>>,
    /// Whose signature it trusts, where there is no secret.
    pub trust: Option<Value>,
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
    tenant_id: Uuid,
    id: Uuid,
    kind: String,
    source_id: Option<Uuid>,
    source_name: Option<String>,
    source_profile: Option<String>,
    source_overrides: Option<Value>,
    basic_allowed: Option<bool>,
    allowed_networks: Option<Vec<String>>,
    requests_per_second: Option<i32>,
    request_burst: Option<i32>,
    client_id: Option<Uuid>,
    client_scopes: Option<Vec<String>>,
    client_token_seconds: Option<i32>,
    client_revoked_at: Option<OffsetDateTime>,
    label: String,
    scopes: Option<Vec<String>>,
    secret_hash: Option<Vec<u8>>,
    trust: Option<Value>,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl TryFrom<CredentialRow> for Credential {
    type Error = StoreError;

    fn try_from(row: CredentialRow) -> Result<Self, StoreError> {
        let corrupt = |column| StoreError::corrupt("credentials", column, row.id);
        let access = SourceAccess {
            basic_allowed: row.basic_allowed.unwrap_or_default(),
            allowed_networks: row.allowed_networks.unwrap_or_default(),
            requests_per_second: row.requests_per_second,
            request_burst: row.request_burst,
        };
        let source = match (row.source_id, row.source_name, row.source_profile.zip(row.source_overrides)) {
            (Some(source), Some(name), Some((word, overrides))) => Some(CredentialSource {
                id: SourceId(source),
                name,
                profile: effective(source, &word, &overrides)?,
                access,
            }),
            (None, ..) => None,
            // The foreign key forbids it.
            _ => return Err(corrupt("source_id")),
        };
        let client = match (row.client_id, row.client_token_seconds) {
            (Some(id), Some(token_seconds)) => Some(CredentialClient {
                id: OauthClientId(id),
                scopes: row.client_scopes,
                token_seconds,
                revoked_at: row.client_revoked_at,
            }),
            (None, _) => None,
            _ => return Err(corrupt("client_id")),
        };
        let secret_hash = row.secret_hash.map(<[u8; 32]>::try_from).transpose().map_err(|_| corrupt("secret_hash"))?;
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            id: CredentialId(row.id),
            kind: CredentialKind::parse(&row.kind).ok_or_else(|| corrupt("kind"))?,
            source,
            client,
            label: row.label,
            scopes: row.scopes,
            secret_hash,
            trust: row.trust,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        })
    }
}

#[derive(sqlx::FromRow)]
struct EntryRow {
    id: Uuid,
    kind: String,
    source_id: Option<Uuid>,
    client_id: Option<Uuid>,
    label: String,
    scopes: Option<Vec<String>>,
    trust: Option<Value>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl TryFrom<EntryRow> for CredentialEntry {
    type Error = StoreError;

    fn try_from(row: EntryRow) -> Result<Self, StoreError> {
        let kind = CredentialKind::parse(&row.kind);
        Ok(Self {
            id: CredentialId(row.id),
            kind: kind.ok_or_else(|| StoreError::corrupt("credentials", "kind", row.id))?,
            source: row.source_id.map(SourceId),
            client: row.client_id.map(OauthClientId),
            label: row.label,
            scopes: row.scopes,
            trust: row.trust,
            created_at: row.created_at,
            expires_at: row.expires_at,
            revoked_at: row.revoked_at,
            last_used_at: row.last_used_at,
        })
    }
}

macro_rules! select_credentials {
    ($condition:literal) => {
        concat!(
            "SELECT c.tenant_id, c.id, c.kind, c.source_id, s.name AS source_name, s.profile AS source_profile, ",
            "s.overrides AS source_overrides, ",
            "s.basic_allowed, s.allowed_networks, s.requests_per_second, s.request_burst, ",
            "c.client_id, o.scopes AS client_scopes, o.token_seconds AS client_token_seconds, ",
            "o.revoked_at AS client_revoked_at, c.label, c.scopes, c.secret_hash, c.trust, ",
            "c.expires_at, c.revoked_at, c.last_used_at ",
            "FROM credentials c ",
            "LEFT JOIN sources s ON s.tenant_id = c.tenant_id AND s.id = c.source_id ",
            "LEFT JOIN oauth_clients o ON o.tenant_id = c.tenant_id AND o.id = c.client_id ",
            "WHERE ",
            $condition
        )
    };
}

impl Store {
    /// A credential with its source and its OAuth client, live or not.
    pub async fn credential(&self, tenant: TenantId, id: CredentialId) -> Result<Option<Credential>, StoreError> {
        let row: Option<CredentialRow> = sqlx::query_as(select_credentials!("c.tenant_id = $1 AND c.id = $2"))
            .bind(tenant.0)
            .bind(id.0)
            .fetch_optional(self.pool())
            .await?;
        row.map(Credential::try_from).transpose()
    }

    /// Which tokens made a credential: the one that made it, the one that made that, and so on.
    pub async fn makers(&self, tenant: TenantId, id: CredentialId) -> Result<Vec<(CredentialId, String)>, StoreError> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "WITH RECURSIVE maker AS ( \
                 SELECT m.id, m.label, m.minted_by FROM credentials c \
                 JOIN credentials m ON m.tenant_id = $1 AND m.id = c.minted_by WHERE c.tenant_id = $1 AND c.id = $2 \
                 UNION \
                 SELECT m.id, m.label, m.minted_by FROM maker \
                 JOIN credentials m ON m.tenant_id = $1 AND m.id = maker.minted_by) \
             SELECT id, label FROM maker",
        )
        .bind(tenant.0)
        .bind(id.0)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(|(id, label)| (CredentialId(id), label)).collect())
    }

    /// The live credentials of an OAuth client that trust a signature, the oldest first.
    pub async fn client_trusts(&self, tenant: TenantId, client: OauthClientId) -> Result<Vec<Credential>, StoreError> {
        let rows: Vec<CredentialRow> = sqlx::query_as(select_credentials!(
            "c.tenant_id = $1 AND c.client_id = $2 AND c.trust IS NOT NULL AND c.revoked_at IS NULL \
             AND (c.expires_at IS NULL OR c.expires_at > $3) ORDER BY c.created_at, c.id LIMIT 10"
        ))
        .bind(tenant.0)
        .bind(client.0)
        .bind(self.now())
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(Credential::try_from).collect()
    }

    /// The credential that trusts tokens of this issuer for this audience as they are. The one look-up without a tenant:
    /// such a token names none of ours.
    pub async fn trusted_issuer(&self, issuer: &str, audience: &str) -> Result<Option<Credential>, StoreError> {
        let row: Option<CredentialRow> = sqlx::query_as(select_credentials!(
            "c.kind = 'issuer' AND c.revoked_at IS NULL AND c.trust ->> 'issuer' = $1 AND c.trust ->> 'audience' = $2"
        ))
        .bind(issuer)
        .bind(audience)
        .fetch_optional(self.pool())
        .await?;
        row.map(Credential::try_from).transpose()
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

    /// The credentials of a tenant, newest first: every live one, and of those that are refused by now the newest
    /// [`LISTED_DEAD`]. The change log knows of all.
    pub async fn credentials(&self, tenant: TenantId) -> Result<Vec<CredentialEntry>, StoreError> {
        let rows: Vec<EntryRow> = sqlx::query_as(
            "SELECT id, kind, source_id, client_id, label, scopes, trust, created_at, expires_at, revoked_at, \
                    last_used_at \
             FROM credentials \
             WHERE tenant_id = $1 AND (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) OR id IN ( \
                 SELECT id FROM credentials \
                 WHERE tenant_id = $1 AND (revoked_at IS NOT NULL OR expires_at <= $2) \
                 ORDER BY created_at DESC, id DESC LIMIT $3)) \
             ORDER BY created_at DESC, id DESC",
        )
        .bind(tenant.0)
        .bind(self.now())
        .bind(LISTED_DEAD)
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(CredentialEntry::try_from).collect()
    }
}
