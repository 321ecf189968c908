//! Mapping documents as files, with the place in the file of everything that is wrong.

use anyhow::{Context, Result, bail};
use rollcall_api::refusal::PartProblem;
use rollcall_api::services::mapping::written::{self, Written};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A document as somebody wrote it.
#[derive(Debug)]
pub(super) struct DocumentFile {
    path: PathBuf,
    written: Written,
}

impl DocumentFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or is neither TOML nor JSON; says in which line and column.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let text = fs::read_to_string(path).with_context(|| format!("{shown} cannot be read"))?;
        let is = |ending: &str| path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let written = match () {
            () if is("json") => Written::json(&text),
            () if is("toml") => Written::toml(&text),
            () => bail!("{shown} ends neither in .toml nor in .json"),
        };
        let written = written.map_err(|error| match error.place {
            Some((line, column)) => anyhow::anyhow!("{shown}:{line}:{column}: {error}"),
            None => anyhow::anyhow!("{shown} cannot be used: {error}"),
        })?;
        Ok(Self { path: path.to_owned(), written })
    }

    /// What it says.
    pub(super) fn document(&self) -> &Value {
        &self.written.document
    }

    /// Where something is wrong: `mapping.toml:12:9`, or the file alone.
    pub(super) fn place(&self, error: &PartProblem) -> String {
        let shown = self.path.display();
        match self.written.place(&error.pointer) {
            Some((line, column)) => format!("{shown}:{line}:{column}"),
            None => shown.to_string(),
        }
    }
}

/// A document as TOML.
///
/// # Errors
/// It holds `null`, which TOML cannot write; says where.
pub(super) fn to_toml(document: &Value) -> Result<String> {
    written::to_toml(document)
        .map_err(|error| anyhow::anyhow!("{error}; use --json, and save a file that ends in .json"))
}
