//! PATCH: what comes out is in order, the same again where it must be, and what a PUT would take.

use rollcall_scim::patch::{self, Context, PatchRequest};
use rollcall_scim::profile::Profile;
use rollcall_scim::resource::{self, Resource};
use rollcall_scim::schema::{Mutability, ResourceType};
use serde_json::{Value, json};

use super::canonical::check_canonical;
use super::{CUSTOM, custom_users};

const ID: &str = "2819c223";

/// Any text; one that is JSON is taken as the operations of a request.
pub(crate) fn check(text: &str) {
    if let Ok(Value::Array(operations)) = serde_json::from_str(text) {
        check_operations(&operations);
    }
}

/// Any operations.
pub(crate) fn check_operations(operations: &[Value]) {
    let rt = custom_users();
    for profile in [Profile::generic(), Profile::strict()] {
        let before = user();
        let Some(after) = applied(&rt, &profile, &before, operations) else { continue };
        check_result(&rt, &profile, &before, &after);
        check_steps(&rt, &profile, operations, &after);
        let mut current = before;
        for operation in operations {
            let Some(once) = applied(&rt, &profile, &current, std::slice::from_ref(operation)) else { return };
            check_result(&rt, &profile, &current, &once);
            // With a filter an operation can take away the ground it stood on.
            if !has_filter(operation) {
                let twice = applied(&rt, &profile, &once, std::slice::from_ref(operation));
                assert_eq!(twice.as_ref(), Some(&once), "twice is once: {operation}");
            }
            current = once;
        }
    }
}

/// What holds of every change.
fn check_result(rt: &ResourceType, profile: &Profile, before: &Resource, after: &Resource) {
    check_canonical(rt, after);
    for attribute in rt.top_level().filter(|attribute| attribute.mutability == Mutability::ReadOnly) {
        assert_eq!(after.as_map().get(&attribute.name), None, "{} is the server's", attribute.name);
    }
    let badge = |user: &Resource| user.extension(CUSTOM).and_then(|badge| badge.get("badgeId").cloned());
    if let (Some(old), Some(new)) = (badge(before), badge(after)) {
        assert_eq!(old, new, "what is immutable stays");
    }
    let mut body = Value::Object(after.as_map().clone());
    body["schemas"] = json!([rt.schema.id]);
    assert_eq!(resource::replace(rt, after, &body, profile).as_ref(), Ok(after), "a PUT of the result changes nothing");
}

/// Operations without filters mean one after the other what they mean together.
fn check_steps(rt: &ResourceType, profile: &Profile, operations: &[Value], together: &Resource) {
    if operations.iter().any(has_filter) {
        return;
    }
    let mut current = user();
    for operation in operations {
        match applied(rt, profile, &current, std::slice::from_ref(operation)) {
            Some(next) => current = next,
            // A state on the way may be one that cannot be kept, such as one without something required.
            None => return,
        }
    }
    assert_eq!(current, *together, "step by step");
}

/// True for an operation with a filter, in its path or in a key of its value.
fn has_filter(operation: &Value) -> bool {
    let Some(members) = operation.as_object() else { return false };
    let in_path = |name: &str, value: &Value| {
        name.eq_ignore_ascii_case("path") && value.as_str().is_some_and(|path| path.contains('['))
    };
    members.iter().any(|(name, value)| in_path(name, value) || has_filter_key(value))
}

fn has_filter_key(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('[') || has_filter_key(value)),
        Value::Array(items) => items.iter().any(has_filter_key),
        _ => false,
    }
}

fn user() -> Resource {
    let user = json!({
        "userName": "bjensen",
        "active": true,
        "name": { "givenName": "B", "familyName": "J" },
        "emails": [{ "type": "work", "value": "a", "primary": true }, { "type": "home", "value": "b" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "m" } },
        CUSTOM: { "badgeId": "7", "door": "d" },
    });
    Resource::from_map(user.as_object().expect("an object").clone())
}

fn applied(rt: &ResourceType, profile: &Profile, current: &Resource, operations: &[Value]) -> Option<Resource> {
    let body = json!({ "schemas": [patch::PATCH_SCHEMA], "Operations": operations });
    let request = PatchRequest::parse(rt, &body, profile).ok()?;
    let context = Context { id: ID, profile, detached: &[] };
    patch::apply(rt, current, &request, &context).ok().map(|patched| patched.resource)
}
