//! What people say about whom a credential is to trust, made into what is stored: defaults filled in, mistakes named.

use crate::auth::trust::{Keys, SignatureAlgorithm, Trust};
use crate::error::ApiError;
use rollcall_store::credentials::CredentialKind;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// The audience of the tokens that Entra issues for every application that is not from its gallery.
pub const ENTRA_AUDIENCE: &str = "8adf8e6e-67b2-4cf2-a259-e3dc5476c621";

/// Longest text in a trust, in bytes.
const LONGEST: usize = 1_000;
/// Most claims that are pinned.
const MOST_CLAIMS: usize = 20;
/// Largest set of keys that is registered, in bytes.
const LARGEST_SET: usize = 64 * 1024;

/// Whose signature is to be trusted. For Entra `entra_tenant` says most of it.
#[derive(Deserialize, ToSchema, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct TrustRequest {
    /// The id of the Entra tenant. Fills in issuer, address of the keys, and the claims `tid` and `ver`.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub entra_tenant: Option<String>,
    /// The object id of the service principal that the token must be for (`oid`). A federation with Entra needs it.
    #[serde(default)]
    pub object_id: Option<String>,
    /// What `iss` must be.
    #[serde(default)]
    #[schema(example = "https://issuer.example")]
    pub issuer: Option<String>,
    /// What `aud` must hold.
    #[serde(default)]
    #[schema(example = "api://rollcall")]
    pub audience: Option<String>,
    /// The one algorithm that is taken: `RS256` if left out, `PS256`, `ES256` or `EdDSA`.
    #[serde(default)]
    #[schema(example = "RS256")]
    pub algorithm: Option<String>,
    /// Where the keys are published. It must begin with `https://`.
    #[serde(default)]
    #[schema(example = "https://issuer.example/keys")]
    pub jwks_uri: Option<String>,
    /// The public keys themselves, as a JWK set (RFC 7517).
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub jwks: Option<Value>,
    /// Claims that must have exactly these values, such as `sub`.
    #[serde(default)]
    pub claims: BTreeMap<String, String>,
}

impl TrustRequest {
    /// What is stored. `client_id` is that of the OAuth client, where there is one.
    ///
    /// # Errors
    /// 400 that names what is missing or wrong.
    pub fn resolve(self, kind: CredentialKind, client_id: Option<&str>) -> Result<Trust, ApiError> {
        let algorithm = match self.algorithm.as_deref() {
            None => SignatureAlgorithm::RS256,
            Some(word) => SignatureAlgorithm::parse(word).ok_or_else(|| {
                let names = SignatureAlgorithm::ALL.map(SignatureAlgorithm::as_str).join(", ");
                ApiError::parameter("algorithm", format!("must be one of {names}"))
            })?,
        };
        let trust = match (kind, client_id) {
            (CredentialKind::PrivateKeyJwt, Some(client)) => self.own_keys(client, algorithm)?,
            (CredentialKind::Federation | CredentialKind::Issuer, _) => self.of_issuer(kind, algorithm)?,
            _ => return Err(ApiError::parameter("trust", "has no meaning for this kind of credential")),
        };
        check_texts(&trust)?;
        check_keys(&trust)?;
        Ok(trust)
    }

    /// A client's own keys: issuer and subject of its assertions are the client (RFC 7523 §3).
    fn own_keys(self, client: &str, algorithm: SignatureAlgorithm) -> Result<Trust, ApiError> {
        let others = [
            ("entra_tenant", self.entra_tenant.is_some()),
            ("object_id", self.object_id.is_some()),
            ("issuer", self.issuer.is_some()),
            ("claims", !self.claims.is_empty()),
        ];
        if let Some((name, _)) = others.into_iter().find(|(_, given)| *given) {
            return Err(ApiError::parameter(name, "has no meaning for a client's own keys: they sign for the client"));
        }
        Ok(Trust {
            issuer: client.to_owned(),
            audience: self.audience,
            algorithm,
            jwks_uri: self.jwks_uri,
            jwks: self.jwks,
            claims: BTreeMap::from([("sub".to_owned(), client.to_owned())]),
        })
    }

