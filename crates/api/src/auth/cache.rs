//! Credentials remembered for a few seconds, so that authentication costs no round trip of its own.

use crate::auth::token::PresentedToken;
use crate::auth::{PrincipalKind, SourcePrincipal};
use crate::limits::{CREDENTIAL_CACHE_SIZE, CREDENTIAL_TTL};
use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_store::credentials::Credential;
use rollcall_store::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use time::OffsetDateTime;

/// What is remembered of a credential.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) secret_hash: [u8; 32],
    pub(crate) kind: PrincipalKind,
    expires_at: Option<OffsetDateTime>,
    revoked_at: Option<OffsetDateTime>,
}

impl Known {
    /// True if the credential is neither revoked nor past its end.
    pub(crate) fn is_live(&self, now: OffsetDateTime) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

impl From<Credential> for Known {
    fn from(credential: Credential) -> Self {
        let kind = match credential.source {
            Some(source) => PrincipalKind::Source(SourcePrincipal {
                id: source.id,
                name: source.name.into(),
                profile: source.profile,
            }),
            None => PrincipalKind::Api,
        };
        Self {
            secret_hash: credential.secret_hash,
            kind,
            expires_at: credential.expires_at,
            revoked_at: credential.revoked_at,
        }
    }
}

/// Credentials that were looked up lately. Unknown ones are not remembered: whoever sends random tokens could
/// otherwise push the real ones out.
#[derive(Debug, Default)]
pub struct CredentialCache(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// Grows with each invalidation, so that a look-up begun before it does not bring back what it read.
    generation: u64,
    known: HashMap<(TenantId, CredentialId), (Arc<Known>, OffsetDateTime)>,
}

impl CredentialCache {
    /// Forgets everything. To be called when another process says that a credential was added or revoked
    /// (`rollcall_store::wake::Wake::Credentials`).
    pub fn invalidate_all(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.known.clear();
    }

    /// The credential that a token claims to be, from memory or from the store.
    pub(crate) async fn get(
        &self,
        store: &Store,
        now: OffsetDateTime,
        presented: &PresentedToken,
    ) -> Result<Option<Arc<Known>>, StoreError> {
        let key = (presented.tenant, presented.credential);
        let generation = {
            let entries = self.entries();
            if let Some((known, looked_up)) = entries.known.get(&key)
                && now - *looked_up < CREDENTIAL_TTL
            {
                return Ok(Some(Arc::clone(known)));
            }
            entries.generation
        };
        let Some(credential) = store.credential(presented.tenant, presented.credential).await? else {
            return Ok(None);
        };
        let known = Arc::new(Known::from(credential));
        // Only whoever holds the secret may fill the memory.
        if presented.hash.matches(&known.secret_hash) {
            self.remember(generation, key, &known, now);
        }
        Ok(Some(known))
    }

    fn remember(&self, generation: u64, key: (TenantId, CredentialId), known: &Arc<Known>, now: OffsetDateTime) {
        let mut entries = self.entries();
        if entries.generation != generation {
            return;
        }
        if entries.known.len() >= CREDENTIAL_CACHE_SIZE {
            entries.known.retain(|_, (_, looked_up)| now - *looked_up < CREDENTIAL_TTL);
            if entries.known.len() >= CREDENTIAL_CACHE_SIZE {
                entries.known.clear();
            }
        }
        entries.known.insert(key, (Arc::clone(known), now));
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
