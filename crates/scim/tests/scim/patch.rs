//! PATCH on people: what a resource becomes.

use rollcall_scim::patch::PatchRequest;
use serde_json::{Value, json};

use crate::given::{
    CUSTOM, ENTERPRISE, USER, custom_users, generic, keyword, patch_body, patched, stored, strict, user_after, users,
};

/// A user with a little of everything.
fn user() -> Value {
    json!({
        "userName": "bjensen",
        "active": true,
        "title": "t",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "emails": [
            { "type": "work", "value": "w@x.example", "primary": true },
            { "type": "home", "value": "h@x.example" },
        ],
        ENTERPRISE: { "department": "Sales", "manager": { "value": "m1", "$ref": "../Users/m1" } },
    })
}

/// Checks the attributes of `wanted` after the operations; `null` stands for one that must not be there. All others
/// must be as before.
#[track_caller]
fn check(operations: &Value, wanted: &Value) {
    let mut expected = user();
    for (key, value) in wanted.as_object().expect("an object") {
        let map = expected.as_object_mut().expect("an object");
        if value.is_null() {
            map.remove(key);
        } else {
            map.insert(key.clone(), value.clone());
        }
    }
    assert_eq!(user_after(&user(), operations), expected, "{operations}");
}

#[test]
fn single_values() {
    let cases = [
        // A1, A3, A4.
        (json!([{ "op": "Replace", "path": "active", "value": "False" }]), json!({ "active": false })),
        (json!([{ "op": "replace", "value": { "active": false } }]), json!({ "active": false })),
        (
            json!([{ "op": "Add", "path": "name.formatted", "value": "B J" }]),
            json!({ "name": { "givenName": "Barbara", "familyName": "Jensen", "formatted": "B J" } }),
        ),
        // C3, C5.
        (json!([{ "op": "ADD", "path": "DISPLAYNAME", "value": "B" }]), json!({ "displayName": "B" })),
        (json!([{ "OP": "replace", "Path": "title", "VALUE": "x" }]), json!({ "title": "x" })),
        (json!([{ "op": "add", "path": "title", "value": "x" }]), json!({ "title": "x" })),
        (json!([{ "op": "replace", "path": "nickName", "value": "x" }]), json!({ "nickName": "x" })),
        (json!([{ "op": "remove", "path": "title" }]), json!({ "title": null })),
        (json!([{ "op": "remove", "path": "nickName" }]), json!({})),
        // P7.
        (json!([{ "op": "replace", "path": "title", "value": "" }]), json!({ "title": null })),
        (json!([{ "op": "replace", "path": "title", "value": null }]), json!({ "title": null })),
        (json!([{ "op": "remove", "path": "title", "value": "" }]), json!({ "title": null })),
        (json!([{ "op": "remove", "path": "title", "value": "other" }]), json!({ "title": null })),
        (json!([{ "op": "replace", "value": { "title": "", "nickName": null } }]), json!({ "title": null })),
        (json!([{ "op": "replace", "path": "externalId", "value": "E" }]), json!({ "externalId": "E" })),
        // Renaming.
        (json!([{ "op": "replace", "value": { "userName": "new" } }]), json!({ "userName": "new" })),
        // Without effect: what is computed or dropped.
        (json!([{ "op": "replace", "value": { "password": "t1meMa$heen" } }]), json!({})),
        (json!([{ "op": "add", "path": "schemas", "value": [ENTERPRISE, "urn:x"] }]), json!({})),
        (json!([{ "op": "remove", "path": "password" }]), json!({})),
    ];
    for (operations, wanted) in cases {
        check(&operations, &wanted);
    }
}

