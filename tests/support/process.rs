//! A child process whose output goes to a file and is printed again when the test is over.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Pid, Signal};
use tokio::process::{Child, Command};

/// How long a process may take to end after a signal.
const END_PATIENCE: Duration = Duration::from_mins(1);

/// A running, or ended, child process. Killed on drop.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    output: PathBuf,
}

impl Process {
    /// Starts the command; both output streams go to the end of `output`.
    pub(crate) fn spawn(name: &'static str, mut command: Command, output: PathBuf) -> anyhow::Result<Self> {
        let file = File::options().create(true).append(true).open(&output).context("opening the output file")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {name}"))?;
        Ok(Self { name, child, output })
    }

    /// The process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Everything it has printed.
    pub(crate) fn output(&self) -> String {
        fs::read(&self.output)
            .map_or_else(|error| error.to_string(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Fails, with what it printed, if it has ended.
    pub(crate) fn check_running(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(anyhow::anyhow!("{} ended with {status}:\n{}", self.name, self.output())),
        }
    }

    /// Sends a signal, if it still runs, and waits until it has ended.
    pub(crate) async fn end(&mut self, signal: Signal) -> anyhow::Result<ExitStatus> {
        if let Some(pid) = self.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())) {
            rustix::process::kill_process(pid, signal).with_context(|| format!("signalling {}", self.name))?;
        }
        tokio::time::timeout(END_PATIENCE, self.child.wait())
            .await
            .with_context(|| format!("{} did not end after a signal:\n{}", self.name, self.output()))?
            .with_context(|| format!("waiting for {}", self.name))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.start_kill();
        println!("--- what {} wrote ---\n{}--- end ---", self.name, self.output());
    }
}

/// A command in `folder` without any `ROLLCALL_…` or `DATABASE_URL` of the caller's environment.
pub(crate) fn command(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("ROLLCALL_") || text == "DATABASE_URL" {
            command.env_remove(&name);
        }
    }
    command
}
