//! Managers: set once they have an account, in circles too, and never at the expense of the person.

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::drivers::PATCH_OP;
use crate::endpoint::Endpoint;
use crate::setup::{Setup, Tenant};
use crate::staff::{MOBILE, enterprise, mobile, replace, somebody, with};
use crate::world::World;

fn reports_to(number: usize, manager: &str) -> Value {
    with(somebody(number), "manager", json!({ "value": manager }))
}

/// Fails unless one has the other as manager at DingTalk.
async fn expect_manager(world: &World, of: usize, manager: Option<usize>) -> anyhow::Result<()> {
    let member = world.member(of).await?.unwrap_or_default();
    let wanted = match manager {
        Some(manager) => Value::from(world.userid(manager).await?),
        None => Value::Null,
    };
    ensure!(member["manager_userid"] == wanted, "somebody {of} should have the manager {wanted}: {member}");
    Ok(())
}

#[tokio::test]
async fn a_manager_without_an_account_is_set_when_they_have_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut boss = somebody(1);
    boss["phoneNumbers"] = json!([]);
    let boss = world.join(&boss).await?;
    let report = world.join(&reports_to(2, &boss)).await?;
    world.until_state(&boss, "needs_attention").await?;
    let waiting = world.until_state(&report, "waiting").await?;
    ensure!(waiting["waiting_for"] == boss.as_str(), "it says for whom: {waiting}");
    ensure!(waiting["reason"].as_str().is_some_and(|reason| reason.contains("manager")), "and why: {waiting}");
    expect_manager(&world, 2, None).await?;
    world.change(&boss, replace(MOBILE, mobile(1))).await?;
    world.until_state(&report, "in_step").await?;
    expect_manager(&world, 2, Some(1)).await
}

#[tokio::test]
async fn two_who_manage_each_other_both_arrive() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.cli(&["pause"]).await?;
    let one = world.join(&somebody(1)).await?;
    let two = world.join(&reports_to(2, &one)).await?;
    world.change(&one, replace(&enterprise("manager"), two.as_str())).await?;
    world.cli(&["resume"]).await?;
    world.until_state(&one, "in_step").await?;
    world.until_state(&two, "in_step").await?;
    expect_manager(&world, 1, Some(2)).await?;
    expect_manager(&world, 2, Some(1)).await
}

