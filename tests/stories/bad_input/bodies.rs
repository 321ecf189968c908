//! Bodies that nobody should send.

use reqwest::Method;
use serde_json::{Value, json};

use super::Case;
use crate::drivers::{GROUP, PATCH_OP, USER};
use crate::staff::somebody;

fn changed(attribute: &str, value: Value) -> Vec<u8> {
    let mut person = somebody(9);
    person[attribute] = value;
    person.to_string().into_bytes()
}

fn nested(levels: usize) -> String {
    format!(r#"{{"userName":{}1{}}}"#, "[".repeat(levels), "]".repeat(levels))
}

/// `POST /Users` and `POST /Groups`.
pub(super) fn of_creations() -> Vec<Case> {
    let user = |body: Vec<u8>, scim_type, names| Case::new(Method::POST, "/Users", body, 400).because(scim_type, names);
    let group = |body: Value, scim_type, names| {
        Case::new(Method::POST, "/Groups", body.to_string(), 400).because(scim_type, names)
    };
    let (syntax, value) = ("invalidSyntax", "invalidValue");
    let two_primaries = json!([
        { "value": "a@corp.example", "type": "work", "primary": true },
        { "value": "b@corp.example", "type": "home", "primary": true },
    ]);
    let taken = |path: &str, body: Value, names| {
        Case::new(Method::POST, path, body.to_string(), 409).because("uniqueness", names)
    };
    let mut shouted = somebody(9);
    shouted["userName"] = json!("SOMEBODY.1@CORP.EXAMPLE");
    vec![
        user(b"{\"userName\": ".to_vec(), syntax, "JSON"),
        user(b"{\"userName\": 'x'}".to_vec(), syntax, "JSON"),
        user(b"{} trailing".to_vec(), syntax, "JSON"),
        user(Vec::new(), syntax, "empty"),
        user(b"  \n ".to_vec(), syntax, "empty"),
        user(b"[]".to_vec(), syntax, "array"),
        user(b"null".to_vec(), syntax, "null"),
        user(b"\"text\"".to_vec(), syntax, "string"),
        user(b"{\"userName\":\"\xff\xfe\"}".to_vec(), syntax, "UTF-8"),
        user(nested(100).into_bytes(), syntax, "nested"),
        user(nested(10_000).into_bytes(), syntax, "nested"),
        user(b"{}".to_vec(), syntax, "schemas"),
        user(changed("schemas", json!([])), syntax, "schemas"),
        user(changed("schemas", json!([GROUP])), syntax, "schemas"),
        user(changed("schemas", json!(USER)), syntax, "schemas"),
        user(changed("userName", json!(null)), value, "userName"),
        user(changed("userName", json!("")), value, "userName"),
        user(changed("userName", json!("   ")), value, "userName"),
        user(changed("userName", json!(5)), value, "userName"),
        user(changed("userName", json!("x".repeat(5_000))), value, "userName"),
        user(changed("userName", json!("a\u{0}b")), value, "userName"),
        user(changed("displayName", json!("a\u{0}b")), value, "displayName"),
        user(changed("displayName", json!({ "no": "text" })), value, "displayName"),
        user(changed("active", json!("perhaps")), value, "active"),
        user(changed("active", json!(1)), value, "active"),
        user(changed("name", json!(17)), value, "name"),
        user(changed("emails", json!([{ "value": 5 }])), value, "emails"),
        user(changed("emails", two_primaries), value, "emails"),
        user(changed("emails", json!([{ "value": "a\u{0}@b" }])), value, "emails"),
        taken("/Users", somebody(1), "somebody.1@corp.example"),
        taken("/Users", shouted, "SOMEBODY.1@CORP.EXAMPLE"),
        taken("/Groups", json!({ "schemas": [GROUP], "displayName": "TEAM" }), "TEAM"),
        group(json!({ "schemas": [GROUP] }), value, "displayName"),
        group(json!({ "schemas": [GROUP], "displayName": 5 }), value, "displayName"),
        group(json!({ "schemas": [GROUP], "displayName": "x".repeat(5_000) }), value, "displayName"),
        group(json!({ "schemas": [GROUP], "displayName": "New", "members": [{ "value": 7 }] }), value, "members"),
        group(json!({ "schemas": [GROUP], "displayName": "New", "members": true }), value, "members"),
        group(
            json!({ "schemas": [GROUP], "displayName": "New", "members": [{ "value": "a\u{0}" }] }),
            value,
            "members",
        ),
        Case::new(Method::POST, "/Users", changed("displayName", json!("x".repeat(2 << 20))), 413).because("", "bytes"),
        Case::new(Method::POST, "/Groups", vec![b' '; 2 << 20], 413).because("", "bytes"),
    ]
}

/// PATCH and PUT of what is there.
pub(super) fn of_changes() -> Vec<Case> {
    let patch = |operations: Value, scim_type, names| {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        Case::new(Method::PATCH, "/Users/{user}", body.to_string(), 400).because(scim_type, names)
    };
    let group = |operations: Value, scim_type, names| {
        let body = json!({ "schemas": [PATCH_OP], "Operations": operations });
        Case::new(Method::PATCH, "/Groups/{group}", body.to_string(), 400).because(scim_type, names)
    };
    let raw = |body: &str, names| Case::new(Method::PATCH, "/Users/{user}", body, 400).because("invalidSyntax", names);
    let put = |path: &str, body: Value, status| Case::new(Method::PUT, path, body.to_string(), status);
    let at = |path: &str| json!([{ "op": "replace", "path": path, "value": "x" }]);
    let two = json!([
        { "op": "replace", "path": "displayName", "value": "Changed" },
        { "op": "replace", "path": "no such path[", "value": "x" },
    ]);
    let mut nameless = somebody(1);
    nameless["userName"] = json!(null);
    vec![
        raw("{", "JSON"),
        raw("", "empty"),
        raw("{}", "schemas"),
        raw(&json!({ "schemas": [PATCH_OP] }).to_string(), "Operations"),
        raw(&json!({ "schemas": [PATCH_OP], "Operations": [] }).to_string(), "Operations"),
        raw(&json!({ "schemas": [PATCH_OP], "Operations": "none" }).to_string(), "Operations"),
        raw(&json!({ "schemas": [USER], "Operations": at("title") }).to_string(), "schemas"),
        patch(json!([{ "path": "title", "value": "x" }]), "invalidSyntax", "op"),
        patch(json!([{ "op": "move", "path": "title" }]), "invalidSyntax", "move"),
        patch(json!(["replace"]), "invalidSyntax", "peration"),
        patch(json!([{ "op": "remove" }]), "noTarget", "path"),
        patch(json!([{ "op": "remove", "path": "userName" }]), "mutability", "userName"),
        patch(json!([{ "op": "replace", "path": "id", "value": "x" }]), "mutability", "id"),
        patch(json!([{ "op": "replace", "path": "active", "value": "perhaps" }]), "invalidValue", "active"),
        patch(json!([{ "op": "replace", "path": "title", "value": { "a": 1 } }]), "invalidValue", "title"),
        patch(json!([{ "op": "replace", "path": "title", "value": "a\u{0}b" }]), "invalidValue", "value"),
        patch(json!([{ "op": "replace", "path": "userName", "value": "" }]), "invalidValue", "userName"),
        patch(at("emails["), "invalidFilter", "attribute"),
        patch(at("emails]"), "invalidPath", "emails]"),
        patch(at("emails[type zz \"work\"].value"), "invalidFilter", "zz"),
        patch(at("colour"), "invalidPath", "colour"),
        patch(at("name.colour"), "invalidPath", "colour"),
        patch(at(""), "invalidSyntax", "path"),
        patch(at(&"x".repeat(9_000)), "invalidPath", "path"),
        patch(two, "invalidPath", "no such path["),
        group(json!([{ "op": "remove", "path": "displayName" }]), "mutability", "displayName"),
        group(json!([{ "op": "add", "path": "members", "value": [{ "value": 7 }] }]), "invalidValue", "members"),
        group(json!([{ "op": "add", "path": "members", "value": 7 }]), "invalidValue", "members"),
        group(json!([{ "op": "replace", "path": "colour", "value": "x" }]), "invalidPath", "colour"),
        put("/Users/{user}", nameless, 400).because("invalidValue", "userName"),
        put("/Users/{user}", json!([]), 400).because("invalidSyntax", "array"),
        put("/Users/{user}", somebody(2), 409).because("uniqueness", "somebody.2@corp.example"),
        put("/Groups/{group}", json!({ "schemas": [GROUP] }), 400).because("invalidValue", "displayName"),
        put("/Groups/{group}", json!({ "schemas": [GROUP], "displayName": "other TEAM" }), 409)
            .because("uniqueness", "other TEAM"),
        Case::new(Method::PATCH, "/Users/{user}", vec![b'x'; 2 << 20], 413).because("", "bytes"),
    ]
}
