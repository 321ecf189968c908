//! Pages and the shape of lists: rows H; attributes and excludedAttributes; versions.

use serde_json::{Value, json};

use crate::world::{DINGTALK, ENTERPRISE, LIST, USER, World, none_wrong, not_refused};

#[tokio::test]
async fn pages_of_people() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let mut ids = Vec::new();
    for _ in 0..12 {
        ids.push(world.user(client, json!({ "title": "t" })).await?.id);
    }
    // Query, startIndex, which are wanted.
    let cases = [
        ("", 1, 0..12),
        ("startIndex=0", 1, 0..12),
        ("startIndex=-3&count=2", 1, 0..2),
        ("startIndex=1&count=5", 1, 0..5),
        ("startIndex=6&count=5", 6, 5..10),
        ("startIndex=11&count=5", 11, 10..12),
        ("startIndex=13", 13, 12..12),
        ("count=0", 1, 0..0),
        ("count=-5", 1, 0..0),
        ("count=99999999999999999999", 1, 0..12),
        ("startIndex=9223372036854775807&count=1000", i64::MAX, 0..0),
        ("startIndex=&count=&attributes=&unknown=%zz&sortOrder=descending", 1, 0..12),
    ];
    let mut wrong = Vec::new();
    for filter in ["", "filter=title%20eq%20%22t%22&", "filter=userName%20pr&"] {
        for (query, start, range) in &cases {
            let list = client.get(&format!("/Users?{filter}{query}")).await?.body;
            let seen: Vec<&str> =
                list["Resources"].as_array().into_iter().flatten().filter_map(|user| user["id"].as_str()).collect();
            let numbers =
                json!({ "schemas": [LIST], "totalResults": 12, "startIndex": start, "itemsPerPage": range.len() });
            let lack = crate::world::missing(&numbers, &list);
            if seen != ids[range.clone()] || lack.is_some() || !list["Resources"].is_array() {
                wrong.push(format!("{filter}{query}: {lack:?} {list}"));
            }
        }
    }
    for query in ["count=x", "count=1.5", "count=1e3", "startIndex=0x1", "count=1&count=2", "startIndex=%ff"] {
        let reply = client.get(&format!("/Users?{query}")).await?;
        wrong.extend(not_refused(&reply, 400, "invalidValue").map(|why| format!("{query}: {why}")));
    }
    none_wrong(&wrong);
    client.delete(&format!("/Users/{}", ids[0])).await?;
    assert_eq!(client.get("/Users?count=0").await?.body["totalResults"], 11, "the deleted are gone");
    Ok(())
}

#[tokio::test]
async fn more_than_a_page() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    for _ in 0..103 {
        world.user(client, json!({})).await?;
    }
    let list = client.get("/Users").await?.body;
    assert_eq!((&list["totalResults"], &list["itemsPerPage"]), (&json!(103), &json!(100)), "H3");
    let rest = client.get("/Users?startIndex=101").await?.body;
    assert_eq!((&rest["totalResults"], &rest["itemsPerPage"]), (&json!(103), &json!(3)), "H1");
    Ok(())
}

#[tokio::test]
async fn only_what_was_asked_for() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let user = world
        .user(client, json!({
            "title": "t", "name": { "givenName": "g", "familyName": "f" }, "emails": [{ "value": "e", "type": "work" }],
            ENTERPRISE: { "department": "d", "division": "v" },
        }))
        .await?;
    let group = world.group(client, json!({ "members": [user.id] })).await?;
    let all = format!("active emails groups id meta name schemas title {ENTERPRISE} userName");
    let without = |names: &[&str]| {
        let kept = all.split(' ').filter(|name| !names.contains(name));
        kept.collect::<Vec<_>>().join(" ")
    };
    let cases = [
        ("", all.clone()),
        ("attributes=userName", "id schemas userName".to_owned()),
        ("attributes=USERNAME,%20title,bogus", "id schemas title userName".to_owned()),
        ("attributes=userName&attributes=title", "id schemas title userName".to_owned()),
        ("attributes=urn:ietf:params:scim:schemas:core:2.0:User:title", "id schemas title".to_owned()),
        ("attributes=password,bogus", "id schemas".to_owned()),
        ("attributes=groups,meta.location", "groups id meta schemas".to_owned()),
        ("attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", format!("id schemas {ENTERPRISE}")),
        ("excludedAttributes=id,schemas,bogus", all.clone()),
        ("excludedAttributes=groups,META", without(&["groups", "meta"])),
        (
            "excludedAttributes=urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aenterprise%3A2.0%3AUser",
            without(&[ENTERPRISE]),
        ),
    ];
    let keys = |body: &Value| {
        let mut keys: Vec<&str> = body.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str)).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    let mut wrong = Vec::new();
    for (query, wanted) in &cases {
        let one = client.get(&format!("{}?{query}", user.path)).await?;
        let listed = client.get(&format!("/Users?{query}")).await?;
        let patched = client
            .patch(
                &format!("{}?{query}", user.path),
                &crate::world::patch(&json!([{ "op": "add", "path": "title", "value": "t" }])),
            )
            .await?;
        for body in [&one.body, &listed.body["Resources"][0], &patched.body] {
            if keys(body) != *wanted {
                wrong.push(format!("{query}: {body}"));
            }
        }
    }
    none_wrong(&wrong);
    let part =
        client.get(&format!("{}?attributes=name.givenName,emails.value,{ENTERPRISE}:division", user.path)).await?;
    let lack = crate::world::missing(
        &json!({
            "name": { "givenName": "g", "familyName": null }, "emails": [{ "value": "e", "type": null }],
            ENTERPRISE: { "division": "v", "department": null },
        }),
        &part.body,
    );
    assert_eq!(lack, None);
    let part = client.get(&format!("{}?excludedAttributes={ENTERPRISE}", user.path)).await?;
    assert_eq!(part.body["schemas"], json!([USER]));
    let standing = client.get(&format!("{}?attributes={DINGTALK}:state", user.path)).await?;
    assert_eq!(keys(&standing.body), "id schemas", "there is no target");
    for path in [
        format!("{}?excludedAttributes=members", group.path),
        "/Groups?excludedAttributes=members&filter=displayName%20pr".to_owned(),
    ] {
        let body = client.get(&path).await?.body;
        let group = body.get("Resources").and_then(|list| list.get(0)).unwrap_or(&body);
        assert!(group.get("members").is_none() && group.get("displayName").is_some(), "{path}: {body}");
    }
    let both = client.get("/Users?attributes=id&excludedAttributes=meta").await?;
    assert_eq!(not_refused(&both, 400, "invalidValue"), None);
    let created = client.post("/Users?attributes=userName", &world.user_body(&json!({}))).await?;
    assert_eq!(keys(&created.body), "id schemas userName");
    Ok(())
}

