//! What Entra's validators send: the web validator's tests and those of the gallery, and the connection test.

use serde_json::{Value, json};

use crate::world::{ENTERPRISE, LIST, USER, World, missing, none_wrong, not_refused, patch};

/// A user as the validator makes one up.
pub(crate) fn random_user(name: &str) -> Value {
    let of = |kind: &str| json!({ "type": kind, "value": format!("{kind}-{name}"), "primary": kind == "work" });
    let address = json!({
        "type": "work", "formatted": "f", "streetAddress": "s", "locality": "l", "region": "r", "postalCode": "p",
        "primary": true, "country": "Belize",
    });
    json!({
        "schemas": [USER, ENTERPRISE], "userName": name, "active": true, "displayName": "d", "title": "t",
        "externalId": format!("e-{name}"), "preferredLanguage": "zu-ZA", "locale": "L", "timezone": "Asia/Random",
        "nickName": "n", "userType": "u", "profileUrl": "p", "addresses": [address],
        "name": {
            "formatted": "f", "familyName": "f", "givenName": "g", "middleName": "m", "honorificPrefix": "p",
            "honorificSuffix": "s",
        },
        "emails": [of("work")], "phoneNumbers": [of("work"), of("mobile"), of("fax")],
        "roles": [{ "primary": "True", "display": "d", "value": "v", "type": "random" }],
        ENTERPRISE: {
            "employeeNumber": "1", "department": "d", "costCenter": "c", "organization": "o", "division": "v",
            "manager": { "value": "random" },
        },
    })
}

/// As it is read back: booleans are booleans.
fn read_back(mut user: Value) -> Value {
    user["roles"][0]["primary"] = true.into();
    user
}

/// The single-valued attributes that have a path.
pub(crate) fn simple_paths() -> Vec<String> {
    let core = [
        "displayName",
        "title",
        "nickName",
        "userType",
        "preferredLanguage",
        "locale",
        "timezone",
        "profileUrl",
        "externalId",
        "name.formatted",
        "name.givenName",
        "name.familyName",
        "name.middleName",
        "name.honorificPrefix",
        "name.honorificSuffix",
    ];
    let enterprise = ["employeeNumber", "department", "costCenter", "organization", "division"];
    let enterprise = enterprise.into_iter().map(|name| format!("{ENTERPRISE}:{name}"));
    core.into_iter().map(str::to_owned).chain(enterprise).collect()
}

/// The paths into elements, with the elements that they make.
const ELEMENTS: [(&str, &str); 12] = [
    ("emails[type eq \"work\"].value", "/emails/0/value"),
    ("phoneNumbers[type eq \"work\"].value", "/phoneNumbers/0/value"),
    ("phoneNumbers[type eq \"mobile\"].value", "/phoneNumbers/1/value"),
    ("phoneNumbers[type eq \"fax\"].value", "/phoneNumbers/2/value"),
    ("addresses[type eq \"work\"].formatted", "/addresses/0/formatted"),
    ("addresses[type eq \"work\"].streetAddress", "/addresses/0/streetAddress"),
    ("addresses[type eq \"work\"].locality", "/addresses/0/locality"),
    ("addresses[type eq \"work\"].country", "/addresses/0/country"),
    ("addresses[type eq \"work\"].postalCode", "/addresses/0/postalCode"),
    ("roles[primary eq \"True\"].value", "/roles/0/value"),
    ("roles[primary eq \"True\"].display", "/roles/0/display"),
    ("roles[primary eq \"True\"].type", "/roles/0/type"),
];

/// The value at a path of [`simple_paths`] in a resource.
pub(crate) fn at<'a>(user: &'a Value, path: &str) -> &'a Value {
    match path.strip_prefix(ENTERPRISE) {
        Some(name) => &user[ENTERPRISE][name.trim_start_matches(':')],
        None => path.split('.').fold(user, |value, name| &value[name]),
    }
}

