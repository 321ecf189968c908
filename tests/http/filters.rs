//! Filters in URLs: rows F and what Entra looks people up by.

use serde_json::{Value, json};

use crate::world::{DINGTALK, ENTERPRISE, TOLERANT, USER, World, none_wrong, not_refused, patch, with};

/// The userNames in a list, sorted and joined.
fn names(list: &Value) -> String {
    let found = list["Resources"].as_array().into_iter().flatten();
    let mut names: Vec<&str> = found.filter_map(|user| user["userName"].as_str()).collect();
    names.sort_unstable();
    names.join(" ")
}

/// A source gives a resource its externalId.
async fn named(world: &World, profile: &str, path: &str, id: &str) -> anyhow::Result<()> {
    let operations = json!([{ "op": "add", "path": "externalId", "value": id }]);
    let reply = world.client(profile).patch(path, &patch(&operations)).await?;
    assert!(reply.status.is_success(), "{profile} {id}: {}", reply.body);
    Ok(())
}

#[tokio::test]
async fn people_are_found() -> anyhow::Result<()> {
    let world = World::with(&TOLERANT).await?;
    let client = world.client("generic");
    let email = |kind: &str, value: &str| json!({ "type": kind, "value": value, "primary": kind == "work" });
    let ada = world
        .user(
            client,
            json!({
                "userName": "Ada@acme.test", "externalId": "Ext-1", "title": "Countess", "userType": "Employee",
                "emails": [email("work", "Ada@Acme.Test"), email("home", "ada@home.test")],
                ENTERPRISE: { "employeeNumber": "E1", "department": "Engines", "manager": { "value": "M1" } },
            }),
        )
        .await?;
    let bob = world
        .user(
            client,
            json!({
                "userName": "bob", "externalId": "ext-1", "active": false, "emails": [email("work", "ada@home.test")],
                "title": "o\"brien \\ x", "nickName": "a+b & 100%_ d'x 張 #EXT#",
            }),
        )
        .await?;
    // Each source has its own externalId for everybody.
    for profile in TOLERANT {
        for (user, id) in [(&ada, "Ext-1"), (&bob, "ext-1")] {
            named(&world, profile, &user.path, id).await?;
        }
    }
    let group = world.group(client, json!({ "members": [bob.id] })).await?;
    let (a, b, g) = (&ada.id, &bob.id, &group.id);
    let (both, ada, bob) = ("Ada@acme.test bob", "Ada@acme.test", "bob");
    let cases = [
        ("F1", "userName eq \"nobody\"".to_owned(), ""),
        ("F3", "externalId eq Ext-1".to_owned(), ada),
        ("F3", "userName eq ada@acme.test".to_owned(), ada),
        ("F4", r#"title eq "o\"brien \\ x""#.to_owned(), bob),
        ("F4", "nickName eq \"a+b & 100%_ d'x 張 #EXT#\"".to_owned(), bob),
        ("F4", "nickName co \"100%_\"".to_owned(), bob),
        ("F4", "nickName co \"1000_\"".to_owned(), ""),
        ("F4", r#"title eq "\u006f\"brien \\ x""#.to_owned(), bob),
        ("F5", "emails[type eq \"work\"].value eq \"ada@acme.test\"".to_owned(), ada),
        ("F5", "emails[type eq \"home\"].value eq \"ada@acme.test\"".to_owned(), ""),
        ("F5", "emails.value eq \"ada@home.test\"".to_owned(), both),
        ("F5", "emails[type eq \"work\"] eq \"ada@home.test\"".to_owned(), bob),
        ("F5", "emails eq \"ada@acme.test\"".to_owned(), ada),
        ("F5", "emails[type eq \"work\" and value co \"@HOME\"]".to_owned(), bob),
        ("F5", "emails.type eq \"work\" and emails.value co \"@home\"".to_owned(), both),
        ("F6", "userName eq \"ADA@ACME.TEST\"".to_owned(), ada),
        ("F6", "externalId eq \"EXT-1\"".to_owned(), ""),
        ("F6", "externalId eq \"ext-1\"".to_owned(), bob),
        ("F7", "not(userType eq \"employee\")".to_owned(), bob),
        ("F7", "not (userType pr)".to_owned(), bob),
        ("F7", "userName eq \"bob\" or userName sw \"ada\" and title eq \"x\"".to_owned(), bob),
        ("F7", "(userName eq \"bob\" or userName sw \"ada\") and title pr".to_owned(), both),
        ("F8", "meta.lastModified gt \"2024-01-01T00:00:00+08:00\"".to_owned(), both),
        ("F8", "meta.lastModified lt \"2024-01-01T00:00:00\"".to_owned(), ""),
        ("F8", "meta.created lt \"9999-12-31T23:59:59.999999999Z\"".to_owned(), both),
        ("F8", "meta.created gt \"0000-01-01T00:00:00+23:59\"".to_owned(), both),
        ("A1", "active eq \"False\"".to_owned(), bob),
        ("A1", "active ne false".to_owned(), ada),
        ("P6", "emails[primary eq \"True\"].value eq \"ada@acme.test\"".to_owned(), ada),
        ("unmarked", "emails[primary eq false].value eq \"ada@home.test\"".to_owned(), ada),
        ("unmarked", "emails[type eq \"home\" and primary eq \"False\"]".to_owned(), ada),
        ("unmarked", "emails[primary ne true] and active eq true".to_owned(), ada),
        ("unmarked", "addresses.primary eq false".to_owned(), ""),
        ("case", "USERNAME EQ \"bob\" OR Title CO \"countess\"".to_owned(), both),
        ("URN", format!("{}:userName eq \"bob\"", USER.to_uppercase()), bob),
        ("URN", format!("{ENTERPRISE}:department eq \"engines\""), ada),
        ("URN", format!("{ENTERPRISE}:employeeNumber eq \"e1\""), ada),
        ("URN", format!("schemas eq \"{ENTERPRISE}\""), ada),
        ("null", "userType eq null".to_owned(), bob),
        ("null", "userType ne null".to_owned(), ada),
        ("ne", "userType ne \"Employee\"".to_owned(), bob),
        ("meta", "meta.resourceType eq \"User\" and meta.version eq \"W/\\\"3\\\"\"".to_owned(), both),
        ("Entra", format!("id eq \"{a}\" and manager eq \"M1\""), ada),
        ("Entra", format!("manager eq \"M1\" and id eq \"{a}\""), ada),
        ("Entra", format!("manager eq \"m1\" and id eq \"{a}\""), ""),
        ("Entra", "externalId eq \"Ext-1\" and userName eq \"ada@acme.test\"".to_owned(), ada),
        ("groups", format!("groups.value eq \"{g}\""), bob),
        ("groups", format!("groups eq \"{a}\""), ""),
        ("id", format!("id eq \"{}\"", b.to_uppercase()), ""),
        ("id", "id eq \"7\" or id eq \"\"".to_owned(), ""),
        // Nothing is projected in this world, so nobody has a state.
        ("DingTalk", format!("{DINGTALK}:state ne \"in_step\""), both),
        ("deep", format!("{}userName eq \"bob\"{}", "(".repeat(32), ")".repeat(32)), bob),
    ];
    let mut wrong = Vec::new();
    for profile in TOLERANT {
        for (row, filter, wanted) in &cases {
            let reply = world.client(profile).find("/Users", filter).await?;
            let count = json!(names(&reply.body).split_whitespace().count());
            let counted = reply.body["totalResults"] == count && reply.body["itemsPerPage"] == count;
            if reply.status != 200 || names(&reply.body) != *wanted || !counted {
                wrong.push(format!("{row} {profile} {filter}: {} {}", reply.status, reply.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

/// Whoever is not said to be suspended is active, and is found so, however it came to be unsaid.
#[tokio::test]
async fn active_people_are_found() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let mut wrong = Vec::new();
    for (created, operations) in [
        (json!({}), json!([])),
        (json!({ "active": null }), json!([])),
        (json!({}), json!([{ "op": "remove", "path": "active" }])),
        (json!({ "active": false }), json!([{ "op": "replace", "path": "active", "value": true }])),
    ] {
        let user = world.user(client, created.clone()).await?;
        if operations != json!([]) {
            client.patch(&user.path, &patch(&operations)).await?;
        }
        let read = client.get(&user.path).await?.body;
        client.put(&user.path, &with(read.clone(), &json!({ "active": null }))).await?;
        for (filter, total) in [("active eq true", 1), ("active eq false", 0), ("active pr", 1), ("active ne true", 0)]
        {
            let filter = format!("id eq \"{}\" and {filter}", user.id);
            let found = client.find("/Users", &filter).await?.body["totalResults"].clone();
            if read["active"] != true || found != total {
                wrong.push(format!("{created} {operations} {filter}: {found} {}", read["active"]));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn people_are_found_by_their_standing() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    world.paused_target().await?;
    let ada = world.user(client, json!({ "userName": "ada" })).await?;
    let shown = client.get(&format!("{}?attributes={DINGTALK}", ada.path)).await?;
    let state = shown.body[DINGTALK]["state"].as_str().unwrap_or_default().to_owned();
    assert!(!state.is_empty(), "{}", shown.body);
    for (filter, wanted) in [
        (format!("{DINGTALK}:state eq \"{state}\""), "ada"),
        (format!("{DINGTALK}:state pr and userName eq \"ada\""), "ada"),
        (format!("{DINGTALK}:state eq \"gone\""), ""),
    ] {
        let reply = client.find("/Users", &filter).await?;
        assert_eq!(names(&reply.body), wanted, "{filter}");
        assert!(reply.body["Resources"].get(0).is_none_or(|user| user.get(DINGTALK).is_none()), "only when asked for");
    }
    Ok(())
}

#[tokio::test]
async fn groups_are_found() -> anyhow::Result<()> {
    let world = World::with(&TOLERANT).await?;
    let client = world.client("generic");
    let ada = world.user(client, json!({ "displayName": "Ada" })).await?;
    let staff =
        world.group(client, json!({ "displayName": "Staff", "externalId": "S", "members": [ada.id, "x"] })).await?;
    world.group(client, json!({ "displayName": "Empty" })).await?;
    for profile in TOLERANT {
        named(&world, profile, &staff.path, "S").await?;
    }
    let (s, a) = (&staff.id, &ada.id);
    let cases = [
        ("displayName eq \"STAFF\"".to_owned(), 1),
        ("displayName eq \"staf\"".to_owned(), 0),
        ("externalId eq \"S\"".to_owned(), 1),
        ("externalId eq \"s\"".to_owned(), 0),
        (format!("id eq \"{s}\" and members eq \"{a}\""), 1),
        (format!("members eq \"{a}\" and id eq \"{s}\""), 1),
        (format!("members[value eq \"{a}\"]"), 1),
        (format!("members.value eq \"{s}\""), 0),
        ("members.value eq \"x\"".to_owned(), 1),
        ("members[type eq \"User\" and display eq \"ada\"]".to_owned(), 1),
        ("members pr".to_owned(), 1),
        ("not (members pr)".to_owned(), 1),
    ];
    let mut wrong = Vec::new();
    for profile in TOLERANT {
        for (filter, wanted) in &cases {
            let reply = world.client(profile).find("/Groups", filter).await?;
            if reply.body["totalResults"] != *wanted {
                wrong.push(format!("{profile} {filter}: {}", reply.body));
            }
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn filters_that_mean_nothing() -> anyhow::Result<()> {
    let world = World::with(&["generic", "strict"]).await?;
    let words = [
        "bogus eq \"x\"",
        "bogus pr",
        "userName",
        "userName eq",
        "userName xx \"a\"",
        "userName eq \"a\" and",
        "and",
        "not not (userName pr)",
        "not userName pr",
        "(userName pr",
        "userName pr)",
        "()",
        "eq \"a\"",
        "\"a\" eq userName",
        "userName eq \"a\" \"b\"",
        "userName eq 'a'",
        "userName eq \"a",
        r#"userName eq "\x""#,
        r#"userName eq "\ud800""#,
        r#"userName eq "\u0000""#,
        "active gt true",
        "active co \"t\"",
        "active eq \"maybe\"",
        "active eq 1",
        "emails[",
        "emails[]",
        "emails[type eq \"work\"",
        "emails[emails[type eq \"a\"]]",
        "emails[userName eq \"a\"]",
        "name eq \"x\"",
        "password eq \"x\"",
        "PASSWORD pr",
        "userName[type eq \"x\"]",
        "userName.foo eq \"x\"",
        "name.givenName.x pr",
        "urn:foo:bar eq \"x\"",
        "x509Certificates.value gt \"aa\"",
        "a.b.c.d eq \"x\"",
        "userName eq \"a\" xor userName pr",
        "meta.created gt \"x\"",
        "meta.created gt \"9999-12-31T23:59:59-23:59\"",
        "meta.created gt \"2020-13-01T00:00:00Z\"",
        "emails[type eq \"work\"].value",
        "groups[value eq \"x\"].foo eq \"x\"",
        "😀 eq \"x\"",
    ];
    let mut filters: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    filters.push(format!("{}userName pr{}", "(".repeat(33), ")".repeat(33)));
    filters.push(format!("title eq \"{}\"", "a".repeat(8_192)));
    filters.extend(["(", "not(", "not ", "[", "\"", "\\"].map(|piece| piece.repeat(2_000)));
    let mut wrong = Vec::new();
    for filter in &filters {
        for profile in ["generic", "strict"] {
            let reply = world.client(profile).find("/Users", filter).await?;
            let start: String = filter.chars().take(60).collect();
            wrong.extend(not_refused(&reply, 400, "invalidFilter").map(|why| format!("{profile} {start}: {why}")));
        }
    }
    for filter in ["userName eq bob", "active eq \"true\""] {
        let reply = world.client("strict").find("/Users", filter).await?;
        wrong.extend(not_refused(&reply, 400, "invalidFilter").map(|why| format!("D3, D9 {filter}: {why}")));
    }
    none_wrong(&wrong);
    Ok(())
}
