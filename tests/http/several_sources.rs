//! Several sources for one person: each has its own externalId, and each attribute may have one source that decides it.

use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::world::{ENTERPRISE, World, missing, none_wrong, patch};

async fn rest(world: &World) -> anyhow::Result<ScimClient> {
    let (_, token) = world.token(&["--tenant", "acme"]).await?;
    ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), &token)
}

fn owner(attribute: &str, source: &str) -> Value {
    json!({ "resource_type": "User", "attribute": attribute, "source": source })
}

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
    let person = rest(&world).await?.get(&format!("/users/{}", ada.id)).await?.body;
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

#[tokio::test]
async fn what_another_source_decides_is_recorded_and_not_applied() -> anyhow::Result<()> {
    let world = World::with(&["okta", "workday", "entra"]).await?;
    let (okta, workday, entra) = (world.client("okta"), world.client("workday"), world.client("entra"));
    let api = rest(&world).await?;
    let department = format!("{ENTERPRISE}:department");
    let owners = json!({ "owners": [
        owner("TITLE", "workday"), owner(&department, "workday"), owner("active", "workday"),
        owner("emails", "entra"),
        { "resource_type": "Group", "attribute": "members", "source": "okta" },
        { "resource_type": "Group", "attribute": "displayName", "source": "okta" },
    ] });
    let set = api.put("/attribute-owners", &owners).await?;
    assert_eq!(set.status, 200, "{}", set.body);
    let listed = api.get("/attribute-owners").await?.body;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(6), "{listed}");

    let body = json!({
        "userName": "ada", "externalId": "00u1", "title": "Clerk", "active": true, "nickName": "A",
        "emails": [{ "value": "ada@acme.test", "type": "work" }], ENTERPRISE: { "department": "Sales", "division": "D" },
    });
    let ada = world.user(okta, body).await?;
    let wanted = json!({
        "userName": "ada", "title": null, "nickName": "A", "emails": null, ENTERPRISE: { "department": null, "division": "D" },
    });
    assert_eq!(missing(&wanted, &ada.body), None, "what others decide waits for them: {}", ada.body);

    let operations = json!([
        { "op": "replace", "path": "title", "value": "Countess" },
        { "op": "replace", "path": &department, "value": "Research" },
        { "op": "add", "path": "emails", "value": [{ "value": "nobody@acme.test" }] },
    ]);
    let reply = workday.patch(&ada.path, &patch(&operations)).await?;
    let wanted =
        json!({ "title": "Countess", "emails": null, ENTERPRISE: { "department": "Research", "division": "D" } });
    assert_eq!(missing(&wanted, &reply.body), None, "{}", reply.body);

    // Who does not decide is answered as usual, and changes nothing of it.
    let version = reply.body["meta"]["version"].clone();
    let mut whole = okta.get(&ada.path).await?.body;
    whole["title"] = "Clerk".into();
    whole["active"] = false.into();
    let put = okta.put(&ada.path, &whole).await?;
    let wanted = json!({ "title": "Countess", "active": true, "meta": { "version": version } });
    assert_eq!((put.status.as_u16(), missing(&wanted, &put.body)), (200, None), "{}", put.body);
    whole["nickName"] = "B".into();
    let put = okta.put(&ada.path, &whole).await?;
    assert_eq!(missing(&json!({ "title": "Countess", "nickName": "B" }), &put.body), None, "{}", put.body);

    let log = api.get(&format!("/changes?resource={}&limit=200", ada.id)).await?.body;
    let told = |number: usize| log["data"][number]["details"].clone();
    assert_eq!(told(0), json!({ "attributes": ["nickName"], "withheld": ["active", "title"] }), "{log}");
    assert_eq!(told(1), json!({ "attributes": [], "withheld": ["active", "title"] }), "{log}");
    assert_eq!(told(2)["withheld"], json!(["emails"]), "{log}");
    assert_eq!(told(3)["withheld"], json!(["emails", "title", department]), "{log}");

    // A deletion by another source only lets go.
    assert_eq!(okta.delete(&ada.path).await?.status, 204);
    let left = okta.get(&ada.path).await?;
    assert_eq!(missing(&json!({ "userName": "ada", "externalId": null }), &left.body), None, "{}", left.body);
    assert_eq!(workday.delete(&ada.path).await?.status, 204);
    assert_eq!(okta.get(&ada.path).await?.status, 404);

    let staff = world.group(entra, json!({ "displayName": "Staff", "members": [{ "value": "x" }] })).await?;
    assert_eq!(missing(&json!({ "members": null }), &entra.get(&staff.path).await?.body), None);
    let add = patch(&json!([{ "op": "add", "path": "members", "value": [{ "value": "y" }] }]));
    assert!(entra.patch(&staff.path, &add).await?.status.is_success());
    assert_eq!(entra.get(&staff.path).await?.body["members"], Value::Null);
    okta.patch(&staff.path, &add).await?;
    assert_eq!(entra.get(&staff.path).await?.body["members"][0]["value"], "y");

    assert_eq!(entra.delete(&staff.path).await?.status, 204);
    assert_eq!(okta.get(&staff.path).await?.status, 200, "it was not Entra's to delete");
    assert_eq!(okta.delete(&staff.path).await?.status, 204);
    assert_eq!(entra.get(&staff.path).await?.status, 404);

    // What is left out of a PUT is not known to the source, and is no wish.
    let eve = world.user(workday, json!({ "title": "Boss" })).await?;
    let put = okta.put(&eve.path, &world.user_body(&json!({ "userName": eve.body["userName"] }))).await?;
    assert_eq!(put.body["title"], "Boss", "{}", put.body);
    let log = api.get(&format!("/changes?resource={}", eve.id)).await?.body;
    assert_eq!(log["data"].as_array().map(Vec::len), Some(1), "only the creation: {log}");

    // Nobody decides any more.
    assert_eq!(api.put("/attribute-owners", &json!({ "owners": [] })).await?.status, 200);
    let bob = world.user(okta, json!({ "title": "Clerk" })).await?;
    assert_eq!(bob.body["title"], "Clerk");
    Ok(())
}

#[tokio::test]
async fn owners_that_cannot_be_are_refused() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let api = rest(&world).await?;
    let cases = [
        (json!({}), "must be an array"),
        (json!({ "owners": [], "x": 1 }), "it can hold owners"),
        (json!({ "owners": [owner("externalId", "okta")] }), "externalId"),
        (json!({ "owners": [owner("id", "okta")] }), "no source can decide"),
        (json!({ "owners": [owner("groups", "okta")] }), "no source can decide"),
        (json!({ "owners": [owner("name.givenName", "okta")] }), "as a whole"),
        (json!({ "owners": [owner("nope", "okta")] }), "nope"),
        (json!({ "owners": [owner("title", "nobody")] }), "nobody"),
        (json!({ "owners": [owner("title", "okta"), owner("Title", "okta")] }), "twice"),
        (json!({ "owners": [{ "resource_type": "Robot", "attribute": "title", "source": "okta" }] }), "resource_type"),
        (json!({ "owners": [{ "resource_type": "User", "attribute": "title", "source": "okta", "x": 1 }] }), "hold"),
    ];
    let mut wrong = Vec::new();
    for (body, part) in cases {
        let reply = api.put("/attribute-owners", &body).await?;
        if reply.status != 400 || !reply.body.to_string().contains(part) {
            wrong.push(format!("{body}: {} {}", reply.status, reply.body));
        }
    }
    none_wrong(&wrong);
    assert_eq!(api.get("/attribute-owners").await?.body["data"], json!([]));
    Ok(())
}