/// What is wrong when every path should read as this text.
fn differing(user: &Value, text: &str) -> Vec<String> {
    let simple = simple_paths().into_iter().filter(|path| at(user, path) != text);
    let inner = ELEMENTS.iter().filter(|(_, place)| user.pointer(place).and_then(Value::as_str) != Some(text));
    simple.chain(inner.map(|(path, _)| (*path).to_owned())).collect()
}

#[tokio::test]
async fn the_web_validator_on_users() -> anyhow::Result<()> {
    let world = World::with(&["entra", "generic"]).await?;
    for profile in ["entra", "generic"] {
        let client = world.client(profile);
        let name = format!("Validator-{profile}@acme.test");
        let created = client.post("/Users", &random_user(&name)).await?;
        assert_eq!(
            (created.status.as_u16(), missing(&read_back(random_user(&name)), &created.body)),
            (201, None),
            "3.8 #1"
        );
        let path = format!("/Users/{}", created.text("/id")?);
        assert_eq!(not_refused(&client.post("/Users", &random_user(&name)).await?, 409, "uniqueness"), None, "3.8 #2");
        let found = client.find("/Users", &format!("userName eq \"{name}\"")).await?;
        let wanted = json!({ "schemas": [LIST], "totalResults": 1, "Resources": [created.body] });
        assert_eq!(missing(&wanted, &found.body), None, "3.8 #1 #3");
        assert_eq!(client.find("/Users", "userName eq \"random\"").await?.body["totalResults"], 0, "3.8 #4");
        let upper = client.get(&format!("/Users?filter=userName+eq+%22{}%22", name.to_uppercase())).await?;
        assert_eq!(upper.body["Resources"][0]["id"], created.body["id"], "3.8 #5");

        let inner = ELEMENTS.iter().map(|(path, _)| (*path).to_owned());
        let verbose: Vec<Value> = simple_paths()
            .into_iter()
            .chain(inner)
            .map(|path| json!({ "op": "Replace", "path": path, "value": "6" }))
            .collect();
        let reply = client.patch(&path, &patch(&json!(verbose))).await?;
        assert_eq!((reply.status.as_u16(), differing(&reply.body, "6")), (200, vec![]), "3.8 #6");
        let grouped: serde_json::Map<_, _> = simple_paths().into_iter().map(|path| (path, json!("7"))).collect();
        let mut operations = vec![json!({ "op": "replace", "value": grouped })];
        operations.extend(ELEMENTS.iter().map(|(path, _)| json!({ "op": "replace", "path": path, "value": "7" })));
        let reply = client.patch(&path, &patch(&json!(operations))).await?;
        assert_eq!((reply.status.as_u16(), differing(&reply.body, "7")), (200, vec![]), "3.8 #7");
        let literal = reply
            .body
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(key, _)| key.contains('.') && !key.starts_with("urn:"));
        assert_eq!(literal.count(), 0, "3.8 #7: {}", reply.body);
        let renamed = client
            .patch(&path, &patch(&json!([{ "op": "replace", "value": { "userName": format!("New-{name}") } }])))
            .await?;
        assert_eq!(renamed.body["userName"], format!("New-{name}"), "3.8 #8");
        let disabled =
            client.patch(&path, &patch(&json!([{ "op": "replace", "path": "active", "value": false }]))).await?;
        assert_eq!((disabled.status.as_u16(), &disabled.body["active"]), (200, &json!(false)), "3.8 #9");
        assert_eq!(client.delete(&path).await?.status, 204, "3.8 #15");
        assert_eq!(not_refused(&client.get(&path).await?, 404, ""), None, "3.8 #15");
        assert_eq!(not_refused(&client.delete(&path).await?, 404, ""), None, "3.8 #P3 #P4");
    }
    Ok(())
}

