//! Resources as a client would see them, to judge filters by.

use rollcall_provisioning::ids::ResourceKind;
use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use rollcall_scim::schema::ResourceType;
use rollcall_store::groups::StoredGroup;
use rollcall_store::users::StoredUser;
use serde_json::{Map, Value, json};

fn envelope_json(
    rt: &ResourceType,
    id: &str,
    resource: &rollcall_scim::resource::Resource,
    dates: [time::OffsetDateTime; 2],
    read_only: Map<String, Value>,
) -> Value {
    let location = format!("https://host/{id}");
    let envelope =
        Envelope { id, resource, version: 1, created: dates[0], modified: dates[1], location: &location, read_only };
    render(rt, &envelope, &Projection::standard(rt))
}

pub(crate) fn shown_user(rt: &ResourceType, user: &StoredUser) -> Value {
    let groups: Vec<Value> = user
        .groups
        .iter()
        .map(|group| json!({ "value": group.id.to_string(), "display": group.display_name, "type": "direct" }))
        .collect();
    let mut read_only = Map::new();
    if !groups.is_empty() {
        read_only.insert("groups".to_owned(), groups.into());
    }
    envelope_json(rt, &user.id.to_string(), &user.resource, [user.created_at, user.modified_at], read_only)
}

pub(crate) fn shown_group(rt: &ResourceType, group: &StoredGroup) -> Value {
    let members: Vec<Value> = group
        .members
        .iter()
        .flatten()
        .map(|member| {
            let kind = match member.kind {
                Some(ResourceKind::User) => Some("User"),
                Some(ResourceKind::Group) => Some("Group"),
                _ => None,
            };
            let parts =
                [("value", Some(member.value.as_str())), ("type", kind), ("display", member.display.as_deref())];
            parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), Value::from(part?)))).collect()
        })
        .map(Value::Object)
        .collect();
    let mut read_only = Map::new();
    if !members.is_empty() {
        read_only.insert("members".to_owned(), members.into());
    }
    envelope_json(rt, &group.id.to_string(), &group.resource, [group.created_at, group.modified_at], read_only)
}
