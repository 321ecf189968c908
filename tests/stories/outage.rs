//! Everything that can go wrong between us and DingTalk, and the same end as without it.

use std::time::Duration;

use anyhow::ensure;
use reqwest::Method;
use rollcall_tests::wait_until;
use serde_json::{Value, json};

use crate::company::Company;
use crate::drivers::Driver;
use crate::idp::Idp;
use crate::setup::Setup;
use crate::world::World;

const SEED: u64 = 77_003;
const PATIENCE: Duration = Duration::from_mins(2);

async fn world_of(driver: Driver) -> anyhow::Result<World> {
    let setup = Setup { profile: driver.profile(), client: driver.client(), ..Setup::default() };
    let world = World::with(setup).await?;
    world.rejoining_needs_no_consent().await?;
    world.nothing_is_too_much().await?;
    Ok(world)
}

/// Small chances of everything, on every call that concerns people and departments.
fn bad_weather() -> Vec<Value> {
    let rule = |kind: Value, after_commit: bool, probability: f64, seed: u64| {
        json!({
            "path": "/topapi/v2", "kind": kind, "after_commit": after_commit, "probability": probability,
            "seed": SEED + seed,
        })
    };
    vec![
        rule(json!("down"), false, 0.05, 1),
        rule(json!("down"), true, 0.05, 2),
        rule(json!("timeout"), true, 0.04, 3),
        rule(json!({ "errcode": -1 }), false, 0.05, 4),
        rule(json!({ "http": 503 }), false, 0.03, 5),
        rule(json!({ "http": 502 }), true, 0.03, 6),
        rule(json!("malformed"), true, 0.03, 7),
        rule(json!("token_revoked"), false, 0.02, 8),
        rule(json!({ "latency": { "ms": 20, "jitter_ms": 200 } }), false, 0.1, 9),
    ]
}

#[tokio::test]
async fn faults_of_every_kind_change_nothing_about_the_end() -> anyhow::Result<()> {
    println!("seed {SEED}");
    let driver = Driver::OktaCatalogue;
    let world = world_of(driver).await?;
    for rule in bad_weather() {
        world.simulator.add_fault(&rule).await?;
    }
    let mut idp = Idp::new(driver, world.scim()?);
    let chapters = Company::chapters(70, 10);
    for chapter in &chapters {
        idp.push(chapter).await?;
    }
    // Most of it happens in the storm; what has failed four times in a row waits for long, so the weather clears.
    wait_until(PATIENCE, "forty calls have failed", async || {
        Ok((world.simulator.stats().await?.failed > 40).then_some(()))
    })
    .await?;
    world.simulator.clear_faults().await?;
    world.settled_within(PATIENCE).await?;
    world.expect_at_dingtalk(&chapters[3].at_dingtalk()).await?;
    world.expect_in_directory(&chapters[3].in_directory()).await
}

#[tokio::test]
async fn dingtalk_is_away_and_comes_back() -> anyhow::Result<()> {
    let driver = Driver::Entra;
    let world = world_of(driver).await?;
    let mut idp = Idp::new(driver, world.scim()?);
    let chapters = Company::chapters(60, 10);
    idp.push(&chapters[0]).await?;
    wait_until(PATIENCE, "a few people are there", async || {
        Ok((world.simulator.users().await?.len() > 10).then_some(()))
    })
    .await?;
    let target = world.target().await?;
    let stops = async || -> anyhow::Result<Value> { Ok(world.rest("/targets").await?["data"][0]["stops"].clone()) };
    for kind in [json!("down"), json!({ "http": 503 })] {
        world.simulator.add_fault(&json!({ "kind": kind })).await?;
        wait_until(PATIENCE, "the target is left alone", async || Ok((stops().await? != json!([])).then_some(())))
            .await?;
        let stop = stops().await?[0].clone();
        ensure!(stop["cause"] == "outage" && stop["kind"].is_null() && stop["until"].is_string(), "{stop}");
        ensure!(stop["advice"].as_str().is_some_and(|advice| advice.contains("Check the network")), "{stop}");
        // The source does not notice: it is served as ever.
        idp.push(&chapters[1]).await?;
        world.expect_in_directory(&chapters[1].in_directory()).await?;
        world.simulator.clear_faults().await?;
        // Somebody does not wait for the clock; one answer, and everything goes on.
        world.rest_of(&world.tenant)?.post(&format!("/targets/{target}/try"), &json!({})).await?;
        wait_until(PATIENCE, "it goes on", async || Ok((stops().await? == json!([])).then_some(()))).await?;
    }
    // Tokens are gone as well, as after an incident.
    world.simulator.control(Method::POST, "tokens/revoke", None).await?;
    idp.push(&chapters[2]).await?;
    idp.push(&chapters[3]).await?;
    world.settled_within(PATIENCE).await?;
    world.expect_at_dingtalk(&chapters[3].at_dingtalk()).await
}

#[tokio::test]
async fn throttling_slows_down_and_blames_nobody() -> anyhow::Result<()> {
    let driver = Driver::OktaWizard;
    let world = world_of(driver).await?;
    // Bursts: thirty calls pass, four are throttled; once the whole platform is busy.
    for (skip, kind) in [(5, "app"), (40, "platform"), (80, "app"), (120, "app")] {
        let rule = json!({ "path": "/topapi", "kind": { "throttled": kind }, "skip": skip, "times": 4 });
        world.simulator.add_fault(&rule).await?;
    }
    let mut idp = Idp::new(driver, world.scim()?);
    let [founded, changed, ..] = Company::chapters(60, 10);
    idp.push(&founded).await?;
    idp.push(&changed).await?;
    world.settled_within(PATIENCE).await?;
    let stats = world.simulator.stats().await?;
    ensure!(stats.throttled >= 12, "nobody was throttled: {stats:?}");
    world.expect_at_dingtalk(&changed.at_dingtalk()).await?;
    ensure!(world.deliveries("needs_attention").await?.is_empty(), "somebody is blamed for a throttle");
    Ok(())
}
