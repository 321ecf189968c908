//! People who must be asked before they become members: DingTalk answers 40103, and nothing can be seen of them until
//! they accept.

use anyhow::ensure;
use reqwest::Method;
use serde_json::json;

use crate::staff::{mobile, replace, somebody};
use crate::world::World;

/// Somebody whose privacy setting makes DingTalk ask them.
async fn reserved(world: &World, number: usize) -> anyhow::Result<String> {
    let about = json!({ "mobile": mobile(number), "privacy": true });
    world.simulator.control(Method::POST, "people", Some(&about)).await?;
    let id = world.join(&somebody(number)).await?;
    let standing = world.until_state(&id, "waiting").await?;
    let reason = standing["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("invitation") && !standing["due_at"].is_null(), "it says what it waits for: {standing}");
    Ok(id)
}

#[tokio::test]
async fn an_invited_person_who_accepts_is_in_step() -> anyhow::Result<()> {
    let world = World::start().await?;
    // DingTalk does not promise to keep the userid that we asked for.
    let switch = json!({ "invitation_keeps_userid": false });
    world.simulator.control(Method::PATCH, "switches", Some(&switch)).await?;
    let id = reserved(&world, 1).await?;
    ensure!(world.member(1).await?.is_none(), "nobody is there yet");
    // What changes meanwhile is not forgotten.
    world.change(&id, replace("title", "Analyst")).await?;
    let userid = world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(1).await?.unwrap_or_default();
    ensure!(member["userid"] == userid.as_str() && member["title"] == "Analyst", "{member}");
    // From now on it is an account like any other.
    world.change(&id, replace("title", "Senior Analyst")).await?;
    world.until_state(&id, "in_step").await?;
    ensure!(world.member(1).await?.unwrap_or_default()["title"] == "Senior Analyst");
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    ensure!(world.member(1).await?.is_none(), "the leaver is gone under the id that DingTalk chose");
    Ok(())
}

#[tokio::test]
async fn an_invited_person_who_declines_is_still_waited_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = reserved(&world, 1).await?;
    world.simulator.control(Method::POST, &format!("invitations/{}/decline", mobile(1)), None).await?;
    let before = world.simulator.stats().await?.calls;
    world.retry(&id).await?;
    world.settled().await?;
    let standing = world.standing(&id).await?;
    ensure!(standing["state"] == "waiting", "{standing}");
    ensure!(world.simulator.stats().await?.calls > before, "it was looked at");
    ensure!(world.member(1).await?.is_none(), "nobody is there");
    Ok(())
}

#[tokio::test]
async fn a_second_number_is_a_second_invitation_or_none() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = reserved(&world, 1).await?;
    world.change(&id, replace(crate::staff::MOBILE, mobile(2))).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(1).await?.unwrap_or_default();
    ensure!(member["mobile"] == mobile(2).as_str(), "{member}");
    Ok(())
}

#[tokio::test]
async fn who_leaves_and_returns_on_the_first_day_is_asked() -> anyhow::Result<()> {
    let world = World::start().await?;
    let id = world.join(&somebody(1)).await?;
    world.until_state(&id, "in_step").await?;
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    world.set_active(&id, true).await?;
    let standing = world.until_state(&id, "waiting").await?;
    let reason = standing["reason"].as_str().unwrap_or_default();
    ensure!(reason.contains("within 24 hours"), "it says by which rule: {reason}");
    world.simulator.accept_invitation(&mobile(1)).await?;
    world.retry(&id).await?;
    world.until_state(&id, "in_step").await?;
    Ok(())
}
