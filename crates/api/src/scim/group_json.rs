//! From a stored group to SCIM JSON.

use crate::rules::ResourceTypes;
use crate::scim::base::BaseUrl;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_provisioning::ids::SourceId;
use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use rollcall_scim::schema::sub;
use rollcall_store::groups::{GroupView, Member, StoredGroup};
use serde_json::{Map, Value};

/// The attribute that is kept apart, because there can be a hundred thousand of them.
pub(super) const MEMBERS: &str = "members";

/// What must be loaded for a reply: nothing that nobody will see.
pub(super) fn view(projection: &Projection<'_>, source: SourceId) -> GroupView {
    GroupView { members: projection.wants(MEMBERS), source: Some(source) }
}

/// True if a reply changes only when the group's version does. Members also go when they are deleted, and their names
/// are their own.
pub(super) fn is_versioned(projection: &Projection<'_>) -> bool {
    !projection.wants(MEMBERS)
}

/// How groups are written for one client.
#[derive(Clone, Copy)]
pub(super) struct GroupJson<'a> {
    pub(super) types: &'a ResourceTypes,
    pub(super) base: &'a BaseUrl,
}

impl GroupJson<'_> {
    /// The group, with its members if they were loaded.
    pub(super) fn render(self, group: &StoredGroup, projection: &Projection<'_>) -> Value {
        let rt = self.types.group();
        let id = group.id.to_string();
        let location = self.base.resource(&rt.endpoint, &id);
        let mut read_only = Map::new();
        if let Some(members) = group.members.as_deref().filter(|members| !members.is_empty()) {
            let members: Vec<Value> = members.iter().map(|member| self.member(member)).collect();
            read_only.insert(MEMBERS.to_owned(), members.into());
        }
        let envelope = Envelope {
            id: &id,
            resource: &group.resource,
            version: group.version,
            created: group.created_at,
            modified: group.modified_at,
            location: &location,
            read_only,
        };
        render(rt, &envelope, projection)
    }

    /// The same in a list; null for a group whose members were not all loaded ([`Writer::list`](super::large_groups::Writer::list)).
    pub(super) fn in_list(self, group: &StoredGroup, projection: &Projection<'_>) -> Value {
        if group.more_members { Value::Null } else { self.render(group, projection) }
    }

    /// A member. One that nobody is (yet) has its value alone: there is nothing else to say and nothing to link to.
    fn member(self, member: &Member) -> Value {
        let mut element = Map::new();
        element.insert(sub::VALUE.to_owned(), member.value.as_str().into());
        let rt = match member.kind {
            Some(ResourceKind::User) => Some(self.types.user()),
            Some(ResourceKind::Group) => Some(self.types.group()),
            Some(ResourceKind::OrgUnit) | None => None,
        };
        if let Some(rt) = rt {
            element.insert(sub::REF.to_owned(), self.base.resource(&rt.endpoint, &member.value).into());
            element.insert(sub::TYPE.to_owned(), rt.name.as_str().into());
        }
        if let Some(display) = &member.display {
            element.insert("display".to_owned(), display.as_str().into());
        }
        element.into()
    }
}