/// A client is never told that it has seen what it has not seen.
#[tokio::test]
async fn what_the_version_does_not_cover_is_sent_in_full() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    world.paused_target().await?;
    let (ada, bob) = (world.user(client, json!({})).await?, world.user(client, json!({})).await?);
    let staff = world.group(client, json!({ "members": [ada.id, bob.id] })).await?;
    let crew = world.group(client, json!({ "members": [ada.id] })).await?;
    let pages = [
        (staff.path.clone(), "/members"),
        (format!("{}?attributes=members.value", staff.path), "/members"),
        (ada.path.clone(), "/groups"),
        (format!("{}?attributes=groups.display", ada.path), "/groups"),
        (
            format!("{}?attributes={DINGTALK}", ada.path),
            "/urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User",
        ),
    ];
    let mut before = Vec::new();
    for (path, _) in &pages {
        before.push(client.get(path).await?);
    }
    client.delete(&bob.path).await?;
    let rename = crate::world::patch(&json!([{ "op": "replace", "path": "displayName", "value": "New" }]));
    client.patch(&crew.path, &rename).await?;
    sqlx::query("UPDATE deliveries SET state = 'in_step', applied_version = 1").execute(world.database.pool()).await?;
    for ((path, pointer), before) in pages.iter().zip(&before) {
        let tag = before.etag().unwrap_or_default();
        let reply = client.with_header("If-None-Match", tag)?.get(path).await?;
        assert_eq!(reply.status, 200, "{path} {tag}");
        assert_ne!(reply.body.pointer(pointer), before.body.pointer(pointer), "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn versions() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let user = world.user(client, json!({})).await?;
    let group = world.group(client, json!({})).await?;
    let title = |text: &str| crate::world::patch(&json!([{ "op": "add", "path": "externalId", "value": text }]));
    for resource in [user, group] {
        for (header, status) in
            [("W/\"1\"", 304), ("\"1\"", 304), ("*", 304), ("\"7\", W/\"1\"", 304), ("W/\"2\"", 200), ("x", 200)]
        {
            let path = format!("{}?excludedAttributes=members,groups", resource.path);
            let reply = client.with_header("If-None-Match", header)?.get(&path).await?;
            assert_eq!((reply.status.as_u16(), reply.body.is_null()), (status, status == 304), "{header}");
            assert_eq!(reply.etag(), Some("W/\"1\""), "{header}");
        }
        for header in ["W/\"2\"", "\"\"", "x"] {
            let stale = client.with_header("If-Match", header)?;
            let replies = [
                stale.put(&resource.path, &resource.body).await?,
                stale.patch(&resource.path, &title("x")).await?,
                stale.delete(&resource.path).await?,
            ];
            for reply in &replies {
                assert_eq!(not_refused(reply, 412, ""), None, "{header}");
            }
        }
        let fresh = client.with_header("If-Match", "W/\"1\"")?;
        let changed = fresh.patch(&resource.path, &title("x")).await?;
        assert_eq!((changed.status.as_u16(), changed.etag()), (200, Some("W/\"2\"")));
        let same = client.patch(&resource.path, &title("x")).await?;
        assert_eq!((same.etag(), &same.body["meta"]), (changed.etag(), &changed.body["meta"]), "no change");
        assert_eq!(fresh.delete(&resource.path).await?.status, 412);
        assert_eq!(client.with_header("If-Match", "*")?.delete(&resource.path).await?.status, 204);
        for reply in [
            client.get(&resource.path).await?,
            client.delete(&resource.path).await?,
            client.patch(&resource.path, &title("y")).await?,
            client.put(&resource.path, &resource.body).await?,
        ] {
            assert_eq!(not_refused(&reply, 404, ""), None);
        }
    }
    Ok(())
}
