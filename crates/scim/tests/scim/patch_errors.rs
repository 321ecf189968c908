//! PATCH requests that are refused, with the keyword and a sentence that helps.

use rollcall_scim::patch::PatchRequest;
use serde_json::{Value, json};

use crate::given::{
    CUSTOM, DINGTALK, ENTERPRISE, USER, custom_users, generic, keyword, patch_body, patched, strict, users,
};

fn user() -> Value {
    json!({
        "userName": "u",
        "active": true,
        "emails": [{ "type": "work", "value": "a" }, { "type": "home", "value": "b" }],
        CUSTOM: { "badgeId": "7", "door": "d" },
    })
}

#[test]
fn bodies_that_are_no_patch() {
    let schemas = || json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"]);
    let operation = || json!([{ "op": "add", "path": "title", "value": "x" }]);
    let bodies = [
        json!(null),
        json!([]),
        json!({}),
        json!({ "Operations": operation() }),
        json!({ "schemas": [], "Operations": operation() }),
        json!({ "schemas": [USER], "Operations": operation() }),
        json!({ "schemas": schemas() }),
        json!({ "schemas": schemas(), "Operations": [] }),
        json!({ "schemas": schemas(), "Operations": {} }),
        json!({ "schemas": schemas(), "Operations": operation(), "operations": operation() }),
        patch_body(&json!(["add"])),
        patch_body(&json!([{}])),
        patch_body(&json!([{ "op": "move", "path": "title" }])),
        patch_body(&json!([{ "op": 1, "path": "title" }])),
        patch_body(&json!([{ "op": "add", "OP": "remove", "path": "title", "value": "x" }])),
        patch_body(&json!([{ "op": "add" }])),
        patch_body(&json!([{ "op": "add", "value": "x" }])),
        patch_body(&json!([{ "op": "replace", "value": [{ "title": "x" }] }])),
        patch_body(&json!([{ "op": "replace", "value": { "title": "x", "TITLE": "y" } }])),
    ];
    for body in bodies {
        let error = PatchRequest::parse(&users(), &body, &generic()).expect_err("no PATCH");
        assert_eq!(keyword(&error), "invalidSyntax", "{body}: {}", error.detail);
    }
}

#[test]
fn the_envelope_in_any_case() {
    let body = json!({
        "SCHEMAS": ["URN:IETF:params:scim:api:messages:2.0:patchop"],
        "operations": [{ "Op": "Add", "PATH": "title", "Value": "x" }],
    });
    assert!(PatchRequest::parse(&users(), &body, &generic()).is_ok());
}

