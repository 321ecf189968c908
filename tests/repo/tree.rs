//! The repository as files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use anyhow::Context;

/// The top folder.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// Every file that belongs to the repository, relative to the top folder, sorted: what Git tracks or would add; where
/// there is no Git, everything that is not built.
pub(crate) fn files() -> anyhow::Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let mut files: Vec<PathBuf> = match listed {
        Ok(output) if output.status.success() => {
            String::from_utf8(output.stdout)?.split_terminator('\0').map(PathBuf::from).collect()
        }
        _ => {
            let mut found = Vec::new();
            walk(&root(), &mut found).context("walking through the repository")?;
            found
        }
    };
    // A file that was removed but not committed is still listed.
    files.retain(|file| root().join(file).is_file());
    files.sort();
    Ok(files)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
            walk(&path, found)?;
        } else if let Ok(relative) = path.strip_prefix(root())
            && path.is_file()
        {
            found.push(relative.to_owned());
        }
    }
    Ok(())
}

/// The text of a file of the repository.
pub(crate) fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(root().join(file)).with_context(|| format!("reading {}", file.display()))
}
