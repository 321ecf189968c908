//! The two file locks that let many processes share one embedded Postgres.
//!
//! *The gate* is exclusive and short: whoever starts, joins or stops the server holds it, so that two starters never
//! fight over one folder. *The holders' lock* is shared and long: everyone who uses the server holds it, and whoever
//! gets it exclusively knows that nobody uses the server any more. The kernel gives both back when a process dies,
//! however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::error::PostgresError;
use super::layout::Layout;

/// How often a lock that somebody else holds is tried again.
const POLL: Duration = Duration::from_millis(25);

/// A first start on a slow disk runs `initdb` behind the gate.
const GATE_PATIENCE: Duration = Duration::from_mins(3);

/// The watcher holds the holders' lock while Postgres writes its last checkpoint.
const HOLDERS_PATIENCE: Duration = Duration::from_mins(2);

/// The exclusive right to start, join or stop. Given back on drop.
#[derive(Debug)]
pub(super) struct Gate {
    file: File,
}

impl Gate {
    /// Waits for the gate.
    pub(super) async fn enter(layout: &Layout) -> Result<Self, PostgresError> {
        let path = layout.gate();
        let file = open(&path)?;
        let what = "waiting for another process that starts or stops Postgres in this folder";
        wait_for(&path, what, GATE_PATIENCE, layout, || file.try_lock()).await?;
        Ok(Self { file })
    }

    /// A second handle of this very gate: it opens when both handles are closed. For a process whose work the next one
    /// at the gate must not meet half done, even when we are killed.
    pub(super) fn share(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }
}

/// The statement "I use this server". Given back on drop.
#[derive(Debug)]
pub(super) struct Hold {
    file: File,
}

impl Hold {
    /// Joins the holders; waits while the watcher stops a server that nobody held.
    pub(super) async fn take(layout: &Layout) -> Result<Self, PostgresError> {
        let path = layout.holders();
        let file = open(&path)?;
        let what = "waiting for Postgres to stop after its last user has gone";
        wait_for(&path, what, HOLDERS_PATIENCE, layout, || file.try_lock_shared()).await?;
        Ok(Self { file })
    }

    /// Gives the hold back, and says whether ours was the last one.
    pub(super) fn release(self, layout: &Layout) -> Result<Released, PostgresError> {
        drop(self);
        let path = layout.holders();
        let file = open(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Released::Last(LastHold { _file: file })),
            Err(TryLockError::Error(error)) => Err(PostgresError::file("lock", path)(error)),
            // Either somebody else still holds the server, or the watcher was faster than we and is stopping it.
            Err(TryLockError::WouldBlock) => match file.try_lock_shared() {
                Ok(()) => Ok(Released::OthersRemain),
                Err(TryLockError::WouldBlock) => Ok(Released::WatcherStops),
                Err(TryLockError::Error(error)) => Err(PostgresError::file("lock", path)(error)),
            },
        }
    }

    /// A second handle of this very hold: it ends when both handles are closed. For a process that is to keep the
    /// server running after we have gone.
    pub(super) fn share(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }
}

/// What became of the server's holders when one of them left.
#[derive(Debug)]
pub(super) enum Released {
    /// Nobody holds the server now, and nobody can join until this is dropped.
    Last(LastHold),
    /// Others go on using the server.
    OthersRemain,
    /// Nobody holds the server, and the watcher is stopping it.
    WatcherStops,
}

/// Keeps new holders out while the last one stops the server.
#[derive(Debug)]
pub(super) struct LastHold {
    _file: File,
}

/// Opens a lock file for the watcher, which may run as another account and could not open it itself.
pub(super) fn open_for_watcher(layout: &Layout) -> Result<File, PostgresError> {
    open(&layout.holders())
}

fn open(path: &Path) -> Result<File, PostgresError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(PostgresError::file("open", path))
}

async fn wait_for(
    path: &Path,
    what: &'static str,
    patience: Duration,
    layout: &Layout,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), PostgresError> {
    let deadline = Instant::now() + patience;
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => {
                return Err(PostgresError::file("lock", path)(error));
            }
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(PostgresError::TooSlow { what, after: patience, log: layout.log() });
            }
            Err(TryLockError::WouldBlock) => tokio::time::sleep(POLL).await,
        }
    }
}
