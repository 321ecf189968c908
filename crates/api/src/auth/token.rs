//! The text of a bearer token, and what is kept of it.
//!
//! A token is `rc_` and 86 characters of base64url: the tenant (16 bytes), the credential (16 bytes) and a random
//! secret (32 bytes). The ids say which row to look at, so that no index over secrets is needed; the secret alone
//! proves anything. Only the SHA-256 of the secret is stored: it is 256 random bits, so a slow hash would add
//! nothing but time to every request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall_provisioning::ids::{CredentialId, TenantId};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

/// What every token begins with, so that secret scanners and people can tell what they have found.
pub const PREFIX: &str = "rc_";

/// Length of the secret, in bytes.
pub const SECRET_BYTES: usize = 32;

/// Length of everything behind the prefix, in bytes before encoding.
const TOKEN_BYTES: usize = 16 + 16 + SECRET_BYTES;

/// The SHA-256 of a token's secret: what the table `credentials` keeps.
#[derive(Clone, Copy, Debug)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash of a secret.
    fn of(secret: &[u8]) -> Self {
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

/// Makes the token of a credential: the text to hand out once, and the hash to keep.
///
/// `secret` must come fresh from a cryptographic random source.
pub fn mint(tenant: TenantId, credential: CredentialId, secret: &[u8; SECRET_BYTES]) -> (SecretString, SecretHash) {
    let mut bytes = Vec::with_capacity(TOKEN_BYTES);
    bytes.extend_from_slice(tenant.0.as_bytes());
    bytes.extend_from_slice(credential.0.as_bytes());
    bytes.extend_from_slice(secret);
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes));
    (SecretString::from(text), SecretHash::of(secret))
}

/// Reads a token; `None` if the text cannot be one of ours.
pub fn parse(text: &str) -> Option<PresentedToken> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let bytes: [u8; TOKEN_BYTES] = bytes.try_into().ok()?;
    let (tenant, rest) = bytes.split_first_chunk::<16>()?;
    let (credential, secret) = rest.split_first_chunk::<16>()?;
    Some(PresentedToken {
        tenant: TenantId(Uuid::from_bytes(*tenant)),
        credential: CredentialId(Uuid::from_bytes(*credential)),
        hash: SecretHash::of(secret),
    })
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
