//! The mapping over REST: reading it, trying a draft, saving versions, going back.

use rollcall_tests::{Reply, ScimClient};
use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, missing};

const HR: &str = "urn:example:hr:2.0:User";

/// The default document with one attribute more or otherwise.
async fn with_rule(api: &ScimClient, attribute: &str, rule: Value) -> anyhow::Result<Value> {
    let mut document = api.get("/mapping/versions/0").await?.body["document"].clone();
    document["account"][attribute] = rule;
    Ok(document)
}

fn expect(what: &str, reply: &Reply, status: u16, wanted: &Value) {
    assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.body);
    assert_eq!(missing(wanted, &reply.body), None, "{what}: {}", reply.body);
}

#[tokio::test]
async fn a_version_is_saved_compared_and_taken_back() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &[]).await?;
    world.paused_target().await?;
    let api = world.rest().await?;
    let first = api.get("/mapping").await?;
    expect("the first", &first, 200, &json!({ "version": 0, "active": true }));
    assert_eq!(first.etag(), Some("W/\"0\""));

    let upper = with_rule(&api, "title", json!({ "value": "upper(user.title)", "blank": "clear" })).await?;
    let body = json!({ "document": upper, "note": "Titles in capitals" });
    let saved = api.with_header("If-Match", "W/\"0\"")?.put("/mapping", &body).await?;
    let wanted = json!({
        "version": 1, "previous": 0, "saved": true, "plans": [{ "target": "dingtalk", "held_by": "mapping:1" }],
        "changes": [{ "path": "/account/title/value", "before": "user.title", "after": "upper(user.title)" }],
    });
    expect("saved", &saved, 200, &wanted);
    assert_eq!(saved.etag(), Some("W/\"1\""));
    assert!(saved.text("/next")?.contains("nothing was sent"), "{}", saved.body);
    let again = api.post("/mapping/versions", &body).await?;
    expect("the same again", &again, 200, &json!({ "version": 1, "saved": false }));

    let other = with_rule(&api, "title", json!({ "value": "lower(user.title)" })).await?;
    let late = api.with_header("If-Match", "\"0\"")?.put("/mapping", &json!({ "document": other })).await?;
    expect("somebody was faster", &late, 412, &json!({ "code": "precondition_failed" }));
    let made = api.with_header("If-Match", "W/\"1\"")?.post("/mapping/versions", &json!({ "document": other })).await?;
    expect("on top of it", &made, 201, &json!({ "version": 2, "previous": 1 }));

    let list = api.get("/mapping/versions?limit=1").await?;
    expect("listed", &list, 200, &json!({ "data": [{ "version": 2, "active": true }], "has_more": true }));
    let more = api.get(&format!("/mapping/versions?cursor={}", list.text("/next_cursor")?)).await?;
    let wanted =
        json!({ "data": [{ "version": 1, "active": false, "note": "Titles in capitals" }], "has_more": false });
    expect("listed on", &more, 200, &wanted);
    assert!(more.text("/data/0/saved_by")?.starts_with("token:"));
    expect("one", &api.get("/mapping/versions/1").await?, 200, &json!({ "document": upper, "active": false }));
    for path in ["/mapping/versions/7", "/mapping/versions/x", "/mapping/diff?from=9"] {
        expect(path, &api.get(path).await?, 404, &json!({ "code": "not_found" }));
    }
    expect("no number", &api.get("/mapping/diff?to=x").await?, 400, &json!({ "code": "invalid_parameter" }));
    let latest =
        json!({ "from": 1, "to": 2, "changes": [{ "before": "upper(user.title)", "after": "lower(user.title)" }] });
    let found = api.get("/mapping/diff").await?;
    assert_eq!(found.body["changes"].as_array().map(Vec::len), Some(2), "the blank rule too: {}", found.body);
    expect("none", &api.get("/mapping/diff?from=2&to=2").await?, 200, &json!({ "changes": [] }));
    assert_eq!((&found.body["from"], &found.body["to"]), (&latest["from"], &latest["to"]));

    let back = api.post("/mapping/revert", &json!({ "version": 0 })).await?;
    expect("back", &back, 200, &json!({ "version": 3, "plans": [{ "held_by": "mapping:3" }] }));
    expect("counts", &api.get("/mapping").await?, 200, &json!({ "version": 3, "note": "Back to version 0" }));
    expect("nowhere", &api.post("/mapping/revert", &json!({ "version": 8 })).await?, 404, &json!({}));

    let (_, token) = world.token(&["--tenant", "umbrella"]).await?;
    let foreign =
        ScimClient::new(rollcall_tests::Client::Plain, &format!("{}/api/v1", world.server.base_url()), &token)?;
    expect("another tenant", &foreign.get("/mapping").await?, 200, &json!({ "version": 0 }));
    let source = ScimClient::new(
        rollcall_tests::Client::Plain,
        &format!("{}/api/v1", world.server.base_url()),
        world.token_of("generic"),
    )?;
    expect("a source", &source.get("/mapping").await?, 403, &json!({ "code": "wrong_token_kind" }));
    Ok(())
}

