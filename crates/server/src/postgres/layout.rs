//! Where the embedded Postgres keeps what, and how it is reached.
//!
//! ```text
//! <data folder>/postgres/            ours; others may pass through, not look
//!     gate.lock                      held while somebody starts, joins or stops
//!     holders.lock                   held, shared, by everyone who uses the server
//!     start.log                      what the last start printed
//!     data/                          Postgres's own folder, 0700, with its log in data/log
//!     data.new-<pid>/                an initdb that has not finished
//!     run/                           the socket, 0700
//! ```
//!
//! When we are root, `data` and `run` belong to the account that runs Postgres, and everything above them to root, so
//! that root never follows a name which that account could have changed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::PostgresError;

/// The port is part of the socket's file name; there is no TCP listener.
pub(super) const PORT: u16 = 5432;

/// The superuser that `initdb` creates and that we connect as.
pub(super) const SUPERUSER: &str = "postgres";

/// The longest path that fits into `sockaddr_un`, without the closing NUL.
const LONGEST_SOCKET_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The folders and files of one embedded Postgres. All paths are absolute and without symbolic links.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    root: PathBuf,
    socket_folder: String,
}

impl Layout {
    /// Makes the folders above Postgres's own, and checks that the socket's path can be used.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, PostgresError> {
        let root = data_dir.join("postgres");
        // The account that runs Postgres for root must pass through; nobody else has a reason to look inside.
        let mode = if rustix::process::geteuid().is_root() { 0o711 } else { 0o700 };
        for folder in [data_dir, &root] {
            create_folder(folder, mode)?;
        }
        let root = root.canonicalize().map_err(PostgresError::file("resolve", &root))?;
        Self::at(root)
    }

    /// The layout below an absolute folder, which need not exist.
    fn at(root: PathBuf) -> Result<Self, PostgresError> {
        let run = root.join("run");
        let Some(socket_folder) = run.to_str().map(ToOwned::to_owned) else {
            return Err(PostgresError::PathNotUtf8 { folder: root });
        };
        let socket = run.join(format!(".s.PGSQL.{PORT}"));
        let length = socket.as_os_str().as_bytes().len();
        if length > LONGEST_SOCKET_PATH {
            return Err(PostgresError::SocketPathTooLong { socket, length, limit: LONGEST_SOCKET_PATH });
        }
        Ok(Self { root, socket_folder })
    }

    /// The folder that holds all the others.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Postgres's own data folder.
    pub(super) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    /// Where `initdb` works until it has finished.
    pub(super) fn unfinished_data(&self) -> PathBuf {
        self.root.join(format!("{UNFINISHED}{}", std::process::id()))
    }

    /// Folders that an `initdb` left behind, which somebody killed.
    pub(super) fn leftovers(&self) -> impl Iterator<Item = PathBuf> + use<> {
        fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().as_bytes().starts_with(UNFINISHED.as_bytes()))
            .map(|entry| entry.path())
    }

    /// The folder with the socket.
    pub(super) fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The folder with the socket as text, as the server and the URL name it.
    pub(super) fn socket_folder(&self) -> &str {
        &self.socket_folder
    }

    /// The file that Postgres keeps while it runs.
    pub(super) fn postmaster_pid(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The folder with Postgres's log.
    pub(super) fn log(&self) -> PathBuf {
        self.data().join("log")
    }

    /// What the last start printed before the log took over.
    pub(super) fn start_log(&self) -> PathBuf {
        self.root.join("start.log")
    }

    /// The lock of starting, joining and stopping.
    pub(super) fn gate(&self) -> PathBuf {
        self.root.join("gate.lock")
    }

    /// The lock of using.
    pub(super) fn holders(&self) -> PathBuf {
        self.root.join("holders.lock")
    }

    /// The URL of one database, for sqlx and for `psql`.
    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgresql:///{}?host={}&port={PORT}&user={SUPERUSER}&sslmode=disable",
            percent_encoded(database),
            percent_encoded(&self.socket_folder),
        )
    }
}

/// Makes a folder and those above it. One that exists keeps its permissions: they are somebody's choice.
fn create_folder(folder: &Path, mode: u32) -> Result<(), PostgresError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
        // The umask may have taken the search bit away.
        .and_then(|()| fs::set_permissions(folder, fs::Permissions::from_mode(mode)))
        .map_err(PostgresError::file("create", folder))
}

const UNFINISHED: &str = "data.new-";

/// Percent-encodes everything that is not plainly safe in both the path and the query of a URL.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte));
            }
            _ => {
                // Writing to a String cannot fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_survives_odd_folder_names() {
        let layout = Layout::at(PathBuf::from("/srv/a b,c&d=é")).unwrap();
        let url = layout.url("roll call");
        assert_eq!(
            url,
            "postgresql:///roll%20call?host=/srv/a%20b%2Cc%26d%3D%C3%A9/run&port=5432&user=postgres&sslmode=disable"
        );
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        assert_eq!(options.get_socket().map(PathBuf::as_path), Some(Path::new("/srv/a b,c&d=é/run")));
        assert_eq!(options.get_database(), Some("roll call"));
        assert_eq!(options.get_username(), SUPERUSER);
    }

    #[test]
    fn the_longest_socket_path_is_accepted_and_one_byte_more_is_not() {
        let rest = "/run/.s.PGSQL.5432".len();
        let root = |length: usize| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        assert!(Layout::at(root(LONGEST_SOCKET_PATH - rest)).is_ok());
        let error = Layout::at(root(LONGEST_SOCKET_PATH - rest + 1)).unwrap_err();
        assert!(
            matches!(error, PostgresError::SocketPathTooLong { length, limit, .. } if length == limit + 1),
            "{error}"
        );
    }
}
