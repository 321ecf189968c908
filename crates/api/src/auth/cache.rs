//! Credentials remembered for a few seconds, so that authentication costs no round trip of its own.

use crate::auth::address::Networks;
use crate::auth::rate::Rate;
use crate::auth::scopes::Scopes;
use crate::auth::{Access, PrincipalKind, SourcePrincipal};
use crate::limits::{CREDENTIAL_CACHE_SIZE, CREDENTIAL_TTL};
use crate::remembered::Remembered;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, TenantId};
use rollcall_store::credentials::access::SourceAccess;
use rollcall_store::credentials::{Credential, CredentialKind};
use rollcall_store::{Store, StoreError};
use std::sync::Arc;
use time::OffsetDateTime;

/// What is remembered of a credential.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) kind: CredentialKind,
    pub(crate) secret_hash: Option<[u8; 32]>,
    pub(crate) principal: PrincipalKind,
    /// What it may do; for the credential of an OAuth client what the client may do.
    pub(crate) scopes: Scopes,
    pub(crate) client: Option<KnownClient>,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
}

/// The OAuth client that a credential belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownClient {
    pub(crate) id: OauthClientId,
    pub(crate) token_seconds: i32,
    revoked_at: Option<OffsetDateTime>,
}

impl Known {
    /// True if neither the credential nor its client is revoked, and the credential is not past its end.
    pub(crate) fn is_live(&self, now: OffsetDateTime) -> bool {
        !self.is_revoked() && self.expires_at.is_none_or(|end| now < end)
    }

    /// True if the credential or its client is revoked.
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked_at.is_some() || self.client.is_some_and(|client| client.revoked_at.is_some())
    }
}

impl From<Credential> for Known {
    fn from(credential: Credential) -> Self {
        let principal = match credential.source {
            Some(source) => PrincipalKind::Source(SourcePrincipal {
                id: source.id,
                name: source.name.into(),
                profile: source.profile,
                access: Arc::new(access(&source.access)),
            }),
            None => PrincipalKind::Api,
        };
        let client = credential.client.as_ref();
        let scopes = client.map_or(credential.scopes.as_deref(), |client| client.scopes.as_deref());
        Self {
            kind: credential.kind,
            secret_hash: credential.secret_hash,
            principal,
            scopes: Scopes::stored(scopes),
            client: client.map(|client| KnownClient {
                id: client.id,
                token_seconds: client.token_seconds,
                revoked_at: client.revoked_at,
            }),
            expires_at: credential.expires_at,
            revoked_at: credential.revoked_at,
        }
    }
}

fn access(stored: &SourceAccess) -> Access {
    let networks = &stored.allowed_networks;
    // They were read before they were stored. What cannot be read any more lets nobody in.
    let networks =
        (!networks.is_empty()).then(|| Networks::parse(networks.iter().map(String::as_str)).unwrap_or_default());
    let whole = |figure: Option<i32>| figure.and_then(|figure| u32::try_from(figure).ok());
    let rate = whole(stored.requests_per_second)
        .zip(whole(stored.request_burst))
        .map(|(per_second, burst)| Rate { per_second, burst });
    Access { basic: stored.basic_allowed, networks, rate }
}

/// Credentials that were looked up lately. Unknown ones are not remembered: whoever sends random tokens could
/// otherwise push the real ones out.
#[derive(Debug)]
pub struct CredentialCache {
    known: Remembered<(TenantId, CredentialId), Known>,
    /// Whether any source may use HTTP Basic.
    basic: Remembered<(), bool>,
}

impl Default for CredentialCache {
    fn default() -> Self {
        Self {
            known: Remembered::new(CREDENTIAL_TTL, CREDENTIAL_CACHE_SIZE),
            basic: Remembered::new(CREDENTIAL_TTL, 1),
        }
    }
}

impl CredentialCache {
    /// Forgets everything. To be called when another process says that a credential was added or revoked
    /// (`rollcall_store::wake::Wake::Credentials`).
    pub fn invalidate_all(&self) {
        self.known.forget_all();
        self.basic.forget_all();
    }

    /// The credential with these ids, from memory or from the store. It is remembered only if `proven` says that whoever
    /// asks has proved to hold it: strangers may not fill the memory.
    pub(crate) async fn get(
        &self,
        store: &Store,
        now: OffsetDateTime,
        key: (TenantId, CredentialId),
        proven: impl Fn(&Known) -> bool + Send,
    ) -> Result<Option<Arc<Known>>, StoreError> {
        let look_up = async { Ok(store.credential(key.0, key.1).await?.map(Known::from)) };
        self.known.get(key, now, proven, look_up).await
    }

    /// Whether any source may use HTTP Basic, from memory or from the store. Without the store nobody is told of it.
    pub(crate) async fn is_basic_allowed_anywhere(&self, store: &Store, now: OffsetDateTime) -> bool {
        let look_up = async { store.is_basic_allowed_anywhere().await.map(Some) };
        let allowed = self.basic.get((), now, |_| true, look_up).await;
        allowed.is_ok_and(|allowed| allowed.is_some_and(|allowed| *allowed))
    }
}
