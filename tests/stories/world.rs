//! One story's world: a database, a DingTalk simulator, a tenant with a source and a live target, and the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use rollcall_tests::{
    Cli, CliOutput, Client, Database, ScimClient, Server, SimulatorProcess, server_binary, wait_until,
};
use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::dingtalk::Organisation;
use crate::directory::Directory;
use crate::endpoint::Endpoint;
use crate::setup::{Rate, Setup, Tenant, command, serve_options, start_simulator};

/// How long the projection may take to come to rest.
const PATIENCE: Duration = Duration::from_secs(90);
/// Deliveries that a failure shows.
const SHOWN: usize = 25;

/// Stories that measure time have the machine to themselves; all others share it.
static MACHINE: RwLock<()> = RwLock::const_new(());

/// A hold on the machine, kept for its drop.
#[derive(Debug)]
enum Turn {
    Shared { _hold: RwLockReadGuard<'static, ()> },
    Alone { _hold: RwLockWriteGuard<'static, ()> },
}

/// Everything that a story needs. Whatever the processes wrote is shown when it fails.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) server: Server,
    // Clients call the first server only.
    others: Vec<Server>,
    pub(crate) simulator: SimulatorProcess,
    pub(crate) tenant: Tenant,
    cli: Cli,
    client: Client,
    /// By base URL and token: each holds connections, and costs time to make.
    clients: Mutex<BTreeMap<(String, String), ScimClient>>,
    // After the processes that use it.
    pub(crate) database: Database,
    _turn: Turn,
}

impl World {
    /// A world with one tenant that does as it is told at once.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::with(Setup::default()).await
    }

    /// A world of one's own making.
    pub(crate) async fn with(setup: Setup) -> anyhow::Result<Self> {
        let turn = if setup.alone {
            Turn::Alone { _hold: MACHINE.write().await }
        } else {
            Turn::Shared { _hold: MACHINE.read().await }
        };
        let database = Database::new().await?;
        let cli = Cli::new(server_binary!(), &database)?;
        let simulator = start_simulator(setup.rate).await?;
        let key_file = cli.folder().join("master.key");
        let tenant = Tenant::create(&cli, "acme", &setup, &simulator).await?;
        let mut servers = Vec::new();
        for role in setup.roles {
            servers.push(Server::start(server_binary!(), &database, serve_options(role, &key_file)).await?);
        }
        let server = servers.remove(0);
        Ok(Self {
            server,
            others: servers,
            simulator,
            tenant,
            cli,
            client: setup.client,
            clients: Mutex::default(),
            database,
            _turn: turn,
        })
    }

    /// One more tenant with a DingTalk of its own.
    pub(crate) async fn another_tenant(&self, name: &str) -> anyhow::Result<(Tenant, SimulatorProcess)> {
        let simulator = start_simulator(Rate::Fast).await?;
        let tenant = Tenant::create(&self.cli, name, &Setup::default(), &simulator).await?;
        Ok((tenant, simulator))
    }

    /// Runs a command of the real binary.
    pub(crate) async fn cli(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        command(&self.cli, arguments).await
    }

    /// Runs a command of the real binary to whatever end.
    pub(crate) async fn shell(&self, arguments: &[&str]) -> anyhow::Result<CliOutput> {
        let folder = self.cli.folder().to_str().context("the folder is no text")?;
        self.cli.run(&[arguments, &["--data-dir", folder]].concat()).await
    }

    /// Everything that the servers have logged.
    pub(crate) fn logs(&self) -> String {
        std::iter::once(&self.server).chain(&self.others).map(Server::output).collect()
    }

    /// What a command of the real binary prints when it succeeds.
    pub(crate) async fn text(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.shell(arguments).await?;
        ensure!(output.status.success(), "{arguments:?}: {}", output.stderr);
        Ok(output.stdout)
    }

    /// The folder that commands run in.
    pub(crate) fn folder(&self) -> &Path {
        self.cli.folder()
    }

