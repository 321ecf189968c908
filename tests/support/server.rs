//! The real server, as a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Context;
use rustix::process::Signal;
use serde_json::Value;

use crate::database::Database;
use crate::process::{Process, command};
use crate::scratch::Scratch;
use crate::wait::wait_until;

/// How `rollcall serve` is called, beyond the address, the data folder and the database.
#[derive(Debug, Clone)]
pub struct ServeOptions {
    /// More arguments, such as `--role worker`.
    pub arguments: Vec<String>,
    /// Environment variables, such as `ROLLCALL_…`.
    pub environment: Vec<(String, String)>,
    /// How long it may take until it is ready.
    pub ready_within: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self { arguments: Vec::new(), environment: Vec::new(), ready_within: Duration::from_mins(1) }
    }
}

/// A `rollcall serve` on a free port of the loopback interface. Killed on drop.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    database_url: String,
    options: ServeOptions,
    listen: SocketAddr,
    http: reqwest::Client,
    // Before the folder, so that the process has gone when the folder is removed.
    process: Process,
    data_dir: Scratch,
}

impl Server {
    /// Starts the server and waits until it is ready. The binary comes from [`server_binary!`](crate::server_binary).
    ///
    /// # Errors
    /// It ended or was not ready in time; the error holds what it printed.
    pub async fn start(binary: &Path, database: &Database, options: ServeOptions) -> anyhow::Result<Self> {
        let data_dir = Scratch::new()?;
        let process = spawn(binary, database.url(), &options, data_dir.path())?;
        let mut server = Self {
            binary: binary.to_owned(),
            database_url: database.url().to_owned(),
            options,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            http: http_client()?,
            process,
            data_dir,
        };
        server.until_ready().await?;
        Ok(server)
    }

    /// The address and port that it listens on.
    pub fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.process.pid()
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Everything it has written to its two output streams, over all restarts.
    pub fn output(&self) -> String {
        self.process.output()
    }

    /// Kills it as a crash would (SIGKILL).
    ///
    /// # Errors
    /// It could not be signalled.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        self.process.end(Signal::KILL).await.map(drop)
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Errors
    /// It did not end in time.
    pub async fn stop(&mut self) -> anyhow::Result<ExitStatus> {
        self.process.end(Signal::TERM).await
    }

    /// Starts it again on the same database and data folder, with the same options, on a new port; kills it first if
    /// it still runs.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.kill().await?;
        self.process = spawn(&self.binary, &self.database_url, &self.options, self.data_dir.path())?;
        self.until_ready().await
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let file = self.data_dir.path().join("server.json");
        let patience = self.options.ready_within;
        let process = &mut self.process;
        let http = &self.http;
        let ready = wait_until(patience, "the server is ready", async || {
            process.check_running()?;
            let Some(listen) = announced(&file, process.pid()) else { return Ok(None) };
            let answer = http.get(format!("http://{listen}/readyz")).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(listen))
        })
        .await;
        self.listen = ready.with_context(|| format!("the server wrote:\n{}", self.process.output()))?;
        Ok(())
    }
}

fn spawn(binary: &Path, database_url: &str, options: &ServeOptions, data_dir: &Path) -> anyhow::Result<Process> {
    let mut command = command(binary, data_dir);
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(data_dir)
        .args(&options.arguments)
        .env("DATABASE_URL", database_url)
        .envs(options.environment.iter().map(|(name, value)| (name, value)));
    Process::spawn("the server", command, data_dir.join("output.log"))
}

/// The address in `server.json`, unless the file is incomplete or was left behind by an earlier process.
fn announced(file: &Path, pid: Option<u32>) -> Option<SocketAddr> {
    let content: Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let by_this_process = content.get("pid")?.as_u64() == pid.map(u64::from);
    content.get("listen")?.as_str()?.parse().ok().filter(|_| by_this_process)
}

/// A client that gives up rather than hang a test.
pub(crate) fn http_client() -> anyhow::Result<reqwest::Client> {
    Ok(reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_process_is_believed() -> anyhow::Result<()> {
        let folder = Scratch::new()?;
        let file = folder.path().join("server.json");
        assert_eq!(announced(&file, Some(7)), None, "nothing is written yet");
        fs::write(&file, r#"{"listen":"127.0.0.1:4321","pi"#)?;
        assert_eq!(announced(&file, Some(7)), None, "half of it is written");
        fs::write(&file, r#"{"listen":"127.0.0.1:4321","pid":6}"#)?;
        assert_eq!(announced(&file, Some(7)), None, "an earlier process left it behind");
        fs::write(&file, r#"{"listen":"127.0.0.1:4321","pid":7}"#)?;
        assert_eq!(announced(&file, Some(7)), Some(SocketAddr::from(([127, 0, 0, 1], 4321))));
        Ok(())
    }
}
