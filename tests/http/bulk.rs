//! Bulk (RFC 7644 §3.7) as feeds send it.

use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, missing, none_wrong, not_refused, patch};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn bulk(operations: &Value) -> Value {
    json!({ "schemas": [BULK], "Operations": operations })
}

fn id_of(result: &Value) -> String {
    result["location"].as_str().and_then(|location| location.rsplit('/').next()).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_feed_hires_changes_and_removes_in_one_request() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let old = world.user(client, json!({ "title": "Old" })).await?;
    let leaver = world.user(client, json!({})).await?;
    let reply = client
        .post(
            "/Bulk",
            &bulk(&json!([
                // The report comes before the manager, the group before its members.
                { "method": "POST", "path": "/Users", "bulkId": "report", "data": world.user_body(&json!({
                    ENTERPRISE: { "manager": { "value": "bulkId:boss" } } })) },
                { "method": "POST", "path": "/Groups", "bulkId": "team", "data": world.group_body(&json!({
                    "members": [{ "value": "bulkId:boss" }, { "value": "bulkId:report" }, { "value": old.id }] })) },
                { "method": "POST", "path": "/Users", "bulkId": "boss", "data": world.user_body(&json!({})) },
                { "method": "PATCH", "path": old.path, "version": old.body["meta"]["version"],
                  "data": patch(&json!([{ "op": "replace", "path": "title", "value": "New" }])) },
                { "method": "DELETE", "path": leaver.path },
                { "method": "PATCH", "path": "/Users/bulkId:boss",
                  "data": patch(&json!([{ "op": "add", "path": "title", "value": "Head" }])) },
            ])),
        )
        .await?;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let results = &reply.body["Operations"];
    let wanted = json!([
        { "method": "POST", "bulkId": "report", "status": "201", "version": "W/\"1\"", "response": null },
        { "method": "POST", "bulkId": "team", "status": "201" },
        { "method": "POST", "bulkId": "boss", "status": "201" },
        { "method": "PATCH", "status": "200", "version": "W/\"2\"" },
        { "method": "DELETE", "status": "204" },
        { "method": "PATCH", "status": "200" },
    ]);
    assert_eq!(missing(&wanted, results), None, "{results}");
    let (report, team, boss) = (id_of(&results[0]), id_of(&results[1]), id_of(&results[2]));
    let report = client.get(&format!("/Users/{report}")).await?.body;
    assert_eq!(report[ENTERPRISE]["manager"]["value"], boss.as_str());
    let members = client.get(&format!("/Groups/{team}")).await?.body["members"].clone();
    assert_eq!(members.as_array().map(Vec::len), Some(3), "{members}");
    assert_eq!(client.get(&format!("/Users/{boss}")).await?.body["title"], "Head");
    assert_eq!(client.get(&old.path).await?.body["title"], "New");
    assert_eq!(client.get(&leaver.path).await?.status, 404);
    Ok(())
}

/// A reference stands where resources are named. A text that only looks like one is kept as it was sent.
#[tokio::test]
async fn only_what_names_a_resource_is_a_reference() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let team = world.group(client, json!({ "members": [{ "value": "m" }] })).await?;
    let odd = json!({ "displayName": "bulkId:ada", "title": "bulkId:nobody", "nickName": "bulkId:" });
    let change = |op: &str, rest: Value| patch(&json!([crate::world::with(json!({ "op": op }), &rest)]));
    let reply = client
        .post(
            "/Bulk",
            &bulk(&json!([
                { "method": "PATCH", "path": team.path,
                  "data": change("add", json!({ "path": "members", "value": [{ "value": "bulkId:ada" }] })) },
                { "method": "PATCH", "path": team.path,
                  "data": change("remove", json!({ "path": "members[value eq \"bulkId:bob\" or value eq \"m\"]" })) },
                { "method": "POST", "path": "/Users", "bulkId": "ada", "data": world.user_body(&odd) },
                { "method": "POST", "path": "/Users", "bulkId": "bob", "data": world.user_body(&json!({})) },
            ])),
        )
        .await?;
    let results = &reply.body["Operations"];
    let statuses: Vec<_> = results.as_array().into_iter().flatten().map(|result| result["status"].clone()).collect();
    assert_eq!(statuses, ["200", "200", "201", "201"], "{results}");
    let ada = client.get(&format!("/Users/{}", id_of(&results[2]))).await?.body;
    assert_eq!(missing(&odd, &ada), None, "{ada}");
    let members = client.get(&team.path).await?.body["members"].clone();
    assert_eq!(missing(&json!([{ "value": ada["id"] }]), &members), None, "{members}");
    Ok(())
}

