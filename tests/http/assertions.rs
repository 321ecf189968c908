//! Signatures of others: assertions of OAuth clients (RFC 7523), Entra's workload identity federation, and Entra's own tokens.
//! The issuer is a real server on this machine, which the server under test may reach because it was told so.

use anyhow::Context as _;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rollcall_tests::{Client, Reply, ScimClient, wait_until};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::oauth::{ask, not_denied, oauth_client, with_access};
use crate::world::{World, none_wrong, not_refused, with};

const LOCAL: [(&str, &str); 2] =
    [("ROLLCALL_ALLOW_LOCAL_KEY_URLS", "true"), ("ROLLCALL_PUBLIC_URL", "https://rollcall.example")];
const TENANT: &str = "01234567-89ab-4cde-8f01-23456789abcd";
const OBJECT: &str = "11111111-2222-4333-8444-555555555555";
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A key pair with a name.
struct Signer {
    id: String,
    key: EncodingKey,
}

impl Signer {
    fn new(id: &str) -> anyhow::Result<Self> {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("a key pair")?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).context("its private key")?;
        let pem =
            format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()));
        Ok(Self { id: id.to_owned(), key: EncodingKey::from_rsa_pem(pem.as_bytes())? })
    }

    /// The public key.
    fn public(&self) -> anyhow::Result<Value> {
        let mut key = serde_json::to_value(Jwk::from_encoding_key(&self.key, Algorithm::RS256)?)?;
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        Ok(key)
    }

    fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        self.sign_as(claims, Algorithm::RS256, Some(&self.id))
    }

    fn sign_as(&self, claims: &Value, algorithm: Algorithm, id: Option<&str>) -> anyhow::Result<String> {
        let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
        Ok(encode(&header, claims, &self.key)?)
    }
}

/// A token without a signature, and one whose signature is made with the public key as if it were a shared secret.
fn forged(signer: &Signer, claims: &Value) -> anyhow::Result<[String; 3]> {
    let part = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());
    let none = |word: &str| format!("{}.{}.", part(&json!({ "alg": word, "kid": signer.id })), part(claims));
    let public = signer.public()?;
    let shared = EncodingKey::from_base64_secret(&public["n"].as_str().unwrap_or_default().replace(['-', '_'], "A"))
        .unwrap_or_else(|_| EncodingKey::from_secret(public["n"].as_str().unwrap_or_default().as_bytes()));
    let header = Header { kid: Some(signer.id.clone()), ..Header::new(Algorithm::HS256) };
    Ok([none("none"), none("None"), encode(&header, claims, &shared)?])
}

/// Somebody who publishes keys.
struct Issuer {
    server: MockServer,
}

impl Issuer {
    async fn publishing(signers: &[&Signer]) -> anyhow::Result<Self> {
        let issuer = Self { server: MockServer::start().await };
        issuer.publish(signers).await?;
        Ok(issuer)
    }

    async fn publish(&self, signers: &[&Signer]) -> anyhow::Result<()> {
        self.server.reset().await;
        let keys = signers.iter().map(|signer| signer.public()).collect::<anyhow::Result<Vec<_>>>()?;
        let answer = ResponseTemplate::new(200).set_body_json(json!({ "keys": keys }));
        Mock::given(method("GET")).and(path("/keys")).respond_with(answer).mount(&self.server).await;
        let elsewhere = ResponseTemplate::new(302).insert_header("Location", self.url("/keys"));
        Mock::given(method("GET")).and(path("/moved")).respond_with(elsewhere).mount(&self.server).await;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.uri())
    }

    /// How often it was asked since it last published.
    async fn asked(&self) -> usize {
        self.server.received_requests().await.map_or(0, |requests| requests.len())
    }
}

fn now() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "tokens are judged by the server's clock, which is this one")]
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Asks for a token by an assertion.
async fn assert_as(world: &World, client: &str, assertion: &str) -> anyhow::Result<Reply> {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", client),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", assertion),
    ];
    ask(world, &form, None).await
}

/// Claims of Entra's for its workload, which are good for the trust of [`federated`].
fn entra_claims() -> Value {
    json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": "api://rollcall", "tid": TENANT,
        "oid": OBJECT, "sub": OBJECT, "ver": "2.0", "iat": now(), "nbf": now(), "exp": now() + 3_600,
    })
}

/// A client that trusts Entra, with the keys of `issuer`: its `client_id`.
async fn federated(world: &World, issuer: &Issuer, keys: &str) -> anyhow::Result<String> {
    let (id, client) = oauth_client(world, &["--source", "entra"]).await?;
    let url = issuer.url(keys);
    let trust = ["--entra-tenant", TENANT, "--object-id", OBJECT, "--audience", "api://rollcall", "--jwks-uri", &url];
    world.cli.json(&[&["oauth-client", "federate", &id], trust.as_slice()].concat()).await?;
    Ok(client)
}

