//! One user, by the id or by the name.

use super::row::{UserRow, user_columns, user_joins};
use super::{StoredUser, UserView};
use crate::connections::Connections;
use crate::gather::{Kind, Rows};
use crate::write::Lock;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use sqlx::PgConnection;
use uuid::Uuid;

/// Selects users by a condition on `$2`; `$1` is the tenant. What to load beside them is part of the text, and an array
/// stands behind a `SELECT`: so nothing that changes from request to request is known to the planner. It would hope for
/// a better plan from planning again each time, which takes longer than the rest.
macro_rules! users_where {
    ($view:expr, $condition:literal) => {
        match ($view.groups, $view.projection) {
            (false, false) => users_where!("false", "false", $condition),
            (false, true) => users_where!("false", "true", $condition),
            (true, false) => users_where!("true", "false", $condition),
            (true, true) => users_where!("true", "true", $condition),
        }
    };
    ($groups:literal, $projection:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", u.user_name_key FROM users u",
            user_joins!(groups = $groups, projection = $projection),
            "WHERE u.tenant_id = $1 AND u.deleted_at IS NULL AND ",
            $condition
        )
    };
}

/// Lookups by id.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ById {
    tenant: TenantId,
    view: UserView,
}

impl Kind for ById {
    type Key = Uuid;
    type Input = ();
    type Output = StoredUser;

    async fn run(self, connections: &Connections, asked: &[(Uuid, ())]) -> Result<Rows<Self>, StoreError> {
        let keys: Vec<Uuid> = asked.iter().map(|(id, ())| *id).collect();
        let rows: Vec<UserRow> = sqlx::query_as(users_where!(self.view, "u.id = ANY((SELECT $2)::uuid[])"))
            .bind(self.tenant.0)
            .bind(keys)
            .fetch_all(connections)
            .await?;
        Ok(rows.into_iter().map(|row| (row.id(), row.into_user(self.view))).collect())
    }
}

/// Lookups by `userName` in its folded form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ByUserName {
    tenant: TenantId,
    view: UserView,
}

#[derive(sqlx::FromRow)]
struct NamedRow {
    user_name_key: String,
    #[sqlx(flatten)]
    row: UserRow,
}

impl Kind for ByUserName {
    type Key = String;
    type Input = ();
    type Output = StoredUser;

    async fn run(self, connections: &Connections, asked: &[(String, ())]) -> Result<Rows<Self>, StoreError> {
        let keys: Vec<&str> = asked.iter().map(|(name, ())| name.as_str()).collect();
        let rows: Vec<NamedRow> = sqlx::query_as(users_where!(self.view, "u.user_name_key = ANY((SELECT $2)::text[])"))
            .bind(self.tenant.0)
            .bind(keys)
            .fetch_all(connections)
            .await?;
        Ok(rows.into_iter().map(|NamedRow { user_name_key, row }| (user_name_key, row.into_user(self.view))).collect())
    }
}

/// Reads a user on this connection, which may be in a transaction.
pub(super) async fn read(
    connection: &mut PgConnection,
    tenant: TenantId,
    id: ResourceId,
    view: UserView,
    lock: Lock,
) -> Result<Option<StoredUser>, StoreError> {
    let statement = match lock {
        Lock::None => users_where!(view, "u.id = $2"),
        Lock::Row => users_where!(view, "u.id = $2 FOR NO KEY UPDATE OF u"),
    };
    let row: Option<UserRow> = sqlx::query_as(statement).bind(tenant.0).bind(id.0).fetch_optional(connection).await?;
    row.map(|row| row.into_user(view)).transpose()
}

impl Store {
    /// The user with that id, if there is one and it is not deleted. One round trip, mostly, whatever the view.
    pub async fn user(
        &self,
        tenant: TenantId,
        id: ResourceId,
        view: UserView,
    ) -> Result<Option<StoredUser>, StoreError> {
        self.users_by_id.ask(ById { tenant, view }, id.0, ()).await
    }

    /// The user with that `userName`, folded ([`rollcall_scim::fold`]), if there is one and it is not deleted. One
    /// round trip, mostly.
    pub(super) async fn user_by_name(
        &self,
        tenant: TenantId,
        key: String,
        view: UserView,
    ) -> Result<Option<StoredUser>, StoreError> {
        self.users_by_name.ask(ByUserName { tenant, view }, key, ()).await
    }
}
