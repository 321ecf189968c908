//! Making Postgres's data folder, once.
//!
//! `initdb` works in a side folder that takes the final name only when everything is on disk, so a kill in the middle
//! leaves a leftover that the next start removes, and never half a cluster. An `initdb` whose starter was killed works
//! on to its end; it holds the gate by its standard input, so that nobody removes the folder under its hands.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use super::Durability;
use super::account::Account;
use super::error::PostgresError;
use super::find::Binaries;
use super::layout::{Layout, SUPERUSER};
use super::lock::Gate;

/// The locales to try, best first. The order of both is the order of code points, on every machine the same;
/// `C.UTF-8` also knows upper and lower case beyond ASCII, but not every system has it.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// The major version that made the existing data folder; `None` if there is no folder yet.
pub(super) fn major(layout: &Layout) -> Result<Option<u32>, PostgresError> {
    let path = layout.data().join("PG_VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().map(Some).map_err(|_| {
            let text = std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                format!("it holds {:?}, not a major version", text.trim()),
            );
            PostgresError::file("understand", path)(text)
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PostgresError::file("read", path)(error)),
    }
}

/// Makes the data folder. The caller knows that there is none.
pub(super) async fn create(
    gate: &Gate,
    layout: &Layout,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
) -> Result<(), PostgresError> {
    for leftover in layout.leftovers() {
        fs::remove_dir_all(&leftover).map_err(PostgresError::file("remove", &leftover))?;
    }
    let folder = layout.unfinished_data();
    let mut output = String::new();
    for locale in LOCALES {
        account.private_folder(&folder)?;
        match run(gate, initdb(&folder, account, binaries, durability, locale)).await? {
            Ok(()) => {
                fs::rename(&folder, layout.data()).map_err(PostgresError::file("rename", &folder))?;
                return File::open(layout.root())
                    .and_then(|parent| parent.sync_all())
                    .map_err(PostgresError::file("write", layout.root()));
            }
            Err(printed) => output = printed,
        }
        fs::remove_dir_all(&folder).map_err(PostgresError::file("remove", &folder))?;
    }
    Err(PostgresError::Initdb { folder, output })
}

/// The command that fills an empty folder.
fn initdb(
    folder: &Path,
    account: &Account,
    binaries: &Binaries,
    durability: Durability,
    locale: &str,
) -> std::process::Command {
    let mut command = account.command(binaries.initdb());
    command
        .arg("--pgdata")
        .arg(folder)
        .args(["--username", SUPERUSER, "--encoding", "UTF8", "--auth", "trust"])
        .args(["--locale", locale, "--no-instructions"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    match durability {
        Durability::Full => command.arg("--data-checksums"),
        // Small write-ahead log files make the folder quick to copy.
        Durability::None => command.args(["--no-sync", "--wal-segsize", "1"]),
    };
    command
}

/// Runs `initdb`; the inner error is what it printed.
async fn run(gate: &Gate, mut initdb: std::process::Command) -> Result<Result<(), String>, PostgresError> {
    let program = initdb.get_program().display().to_string();
    initdb.stdin(gate.share().map_err(PostgresError::program(program.clone()))?);
    let output = tokio::process::Command::from(initdb).output().await.map_err(PostgresError::program(program))?;
    Ok(if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) })
}