#[tokio::test]
async fn a_federated_client_is_judged_by_every_claim() -> anyhow::Result<()> {
    let world = World::with_environment(&["entra"], &LOCAL).await?;
    let (good, strange) = (Signer::new("a")?, Signer::new("a")?);
    let issuer = Issuer::publishing(&[&good]).await?;
    let client = federated(&world, &issuer, "/keys").await?;
    let whole = entra_claims();
    let granted = assert_as(&world, &client, &good.sign(&whole)?).await?;
    assert_eq!(granted.status, 200, "{} {}", granted.body, world.server.output());
    assert_eq!(with_access(&world, &granted)?.get("/Users?count=0").await?.status, 200);
    assert_eq!(
        assert_as(&world, &client, &good.sign(&whole)?).await?.status,
        200,
        "Entra keeps and sends the same one"
    );
    let mut cases = vec![
        ("another's signature", strange.sign(&whole)?),
        ("another algorithm", good.sign_as(&whole, Algorithm::RS512, Some("a"))?),
        ("another algorithm of the same key", good.sign_as(&whole, Algorithm::PS256, Some("a"))?),
        ("an unknown key", good.sign_as(&whole, Algorithm::RS256, Some("b"))?),
        ("a token of ours", granted.text("/access_token")?.to_owned()),
        ("no token", "x.y.z".to_owned()),
        ("too long", format!("{}.{}.x", "e".repeat(20_000), "e".repeat(20_000))),
    ];
    cases.extend(forged(&good, &whole)?.map(|token| ("no real signature", token)));
    for (why, claims) in [
        ("another issuer", json!({ "iss": "https://login.microsoftonline.com/common/v2.0" })),
        ("an issuer of version 1", json!({ "iss": format!("https://sts.windows.net/{TENANT}/") })),
        ("another audience", json!({ "aud": "api://other" })),
        ("no audience", json!({ "aud": [] })),
        ("another tenant", json!({ "tid": OBJECT })),
        ("another object", json!({ "oid": TENANT })),
        ("another version", json!({ "ver": "1.0" })),
        ("a version that is a number", json!({ "ver": 2.0 })),
        ("over", json!({ "exp": now() - 61 })),
        ("an end that is a text", json!({ "exp": (now() + 60).to_string() })),
        ("not valid yet", json!({ "nbf": now() + 120 })),
        ("not issued yet", json!({ "iat": now() + 120 })),
    ] {
        cases.push((why, good.sign(&with(whole.clone(), &claims))?));
    }
    for missing in ["iss", "aud", "tid", "oid", "ver", "exp"] {
        let mut claims = whole.clone();
        claims.as_object_mut().context("an object")?.remove(missing);
        cases.push((missing, good.sign(&claims)?));
    }
    let mut wrong = Vec::new();
    for (why, assertion) in cases {
        let reply = assert_as(&world, &client, &assertion).await?;
        wrong.extend(not_denied(&reply, 401, "invalid_client").map(|seen| format!("{why}: {seen}")));
    }
    for (leeway, claims) in [("just over", json!({ "exp": now() - 5 })), ("just not yet", json!({ "nbf": now() + 5 }))]
    {
        let reply = assert_as(&world, &client, &good.sign(&with(whole.clone(), &claims))?).await?;
        if reply.status != 200 {
            wrong.push(format!("{leeway}: {} {}", reply.status, reply.body));
        }
    }
    none_wrong(&wrong);
    let (_, other) = oauth_client(&world, &["--source", "entra"]).await?;
    assert_eq!(not_denied(&assert_as(&world, &other, &good.sign(&whole)?).await?, 401, "invalid_client"), None);
    Ok(())
}

#[tokio::test]
async fn made_up_keys_reach_the_issuer_once() -> anyhow::Result<()> {
    let world = World::with_environment(&["entra"], &LOCAL).await?;
    let good = Signer::new("a")?;
    let issuer = Issuer::publishing(&[&good]).await?;
    let client = federated(&world, &issuer, "/keys").await?;
    let mut tasks = tokio::task::JoinSet::new();
    let url = format!("{}/oauth/token", world.server.base_url());
    let http = reqwest::Client::builder().no_proxy().build()?;
    for place in 0..60 {
        let assertion = good.sign_as(&entra_claims(), Algorithm::RS256, Some(&format!("made-up-{place}")))?;
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", client.clone()),
            ("client_assertion_type", JWT_BEARER.to_owned()),
            ("client_assertion", assertion),
        ];
        let request = http.post(&url).form(&form);
        tasks.spawn(async move { request.send().await.map(|answer| answer.status().as_u16()) });
    }
    while let Some(status) = tasks.join_next().await {
        assert_eq!(status??, 401);
    }
    assert_eq!(issuer.asked().await, 1);
    assert_eq!(assert_as(&world, &client, &good.sign(&entra_claims())?).await?.status, 200, "and the real key is good");
    assert_eq!(issuer.asked().await, 1);
    Ok(())
}

