//! Whose signatures are trusted, and what a signed token must say (RFC 7519, RFC 7523 §3).
//!
//! Nothing that a token says about itself decides how it is judged: keys, algorithm, issuer, audience and pinned claims all
//! come from the settings of the credential. The header only says which of the trusted keys was used.

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// How far two clocks may be apart, in seconds.
const LEEWAY: i64 = 60;
/// Longest life of an assertion that a client signs for itself, in seconds: for so long it is remembered as used.
const LONGEST_ASSERTION: i64 = 3_600;
/// Most keys in a set that are looked at.
pub const MOST_KEYS: usize = 100;

/// Whose signature a credential trusts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// What `iss` must be.
    pub issuer: String,
    /// What `aud` must hold; `None`: our own token endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,
    /// The one algorithm that is taken.
    pub algorithm: SignatureAlgorithm,
    /// Where the issuer publishes its keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks_uri: Option<String>,
    /// The keys themselves, where they are not published.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Value>,
    /// Claims that must have exactly these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
}

/// An algorithm with public keys (RFC 7518 §3.1, RFC 8037).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: what Entra uses.
    RS256,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl SignatureAlgorithm {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::RS256, Self::PS256, Self::ES256, Self::EdDSA];

    /// Its name (RFC 7518 §3.1).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The algorithm of that name.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == word)
    }

    const fn of_library(self) -> Algorithm {
        match self {
            Self::RS256 => Algorithm::RS256,
            Self::PS256 => Algorithm::PS256,
            Self::ES256 => Algorithm::ES256,
            Self::EdDSA => Algorithm::EdDSA,
        }
    }

    /// True if a key is one of this algorithm.
    fn fits(self, key: &Jwk) -> bool {
        match (&key.algorithm, self) {
            (AlgorithmParameters::RSA(_), Self::RS256 | Self::PS256) => true,
            (AlgorithmParameters::EllipticCurve(key), Self::ES256) => key.curve == EllipticCurve::P256,
            (AlgorithmParameters::OctetKeyPair(key), Self::EdDSA) => key.curve == EllipticCurve::Ed25519,
            _ => false,
        }
    }
}

/// A set of public keys (RFC 7517 §5).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Keys(Vec<Jwk>);

impl Keys {
    /// Reads a set. Keys that this program cannot use are passed over, as RFC 7517 §5 wants it.
    ///
    /// # Errors
    /// When it is no set.
    pub fn parse(set: &Value) -> Result<Self, &'static str> {
        let keys = set.get("keys").and_then(Value::as_array).ok_or("is no JWK set: it has no array \"keys\"")?;
        let usable = |key: &Value| {
            let key: Jwk = serde_json::from_value(key.clone()).ok()?;
            SignatureAlgorithm::ALL.iter().any(|algorithm| algorithm.fits(&key)).then_some(key)
        };
        Ok(Self(keys.iter().take(MOST_KEYS).filter_map(usable).collect()))
    }

    /// How many keys an algorithm can use.
    pub fn count(&self, algorithm: SignatureAlgorithm) -> usize {
        self.0.iter().filter(|key| algorithm.fits(key)).count()
    }

    /// The key that a token names, or the only one if it names none and the set holds one alone.
    fn find(&self, id: Option<&str>, algorithm: SignatureAlgorithm) -> Option<&Jwk> {
        let mut fitting = self.0.iter().filter(|key| algorithm.fits(key));
        match id {
            Some(id) => fitting.find(|key| key.common.key_id.as_deref() == Some(id)),
            None => fitting.next().filter(|_| self.count(algorithm) == 1),
        }
    }

    /// True if a key of this name is in the set.
    pub(crate) fn has(&self, id: Option<&str>, algorithm: SignatureAlgorithm) -> bool {
        self.find(id, algorithm).is_some()
    }
}

/// What a token says that was signed by whom we trust.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Verified {
    /// When it is over.
    pub(crate) ends: OffsetDateTime,
    /// Its own name, if it has one.
    pub(crate) jti: Option<String>,
}

impl Trust {
    /// Judges a token. `audiences` are our own names, for a trust that names no audience.
    ///
    /// Nobody is told why a token was refused; the reason is for the log.
    pub(crate) fn verify(
        &self,
        token: &str,
        keys: &Keys,
        audiences: &[String],
        now: OffsetDateTime,
    ) -> Result<Verified, &'static str> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| "its header cannot be read")?;
        let key = keys.find(header.kid.as_deref(), self.algorithm).ok_or("its key is not known")?;
        let key = DecodingKey::from_jwk(key).map_err(|_| "its key cannot be used")?;
        let mut rules = Validation::new(self.algorithm.of_library());
        rules.set_issuer(&[&self.issuer]);
        match &self.audience {
            Some(audience) => rules.set_audience(&[audience]),
            None => rules.set_audience(audiences),
        }
        rules.set_required_spec_claims(&["iss", "aud", "exp"]);
        // The library would ask its own clock; ours is asked below.
        rules.validate_exp = false;
        let claims = decode::<Map<String, Value>>(token, &key, &rules).map_err(|error| reason(&error))?.claims;
        let moment = |name: &str| claims.get(name).and_then(Value::as_f64);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit a float exactly")]
        let (now, leeway) = (now.unix_timestamp() as f64, LEEWAY as f64);
        let ends = moment("exp").filter(|ends| now < ends + leeway).ok_or("it is over")?;
        if ["nbf", "iat"].iter().any(|name| moment(name).is_some_and(|begins| begins > now + leeway)) {
            return Err("it is not valid yet");
        }
        let pinned = |(name, value): (&String, &String)| claims.get(name).and_then(Value::as_str) == Some(value);
        if !self.claims.iter().all(pinned) {
            return Err("a claim is not what it must be");
        }
        #[expect(clippy::cast_possible_truncation, reason = "parts of a second do not count")]
        let ends = OffsetDateTime::from_unix_timestamp(ends as i64).map_err(|_| "its end is no moment")?;
        Ok(Verified { ends, jti: claims.get("jti").and_then(Value::as_str).map(str::to_owned) })
    }
}

/// The longest moment for which an assertion that a client has signed for itself may be valid.
pub(crate) fn latest_end(now: OffsetDateTime) -> OffsetDateTime {
    now + time::Duration::seconds(LONGEST_ASSERTION + LEEWAY)
}

/// How long after its end a token may still be taken, because of clocks.
pub(crate) fn forgotten_at(ends: OffsetDateTime) -> OffsetDateTime {
    ends.checked_add(time::Duration::seconds(LEEWAY)).unwrap_or(ends)
}

fn reason(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidAlgorithm => "its algorithm is another one",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidIssuer => "its issuer is another one",
        ErrorKind::InvalidAudience => "its audience is another one",
        ErrorKind::MissingRequiredClaim(_) => "a claim is missing",
        _ => "it cannot be read",
    }
}
