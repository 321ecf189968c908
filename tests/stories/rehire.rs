//! Accounts that go and come back.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::drivers::GROUP;
use crate::staff::{replace, somebody};
use crate::world::World;

#[tokio::test]
async fn a_rehire_gets_a_new_userid_and_keeps_the_memberships() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rejoining_needs_no_consent().await?;
    let id = world.join(&somebody(1)).await?;
    let group = json!({ "schemas": [GROUP], "displayName": "Team", "members": [{ "value": id }] });
    let scim = world.scim()?;
    let group = scim.expect(StatusCode::CREATED, Method::POST, "/Groups", &group).await?.text("/id")?.to_owned();
    let mut userids = Vec::new();
    for _ in 0..3 {
        world.until_state(&id, "in_step").await?;
        userids.push(world.userid(1).await?);
        world.set_active(&id, false).await?;
        world.until_state(&id, "gone").await?;
        ensure!(world.member(1).await?.is_none(), "the leaver is gone");
        // Entra does not send memberships again after a return.
        let team = scim.get(&format!("/Groups/{group}")).await?;
        ensure!(team.body["members"][0]["value"] == id.as_str(), "the membership is kept: {}", team.body);
        world.set_active(&id, true).await?;
    }
    world.until_state(&id, "in_step").await?;
    userids.push(world.userid(1).await?);
    userids.sort_unstable();
    userids.dedup();
    ensure!(userids.len() == 4, "a userid was used twice: {userids:?}");
    Ok(())
}

#[tokio::test]
async fn a_deleted_person_leaves_and_may_be_made_anew() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rejoining_needs_no_consent().await?;
    let first = world.join(&somebody(1)).await?;
    world.until_state(&first, "in_step").await?;
    let userid = world.userid(1).await?;
    world.scim()?.expect(StatusCode::NO_CONTENT, Method::DELETE, &format!("/Users/{first}"), &json!(null)).await?;
    world.until_state(&first, "gone").await?;
    ensure!(world.member(1).await?.is_none(), "the account is gone");
    let second = world.join(&somebody(1)).await?;
    ensure!(second != first, "another resource");
    world.until_state(&second, "in_step").await?;
    ensure!(world.userid(1).await? != userid, "another account");
    Ok(())
}

#[tokio::test]
async fn an_account_deleted_by_hand_is_made_anew_on_the_next_change() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rejoining_needs_no_consent().await?;
    let id = world.join(&somebody(1)).await?;
    world.until_state(&id, "in_step").await?;
    let userid = world.userid(1).await?;
    world.simulator.edit(&json!({ "action": "delete_user", "userid": userid })).await?;
    world.change(&id, replace("title", "Analyst")).await?;
    world.until_state(&id, "in_step").await?;
    let member = world.member(1).await?.unwrap_or_default();
    ensure!(member["title"] == "Analyst" && member["userid"] != userid.as_str(), "{member}");
    // Whoever is gone already needs no deletion.
    let userid = world.userid(1).await?;
    world.simulator.edit(&json!({ "action": "delete_user", "userid": userid })).await?;
    world.set_active(&id, false).await?;
    world.until_state(&id, "gone").await?;
    Ok(())
}

#[tokio::test]
async fn who_leaves_before_they_have_arrived_never_arrives() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.cli(&["pause"]).await?;
    let id = world.join(&somebody(1)).await?;
    world.set_active(&id, false).await?;
    world.cli(&["resume"]).await?;
    world.until_state(&id, "gone").await?;
    ensure!(world.all_calls().await?.iter().all(|call| call["api"] != "/topapi/v2/user/create"), "nobody was made");
    Ok(())
}
