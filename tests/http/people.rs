//! PATCH, POST and PUT of users: rows A, C, E and P.

use serde_json::{Value, json};

use crate::world::{DINGTALK, ENTERPRISE, TOLERANT, USER, World, missing, none_wrong, not_refused, patch};

/// Row, the user before, operations, the user afterwards.
type Change = (&'static str, Value, Value, Value);

async fn check_changes(cases: &[Change]) -> anyhow::Result<()> {
    let world = World::with(&TOLERANT).await?;
    let mut wrong = Vec::new();
    for profile in TOLERANT {
        let client = world.client(profile);
        for (row, before, operations, after) in cases {
            let user = world.user(client, before.clone()).await?;
            let reply = client.patch(&user.path, &patch(operations)).await?;
            let read = client.get(&user.path).await?;
            let lack = missing(after, &read.body);
            if reply.status != 200 || reply.body != read.body || lack.is_some() || reply.etag() != read.etag() {
                wrong.push(format!("{row} {profile} {operations}: {} {} {lack:?}", reply.status, reply.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

fn one(op: &str, path: &str, value: impl Into<Value>) -> Value {
    json!([{ "op": op, "path": path, "value": value.into() }])
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases, one a line")]
async fn what_becomes_of_a_user_by_patch() -> anyhow::Result<()> {
    let (work, home) = (json!({ "type": "work", "value": "w" }), json!({ "type": "home", "value": "h" }));
    let new = json!({ "type": "work", "value": "new" });
    let department = format!("{ENTERPRISE}:department");
    let cases = [
        ("A1", json!({}), one("Replace", "active", "False"), json!({ "active": false })),
        ("A1", json!({ "active": false }), one("replace", "active", "TRUE"), json!({ "active": true })),
        ("A3", json!({}), json!([{ "op": "replace", "value": { "active": false } }]), json!({ "active": false })),
        ("A4", json!({ "active": false }), one("Add", "name.formatted", "x"), json!({ "active": false })),
        ("A7", json!({ "active": false }), json!([{ "op": "remove", "path": "active" }]), json!({ "active": false })),
        ("A7", json!({ "active": false }), one("replace", "active", Value::Null), json!({ "active": false })),
        ("A7", json!({}), json!([{ "op": "remove", "path": "active" }]), json!({ "active": true })),
        ("C3", json!({}), one("ADD", "title", "x"), json!({ "title": "x" })),
        ("C5", json!({}), one("add", "TITLE", "x"), json!({ "title": "x", "TITLE": null })),
        (
            "C5",
            json!({}),
            one("add", "addresses[type eq \"other\"].Formatted", "x"),
            json!({ "addresses": [{ "type": "other", "formatted": "x" }] }),
        ),
        ("C5", json!({}), json!([{ "OP": "add", "PATH": "title", "VALUE": "x" }]), json!({ "title": "x" })),
        ("P1", json!({}), one("replace", "emails[type eq \"work\"].value", "new"), json!({ "emails": [new] })),
        (
            "P1",
            json!({ "emails": [home] }),
            one("Replace", "emails[type eq \"work\"].value", "new"),
            json!({ "emails": [home, new] }),
        ),
        (
            "P1",
            json!({ "emails": [work] }),
            one("Replace", "emails[type eq \"work\"].value", "new"),
            json!({ "emails": [new] }),
        ),
        (
            "P2",
            json!({}),
            json!([
                { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "Belize" },
                { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Belmopan" },
                { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1" },
            ]),
            json!({
                "addresses": [{ "type": "work", "country": "Belize", "locality": "Belmopan" }],
                "phoneNumbers": [{ "type": "mobile", "value": "1" }],
            }),
        ),
        (
            "P3",
            json!({}),
            one("Add", &department, "x"),
            json!({ "schemas": [USER, ENTERPRISE], ENTERPRISE: { "department": "x" }, &department: null }),
        ),
        (
            "P3",
            json!({ ENTERPRISE: { "department": "x" } }),
            json!([{ "op": "remove", "path": department }]),
            json!({ "schemas": [USER], ENTERPRISE: null }),
        ),
        (
            "P3",
            json!({ ENTERPRISE: { "department": "x", "division": "d" } }),
            one("replace", ENTERPRISE, json!({ "division": "e" })),
            json!({ ENTERPRISE: { "department": "x", "division": "e" } }),
        ),
        (
            "P4",
            json!({}),
            json!([{ "op": "replace", "value": {
                "name.givenName": "g", &department: "x", "emails[type eq \"work\"].value": "w",
            } }]),
            json!({
                "name": { "givenName": "g" }, ENTERPRISE: { "department": "x" }, "emails": [work],
                "name.givenName": null,
            }),
        ),
        (
            "P5",
            json!({}),
            one("replace", &format!("{USER}:name.familyName"), "f"),
            json!({ "name": { "familyName": "f" } }),
        ),
        (
            "P6",
            json!({}),
            json!([
                { "op": "add", "path": "roles[primary eq \"True\"].value", "value": "r" },
                { "op": "add", "path": "roles[primary eq \"True\"].display", "value": "d" },
            ]),
            json!({ "roles": [{ "primary": true, "value": "r", "display": "d" }] }),
        ),
        ("P7", json!({ "title": "x" }), one("replace", "title", ""), json!({ "title": null })),
        ("P7", json!({ "title": "x" }), one("remove", "title", ""), json!({ "title": null })),
        (
            "P7",
            json!({ "emails": [work, home] }),
            one("replace", "emails[type eq \"work\"].value", ""),
            json!({ "emails": [home] }),
        ),
        (
            "P8",
            json!({ ENTERPRISE: { "costCenter": "c" } }),
            one("add", "nickName", "n"),
            json!({ "nickName": "n", ENTERPRISE: { "costCenter": "c" } }),
        ),
        (
            "P10",
            json!({ "emails": [{ "value": "a", "primary": true }] }),
            one("add", "emails", json!([{ "value": "b", "primary": true }])),
            json!({ "emails": [{ "value": "a", "primary": false }, { "value": "b", "primary": true }] }),
        ),
        (
            "once",
            json!({ "emails": [work, home] }),
            json!([
                { "op": "replace", "path": "emails[type eq \"home\"].value", "value": "W" },
                { "op": "replace", "path": "emails[type eq \"home\"].type", "value": "work" },
            ]),
            json!({ "emails": [{ "type": "work", "value": "W" }] }),
        ),
        (
            "P11",
            json!({ "emails": [work, home] }),
            json!([{ "op": "remove", "path": "emails[ type eq\"work\" ]" }]),
            json!({ "emails": [home] }),
        ),
        (
            "P12",
            json!({ "name": { "givenName": "g" } }),
            one("add", "name", json!({ "familyName": "f" })),
            json!({ "name": { "givenName": "g", "familyName": "f" } }),
        ),
        ("P12", json!({ "name": { "givenName": "g" } }), one("replace", "name", Value::Null), json!({ "name": null })),
        (
            "password",
            json!({}),
            json!([{ "op": "replace", "value": { "password": "s3cret" } }]),
            json!({ "password": null }),
        ),
        (
            "unknown",
            json!({}),
            one("add", "urn:ietf:params:scim:schemas:extension:Custom:2.0:User:badge", "7"),
            json!({ "schemas": [USER] }),
        ),
        (
            "noTarget",
            json!({}),
            json!([{ "op": "remove", "path": "emails[type eq \"fax\"]" }]),
            json!({ "emails": null }),
        ),
    ];
    check_changes(&cases).await
}

#[tokio::test]
async fn a_manager_comes_in_many_shapes() -> anyhow::Result<()> {
    let path = format!("{ENTERPRISE}:manager");
    let (led, free) = (json!({ ENTERPRISE: { "manager": { "value": "m" } } }), json!({ ENTERPRISE: null }));
    let cases = [
        ("E1", json!({}), one("add", &path, "m"), led.clone()),
        ("E2", json!({}), one("Add", "manager", json!([{ "$ref": "https://x/Users/m", "value": "m" }])), led.clone()),
        ("E2", json!({}), one("Add", &path, json!([{ "$ref": null, "value": "m" }])), led.clone()),
        ("E4", json!({}), one("Replace", &path, json!({ "value": "m", "displayName": "ignored" })), led.clone()),
        ("E4", json!({ "manager": null, ENTERPRISE: { "manager": "m" } }), one("add", "title", "x"), led.clone()),
        ("E6", json!({}), one("add", &format!("{path}.value"), "m"), led.clone()),
        ("E6", json!({}), json!([{ "op": "add", "value": { format!("{path}.value"): "m" } }]), led.clone()),
        ("E6", json!({}), json!([{ "op": "add", "value": { ENTERPRISE: { "manager.value": "m" } } }]), led.clone()),
        ("replaced", led.clone(), one("replace", &path, "n"), json!({ ENTERPRISE: { "manager": { "value": "n" } } })),
        ("removed", led.clone(), one("replace", &path, ""), free.clone()),
        ("removed", led.clone(), one("replace", &path, json!({ "value": "" })), free.clone()),
        ("removed", led.clone(), one("replace", "manager", json!([])), free.clone()),
        ("removed", led.clone(), json!([{ "op": "Remove", "path": path }]), free.clone()),
        ("removed", led, json!([{ "op": "remove", "path": format!("{path}.value") }]), free),
    ];
    check_changes(&cases).await
}

#[tokio::test]
async fn patches_that_are_refused_change_nothing() -> anyhow::Result<()> {
    let world = World::with(&["generic", "strict"]).await?;
    let generic = world.client("generic");
    let other = world.user(generic, json!({})).await?;
    let taken = other.body["userName"].as_str().unwrap_or_default().to_uppercase();
    let cases = [
        ("P9", one("remove", "userName", Value::Null), 400, "mutability"),
        ("path", one("replace", "bogus", "x"), 400, "invalidPath"),
        ("path", one("replace", "emails[type eq", "x"), 400, "invalidFilter"),
        ("path", json!([{ "op": "remove" }]), 400, "noTarget"),
        ("read-only", one("replace", "id", "x"), 400, "mutability"),
        ("read-only", one("replace", "groups", json!([])), 400, "mutability"),
        ("read-only", one("replace", &format!("{DINGTALK}:state"), "in_step"), 400, "mutability"),
        ("value", one("replace", "active", "maybe"), 400, "invalidValue"),
        ("value", one("replace", "userName", ""), 400, "invalidValue"),
        ("value", one("replace", "title", "a\u{0}b"), 400, "invalidValue"),
        ("value", one("replace", "userName", "a\u{7}b"), 400, "invalidValue"),
        ("taken", one("replace", "userName", taken), 409, "uniqueness"),
        ("operation", json!([{ "op": "move", "path": "title" }]), 400, "invalidSyntax"),
        ("operation", json!([7]), 400, "invalidSyntax"),
    ];
    let mut wrong = Vec::new();
    let user = world.user(generic, json!({ "title": "before" })).await?;
    let before = generic.get(&user.path).await?;
    for (row, operations, status, scim_type) in cases {
        let mut all = vec![json!({ "op": "replace", "path": "title", "value": "after" })];
        all.extend(operations.as_array().cloned().unwrap_or_default());
        let reply = generic.patch(&user.path, &patch(&json!(all))).await?;
        wrong.extend(not_refused(&reply, status, scim_type).map(|why| format!("{row}: {why}")));
        let read = generic.get(&user.path).await?;
        if (&read.body, read.etag()) != (&before.body, before.etag()) {
            wrong.push(format!("{row} changed {}", read.body));
        }
    }
    for (row, operations, scim_type) in [
        ("D3", one("replace", "active", "False"), "invalidValue"),
        ("D4", one("replace", "emails[type eq \"work\"].value", "x"), "noTarget"),
        ("D9", one("replace", "emails[type eq work].value", "x"), "invalidFilter"),
        ("unknown", one("replace", "urn:x:y:z", "x"), "invalidPath"),
    ] {
        let reply = world.client("strict").patch(&user.path, &patch(&operations)).await?;
        wrong.extend(not_refused(&reply, 400, scim_type).map(|why| format!("strict {row}: {why}")));
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn elements_are_replaced_as_the_profile_says() -> anyhow::Result<()> {
    let world = World::with(&["generic", "strict"]).await?;
    let operations = one("replace", "emails[type eq \"work\"]", json!({ "value": "n" }));
    for (profile, wanted) in
        [("generic", json!([{ "type": "work", "value": "n", "primary": true }])), ("strict", json!([{ "value": "n" }]))]
    {
        let client = world.client(profile);
        let user = world.user(client, json!({ "emails": [{ "type": "work", "value": "w", "primary": true }] })).await?;
        let reply = client.patch(&user.path, &patch(&operations)).await?;
        assert_eq!(reply.body["emails"], wanted, "{profile}");
    }
    Ok(())
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases, one a line")]
async fn what_is_created_and_replaced() -> anyhow::Result<()> {
    let world = World::with(&TOLERANT).await?;
    let entra_nulls = json!({
        "addresses": null, "phoneNumbers": null, "title": null, "department": null, "manager": null, "roles": [],
    });
    let created = [
        (
            "A2",
            json!({ "active": "True", "roles": [{ "primary": "True", "value": "r" }] }),
            json!({ "active": true, "roles": [{ "primary": true }] }),
        ),
        ("A6", json!({ "active": false }), json!({ "active": false })),
        (
            "default",
            json!({}),
            json!({
                "active": true, "schemas": [USER], "groups": null,
                "meta": { "resourceType": "User", "version": "W/\"1\"" },
            }),
        ),
        (
            "read-only",
            json!({ "id": "mine", "groups": [{ "value": "g" }], "meta": { "created": "1999" } }),
            json!({ "groups": null }),
        ),
        (
            "X1",
            json!({ "schemas": [
                USER, "http://schemas.microsoft.com/2006/11/x",
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0User",
            ] }),
            json!({ "schemas": [USER] }),
        ),
        ("X4", json!({ "password": "s3cret" }), json!({ "password": null })),
        ("Entra", entra_nulls, json!({ "addresses": null, "roles": null, ENTERPRISE: null })),
        (
            "C5",
            json!({ "TITLE": "t", "NAME": { "GIVENNAME": "g" } }),
            json!({ "title": "t", "name": { "givenName": "g" } }),
        ),
        ("extension", json!({ ENTERPRISE: { "department": "d" } }), json!({ "schemas": [USER, ENTERPRISE] })),
        ("extension", json!({ format!("{ENTERPRISE}:department"): "d" }), json!({ ENTERPRISE: { "department": "d" } })),
        (
            "nothing",
            json!({ "title": "", "nickName": null, "emails": [], "name": {} }),
            json!({ "title": null, "nickName": null, "emails": null, "name": null }),
        ),
        ("once", json!({ "emails": [{ "value": "a" }, { "value": "A" }] }), json!({ "emails": [{ "value": "A" }] })),
    ];
    let replaced = [
        ("A7", json!({}), json!({ "active": false }), json!({ "active": false })),
        ("A7", json!({ "active": false }), json!({ "title": "t" }), json!({ "active": false, "title": "t" })),
        ("A7", json!({ "active": false }), json!({ "active": null }), json!({ "active": false })),
        (
            "X3",
            json!({}),
            json!({ "id": "other", "groups": [{ "value": "g" }], "meta": { "version": "W/\"9\"" } }),
            json!({ "groups": null }),
        ),
        (
            "cleared",
            json!({ "title": "t", ENTERPRISE: { "department": "d" } }),
            json!({}),
            json!({ "title": null, ENTERPRISE: null, "schemas": [USER] }),
        ),
        (
            "whole",
            json!({ "name": { "givenName": "g", "familyName": "f" } }),
            json!({ "name": { "givenName": "h" } }),
            json!({ "name": { "givenName": "h", "familyName": null } }),
        ),
    ];
    let mut wrong = Vec::new();
    for profile in TOLERANT {
        let client = world.client(profile);
        for (row, body, after) in &created {
            let user = world.user(client, body.clone()).await?;
            let read = client.get(&user.path).await?;
            if user.body != read.body || missing(after, &read.body).is_some() {
                wrong.push(format!("POST {row} {profile}: {} {:?}", read.body, missing(after, &read.body)));
            }
        }
        for (row, before, body, after) in &replaced {
            let user = world.user(client, before.clone()).await?;
            let body = crate::world::with(json!({ "schemas": [USER], "userName": user.body["userName"] }), body);
            let reply = client.put(&user.path, &body).await?;
            let read = client.get(&user.path).await?;
            if reply.status != 200 || reply.body != read.body || missing(after, &read.body).is_some() {
                wrong.push(format!(
                    "PUT {row} {profile}: {} {} {:?}",
                    reply.status,
                    reply.body,
                    missing(after, &read.body)
                ));
            }
            let same = client.put(&user.path, &read.body).await?;
            if (same.etag(), &same.body) != (read.etag(), &read.body) {
                wrong.push(format!("PUT {row} {profile} of what was read changed {}", same.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}
