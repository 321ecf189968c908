//! Lists of groups.

use super::row::{GroupRow, group_columns, group_joins};
use super::{GroupView, Load, StoredGroup};
use crate::filter_sql::Table;
use crate::listing::{Listed, Listing, Query};
use crate::members::{MEMBERS, named_id};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::filter::Filter;
use uuid::Uuid;

/// Which groups are wanted.
pub type GroupQuery<'a> = Query<'a, StoredGroup, GroupView>;

/// Groups judged at a time without their members.
const BATCH_SIZE: i64 = 500;
/// Groups judged at a time by their members, of which each may have very many.
const BATCH_SIZE_WITH_MEMBERS: i64 = 8;

/// A macro, so that it can stand in a statement.
macro_rules! listed_members {
    () => {
        100
    };
}

/// The most members that are loaded with each group of a list.
pub const LISTED_MEMBERS: usize = listed_members!();

/// `$4` wants those of a list, `$5` wants all.
macro_rules! members {
    () => {
        concat!("CASE WHEN $5 THEN NULL WHEN $4 THEN ", listed_members!(), " + 1 ELSE 0 END")
    };
}

macro_rules! live {
    () => {
        "FROM groups g WHERE g.tenant_id = $1 AND g.deleted_at IS NULL AND "
    };
}

macro_rules! chosen {
    () => {
        concat!(
            ") chosen JOIN groups g ON g.tenant_id = $1 AND g.id = chosen.id",
            group_joins!(members!()),
            "ORDER BY g.id"
        )
    };
}

/// Members of the groups that satisfy a condition.
const COUNT_MEMBERS: [&str; 2] = [
    concat!("SELECT count(*) FROM (SELECT 1 FROM memberships m JOIN (SELECT g.tenant_id, g.id ", live!()),
    ") g ON g.tenant_id = m.tenant_id AND g.id = m.group_id WHERE m.tenant_id = $1 LIMIT $3) candidates",
];

/// The most members that are read to judge a filter that the database cannot judge alone.
pub const MEMBER_SCAN_LIMIT: i64 = 50_000;

impl Load {
    fn listed(wanted: bool) -> Self {
        if wanted { Self::First(LISTED_MEMBERS) } else { Self::Nothing }
    }
}

impl Listed for StoredGroup {
    type Row = GroupRow;
    type View = GroupView;

    const TABLE: Table = Table::Groups;

    const PAGE: &'static str = concat!(
        "SELECT (SELECT count(*) ",
        live!(),
        "true) AS total, ",
        group_columns!(),
        " FROM (SELECT g.id ",
        live!(),
        "true ORDER BY g.id LIMIT $3 OFFSET $2",
        chosen!()
    );

    const MATCHING_PAGE: [&'static str; 2] = [
        concat!("WITH hits AS MATERIALIZED (SELECT g.id ", live!()),
        concat!(
            ") SELECT (SELECT count(*) FROM hits) AS total, ",
            group_columns!(),
            " FROM (SELECT hits.id FROM hits ORDER BY hits.id LIMIT $3 OFFSET $2",
            chosen!()
        ),
    ];

    const COUNT: [&'static str; 2] = [concat!("SELECT count(*) FROM (SELECT 1 ", live!()), " LIMIT $3) candidates"];

    const COUNT_FIRST: [&'static str; 2] =
        [concat!("SELECT count(*) FROM (SELECT 1 ", live!()), " ORDER BY g.id LIMIT $3) candidates"];

    const BATCH: [[&'static str; 2]; 2] = [
        [
            concat!("SELECT ", group_columns!(), " FROM (SELECT g.* ", live!(), "g.id > $2 AND "),
            concat!(" ORDER BY g.id LIMIT $3) g", group_joins!(members!()), "ORDER BY g.id"),
        ],
        [
            concat!("SELECT ", group_columns!(), " FROM (SELECT g.* ", live!(), "g.id < $2 AND "),
            concat!(" ORDER BY g.id DESC LIMIT $3) g", group_joins!(members!()), "ORDER BY g.id DESC"),
        ],
    ];

    const FEW: [[&'static str; 2]; 2] = [
        [
            concat!("WITH hits AS MATERIALIZED (SELECT g.id ", live!()),
            concat!(
                " LIMIT ",
                counted!(),
                " + 1) SELECT (SELECT count(*) FROM hits) AS total, ",
                group_columns!(),
                " FROM (SELECT hits.id FROM hits WHERE hits.id > $2 ORDER BY hits.id LIMIT $3",
                chosen!(),
            ),
        ],
        [
            concat!("WITH hits AS MATERIALIZED (SELECT g.id ", live!()),
            concat!(
                " LIMIT ",
                counted!(),
                " + 1) SELECT (SELECT count(*) FROM hits) AS total, ",
                group_columns!(),
                " FROM (SELECT hits.id FROM hits WHERE hits.id < $2 ORDER BY hits.id DESC LIMIT $3",
                chosen!(),
                " DESC"
            ),
        ],
    ];

    fn load(view: GroupView, judged: Option<&Filter>) -> [bool; 2] {
        [view.members, judged.is_some_and(|filter| filter.mentions(MEMBERS))]
    }

    fn weigh([_, judged]: [bool; 2]) -> Option<(&'static [&'static str; 2], i64)> {
        judged.then_some((&COUNT_MEMBERS, MEMBER_SCAN_LIMIT))
    }

    fn batch_size([_, judged]: [bool; 2]) -> i64 {
        if judged { BATCH_SIZE_WITH_MEMBERS } else { BATCH_SIZE }
    }

    fn from_row(row: GroupRow, view: GroupView, [listed, judged]: [bool; 2]) -> Result<Self, StoreError> {
        row.into_group(view.source, if judged { Load::All } else { Load::listed(listed) })
    }

    fn shown(self, view: GroupView) -> Self {
        self.cut(Load::listed(view.members))
    }

    fn viewer(view: GroupView) -> Option<SourceId> {
        view.source
    }

    fn id(&self) -> Uuid {
        self.id.0
    }
}

impl Store {
    /// The live groups that match, in the order in which they were created. [`StoreError::TooMany`] when the filter
    /// would need too many groups read.
    pub async fn list_groups(
        &self,
        tenant: TenantId,
        query: &GroupQuery<'_>,
    ) -> Result<Listing<StoredGroup>, StoreError> {
        self.list(tenant, query).await
    }
}
