//! Several sources for one person: each has its own externalId.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, missing, none_wrong, not_refused, patch};

#[tokio::test]
async fn each_source_has_its_own_external_id() -> anyhow::Result<()> {
    let world = World::with(&["okta", "entra", "workday"]).await?;
    let (okta, entra, workday) = (world.client("okta"), world.client("entra"), world.client("workday"));
    let ada = world.user(okta, json!({ "userName": "ada", "externalId": "00u1" })).await?;

    // A second source finds the person by name, has no externalId of its own yet, and links.
    let found = entra.find("/Users", "userName eq \"ADA\"").await?;
    assert_eq!(missing(&json!({ "id": ada.id, "externalId": null }), &found.body["Resources"][0]), None);
    let again = entra.post("/Users", &world.user_body(&json!({ "userName": "Ada" }))).await?;
    assert_eq!(again.status, 409, "there is no duplicate: {}", again.body);
    let link = patch(&json!([{ "op": "Add", "path": "externalId", "value": "e-7" }]));
    let linked = entra.patch(&ada.path, &link).await?;
    assert_eq!(linked.body["externalId"], "e-7", "{}", linked.body);
    let version = linked.body["meta"]["version"].clone();
    assert_eq!(entra.patch(&ada.path, &link).await?.body["meta"]["version"], version, "the same again is nothing");

    // client, filter, found.
    let cases = [
        (okta, "externalId eq \"00u1\"", 1),
        (okta, "externalId eq \"e-7\"", 0),
        (entra, "externalId eq \"e-7\"", 1),
        (entra, "externalId eq \"E-7\"", 0),
        (entra, "externalId eq \"00u1\"", 0),
        (entra, "externalId eq \"e-7\" and userName eq \"ada\"", 1),
        (workday, "externalId eq \"e-7\"", 0),
        (okta, "externalId pr", 1),
        (entra, "externalId pr", 1),
        (workday, "externalId pr", 0),
        (workday, "externalId ne \"00u1\"", 1),
        (entra, "externalId ne \"e-7\"", 0),
        (entra, "externalId sw \"e-\"", 1),
        (entra, "externalId co \"u1\"", 0),
    ];
    let mut wrong = Vec::new();
    for (client, filter, total) in cases {
        let reply = client.find("/Users", filter).await?;
        if reply.body["totalResults"] != total {
            wrong.push(format!("{filter}: {}", reply.body));
        }
    }
    for (client, own) in [(okta, json!("00u1")), (entra, json!("e-7")), (workday, Value::Null)] {
        for path in [ada.path.as_str(), "/Users", "/Users?sortBy=externalId", "/Users?cursor", "/?sortBy=externalId"] {
            let body = client.get(path).await?.body;
            let seen = body.get("Resources").map_or(&body, |resources| &resources[0]);
            if seen["externalId"] != own {
                wrong.push(format!("{path} should show {own}: {seen}"));
            }
        }
    }
    // Okta sends back whole what it has read, and touches nobody else's.
    let mut whole = okta.get(&ada.path).await?.body;
    whole["title"] = "Countess".into();
    okta.put(&ada.path, &whole).await?;
    let mut without = entra.get(&ada.path).await?.body;
    without["externalId"] = Value::Null;
    if entra.get(&ada.path).await?.body["externalId"] != "e-7" {
        wrong.push("Okta's PUT took Entra's externalId away".to_owned());
    }
    entra.put(&ada.path, &without).await?;
    for (client, own) in [(okta, json!("00u1")), (entra, Value::Null)] {
        let seen = client.get(&ada.path).await?.body;
        if seen["externalId"] != own || seen["title"] != "Countess" {
            wrong.push(format!("after the PUTs {own} should be left: {seen}"));
        }
    }
    entra.patch(&ada.path, &link).await?;
    let person = world.rest().await?.get(&format!("/users/{}", ada.id)).await?.body;
    if person["external_ids"] != json!({ "okta": "00u1", "entra": "e-7" }) {
        wrong.push(format!("REST shows all of them: {person}"));
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn groups_have_external_ids_for_each_source_too() -> anyhow::Result<()> {
    let world = World::with(&["okta", "entra"]).await?;
    let (okta, entra) = (world.client("okta"), world.client("entra"));
    let staff = world.group(okta, json!({ "displayName": "Staff", "externalId": "g1" })).await?;
    let renamed = json!([{ "op": "add", "path": "externalId", "value": "e1" }]);
    let reply = entra.patch(&format!("{}?attributes=externalId", staff.path), &patch(&renamed)).await?;
    assert_eq!(reply.body["externalId"], "e1", "{}", reply.body);
    for (client, own, other) in [(okta, "g1", "e1"), (entra, "e1", "g1")] {
        assert_eq!(client.get(&staff.path).await?.body["externalId"], own);
        for (id, total) in [(own, 1), (other, 0)] {
            let reply = client.find("/Groups", &format!("externalId eq \"{id}\"")).await?;
            assert_eq!(reply.body["totalResults"], total, "{id}");
        }
    }
    // A change of members alone leaves them.
    let member = json!([{ "op": "add", "path": "members", "value": [{ "value": "x" }] }]);
    okta.patch(&staff.path, &patch(&member)).await?;
    assert_eq!(entra.get(&staff.path).await?.body["externalId"], "e1");
    Ok(())
}

/// A source that may not delete somebody lets go of them. To it they are gone, and what it sends next is the same person.
#[tokio::test]
async fn who_let_go_of_somebody_finds_them_again() -> anyhow::Result<()> {
    let world = World::with(&["okta", "entra", "strict", "workday"]).await?;
    let api = world.rest().await?;
    let active = json!({ "resource_type": "User", "attribute": "active", "source": "workday" });
    assert_eq!(api.put("/attribute-owners", &json!({ "owners": [active] })).await?.status, 200);
    let sources = ["okta", "entra", "strict"];
    let mut wrong = Vec::new();
    // Who creates, who lets go, the externalId in the POST, whether the person is active meanwhile.
    for (creator, source, given, is_active) in [
        ("okta", "okta", Some("again"), true),
        ("okta", "okta", None, true),
        ("okta", "entra", Some("again"), true),
        ("okta", "strict", None, true),
        ("entra", "entra", Some("again"), false),
        ("entra", "okta", Some("again"), false),
    ] {
        let case = format!("{creator} creates, {source} lets go, {given:?}");
        let client = world.client(source);
        let ada = world.user(world.client(creator), json!({ "externalId": creator })).await?;
        for other in sources.iter().filter(|other| **other != creator) {
            let link = patch(&json!([{ "op": "add", "path": "externalId", "value": other }]));
            assert_eq!(world.client(other).patch(&ada.path, &link).await?.status, 200);
        }
        let state = patch(&json!([{ "op": "replace", "path": "active", "value": is_active }]));
        assert_eq!(world.client("workday").patch(&ada.path, &state).await?.status, 200);
        assert_eq!(client.delete(&ada.path).await?.status, 204, "{case}");
        let only = format!("id eq \"{}\" and externalId pr", ada.id);
        if client.find("/Users", &only).await?.body["totalResults"] != 0 {
            wrong.push(format!("{case}: it has an externalId still"));
        }
        let body = json!({ "userName": ada.body["userName"], "externalId": given, "active": true, "title": "back" });
        let back = client.post("/Users", &world.user_body(&body)).await?;
        let wanted = json!({ "id": ada.id, "externalId": given, "active": is_active, "title": "back" });
        if back.status != 201 || missing(&wanted, &back.body).is_some() {
            wrong.push(format!("{case}: {} {}", back.status, back.body));
        }
        let ids = api.get(&format!("/users/{}", ada.id)).await?.body["external_ids"].clone();
        for other in sources {
            let wanted = if other == source { given } else { Some(other) };
            if ids[other] != json!(wanted) {
                wrong.push(format!("{case}: {other} should call them {wanted:?}: {ids}"));
            }
        }
        // The link is there again: one who creates somebody twice is told so, as ever.
        let twice = client.post("/Users", &world.user_body(&body)).await?;
        let restored = source == "okta" && !is_active;
        if twice.status != if restored { 201 } else { 409 } {
            wrong.push(format!("{case}, twice: {} {}", twice.status, twice.body));
        }
    }
    // Who never was here does not take somebody over by creating them.
    let ada = world.user(world.client("okta"), json!({})).await?;
    let body = json!({ "userName": ada.body["userName"] });
    world.client("okta").delete(&ada.path).await?;
    let stranger = world.client("strict").post("/Users", &world.user_body(&body)).await?;
    assert_eq!(stranger.status, 409, "{}", stranger.body);
    none_wrong(&wrong);
    Ok(())
}

/// The same with groups. Whoever creates a group again takes nobody out of it.
#[tokio::test]
async fn who_let_go_of_a_group_finds_it_again() -> anyhow::Result<()> {
    let world = World::with(&["okta", "entra", "strict"]).await?;
    let api = world.rest().await?;
    let owner = |attribute| json!({ "resource_type": "Group", "attribute": attribute, "source": "okta" });
    let mut wrong = Vec::new();
    // Whether Okta decides the members too; who creates, who lets go, the externalId in the POST.
    for (members_too, creator, source, given) in [
        (false, "okta", "entra", Some("again")),
        (false, "okta", "strict", None),
        (false, "entra", "entra", Some("again")),
        (false, "strict", "strict", None),
        (true, "okta", "entra", Some("again")),
        (true, "entra", "strict", None),
    ] {
        let case = format!("{creator} creates, {source} lets go, {given:?}, members: {members_too}");
        assert_eq!(api.put("/attribute-owners", &json!({ "owners": [] })).await?.status, 200);
        let (okta, client) = (world.client("okta"), world.client(source));
        let people = [world.user(okta, json!({})).await?.id, world.user(okta, json!({})).await?.id];
        let group = json!({ "externalId": creator, "members": [{ "value": people[0] }] });
        let group = world.group(world.client(creator), group).await?;
        for other in ["okta", "entra", "strict"].into_iter().filter(|other| *other != creator) {
            let link = patch(&json!([{ "op": "add", "path": "externalId", "value": other }]));
            assert!(world.client(other).patch(&group.path, &link).await?.status.is_success());
        }
        let owners = [owner("displayName"), owner("members")];
        let owners = &owners[..if members_too { 2 } else { 1 }];
        assert_eq!(api.put("/attribute-owners", &json!({ "owners": owners })).await?.status, 200);
        assert_eq!(client.delete(&group.path).await?.status, 204, "{case}");
        assert_eq!(client.get(&group.path).await?.body.get("externalId"), None, "{case}");
        let name = group.body["displayName"].as_str().unwrap_or_default();
        let body =
            json!({ "displayName": name.to_uppercase(), "externalId": given, "members": [{ "value": people[1] }] });
        let body = world.group_body(&body);
        let back = client.post("/Groups", &body).await?;
        let wanted = json!({ "id": group.id, "displayName": name, "externalId": given });
        if back.status != 201 || missing(&wanted, &back.body).is_some() {
            wrong.push(format!("{case}: {} {}", back.status, back.body));
        }
        let members = back.body["members"].as_array().into_iter().flatten();
        let members: BTreeSet<_> = members.filter_map(|member| member["value"].as_str()).collect();
        if members != people.iter().take(if members_too { 1 } else { 2 }).map(String::as_str).collect() {
            wrong.push(format!("{case}: {members:?} of {people:?}"));
        }
        for other in ["okta", "entra", "strict"] {
            let wanted = if other == source { given } else { Some(other) };
            let seen = world.client(other).get(&group.path).await?.body["externalId"].clone();
            if seen != json!(wanted) {
                wrong.push(format!("{case}: {other} should call it {wanted:?}: {seen}"));
            }
        }
        let twice = client.post("/Groups", &body).await?;
        wrong.extend(not_refused(&twice, 409, "uniqueness").map(|why| format!("{case}, twice: {why}")));
    }
    none_wrong(&wrong);
    Ok(())
}

/// HR hires somebody again whom another source had created, and who left.
#[tokio::test]
async fn whoever_knew_somebody_brings_them_back() -> anyhow::Result<()> {
    let world = World::with(&["okta", "workday", "entra"]).await?;
    let (okta, workday) = (world.client("okta"), world.client("workday"));
    let link = |id: &str| patch(&json!([{ "op": "add", "path": "externalId", "value": id }]));
    let off = patch(&json!([{ "op": "replace", "path": "active", "value": false }]));
    let leaver = async |id: &str, of_hr: Option<&str>| {
        let user = world.user(okta, json!({ "externalId": id, "title": "old" })).await?;
        if let Some(of_hr) = of_hr {
            assert_eq!(workday.patch(&user.path, &link(of_hr)).await?.status, 200);
        }
        assert_eq!(okta.patch(&user.path, &off).await?.status, 200);
        anyhow::Ok(user)
    };
    let hire = async |name: &Value, id: &str| {
        let mut body = world.user_body(&json!({ "externalId": id, "active": true }));
        if !name.is_null() {
            body["userName"] = name.clone();
        }
        workday.post("/Users", &body).await
    };
    let mut wrong = Vec::new();
    // How Okta and HR call the leaver, whom HR hires: by the same name or not, by which id. Who it is then.
    for (of_okta, of_hr, same_name, id, wanted) in [
        ("o1", Some("W1"), true, "W1", "back"),
        ("o2", Some("W2"), false, "W2", "back"),
        ("o3", Some("W3"), true, "W3-new", "back"),
        ("o4", Some("W4"), false, "w4", "new"),
        ("W5", None, false, "W5", "new"),
        ("W6", None, true, "W6", "refused"),
        ("W8", Some("W7"), false, "W8", "new"),
    ] {
        let ann = leaver(of_okta, of_hr).await?;
        let name = if same_name { ann.body["userName"].clone() } else { Value::Null };
        let reply = hire(&name, id).await?;
        let is_back = reply.body["id"] == json!(ann.id) && reply.body["active"] == true;
        let seen = match reply.status.as_u16() {
            201 if is_back && reply.body["externalId"] == id && reply.body["title"].is_null() => "back",
            201 if !is_back => "new",
            409 => "refused",
            _ => "something else",
        };
        if seen != wanted {
            wrong.push(format!("{of_okta} {of_hr:?} {same_name} {id}: {seen}: {}", reply.body));
        }
        if seen == "back" && okta.get(&ann.path).await?.body["externalId"] != of_okta {
            wrong.push(format!("{of_okta}: Okta's name for them is another"));
        }
    }
    // Of two whom HR calls so none is guessed; the name says who is meant.
    let (one, two) = (leaver("o8", Some("twin")).await?, leaver("o9", Some("twin")).await?);
    let neither = hire(&Value::Null, "twin").await?;
    if neither.status != 201 || [&one.id, &two.id].iter().any(|id| neither.body["id"] == json!(id)) {
        wrong.push(format!("somebody else was meant: {}", neither.body));
    }
    let named = hire(&two.body["userName"], "twin").await?;
    if (named.status.as_u16(), &named.body["id"]) != (201, &json!(two.id)) {
        wrong.push(format!("the second was meant: {} {}", named.status, named.body));
    }
    none_wrong(&wrong);
    Ok(())
}
