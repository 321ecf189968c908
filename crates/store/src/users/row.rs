//! From a row to a user.

use super::{GroupRef, ProjectionView, StoredUser, UserView};
use crate::StoreError;
use crate::external_ids::ExternalIds;
use crate::manager::ManagerReading;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::ResourceId;
use rollcall_scim::resource::Resource;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of a [`UserRow`], from `users u` and the tables joined by [`user_joins`].
macro_rules! user_columns {
    () => {
        "u.id, u.source_id, u.attributes, u.external_ids, u.manager_by, u.manager_source, u.version, u.created_at, u.modified_at, belongs.group_ids, belongs.group_names, belongs.group_direct, \
         standing.remote_id, standing.state, standing.applied_version, standing.applied_at, standing.reason"
    };
}
pub(super) use user_columns;

/// What can be loaded beside `users u`. Both are boolean expressions; what is false is not looked at.
macro_rules! user_joins {
    (groups = $groups:literal, projection = $projection:literal) => {
        concat!(
            // UNION drops what is known already, and so ends also where groups are in each other.
            " LEFT JOIN LATERAL (WITH RECURSIVE above (id, name, direct) AS (",
            "SELECT g.id, g.attributes ->> 'displayName', true ",
            "FROM memberships m JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id ",
            "WHERE ",
            $groups,
            " AND m.tenant_id = u.tenant_id AND m.member_id = u.id::text AND g.deleted_at IS NULL ",
            "UNION SELECT g.id, g.attributes ->> 'displayName', false FROM above ",
            "JOIN memberships m ON m.tenant_id = u.tenant_id AND m.member_id = above.id::text ",
            "JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id WHERE g.deleted_at IS NULL) ",
            "SELECT array_agg(one.id ORDER BY one.id) AS group_ids, ",
            "array_agg(COALESCE(one.name, '') ORDER BY one.id) AS group_names, ",
            "array_agg(one.direct ORDER BY one.id) AS group_direct ",
            "FROM (SELECT id, name, bool_or(direct) AS direct FROM above GROUP BY id, name) one) belongs ON true",
            " LEFT JOIN LATERAL (SELECT l.remote_id, d.state, d.applied_version, d.applied_at, d.reason ",
            "FROM targets t JOIN deliveries d ON d.tenant_id = t.tenant_id AND d.target_id = t.id ",
            "AND d.resource_kind = 'user' AND d.resource_id = u.id ",
            "LEFT JOIN links l ON l.tenant_id = t.tenant_id AND l.target_id = t.id ",
            "AND l.resource_kind = 'user' AND l.resource_id = u.id ",
            "WHERE ",
            $projection,
            " AND t.tenant_id = u.tenant_id ORDER BY t.id LIMIT 1) standing ON true "
        )
    };
}
pub(super) use user_joins;

#[derive(sqlx::FromRow)]
pub(crate) struct UserRow {
    id: Uuid,
    source_id: Uuid,
    attributes: Value,
    external_ids: Option<Value>,
    manager_by: Option<String>,
    manager_source: Option<Uuid>,
    version: i64,
    created_at: OffsetDateTime,
    modified_at: OffsetDateTime,
    group_ids: Option<Vec<Uuid>>,
    group_names: Option<Vec<String>>,
    group_direct: Option<Vec<bool>>,
    remote_id: Option<String>,
    state: Option<String>,
    applied_version: Option<i64>,
    applied_at: Option<OffsetDateTime>,
    reason: Option<String>,
}

impl UserRow {
    pub(super) const fn id(&self) -> Uuid {
        self.id
    }

    /// The user as the source of a view sees it.
    pub(super) fn into_user(self, view: UserView) -> Result<StoredUser, StoreError> {
        let row = self;
        let corrupt = |column| StoreError::corrupt("users", column, row.id);
        let Value::Object(attributes) = row.attributes else {
            return Err(corrupt("attributes"));
        };
        let projection = match row.state {
            None => None,
            Some(word) => Some(ProjectionView {
                remote_id: row.remote_id,
                state: DeliveryState::parse(&word).ok_or(StoreError::corrupt("deliveries", "state", row.id))?,
                applied_version: row.applied_version,
                applied_at: row.applied_at,
                reason: row.reason,
            }),
        };
        let manager_reading = ManagerReading::of_row(row.manager_by.as_deref(), row.manager_source, row.source_id)
            .ok_or_else(|| corrupt("manager_by"))?;
        let external_ids =
            ExternalIds::of_row(row.source_id, &attributes, row.external_ids).ok_or_else(|| corrupt("external_ids"))?;
        let groups = row.group_ids.unwrap_or_default().into_iter().zip(row.group_names.unwrap_or_default());
        let groups = groups.zip(row.group_direct.unwrap_or_default()).map(|((id, display_name), direct)| GroupRef {
            id: ResourceId(id),
            display_name,
            direct,
        });
        Ok(StoredUser {
            id: ResourceId(row.id),
            resource: Resource::from_map(external_ids.shown(view.source, attributes)),
            external_ids,
            manager_reading,
            version: row.version,
            created_at: row.created_at,
            modified_at: row.modified_at,
            groups: groups.collect(),
            projection,
        })
    }
}
