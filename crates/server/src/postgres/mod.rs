//! The embedded Postgres: a private server in the data folder, run from the programs that are installed on the
//! machine, for everyone who gives no `DATABASE_URL`.
//!
//! It listens on a Unix socket only. It runs as an unprivileged account when we are root. It is shared: the second
//! process that starts it in the same folder, say a command beside a running server, joins the first one's. And it
//! lives exactly as long as somebody holds a [`Postgres`]:
//!
//! | what happens | what becomes of the server |
//! |---|---|
//! | the last holder calls [`Postgres::stop`] | it is stopped cleanly before `stop` returns |
//! | the last holder drops it, exits or is killed | the watcher stops it cleanly a moment later |
//! | the process that started it goes, others still hold it | nothing; they do not notice |
//! | the server itself is killed | the holders' connections fail; the next start recovers the folder |
//! | everything is killed, watcher included | the next start joins the server, or recovers the folder |
//!
//! The pieces: `layout` (where things are), `find` (the programs), `account` (who runs them), `cluster` (`initdb`),
//! `lock` (sharing), `launch` (the process and its watcher), `postmaster` (is it alive).

mod account;
mod cluster;
mod error;
mod find;
mod launch;
mod layout;
mod lock;
mod postmaster;

use std::io::ErrorKind;
use std::path::Path;
use std::process::Child;
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use account::Account;
use layout::Layout;
use lock::{Gate, Hold, Released};
use postmaster::Postmaster;

pub use error::PostgresError;
pub use find::Search;

/// The database that every embedded Postgres has.
pub const DATABASE: &str = "rollcall";

/// How long a server that seems to run may refuse us before that is an error.
const JOIN_PATIENCE: Duration = Duration::from_secs(20);

/// How often it is tried again.
const JOIN_POLL: Duration = Duration::from_millis(50);

/// The major version that a new folder would be made with.
///
/// # Errors
/// [`PostgresError::Missing`] or [`PostgresError::NotThere`].
pub fn installed_major(search: &Search) -> Result<u32, PostgresError> {
    find::find(search, None).map(|binaries| binaries.major())
}

/// How much a committed transaction is worth after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Postgres's own defaults: a commit is on disk.
    Full,
    /// Nothing survives a crash of the machine, and everything is faster: for tests only.
    None,
}

/// A hold on the embedded Postgres of one folder. See the module's table for what ends the server.
#[derive(Debug)]
pub struct Postgres {
    layout: Layout,
    hold: Hold,
    pid: u32,
    major: u32,
    /// The watcher, where it was we who started the server. Kept so that it can be collected after a stop.
    watcher: Option<Child>,
}

impl Postgres {
    /// Starts the Postgres of this folder, or joins the one that runs there already, and waits until it takes
    /// connections. The first start runs `initdb` and takes a few seconds; later ones about a tenth of a second.
    ///
    /// The folder is made if it is missing. When we are root, the account that runs Postgres must be able to pass
    /// through it and the folders above it. A folder keeps the major version and the account that it was made with.
    /// A server that is joined keeps the durability it was started with.
    ///
    /// # Errors
    /// Each case of [`PostgresError`] is worded for the person who chose the folder.
    pub async fn start(data_dir: &Path, durability: Durability, search: &Search) -> Result<Self, PostgresError> {
        let layout = Layout::prepare(data_dir)?;
        let gate = Gate::enter(&layout).await?;
        let hold = Hold::take(&layout).await?;
        let (watcher, found) = if let Some(found) = join(&layout).await? {
            (None, found)
        } else {
            let (watcher, found) = start_alone(&gate, &layout, durability, search).await?;
            (Some(watcher), found)
        };
        drop(gate);
        Ok(Self {
            pid: found.pid.as_raw_nonzero().get().unsigned_abs(),
            major: cluster::major(&layout)?.unwrap_or(find::OLDEST),
            layout,
            hold,
            watcher,
        })
    }

