//! Profiles and their switches: shown, changed while the server runs, and what each position means for the next request.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use rollcall_tests::{Client, ScimClient, wait_until};
use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, none_wrong, patch};

/// Each switch in each position, and what comes of a request that depends on it.
const POSITIONS: [(&str, &str, &str); 28] = [
    ("string_booleans", "true", "201 active: false"),
    ("string_booleans", "false", "400 invalidValue"),
    ("create_on_no_match", "true", "200"),
    ("create_on_no_match", "false", "400 noTarget"),
    ("replace_keeps_parts", "true", r#"200 [{"type":"work","value":"b@x.test"}]"#),
    ("replace_keeps_parts", "false", r#"200 [{"value":"b@x.test"}]"#),
    ("dangling_members", "true", "201"),
    ("dangling_members", "false", "400 invalidValue"),
    ("bare_filter_words", "true", "200"),
    ("bare_filter_words", "false", "400 invalidFilter"),
    ("restore_on_post", "true", "201 the same"),
    ("restore_on_post", "false", "409 uniqueness"),
    ("unknown_attributes_ignored", "true", "201"),
    ("unknown_attributes_ignored", "false", "400 invalidSyntax"),
    ("scim_1_schemas", "true", "201"),
    ("scim_1_schemas", "false", "400 invalidSyntax"),
    ("unwrap_role_values", "true", r#"201 [{"value":"Admin","display":"The admin"}] found: 1"#),
    (
        "unwrap_role_values",
        "false",
        r#"201 [{"value":"{\"value\":\"Admin\",\"displayName\":\"The admin\"}"}] found: 0"#,
    ),
    ("text_references", "true", "201"),
    ("text_references", "false", "400 invalidValue"),
    ("manager_by", "\"id\"", "read as None"),
    ("manager_by", "\"externalId\"", r#"read as Some("externalId")"#),
    ("manager_by", "\"employeeNumber\"", r#"read as Some("employeeNumber")"#),
    ("patch_response_users", "\"full\"", "200"),
    ("patch_response_users", "\"no_content\"", "204"),
    ("patch_response_groups", "\"full\"", "200 with members"),
    ("patch_response_groups", "\"without_members\"", "200 without members"),
    ("patch_response_groups", "\"no_content\"", "204 without members"),
];

/// What comes of a request that depends on this switch.
async fn outcome(world: &World, client: &ScimClient, switch: &str) -> anyhow::Result<String> {
    let post = async |more: Value| client.post("/Users", &world.user_body(&more)).await;
    let reply = match switch {
        "string_booleans" => {
            let reply = post(json!({ "active": "False" })).await?;
            if reply.status == 201 {
                return Ok(format!("201 active: {}", reply.body["active"]));
            }
            reply
        }
        "create_on_no_match" => {
            let user = world.user(client, json!({})).await?;
            let set = json!([{ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@x.test" }]);
            client.patch(&user.path, &patch(&set)).await?
        }
        "replace_keeps_parts" => {
            let user = world.user(client, json!({ "emails": [{ "type": "work", "value": "a@x.test" }] })).await?;
            let value = json!({ "value": "b@x.test" });
            let set = json!([{ "op": "replace", "path": "emails[type eq \"work\"]", "value": value }]);
            let reply = client.patch(&user.path, &patch(&set)).await?;
            return Ok(format!("{} {}", reply.status.as_u16(), reply.body["emails"]));
        }
        "dangling_members" => {
            let members = json!([{ "value": "00000000-0000-7000-8000-000000000001" }]);
            client.post("/Groups", &world.group_body(&json!({ "members": members }))).await?
        }
        "bare_filter_words" => client.find("/Users", "externalId eq jyoung").await?,
        "restore_on_post" => {
            let user = world.user(client, json!({})).await?;
            let leaves = json!([{ "op": "replace", "path": "active", "value": false }]);
            ensure!(client.patch(&user.path, &patch(&leaves)).await?.status == 200, "{} leaves", user.id);
            let reply = post(json!({ "userName": user.body["userName"], "active": true })).await?;
            if reply.body["id"] == user.id.as_str() {
                return Ok("201 the same".to_owned());
            }
            reply
        }
        "unknown_attributes_ignored" => post(json!({ "shoeSize": 43 })).await?,
        "scim_1_schemas" => post(json!({ "schemas": ["urn:scim:schemas:core:1.0"] })).await?,
        "text_references" => post(json!({ "profileUrl": "not set" })).await?,
        "unwrap_role_values" => {
            let wrapped = r#"{"value":"Admin","displayName":"The admin"}"#;
            let user = world.user(client, json!({ "roles": [{ "value": wrapped }] })).await?;
            let filter = format!("id eq \"{}\" and roles.value eq \"Admin\"", user.id);
            let found = client.find("/Users", &filter).await?.body["totalResults"].clone();
            return Ok(format!("201 {} found: {found}", user.body["roles"]));
        }
        "manager_by" => {
            let user = world.user(client, json!({ ENTERPRISE: { "manager": { "value": "W1" } } })).await?;
            ensure!(user.body[ENTERPRISE]["manager"]["value"] == "W1", "kept and shown as it was sent: {}", user.body);
            let by: Option<String> = sqlx::query_scalar("SELECT manager_by FROM users WHERE id = $1::uuid")
                .bind(&user.id)
                .fetch_one(world.database.pool())
                .await?;
            return Ok(format!("read as {by:?}"));
        }
        "patch_response_users" => {
            let user = world.user(client, json!({})).await?;
            let set = json!([{ "op": "replace", "path": "title", "value": "x" }]);
            client.patch(&user.path, &patch(&set)).await?
        }
        "patch_response_groups" => {
            let user = world.user(client, json!({})).await?;
            let group = world.group(client, json!({})).await?;
            let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user.id }] }]);
            let reply = client.patch(&group.path, &patch(&add)).await?;
            let shown = if reply.body["members"].is_array() { "with" } else { "without" };
            return Ok(format!("{} {shown} members", reply.status.as_u16()));
        }
        other => anyhow::bail!("nothing shows what {other} does"),
    };
    let status = reply.status.as_u16().to_string();
    Ok(reply.body["scimType"].as_str().map_or(status.clone(), |keyword| format!("{status} {keyword}")))
}

/// A client of the REST interface, and the path of a source there.
async fn rest(world: &World, source: &str) -> anyhow::Result<(ScimClient, String)> {
    let (_, token) = world.token(&["--tenant", "acme"]).await?;
    let rest = ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), &token)?;
    let sources = rest.get("/sources").await?.body;
    let found = sources["data"].as_array().into_iter().flatten().find(|one| one["name"] == source);
    let id = found.and_then(|one| one["id"].as_str()).with_context(|| sources.to_string())?;
    Ok((rest, format!("/sources/{id}")))
}

/// Where the switches of a source stand, with those that are overridden.
fn switches(source: &Value) -> BTreeMap<String, (Value, bool)> {
    let all = source["switches"].as_array().into_iter().flatten();
    let one = |switch: &Value| (switch["value"].clone(), switch["overridden"] == true);
    all.map(|switch| (switch["name"].as_str().unwrap_or_default().to_owned(), one(switch))).collect()
}

#[tokio::test]
async fn every_switch_in_every_position_decides_over_the_next_request() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (rest, path) = rest(&world, "generic").await?;
    let client = world.client("generic");
    let before = switches(&rest.get(&path).await?.body);
    let mut wrong = Vec::new();
    for (switch, value, wanted) in POSITIONS {
        let value: Value = serde_json::from_str(value)?;
        let changed = rest.patch(&path, &json!({ "overrides": { (switch): value } })).await?;
        ensure!(changed.status == 200, "{switch}={value}: {} {}", changed.status, changed.body);
        assert_eq!(switches(&changed.body)[switch], (value.clone(), true), "{switch}");
        let seen = outcome(&world, client, switch).await?;
        if seen != wanted {
            wrong.push(format!("{switch}={value}: should be {wanted}, is {seen}"));
        }
        let back = rest.patch(&path, &json!({ "overrides": { (switch): null } })).await?;
        assert_eq!(switches(&back.body), before, "{switch} goes back");
        let profile = before[switch].0.to_string();
        let own = POSITIONS.into_iter().find(|(name, value, _)| *name == switch && *value == profile);
        let seen = outcome(&world, client, switch).await?;
        if Some(seen.as_str()) != own.map(|(.., wanted)| wanted) {
            wrong.push(format!("{switch} after its reset from {value}: {own:?}, but is {seen}"));
        }
    }
    none_wrong(&wrong);
    // Nothing is left out.
    let profiles = rest.get("/profiles").await?.body;
    let mut declared: Vec<(String, String)> = Vec::new();
    for switch in profiles["data"][0]["switches"].as_array().into_iter().flatten() {
        for value in switch["values"].as_array().into_iter().flatten() {
            declared.push((switch["name"].as_str().unwrap_or_default().to_owned(), value.to_string()));
        }
    }
    let mut shown: Vec<(String, String)> =
        POSITIONS.into_iter().map(|(name, value, _)| (name.to_owned(), value.to_owned())).collect();
    declared.sort();
    shown.sort();
    assert_eq!(declared, shown);
    Ok(())
}

