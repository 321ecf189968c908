//! The department tree: parents first, renamed in place, emptied ones removed from the leaf upwards.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::staff::{enterprise, replace, somebody, with};
use crate::world::World;

fn placed(number: usize, organization: &str, division: &str, department: &str) -> Value {
    with(with(with(somebody(number), "organization", organization), "division", division), "department", department)
}

/// The ids of DingTalk's departments by name; in these stories names do not repeat.
async fn departments(world: &World) -> anyhow::Result<BTreeMap<String, i64>> {
    let mut found = BTreeMap::new();
    for department in world.simulator.departments().await? {
        let id = department["dept_id"].as_i64().context("a department without an id")?;
        let name = department["name"].as_str().context("a department without a name")?.to_owned();
        if department["parent_id"].is_number() {
            ensure!(found.insert(name, id).is_none(), "a department is there twice: {department}");
        }
    }
    Ok(found)
}

/// The departments that an API was called for with success, in the order of the calls.
async fn order(world: &World, api: &str) -> anyhow::Result<Vec<i64>> {
    let calls = world.committed(api).await?;
    Ok(calls.iter().filter_map(|call| call["dept_id"].as_i64()).collect())
}

const CREATE: &str = "/topapi/v2/department/create";
const UPDATE: &str = "/topapi/v2/department/update";
const DELETE: &str = "/topapi/v2/department/delete";

#[tokio::test]
async fn parents_come_first_and_emptied_ones_go_leaf_first() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.nothing_is_too_much().await?;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(world.join(&placed(number, "Acme", "Engineering", "Platform")).await?);
    }
    world.settled().await?;
    let found = departments(&world).await?;
    ensure!(found.len() == 3, "three levels: {found:?}");
    // A department's parent must exist when it is made, so one creation each in this order is the only way.
    ensure!(order(&world, CREATE).await?.len() == 3, "each was made once");
    let at = world.dingtalk_state().await?;
    ensure!(at.departments.contains("Acme/Engineering/Platform"), "{at:?}");

    // All of it at once: a department that is wanted again while it goes may be refused, and then stays for a while.
    world.cli(&["pause"]).await?;
    for id in &ids {
        world.change(id, replace(&enterprise("division"), "Business")).await?;
        world.change(id, replace(&enterprise("department"), "Sales")).await?;
        world.change(id, replace(&enterprise("organization"), "Other")).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    let at = world.dingtalk_state().await?;
    let wanted = ["Other", "Other/Business", "Other/Business/Sales"].map(str::to_owned);
    ensure!(at.departments == wanted.into(), "only what is needed is left: {at:?}\n{}", world.report().await);
    // DingTalk removes only what is empty, so leaf first is the only way that is never refused.
    let calls = world.all_calls().await?;
    let mut removals = calls.iter().filter(|call| call["api"] == DELETE);
    ensure!(removals.all(|call| call["committed"] == true), "a department was to go that was not empty: {calls:?}");
    ensure!(!order(&world, DELETE).await?.is_empty() || !order(&world, UPDATE).await?.is_empty(), "how did they go?");
    Ok(())
}

#[tokio::test]
async fn a_renamed_department_keeps_its_id() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=40 {
        ids.push(world.join(&placed(number, "Acme", "Engineering", "Quality")).await?);
    }
    world.settled().await?;
    let before = departments(&world).await?;
    let made = order(&world, CREATE).await?.len();
    // The source changes everybody's department; while sending is paused all of it arrives.
    world.cli(&["pause"]).await?;
    for id in &ids {
        world.change(id, replace(&enterprise("department"), "Quality and Test")).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    let after = departments(&world).await?;
    ensure!(after.get("Quality and Test") == before.get("Quality"), "another id: {before:?} became {after:?}");
    ensure!(!after.contains_key("Quality"), "the old name is still there: {after:?}");
    ensure!(order(&world, CREATE).await?.len() == made, "nothing was created");
    ensure!(order(&world, DELETE).await?.is_empty(), "nothing was removed");
    Ok(())
}

#[tokio::test]
async fn a_renamed_division_keeps_its_departments() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=12 {
        let department = if number % 2 == 0 { "Platform" } else { "Quality" };
        ids.push(world.join(&placed(number, "Acme", "Engineering", department)).await?);
    }
    world.settled().await?;
    let before = departments(&world).await?;
    world.cli(&["pause"]).await?;
    for id in &ids {
        world.change(id, replace(&enterprise("division"), "Technology")).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    let after = departments(&world).await?;
    for (old, new) in [("Engineering", "Technology"), ("Platform", "Platform"), ("Quality", "Quality")] {
        ensure!(after.get(new) == before.get(old), "{old} lost its id: {before:?} became {after:?}");
    }
    ensure!(after.len() == before.len(), "{before:?} became {after:?}");
    Ok(())
}

#[tokio::test]
async fn a_rename_that_trickles_in_ends_with_the_new_name_alone() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=10 {
        ids.push(world.join(&placed(number, "Acme", "Engineering", "Quality")).await?);
    }
    world.settled().await?;
    for id in &ids {
        world.change(id, replace(&enterprise("department"), "Quality and Test")).await?;
    }
    world.settled().await?;
    let at = world.dingtalk_state().await?;
    let wanted = ["Acme", "Acme/Engineering", "Acme/Engineering/Quality and Test"].map(str::to_owned);
    ensure!(at.departments == wanted.into(), "{at:?}\n{}", world.report().await);
    ensure!(at.people.values().all(|member| member.department == "Acme/Engineering/Quality and Test"), "{at:?}");
    Ok(())
}

#[tokio::test]
async fn people_move_and_a_department_that_fills_again_stays() -> anyhow::Result<()> {
    let world = World::start().await?;
    let one = world.join(&placed(1, "", "Business", "Sales")).await?;
    let two = world.join(&placed(2, "", "Business", "Marketing")).await?;
    world.settled().await?;
    for (id, department) in [(&one, "Marketing"), (&two, "Sales"), (&one, "Sales"), (&one, "Support")] {
        world.change(id, replace(&enterprise("department"), department)).await?;
    }
    world.settled().await?;
    let at = world.dingtalk_state().await?;
    let department = |number: usize| at.people.get(&crate::staff::job_number(number)).map(|m| m.department.as_str());
    ensure!(department(1) == Some("Business/Support"), "{at:?}");
    ensure!(department(2) == Some("Business/Sales"), "{at:?}");
    let wanted = ["Business", "Business/Sales", "Business/Support"].map(str::to_owned);
    ensure!(at.departments == wanted.into(), "{at:?}\n{}", world.report().await);
    Ok(())
}
