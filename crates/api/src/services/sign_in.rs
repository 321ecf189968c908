//! Signing in to the console by name and password.
//!
//! Nothing can be learnt by trying: an unknown name costs the same hash as a wrong password, and both read the same.
//! Hashes are made on threads of their own, few at a time, because each takes memory and a whole core; and a name
//! that keeps failing must wait before it is tried again.

use crate::error::ApiError;
use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordVerifier};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_provisioning::ids::TenantId;
use rollcall_store::Store;
use rollcall_store::operators::Operator;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use subtle::ConstantTimeEq as _;
use time::OffsetDateTime;
use tokio::sync::Semaphore;

/// Hashes made at the same time; each takes 19 MiB.
const HASHES_AT_ONCE: usize = 2;
/// Failures in a row of one name before it has to wait.
const FREE_FAILURES: u32 = 5;
/// The longest wait. It stays short, or whoever knows a name could lock its owner out.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// Failures are forgotten when a name has been quiet for this long.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// Names whose failures are remembered at once.
const MOST_NAMES: usize = 1024;

/// What a name that nobody has is checked against: made with the same parameters as real hashes, of no password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy10aGlz$bm9ib2R5LWtub3dzLWEtcGFzc3dvcmQtZm9yLXRoaXM";

/// Somebody whose password was right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedIn {
    /// The tenant whose console it is.
    pub tenant: TenantId,
    /// The operator's name.
    pub name: String,
    /// Changes with the password, so that a session can be told from one that began before the change.
    pub stamp: String,
}

/// What came of a name and a password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// They belong together.
    Welcome(SignedIn),
    /// They do not, or there is no such name.
    Refused,
    /// The name has failed too often; it may be tried again after this long.
    TooSoon(Duration),
}

/// The door: remembers failures, and bounds what hashing costs.
pub struct SignIn {
    hashing: Arc<Semaphore>,
    failures: Mutex<Failures>,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)), failures: Mutex::default() }
    }
}

impl SignIn {
    /// Checks a name and a password.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn verify(
        &self,
        store: &Store,
        name: &str,
        password: SecretString,
        now: OffsetDateTime,
    ) -> Result<Verdict, ApiError> {
        // The database could not even be asked for such a name.
        let operator = if name.contains('\0') { None } else { store.operator(name).await? };
        let key = digest(name);
        // A try counts as a failure until it has succeeded, so that many at once are counted too.
        if let Some(wait) = self.failures().begin(key, now) {
            return Ok(Verdict::TooSoon(wait));
        }
        let stored = operator.as_ref().map_or(NOBODY, |operator| &operator.password_hash).to_owned();
        let place = Arc::clone(&self.hashing).acquire_owned().await;
        let hashed = tokio::task::spawn_blocking(move || {
            // The place is given back when the hash is done, also when the client has gone meanwhile.
            let _place = place;
            belongs(&password, &stored)
        });
        // A hash that broke off proves nothing.
        let proven = hashed.await.unwrap_or(false);
        Ok(match operator.filter(|_| proven) {
            Some(operator) => {
                self.failures().forget(&key);
                Verdict::Welcome(SignedIn::of(operator))
            }
            None => Verdict::Refused,
        })
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SignedIn {
    fn of(operator: Operator) -> Self {
        Self { tenant: operator.tenant, stamp: stamp(&operator.password_hash), name: operator.name }
    }

    /// Whether the session of `self` is still good: the operator is there and has the same password.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn is_still_welcome(&self, store: &Store) -> Result<bool, ApiError> {
        let operator = store.operator(&self.name).await?;
        Ok(operator.is_some_and(|operator| {
            let same: bool = stamp(&operator.password_hash).as_bytes().ct_eq(self.stamp.as_bytes()).into();
            same && operator.tenant == self.tenant
        }))
    }
}

fn belongs(password: &SecretString, stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else {
        tracing::error!("the password hash of an operator cannot be read; give the operator a new password");
        return false;
    };
    Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
}

