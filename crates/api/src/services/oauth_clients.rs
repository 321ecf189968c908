//! The OAuth clients of a tenant: who may fetch access tokens for which source.

use crate::auth::token;
use crate::error::ApiError;
use crate::names;
use crate::services::credentials::{check_scopes, no_such_source};
use crate::services::given;
use rollcall_provisioning::ids::{OauthClientId, SourceId, TenantId};
use rollcall_store::credentials::Owner;
use rollcall_store::credentials::clients::NewOauthClient;
use rollcall_store::sources::SetUpBy;
use rollcall_store::{Store, StoreError};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;
use uuid::Uuid;

/// How long access tokens live when nobody says otherwise, in minutes. Entra wants one to six hours.
const TOKEN_MINUTES: u32 = 120;
/// The shortest and the longest life.
const LIVES: std::ops::RangeInclusive<u32> = 60..=360;

/// An OAuth client.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct OauthClientView {
    /// Its id.
    pub id: Uuid,
    /// What it sends as `client_id`.
    #[schema(example = "rcc_AaqJ8gAAcACAAAAAAAAAAQGqifIAAHAAgAAAAAAAAAI")]
    pub client_id: String,
    /// The id of the source that it speaks for.
    pub source_id: Uuid,
    /// The name of that source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What people call it.
    pub label: String,
    /// What it may do; absent for everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
    /// How long its access tokens live, in minutes.
    pub token_minutes: u32,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Since when it is refused.
    #[serde(with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<OffsetDateTime>,
}

/// An OAuth client to be made.
#[derive(Deserialize, ToSchema, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct OauthClientRequest {
    /// The source that it speaks for.
    #[serde(deserialize_with = "given::id")]
    pub source_id: Uuid,
    /// What people call it.
    #[schema(example = "Entra")]
    pub label: String,
    /// What it may do, of `users:read`, `users:write`, `groups:read` and `groups:write`; left out: everything.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    /// How long its access tokens live, in minutes, 60 to 360; left out: 120.
    #[serde(default, deserialize_with = "given::within::<60, 360, _>")]
    #[schema(minimum = 60, maximum = 360)]
    pub token_minutes: Option<u32>,
}

/// The clients of a tenant, newest first, also the newest of the revoked ones.
pub async fn list(store: &Store, tenant: TenantId) -> Result<Vec<OauthClientView>, ApiError> {
    let sources = store.sources(tenant).await?;
    let clients = store.oauth_clients(tenant).await?;
    let view = |client: rollcall_store::credentials::clients::OauthClient| OauthClientView {
        id: client.id.0,
        client_id: token::client_id(tenant, client.id),
        source_id: client.source.0,
        source: sources.iter().find(|source| source.id == client.source).map(|source| source.name.clone()),
        label: client.label,
        scopes: client.scopes,
        token_minutes: u32::try_from(client.token_seconds / 60).unwrap_or_default(),
        created_at: client.created_at,
        revoked_at: client.revoked_at,
    };
    Ok(clients.into_iter().map(view).collect())
}

/// Makes a client. It can do nothing before it has a credential.
///
/// # Errors
/// 400 that names what cannot be used, 409 when the source has enough clients.
pub async fn create(
    store: &Store,
    tenant: TenantId,
    by: (SetUpBy, &str),
    request: &OauthClientRequest,
) -> Result<OauthClientView, ApiError> {
    let label = names::parse(&request.label)
        .map_err(|problem| ApiError::parameter("label", format!("is refused: {problem}")))?;
    let source = SourceId(request.source_id);
    check_scopes(request.scopes.as_deref(), Owner::Source(source))?;
    let minutes = request.token_minutes.unwrap_or(TOKEN_MINUTES);
    if !LIVES.contains(&minutes) {
        let problem = format!("must be a number from {} to {}", LIVES.start(), LIVES.end());
        return Err(ApiError::parameter("token_minutes", problem));
    }
    let token_seconds = i32::try_from(minutes * 60).unwrap_or(i32::MAX);
    let new = NewOauthClient { source, label: &label, scopes: request.scopes.as_deref(), token_seconds, by };
    let id = store.add_oauth_client(tenant, new).await.map_err(|error| match error {
        StoreError::Unknown { .. } => no_such_source(source),
        error => error.into(),
    })?;
    let made = list(store, tenant).await?.into_iter().find(|client| client.id == id.0);
    made.ok_or_else(|| ApiError::NotFound { what: format!("the OAuth client {id}") })
}

/// Refuses a client with all its credentials and access tokens from now on; false when there is none, or it was refused
/// before.
pub async fn revoke(store: &Store, tenant: TenantId, by: (SetUpBy, &str), id: OauthClientId) -> Result<bool, ApiError> {
    Ok(store.revoke_oauth_client(tenant, id, by).await?)
}
