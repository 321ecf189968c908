//! What fails again and again becomes slower, and never keeps a worker busy for nothing.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use serde_json::json;
use std::time::Duration;

use crate::fake::{Fate, refusal};
use crate::world::World;

/// Lets a worker work for some hours of the test's clock, five minutes at a time.
async fn hours_pass(world: &World, hours: u32) -> anyhow::Result<()> {
    for _ in 0..hours * 12 {
        world.clock.advance(Duration::from_mins(5));
        world.work(World::options("worker"), world.nothing_is_due()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_manager_whom_the_target_does_not_take_is_asked_about_ever_more_slowly() -> anyhow::Result<()> {
    // The second target blames the manager also when none is named.
    for aim in ["account ann with manager", "account ann"] {
        let world = World::new().await?;
        let boss = world.person("boss", json!({})).await?;
        world.settle().await?;
        let refused = refusal(ErrorClass::MissingReference, "60128", Some(entity::MANAGER));
        world.fake.on(aim, 1000, Fate::Refused(refused));
        world.person("ann", json!({ "manager": boss.0 })).await?;
        hours_pass(&world, 3).await?;
        let calls = world.fake.calls();
        assert!(calls.len() < 60, "{} calls in three hours: {calls:?}", calls.len());
        let ann = world.standing("ann").await?;
        assert_eq!((ann.state.as_str(), ann.error_code.as_deref()), ("retrying", Some("60128")));
        assert!(ann.attempt > 5, "{ann:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_department_that_is_there_and_yet_not_taken_is_asked_about_ever_more_slowly() -> anyhow::Result<()> {
    for (aim, attribute) in [("create account ann", entity::ORG_UNITS), ("create org_unit Inner", entity::PARENT)] {
        let world = World::new().await?;
        world.person("bob", json!({ "division": "Outer" })).await?;
        world.settle().await?;
        world.fake.on(aim, 1000, Fate::Refused(refusal(ErrorClass::MissingReference, "60003", Some(attribute))));
        world.person("ann", json!({ "division": "Outer", "department": "Inner" })).await?;
        hours_pass(&world, 3).await?;
        let calls = world.fake.calls().len();
        assert!(calls < 60, "{aim}: {calls} calls in three hours");
        world.fake.heal();
        hours_pass(&world, 1).await?;
        assert_eq!(world.standing("ann").await?.state, "in_step", "{aim}");
    }
    Ok(())
}
