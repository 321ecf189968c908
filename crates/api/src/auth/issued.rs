//! Tokens of other issuers that are taken as they are, as Entra's own for applications without a secret.
//!
//! Such a token names no tenant of ours. Its issuer and its audience, which every customer's token has alike but for the
//! issuer's own tenant, say which credential could trust it; the credential says whose keys, which algorithm and which claims.
//! A token that was checked is remembered by its hash until it is over, and the credential behind it is looked up like every
//! other: a revocation counts at once.

use crate::auth::cache::Known;
use crate::auth::trust::{Trust, forgotten_at};
use crate::error::ApiError;
use crate::limits::VERIFIED_TOKENS;
use crate::remembered::middle;
use crate::state::ApiState;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use rollcall_store::credentials::CredentialKind;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use time::OffsetDateTime;

/// Longest token that is looked at, in bytes. Entra's have about two thousand.
const LONGEST: usize = 16 * 1024;

/// Tokens that were checked: by hash, whose they are and when they are over.
#[derive(Default, Debug)]
pub(crate) struct VerifiedTokens(Mutex<HashMap<[u8; 32], (Key, OffsetDateTime)>>);

/// Names a credential.
type Key = (TenantId, CredentialId);

impl VerifiedTokens {
    fn get(&self, hash: &[u8; 32], now: OffsetDateTime) -> Option<Key> {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(hash).filter(|(_, ends)| now < *ends).map(|(key, _)| *key)
    }

    fn remember(&self, hash: [u8; 32], key: Key, ends: OffsetDateTime) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= VERIFIED_TOKENS {
            // The half that ends first, and with it what is over.
            let middle = middle(tokens.values().map(|(_, ends)| *ends));
            tokens.retain(|_, (_, ends)| Some(*ends) > middle);
        }
        tokens.insert(hash, (key, ends));
    }
}

/// What a token says before anything of it is believed.
#[derive(Deserialize)]
struct Claimed {
    iss: String,
    aud: Audience,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The live credential that trusts a token.
pub(crate) async fn identify(
    state: &ApiState,
    now: OffsetDateTime,
    token: &str,
) -> Result<Option<(Key, Arc<Known>)>, ApiError> {
    if token.len() > LONGEST {
        return Ok(None);
    }
    let hash: [u8; 32] = Sha256::digest(token).into();
    if let Some(key) = state.verified().get(&hash, now)
        && let Some(known) = live(state, now, key).await?
    {
        return Ok(Some((key, known)));
    }
    // Never seen, or trusted by a credential that is gone: another one may have taken its place.
    let Some((key, ends)) = verify(state, now, token).await? else { return Ok(None) };
    state.verified().remember(hash, key, ends);
    Ok(live(state, now, key).await?.map(|known| (key, known)))
}

async fn live(state: &ApiState, now: OffsetDateTime, key: Key) -> Result<Option<Arc<Known>>, ApiError> {
    let known = state.credentials().get(state.store(), now, key, |_| true).await?;
    Ok(known.filter(|known| known.kind == CredentialKind::Issuer && known.is_live(now)))
}

async fn verify(state: &ApiState, now: OffsetDateTime, token: &str) -> Result<Option<(Key, OffsetDateTime)>, ApiError> {
    let Ok(claimed) = jsonwebtoken::dangerous::insecure_decode_claims::<Claimed>(token) else { return Ok(None) };
    let audience = match claimed.aud {
        Audience::One(audience) => audience,
        Audience::Many(audiences) => match <[String; 1]>::try_from(audiences) {
            Ok([audience]) => audience,
            Err(_) => return Ok(None),
        },
    };
    if claimed.iss.contains('\0') || audience.contains('\0') {
        return Ok(None);
    }
    let Some(credential) = state.store().trusted_issuer(&claimed.iss, &audience).await? else { return Ok(None) };
    let key = (credential.tenant, credential.id);
    let Some(trust) = credential.trust.and_then(|trust| serde_json::from_value::<Trust>(trust).ok()) else {
        return Ok(None);
    };
    let keys = state.keys_of(&trust, token, now).await;
    match trust.verify(token, &keys, &[], now) {
        Ok(verified) => Ok(Some((key, forgotten_at(verified.ends)))),
        Err(reason) => {
            tracing::info!(credential = %credential.id, reason, "a token of a trusted issuer was refused");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    /// Whoever has many tokens does not push out those of all others: what ends first makes room.
    #[test]
    fn no_more_are_remembered_than_may_be_and_the_longest_stay() {
        let tokens = VerifiedTokens::default();
        let key = |number: usize| (TenantId(Uuid::nil()), CredentialId(Uuid::from_u128(number as u128)));
        let hash = |number: usize| {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&number.to_be_bytes());
            hash
        };
        let now = OffsetDateTime::UNIX_EPOCH;
        let ends = |number: usize| now + Duration::from_secs(number as u64 + 1);
        for number in 0..3 * VERIFIED_TOKENS {
            tokens.remember(hash(number), key(number), ends(number));
            assert_eq!(tokens.get(&hash(number), now), Some(key(number)), "the newest is remembered");
            let held = tokens.0.lock().expect("no panic").len();
            assert!(held <= VERIFIED_TOKENS && held > number.min(VERIFIED_TOKENS / 2 - 2), "{held} after {number}");
        }
        let last = 3 * VERIFIED_TOKENS - 1;
        assert_eq!(tokens.get(&hash(0), now), None, "what ends first has made room");
        assert_eq!(tokens.get(&hash(last - 10), now), Some(key(last - 10)));
        assert_eq!(tokens.get(&hash(last), ends(last)), None, "what is over is not believed");
    }
}
