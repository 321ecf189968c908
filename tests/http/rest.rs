//! The REST interface: parameters that cannot be used, and the form of refusals.

use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::world::{World, none_wrong, with};

#[tokio::test]
async fn parameters() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let url = format!("{}/api/v1", world.server.base_url());
    let (_, token) = world.token(&["--tenant", "acme"]).await?;
    let (_, foreign) = world.token(&["--tenant", "umbrella"]).await?;
    let client = ScimClient::new(Client::Plain, &url, &token)?;
    let user = world.user(world.client("generic"), json!({ "userName": "ada" })).await?;
    let long = format!("/users?userName={}", "x".repeat(20_000));
    let mut cases: Vec<(String, u16)> = vec![
        (user.path.to_lowercase(), 200),
        (format!("{}/explain", user.path.to_lowercase()), 200),
        ("/users?userName=ADA".to_owned(), 200),
        (long, 200),
        ("/targets".to_owned(), 200),
        ("/targets?limit=1".to_owned(), 400),
    ];
    for path in ["/users", "/users?userName=", "/users?userName=%00", "/users?userName=%ff", "/users?bogus=x"] {
        cases.push((path.to_owned(), 400));
    }
    for path in
        ["/users/x", "/users/%ff", "/users/%00", "/users/x/explain", "/users/%ff/explain", "/nope", "/users/x/nope"]
    {
        cases.push((path.to_owned(), 404));
    }
    for path in ["/deliveries", "/attempts", "/changes"] {
        cases.push((format!("{path}?limit=200&cursor="), 200));
        for query in [
            "limit=0",
            "limit=201",
            "limit=x",
            "cursor=%00",
            "cursor=%ff",
            "cursor=x",
            "resource=x",
            "bogus=1",
            "limit=1&limit=2",
            "%ff=1",
            "limit=%zz",
        ] {
            cases.push((format!("{path}?{query}"), 400));
        }
    }
    let mut wrong = Vec::new();
    for (path, status) in cases {
        let reply = client.get(&path).await?;
        let media_type = reply.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted_type = if status < 400 { "application/json" } else { "application/problem+json" };
        let problem = status < 400 || (reply.body["status"] == status && reply.body["request_id"].is_string());
        if reply.status != status || media_type != wanted_type || !problem {
            wrong.push(format!("{}: {} {media_type} {}", &path[..path.len().min(60)], reply.status, reply.body));
        }
    }
    for body in [json!({ "bogus": 1 }), json!({ "state": "x" }), json!({ "state": 1 }), json!({ "resource_id": "x" })] {
        let reply = client.post("/deliveries/retry", &body).await?;
        if reply.status != 400 {
            wrong.push(format!("retry {body}: {} {}", reply.status, reply.body));
        }
    }
    none_wrong(&wrong);
    let theirs = ScimClient::new(Client::Plain, &url, &foreign)?;
    assert_eq!(theirs.get(&user.path.to_lowercase()).await?.status, 404);
    assert_eq!(theirs.get(&format!("/changes?resource={}", user.id)).await?.body["data"], json!([]));
    let of_source = ScimClient::new(Client::Plain, &url, world.token_of("generic"))?;
    assert_eq!(of_source.get("/targets").await?.status, 403);
    Ok(())
}

/// Whatever is wrong with a body is said by its name, and with what would be right.
#[tokio::test]
async fn parts_of_a_body_that_cannot_be_are_named() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let rest = world.rest().await?;
    let source = rest.get("/sources").await?.text("/data/0/id")?.to_owned();
    let mut wrong = Vec::new();
    let unknown = "0196f3a0-0000-7000-8000-000000000000";
    let is_no = format!("is {unknown}, which is no");
    let (no_source, no_client) =
        (format!("{is_no} source of the tenant"), format!("{is_no} OAuth client of the tenant"));
    let new = |more: Value| with(json!({ "kind": "token", "label": "x" }), &more);
    let new_client = |more: Value| with(json!({ "source_id": source, "label": "x" }), &more);
    for (path, body, told) in [
        ("/credentials", new(json!({ "days": -1 })), "days must be a number from 1 to 3650, and is -1"),
        ("/credentials", new(json!({ "days": 0 })), "days must be a number from 1 to 3650, and is 0"),
        ("/credentials", new(json!({ "days": 1.5 })), "days must be a number from 1 to 3650, and is 1.5"),
        ("/credentials", new(json!({ "days": "soon" })), "days must be a number from 1 to 3650, and is \"soon\""),
        ("/credentials", new(json!({ "days": 9_999_999_999_u64 })), "days must be a number from 1 to 3650"),
        (
            "/credentials",
            new(json!({ "source_id": "x" })),
            "source_id must be the id of something, a UUID, and is \"x\"",
        ),
        ("/credentials", new(json!({ "source_id": 5 })), "source_id must be the id of something, a UUID, and is 5"),
        ("/credentials", new(json!({ "source_id": unknown })), &no_source),
        ("/credentials", new(json!({ "kind": "client_secret", "oauth_client_id": unknown })), &no_client),
        ("/credentials", new(json!({ "label": 5 })), "label invalid type: integer `5`"),
        ("/credentials", json!({ "kind": "token" }), "cannot be used: missing field `label`"),
        ("/credentials", new(json!({ "bogus": 5 })), "cannot be used: unknown field `bogus`"),
        ("/oauth-clients", new_client(json!({ "source_id": "x" })), "source_id must be the id of something"),
        ("/oauth-clients", new_client(json!({ "source_id": unknown })), &no_source),
        ("/oauth-clients", new_client(json!({ "token_minutes": -1 })), "token_minutes must be a number from 60 to 360"),
        ("/deliveries/retry", json!({ "resource_id": "x" }), "resource_id must be the id of something, a UUID"),
    ] {
        let reply = rest.post(path, &body).await?;
        let detail = reply.body["detail"].as_str().unwrap_or_default();
        if reply.status != 400 || !detail.contains(told) {
            wrong.push(format!("{body} {told}: {} {detail}", reply.status));
        }
    }
    let asked = rest.get("/deliveries?target=x").await?.body["detail"].clone();
    assert!(
        asked.as_str().is_some_and(|told| told.contains("\"target\" must be an id, a UUID, and is \"x\"")),
        "{asked}"
    );
    none_wrong(&wrong);
    Ok(())
}

/// X4: a password is nowhere: not in replies, not in the change log, not in what the server prints.
#[tokio::test]
async fn passwords_are_dropped() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let client = world.client("okta");
    let user = world.user(client, json!({ "password": "s3cret-1" })).await?;
    let set = json!([{ "op": "replace", "path": "password", "value": "s3cret-2" }]);
    let replies: Vec<Value> = vec![
        user.body.clone(),
        client.patch(&user.path, &crate::world::patch(&set)).await?.body,
        client.put(&user.path, &crate::world::with(user.body.clone(), &json!({ "password": "s3cret-3" }))).await?.body,
        client.get(&format!("{}?attributes=password", user.path)).await?.body,
    ];
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT attributes::text FROM users UNION ALL SELECT details::text FROM changes")
            .fetch_all(world.database.pool())
            .await?;
    let all = format!("{replies:?} {stored:?} {}", world.server.output());
    assert!(!all.contains("s3cret"), "{all}");
    Ok(())
}
