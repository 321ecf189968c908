//! The REST interface: parameters that cannot be used, and the form of refusals.

use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::world::{World, none_wrong};

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
