//! Who is asking. What a request shows names its credential; the credential names the tenant and, for SCIM, the source.
//!
//! Every refusal reads the same, whether the credential is unknown, expired, revoked, malformed or another tenant's, and the
//! comparison takes the same time, so that nothing can be learnt by trying. Only who is known learns more: which right is
//! missing, that the address is not among the source's, that it was too fast.

pub mod access_token;
pub mod address;
pub mod cache;
pub(crate) mod guard;
pub(crate) mod issued;
pub mod keys;
pub mod last_use;
pub(crate) mod presented;
pub mod rate;
pub mod scopes;
pub mod token;
pub mod trust;

pub(crate) use guard::Guard;

use crate::edge::Notes;
use crate::error::ApiError;
use crate::oauth::TOKEN_PATH;
use crate::state::ApiState;
use address::Networks;
use axum::extract::FromRequestParts;
use cache::Known;
use http::header::AUTHORIZATION;
use http::request::Parts;
use presented::Presented;
use rate::Rate;
use rollcall_provisioning::ids::{CredentialId, SourceId, TenantId};
use rollcall_scim::profile::Profile;
use rollcall_store::credentials::CredentialKind;
use scopes::Scopes;
use std::sync::Arc;
use time::OffsetDateTime;
use token::PresentedToken;

/// Who a valid token speaks for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose directory it opens.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
    /// What it is for.
    pub kind: PrincipalKind,
    /// What it may do.
    pub scopes: Scopes,
}

/// What a token is meant for.
#[derive(Clone, Debug)]
pub enum PrincipalKind {
    /// SCIM requests of this source.
    Source(SourcePrincipal),
    /// Requests to the REST API.
    Api,
}

/// The source that a SCIM token speaks for.
#[derive(Clone, Debug)]
pub struct SourcePrincipal {
    /// Its id.
    pub id: SourceId,
    /// Its name, for logs and metrics.
    pub name: Arc<str>,
    /// What its client does differently from the RFCs.
    pub profile: Profile,
    /// From where, how fast, and whether with HTTP Basic it may call.
    pub access: Arc<Access>,
}

/// What a source allows besides its credentials.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Access {
    /// Whether it may use HTTP Basic.
    pub basic: bool,
    /// The networks that it may call from; `None`: any.
    pub networks: Option<Networks>,
    /// How fast it may call; `None`: as fast as the installation says.
    pub rate: Option<Rate>,
}

/// A request with a valid SCIM token.
#[derive(Clone, Debug)]
pub struct ScimClient {
    /// Whose directory it works on.
    pub tenant: TenantId,
    /// Which source it is.
    pub source: SourcePrincipal,
    /// What its credential may do.
    pub scopes: Scopes,
}

impl ScimClient {
    /// Refuses what the credential may not do.
    ///
    /// # Errors
    /// 403 that names the missing rights.
    pub(crate) fn check(&self, needed: Scopes) -> Result<(), ApiError> {
        let missing = needed.beyond(self.scopes);
        if missing.is_empty() { Ok(()) } else { Err(ApiError::MissingScopes(missing)) }
    }
}

/// A request with a valid token of the REST API.
#[derive(Clone, Copy, Debug)]
pub struct ApiClient {
    /// Whose directory it works on.
    pub tenant: TenantId,
    /// Its token.
    pub credential: CredentialId,
}

impl FromRequestParts<ApiState> for ScimClient {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        // An operation of a bulk request is of whom the whole is of.
        if let Some(client) = parts.extensions.get::<Self>() {
            return Ok(client.clone());
        }
        let principal = authenticate(parts, state).await?;
        match principal.kind {
            PrincipalKind::Source(source) => Ok(Self { tenant: principal.tenant, source, scopes: principal.scopes }),
            PrincipalKind::Api => Err(ApiError::WrongTokenKind { called: "SCIM" }),
        }
    }
}

impl FromRequestParts<ApiState> for ApiClient {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let principal = authenticate(parts, state).await?;
        match principal.kind {
            PrincipalKind::Api => Ok(Self { tenant: principal.tenant, credential: principal.credential }),
            PrincipalKind::Source(_) => Err(ApiError::WrongTokenKind { called: "REST" }),
        }
    }
}