#[tokio::test]
async fn profiles_and_sources_tell_what_each_switch_does_and_why() -> anyhow::Result<()> {
    let world = World::with(&["okta", "workday"]).await?;
    let (rest, path) = rest(&world, "workday").await?;
    let profiles = rest.get("/profiles").await?.body;
    let names: Vec<&str> =
        profiles["data"].as_array().into_iter().flatten().filter_map(|profile| profile["name"].as_str()).collect();
    assert_eq!(names, ["okta", "entra", "workday", "generic", "strict"]);
    let source = rest.get(&path).await?.body;
    assert_eq!((&source["profile"], &source["overrides"]), (&json!("workday"), &json!({})));
    assert_eq!(source.get("last_heard_at"), None);
    for place in [&profiles["data"][2], &source] {
        let switch = place["switches"].as_array().into_iter().flatten().find(|one| one["name"] == "manager_by");
        let switch = switch.context("manager_by")?;
        assert_eq!(
            (&switch["value"], &switch["values"]),
            (&json!("externalId"), &json!(["id", "externalId", "employeeNumber"]))
        );
        for text in ["does", "why", "client"] {
            assert!(switch[text].as_str().is_some_and(|text| text.len() > 20), "{switch}");
        }
    }
    let listed = rest.get("/sources").await?.body;
    assert_eq!(listed["data"][1], source);
    assert_eq!(listed["data"][0]["name"], "okta");
    Ok(())
}

