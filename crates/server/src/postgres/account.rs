//! The operating system account that Postgres runs as.
//!
//! Postgres refuses to run as root. Root therefore hands it to the account `postgres`, which every package of Postgres
//! creates, and else to `nobody`; an ordinary user runs it as itself.
//!
//! **Who can reach the data.** The server trusts every connection on its socket, and the socket lies in a folder of
//! mode 0700 that belongs to the account. So the border is the account itself: its processes and root. That is no
//! weaker than a password would be, since the same account can read the data files; it is the reason why `postgres` is
//! preferred to `nobody`, which unrelated programs may share.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::PostgresError;
use super::layout::Layout;

/// The accounts that root may run Postgres as, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// Where `sh`, `flock` and `id` are on every system that we know.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

/// Who runs Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// The user that runs this program; not root.
    Own {
        /// Its user id.
        uid: u32,
    },
    /// Another one, because we are root.
    Other {
        /// The account's name, or its user id where it has none.
        name: String,
        /// Its user id.
        uid: u32,
        /// Its group id.
        gid: u32,
    },
}

impl Account {
    /// The account for this folder: the owner of an existing data folder wins.
    pub(super) fn choose(layout: &Layout) -> Result<Self, PostgresError> {
        let own = rustix::process::geteuid();
        let account = if own.is_root() { Self::unprivileged(layout)? } else { Self::Own { uid: own.as_raw() } };
        if let Ok(metadata) = fs::metadata(layout.data())
            && metadata.uid() != account.uid()
        {
            return Err(PostgresError::WrongOwner {
                folder: layout.data(),
                owner: metadata.uid(),
                account: account.name(),
            });
        }
        Ok(account)
    }

    fn unprivileged(layout: &Layout) -> Result<Self, PostgresError> {
        if let Ok(metadata) = fs::metadata(layout.data())
            && metadata.uid() != 0
        {
            let (uid, gid) = (metadata.uid(), metadata.gid());
            let name = CANDIDATES
                .into_iter()
                .find(|name| lookup("-u", name) == Some(uid))
                .map_or_else(|| uid.to_string(), ToOwned::to_owned);
            return Ok(Self::Other { name, uid, gid });
        }
        CANDIDATES
            .into_iter()
            .find_map(|name| {
                let uid = lookup("-u", name).filter(|uid| *uid != 0)?;
                let gid = lookup("-g", name)?;
                Some(Self::Other { name: name.to_owned(), uid, gid })
            })
            .ok_or(PostgresError::NoAccount)
    }

    fn uid(&self) -> u32 {
        match self {
            Self::Own { uid } | Self::Other { uid, .. } => *uid,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Own { uid } => uid.to_string(),
            Self::Other { name, .. } => name.clone(),
        }
    }

    /// A command that will run as this account, in `/`, with next to no environment: ours may hold secrets, and other
    /// processes of the account could read them.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", SYSTEM_PATH).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        if let Self::Other { uid, gid, .. } = self {
            // The standard library also drops root's supplementary groups here.
            command.uid(*uid).gid(*gid);
        }
        command
    }

    /// Makes a folder that only this account may enter, or makes it so.
    pub(super) fn private_folder(&self, path: &Path) -> Result<(), PostgresError> {
        if !path.is_dir() {
            fs::DirBuilder::new().mode(0o700).create(path).map_err(PostgresError::file("create", path))?;
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))
            .map_err(PostgresError::file("set the permissions of", path))?;
        if let Self::Other { uid, gid, .. } = self {
            std::os::unix::fs::chown(path, Some(*uid), Some(*gid))
                .map_err(PostgresError::file("change the owner of", path))?;
        }
        Ok(())
    }

    /// Checks that the account may pass through every folder down to `folder`, and names the first that it may not.
    pub(super) fn check_reach(&self, folder: &Path) -> Result<(), PostgresError> {
        if matches!(self, Self::Own { .. }) || self.enters(folder)? {
            return Ok(());
        }
        let mut ancestors: Vec<PathBuf> = folder.ancestors().map(Path::to_owned).collect();
        ancestors.reverse();
        for ancestor in ancestors {
            if !self.enters(&ancestor)? {
                return Err(PostgresError::Unreachable { account: self.name(), closed: ancestor });
            }
        }
        Ok(())
    }

    /// Asks the operating system itself, since permission bits are not all there is.
    fn enters(&self, folder: &Path) -> Result<bool, PostgresError> {
        let status = self
            .command("/bin/sh")
            .args(["-c", "cd \"$1\"", "sh"])
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(PostgresError::program("/bin/sh"))?;
        Ok(status.success())
    }
}

/// Asks `id`, which knows every account source of the system, not only `/etc/passwd`.
fn lookup(what: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([what, name]).env("PATH", SYSTEM_PATH).stdin(Stdio::null()).output().ok()?;
    std::str::from_utf8(&output.stdout).ok()?.trim().parse().ok().filter(|_| output.status.success())
}
