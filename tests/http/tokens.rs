//! Tokens: who is let in, as whom, and until when; and that tenants never see each other.

use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::raw::exchange;
use crate::world::{ENTERPRISE, World, none_wrong, not_refused, patch};

/// A client without a token.
pub(crate) fn nobody(world: &World) -> anyhow::Result<ScimClient> {
    ScimClient::anonymous(Client::Plain, &world.scim_url())
}

/// Asks with this `Authorization`, or none.
async fn status(world: &World, authorization: Option<&str>) -> anyhow::Result<rollcall_tests::Reply> {
    let client = nobody(world)?;
    match authorization {
        Some(text) => client.with_header("Authorization", text)?.get("/Users?count=0").await,
        None => client.get("/Users?count=0").await,
    }
}

#[tokio::test]
async fn who_is_let_in() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let good = world.token_of("generic").to_owned();
    let (_, rest) = world.token(&["--tenant", "acme"]).await?;
    let unknown = format!("Bearer rc_{}", "A".repeat(86));
    let (half, other) = (&good[..60], &world.token_of("umbrella/generic")[60..]);
    let wrong_secret = format!("Bearer {half}{other}");
    let refused = [
        "",
        "Bearer",
        "Bearer ",
        "non-token",
        "Bearer x",
        "Bearer rc_",
        "Basic dXNlcjpwYXNz",
        &unknown,
        &wrong_secret,
        &format!("Bearer {}", &good[..85]),
        &format!("Bearer {good}A"),
        &format!("Bearer {}", good.to_uppercase()),
        &format!("Token {good}"),
        &format!("Bearer Bearer {good}"),
        &format!("Bearer {good} x"),
    ];
    let (mut wrong, mut texts) = (Vec::new(), std::collections::BTreeSet::new());
    for authorization in refused.iter().map(|text| Some(*text)).chain([None]) {
        let reply = status(&world, authorization).await?;
        wrong.extend(not_refused(&reply, 401, "").map(|why| format!("{authorization:?}: {why}")));
        assert!(reply.headers.contains_key("www-authenticate"), "{authorization:?}");
        texts.insert(reply.text("/detail")?.split(" [request").next().unwrap_or_default().to_owned());
    }
    assert_eq!(texts.len(), 1, "nothing can be learnt from {texts:?}");
    for scheme in ["Bearer ", "bearer ", "BEARER   ", ""] {
        assert_eq!(status(&world, Some(&format!("{scheme}{good}"))).await?.status, 200, "{scheme:?}");
    }
    wrong.extend(not_refused(&status(&world, Some(&format!("Bearer {rest}"))).await?, 403, ""));
    let config = nobody(&world)?.with_header("Authorization", "Bearer wrong")?.get("/ServiceProviderConfig").await?;
    wrong.extend(not_refused(&config, 401, "").map(|why| format!("discovery: {why}")));
    none_wrong(&wrong);
    Ok(())
}

/// Whoever looks at one of them, on the way or here, must know which counts.
#[tokio::test]
async fn one_token_a_request() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let good = format!("Authorization: Bearer {}\r\n", world.token_of("generic"));
    for (headers, status) in [
        (good.clone(), 200),
        (format!("{good}{good}"), 400),
        (format!("{good}Authorization: Bearer x\r\n"), 400),
        (format!("authorization: Basic eDp4\r\n{good}"), 400),
        (format!("Authorization:\r\n{good}"), 400),
    ] {
        for path in ["/scim/v2/Users", "/scim/v2/Schemas"] {
            let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");
            let answer = exchange(&world.server, request.as_bytes()).await?;
            assert_eq!(answer.status, status, "{path} {headers}: {}", answer.body);
            assert!(status == 200 || answer.json()["status"] == "400", "{}", answer.body);
        }
    }
    Ok(())
}

#[tokio::test]
async fn until_when() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (id, token) = world.token(&["--source", "generic", "--tenant", "acme"]).await?;
    let bearer = format!("Bearer {token}");
    assert_eq!(status(&world, Some(&bearer)).await?.status, 200);
    world.cli.json(&["token", "revoke", &id, "--tenant", "acme"]).await?;
    // The server hears of it by a notification, which is on its way when the command ends.
    rollcall_tests::wait_until(std::time::Duration::from_secs(2), "the token is refused", async || {
        Ok((status(&world, Some(&bearer)).await?.status == 401).then_some(()))
    })
    .await?;
    let (id, token) = world.token(&["--source", "generic", "--tenant", "acme"]).await?;
    sqlx::query("UPDATE credentials SET expires_at = created_at WHERE id = $1::uuid")
        .bind(&id)
        .execute(world.database.pool())
        .await?;
    let expired = status(&world, Some(&format!("Bearer {token}"))).await?;
    assert_eq!(not_refused(&expired, 401, ""), None);
    Ok(())
}

#[tokio::test]
async fn tenants_do_not_see_each_other() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let (ours, theirs) = (world.client("generic"), world.client("umbrella/generic"));
    let stranger = world.user(theirs, json!({ "userName": "same", "displayName": "Stranger" })).await?;
    let strangers = world.group(theirs, json!({ "displayName": "Same" })).await?;
    let ada = world.user(ours, json!({ "userName": "same" })).await?;
    world.group(ours, json!({ "displayName": "Same" })).await?;
    let mut wrong = Vec::new();
    for path in [&stranger.path, &strangers.path] {
        let change = patch(&json!([{ "op": "add", "path": "externalId", "value": "x" }]));
        let body = if path.starts_with("/Users") { &ada.body } else { &strangers.body };
        for reply in [
            ours.get(path).await?,
            ours.put(path, body).await?,
            ours.patch(path, &change).await?,
            ours.delete(path).await?,
        ] {
            wrong.extend(not_refused(&reply, 404, "").map(|why| format!("{path}: {why}")));
        }
        assert_eq!(theirs.get(path).await?.etag(), Some("W/\"1\""), "nothing happened to it");
    }
    let nowhere = "01a20584-0000-7000-8000-000000000001";
    let named = world.group(ours, json!({ "members": [stranger.id, strangers.id, nowhere] })).await?;
    let mut values: Vec<&str> = vec![&stranger.id, &strangers.id, nowhere];
    values.sort_unstable();
    let bare: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
    assert_eq!(
        ours.get(&named.path).await?.body["members"],
        json!(bare),
        "an id of another tenant is one that nobody has"
    );
    world.user(ours, json!({ ENTERPRISE: { "manager": { "value": stranger.id } } })).await?;
    assert_eq!(theirs.get(&stranger.path).await?.body.get("groups"), None);
    for (client, path, filter, total) in [
        (ours, "/Users", format!("id eq \"{}\"", stranger.id), 0),
        (ours, "/Users", "displayName eq \"Stranger\"".to_owned(), 0),
        (ours, "/Groups", format!("members[value eq \"{}\" and type pr]", stranger.id), 0),
        (ours, "/Users", "userName eq \"same\"".to_owned(), 1),
        (theirs, "/Groups", format!("members eq \"{}\"", stranger.id), 0),
        (theirs, "/Users", format!("manager eq \"{}\"", stranger.id), 0),
    ] {
        let found = client.find(path, &filter).await?.body;
        if found["totalResults"] != total {
            wrong.push(format!("{filter}: {found}"));
        }
    }
    theirs.delete(&stranger.path).await?;
    assert_eq!(ours.get(&named.path).await?.body["members"], json!(bare), "what they do is nothing to us");
    none_wrong(&wrong);
    Ok(())
}