#[tokio::test]
async fn another_profile_moves_what_is_not_overridden() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (rest, path) = rest(&world, "generic").await?;
    let client = world.client("generic");
    let change = async |body: Value| anyhow::Ok(rest.patch(&path, &body).await?.body);
    change(json!({ "profile": "strict", "overrides": { "bare_filter_words": true } })).await?;
    assert_eq!(outcome(&world, client, "string_booleans").await?, "400 invalidValue");
    assert_eq!(outcome(&world, client, "bare_filter_words").await?, "200");
    let back = change(json!({ "profile": "generic" })).await?;
    assert_eq!(back["overrides"], json!({ "bare_filter_words": true }), "it stays, although the profile has the same");
    assert_eq!(outcome(&world, client, "string_booleans").await?, "201 active: false");
    assert_eq!(change(json!({ "overrides": null })).await?["overrides"], json!({}));
    Ok(())
}

#[tokio::test]
async fn a_change_is_in_the_change_log_and_one_that_changes_nothing_is_not() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let (rest, path) = rest(&world, "generic").await?;
    let changes = async || anyhow::Ok(rest.get("/changes").await?.body["data"].as_array().cloned().unwrap_or_default());
    let before = changes().await?.len();
    rest.patch(&path, &json!({ "profile": "okta", "overrides": { "manager_by": "id", "string_booleans": null } }))
        .await?;
    let entries = changes().await?;
    assert_eq!(entries.len(), before + 1);
    let (operation, kind, details) = (&entries[0]["operation"], &entries[0]["kind"], &entries[0]["details"]);
    assert_eq!((operation, kind), (&json!("update"), &json!("source")));
    assert_eq!(format!("/sources/{}", entries[0]["resource_id"].as_str().unwrap_or_default()), path);
    let said = json!({
        "profile": { "from": "generic", "to": "okta" },
        "switches": { "manager_by": { "from": null, "to": "id" } },
        "by": details["by"],
    });
    assert_eq!(details, &said);
    assert!(details["by"]["token"].is_string(), "{details}");
    for nothing in [json!({}), json!({ "profile": "okta" }), json!({ "overrides": { "manager_by": "id" } })] {
        assert_eq!(rest.patch(&path, &nothing).await?.status, 200);
    }
    assert_eq!(changes().await?.len(), before + 1);
    world.cli.json(&["source", "set", "generic", "--reset", "manager_by"]).await?;
    let entries = changes().await?;
    assert_eq!(
        entries[0]["details"],
        json!({ "by": "command line", "switches": { "manager_by": { "from": "id", "to": null } } })
    );
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &["generic"]).await?;
    let (rest, path) = rest(&world, "generic").await?;
    let before = rest.get(&path).await?.body;
    let mut wrong = Vec::new();
    for (body, told) in [
        (
            json!({ "profile": "workday", "overrides": { "nope": true } }),
            "there is no switch \"nope\"; the switches are",
        ),
        (
            json!({ "profile": "workday", "overrides": { "manager_by": "x" } }),
            "it can be id, externalId, employeeNumber",
        ),
        (json!({ "overrides": { "string_booleans": "true" } }), "it can be true or false"),
        (json!({ "overrides": { "string_booleans": false, "restore_on_post": 1 } }), "it can be true or false"),
        (json!({ "overrides": "x" }), "must be an object"),
        (json!({ "profile": "Entra" }), "the profiles are okta, entra, workday, generic, strict"),
        (json!({ "profile": null }), "the profiles are okta, entra, workday, generic, strict"),
        (json!({ "name": "x" }), "only profile and overrides can be changed"),
    ] {
        let reply = rest.patch(&path, &body).await?;
        let detail = reply.body["detail"].as_str().unwrap_or_default();
        let problem = reply.headers.get("content-type").is_some_and(|kind| kind == "application/problem+json");
        if reply.status != 400 || !detail.contains(told) || !problem {
            wrong.push(format!("{body}: {} {}", reply.status, reply.body));
        }
    }
    none_wrong(&wrong);
    assert_eq!(rest.get(&path).await?.body, before);
    for nowhere in ["/sources/x", "/sources/%ff", "/sources/00000000-0000-7000-8000-000000000001"] {
        assert_eq!(rest.get(nowhere).await?.status, 404, "{nowhere}");
        assert_eq!(rest.patch(nowhere, &json!({ "profile": "okta" })).await?.status, 404, "{nowhere}");
    }
    for asked in ["/profiles?x=1", "/sources?limit=1"] {
        assert_eq!(rest.get(asked).await?.status, 400, "{asked}");
    }
    let (_, foreign) = world.token(&["--tenant", "umbrella"]).await?;
    let theirs = ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), &foreign)?;
    assert_eq!(theirs.get(&path).await?.status, 404);
    assert_eq!(theirs.patch(&path, &json!({ "profile": "okta" })).await?.status, 404, "never across tenants");
    assert_eq!(rest.get(&path).await?.body, before);
    Ok(())
}

