//! Running `postgres` under a watcher that outlives us.
//!
//! The watcher is a few lines of `sh`. It starts Postgres, then waits for the holders' lock exclusively; it gets it
//! when the last holder has gone, stopped or killed, and then stops Postgres cleanly, keeping the lock until Postgres
//! has ended, so that the next start waits for that. Since the lock and not a parent process keeps the server alive,
//! it does not matter which of several holders started it.
//!
//! Where there is no `flock` program (macOS), there is no watcher either: after a kill Postgres goes on running, and
//! the next start joins it.

use std::fs::{self, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use super::Durability;
use super::account::Account;
use super::error::PostgresError;
use super::find::Binaries;
use super::layout::{Layout, PORT};
use super::lock;
use super::postmaster::{self, Phase, Postmaster};

/// How often the state of a starting or stopping server is looked at.
const POLL: Duration = Duration::from_millis(20);

/// After a crash Postgres replays its log before it takes connections.
const START_PATIENCE: Duration = Duration::from_mins(2);

/// The last checkpoint may have much to write.
const STOP_PATIENCE: Duration = Duration::from_secs(90);

/// The backends of a killed server end within moments; until then a new one refuses to start.
const ORPHANS_PATIENCE: Duration = Duration::from_secs(15);

/// What Postgres says while backends of a killed server are still there.
const ORPHANS: &str = "is still in use";

/// Standard input is the holders' lock file, opened for this script alone. Postgres must not inherit it: an open copy
/// would keep the lock. The traps come after the start, since ignored signals are inherited too. When Postgres ends
/// first, the waiting half is ended with the rest of the process group.
const WATCHER: &str = r#"
command -v flock >/dev/null || exec "$@" </dev/null
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ flock -x 3; kill -INT "$server"; } &
trap '' HUP INT
wait "$server"
status=$?
trap '' TERM
kill -TERM 0
exit "$status"
"#;

/// Starts Postgres and waits until it takes connections. The caller holds the gate and a hold, and has seen that no
/// server runs. The child is the watcher.
pub(super) async fn launch(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
) -> Result<(Child, Postmaster), PostgresError> {
    let run = layout.run();
    if run.exists() {
        // A killed server leaves a lock file with its process id beside the socket; see `disown_stale_file`. Nothing
        // is lost with this one.
        fs::remove_dir_all(&run).map_err(PostgresError::file("remove", &run))?;
    }
    account.private_folder(&run)?;
    let deadline = Instant::now() + ORPHANS_PATIENCE;
    loop {
        postmaster::disown_stale_file(layout)?;
        let mut child = spawn(layout, account, binaries, durability)?;
        match until_ready(layout, &mut child).await {
            Ok(postmaster) => return Ok((child, postmaster)),
            Err(PostgresError::Ended { output, .. }) if output.contains(ORPHANS) && Instant::now() < deadline => {
                tokio::time::sleep(POLL).await;
            }
            Err(error) => return Err(error),
        }
    }
}

fn spawn(
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
) -> Result<Child, PostgresError> {
    let path = layout.start_log();
    let start_log = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .map_err(PostgresError::file("open", &path))?;
    let mut command = account.command("/bin/sh");
    command
        .args(["-c", WATCHER, "rollcall-postgres"])
        .arg(binaries.postgres())
        .arg("-D")
        .arg(layout.data())
        .stdin(lock::open_for_watcher(layout)?)
        .stdout(Stdio::null())
        .stderr(start_log)
        // A Ctrl-C at the terminal is for us; we stop Postgres when we no longer need it.
        .process_group(0);
    for (name, value) in settings(layout, durability) {
        command.arg("-c").arg(format!("{name}={value}"));
    }
    Command::spawn(&mut command).map_err(PostgresError::program("/bin/sh"))
}

