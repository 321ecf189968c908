//! Which source decides an attribute: what another one writes there is accepted, recorded and not applied.

use rollcall_tests::ScimClient;
use serde_json::{Value, json};

use crate::world::{ENTERPRISE, GROUP, USER, World, missing, none_wrong, patch, with};

fn owner(attribute: &str, source: &str) -> Value {
    json!({ "resource_type": "User", "attribute": attribute, "source": source })
}

/// What the change log says was withheld of a resource, the newest first.
async fn withheld(api: &ScimClient, id: &str) -> anyhow::Result<Vec<Value>> {
    let log = api.get(&format!("/changes?resource={id}&limit=200")).await?.body;
    let told = log["data"].as_array().into_iter().flatten().map(|entry| entry["details"]["withheld"].clone());
    Ok(told.filter(|names| !names.is_null()).collect())
}

#[tokio::test]
async fn what_another_source_decides_is_recorded_and_not_applied() -> anyhow::Result<()> {
    let world = World::with(&["okta", "workday", "entra"]).await?;
    let (okta, workday, entra) = (world.client("okta"), world.client("workday"), world.client("entra"));
    let api = world.rest().await?;
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
        "userName": "ada", "title": null, "nickName": "A", "emails": null, "active": false,
        ENTERPRISE: { "department": null, "division": "D" },
    });
    assert_eq!(missing(&wanted, &ada.body), None, "what others decide waits for them: {}", ada.body);

    let operations = json!([
        { "op": "replace", "path": "active", "value": true },
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
    assert_eq!(told(3)["withheld"], json!(["active", "emails", "title", department]), "{log}");

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

/// Nobody is made active by a source that does not decide that, and nobody is told that they are.
#[tokio::test]
async fn who_is_active_is_said_by_whoever_decides_it() -> anyhow::Result<()> {
    let world = World::with(&["okta", "workday"]).await?;
    let (okta, workday) = (world.client("okta"), world.client("workday"));
    let api = world.rest().await?;
    let all = json!({ "owners": [owner("active", "workday")] });
    assert_eq!(api.put("/attribute-owners", &all).await?.status, 200);
    let (on, off) = (json!({ "active": true }), json!({ "active": false }));
    let set = |value: &Value| patch(&json!([{ "op": "replace", "value": value }]));
    let mut wrong = Vec::new();
    // What is posted, and what the change log tells of it.
    for (posted, told) in [(&on, 1), (&json!({}), 1), (&off, 0)] {
        let ann = world.user(okta, posted.clone()).await?;
        let told = vec![json!(["active"]); told];
        if (&ann.body["active"], withheld(&api, &ann.id).await?) != (&json!(false), told.clone()) {
            wrong.push(format!("new, {posted}: {}", ann.body));
        }
        let active = workday.patch(&ann.path, &set(&on)).await?;
        assert_eq!(active.body["active"], true, "{}", active.body);
        workday.patch(&ann.path, &set(&off)).await?;

        // Okta assigns the person again.
        let name = json!({ "userName": ann.body["userName"], "title": "again" });
        let back = okta.post("/Users", &world.user_body(&with(name, posted))).await?;
        let wanted = json!({ "id": ann.id, "active": false, "title": "again" });
        if back.status != 201 || missing(&wanted, &back.body).is_some() {
            wrong.push(format!("again, {posted}: {} {}", back.status, back.body));
        }
        let twice = [told.clone(), told].concat();
        if withheld(&api, &ann.id).await? != twice {
            wrong.push(format!("again, {posted}, is told as {:?}", withheld(&api, &ann.id).await?));
        }
    }
    // Whoever decides makes somebody active who comes and who comes back, and says so or not.
    for posted in [&on, &json!({})] {
        let eve = world.user(workday, posted.clone()).await?;
        workday.patch(&eve.path, &set(&off)).await?;
        let body = with(json!({ "userName": eve.body["userName"] }), posted);
        let back = workday.post("/Users", &world.user_body(&body)).await?;
        if (back.status.as_u16(), &back.body["id"]) != (201, &json!(eve.id)) || back.body["active"] == false {
            wrong.push(format!("by workday, {posted}: {} {}", back.status, back.body));
        }
        // To repeat what is meant by saying nothing is no wish for something else.
        okta.put(&eve.path, &with(back.body.clone(), &on)).await?;
        if withheld(&api, &eve.id).await? != Vec::<Value>::new() {
            wrong.push(format!("{posted}: nothing was withheld"));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

/// Members are kept apart from the group, but decided like every other attribute.
#[tokio::test]
async fn who_does_not_decide_the_members_of_groups() -> anyhow::Result<()> {
    let world = World::with(&["okta", "strict"]).await?;
    let (okta, strict) = (world.client("okta"), world.client("strict"));
    let api = world.rest().await?;
    let all = json!({ "owners": [{ "resource_type": "Group", "attribute": "members", "source": "okta" }] });
    assert_eq!(api.put("/attribute-owners", &all).await?.status, 200);
    let (ann, bob) = (world.user(okta, json!({})).await?.id, world.user(okta, json!({})).await?.id);
    let [ann, bob, nobody] = [ann.as_str(), bob.as_str(), "nobody"].map(|id| json!({ "value": id }));
    let change = |op: &str, path: &str, value: Value| patch(&json!([{ "op": op, "path": path, "value": value }]));
    let remove = |path: &str| patch(&json!([{ "op": "remove", "path": path }]));
    let by_type = remove("members[type eq \"User\"]");
    // What is sent, and how many entries say that something was withheld. A body without operations is a PUT.
    let cases = [
        (vec![json!({ "members": [ann, bob] })], 0),
        (vec![json!({ "members": [bob, ann] })], 0),
        (vec![json!({})], 0),
        (vec![json!({ "members": [] })], 0),
        (vec![json!({ "members": [ann] })], 1),
        (vec![json!({ "members": [ann, bob, nobody] })], 1),
        (vec![json!({ "members": [ann] }), json!({ "members": [bob] }), change("add", "members", json!([nobody]))], 1),
        (vec![change("add", "members", json!([ann]))], 0),
        (vec![change("add", "members", json!([nobody]))], 1),
        (vec![change("replace", "members", json!([bob, ann]))], 0),
        (vec![change("replace", "members", json!([nobody]))], 1),
        (vec![remove(&format!("members[value eq {}]", ann["value"]))], 1),
        (vec![remove("members[value eq \"nobody\"]")], 0),
        (vec![remove("members")], 1),
        (vec![by_type.clone()], 1),
        (vec![by_type.clone(), by_type.clone(), by_type], 1),
    ];
    let mut wrong = Vec::new();
    for (bodies, entries) in cases {
        let group = world.group(okta, json!({ "members": [ann, bob] })).await?;
        for body in &bodies {
            let reply = if body["Operations"].is_array() {
                strict.patch(&group.path, body).await?
            } else {
                let name = json!({ "displayName": group.body["displayName"] });
                strict.put(&group.path, &world.group_body(&with(name, body))).await?
            };
            if reply.status != 200 || reply.body["members"].as_array().map(Vec::len) != Some(2) {
                wrong.push(format!("{body}: {} {}", reply.status, reply.body));
            }
        }
        let withheld = withheld(&api, &group.id).await?;
        if withheld != vec![json!(["members"]); entries] {
            wrong.push(format!("{bodies:?} should be told {entries} times: {withheld:?}"));
        }
    }
    let made = world.group(strict, json!({ "members": [nobody] })).await?;
    if (made.body["members"].clone(), withheld(&api, &made.id).await?) != (Value::Null, vec![json!(["members"])]) {
        wrong.push(format!("a new group: {}", made.body));
    }
    none_wrong(&wrong);
    Ok(())
}

/// A feed that compares finds its value different each time, and sends it again each time.
#[tokio::test]
async fn what_is_withheld_again_and_again_is_told_once() -> anyhow::Result<()> {
    let world = World::with(&["workday", "okta", "entra"]).await?;
    let api = world.rest().await?;
    let owners = json!({ "owners": [owner("title", "workday"), owner("nickName", "workday")] });
    assert_eq!(api.put("/attribute-owners", &owners).await?.status, 200);
    let ada = world.user(world.client("workday"), json!({ "title": "Countess" })).await?;
    // Who writes what, and what the log tells of it.
    let cases = [
        ("okta", json!([("title", "a")]), Some(json!(["title"]))),
        ("okta", json!([("title", "a")]), None),
        ("okta", json!([("title", "b")]), None),
        ("entra", json!([("title", "a")]), Some(json!(["title"]))),
        ("okta", json!([("title", "a"), ("nickName", "b")]), Some(json!(["nickName", "title"]))),
        ("okta", json!([("nickName", "b"), ("title", "a")]), None),
        ("okta", json!([("title", "Countess")]), None),
        ("okta", json!([("nickName", "b")]), Some(json!(["nickName"]))),
        ("okta", json!([["title", null]]), Some(json!(["title"]))),
        ("okta", json!([["nickName", null]]), None),
        ("okta", json!([("title", "a"), ("displayName", "Ada")]), Some(json!(["title"]))),
        ("okta", json!([("title", "a")]), None),
        ("entra", json!([("title", "a")]), None),
    ];
    let mut wrong = Vec::new();
    for (source, values, wanted) in cases {
        let before = withheld(&api, &ada.id).await?;
        let pairs = values.as_array().into_iter().flatten();
        let operations: Value =
            pairs.map(|pair| json!({ "op": "replace", "path": pair[0], "value": pair[1] })).collect();
        assert_eq!(world.client(source).patch(&ada.path, &patch(&operations)).await?.status, 200);
        let told = withheld(&api, &ada.id).await?;
        let expected: Vec<Value> = wanted.into_iter().chain(before).collect();
        if told != expected {
            wrong.push(format!("{source} {values}: {told:?}"));
        }
    }
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn owners_that_cannot_be_are_refused() -> anyhow::Result<()> {
    let world = World::with(&["okta", "entra"]).await?;
    let api = world.rest().await?;
    let sources = api.get("/sources").await?.body["data"].clone();
    let entra = sources.as_array().into_iter().flatten().find(|source| source["name"] == "entra");
    let entra = entra.map(|source| source["id"].clone());
    let cases = [
        (json!({}), "must be an array"),
        (json!({ "owners": [], "x": 1 }), "it can hold owners"),
        (json!({ "owners": [owner("externalId", "okta")] }), "externalId"),
        (json!({ "owners": [owner("id", "okta")] }), "no source can decide"),
        (json!({ "owners": [owner("groups", "okta")] }), "no source can decide"),
        (json!({ "owners": [owner("name.givenName", "okta")] }), "as a whole"),
        (json!({ "owners": [owner("nope", "okta")] }), "nope"),
        (json!({ "owners": [owner("title", "nobody")] }), "nobody"),
        (json!({ "owners": [owner(&format!("{USER}:nope"), "okta")] }), "nope"),
        (json!({ "owners": [owner(&format!("{USER}:id"), "okta")] }), "no source can decide"),
        (json!({ "owners": [owner(&format!("{GROUP}:title"), "okta")] }), "no source can decide"),
        (json!({ "owners": [with(owner("title", "okta"), &json!({ "source_id": entra }))] }), "another source"),
        (json!({ "owners": [with(owner("title", "okta"), &json!({ "source_id": "nobody" }))] }), "nobody"),
        (json!({ "owners": [owner("title", "okta"), owner(&format!("{USER}:Title"), "okta")] }), "twice"),
        (json!({ "owners": [owner("title", "okta"), owner("Title", "okta")] }), "twice"),
        (json!({ "owners": [{ "resource_type": "User", "attribute": "title" }] }), "need a source"),
        (json!({ "owners": [{ "resource_type": "User", "source": "okta" }] }), "need an attribute"),
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

/// The reading belongs to the value, and so does the right to change it.
#[tokio::test]
async fn how_a_manager_is_read_is_decided_by_whoever_decides_the_manager() -> anyhow::Result<()> {
    let world = World::with(&["workday", "generic"]).await?;
    let (workday, generic) = (world.client("workday"), world.client("generic"));
    let api = world.rest().await?;
    let sources = api.get("/sources").await?.body["data"].clone();
    let named = |name: &str| sources.as_array().into_iter().flatten().find(|source| source["name"] == name).cloned();
    let ids = ["workday", "generic"].map(|name| named(name).unwrap_or_default()["id"].as_str().map(str::to_owned));
    let generic_path = format!("/sources/{}", ids[1].as_deref().unwrap_or_default());
    let ann = world.user(workday, json!({ ENTERPRISE: { "manager": { "value": "W1" } } })).await?;
    let path = format!("{ENTERPRISE}:manager");
    let same = json!([{ "op": "replace", "path": &path, "value": "W1" }]);
    let other = json!([{ "op": "replace", "path": &path, "value": "W2" }]);
    let title = json!([{ "op": "replace", "path": "title", "value": "x" }]);
    let number = Some("employeeNumber");
    let (own, of_other) = ((Some("externalId"), ids[0].as_deref()), (Some("externalId"), ids[1].as_deref()));
    // Who decides, how the other source names managers, what that one writes, how the manager is read then.
    let cases = [
        (Some("workday"), "employeeNumber", Some(&same), own),
        (Some("workday"), "externalId", Some(&same), own),
        (Some("workday"), "externalId", Some(&other), own),
        (Some("workday"), "employeeNumber", None, own),
        (None, "employeeNumber", Some(&title), own),
        (None, "externalId", Some(&title), own),
        (None, "id", None, own),
        (Some("generic"), "externalId", Some(&same), of_other),
        (None, "employeeNumber", None, (number, None)),
    ];
    let mut wrong = Vec::new();
    for (decides, by, operations, wanted) in cases {
        let all: Vec<Value> = decides.iter().map(|source| owner(&path, source)).collect();
        assert_eq!(api.put("/attribute-owners", &json!({ "owners": all })).await?.status, 200);
        // By the server that is asked next: another process would be heard of a moment later.
        let switched = api.patch(&generic_path, &json!({ "overrides": { "manager_by": by } })).await?;
        assert_eq!(switched.status, 200, "{}", switched.body);
        let reply = match operations {
            Some(operations) => generic.patch(&ann.path, &patch(operations)).await?,
            None => generic.put(&ann.path, &generic.get(&ann.path).await?.body).await?,
        };
        assert_eq!(reply.status, 200, "{}", reply.body);
        let read: (Option<String>, Option<String>, String) =
            sqlx::query_as("SELECT manager_by, manager_source::text, manager_id FROM users WHERE id = $1::uuid")
                .bind(&ann.id)
                .fetch_one(world.database.pool())
                .await?;
        if (read.0.as_deref(), read.1.as_deref(), read.2.as_str()) != (wanted.0, wanted.1, "W1") {
            wrong.push(format!("{decides:?} decides, the other names by {by} and writes {operations:?}: {read:?}"));
        }
    }
    // To let go of somebody says nothing of their manager.
    assert_eq!(api.put("/attribute-owners", &json!({ "owners": [owner("active", "workday")] })).await?.status, 200);
    assert_eq!(api.patch(&generic_path, &json!({ "overrides": { "manager_by": "externalId" } })).await?.status, 200);
    assert_eq!(generic.delete(&ann.path).await?.status, 204);
    let by: Option<String> = sqlx::query_scalar("SELECT manager_by FROM users WHERE id = $1::uuid")
        .bind(&ann.id)
        .fetch_one(world.database.pool())
        .await?;
    assert_eq!(by.as_deref(), number);
    none_wrong(&wrong);
    Ok(())
}

#[tokio::test]
async fn owners_are_named_as_they_are_listed_or_in_any_other_way_that_is_understood() -> anyhow::Result<()> {
    let world = World::with(&["okta"]).await?;
    let api = world.rest().await?;
    for (kind, name, canonical) in [
        ("User", "title".to_owned(), "title".to_owned()),
        ("User", format!("{USER}:TITLE"), "title".to_owned()),
        ("User", USER.to_uppercase() + ":name", "name".to_owned()),
        ("Group", format!("{GROUP}:members"), "members".to_owned()),
        ("User", ENTERPRISE.to_uppercase() + ":Department", format!("{ENTERPRISE}:department")),
    ] {
        let one = json!({ "resource_type": kind, "attribute": name, "source": "okta" });
        let set = api.put("/attribute-owners", &json!({ "owners": [one] })).await?;
        assert_eq!((set.status.as_u16(), &set.body["data"][0]["attribute"]), (200, &json!(canonical)), "{name}");
        let listed = api.get("/attribute-owners").await?.body["data"].clone();
        let again = api.put("/attribute-owners", &json!({ "owners": listed })).await?;
        assert_eq!((again.status.as_u16(), &again.body["data"]), (200, &listed), "what is listed can be set");
    }
    Ok(())
}

#[tokio::test]
async fn owners_of_what_a_schema_does_not_have_any_more_go_with_it() -> anyhow::Result<()> {
    const HR: &str = "urn:example:hr:2.0:User";
    let world = World::with(&["okta"]).await?;
    let api = world.rest().await?;
    let schema = |attributes: Value| json!({ "id": HR, "name": "HR", "attributes": attributes });
    let badge = json!({ "name": "Badge" });
    let grade = json!({ "name": "grade", "type": "integer" });
    let whole = schema(json!([badge, grade]));
    let path = format!("/schemas/{HR}");
    // The next version of the schema, or none, and the attributes of it that have an owner afterwards.
    let cases = [
        (Some(json!([badge, grade, { "name": "more" }])), vec!["Badge", "grade"]),
        (Some(json!([grade])), vec!["grade"]),
        (None, vec![]),
    ];
    let mut wrong = Vec::new();
    for (next, left) in cases {
        assert_eq!(api.post("/schemas", &json!({ "resource_type": "User", "schema": whole })).await?.status, 201);
        let names = [format!("{HR}:badge"), "title".to_owned(), format!("{HR}:grade")];
        let all: Vec<Value> = names.iter().map(|name| owner(name, "okta")).collect();
        assert_eq!(api.put("/attribute-owners", &json!({ "owners": all })).await?.status, 200);
        let reply = match &next {
            Some(attributes) => api.put(&path, &json!({ "schema": schema(attributes.clone()) })).await?,
            None => api.delete(&path).await?,
        };
        assert!(reply.status.is_success(), "{next:?}: {}", reply.body);
        let listed = api.get("/attribute-owners").await?.body["data"].clone();
        let owned = listed.as_array().into_iter().flatten().map(|owner| owner["attribute"].clone());
        let wanted: Vec<Value> =
            [json!("title")].into_iter().chain(left.iter().map(|name| json!(format!("{HR}:{name}")))).collect();
        if owned.collect::<Vec<_>>() != wanted {
            wrong.push(format!("{next:?} should leave {wanted:?}: {listed}"));
        }
        assert_eq!(api.put("/attribute-owners", &json!({ "owners": listed })).await?.status, 200);
        let log = api.get("/changes?limit=4").await?.body["data"].clone();
        let told = log.as_array().into_iter().flatten().filter(|entry| entry["kind"] == "attribute_owners");
        let told: Vec<usize> = told.filter_map(|entry| entry["details"]["owners"].as_array().map(Vec::len)).collect();
        // The list that was set again, what the schema took away, the list before.
        let expected = if left.len() == 2 { vec![3, 3] } else { vec![left.len() + 1, left.len() + 1, 3] };
        if told != expected {
            wrong.push(format!("{next:?} should be told as {expected:?}: {log}"));
        }
        if next.is_some() {
            assert_eq!(api.delete(&path).await?.status, 204);
        }
    }
    none_wrong(&wrong);
    Ok(())
}