#[test]
fn parts_of_a_value() {
    let cases = [
        (
            json!([{ "op": "add", "path": "name", "value": { "familyName": "J" } }]),
            json!({ "name": { "givenName": "Barbara", "familyName": "J" } }),
        ),
        (
            json!([{ "op": "replace", "path": "name", "value": { "givenName": "", "honorificPrefix": "Dr." } }]),
            json!({ "name": { "familyName": "Jensen", "honorificPrefix": "Dr." } }),
        ),
        (json!([{ "op": "replace", "path": "name", "value": null }]), json!({ "name": null })),
        (json!([{ "op": "replace", "path": "name", "value": {} }]), json!({})),
        (json!([{ "op": "remove", "path": "name" }]), json!({ "name": null })),
        (json!([{ "op": "remove", "path": "name.givenName" }]), json!({ "name": { "familyName": "Jensen" } })),
        (
            json!([{ "op": "remove", "path": "name.givenName" }, { "op": "replace", "path": "name.familyName", "value": "" }]),
            json!({ "name": null }),
        ),
        (json!([{ "op": "replace", "path": "name.middleName", "value": null }]), json!({})),
    ];
    for (operations, wanted) in cases {
        check(&operations, &wanted);
    }
}

#[test]
fn objects_without_a_path() {
    let department = |value: &str| json!({ "department": value, "manager": { "value": "m1", "$ref": "../Users/m1" } });
    let cases = [
        // P4, P5: keys are paths.
        (
            json!([{ "op": "replace", "value": { "displayName": "X", "name.givenName": "Y", format!("{ENTERPRISE}:department"): "Z" } }]),
            json!({ "displayName": "X", "name": { "givenName": "Y", "familyName": "Jensen" }, ENTERPRISE: department("Z") }),
        ),
        (
            json!([{ "op": "add", "value": { format!("{USER}:name.familyName"): "F", USER: { "title": "x" } } }]),
            json!({ "name": { "givenName": "Barbara", "familyName": "F" }, "title": "x" }),
        ),
        (
            json!([{ "op": "replace", "value": { ENTERPRISE: { "DEPARTMENT": "Z" } } }]),
            json!({ ENTERPRISE: department("Z") }),
        ),
        (
            json!([{ "op": "replace", "path": ENTERPRISE, "value": { "department": "Z" } }]),
            json!({ ENTERPRISE: department("Z") }),
        ),
        (
            json!([{ "op": "replace", "value": { "emails[type eq \"home\"].value": "n@x.example" } }]),
            json!({ "emails": [
                { "type": "work", "value": "w@x.example", "primary": true }, { "type": "home", "value": "n@x.example" },
            ] }),
        ),
        (json!([{ "op": "replace", "path": "", "value": { "title": "x" } }]), json!({ "title": "x" })),
        (json!([{ "op": "replace", "path": null, "value": { "title": "x" } }]), json!({ "title": "x" })),
        (json!([{ "op": "replace", "value": {} }]), json!({})),
        // The resource's own id is no change.
        (json!([{ "op": "replace", "value": { "id": "2819c223", "title": "x" } }]), json!({ "title": "x" })),
        // Unknown names are left out, never stored literally.
        (
            json!([{ "op": "replace", "value": { "foo": 1, "foo.bar": 2, "urn:example:x:y": 3, "title": "x" } }]),
            json!({ "title": "x" }),
        ),
        (json!([{ "op": "replace", "path": format!("{ENTERPRISE}:foo"), "value": "x" }]), json!({})),
        (json!([{ "op": "replace", "path": ENTERPRISE, "value": { "foo": "x" } }]), json!({})),
        // A whole extension.
        (json!([{ "op": "remove", "path": ENTERPRISE }]), json!({ ENTERPRISE: null })),
        (json!([{ "op": "replace", "value": { ENTERPRISE: null } }]), json!({ ENTERPRISE: null })),
    ];
    for (operations, wanted) in cases {
        check(&operations, &wanted);
    }
}

