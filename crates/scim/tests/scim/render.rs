//! What a client reads.

use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use rollcall_scim::resource::Resource;
use serde_json::{Map, Value, json};
use time::macros::datetime;

use crate::given::{ENTERPRISE, GROUP, USER, groups, stored, users};

fn envelope(resource: &Resource, read_only: Value) -> Envelope<'_> {
    let Value::Object(read_only) = read_only else { panic!("an object") };
    Envelope {
        id: "7",
        resource,
        version: 12,
        created: datetime!(2024-01-01 08:00:00.25 +8),
        modified: datetime!(2024-01-02 00:00 UTC),
        location: "https://x.example/scim/Users/7",
        read_only,
    }
}

#[test]
fn a_user_in_full() {
    let rt = users();
    let resource = stored(&json!({
        ENTERPRISE: { "manager": { "value": "m1" }, "employeeNumber": "1" },
        "userName": "BJensen",
        "externalId": "e1",
        "active": false,
    }));
    let added =
        json!({ ENTERPRISE: { "manager": { "displayName": "Boss", "$ref": "https://x.example/scim/Users/m1" } } });
    let body = render(&rt, &envelope(&resource, added), &Projection::standard(&rt));
    assert_eq!(
        body,
        json!({
            "schemas": [USER, ENTERPRISE],
            "id": "7",
            "externalId": "e1",
            "userName": "BJensen",
            "active": false,
            ENTERPRISE: {
                "employeeNumber": "1",
                "manager": { "value": "m1", "displayName": "Boss", "$ref": "https://x.example/scim/Users/m1" },
            },
            "meta": {
                "resourceType": "User",
                "created": "2024-01-01T00:00:00.25Z",
                "lastModified": "2024-01-02T00:00:00Z",
                "location": "https://x.example/scim/Users/7",
                "version": "W/\"12\"",
            },
        })
    );
    let order: Vec<&str> = body.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(order, ["schemas", "id", "externalId", "userName", "active", ENTERPRISE, "meta"]);
}

#[test]
fn members_are_what_the_caller_gives() {
    let rt = groups();
    let resource = stored(&json!({ "displayName": "Staff" }));
    let all = Projection::standard(&rt);
    let none = Projection::parse(&rt, None, Some("members")).expect("a projection");
    let members =
        |read_only, projection| render(&rt, &envelope(&resource, read_only), projection).get("members").cloned();
    assert_eq!(members(json!({ "members": [{ "value": "a" }] }), &all), Some(json!([{ "value": "a" }])));
    assert_eq!(members(json!({ "members": [] }), &all), Some(json!([])));
    assert_eq!(members(json!({}), &all), None);
    assert_eq!(members(json!({ "members": [{ "value": "a" }] }), &none), None, "absent, not empty");
    assert_eq!(render(&rt, &envelope(&resource, json!({})), &all)["schemas"], json!([GROUP]));
}

#[test]
fn secrets_and_strangers_never_get_out() {
    let rt = users();
    let resource = stored(&json!({ "userName": "b", "password": "t1meMa$heen", "shoeSize": 43 }));
    for attributes in [None, Some("password"), Some("userName,password,shoeSize")] {
        let projection = Projection::parse(&rt, attributes, None).expect("a projection");
        let body = render(&rt, &envelope(&resource, Value::Object(Map::new())), &projection).to_string();
        assert!(!body.contains("t1meMa") && !body.contains("shoeSize"), "{body}");
    }
}

#[test]
fn the_server_knows_better_than_what_is_stored() {
    let rt = users();
    let resource =
        stored(&json!({ "userName": "b", "id": "other", "meta": { "version": "W/\"99\"" }, "schemas": ["x"] }));
    let body = render(&rt, &envelope(&resource, json!({})), &Projection::standard(&rt));
    assert_eq!((&body["id"], &body["meta"]["version"]), (&json!("7"), &json!("W/\"12\"")));
    assert_eq!(body["schemas"], json!([USER]));
}
