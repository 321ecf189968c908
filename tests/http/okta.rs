//! What Okta sends: its test suite step by step, the life of a person by both kinds of its integrations, imports and
//! group push.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{ERROR, LIST, USER, World, missing, none_wrong, not_refused, patch, with};

fn okta_user(name: &str) -> Value {
    json!({
        "schemas": [USER], "userName": name, "externalId": format!("00u-{name}"), "displayName": "Runscope Test",
        "name": { "givenName": "Runscope", "familyName": "Test" }, "locale": "en-US", "groups": [],
        "emails": [{ "primary": true, "value": name, "type": "work" }], "password": "1mz050nq", "active": true,
    })
}

/// The SPEC suite: every request with every assertion.
#[tokio::test]
async fn the_specification_suite() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let client = world.client("okta").with_header("Accept", "application/scim+json; charset=utf-8")?;
    client.post("/Users", &okta_user("existing@atko.com")).await?;
    let complete = |user: &Value| {
        let texts = ["/id", "/name/familyName", "/name/givenName", "/userName", "/emails/0/value"];
        let filled = |at: &str| user.pointer(at).and_then(Value::as_str).is_some_and(|text| !text.is_empty());
        texts.into_iter().all(filled) && user["active"].is_boolean()
    };

    let list = client.get("/Users?count=1&startIndex=1").await?;
    assert_eq!(list.status, 200, "4.2 #1");
    let numbers = json!({ "schemas": [LIST], "itemsPerPage": 1, "startIndex": 1, "totalResults": 1 });
    assert_eq!(missing(&numbers, &list.body), None, "4.2 #1");
    let first = &list.body["Resources"][0];
    assert!(complete(first), "4.2 #1: {first}");
    let one = client.get(&format!("/Users/{}", list.text("/Resources/0/id")?)).await?;
    assert_eq!((one.status.as_u16(), complete(&one.body), &one.body["id"]), (200, true, &first["id"]), "4.2 #2");
    for absent in ["abcdefgh@atko.com", "Runscope123Random@atko.com"] {
        let none = client.get(&format!("/Users?filter=userName%20eq%20%22{absent}%22&startIndex=1&count=100")).await?;
        let wanted = json!({ "schemas": [LIST], "totalResults": 0, "Resources": [] });
        assert_eq!((none.status.as_u16(), missing(&wanted, &none.body)), (200, None), "4.2 #3 #5");
    }
    for absent in ["010101001010101011001010101011", "00919288221112222"] {
        let none = client.get(&format!("/Users/{absent}")).await?;
        assert_eq!(not_refused(&none, 404, ""), None, "4.2 #4 #12");
        assert_eq!((none.text("/schemas/0")?, none.text("/status")?), (ERROR, "404"), "4.2 #12");
    }
    let name = "Runscope123Random@atko.com";
    let created = client.with_header("Content-Type", "application/json")?.post("/Users", &okta_user(name)).await?;
    let wanted = json!({
        "active": true, "name": { "familyName": "Test", "givenName": "Runscope" }, "schemas": [USER], "userName": name,
    });
    assert_eq!((created.status.as_u16(), missing(&wanted, &created.body)), (201, None), "4.2 #6");
    let read = client.get(&format!("/Users/{}", created.text("/id")?)).await?;
    assert_eq!((read.status.as_u16(), missing(&wanted, &read.body)), (200, None), "4.2 #7");
    assert_eq!(not_refused(&client.post("/Users", &okta_user(name)).await?, 409, "uniqueness"), None, "4.2 #8");
    let upper = client.find("/Users", &format!("userName eq \"{}\"", name.to_uppercase())).await?;
    assert_eq!((upper.status.as_u16(), &upper.body["totalResults"]), (200, &json!(1)), "4.2 #9");
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let before = Instant::now();
        let groups = client.get("/Groups").await?;
        fastest = fastest.min(before.elapsed());
        assert_eq!((groups.status.as_u16(), &groups.body["totalResults"]), (200, &json!(0)), "4.2 #10");
    }
    assert!(fastest < Duration::from_millis(600), "4.2 #10: {fastest:?}");
    let refused = client.with_header("Authorization", "non-token")?.get("/Users").await?;
    assert_eq!(not_refused(&refused, 401, ""), None, "4.2 #11");
    Ok(())
}

