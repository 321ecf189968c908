//! Replacing a resource.

use rollcall_scim::Error;
use rollcall_scim::profile::Profile;
use rollcall_scim::resource;
use serde_json::{Map, Value, json};

use crate::given::{CUSTOM, ENTERPRISE, GROUP, USER, custom_users, generic, groups, keyword, stored, strict};

fn replaced(current: &Value, attributes: Value, profile: &Profile) -> Result<Value, Error> {
    let Value::Object(attributes) = attributes else { panic!("an object") };
    let mut body = Map::from_iter([("schemas".to_owned(), json!([USER])), ("userName".to_owned(), json!("u"))]);
    body.extend(attributes);
    resource::replace(&custom_users(), &stored(current), &Value::Object(body), profile)
        .map(|read| Value::Object(read.into_map()))
}

#[test]
fn what_is_left_out_is_cleared() {
    let current = json!({
        "userName": "u", "active": true, "title": "t", "name": { "givenName": "g", "familyName": "f" },
        "emails": [{ "value": "a" }], ENTERPRISE: { "department": "d" },
    });
    let cases = [
        (json!({}), json!({ "userName": "u", "active": true })),
        (json!({ "title": "x" }), json!({ "userName": "u", "active": true, "title": "x" })),
        (
            json!({ "name": { "givenName": "x" } }),
            json!({ "userName": "u", "active": true, "name": { "givenName": "x" } }),
        ),
        (json!({ "title": null, "emails": [] }), json!({ "userName": "u", "active": true })),
        (json!({ "USERNAME": "new", "userName": null }), json!(null)),
        (
            json!({ ENTERPRISE: { "costCenter": "c" } }),
            json!({ "userName": "u", "active": true, ENTERPRISE: { "costCenter": "c" } }),
        ),
        // X3: what Okta read and sends back.
        (
            json!({ "id": "other", "meta": { "version": "W/\"1\"" }, "groups": [{ "value": "g" }], "title": "t" }),
            json!({ "userName": "u", "active": true, "title": "t" }),
        ),
    ];
    for (attributes, wanted) in cases {
        let got = replaced(&current, attributes.clone(), &generic()).unwrap_or_default();
        assert_eq!(got, wanted, "{attributes}");
    }
}

#[test]
fn immutable_values_must_come_back() {
    let current = json!({ "userName": "u", CUSTOM: { "badgeId": "7", "door": "d" } });
    let put = |extension: Value| replaced(&current, json!({ CUSTOM: extension }), &generic());
    assert_eq!(
        put(json!({ "badgeId": "7", "door": "e" })).expect("equal")[CUSTOM],
        json!({ "badgeId": "7", "door": "e" })
    );
    assert_eq!(put(json!({ "door": "e" })).expect("left out")[CUSTOM], json!({ "badgeId": "7", "door": "e" }));
    for extension in [json!({ "badgeId": "8", "door": "d" }), json!({ "badgeId": null, "door": "d" })] {
        let error = put(extension.clone()).expect_err("changed");
        assert_eq!(keyword(&error), "mutability", "{extension}");
        assert!(error.detail.contains("badgeId"), "{}", error.detail);
    }
    let set = replaced(&json!({ "userName": "u" }), json!({ CUSTOM: { "badgeId": "9", "door": "d" } }), &generic());
    assert_eq!(set.expect("set for the first time")[CUSTOM]["badgeId"], json!("9"));
}

#[test]
fn a_put_is_checked_like_a_post() {
    let current = json!({ "userName": "u" });
    for attributes in [json!({ "userName": null }), json!({ "title": 7 }), json!({ "schemas": [] })] {
        assert!(replaced(&current, attributes.clone(), &generic()).is_err(), "{attributes}");
    }
    assert!(replaced(&current, json!({ "active": "True" }), &strict()).is_err());
}

#[test]
fn groups_are_replaced_with_their_members() {
    let current = stored(&json!({ "displayName": "Staff", "externalId": "e" }));
    let put = |body: Value| resource::replace(&groups(), &current, &body, &generic());
    let mut group =
        put(json!({ "schemas": [GROUP], "displayName": "New", "members": [{ "value": "a" }] })).expect("a group");
    assert_eq!(group.take_values("members"), [json!({ "value": "a" })]);
    assert_eq!(Value::Object(group.into_map()), json!({ "displayName": "New" }));
    let mut emptied = put(json!({ "schemas": [GROUP], "displayName": "New", "members": [] })).expect("B17");
    assert!(emptied.take_values("members").is_empty());
    assert_eq!(keyword(&put(json!({ "schemas": [GROUP], "members": [] })).expect_err("no name")), "invalidValue");
}
