//! Guards of a live target: what is too much at once waits for a person, and everything else goes on.

use anyhow::Context;
use rollcall_provisioning::guard::{Guard, Guards, Limit};
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::Closing;
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
    world.limit(&Guards::parse(&limits)?).await?;
    world.set(all[0], json!({ "department": "Legal", "title": "Head" })).await?;
    world.settle().await?;
    let seen = world.picture().await?.people["p00"][0].clone();
    assert_eq!((seen.departments, seen.title.as_str()), (vec!["/Sales".to_owned()], "Head"));
    assert_eq!(world.standing("p00").await?.state, "held");
    world.limit(&Guards::default()).await?;
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

/// Every entry of the change log that says that a guard holds nothing any more, and by whom.
async fn closed(world: &World) -> anyhow::Result<Vec<(String, Option<String>)>> {
    let rows = sqlx::query_as(
        "SELECT details ->> 'guard', details ->> 'by' FROM changes
         WHERE tenant_id = $1 AND operation = 'guard_closed' ORDER BY id",
    )
    .bind(world.tenant.0)
    .fetch_all(world.database.pool())
    .await?;
    Ok(rows)
}

#[tokio::test]
async fn what_hangs_on_leavers_who_are_held_stays_as_it_is() -> anyhow::Result<()> {
    for days in [0, 14] {
        let world = crate::groups::ruled().await?;
        let version = world.store.mapping_version(world.tenant).await?;
        let mut document = world.store.mapping(world.tenant, version).await?.context("a mapping")?.document;
        document["leavers"] = json!([{ "name": "all", "removed_after_days": days }]);
        let rules = NewMapping { document: &document, note: "", by: "ann", after: None };
        world.store.save_mapping(world.tenant, &rules).await?;
        let all = people(&world, 3).await?;
        let report = world.person("report", json!({ "manager": all[0].to_string() })).await?;
        world.group("Role Cashier", &[all[0], all[1], report]).await?;
        world.settle().await?;
        let before = (world.picture().await?.people, world.circle("Cashier")?.members);
        limit(&world, &json!({ "people.remove": { "floor": 1, "share": 0.0 } })).await?;
        for id in &all {
            world.set(*id, json!({ "active": false })).await?;
        }
        world.settle().await?;
        assert_eq!(in_state(&world, "held").await?, 3, "{days}");
        assert_eq!((world.picture().await?.people, world.circle("Cashier")?.members), before, "{days}");
        assert_eq!(world.managers(&["report"]).await?, ["p00"], "{days}");

        // Two people say that it is meant, also of what comes when the days are over.
        let plan = world.plan().await?;
        world.release(plan).await?;
        world.work(World::options("worker"), world.nothing_is_due()).await?;
        assert_eq!(world.circle("Cashier")?.members, ["report"], "{days}");
        assert_eq!(world.managers(&["report"]).await?, [""], "{days}");
        world.clock.advance(Duration::from_hours(24 * 15));
        world.work(World::options("worker"), world.nothing_is_due()).await?;
        assert_eq!(world.picture().await?.people.keys().collect::<Vec<_>>(), ["report"], "{days}");
    }
    Ok(())
}

#[tokio::test]
async fn people_who_set_limits_of_different_guards_at_once_keep_each_others() -> anyhow::Result<()> {
    let world = World::new().await?;
    let limited: Vec<Guard> = Guard::all().filter(|guard| guard.has_limit()).collect();
    let limit = |floor| Limit { floor, share: 0.5, day: None, week: None };
    let set = limited.iter().enumerate().map(|(index, guard)| {
        let limit = limit(index as u64);
        world.store.change_guards((world.tenant, world.target), "ann", move |in_force, _| {
            anyhow::Ok(in_force.clone().with(*guard, limit))
        })
    });
    for set in futures::future::try_join_all(set).await? {
        set.context("there is a target")??;
    }
    let mut kept = Guards::default();
    let read = world.store.change_guards((world.tenant, world.target), "bob", |in_force, _| {
        kept = in_force.clone();
        Err::<Guards, _>("nothing is to change")
    });
    assert_eq!(read.await?, Some(Err("nothing is to change")));
    for (index, guard) in limited.iter().enumerate() {
        assert_eq!(kept.limit(*guard), limit(u64::try_from(index)?), "{guard:?}");
    }
    Ok(())
}