/// The catalogue deactivates by PATCH, the wizard by PUT of the whole object that it has read.
#[tokio::test]
async fn a_persons_life() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let client = world.client("okta");
    for wizard in [false, true] {
        let name = format!("ada-{wizard}@atko.com");
        let find = format!("userName eq \"{name}\"");
        assert_eq!(client.find("/Users", &find).await?.body["totalResults"], 0);
        let user = client.post("/Users", &okta_user(&name)).await?;
        let path = format!("/Users/{}", user.text("/id")?);
        let found = client.find("/Users", &find).await?.body["Resources"][0].clone();
        assert_eq!(
            missing(
                &json!({ "userName": name, "emails": [{ "value": name }], "name": { "givenName": "Runscope" } }),
                &found
            ),
            None,
            "4.3 #1"
        );

        let renamed =
            with(client.get(&path).await?.body, &json!({ "name": { "givenName": "Ada", "familyName": "Test" } }));
        let reply = client.put(&path, &renamed).await?;
        assert_eq!((reply.status.as_u16(), &reply.body["name"]["givenName"]), (200, &json!("Ada")), "4.3 #2");
        for active in [false, true, false] {
            let reply = if wizard {
                client.put(&path, &with(client.get(&path).await?.body, &json!({ "active": active }))).await?
            } else {
                client.patch(&path, &patch(&json!([{ "op": "replace", "value": { "active": active } }]))).await?
            };
            assert_eq!((reply.status.as_u16(), &reply.body["active"]), (200, &json!(active)), "4.3 #3 #4 #5 {wizard}");
            assert_eq!(client.get(&path).await?.body["active"], active, "{wizard}");
            assert_eq!(client.find("/Users", &find).await?.body["totalResults"], 1, "the inactive are not hidden");
        }
        if !wizard {
            let reply =
                client.patch(&path, &patch(&json!([{ "op": "replace", "value": { "password": "n3w" } }]))).await?;
            assert_eq!((reply.status.as_u16(), reply.body.get("password")), (200, None));
        }
        let again = client.post("/Users", &okta_user(&name)).await?;
        assert_eq!((again.status.as_u16(), again.text("/id")?), (201, user.text("/id")?), "A9: assigned again");
        assert_eq!(again.body["active"], true);
    }
    Ok(())
}

#[tokio::test]
async fn groups_are_pushed() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let client = world.client("okta");
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(world.user(client, json!({})).await?.id);
    }
    let element = |index: usize| json!({ "value": ids[index], "display": "x" });
    let values = |body: &Value| -> Vec<String> {
        let members = body["members"].as_array().into_iter().flatten();
        members.filter_map(|member| member["value"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(client.find("/Groups", "displayName eq \"Sales\"").await?.body["totalResults"], 0);
    let group = client.post("/Groups", &world.group_body(&json!({ "displayName": "Sales", "members": [] }))).await?;
    let path = format!("/Groups/{}", group.text("/id")?);
    let rename = json!({ "op": "replace", "value": { "id": group.body["id"], "displayName": "Sales EU" } });
    let steps = [
        (json!([rename, { "op": "add", "path": "members", "value": [element(0), element(1)] }]), vec![0, 1]),
        (
            json!([
                rename, { "op": "remove", "path": format!("members[value eq \"{}\"]", ids[0]) },
                { "op": "add", "path": "members", "value": [element(2)] },
            ]),
            vec![1, 2],
        ),
        (json!([{ "op": "replace", "path": "members", "value": [element(0)] }]), vec![0]),
        (json!([{ "op": "replace", "path": "members", "value": [] }]), vec![]),
    ];
    for (operations, wanted) in steps {
        let reply = client.patch(&path, &patch(&operations)).await?;
        assert_eq!((reply.status.as_u16(), &reply.body["displayName"]), (200, &json!("Sales EU")), "{operations}");
        let wanted: Vec<&str> = wanted.into_iter().map(|index: usize| ids[index].as_str()).collect();
        assert_eq!(values(&client.get(&path).await?.body), wanted, "{operations}");
    }
    let whole =
        with(client.get(&path).await?.body, &json!({ "displayName": "Sales", "members": [element(0), element(2)] }));
    let reply = client.put(&path, &whole).await?;
    assert_eq!((reply.status.as_u16(), values(&reply.body)), (200, vec![ids[0].clone(), ids[2].clone()]), "the wizard");
    assert_eq!(client.delete(&path).await?.status, 204);
    assert_eq!(not_refused(&client.get(&path).await?, 404, ""), None);
    Ok(())
}

#[tokio::test]
async fn everybody_is_imported() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let client = world.client("okta");
    let mut created = Vec::new();
    for number in 0..25 {
        created.push(world.user(client, json!({ "active": number % 3 != 0 })).await?.id);
    }
    let (mut seen, mut wrong) = (Vec::new(), Vec::new());
    while seen.len() < created.len() {
        let list = client.get(&format!("/Users?startIndex={}&count=10", seen.len() + 1)).await?;
        if list.body["totalResults"].as_i64() != i64::try_from(created.len() + usize::from(!seen.is_empty())).ok() {
            wrong.push(list.body.to_string());
        }
        let page = list.body["Resources"].as_array().into_iter().flatten();
        let page: Vec<String> = page.filter_map(|user| user["id"].as_str().map(str::to_owned)).collect();
        assert!(!page.is_empty(), "{}", list.body);
        if seen.is_empty() {
            // H6: somebody comes meanwhile.
            world.user(client, json!({})).await?;
        }
        seen.extend(page);
    }
    none_wrong(&wrong);
    assert_eq!(seen[..created.len()], created, "H6: nobody twice, nobody missing");
    Ok(())
}
