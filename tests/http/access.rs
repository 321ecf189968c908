//! What a credential may do, from where and how fast a source may call, and HTTP Basic.

use rollcall_tests::{Client, Reply, ScimClient, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

use crate::tokens::nobody;
use crate::world::{GROUP, USER, World, none_wrong, not_refused, patch};

/// How long a change of the set-up may take to reach the server.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// A client with a token that may do only this.
async fn with_scopes(world: &World, source: &str, scopes: &str) -> anyhow::Result<ScimClient> {
    let (_, token) = world.token(&["--source", source, "--scopes", scopes]).await?;
    ScimClient::new(Client::Plain, &world.scim_url(), &token)
}

async fn send(client: &ScimClient, method: &str, path: &str, body: &Value) -> anyhow::Result<Reply> {
    match method {
        "GET" => client.get(path).await,
        "POST" => client.post(path, body).await,
        "PUT" => client.put(path, body).await,
        "PATCH" => client.patch(path, body).await,
        _ => client.delete(path).await,
    }
}

#[tokio::test]
async fn every_route_asks_for_its_right() -> anyhow::Result<()> {
    let world = World::with(&["generic", "okta"]).await?;
    let whole = world.client("generic");
    let (user, group) = (world.user(whole, json!({})).await?.path, world.group(whole, json!({})).await?.path);
    let change = patch(&json!([{ "op": "add", "path": "externalId", "value": "x" }]));
    let rights = ["users:read", "users:write", "groups:read", "groups:write"];
    let mut holders = Vec::new();
    for (place, right) in rights.into_iter().enumerate() {
        // A source has two live tokens at most, and one already.
        let source = format!("source-{place}");
        world.cli.json(&["source", "create", &source, "--profile", "generic"]).await?;
        holders.push((right, with_scopes(&world, &source, right).await?));
    }
    let mut wrong = Vec::new();
    for (method, path, body, needed) in [
        ("GET", "/Users?count=0", json!({}), "users:read"),
        ("GET", "//Users/?count=0", json!({}), "users:read"),
        ("GET", &user, json!({}), "users:read"),
        ("GET", &format!("{user}/"), json!({}), "users:read"),
        ("POST", "/Users/.search", json!({ "schemas": [], "count": 0 }), "users:read"),
        ("POST", "/Users", json!({}), "users:write"),
        ("PUT", &user, json!({}), "users:write"),
        ("PATCH", &user, change.clone(), "users:write"),
        ("DELETE", "/Users/nobody", json!({}), "users:write"),
        ("GET", "/Groups?count=0", json!({}), "groups:read"),
        ("GET", &group, json!({}), "groups:read"),
        ("POST", "/Groups/.search", json!({}), "groups:read"),
        ("POST", "/Groups", json!({}), "groups:write"),
        ("PUT", &group, json!({}), "groups:write"),
        ("PATCH", &group, change.clone(), "groups:write"),
        ("DELETE", "/Groups/nobody", json!({}), "groups:write"),
        ("GET", "", json!({}), "users:read groups:read"),
        ("GET", "/", json!({}), "users:read groups:read"),
        ("POST", "/.search", json!({}), "users:read groups:read"),
        ("GET", "/Schemas", json!({}), ""),
        ("GET", "/ServiceProviderConfig", json!({}), ""),
    ] {
        for (right, client) in &holders {
            let reply = send(client, method, path, &body).await?;
            let missing: Vec<&str> = needed.split_whitespace().filter(|needed| needed != right).collect();
            if missing.is_empty() {
                if [401, 403].contains(&reply.status.as_u16()) {
                    wrong.push(format!("{method} {path} with {right}: {} {}", reply.status, reply.body));
                }
                continue;
            }
            let why = not_refused(&reply, 403, "").map(|why| format!("{method} {path} with {right}: {why}"));
            wrong.extend(why);
            let challenge = reply.headers.get("www-authenticate").and_then(|value| value.to_str().ok());
            let named = format!("scope=\"{}\"", missing.join(" "));
            if !challenge.is_some_and(|text| text.contains(&named) && text.contains("insufficient_scope"))
                || !missing.iter().all(|right| reply.body["detail"].as_str().is_some_and(|text| text.contains(right)))
            {
                wrong.push(format!("{method} {path} with {right}: {challenge:?} {}", reply.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn each_operation_of_bulk_asks_for_its_right() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = with_scopes(&world, "generic", "users:write").await?;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "u", "data": { "schemas": [USER], "userName": "ada" } },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "schemas": [GROUP], "displayName": "All" } },
            { "method": "DELETE", "path": "/Users/bulkId:u" },
        ],
    });
    let reply = client.post("/Bulk", &body).await?;
    let seen: Vec<&Value> = reply.body["Operations"].as_array().into_iter().flatten().map(|op| &op["status"]).collect();
    assert_eq!(seen, ["201", "403", "204"], "{}", reply.body);
    let refused = &reply.body["Operations"][1]["response"]["detail"];
    assert!(refused.as_str().is_some_and(|text| text.contains("groups:write")), "{refused}");
    Ok(())
}