/// The command line is another process.
#[tokio::test]
async fn another_process_is_heard() -> anyhow::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    assert_eq!(outcome(&world, client, "bare_filter_words").await?, "200");
    let set = ["source", "set", "generic", "--switch", "bare_filter_words=false", "--switch", "manager_by=externalId"];
    let shown = world.cli.json(&set).await?;
    assert_eq!(shown["overrides"], json!({ "bare_filter_words": false, "manager_by": "externalId" }));
    let becomes = async |wanted: &str| {
        wait_until(PATIENCE, &format!("it becomes {wanted}"), async || {
            Ok((outcome(&world, client, "bare_filter_words").await? == wanted).then_some(()))
        })
        .await
    };
    becomes("400 invalidFilter").await?;
    let listed = world.cli.json(&["source", "list"]).await?;
    assert_eq!(listed[0]["overrides"], shown["overrides"]);
    world.cli.json(&["source", "set", "generic", "--reset", "bare_filter_words", "--profile", "okta"]).await?;
    becomes("200").await?;
    let wrong = [
        vec!["--profile", "x"],
        vec!["--switch", "x=true"],
        vec!["--switch", "manager_by"],
        vec!["--reset", "x"],
        vec![],
    ];
    for arguments in wrong {
        let run = world.cli.run(&[&["source", "set", "generic"], arguments.as_slice()].concat()).await?;
        assert!(!run.status.success(), "{arguments:?}");
    }
    let listed = world.cli.json(&["source", "list"]).await?;
    assert_eq!(
        (&listed[0]["profile"], &listed[0]["overrides"]),
        (&json!("okta"), &json!({ "manager_by": "externalId" }))
    );
    Ok(())
}
