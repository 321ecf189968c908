//! Finding `initdb` and `postgres` on this machine.
//!
//! Package managers put them into versioned folders outside `PATH`, and what `PATH` holds may be a link or a wrapper.
//! So every place is resolved to the real folder, asked for its version, and the newest major wins; with equal majors
//! the usual folders come before `PATH`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::PostgresError;

/// The oldest major version that our SQL needs.
pub(super) const OLDEST: u32 = 15;

/// Where packages install the programs. A `*` stands for any rest of one folder's name.
const USUAL_FOLDERS: [&str; 16] = [
    // Debian, Ubuntu
    "/usr/lib/postgresql/*/bin",
    // Red Hat and its kin: the project's own packages, then the distribution's
    "/usr/pgsql-*/bin",
    // Alpine
    "/usr/libexec/postgresql*",
    // SUSE, Gentoo
    "/usr/lib/postgresql*/bin",
    "/usr/lib64/postgresql*/bin",
    // Homebrew on both kinds of Mac and on Linux, MacPorts, Postgres.app
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    // FreeBSD, Fedora, Arch, NixOS, from source
    "/usr/local/bin",
    "/usr/bin",
    "/run/current-system/sw/bin",
    "/usr/local/pgsql/bin",
    "/opt/postgresql*/bin",
    "/opt/pgsql*/bin",
];

/// Where to look. The caller reads the environment; this module does not.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The folder named by `ROLLCALL_PG_BIN`. If it is set, no other place is looked at.
    pub bin_dir: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: Option<OsString>,
}

/// One installed Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
}

impl Binaries {
    pub(super) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    pub(super) fn major(&self) -> u32 {
        self.major
    }
}

/// The programs to use: those of the major that made the existing folder, else the newest.
pub(super) fn find(search: &Search, existing: Option<(u32, &Path)>) -> Result<Binaries, PostgresError> {
    let installed = match &search.bin_dir {
        Some(folder) => {
            vec![inspect(folder).ok_or_else(|| PostgresError::NotThere { folder: folder.clone(), oldest: OLDEST })?]
        }
        None => installed(search),
    };
    choose(&installed, existing).ok_or_else(|| explain(search, &installed, existing))
}

fn choose(installed: &[Binaries], existing: Option<(u32, &Path)>) -> Option<Binaries> {
    let mut best: Option<&Binaries> = None;
    for candidate in installed.iter().filter(|found| found.major >= OLDEST) {
        let fits = existing.is_none_or(|(major, _)| candidate.major == major);
        // Only a greater major replaces an earlier place, so the order of the places decides between equals.
        if fits && best.is_none_or(|best| candidate.major > best.major) {
            best = Some(candidate);
        }
    }
    best.cloned()
}

fn explain(search: &Search, installed: &[Binaries], existing: Option<(u32, &Path)>) -> PostgresError {
    let mut majors: Vec<u32> = installed.iter().map(Binaries::major).collect();
    majors.sort_unstable();
    majors.dedup();
    let found = majors.iter().map(|major| format!("PostgreSQL {major}")).collect::<Vec<_>>().join(", ");
    let usable = majors.last().is_some_and(|major| *major >= OLDEST);
    match (existing, &search.bin_dir) {
        (Some((made_by, folder)), _) if usable => {
            PostgresError::OtherMajor { folder: folder.to_owned(), made_by, found }
        }
        (_, Some(folder)) => PostgresError::NotThere { folder: folder.clone(), oldest: OLDEST },
        _ => PostgresError::Missing {
            oldest: OLDEST,
            found: if found.is_empty() { found } else { format!(" (only {found})") },
            install: install_command(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
        },
    }
}

/// Every installed Postgres, usual folders first, each real folder once.
fn installed(search: &Search) -> Vec<Binaries> {
    let usual = USUAL_FOLDERS.iter().flat_map(|pattern| expand(pattern));
    let path = search.path.iter().flat_map(std::env::split_paths);
    let mut found: Vec<Binaries> = Vec::new();
    for binaries in usual.chain(path).filter_map(|folder| inspect(&folder)) {
        if found.iter().all(|known| known.folder != binaries.folder) {
            found.push(binaries);
        }
    }
    found
}

/// The folders that a pattern with at most one `*` stands for.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let Some((before, after)) = pattern.split_once('*') else {
        return vec![PathBuf::from(pattern)];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let mut folders: Vec<PathBuf> = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| {
            let mut folder = entry.path().into_os_string();
            folder.push(after);
            PathBuf::from(folder)
        })
        .collect();
    folders.sort();
    folders
}

