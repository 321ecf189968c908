//! Schemas that a tenant registers: used by the next request, like those of the standard.

use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::world::{USER, World, missing, none_wrong, patch};

const HR: &str = "urn:example:hr:2.0:User";

fn hr(attributes: &Value) -> Value {
    json!({ "id": HR, "name": "HR", "description": "What the HR system knows", "attributes": attributes })
}

fn attributes() -> Value {
    json!([
        { "name": "costBearer", "type": "string", "caseExact": true },
        { "name": "grade", "type": "integer" },
        { "name": "badges", "type": "complex", "multiValued": true,
          "subAttributes": [{ "name": "value" }, { "name": "type" }] },
        { "name": "note", "type": "string", "returned": "request" },
    ])
}

/// A client of the REST interface of a tenant.
async fn rest(world: &World, tenant: &str) -> anyhow::Result<ScimClient> {
    let (_, token) = world.token(&["--tenant", tenant]).await?;
    ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), &token)
}

#[tokio::test]
async fn a_schema_is_used_by_the_next_request() -> anyhow::Result<()> {
    let mut world = World::with(&["entra", "strict"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let api = rest(&world, "acme").await?;
    let (entra, strict) = (world.client("entra"), world.client("strict"));
    // Warm what is remembered.
    assert_eq!(entra.get(&format!("/Schemas/{HR}")).await?.status, 404);

    let made = api.post("/schemas", &json!({ "resource_type": "User", "schema": hr(&attributes()) })).await?;
    assert_eq!((made.status.as_u16(), &made.body["urn"]), (201, &json!(HR)), "{}", made.body);

    let schema = entra.get(&format!("/Schemas/{}", HR.to_uppercase())).await?;
    assert_eq!(schema.body["attributes"][1]["type"], "integer", "{}", schema.body);
    let user_type = entra.get("/ResourceTypes/User").await?;
    let known = user_type.body["schemaExtensions"].as_array().into_iter().flatten();
    assert_eq!(known.filter(|extension| extension["schema"] == HR).count(), 1, "{}", user_type.body);
    assert_eq!(world.client("umbrella/generic").get(&format!("/Schemas/{HR}")).await?.status, 404, "another tenant's");

    // Entra does not list the URNs of custom extensions in schemas.
    let body = json!({ "userName": "ada", HR: { "COSTBEARER": "A7", "grade": 3, "note": "quiet" } });
    let ada = world.user(entra, body).await?;
    let seen = entra.get(&ada.path).await?.body;
    let wanted = json!({ HR: { "costBearer": "A7", "grade": 3, "note": null } });
    assert_eq!(missing(&wanted, &seen), None, "{seen}");
    assert!(seen["schemas"].as_array().is_some_and(|urns| urns.contains(&json!(HR))), "{seen}");

    // operations, what is there afterwards.
    let changes = [
        (json!([{ "op": "replace", "path": format!("{HR}:grade"), "value": 4 }]), json!({ "grade": 4 })),
        (json!([{ "op": "add", "value": { format!("{HR}:costBearer"): "B" } }]), json!({ "costBearer": "B" })),
        (
            json!([{ "op": "Add", "path": format!("{HR}:badges[type eq \"door\"].value"), "value": "42" }]),
            json!({ "badges": [{ "type": "door", "value": "42" }] }),
        ),
        (json!([{ "op": "remove", "path": format!("{HR}:grade") }]), json!({ "grade": null })),
    ];
    for (operations, wanted) in changes {
        let reply = entra.patch(&ada.path, &patch(&operations)).await?;
        assert_eq!(missing(&wanted, &reply.body[HR]), None, "{operations}: {}", reply.body);
    }
    let found = [
        (format!("{HR}:costBearer eq \"B\""), 1),
        (format!("{HR}:costBearer eq \"b\""), 0),
        (format!("{HR}:badges[type eq \"DOOR\" and value eq \"42\"]"), 1),
        (format!("{HR}:note pr"), 1),
        (format!("{HR}:grade pr"), 0),
    ];
    for (filter, total) in found {
        assert_eq!(entra.find("/Users", &filter).await?.body["totalResults"], total, "{filter}");
    }
    let note = entra.get(&format!("{}?attributes={HR}:note", ada.path)).await?;
    assert_eq!(note.body[HR], json!({ "note": "quiet" }));

    let wrong = json!({ "schemas": [USER, HR], "userName": "bob", HR: { "grade": "high" } });
    let reply = strict.post("/Users", &wrong).await?;
    assert_eq!((reply.status.as_u16(), &reply.body["scimType"]), (400, &json!("invalidValue")), "{}", reply.body);
    Ok(())
}

#[tokio::test]
async fn a_schema_in_use_keeps_what_is_used() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let (api, foreign) = (rest(&world, "acme").await?, rest(&world, "umbrella").await?);
    let path = format!("/schemas/{HR}");
    let create = json!({ "resource_type": "User", "schema": hr(&attributes()) });
    let next = |attributes: Value| json!({ "schema": hr(&attributes) });
    let without = |gone: &str| {
        let all = attributes();
        let kept = all.as_array().into_iter().flatten().filter(|attribute| attribute["name"] != gone).cloned();
        next(Value::Array(kept.collect()))
    };
    let mut wrong = Vec::new();
    let mut expect = |what: &str, reply: &rollcall_tests::Reply, status: u16, part: &str| {
        if reply.status != status || !reply.body.to_string().contains(part) {
            wrong.push(format!("{what}: {} {}", reply.status, reply.body));
        }
    };
    expect("created", &api.post("/schemas", &create).await?, 201, HR);
    expect("again", &api.post("/schemas", &create).await?, 409, "registered already");
    expect("another tenant's", &foreign.get(&path).await?, 404, "does not exist");
    expect("another tenant's", &foreign.delete(&path).await?, 404, "does not exist");
    expect("the same for another tenant", &foreign.post("/schemas", &create).await?, 201, HR);

    let ada = world.user(world.client("generic"), json!({ HR: { "grade": 1, "badges": [{ "value": "x" }] } })).await?;
    expect("nobody has it", &api.put(&path, &without("note")).await?, 200, HR);
    expect("somebody has it", &api.put(&path, &without("grade")).await?, 409, "1 user holds values of the attribute");
    expect(
        "inside somebody's values",
        &api.put(
            &path,
            &next(json!([
                { "name": "costBearer", "caseExact": true }, { "name": "grade", "type": "integer" },
                { "name": "badges", "type": "complex", "multiValued": true, "subAttributes": [{ "name": "type" }] },
            ])),
        )
        .await?,
        409,
        "\\\"badges.value\\\"",
    );
    expect("another type", &api.put(&path, &next(json!([{ "name": "grade" }]))).await?, 409, "another name");
    expect("another id", &api.put("/schemas/urn:example:x:1.0:User", &without("note")).await?, 400, "the URL names");
    expect("none", &api.delete("/schemas/urn:example:x:1.0:User").await?, 404, "does not exist");
    expect("all of it", &api.delete(&path).await?, 409, "1 user holds values of the schema");
    expect("no type", &api.post("/schemas", &json!({ "schema": hr(&attributes()) })).await?, 400, "resource_type");
    expect("no document", &api.post("/schemas", &json!({ "resource_type": "Group" })).await?, 400, "is missing");
    let twice = hr(&json!([{ "name": "a" }, { "name": "A" }]));
    let inside = json!({ "id": format!("{HR}:grade"), "name": "x", "attributes": [{ "name": "y" }] });
    let inside = json!({ "resource_type": "User", "schema": inside });
    expect("the path of an attribute", &api.post("/schemas", &inside).await?, 409, "continues the other");
    expect("no schema", &api.put(&path, &json!({ "schema": twice })).await?, 400, "twice");
    expect("too much", &api.put(&path, &json!({ "schema": hr(&attributes()), "x": 1 })).await?, 400, "holds");

    expect("the last holder", &world.client("generic").delete(&ada.path).await?, 204, "");
    expect("nobody has it now", &api.delete(&path).await?, 204, "");
    expect("gone", &api.get(&path).await?, 404, "does not exist");
    let listed = foreign.get("/schemas").await?;
    expect("listed", &listed, 200, HR);
    let changes = api.get("/changes?limit=200").await?.body;
    let told = changes["data"].as_array().into_iter().flatten().filter(|change| change["kind"] == "schema").count();
    if told != 3 {
        wrong.push(format!("created, changed and removed should be in the log: {changes}"));
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn what_was_written_while_an_attribute_went_does_not_come_back_with_its_name() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (api, client) = (rest(&world, "acme").await?, world.client("generic"));
    let path = format!("/schemas/{HR}");
    let create = |attributes: Value| json!({ "resource_type": "User", "schema": hr(&attributes) });
    let badges =
        |parts: Value| json!({ "name": "badges", "type": "complex", "multiValued": true, "subAttributes": parts });
    let small = json!([{ "name": "note" }, badges(json!([{ "name": "type" }]))]);
    let large = json!([{ "name": "note" }, { "name": "grade", "type": "integer" },
                       badges(json!([{ "name": "type" }, { "name": "value" }]))]);
    let ada = world.user(client, json!({ "title": "t" })).await?;
    // As a request leaves it that was read before the schema changed, and written after it.
    let late = async |values: Value| {
        sqlx::query("UPDATE users SET attributes = attributes || jsonb_build_object($1, $2)")
            .bind(HR)
            .bind(values)
            .execute(world.database.pool())
            .await
    };
    let shown = async || anyhow::Ok(client.get(&ada.path).await?.body[HR].clone());

    late(json!({ "note": "late", "grade": "no number" })).await?;
    assert_eq!(shown().await?, Value::Null);
    assert_eq!(api.post("/schemas", &create(small.clone())).await?.status, 201);
    assert_eq!(shown().await?, Value::Null, "a new schema");

    late(json!({ "note": "kept", "grade": "no number", "badges": [{ "type": "x", "value": 7 }, { "value": 8 }] }))
        .await?;
    let kept = json!({ "note": "kept", "badges": [{ "type": "x" }] });
    assert_eq!(api.put(&path, &json!({ "schema": hr(&large) })).await?.status, 200);
    assert_eq!(shown().await?, kept, "new attributes");
    let patched =
        client.patch(&ada.path, &patch(&json!([{ "op": "add", "path": format!("{HR}:grade"), "value": 3 }]))).await?;
    assert_eq!(patched.status, 200, "{}", patched.body);
    let beyond = json!([{ "op": "add", "path": format!("{HR}:grade"), "value": 9_223_372_036_854_775_808_u64 }]);
    assert_eq!(client.patch(&ada.path, &patch(&beyond)).await?.status, 400, "no filter would find it exactly");
    let below = client.get(&format!("/Users?filter={HR}:grade%20lt%2018446744073709551615")).await?.body;
    assert_eq!(below["totalResults"], 1, "{below}");
    let small = api.put(&path, &json!({ "schema": hr(&small) })).await?;
    assert_eq!(small.status, 409, "{}", small.body);

    // Whatever is written meanwhile stays, too.
    late(json!({ "late": 1 })).await?;
    let mut other = world.database.pool().begin().await?;
    sqlx::query("UPDATE users SET attributes = attributes || '{\"title\": \"new\"}', version = version + 1")
        .execute(&mut *other)
        .await?;
    let next = json!({ "schema": hr(&json!([large[0], large[1], large[2], { "name": "late" }])) });
    let adding = api.put(&path, &next);
    let writing = async {
        world.database.until_somebody_waits().await?;
        anyhow::Ok(other.commit().await?)
    };
    let (added, written) = tokio::join!(adding, writing);
    written?;
    assert_eq!(added?.status, 200);
    let shown = client.get(&ada.path).await?.body;
    assert_eq!((&shown["title"], &shown[HR]), (&json!("new"), &Value::Null));
    Ok(())
}

#[tokio::test]
async fn people_are_put_in_the_order_of_a_moment() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (api, client) = (rest(&world, "acme").await?, world.client("generic"));
    let attributes = json!([{ "name": "hiredAt", "type": "dateTime" }]);
    api.post("/schemas", &json!({ "resource_type": "User", "schema": hr(&attributes) })).await?;
    // The texts are in another order than the moments.
    for (name, moment) in
        [("b", "2026-03-01T10:30:00+02:00"), ("c", "2026-03-01T09:00:00"), ("a", "2026-03-01T08:00:00Z")]
    {
        world.user(client, json!({ "userName": name, HR: { "hiredAt": moment } })).await?;
    }
    world.user(client, json!({ "userName": "d" })).await?;
    let names = |reply: &rollcall_tests::Reply| -> String {
        let found = reply.body["Resources"].as_array().into_iter().flatten();
        found.filter_map(|user| user["userName"].as_str()).collect()
    };
    for (order, wanted) in [("ascending", "abcd"), ("descending", "dcba")] {
        let list = format!("/Users?sortBy={HR}:hiredAt&sortOrder={order}");
        assert_eq!(names(&client.get(&list).await?), wanted);
        let mut page = client.get(&format!("{list}&cursor&count=1")).await?;
        let mut walked = names(&page);
        while let Some(next) = page.body["nextCursor"].as_str() {
            page = client.get(&format!("{list}&count=1&cursor={next}")).await?;
            walked.push_str(&names(&page));
        }
        assert_eq!(walked, wanted, "by cursor");
    }
    Ok(())
}
