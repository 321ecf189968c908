//! Rules about single files: how long, where, with which lints.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::tree;

/// A file is about one thing; one that needs more lines is about two.
const MOST_LINES: usize = 500;

/// Files that may be longer, each with its reason.
const LONGER: &[(&str, &str)] = &[];

/// What the top folder holds beside dot-files.
const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "Dockerfile",
    "LICENSE",
    "README.md",
    "crates",
    "docker-compose.yml",
    "docs",
    "migrations",
    "openapi",
    "tests",
];

/// Names that say nothing: what is in such a file has a better one.
const EMPTY_NAMES: &[&str] = &["common", "helpers", "misc", "util", "utils"];

fn rust_files() -> anyhow::Result<Vec<PathBuf>> {
    let files = tree::files()?.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "rs"));
    Ok(files.collect())
}

#[test]
fn no_source_file_is_too_long() -> anyhow::Result<()> {
    let files = rust_files()?;
    assert!(files.len() > 20, "the sources are found");
    let mut wrong = Vec::new();
    for file in files {
        let lines = tree::read(&file)?.lines().count();
        let excused = LONGER.iter().any(|(name, _)| Path::new(name) == file);
        if (lines > MOST_LINES) != excused {
            wrong.push(format!("{}: {lines} lines, excused: {excused}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "at most {MOST_LINES} lines, and no excuse that is not needed: {wrong:#?}");
    Ok(())
}

#[test]
fn every_source_file_says_what_it_is_for() -> anyhow::Result<()> {
    let mut silent = Vec::new();
    for file in rust_files()? {
        let text = tree::read(&file)?;
        let first = text.lines().find(|line| !line.trim().is_empty());
        // A crate attribute may come first; nothing else may.
        if !first.is_some_and(|line| line.starts_with("//!") || line.starts_with("#![")) {
            silent.push(file);
        }
    }
    assert!(silent.is_empty(), "these files do not begin with `//!`: {silent:#?}");
    Ok(())
}

#[test]
fn no_module_has_a_name_that_says_nothing() -> anyhow::Result<()> {
    let named: Vec<_> = rust_files()?
        .into_iter()
        .filter(|file| {
            let parts = file.iter().map(|part| part.to_string_lossy());
            parts.into_iter().any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
        })
        .collect();
    assert!(named.is_empty(), "{named:#?}");
    Ok(())
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() -> anyhow::Result<()> {
    let manifests: Vec<_> = tree::files()?
        .into_iter()
        .filter(|file| file.ends_with("Cargo.toml") && file != Path::new("Cargo.toml"))
        .collect();
    assert!(manifests.len() > 5, "the manifests are found");
    let mut own = Vec::new();
    for manifest in manifests {
        let text = tree::read(&manifest)?;
        let lines: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        // A manifest with a workspace of its own, such as that of the fuzz targets, has nothing to inherit from.
        let stands_alone = lines.contains(&"[workspace]");
        if !stands_alone && !lines.windows(2).any(|pair| pair == ["[lints]", "workspace = true"]) {
            own.push(manifest);
        }
    }
    assert!(own.is_empty(), "these do not say `[lints] workspace = true`: {own:#?}");
    Ok(())
}

#[test]
fn the_top_folder_holds_what_it_should() -> anyhow::Result<()> {
    let files = tree::files()?;
    let top: BTreeSet<_> = files.iter().filter_map(|file| file.iter().next()?.to_str()).collect();
    assert!(top.contains("Cargo.toml"), "the top folder is listed");
    let strange: Vec<_> = top.iter().filter(|name| !name.starts_with('.') && !TOP.contains(name)).collect();
    assert!(strange.is_empty(), "{strange:?} does not belong into the top folder");
    Ok(())
}
