//! The page of profiles says what the code says. `UPDATE=1` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use rollcall_scim::profile::{Profile, Switch};

use crate::tree;

const PAGE: &str = "docs/profiles.md";
/// What stands before the part that follows from the code.
const MARK: &str = "`UPDATE=1` writes it anew. -->\n";

/// The part of the page that follows from the code.
fn written() -> anyhow::Result<String> {
    let mut text = String::from("\n## Profiles\n\n| profile | |\n|---|---|\n");
    for profile in Profile::all() {
        writeln!(text, "| `{}` | {} |", profile.name, profile.about)?;
    }
    let names: Vec<String> = Profile::names().map(|name| format!("`{name}`")).collect();
    writeln!(text, "\n## Where each profile has each switch\n\n| switch | {} |", names.join(" | "))?;
    writeln!(text, "|---|{}", "---|".repeat(names.len()))?;
    for switch in Switch::all() {
        let positions: Vec<String> = Profile::all().map(|profile| switch.of(&profile).to_string()).collect();
        writeln!(text, "| `{}` | {} |", switch.name, positions.join(" | "))?;
    }
    text.push_str("\n## What each switch does, and why\n");
    for switch in Switch::all() {
        writeln!(text, "\n**`{}`** ({}). {}", switch.name, switch.kind, switch.does)?;
        writeln!(text, "{} For: {}.", switch.why, switch.client)?;
    }
    Ok(text)
}

#[test]
fn the_page_of_profiles_says_what_the_code_says() -> anyhow::Result<()> {
    let page = tree::read(Path::new(PAGE))?;
    let (before, after) = page.split_once(MARK).with_context(|| format!("{PAGE} does not have the mark"))?;
    let written = written()?;
    #[expect(clippy::disallowed_methods, reason = "a switch of the person who runs the test, not of the program")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(tree::root().join(PAGE), format!("{before}{MARK}{written}"))?;
        return Ok(());
    }
    assert!(after == written, "{PAGE} does not say what the code says: run this test with UPDATE=1");
    Ok(())
}