#[tokio::test]
async fn a_source_may_be_bound_to_networks() -> anyhow::Result<()> {
    let world = World::with_environment(&["generic"], &[("ROLLCALL_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8")]).await?;
    let client = world.client("generic");
    let from = |addresses: &str| client.with_header("X-Forwarded-For", addresses);
    for (networks, addresses, allowed) in [
        ("any", "198.51.100.7", true),
        ("127.0.0.0/8", "", true),
        ("127.0.0.0/8", "198.51.100.7", false),
        ("198.51.100.0/24", "198.51.100.7", true),
        ("198.51.100.0/24", "198.51.100.7, 10.1.1.1", true),
        ("198.51.100.0/24", "198.51.100.7, 203.0.113.1", false),
        ("198.51.100.0/24,2001:db8::/32", "2001:db8::5", true),
        ("198.51.100.9", "198.51.100.7", false),
    ] {
        world.cli.json(&["access", "set", "generic", "--networks", networks]).await?;
        let expected = if allowed { 200 } else { 403 };
        let reply = wait_until(HEARD_WITHIN, &format!("{networks} {addresses}: {expected}"), async || {
            let reply = from(addresses)?.get("/Users?count=0").await?;
            Ok((reply.status == expected).then_some(reply))
        })
        .await?;
        if !allowed {
            assert_eq!(not_refused(&reply, 403, ""), None);
            let nearest = addresses.rsplit(", ").next().unwrap_or_default();
            assert!(reply.text("/detail")?.contains(nearest), "{}", reply.body);
        }
    }
    Ok(())
}

/// Nobody but a proxy that is trusted may say where a request comes from.
#[tokio::test]
async fn an_unknown_proxy_is_not_believed() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    world.cli.json(&["access", "set", "generic", "--networks", "198.51.100.0/24"]).await?;
    let client = world.client("generic").with_header("X-Forwarded-For", "198.51.100.7")?;
    wait_until(HEARD_WITHIN, "the address is refused", async || {
        let reply = client.get("/Users?count=0").await?;
        Ok((reply.status == 403 && reply.text("/detail")?.contains("127.0.0.1")).then_some(()))
    })
    .await
}

/// Sends this many requests at the same time; their status codes and the `Retry-After` of each 429.
async fn flood(client: &ScimClient, requests: usize) -> anyhow::Result<Vec<(u16, Option<u32>)>> {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..requests {
        let client = client.clone();
        tasks.spawn(async move { client.get("/Users?count=0").await });
    }
    let mut seen = Vec::new();
    while let Some(reply) = tasks.join_next().await {
        let reply = reply??;
        let wait = reply.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        if reply.status == 429 {
            assert_eq!(not_refused(&reply, 429, ""), None);
        }
        seen.push((reply.status.as_u16(), wait));
    }
    Ok(seen)
}

