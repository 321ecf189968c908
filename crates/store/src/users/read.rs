//! One user by its id.

use super::row::{UserRow, user_columns, user_joins};
use super::{StoredUser, UserView};
use crate::write::Lock;
use crate::{Store, StoreError};
use rollcall_provisioning::ids::{ResourceId, TenantId};
use sqlx::PgExecutor;

macro_rules! one_user {
    ($lock:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            " FROM users u",
            user_joins!(groups = "$3", projection = "$4"),
            "WHERE u.tenant_id = $1 AND u.id = $2 AND u.deleted_at IS NULL",
            $lock
        )
    };
}

/// Reads a user on whatever connection or transaction.
pub(super) async fn read(
    executor: impl PgExecutor<'_>,
    tenant: TenantId,
    id: ResourceId,
    view: UserView,
    lock: Lock,
) -> Result<Option<StoredUser>, StoreError> {
    let statement = match lock {
        Lock::None => one_user!(""),
        Lock::Row => one_user!(" FOR NO KEY UPDATE OF u"),
    };
    let row: Option<UserRow> = sqlx::query_as(statement)
        .bind(tenant.0)
        .bind(id.0)
        .bind(view.groups)
        .bind(view.projection)
        .fetch_optional(executor)
        .await?;
    row.map(StoredUser::try_from).transpose()
}

impl Store {
    /// The user with that id, if there is one and it is not deleted. One round trip, whatever the view.
    pub async fn user(
        &self,
        tenant: TenantId,
        id: ResourceId,
        view: UserView,
    ) -> Result<Option<StoredUser>, StoreError> {
        read(self.pool(), tenant, id, view, Lock::None).await
    }
}
