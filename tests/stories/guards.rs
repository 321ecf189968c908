//! Guards that no number of people can pass by: whoever the organisation cannot do without.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::staff::somebody;
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
    let guard = guards["guards"].as_array().and_then(|all| all.iter().find(|one| one["guard"] == "administrators.lost"));
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
