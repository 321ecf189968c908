//! Rows of the list of interoperability bugs that are about many requests, large groups, or answers as such.

use std::time::{Duration, Instant};

use rollcall_tests::Reply;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{LIST, World, missing, none_wrong, not_refused, patch};

#[tokio::test]
async fn lists_and_refusals() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    for _ in 0..3 {
        world.user(client, json!({})).await?;
    }
    let mut wrong = Vec::new();
    for (row, filter) in [
        ("F2", "shoeSize eq \"44\""),
        ("F2", "userName like \"a\""),
        ("F2", "password eq \"x\""),
        ("F9", "active gt true"),
        ("F9", "x509Certificates.value lt \"AA==\""),
    ] {
        for endpoint in ["/Users", "/"] {
            let reply = client.find(endpoint, filter).await?;
            wrong.extend(not_refused(&reply, 400, "invalidFilter").map(|why| format!("{row} {filter}: {why}")));
        }
    }
    for (row, query, numbers) in [
        ("H2", "count=2", json!({ "totalResults": 3, "itemsPerPage": 2, "startIndex": 1 })),
        ("H2", "startIndex=3&count=2", json!({ "totalResults": 3, "itemsPerPage": 1, "startIndex": 3 })),
        ("H4", "count=0", json!({ "totalResults": 3, "itemsPerPage": 0, "Resources": [] })),
    ] {
        let list = client.get(&format!("/Users?{query}")).await?.body;
        wrong.extend(missing(&numbers, &list).map(|lack| format!("{row} {query}{lack}")));
        wrong.extend((list["schemas"] != json!([LIST])).then(|| format!("{row} {query}: {list}")));
    }
    // Whom it is about, which attribute, what to do.
    let ada = world.user(client, json!({ "userName": "ada" })).await?;
    for (row, reply, status, part) in [
        ("X7", client.post("/Users", &world.user_body(&json!({ "userName": "ADA" }))).await?, 409, "ADA"),
        ("X7", client.put(&ada.path, &world.user_body(&json!({ "userName": "" }))).await?, 400, "userName"),
        ("X7", client.get("/Users/nobody").await?, 404, "nobody"),
        (
            "X7",
            client.patch(&ada.path, &patch(&json!([{ "op": "add", "path": "x", "value": 1 }]))).await?,
            400,
            "\"x\"",
        ),
    ] {
        let Reply { body, .. } = &reply;
        let told = body["detail"].as_str().is_some_and(|detail| detail.contains(part));
        let fits = reply.status == status
            && body["status"].as_str().and_then(|text| text.parse().ok()) == Some(status)
            && told;
        wrong.extend((!fits).then(|| format!("{row}: {body}")));
    }
    // Who comes with an address that somebody has is somebody else.
    let email = json!({ "emails": [{ "value": "same@acme.test", "type": "work" }], "title": "first" });
    let first = world.user(client, email.clone()).await?;
    let second = world.user(client, crate::world::with(email, &json!({ "title": "second" }))).await?;
    wrong.extend((first.id == second.id).then(|| "G7: linked by address".to_owned()));
    let read = client.get(&first.path).await?.body;
    wrong.extend((read != first.body).then(|| format!("G7: the first became {read}")));
    none_wrong(&wrong);
    Ok(())
}

/// A group with so many members that nobody is, put there without asking the server.
async fn large_group(world: &World, members: i32) -> anyhow::Result<String> {
    let group = world.group(world.client("entra"), json!({ "displayName": "Everybody" })).await?;
    sqlx::query(
        "INSERT INTO memberships (tenant_id, group_id, member_id)
         SELECT tenant_id, id, 'member-' || number FROM groups, generate_series(1, $1) AS number",
    )
    .bind(members)
    .execute(world.database.pool())
    .await?;
    sqlx::query("ANALYZE memberships").execute(world.database.pool()).await?;
    Ok(group.path)
}

/// The quickest of five, so that a busy machine does not decide.
async fn quickest(mut send: impl AsyncFnMut(usize) -> anyhow::Result<Reply>, status: u16) -> anyhow::Result<Duration> {
    let mut quickest = Duration::MAX;
    for round in 0..5 {
        let before = Instant::now();
        let reply = send(round).await?;
        quickest = quickest.min(before.elapsed());
        assert_eq!(reply.status, status, "{}", reply.body);
    }
    Ok(quickest)
}

#[tokio::test]
async fn a_hundred_thousand_members_hold_up_nobody() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let path = large_group(&world, 100_000).await?;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.user(client, json!({})).await?.id);
    }
    let add = async |round: usize| {
        let value = json!([{ "value": ids[round] }]);
        client.patch(&path, &patch(&json!([{ "op": "Add", "path": "members", "value": value }]))).await
    };
    assert!(quickest(add, 204).await? < Duration::from_secs(1), "N7");
    let find = "/Groups?excludedAttributes=members&filter=displayName%20eq%20%22everybody%22";
    let found = client.get(find).await?.body;
    assert_eq!((&found["totalResults"], found["Resources"][0].get("members")), (&json!(1), None), "F12");
    assert!(quickest(async |_| client.get(find).await, 200).await? < Duration::from_millis(600), "F12");
    Ok(())
}

/// Where each membership is stored: it moves when it is written again.
async fn places(world: &World) -> anyhow::Result<Vec<(String, String)>> {
    let query = "SELECT member_id, ctid::text FROM memberships ORDER BY member_id";
    Ok(sqlx::query_as(query).fetch_all(world.database.pool()).await?)
}

#[tokio::test]
async fn an_addition_touches_nobody_else() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let path = large_group(&world, 20).await?;
    let before = places(&world).await?;
    let mut running = JoinSet::new();
    for number in 0..20 {
        let (client, path) = (client.clone(), path.clone());
        let value = json!([{ "value": format!("new-{number}") }]);
        let body = patch(&json!([{ "op": "add", "path": "members", "value": value }]));
        running.spawn(async move { client.patch(&path, &body).await });
    }
    for reply in running.join_all().await {
        assert_eq!(reply?.status, 204, "N2");
    }
    let after = places(&world).await?;
    assert_eq!(after.len(), 40, "N2: nobody is lost by additions at the same time");
    let kept: Vec<_> = after.iter().filter(|(member, _)| member.starts_with("member-")).cloned().collect();
    assert_eq!(kept, before, "N5: those who were there are not written again");
    Ok(())
}

#[tokio::test]
async fn a_hundred_requests_at_once_are_not_too_many() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let mut running = JoinSet::new();
    for number in 0..100 {
        let client = client.clone();
        let body = world.user_body(&json!({}));
        running.spawn(async move {
            if number % 2 == 0 { client.post("/Users", &body).await } else { client.get("/Users?count=1").await }
        });
    }
    for reply in running.join_all().await {
        let reply = reply?;
        assert!(matches!(reply.status.as_u16(), 200 | 201), "N6: {} {}", reply.status, reply.body);
    }
    let list: Value = client.get("/Users?count=0").await?.body;
    assert_eq!(list["totalResults"], 50, "N6");
    Ok(())
}
