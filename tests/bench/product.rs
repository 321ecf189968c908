//! The product, as processes of its own: the server, its command line, the simulator.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use rollcall_tests::wait_until;
use serde_json::Value;
use tokio::process::{Child, Command};

/// How long a process may take until it answers.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// The binary, the database it works on, and the folder it may write to.
#[derive(Clone, Debug)]
pub(crate) struct Product {
    binary: PathBuf,
    database_url: String,
    folder: PathBuf,
}

/// The SCIM endpoint of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The same as text.
    pub(crate) host: String,
    /// A bearer token of a source.
    pub(crate) token: String,
    /// The tenant's id.
    pub(crate) tenant: String,
}

/// What a tenant was set up with.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    id: String,
    token: String,
}

/// A process that is killed on drop. What it prints goes to a file.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    output: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Running {
    /// The process id.
    pub(crate) fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().with_context(|| format!("a process has ended; it wrote {}", self.output.display()))
    }

    /// Kills it and waits until it has gone.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        Ok(self.child.kill().await?)
    }
}

/// The `rollcall` beside this benchmark, built with the same profile.
pub(crate) async fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "rollcall-server", "--bin", "rollcall"]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let built = command.status().await.context("running cargo to build the server")?;
    ensure!(built.success(), "the server could not be built");
    Ok(std::env::current_exe()?.with_file_name("rollcall"))
}

impl Product {
    /// `folder` is made if it is missing.
    pub(crate) fn new(binary: &Path, database_url: String, folder: PathBuf) -> anyhow::Result<Self> {
        fs::create_dir_all(&folder)?;
        Ok(Self { binary: binary.to_owned(), database_url, folder })
    }

    /// The folder that it may write to, which its commands work in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a plan of what is held of a target.
    pub(crate) async fn make_plan(&self, target: &str) -> anyhow::Result<()> {
        let output = self.command().args(["plan", "--target", target, "--json"]).output().await?;
        // What it ends with says whether something is to be done; 1 is a failure.
        ensure!(output.status.code() != Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        command.env("DATABASE_URL", &self.database_url).arg("--data-dir").arg(&self.folder);
        command
    }

    /// Runs one command to its end and reads the JSON that it prints.
    pub(crate) async fn run(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.command().args(arguments).arg("--json").output().await.context("starting the product")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("`rollcall {}`: {text}{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// Makes the tables, a tenant with a source and its token, and a target at `simulator` in the given mode.
    pub(crate) async fn set_up(&self, simulator: &str, mode: &str) -> anyhow::Result<Tenant> {
        self.run(&["migrate"]).await?;
        let tenant = self.run(&["tenant", "create", "bench"]).await?;
        let id = tenant.get("id").and_then(Value::as_str).context("a tenant without an id")?.to_owned();
        self.run(&["source", "create", "bench"]).await?;
        let shown = self.run(&["token", "create", "--source", "bench"]).await?;
        let token = shown.get("token").and_then(Value::as_str).context("no token was shown")?.to_owned();
        fs::write(self.folder.join("app-secret"), "simulator-secret")?;
        let target = ["target", "create", "dingtalk", "--app-key", "dingsimulator", "--app-secret-file", "app-secret"];
        self.run(&[&target, ["--oapi-url", simulator, "--api-url", simulator, "--mode", mode].as_slice()].concat())
            .await?;
        Ok(Tenant { id, token })
    }

    /// Starts the server and waits until it is ready.
    pub(crate) async fn serve(&self, role: &str) -> anyhow::Result<Running> {
        let announcement = self.folder.join("server.json");
        // An earlier one was killed and could not remove it.
        let _ = fs::remove_file(&announcement);
        let mut command = self.command();
        command.args(["serve", "--listen", "127.0.0.1:0", "--role", role]);
        // All the load comes from one source, and it is the server that is measured, not the source's rate.
        command.env("ROLLCALL_SOURCE_REQUESTS_PER_SECOND", "0");
        self.spawn(command, "server.log", || {
            let about: Value = serde_json::from_slice(&fs::read(&announcement).ok()?).ok()?;
            about.get("listen")?.as_str()?.parse().ok()
        })
        .await
    }

    /// Starts the simulator and waits until it listens.
    pub(crate) async fn simulate(&self) -> anyhow::Result<Running> {
        let ready = self.folder.join("simulator-ready");
        let mut command = self.command();
        command.args(["simulator", "--listen", "127.0.0.1:0", "--ready-file"]).arg(&ready);
        self.spawn(command, "simulator.log", || fs::read_to_string(&ready).ok()?.trim().parse().ok()).await
    }

    async fn spawn(
        &self,
        mut command: Command,
        log: &str,
        ready: impl Fn() -> Option<SocketAddr>,
    ) -> anyhow::Result<Running> {
        let output = self.folder.join(log);
        let file = File::create(&output)?;
        let mut child = command.stdout(file.try_clone()?).stderr(file).spawn().context("starting the product")?;
        let address = wait_until(READY_WITHIN, "the process is ready", async || {
            if let Some(status) = child.try_wait()? {
                bail!("it ended with {status}: {}", fs::read_to_string(&output).unwrap_or_default());
            }
            Ok(ready())
        })
        .await?;
        Ok(Running { child, output, address })
    }
}

impl Tenant {
    /// The tenant's endpoint at a running server.
    pub(crate) fn api(&self, server: &Running) -> Api {
        Api {
            address: server.address,
            host: server.address.to_string(),
            token: self.token.clone(),
            tenant: self.id.clone(),
        }
    }
}
