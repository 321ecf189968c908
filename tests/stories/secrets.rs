//! Secrets are sealed, replaced while everything runs, and shown by nothing.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use rollcall_tests::{Client, ScimClient, Server, server_binary, wait_until};
use serde_json::{Value, json};

use crate::console::Browser;
use crate::setup::{Setup, serve_options};
use crate::staff::somebody;
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);

/// DingTalk gives the application another secret, and nothing that was fetched with the old one is good any more.
async fn another_secret_at_dingtalk(world: &World, secret: &str) -> anyhow::Result<()> {
    let app = json!({ "key": "dingsimulator", "secret": secret });
    world.simulator.control(Method::PUT, "apps", Some(&app)).await?;
    world.simulator.control(Method::POST, "tokens/revoke", None).await.map(drop)
}

/// Waits until the target is stopped because DingTalk refuses the secret.
async fn until_stopped(world: &World) -> anyhow::Result<()> {
    wait_until(PATIENCE, "the target is stopped", async || {
        Ok((!world.rest("/targets").await?["data"][0]["stopped"].is_null()).then_some(()))
    })
    .await
}

fn two_processes() -> Setup {
    Setup { roles: &["api", "worker"], ..Setup::default() }
}

#[tokio::test]
async fn another_application_secret_needs_no_restart_and_is_never_shown() -> anyhow::Result<()> {
    let world = World::with(two_processes()).await?;
    let first = world.join(&somebody(1)).await?;
    world.until_state(&first, "in_step").await?;
    let api = world.rest_of(&world.tenant)?;
    let target = world.target().await?;

    another_secret_at_dingtalk(&world, "second-s3cret").await?;
    let second = world.join(&somebody(2)).await?;
    until_stopped(&world).await?;
    let path = format!("/targets/{target}/secret");
    let set = api.put(&path, &json!({ "app_secret": "second-s3cret" })).await?;
    ensure!(set.status == StatusCode::OK && set.body["revision"] == 2, "{} {}", set.status, set.body);
    world.until_state(&second, "in_step").await?;

    another_secret_at_dingtalk(&world, "third-s3cret").await?;
    let third = world.join(&somebody(3)).await?;
    until_stopped(&world).await?;
    let file = world.folder().join("third");
    std::fs::write(&file, "third-s3cret\n")?;
    let file = file.to_str().context("a text")?;
    let printed = world.cli(&["target", "secret", "dingtalk", "--app-secret-file", file]).await?;
    world.until_state(&third, "in_step").await?;

    let wrong = api.put(&path, &json!({ "app_secret": ["fourth-s3cret"] })).await?;
    ensure!(wrong.status == StatusCode::BAD_REQUEST, "{} {}", wrong.status, wrong.body);
    let mut seen = vec![set.body.to_string(), printed.to_string(), wrong.body.to_string(), world.logs()];
    for path in ["/targets", &format!("/targets/{target}/settings"), "/changes?limit=100", "/attempts?limit=100"] {
        seen.push(world.rest(path).await?.to_string());
    }
    for arguments in [&["target", "show"][..], &["target", "list"], &["doctor"], &["secrets", "list"]] {
        let said = world.shell(arguments).await?;
        seen.push(format!("{}{}", said.stdout, said.stderr));
    }
    let shown = seen.iter().find(|text| text.contains("s3cret") || text.contains("simulator-secret"));
    ensure!(shown.is_none(), "a secret is shown: {shown:?}");
    let log = world.rest("/changes?limit=100").await?;
    let told = log["data"].as_array().into_iter().flatten().filter(|entry| entry["details"]["secret"] == "changed");
    ensure!(told.count() == 2, "the change log says who did it: {log}");
    Ok(())
}

/// What was given out before the keys changed.
struct Carried {
    access: ScimClient,
    browser: Browser,
    cookie: String,
    cursor: String,
}