    /// A client of something below the server's present address.
    fn client_at(&self, path: &str, client: Client, token: &str) -> anyhow::Result<ScimClient> {
        let base = format!("{}{path}", self.server.base_url());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = clients.get(&(base.clone(), token.to_owned())) {
            return Ok(known.clone());
        }
        let made = ScimClient::new(client, &base, token)?;
        clients.insert((base, token.to_owned()), made.clone());
        Ok(made)
    }

    /// A SCIM client at the server's present address.
    pub(crate) fn scim_client(&self, tenant: &Tenant) -> anyhow::Result<ScimClient> {
        self.client_at("/scim/v2", self.client, &tenant.scim_token)
    }

    /// The SCIM endpoint of the first tenant.
    pub(crate) fn scim(&self) -> anyhow::Result<Endpoint> {
        Ok(Endpoint::fixed(self.scim_client(&self.tenant)?))
    }

    /// A client of the REST API at the server's present address.
    pub(crate) fn rest_of(&self, tenant: &Tenant) -> anyhow::Result<ScimClient> {
        self.client_at("/api/v1", Client::Plain, &tenant.rest_token)
    }

    /// Reads something of the first tenant over the REST API.
    pub(crate) async fn rest(&self, path: &str) -> anyhow::Result<Value> {
        let reply = self.rest_of(&self.tenant)?.get(path).await?;
        ensure!(reply.status == StatusCode::OK, "{path} answered {} {}", reply.status, reply.body);
        Ok(reply.body)
    }

    /// The standing of one person, by SCIM id.
    pub(crate) async fn standing(&self, id: &str) -> anyhow::Result<Value> {
        let found = self.rest(&format!("/deliveries?resource={id}")).await?;
        found["data"].get(0).cloned().with_context(|| format!("{id} has no delivery"))
    }

    /// Waits until a person stands somewhere, and returns the standing.
    pub(crate) async fn until_state(&self, id: &str, state: &str) -> anyhow::Result<Value> {
        let what = format!("{id} is {state}");
        let waited = wait_until(PATIENCE, &what, async || {
            Ok(Some(self.standing(id).await?).filter(|standing| standing["state"] == state))
        });
        match waited.await {
            Ok(standing) => Ok(standing),
            Err(error) => Err(error.context(self.report().await)),
        }
    }

    /// Looks at a delivery again now instead of when it is due.
    pub(crate) async fn retry(&self, id: &str) -> anyhow::Result<()> {
        let reply = self.rest_of(&self.tenant)?.post("/deliveries/retry", &json!({ "resource_id": id })).await?;
        ensure!(reply.body["marked"] == 1, "{id} was not marked: {} {}", reply.status, reply.body);
        Ok(())
    }

    /// Waits until nothing is pending, applying or retrying any more.
    pub(crate) async fn settled(&self) -> anyhow::Result<()> {
        self.settled_within(PATIENCE).await
    }