#[tokio::test]
async fn the_web_validator_adds_to_an_empty_user() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    for grouped in [false, true] {
        let user = world.user(client, json!({})).await?;
        let mut operations: Vec<Value> = if grouped {
            let all: serde_json::Map<_, _> = simple_paths().into_iter().map(|path| (path, json!("10"))).collect();
            vec![json!({ "op": "add", "value": all })]
        } else {
            simple_paths().into_iter().map(|path| json!({ "op": "add", "path": path, "value": "10" })).collect()
        };
        operations.extend(ELEMENTS.iter().map(|(path, _)| json!({ "op": "add", "path": path, "value": "10" })));
        operations.push(json!({ "op": "add", "path": "emails[type eq \"work\"].primary", "value": true }));
        let reply = client.patch(&user.path, &patch(&json!(operations))).await?;
        assert_eq!((reply.status.as_u16(), differing(&reply.body, "10")), (200, vec![]), "3.8 #10 #11");
        let wanted = json!({
            "emails": [{ "type": "work", "primary": true }], "addresses": [{ "type": "work" }],
            "roles": [{ "primary": true }],
            "phoneNumbers": [{ "type": "work" }, { "type": "mobile" }, { "type": "fax" }],
        });
        assert_eq!(missing(&wanted, &reply.body), None, "one element for each filter");
        let several = json!([
            { "op": "remove", "path": "preferredLanguage" }, { "op": "add", "path": "externalId", "value": "a" },
            { "op": "replace", "path": "displayName", "value": "b" }, { "op": "remove", "path": "externalId" },
            { "op": "add", "path": "externalId", "value": "c" },
            { "op": "replace", "path": "externalId", "value": "d" },
        ]);
        let reply = client.patch(&user.path, &patch(&several)).await?;
        let wanted = json!({ "preferredLanguage": null, "externalId": "d", "displayName": "b" });
        assert_eq!(missing(&wanted, &reply.body), None, "3.8 #P1 #P2");
    }
    Ok(())
}

#[tokio::test]
async fn the_web_validator_on_groups() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let group = world.group(client, json!({ "externalId": "g", "meta": { "resourceType": "Group" } })).await?;
    let name = group.body["displayName"].as_str().unwrap_or_default().to_owned();
    assert_eq!((&group.body["externalId"], group.body.get("members")), (&json!("g"), None), "3.8 #21");
    let again = client.post("/Groups", &world.group_body(&json!({ "displayName": name }))).await?;
    assert_eq!(not_refused(&again, 409, "uniqueness"), None, "3.8 #22");
    let user = world.user(client, json!({})).await?;
    let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user.id }] }]);
    assert_eq!(client.patch(&group.path, &patch(&add)).await?.status, 204, "3.8 #25");
    assert_eq!(client.get(&group.path).await?.body["members"][0]["value"], user.id.as_str(), "3.8 #25");
    let without = client.get(&format!("{}?excludedAttributes=members", group.path)).await?;
    assert_eq!((without.status.as_u16(), without.body.get("members")), (200, None), "3.8 #16");
    for (filter, total) in [
        (format!("displayName eq \"{name}\""), 1),
        (format!("displayName eq \"{}\"", name.to_lowercase()), 1),
        ("displayName eq \"random\"".to_owned(), 0),
    ] {
        let query = filter.replace(' ', "%20").replace('"', "%22");
        let list = client.get(&format!("/Groups?excludedAttributes=members&filter={query}")).await?.body;
        assert_eq!(list["totalResults"], total, "3.8 #17 #18 #19 #20 {filter}");
        assert!(list["Resources"].get(0).is_none_or(|group| group.get("members").is_none()), "3.8 #17");
        assert_eq!(client.find("/Groups", &filter).await?.body["totalResults"], total, "3.8 #18 #19");
    }
    let both = json!([
        { "op": "remove", "path": format!("members[value eq \"{}\"]", user.id) },
        { "op": "replace", "value": { "displayName": "Renamed", "externalId": "h" } },
    ]);
    assert_eq!(client.patch(&group.path, &patch(&both)).await?.status, 204, "3.8 #23 #24 #P5");
    let wanted = json!({ "displayName": "Renamed", "externalId": "h", "members": null });
    assert_eq!(missing(&wanted, &client.get(&group.path).await?.body), None, "3.8 #23 #24");
    assert_eq!(client.delete(&group.path).await?.status, 204, "3.8 #25");
    assert_eq!(not_refused(&client.get(&group.path).await?, 404, ""), None, "3.8 #25");
    assert_eq!(not_refused(&client.delete(&group.path).await?, 404, ""), None, "3.8 #P6 #P7");
    Ok(())
}