async fn limit(world: &World, limits: &serde_json::Value) -> anyhow::Result<()> {
    world.limit(&Guards::parse(limits)?).await
}

#[tokio::test]
async fn a_looser_limit_frees_what_is_held_when_that_is_not_too_much_by_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for id in &all[..7] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 7);
    // Looser, and not loose enough: all seven are judged, not one of them, and a plan would say the same.
    limit(&world, &json!({ "people.remove": { "floor": 6, "share": 0.0 } })).await?;
    world.settle().await?;
    assert_eq!((in_state(&world, "held").await?, closed(&world).await?.len()), (7, 0));
    let trips = open_trips(&world).await?;
    assert!(trips.contains(&"people.remove: 7 at once, more than 6 (0 % of 20, at least 6)".to_owned()), "{trips:?}");

    let loose = json!({ "floor": 7, "share": 0.0 });
    limit(&world, &json!({ "people.remove": loose, "source.deactivate": loose })).await?;
    world.settle().await?;
    assert_eq!((in_state(&world, "gone").await?, in_state(&world, "held").await?), (7, 0));
    assert_eq!(open_trips(&world).await?, Vec::<String>::new());
    assert!(closed(&world).await?.contains(&("people.remove".to_owned(), Some("ann".to_owned()))));

    // The limit holds as ever: an eighth one of the same hour is too much.
    world.set(all[10], json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("p10").await?.state, "held");
    Ok(())
}

#[tokio::test]
async fn whoever_was_let_through_by_limits_that_have_changed_since_is_judged_by_those_in_force() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 3).await?;
    world.set(all[0], json!({ "active": false })).await?;
    let reconciler = world.reconciler(World::one_by_one("worker"));
    let claim = reconciler.claim_next().await?.context("somebody leaves")?;
    limit(&world, &json!({ "people.remove": { "floor": 0, "share": 0.0 } })).await?;
    reconciler.work_on(&claim).await;
    assert_eq!(world.standing("p00").await?.state, "held");
    Ok(())
}

#[tokio::test]
async fn a_trip_is_closed_by_hand_when_what_it_holds_is_not_too_much_any_more() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = people(&world, 20).await?;
    for id in &all[..7] {
        world.set(*id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    let trips = world.store.trips(world.tenant, Some(world.target)).await?;
    let trip = trips.iter().find(|trip| trip.effect == "people.remove").context("it trips")?.id;
    let close = async || world.store.close_trip(world.tenant, world.target, trip, ("ann", None)).await;
    match close().await? {
        Closing::TooMuch(arithmetic) => assert!(arithmetic.contains("7 at once, more than 5"), "{arithmetic}"),
        other => anyhow::bail!("one person cannot pass a limit: {other:?}"),
    }
    for id in &all[..3] {
        world.set(*id, json!({ "active": true })).await?;
    }
    world.settle().await?;
    assert_eq!(in_state(&world, "held").await?, 4, "they wait until a person decides");
    // What the source has sent in this hour is seven all the same.
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(close().await?, Closing::Closed);
    assert_eq!(close().await?, Closing::NotOpen);
    for trip in world.store.trips(world.tenant, Some(world.target)).await? {
        // Whatever else had tripped with it.
        world.store.close_trip(world.tenant, world.target, trip.id, ("ann", None)).await?;
    }
    world.settle().await?;
    assert_eq!((in_state(&world, "gone").await?, in_state(&world, "held").await?), (4, 0));
    assert!(closed(&world).await?.contains(&("people.remove".to_owned(), Some("ann".to_owned()))));
    Ok(())
}
