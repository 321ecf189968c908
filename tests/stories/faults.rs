//! Values that DingTalk does not take: the person is helped as far as possible, the attribute is named, and a mended
//! value is taken up by itself.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::staff::{MOBILE, mobile, replace, somebody};
use crate::world::World;

fn reason(standing: &Value) -> &str {
    standing["reason"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_title_that_is_too_long_costs_nobody_their_account() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut person = somebody(1);
    person["title"] = json!("x".repeat(201));
    let id = world.join(&person).await?;
    let standing = world.until_state(&id, "needs_attention").await?;
    ensure!(reason(&standing).contains("title") && reason(&standing).contains("200"), "{standing}");
    let member = world.member(1).await?.context("the person is at DingTalk")?;
    ensure!(member["title"].is_null(), "without the title: {member}");
    world.change(&id, replace("title", "x".repeat(200))).await?;
    let standing = world.until_state(&id, "in_step").await?;
    ensure!(standing["reason"].is_null(), "nothing is said any more: {standing}");
    let member = world.member(1).await?.context("the person is at DingTalk")?;
    ensure!(member["title"].as_str().map(str::len) == Some(200), "with the title: {member}");
    Ok(())
}

#[tokio::test]
async fn without_a_usable_mobile_number_there_is_no_account_until_there_is_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    for (number, value, word) in
        [(1, None, "no mobile"), (2, Some("ext. 4711"), "number"), (3, Some("5551234"), "country")]
    {
        let mut person = somebody(number);
        person["phoneNumbers"] = value.map_or(json!([]), |value| json!([{ "type": "mobile", "value": value }]));
        let id = world.join(&person).await?;
        let standing = world.until_state(&id, "needs_attention").await?;
        ensure!(reason(&standing).contains(word), "{word:?} is not said: {standing}");
        ensure!(reason(&standing).contains("phoneNumbers"), "the SCIM path is not said: {standing}");
        ensure!(world.member(number).await?.is_none(), "somebody {number} cannot be there");
        world.change(&id, replace(MOBILE, mobile(number))).await?;
        world.until_state(&id, "in_step").await?;
        ensure!(world.member(number).await?.is_some(), "somebody {number} must be there");
    }
    Ok(())
}

#[tokio::test]
async fn a_number_that_is_taken_names_who_has_it_and_is_free_when_they_leave() -> anyhow::Result<()> {
    let world = World::start().await?;
    let holder = world.join(&somebody(1)).await?;
    world.until_state(&holder, "in_step").await?;
    let mut second = somebody(2);
    second["phoneNumbers"][0]["value"] = json!(mobile(1));
    let second = world.join(&second).await?;
    let standing = world.until_state(&second, "needs_attention").await?;
    ensure!(standing["error_class"] == "conflict", "{standing}");
    ensure!(reason(&standing).contains(&holder), "the reason names who has the number: {standing}");

    let mut stranger = somebody(3);
    stranger["phoneNumbers"][0]["value"] = json!("13955550000");
    let by_hand = json!({
        "action": "create_user", "userid": "stranger", "name": "A Stranger", "mobile": "13955550000", "dept_id_list": "1",
    });
    world.simulator.edit(&by_hand).await?;
    let third = world.join(&stranger).await?;
    let standing = world.until_state(&third, "needs_attention").await?;
    ensure!(reason(&standing).contains("stranger"), "the reason names the account: {standing}");

    // A mended number, and a number that becomes free because its holder leaves.
    world.change(&third, replace(MOBILE, mobile(3))).await?;
    world.until_state(&third, "in_step").await?;
    world.rejoining_needs_no_consent().await?;
    world.nothing_is_too_much().await?;
    world.set_active(&holder, false).await?;
    world.until_state(&second, "in_step").await?;
    ensure!(world.member(2).await?.is_some(), "the second person has the number now");
    Ok(())
}

#[tokio::test]
async fn one_bad_record_stops_nobody_else() -> anyhow::Result<()> {
    let world = World::start().await?;
    for number in 1..=30 {
        let mut person = somebody(number);
        match number % 3 {
            0 => person["phoneNumbers"] = json!([]),
            1 => person["displayName"] = json!("n".repeat(81)),
            _ => {}
        }
        world.join(&person).await?;
    }
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 10, "ten are well:\n{}", world.report().await);
    let blamed = world.deliveries("needs_attention").await?;
    ensure!(blamed.len() == 20 && blamed.iter().all(|standing| !reason(standing).is_empty()), "{blamed:?}");
    Ok(())
}
