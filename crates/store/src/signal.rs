//! Telling workers that there is something to do.
//!
//! `pg_notify` inside the writing transaction would be the obvious way, but Postgres takes one lock for the whole
//! cluster from a notifying transaction's commit record until its end, so that all writers would commit one after
//! the other. The write path therefore only rings a bell in memory, after the commit, and one background loop turns
//! any number of rings into one notification. A process that dies between commit and notification loses nothing:
//! the marks are in the table, and every worker also polls.

use crate::{Store, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// The channel on which other processes hear that deliveries became dirty.
pub(crate) const DIRTY_CHANNEL: &str = "rollcall_dirty";
/// At most one notification in this time; a burst of writes needs no more to wake somebody.
const QUIET: Duration = Duration::from_millis(20);
/// How long to wait before the next try when the database could not be reached.
const RETRY: Duration = Duration::from_secs(1);

/// Two bells rung together: one for workers of this process, one for the loop that tells other processes.
#[derive(Debug, Default)]
pub(crate) struct DirtySignal {
    local: Arc<Notify>,
    remote: Notify,
}

impl DirtySignal {
    /// Says that a committed write has marked something. Never waits.
    pub(crate) fn dirty(&self) {
        self.local.notify_one();
        self.remote.notify_one();
    }
}

impl Store {
    /// The bell for a worker in this process: rung after every committed write that marked a delivery. It keeps one
    /// ring for a worker that is not listening at the moment; arm it before looking at the table.
    pub fn local_dirty(&self) -> Arc<Notify> {
        Arc::clone(&self.signal.local)
    }

    /// Tells workers of other processes about dirty deliveries, until `shutdown` completes. Run one per process
    /// that writes.
    pub async fn run_signal(&self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => return,
                () = self.signal.remote.notified() => {}
            }
            let pause = match self.notify_workers().await {
                Ok(()) => QUIET,
                Err(error) => {
                    tracing::warn!(error = &error as &dyn std::error::Error, "workers could not be notified");
                    self.signal.remote.notify_one();
                    RETRY
                }
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tells workers of other processes at once. For a process that ends before [`Self::run_signal`] would.
    pub async fn tell_workers(&self) -> Result<(), StoreError> {
        self.notify_workers().await
    }

    async fn notify_workers(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT pg_notify($1, '')").bind(DIRTY_CHANNEL).execute(self.pool()).await?;
        Ok(())
    }
}
