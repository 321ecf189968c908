//! The PATCH requests that RFC 7644 §3.5.2 shows, and a user like the full one of RFC 7643 §8.3, with invented
//! values.

use rollcall_scim::patch::Detached;
use rollcall_scim::resource;
use serde_json::{Map, Value, json};

use crate::given::{ENTERPRISE, USER, generic, member_changes, strict, user_after, users};

#[test]
fn adding_a_member() {
    let mut member = json!({ "$ref": "https://x.example/v2/Users/2819c", "value": "2819c" });
    let known = Detached::Add(vec![member.clone()]);
    member["display"] = "Babs".into();
    let changes = member_changes(&json!([{ "op": "add", "path": "members", "value": [member] }]));
    assert_eq!(changes[0].change, known, "a member's name is its own");
}

#[test]
fn adding_without_a_path() {
    let after = user_after(
        &json!({ "userName": "b", "active": true }),
        &json!([{ "op": "add", "value": {
            "emails": [{ "value": "babs@x.example", "type": "home" }],
            "nickName": "Babs",
        } }]),
    );
    assert_eq!(
        after,
        json!({
            "userName": "b", "active": true, "emails": [{ "value": "babs@x.example", "type": "home" }],
            "nickName": "Babs",
        })
    );
}

#[test]
fn removing_members() {
    let changes = member_changes(&json!([
        { "op": "remove", "path": "members" },
        { "op": "remove", "path": "members[value eq \"2819c\"]" },
        { "op": "add", "path": "members", "value": [{ "value": "902c2" }] },
    ]));
    assert_eq!(changes[0].change, Detached::RemoveAll);
    assert!(
        matches!(&changes[1].change, Detached::RemoveWhere(filter) if filter.to_string() == "members.value eq \"2819c\"")
    );
    assert_eq!(changes[2].change, Detached::Add(vec![json!({ "value": "902c2" })]));
}

#[test]
fn removing_an_email_by_two_conditions() {
    let user = json!({ "userName": "b", "emails": [
        { "type": "work", "value": "b@x.example" }, { "type": "work", "value": "b@y.example" },
    ] });
    let operations = json!([{ "op": "remove", "path": "emails[type eq \"work\" and value ew \"x.example\"]" }]);
    assert_eq!(user_after(&user, &operations)["emails"], json!([{ "type": "work", "value": "b@y.example" }]));
}

#[test]
fn replacing_an_address() {
    let user = json!({ "userName": "b", "addresses": [
        { "type": "work", "streetAddress": "1 Old St", "locality": "Oldtown", "primary": true },
        { "type": "home", "streetAddress": "2 Home St" },
    ] });
    let whole = json!([{ "op": "replace", "path": "addresses[type eq \"work\"]", "value": {
        "type": "work", "streetAddress": "9 New St", "locality": "Newtown", "primary": true,
    } }]);
    assert_eq!(
        user_after(&user, &whole)["addresses"],
        json!([
            { "type": "work", "streetAddress": "9 New St", "locality": "Newtown", "primary": true },
            { "type": "home", "streetAddress": "2 Home St" },
        ])
    );
    let part = json!([{ "op": "replace", "path": "addresses[type eq \"work\"].streetAddress", "value": "9 New St" }]);
    assert_eq!(user_after(&user, &part)["addresses"][0]["streetAddress"], json!("9 New St"));
    assert_eq!(user_after(&user, &part)["addresses"][0]["locality"], json!("Oldtown"));
}

#[test]
fn replacing_without_a_path() {
    let user = json!({
        "userName": "b", "active": true, "title": "stays", "emails": [{ "type": "other", "value": "gone" }],
    });
    let operations = json!([{ "op": "replace", "value": {
        "emails": [{ "value": "b@x.example", "type": "work", "primary": true }, { "value": "b@home.example", "type": "home" }],
        "nickName": "Babs",
    } }]);
    assert_eq!(
        user_after(&user, &operations),
        json!({
            "userName": "b", "active": true, "title": "stays", "nickName": "Babs",
            "emails": [{ "value": "b@x.example", "type": "work", "primary": true }, { "value": "b@home.example", "type": "home" }],
        })
    );
}

#[test]
fn a_full_user_is_read_by_every_profile() {
    let attributes = json!({
        "externalId": "701984",
        "userName": "b@x.example",
        "name": {
            "formatted": "Ms. B J, III", "familyName": "J", "givenName": "B", "middleName": "M",
            "honorificPrefix": "Ms.", "honorificSuffix": "III",
        },
        "displayName": "B", "nickName": "Babs", "profileUrl": "https://x.example/b",
        "emails": [{ "value": "b@x.example", "type": "work", "primary": true }],
        "addresses": [{
            "type": "work", "streetAddress": "1 Main St", "locality": "L", "region": "R", "postalCode": "91608",
            "country": "US", "formatted": "1 Main St\nL", "primary": true,
        }],
        "phoneNumbers": [{ "value": "tel:+1-555", "type": "work" }, { "value": "tel:+1-556", "type": "mobile" }],
        "ims": [{ "value": "b", "type": "qq" }],
        "photos": [{ "value": "https://x.example/p", "type": "photo" }, { "value": "https://x.example/t", "type": "thumbnail" }],
        "userType": "Employee", "title": "Guide", "preferredLanguage": "en-US", "locale": "en-US",
        "timezone": "America/Los_Angeles", "active": true,
        "x509Certificates": [{ "value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAw" }],
        ENTERPRISE: {
            "employeeNumber": "701984", "costCenter": "4130", "organization": "O", "division": "D", "department": "T",
            "manager": { "value": "26118", "$ref": "../Users/26118" },
        },
    });
    let ignored = json!({
        "schemas": [USER, ENTERPRISE],
        "id": "2819c", "password": "t1meMa$heen",
        "groups": [{ "value": "e9e30", "$ref": "../Groups/e9e30", "display": "Guides" }],
        "meta": { "resourceType": "User", "version": "W/\"a330\"" },
    });
    let mut body = Map::new();
    for part in [&ignored, &attributes] {
        body.extend(part.as_object().expect("an object").clone());
    }
    for profile in [generic(), strict()] {
        let read = resource::parse(&users(), &Value::Object(body.clone()), &profile).expect("a user");
        assert_eq!(Value::Object(read.into_map()), attributes, "{}", profile.name);
    }
}