/// The server's settings: what an embedded server needs, and otherwise Postgres's defaults.
fn settings(layout: &Layout, durability: Durability) -> Vec<(&'static str, String)> {
    // The list of folders is separated by commas and quoted like an identifier.
    let socket_folder = format!("\"{}\"", layout.socket_folder().replace('"', "\"\""));
    let mut settings = vec![
        ("listen_addresses", String::new()),
        ("port", PORT.to_string()),
        ("unix_socket_directories", socket_folder),
        ("unix_socket_permissions", "0700".to_owned()),
        ("max_connections", "200".to_owned()),
        ("shared_buffers", "256MB".to_owned()),
        ("timezone", "UTC".to_owned()),
        // One file per weekday, overwritten a week later.
        ("logging_collector", "on".to_owned()),
        ("log_directory", "log".to_owned()),
        ("log_filename", "postgres-%a.log".to_owned()),
        ("log_rotation_age", "1d".to_owned()),
        ("log_rotation_size", "0".to_owned()),
        ("log_truncate_on_rotation", "on".to_owned()),
        ("log_timezone", "UTC".to_owned()),
        // The details and the statement of an error hold names, phones and mails; the first line does not.
        ("log_error_verbosity", "terse".to_owned()),
        ("log_min_error_statement", "panic".to_owned()),
    ];
    if durability == Durability::None {
        settings.extend(
            [
                ("fsync", "off"),
                ("synchronous_commit", "off"),
                ("full_page_writes", "off"),
                ("autovacuum", "off"),
                ("wal_level", "minimal"),
                ("max_wal_senders", "0"),
                ("max_wal_size", "1GB"),
            ]
            .map(|(name, value)| (name, value.to_owned())),
        );
    }
    settings
}

async fn until_ready(layout: &Layout, child: &mut Child) -> Result<Postmaster, PostgresError> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        if let Some(found) = postmaster::running(layout)?
            && found.phase == Phase::Ready
        {
            return Ok(found);
        }
        if child.try_wait().map_err(PostgresError::program("/bin/sh"))?.is_some() {
            return Err(PostgresError::Ended { output: last_lines(layout), log: layout.log() });
        }
        pause(deadline, "starting Postgres", START_PATIENCE, layout).await?;
    }
}

/// Finds the server of this folder if one runs: waits while it starts, and also until one that is stopping has gone.
pub(super) async fn find_running(layout: &Layout) -> Result<Option<Postmaster>, PostgresError> {
    let deadline = Instant::now() + START_PATIENCE;
    while let Some(found) = postmaster::running(layout)? {
        if found.phase == Phase::Ready {
            return Ok(Some(found));
        }
        let what = "waiting for a Postgres that is already starting or stopping in this folder";
        pause(deadline, what, START_PATIENCE, layout).await?;
    }
    Ok(None)
}

/// Asks the server to stop, and waits until it has.
pub(super) async fn stop(layout: &Layout) -> Result<(), PostgresError> {
    let deadline = Instant::now() + STOP_PATIENCE;
    if let Some(found) = postmaster::running(layout)? {
        postmaster::interrupt(found.pid)?;
    }
    while postmaster::running(layout)?.is_some() {
        pause(deadline, "stopping Postgres", STOP_PATIENCE, layout).await?;
    }
    Ok(())
}

async fn pause(
    deadline: Instant,
    what: &'static str,
    patience: Duration,
    layout: &Layout,
) -> Result<(), PostgresError> {
    if Instant::now() >= deadline {
        return Err(PostgresError::TooSlow { what, after: patience, log: layout.log() });
    }
    tokio::time::sleep(POLL).await;
    Ok(())
}

/// The last lines of what a failed start printed, and of the log it may have begun.
fn last_lines(layout: &Layout) -> String {
    let logs = fs::read_dir(layout.log())
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())));
    let newest = logs.max().map(|(_, path)| path);
    let mut lines = Vec::new();
    for path in [Some(layout.start_log()), newest].into_iter().flatten() {
        let text = tail(&path).unwrap_or_default();
        let skipped = text.lines().count().saturating_sub(4);
        lines.extend(text.lines().skip(skipped).map(ToOwned::to_owned));
    }
    lines.join(" / ")
}

fn tail(path: &Path) -> std::io::Result<String> {
    const ENOUGH: u64 = 4096;
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(ENOUGH)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
