//! The texts of tokens, passwords and client secrets, and what is kept of them.
//!
//! A token is `rc_` and 86 characters of base64url: the tenant (16 bytes), the credential (16 bytes) and a random
//! secret (32 bytes). The ids say which row to look at, so that no index over secrets is needed; the secret alone
//! proves anything. For HTTP Basic the same is in two halves: the user name `rcu_` with the ids, the password `rcp_` with the
//! secret. An OAuth client is `rcc_` with the ids of tenant and client; its secrets are `rcs_` with the id of the credential
//! and the secret. Only the SHA-256 of the secret is stored: it is 256 random bits, so a slow hash would add
//! nothing but time to every request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_provisioning::ids::{CredentialId, OauthClientId, TenantId};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// What every token begins with, so that secret scanners and people can tell what they have found.
pub const PREFIX: &str = "rc_";

/// Length of the secret, in bytes.
pub const SECRET_BYTES: usize = 32;

/// What user names, passwords, OAuth clients and their secrets begin with.
const USER_PREFIX: &str = "rcu_";
const PASSWORD_PREFIX: &str = "rcp_";
const CLIENT_PREFIX: &str = "rcc_";
const CLIENT_SECRET_PREFIX: &str = "rcs_";

/// The SHA-256 of a secret: what the table `credentials` keeps.
#[derive(Clone, Copy, Debug)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of a secret.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// True if this is the stored hash. Takes the same time for every hash of the right length.
    pub fn matches(&self, stored: &[u8]) -> bool {
        self.0.as_slice().ct_eq(stored).into()
    }
}

/// A token as a client presents it: who it claims to be, and the hash of its proof.
#[derive(Clone, Copy, Debug)]
pub struct PresentedToken {
    /// The tenant it claims to belong to.
    pub tenant: TenantId,
    /// The credential it claims to be.
    pub credential: CredentialId,
    /// The hash of the secret it carries.
    pub hash: SecretHash,
}

/// Makes the token of a credential: the text to hand out once.
///
/// `secret` must come fresh from a cryptographic random source.
pub fn mint(tenant: TenantId, credential: CredentialId, secret: &[u8; SECRET_BYTES]) -> SecretString {
    text(PREFIX, &[tenant.0.as_bytes(), credential.0.as_bytes(), secret]).into()
}

/// Makes the user name and the password of a credential.
pub fn mint_password(
    tenant: TenantId,
    credential: CredentialId,
    secret: &[u8; SECRET_BYTES],
) -> (String, SecretString) {
    let name = text(USER_PREFIX, &[tenant.0.as_bytes(), credential.0.as_bytes()]);
    (name, text(PASSWORD_PREFIX, &[secret]).into())
}

/// The `client_id` of an OAuth client.
pub fn client_id(tenant: TenantId, client: OauthClientId) -> String {
    text(CLIENT_PREFIX, &[tenant.0.as_bytes(), client.0.as_bytes()])
}

/// Makes a secret of an OAuth client.
pub fn mint_client_secret(credential: CredentialId, secret: &[u8; SECRET_BYTES]) -> SecretString {
    text(CLIENT_SECRET_PREFIX, &[credential.0.as_bytes(), secret]).into()
}

/// Reads a token; `None` if the text cannot be one of ours.
pub fn parse(text: &str) -> Option<PresentedToken> {
    let bytes: [u8; 64] = bytes(PREFIX, text)?;
    let (tenant, rest) = bytes.split_first_chunk::<16>()?;
    let (credential, secret) = rest.split_first_chunk::<16>()?;
    Some(presented(*tenant, *credential, secret))
}

/// Reads a user name and a password; `None` if they cannot be ours.
pub fn parse_password(name: &str, password: &str) -> Option<PresentedToken> {
    let (name, secret): ([u8; 32], [u8; SECRET_BYTES]) = (bytes(USER_PREFIX, name)?, bytes(PASSWORD_PREFIX, password)?);
    let (tenant, credential) = name.split_first_chunk::<16>()?;
    Some(presented(*tenant, *credential.first_chunk()?, &secret))
}

/// Reads a `client_id`; `None` if it cannot be one of ours.
pub fn parse_client_id(text: &str) -> Option<(TenantId, OauthClientId)> {
    let bytes: [u8; 32] = bytes(CLIENT_PREFIX, text)?;
    let (tenant, client) = bytes.split_first_chunk::<16>()?;
    Some((TenantId(Uuid::from_bytes(*tenant)), OauthClientId(Uuid::from_bytes(*client.first_chunk()?))))
}

/// Reads a secret of an OAuth client of this tenant; `None` if it cannot be one of ours.
pub fn parse_client_secret(tenant: TenantId, text: &str) -> Option<PresentedToken> {
    let bytes: [u8; 48] = bytes(CLIENT_SECRET_PREFIX, text)?;
    let (credential, secret) = bytes.split_first_chunk::<16>()?;
    Some(presented(*tenant.0.as_bytes(), *credential, secret))
}

fn presented(tenant: [u8; 16], credential: [u8; 16], secret: &[u8]) -> PresentedToken {
    PresentedToken {
        tenant: TenantId(Uuid::from_bytes(tenant)),
        credential: CredentialId(Uuid::from_bytes(credential)),
        hash: SecretHash::of(secret),
    }
}

fn text(prefix: &str, parts: &[&[u8]]) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(parts.concat()))
}

fn bytes<const N: usize>(prefix: &str, text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text.strip_prefix(prefix)?).ok()?.try_into().ok()
}

/// The token inside an `Authorization` header: `Bearer <token>` in any case, or the bare token, because Okta's
/// "HTTP Header" mode sends exactly what the administrator typed.
pub fn from_header(value: &str) -> &str {
    let value = value.trim();
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim_start(),
        _ => value,
    }
}
