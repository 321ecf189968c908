//! What can go wrong with the embedded Postgres, worded for the person who started the program.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why the embedded Postgres could not be started, joined or stopped.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No usable `initdb` and `postgres` on this machine.
    #[error(
        "no PostgreSQL {oldest} or newer was found on this machine{found}: install it with `{install}`, \
         or set DATABASE_URL to a server that is already running"
    )]
    Missing {
        /// The oldest major version that is supported.
        oldest: u32,
        /// Empty, or what was found instead, starting with a space.
        found: String,
        /// The command that installs Postgres on this operating system.
        install: &'static str,
    },

    /// The folder named by `ROLLCALL_PG_BIN` does not hold both programs.
    #[error(
        "ROLLCALL_PG_BIN names {}, which does not hold both `initdb` and `postgres` of PostgreSQL {oldest} or newer",
        folder.display()
    )]
    NotThere {
        /// The folder that was named.
        folder: PathBuf,
        /// The oldest major version that is supported.
        oldest: u32,
    },

    /// The data folder was made by a major version whose programs are not installed.
    #[error(
        "{} was made by PostgreSQL {made_by}, but only {found} is installed: install PostgreSQL {made_by}, \
         or dump the data with it and load the dump into a new folder",
        folder.display()
    )]
    OtherMajor {
        /// Postgres's own data folder.
        folder: PathBuf,
        /// The major version that made the folder.
        made_by: u32,
        /// The majors found, as a list for people.
        found: String,
    },

    /// The path of the Unix socket does not fit into a socket address.
    #[error(
        "the path of Postgres's socket, {}, has {length} bytes, and the operating system allows {limit}: \
         choose a data folder with a shorter path",
        socket.display()
    )]
    SocketPathTooLong {
        /// The socket's path.
        socket: PathBuf,
        /// Its length in bytes.
        length: usize,
        /// The longest path a socket may have, in bytes.
        limit: usize,
    },

    /// The path of the data folder cannot be written into a connection URL.
    #[error("the path of the data folder, {}, is not UTF-8: choose another folder", folder.display())]
    PathNotUtf8 {
        /// The data folder.
        folder: PathBuf,
    },

    /// The account that runs Postgres may not enter the data folder.
    #[error(
        "Postgres refuses to run as root and runs as `{account}` instead, which may not enter {}: choose a data \
         folder that it can reach, such as /var/lib/rollcall, or allow it with `chmod o+x {}`",
        closed.display(),
        closed.display()
    )]
    Unreachable {
        /// The account's name.
        account: String,
        /// The uppermost folder that is closed to the account.
        closed: PathBuf,
    },

    /// Postgres's data folder belongs to somebody who cannot run Postgres here.
    #[error(
        "{} belongs to user id {owner}, which cannot run Postgres here: give the folder and everything in it to \
         `{account}` with `chown -R {account} {}`",
        folder.display(),
        folder.display()
    )]
    WrongOwner {
        /// Postgres's own data folder.
        folder: PathBuf,
        /// The user id that owns the folder.
        owner: u32,
        /// The account that would run Postgres.
        account: String,
    },

    /// We are root, and neither `postgres` nor `nobody` exists.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a `postgres` nor a `nobody` account to run it as"
    )]
    NoAccount,

    /// `initdb` ended with an error.
    #[error("`initdb` could not make the data folder {}: {output}", folder.display())]
    Initdb {
        /// The folder that was to be made.
        folder: PathBuf,
        /// The last lines that `initdb` printed.
        output: String,
    },

    /// `postgres` ended before it took connections.
    #[error("Postgres ended while starting: {output}; its log is in {}", log.display())]
    Ended {
        /// The last lines that it printed.
        output: String,
        /// The folder with its log.
        log: PathBuf,
    },

    /// Something did not happen in time.
    #[error("{what} took longer than {} seconds; the log is in {}", after.as_secs(), log.display())]
    TooSlow {
        /// What was waited for.
        what: &'static str,
        /// How long it was waited for.
        after: Duration,
        /// The folder with Postgres's log.
        log: PathBuf,
    },

    /// A file or folder could not be made, read or changed.
    #[error("could not {what} {}", path.display())]
    File {
        /// The verb: what was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },

    /// A program could not be run, or a process not signalled.
    #[error("could not run or signal {program}")]
    Program {
        /// The program.
        program: String,
        /// The operating system's answer.
        #[source]
        source: io::Error,
    },

    /// Postgres runs but did not take a connection or a statement of ours.
    #[error("the embedded Postgres did not accept a statement")]
    Statement(#[source] sqlx::Error),
}

impl PostgresError {
    /// For `map_err`: a failed operation on a file or folder. `what` is the verb.
    pub(super) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }

    /// For `map_err`: a program that could not be run or signalled.
    pub(super) fn program(program: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let program = program.into();
        move |source| Self::Program { program, source }
    }
}
