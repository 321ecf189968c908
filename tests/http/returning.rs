//! Who has which identity: rows G, those who come back, and those who are deleted.

use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, none_wrong, not_refused, patch};

#[tokio::test]
async fn names_are_unique_whatever_their_spelling() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let mut wrong = Vec::new();
    for (name, same) in [
        ("Ada@Acme.test", "aDA@aCME.TEST"),
        ("Ｆｕｌｌ", "full"),
        ("e\u{301}ve", "\u{c9}VE"),
        ("ｶﾞﾀ", "ガタ"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Ärger", "a\u{308}rger"),
        ("İstanbul", "i\u{307}stanbul"),
    ] {
        let user = world.user(client, json!({ "userName": name })).await?;
        if client.get(&user.path).await?.body["userName"] != name {
            wrong.push(format!("G3 {name}"));
        }
        let reply = client.post("/Users", &world.user_body(&json!({ "userName": same }))).await?;
        wrong.extend(not_refused(&reply, 409, "uniqueness").map(|why| format!("G2 {name} {same}: {why}")));
        let found = client.find("/Users", &format!("userName eq \"{same}\"")).await?;
        if found.body["Resources"][0]["id"] != user.id.as_str() {
            wrong.push(format!("F6 {same}: {}", found.body));
        }
        let own =
            client.patch(&user.path, &patch(&json!([{ "op": "replace", "path": "userName", "value": same }]))).await?;
        if own.status != 200 || own.body["userName"] != same {
            wrong.push(format!("own name {same}: {}", own.body));
        }
    }
    for name in ["ısparta", "Isparta", "😀👩‍🚀", "مرحبا", "张伟", "\u{202e}evil", "a b", "\u{10ffff}"]
    {
        world
            .user(client, json!({ "userName": name, "emails": [{ "value": "same@acme.test", "type": "work" }] }))
            .await?;
        let text = serde_json::to_string(name)?;
        let found = client.find("/Users", &format!("userName eq {text}")).await?;
        if found.body["totalResults"] != 1 {
            wrong.push(format!("G1 {name}: {}", found.body));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn those_who_are_posted_again() -> anyhow::Result<()> {
    let profiles = ["okta", "workday", "generic", "entra", "strict"];
    let world = World::with(&profiles).await?;
    let off = patch(&json!([{ "op": "replace", "value": { "active": false } }]));
    for profile in ["okta", "workday", "generic"] {
        let client = world.client(profile);
        let external = format!("Ext-{profile}");
        let user = world.user(client, json!({ "externalId": external, "title": "old" })).await?;
        let name = user.body["userName"].clone();
        let group = world.group(client, json!({ "members": [user.id] })).await?;
        let again = async |attributes| client.post("/Users", &world.user_body(&attributes)).await;
        assert_eq!(not_refused(&again(json!({ "userName": name })).await?, 409, "uniqueness"), None, "is active");
        client.patch(&user.path, &off).await?;
        for other in profiles.iter().filter(|other| **other != profile) {
            let reply = world.client(other).post("/Users", &world.user_body(&json!({ "userName": name }))).await?;
            assert_eq!(not_refused(&reply, 409, "uniqueness"), None, "{other} did not create the user of {profile}");
        }
        let back = again(json!({ "userName": name })).await?;
        assert_eq!(
            (back.status.as_u16(), back.text("/id")?, &back.body["active"]),
            (201, user.id.as_str(), &json!(true))
        );
        assert_eq!(back.body.get("title"), None, "the profile is replaced");
        assert_eq!(back.body["groups"][0]["value"], group.id.as_str(), "memberships are kept");

        client
            .patch(
                &user.path,
                &patch(&json!([{ "op": "replace", "value": { "active": false, "externalId": external } }])),
            )
            .await?;
        assert_ne!(again(json!({ "externalId": external.to_lowercase() })).await?.text("/id")?, user.id, "case counts");
        let taken = world.user(client, json!({})).await?.body["userName"].clone();
        let reply = again(json!({ "externalId": external, "userName": taken })).await?;
        assert_eq!(not_refused(&reply, 409, "uniqueness"), None, "{}", reply.body);
        assert!(reply.text("/detail")?.contains(taken.as_str().unwrap_or("?")), "{}", reply.body);
        let renamed = again(json!({ "externalId": external, "userName": format!("new-{profile}") })).await?;
        assert_eq!((renamed.status.as_u16(), renamed.text("/id")?), (201, user.id.as_str()), "by externalId");
    }
    for profile in ["entra", "strict"] {
        let client = world.client(profile);
        let user = world.user(client, json!({})).await?;
        client.patch(&user.path, &off).await?;
        let reply = client.post("/Users", &world.user_body(&json!({ "userName": user.body["userName"] }))).await?;
        assert_eq!(not_refused(&reply, 409, "uniqueness"), None, "{profile} activates whom it finds");
    }
    Ok(())
}

/// Some feeds give everybody of a household, or of a contractor, one externalId. The name says who is meant.
#[tokio::test]
async fn those_who_share_an_external_id() -> anyhow::Result<()> {
    let world = World::with(&["generic", "okta"]).await?;
    let (client, other) = (world.client("generic"), world.client("okta"));
    let leaves = patch(&json!([{ "op": "replace", "value": { "active": false, "externalId": "shared" } }]));
    let mut gone = Vec::new();
    for _ in 0..8 {
        let user = world.user(client, json!({})).await?;
        assert_eq!(client.patch(&user.path, &leaves).await?.status, 200);
        gone.push(user);
    }
    let stranger = world.user(other, json!({})).await?;
    other.patch(&stranger.path, &leaves).await?;
    let back = async |name: &Value| {
        client.post("/Users", &world.user_body(&json!({ "userName": name, "externalId": "shared" }))).await
    };
    for user in gone.iter().rev().take(7) {
        let reply = back(&user.body["userName"]).await?;
        assert_eq!((reply.status.as_u16(), reply.text("/id")?), (201, user.id.as_str()), "{}", reply.body);
    }
    let reply = back(&stranger.body["userName"]).await?;
    assert_eq!(not_refused(&reply, 409, "uniqueness"), None, "whoever has the name is the only one it can be");
    let renamed = back(&"renamed".into()).await?;
    assert_eq!((renamed.status.as_u16(), renamed.text("/id")?), (201, gone[0].id.as_str()), "the only one left");
    Ok(())
}

#[tokio::test]
async fn the_deleted_leave_nothing() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let boss = world.user(client, json!({ "externalId": "x" })).await?;
    let led = world.user(client, json!({ ENTERPRISE: { "department": "d", "manager": { "value": boss.id } } })).await?;
    let group = world.group(client, json!({ "members": [boss.id, led.id] })).await?;
    assert_eq!(client.delete(&boss.path).await?.status, 204);
    for filter in [
        format!("id eq \"{}\"", boss.id),
        format!("userName eq \"{}\"", boss.body["userName"].as_str().unwrap_or("?")),
        "externalId eq \"x\"".to_owned(),
        format!("manager eq \"{}\"", boss.id),
    ] {
        assert_eq!(client.find("/Users", &filter).await?.body["totalResults"], 0, "{filter}");
    }
    assert_eq!(client.find("/Groups", &format!("members eq \"{}\"", boss.id)).await?.body["totalResults"], 0);
    let report = client.get(&led.path).await?;
    assert_eq!(report.body[ENTERPRISE], json!({ "department": "d" }), "nobody is led by the deleted");
    assert_eq!(report.etag(), Some("W/\"2\""), "and clients can see that it changed");
    let members = client.get(&group.path).await?.body["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(1));
    let again = world.user(client, json!({ "userName": boss.body["userName"], "externalId": "x" })).await?;
    assert_ne!(again.id, boss.id, "an id is never used again");
    Ok(())
}
