//! Lists of users.

use super::row::{UserRow, user_columns, user_joins};
use super::{StoredUser, UserView};
use crate::filter_sql::Table;
use crate::listing::{Listed, Listing, Query};
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::fold::fold;
use rollcall_scim::path::AttributePath;
use rollcall_scim::schema::dingtalk;
use serde_json::Value;
use uuid::Uuid;

/// Which users are wanted.
pub type UserQuery<'a> = Query<'a, StoredUser, UserView>;

/// Small enough to be forgotten quickly, large enough that the round trips do not matter.
const BATCH_SIZE: i64 = 500;

macro_rules! live {
    () => {
        "FROM users u WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND "
    };
}

macro_rules! chosen {
    () => {
        concat!(
            ") chosen JOIN users u ON u.tenant_id = $1 AND u.id = chosen.id",
            user_joins!(groups = "$4", projection = "$5"),
            "ORDER BY u.id"
        )
    };
}

impl Listed for StoredUser {
    type Row = UserRow;
    type View = UserView;

    const TABLE: Table = Table::Users;

    const PAGE: &'static str = concat!(
        "SELECT (SELECT count(*) ",
        live!(),
        "true) AS total, ",
        user_columns!(),
        " FROM (SELECT u.id ",
        live!(),
        "true ORDER BY u.id LIMIT $3 OFFSET $2",
        chosen!()
    );

    const MATCHING_PAGE: [&'static str; 2] = [
        concat!("WITH hits AS MATERIALIZED (SELECT u.id ", live!()),
        concat!(
            ") SELECT (SELECT count(*) FROM hits) AS total, ",
            user_columns!(),
            " FROM (SELECT hits.id FROM hits ORDER BY hits.id LIMIT $3 OFFSET $2",
            chosen!()
        ),
    ];

    const COUNT: [&'static str; 2] = [concat!("SELECT count(*) FROM (SELECT 1 ", live!()), " LIMIT $3) candidates"];

    const COUNT_FIRST: [&'static str; 2] =
        [concat!("SELECT count(*) FROM (SELECT 1 ", live!()), " ORDER BY u.id LIMIT $3) candidates"];

    const BATCH: [[&'static str; 2]; 2] = [
        [
            concat!("SELECT ", user_columns!(), " FROM (SELECT u.* ", live!(), "u.id > $2 AND "),
            concat!(" ORDER BY u.id LIMIT $3) u", user_joins!(groups = "$4", projection = "$5"), "ORDER BY u.id"),
        ],
        [
            concat!("SELECT ", user_columns!(), " FROM (SELECT u.* ", live!(), "u.id < $2 AND "),
            concat!(
                " ORDER BY u.id DESC LIMIT $3) u",
                user_joins!(groups = "$4", projection = "$5"),
                "ORDER BY u.id DESC"
            ),
        ],
    ];

    const FEW: [[&'static str; 2]; 2] = [
        [
            concat!("WITH hits AS MATERIALIZED (SELECT u.id ", live!()),
            concat!(
                " LIMIT ",
                counted!(),
                " + 1) SELECT (SELECT count(*) FROM hits) AS total, ",
                user_columns!(),
                " FROM (SELECT hits.id FROM hits WHERE hits.id > $2 ORDER BY hits.id LIMIT $3",
                chosen!(),
            ),
        ],
        [
            concat!("WITH hits AS MATERIALIZED (SELECT u.id ", live!()),
            concat!(
                " LIMIT ",
                counted!(),
                " + 1) SELECT (SELECT count(*) FROM hits) AS total, ",
                user_columns!(),
                " FROM (SELECT hits.id FROM hits WHERE hits.id < $2 ORDER BY hits.id DESC LIMIT $3",
                chosen!(),
                " DESC"
            ),
        ],
    ];

    fn load(view: UserView, judged: Option<&Filter>) -> [bool; 2] {
        let (groups, projection) = judged.map_or((false, false), |filter| {
            let extension = |schema: Option<&str>| schema == Some(dingtalk::URN);
            (filter.mentions("groups"), filter.paths().iter().any(|path| extension(path.schema.as_deref())))
        });
        [view.groups || groups, view.projection || projection]
    }

    fn weigh(_load: [bool; 2]) -> Option<(&'static [&'static str; 2], i64)> {
        None
    }

    fn batch_size(_load: [bool; 2]) -> i64 {
        BATCH_SIZE
    }

    fn from_row(row: UserRow, view: UserView, _load: [bool; 2]) -> Result<Self, StoreError> {
        row.into_user(view)
    }

    fn shown(self, _view: UserView) -> Self {
        self
    }

    fn viewer(view: UserView) -> Option<SourceId> {
        view.source
    }

    fn id(&self) -> Uuid {
        self.id.0
    }
}

impl Store {
    /// The live users that match, in the order in which they were created. [`StoreError::TooMany`] when the filter
    /// would need too many users read.
    pub async fn list_users(&self, tenant: TenantId, query: &UserQuery<'_>) -> Result<Listing<StoredUser>, StoreError> {
        let Some(key) = query.matching.and_then(|matching| user_name(matching.filter)) else {
            return self.list(tenant, query).await;
        };
        let user = self.user_by_name(tenant, key, query.view).await?;
        let total = i64::from(user.is_some());
        let items = user.into_iter().filter(|_| query.start_index <= 1 && query.count > 0).collect();
        Ok(Listing { total, items })
    }
}

/// The folded name, if the filter is what clients ask before they create somebody: `userName eq "…"` and nothing else.
fn user_name(filter: &Filter) -> Option<String> {
    match filter {
        Filter::Compare { path, op: CompareOp::Eq, value: Value::String(name) }
            if *path == AttributePath::core("userName") =>
        {
            Some(fold(name))
        }
        _ => None,
    }
}
