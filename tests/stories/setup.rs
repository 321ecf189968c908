//! How a world is set up: through the command line, as an operator does it.

use std::path::Path;

use anyhow::Context;
use rollcall_tests::{Cli, Client, ServeOptions, SimulatorProcess, server_binary};
use serde_json::Value;

/// Calls per second that DingTalk permits and that the target is told. Stories that are not about the limit have a
/// target with the largest add-on and a DingTalk that permits more, so that they do not wait for it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rate {
    /// 60 for the target, 200 at DingTalk.
    Fast,
    /// 20, the standard edition.
    Standard,
}

impl Rate {
    fn of_target(self) -> &'static str {
        match self {
            Self::Fast => "60",
            Self::Standard => "20",
        }
    }

    fn of_dingtalk(self) -> &'static str {
        match self {
            Self::Fast => "200",
            Self::Standard => "20",
        }
    }
}

/// How a world is set up.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The profile of its source, and whose headers its client sends.
    pub(crate) profile: &'static str,
    pub(crate) client: Client,
    /// How fast DingTalk may be called.
    pub(crate) rate: Rate,
    /// The roles of the server processes; the first one is called by clients.
    pub(crate) roles: &'static [&'static str],
    /// Whether no other story may run meanwhile.
    pub(crate) alone: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { profile: "generic", client: Client::Plain, rate: Rate::Fast, roles: &["all"], alone: false }
    }
}

/// What opens one tenant's directory.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) scim_token: String,
    pub(crate) rest_token: String,
}

impl Tenant {
    /// Makes a tenant `name` with one source, a token for it, a token for the REST API and a live target.
    pub(crate) async fn create(
        cli: &Cli,
        name: &str,
        setup: &Setup,
        dingtalk: &SimulatorProcess,
    ) -> anyhow::Result<Self> {
        let secret = cli.folder().join("secret");
        std::fs::write(&secret, "simulator-secret\n")?;
        let (secret, url) = (secret.to_str().context("the folder is no text")?, dingtalk.base_url());
        command(cli, &["tenant", "create", name]).await?;
        command(cli, &["source", "create", "idp", "--profile", setup.profile, "--tenant", name]).await?;
        let scim = command(cli, &["token", "create", "--source", "idp", "--tenant", name]).await?;
        let rest = command(cli, &["token", "create", "--tenant", name]).await?;
        let target = ["target", "create", "dingtalk", "--tenant", name, "--mode", "live", "--app-key", "dingsimulator"];
        let where_it_is = ["--app-secret-file", secret, "--oapi-url", &url, "--api-url", &url];
        command(cli, &[&target[..], &where_it_is, &["--calls-per-second", setup.rate.of_target()]].concat()).await?;
        let token = |made: &Value| made["token"].as_str().map(str::to_owned).context("no token was shown");
        Ok(Self { scim_token: token(&scim)?, rest_token: token(&rest)? })
    }
}

/// Runs a command with the world's own data folder, and reads what it prints.
pub(crate) async fn command(cli: &Cli, arguments: &[&str]) -> anyhow::Result<Value> {
    let folder = cli.folder().to_str().context("the folder is no text")?;
    cli.json(&[arguments, &["--data-dir", folder]].concat()).await
}

/// A DingTalk of one's own.
pub(crate) async fn start_simulator(rate: Rate) -> anyhow::Result<SimulatorProcess> {
    SimulatorProcess::start(server_binary!(), &["--calls-per-second", rate.of_dingtalk()]).await
}

/// All processes open the target's secret with the key that the command line has made.
pub(crate) fn serve_options(role: &str, key_file: &Path) -> ServeOptions {
    ServeOptions {
        arguments: vec!["--role".to_owned(), role.to_owned()],
        environment: vec![
            ("ROLLCALL_MASTER_KEY_FILE".to_owned(), key_file.display().to_string()),
            // Many worlds share one Postgres.
            ("ROLLCALL_DATABASE_CONNECTIONS".to_owned(), "10".to_owned()),
        ],
        ..ServeOptions::default()
    }
}
