//! From a row to a group.

use super::{Load, Member, StoredGroup};
use crate::StoreError;
use crate::external_ids::ExternalIds;
use rollcall_provisioning::ids::{ResourceId, ResourceKind, SourceId};
use rollcall_scim::resource::Resource;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of a [`GroupRow`], from `groups g` and what [`group_joins`] joins.
macro_rules! group_columns {
    () => {
        "g.id, g.source_id, g.attributes, g.external_ids, g.version, g.created_at, g.modified_at, has.member_values, has.member_kinds, \
         has.member_displays"
    };
}
pub(super) use group_columns;

/// What a member is and is called, of what [`member_joins`] joins.
macro_rules! member_columns {
    () => {
        "CASE WHEN mu.id IS NOT NULL THEN 'user' WHEN mg.id IS NOT NULL THEN 'group' END AS kind, \
         COALESCE(mu.attributes ->> 'displayName', mu.attributes ->> 'userName', mg.attributes ->> 'displayName') \
         AS display"
    };
}
pub(super) use member_columns;

/// The user or the group that a text column names, without those who were deleted; `$1` is the tenant.
macro_rules! member_joins {
    ($value:literal) => {
        concat!(
            " LEFT JOIN users mu ON mu.tenant_id = $1 AND mu.id = ",
            named_id!($value),
            " LEFT JOIN groups mg ON mg.tenant_id = $1 AND mg.id = ",
            named_id!($value),
            " WHERE mu.deleted_at IS NULL AND mg.deleted_at IS NULL"
        )
    };
}
pub(super) use member_joins;

/// The first so many members of `groups g`; all of them for a limit that is null.
macro_rules! group_joins {
    ($limit:expr) => {
        concat!(
            " LEFT JOIN LATERAL (SELECT array_agg(member.value) AS member_values, ",
            "array_agg(member.kind) AS member_kinds, array_agg(member.display) AS member_displays FROM (",
            "SELECT m.member_id AS value, ",
            $crate::groups::row::member_columns!(),
            " FROM memberships m",
            $crate::groups::row::member_joins!("m.member_id"),
            " AND m.tenant_id = g.tenant_id AND m.group_id = g.id ORDER BY m.member_id LIMIT ",
            $limit,
            ") member) has ON true "
        )
    };
}
pub(super) use group_joins;

#[derive(sqlx::FromRow)]
pub(crate) struct GroupRow {
    id: Uuid,
    source_id: Uuid,
    attributes: Value,
    external_ids: Option<Value>,
    version: i64,
    created_at: OffsetDateTime,
    modified_at: OffsetDateTime,
    member_values: Option<Vec<String>>,
    member_kinds: Option<Vec<Option<String>>>,
    member_displays: Option<Vec<Option<String>>>,
}

impl GroupRow {
    /// The group as the source of a view sees it, with what was loaded of its members. A group without any has no arrays
    /// either.
    pub(super) fn into_group(self, source: Option<SourceId>, load: Load) -> Result<StoredGroup, StoreError> {
        let corrupt = |column| StoreError::corrupt("groups", column, self.id);
        let Value::Object(attributes) = self.attributes else {
            return Err(corrupt("attributes"));
        };
        let external_ids = ExternalIds::of_row(self.source_id, &attributes, self.external_ids)
            .ok_or_else(|| corrupt("external_ids"))?;
        let kinds = self.member_kinds.unwrap_or_default();
        let found = self.member_values.unwrap_or_default().into_iter().zip(kinds);
        let found = found.zip(self.member_displays.unwrap_or_default());
        let found = found.map(|((value, kind), display)| Member {
            value,
            kind: kind.as_deref().and_then(ResourceKind::parse),
            display,
        });
        let group = StoredGroup {
            id: ResourceId(self.id),
            resource: Resource::from_map(external_ids.shown(source, attributes)),
            external_ids,
            version: self.version,
            created_at: self.created_at,
            modified_at: self.modified_at,
            members: Some(found.collect()),
            more_members: false,
        };
        Ok(group.cut(load))
    }
}
