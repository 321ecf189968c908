//! The data folder: made when it is missing, held by one process where only one may, and the files that say what runs.

use anyhow::{Context, Result, bail};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Makes the data folder, unless it is there.
pub(crate) fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("the data folder {} cannot be made", folder.display()))
}

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Readers {
    /// The user that runs this program: the file holds secrets.
    Owner,
    /// Whoever may enter the folder.
    Everybody,
}

/// Writes a file so that whoever sees it sees all of it, and nobody else sees any of it.
pub(crate) fn announce(path: &Path, content: &str, readers: Readers) -> Result<()> {
    let temporary = path.with_extension("new");
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    let write = || -> std::io::Result<()> {
        // What a killed process left behind may be open to others.
        remove_if_there(&temporary)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(content.as_bytes())?;
        std::fs::rename(&temporary, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

/// Removes a file that may not be there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    remove_if_there(path).with_context(|| format!("{} cannot be removed", path.display()))
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The statement "I am the one that runs the demo here". The kernel gives it back when the process ends, however it
/// ends; the file stays, and means nothing.
#[derive(Debug)]
pub(crate) struct Claim {
    _file: File,
}

impl Claim {
    /// Claims the folder for a demo, or says who has it.
    pub(crate) fn demo(folder: &Path) -> Result<Self> {
        let path = folder.join("demo.lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("{} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).ok();
                bail!(
                    "a demo is already running in {} (process {}): stop it first, or choose another folder with \
                     --data-dir",
                    folder.display(),
                    holder.trim()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", path.display()));
            }
        }
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("rollcall-{name}-{}", std::process::id()));
        make(&folder).expect("a folder");
        folder
    }

    #[test]
    fn what_holds_secrets_is_for_its_owner_alone() {
        let folder = scratch("announce");
        let path = folder.join("demo.json");
        for (readers, expected) in [(Readers::Everybody, 0o644), (Readers::Owner, 0o600)] {
            // Left behind by a process that was killed, open to everybody.
            std::fs::write(folder.join("demo.new"), "half").expect("written");
            announce(&path, "whole", readers).expect("announced");
            let mode = std::fs::metadata(&path).expect("there").permissions().mode() & 0o777;
            // The caller's umask may take more away.
            assert_eq!(mode & !expected, 0, "{readers:?}: {mode:o}");
            assert_eq!(std::fs::read_to_string(&path).expect("there"), "whole");
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn only_one_demo_has_the_folder() {
        let folder = scratch("claim");
        let claim = Claim::demo(&folder).expect("nobody has it");
        let refusal = Claim::demo(&folder).expect_err("somebody has it").to_string();
        assert!(refusal.contains(&format!("(process {})", std::process::id())), "{refusal}");
        assert!(refusal.contains(&folder.display().to_string()), "{refusal}");
        drop(claim);
        drop(Claim::demo(&folder).expect("it was given back"));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
