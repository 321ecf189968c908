//! What the server says about itself, and whether it is true.

use serde_json::{Value, json};

use crate::world::{DINGTALK, ENTERPRISE, GROUP, LIST, USER, World, missing, none_wrong, not_refused};

/// Pointers to every `null` in a document.
fn nulls(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Null => vec![place.to_owned()],
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(index, item)| nulls(item, &format!("{place}/{index}"))).collect()
        }
        Value::Object(map) => map.iter().flat_map(|(name, item)| nulls(item, &format!("{place}/{name}"))).collect(),
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn discovery() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let with_token = world.client("generic");
    let without = crate::tokens::nobody(&world)?;
    let mut wrong = Vec::new();
    for client in [with_token, &without] {
        let config = client.get("/ServiceProviderConfig").await?.body;
        let wanted = json!({
            "patch": { "supported": true }, "filter": { "supported": true, "maxResults": 1000 },
            "changePassword": { "supported": false }, "etag": { "supported": true },
            "authenticationSchemes": [{ "type": "oauthbearertoken" }, { "type": "oauth2" }],
        });
        wrong.extend(missing(&wanted, &config).map(|lack| format!("X5 config{lack}")));
        for name in ["bulk", "sort"] {
            assert!(config[name]["supported"].is_boolean(), "{name}: {config}");
        }
        let types = client.get("/ResourceTypes").await?.body;
        let schemas = client.get("/Schemas").await?.body;
        for document in [&config, &types, &schemas] {
            wrong.extend(nulls(document, "").into_iter().map(|place| format!("null at {place}")));
        }
        let schemas = schemas["Resources"].as_array().cloned().unwrap_or_default();
        let urns: Vec<&str> = schemas.iter().filter_map(|schema| schema["id"].as_str()).collect();
        for urn in [USER, GROUP, ENTERPRISE, DINGTALK] {
            assert!(urns.contains(&urn), "{urn}: {urns:?}");
        }
        for schema in &schemas {
            let urn = schema["id"].as_str().unwrap_or_default();
            for spelling in [urn.to_owned(), urn.to_uppercase(), urn.replace(':', "%3A"), format!("{urn}/")] {
                if client.get(&format!("/Schemas/{spelling}")).await?.body != *schema {
                    wrong.push(format!("/Schemas/{spelling}"));
                }
            }
        }
        for name in ["User", "group", "User/"] {
            let one = client.get(&format!("/ResourceTypes/{name}")).await?;
            assert_eq!(one.status, 200, "{name}");
            assert!(urns.contains(&one.text("/schema")?), "{name}");
        }
        for path in [
            "/Schemas",
            "/ResourceTypes",
            "/ServiceProviderConfig",
            "/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        ] {
            let filtered = client.get(&format!("{path}?filter=id%20pr")).await?;
            wrong.extend(not_refused(&filtered, 403, "").map(|why| format!("D8 {path}: {why}")));
            assert_eq!(client.get(&format!("{path}?sortBy=id&startIndex=5&count=0")).await?.status, 200, "{path}");
            for reply in
                [client.post(path, &json!({})).await?, client.put(path, &json!({})).await?, client.delete(path).await?]
            {
                wrong.extend(not_refused(&reply, 405, "").map(|why| format!("{path}: {why}")));
                assert!(reply.headers.contains_key("allow"), "{path}");
            }
        }
        for path in [
            "/Schemas/urn:nope",
            "/Schemas/urn:ietf:params:scim:api:messages:2.0:PatchOp",
            "/ResourceTypes/Nope",
            "/Schemas/%ff",
            "/ResourceTypes/%00",
        ] {
            wrong.extend(not_refused(&client.get(path).await?, 404, "").map(|why| format!("{path}: {why}")));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

/// Whatever a user can hold is declared: a client that reads `/Schemas` meets no surprise.
#[tokio::test]
async fn what_is_shown_is_declared() -> anyhow::Result<()> {
    let world = World::with(&["generic"]).await?;
    let client = world.client("generic");
    let part = json!({ "value": "dg==", "display": "d", "type": "t", "primary": true });
    let address = json!({
        "formatted": "f", "streetAddress": "s", "locality": "l", "region": "r", "postalCode": "p", "country": "c",
        "type": "work", "primary": true,
    });
    let mut attributes = json!({
        "name": {
            "formatted": "f", "familyName": "f", "givenName": "g", "middleName": "m", "honorificPrefix": "p",
            "honorificSuffix": "s",
        },
        "addresses": [address],
        ENTERPRISE: {
            "employeeNumber": "1", "costCenter": "c", "organization": "o", "division": "d", "department": "d",
            "manager": { "value": "m", "$ref": "../Users/m" },
        },
    });
    for name in [
        "displayName",
        "nickName",
        "profileUrl",
        "title",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "externalId",
    ] {
        attributes[name] = json!("x");
    }
    for name in ["emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"] {
        attributes[name] = json!([part]);
    }
    let user = world.user(client, attributes.clone()).await?;
    assert_eq!(missing(&attributes, &user.body), None, "stored as it was sent");
    let mut wrong = Vec::new();
    for (urn, home) in [(USER, &user.body), (ENTERPRISE, &user.body[ENTERPRISE])] {
        let schema = client.get(&format!("/Schemas/{urn}")).await?.body;
        let declared = |list: &Value, name: &str| -> Option<Value> {
            list.as_array()?.iter().find(|attribute| attribute["name"] == name).cloned()
        };
        for (name, value) in home.as_object().into_iter().flatten() {
            if ["schemas", "id", "externalId", "meta", ENTERPRISE].contains(&name.as_str()) {
                continue;
            }
            let Some(attribute) = declared(&schema["attributes"], name) else {
                wrong.push(format!("{urn}:{name}"));
                continue;
            };
            let parts = value.get(0).unwrap_or(value).as_object();
            let unknown = parts
                .into_iter()
                .flat_map(|parts| parts.keys())
                .filter(|part| declared(&attribute["subAttributes"], part).is_none());
            wrong.extend(unknown.map(|part| format!("{urn}:{name}.{part}")));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn base_urls_as_administrators_type_them() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    world.user(client, json!({ "userName": "ada" })).await?;
    world.user(client, json!({ "userName": "bob" })).await?;
    let found = json!({ "schemas": [LIST], "totalResults": 1, "Resources": [{ "userName": "ada" }] });
    for path in [
        "/Users?filter=userName+eq+%22ada%22",
        "/Users/?filter=userName+eq+%22ada%22",
        "//Users?filter=userName+eq+%22ada%22",
        "//Users/?filter=userName+eq+%22ada%22",
        "/Users?aadOptscim062020&filter=userName%20eq%20%22ada%22",
        "/Users?aadOptscim062020?filter=userName%20eq%20%22ada%22",
        "/Users?filter=userName%20eq%20%22ada%22?aadOptscim062020",
        "/Users?tenant=acme?filter=userName%20eq%20%22ada%22",
        "/Users?FILTER=userName%20eq%20ada&%ff=1",
    ] {
        assert_eq!(missing(&found, &client.get(path).await?.body), None, "F11 {path}");
    }
    for prefix in ["", "/"] {
        for suffix in ["", "/"] {
            let user = client.post(&format!("{prefix}/Users{suffix}"), &world.user_body(&json!({}))).await?;
            let path = format!("{prefix}/Users/{}{suffix}", user.text("/id")?);
            assert_eq!(client.get(&path).await?.body, user.body, "{path}");
            assert_eq!(client.put(&path, &user.body).await?.status, 200, "{path}");
            let change = crate::world::patch(&json!([{ "op": "add", "path": "title", "value": "t" }]));
            assert_eq!(client.patch(&path, &change).await?.status, 200, "{path}");
            assert_eq!(client.delete(&path).await?.status, 204, "{path}");
            let group = client.post(&format!("{prefix}/Groups{suffix}"), &world.group_body(&json!({}))).await?;
            assert_eq!(client.get(&format!("{prefix}/Groups/{}{suffix}", group.text("/id")?)).await?.status, 200);
            for name in ["Schemas", "ResourceTypes", "ServiceProviderConfig", "ResourceTypes/User"] {
                assert_eq!(
                    client.get(&format!("{prefix}/{name}{suffix}")).await?.status,
                    200,
                    "{prefix}/{name}{suffix}"
                );
            }
        }
    }
    Ok(())
}
