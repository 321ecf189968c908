//! `rollcall demo`: the whole product on one machine. Embedded Postgres, the DingTalk simulator, one tenant, and a
//! sample organisation that is pushed through the real SCIM endpoint.

mod organisation;
mod push;

use crate::cli::DemoArgs;
use crate::clock::SystemClock;
use crate::commands::{self, Output};
use crate::config::Config;
use crate::connector::Kinds;
use crate::database::Database;
use crate::folder::{self, Claim, Readers};
use crate::secrets::MasterKeys;
use crate::serve::{self, Server};
use crate::simulate;
use anyhow::{Context, Result};
use rollcall_provisioning::ids::TenantId;
use rollcall_provisioning::time::Clock;
use rollcall_scim::profile::Profile;
use rollcall_store::Store;
use rollcall_store::projection::TargetMode;
use rollcall_store::tenants::Tenant;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::oneshot;

const TENANT: &str = "demo";
const SOURCE: &str = "sample-idp";
const TARGET: &str = "dingtalk";
const OPERATOR: &str = "admin";
const APP_KEY: &str = "dingdemo";
const LABEL: &str = "demo";

/// What lets somebody in.
struct Keys {
    scim_token: SecretString,
    api_token: SecretString,
    password: SecretString,
}

/// Runs the demo until the process is told to stop.
pub(crate) async fn run(config: &Config, args: &DemoArgs, output: &Output) -> Result<()> {
    folder::make(&config.data_dir)?;
    // A second demo would change the tokens and the target of the first.
    let _claim = Claim::demo(&config.data_dir)?;
    let announcement = config.data_dir.join("demo.json");
    folder::remove(&announcement)?;

    let listener = simulate::listen(args.simulator_listen).await?;
    let simulator_url = base_url(listener.local_addr()?);
    let simulator = simulate::simulator(APP_KEY, 20);
    let (end, ended) = oneshot::channel::<()>();
    let simulating = rollcall_simulator::serve(listener, simulator, async {
        // The demo's end, or its failure, ends the simulator as well.
        ended.await.ok();
    });
    let demo = async {
        let database = Database::open_migrated(config).await?;
        let store = &database.store;
        let (tenant, keys) = prepare(store).await?;
        aim(config, store, tenant.id, &simulator_url).await?;
        let server = Server::start(config, store).await?;
        let about = describe(&base_url(server.address), &simulator_url, &keys);
        let pushed = push_sample(args, &about).await?;
        folder::announce(&announcement, &serde_json::to_string_pretty(&about)?, Readers::Owner)?;
        output.result(&about, || welcome(&about))?;
        let farewells = async {
            if let Some(pushed) = pushed
                && let Err(error) = pushed.say_farewell().await
            {
                tracing::warn!("the sample's leavers could not be sent off: {error:#}");
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = serve::told_to_stop() => {}
            () = farewells => {}
        }
        folder::remove(&announcement)?;
        server.stop().await;
        database.close().await?;
        drop(end);
        anyhow::Ok(())
    };
    let (simulated, done) = tokio::join!(simulating, demo);
    done?;
    simulated.context("the simulator failed")
}

/// The demo's tenant, source and operator, and new tokens and a new password for this run.
async fn prepare(store: &Store) -> Result<(Tenant, Keys)> {
    let tenant = match store.tenant_by_name(TENANT).await? {
        Some(tenant) => tenant,
        None => store.create_tenant(TENANT).await?,
    };
    let source = if let Some(source) = store.source_by_name(tenant.id, SOURCE).await? {
        source
    } else {
        let profile = Profile::named("generic").context("the profile generic is built in")?;
        store.create_source(tenant.id, SOURCE, &profile).await?
    };
    for old in store.credentials(tenant.id).await? {
        if old.label == LABEL && old.revoked_at.is_none() {
            store.revoke_credential(tenant.id, old.id, commands::BY).await?;
        }
    }
    let expires_at = SystemClock.now() + time::Duration::days(30);
    let (_, scim_token) = commands::make_token(store, tenant.id, Some(source.id), LABEL, expires_at).await?;
    let (_, api_token) = commands::make_token(store, tenant.id, None, LABEL, expires_at).await?;
    let password = match store.operator(OPERATOR).await? {
        Some(operator) => commands::renew_password(store, &operator).await?,
        None => commands::make_operator(store, tenant.id, OPERATOR).await?,
    };
    Ok((tenant, Keys { scim_token, api_token, password }))
}

/// Aims at the simulator. It remembers nothing between two runs, so what an earlier run knew of it is forgotten, and
/// everybody in the directory is projected again.
async fn aim(config: &Config, store: &Store, tenant: TenantId, simulator_url: &str) -> Result<()> {
    for old in store.targets(tenant).await? {
        store.forget_target(tenant, old.id).await?;
    }
    let kinds = Kinds { keys: MasterKeys::load_or_create(&config.master_key_path())?, any_host: true };
    let settings = json!({ "oapi_url": simulator_url, "api_url": simulator_url, "app_key": APP_KEY });
    let settings = settings.as_object().cloned().unwrap_or_default();
    let secret = SecretString::from(simulate::APP_SECRET);
    let aim = commands::Aim { name: TARGET, settings, secret: &secret, mode: TargetMode::Live };
    commands::create_target(store, &kinds, tenant, aim).await?;
    Ok(())
}

async fn push_sample(args: &DemoArgs, about: &Value) -> Result<Option<push::Pushed>> {
    if args.empty {
        return Ok(None);
    }
    let text = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default();
    let people = organisation::people(args.people);
    let client = push::Client::new(text("scim_base_url"), text("scim_token"), text("simulator_url"))?;
    Ok(Some(push::push(client, people).await?))
}

fn describe(server: &str, simulator: &str, keys: &Keys) -> Value {
    json!({
        "scim_base_url": format!("{server}/scim/v2"),
        "scim_token": keys.scim_token.expose_secret(),
        "api_base_url": format!("{server}/api/v1"),
        "api_token": keys.api_token.expose_secret(),
        "console_url": format!("{server}/console"),
        "console_user": OPERATOR,
        "console_password": keys.password.expose_secret(),
        "simulator_url": simulator,
    })
}

fn welcome(about: &Value) -> String {
    let text = |key: &str| about.get(key).and_then(Value::as_str).unwrap_or_default();
    format!(
        "\nRollcall is running. Press Ctrl-C to stop.\n\n  \
         DingTalk (simulated)  {}/_simulator/\n  \
         Console               {}\n                        sign in as {} with {}\n  \
         SCIM base URL         {}\n  \
         SCIM bearer token     {}\n  \
         REST API              {}\n  \
         REST bearer token     {}\n",
        text("simulator_url"),
        text("console_url"),
        text("console_user"),
        text("console_password"),
        text("scim_base_url"),
        text("scim_token"),
        text("api_base_url"),
        text("api_token"),
    )
}

/// The URL under which an address is reached from this machine.
fn base_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        ip => ip,
    };
    format!("http://{}", SocketAddr::new(ip, address.port()))
}
