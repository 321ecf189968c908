//! Members of groups: rows B and N.

use rollcall_tests::ScimClient;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::world::{Resource, TOLERANT, World, none_wrong, not_refused, patch};

/// Four users, called by letters in the tables.
struct People(Vec<(char, String)>);

impl People {
    async fn hired(world: &World, client: &ScimClient) -> anyhow::Result<Self> {
        let mut people = Vec::new();
        for letter in 'a'..='d' {
            people.push((letter, world.user(client, json!({ "displayName": format!("Person {letter}") })).await?.id));
        }
        Ok(Self(people))
    }

    /// The text with `$a` to `$d` made ids.
    fn named(&self, value: &Value) -> anyhow::Result<Value> {
        let text = self.0.iter().fold(value.to_string(), |text, (letter, id)| text.replace(&format!("${letter}"), id));
        Ok(serde_json::from_str(&text)?)
    }

    /// The members of a group as letters; those that nobody is, as they are.
    fn letters(&self, group: &Value) -> String {
        let values = group["members"].as_array().into_iter().flatten().filter_map(|member| member["value"].as_str());
        let mut letters: Vec<String> = values
            .map(|value| match self.0.iter().find(|(_, id)| id == value) {
                Some((letter, _)) => letter.to_string(),
                None => format!("<{value}>"),
            })
            .collect();
        letters.sort();
        letters.concat()
    }

    /// The `members` of a body.
    fn elements(&self, letters: &str) -> Value {
        let chosen = self.0.iter().filter(|(letter, _)| letters.contains(*letter));
        chosen.map(|(_, id)| json!({ "value": id })).collect()
    }
}

