//! The DingTalk simulator, as a process of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use reqwest::Method;
use serde_json::Value;

use crate::process::{Process, command};
use crate::scratch::Scratch;
use crate::server::http_client;
use crate::wait::wait_until;

/// How long the simulator may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// Sums over the simulator's calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimulatorStats {
    /// All calls.
    pub calls: u64,
    /// Those refused by a rate limit.
    pub throttled: u64,
    /// Those that changed something.
    pub committed: u64,
    /// Those answered with anything but success, throttled ones included.
    pub failed: u64,
}

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

    /// `http://127.0.0.1:<port>`, without a slash at the end: both of a target's base URLs.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// The whole organisation as stored: `users`, `departments`, `invitations` and more, each sorted by id.
    ///
    /// # Errors
    /// The simulator did not answer with success.
    pub async fn state(&self) -> anyhow::Result<Value> {
        self.control(Method::GET, "state", None).await
    }

    /// The members as stored, sorted by userid.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn users(&self) -> anyhow::Result<Vec<Value>> {
        list(self.state().await?, "users")
    }

    /// One member as stored.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn user(&self, userid: &str) -> anyhow::Result<Option<Value>> {
        Ok(self.users().await?.into_iter().find(|user| user.get("userid").is_some_and(|stored| stored == userid)))
    }

    /// The departments as stored, sorted by id.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn departments(&self) -> anyhow::Result<Vec<Value>> {
        list(self.state().await?, "departments")
    }

    /// At most 1,000 of the calls that it remembers, oldest first; only those whose `seq` is greater than `after`.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn calls(&self, after: u64) -> anyhow::Result<Vec<Value>> {
        list(self.control(Method::GET, &format!("calls?after={after}"), None).await?, "calls")
    }

    /// Sums over all calls since the start.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn stats(&self) -> anyhow::Result<SimulatorStats> {
        let stats = self.control(Method::GET, "stats", None).await?;
        let number = |key: &str| {
            stats.get(key).and_then(Value::as_u64).with_context(|| format!("no number {key} in the sums {stats}"))
        };
        Ok(SimulatorStats {
            calls: number("calls")?,
            throttled: number("throttled")?,
            committed: number("committed")?,
            failed: number("failed")?,
        })
    }

    /// Adds a rule that says which calls go wrong, and how, such as
    /// `{"path": "/topapi/v2/user", "kind": {"errcode": -1}, "times": 3}`. Returns its id.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`]; also when the rule makes no sense.
    pub async fn add_fault(&self, rule: &Value) -> anyhow::Result<u64> {
        let added = self.control(Method::POST, "faults", Some(rule)).await?;
        added.get("id").and_then(Value::as_u64).with_context(|| format!("no id in {added}"))
    }

    /// Removes every rule: all is well again.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`].
    pub async fn clear_faults(&self) -> anyhow::Result<()> {
        self.control(Method::DELETE, "faults", None).await.map(drop)
    }

    /// Does something by hand, as an admin in DingTalk's own console, such as
    /// `{"action": "update_user", "userid": "…", "title": "…"}`. It is not in the call log.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`]; also when the organisation's rules forbid it.
    pub async fn edit(&self, edit: &Value) -> anyhow::Result<Value> {
        self.control(Method::POST, "edit", Some(edit)).await
    }

    /// Accepts an invitation in the name of the invited person. Returns the userid.
    ///
    /// # Errors
    /// As [`SimulatorProcess::state`]; also when this number was not invited.
    pub async fn accept_invitation(&self, mobile: &str) -> anyhow::Result<String> {
        let accepted = self.control(Method::POST, &format!("invitations/{mobile}/accept"), None).await?;
        let userid = accepted.get("userid").and_then(Value::as_str);
        userid.map(ToOwned::to_owned).with_context(|| format!("no userid in {accepted}"))
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

fn list(mut value: Value, key: &str) -> anyhow::Result<Vec<Value>> {
    match value.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => bail!("no list {key} in the simulator's answer"),
    }
}
