//! The DingTalk simulator, as a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::Value;

use crate::process::{Process, command};
use crate::scratch::Scratch;
use crate::server::http_client;
use crate::wait::wait_until;

/// How long the simulator may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// A `rollcall simulator` on a free port of the loopback interface. Killed on drop.
#[derive(Debug)]
pub struct SimulatorProcess {
    listen: SocketAddr,
    http: reqwest::Client,
    // Before the folder, so that the process has gone when the folder is removed.
    _process: Process,
    _folder: Scratch,
}

impl SimulatorProcess {
    /// Starts the simulator and waits until it listens. The binary comes from
    /// [`server_binary!`](crate::server_binary); `arguments` go to `rollcall simulator`.
    ///
    /// # Errors
    /// It ended or was not ready in time; the error holds what it printed.
    pub async fn start(binary: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let folder = Scratch::new()?;
        let ready_file = folder.path().join("ready");
        let mut command = command(binary, folder.path());
        command.args(["simulator", "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready_file).args(arguments);
        let mut process = Process::spawn("the simulator", command, folder.path().join("output.log"))?;
        let listen = wait_until(READY_WITHIN, "the simulator is ready", async || {
            process.check_running()?;
            let content = fs::read_to_string(&ready_file).unwrap_or_default();
            Ok(content.trim().parse().ok())
        })
        .await
        .with_context(|| format!("the simulator wrote:\n{}", process.output()))?;
        Ok(Self { listen, http: http_client()?, _process: process, _folder: folder })
    }

    /// `http://127.0.0.1:<port>`: both of a target's base URLs.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The organisation as stored.
    ///
    /// # Errors
    /// The simulator did not answer with success.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.control(Method::GET, "state", None).await
    }

    /// The calls it has remembered, oldest first.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn calls(&self) -> anyhow::Result<Value> {
        self.control(Method::GET, "calls", None).await
    }

    /// Sums over all calls since the start.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn stats(&self) -> anyhow::Result<Value> {
        self.control(Method::GET, "stats", None).await
    }

    /// Adds a rule that says which calls go wrong, and how.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`]; also when the rule makes no sense.
    pub async fn add_fault(&self, rule: &Value) -> anyhow::Result<Value> {
        self.control(Method::POST, "faults", Some(rule)).await
    }

    /// Removes every rule.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn clear_faults(&self) -> anyhow::Result<()> {
        self.control(Method::DELETE, "faults", None).await.map(drop)
    }

    /// Calls `/_simulator/<what>` and returns the answer's JSON, `Null` if it is empty.
    ///
    /// # Errors
    /// The simulator did not answer with success; the error holds what it said.
    pub async fn control(&self, method: Method, what: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let url = format!("{}/_simulator/{what}", self.base_url());
        let mut request = self.http.request(method.clone(), &url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{method} {url} answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{method} {url} answered {text}"))
    }
}
