//! The file of the master keys: one key to a line, in base64, the newest last; or 32 raw bytes, which is one key.
//!
//! A key is only used once it is on the disk: what it sealed would be lost with it.

use super::key::{KEY_LEN, MasterKey};
use super::random;
use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};

/// What a new file begins with.
const HEADER: &str = "# The master keys of Rollcall, one to a line, each 32 bytes in base64. The last one seals and signs, all of\n\
                      # them open. Keep this file secret, and back it up apart from the database.\n";

/// By what a changed file is noticed: when it was written, how long it is, and which file it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stamp(i64, i64, u64, u64);

/// How the file looks; `None` when it cannot be seen.
pub(super) fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    Some(Stamp(metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino()))
}

/// The keys in the file, the newest first, and how it looked before it was read. `None` when there is no file.
pub(super) fn read(path: &Path) -> Result<Option<(Vec<MasterKey>, Stamp)>> {
    let name = path.display();
    let Some(stamp) = stamp(path) else {
        return match std::fs::metadata(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).with_context(|| format!("the master key file {name} cannot be read"))
            }
            _ => Ok(None),
        };
    };
    let bytes = std::fs::read(path).with_context(|| format!("the master key file {name} cannot be read"))?;
    let keys = parse(bytes).with_context(|| {
        format!("the master key file {name} cannot be used; put the right file back, since what is sealed cannot be read without it")
    })?;
    Ok(Some((keys, stamp)))
}

fn parse(bytes: Vec<u8>) -> Result<Vec<MasterKey>> {
    let length = bytes.len();
    if length == KEY_LEN {
        return Ok(MasterKey::of(bytes).into_iter().collect());
    }
    let Ok(text) = String::from_utf8(bytes) else {
        bail!("it has {length} bytes, which are neither {KEY_LEN} nor lines of text");
    };
    let mut keys = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let key = STANDARD.decode(line).ok().and_then(MasterKey::of);
        keys.push(key.with_context(|| format!("line {} is not {KEY_LEN} bytes in base64", number + 1))?);
    }
    if keys.is_empty() {
        bail!("there is no key in it");
    }
    keys.reverse();
    Ok(keys)
}

fn print(keys: &[MasterKey]) -> String {
    let lines = keys.iter().rev().map(|key| STANDARD.encode(key.bytes()) + "\n");
    HEADER.to_owned() + &lines.collect::<String>()
}

/// Makes the file with a first key, unless another process was faster.
pub(super) fn create(path: &Path) -> Result<()> {
    let key = MasterKey::of(random::<KEY_LEN>()?.to_vec()).context("there is no master key")?;
    // Several processes may start at once: each writes a file of its own, and the first one counts.
    let mine = path.with_extension(format!("new-{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        remove(&mine)?;
        write_private(&mine, &print(&[key]))?;
        let linked = std::fs::hard_link(&mine, path);
        remove(&mine)?;
        linked?;
        sync_folder(path)
    };
    match write() {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(error).with_context(|| format!("the master key file {} cannot be written", path.display()))
        }
        _ => Ok(()),
    }
}

/// Adds a new key to the file, which keeps its owner.
pub(super) fn add(path: &Path) -> Result<()> {
    let (mut keys, _) = read(path)?.with_context(|| format!("there is no master key file {}", path.display()))?;
    keys.insert(0, MasterKey::of(random::<KEY_LEN>()?.to_vec()).context("there is no master key")?);
    // Two at once would each forget the other's key; whoever comes second finds the file of the first.
    let next = path.with_extension("next");
    let write = || -> std::io::Result<()> {
        let owner = std::fs::metadata(path)?;
        write_private(&next, &print(&keys))?;
        let put = chown(&next, Some(owner.uid()), Some(owner.gid())).and_then(|()| std::fs::rename(&next, path));
        if put.is_err() {
            remove(&next)?;
        }
        put?;
        sync_folder(path)
    };
    write().map_err(|error| {
        let taken = error.kind() == ErrorKind::AlreadyExists;
        let error = anyhow::Error::new(error);
        if taken {
            error.context(format!("{} is there: another rotation is under way; if none is, remove it", next.display()))
        } else {
            error.context(format!("the master key file {} cannot be written", path.display()))
        }
    })
}

/// A file that its owner alone can read, on the disk.
fn write_private(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn ids(bytes: &[u8]) -> Result<Vec<String>> {
        Ok(parse(bytes.to_vec())?.iter().map(|key| key.id().to_string()).collect())
    }

    #[test]
    fn the_last_line_is_the_newest_key() {
        let (one, two) = (STANDARD.encode([1; 32]), STANDARD.encode([2; 32]));
        let (first, second) = (ids(&[1; 32]).expect("raw"), ids(&[2; 32]).expect("raw"));
        assert_ne!(first, second);
        let text = format!("# keys\n{one}\n\n  {two}  \n");
        assert_eq!(ids(text.as_bytes()).expect("read"), [second, first].concat());
        let again = print(&parse(text.into_bytes()).expect("read"));
        assert!(again.ends_with(&format!("{one}\n{two}\n")), "{again}");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_key_is_shown() {
        let short = format!("{}\nc2hvcnQ=\n", STANDARD.encode([1; 32]));
        for (bytes, expected) in [
            (&b""[..], "there is no key in it"),
            (b"# nothing\n", "there is no key in it"),
            (short.as_bytes(), "line 2 is not 32 bytes in base64"),
            (&[0xff; 33], "it has 33 bytes, which are neither 32 nor lines of text"),
        ] {
            let error = format!("{:#}", ids(bytes).expect_err(expected));
            assert!(error.contains(expected) && !error.contains("c2hvcnQ"), "{error}");
        }
    }

    #[test]
    fn the_file_is_made_once_and_private() {
        let folder = std::env::temp_dir().join(format!("rollcall-key-file-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("folder");
        let path = folder.join("master.key");
        let held = || -> Vec<String> {
            let (keys, _) = read(&path).expect("read").expect("there");
            keys.iter().map(|key| key.id().to_string()).collect()
        };
        assert!(read(&path).expect("read").is_none());
        create(&path).expect("made");
        let first = held();
        create(&path).expect("there already");
        assert_eq!(held(), first, "nobody's key is overwritten");
        add(&path).expect("added");
        assert_eq!(held().get(1), first.first());
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&folder).expect("folder").count(), 1, "nothing else is left");
        std::fs::write(folder.join("master.next"), "").expect("written");
        let error = add(&path).expect_err("two at once").to_string();
        assert!(error.contains("another rotation is under way"), "{error}");
        std::fs::write(&path, b"short").expect("written");
        assert!(read(&path).is_err(), "a damaged file is never replaced");
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