#[test]
fn operations_that_fail() {
    let cases = [
        // Paths.
        (json!({ "op": "add", "path": "foo", "value": "x" }), "invalidPath", "\"foo\" is not an attribute of User"),
        (json!({ "op": "remove", "path": "foo" }), "invalidPath", "foo"),
        (json!({ "op": "add", "path": "name.foo", "value": "x" }), "invalidPath", "name.foo"),
        (json!({ "op": "add", "path": "a b", "value": "x" }), "invalidPath", "is not a path"),
        (json!({ "op": "add", "path": 7, "value": "x" }), "invalidPath", "must be a string"),
        (json!({ "op": "add", "path": "emails[type eq", "value": "x" }), "invalidFilter", "filter"),
        (json!({ "op": "add", "path": "emails[0].value", "value": "x" }), "invalidFilter", "filter"),
        (json!({ "op": "remove" }), "noTarget", "path"),
        (json!({ "op": "remove", "value": { "title": "x" } }), "noTarget", "path"),
        // Read-only.
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability", "read-only"),
        (json!({ "op": "replace", "path": "id", "value": "2819c223" }), "mutability", "read-only"),
        (json!({ "op": "remove", "path": "meta" }), "mutability", "read-only"),
        (
            json!({ "op": "replace", "path": "meta.created", "value": "2024-01-01T00:00:00Z" }),
            "mutability",
            "read-only",
        ),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "g" }] }), "mutability", "read-only"),
        (json!({ "op": "replace", "value": { "groups": [] } }), "mutability", "read-only"),
        (
            json!({ "op": "add", "path": format!("{ENTERPRISE}:manager.displayName"), "value": "x" }),
            "mutability",
            "read-only",
        ),
        (json!({ "op": "add", "path": format!("{DINGTALK}:state"), "value": "x" }), "mutability", "read-only"),
        (json!({ "op": "remove", "path": DINGTALK }), "mutability", "dingtalk"),
        (json!({ "op": "remove", "path": USER }), "mutability", "cannot be removed"),
        // Required.
        (json!({ "op": "remove", "path": "userName" }), "mutability", "required"),
        (json!({ "op": "remove", "path": "schemas" }), "mutability", "required"),
        (json!({ "op": "replace", "path": "userName", "value": "" }), "invalidValue", "required"),
        (json!({ "op": "replace", "value": { "userName": null } }), "invalidValue", "required"),
        (json!({ "op": "replace", "path": "userName", "value": "  " }), "invalidValue", "required"),
        (json!({ "op": "remove", "path": format!("{CUSTOM}:door") }), "mutability", "required"),
        // Immutable.
        (json!({ "op": "replace", "path": format!("{CUSTOM}:badgeId"), "value": "8" }), "mutability", "badgeId"),
        (
            json!({ "op": "remove", "path": format!("{CUSTOM}:badgeId") }),
            "mutability",
            "cannot be removed once it is set",
        ),
        // Values.
        (json!({ "op": "add", "path": "title" }), "invalidValue", "\"value\" for \"title\" is missing"),
        (json!({ "op": "add", "path": "title", "value": 7 }), "invalidValue", "must be a string, not 7"),
        (json!({ "op": "add", "path": "active", "value": "maybe" }), "invalidValue", "true or false"),
        (json!({ "op": "add", "path": "name", "value": "x" }), "invalidValue", "an object"),
        (json!({ "op": "add", "path": "name.givenName", "value": {} }), "invalidValue", "name.givenName"),
        (json!({ "op": "add", "path": "emails[type eq \"work\"].value", "value": 7 }), "invalidValue", "emails.value"),
        (json!({ "op": "add", "path": "emails[type eq \"work\"]", "value": [{}, {}] }), "invalidValue", "one object"),
        (json!({ "op": "replace", "path": ENTERPRISE, "value": "x" }), "invalidValue", "an object of its attributes"),
        (json!({ "op": "remove", "path": "emails", "value": 7 }), "invalidValue", "emails"),
        (
            json!({ "op": "add", "path": "emails", "value": [{ "value": "x", "primary": true }, { "value": "y", "primary": true }] }),
            "invalidValue",
            "at most one",
        ),
        (json!({ "op": "replace", "path": "emails.primary", "value": true }), "invalidValue", "2 primary"),
        // No target, where no element can be made up.
        (json!({ "op": "add", "path": "ims[type eq \"qq\"].type", "value": "msn" }), "noTarget", "ims[type eq \"qq\"]"),
        (json!({ "op": "replace", "path": "emails[type sw \"f\"].value", "value": "x" }), "noTarget", "type sw \"f\""),
        (
            json!({ "op": "add", "path": "emails[type eq \"a\" or type eq \"b\"].value", "value": "x" }),
            "noTarget",
            "emails",
        ),
        (
            json!({ "op": "add", "path": "emails[type eq \"a\" and type eq \"b\"].value", "value": "x" }),
            "noTarget",
            "emails",
        ),
    ];
    for (operation, wanted, part) in cases {
        let error = patched(&custom_users(), &generic(), &user(), &json!([operation])).expect_err("refused");
        assert_eq!(keyword(&error), wanted, "{operation}: {}", error.detail);
        assert!(error.detail.contains(part), "{operation}: {}", error.detail);
        assert!(error.detail.starts_with("operation 1"), "{}", error.detail);
    }
}

#[test]
fn an_error_names_its_operation_and_nothing_happens() {
    // P9.
    let operations = json!([
        { "op": "replace", "path": "title", "value": "new" },
        { "op": "replace", "path": "emails[type sw \"x\"].value", "value": "new" },
        { "op": "replace", "path": "nickName", "value": "new" },
    ]);
    let error = patched(&users(), &generic(), &user(), &operations).expect_err("the second fails");
    assert_eq!(keyword(&error), "noTarget");
    assert!(error.detail.starts_with("operation 2 (replace): "), "{}", error.detail);
}

/// A PATCH makes no extension that a POST could not make; one that lacks something already can still be changed.
#[test]
fn an_extension_is_complete_after_a_patch() {
    let door = format!("{CUSTOM}:door");
    let level = json!({ "op": "add", "path": format!("{CUSTOM}:level"), "value": 3 });
    let open = json!({ "op": "add", "path": door, "value": "d" });
    let with_door = json!({ "userName": "u", CUSTOM: { "door": "d" } });
    let without = json!({ "userName": "u", CUSTOM: { "level": 1 } });
    let bare = json!({ "userName": "u" });
    // What is stored, operations, whether they are refused.
    let cases = [
        (&bare, json!([level]), true),
        (&bare, json!([{ "op": "add", "value": { CUSTOM: { "level": 3 } } }]), true),
        (&bare, json!([level, open]), false),
        (&bare, json!([open, level]), false),
        (&with_door, json!([level]), false),
        (&with_door, json!([{ "op": "remove", "path": CUSTOM }]), false),
        (&without, json!([level]), false),
        (&without, json!([{ "op": "replace", "path": "active", "value": false }]), false),
    ];
    for (current, operations, refused) in cases {
        match patched(&custom_users(), &generic(), current, &operations) {
            Ok(_) => assert!(!refused, "{operations}"),
            Err(error) => {
                assert_eq!(
                    (refused, keyword(&error).as_str()),
                    (true, "invalidValue"),
                    "{operations}: {}",
                    error.detail
                );
                assert!(error.detail.contains(&door), "{}", error.detail);
            }
        }
    }
}

