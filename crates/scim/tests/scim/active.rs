//! Whoever is suspended stays so until `active` is set to true: clearing it is not activating (A7).

use rollcall_scim::resource;
use serde_json::{Value, json};

use crate::given::{USER, generic, stored, user_after, users};

/// Suspended, active, and neither, which no write leaves behind.
const STATES: [Option<bool>; 3] = [Some(false), Some(true), None];

fn user(active: Option<bool>) -> Value {
    let mut user = json!({ "userName": "u" });
    if let Some(active) = active {
        user["active"] = active.into();
    }
    user
}

#[test]
fn by_put() {
    let cases = [
        (json!({}), [false, true, true]),
        (json!({ "active": null }), [false, true, true]),
        (json!({ "active": "" }), [false, true, true]),
        (json!({ USER: { "active": null } }), [false, true, true]),
        (json!({ "active": false }), [false, false, false]),
        (json!({ "active": "False" }), [false, false, false]),
        (json!({ "active": true }), [true, true, true]),
    ];
    for (sent, results) in cases {
        let mut body = json!({ "schemas": [USER], "userName": "u" });
        body.as_object_mut().expect("an object").extend(sent.as_object().expect("an object").clone());
        for (before, after) in STATES.into_iter().zip(results) {
            let got = resource::replace(&users(), &stored(&user(before)), &body, &generic()).expect("a user");
            assert_eq!(got.boolean("active"), Some(after), "{before:?} {sent}");
        }
    }
}

#[test]
fn by_patch() {
    let clearing = [
        json!([{ "op": "remove", "path": "active" }]),
        json!([{ "op": "remove", "path": "active", "value": false }]),
        json!([{ "op": "replace", "path": "active", "value": null }]),
        json!([{ "op": "replace", "path": "active", "value": "" }]),
        json!([{ "op": "add", "path": "active", "value": null }]),
        json!([{ "op": "replace", "value": { "active": null } }]),
        json!([{ "op": "replace", "value": { USER: { "active": null } } }]),
    ];
    for operations in clearing {
        for (before, after) in STATES.into_iter().zip([false, true, true]) {
            assert_eq!(user_after(&user(before), &operations)["active"], json!(after), "{before:?} {operations}");
        }
    }
}

#[test]
fn by_operations_in_their_order() {
    let set = |value: bool| json!({ "op": "replace", "path": "active", "value": value });
    let clear = json!({ "op": "remove", "path": "active" });
    let cases = [
        (json!([set(false), clear]), false),
        (json!([set(true), clear]), true),
        (json!([clear, set(false)]), false),
        (json!([set(false), clear, set(true)]), true),
    ];
    for (operations, after) in cases {
        for before in STATES {
            assert_eq!(user_after(&user(before), &operations)["active"], json!(after), "{before:?} {operations}");
        }
    }
}