fn stamp(password_hash: &str) -> String {
    let digest = digest(password_hash);
    URL_SAFE_NO_PAD.encode(digest.first_chunk::<12>().unwrap_or(&[0; 12]))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Failed tries by name. Names are kept as digests, so that the size of the whole is bounded.
#[derive(Default)]
struct Failures(HashMap<[u8; 32], Failed>);

struct Failed {
    in_a_row: u32,
    last: OffsetDateTime,
}

impl Failures {
    /// Counts a try as failed; or says how long to wait, and counts nothing.
    fn begin(&mut self, name: [u8; 32], now: OffsetDateTime) -> Option<Duration> {
        let before = self.0.get(&name).filter(|failed| now - failed.last < FORGOTTEN_AFTER);
        let in_a_row = before.map_or(0, |failed| failed.in_a_row);
        if let Some(failed) = before {
            let wait = Duration::try_from(failed.last + wait_after(in_a_row) - now).unwrap_or(Duration::ZERO);
            if !wait.is_zero() {
                return Some(wait);
            }
        }
        if !self.0.contains_key(&name) && self.0.len() >= MOST_NAMES {
            self.make_room(now);
        }
        self.0.insert(name, Failed { in_a_row: in_a_row.saturating_add(1), last: now });
        None
    }

    fn forget(&mut self, name: &[u8; 32]) {
        self.0.remove(name);
    }

    fn make_room(&mut self, now: OffsetDateTime) {
        self.0.retain(|_, failed| now - failed.last < FORGOTTEN_AFTER);
        if self.0.len() >= MOST_NAMES {
            let oldest = self.0.iter().min_by_key(|(_, failed)| failed.last).map(|(name, _)| *name);
            oldest.map(|name| self.0.remove(&name));
        }
    }
}

/// Doubles with every failure beyond the free ones.
fn wait_after(in_a_row: u32) -> Duration {
    match in_a_row.checked_sub(FREE_FAILURES) {
        None => Duration::ZERO,
        Some(beyond) => Duration::from_secs(1_u64 << beyond.min(10)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::{PasswordHasher, SaltString};

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn at(seconds: u64) -> OffsetDateTime {
        START + Duration::from_secs(seconds)
    }

    fn hash(password: &str) -> String {
        let salt = SaltString::encode_b64(b"0123456789abcdef").expect("a salt");
        Argon2::default().hash_password(password.as_bytes(), &salt).expect("a hash").to_string()
    }

    #[test]
    fn nobody_costs_as_much_as_somebody() {
        let (nobody, made) = (PasswordHash::new(NOBODY).expect("well formed"), hash("x"));
        let somebody = PasswordHash::new(&made).expect("well formed");
        assert_eq!(nobody.algorithm, somebody.algorithm);
        assert_eq!(nobody.version, somebody.version);
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.hash.map(|hash| hash.len()), somebody.hash.map(|hash| hash.len()));
        assert!(!belongs(&"".into(), NOBODY));
    }

    #[test]
    fn a_password_belongs_to_its_hash_only() {
        let stored = hash("swordfish");
        assert!(belongs(&"swordfish".into(), &stored));
        assert!(!belongs(&"Swordfish".into(), &stored));
        assert!(!belongs(&"swordfish".into(), "not a hash"));
        assert_ne!(stamp(&stored), stamp(&hash("swordfish2")));
    }

    #[test]
    fn who_fails_too_often_waits_longer_and_longer() {
        let (mut failures, name) = (Failures::default(), digest("ada"));
        for _ in 0..FREE_FAILURES {
            assert_eq!(failures.begin(name, at(0)), None);
        }
        assert_eq!(failures.begin(name, at(0)), Some(Duration::from_secs(1)));
        assert_eq!(failures.begin(name, at(1)), None, "the wait is over");
        assert_eq!(failures.begin(name, at(1)), Some(Duration::from_secs(2)));
        assert_eq!(failures.begin(digest("grace"), at(1)), None, "others do not wait");
        failures.forget(&name);
        assert_eq!(failures.begin(name, at(1)), None, "a success ends it");
    }

    #[test]
    fn the_wait_has_an_end() {
        assert_eq!(wait_after(u32::MAX), LONGEST_WAIT);
        let (mut failures, name) = (Failures::default(), digest("ada"));
        for round in 0..20 {
            assert_eq!(failures.begin(name, at(round * 60)), None, "round {round}");
        }
        let quiet = at(19 * 60) + FORGOTTEN_AFTER;
        for _ in 0..FREE_FAILURES {
            assert_eq!(failures.begin(name, quiet), None, "old failures are forgotten");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut failures = Failures::default();
        for number in 0..(MOST_NAMES as u64 * 2) {
            failures.begin(digest(&number.to_string()), at(number / 4));
        }
        assert_eq!(failures.0.len(), MOST_NAMES);
        assert!(failures.0.contains_key(&digest(&(MOST_NAMES * 2 - 1).to_string())), "the newest stays");
    }
}
