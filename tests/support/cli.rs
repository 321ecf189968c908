//! The real command line.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::database::Database;
use crate::process::command;
use crate::scratch::Scratch;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Runs commands of the real binary against one database.
#[derive(Debug)]
pub struct Cli {
    binary: PathBuf,
    database_url: String,
    folder: Scratch,
}

/// What one command came to.
#[derive(Debug, Clone)]
pub struct CliOutput {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Cli {
    /// The binary comes from [`server_binary!`](crate::server_binary). Commands run in an empty folder of their own.
    ///
    /// # Errors
    /// The temporary folder cannot be written.
    pub fn new(binary: &Path, database: &Database) -> anyhow::Result<Self> {
        let folder = Scratch::new()?;
        Ok(Self { binary: binary.to_owned(), database_url: database.url().to_owned(), folder })
    }

    /// The folder that commands run in, for files that they read or write.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs one command to its end, whatever that is.
    ///
    /// # Errors
    /// It could not be started or did not end.
    pub async fn run(&self, arguments: &[&str]) -> anyhow::Result<CliOutput> {
        let running = command(&self.binary, self.folder.path())
            .args(arguments)
            .env("DATABASE_URL", &self.database_url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(PATIENCE, running)
            .await
            .with_context(|| format!("`rollcall {}` did not end", arguments.join(" ")))?
            .with_context(|| format!("starting {}", self.binary.display()))?;
        Ok(CliOutput {
            status: output.status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs one command with `--json` and reads what it prints.
    ///
    /// # Errors
    /// It failed, or did not print JSON; the error holds what it printed.
    pub async fn json(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.run(&[arguments, &["--json"]].concat()).await?;
        let command = arguments.join(" ");
        if !output.status.success() {
            bail!("`rollcall {command}` ended with {}:\n{}{}", output.status, output.stdout, output.stderr);
        }
        serde_json::from_str(&output.stdout)
            .with_context(|| format!("`rollcall {command}` printed no JSON:\n{}", output.stdout))
    }
}
