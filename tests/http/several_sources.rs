//! Several sources for one person: each has its own externalId.

use serde_json::{Value, json};

use crate::world::{World, missing, none_wrong, patch};

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