/// The Postgres in one folder, if both programs are there and `postgres` tells its version.
fn inspect(folder: &Path) -> Option<Binaries> {
    let real = folder.join("postgres").canonicalize().ok()?;
    let folder =
        real.parent().filter(|real| real.join("postgres").is_file() && real.join("initdb").is_file()).unwrap_or(folder);
    if !folder.join("initdb").is_file() {
        return None;
    }
    let output = Command::new(folder.join("postgres"))
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let major = parse_major(std::str::from_utf8(&output.stdout).ok()?)?;
    Some(Binaries { folder: folder.to_owned(), major })
}

/// The major of a line such as `postgres (PostgreSQL) 17.2 (Debian 17.2-1)` or `postgres (PostgreSQL) 18beta1`.
fn parse_major(line: &str) -> Option<u32> {
    let version = line.split_once("(PostgreSQL)")?.1.trim_start();
    let digits = version.find(|symbol: char| !symbol.is_ascii_digit()).map_or(version, |end| version.split_at(end).0);
    digits.parse().ok()
}

/// The command that installs Postgres, from the content of `/etc/os-release`.
fn install_command(os_release: &str) -> &'static str {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@17";
    }
    let value = |key: &str| {
        os_release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_default()
            .trim_matches('"')
    };
    for system in std::iter::once(value("ID")).chain(value("ID_LIKE").split_whitespace()) {
        match system {
            "debian" | "ubuntu" => return "apt-get install postgresql",
            "fedora" | "rhel" | "centos" => return "dnf install postgresql-server",
            "alpine" => return "apk add postgresql",
            "arch" => return "pacman -S postgresql",
            "suse" | "opensuse" => return "zypper install postgresql-server",
            _ => {}
        }
    }
    "apt-get install postgresql"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_is_read_from_every_kind_of_version_line() {
        for (line, major) in [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)", Some(15)),
            ("postgres (PostgreSQL) 17.2\n", Some(17)),
            ("postgres (PostgreSQL) 18beta1", Some(18)),
            ("postgres (PostgreSQL) 19devel", Some(19)),
            ("postgres (PostgreSQL) 9.6.24", Some(9)),
            ("postgres 17.2", None),
            ("", None),
        ] {
            assert_eq!(parse_major(line), major, "{line}");
        }
    }

    #[test]
    fn the_newest_wins_unless_a_folder_was_made_by_another() {
        let installed: Vec<Binaries> = [("/usual/15", 15), ("/usual/17", 17), ("/path", 17), ("/old", 14)]
            .map(|(folder, major)| Binaries { folder: folder.into(), major })
            .to_vec();
        let data = Path::new("/data");
        for (existing, folder) in [
            (None, Some("/usual/17")),
            (Some(15), Some("/usual/15")),
            (Some(16), None),
            // Too old to be run at all, although it is there.
            (Some(14), None),
        ] {
            let chosen = choose(&installed, existing.map(|major| (major, data)));
            assert_eq!(chosen.map(|binaries| binaries.folder), folder.map(PathBuf::from), "{existing:?}");
        }
    }

    #[test]
    fn the_install_command_fits_the_system() {
        for (os_release, start) in [
            ("NAME=x\nID=debian\n", "apt-get"),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"", "apt-get"),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"", "dnf"),
            ("ID=alpine", "apk"),
            ("ID=manjaro\nID_LIKE=arch", "pacman"),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"", "zypper"),
            ("", "apt-get"),
        ] {
            assert!(install_command(os_release).starts_with(start) || cfg!(target_os = "macos"), "{os_release}");
        }
    }

    #[test]
    fn a_machine_with_only_an_old_major_says_so() {
        let old = [Binaries { folder: "/old".into(), major: 13 }];
        let text = explain(&Search::default(), &old, None).to_string();
        assert!(text.contains("(only PostgreSQL 13)"), "{text}");
        assert!(text.contains("DATABASE_URL"), "{text}");
    }

    #[test]
    fn a_folder_of_another_major_names_both() {
        let newer = [Binaries { folder: "/new".into(), major: 18 }];
        let text = explain(&Search::default(), &newer, Some((16, Path::new("/data")))).to_string();
        assert!(text.contains("made by PostgreSQL 16"), "{text}");
        assert!(text.contains("only PostgreSQL 18"), "{text}");
    }
}
