//! `crates/README.md` is the map of the code: every path that it names must exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::tree;

const MAP: &str = "crates/README.md";

/// Endings by which a word without a slash is known to be a file.
const ENDINGS: &[&str] = &["rs", "md", "sql", "toml", "json", "yml", "yaml", "html", "css", "js", "sh"];

/// The paths that a Markdown text names: in code spans and in links.
fn named_paths(text: &str) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        // Between the first and the second backtick, between the third and the fourth, and so on.
        let spans = line.split('`').skip(1).step_by(2);
        let links = line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        paths.extend(spans.filter(|span| looks_like_a_path(span)).map(ToOwned::to_owned));
        paths.extend(
            links
                .filter_map(|link| link.split('#').next())
                .filter(|link| !link.is_empty() && !link.contains(':'))
                .map(ToOwned::to_owned),
        );
    }
    paths
}

/// Routes begin with a slash, media types have no ending, patterns have a star or braces.
fn looks_like_a_path(word: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-/".contains(letter);
    if word.starts_with('/') || !word.chars().all(plain) {
        return false;
    }
    let ending = Path::new(word).extension().and_then(|ending| ending.to_str());
    let first = word.split('/').next().unwrap_or_default();
    word.ends_with('/')
        || ending.is_some_and(|ending| ENDINGS.contains(&ending))
        || word.contains('/') && ["crates", "docs", "migrations", "openapi", "tests"].contains(&first)
}

/// A path is read from the top folder, from `crates/`, or below one crate; a bare file name may be anywhere.
fn exists(path: &str, files: &[PathBuf]) -> bool {
    let root = tree::root();
    let starts = [root.clone(), root.join("crates")];
    if starts.iter().any(|start| start.join(path).exists()) {
        return true;
    }
    let path = Path::new(path.trim_end_matches('/'));
    // `patch/apply.rs` is said of a crate whose section names it; it must be a whole tail of some path.
    files.iter().any(|file| file.ancestors().any(|part| part.ends_with(path) && !path.as_os_str().is_empty()))
}

#[test]
fn every_path_that_the_map_names_exists() -> anyhow::Result<()> {
    let map = Path::new(MAP);
    assert!(tree::root().join(map).is_file(), "{MAP} is missing: it is the map of the code, write it");
    let files = tree::files()?;
    let named = named_paths(&tree::read(map)?);
    assert!(!named.is_empty(), "{MAP} names no path at all");
    let gone: Vec<_> = named.iter().filter(|path| !exists(path, &files)).collect();
    assert!(gone.is_empty(), "{MAP} names what does not exist: {gone:#?}");
    Ok(())
}

#[test]
fn paths_are_told_from_other_words() {
    let text = "See `scim/src/patch.rs`, `migrations/`, [the map](README.md#top) and `Cargo.toml`.\n\
                Not `/scim/v2/Users`, `application/scim+json`, `*.rs`, `a::b`, `and/or`, [out](https://x.example/y.md).\n\
                ```\nnot/this.rs `nor/that.rs`\n```\n";
    let expected = ["Cargo.toml", "README.md", "migrations/", "scim/src/patch.rs"];
    assert_eq!(named_paths(text), expected.map(ToOwned::to_owned).into());
}

#[test]
fn a_path_that_is_gone_is_seen() {
    let files = [PathBuf::from("crates/scim/src/patch/apply.rs")];
    for (path, expected) in [
        ("Cargo.toml", true),
        ("crates/server/src/lib.rs", true),
        ("server/src/lib.rs", true),
        ("patch/apply.rs", true),
        ("patch/", true),
        ("apply.rs", true),
        ("pply.rs", false),
        ("patch/gone.rs", false),
        ("crates/gone/", false),
    ] {
        assert_eq!(exists(path, &files), expected, "{path}");
    }
}
