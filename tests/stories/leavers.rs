//! Leavers by the rules of the tenant: in stages, at once, with a successor, and forgotten in the end.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use rollcall_tests::{Reply, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

use crate::staff::{replace, somebody, with};
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);

/// A world whose rules say this of leavers.
async fn world(leavers: Value) -> anyhow::Result<World> {
    let world = World::start().await?;
    world.nothing_is_too_much().await?;
    let mut document = world.rest("/mapping").await?["document"].clone();
    document["leavers"] = json!([leavers]);
    let saved = world.rest_of(&world.tenant)?.put("/mapping", &json!({ "document": document })).await?;
    ensure!(saved.status.is_success(), "{} {}", saved.status, saved.body);
    Ok(world)
}

async fn remove(world: &World, id: &str, body: &Value) -> anyhow::Result<Reply> {
    world.rest_of(&world.tenant)?.post(&format!("/users/{id}/remove-at-once"), body).await
}

#[tokio::test]
async fn one_person_is_removed_at_once() -> anyhow::Result<()> {
    let world = world(json!({ "name": "all", "removed_after_days": 14 })).await?;
    let mut people = Vec::new();
    for number in 1..=2 {
        let id = world.join(&somebody(number)).await?;
        world.until_state(&id, "in_step").await?;
        people.push(id);
    }
    let [first, second] = people.as_slice() else { anyhow::bail!("two people") };
    let reason = json!({ "reason": "Dismissed without notice." });
    for (id, body, status, part) in [
        (first.as_str(), &reason, StatusCode::CONFLICT, "has not left"),
        (first, &json!({ "reason": " " }), StatusCode::BAD_REQUEST, "must say why"),
        (first, &json!({}), StatusCode::BAD_REQUEST, "reason"),
        ("00000000-0000-7000-8000-000000000000", &reason, StatusCode::NOT_FOUND, "does not exist"),
    ] {
        let reply = remove(&world, id, body).await?;
        ensure!(reply.status == status && reply.body.to_string().contains(part), "{} {}", reply.status, reply.body);
    }
    world.set_active(first, false).await?;
    let standing = world.until_state(first, "waiting").await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("removed on")), "{standing}");
    ensure!(world.member(1).await?.is_some(), "the days are not over");
    let reply = remove(&world, first, &reason).await?;
    ensure!(reply.status == StatusCode::ACCEPTED && reply.body == json!({ "targets": 1 }), "{}", reply.body);
    world.until_state(first, "gone").await?;
    ensure!(world.member(1).await?.is_none(), "the account is gone");
    let reply = remove(&world, first, &reason).await?;
    ensure!(reply.status == StatusCode::CONFLICT, "nothing is left to be removed: {}", reply.body);
    // Who and why stays.
    let changes = world.rest(&format!("/changes?resource={first}&limit=200")).await?;
    let noted = changes["data"].as_array().and_then(|all| all.iter().find(|one| one["operation"] == "removed_at_once"));
    let details = &noted.context("it is in the change log")?["details"];
    ensure!(details["reason"] == reason["reason"] && details["by"].as_str().is_some_and(|by| by.starts_with("token ")));

    let name = somebody(2)["userName"].as_str().unwrap_or_default().to_owned();
    let refused = world.shell(&["remove", &name, "--reason", "x"]).await?;
    ensure!(!refused.status.success() && refused.stderr.contains("has not left"), "{}", refused.stderr);
    world.set_active(second, false).await?;
    world.until_state(second, "waiting").await?;
    let done = world.cli(&["remove", &name, "--reason", "Dismissed.", "--by", "maria"]).await?;
    ensure!(done == json!({ "targets": 1 }), "{done}");
    world.until_state(second, "gone").await?;
    ensure!(world.member(2).await?.is_none(), "the account is gone");
    Ok(())
}

