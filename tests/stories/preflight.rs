//! What the application may do, told over REST and in the console, and not asked of DingTalk more often than once a minute.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use serde_json::json;

use crate::console::Browser;
use crate::world::World;

#[tokio::test]
async fn what_the_application_may_do_is_told_point_by_point() -> anyhow::Result<()> {
    let world = World::start().await?;
    let path = format!("/targets/{}/preflight", world.target().await?);
    let fault = json!({ "path": "/topapi/role/list", "kind": { "errcode": 60011 } });
    world.simulator.add_fault(&fault).await?;
    let found = world.rest(&path).await?;
    let points = found["points"].as_array().context("points")?;
    let state = |check: &str| {
        let of = |point: &&serde_json::Value| point["check"] == check;
        points.iter().find(of).map(|point| point["state"].as_str().unwrap_or_default())
    };
    for check in ["credentials", "contact range", "readable fields", "writing", "monthly quota"] {
        ensure!(state(check) == Some("ok"), "{check}: {found}");
    }
    ensure!(state("roles") == Some("warning") && found["state"] == "warning", "{found}");
    let calls = world.all_calls().await?.len();
    ensure!(world.rest(&path).await? == found, "it is shown again");
    ensure!(world.all_calls().await?.len() == calls, "DingTalk is not asked again within a minute");

    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let browser = Browser { http, base: world.server.base_url() };
    let made = world.cli(&["operator", "create", "maria"]).await?;
    let me = browser.sign_in("maria", made["password"].as_str().context("a password")?).await?;
    let home = browser.get("/console", &me).await?.text().await?;
    ensure!(home.contains(&format!("/console{path}")), "the home page leads there: {home}");
    let page = browser.get(&format!("/console{path}"), &me).await?;
    ensure!(page.status() == StatusCode::OK, "{}", page.status());
    let page = page.text().await?;
    ensure!(page.contains("contact range") && page.contains(">Warning<"), "{page}");
    Ok(())
}
