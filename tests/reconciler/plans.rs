//! Plans: exactly what was read is sent, or nothing; in waves; and what a guard holds only with two people.

use anyhow::Context;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::{Applied, ApplyError, NewPlan, PlanChangeQuery, PlanRow, PlanScope, TargetMode, Wave};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

use crate::world::World;

async fn make(world: &World, held_by: Option<&str>) -> anyhow::Result<Uuid> {
    let scope = PlanScope { resources: Vec::new(), held_by: held_by.map(str::to_owned) };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    Ok(world.store.make_plan(world.tenant, &new).await?)
}

async fn shown(world: &World, plan: Uuid) -> anyhow::Result<PlanRow> {
    world.store.plan(world.tenant, plan).await?.context("no plan")
}

async fn lines(world: &World, plan: Uuid, name: &str) -> anyhow::Result<Value> {
    let all = PlanChangeQuery { limit: 1_000, ..PlanChangeQuery::default() };
    let changes = world.store.plan_changes(world.tenant, plan, &all).await?;
    let change = changes.into_iter().find(|change| change.name.as_deref() == Some(name));
    Ok(change.map(|change| change.proposal).unwrap_or_default())
}

async fn apply(world: &World, plan: Uuid, wave: Wave) -> Result<Applied, ApplyError> {
    world.store.apply_plan(world.tenant, plan, &wave, "ann").await
}

async fn rehearsal(people: &[(&str, &str)]) -> anyhow::Result<(World, Vec<ResourceId>)> {
    let world = World::new().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let mut ids = Vec::new();
    for (name, department) in people {
        ids.push(world.person(name, json!({ "department": department, "title": "Clerk" })).await?);
    }
    world.settle().await?;
    Ok((world, ids))
}

#[tokio::test]
async fn a_plan_says_what_would_be_done_and_is_applied() -> anyhow::Result<()> {
    let (world, _) = rehearsal(&[("ann", "Sales"), ("bob", "Sales")]).await?;
    let plan = make(&world, None).await?;
    let made = shown(&world, plan).await?;
    assert_eq!((made.state.as_str(), made.kind.as_str()), ("ready", "held"));
    assert_eq!(
        made.summary["changes"],
        json!([
            { "kind": "org_unit", "verb": "create", "count": 1 },
            { "kind": "user", "verb": "create", "count": 2 },
        ])
    );
    let ann = lines(&world, plan, "ann").await?;
    assert!(
        ann["lines"].as_array().is_some_and(|lines| {
            lines.contains(&json!({ "attribute": "org_units", "before": null, "after": ["Sales"] }))
                && lines.contains(&json!({ "attribute": "title", "before": null, "after": "Clerk" }))
        }),
        "{ann}"
    );
    assert_eq!(apply(&world, plan, Wave::All).await?, Applied { permitted: 3, withheld: 0 });
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!(picture.people.len(), 2);
    assert_eq!(picture.people["ann"][0].departments, ["/Sales"]);
    let ended = shown(&world, plan).await?;
    assert_eq!((ended.state.as_str(), ended.states), ("applied", json!({ "applied": 3 })));
    assert!(matches!(apply(&world, plan, Wave::All).await, Err(ApplyError::Over(state)) if state == "applied"));
    world.person("late", json!({})).await?;
    world.settle().await?;
    assert_eq!(world.standing("late").await?.state, "held", "the target is still in rehearsal");
    Ok(())
}

#[tokio::test]
async fn a_manager_of_the_same_plan_follows() -> anyhow::Result<()> {
    let (world, ids) = rehearsal(&[("boss", "Sales")]).await?;
    world.person("ann", json!({ "manager": ids[0].0.to_string() })).await?;
    world.settle().await?;
    let plan = make(&world, None).await?;
    apply(&world, plan, Wave::All).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["ann"][0].manager, "boss");
    assert_eq!(shown(&world, plan).await?.state, "applied");
    Ok(())
}

#[tokio::test]
async fn a_stale_plan_is_refused_and_says_what_moved() -> anyhow::Result<()> {
    let (world, ids) = rehearsal(&[("ann", "Sales"), ("bob", "Sales")]).await?;
    let plan = make(&world, None).await?;
    world.set(ids[1], json!({ "title": "Head" })).await?;
    world.settle().await?;
    match apply(&world, plan, Wave::All).await {
        Err(ApplyError::Stale { number: 1, moved }) => assert_eq!(moved, [(ids[1], Some("bob".to_owned()))]),
        other => panic!("it should be stale: {other:?}"),
    }
    world.settle().await?;
    assert!(world.picture().await?.people.is_empty(), "nothing of it was sent");
    // What did not move can still go.
    apply(&world, plan, Wave::Resources(vec![ids[0]])).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["ann"]);
    Ok(())
}