#[tokio::test]
async fn circles_are_closed() -> anyhow::Result<()> {
    let world = World::with(&["strict", "generic"]).await?;
    for profile in ["strict", "generic"] {
        let client = world.client(profile);
        let reply = client
            .post(
                "/Bulk",
                &bulk(&json!([
                    { "method": "POST", "path": "/Groups", "bulkId": "a",
                      "data": world.group_body(&json!({ "members": [{ "value": "bulkId:b", "type": "Group" }] })) },
                    { "method": "POST", "path": "/Groups", "bulkId": "b",
                      "data": world.group_body(&json!({ "members": [{ "value": "bulkId:a", "type": "Group" }] })) },
                ])),
            )
            .await?;
        let results = &reply.body["Operations"];
        let (a, b) = (id_of(&results[0]), id_of(&results[1]));
        for (one, other) in [(&a, &b), (&b, &a)] {
            let group = client.get(&format!("/Groups/{one}")).await?.body;
            assert_eq!(group["members"][0]["value"], other.as_str(), "{profile}: {}", reply.body);
        }
        let version = client.get(&format!("/Groups/{a}")).await?.body["meta"]["version"].clone();
        assert_eq!((&results[0]["status"], &results[0]["version"]), (&json!("201"), &version));
    }
    Ok(())
}

#[tokio::test]
async fn an_operation_that_fails_says_why_and_stops_no_other() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let ada = world.user(client, json!({})).await?;
    let taken = json!({ "userName": ada.body["userName"] });
    let change = patch(&json!([{ "op": "replace", "path": "title", "value": "x" }]));
    let operations = json!([
        { "method": "POST", "path": "/Users", "bulkId": "twin", "data": world.user_body(&taken) },
        { "method": "POST", "path": "/Groups", "bulkId": "g",
          "data": world.group_body(&json!({ "members": [{ "value": "bulkId:twin" }] })) },
        { "method": "PATCH", "path": ada.path, "version": "W/\"9\"", "data": change },
        { "method": "PATCH", "path": "/Users/00000000-0000-0000-0000-000000000000", "data": change },
        { "method": "POST", "path": "/Nothing", "data": {} },
        { "method": "PATCH", "path": ada.path, "data": change },
    ]);
    let reply = client.post("/Bulk", &bulk(&operations)).await?;
    let wanted = json!([
        { "status": "409", "location": null, "response": { "status": "409", "scimType": "uniqueness" } },
        { "status": "400", "response": { "scimType": "invalidValue" } },
        { "status": "412", "location": format!("{}{}", world.scim_url(), ada.path) },
        { "status": "404", "response": { "status": "404" } },
        { "status": "400", "response": { "scimType": "invalidPath" } },
        { "status": "200", "response": null },
    ]);
    assert_eq!(missing(&wanted, &reply.body["Operations"]), None, "{}", reply.body);
    for result in reply.body["Operations"].as_array().into_iter().flatten().take(5) {
        assert!(result["response"]["detail"].as_str().is_some_and(|text| text.contains("[request ")), "{result}");
    }
    // The same, but the first error is enough.
    let mut body = bulk(&operations);
    body["failOnErrors"] = json!(1);
    let reply = client.post("/Bulk", &body).await?;
    let results = reply.body["Operations"].as_array().cloned().unwrap_or_default();
    assert_eq!((reply.status.as_u16(), results.len()), (200, 1), "{}", reply.body);
    Ok(())
}

#[tokio::test]
async fn the_frame_of_a_bulk_request_is_refused_as_a_whole() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let many: Vec<Value> = (0..1_001).map(|_| json!({ "method": "DELETE", "path": "/Users/1" })).collect();
    let cases = [
        (json!({ "Operations": [] }), 400, "invalidSyntax"),
        (json!({ "schemas": [BULK] }), 400, "invalidSyntax"),
        (bulk(&json!(many)), 413, ""),
    ];
    let mut wrong = Vec::new();
    for (body, status, scim_type) in cases {
        wrong.extend(not_refused(&client.post("/Bulk", &body).await?, status, scim_type));
    }
    none_wrong(&wrong);
    let config = client.get("/ServiceProviderConfig").await?.body;
    assert_eq!(config["bulk"], json!({ "supported": true, "maxOperations": 1000, "maxPayloadSize": 1_048_576 }));
    Ok(())
}

#[tokio::test]
async fn a_thousand_operations_fit() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let operations: Vec<Value> = (0..1_000)
        .map(|_| json!({ "method": "POST", "path": "/Users", "data": world.user_body(&json!({})) }))
        .collect();
    let reply = client.post("/Bulk", &bulk(&json!(operations))).await?;
    let results = reply.body["Operations"].as_array().cloned().unwrap_or_default();
    let made = results.iter().filter(|result| result["status"] == "201").count();
    assert_eq!((results.len(), made), (1_000, 1_000), "{}", results.last().unwrap_or(&Value::Null));
    assert_eq!(client.get("/Users?count=0").await?.body["totalResults"], 1_000);
    Ok(())
}