#[tokio::test]
async fn a_source_has_a_rate() -> anyhow::Result<()> {
    let variables = [("ROLLCALL_SOURCE_REQUESTS_PER_SECOND", "25"), ("ROLLCALL_SOURCE_REQUEST_BURST", "50")];
    let world = World::with_environment(&["generic", "okta"], &variables).await?;
    let client = world.client("generic");
    let first = flood(client, 50).await?;
    assert!(first.iter().all(|(status, _)| *status == 200), "a burst of 50 passes: {first:?}");
    let refused = wait_until(Duration::from_secs(20), "the source is too fast", async || {
        Ok(flood(client, 100).await?.into_iter().find(|(status, _)| *status == 429))
    })
    .await?;
    assert!(refused.1.is_some_and(|wait| (1..=4).contains(&wait)), "{refused:?}");
    assert_eq!(world.client("okta").get("/Users?count=0").await?.status, 200, "another source is not slowed");
    world.cli.json(&["access", "set", "generic", "--rate", "10000/10000"]).await?;
    wait_until(HEARD_WITHIN, "the source has a rate of its own", async || {
        Ok(flood(client, 100).await?.iter().all(|(status, _)| *status == 200).then_some(()))
    })
    .await
}

/// What no route serves counts like everything else, and is told to nobody who shows something wrong.
#[tokio::test]
async fn a_rate_counts_what_is_not_there() -> anyhow::Result<()> {
    let variables = [("ROLLCALL_SOURCE_REQUESTS_PER_SECOND", "25"), ("ROLLCALL_SOURCE_REQUEST_BURST", "50")];
    let world = World::with_environment(&["generic"], &variables).await?;
    let client = world.client("generic");
    let rest = format!("{}/api/v1", world.server.base_url());
    let rest = ScimClient::new(Client::Plain, &rest, world.token_of("generic"))?;
    let nowhere = async || {
        let answers = [
            client.get("/Nothing").await?,
            client.delete("/Users").await?,
            rest.get("/nothing").await?,
            rest.get("/sources").await?,
        ];
        Ok::<_, anyhow::Error>(answers.map(|answer| answer.status.as_u16()))
    };
    assert_eq!(nowhere().await?, [404, 405, 404, 403]);
    wait_until(Duration::from_secs(20), "the source is too fast", async || {
        Ok((nowhere().await? == [429; 4]).then_some(()))
    })
    .await?;
    assert_eq!(nobody(&world)?.get("/Nothing").await?.status, 404);
    let wrong = nobody(&world)?.with_header("Authorization", "Bearer wrong")?;
    assert_eq!(wrong.get("/Nothing").await?.status, 401);
    Ok(())
}

/// Whoever fails too often hears so; whoever shows a valid token from the same address never does.
#[tokio::test]
async fn failures_are_slowed_and_lock_nobody_out() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let wrong = nobody(&world)?.with_header("Authorization", "Bearer wrong")?;
    wait_until(Duration::from_secs(20), "failing is slowed", async || {
        Ok(flood(&wrong, 200).await?.iter().any(|(status, wait)| *status == 429 && wait.is_some()).then_some(()))
    })
    .await?;
    assert_eq!(world.client("generic").get("/Users?count=0").await?.status, 200);
    let (_, fresh) = world.token(&["--source", "generic"]).await?;
    let fresh = ScimClient::new(Client::Plain, &world.scim_url(), &fresh)?;
    assert_eq!(fresh.get("/Users?count=0").await?.status, 200, "a token that was never seen before");
    Ok(())
}

/// What `WWW-Authenticate` says to somebody without a credential, and the schemes of the discovery document.
async fn schemes(world: &World) -> anyhow::Result<(Vec<String>, Vec<String>)> {
    let client = nobody(world)?;
    let refused = client.get("/Users").await?;
    let values = refused.headers.get_all("www-authenticate").iter();
    let challenges = values.filter_map(|value| value.to_str().ok()?.split(' ').next().map(str::to_owned)).collect();
    let config = client.get("/ServiceProviderConfig").await?.body;
    let types = config["authenticationSchemes"].as_array().into_iter().flatten();
    Ok((challenges, types.filter_map(|scheme| scheme["type"].as_str().map(str::to_owned)).collect()))
}