#[test]
fn the_manager_in_every_form() {
    let manager = |value: Value| json!({ ENTERPRISE: { "department": "Sales", "manager": value } });
    let gone = || json!({ ENTERPRISE: { "department": "Sales" } });
    let qualified = format!("{ENTERPRISE}:manager");
    let of_part = format!("{ENTERPRISE}:manager.value");
    let cases = [
        (json!([{ "op": "Add", "path": qualified, "value": "m2" }]), manager(json!({ "value": "m2" }))),
        (
            json!([{ "op": "replace", "path": qualified, "value": { "value": "m2" } }]),
            manager(json!({ "value": "m2" })),
        ),
        (
            json!([{ "op": "Add", "path": "manager", "value": [{ "$ref": "../Users/m2", "value": "m2" }] }]),
            manager(json!({ "value": "m2", "$ref": "../Users/m2" })),
        ),
        (
            json!([{ "op": "Replace", "path": "manager", "value": [{ "$ref": null, "value": "m2" }] }]),
            manager(json!({ "value": "m2" })),
        ),
        (json!([{ "op": "replace", "path": of_part, "value": "m2" }]), manager(json!({ "value": "m2" }))),
        (json!([{ "op": "replace", "value": { (of_part.as_str()): "m2" } }]), manager(json!({ "value": "m2" }))),
        (
            json!([{ "op": "replace", "value": { ENTERPRISE: { "manager.value": "m2" } } }]),
            manager(json!({ "value": "m2" })),
        ),
        (json!([{ "op": "replace", "value": { "manager": "m2" } }]), manager(json!({ "value": "m2" }))),
        // The same manager again changes nothing, also with a name that only the server writes.
        (
            json!([{ "op": "replace", "path": qualified, "value": { "value": "m1", "displayName": "Boss" } }]),
            manager(json!({ "value": "m1", "$ref": "../Users/m1" })),
        ),
        // Taken away.
        (json!([{ "op": "remove", "path": qualified }]), gone()),
        (json!([{ "op": "remove", "path": "manager" }]), gone()),
        (json!([{ "op": "Replace", "path": "manager", "value": "" }]), gone()),
        (json!([{ "op": "replace", "path": qualified, "value": { "value": "" } }]), gone()),
        (json!([{ "op": "replace", "path": qualified, "value": { "value": null } }]), gone()),
        (json!([{ "op": "replace", "path": qualified, "value": [] }]), gone()),
        (json!([{ "op": "replace", "path": of_part, "value": "" }]), gone()),
        (json!([{ "op": "remove", "path": of_part }]), gone()),
    ];
    for (operations, wanted) in cases {
        check(&operations, &wanted);
    }
}

