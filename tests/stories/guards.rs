//! Guards that no number of people can pass by: whoever the organisation cannot do without.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::staff::{enterprise, replace, somebody, with};
use crate::world::World;

#[tokio::test]
async fn an_administrator_goes_when_two_people_say_so() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    // Nobody has told Rollcall: it has never scanned the organisation.
    let admin = world.userid(1).await?;
    world.simulator.edit(&json!({ "action": "update_user", "userid": admin, "admin_level": 2 })).await?;
    for id in &ids[..2] {
        world.set_active(id, false).await?;
    }
    let held = world.until_state(&ids[0], "held").await?;
    world.until_state(&ids[1], "gone").await?;
    ensure!(held["held_by"] == "guard:administrators.lost", "{held}");
    let reason = held["reason"].as_str().context("a reason")?;
    ensure!(reason.contains("administers the organisation") && reason.contains("two people"), "{reason}");
    ensure!(world.member(1).await?.is_some() && world.member(2).await?.is_none());
    let target = world.target().await?;
    let guards = world.rest(&format!("/targets/{target}/guards")).await?;
    let guard =
        guards["guards"].as_array().and_then(|all| all.iter().find(|one| one["guard"] == "administrators.lost"));
    let guard = guard.context("the guard")?;
    ensure!(guard["limit"].is_null() && guard["open"][0]["held"] == 1, "{guard}");

    // Nor can one person alone remove them.
    let api = world.rest_of(&world.tenant)?;
    let body = json!({ "reason": "Dismissed." });
    let reply = api.post(&format!("/users/{}/remove-at-once", ids[0]), &body).await?;
    ensure!(reply.status == StatusCode::ACCEPTED, "{} {}", reply.status, reply.body);
    world.settled().await?;
    ensure!(world.member(1).await?.is_some() && world.standing(&ids[0]).await?["state"] == "held");

    let plan = world.shell(&["plan", "--json"]).await?;
    let made: Value = serde_json::from_str(&plan.stdout).context("a plan")?;
    let id = made["plan"]["id"].as_str().context("its id")?.to_owned();
    world.cli(&["release", &id, "--reason", "She has left.", "--by", "ann"]).await?;
    let alone = world.shell(&["release", &id, "--approve", "--by", "ann"]).await?;
    ensure!(!alone.status.success(), "{}", alone.stdout);
    world.cli(&["release", &id, "--approve", "--by", "bob"]).await?;
    world.cli(&["apply", &id]).await?;
    world.until_state(&ids[0], "gone").await?;
    ensure!(world.member(1).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_manager_of_many_is_held() -> anyhow::Result<()> {
    let world = World::start().await?;
    let boss = world.join(&somebody(1)).await?;
    let mut reports = Vec::new();
    for number in 2..=4 {
        reports.push(world.join(&with(somebody(number), "manager", json!({ "value": boss }))).await?);
    }
    world.settled().await?;
    let limits = world.folder().join("limits.json");
    std::fs::write(&limits, r#"{ "managers.lost": { "floor": 2, "share": 0 } }"#)?;
    world.cli(&["guards", "set", &limits.to_string_lossy()]).await?;
    world.set_active(&boss, false).await?;
    let held = world.until_state(&boss, "held").await?;
    let reason = held["reason"].as_str().context("a reason")?;
    ensure!(reason.contains("managers.lost: 3 people report to somebody who leaves, more than 2"), "{reason}");
    let shown = world.text(&["guards"]).await?;
    ensure!(shown.contains("managers.lost: 3 people report") && shown.contains("administrators.lost"), "{shown}");
    // The source gives them another manager, and somebody tries again.
    for id in &reports[..2] {
        world.change(id, replace(&enterprise("manager.value"), reports[2].as_str())).await?;
    }
    world.settled().await?;
    world.retry(&boss).await?;
    world.until_state(&boss, "gone").await?;
    Ok(())
}

#[tokio::test]
async fn a_source_that_sends_half_a_list_removes_nobody() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=6 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    // As the server has noted it yesterday.
    sqlx::query(
        "INSERT INTO source_sizes (tenant_id, source_id, at, active)
         SELECT tenant_id, id, now() - interval '25 hours', 6 FROM sources",
    )
    .execute(world.database.pool())
    .await?;
    world.cli(&["pause"]).await?;
    for id in &ids[..3] {
        // The source is served as ever.
        world.set_active(id, false).await?;
    }
    world.cli(&["resume"]).await?;
    for id in &ids[..3] {
        let held = world.until_state(id, "held").await?;
        let reason = held["reason"].as_str().unwrap_or_default();
        ensure!(reason.contains("3 of the 6 people of yesterday are missing, more than 2"), "{held}");
    }
    ensure!(world.simulator.users().await?.len() == 6, "nobody was removed");
    // It sends the rest of its list.
    for id in &ids[1..3] {
        world.set_active(id, true).await?;
    }
    world.settled().await?;
    world.retry(&ids[0]).await?;
    world.until_state(&ids[0], "gone").await?;
    ensure!(world.simulator.users().await?.len() == 5);
    Ok(())
}

#[tokio::test]
async fn what_a_target_may_be_sent_in_a_day_is_used_up() -> anyhow::Result<()> {
    let world = World::start().await?;
    let first = world.join(&somebody(1)).await?;
    world.settled().await?;
    world.cli(&["target", "set", "dingtalk", "--set", "calls_per_day=2"]).await?;
    let second = world.join(&somebody(2)).await?;
    world.until_state(&second, "in_step").await?;
    let third = world.join(&somebody(3)).await?;
    let waits = world.until_state(&third, "waiting").await?;
    let reason = waits["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("2 calls that the target may be sent today are used up"), "{waits}");
    world.set_active(&first, false).await?;
    world.until_state(&first, "gone").await?;

    // A plan says what it needs, and what is left.
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    world.retry(&third).await?;
    world.until_state(&third, "held").await?;
    let plan = world.shell(&["plan"]).await?;
    let arithmetic = "quota: 1 calls, more than the 0 of 2 that are left today";
    ensure!(plan.stdout.contains(arithmetic) && plan.stdout.contains("0 are left of what it may be sent."), "{plan:?}");
    world.cli(&["target", "set", "dingtalk", "--set", "calls_per_day=2000"]).await?;
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    world.until_state(&third, "in_step").await?;
    Ok(())
}
