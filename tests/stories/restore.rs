//! A backup is restored: what DingTalk has moved on, so nothing is sent before a person says so, and then everything ends as
//! the source says.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::console::Browser;
use crate::staff::{mobile, replace, somebody};
use crate::world::World;

impl World {
    async fn target_view(&self) -> anyhow::Result<Value> {
        Ok(self.rest("/targets").await?["data"][0].clone())
    }

    /// The titles that DingTalk has, by mobile number.
    async fn titles(&self) -> anyhow::Result<Vec<(String, String)>> {
        let users = self.simulator.users().await?;
        let text = |user: &Value, name: &str| user[name].as_str().unwrap_or_default().to_owned();
        let mut titles: Vec<_> = users.iter().map(|user| (text(user, "mobile"), text(user, "title"))).collect();
        titles.sort();
        Ok(titles)
    }
}

fn titles(of: &[(usize, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(number, title)| (mobile(*number), (*title).to_owned())).collect()
}

#[tokio::test]
async fn a_restored_backup_sends_nothing_until_somebody_has_looked() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let mut people = Vec::new();
    for number in 1..=2 {
        people.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    world.server.stop().await?;
    world.database.back_up().await?;
    world.server.restart().await?;
    ensure!(world.target_view().await?["mode"] == "live", "the same database is not a restored one");
    world.change(&people[0], replace("title", "Head")).await?;
    world.join(&somebody(3)).await?;
    world.settled().await?;
    let afterwards = titles(&[(1, "Head"), (2, ""), (3, "")]);
    ensure!(world.titles().await? == afterwards, "{:?}", world.titles().await?);

    world.server.stop().await?;
    world.database.restore().await?;
    world.server.restart().await?;
    let view = world.target_view().await?;
    let reason = view["paused_reason"].as_str().context("a reason")?;
    ensure!(view["mode"] == "paused" && reason.contains("restored or copied"), "{view}");
    ensure!(world.logs().contains("the database was restored or copied"), "the log says so");
    let shown = world.text(&["target", "list"]).await?;
    ensure!(shown.contains("paused") && shown.contains("restored or copied"), "{shown}");
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let browser = Browser { http, base: world.server.base_url() };
    let made = world.cli(&["operator", "create", "maria", "--tenant", "acme"]).await?;
    let me = browser.sign_in("maria", made["password"].as_str().context("a password")?).await?;
    for page in ["/console", "/console/held"] {
        let text = browser.get(page, &me).await?.text().await?;
        ensure!(text.contains("restored or copied"), "{page}: {text}");
    }
    let log = world.rest("/changes?limit=200").await?;
    let told = log["data"].as_array().context("a log")?.iter().any(|entry| entry["operation"] == "target_paused");
    ensure!(told, "{log}");

    // In rehearsal it is seen what the old state would make of DingTalk.
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    ensure!(world.target_view().await?["paused_reason"].is_null(), "a person has decided");
    let standing = world.until_state(&people[0], "held").await?;
    let lines = standing["proposal"]["lines"].to_string();
    ensure!(lines.contains("title") && lines.contains("Head"), "{standing}");
    world.until_state(&people[1], "in_step").await?;

    // The source sends again what it had sent; the third person is new to the directory, and has an account.
    world.change(&people[0], replace("title", "Head")).await?;
    let third = world.join(&somebody(3)).await?;
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    world.until_state(&people[0], "in_step").await?;
    let standing = world.until_state(&third, "needs_attention").await?;
    let account = world.userid(3).await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains(&account)), "{standing}");
    ensure!(world.titles().await? == afterwards, "{:?}", world.titles().await?);
    let target = world.target().await?;
    let link = json!({ "resource_id": third, "remote_id": account, "reason": "made after the backup" });
    let made = world.rest_of(&world.tenant)?.post(&format!("/targets/{target}/links"), &link).await?;
    ensure!(made.status == StatusCode::CREATED, "{} {}", made.status, made.body);
    world.until_state(&third, "in_step").await?;
    ensure!(world.titles().await? == afterwards, "{:?}", world.titles().await?);
    // Another start of the same database pauses nothing.
    world.server.stop().await?;
    world.server.restart().await?;
    ensure!(world.target_view().await?["mode"] == "live", "it is known by now");
    Ok(())
}
