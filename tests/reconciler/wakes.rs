//! Whoever waits for something hears of it, also when it comes at the worst moment.

use std::sync::Arc;

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use serde_json::json;

use crate::death::die_at_write;
use crate::fake::{Fate, Gate, refusal};
use crate::world::World;

#[tokio::test]
async fn a_report_with_a_fault_of_its_own_still_hears_of_its_manager() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Nobody can be projected without a number, so the boss comes late.
    let boss = world.person("boss", json!({ "mobile": null })).await?;
    world.person("ann", json!({ "manager": boss.0, "title": "x".repeat(300) })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.set(boss, json!({ "mobile": "13900000001" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["ann"][0].manager, "boss");
    Ok(())
}

#[tokio::test]
async fn a_report_does_not_wait_for_a_manager_whose_account_is_being_changed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let boss = world.person("boss", json!({ "title": "old" })).await?;
    world.settle().await?;
    let gate = Arc::new(Gate::default());
    let refused = refusal(ErrorClass::Invalid, "60112", Some(entity::NAME));
    world.fake.on("update account boss", 1, Fate::RefusedAfter(gate.clone(), refused));
    world.set(boss, json!({ "displayName": "big boss" })).await?;
    world
        .work(World::options("worker"), async {
            gate.reached().await?;
            world.person("ann", json!({ "manager": boss.0 })).await?;
            world.until("ann", "in_step").await?;
            gate.open();
            world.at_rest().await
        })
        .await?;
    assert_eq!(world.standing("boss").await?.state, "needs_attention");
    assert_eq!(world.picture().await?.people["ann"][0].manager, "boss");
    Ok(())
}

#[tokio::test]
async fn an_address_that_changes_hands_reaches_the_one_who_was_refused_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "email": "team@x.test" })).await?;
    world.settle().await?;
    // Two faults, and the other one stands first.
    world.person("bob", json!({ "email": "team@x.test", "title": "x".repeat(300) })).await?;
    world.settle().await?;
    assert_eq!(world.standing("bob").await?.state, "needs_attention");
    world.set(ann, json!({ "email": "ann@x.test" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["bob"][0].email, "team@x.test");
    Ok(())
}

#[tokio::test]
async fn a_number_that_becomes_free_while_somebody_is_refused_it_is_tried_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let old = world.person("old", json!({ "mobile": "13900000001" })).await?;
    world.settle().await?;
    let gate = Arc::new(Gate::default());
    world.fake.on("create account new", 1, Fate::After(gate.clone()));
    world.person("new", json!({ "mobile": "13900000001" })).await?;
    world
        .work(World::options("worker"), async {
            gate.reached().await?;
            world.delete(old).await?;
            world.until("old", "gone").await?;
            gate.open();
            world.at_rest().await
        })
        .await?;
    assert_eq!(world.standing("new").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_worker_that_dies_after_a_deletion_still_tells_who_waited_for_the_number() -> anyhow::Result<()> {
    for table in ["links", "placements", "deliveries"] {
        let world = World::new().await?;
        let old = world.person("old", json!({ "mobile": "13900000001", "department": "Sales" })).await?;
        world.settle().await?;
        world.person("new", json!({ "mobile": "13900000001", "department": "Sales" })).await?;
        world.settle().await?;
        assert_eq!(world.standing("new").await?.state, "needs_attention", "{table}");
        world.delete(old).await?;
        let gate = Arc::new(Gate::default());
        world.fake.on("delete account", 1, Fate::After(gate.clone()));
        assert!(die_at_write(&world, &[table], 1, Some(&gate)).await?, "{table}");
        world.settle().await?;
        assert_eq!(world.standing("new").await?.state, "in_step", "died before it wrote {table}");
    }
    Ok(())
}

#[tokio::test]
async fn who_shares_a_value_with_others_is_not_asked_about_at_every_change() -> anyhow::Result<()> {
    let world = World::new().await?;
    let holder = world.person("holder", json!({ "email": "Desk@x.test" })).await?;
    world.settle().await?;
    let others = ["ann", "bob", "cem"];
    for name in others {
        world.person(name, json!({ "email": "desk@x.test" })).await?;
    }
    world.settle().await?;
    let tries = |world: &World| others.map(|name| world.fake.count(&format!("account {name}")));
    let before = tries(&world);
    for number in 0..3 {
        let passer_by = world.person(&format!("p{number}"), json!({ "email": format!("{number}@x.test") })).await?;
        world.settle().await?;
        world.set(passer_by, json!({ "email": format!("new-{number}@x.test") })).await?;
        world.delete(passer_by).await?;
        world.settle().await?;
    }
    assert_eq!(tries(&world), before, "none of this was about their address");
    world.set(holder, json!({ "email": null })).await?;
    world.settle().await?;
    assert_eq!(tries(&world), before.map(|tries| tries + 1), "now one of them has it, and two have asked");
    Ok(())
}