#[tokio::test]
async fn what_moves_after_the_plan_was_applied_is_held_again() -> anyhow::Result<()> {
    let (world, ids) = rehearsal(&[("ann", "Sales"), ("bob", "Sales")]).await?;
    let plan = make(&world, None).await?;
    apply(&world, plan, Wave::All).await?;
    world.set(ids[1], json!({ "title": "Head" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["ann"]);
    assert_eq!(world.standing("bob").await?.state, "held");
    let ended = shown(&world, plan).await?;
    assert_eq!((ended.state.as_str(), ended.states), ("partly_applied", json!({ "applied": 2, "moved": 1 })));
    Ok(())
}

#[tokio::test]
async fn a_plan_goes_out_in_waves() -> anyhow::Result<()> {
    let (world, _) = rehearsal(&[("ann", "Sales"), ("bob", "Sales"), ("cid", "Legal"), ("dee", "Legal")]).await?;
    let plan = make(&world, None).await?;
    let first = apply(&world, plan, Wave::People(1)).await?;
    assert_eq!(first.permitted, 2, "one person and the department that they need");
    world.settle().await?;
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["ann"]);
    assert_eq!(world.picture().await?.departments, ["/Sales"]);
    assert_eq!(shown(&world, plan).await?.state, "partly_applied");
    let legal: Uuid =
        sqlx::query_scalar("SELECT id FROM org_units WHERE name = 'Legal'").fetch_one(world.database.pool()).await?;
    apply(&world, plan, Wave::Department(legal)).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["ann", "cid", "dee"]);
    apply(&world, plan, Wave::All).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.len(), 4);
    assert_eq!(shown(&world, plan).await?.state, "applied");
    Ok(())
}

#[tokio::test]
async fn a_plan_of_some_people_has_the_departments_that_they_need() -> anyhow::Result<()> {
    let (world, ids) = rehearsal(&[("ann", "Sales"), ("bob", "Legal")]).await?;
    let scope = PlanScope { resources: vec![ids[0]], held_by: None };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    assert_eq!(apply(&world, plan, Wave::All).await?, Applied { permitted: 2, withheld: 0 });
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!(picture.people.into_keys().collect::<Vec<_>>(), ["ann"]);
    assert_eq!(picture.departments, ["/Sales"]);
    let sales = world.store.unit_by_path((world.tenant, world.target), "Sales").await?;
    assert!(sales.is_some() && world.store.unit_by_path((world.tenant, world.target), "Sale").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn an_old_plan_is_not_applied() -> anyhow::Result<()> {
    let (world, _) = rehearsal(&[("ann", "Sales")]).await?;
    let plan = make(&world, None).await?;
    world.clock.advance(Duration::from_hours(25));
    assert!(matches!(apply(&world, plan, Wave::All).await, Err(ApplyError::Expired(_))));
    let second = make(&world, None).await?;
    world.store.reject_plan(world.tenant, second, "bob").await?;
    assert!(matches!(apply(&world, second, Wave::All).await, Err(ApplyError::Over(state)) if state == "rejected"));
    assert!(matches!(apply(&world, Uuid::nil(), Wave::All).await, Err(ApplyError::NotFound)));
    Ok(())
}

#[tokio::test]
async fn what_a_guard_holds_takes_two_people() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut all = Vec::new();
    for index in 0..10 {
        all.push(world.person(&format!("p{index}"), json!({})).await?);
    }
    world.settle().await?;
    for id in &all[..7] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(world.picture().await?.people.len(), 10);
    let plan = make(&world, None).await?;
    let made = shown(&world, plan).await?;
    assert_eq!(made.state, "guarded");
    assert_eq!(
        made.summary["guards"]["people.remove"],
        "people.remove: 7 at once, more than 5 (1 % of 10, at least 5)"
    );
    assert_eq!(apply(&world, plan, Wave::All).await?, Applied { permitted: 0, withheld: 7 });
    let release = async |by: &str| world.store.release_plan(world.tenant, plan, &Decider::new(by)).await;
    assert!(matches!(release("bob").await, Err(ApplyError::NotRequested)));
    world.store.request_release(world.tenant, plan, &Decider::new("ann"), "The branch is closed.").await?;
    assert!(matches!(release("ann").await, Err(ApplyError::SamePerson { .. })));
    world.settle().await?;
    assert_eq!(world.picture().await?.people.len(), 10, "nothing has gone yet");
    release("bob").await?;
    assert_eq!(apply(&world, plan, Wave::All).await?, Applied { permitted: 7, withheld: 0 });
    // Who leaves meanwhile is not in the plan, and stays held.
    world.set(all[8], json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["p7", "p8", "p9"]);
    assert_eq!(world.standing("p8").await?.state, "held", "a release is good for one plan");
    assert_eq!(shown(&world, plan).await?.state, "applied");
    Ok(())
}

#[tokio::test]
async fn a_plan_in_rehearsal_is_judged_as_a_whole() -> anyhow::Result<()> {
    let (world, ids) = rehearsal(&[("ann", "Sales")]).await?;
    world.mode(TargetMode::Live).await?;
    let mut all = ids;
    for index in 0..9 {
        all.push(world.person(&format!("p{index}"), json!({})).await?);
    }
    world.settle().await?;
    world.mode(TargetMode::Rehearsal).await?;
    for id in &all[..6] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.set(all[9], json!({ "title": "Head" })).await?;
    world.settle().await?;
    let plan = make(&world, None).await?;
    assert_eq!(shown(&world, plan).await?.state, "guarded");
    assert_eq!(apply(&world, plan, Wave::All).await?, Applied { permitted: 1, withheld: 6 }, "the rest goes on");
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!((picture.people.len(), picture.people["p8"][0].title.as_str()), (10, "Head"));
    Ok(())
}