#[test]
fn several_values() {
    let work = json!({ "type": "work", "value": "w@x.example", "primary": true });
    let plain_work = json!({ "type": "work", "value": "w@x.example", "primary": false });
    let home = json!({ "type": "home", "value": "h@x.example" });
    let cases = [
        // Adding.
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "value": "n" }] }]),
            json!([work, home, { "value": "n" }]),
        ),
        (json!([{ "op": "add", "path": "emails", "value": { "value": "n" } }]), json!([work, home, { "value": "n" }])),
        (json!([{ "op": "add", "path": "emails", "value": "n" }]), json!([work, home, { "value": "n" }])),
        (json!([{ "op": "add", "value": { "emails": [{ "value": "n" }] } }]), json!([work, home, { "value": "n" }])),
        (json!([{ "op": "add", "path": "emails", "value": [home] }]), json!([work, home])),
        (json!([{ "op": "add", "path": "emails", "value": [] }]), json!([work, home])),
        (json!([{ "op": "add", "path": "emails", "value": null }]), json!([work, home])),
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "value": "h@x.example", "type": "other" }] }]),
            json!([work, home, { "value": "h@x.example", "type": "other" }]),
        ),
        // P10: one primary value.
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "value": "n", "primary": true }] }]),
            json!([plain_work, home, { "value": "n", "primary": true }]),
        ),
        (
            json!([{ "op": "add", "path": "emails", "value": [{ "type": "home", "value": "h@x.example", "primary": "True" }] }]),
            json!([plain_work, { "type": "home", "value": "h@x.example", "primary": true }]),
        ),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"home\"].primary", "value": true }]),
            json!([plain_work, { "type": "home", "value": "h@x.example", "primary": true }]),
        ),
        (json!([{ "op": "replace", "path": "emails[type eq \"work\"].primary", "value": true }]), json!([work, home])),
        // Replacing.
        (json!([{ "op": "replace", "path": "emails", "value": [{ "value": "n" }] }]), json!([{ "value": "n" }])),
        (json!([{ "op": "replace", "path": "emails", "value": { "value": "n" } }]), json!([{ "value": "n" }])),
        (json!([{ "op": "replace", "path": "emails", "value": [] }]), json!(null)),
        (json!([{ "op": "replace", "path": "emails", "value": "" }]), json!(null)),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"home\"]", "value": { "value": "n", "display": "N" } }]),
            json!([work, { "type": "home", "value": "n", "display": "N" }]),
        ),
        (
            json!([{ "op": "replace", "path": "emails[type eq \"home\"]", "value": [{ "type": "other" }] }]),
            json!([work, { "type": "other", "value": "h@x.example" }]),
        ),
        (json!([{ "op": "replace", "path": "emails[type eq \"home\"]", "value": null }]), json!([work])),
        (
            json!([{ "op": "replace", "path": "emails[value ew \"example\"].display", "value": "D" }]),
            json!([
                { "type": "work", "value": "w@x.example", "primary": true, "display": "D" },
                { "type": "home", "value": "h@x.example", "display": "D" },
            ]),
        ),
        (
            json!([{ "op": "replace", "path": "emails.display", "value": "D" }]),
            json!([
                { "type": "work", "value": "w@x.example", "primary": true, "display": "D" },
                { "type": "home", "value": "h@x.example", "display": "D" },
            ]),
        ),
        // Removing.
        (json!([{ "op": "remove", "path": "emails" }]), json!(null)),
        (json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]), json!([home])),
        (json!([{ "op": "remove", "path": "emails[type eq \"fax\"]" }]), json!([work, home])),
        (json!([{ "op": "remove", "path": "emails[value pr]" }]), json!(null)),
        (json!([{ "op": "remove", "path": "emails", "value": [{ "value": "H@x.example" }] }]), json!([work])),
        (
            json!([{ "op": "remove", "path": "emails", "value": [{ "value": "h@x.example", "type": "work" }] }]),
            json!([work, home]),
        ),
        (json!([{ "op": "remove", "path": "emails", "value": [{ "type": "work" }] }]), json!([home])),
        (json!([{ "op": "remove", "path": "emails", "value": "h@x.example" }]), json!([work])),
        (json!([{ "op": "remove", "path": "emails", "value": [] }]), json!([work, home])),
        (json!([{ "op": "remove", "path": "emails", "value": [{}] }]), json!([work, home])),
        // Clearing the last thing an element says takes it away; clearing another part does not.
        (json!([{ "op": "remove", "path": "emails[type eq \"home\"].value" }]), json!([work])),
        (json!([{ "op": "replace", "path": "emails[type eq \"home\"].value", "value": "" }]), json!([work])),
        (json!([{ "op": "remove", "path": "emails[type eq \"home\"].display" }]), json!([work, home])),
        (
            json!([{ "op": "remove", "path": "emails[type eq \"home\"].type" }]),
            json!([work, { "value": "h@x.example" }]),
        ),
        (json!([{ "op": "remove", "path": "emails[type eq \"fax\"].value" }]), json!([work, home])),
        (json!([{ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "" }]), json!([work, home])),
    ];
    for (operations, wanted) in cases {
        check(&operations, &json!({ "emails": wanted }));
    }
}

