//! SCIM groups.

mod create;
mod delete;
mod list;
mod read;
mod row;
mod update;

pub use crate::members::Member;
pub use list::GroupQuery;
pub use update::GroupUpdate;

use crate::external_ids::ExternalIds;
use rollcall_provisioning::ids::{ResourceId, SourceId};
use rollcall_scim::resource::Resource;
use time::OffsetDateTime;

/// A group as the directory holds it. Deleted groups are never handed out.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredGroup {
    /// The SCIM `id`.
    pub id: ResourceId,
    /// What clients wrote, without the members, and with the `externalId` of the source that looks
    /// ([`GroupView::source`]).
    pub resource: Resource,
    /// What each source calls the group.
    pub external_ids: ExternalIds,
    /// Grows by one with every change, also of the members; what the `ETag` is made of.
    pub version: i64,
    /// When the group was created.
    pub created_at: OffsetDateTime,
    /// When the group last changed.
    pub modified_at: OffsetDateTime,
    /// The members in the order of their values; `None` unless asked for by [`GroupView::members`].
    pub members: Option<Vec<Member>>,
}

/// What is loaded beside the group, in the same round trip.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct GroupView {
    /// Load [`StoredGroup::members`]; there can be a hundred thousand.
    pub members: bool,
    /// Who looks; without a source the group is seen as the source sees it that created it.
    pub source: Option<SourceId>,
}