    fn of_issuer(self, kind: CredentialKind, algorithm: SignatureAlgorithm) -> Result<Trust, ApiError> {
        let mut claims = self.claims;
        let (mut issuer, mut jwks_uri, mut audience) = (self.issuer, self.jwks_uri, self.audience);
        if let Some(tenant) = &self.entra_tenant {
            let tenant = Uuid::try_parse(tenant)
                .map_err(|_| ApiError::parameter("entra_tenant", "must be the id of one Entra tenant, a UUID"))?;
            let host = "https://login.microsoftonline.com";
            let (from, keys, version) = match kind {
                CredentialKind::Issuer => {
                    audience = audience.or_else(|| Some(ENTRA_AUDIENCE.to_owned()));
                    (format!("https://sts.windows.net/{tenant}/"), format!("{host}/{tenant}/discovery/keys"), "1.0")
                }
                _ => (format!("{host}/{tenant}/v2.0"), format!("{host}/{tenant}/discovery/v2.0/keys"), "2.0"),
            };
            issuer = issuer.or(Some(from));
            jwks_uri = jwks_uri.or_else(|| self.jwks.is_none().then_some(keys));
            claims.entry("tid".to_owned()).or_insert_with(|| tenant.to_string());
            claims.entry("ver".to_owned()).or_insert_with(|| version.to_owned());
        }
        if let Some(object) = self.object_id {
            claims.entry("oid".to_owned()).or_insert(object);
        }
        // What an issuer signs for everybody is nobody's until it says whose.
        if kind == CredentialKind::Federation && !["oid", "sub"].iter().any(|name| claims.contains_key(*name)) {
            return Err(ApiError::parameter(
                "object_id",
                "must be given, or the claim sub or oid: without one, whatever the issuer signs would be let in",
            ));
        }
        Ok(Trust {
            issuer: issuer.ok_or_else(|| ApiError::parameter("issuer", "must be given, or entra_tenant"))?,
            audience: Some(audience.ok_or_else(|| ApiError::parameter("audience", "must be given"))?),
            algorithm,
            jwks_uri,
            jwks: self.jwks,
            claims,
        })
    }
}

fn check_texts(trust: &Trust) -> Result<(), ApiError> {
    let usable = |text: &str| (1..=LONGEST).contains(&text.len()) && !text.contains(char::is_control);
    for (name, text) in [
        ("issuer", Some(trust.issuer.as_str())),
        ("audience", trust.audience.as_deref()),
        ("jwks_uri", trust.jwks_uri.as_deref()),
    ] {
        if text.is_some_and(|text| !usable(text)) {
            return Err(ApiError::parameter(name, format!("must have 1 to {LONGEST} visible characters")));
        }
    }
    if trust.claims.len() > MOST_CLAIMS || !trust.claims.iter().all(|(name, value)| usable(name) && usable(value)) {
        let problem = format!("must be at most {MOST_CLAIMS}, each of 1 to {LONGEST} visible characters");
        return Err(ApiError::parameter("claims", problem));
    }
    Ok(())
}

fn check_keys(trust: &Trust) -> Result<(), ApiError> {
    match (&trust.jwks_uri, &trust.jwks) {
        (Some(url), None) => check_url(url),
        (None, Some(set)) => check_set(set, trust.algorithm),
        _ => Err(ApiError::parameter("jwks_uri", "or jwks must be given, and not both")),
    }
}

/// Plain HTTP only leads to this machine, and there only where the configuration allows it.
fn check_url(url: &str) -> Result<(), ApiError> {
    let plain = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    if url.starts_with("https://") || plain.iter().any(|start| url.starts_with(start)) {
        return Ok(());
    }
    Err(ApiError::parameter("jwks_uri", "must begin with https://"))
}