/// RFC 7644 §3.5.2.3 to the letter; tolerant profiles keep the parts that the value does not name.
#[test]
fn whole_elements_are_replaced_where_the_profile_is_strict() {
    let work = json!({ "type": "work", "value": "w@x.example", "primary": true });
    let plain_work = json!({ "type": "work", "value": "w@x.example", "primary": false });
    let home = json!({ "type": "home", "value": "h@x.example" });
    let cases = [
        ("emails[type eq \"work\"]", json!({ "value": "n" }), json!([{ "value": "n" }, home])),
        ("emails[type eq \"work\"]", json!([{ "type": "other" }]), json!([{ "type": "other" }, home])),
        (
            "emails[type eq \"home\"]",
            json!({ "value": "n", "primary": true }),
            json!([plain_work, { "value": "n", "primary": true }]),
        ),
        ("emails[value pr]", json!({ "type": "work", "value": "n" }), json!([{ "type": "work", "value": "n" }])),
        ("emails[type eq \"home\"]", json!({}), json!([work])),
        ("emails[type eq \"home\"]", json!({ "value": null, "type": "home" }), json!([work])),
        ("emails[type eq \"home\"].value", json!("n"), json!([work, { "type": "home", "value": "n" }])),
    ];
    for (path, value, wanted) in cases {
        let operations = json!([{ "op": "replace", "path": path, "value": value }]);
        let after = patched(&users(), &strict(), &user(), &operations).expect("success").resource;
        assert_eq!(json!(after.values("emails")), wanted, "{operations}");
    }
    let added = json!([{ "op": "add", "path": "emails[type eq \"home\"]", "value": { "display": "D" } }]);
    let after = patched(&users(), &strict(), &user(), &added).expect("success").resource;
    assert_eq!(after.values("emails")[1], json!({ "type": "home", "value": "h@x.example", "display": "D" }));
}

#[test]
fn no_value_is_there_twice() {
    let emails = |operations: &Value| user_after(&user(), operations)["emails"].clone();
    let set = |path: &str, value: Value| json!({ "op": "replace", "path": path, "value": value });
    let cases = [
        // The mark stays, wherever it was.
        (
            json!([set("emails.value", json!("w@x.example")), set("emails[type eq \"home\"].type", json!("work"))]),
            json!([{ "type": "work", "value": "w@x.example", "primary": true }]),
        ),
        (
            json!([
                set("emails[type eq \"home\"].primary", json!(true)),
                set("emails[type eq \"home\"]", json!({ "type": "Work", "value": "W@x.example", "display": "D" })),
            ]),
            json!([{ "type": "Work", "value": "W@x.example", "primary": true, "display": "D" }]),
        ),
        // What differs in the end was never the same.
        (
            json!([
                set("emails[type eq \"work\"].type", json!("home")),
                set("emails.value", json!("n@x.example")),
                set("emails[primary eq true].type", json!("work")),
            ]),
            json!([
                { "type": "work", "value": "n@x.example", "primary": true }, { "type": "home", "value": "n@x.example" },
            ]),
        ),
    ];
    for (operations, wanted) in cases {
        assert_eq!(emails(&operations), wanted, "{operations}");
    }
}