    /// Whether the folder holds the data of a Postgres, running or not. Makes and changes nothing.
    pub fn exists(data_dir: &Path) -> bool {
        // It has this name only when it is complete. What may not be looked at may be there; using it tells why not.
        let data = std::fs::metadata(data_dir.join("postgres").join("data"));
        data.map_or_else(|error| error.kind() == ErrorKind::PermissionDenied, |data| data.is_dir())
    }

    /// The URL of one database of this server, for sqlx and for `psql`: superuser, Unix socket, no password.
    pub fn url(&self, database: &str) -> String {
        self.layout.url(database)
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The server's major version.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Whether the server was already running.
    pub fn joined(&self) -> bool {
        self.watcher.is_none()
    }

    /// A file that keeps the server running for as long as any process has it open: hand it to a child as a standard
    /// stream, so that the server outlives this process.
    ///
    /// # Errors
    /// The operating system has no file descriptor left.
    pub fn share_hold(&self) -> Result<std::fs::File, PostgresError> {
        self.hold.share().map_err(PostgresError::file("open", self.layout.holders()))
    }

    /// Gives the hold back. If it was the last one, the server has stopped cleanly when this returns; otherwise it
    /// goes on for the others.
    ///
    /// # Errors
    /// The server did not stop in time; it goes on stopping.
    pub async fn stop(self) -> Result<(), PostgresError> {
        let layout = self.layout;
        let _gate = Gate::enter(&layout).await?;
        match self.hold.release(&layout)? {
            Released::OthersRemain => return Ok(()),
            Released::Last(_kept_until_stopped) => launch::stop(&layout).await?,
            // The watcher keeps the lock until the server has ended.
            Released::WatcherStops => drop(Hold::take(&layout).await?),
        }
        if let Some(mut watcher) = self.watcher {
            // It ends right after the server; it is waited for so that it does not stay behind as a zombie.
            let waited = tokio::task::spawn_blocking(move || watcher.wait()).await;
            waited
                .unwrap_or_else(|error| Err(std::io::Error::other(error)))
                .map_err(PostgresError::program("/bin/sh"))?;
        }
        Ok(())
    }
}

/// Joins the server of this folder, if one runs. The caller holds the gate and a hold.
async fn join(layout: &Layout) -> Result<Option<Postmaster>, PostgresError> {
    let deadline = Instant::now() + JOIN_PATIENCE;
    while let Some(found) = launch::find_running(layout).await? {
        // Whoever made the folder may have been killed before it had our database, so a joiner looks too.
        match create_database(layout).await {
            Ok(()) => return Ok(Some(found)),
            // A server that is being killed looks alive for a moment.
            Err(_) if Instant::now() < deadline => tokio::time::sleep(JOIN_POLL).await,
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Starts a server in a folder where none runs. The caller has a hold.
async fn start_alone(
    gate: &Gate,
    layout: &Layout,
    durability: Durability,
    search: &Search,
) -> Result<(Child, Postmaster), PostgresError> {
    let account = Account::choose(layout)?;
    account.check_reach(layout.root())?;
    let existing = cluster::major(layout)?;
    let data = layout.data();
    let binaries = find::find(search, existing.map(|major| (major, data.as_path())))?;
    if existing.is_none() {
        cluster::create(gate, layout, &account, &binaries, durability).await?;
    }
    let started = launch::launch(layout, &account, &binaries, durability).await?;
    create_database(layout).await?;
    Ok(started)
}

/// Makes our database if it is missing; also the proof that the server answers.
async fn create_database(layout: &Layout) -> Result<(), PostgresError> {
    let create = async {
        let mut connection = PgConnection::connect(&layout.url("postgres")).await?;
        let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(DATABASE)
            .fetch_one(&mut connection)
            .await?;
        if !exists {
            sqlx::raw_sql("CREATE DATABASE rollcall").execute(&mut connection).await?;
        }
        connection.close().await
    };
    create.await.map_err(PostgresError::Statement)
}