#[tokio::test]
async fn a_bad_document_is_told_all_that_is_wrong_and_changes_nothing() -> anyhow::Result<()> {
    let world = World::with(&[]).await?;
    let api = world.rest().await?;
    let mut bad = with_rule(&api, "title", json!({ "value": "user.title +\n user.titel" })).await?;
    bad["account"]["shoe size"] = json!({ "value": "user.title" });
    bad["scope"] = json!([{ "name": "x", "when": "user.active" }]);
    let refused = api.put("/mapping", &json!({ "document": bad })).await?;
    expect("bad", &refused, 422, &json!({ "code": "mapping_invalid" }));
    assert_eq!(refused.headers["content-type"], "application/problem+json");
    let errors = refused.body["errors"].as_array().cloned().unwrap_or_default();
    let at = |pointer: &str| errors.iter().find(|error| error["pointer"] == pointer).cloned().unwrap_or_default();
    assert_eq!((&at("/account/title/value")["line"], errors.len()), (&json!(2), 3), "{}", refused.body);
    assert_eq!(at("/account/title/value")["attribute"], "titel", "{}", refused.body);
    for pointer in ["/account/shoe size", "/scope/0/include"] {
        assert!(at(pointer)["advice"].is_string(), "{pointer}: {}", refused.body);
    }
    let checked = api.post("/mapping/check", &json!({ "document": bad })).await?;
    expect("checked", &checked, 200, &json!({ "valid": false, "compared_with": 0 }));
    assert_eq!(checked.body["errors"], refused.body["errors"]);
    for (what, body) in [
        ("no document", json!({})),
        ("no table", json!({ "document": 1 })),
        ("a stranger", json!({ "document": {}, "force": true })),
        ("a long note", json!({ "document": {}, "note": "x".repeat(1001) })),
    ] {
        let status = api.put("/mapping", &body).await?.status.as_u16();
        assert!(status == 400 || status == 422, "{what}: {status}");
    }

    let mut example = with_rule(&api, "title", json!({ "value": "upper(user.title)" })).await?;
    example["examples"] = json!([
        { "name": "right", "user": { "userName": "a", "title": "b" }, "expect": { "attributes": { "title": "B" } } },
        { "name": "wrong", "user": { "userName": "a", "title": "b" }, "expect": { "attributes": { "title": "b" } } },
    ]);
    let refused = api.put("/mapping", &json!({ "document": example })).await?;
    let wanted = json!({
        "code": "mapping_examples_fail", "errors": [{ "pointer": "/examples/1/expect/attributes/title", "attribute": "title" }],
    });
    expect("a failing example", &refused, 422, &wanted);
    let tested = api.post("/mapping/test", &json!({ "document": example })).await?;
    expect("tested", &tested, 200, &json!({ "passed": 1, "failed": 1 }));
    expect("nothing was saved", &api.get("/mapping").await?, 200, &json!({ "version": 0 }));
    let body = json!({ "document": example, "allow_failing_examples": true });
    expect(
        "all the same",
        &api.put("/mapping", &body).await?,
        200,
        &json!({ "failing_examples": [{ "name": "wrong" }] }),
    );
    expect("counts", &api.post("/mapping/test", &json!({})).await?, 200, &json!({ "failed": 1 }));
    Ok(())
}

