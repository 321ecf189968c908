//! The server is killed again and again while it is being pushed to and while it projects. Nothing that it
//! acknowledged is lost, and nothing is made twice.

use std::time::Duration;

use anyhow::ensure;
use rollcall_tests::wait_until;

use crate::company::Company;
use crate::drivers::Driver;
use crate::endpoint::{Endpoint, Signpost};
use crate::idp::Idp;
use crate::random::Random;
use crate::setup::Setup;
use crate::world::World;

const SEED: u64 = 20_260_314;
const KILLS: u64 = 10;
/// Requests answered and calls made between two kills, at most. Together the kills span more than the push.
const SPAN: u64 = 130;
const PATIENCE: Duration = Duration::from_mins(2);

/// Requests that the client got answers to, and calls that DingTalk got.
async fn progress(world: &World, scim: &Endpoint) -> anyhow::Result<u64> {
    Ok(scim.acknowledged() + world.simulator.stats().await?.calls)
}

/// Kills the server at random moments of progress and starts it again.
async fn kill_again_and_again(world: &mut World, scim: &Endpoint, signpost: &Signpost) -> anyhow::Result<()> {
    let mut random = Random::new(SEED);
    for kill in 1..=KILLS {
        let now = progress(world, scim).await?;
        let moment = now + 1 + random.below(SPAN);
        println!("kill {kill} of seed {SEED}: at {moment}, now at {now}");
        // Towards the end there may be too little left to do: then the kill finds the server at rest.
        let reached = wait_until(Duration::from_secs(15), "the moment of the kill", async || {
            Ok((progress(world, scim).await? >= moment).then_some(()))
        });
        if reached.await.is_err() {
            println!("kill {kill}: the moment did not come, killing all the same");
        }
        world.server.kill().await?;
        world.server.restart().await?;
        signpost.send_replace(world.scim_client(&world.tenant)?);
    }
    Ok(())
}

#[tokio::test]
async fn ten_kills_lose_nothing_and_double_nothing() -> anyhow::Result<()> {
    let driver = Driver::EntraWithFlag;
    let setup = Setup { profile: driver.profile(), client: driver.client(), ..Setup::default() };
    let mut world = World::with(setup).await?;
    world.rejoining_needs_no_consent().await?;
    world.nothing_is_too_much().await?;
    let (scim, signpost) = Endpoint::movable(world.scim_client(&world.tenant)?);
    let chapters = Company::chapters(100, 12);
    let last = chapters[3].clone();
    let mut idp = Idp::new(driver, scim.clone());
    let push = async {
        for chapter in &chapters {
            idp.push(chapter).await?;
        }
        anyhow::Ok(())
    };
    let kills = kill_again_and_again(&mut world, &scim, &signpost);
    tokio::try_join!(push, kills)?;
    world.settled_within(PATIENCE).await?;
    // Reading the states fails on any duplicate: job number, mobile number, department path.
    world.expect_in_directory(&last.in_directory()).await?;
    world.expect_at_dingtalk(&last.at_dingtalk()).await?;
    let blamed = world.deliveries("needs_attention").await?;
    ensure!(blamed.is_empty(), "somebody is blamed for a kill: {blamed:?}");
    Ok(())
}