#[tokio::test]
async fn what_becomes_of_members_by_patch() -> anyhow::Result<()> {
    let add = |value: Value| json!([{ "op": "Add", "path": "members", "value": value }]);
    let remove = |value: Value| json!([{ "op": "Remove", "path": "members", "value": value }]);
    let remove_at = |path: &str| json!([{ "op": "remove", "path": path }]);
    // Row, members before, operations, members afterwards, whether that is a change.
    let cases = [
        ("B1", "ab", remove(json!([{ "$ref": null, "value": "$a" }])), "b", true),
        ("B1", "ab", remove(json!([{ "value": "$c" }])), "ab", false),
        ("B1", "ab", remove(json!([])), "ab", false),
        ("B2", "ab", remove(json!([{ "value": "$a", "display": "other", "type": "Group" }])), "b", true),
        ("B3", "ab", remove_at("members[value eq \"$a\"]"), "b", true),
        ("B3", "b", remove_at("members[value eq \"$a\"]"), "b", false),
        ("B3", "abc", remove_at("members[value eq \"$a\" or value eq \"$b\"]"), "c", true),
        ("B3", "abc", remove_at("members[display eq \"PERSON C\"]"), "ab", true),
        ("B3", "abc", remove_at("members[type eq \"Group\"]"), "abc", false),
        ("B4", "ab", remove_at("members"), "", true),
        ("B4", "ab", remove(Value::Null), "", true),
        ("B6", "ab", add(json!([{ "value": "$a" }])), "ab", false),
        ("B6", "a", add(json!([{ "$ref": null, "value": "$b" }])), "ab", true),
        ("B7", "ab", json!([{ "op": "replace", "path": "members", "value": [] }]), "", true),
        (
            "B7",
            "ab",
            json!([{ "op": "replace", "path": "members", "value": [{ "value": "$b" }, { "value": "$a" }] }]),
            "ab",
            false,
        ),
        (
            "B7",
            "ab",
            json!([{ "op": "replace", "path": "members", "value": [{ "value": "$b" }, { "value": "$c" }] }]),
            "bc",
            true,
        ),
        (
            "B10",
            "",
            add(json!([{ "value": "$a", "type": "User", "$ref": null }, { "value": "$b", "displayName": "x" }, "$c"])),
            "abc",
            true,
        ),
        ("B11", "a", add(json!([{ "value": "$b" }, { "value": "nobody" }])), "<nobody>ab", true),
        ("B15", "a", add(json!({ "value": "$b" })), "ab", true),
        ("B16", "a", json!([{ "op": "add", "value": { "members": [{ "value": "$b" }] } }]), "ab", true),
        ("P11", "ab", remove_at("members[value eq\"$a\"]"), "b", true),
        ("P11", "ab", remove_at("members [ value eq \"$a\" ]"), "b", true),
        (
            "Okta",
            "ab",
            json!([
                { "op": "remove", "path": "members[value eq \"$a\"]" },
                { "op": "add", "path": "members", "value": [{ "value": "$c", "display": "Person c" }] },
            ]),
            "bc",
            true,
        ),
        (
            "3.8 #P5",
            "",
            json!([
                { "op": "add", "path": "members", "value": [{ "value": "$a" }] },
                { "op": "remove", "path": "members", "value": [{ "value": "$a" }] },
            ]),
            "",
            false,
        ),
    ];
    let world = World::with(&TOLERANT).await?;
    let people = People::hired(&world, world.client("generic")).await?;
    let mut wrong = Vec::new();
    for profile in TOLERANT {
        let client = world.client(profile);
        for (row, before, operations, after, is_change) in &cases {
            let group = world.group(client, json!({ "members": people.elements(before) })).await?;
            let reply = client.patch(&group.path, &patch(&people.named(operations)?)).await?;
            let read = client.get(&group.path).await?;
            let wanted = if profile == "entra" { 204 } else { 200 };
            let moved = read.body["meta"]["version"] != group.body["meta"]["version"];
            let shown = reply.body.get("members").is_some();
            let seen = people.letters(&read.body);
            if reply.status != wanted || seen != *after || moved != *is_change || shown || reply.etag() != read.etag() {
                wrong.push(format!("{row} {profile} {operations}: {} {seen} {moved} {}", reply.status, reply.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn groups_by_post_and_put() -> anyhow::Result<()> {
    let mut world = World::with(&["generic", "strict"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let client = world.client("generic");
    let people = People::hired(&world, client).await?;
    let group = world.group(client, json!({ "members": people.elements("ab"), "externalId": "o" })).await?;
    assert_eq!(people.letters(&group.body), "ab", "B9");
    let first = &group.body["members"][0];
    assert!(first["$ref"].as_str().is_some_and(|url| url.ends_with(&format!("/scim/v2/Users/{}", people.0[0].1))));
    assert_eq!((&first["type"], &first["display"]), (&json!("User"), &json!("Person a")));
    let member = client.get(&format!("/Users/{}", people.0[0].1)).await?;
    assert_eq!(member.body["groups"][0]["value"], group.id.as_str());

    let named =
        |members: Value| world.group_body(&json!({ "displayName": group.body["displayName"], "members": members }));
    for (row, members, after) in [
        ("B9", people.elements("bcd"), "bcd"),
        ("B11", json!([{ "value": people.0[1].1 }, { "value": "nobody" }]), "<nobody>b"),
        ("B17", json!([]), ""),
    ] {
        let reply = client.put(&group.path, &named(members)).await?;
        assert_eq!((reply.status.as_u16(), people.letters(&reply.body).as_str()), (200, after), "{row}");
        assert_eq!(client.get(&group.path).await?.body, reply.body, "{row}");
    }
    let whole = client.put(&group.path, &named(people.elements("a"))).await?.body;
    let same = client.put(&group.path, &whole).await?;
    assert_eq!(same.body, whole, "what was read can be sent back");

    let taken = world.group(client, json!({})).await?.body["displayName"].as_str().unwrap_or_default().to_uppercase();
    let id_of_user = json!({ "id": people.0[0].1, "displayName": "x" });
    let rename = |name: &str| patch(&json!([{ "op": "replace", "value": { "id": group.id, "displayName": name } }]));
    assert_eq!(client.patch(&group.path, &rename("Renamed")).await?.body["displayName"], "Renamed");
    let stranger = world.user(world.client("umbrella/generic"), json!({})).await?.id;
    let refused = [
        ("G6", client.post("/Groups", &world.group_body(&json!({ "displayName": taken }))).await?, 409, "uniqueness"),
        ("G6", client.patch(&group.path, &rename(&taken)).await?, 409, "uniqueness"),
        ("G6", client.put(&group.path, &world.group_body(&json!({ "displayName": taken }))).await?, 409, "uniqueness"),
        (
            "id",
            client.patch(&group.path, &patch(&json!([{ "op": "replace", "value": id_of_user }]))).await?,
            400,
            "mutability",
        ),
        (
            "name",
            client.post("/Groups", &world.group_body(&json!({ "displayName": null }))).await?,
            400,
            "invalidValue",
        ),
        ("name", client.put(&group.path, &world.group_body(&json!({ "displayName": "" }))).await?, 400, "invalidValue"),
        (
            "member",
            client.post("/Groups", &world.group_body(&json!({ "members": [{ "display": "x" }] }))).await?,
            400,
            "invalidValue",
        ),
        (
            "D5",
            world.client("strict").post("/Groups", &world.group_body(&json!({ "members": ["nobody"] }))).await?,
            400,
            "invalidValue",
        ),
        (
            "D5",
            world.client("strict").post("/Groups", &world.group_body(&json!({ "members": [stranger] }))).await?,
            400,
            "invalidValue",
        ),
    ];
    let mut wrong: Vec<String> = Vec::new();
    for (row, reply, status, scim_type) in &refused {
        wrong.extend(not_refused(reply, *status, scim_type).map(|why| format!("{row}: {why}")));
    }
    none_wrong(&wrong);
    assert_eq!(client.get(&group.path).await?.body["displayName"], "Renamed", "nothing was stored after an error");
    Ok(())
}

#[tokio::test]
async fn groups_of_groups_and_of_the_deleted() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let person = world.user(client, json!({})).await?;
    let inner = world.group(client, json!({ "members": [person.id] })).await?;
    let outer = world.group(client, json!({ "members": [person.id, inner.id] })).await?;
    let cycle = patch(&json!([{ "op": "add", "path": "members", "value": [inner.id, outer.id] }]));
    assert_eq!(client.patch(&inner.path, &cycle).await?.status, 200, "a circle, and a group in itself");
    let seen = client.get(&outer.path).await?.body;
    let kinds: Vec<&Value> = seen["members"].as_array().into_iter().flatten().map(|member| &member["type"]).collect();
    assert_eq!(kinds, [&json!("User"), &json!("Group")]);

    assert_eq!(client.delete(&inner.path).await?.status, 204);
    assert_eq!(client.delete(&inner.path).await?.status, 404);
    assert_eq!(client.delete(&person.path).await?.status, 204);
    assert!(client.get(&outer.path).await?.body.get("members").is_none(), "nobody who is gone is shown");
    world.group(client, json!({ "displayName": inner.body["displayName"] })).await?;
    Ok(())
}

/// Sends one PATCH for each of fifty users at the same time.
async fn at_once(world: &World, profile: &str, group: &Resource, patches: Vec<Value>) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    for body in patches {
        let (client, path) = (world.client(profile).clone(), group.path.clone());
        running.spawn(async move { client.patch(&path, &body).await });
    }
    for reply in running.join_all().await {
        let reply = reply?;
        assert!(matches!(reply.status.as_u16(), 200 | 204), "{} {}", reply.status, reply.body);
    }
    Ok(())
}

#[tokio::test]
async fn fifty_at_once_are_fifty() -> anyhow::Result<()> {
    let world = World::with(&["entra", "strict"]).await?;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(world.user(world.client("strict"), json!({})).await?.id);
    }
    let count = |group: &Value| group["members"].as_array().map_or(0, Vec::len);
    for profile in ["entra", "strict"] {
        let client = world.client(profile);
        let group = world.group(client, json!({})).await?;
        let add = |id: &String| patch(&json!([{ "op": "Add", "path": "members", "value": [{ "value": id }] }]));
        let remove = |id: &String| patch(&json!([{ "op": "Remove", "path": "members", "value": [{ "value": id }] }]));
        at_once(&world, profile, &group, ids.iter().map(add).collect()).await?;
        assert_eq!(count(&client.get(&group.path).await?.body), 50, "N1");
        at_once(&world, profile, &group, ids.iter().skip(1).map(remove).collect()).await?;
        assert_eq!(count(&client.get(&group.path).await?.body), 1, "N3");
    }
    Ok(())
}

#[tokio::test]
async fn of_twenty_at_once_one_gets_the_name() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    for (endpoint, body) in [("/Users", world.user_body(&json!({}))), ("/Groups", world.group_body(&json!({})))] {
        let mut running = JoinSet::new();
        for _ in 0..20 {
            let (client, body) = (client.clone(), body.clone());
            running.spawn(async move { client.post(endpoint, &body).await });
        }
        let mut statuses = Vec::new();
        for reply in running.join_all().await {
            statuses.push(reply?.status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!((statuses[0], &statuses[1..]), (201, [409; 19].as_slice()), "N4 {endpoint}");
    }
    Ok(())
}