#[tokio::test]
async fn keys_come_from_where_they_may() -> anyhow::Result<()> {
    let good = Signer::new("a")?;
    let issuer = Issuer::publishing(&[&good]).await?;
    let world = World::with_environment(&["entra"], &LOCAL).await?;
    let moved = federated(&world, &issuer, "/moved").await?;
    let reply = assert_as(&world, &moved, &good.sign(&entra_claims())?).await?;
    assert_eq!(not_denied(&reply, 401, "invalid_client"), None, "a redirect is not followed");
    assert_eq!(issuer.asked().await, 1);
    let careful = World::with(&["entra"]).await?;
    let client = federated(&careful, &issuer, "/keys").await?;
    let reply = assert_as(&careful, &client, &good.sign(&entra_claims())?).await?;
    assert_eq!(not_denied(&reply, 401, "invalid_client"), None, "an address of this machine is not asked");
    assert_eq!(issuer.asked().await, 1);
    let (id, _) = oauth_client(&careful, &["--source", "entra"]).await?;
    for url in ["http://issuer.example/keys", "ftp://issuer.example/keys", "issuer.example/keys"] {
        let refused = careful.cli.run(&["oauth-client", "keys", &id, "--jwks-uri", url]).await?;
        assert!(!refused.status.success() && refused.stderr.contains("https://"), "{url}: {}", refused.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_client_signs_with_its_own_key() -> anyhow::Result<()> {
    let world = World::with_environment(&["generic"], &LOCAL).await?;
    let (good, next) = (Signer::new("a")?, Signer::new("b")?);
    let (id, client) = oauth_client(&world, &["--source", "generic"]).await?;
    let file = world.cli.folder().join("keys.json");
    let register = async |signer: &Signer| {
        std::fs::write(&file, json!({ "keys": [signer.public()?] }).to_string())?;
        let file = file.to_string_lossy().into_owned();
        world.cli.json(&["oauth-client", "keys", &id, "--jwks-file", &file]).await
    };
    let first = register(&good).await?;
    let counter = std::cell::Cell::new(0);
    let claims = |more: &Value| {
        counter.set(counter.get() + 1);
        let whole = json!({
            "iss": client, "sub": client, "aud": "https://rollcall.example/oauth/token", "jti": format!("n{}", counter.get()),
            "iat": now(), "exp": now() + 300,
        });
        with(whole, more)
    };
    let once = good.sign(&claims(&json!({})))?;
    let too_much = [
        ("grant_type", "client_credentials"),
        ("client_id", &*client),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &*once),
        ("scope", "everything"),
    ];
    assert_eq!(not_denied(&ask(&world, &too_much, None).await?, 400, "invalid_scope"), None, "does not use it up");
    assert_eq!(assert_as(&world, &client, &once).await?.status, 200, "{}", world.server.output());
    assert_eq!(not_denied(&assert_as(&world, &client, &once).await?, 401, "invalid_client"), None, "twice");
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", JWT_BEARER),
        ("client_assertion", &*good.sign(&claims(&json!({ "aud": ["x", "https://rollcall.example"] })))?),
    ];
    assert_eq!(ask(&world, &form, None).await?.status, 200, "the assertion names the client");
    let mut cases = vec![("another's key", next.sign_as(&claims(&json!({})), Algorithm::RS256, Some("a"))?)];
    cases.extend(forged(&good, &claims(&json!({})))?.map(|token| ("no real signature", token)));
    for (why, more) in [
        ("another issuer", json!({ "iss": "x" })),
        ("another subject", json!({ "sub": "x" })),
        ("another audience", json!({ "aud": "https://other.example/oauth/token" })),
        ("the host of the request", json!({ "aud": format!("{}/oauth/token", world.server.base_url()) })),
        ("no name", json!({ "jti": null })),
        ("an empty name", json!({ "jti": "" })),
        ("a long life", json!({ "exp": now() + 7_200 })),
        ("over", json!({ "exp": now() - 120 })),
    ] {
        cases.push((why, good.sign(&claims(&more))?));
    }
    let mut wrong = Vec::new();
    for (why, assertion) in cases {
        let reply = assert_as(&world, &client, &assertion).await?;
        wrong.extend(not_denied(&reply, 401, "invalid_client").map(|seen| format!("{why}: {seen}")));
    }
    none_wrong(&wrong);
    register(&next).await?;
    for signer in [&good, &next] {
        let reply = assert_as(&world, &client, &signer.sign(&claims(&json!({})))?).await?;
        assert_eq!(reply.status, 200, "both keys are good during a rotation: {}", reply.body);
    }
    world.cli.json(&["token", "revoke", first["id"].as_str().unwrap_or_default()]).await?;
    let reply = assert_as(&world, &client, &good.sign(&claims(&json!({})))?).await?;
    assert_eq!(not_denied(&reply, 401, "invalid_client"), None, "the old key is revoked");
    Ok(())
}

#[tokio::test]
async fn entras_own_token_is_taken_where_its_tenant_is_trusted() -> anyhow::Result<()> {
    let mut world = World::with_environment(&["entra"], &LOCAL).await?;
    world.tenant("umbrella", &["entra"]).await?;
    let (good, strange) = (Signer::new("a")?, Signer::new("a")?);
    let issuer = Issuer::publishing(&[&good]).await?;
    let url = issuer.url("/keys");
    let trust = ["--source", "entra", "--entra-tenant", TENANT, "--jwks-uri", &url];
    let whole = json!({
        "iss": format!("https://sts.windows.net/{TENANT}/"), "aud": "8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "tid": TENANT,
        "oid": OBJECT, "sub": OBJECT, "ver": "1.0", "iat": now(), "nbf": now(), "exp": now() + 3_600,
    });
    let bearer = |token: &str| ScimClient::new(Client::Entra, &world.scim_url(), token);
    let token = good.sign(&whole)?;
    assert_eq!(not_refused(&bearer(&token)?.get("/Users?count=0").await?, 401, ""), None, "nobody trusts it");
    let made = world.cli.json(&[&["token", "trust", "--tenant", "acme"], trust.as_slice()].concat()).await?;
    let client = bearer(&token)?;
    let user = world.user(&client, json!({ "userName": "ada" })).await?;
    assert_eq!(client.get(&user.path).await?.status, 200);
    assert_eq!(world.client("umbrella/entra").get(&user.path).await?.status, 404, "it is in the tenant that trusts it");
    assert_eq!(issuer.asked().await, 1);
    let twice = world.cli.run(&[&["token", "trust", "--tenant", "umbrella"], trust.as_slice()].concat()).await?;
    assert!(!twice.status.success(), "an issuer's tokens open one directory alone");
    let mut cases = vec![
        ("another's signature", strange.sign(&whole)?),
        ("another algorithm", good.sign_as(&whole, Algorithm::RS384, Some("a"))?),
        ("an unknown key", good.sign_as(&whole, Algorithm::RS256, Some("b"))?),
    ];
    cases.extend(forged(&good, &whole)?.map(|token| ("no real signature", token)));
    for (why, claims) in [
        ("another tenant", json!({ "tid": OBJECT, "iss": format!("https://sts.windows.net/{OBJECT}/") })),
        ("another tenant behind the same issuer", json!({ "tid": OBJECT })),
        ("another issuer", json!({ "iss": "https://issuer.example" })),
        ("an issuer without its slash", json!({ "iss": format!("https://sts.windows.net/{TENANT}") })),
        ("another audience", json!({ "aud": "00000002-0000-0000-c000-000000000000" })),
        ("two audiences", json!({ "aud": ["8adf8e6e-67b2-4cf2-a259-e3dc5476c621", "x"] })),
        ("an issuer with a null character", json!({ "iss": "\u{0}" })),
        ("no issuer", json!({ "iss": null })),
        ("over", json!({ "exp": now() - 61 })),
        ("not valid yet", json!({ "nbf": now() + 120 })),
        ("our own issuer", json!({ "iss": "rollcall" })),
    ] {
        cases.push((why, good.sign(&with(whole.clone(), &claims))?));
    }
    let mut wrong = Vec::new();
    let mut texts = std::collections::BTreeSet::new();
    for (why, token) in cases {
        let reply = bearer(&token)?.get("/Users?count=0").await?;
        wrong.extend(not_refused(&reply, 401, "").map(|seen| format!("{why}: {seen}")));
        texts.insert(reply.text("/detail")?.split(" [request").next().unwrap_or_default().to_owned());
    }
    none_wrong(&wrong);
    assert_eq!(texts.len(), 1, "nothing can be learnt from {texts:?}");
    world.cli.json(&["token", "revoke", "--tenant", "acme", made["id"].as_str().unwrap_or_default()]).await?;
    wait_until(Duration::from_secs(5), "it is trusted no longer", async || {
        Ok((client.get("/Users?count=0").await?.status == 401).then_some(()))
    })
    .await
}
