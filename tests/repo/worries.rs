//! `docs/worries.md` says which tests show that something does not happen: each of them must exist.

use std::path::Path;

use crate::tree;

const WORRIES: &str = "docs/worries.md";

#[test]
fn every_test_that_the_worries_name_exists() -> anyhow::Result<()> {
    let text = tree::read(Path::new(WORRIES))?;
    let lines = || text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| worry"));
    assert!(lines().count() > 20, "{WORRIES} has hardly any lines");
    for line in lines() {
        let named: Vec<(&str, &str)> =
            line.split('`').skip(1).step_by(2).filter_map(|span| span.split_once(".rs: ")).collect();
        assert!(!named.is_empty(), "{WORRIES}: no test is named in: {line}");
        for (file, name) in named {
            let path = format!("{file}.rs");
            let source = tree::read(Path::new(&path))?;
            let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
            let at = lines.iter().position(|line| line.contains(&format!("fn {name}(")));
            let mut attributes = lines.iter().take(at.unwrap_or(0)).rev().take_while(|line| line.starts_with("#["));
            assert!(attributes.any(|line| line.contains("test")), "{path} has no test {name}");
        }
    }
    Ok(())
}
