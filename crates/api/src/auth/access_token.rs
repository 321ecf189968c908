//! Access tokens of our own token endpoint: JWTs (RFC 7519) under a key that follows from the installation's master keys.
//!
//! A token says which credential it was given for. Whose that is, and whether it is still good, is looked up as with every
//! other credential, so that a revocation counts at once and no token can speak for another tenant; and since nothing is
//! stored when one is given out, fetching one per request costs the database nothing. Checking the signature takes about
//! as long as hashing the token to look it up in a memory of checked ones would.

use crate::auth::scopes::Scopes;
use crate::signing::{Key, SigningKeys};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use rollcall_provisioning::ids::{CredentialId, OauthClientId, TenantId};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Who has made the token, and for whom: no token of another purpose opens SCIM.
pub(crate) const ISSUER: &str = "rollcall";
const AUDIENCE: &str = "rollcall-scim";

/// What access tokens are signed with.
pub struct TokenKey(SigningKeys);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// The OAuth client.
    sub: Uuid,
    tenant: Uuid,
    /// What the client has proved itself by.
    credential: Uuid,
    scope: String,
    jti: Uuid,
    iat: i64,
    exp: i64,
}

/// What a token says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grant {
    pub(crate) tenant: TenantId,
    pub(crate) client: OauthClientId,
    pub(crate) credential: CredentialId,
    pub(crate) scopes: Scopes,
}

impl TokenKey {
    /// With these keys, the same in all processes of an installation.
    pub fn new(keys: impl Into<SigningKeys>) -> Self {
        Self(keys.into())
    }

    /// The token of a grant; `None` when it cannot be signed.
    pub(crate) fn issue(&self, grant: &Grant, id: Uuid, now: OffsetDateTime, seconds: i32) -> Option<String> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: grant.client.0,
            tenant: grant.tenant.0,
            credential: grant.credential.0,
            scope: grant.scopes.to_string(),
            jti: id,
            iat: now.unix_timestamp(),
            exp: now.unix_timestamp() + i64::from(seconds),
        };
        // RFC 9068 §2.1.
        let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::HS256) };
        self.0.make(|key| encode(&header, &claims, &EncodingKey::from_secret(key)).ok())
    }

    /// The grant of a token; `None` when it is not ours, was changed, or is over.
    pub(crate) fn read(&self, token: &str, now: OffsetDateTime) -> Option<Grant> {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_audience(&[AUDIENCE]);
        rules.set_issuer(&[ISSUER]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The library would ask its own clock; ours is asked below.
        rules.validate_exp = false;
        let read = |key: &Key| decode::<Claims>(token, &DecodingKey::from_secret(key), &rules).ok();
        let claims = self.0.read(read)?.claims;
        (now.unix_timestamp() < claims.exp).then_some(())?;
        Some(Grant {
            tenant: TenantId(claims.tenant),
            client: OauthClientId(claims.sub),
            credential: CredentialId(claims.credential),
            scopes: Scopes::parse(claims.scope.split_ascii_whitespace()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scopes::Scope;
    use time::Duration;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn grant() -> Grant {
        Grant {
            tenant: TenantId(Uuid::from_u128(1)),
            client: OauthClientId(Uuid::from_u128(2)),
            credential: CredentialId(Uuid::from_u128(3)),
            scopes: Scopes::NONE.with(Scope::UsersRead),
        }
    }

    #[test]
    fn a_token_is_read_by_whoever_has_the_key_until_it_is_over() {
        let key = TokenKey::new([1; 32]);
        let token = key.issue(&grant(), Uuid::nil(), NOW, 3_600).expect("a token");
        assert_eq!(key.read(&token, NOW), Some(grant()));
        assert_eq!(TokenKey::new([1; 32]).read(&token, NOW + Duration::seconds(3_599)), Some(grant()));
        assert_eq!(key.read(&token, NOW + Duration::seconds(3_600)), None, "over");
        assert_eq!(TokenKey::new([2; 32]).read(&token, NOW), None, "another installation");
        assert_eq!(key.read(&format!("{token}A"), NOW), None);
        assert_eq!(key.read(&token.replacen("ey", "eZ", 1), NOW), None);
    }

    #[test]
    fn tokens_of_other_purposes_are_refused() {
        let (key, sign) = (TokenKey::new([1; 32]), EncodingKey::from_secret(&[1; 32]));
        let whole = serde_json::json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "tenant": Uuid::nil(), "credential": Uuid::nil(),
            "scope": "users:read", "jti": Uuid::nil(), "iat": 0, "exp": 10,
        });
        for (name, value, read) in [
            ("iss", ISSUER, true),
            ("aud", "rollcall-console", false),
            ("iss", "https://sts.windows.net/x/", false),
            ("scope", "users:read everything", false),
            ("sub", "x", false),
        ] {
            let mut claims = whole.clone();
            claims[name] = value.into();
            for algorithm in [Algorithm::HS256, Algorithm::HS384] {
                let token = encode(&Header::new(algorithm), &claims, &sign).expect("a token");
                let expected = read && algorithm == Algorithm::HS256;
                assert_eq!(key.read(&token, NOW).is_some(), expected, "{name} {value} {algorithm:?}");
            }
        }
    }
}
