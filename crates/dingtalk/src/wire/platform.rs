//! The token and what the application may see.

use super::lenient;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

/// A token lives this long when DingTalk does not say (page `obtain-the-access-token-of-an-internal-app`).
const USUAL_LIFETIME_SECS: u64 = 7200;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenRequest<'a> {
    pub(crate) app_key: &'a str,
    pub(crate) app_secret: &'a str,
}

/// `{"accessToken":"…","expireIn":7200}`; the other token calls spell it `access_token` and `expires_in`.
pub(crate) struct IssuedToken {
    pub(crate) token: SecretString,
    pub(crate) lifetime_secs: u64,
}

impl<'de> Deserialize<'de> for IssuedToken {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(rename = "accessToken", alias = "access_token")]
            token: String,
            #[serde(rename = "expireIn", alias = "expires_in", default, deserialize_with = "lenient::number")]
            lifetime_secs: Option<u64>,
        }
        let wire = Wire::deserialize(from)?;
        let lifetime_secs = wire.lifetime_secs.unwrap_or(USUAL_LIFETIME_SECS);
        Ok(Self { token: SecretString::from(wire.token), lifetime_secs })
    }
}

/// `GET /auth/scopes` (page `obtain-corpsecret-authorization-scope`).
#[derive(Deserialize)]
pub(crate) struct Scopes {
    /// The fields of people that may be read.
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) auth_user_field: Vec<String>,
    #[serde(default)]
    pub(crate) auth_org_scopes: OrgScopes,
}

/// The contact range.
#[derive(Deserialize, Default)]
pub(crate) struct OrgScopes {
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) authed_dept: Vec<String>,
    #[serde(default, deserialize_with = "lenient::texts")]
    pub(crate) authed_user: Vec<String>,
}

/// The answer of organizations/authInfos (page `obtain-enterprise-authentication-information`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthInfo {
    /// 0 is none, 1 advanced, 2 intermediate.
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) auth_level: Option<i64>,
}