#[tokio::test]
async fn a_manager_hands_over() -> anyhow::Result<()> {
    let world = world(json!({ "name": "all", "successor": "user.nickName" })).await?;
    let mut boss = somebody(1);
    boss["nickName"] = somebody(3)["userName"].clone();
    let boss = world.join(&boss).await?;
    let report = world.join(&with(somebody(2), "manager", json!({ "value": boss }))).await?;
    let heir = world.join(&somebody(3)).await?;
    world.settled().await?;
    let manager = async || Ok::<_, anyhow::Error>(world.member(2).await?.unwrap_or_default()["manager_userid"].clone());
    ensure!(manager().await? == world.userid(1).await?.as_str());
    let before = world.rest(&format!("/users/{boss}/handover")).await?;
    ensure!(before["active"] == true && before["reports"][0]["id"] == report.as_str(), "{before}");
    world.set_active(&boss, false).await?;
    world.until_state(&boss, "gone").await?;
    world.settled().await?;
    ensure!(manager().await? == world.userid(3).await?.as_str(), "the report has the successor: {}", manager().await?);
    let after = world.rest(&format!("/users/{boss}/handover")).await?;
    ensure!(after["handovers"][0]["handover"]["successor_id"] == heir.as_str(), "{after}");
    let explained = world.rest(&format!("/users/{boss}/explain")).await?;
    let verdict = explained["verdict"].as_str().unwrap_or_default();
    ensure!(verdict.contains("1 reports to them and 0 departments headed: handed to"), "{verdict}");
    ensure!(world.rest("/handovers?open=true").await?["data"] == json!([]), "nothing is left to nobody");
    // The successor is taken back, and nobody is named.
    world.change(&boss, json!({ "op": "remove", "path": "nickName" })).await?;
    let flagged = world.until_state(&report, "needs_attention").await?;
    ensure!(flagged["error_code"] == "manager_left", "{flagged}");
    ensure!(manager().await?.is_null(), "{}", manager().await?);
    let open = world.rest("/handovers?open=true").await?;
    ensure!(open["data"][0]["problem"] == "nobody" && open["data"][0]["reports"] == 1, "{open}");
    let listed = world.text(&["handovers", "--open"]).await?;
    ensure!(listed.contains("nobody (nobody)"), "{listed}");
    let whole = world.text(&["handovers", &boss]).await?;
    ensure!(whole.contains("the source names no successor") && whole.contains("report somebody.2"), "{whole}");
    Ok(())
}

#[tokio::test]
async fn a_worker_forgets_whose_days_are_over() -> anyhow::Result<()> {
    let mut world = world(json!({ "name": "all", "erased_after_days": 0 })).await?;
    let id = world.join(&somebody(1)).await?;
    world.until_state(&id, "in_step").await?;
    world.change(&id, replace("title", "Keeper of the secret seal")).await?;
    world.until_state(&id, "in_step").await?;
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    // A worker looks when it starts, and then from time to time.
    world.server.restart().await?;
    wait_until(PATIENCE, "the person is erased", async || {
        let reply = world.rest_of(&world.tenant)?.get(&format!("/users/{id}")).await?;
        Ok((reply.status == StatusCode::NOT_FOUND).then_some(()))
    })
    .await?;
    let changes = world.rest(&format!("/changes?resource={id}&limit=200")).await?;
    let operations: Vec<&str> =
        changes["data"].as_array().into_iter().flatten().filter_map(|one| one["operation"].as_str()).collect();
    ensure!(operations.contains(&"erased") && operations.contains(&"create"), "{operations:?}");
    let attempts = world.rest(&format!("/attempts?resource={id}&limit=200")).await?;
    ensure!(attempts["data"].as_array().is_some_and(|all| !all.is_empty()), "what was done stays: {attempts}");
    let told = format!("{changes}{attempts}");
    for secret in ["Keeper", "somebody.1", "Somebody 1"] {
        ensure!(!told.contains(secret), "{secret}: {told}");
    }
    // The source may send the person once more: that is somebody new.
    let again = world.join(&somebody(1)).await?;
    ensure!(again != id);
    Ok(())
}
