//! A source that suddenly has far fewer people than yesterday has sent a list that is incomplete, most likely.

use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_scim::profile::Profile;
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{NewPlan, PlanScope, Wave};
use rollcall_store::write::Actor;
use serde_json::json;
use std::time::Duration;

use crate::world::World;

/// A source that had so many people yesterday.
async fn since_yesterday(number: usize) -> anyhow::Result<(World, Vec<ResourceId>)> {
    let world = World::new().await?;
    let mut people = Vec::new();
    for index in 0..number {
        people.push(world.person(&format!("p{index:02}"), json!({})).await?);
    }
    world.settle().await?;
    assert_eq!(world.store.note_source_sizes().await?, 1);
    assert_eq!(world.store.note_source_sizes().await?, 0, "once an hour");
    world.clock.advance(Duration::from_hours(25));
    Ok((world, people))
}

/// Another source of the same tenant, which sees the same people.
async fn another_source(world: &World) -> anyhow::Result<Actor> {
    let source = world.store.create_source(world.tenant, "hr", &Profile::generic()).await?.id;
    Ok(Actor { source, ..world.actor() })
}

async fn leave(world: &World, people: &[ResourceId]) -> anyhow::Result<()> {
    for id in people {
        world.set(*id, json!({ "active": false })).await?;
    }
    Ok(())
}

async fn in_state(world: &World, state: &str) -> anyhow::Result<usize> {
    let all = world.standings().await?;
    Ok(all.iter().filter(|(name, standing)| name.starts_with('p') && standing.state == state).count())
}

#[tokio::test]
async fn a_short_list_is_held_and_goes_on_when_it_is_long_again() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(10).await?;
    leave(&world, &people[..4]).await?;
    world.settle().await?;
    assert_eq!((in_state(&world, "held").await?, in_state(&world, "in_step").await?), (4, 6));
    let reason = world.standing("p00").await?.reason.unwrap_or_default();
    assert!(reason.contains("4 of the 10 people of yesterday are missing, more than 3 (30 %, at least 2)"), "{reason}");
    assert!(reason.contains("the list of the source seems to be incomplete"), "{reason}");
    assert_eq!(world.store.reconsider_trips().await?, 0, "it is still short");

    for id in &people[..2] {
        world.set(*id, json!({ "active": true })).await?;
    }
    world.settle().await?;
    assert_eq!(world.store.reconsider_trips().await?, 1);
    world.settle().await?;
    assert_eq!((in_state(&world, "gone").await?, in_state(&world, "in_step").await?), (2, 8));
    Ok(())
}

#[tokio::test]
async fn a_short_list_that_nobody_looks_at_for_days_is_still_short() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(10).await?;
    leave(&world, &people[..4]).await?;
    world.settle().await?;
    for _ in 0..4 {
        world.store.note_source_sizes().await?;
        world.clock.advance(Duration::from_hours(25));
    }
    assert_eq!(world.store.reconsider_trips().await?, 0, "nobody has decided");
    world.settle().await?;
    assert_eq!((in_state(&world, "held").await?, in_state(&world, "in_step").await?), (4, 6));
    world.set(people[0], json!({ "active": true })).await?;
    world.settle().await?;
    assert_eq!(world.store.reconsider_trips().await?, 1, "three of ten may be missing");
    world.settle().await?;
    assert_eq!((in_state(&world, "gone").await?, in_state(&world, "in_step").await?), (3, 7));
    Ok(())
}

#[tokio::test]
async fn the_last_ones_of_a_small_source_are_held() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(2).await?;
    leave(&world, &people).await?;
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 2);
    Ok(())
}

#[tokio::test]
async fn a_slow_bleed_over_the_day_is_noticed() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(10).await?;
    for (hour, id) in people[..5].iter().enumerate() {
        leave(&world, &[*id]).await?;
        world.settle().await?;
        assert_eq!(in_state(&world, "gone").await?, (hour + 1).min(3), "after {hour} hours");
        world.clock.advance(Duration::from_hours(2));
        world.store.note_source_sizes().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_source_that_was_set_up_today_has_no_yesterday() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut people = Vec::new();
    for index in 0..4 {
        people.push(world.person(&format!("p{index:02}"), json!({})).await?);
    }
    world.settle().await?;
    world.store.note_source_sizes().await?;
    leave(&world, &people).await?;
    world.settle().await?;
    assert_eq!(in_state(&world, "gone").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_list_that_is_replaced_as_a_whole_is_not_short() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(5).await?;
    leave(&world, &people).await?;
    for index in 0..5 {
        world.person(&format!("new{index}"), json!({})).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "gone").await?, 5, "as many as yesterday, and few enough for the other guards");
    Ok(())
}

#[tokio::test]
async fn a_source_that_created_nobody_has_a_list_as_well() -> anyhow::Result<()> {
    let world = World::new().await?;
    let hr = another_source(&world).await?;
    let mut people = Vec::new();
    for index in 0..10 {
        people.push(world.person(&format!("p{index:02}"), json!({})).await?);
    }
    for (number, id) in people[..3].iter().enumerate() {
        world.set_by(&hr, *id, json!({ "externalId": format!("S-{number}") })).await?;
    }
    world.settle().await?;
    assert_eq!(world.store.note_source_sizes().await?, 2);
    world.clock.advance(Duration::from_hours(25));
    for id in &people[..3] {
        world.set_by(&hr, *id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 3, "few of the one, and all of the other");
    let reason = world.standing("p00").await?.reason.unwrap_or_default();
    assert!(reason.contains("none of the 3 people of yesterday is left"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_list_that_another_source_makes_short_is_short() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(10).await?;
    let hr = another_source(&world).await?;
    for id in &people[..4] {
        world.set_by(&hr, *id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 4);
    let reason = world.standing("p00").await?.reason.unwrap_or_default();
    assert!(reason.contains("4 of the 10 people of yesterday are missing"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn whoever_has_days_left_is_judged_before_they_begin() -> anyhow::Result<()> {
    let (world, people) = since_yesterday(10).await?;
    let mut document = Mapping::default_document();
    document["leavers"] = json!([{ "name": "all", "removed_after_days": 14 }]);
    let rules = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &rules).await?;
    world.settle().await?;
    leave(&world, &people[..4]).await?;
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    assert_eq!(in_state(&world, "held").await?, 4, "on the first day, not on the last one");
    for id in &people[..4] {
        let link = world.link(*id).await?;
        assert!(link.is_some_and(|link| link.left_at.is_none()), "nobody is on the way out");
    }

    // Two people say that it is meant.
    let scope = PlanScope { resources: vec![people[0]], held_by: None };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    world.store.request_release(world.tenant, plan, &Decider::new("ann"), "They are few.").await?;
    world.store.release_plan(world.tenant, plan, &Decider::new("bob")).await?;
    world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    let leaving = world.standing("p00").await?;
    assert_eq!(leaving.state, "waiting");
    assert!(leaving.reason.is_some_and(|reason| reason.contains("removed on")), "the days begin");
    assert_eq!(in_state(&world, "held").await?, 3);
    world.clock.advance(Duration::from_hours(15 * 24));
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    assert_eq!(world.standing("p00").await?.state, "gone", "which is released as well");
    Ok(())
}
