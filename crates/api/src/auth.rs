//! Who is asking. A bearer token names its credential; the credential names the tenant and, for SCIM, the source.
//!
//! Every refusal reads the same, whether the token is unknown, expired, revoked or malformed, and the comparison
//! takes the same time, so that nothing can be learnt by trying.

pub mod cache;
pub mod last_use;
pub mod token;

use crate::edge::Notes;
use crate::error::ApiError;
use crate::state::ApiState;
use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use rollcall_provisioning::ids::{CredentialId, SourceId, TenantId};
use rollcall_scim::profile::Profile;
use std::sync::Arc;
use token::PresentedToken;

/// Who a valid token speaks for.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Whose directory it opens.
    pub tenant: TenantId,
    /// The credential.
    pub credential: CredentialId,
    /// What it may do.
    pub kind: PrincipalKind,
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
}

/// A request with a valid SCIM token.
#[derive(Clone, Debug)]
pub struct ScimClient {
    /// Whose directory it works on.
    pub tenant: TenantId,
    /// Which source it is.
    pub source: SourcePrincipal,
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
        let principal = authenticate(parts, state).await?;
        match principal.kind {
            PrincipalKind::Source(source) => {
                if let Some(notes) = parts.extensions.get::<Notes>() {
                    notes.source(Arc::clone(&source.name));
                }
                Ok(Self { tenant: principal.tenant, source })
            }
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

async fn authenticate(parts: &Parts, state: &ApiState) -> Result<Principal, ApiError> {
    let presented = presented(parts)?;
    let credential = state.credentials().get(state.store(), state.clock().now(), &presented).await?;
    let now = state.clock().now();
    // The hash is compared also when there is no such credential, so that both take the same time.
    let stored = credential.as_ref().map_or([0; 32], |credential| credential.secret_hash);
    let proven = presented.hash.matches(&stored);
    let credential =
        credential.filter(|credential| proven && credential.is_live(now)).ok_or(ApiError::Unauthenticated)?;
    state.last_uses().note(presented.tenant, presented.credential, now);
    Ok(Principal { tenant: presented.tenant, credential: presented.credential, kind: credential.kind.clone() })
}

/// The token that the request carries. Of two, a proxy on the way could have judged the one and we the other.
fn presented(parts: &Parts) -> Result<PresentedToken, ApiError> {
    let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(ApiError::TwoTokens);
    }
    let text = header.and_then(|header| header.to_str().ok());
    text.and_then(|text| token::parse(token::from_header(text))).ok_or(ApiError::Unauthenticated)
}
