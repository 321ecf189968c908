//! Another process that holds an embedded Postgres: `postgres-holder`, see `holder.rs`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

const HOLDER: &str = env!("CARGO_BIN_EXE_postgres-holder");

/// The account `nobody` of every Linux.
const NOBODY: u32 = 65_534;

const PATIENCE: Duration = Duration::from_mins(1);

/// A running holder and what it said about its server.
pub(crate) struct Holder {
    child: Child,
    /// The URL of the database.
    pub(crate) url: String,
    /// The server's process id.
    pub(crate) server: u32,
    /// Whether it joined a server that was already running.
    pub(crate) joined: bool,
    /// The user id of the holder.
    pub(crate) user: u32,
}

/// A holder that has not said anything yet.
pub(crate) struct Starting {
    child: Child,
}

impl Starting {
    /// Kills it as a crash would.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

impl Holder {
    /// Starts a holder as our own user and waits until it has its server.
    pub(crate) async fn start(folder: &Path) -> anyhow::Result<Self> {
        Self::until_ready(Self::spawn(folder)?).await
    }

    /// Starts a holder as our own user.
    pub(crate) fn spawn(folder: &Path) -> anyhow::Result<Starting> {
        spawn(Command::new(HOLDER).arg(folder))
    }

    /// Starts a holder as a user that is not root: ourselves, or `nobody` if we are root.
    pub(crate) async fn start_as_ordinary_user(folder: &Path) -> anyhow::Result<Self> {
        if !rustix::process::geteuid().is_root() {
            return Self::start(folder).await;
        }
        // The build folder may lie below a home that is closed to others.
        let copy = folder.join("holder");
        fs::copy(HOLDER, &copy)?;
        fs::set_permissions(&copy, fs::Permissions::from_mode(0o755))?;
        let data_dir = folder.join("own");
        fs::create_dir(&data_dir)?;
        std::os::unix::fs::chown(&data_dir, Some(NOBODY), Some(NOBODY))?;
        let mut command = Command::new(&copy);
        command.arg(&data_dir).current_dir("/").uid(NOBODY).gid(NOBODY);
        Self::until_ready(spawn(&mut command)?).await
    }

    async fn until_ready(Starting { mut child }: Starting) -> anyhow::Result<Self> {
        let output = child.stdout.take().context("its output is piped")?;
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, BufReader::new(output).read_line(&mut line))
            .await
            .context("the holder says nothing")??;
        let said: Value = serde_json::from_str(&line).context("the holder failed; see its message above")?;
        let number = |key: &str| said.get(key).and_then(Value::as_u64).and_then(|value| u32::try_from(value).ok());
        Ok(Self {
            url: said.get("url").and_then(Value::as_str).context("url")?.to_owned(),
            server: number("pid").context("pid")?,
            joined: said.get("joined").and_then(Value::as_bool).context("joined")?,
            user: number("user").context("user")?,
            child,
        })
    }

    /// Kills it as a crash would.
    pub(crate) async fn kill(&mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }

    /// Lets it stop its server properly, and waits until it has ended.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        let mut input = self.child.stdin.take().context("it was stopped before")?;
        input.write_all(b"stop\n").await?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.context("it does not stop")??;
        ensure!(status.success(), "the holder ended with {status}");
        Ok(())
    }
}

fn spawn(command: &mut Command) -> anyhow::Result<Starting> {
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the holder")?;
    Ok(Starting { child })
}