#[tokio::test]
async fn operations_served_at_once_come_to_what_they_come_to_in_order() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let (ada, bob) = (world.user(client, json!({})).await?, world.user(client, json!({})).await?);
    let [first, second] = [&ada, &bob].map(|user| user.body["userName"].clone());
    let rename = |path: &str, name: &Value| {
        let data = patch(&json!([{ "op": "replace", "path": "userName", "value": name }]));
        json!({ "method": "PATCH", "path": path, "data": data })
    };
    let twin = world.user_body(&json!({ "title": "first" }));
    let mut later = twin.clone();
    later["title"] = json!("second");
    let create = |data: &Value| json!({ "method": "POST", "path": "/Users", "data": data });
    let rows = json!([
        // Everybody moves up: each name is free only when the one before has moved.
        rename(&ada.path, &json!("free")),
        rename(&bob.path, &first),
        create(&twin),
        create(&later),
        create(&world.user_body(&json!({ "userName": second }))),
        rename(&ada.path, &json!("freed")),
        rename(&ada.path, &json!("free again")),
    ]);
    let reply = client.post("/Bulk", &bulk(&rows)).await?;
    let ends = reply.body["Operations"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<&str> = ends.iter().filter_map(|end| end["status"].as_str()).collect();
    assert_eq!(statuses, ["200", "200", "201", "409", "201", "200", "200"], "{}", reply.body);
    assert_eq!(client.get(&ada.path).await?.body["userName"], "free again");
    assert_eq!(client.get(&bob.path).await?.body["userName"], first);
    let made = client.get(&format!("/Users/{}", id_of(&ends[2]))).await?.body;
    assert_eq!(made["title"], "first", "who comes first has the name");

    let metrics = reqwest::get(format!("{}/metrics", world.server.base_url())).await?.text().await?;
    // Two people were there before, and a rename and a creation were tried again when the others had moved.
    for (operation, result, times) in [("create", "ok", 4), ("create", "refused", 1), ("patch", "ok", 4)] {
        let line = format!(
            "rollcall_scim_operations_total{{source=\"generic\",resource=\"User\",operation=\"{operation}\",\
             result=\"{result}\"}} {times}"
        );
        assert!(metrics.contains(&line), "{line}: {metrics}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_done_to_one_resource_is_done_in_order() -> anyhow::Result<()> {
    let world = World::with(&["generic", "okta"]).await?;
    let client = world.client("generic");
    let leaver = world.user(client, json!({})).await?;
    let set = |path: &str, value: Value| {
        let data = patch(&json!([{ "op": "replace", "value": value }]));
        json!({ "method": "PATCH", "path": path, "data": data })
    };
    let create = |name: &str, data: Value| json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": data });
    let manager = |name: &str| json!({ ENTERPRISE: { "manager": { "value": format!("bulkId:{name}") } } });
    let mut hired = manager("new");
    hired["active"] = json!(true);
    let rows = json!([
        set(&leaver.path, hired),
        set(&leaver.path, json!({ "active": false })),
        create("new", world.user_body(&json!({}))),
        // In a circle, and changed before it is closed.
        create("a", world.user_body(&manager("b"))),
        set("/Users/bulkId:a", json!({ "title": "kept" })),
        create("b", world.user_body(&manager("a"))),
    ]);
    let reply = client.post("/Bulk", &bulk(&rows)).await?;
    let ends = reply.body["Operations"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<&str> = ends.iter().filter_map(|end| end["status"].as_str()).collect();
    assert_eq!(statuses, ["200", "200", "201", "201", "200", "201"], "{}", reply.body);
    assert_eq!(client.get(&leaver.path).await?.body["active"], false, "the last word counts");
    let changed = client.get(&format!("/Users/{}", id_of(&ends[3]))).await?.body;
    assert_eq!(changed["title"], "kept", "{changed}");
    assert_eq!(changed[ENTERPRISE]["manager"]["value"], id_of(&ends[5]), "{changed}");

    // Whoever comes back gives up a name, and the next one may have it.
    let okta = world.client("okta");
    for _ in 0..4 {
        let (old, external) = (world.name(), world.name());
        let back = world.user(okta, json!({ "userName": old, "externalId": external })).await?;
        let off = patch(&json!([{ "op": "replace", "value": { "active": false } }]));
        assert!(okta.patch(&back.path, &off).await?.status.is_success());
        let rows = json!([
            create("1", world.user_body(&json!({ "externalId": external }))),
            create("2", world.user_body(&json!({ "userName": old }))),
        ]);
        let reply = okta.post("/Bulk", &bulk(&rows)).await?;
        let ends = reply.body["Operations"].as_array().cloned().unwrap_or_default();
        let came: Vec<String> = ends.iter().map(id_of).collect();
        assert!(came[0] == back.id && !came[1].is_empty() && came[1] != back.id, "{}", reply.body);
    }
    Ok(())
}
