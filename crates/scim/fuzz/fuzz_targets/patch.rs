//! Any JSON either is refused or changes a resource into one that the same operations find in good order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall_scim::patch::{self, Context, PatchRequest};
use rollcall_scim::profile::Profile;
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::builtin::user_type;
use serde_json::{Map, Value, json};

fuzz_target!(|text: &str| {
    let Ok(operations) = serde_json::from_str::<Value>(text) else { return };
    let body = json!({ "schemas": [patch::PATCH_SCHEMA], "Operations": operations });
    let (rt, profile) = (user_type(), Profile::generic());
    let Ok(request) = PatchRequest::parse(&rt, &body, &profile) else { return };
    let current = Resource::from_map(Map::from_iter([("userName".to_owned(), json!("u"))]));
    let context = Context { id: "1", profile: &profile, detached: &[] };
    if let Ok(patched) = patch::apply(&rt, &current, &request, &context) {
        assert!(patched.resource.string("userName").is_some(), "a required attribute is never lost");
    }
});
