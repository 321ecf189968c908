//! SCIM users.

mod create;
mod delete;
mod keys;
mod list;
mod read;
mod row;
mod update;

pub use crate::manager::ManagerReading;
pub(crate) use create::Create;
pub use create::Namesake;
pub use list::UserQuery;
pub(crate) use read::{ById, ByUserName};
pub(crate) use update::Change;

use crate::external_ids::ExternalIds;
use rollcall_provisioning::delivery::DeliveryState;
use rollcall_provisioning::ids::{ResourceId, SourceId};
use rollcall_scim::resource::Resource;
use time::OffsetDateTime;

/// A user as the directory holds it. Deleted users are never handed out.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredUser {
    /// The SCIM `id`.
    pub id: ResourceId,
    /// What clients wrote, with the `externalId` of the source that looks ([`UserView::source`]).
    pub resource: Resource,
    /// What each source calls the user.
    pub external_ids: ExternalIds,
    /// How the manager is named in it.
    pub manager_reading: ManagerReading,
    /// Grows by one with every change; what the `ETag` is made of.
    pub version: i64,
    /// When the user was created.
    pub created_at: OffsetDateTime,
    /// When the user last changed.
    pub modified_at: OffsetDateTime,
    /// The groups the user is a direct member of, oldest first; empty unless asked for by [`UserView::groups`].
    pub groups: Vec<GroupRef>,
    /// The standing towards the tenant's first target; `None` unless asked for by [`UserView::projection`], or when
    /// the user was never marked for one.
    pub projection: Option<ProjectionView>,
}

/// A group that somebody belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupRef {
    /// The group's id.
    pub id: ResourceId,
    /// The group's `displayName`.
    pub display_name: String,
    /// False for a group that holds a group which the user is in (RFC 7643 §4.1.2, `indirect`).
    pub direct: bool,
}

/// What the read-only DingTalk extension shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProjectionView {
    /// The id of the account at the target, once there is one.
    pub remote_id: Option<String>,
    /// Where the delivery stands.
    pub state: DeliveryState,
    /// The newest version that the target has accepted.
    pub applied_version: Option<i64>,
    /// When the target accepted it.
    pub applied_at: Option<OffsetDateTime>,
    /// Why the delivery stands where it stands, in words for a person.
    pub reason: Option<String>,
}

/// What is loaded beside the user, in the same round trip.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct UserView {
    /// Load [`StoredUser::groups`].
    pub groups: bool,
    /// Load [`StoredUser::projection`].
    pub projection: bool,
    /// Who looks; without a source the user is seen as the source sees it that created it.
    pub source: Option<SourceId>,
}
