//! Published keys of issuers (RFC 7517): fetched when they are needed, remembered, and fetched again when they change.
//!
//! Addresses come from the settings of credentials alone, never from a token. A token that names a key which is not in the
//! set makes the set be fetched once more, since issuers exchange their keys; but not more often than every
//! [`KEYS_REFETCH_AFTER`], and by one request at a time, so that whoever makes names up reaches nobody through us. Keys that an
//! issuer has withdrawn are forgotten after [`KEYS_FRESH_FOR`]. While an issuer cannot be reached, its keys are believed for
//! [`KEYS_KEPT_FOR`].

use crate::auth::trust::{Keys, SignatureAlgorithm};
use crate::limits::{KEY_SETS, KEYS_FRESH_FOR, KEYS_KEPT_FOR, KEYS_REFETCH_AFTER};
use serde_json::Value;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;

/// Why a set of keys could not be had. For the log; nobody else is told.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// A set of keys that is on its way.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Reaches out for published keys. Whoever implements it bounds time and size, and sees to it that no address inside the
/// installation's own network is reached.
pub trait FetchKeys: Send + Sync {
    /// The document at `url`.
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a>;
}

/// The sets that were fetched lately.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<HashMap<String, Arc<Slot>>>);

/// One address.
#[derive(Default)]
struct Slot {
    set: Mutex<Set>,
    /// Held by whoever fetches; others wait and then look at what came.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct Set {
    keys: Arc<Keys>,
    fetched: Option<OffsetDateTime>,
    tried: Option<OffsetDateTime>,
}

impl Set {
    /// True if the set is to be fetched: it is old, or lacks the key; and nobody has tried a moment ago.
    fn is_wanting(&self, (id, algorithm): (Option<&str>, SignatureAlgorithm), now: OffsetDateTime) -> bool {
        let lacking = older(self.fetched, KEYS_FRESH_FOR, now) || !self.keys.has(id, algorithm);
        lacking && older(self.tried, KEYS_REFETCH_AFTER, now)
    }
}

fn older(moment: Option<OffsetDateTime>, than: Duration, now: OffsetDateTime) -> bool {
    moment.is_none_or(|moment| now - moment >= than)
}

