//! The token endpoint: OAuth clients with secrets (RFC 6749 §4.4).

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_tests::{Client, Reply, ScimClient, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

use crate::world::{World, none_wrong, not_refused};

const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// An OAuth client: its id in the set-up, and its `client_id`.
pub(crate) async fn oauth_client(world: &World, arguments: &[&str]) -> anyhow::Result<(String, String)> {
    let made = world.cli.json(&[&["oauth-client", "create"], arguments].concat()).await?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| made.to_string());
    Ok((text("id")?, text("client_id")?))
}

/// A secret of a client: its id, and the secret.
async fn secret(world: &World, client: &str, arguments: &[&str]) -> anyhow::Result<(String, String)> {
    let made = world.cli.json(&[&["oauth-client", "secret", client], arguments].concat()).await?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).with_context(|| made.to_string());
    Ok((text("id")?, text("client_secret")?))
}

/// Asks the token endpoint.
pub(crate) async fn ask(world: &World, form: &[(&str, &str)], basic: Option<&str>) -> anyhow::Result<Reply> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?;
    let mut request = http.post(format!("{}/oauth/token", world.server.base_url())).form(form);
    if let Some(pair) = basic {
        request = request.header("Authorization", format!("Basic {}", STANDARD.encode(pair)));
    }
    let answer = request.send().await?;
    let (status, headers) = (answer.status(), answer.headers().clone());
    Ok(Reply { status, headers, body: answer.json().await? })
}

/// How an answer falls short of a refusal as RFC 6749 §5.2 wants it.
pub(crate) fn not_denied(reply: &Reply, status: u16, error: &str) -> Option<String> {
    let header = |name: &str| reply.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let fits = reply.status == status
        && reply.body["error"] == error
        && reply.body["error_description"].is_string()
        && header("content-type") == "application/json"
        && header("cache-control") == "no-store"
        && (status != 401 || header("www-authenticate").starts_with("Basic realm="));
    (!fits).then(|| format!("should be {status} {error}, is {} {}", reply.status, reply.body))
}

/// A SCIM client with an access token.
pub(crate) fn with_access(world: &World, granted: &Reply) -> anyhow::Result<ScimClient> {
    ScimClient::new(Client::Plain, &world.scim_url(), granted.text("/access_token")?)
}