impl Carried {
    async fn fetched(world: &World) -> anyhow::Result<Self> {
        let client = world.cli(&["oauth-client", "create", "--source", "idp"]).await?;
        let id = client["id"].as_str().context("an id")?;
        let secret = world.cli(&["oauth-client", "secret", id]).await?;
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client["client_id"].as_str().context("a client id")?),
            ("client_secret", secret["client_secret"].as_str().context("a secret")?),
        ];
        let http = reqwest::Client::builder().timeout(PATIENCE).redirect(Policy::none()).no_proxy().build()?;
        let base = world.server.base_url();
        let granted: Value = http.post(format!("{base}/oauth/token")).form(&form).send().await?.json().await?;
        let token = granted["access_token"].as_str().with_context(|| granted.to_string())?;
        let access = ScimClient::new(Client::Plain, &format!("{base}/scim/v2"), token)?;
        let page = access.get("/Users?cursor&count=1").await?;
        let cursor = page.text("/nextCursor")?.to_owned();
        let made = world.cli(&["operator", "create", "maria"]).await?;
        let browser = Browser { http, base };
        let cookie = browser.sign_in("maria", made["password"].as_str().context("a password")?).await?;
        Ok(Self { access, browser, cookie, cursor })
    }

    /// What the access token, the cursor and the session are answered.
    async fn answers(&self) -> anyhow::Result<[u16; 2]> {
        let page = self.access.get(&format!("/Users?count=1&cursor={}", self.cursor)).await?;
        let console = self.browser.get("/console", &self.cookie).await?;
        Ok([page.status.as_u16(), console.status().as_u16()])
    }
}

#[tokio::test]
async fn the_master_key_is_replaced_while_servers_run() -> anyhow::Result<()> {
    let world = World::with(two_processes()).await?;
    for number in 1..=2 {
        let id = world.join(&somebody(number)).await?;
        world.until_state(&id, "in_step").await?;
    }
    let carried = Carried::fetched(&world).await?;
    ensure!(carried.answers().await? == [200, 200]);
    let before = world.cli(&["secrets", "list"]).await?;
    ensure!(before.as_array().map(Vec::len) == Some(1) && before[0]["sealed"] == 1, "{before}");

    let rotated = world.cli(&["secrets", "rotate"]).await?;
    ensure!(rotated["resealed"] == 1 && rotated["unreadable"] == 0, "{rotated}");
    let after = world.cli(&["secrets", "list"]).await?;
    let rows: Vec<_> = after.as_array().into_iter().flatten().map(|key| (&key["standing"], &key["sealed"])).collect();
    ensure!(rows == [(&json!("newest"), &json!(1)), (&json!("older"), &json!(0))], "{after}");
    ensure!(after[1]["key"] == before[0]["key"], "the older key is still in the file: {after}");
    ensure!(carried.answers().await? == [200, 200], "what was given out before is still good");

    // What the new key seals is opened by the processes that run since before it was there.
    another_secret_at_dingtalk(&world, "second-secret").await?;
    let id = world.join(&somebody(3)).await?;
    until_stopped(&world).await?;
    let file = world.folder().join("second");
    std::fs::write(&file, "second-secret")?;
    let file = file.to_str().context("a text")?;
    world.cli(&["target", "secret", "dingtalk", "--app-secret-file", file]).await?;
    world.until_state(&id, "in_step").await?;

    // Without the older key everything that is sealed is still opened; what that key signed is over.
    let path = world.folder().join("master.key");
    let keys = std::fs::read_to_string(&path)?;
    let newest = keys.lines().last().context("a key")?.to_owned();
    std::fs::write(&path, newest + "\n")?;
    wait_until(PATIENCE, "the older key is forgotten", async || {
        Ok((carried.answers().await? == [401, 303]).then_some(()))
    })
    .await?;
    let doctor = world.cli(&["doctor"]).await?;
    let of_keys = doctor.as_array().into_iter().flatten().find(|check| check["check"] == "master key");
    let text = of_keys.and_then(|check| check["text"].as_str()).unwrap_or_default();
    ensure!(text == "readable; the newest key has sealed everything (1)", "{doctor}");
    Ok(())
}

#[tokio::test]
async fn a_lost_or_foreign_master_key_is_told_in_a_sentence() -> anyhow::Result<()> {
    let world = World::start().await?;
    let folder = world.folder().to_owned();
    let (lost, foreign, damaged) = (folder.join("lost.key"), folder.join("foreign.key"), folder.join("damaged.key"));
    std::fs::write(&foreign, [5; 32])?;
    std::fs::write(&damaged, "not a key\n")?;
    for (file, expected) in [
        (&lost, "is not there, and the secrets of target dingtalk were sealed with it; put the file back"),
        (
            &foreign,
            "opens none of the sealed secrets (of target dingtalk): it is another installation's; put the right file",
        ),
        (&damaged, "line 1 is not 32 bytes in base64"),
    ] {
        for role in ["all", "api", "worker"] {
            let started = Server::start(server_binary!(), &world.database, serve_options(role, file)).await;
            let said = format!("{:#}", started.err().context("it starts all the same")?);
            ensure!(said.contains(expected), "{role}: {said}");
        }
    }
    ensure!(!lost.exists(), "no new key is made where an old one is missing");
    Ok(())
}