/// A request that nothing here serves. Where it shows a credential it is judged and counted like every other; without one
/// it costs nothing and only hears that there is nothing. At the token endpoint a credential means an OAuth client, and
/// nobody but that endpoint knows those.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted;

impl FromRequestParts<ApiState> for Counted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if parts.headers.contains_key(AUTHORIZATION) && parts.uri.path().trim_end_matches('/') != TOKEN_PATH {
            authenticate(parts, state).await?;
        }
        Ok(Self)
    }
}

async fn authenticate(parts: &Parts, state: &ApiState) -> Result<Principal, ApiError> {
    let now = state.clock().now();
    let address = state.guard().address(&parts.extensions, &parts.headers);
    let presented = presented::read(&parts.headers)?;
    let identified = match presented {
        Some(presented) => identify(presented, state, now).await?,
        None => None,
    };
    let Some(principal) = identified else {
        state.guard().note_failure(address, now)?;
        let basic = state.credentials().is_basic_allowed_anywhere(state.store(), now).await;
        return Err(ApiError::Unauthenticated { basic });
    };
    if let PrincipalKind::Source(source) = &principal.kind {
        if let Some(notes) = parts.extensions.get::<Notes>() {
            notes.source(Arc::clone(&source.name));
        }
        guard::check_address(source, address)?;
        state.guard().admit_source(principal.tenant, source, now)?;
    }
    state.last_uses().note(principal.tenant, principal.credential, now);
    Ok(principal)
}

/// Whom something that was shown speaks for; `None` if for nobody.
async fn identify(
    presented: Presented<'_>,
    state: &ApiState,
    now: OffsetDateTime,
) -> Result<Option<Principal>, ApiError> {
    let (token, kind) = match presented {
        Presented::Token(token) => (token, CredentialKind::Token),
        Presented::Password(token) => (token, CredentialKind::Password),
        Presented::Jwt(token) => return identify_jwt(token, state, now).await,
    };
    let known = by_secret(state, now, token, kind).await?;
    Ok(known
        .filter(|known| known.is_allowed())
        .map(|known| known.principal(token.tenant, token.credential, Scopes::ALL)))
}

/// Whom a JWT speaks for: an access token of ours, or a token of an issuer that a source trusts.
async fn identify_jwt(token: &str, state: &ApiState, now: OffsetDateTime) -> Result<Option<Principal>, ApiError> {
    let Some(grant) = state.token_key().read(token, now) else {
        let issued = issued::identify(state, now, token).await?;
        return Ok(issued.map(|((tenant, credential), known)| known.principal(tenant, credential, Scopes::ALL)));
    };
    let key = (grant.tenant, grant.credential);
    let known = state.credentials().get(state.store(), now, key, |_| true).await?;
    // A secret that has expired gives no more tokens; those that it gave live on to their own end, unless it is revoked.
    let known =
        known.filter(|known| known.client.is_some_and(|client| client.id == grant.client) && !known.is_revoked());
    Ok(known.map(|known| known.principal(grant.tenant, grant.credential, grant.scopes)))
}

/// The live credential that a secret belongs to.
pub(crate) async fn by_secret(
    state: &ApiState,
    now: OffsetDateTime,
    presented: PresentedToken,
    kind: CredentialKind,
) -> Result<Option<Arc<Known>>, ApiError> {
    let key = (presented.tenant, presented.credential);
    let matches = |known: &Known| known.secret_hash.is_some_and(|stored| presented.hash.matches(&stored));
    let known = state.credentials().get(state.store(), now, key, matches).await?;
    // The hash is compared also when there is no such credential, so that both take the same time.
    let stored = known.as_ref().and_then(|known| known.secret_hash).unwrap_or([0; 32]);
    let proven = presented.hash.matches(&stored);
    Ok(known.filter(|known| proven && known.secret_hash.is_some() && known.kind == kind && known.is_live(now)))
}

impl Known {
    /// False for a password of a source that does not allow HTTP Basic.
    fn is_allowed(&self) -> bool {
        let basic = matches!(&self.principal, PrincipalKind::Source(source) if source.access.basic);
        self.kind != CredentialKind::Password || basic
    }

    /// Whom it speaks for, with no more rights than `most`.
    fn principal(&self, tenant: TenantId, credential: CredentialId, most: Scopes) -> Principal {
        Principal { tenant, credential, kind: self.principal.clone(), scopes: self.scopes.and(most) }
    }
}
