//! How an OAuth client proves itself: by a secret (RFC 6749 §2.3.1) or by an assertion (RFC 7523 §2.2).

use super::form::Form;
use super::{No, TOKEN_PATH};
use crate::auth::cache::Known;
use crate::auth::trust::{Trust, Verified, forgotten_at, latest_end};
use crate::auth::{by_secret, presented, token};
use crate::query_text::decode;
use crate::state::ApiState;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_store::credentials::CredentialKind;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use time::OffsetDateTime;

/// What kind of assertion is taken (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Longest assertion that is looked at, in bytes.
const LONGEST_ASSERTION: usize = 16 * 1024;
/// Longest name of an assertion that is remembered, in bytes.
const LONGEST_JTI: usize = 1_024;

/// A client that has proved itself.
pub(super) struct Proven {
    pub(super) tenant: TenantId,
    /// What it has proved itself by.
    pub(super) credential: CredentialId,
    pub(super) known: Arc<Known>,
    /// The assertion of the client's own, which is taken once.
    pub(super) assertion: Option<Assertion>,
}

/// Finds out which client asks, if its proof is good.
pub(super) async fn prove(
    state: &ApiState,
    headers: &HeaderMap,
    form: &Form,
    now: OffsetDateTime,
) -> Result<Proven, No> {
    match form.get("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(No::GrantType),
        None => return Err(No::Request("grant_type is missing; it must be client_credentials".to_owned())),
    }
    let header = in_header(headers)?;
    let (id, secret, assertion) = (form.get("client_id"), form.get("client_secret"), form.get("client_assertion"));
    // RFC 6749 §2.3: one way of proving in a request.
    match (header, secret, assertion) {
        (Some((named, secret)), None, None) if id.is_none_or(|id| id == named) => {
            with_secret(state, &named, &secret, now).await
        }
        (None, Some(secret), None) => with_secret(state, id.ok_or_else(no_id)?, secret, now).await,
        (None, None, Some(assertion)) => {
            if form.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(No::Request(format!("client_assertion_type must be {ASSERTION_TYPE}")));
            }
            with_assertion(state, id, assertion, now).await
        }
        (None, None, None) => Err(No::Client),
        _ => Err(No::Request("the client proves itself in more than one way; one is enough".to_owned())),
    }
}

fn no_id() -> No {
    No::Request("client_id is missing".to_owned())
}

/// Name and secret of HTTP Basic, each encoded as in a form (RFC 6749 §2.3.1).
fn in_header(headers: &HeaderMap) -> Result<Option<(String, String)>, No> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let Some(header) = headers.next() else { return Ok(None) };
    let read = |text: &str| decode(text).map_err(|_| No::Client);
    match header.to_str().ok().filter(|_| headers.next().is_none()).and_then(presented::basic) {
        Some((name, secret)) => Ok(Some((read(&name)?, read(&secret)?))),
        None => Err(No::Client),
    }
}

async fn with_secret(state: &ApiState, id: &str, secret: &str, now: OffsetDateTime) -> Result<Proven, No> {
    let (tenant, client) = token::parse_client_id(id).ok_or(No::Client)?;
    let presented = token::parse_client_secret(tenant, secret).ok_or(No::Client)?;
    let known = by_secret(state, now, presented, CredentialKind::ClientSecret).await?;
    let known = known.filter(|known| known.client.is_some_and(|of| of.id == client)).ok_or(No::Client)?;
    Ok(Proven { tenant, credential: presented.credential, known, assertion: None })
}

/// By an assertion. The client is the one that `client_id` names; an assertion of the client's own may name it alone, as its
/// subject (RFC 7521 §4.2).
async fn with_assertion(
    state: &ApiState,
    id: Option<&str>,
    assertion: &str,
    now: OffsetDateTime,
) -> Result<Proven, No> {
    if assertion.len() > LONGEST_ASSERTION {
        return Err(No::Client);
    }
    let named = match id {
        Some(id) => id.to_owned(),
        None => subject(assertion).ok_or(No::Client)?,
    };
    let (tenant, client) = token::parse_client_id(&named).ok_or(No::Client)?;
    for credential in state.store().client_trusts(tenant, client).await.map_err(crate::ApiError::from)? {
        let kind = credential.kind;
        let Some(trust) = credential.trust.clone().and_then(|trust| serde_json::from_value::<Trust>(trust).ok()) else {
            tracing::error!(credential = %credential.id, "what a credential trusts cannot be read");
            continue;
        };
        let (id, known) = (credential.id, Arc::new(Known::from(credential)));
        if !known.is_live(now) {
            continue;
        }
        let verified = match judge(state, &trust, assertion, now).await {
            Ok(verified) => verified,
            Err(reason) => {
                refused(id, reason);
                continue;
            }
        };
        let assertion = match kind {
            CredentialKind::PrivateKeyJwt => Some(Assertion::of(verified, now).map_err(|reason| refused(id, reason))?),
            _ => None,
        };
        return Ok(Proven { tenant, credential: id, known, assertion });
    }
    Err(No::Client)
}

async fn judge(
    state: &ApiState,
    trust: &Trust,
    assertion: &str,
    now: OffsetDateTime,
) -> Result<Verified, &'static str> {
    let keys = state.keys_of(trust, assertion, now).await;
    trust.verify(assertion, &keys, &our_names(state), now)
}

/// What an assertion may name as its audience when the credential does not say: the token endpoint, or the server as a whole
/// (RFC 7523 §3). Only under the configured address, since anyone can make up the host of a request.
fn our_names(state: &ApiState) -> Vec<String> {
    let Some(url) = state.public_url() else { return Vec::new() };
    let url = url.trim_end_matches('/');
    vec![format!("{url}{TOKEN_PATH}"), url.to_owned(), format!("{url}/")]
}

/// Why an assertion was refused is for the log alone.
fn refused(credential: CredentialId, reason: &str) -> No {
    tracing::info!(%credential, reason, "an assertion was refused");
    No::Client
}

/// An assertion that a client has signed for itself. It is taken once (RFC 7523 §3, `jti`).
pub(super) struct Assertion {
    hash: [u8; 32],
    ends: OffsetDateTime,
}

impl Assertion {
    fn of(Verified { ends, jti }: Verified, now: OffsetDateTime) -> Result<Self, &'static str> {
        let jti = jti.filter(|jti| (1..=LONGEST_JTI).contains(&jti.len())).ok_or("it has no usable jti")?;
        if ends > latest_end(now) {
            return Err("it lives for too long");
        }
        Ok(Self { hash: Sha256::digest(jti).into(), ends })
    }

    /// Takes it, in one statement for all processes, if it was not taken before.
    pub(super) async fn consume(
        &self,
        state: &ApiState,
        (tenant, credential): (TenantId, CredentialId),
    ) -> Result<(), No> {
        let new = state.store().use_assertion(tenant, credential, &self.hash, forgotten_at(self.ends)).await;
        if new.map_err(crate::ApiError::from)? { Ok(()) } else { Err(refused(credential, "it was used before")) }
    }
}

/// What an assertion says whose it is, before anything of it is believed.
fn subject(assertion: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Claimed {
        sub: String,
    }
    jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(assertion).ok().map(|claimed| claimed.sub)
}