impl Slot {
    fn set(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyCache {
    /// The keys at an address, among them the one of that name if there is any.
    pub(crate) async fn get(
        &self,
        fetcher: &dyn FetchKeys,
        url: &str,
        key: (Option<&str>, SignatureAlgorithm),
        now: OffsetDateTime,
    ) -> Arc<Keys> {
        let slot = self.slot(url);
        let seen = slot.set().clone();
        if !seen.is_wanting(key, now) {
            return seen.keys;
        }
        let _alone = slot.fetching.lock().await;
        let mut set = slot.set().clone();
        if set.is_wanting(key, now) {
            set.tried = Some(now);
            // Noted before it is done: whoever hangs up meanwhile has asked all the same.
            slot.set().tried = Some(now);
            match fetch(fetcher, url).await {
                Ok(keys) => {
                    set.keys = Arc::new(keys);
                    set.fetched = Some(now);
                }
                Err(error) => {
                    tracing::warn!(url, error = &error as &dyn std::error::Error, "keys could not be fetched");
                    if older(set.fetched, KEYS_KEPT_FOR, now) {
                        set.keys = Arc::default();
                    }
                }
            }
            *slot.set() = set.clone();
        }
        set.keys
    }

    fn slot(&self, url: &str) -> Arc<Slot> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= KEY_SETS && !slots.contains_key(url) {
            slots.clear();
        }
        Arc::clone(slots.entry(url.to_owned()).or_default())
    }
}

async fn fetch(fetcher: &dyn FetchKeys, url: &str) -> Result<Keys, FetchError> {
    let document = fetcher.fetch(url).await?;
    let document: Value = serde_json::from_slice(&document).map_err(|_| FetchError("it is not JSON".to_owned()))?;
    Keys::parse(&document).map_err(|problem| FetchError(format!("the document {problem}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::time::{Clock, ManualClock};
    use serde_json::json;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Publishes whatever it was last given, or cannot be reached.
    #[derive(Default)]
    struct Issuer {
        published: Mutex<Option<Value>>,
        asked: AtomicUsize,
    }

    impl Issuer {
        fn publish(&self, ids: Option<&[&str]>) {
            let key = |id: &&str| json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": id });
            *self.published.lock().expect("a lock") =
                ids.map(|ids| json!({ "keys": ids.iter().map(key).collect::<Vec<_>>() }));
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    impl FetchKeys for Issuer {
        fn fetch<'a>(&'a self, _: &'a str) -> Fetching<'a> {
            Box::pin(async {
                self.asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                let published = self.published.lock().expect("a lock").clone();
                published.map(|set| set.to_string().into_bytes()).ok_or_else(|| FetchError("no answer".to_owned()))
            })
        }
    }

    async fn knows(cache: &KeyCache, issuer: &Issuer, id: &str, now: OffsetDateTime) -> bool {
        let key = (Some(id), SignatureAlgorithm::EdDSA);
        cache.get(issuer, "https://issuer.example/keys", key, now).await.has(key.0, key.1)
    }

    #[tokio::test]
    async fn rotation_is_survived_and_made_up_names_reach_nobody() {
        let (cache, issuer) = (KeyCache::default(), Issuer::default());
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        issuer.publish(Some(&["a"]));
        assert!(knows(&cache, &issuer, "a", clock.now()).await);
        assert!(knows(&cache, &issuer, "a", clock.now()).await);
        assert_eq!(issuer.asked(), 1);
        for n in 0..100 {
            assert!(!knows(&cache, &issuer, &format!("made-up-{n}"), clock.now()).await);
        }
        assert_eq!(issuer.asked(), 1, "it was asked a moment ago");
        issuer.publish(Some(&["a", "b"]));
        clock.advance(KEYS_REFETCH_AFTER);
        assert!(knows(&cache, &issuer, "b", clock.now()).await);
        assert_eq!(issuer.asked(), 2);
        clock.advance(KEYS_REFETCH_AFTER);
        let floods = (0..100).map(|n| format!("made-up-{n}")).collect::<Vec<_>>();
        let all = floods.iter().map(|id| knows(&cache, &issuer, id, clock.now()));
        assert!(futures::future::join_all(all).await.into_iter().all(|known| !known));
        assert_eq!(issuer.asked(), 3, "one for all of them");
    }

    #[tokio::test]
    async fn withdrawn_keys_are_forgotten_and_an_issuer_that_is_away_is_believed_for_a_while() {
        let (cache, issuer) = (KeyCache::default(), Issuer::default());
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        issuer.publish(Some(&["a"]));
        assert!(knows(&cache, &issuer, "a", clock.now()).await);
        issuer.publish(Some(&["b"]));
        clock.advance(KEYS_FRESH_FOR.saturating_sub(Duration::from_secs(1)));
        assert!(knows(&cache, &issuer, "a", clock.now()).await);
        clock.advance(Duration::from_secs(1));
        assert!(!knows(&cache, &issuer, "a", clock.now()).await, "withdrawn");
        assert!(knows(&cache, &issuer, "b", clock.now()).await);
        issuer.publish(None);
        clock.advance(KEYS_KEPT_FOR.saturating_sub(Duration::from_mins(1)));
        assert!(knows(&cache, &issuer, "b", clock.now()).await, "away");
        clock.advance(Duration::from_mins(1));
        assert!(!knows(&cache, &issuer, "b", clock.now()).await, "away for too long");
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let (cache, issuer) = (KeyCache::default(), Issuer::default());
        issuer.publish(Some(&["a"]));
        for n in 0..3 * KEY_SETS {
            let key = (Some("a"), SignatureAlgorithm::EdDSA);
            cache.get(&issuer, &format!("https://issuer.example/{n}"), key, OffsetDateTime::UNIX_EPOCH).await;
            assert!(cache.0.lock().expect("a lock").len() <= KEY_SETS);
        }
    }
}
