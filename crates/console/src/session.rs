//! A session: a signed token in a cookie. Nothing is kept on the server but which ones were signed out.
//!
//! The token is a JWT under the keys that the router was given. It ends after eight hours, and before that
//! when the operator gets another password, because it carries the stamp of the one it began with.

use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rollcall_api::services::sign_in::SignedIn;
use rollcall_api::signing::{Key, SigningKeys};
use rollcall_provisioning::ids::TenantId;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// How long a session lasts.
pub(crate) const LASTS: Duration = Duration::hours(8);

/// Whom the token is for: no token of another purpose opens the console.
const AUDIENCE: &str = "rollcall-console";
/// Over HTTPS: a browser takes a cookie of this name only from this very host, and only over HTTPS.
const SECURE_NAME: &str = "__Host-rollcall-session";
/// Over plain HTTP, as on one's own machine.
const PLAIN_NAME: &str = "rollcall-session";

/// What sessions are signed with.
pub(crate) struct SessionKey(SigningKeys);

#[derive(Serialize, Deserialize)]
struct Claims {
    aud: String,
    sub: String,
    tenant: Uuid,
    stamp: String,
    jti: Uuid,
    iat: i64,
    exp: i64,
}

/// A session that has not outlived its token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Session {
    /// Whose it is.
    pub(crate) who: SignedIn,
    /// What it is told from others by.
    pub(crate) id: Uuid,
    /// When it is over.
    pub(crate) ends: OffsetDateTime,
}

impl SessionKey {
    /// With these keys.
    pub(crate) fn new(keys: SigningKeys) -> Self {
        Self(keys)
    }

    /// The token of a session that begins now; `None` when it cannot be signed.
    pub(crate) fn issue(&self, who: &SignedIn, id: Uuid, now: OffsetDateTime) -> Option<String> {
        let claims = Claims {
            aud: AUDIENCE.to_owned(),
            sub: who.name.clone(),
            tenant: who.tenant.0,
            stamp: who.stamp.clone(),
            jti: id,
            iat: now.unix_timestamp(),
            exp: (now + LASTS).unix_timestamp(),
        };
        self.0.make(|key| signed(&claims, key))
    }

    /// The session of a token; `None` when it is not ours, was changed, or is over.
    pub(crate) fn read(&self, token: &str, now: OffsetDateTime) -> Option<Session> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["aud", "sub", "exp"]);
        // The library would ask its own clock; ours is asked below.
        rules.validate_exp = false;
        let read = |key: &Key| decode::<Claims>(token, &DecodingKey::from_secret(key), &rules).ok();
        let claims = self.0.read(read)?.claims;
        let ends = OffsetDateTime::from_unix_timestamp(claims.exp).ok().filter(|ends| *ends > now)?;
        let who = SignedIn { tenant: TenantId(claims.tenant), name: claims.sub, stamp: claims.stamp };
        Some(Session { who, id: claims.jti, ends })
    }
}

fn signed(claims: &Claims, key: &Key) -> Option<String> {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(key)).ok()
}

/// The tokens that a request carries, the one that counts first.
pub(crate) fn tokens(jar: &CookieJar) -> impl Iterator<Item = &str> {
    [SECURE_NAME, PLAIN_NAME].into_iter().filter_map(|name| jar.get(name)).map(Cookie::value)
}

/// Whether the session began over HTTPS.
pub(crate) fn is_secure(jar: &CookieJar) -> bool {
    jar.get(SECURE_NAME).is_some()
}

/// The jar with the session in it. `https`: how the browser reached us.
pub(crate) fn keep(jar: CookieJar, token: String, https: bool) -> CookieJar {
    jar.add(cookie(token, https, LASTS))
}

/// The jar without a session.
pub(crate) fn end(jar: CookieJar) -> CookieJar {
    let gone = |https| cookie(String::new(), https, Duration::ZERO);
    jar.add(gone(true)).add(gone(false))
}

fn cookie(value: String, https: bool, lasts: Duration) -> Cookie<'static> {
    Cookie::build((if https { SECURE_NAME } else { PLAIN_NAME }, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(https)
        .max_age(lasts)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::response::IntoResponse as _;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;
    const ID: Uuid = Uuid::from_u128(9);

    fn ada() -> SignedIn {
        SignedIn { tenant: TenantId(Uuid::from_u128(7)), name: "ada".to_owned(), stamp: "s1".to_owned() }
    }

    fn key(byte: u8) -> SessionKey {
        SessionKey::new([byte; 32].into())
    }

    #[test]
    fn a_session_reads_back_until_it_is_over() {
        let token = key(1).issue(&ada(), ID, NOW).expect("a token");
        let session = Some(Session { who: ada(), id: ID, ends: NOW + LASTS });
        assert_eq!(key(1).read(&token, NOW), session);
        assert_eq!(key(1).read(&token, NOW + LASTS - Duration::SECOND), session);
        assert_eq!(key(1).read(&token, NOW + LASTS), None);
        assert_eq!(key(2).read(&token, NOW), None, "another key");
    }

    #[test]
    fn nothing_but_our_own_token_is_taken() {
        let token = key(1).issue(&ada(), ID, NOW).expect("a token");
        let mut parts = token.split('.');
        let (head, body, mark) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        // {"alg":"none"}
        let none = format!("eyJhbGciOiJub25lIn0.{body}.");
        let elsewhere = Claims {
            aud: "another".to_owned(),
            sub: "ada".to_owned(),
            tenant: Uuid::from_u128(7),
            stamp: "s1".to_owned(),
            jti: ID,
            iat: 0,
            exp: i64::from(u32::MAX),
        };
        let elsewhere = signed(&elsewhere, &[1; 32]).expect("a token");
        for forged in [
            "",
            "a.b.c",
            &none,
            &elsewhere,
            &format!("{head}.{body}.{}", mark.to_lowercase()),
            &format!("{head}.{body}x.{mark}"),
        ] {
            assert_eq!(key(1).read(forged, NOW), None, "{forged}");
        }
    }

    #[test]
    fn cookies_are_for_us_alone() {
        for (https, expected) in [
            (true, "__Host-rollcall-session=t; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=28800"),
            (false, "rollcall-session=t; HttpOnly; SameSite=Strict; Path=/; Max-Age=28800"),
        ] {
            let response = keep(CookieJar::new(), "t".to_owned(), https).into_response();
            let set = response.headers().get(http::header::SET_COOKIE).and_then(|value| value.to_str().ok());
            assert_eq!(set, Some(expected));
        }
    }

    #[test]
    fn signing_out_takes_both_cookies_back() {
        let response = end(CookieJar::new()).into_response();
        let set: Vec<_> = response.headers().get_all(http::header::SET_COOKIE).iter().collect();
        assert_eq!(set.len(), 2);
        for header in set {
            let text = header.to_str().expect("text");
            assert!(text.contains("Max-Age=0") && text.contains("session=;"), "{text}");
        }
    }
}
