//! The same organisation, pushed by four identity providers in their own ways, comes out the same: in the directory,
//! and at DingTalk.
//!
//! Each of the four is compared with what the organisation itself says, so all are equal to each other.

use std::time::Duration;

use anyhow::ensure;
use reqwest::StatusCode;

use crate::company::Company;
use crate::drivers::Driver;
use crate::idp::Idp;
use crate::setup::Setup;
use crate::world::World;

const PEOPLE: usize = 200;
const GROUPS: usize = 40;
const PATIENCE: Duration = Duration::from_mins(2);

async fn push_and_compare(driver: Driver) -> anyhow::Result<()> {
    let setup = Setup { profile: driver.profile(), client: driver.client(), ..Setup::default() };
    let world = World::with(setup).await?;
    world.rejoining_needs_no_consent().await?;
    world.nothing_is_too_much().await?;
    let mut idp = Idp::new(driver, world.scim()?);
    idp.test_connection().await?;
    let [founded, changed, left, last] = Company::chapters(PEOPLE, GROUPS);
    idp.push(&founded).await?;
    world.expect_in_directory(&founded.in_directory()).await?;
    // Changes come while the first accounts are still being made.
    idp.push(&changed).await?;
    world.settled_within(PATIENCE).await?;
    world.expect_at_dingtalk(&changed.at_dingtalk()).await?;
    idp.push(&left).await?;
    idp.push(&last).await?;
    world.settled_within(PATIENCE).await?;
    world.expect_at_dingtalk(&last.at_dingtalk()).await?;
    world.expect_in_directory(&last.in_directory()).await?;
    let uneasy = world.report().await;
    ensure!(uneasy.lines().count() == 1, "everybody is in step: {uneasy}");
    // Pushing the same again changes nothing: no version grows, nothing is sent.
    let before = world.simulator.stats().await?.calls;
    let etag = |reply: rollcall_tests::Reply| reply.etag().map(str::to_owned);
    let path = format!("/Users/{}", idp.id(3)?);
    let first = etag(world.scim()?.get(&path).await?);
    idp.push_everything_again(&last).await?;
    world.settled().await?;
    ensure!(first.is_some() && first == etag(world.scim()?.get(&path).await?), "a version grew without a change");
    ensure!(world.simulator.stats().await?.calls == before, "DingTalk was called although nothing had changed");
    ensure!(world.scim()?.get("/Users?count=0").await?.status == StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn an_app_of_oktas_wizard() -> anyhow::Result<()> {
    push_and_compare(Driver::OktaWizard).await
}

#[tokio::test]
async fn an_app_of_oktas_catalogue() -> anyhow::Result<()> {
    push_and_compare(Driver::OktaCatalogue).await
}

#[tokio::test]
async fn entra_as_it_comes() -> anyhow::Result<()> {
    push_and_compare(Driver::Entra).await
}

#[tokio::test]
async fn entra_with_the_flag_of_2020() -> anyhow::Result<()> {
    push_and_compare(Driver::EntraWithFlag).await
}
