//! Access tokens: one per app, renewed by asking again, replaced once expired or revoked (page A0033).

use std::collections::{BTreeSet, HashMap};

use crate::options::App;
use crate::random::Random;

/// The two hosts, which speak two dialects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// `oapi.dingtalk.com`.
    Old,
    /// `api.dingtalk.com`.
    New,
}

/// A token as it was issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// The app it speaks for.
    pub(crate) app: String,
    /// Where it was issued.
    pub(crate) host: Host,
    /// The scopes of the moment it was issued: a later grant does not reach it.
    pub(crate) scopes: BTreeSet<String>,
    expires_ms: u64,
}

/// All live tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    by_value: HashMap<String, Token>,
    current: HashMap<(String, Host), String>,
}

impl Tokens {
    /// The app's live token with its life renewed, or a new one that expires at `expires_ms`.
    pub(crate) fn issue(&mut self, app: &App, host: Host, life: Life, random: &mut Random) -> String {
        let slot = (app.key.clone(), host);
        if let Some(value) = self.current.get(&slot)
            && let Some(token) = self.by_value.get_mut(value)
            && token.expires_ms > life.now_ms
        {
            token.expires_ms = life.expires_ms;
            return value.clone();
        }
        let value = random.token();
        let token = Token { app: app.key.clone(), host, scopes: app.scopes.clone(), expires_ms: life.expires_ms };
        self.by_value.insert(value.clone(), token);
        if let Some(former) = self.current.insert(slot, value.clone()) {
            self.by_value.remove(&former);
        }
        value
    }

    /// The token of that value, unless expired.
    pub(crate) fn find(&self, value: &str, now_ms: u64) -> Option<&Token> {
        self.by_value.get(value).filter(|token| token.expires_ms > now_ms)
    }

    /// Makes a token invalid at once.
    pub(crate) fn revoke(&mut self, value: &str) {
        self.by_value.remove(value);
    }

    /// Makes every token invalid at once.
    pub(crate) fn revoke_all(&mut self) {
        *self = Self::default();
    }
}

/// When a token is asked for and until when it then lives, in milliseconds since the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    /// Now.
    pub(crate) now_ms: u64,
    /// The end of the life.
    pub(crate) expires_ms: u64,
}