#[test]
fn elements_are_created_when_none_matches() {
    let cases = [
        // P1, P2: several operations land in one element.
        (
            json!([{ "op": "replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "1" }]),
            json!({ "phoneNumbers": [{ "type": "mobile", "value": "1" }] }),
        ),
        (
            json!([
                { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "Belize" },
                { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "L" },
                { "op": "Add", "path": "addresses[type eq \"home\"].locality", "value": "H" },
            ]),
            json!({ "addresses": [
                { "type": "work", "country": "Belize", "locality": "L" }, { "type": "home", "locality": "H" },
            ] }),
        ),
        // P6, in the order of Microsoft's validator.
        (
            json!([
                { "op": "add", "path": "roles[primary eq \"True\"].display", "value": "D" },
                { "op": "add", "path": "roles[primary eq \"True\"].value", "value": "V" },
                { "op": "add", "path": "roles[primary eq \"True\"].type", "value": "T" },
            ]),
            json!({ "roles": [{ "primary": true, "display": "D", "value": "V", "type": "T" }] }),
        ),
        (
            json!([
                { "op": "add", "path": "ims[type eq \"qq\"].primary", "value": "True" },
                { "op": "add", "path": "ims[type eq \"qq\"].value", "value": "V" },
            ]),
            json!({ "ims": [{ "type": "qq", "primary": true, "value": "V" }] }),
        ),
        (
            json!([{ "op": "add", "path": "ims[type eq \"qq\" and display eq \"D\"]", "value": { "value": "V" } }]),
            json!({ "ims": [{ "type": "qq", "display": "D", "value": "V" }] }),
        ),
        (json!([{ "op": "add", "path": "ims.value", "value": "V" }]), json!({ "ims": [{ "value": "V" }] })),
    ];
    for (operations, wanted) in cases {
        check(&operations, &wanted);
    }
}

#[test]
fn operations_see_what_came_before() {
    check(
        &json!([
            { "op": "remove", "path": "externalId" },
            { "op": "add", "path": "externalId", "value": "1" },
            { "op": "replace", "path": "externalId", "value": "2" },
        ]),
        &json!({ "externalId": "2" }),
    );
    check(
        &json!([
            { "op": "add", "path": "emails", "value": [{ "type": "other", "value": "o" }] },
            { "op": "remove", "path": "emails[type eq \"work\"]" },
            { "op": "replace", "path": "emails[type eq \"other\"].value", "value": "p" },
        ]),
        &json!({ "emails": [{ "type": "home", "value": "h@x.example" }, { "type": "other", "value": "p" }] }),
    );
}

#[test]
fn changing_nothing_gives_an_equal_resource() {
    let cases = [
        json!([{ "op": "add", "path": "title", "value": "t" }]),
        json!([{ "op": "replace", "path": "active", "value": "True" }]),
        json!([{ "op": "replace", "value": { "name": { "familyName": "Jensen" }, "active": true } }]),
        json!([{ "op": "add", "path": "emails", "value": [{ "value": "h@x.example", "type": "home" }] }]),
        json!([{ "op": "remove", "path": "photos" }]),
        json!([{ "op": "remove", "path": format!("{CUSTOM}:level") }]),
        json!([{ "op": "replace", "path": "emails", "value": user()["emails"] }]),
    ];
    for operations in cases {
        let after = patched(&custom_users(), &generic(), &user(), &operations).expect("success");
        assert_eq!(after.resource, stored(&user()), "{operations}");
        assert!(after.detached.is_empty());
    }
}

#[test]
fn an_extension_that_is_missing_something_required_can_be_patched() {
    // P8: the door is required, but this request is not about it.
    let current = json!({ "userName": "u", "active": true, CUSTOM: { "level": 1 } });
    let operations = json!([{ "op": "replace", "path": format!("{CUSTOM}:level"), "value": 2 }]);
    let after = patched(&custom_users(), &generic(), &current, &operations).expect("success");
    assert_eq!(
        Value::Object(after.resource.into_map()),
        json!({ "userName": "u", "active": true, CUSTOM: { "level": 2 } })
    );
}

#[test]
fn simple_multi_valued_attributes() {
    let current = json!({ "userName": "u", CUSTOM: { "tags": ["a", "b"] } });
    let tags = |operation: Value| {
        let after = patched(&custom_users(), &generic(), &current, &json!([operation])).expect("success");
        after.resource.extension(CUSTOM).and_then(|extension| extension.get("tags")).cloned()
    };
    let path = format!("{CUSTOM}:tags");
    let filtered = format!("{path}[value eq \"A\"]");
    assert_eq!(tags(json!({ "op": "add", "path": path, "value": ["c", "B"] })), Some(json!(["a", "b", "c"])));
    assert_eq!(tags(json!({ "op": "remove", "path": path, "value": ["A"] })), Some(json!(["b"])));
    assert_eq!(tags(json!({ "op": "remove", "path": filtered })), Some(json!(["b"])));
    assert_eq!(tags(json!({ "op": "replace", "path": path, "value": "c" })), Some(json!(["c"])));
    let operation = json!([{ "op": "replace", "path": filtered, "value": "c" }]);
    assert_eq!(
        keyword(&patched(&custom_users(), &generic(), &current, &operation).expect_err("no parts")),
        "invalidPath"
    );
}

#[test]
fn what_was_left_out_is_told() {
    let body = patch_body(&json!([
        { "op": "replace", "value": { "foo": 1, "title": "x" } },
        { "op": "replace", "path": format!("{ENTERPRISE}:bar"), "value": 1 },
    ]));
    let request = PatchRequest::parse(&users(), &body, &generic()).expect("a request");
    assert_eq!(request.ignored(), ["foo".to_owned(), format!("{ENTERPRISE}:bar")]);
}