#[tokio::test]
async fn a_wrong_manager_is_named_while_the_person_is_there() -> anyhow::Result<()> {
    let world = World::start().await?;
    let themselves = world.join(&somebody(1)).await?;
    world.change(&themselves, replace(&enterprise("manager"), themselves.as_str())).await?;
    let unknown = world.join(&reports_to(2, "0000-nobody")).await?;
    for (number, id) in [(1, &themselves), (2, &unknown)] {
        let standing = world.until_state(id, "needs_attention").await?;
        let reason = standing["reason"].as_str().unwrap_or_default();
        ensure!(reason.contains("manager"), "the reason names the attribute: {standing}");
        expect_manager(&world, number, None).await?;
        ensure!(world.member(number).await?.is_some(), "somebody {number} is at DingTalk all the same");
        world.change(id, json!({ "op": "remove", "path": enterprise("manager") })).await?;
        world.until_state(id, "in_step").await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_manager_who_leaves_manages_nobody_and_who_returns_does_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rejoining_needs_no_consent().await?;
    let boss = world.join(&somebody(1)).await?;
    let report = world.join(&reports_to(2, &boss)).await?;
    world.settled().await?;
    expect_manager(&world, 2, Some(1)).await?;
    let before = world.userid(1).await?;
    world.set_active(&boss, false).await?;
    world.until_state(&boss, "gone").await?;
    world.until_state(&report, "in_step").await?;
    expect_manager(&world, 2, None).await?;
    world.set_active(&boss, true).await?;
    world.until_state(&boss, "in_step").await?;
    world.settled().await?;
    ensure!(world.userid(1).await? != before, "a userid is never used twice");
    expect_manager(&world, 2, Some(1)).await?;
    // Without a manager any more, as the source has it.
    world.change(&report, json!({ "op": "remove", "path": enterprise("manager") })).await?;
    world.settled().await?;
    expect_manager(&world, 2, None).await
}

/// A feed knows nobody's id: it pushes whole people in any order and names managers by worker id.
#[tokio::test]
async fn a_feed_names_managers_by_worker_id_before_they_are_there() -> anyhow::Result<()> {
    let world = World::with(Setup { profile: "workday", ..Setup::default() }).await?;
    let worker = |number: usize, manager: Option<&str>| {
        let mut person = somebody(number);
        person["externalId"] = json!(format!("W{number}"));
        manager.map_or(person.clone(), |id| with(person, "manager", json!({ "value": id })))
    };
    let report = world.join(&worker(2, Some("W1"))).await?;
    let standing = world.until_state(&report, "needs_attention").await?;
    ensure!(standing["error_code"] == "manager_unknown", "it says what is missing: {standing}");
    ensure!(world.member(2).await?.is_some(), "the person is there all the same");
    let boss = world.join(&worker(1, None)).await?;
    world.until_state(&report, "in_step").await?;
    expect_manager(&world, 2, Some(1)).await?;
    // The manager gets another worker id, and the next snapshot names somebody else.
    world.change(&boss, replace("externalId", "W1-former")).await?;
    world.until_state(&report, "needs_attention").await?;
    world.join(&worker(3, None)).await?;
    let third = world.join(&with(somebody(4), "manager", json!({ "value": "W3" }))).await?;
    world.change(&report, replace(&enterprise("manager"), "W3")).await?;
    world.until_state(&report, "in_step").await?;
    world.until_state(&third, "in_step").await?;
    expect_manager(&world, 2, Some(3)).await?;
    expect_manager(&world, 4, Some(3)).await
}

/// Two feeds number people by themselves, and what one calls W1 is somebody else to the other.
#[tokio::test]
async fn each_feed_means_those_whom_it_calls_so() -> anyhow::Result<()> {
    let world = World::with(Setup { profile: "workday", ..Setup::default() }).await?;
    world.cli(&["source", "create", "hr", "--profile", "workday", "--tenant", "acme"]).await?;
    let made = world.cli(&["token", "create", "--source", "hr", "--tenant", "acme"]).await?;
    let token = made["token"].as_str().context("no token was shown")?.to_owned();
    let hr = Endpoint::fixed(world.scim_client(&Tenant { scim_token: token, ..world.tenant.clone() })?);
    let hr_changes = async |id: &str, operation: Value| {
        let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
        hr.expect(StatusCode::OK, Method::PATCH, &format!("/Users/{id}"), &body).await
    };
    let mut bosses = Vec::new();
    for (number, id, of_hr) in [(1, "W1", "W2"), (2, "W2", "W1")] {
        let mut person = somebody(number);
        person["externalId"] = json!(id);
        let id = world.join(&person).await?;
        hr_changes(&id, replace("externalId", of_hr)).await?;
        bosses.push(id);
    }
    let third = world.join(&reports_to(3, "W1")).await?;
    let fourth = hr.expect(StatusCode::CREATED, Method::POST, "/Users", &reports_to(4, "W1")).await?;
    let fourth = fourth.text("/id")?.to_owned();
    world.settled().await?;
    expect_manager(&world, 3, Some(1)).await?;
    expect_manager(&world, 4, Some(2)).await?;

    // Who says nothing of the manager leaves the reference to whoever wrote it; who writes the same text means another.
    hr_changes(&third, replace("title", "Analyst")).await?;
    world.settled().await?;
    expect_manager(&world, 3, Some(1)).await?;
    hr_changes(&third, replace(&enterprise("manager"), "W1")).await?;
    world.settled().await?;
    expect_manager(&world, 3, Some(2)).await?;

    // One feed gives a number to somebody else; the other one's numbers stay what they are.
    world.change(&third, replace(&enterprise("manager"), "W1")).await?;
    hr_changes(&bosses[1], replace("externalId", "W9")).await?;
    let standing = world.until_state(&fourth, "needs_attention").await?;
    ensure!(standing["error_code"] == "manager_unknown", "nobody has the number: {standing}");
    hr_changes(&bosses[0], replace("externalId", "W1")).await?;
    world.until_state(&fourth, "in_step").await?;
    world.settled().await?;
    expect_manager(&world, 4, Some(1)).await?;
    expect_manager(&world, 3, Some(1)).await
}