fn check_set(set: &Value, algorithm: SignatureAlgorithm) -> Result<(), ApiError> {
    let refuse = |problem: &str| Err(ApiError::parameter("jwks", problem));
    if set.to_string().len() > LARGEST_SET {
        return refuse("is larger than 64 KiB");
    }
    let keys = Keys::parse(set).map_err(|problem| ApiError::parameter("jwks", problem))?;
    let members = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    if members.filter_map(Value::as_object).any(|key| ["d", "p", "q", "k"].iter().any(|part| key.contains_key(*part))) {
        return refuse("holds a private key; keep that to yourself, and send the public one alone");
    }
    if keys.count(algorithm) == 0 {
        return refuse(&format!("holds no key for {}", algorithm.as_str()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const TENANT: &str = "01234567-89ab-4cde-8f01-23456789abcd";

    fn resolve(kind: CredentialKind, request: Value) -> Result<Trust, String> {
        let request: TrustRequest = serde_json::from_value(request).map_err(|error| error.to_string())?;
        request.resolve(kind, Some("rcc_client")).map_err(|error| error.to_string())
    }

    #[test]
    fn an_entra_tenant_says_most() {
        let issued = resolve(CredentialKind::Issuer, json!({ "entra_tenant": TENANT })).expect("a trust");
        assert_eq!(issued.issuer, format!("https://sts.windows.net/{TENANT}/"));
        assert_eq!(issued.audience.as_deref(), Some(ENTRA_AUDIENCE));
        assert_eq!(issued.claims["tid"], TENANT);
        assert_eq!(issued.claims["ver"], "1.0");
        let request = json!({ "entra_tenant": TENANT, "object_id": "o", "audience": "api://sample" });
        let federated = resolve(CredentialKind::Federation, request).expect("a trust");
        assert_eq!(federated.issuer, format!("https://login.microsoftonline.com/{TENANT}/v2.0"));
        let keys = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
        assert_eq!(federated.jwks_uri, Some(keys));
        assert_eq!((federated.claims["oid"].as_str(), federated.claims["ver"].as_str()), ("o", "2.0"));
    }

    #[test]
    fn mistakes_are_named() {
        use CredentialKind::{Federation, Issuer, PrivateKeyJwt, Token};
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" });
        let private = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "d": "BBBB" });
        let shared = json!({ "kty": "oct", "k": "AAAA" });
        let set = |key: &Value| json!({ "keys": [key] });
        for (kind, request, named) in [
            (Token, json!({}), "\"trust\""),
            (Issuer, json!({ "entra_tenant": "common" }), "\"entra_tenant\""),
            (Issuer, json!({ "issuer": "https://i.example", "jwks_uri": "https://i.example/k" }), "\"audience\""),
            (Issuer, json!({ "audience": "a", "jwks_uri": "https://i.example/k" }), "\"issuer\""),
            (Federation, json!({ "entra_tenant": TENANT, "audience": "a" }), "\"object_id\""),
            (Federation, json!({ "entra_tenant": TENANT, "object_id": "o" }), "\"audience\""),
            (PrivateKeyJwt, json!({}), "\"jwks_uri\""),
            (PrivateKeyJwt, json!({ "jwks_uri": "http://i.example/k" }), "\"jwks_uri\""),
            (PrivateKeyJwt, json!({ "jwks_uri": "http://127.0.0.1.example/k" }), "\"jwks_uri\""),
            (PrivateKeyJwt, json!({ "jwks_uri": "https://i.example/k", "jwks": set(&key) }), "\"jwks_uri\""),
            (PrivateKeyJwt, json!({ "jwks_uri": "https://i.example/k", "issuer": "x" }), "\"issuer\""),
            (PrivateKeyJwt, json!({ "jwks": set(&key) }), "no key for RS256"),
            (PrivateKeyJwt, json!({ "jwks": set(&private), "algorithm": "EdDSA" }), "private key"),
            (PrivateKeyJwt, json!({ "jwks": set(&shared), "algorithm": "EdDSA" }), "private key"),
            (PrivateKeyJwt, json!({ "jwks": {}, "algorithm": "EdDSA" }), "no JWK set"),
            (PrivateKeyJwt, json!({ "jwks": set(&key), "algorithm": "HS256" }), "\"algorithm\""),
            (PrivateKeyJwt, json!({ "jwks": set(&key), "algorithm": "none" }), "\"algorithm\""),
            (PrivateKeyJwt, json!({ "jwks": set(&key), "algorithm": "EdDSA", "audience": "" }), "\"audience\""),
        ] {
            let error = resolve(kind, request.clone()).expect_err(&request.to_string());
            assert!(error.contains(named), "{request}: {error}");
        }
        let own = resolve(PrivateKeyJwt, json!({ "jwks": set(&key), "algorithm": "EdDSA" })).expect("a trust");
        assert_eq!((own.issuer.as_str(), own.claims["sub"].as_str()), ("rcc_client", "rcc_client"));
    }
}