    /// The same with another patience.
    pub(crate) async fn settled_within(&self, patience: Duration) -> anyhow::Result<()> {
        let waited = wait_until(patience, "the projection comes to rest", async || {
            Ok(if self.is_settled().await? { Some(()) } else { None })
        });
        match waited.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.report().await)),
        }
    }

    async fn is_settled(&self) -> anyhow::Result<bool> {
        let Some(waiting_before) = self.waiting_and_nobody_at_work().await? else { return Ok(false) };
        // Whoever decided to wait for somebody looks once more before they really wait, and is due until then. And
        // nobody waits for a department for long.
        let waiting = self.deliveries("waiting").await?;
        let deciding = |delivery: &Value| {
            let for_department = delivery["reason"].as_str().is_some_and(|reason| reason.contains("department"));
            !delivery["waiting_for"].is_null() && (for_department || !delivery["due_at"].is_null())
        };
        if waiting.iter().any(deciding) {
            return Ok(false);
        }
        // The two looks are moments apart: somebody woken between them is in neither.
        let listed = waiting.len() as u64;
        Ok(listed == waiting_before && self.waiting_and_nobody_at_work().await? == Some(listed))
    }

    /// How many wait, unless somebody is being worked at.
    async fn waiting_and_nobody_at_work(&self) -> anyhow::Result<Option<u64>> {
        let targets = self.rest("/targets").await?;
        let counts = targets["data"][0]["counts"].as_array().context("a target without counts")?;
        let number = |wanted: &[&str]| -> u64 {
            let of = counts.iter().filter(|count| count["state"].as_str().is_some_and(|state| wanted.contains(&state)));
            of.filter_map(|count| count["count"].as_u64()).sum()
        };
        Ok((number(&["pending", "applying", "retrying"]) == 0).then(|| number(&["waiting"])))
    }

    /// All deliveries in a state.
    pub(crate) async fn deliveries(&self, state: &str) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.rest(&format!("/deliveries?limit=200&state={state}{cursor}")).await?;
            all.extend(page["data"].as_array().context("a page without data")?.iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    /// What DingTalk has.
    pub(crate) async fn dingtalk_state(&self) -> anyhow::Result<Organisation> {
        Organisation::read(&self.simulator.state().await?)
    }

    /// Fails unless DingTalk has exactly this.
    pub(crate) async fn expect_at_dingtalk(&self, wanted: &Organisation) -> anyhow::Result<()> {
        let differences = wanted.differences(&self.dingtalk_state().await?);
        if !differences.is_empty() {
            anyhow::bail!("DingTalk is not as wanted:\n{differences}\n{}", self.report().await);
        }
        Ok(())
    }

    /// Fails unless the directory holds exactly this.
    pub(crate) async fn expect_in_directory(&self, wanted: &Directory) -> anyhow::Result<()> {
        let differences = wanted.differences(&Directory::read(&self.scim()?).await?);
        ensure!(differences.is_empty(), "the directory is not as wanted:\n{differences}");
        Ok(())
    }

    /// The deliveries that are not where they should be, with their reasons.
    pub(crate) async fn report(&self) -> String {
        let mut lines = Vec::new();
        for state in ["needs_attention", "held", "waiting", "retrying", "applying", "pending"] {
            match self.deliveries(state).await {
                Ok(found) => lines.extend(found.iter().map(|delivery| {
                    format!(
                        "{} {} {}: {} {}",
                        delivery["kind"],
                        delivery["name"],
                        delivery["state"],
                        delivery["error_code"],
                        delivery["reason"]
                    )
                })),
                Err(error) => lines.push(format!("{state} cannot be listed: {error:#}")),
            }
        }
        let more = lines.len().saturating_sub(SHOWN);
        lines.truncate(SHOWN);
        format!("deliveries not in step ({more} more):\n{}", lines.join("\n"))
    }

    /// Widens every guard: for stories that play in minutes what organisations do in months.
    pub(crate) async fn nothing_is_too_much(&self) -> anyhow::Result<()> {
        let api = self.rest_of(&self.tenant)?;
        let target = self.target().await?;
        let shown = self.rest(&format!("/targets/{target}/guards")).await?;
        let guards = shown["guards"].as_array().context("there are guards")?;
        let wide = json!({ "floor": 1_000_000, "share": 1.0 });
        let with_limits = guards.iter().filter(|guard| guard["limit"].is_object());
        let names = with_limits.filter_map(|guard| guard["guard"].as_str());
        let body: serde_json::Map<String, Value> = names.map(|name| (name.to_owned(), wide.clone())).collect();
        let reply = api.put(&format!("/targets/{target}/guards"), &Value::Object(body)).await?;
        ensure!(reply.status == StatusCode::OK, "the limits were answered {} {}", reply.status, reply.body);
        Ok(())
    }

    /// Lets people who leave come back the same day without being asked, as most organisations see it: tests play a
    /// year in a minute.
    pub(crate) async fn rejoining_needs_no_consent(&self) -> anyhow::Result<()> {
        let switch = json!({ "same_day_rejoin_needs_consent": false });
        self.simulator.control(Method::PATCH, "switches", Some(&switch)).await.map(drop)
    }
}