#[tokio::test]
async fn a_draft_is_tried_on_everybody() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    world.paused_target().await?;
    let (api, scim) = (world.rest().await?, world.client("generic"));
    let phone = |number: u32| json!([{ "type": "mobile", "value": format!("+852 5123 {number:04}") }]);
    let ada = json!({ "userName": "ada", "displayName": "Ada Sample", "title": "clerk", "phoneNumbers": phone(1) });
    let ada = world.user(scim, ada).await?;
    let body = json!({ "userName": "bob", "displayName": "王 Sample", "userType": "Contractor" });
    let bob = world.user(scim, body).await?;
    let twin = json!({ "userName": "twin", "displayName": "Twin", "phoneNumbers": phone(1) });
    world.user(scim, twin).await?;
    world.user(scim, json!({ "userName": "gone", "active": false })).await?;
    let robot = json!({ "userName": "robot", "displayName": "R", "userType": "Service", "phoneNumbers": phone(2) });
    world.user(scim, robot).await?;
    world.group(scim, json!({ "displayName": "Choir", "members": [{ "value": ada.id }] })).await?;
    // What the target is known to have of Ada.
    sqlx::query(
        "INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, remote_id, observed, snapshot, updated_at)
         SELECT tenant_id, tenant_id, 'user', id, 'ada', 'known', $2, now() FROM users WHERE id = $1::uuid",
    )
    .bind(&ada.id)
    .bind(json!({ "name": "Ada Sample", "mobile": "+852-51230001", "title": "clerk", "org_units": ["1"] }))
    .execute(world.database.pool())
    .await?;

    let now = api.post("/mapping/preview", &json!({})).await?;
    let wanted = json!({
        "people": 4, "complete": true, "ready": 3, "blocked": 1, "kinds": { "normal": 4 },
        "targets": [{ "target": "dingtalk", "created": 2, "changed": 0, "unchanged": 1, "removed": 0 }],
        "failing": [{ "code": "mobile_missing", "attribute": "mobile", "people": 1, "blocks": true, "first": [bob.id] }],
        "duplicates": [{ "attribute": "mobile", "people": 1 }],
    });
    expect("as it is", &now, 200, &wanted);
    let reasons: Vec<&Value> =
        now.body["samples"].as_array().into_iter().flatten().map(|sample| &sample["chosen_for"]).collect();
    assert!(reasons.contains(&&json!(["other_script", "no_phone", "contractor"])), "{}", now.body);

    let title = json!({ "value": "user.title + \" \" + join(groups.map(g, g.displayName), \",\")" });
    let mut draft = with_rule(&api, "title", title).await?;
    draft["scope"] = json!([{ "name": "robots", "when": "user.userType == \"Service\"", "include": false }]);
    let seen = api.post("/mapping/preview", &json!({ "document": draft, "users": [ada.id] })).await?;
    let wanted = json!({
        "people": 4, "excluded": [{ "rule": "robots", "people": 1 }], "included": [{ "people": 3 }],
        "targets": [{ "created": 1, "changed": 1, "attributes": { "title": 1 }, "first": [ada.id] }],
        "users": [{ "id": ada.id, "user_name": "ada", "mapping": { "attributes": { "title": "clerk Choir" } } }],
    });
    expect("the draft", &seen, 200, &wanted);
    let traces = seen.body["users"][0]["mapping"]["traces"].as_array().cloned().unwrap_or_default();
    let trace = traces.iter().find(|trace| trace["attribute"] == "title").cloned().unwrap_or_default();
    let wanted = json!({
        "rule": "/account/title", "owner": "source", "decision": "set", "wanted": "clerk Choir",
        "inputs": [{ "path": "title", "value": "clerk" }, { "path": "groups", "value": ["Choir"] }],
    });
    assert_eq!(missing(&wanted, &trace), None, "{trace}");
    let many: Vec<&String> = std::iter::repeat_n(&ada.id, 51).collect();
    expect("too many", &api.post("/mapping/preview", &json!({ "users": many })).await?, 400, &json!({}));
    let bad = api.post("/mapping/preview", &json!({ "document": { "account": 1 } })).await?;
    expect("no document", &bad, 422, &json!({ "code": "mapping_invalid" }));
    expect("nothing was saved", &api.get("/mapping").await?, 200, &json!({ "version": 0 }));
    Ok(())
}

#[tokio::test]
async fn a_person_is_explained_by_the_rules_of_the_tenant() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (api, scim) = (world.rest().await?, world.client("generic"));
    let schema = json!({ "id": HR, "name": "HR", "attributes": [{ "name": "shirt", "type": "string" }] });
    expect(
        "a schema",
        &api.post("/schemas", &json!({ "resource_type": "User", "schema": schema })).await?,
        201,
        &json!({}),
    );
    let body = json!({ "userName": "ada", "displayName": "Ada", HR: { "shirt": "XL" }, ENTERPRISE: { "department": "Sales" } });
    let ada = world.user(scim, body).await?;
    let explain = format!("/users/{}/explain", ada.id);
    let traced = |reply: &Reply, name: &str| {
        let traces = reply.body["mapping"]["traces"].as_array().cloned().unwrap_or_default();
        traces.into_iter().find(|trace| trace["attribute"] == name).unwrap_or_default()
    };
    let before = api.get(&explain).await?;
    let missing_number = traced(&before, "mobile");
    let wanted = json!({ "decision": "held", "blank": "hold", "finding": { "code": "mobile_missing" } });
    assert_eq!(missing(&wanted, &missing_number), None, "{missing_number}");
    assert_eq!(traced(&before, "org_units")["wanted"], json!([["Sales"]]), "{}", before.body);

    let rule = json!({ "value": format!("extensions[\"{HR}\"].shirt"), "owner": "once" });
    let mut document = with_rule(&api, "extension.shirt size", rule).await?;
    document["account"]["remark"] = json!({ "owner": "target" });
    expect("saved", &api.put("/mapping", &json!({ "document": document })).await?, 200, &json!({ "version": 1 }));
    let after = api.get(&explain).await?;
    let wanted = json!({
        "owner": "once", "decision": "set", "wanted": "XL", "inputs": [{ "path": format!("{HR}:shirt"), "value": "XL" }],
    });
    let shirt = traced(&after, "extension.shirt size");
    assert_eq!(missing(&wanted, &shirt), None, "{shirt}");
    assert_eq!(traced(&after, "remark")["decision"], "theirs", "{}", after.body);
    Ok(())
}
