//! From a stored user to SCIM JSON.

use crate::rules::ResourceTypes;
use crate::scim::base::BaseUrl;
use rollcall_provisioning::ids::SourceId;
use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use rollcall_scim::schema::{dingtalk, sub};
use rollcall_store::users::{GroupRef, ProjectionView, StoredUser, UserView};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What must be loaded for a reply: nothing that nobody will see.
pub(super) fn view(projection: &Projection<'_>, source: SourceId) -> UserView {
    UserView {
        groups: projection.wants("groups"),
        projection: projection.wants_extension(dingtalk::URN),
        source: Some(source),
    }
}

/// True if a reply changes only when the user's version does. Groups change with the groups, and the DingTalk
/// extension with what DingTalk says.
pub(super) fn is_versioned(projection: &Projection<'_>) -> bool {
    !projection.wants("groups") && !projection.wants_extension(dingtalk::URN)
}

/// How users are written for one client.
#[derive(Clone, Copy)]
pub(super) struct UserJson<'a> {
    pub(super) types: &'a ResourceTypes,
    pub(super) base: &'a BaseUrl,
}

impl UserJson<'_> {
    /// The user, with what the server adds: groups, and the standing towards DingTalk.
    pub(super) fn render(self, user: &StoredUser, projection: &Projection<'_>) -> Value {
        let rt = self.types.user();
        let id = user.id.to_string();
        let location = self.base.resource(&rt.endpoint, &id);
        let mut read_only = Map::new();
        if !user.groups.is_empty() {
            let groups: Vec<Value> = user.groups.iter().map(|group| self.group(group)).collect();
            read_only.insert("groups".to_owned(), groups.into());
        }
        if let Some(standing) = &user.projection {
            read_only.insert(dingtalk::URN.to_owned(), extension(standing));
        }
        let envelope = Envelope {
            id: &id,
            resource: &user.resource,
            version: user.version,
            created: user.created_at,
            modified: user.modified_at,
            location: &location,
            read_only,
        };
        render(rt, &envelope, projection)
    }

    /// One group of the user.
    fn group(self, group: &GroupRef) -> Value {
        let url = self.base.resource(&self.types.group().endpoint, group.id);
        let kind = if group.direct { "direct" } else { "indirect" };
        json!({ sub::VALUE: group.id.to_string(), sub::REF: url, "display": group.display_name, sub::TYPE: kind })
    }
}

fn extension(standing: &ProjectionView) -> Value {
    let entries = [
        ("userId", standing.remote_id.clone().map(Value::from)),
        ("state", Some(standing.state.as_str().into())),
        ("appliedVersion", standing.applied_version.map(Value::from)),
        ("lastAppliedAt", standing.applied_at.and_then(timestamp).map(Value::from)),
        ("reason", standing.reason.clone().map(Value::from)),
    ];
    entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect::<Map<_, _>>().into()
}

fn timestamp(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}
