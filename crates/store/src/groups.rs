//! SCIM groups.

mod create;
mod delete;
mod list;
mod read;
mod roll;
mod row;
mod update;

pub use crate::members::Member;
pub use list::{GroupQuery, LISTED_MEMBERS, MEMBER_SCAN_LIMIT};
pub use read::LOADED_MEMBERS;
pub use roll::Roll;
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
    /// True if the members are only the first ones, and [`Store::roll`](crate::Store::roll) has all.
    pub more_members: bool,
}

impl StoredGroup {
    /// The group without the members that are beyond what was to be loaded.
    fn cut(mut self, load: Load) -> Self {
        match (load, &mut self.members) {
            (Load::Nothing, members) => *members = None,
            (Load::First(most), Some(members)) if members.len() > most => {
                members.truncate(most);
                self.more_members = true;
            }
            _ => {}
        }
        self
    }
}

/// How many members are loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Load {
    Nothing,
    /// So many, and one more if there is one.
    First(usize),
    All,
}

/// What is loaded beside the group, in the same round trip.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct GroupView {
    /// Load [`StoredGroup::members`]: the first [`LOADED_MEMBERS`], or [`LISTED_MEMBERS`] of each group in a list.
    pub members: bool,
    /// Who looks; without a source the group is seen as the source sees it that created it.
    pub source: Option<SourceId>,
}