#[tokio::test]
async fn the_gallery_tests() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    for path in [
        "/Users?filter=userName%20eq%20%227f9b%22",
        "/Groups?excludedAttributes=members&filter=displayName%20eq%20%227f9b%22",
    ] {
        let reply = client.get(path).await?;
        assert_eq!((reply.status.as_u16(), &reply.body["Resources"]), (200, &json!([])), "3.2 connection test");
    }
    let schema = client.get("/Schemas").await?.body.to_string().to_lowercase();
    for path in simple_paths() {
        let name = path.rsplit([':', '.']).next().unwrap_or_default().to_lowercase();
        assert!(schema.contains(&format!("\"{name}\"")) || name == "externalid", "3.9 Schema_Discoverability {path}");
    }
    let mut wrong = Vec::new();
    for clear in [json!(""), Value::Null] {
        for op in ["Replace", "add"] {
            for path in simple_paths() {
                let user = client.post("/Users", &random_user(&world.name())).await?;
                let place = format!("/Users/{}", user.text("/id")?);
                let reply = client.patch(&place, &patch(&json!([{ "op": op, "path": path, "value": clear }]))).await?;
                let read = client.get(&place).await?;
                if reply.status != 200 || !at(&read.body, &path).is_null() {
                    wrong.push(format!("3.9 SCIM_Null_Update {op} {path} {clear}: {} {}", reply.status, read.body));
                }
            }
        }
    }
    none_wrong(&wrong);
    let before = client.get("/Users?count=0").await?.body["totalResults"].as_i64().unwrap_or_default();
    assert!(before >= 11, "there are enough people for pages");
    for start in [1, 6, 11] {
        let list = client.get(&format!("/Users?startIndex={start}&count=5")).await?.body;
        assert_eq!(
            (&list["startIndex"], &list["itemsPerPage"]),
            (&json!(start), &json!(5)),
            "3.9 SCIM_User_Pagination"
        );
    }
    Ok(())
}

/// Both dialects for the same changes, and many of them at once.
#[tokio::test]
async fn both_dialects() -> anyhow::Result<()> {
    let world = World::with(&["entra"]).await?;
    let client = world.client("entra");
    let old = json!([
        { "op": "Replace", "path": "displayName", "value": "D" },
        { "op": "Replace", "path": "active", "value": "False" },
        { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "w" },
        { "op": "Add", "path": "name.givenName", "value": "G" },
        { "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "E" },
        { "op": "Add", "path": "manager", "value": [{ "$ref": "http://x/Users/m", "value": "m" }] },
    ]);
    let new = json!([
        { "op": "replace", "value": {
            "displayName": "D", "active": false, "name.givenName": "G", format!("{ENTERPRISE}:department"): "E",
        } },
        { "op": "add", "path": "emails[type eq \"work\"].value", "value": "w" },
        { "op": "add", "path": format!("{ENTERPRISE}:manager"), "value": "m" },
    ]);
    let wanted = json!({
        "displayName": "D", "active": false, "name": { "givenName": "G" }, "emails": [{ "type": "work", "value": "w" }],
        ENTERPRISE: { "department": "E", "manager": { "value": "m" } },
    });
    for (flag, operations) in [("", old), ("?aadOptscim062020", new)] {
        let user = world.user(client, json!({})).await?;
        let reply = client.patch(&format!("{}{flag}", user.path), &patch(&operations)).await?;
        assert_eq!((reply.status.as_u16(), missing(&wanted, &reply.body)), (200, None), "{flag}");
        let restored =
            client.patch(&user.path, &patch(&json!([{ "op": "Replace", "path": "active", "value": "True" }]))).await?;
        assert_eq!(restored.body["active"], true);
    }
    Ok(())
}