#[tokio::test]
async fn http_basic_is_off_until_a_source_allows_it() -> anyhow::Result<()> {
    use base64::Engine as _;
    let mut world = World::with(&["okta"]).await?;
    world.tenant("umbrella", &["okta"]).await?;
    let made = world.cli.json(&["token", "password", "--source", "okta", "--tenant", "acme"]).await?;
    let text = |name: &str| made[name].as_str().map(str::to_owned).unwrap_or_default();
    let (id, name, password) = (text("id"), text("user_name"), text("password"));
    let client = |name: &str, password: &str| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
        nobody(&world)?.with_header("Authorization", &format!("Basic {pair}"))
    };
    let good = client(&name, &password)?;
    assert_eq!(not_refused(&good.get("/Users?count=0").await?, 401, ""), None, "it is off");
    assert_eq!(
        schemes(&world).await?,
        (vec!["Bearer".to_owned()], ["oauthbearertoken", "oauth2"].map(String::from).to_vec())
    );
    world.cli.json(&["access", "set", "okta", "--basic", "true", "--tenant", "acme"]).await?;
    wait_until(HEARD_WITHIN, "it is on", async || Ok((good.get("/Users?count=0").await?.status == 200).then_some(())))
        .await?;
    let on = schemes(&world).await?;
    assert_eq!(on.0, ["Bearer", "Basic"]);
    assert_eq!(on.1, ["oauthbearertoken", "oauth2", "httpbasic"]);
    let theirs = world.client("umbrella/okta").get("/ServiceProviderConfig").await?.body;
    assert_eq!(theirs["authenticationSchemes"].as_array().map(Vec::len), Some(2), "off for that source");
    let token = world.token_of("okta");
    let mut wrong = Vec::new();
    for (name, password) in [
        (name.as_str(), "wrong"),
        (&name, ""),
        ("", password.as_str()),
        (&name, &name),
        (&password, &password),
        (&name.replace("rcu_", "rcc_"), &password),
        (token, ""),
        (token, token),
        ("okta", &password),
    ] {
        let reply = client(name, password)?.get("/Users?count=0").await?;
        wrong.extend(not_refused(&reply, 401, "").map(|why| format!("{name} {password}: {why}")));
    }
    none_wrong(&wrong);
    world.cli.json(&["token", "revoke", &id, "--tenant", "acme"]).await?;
    wait_until(HEARD_WITHIN, "it is revoked", async || {
        Ok((good.get("/Users?count=0").await?.status == 401).then_some(()))
    })
    .await
}

