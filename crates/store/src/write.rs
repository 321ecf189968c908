//! What every SCIM write has in common: who did it, how it can end, and how often it is tried.
//!
//! A change of a resource is optimistic: one statement reads, pure code decides, one conditional statement writes. If
//! somebody else was faster the whole is done again. After `OPTIMISTIC_TRIES` the row is locked first, and then
//! nobody can be faster; so a client never hears of a lock, and two requests never need more than patience.

use crate::{Store, StoreError};
use rollcall_provisioning::ids::{SourceId, TenantId};
use rollcall_scim::profile::ManagerBy;
use sqlx::PgConnection;

/// How often a change is tried without a lock.
const OPTIMISTIC_TRIES: u32 = 3;
/// How often a change is tried in all. Under its lock a try can only be broken off by a deadlock, which Postgres
/// solves by choosing one of two; to be chosen this often is not chance any more.
const TRIES: u32 = 10;

/// Who writes, and because of which request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Actor {
    /// Whose directory it is.
    pub tenant: TenantId,
    /// The client.
    pub source: SourceId,
    /// How the client names managers. [`ManagerBy::Id`] also if it says nothing of a manager: then how a reference is read
    /// stays as it is.
    pub manager_by: ManagerBy,
    /// The request, so that a person can find everything that followed from it.
    pub request_id: String,
}

/// What a resource is to become, by the will of a source.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Wish<T> {
    /// What becomes of it.
    pub becomes: T,
    /// Attributes that the source wrote, too, and that another source decides: recorded, not applied.
    pub withheld: Vec<String>,
}

impl<T> From<T> for Wish<T> {
    fn from(becomes: T) -> Self {
        Self { becomes, withheld: Vec::new() }
    }
}

/// How a change of a resource ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Updated<T> {
    /// The version that the change started from.
    pub before_version: i64,
    /// False when nothing was written, because the resource already was what it should become.
    pub changed: bool,
    /// The resource as it is now.
    pub value: T,
}

/// Why a resource was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError<E> {
    /// There is no such resource, or not any more.
    #[error("the resource does not exist")]
    NotFound,
    /// The caller's own rules refused the change; nothing was written.
    #[error("the change was refused")]
    Refused(E),
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<E> UpdateError<E> {
    /// Whether the connection on which this happened is still in order: the database, if it was asked at all, has
    /// answered in full.
    fn is_orderly(&self) -> bool {
        match self {
            Self::Store(StoreError::Unavailable(_)) => false,
            Self::Store(StoreError::Database(error)) => matches!(error, sqlx::Error::Database(_)),
            _ => true,
        }
    }
}

impl<E> From<sqlx::Error> for UpdateError<E> {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whether a read keeps others from changing what it has read, until its transaction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lock {
    /// It does not.
    None,
    /// It does.
    Row,
}

/// A change of one resource that can be tried again.
pub(crate) trait Write: Send {
    /// What a caller gets.
    type Done: Send;
    /// Why the caller's own rules may refuse.
    type Refusal: Send;

    /// Reads, decides and writes. `None` when somebody else wrote between the read and the write, which cannot
    /// happen under [`Lock::Row`].
    fn once(
        &mut self,
        connection: &mut PgConnection,
        lock: Lock,
    ) -> impl Future<Output = Result<Option<Self::Done>, UpdateError<Self::Refusal>>> + Send;
}

impl Store {
    /// Tries until it is written, first without and then with a lock.
    pub(crate) async fn write<W: Write>(&self, mut change: W) -> Result<W::Done, UpdateError<W::Refusal>> {
        let mut tries = 0;
        loop {
            tries += 1;
            let end = if tries <= OPTIMISTIC_TRIES {
                let mut connection = self.pool().acquire().await?;
                let end = change.once(&mut connection, Lock::None).await;
                if end.as_ref().err().is_none_or(UpdateError::is_orderly) {
                    connection.keep();
                }
                end
            } else {
                let mut transaction = self.pool().begin().await?;
                let end = change.once(&mut transaction, Lock::Row).await;
                if end.is_ok() {
                    transaction.commit().await?;
                }
                end
            };
            match end {
                Ok(Some(done)) => return Ok(done),
                Ok(None) => {}
                Err(UpdateError::Store(error)) if error.is_contention() && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The change entry of a write, as a CTE named `entry`; `$kind` and `$operation` are words, `$details` is a placeholder.
///
/// All writes of one resource bind the same first five values: `$1` tenant, `$2` resource, `$3` now, `$4` source, `$5` request id;
/// and they all have a CTE `written` with the resource's new `version`, empty when nothing was written.
macro_rules! change_entry {
    ($kind:literal, $operation:literal, $details:literal) => {
        concat!(
            "entry AS (INSERT INTO changes (tenant_id, at, source_id, request_id, operation, resource_kind, ",
            "resource_id, version, details) SELECT $1, $3, $4, $5, '",
            $operation,
            "', '",
            $kind,
            "', $2, written.version, ",
            $details,
            " FROM written)"
        )
    };
}
pub(crate) use change_entry;

/// Binds the five values that every write begins with.
macro_rules! bind_write {
    ($query:expr, $actor:expr, $id:expr, $now:expr) => {
        $query.bind($actor.tenant.0).bind($id.0).bind($now).bind($actor.source.0).bind(&$actor.request_id)
    };
}
pub(crate) use bind_write;
