//! Everybody and every group that was received, page by page, each with its standing at the targets.
//!
//! Other than a SCIM list it needs no count and no offset: a page begins after the last id of the one before, so that
//! the last page of a million costs as much as the first.

use crate::{Store, StoreError};
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, TargetId, TenantId};
use time::OffsetDateTime;
use uuid::Uuid;

/// A user, in a list for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterUser {
    /// The SCIM id.
    pub id: ResourceId,
    /// The userName.
    pub user_name: String,
    /// The displayName.
    pub display_name: Option<String>,
    /// Whether the user is active.
    pub active: bool,
    /// When the user last changed.
    pub modified_at: OffsetDateTime,
    /// The standing at each target that the user was ever due at.
    pub standings: Vec<(TargetId, DeliveryState)>,
}

/// A group, in a list for people.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RosterGroup {
    /// The SCIM id.
    pub id: ResourceId,
    /// The displayName.
    pub display_name: String,
    /// How many members the source named.
    pub members: i64,
    /// When the group last changed.
    pub modified_at: OffsetDateTime,
}

#[derive(sqlx::FromRow)]
struct UserRow {
    id: Uuid,
    user_name: Option<String>,
    display_name: Option<String>,
    active: bool,
    modified_at: OffsetDateTime,
    targets: Option<Vec<Uuid>>,
    states: Option<Vec<String>>,
}

impl TryFrom<UserRow> for RosterUser {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let state = |word: String| {
            DeliveryState::parse(&word).ok_or_else(|| StoreError::corrupt("deliveries", "state", row.id))
        };
        let standings = row.targets.unwrap_or_default().into_iter().zip(row.states.unwrap_or_default());
        let standings = standings.map(|(target, word)| Ok((TargetId(target), state(word)?)));
        Ok(Self {
            id: ResourceId(row.id),
            user_name: row.user_name.unwrap_or_default(),
            display_name: row.display_name,
            active: row.active,
            modified_at: row.modified_at,
            standings: standings.collect::<Result<_, StoreError>>()?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct GroupRow {
    id: Uuid,
    display_name: Option<String>,
    members: i64,
    modified_at: OffsetDateTime,
}

impl From<GroupRow> for RosterGroup {
    fn from(row: GroupRow) -> Self {
        Self {
            id: ResourceId(row.id),
            display_name: row.display_name.unwrap_or_default(),
            members: row.members,
            modified_at: row.modified_at,
        }
    }
}

impl Store {
    /// At most `limit` live users after that id, in the order in which they were created.
    pub async fn roster_users(
        &self,
        tenant: TenantId,
        after: Option<ResourceId>,
        limit: i64,
    ) -> Result<Vec<RosterUser>, StoreError> {
        let rows: Vec<UserRow> = sqlx::query_as(
            "SELECT u.id, u.attributes ->> 'userName' AS user_name, u.attributes ->> 'displayName' AS display_name,
                    u.active, u.modified_at, standing.targets, standing.states
             FROM (SELECT * FROM users WHERE tenant_id = $1 AND deleted_at IS NULL AND id > $2
                   ORDER BY id LIMIT $3) u
             LEFT JOIN LATERAL (
                 SELECT array_agg(t.id ORDER BY t.name) AS targets, array_agg(d.state ORDER BY t.name) AS states
                 FROM targets t JOIN deliveries d ON d.tenant_id = t.tenant_id AND d.target_id = t.id
                                                 AND d.resource_kind = 'user' AND d.resource_id = u.id
                 WHERE t.tenant_id = $1) standing ON true
             ORDER BY u.id",
        )
        .bind(tenant.0)
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        rows.into_iter().map(RosterUser::try_from).collect()
    }

    /// At most `limit` live groups after that id, in the order in which they were created.
    pub async fn roster_groups(
        &self,
        tenant: TenantId,
        after: Option<ResourceId>,
        limit: i64,
    ) -> Result<Vec<RosterGroup>, StoreError> {
        let rows: Vec<GroupRow> = sqlx::query_as(
            "SELECT g.id, g.attributes ->> 'displayName' AS display_name, g.modified_at,
                    (SELECT count(*) FROM memberships m WHERE m.tenant_id = $1 AND m.group_id = g.id) AS members
             FROM groups g WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND g.id > $2
             ORDER BY g.id LIMIT $3",
        )
        .bind(tenant.0)
        .bind(after.map_or(Uuid::nil(), |id| id.0))
        .bind(limit)
        .fetch_all(self.pool())
        .await?;
        Ok(rows.into_iter().map(RosterGroup::from).collect())
    }
}
