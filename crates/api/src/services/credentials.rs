//! The credentials of a tenant: who may come in, by what, until when. A secret is shown once, when it is made.

use crate::auth::scopes::Scopes;
use crate::auth::token::{self, SECRET_BYTES, SecretHash};
use crate::error::ApiError;
use crate::names;
use crate::services::given;
use crate::services::trusts::TrustRequest;
use aws_lc_rs::rand;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, SourceId, TenantId};
use rollcall_scim::error::quoted;
use rollcall_store::credentials::{CredentialEntry, CredentialKind, NewCredential, NewProof, Owner};
use rollcall_store::sources::{SetUpBy, Source};
use rollcall_store::{Store, StoreError};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::{Duration, OffsetDateTime};
use utoipa::ToSchema;
use uuid::Uuid;

/// For how many days a secret is good when nobody says otherwise.
const DAYS: u32 = 365;
/// The most days.
const MOST_DAYS: u32 = 3_650;

/// A credential, without its secret.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CredentialView {
    /// Its id.
    pub id: Uuid,
    /// How it proves itself: `token`, `password`, `client_secret`, `private_key_jwt`, `federation` or `issuer`.
    #[schema(example = "token")]
    pub kind: &'static str,
    /// The id of the source that it speaks for; absent for a token of the REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_id: Option<Uuid>,
    /// The name of that source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The id of the OAuth client that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth_client_id: Option<Uuid>,
    /// What people call it.
    pub label: String,
    /// What it may do; absent for everything, and for the credential of an OAuth client, where the client says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// Whose signature it trusts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub trust: Option<Value>,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// From when on it is refused.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<OffsetDateTime>,
    /// Since when it is refused.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
    /// When it was last used, to half a minute.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<OffsetDateTime>,
}

impl CredentialView {
    fn of(entry: CredentialEntry, sources: &[Source]) -> Self {
        let source = entry.source.and_then(|id| sources.iter().find(|source| source.id == id));
        Self {
            id: entry.id.0,
            kind: entry.kind.as_str(),
            source_id: entry.source.map(|source| source.0),
            source: source.map(|source| source.name.clone()),
            oauth_client_id: entry.client.map(|client| client.0),
            label: entry.label,
            scopes: entry.scopes,
            trust: entry.trust,
            created_at: entry.created_at,
            expires_at: entry.expires_at,
            revoked_at: entry.revoked_at,
            last_used_at: entry.last_used_at,
        }
    }
}

/// A credential to be made.
#[derive(Deserialize, ToSchema, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct CredentialRequest {
    /// How it proves itself: `token`, `password`, `client_secret`, `private_key_jwt`, `federation` or `issuer`.
    #[schema(example = "token")]
    pub kind: String,
    /// The source that it speaks for, for a token, a password or an issuer. A token without a source opens the REST API.
    #[serde(default, deserialize_with = "given::optional_id")]
    pub source_id: Option<Uuid>,
    /// The OAuth client that it belongs to, for every other kind.
    #[serde(default, deserialize_with = "given::optional_id")]
    pub oauth_client_id: Option<Uuid>,
    /// What people call it.
    #[schema(example = "Entra, autumn")]
    pub label: String,
    /// Days until it is refused, 1 to 3,650. Left out: 365 for a secret, never for a trusted signature.
    #[serde(default, deserialize_with = "given::within::<1, MOST_DAYS, _>")]
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u32>,
    /// What it may do, of `users:read`, `users:write`, `groups:read` and `groups:write`; left out: everything. What the
    /// credential of an OAuth client may do is said with the client.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// Whose signature it trusts, for `private_key_jwt`, `federation` and `issuer`.
    #[serde(default)]
    pub trust: Option<TrustRequest>,
}

/// A credential that was made. What is secret of it is shown here and never again.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct CreatedCredential {
    /// Its id.
    pub id: Uuid,
    /// How it proves itself.
    pub kind: &'static str,
    /// From when on it is refused.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<OffsetDateTime>,
    /// The token, to be sent as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The user name of HTTP Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// The password of HTTP Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The `client_id` of the OAuth client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The `client_secret` of the OAuth client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<String>,
}

/// The credentials of a tenant, newest first, also the newest of those that are refused by now.
pub async fn list(store: &Store, tenant: TenantId) -> Result<Vec<CredentialView>, ApiError> {
    let sources = store.sources(tenant).await?;
    let entries = store.credentials(tenant).await?;
    Ok(entries.into_iter().map(|entry| CredentialView::of(entry, &sources)).collect())
}