#[tokio::test]
async fn credentials_by_rest() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let (_, token) = world.token(&["--tenant", "acme"]).await?;
    let (_, foreign) = world.token(&["--tenant", "umbrella"]).await?;
    let url = format!("{}/api/v1", world.server.base_url());
    let (rest, theirs) =
        (ScimClient::new(Client::Plain, &url, &token)?, ScimClient::new(Client::Plain, &url, &foreign)?);
    let source = rest.get("/sources").await?.text("/data/0/id")?.to_owned();
    let body = json!({ "kind": "token", "source_id": source, "label": "second", "scopes": ["users:read"], "days": 30 });
    let made = rest.post("/credentials", &body).await?;
    assert_eq!(made.status, 201, "{}", made.body);
    let (id, token) = (made.text("/id")?.to_owned(), made.text("/token")?.to_owned());
    let scim = ScimClient::new(Client::Plain, &world.scim_url(), &token)?;
    assert_eq!(scim.get("/Users?count=0").await?.status, 200);
    let listed = rest.get("/credentials").await?.body;
    assert_eq!(listed["data"][0]["id"], json!(id), "{listed}");
    assert_eq!(listed["data"][0]["scopes"], json!(["users:read"]));
    assert!(!listed.to_string().contains(&token[40..]), "secrets are shown once");
    let mut wrong = Vec::new();
    for (path, body, status) in [
        ("/credentials", body.clone(), 409),
        ("/credentials", json!({ "kind": "token" }), 400),
        ("/credentials", json!({ "kind": "x", "label": "x" }), 400),
        ("/credentials", json!({ "kind": "token", "label": "" }), 400),
        ("/credentials", json!({ "kind": "token", "label": "x", "days": 0 }), 400),
        ("/credentials", json!({ "kind": "token", "label": "x", "bogus": 0 }), 400),
        ("/credentials", json!({ "kind": "token", "label": "x", "scopes": ["users:read"] }), 400),
        ("/credentials", json!({ "kind": "token", "label": "x", "source_id": id }), 400),
        ("/credentials", json!({ "kind": "password", "label": "x" }), 400),
        ("/credentials", json!({ "kind": "password", "label": "x", "source_id": source, "scopes": [] }), 400),
        ("/credentials", json!({ "kind": "password", "label": "x", "source_id": source, "scopes": ["x"] }), 400),
        ("/credentials", json!({ "kind": "client_secret", "label": "x", "source_id": source }), 400),
        ("/credentials", json!({ "kind": "client_secret", "label": "x", "oauth_client_id": id }), 400),
        (
            "/credentials",
            json!({ "kind": "client_secret", "label": "x", "oauth_client_id": id, "scopes": ["users:read"] }),
            400,
        ),
        ("/credentials", json!({ "kind": "issuer", "label": "x", "source_id": source }), 400),
        ("/oauth-clients", json!({ "source_id": id, "label": "x" }), 400),
        ("/oauth-clients", json!({ "source_id": source, "label": "x", "token_minutes": 59 }), 400),
        ("/oauth-clients", json!({ "source_id": source, "label": "x", "token_minutes": 361 }), 400),
        ("/oauth-clients", json!({ "source_id": source, "label": "x", "scopes": ["admin"] }), 400),
    ] {
        let reply = rest.post(path, &body).await?;
        if reply.status != status || reply.body["status"] != status {
            wrong.push(format!("{path} {body}: {} {}", reply.status, reply.body));
        }
    }
    let access = format!("/sources/{source}/access");
    for (body, status) in [
        (
            json!({ "networks": ["192.0.2.0/24", "2001:db8::1"], "rate": { "requests_per_second": 25, "burst": 50 } }),
            200,
        ),
        (json!({ "networks": ["192.0.2.0/33"] }), 400),
        (json!({ "networks": ["example.com"] }), 400),
        (json!({ "rate": { "requests_per_second": 24, "burst": 50 } }), 400),
        (json!({ "rate": { "requests_per_second": 25, "burst": 49 } }), 400),
        (json!({ "rate": { "requests_per_second": 25 } }), 400),
        (json!({ "bogus": 1 }), 400),
        (json!({}), 200),
    ] {
        let reply = rest.put(&access, &body).await?;
        if reply.status != status {
            wrong.push(format!("{access} {body}: {} {}", reply.status, reply.body));
        }
    }
    assert_eq!(rest.get(&access).await?.body, json!({ "basic": false, "networks": [] }));
    for (path, status) in [(format!("/credentials/{id}"), 404), (access.clone(), 404)] {
        let reply = if path == access { theirs.put(&path, &json!({})).await? } else { theirs.delete(&path).await? };
        if reply.status != status {
            wrong.push(format!("another tenant: {path}: {} {}", reply.status, reply.body));
        }
    }
    none_wrong(&wrong);
    assert_eq!(rest.delete(&format!("/credentials/{id}")).await?.status, 204);
    assert_eq!(rest.delete(&format!("/credentials/{id}")).await?.status, 404, "once is enough");
    wait_until(HEARD_WITHIN, "it is refused", async || {
        Ok((scim.get("/Users?count=0").await?.status == 401).then_some(()))
    })
    .await?;
    let log = rest.get("/changes").await?.body["data"].clone();
    let told: Vec<(&Value, &Value)> =
        log.as_array().into_iter().flatten().map(|entry| (&entry["kind"], &entry["operation"])).collect();
    assert!(told.contains(&(&json!("credential"), &json!("delete"))), "{log}");
    assert!(told.contains(&(&json!("source_access"), &json!("update"))), "{log}");
    assert!(log[0]["details"]["by"]["token"].is_string(), "{}", log[0]);
    Ok(())
}
