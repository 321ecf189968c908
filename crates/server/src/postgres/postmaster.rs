//! Reading `postmaster.pid`, the file by which a running Postgres is known, and telling a living server from what a
//! dead one left behind.

use std::fs::{self, File};
use std::io::{self, Write};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal};

use super::error::PostgresError;
use super::layout::Layout;

/// Ten digits that are no process on any system we know: Linux ends at 4,194,304, the BSDs far below.
const NO_PROCESS: i32 = i32::MAX;

/// What `postmaster.pid` says about the folder's server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Postmaster {
    /// The server's process.
    pub(super) pid: Pid,
    /// How far it is.
    pub(super) phase: Phase,
}

/// The eighth line of `postmaster.pid`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not take connections yet; also while it writes the file.
    Starting,
    /// It takes connections.
    Ready,
    /// It is going away.
    Stopping,
}

/// The server of this folder, if one runs.
pub(super) fn running(layout: &Layout) -> Result<Option<Postmaster>, PostgresError> {
    Ok(recorded(layout)?.filter(|postmaster| is_ours(layout, postmaster.pid)))
}

/// Makes sure that what a killed server left behind does not keep the next one from starting.
///
/// Postgres itself deals with a stale file unless its process id belongs to some other process of the same user by
/// now. After a kill in a container that is usual, since the ids begin at 1 again. The id is then replaced by one that
/// does not exist, and the rest of the file kept: it names the shared memory by which Postgres makes sure that no
/// process of the dead server is still writing.
///
/// The caller holds the gate and has seen that no server runs.
pub(super) fn disown_stale_file(layout: &Layout) -> Result<(), PostgresError> {
    let path = layout.postmaster_pid();
    if recorded(layout)?.is_none() {
        return Ok(());
    }
    let content = fs::read_to_string(&path).map_err(PostgresError::file("read", &path))?;
    let rest = content.split_once('\n').map_or("", |(_, rest)| rest);
    // Root must not follow a link that the unprivileged account may have put there.
    let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::open(&path, flags, Mode::empty())
        .map_err(io::Error::from)
        .and_then(|file| File::from(file).write_all(format!("{NO_PROCESS}\n{rest}").as_bytes()))
        .map_err(PostgresError::file("rewrite", &path))
}

/// Asks the server for a fast stop: sessions end, a checkpoint is written.
pub(super) fn interrupt(pid: Pid) -> Result<(), PostgresError> {
    match rustix::process::kill_process(pid, Signal::INT) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(PostgresError::program("postgres")(error.into())),
    }
}

fn recorded(layout: &Layout) -> Result<Option<Postmaster>, PostgresError> {
    let path = layout.postmaster_pid();
    match fs::read_to_string(&path) {
        Ok(content) => Ok(parse(&content)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PostgresError::file("read", path)(error)),
    }
}

fn parse(content: &str) -> Option<Postmaster> {
    let mut lines = content.lines();
    // The single-user server that `initdb` runs writes its id as a negative number.
    let pid: i32 = lines.next()?.trim().parse().ok()?;
    if pid <= 0 || pid == NO_PROCESS {
        return None;
    }
    let phase = match lines.nth(6).map(str::trim) {
        Some("ready" | "standby") => Phase::Ready,
        Some("stopping") => Phase::Stopping,
        _ => Phase::Starting,
    };
    Some(Postmaster { pid: Pid::from_raw(pid)?, phase })
}

/// Whether this process is a Postgres on this folder. Its command line names the folder; a process that has ended but
/// was not collected yet has none.
fn is_ours(layout: &Layout, pid: Pid) -> bool {
    // Only `Ok` and "not permitted" mean that the process exists.
    if rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
        return false;
    }
    match fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())) {
        Ok(arguments) => {
            arguments.split(|byte| *byte == 0).any(|argument| argument == layout.data().as_os_str().as_encoded_bytes())
        }
        // No /proc here, or a hidden one: the process exists, so the safe answer is that it is the server. A process
        // that went away in between is seen at the next look.
        Err(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_every_phase_is_understood() {
        let file =
            |pid: &str, status: &str| format!("{pid}\n/data\n1700000000\n5432\n/run\n\n  5432001    98309\n{status}\n");
        for (content, expected) in [
            (file("4711", "ready   "), Some((4711, Phase::Ready))),
            (file("4711", "starting"), Some((4711, Phase::Starting))),
            (file("4711", "stopping"), Some((4711, Phase::Stopping))),
            (file("4711", "standby "), Some((4711, Phase::Ready))),
            // Not written to its end yet.
            ("4711\n/data\n".to_owned(), Some((4711, Phase::Starting))),
            // Disowned by us, single-user, empty, not a number.
            (file("2147483647", "ready   "), None),
            (file("-4711", ""), None),
            (String::new(), None),
            (file("x", "ready   "), None),
        ] {
            let seen = parse(&content).map(|found| (found.pid.as_raw_nonzero().get(), found.phase));
            assert_eq!(seen, expected, "{content:?}");
        }
    }
}