/// Makes a credential.
///
/// # Errors
/// 400 that names what cannot be used, 409 when there are enough live ones.
pub async fn create(
    store: &Store,
    tenant: TenantId,
    by: (SetUpBy, &str),
    request: CredentialRequest,
    now: OffsetDateTime,
) -> Result<CreatedCredential, ApiError> {
    let kind = CredentialKind::parse(&request.kind)
        .ok_or_else(|| ApiError::parameter("kind", "cannot be that; the OpenAPI document lists its values"))?;
    // Nothing proves that an issuer is this tenant's, and whoever names one first gets its people.
    if kind == CredentialKind::Issuer && !matches!(by.0, SetUpBy::CommandLine) {
        let problem = "cannot be issuer here: a trusted issuer holds for the whole installation, so whoever runs it names \
                       it on its command line (rollcall token trust)";
        return Err(ApiError::parameter("kind", problem));
    }
    let owner = owner(kind, request.source_id, request.oauth_client_id)?;
    let label = names::parse(&request.label)
        .map_err(|problem| ApiError::parameter("label", format!("is refused: {problem}")))?;
    let scopes = request.scopes.as_deref();
    check_scopes(scopes, owner)?;
    let client = match owner {
        Owner::Client(client) => Some(token::client_id(tenant, client)),
        _ => None,
    };
    let new = NewCredential {
        owner,
        kind,
        proof: NewProof::Secret([0; 32]),
        label: &label,
        scopes,
        expires_at: expiry(request.days, request.trust.is_some(), now)?,
        by,
    };
    if matches!(kind, CredentialKind::Token | CredentialKind::Password | CredentialKind::ClientSecret) {
        if request.trust.is_some() {
            return Err(ApiError::parameter("trust", "has no meaning for this kind of credential"));
        }
        return with_secret(store, tenant, new, client).await;
    }
    let trust = request.trust.ok_or_else(|| ApiError::parameter("trust", "must be given"))?;
    let trust = trust.resolve(kind, client.as_deref())?;
    let trust = serde_json::to_value(trust).unwrap_or_default();
    let id = add(store, tenant, NewCredential { proof: NewProof::Trust(&trust), ..new }).await?;
    Ok(CreatedCredential { client_id: client, ..created(id, &new) })
}

/// Refuses a credential from now on; false when there is none, or it was refused before.
pub async fn revoke(store: &Store, tenant: TenantId, by: (SetUpBy, &str), id: CredentialId) -> Result<bool, ApiError> {
    Ok(store.revoke_credential(tenant, id, by).await?)
}

/// Reads a list of rights.
///
/// # Errors
/// 400 that names a word that is no right, and for an empty list.
pub fn check_scopes(scopes: Option<&[String]>, owner: Owner) -> Result<(), ApiError> {
    let Some(scopes) = scopes else { return Ok(()) };
    let refuse = |problem: String| Err(ApiError::parameter("scopes", problem));
    match owner {
        Owner::Source(_) => {}
        Owner::Api => return refuse("have no meaning for a token of the REST API".to_owned()),
        Owner::Client(_) => return refuse("are those of the OAuth client, not of what it proves itself by".to_owned()),
    }
    match Scopes::parse(scopes.iter().map(String::as_str)) {
        Ok(scopes) if scopes.is_empty() => refuse("must not be empty; leave them out for everything".to_owned()),
        Ok(_) => Ok(()),
        Err(word) => refuse(format!("hold {}; there are {}", quoted(&word), Scopes::ALL)),
    }
}

fn owner(kind: CredentialKind, source: Option<Uuid>, client: Option<Uuid>) -> Result<Owner, ApiError> {
    let of_client =
        matches!(kind, CredentialKind::ClientSecret | CredentialKind::PrivateKeyJwt | CredentialKind::Federation);
    match (source, client) {
        (None, Some(client)) if of_client => Ok(Owner::Client(OauthClientId(client))),
        (Some(source), None) if !of_client => Ok(Owner::Source(SourceId(source))),
        (None, None) if kind == CredentialKind::Token => Ok(Owner::Api),
        _ if of_client => Err(ApiError::parameter("oauth_client_id", "must be given, and no source_id, for this kind")),
        _ => Err(ApiError::parameter("source_id", "must be given, and no oauth_client_id, for this kind")),
    }
}

fn expiry(days: Option<u32>, trusts: bool, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, ApiError> {
    let Some(days) = days.or((!trusts).then_some(DAYS)) else { return Ok(None) };
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(ApiError::parameter("days", format!("must be a number from 1 to {MOST_DAYS}")));
    }
    Ok(Some(now + Duration::days(i64::from(days))))
}

async fn with_secret(
    store: &Store,
    tenant: TenantId,
    new: NewCredential<'_>,
    client: Option<String>,
) -> Result<CreatedCredential, ApiError> {
    let mut secret = [0; SECRET_BYTES];
    rand::fill(&mut secret).map_err(|_| ApiError::NoRandomness)?;
    let proof = NewProof::Secret(*SecretHash::of(&secret).as_bytes());
    let id = add(store, tenant, NewCredential { proof, ..new }).await?;
    let shown = |text: SecretString| Some(text.expose_secret().to_owned());
    let mut made = created(id, &new);
    match new.kind {
        CredentialKind::Password => {
            let (name, password) = token::mint_password(tenant, id, &secret);
            (made.user_name, made.password) = (Some(name), shown(password));
        }
        CredentialKind::ClientSecret => {
            (made.client_id, made.client_secret) = (client, shown(token::mint_client_secret(id, &secret)));
        }
        _ => made.token = shown(token::mint(tenant, id, &secret)),
    }
    Ok(made)
}

fn created(id: CredentialId, new: &NewCredential<'_>) -> CreatedCredential {
    CreatedCredential {
        id: id.0,
        kind: new.kind.as_str(),
        expires_at: new.expires_at,
        token: None,
        user_name: None,
        password: None,
        client_id: None,
        client_secret: None,
    }
}

async fn add(store: &Store, tenant: TenantId, new: NewCredential<'_>) -> Result<CredentialId, ApiError> {
    store.add_credential(tenant, new).await.map_err(|error| match (error, new.owner) {
        (StoreError::Unknown { .. }, Owner::Client(client)) => ApiError::parameter(
            "oauth_client_id",
            format!("is {client}, which is no OAuth client of the tenant, or a revoked one"),
        ),
        (StoreError::Unknown { .. }, Owner::Source(source)) => no_such_source(source),
        (error, _) => error.into(),
    })
}

/// What is said of a `source_id` that names no source.
pub(super) fn no_such_source(source: SourceId) -> ApiError {
    ApiError::parameter("source_id", format!("is {source}, which is no source of the tenant"))
}
