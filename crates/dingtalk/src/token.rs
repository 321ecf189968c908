//! The access token: fetched once for all callers, kept until shortly before it ends, never logged.
//!
//! Page `obtain-the-access-token-of-an-internal-app`: a token lives 7200 s; asking again within that time
//! answers the same token and renews it; asking too often is throttled.

use crate::operation::Operation;
use crate::transport::{Call, Transport};
use crate::wire::platform::{IssuedToken, TokenRequest};
use rollcall_provisioning::connector::ConnectorError;
use secrecy::{ExposeSecret, SecretString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// How long before its end a token is renewed.
const MARGIN: Duration = Duration::from_mins(10);
/// How long an old but still valid token is used after a failed renewal before the next one.
const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// A token to call with.
#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) value: SecretString,
    /// Which fetch it came from. DingTalk may issue the same text twice, so the text cannot tell.
    fetch: u64,
}

/// The one place where tokens come from.
pub(crate) struct Tokens {
    app_key: String,
    app_secret: SecretString,
    kept: Mutex<Kept>,
    /// Fetches that have ended.
    fetches: AtomicU64,
}

impl Tokens {
    pub(crate) fn new(app_key: String, app_secret: SecretString) -> Self {
        Self { app_key, app_secret, kept: Mutex::default(), fetches: AtomicU64::new(0) }
    }

    /// A token that is good for now. Callers that come while one is being fetched wait for it and share its
    /// outcome, also if it is a failure.
    pub(crate) async fn get(&self, transport: &Transport) -> Result<Token, ConnectorError> {
        let fetches_before = self.fetches.load(Ordering::Acquire);
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.usable(Instant::now()) {
            return Ok(token);
        }
        if self.fetches.load(Ordering::Acquire) != fetches_before
            && let Some(failure) = &kept.failure
        {
            return Err(failure.clone());
        }
        let outcome = self.fetch(transport).await;
        let fetch = self.fetches.fetch_add(1, Ordering::AcqRel);
        kept.learn(outcome, fetch, Instant::now())
    }

    /// Forgets a token that DingTalk has refused, unless a newer one is there already.
    pub(crate) async fn invalidate(&self, refused: &Token) {
        self.kept.lock().await.forget(refused.fetch);
    }

    /// Uses a token to its very end. A token never gains a permission that was granted after it was issued,
    /// and renewing it early only makes it live longer; the one fetched after its end has the permission.
    pub(crate) async fn let_lapse(&self, token: &Token) {
        self.kept.lock().await.let_lapse(token.fetch);
    }

    async fn fetch(&self, transport: &Transport) -> Result<IssuedToken, ConnectorError> {
        let request = TokenRequest { app_key: &self.app_key, app_secret: self.app_secret.expose_secret() };
        let call = Call { operation: Operation::Token, query: &[], body: Some(&request) };
        let answer = transport.send(&call, None).await?;
        transport.decode(Operation::Token, answer)
    }
}

/// What is remembered between calls.
#[derive(Default)]
struct Kept {
    token: Option<KeptToken>,
    /// How the last fetch failed, for those who waited for it.
    failure: Option<ConnectorError>,
}

struct KeptToken {
    token: Token,
    renew_at: Instant,
    ends_at: Instant,
}

impl Kept {
    /// The token, unless it is time to renew it.
    fn usable(&self, now: Instant) -> Option<Token> {
        self.token.as_ref().filter(|kept| now < kept.renew_at).map(|kept| kept.token.clone())
    }

    /// Keeps what a fetch brought. After a failure the old token serves for as long as it lives.
    fn learn(
        &mut self,
        outcome: Result<IssuedToken, ConnectorError>,
        fetch: u64,
        now: Instant,
    ) -> Result<Token, ConnectorError> {
        self.failure = None;
        match outcome {
            Ok(issued) => {
                let lifetime = Duration::from_secs(issued.lifetime_secs);
                let token = Token { value: issued.token, fetch };
                let (renew_at, ends_at) = (now + used_for(lifetime), now + lifetime);
                self.token = Some(KeptToken { token: token.clone(), renew_at, ends_at });
                Ok(token)
            }
            Err(failure) => {
                if let Some(kept) = self.token.as_mut().filter(|kept| now < kept.ends_at) {
                    kept.renew_at = now + RENEW_AGAIN;
                    return Ok(kept.token.clone());
                }
                self.failure = Some(failure.clone());
                Err(failure)
            }
        }
    }

    fn forget(&mut self, fetch: u64) {
        self.token = self.token.take().filter(|kept| kept.token.fetch != fetch);
    }

    fn let_lapse(&mut self, fetch: u64) {
        if let Some(kept) = self.token.as_mut().filter(|kept| kept.token.fetch == fetch) {
            kept.renew_at = kept.ends_at;
        }
    }
}

/// How long a token of this lifetime is used before it is renewed.
fn used_for(lifetime: Duration) -> Duration {
    if lifetime > MARGIN * 2 { lifetime.saturating_sub(MARGIN) } else { lifetime / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Failure;
    use crate::error;

    const MINUTE: Duration = Duration::from_mins(1);

    fn issued(text: &str) -> IssuedToken {
        IssuedToken { token: SecretString::from(text), lifetime_secs: 7200 }
    }

    fn timeout() -> ConnectorError {
        error::explain(Operation::Token, "", &Failure::Timeout)
    }

    fn usable(kept: &Kept, now: Instant) -> Option<String> {
        kept.usable(now).map(|token| token.value.expose_secret().to_owned())
    }

    #[test]
    fn renewed_ten_minutes_before_the_end() {
        for (lifetime, used) in [(7200, 6600), (1201, 601), (1200, 600), (60, 30), (0, 0)] {
            assert_eq!(used_for(Duration::from_secs(lifetime)), Duration::from_secs(used), "{lifetime}");
        }
    }

    #[test]
    fn a_failed_renewal_leaves_a_living_token_in_use() {
        let (mut kept, start) = (Kept::default(), Instant::now());
        kept.learn(Ok(issued("a")), 0, start).expect("issued");
        assert_eq!(usable(&kept, start + MINUTE * 109).as_deref(), Some("a"));
        let late = start + MINUTE * 111;
        assert_eq!(usable(&kept, late), None, "it is time to renew");
        assert!(kept.learn(Err(timeout()), 1, late).is_ok(), "the old one still lives");
        assert_eq!(usable(&kept, late + RENEW_AGAIN / 2).as_deref(), Some("a"));
        assert_eq!(usable(&kept, late + RENEW_AGAIN), None);
        let dead = start + MINUTE * 121;
        assert!(kept.learn(Err(timeout()), 2, dead).is_err());
        assert!(kept.failure.is_some(), "those who waited hear of it");
    }

    #[test]
    fn only_the_refused_token_is_forgotten() {
        let (mut kept, now) = (Kept::default(), Instant::now());
        kept.learn(Ok(issued("a")), 0, now).expect("issued");
        kept.learn(Ok(issued("a")), 1, now).expect("issued again with the same text");
        kept.forget(0);
        assert_eq!(usable(&kept, now).as_deref(), Some("a"), "the refusal was about the one before");
        kept.forget(1);
        assert_eq!(usable(&kept, now), None);
    }

    #[test]
    fn a_token_without_a_permission_runs_out() {
        let (mut kept, start) = (Kept::default(), Instant::now());
        kept.learn(Ok(issued("a")), 0, start).expect("issued");
        kept.let_lapse(0);
        assert_eq!(usable(&kept, start + MINUTE * 119).as_deref(), Some("a"), "not renewed, so that it ends");
        assert_eq!(usable(&kept, start + MINUTE * 120), None);
    }
}
