//! Guards of a live target: what is too much at once waits for a person, and everything else goes on.

use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use serde_json::json;
use std::time::Duration;

use crate::world::World;

async fn people(world: &World, number: usize) -> anyhow::Result<Vec<ResourceId>> {
    let mut people = Vec::new();
    for index in 0..number {
        people.push(world.person(&format!("p{index:02}"), json!({ "title": "Clerk", "department": "Sales" })).await?);
    }
    world.settle().await?;
    Ok(people)
}

async fn in_state(world: &World, state: &str) -> anyhow::Result<usize> {
    Ok(world
        .standings()
        .await?
        .iter()
        .filter(|(name, standing)| name.starts_with('p') && standing.state == state)
        .count())
}

async fn open_trips(world: &World) -> anyhow::Result<Vec<String>> {
    let trips = world.store.trips(world.tenant, Some(world.target)).await?;
    Ok(trips.into_iter().filter(|trip| trip.closed_at.is_none()).map(|trip| trip.arithmetic).collect())
}

#[tokio::test]
async fn a_landslide_is_held_before_the_first_one_goes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for id in &all[..6] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.person("joiner", json!({ "department": "Sales" })).await?;
    world.set(all[10], json!({ "title": "Head" })).await?;
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 6);
    assert_eq!(world.fake.holdings(|held| held.accounts.len()), 21, "nobody is removed, the joiner is there");
    assert_eq!(world.picture().await?.people["p10"][0].title, "Head", "what is not guarded goes on");
    let trips = open_trips(&world).await?;
    assert!(trips.contains(&"people.remove: 6 at once, more than 5 (1 % of 20, at least 5)".to_owned()), "{trips:?}");
    let reason = world.standing("p00").await?.reason.unwrap_or_default();
    assert!(reason.contains("until a person decides") && reason.contains("people.remove: 6 at once"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_few_leavers_go_at_once() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for id in &all[..5] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!((in_state(&world, "gone").await?, in_state(&world, "held").await?), (5, 0));
    assert_eq!(open_trips(&world).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_slow_bleed_is_held_by_the_day() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for (hour, leavers) in all.chunks(4).enumerate() {
        for id in leavers {
            world.set(*id, json!({ "active": false })).await?;
        }
        world.settle().await?;
        let gone = in_state(&world, "gone").await?;
        assert_eq!(gone, (4 * (hour + 1)).min(10), "after {hour} hours, of 10 allowed in a day");
        world.clock.advance(Duration::from_hours(2));
    }
    Ok(())
}

#[tokio::test]
async fn whoever_comes_back_while_held_is_in_step_and_frees_the_guard() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for id in &all[..6] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 6);
    for id in &all[..6] {
        world.set(*id, json!({ "active": true })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "in_step").await?, 20);
    world.clock.advance(Duration::from_hours(2));
    world.set(all[19], json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("p19").await?.state, "gone", "the guard holds nothing any more, so it is closed");
    Ok(())
}

#[tokio::test]
async fn a_held_move_does_not_hold_the_title() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 3).await?;
    let limits = json!({ "people.move": { "floor": 0, "share": 0.0 } });
    world.store.set_guards(world.tenant, world.target, &Guards::parse(&limits)?, "ann").await?;
    world.set(all[0], json!({ "department": "Legal", "title": "Head" })).await?;
    world.settle().await?;
    let seen = world.picture().await?.people["p00"][0].clone();
    assert_eq!((seen.departments, seen.title.as_str()), (vec!["/Sales".to_owned()], "Head"));
    assert_eq!(world.standing("p00").await?.state, "held");
    world.store.set_guards(world.tenant, world.target, &Guards::default(), "ann").await?;
    world.clock.advance(Duration::from_hours(2));
    world.set(all[0], json!({ "title": "Chief" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["p00"][0].departments, ["/Legal"]);
    assert_eq!(world.standing("p00").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_guard_of_one_target_holds_nothing_of_another() -> anyhow::Result<()> {
    let world = World::new().await?;
    let neighbour = world.neighbour().await?;
    let all = people(&world, 20).await?;
    let theirs = people(&neighbour, 8).await?;
    for id in &all[..6] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    neighbour.set(theirs[0], json!({ "active": false })).await?;
    neighbour.settle().await?;
    assert_eq!((in_state(&world, "held").await?, in_state(&neighbour, "gone").await?), (6, 1));
    assert_eq!(open_trips(&neighbour).await?, Vec::<String>::new());
    Ok(())
}