#[test]
fn immutable_values_can_be_set_once() {
    let path = format!("{CUSTOM}:badgeId");
    let set = |current: &Value| {
        patched(&custom_users(), &generic(), current, &json!([{ "op": "add", "path": path, "value": "7" }]))
    };
    assert!(set(&json!({ "userName": "u", CUSTOM: { "door": "d" } })).is_ok());
    assert!(set(&user()).is_ok(), "the same value again");
}

#[test]
fn the_strict_profile_keeps_to_the_rfc() {
    let cases = [
        (json!({ "op": "replace", "path": "phoneNumbers[type eq \"work\"].value", "value": "1" }), "noTarget"),
        (json!({ "op": "add", "path": "phoneNumbers[type eq \"work\"].value", "value": "1" }), "noTarget"),
        (json!({ "op": "replace", "path": "emails[type eq \"fax\"].value", "value": "" }), "noTarget"),
        (json!({ "op": "replace", "path": "ims.value", "value": "x" }), "noTarget"),
        (json!({ "op": "replace", "path": "active", "value": "False" }), "invalidValue"),
        (json!({ "op": "replace", "path": "emails[type eq work].value", "value": "x" }), "invalidFilter"),
        (json!({ "op": "replace", "path": format!("{ENTERPRISE}:foo"), "value": "x" }), "invalidPath"),
        (json!({ "op": "replace", "value": { "foo": "x" } }), "invalidPath"),
        (json!({ "op": "remove", "path": "urn:example:x:foo" }), "invalidPath"),
    ];
    for (operation, wanted) in cases {
        let error = patched(&users(), &strict(), &user(), &json!([operation])).expect_err("strict");
        assert_eq!(keyword(&error), wanted, "{operation}: {}", error.detail);
        let tolerated = patched(&users(), &generic(), &user(), &json!([operation]));
        assert!(tolerated.is_ok(), "{operation}: {tolerated:?}");
    }
    // Removing what is not there succeeds for everyone.
    let removals = json!([{ "op": "remove", "path": "emails[type eq \"fax\"]" }, { "op": "remove", "path": "title" }]);
    assert!(patched(&users(), &strict(), &user(), &removals).is_ok());
}

#[test]
fn limits() {
    let many = |count: usize| {
        let operations: Vec<Value> =
            (0..count).map(|_| json!({ "op": "replace", "path": "title", "value": "x" })).collect();
        patched(&users(), &generic(), &user(), &json!(operations))
    };
    assert!(many(1_000).is_ok());
    let error = many(1_001).expect_err("too many");
    assert_eq!((error.status, error.detail.contains("1000")), (413, true));

    let values: Vec<Value> = (0..600).map(|index| json!({ "value": index.to_string() })).collect();
    let moved: Vec<Value> = (600..1_200).map(|index| json!({ "value": index.to_string() })).collect();
    let add = |values: &[Value]| json!({ "op": "add", "path": "entitlements", "value": values });
    assert!(patched(&users(), &generic(), &user(), &json!([add(&values), add(&values)])).is_ok());
    let error = patched(&users(), &generic(), &user(), &json!([add(&values), add(&moved)])).expect_err("too many");
    assert_eq!(error.status, 413);

    // A client that reads a resource can send it back whole.
    let grown = |count: usize| {
        let long = "x".repeat(100_000);
        let add = |index| json!({ "op": "add", "path": "ims", "value": format!("{index}{long}") });
        let operations: Vec<Value> = (0..count).map(add).collect();
        patched(&users(), &generic(), &user(), &json!(operations))
    };
    let large = grown(9).expect("900,000 bytes").resource;
    assert_eq!(grown(10).expect_err("a million bytes and more").status, 413);
    let mut larger = large.as_map().clone();
    larger.insert("title".into(), "x".repeat(131_072).into());
    let shrunk = json!([{ "op": "replace", "path": "title", "value": "x".repeat(131_071) }]);
    assert!(patched(&users(), &generic(), &Value::Object(larger), &shrunk).is_ok(), "it may shrink");

    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let error = patched(&users(), &generic(), &user(), &json!([{ "op": "add", "path": "title", "value": deep }]));
    assert_eq!(keyword(&error.expect_err("too deep")), "invalidSyntax");
}
