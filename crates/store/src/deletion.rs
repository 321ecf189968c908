//! What the deletions of users and groups have in common: one statement reads the version, one writes.

use crate::Store;
use crate::write::{Actor, Lock, UpdateError, Write, bind_write};
use rollcall_provisioning::ids::ResourceId;
use sqlx::PgConnection;

/// A deletion that `check` agrees to, by the version that the resource has.
pub(crate) struct Deletion<'a, C> {
    pub(crate) store: &'a Store,
    pub(crate) actor: &'a Actor,
    pub(crate) id: ResourceId,
    pub(crate) check: C,
    pub(crate) statements: Statements,
}

/// The statements for one type of resource.
#[derive(Clone, Copy)]
pub(crate) struct Statements {
    /// Selects the version of the live resource `$2` of the tenant `$1`.
    pub(crate) version: &'static str,
    /// The same, and locks the resource.
    pub(crate) version_locked: &'static str,
    /// Deletes the resource if it still has the version `$6`, and answers how many there were.
    pub(crate) delete: &'static str,
}

impl<E: Send, C: Fn(i64) -> Result<(), E> + Send> Write for Deletion<'_, C> {
    type Done = ();
    type Refusal = E;

    async fn once(&mut self, connection: &mut PgConnection, lock: Lock) -> Result<Option<()>, UpdateError<E>> {
        let Statements { version, version_locked, delete } = self.statements;
        let version: Option<i64> = sqlx::query_scalar(if lock == Lock::Row { version_locked } else { version })
            .bind(self.actor.tenant.0)
            .bind(self.id.0)
            .fetch_optional(&mut *connection)
            .await?;
        let version = version.ok_or(UpdateError::NotFound)?;
        (self.check)(version).map_err(UpdateError::Refused)?;
        let written: i64 = bind_write!(sqlx::query_scalar(delete), self.actor, self.id, self.store.now())
            .bind(version)
            .fetch_one(connection)
            .await?;
        Ok((written > 0).then_some(()))
    }
}
