//! Managers who are named by something else than an id: whoever comes first, and whatever changes hands, everybody ends
//! up under the right person.

use anyhow::Context;
use rollcall_provisioning::retry;
use rollcall_scim::profile::ManagerBy;
use serde_json::{Value, json};

use crate::world::World;

/// Somebody with a worker id, under another one. Numbers are found in any case.
fn worker(by: ManagerBy, id: &str, manager: Option<&str>) -> Value {
    let name = if by == ManagerBy::ExternalId { "externalId" } else { "employeeNumber" };
    let upper = |id: &str| if by == ManagerBy::ExternalId { id.to_owned() } else { id.to_uppercase() };
    json!({ (name): id, "manager": manager.map(upper) })
}

async fn manager_of(world: &World, name: &str) -> anyhow::Result<String> {
    let picture = world.picture().await?;
    let seen = picture.people.get(name).and_then(|all| all.first());
    Ok(seen.with_context(|| format!("{name} is not there"))?.manager.clone())
}

async fn trouble_of(world: &World, name: &str) -> anyhow::Result<Option<String>> {
    let standing = world.standing(name).await?;
    Ok(standing.error_code.filter(|_| standing.state == "needs_attention"))
}

/// A snapshot comes in any order, and the reconciler may look at any moment.
#[tokio::test]
async fn the_order_of_a_snapshot_does_not_matter() -> anyhow::Result<()> {
    let first = World::new().await?;
    for by in [ManagerBy::ExternalId, ManagerBy::EmployeeNumber] {
        let people = [("top", "w1", None), ("mid", "w2", Some("w1")), ("low", "w3", Some("w2"))];
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            for looks_early in [false, true] {
                let mut world = first.neighbour().await?;
                world.manager_by = by;
                for (name, id, manager) in order.map(|place| people[place]) {
                    world.person(name, worker(by, id, manager)).await?;
                    if looks_early {
                        world.settle().await?;
                    }
                }
                world.settle().await?;
                let picture = world.picture().await?;
                let managers = ["top", "mid", "low"].map(|name| picture.people[name][0].manager.as_str());
                assert_eq!(managers, ["", "top", "mid"], "{by:?} {order:?} {looks_early}");
                assert!(picture.states.values().all(|state| state == "in_step"), "{picture:?}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn whoever_takes_over_a_worker_id_takes_over_the_reports() -> anyhow::Result<()> {
    for by in [ManagerBy::ExternalId, ManagerBy::EmployeeNumber] {
        let mut world = World::new().await?;
        world.manager_by = by;
        world.person("ann", worker(by, "w9", Some("w1"))).await?;
        world.settle().await?;
        assert_eq!(trouble_of(&world, "ann").await?.as_deref(), Some("manager_unknown"));

        let boss = world.person("boss", worker(by, "w1", None)).await?;
        world.settle().await?;
        assert_eq!((trouble_of(&world, "ann").await?, manager_of(&world, "ann").await?), (None, "boss".to_owned()));

        // Another number: nobody has the old one, until the next one gets it.
        world.set(boss, worker(by, "w2", None)).await?;
        world.settle().await?;
        assert_eq!(trouble_of(&world, "ann").await?.as_deref(), Some("manager_unknown"));
        let chief = world.person("chief", worker(by, "w1", None)).await?;
        world.settle().await?;
        assert_eq!((trouble_of(&world, "ann").await?, manager_of(&world, "ann").await?), (None, "chief".to_owned()));

        // Deleted and hired again.
        world.delete(chief).await?;
        world.settle().await?;
        assert_eq!(trouble_of(&world, "ann").await?.as_deref(), Some("manager_unknown"));
        world.person("again", worker(by, "w1", None)).await?;
        world.settle().await?;
        assert_eq!((trouble_of(&world, "ann").await?, manager_of(&world, "ann").await?), (None, "again".to_owned()));
    }
    Ok(())
}

#[tokio::test]
async fn of_several_people_with_one_worker_id_none_is_the_manager_but_the_only_active_one() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.manager_by = ManagerBy::ExternalId;
    let old = world.person("old", worker(ManagerBy::ExternalId, "w1", None)).await?;
    world.person("new", worker(ManagerBy::ExternalId, "w1", None)).await?;
    world.person("ann", worker(ManagerBy::ExternalId, "w9", Some("w1"))).await?;
    world.settle().await?;
    assert_eq!(trouble_of(&world, "ann").await?.as_deref(), Some("manager_ambiguous"));
    world.set(old, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!((trouble_of(&world, "ann").await?, manager_of(&world, "ann").await?), (None, "new".to_owned()));
    Ok(())
}

#[tokio::test]
async fn an_id_is_understood_whatever_the_source_names_managers_by() -> anyhow::Result<()> {
    for by in [ManagerBy::Id, ManagerBy::ExternalId, ManagerBy::EmployeeNumber] {
        let mut world = World::new().await?;
        world.manager_by = by;
        let boss = world.person("boss", json!({ "externalId": "w1", "employeeNumber": "w1" })).await?;
        world.person("ann", json!({ "manager": boss.0 })).await?;
        world.person("bob", json!({ "manager": "w1" })).await?;
        world.settle().await?;
        assert_eq!(manager_of(&world, "ann").await?, "boss", "{by:?}");
        let wanted = if by == ManagerBy::Id { "" } else { "boss" };
        assert_eq!(manager_of(&world, "bob").await?, wanted, "{by:?}");
    }
    Ok(())
}

/// A manager and a report that are created in the same moment may not see each other.
#[tokio::test]
async fn a_manager_whose_coming_nobody_saw_is_found_by_looking_again() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    world.manager_by = ManagerBy::ExternalId;
    let boss = world.person("boss", json!({})).await?;
    world.person("ann", worker(ManagerBy::ExternalId, "w9", Some("w1"))).await?;
    world.settle().await?;
    sqlx::query("UPDATE users SET external_id = 'w1' WHERE id = $1")
        .bind(boss.0)
        .execute(world.database.pool())
        .await?;
    world.settle().await?;
    assert_eq!(trouble_of(&world, "ann").await?.as_deref(), Some("manager_unknown"));
    world.clock.advance(retry::LONGEST);
    world.settle().await?;
    assert_eq!((trouble_of(&world, "ann").await?, manager_of(&world, "ann").await?), (None, "boss".to_owned()));
    Ok(())
}
