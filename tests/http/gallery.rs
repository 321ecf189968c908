//! Entra's tests for its gallery under their names, and the managers of its web validator.

use serde_json::{Value, json};

use crate::entra::{at, random_user, simple_paths};
use crate::world::{ENTERPRISE, World, missing, not_refused, patch};

fn one(op: &str, path: &str, value: impl Into<Value>) -> Value {
    patch(&json!([{ "op": op, "path": path, "value": value.into() }]))
}

#[tokio::test]
async fn people() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let name = "Gallery@acme.test";
    let find = format!("userName eq \"{name}\"");
    assert_eq!(client.find("/Users", &find).await?.body["totalResults"], 0, "3.9 POD_User");
    let created = client.post("/Users", &random_user(name)).await?;
    assert_eq!((created.status.as_u16(), created.text("/userName")?), (201, name), "3.9 Create_User SCIM_User_Create");
    let path = format!("/Users/{}", created.text("/id")?);
    let found = client.find("/Users", &find).await?;
    assert_eq!(found.body["Resources"][0]["id"], created.body["id"], "3.9 POD_User: found at once");

    for attribute in simple_paths() {
        let reply = client.patch(&path, &one("Replace", &attribute, format!("new {attribute}"))).await?;
        let read = client.get(&path).await?;
        assert_eq!(reply.status, 200, "3.9 Update_User SCIM_User_Update {attribute}: {}", reply.body);
        assert_eq!(*at(&read.body, &attribute), format!("new {attribute}"), "3.9 Update_User SCIM_User_Update");
    }
    let manager = format!("{ENTERPRISE}:manager");
    for (row, body, wanted) in [
        ("3.8 #12", one("add", &manager, json!({ "value": "m-1" })), json!({ "value": "m-1" })),
        ("3.8 #12", one("Add", &manager, "m-2"), json!({ "value": "m-2" })),
        ("3.8 #13", one("replace", &manager, json!({ "value": "m-3" })), json!({ "value": "m-3" })),
        ("3.9 SCIM_Update_Manager", one("Replace", &manager, "m-4"), json!({ "value": "m-4" })),
        ("3.9 SCIM_Update_Manager", one("Replace", &manager, ""), Value::Null),
        ("3.9 User_Update_Manager", one("Add", "manager", json!([{ "value": "m-5" }])), json!({ "value": "m-5" })),
        ("3.8 #14", patch(&json!([{ "op": "remove", "path": manager }])), Value::Null),
    ] {
        let reply = client.patch(&path, &body).await?;
        assert_eq!((reply.status.as_u16(), missing(&wanted, &reply.body[ENTERPRISE]["manager"])), (200, None), "{row}");
        assert_eq!(client.get(&path).await?.body, reply.body, "{row}");
    }
    for (row, sent, active) in [("3.9 Disable_User", "False", false), ("3.9 Restore_User", "True", true)] {
        let reply = client.patch(&path, &one("Replace", "active", sent)).await?;
        assert_eq!((reply.status.as_u16(), &reply.body["active"]), (200, &json!(active)), "{row}");
        let found = client.find("/Users", &find).await?;
        assert_eq!(found.body["Resources"][0]["active"], active, "{row}: shown either way");
    }
    assert_eq!(client.delete(&path).await?.status, 204, "3.9 Delete_User");
    assert_eq!(not_refused(&client.get(&path).await?, 404, ""), None, "3.9 Delete_User");
    assert_eq!(client.find("/Users", &find).await?.body["totalResults"], 0, "3.9 Delete_User");
    Ok(())
}

#[tokio::test]
async fn groups() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let member = world.user(client, json!({})).await?;
    let find = "displayName eq \"Gallery\"";
    assert_eq!(client.find("/Groups", find).await?.body["totalResults"], 0, "3.9 POD_Group");
    let body = world.group_body(&json!({ "displayName": "Gallery", "externalId": "o-1" }));
    let created = client.post("/Groups", &body).await?;
    assert_eq!((created.status.as_u16(), created.text("/displayName")?), (201, "Gallery"), "3.9 SCIM_Group_Create");
    let path = format!("/Groups/{}", created.text("/id")?);
    let found = client.find("/Groups", find).await?;
    assert_eq!(found.body["Resources"][0]["id"], created.body["id"], "3.9 Create_Group POD_Group: found at once");

    let renamed = one("Replace", "displayName", "Gallery 2");
    let add = one("Add", "members", json!([{ "$ref": null, "value": member.id }]));
    let remove = one("Remove", "members", json!([{ "$ref": null, "value": member.id }]));
    for (row, body, wanted) in [
        ("3.9 Update_Group SCIM_Group_Update", &renamed, json!({ "displayName": "Gallery 2" })),
        ("3.9 Group_Update_Add_Member", &add, json!({ "members": [{ "value": member.id }] })),
        ("3.9 Group_Update_Remove_Member", &remove, json!({ "members": null })),
    ] {
        assert_eq!(client.patch(&path, body).await?.status, 204, "{row}");
        assert_eq!(missing(&wanted, &client.get(&path).await?.body), None, "{row}");
    }
    for _ in 0..11 {
        world.group(client, json!({})).await?;
    }
    for (start, count) in [(1, 5), (6, 5), (11, 2)] {
        let list = client.get(&format!("/Groups?startIndex={start}&count=5")).await?.body;
        let numbers = json!({ "startIndex": start, "itemsPerPage": count, "totalResults": 12 });
        assert_eq!(missing(&numbers, &list), None, "3.9 SCIM_Group_Pagination");
    }
    assert_eq!(client.delete(&path).await?.status, 204, "3.9 Delete_Group");
    assert_eq!(not_refused(&client.get(&path).await?, 404, ""), None, "3.9 Delete_Group");
    let again = client.post("/Groups", &with_name(&body, "Gallery 2")).await?;
    assert_eq!(again.status, 201, "3.9 Restore_Group: the name is free, {}", again.body);
    assert_ne!(again.text("/id")?, created.text("/id")?, "3.9 Restore_Group: an id is never used again");
    Ok(())
}

fn with_name(body: &Value, name: &str) -> Value {
    crate::world::with(body.clone(), &json!({ "displayName": name }))
}