#[tokio::test]
async fn a_client_fetches_tokens_until_it_is_revoked() -> anyhow::Result<()> {
    let world = World::with(&["entra", "okta"]).await?;
    let (id, client_id) = oauth_client(&world, &["--source", "entra"]).await?;
    let (first, old) = secret(&world, &id, &[]).await?;
    let grant = [("grant_type", "client_credentials")];
    let post = |secret: &str| {
        let form = [("grant_type", "client_credentials"), ("client_id", &client_id), ("client_secret", secret)];
        let form: Vec<(String, String)> = form.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        form
    };
    let fetch = async |secret: &str| {
        let form = post(secret);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ask(&world, &form, None).await
    };
    let granted = fetch(&old).await?;
    assert_eq!(granted.status, 200, "{}", granted.body);
    assert_eq!(granted.body["token_type"], "Bearer");
    assert_eq!(granted.body["expires_in"], 7_200);
    assert_eq!(granted.body["scope"], "users:read users:write groups:read groups:write");
    assert_eq!(granted.headers["cache-control"], "no-store");
    let with_old = with_access(&world, &granted)?;
    world.user(&with_old, json!({ "userName": "ada" })).await?;
    let by_header = ask(&world, &grant, Some(&format!("{client_id}:{old}"))).await?;
    assert_eq!(by_header.status, 200, "{}", by_header.body);

    let (_, new) = secret(&world, &id, &[]).await?;
    let with_new = with_access(&world, &fetch(&new).await?)?;
    assert_eq!(fetch(&old).await?.status, 200, "both secrets are good during a rotation");
    world.cli.json(&["token", "revoke", &first]).await?;
    wait_until(HEARD_WITHIN, "the old secret is refused", async || {
        let reply = fetch(&old).await?;
        Ok((reply.status == 401).then_some(()))
    })
    .await?;
    assert_eq!(not_refused(&with_old.get("/Users?count=0").await?, 401, ""), None, "and what it has fetched too");
    assert_eq!(with_new.get("/Users?count=0").await?.status, 200);
    world.cli.json(&["oauth-client", "revoke", &id]).await?;
    wait_until(HEARD_WITHIN, "the client is refused", async || {
        Ok((with_new.get("/Users?count=0").await?.status == 401).then_some(()))
    })
    .await?;
    assert_eq!(not_denied(&fetch(&new).await?, 401, "invalid_client"), None);
    let listed = world.cli.json(&["token", "list"]).await?;
    let secrets: Vec<&Value> =
        listed.as_array().into_iter().flatten().filter(|entry| entry["kind"] == "client_secret").collect();
    assert!(secrets.len() == 2 && secrets.iter().all(|entry| entry["revoked_at"].is_string()), "{secrets:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_denied() -> anyhow::Result<()> {
    let mut world = World::with(&["entra", "okta"]).await?;
    world.tenant("umbrella", &["entra"]).await?;
    let (id, client) = oauth_client(&world, &["--source", "entra", "--tenant", "acme"]).await?;
    let (_, other) = oauth_client(&world, &["--source", "okta", "--tenant", "acme"]).await?;
    let (foreign_id, foreign) = oauth_client(&world, &["--source", "entra", "--tenant", "umbrella"]).await?;
    let (_, good) = secret(&world, &id, &["--tenant", "acme"]).await?;
    let (_, theirs) = secret(&world, &foreign_id, &["--tenant", "umbrella"]).await?;
    let (expired_id, expired) = secret(&world, &id, &["--tenant", "acme"]).await?;
    sqlx::query("UPDATE credentials SET expires_at = created_at WHERE id = $1::uuid")
        .bind(&expired_id)
        .execute(world.database.pool())
        .await?;
    let (good_pair, wrong_pair) = (format!("{client}:{good}"), format!("{client}:wrong"));
    let token = world.token_of("entra");
    let grant = ("grant_type", "client_credentials");
    let (me, mine) = (("client_id", client.as_str()), ("client_secret", good.as_str()));
    let mut wrong = Vec::new();
    let mut texts = std::collections::BTreeSet::new();
    for (form, basic, status, error) in [
        (vec![me, mine], None, 400, "invalid_request"),
        (vec![("grant_type", ""), me, mine], None, 400, "invalid_request"),
        (vec![("grant_type", "password"), me, mine], None, 400, "unsupported_grant_type"),
        (vec![("grant_type", "authorization_code"), me, mine], None, 400, "unsupported_grant_type"),
        (vec![grant], None, 401, "invalid_client"),
        (vec![grant, me], None, 401, "invalid_client"),
        (vec![grant, mine], None, 400, "invalid_request"),
        (vec![grant, me, me, mine], None, 400, "invalid_request"),
        (vec![grant, me, ("client_secret", "wrong")], None, 401, "invalid_client"),
        (vec![grant, me, ("client_secret", &expired)], None, 401, "invalid_client"),
        (vec![grant, me, ("client_secret", &theirs)], None, 401, "invalid_client"),
        (vec![grant, me, ("client_secret", token)], None, 401, "invalid_client"),
        (vec![grant, ("client_id", &other), mine], None, 401, "invalid_client"),
        (vec![grant, ("client_id", &foreign), mine], None, 401, "invalid_client"),
        (vec![grant, ("client_id", "unknown"), mine], None, 401, "invalid_client"),
        (vec![grant, ("client_id", &id), mine], None, 401, "invalid_client"),
        (vec![grant], Some(wrong_pair.as_str()), 401, "invalid_client"),
        (vec![grant], Some("no colon"), 401, "invalid_client"),
        (vec![grant, mine], Some(&good_pair), 400, "invalid_request"),
        (vec![grant, me, mine], Some(&good_pair), 400, "invalid_request"),
        (vec![grant, ("client_id", &other)], Some(&good_pair), 400, "invalid_request"),
        (vec![grant, me, mine, ("scope", "everything")], None, 400, "invalid_scope"),
        (vec![grant, me, mine, ("scope", "users:read admin")], None, 400, "invalid_scope"),
        (vec![grant, me, ("client_assertion", "x.y.z")], None, 400, "invalid_request"),
    ] {
        let reply = ask(&world, &form, basic).await?;
        wrong.extend(not_denied(&reply, status, error).map(|why| format!("{form:?} {basic:?}: {why}")));
        if status == 401 {
            texts.insert(reply.body["error_description"].to_string());
        }
    }
    none_wrong(&wrong);
    assert_eq!(texts.len(), 1, "nothing can be learnt from {texts:?}");
    let http = reqwest::Client::builder().no_proxy().build()?;
    let url = format!("{}/oauth/token", world.server.base_url());
    let as_json = http.post(&url).json(&json!({ "grant_type": "client_credentials" })).send().await?;
    assert_eq!(as_json.status(), 400);
    assert_eq!(as_json.json::<Value>().await?["error"], "invalid_request");
    // What no handler sees is told in the same form (RFC 6749 §5.2).
    let large = http.post(&url).body("x".repeat(2 << 20));
    // A client's own credential is nobody's here.
    let shown = http.get(&url).header("Authorization", "Bearer rcc_nobody");
    for (request, status) in [(http.get(&url), 405), (shown, 405), (http.post(format!("{url}/")), 404), (large, 413)] {
        let answer = request.send().await?;
        let (headers, seen) = (answer.headers().clone(), answer.status());
        let reply = Reply { status: seen, headers, body: answer.json().await? };
        assert_eq!(not_denied(&reply, status, "invalid_request"), None);
        assert_eq!(reply.headers.contains_key("allow"), status == 405);
    }
    Ok(())
}

#[tokio::test]
async fn a_token_says_what_its_client_may() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let may = ["--source", "generic", "--scopes", "users:read,users:write", "--token-minutes", "60"];
    let (id, client) = oauth_client(&world, &may).await?;
    let (_, secret) = secret(&world, &id, &[]).await?;
    let mut wrong = Vec::new();
    for (scope, granted, statuses) in [
        ("", "users:read users:write", [200, 201, 403]),
        ("users:read", "users:read", [200, 403, 403]),
        ("users:write", "users:write", [403, 201, 403]),
        ("api://sample/.default", "users:read users:write", [200, 201, 403]),
    ] {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &client),
            ("client_secret", &secret),
            ("scope", scope),
        ];
        let reply = ask(&world, &form, None).await?;
        assert_eq!(
            (&reply.body["scope"], &reply.body["expires_in"]),
            (&json!(granted), &json!(3_600)),
            "{}",
            reply.body
        );
        let scim = with_access(&world, &reply)?;
        let seen = [
            scim.get("/Users?count=0").await?.status.as_u16(),
            scim.post("/Users", &world.user_body(&json!({}))).await?.status.as_u16(),
            scim.get("/Groups?count=0").await?.status.as_u16(),
        ];
        if seen != statuses {
            wrong.push(format!("{scope:?}: {seen:?}"));
        }
    }
    none_wrong(&wrong);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*client),
        ("client_secret", &*secret),
        ("scope", "groups:read"),
    ];
    assert_eq!(not_denied(&ask(&world, &form, None).await?, 400, "invalid_scope"), None);
    Ok(())
}

/// Every process of an installation takes what another has given out, because they share the master key; another
/// installation does not.
#[tokio::test]
async fn tokens_are_good_in_every_process_of_the_installation_only() -> anyhow::Result<()> {
    let (mut world, stranger) = (World::with(&["generic"]).await?, World::with(&["generic"]).await?);
    let (id, client) = oauth_client(&world, &["--source", "generic"]).await?;
    let (_, secret) = secret(&world, &id, &[]).await?;
    let form = [("grant_type", "client_credentials"), ("client_id", &*client), ("client_secret", &*secret)];
    let granted = ask(&world, &form, None).await?;
    let token = granted.text("/access_token")?.to_owned();
    world.server.restart().await?;
    let here = ScimClient::new(Client::Plain, &world.scim_url(), &token)?;
    assert_eq!(here.get("/Users?count=0").await?.status, 200);
    let there = ScimClient::new(Client::Plain, &stranger.scim_url(), &token)?;
    assert_eq!(not_refused(&there.get("/Users?count=0").await?, 401, ""), None);
    let rest = ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), &token)?;
    assert_eq!(rest.get("/targets").await?.status, 403, "an access token is for SCIM");
    Ok(())
}
