//! A worker dies in the middle of any call; another one finishes, and nobody can tell from the result.

use crate::death::{TABLES, die_at_write};
use crate::world::{Picture, World};
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use serde_json::json;

/// Longer than any of the stories below.
const MOST_CALLS: usize = 200;
const MOST_WRITES: usize = 1000;
/// Of hundreds of writes, one in so many. It has no part in common with how many a delivery needs, so that every kind of
/// write has its turn.
const EVERY: usize = 11;

/// A company in three departments, two of them nested, with managers who manage each other in a circle.
async fn found_company(world: &World) -> anyhow::Result<Vec<ResourceId>> {
    // Who comes first decides whether a department is emptied for a moment, and goes and comes again.
    let limits = json!({ "departments.remove": { "share": 1.0, "floor": 100 } });
    world.limit(&Guards::parse(&limits)?).await?;
    let ada = world.person("ada", json!({ "department": "Board", "email": "ada@x.test" })).await?;
    let bob = world.person("bob", json!({ "division": "Sales", "department": "North", "manager": ada.0 })).await?;
    let cem = world.person("cem", json!({ "division": "Sales", "department": "South", "manager": bob.0 })).await?;
    let dan = world.person("dan", json!({ "division": "Sales", "department": "South", "title": "Clerk" })).await?;
    world.set(ada, json!({ "manager": cem.0 })).await?;
    Ok(vec![ada, bob, cem, dan])
}

/// Somebody leaves, a department is renamed, another is emptied, a third is new, an address changes hands, somebody
/// is deleted, and somebody comes.
async fn shake_company(world: &World, people: &[ResourceId]) -> anyhow::Result<()> {
    let [ada, bob, cem, dan] = people else { anyhow::bail!("four people") };
    world.set(*bob, json!({ "active": false })).await?;
    world.set(*ada, json!({ "email": "boss@x.test", "department": "Directors" })).await?;
    world.set(*cem, json!({ "department": "East", "email": "ada@x.test", "manager": ada.0 })).await?;
    world.delete(*dan).await?;
    world.person("eve", json!({ "department": "Board", "manager": cem.0, "title": "Chair" })).await?;
    Ok(())
}

/// What one clean run leads to, before and after the shake.
async fn clean_runs(world: &World) -> anyhow::Result<(Picture, Picture)> {
    let people = found_company(world).await?;
    world.settle().await?;
    world.assert_links_are_true().await?;
    let founded = world.picture().await?;
    shake_company(world, &people).await?;
    world.settle().await?;
    world.assert_links_are_true().await?;
    Ok((founded, world.picture().await?))
}

/// Lets a worker run until its `call`-th call sticks, then kills it. `false` when it came to rest before.
async fn die_in(world: &World, call: usize, done: bool) -> anyhow::Result<bool> {
    world.fake.stick_after(call, done);
    let died = world
        .work(World::one_by_one("first"), async {
            tokio::select! {
                () = world.fake.stuck() => Ok(true),
                rest = world.at_rest() => rest.map(|()| false),
            }
        })
        .await?;
    world.fake.heal();
    Ok(died)
}

/// Lets worker after worker die in another call of the work that `prepare` makes, each in a company of its own, until
/// one comes to rest. Every company must end as `expected`.
async fn die_in_every_call(
    world: &World,
    expected: &Picture,
    prepare: impl AsyncFn(&World) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for call in 0..MOST_CALLS {
        let mut died = false;
        for done in [false, true] {
            let world = world.neighbour().await?;
            prepare(&world).await?;
            died = die_in(&world, call, done).await?;
            world.settle().await?;
            assert_eq!(world.picture().await?, *expected, "call {call}, done: {done}: {:#?}", world.fake.calls());
            world.assert_links_are_true().await?;
        }
        if !died {
            return Ok(());
        }
    }
    anyhow::bail!("{MOST_CALLS} calls are not enough")
}

/// A company at rest, and then shaken.
async fn shaken_company(world: &World) -> anyhow::Result<()> {
    let people = found_company(world).await?;
    world.settle().await?;
    shake_company(world, &people).await
}

#[tokio::test]
async fn whatever_call_a_founding_dies_in_the_company_is_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (expected, _) = clean_runs(&world).await?;
    die_in_every_call(&world, &expected, async |world| found_company(world).await.map(drop)).await
}

#[tokio::test]
async fn whatever_call_a_shake_dies_in_the_company_is_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (_, expected) = clean_runs(&world).await?;
    die_in_every_call(&world, &expected, shaken_company).await
}

#[tokio::test]
async fn whatever_write_a_shake_dies_before_the_company_is_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    let (_, expected) = clean_runs(&world).await?;
    for write in (1..MOST_WRITES).step_by(EVERY) {
        let world = world.neighbour().await?;
        shaken_company(&world).await?;
        let died = die_at_write(&world, &TABLES, write, None).await?;
        world.settle().await?;
        assert_eq!(world.picture().await?, expected, "write {write}: {:#?}", world.fake.calls());
        world.assert_links_are_true().await?;
        if !died {
            return Ok(());
        }
    }
    anyhow::bail!("{MOST_WRITES} writes are not enough")
}
