//! What the cases start from.

use rollcall_scim::Error;
use rollcall_scim::patch::{self, Context, DetachedChange, PatchRequest, Patched};
use rollcall_scim::profile::Profile;
use rollcall_scim::resource::Resource;
use rollcall_scim::schema::ResourceType;
use rollcall_scim::schema::builtin::{group_type, user_type};
use serde_json::{Value, json};

pub(crate) use crate::oracles::{CUSTOM, custom_users};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const DINGTALK: &str = "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User";
pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const ID: &str = "2819c223";

pub(crate) fn users() -> ResourceType {
    user_type()
}

pub(crate) fn groups() -> ResourceType {
    group_type()
}

pub(crate) fn generic() -> Profile {
    Profile::generic()
}

pub(crate) fn strict() -> Profile {
    Profile::strict()
}

/// A resource from what is stored.
pub(crate) fn stored(value: &Value) -> Resource {
    Resource::from_map(value.as_object().expect("an object").clone())
}

pub(crate) fn patch_body(operations: &Value) -> Value {
    json!({ "schemas": [patch::PATCH_SCHEMA], "Operations": operations })
}

/// Applies operations to a resource as it is stored.
pub(crate) fn patched(
    rt: &ResourceType,
    profile: &Profile,
    current: &Value,
    operations: &Value,
) -> Result<Patched, Error> {
    let request = PatchRequest::parse(rt, &patch_body(operations), profile)?;
    let detached: Vec<&str> = rt.apart().collect();
    patch::apply(rt, &stored(current), &request, &Context { id: ID, profile, detached: &detached })
}

/// What a user becomes under the tolerant profile.
#[track_caller]
pub(crate) fn user_after(current: &Value, operations: &Value) -> Value {
    let patched = patched(&users(), &generic(), current, operations).expect("the operations succeed");
    Value::Object(patched.resource.into_map())
}

/// What the store has to do with the members of a group.
#[track_caller]
pub(crate) fn member_changes(operations: &Value) -> Vec<DetachedChange> {
    patched(&groups(), &generic(), &json!({ "displayName": "Staff" }), operations)
        .expect("the operations succeed")
        .detached
}

/// The keyword of an error, or the status of one without.
pub(crate) fn keyword(error: &Error) -> String {
    error.scim_type.map_or_else(|| error.status.to_string(), |kind| kind.as_str().to_owned())
}
