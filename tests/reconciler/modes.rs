//! Rehearsal, live, and a target that cannot be used at all.

use std::sync::Arc;

use rollcall_provisioning::stop::Reach;
use rollcall_store::projection::TargetMode;
use serde_json::json;

use crate::fake::{Fate, Gate};
use crate::world::World;

#[tokio::test]
async fn a_rehearsal_sends_nothing_and_says_everything() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.mode(TargetMode::Rehearsal).await?;
    world.person("ann", json!({ "department": "Sales", "title": "x".repeat(300) })).await?;
    world.settle().await?;
    assert!(world.fake.calls().iter().all(|call| call.starts_with("read") || call.starts_with("find")));
    let ann = world.standing("ann").await?;
    assert_eq!(ann.state, "held");
    let reason = ann.reason.unwrap_or_default();
    assert!(reason.contains("create it with") && reason.contains("title"), "{reason}");
    assert!(reason.contains("300 characters"), "what does not fit is part of it: {reason}");
    world.mode(TargetMode::Live).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["ann"][0].departments, ["/Sales"]);
    Ok(())
}

#[tokio::test]
async fn a_rehearsal_under_way_when_the_target_goes_live_does_not_stay_held() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.mode(TargetMode::Rehearsal).await?;
    // Its link is unknown, so the rehearsal reads the account, and stands at the gate.
    sqlx::query("UPDATE links SET observed = 'unknown'").execute(world.database.pool()).await?;
    let gate = Arc::new(Gate::default());
    world.fake.on("read account", 1, Fate::Before(gate.clone()));
    world.set(ann, json!({ "title": "Clerk" })).await?;
    world
        .work(World::options("worker"), async {
            gate.reached().await?;
            world.mode(TargetMode::Live).await?;
            gate.open();
            world.at_rest().await
        })
        .await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    assert_eq!(world.picture().await?.people["ann"][0].title, "Clerk");
    Ok(())
}

#[tokio::test]
async fn settings_that_cannot_be_used_stop_the_target_and_blame_nobody() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.break_settings(true);
    world.person("ann", json!({})).await?;
    world.work(World::options("worker"), world.until("ann", "retrying")).await?;
    let target = world.store.targets(world.tenant).await?.remove(0);
    let stop = target.stop(Reach::Target).expect("all of it is stopped");
    assert_eq!((stop.cause.as_str(), stop.code.as_str()), ("settings", "target_settings"));
    assert_eq!(world.standing("ann").await?.attempt, 0, "it is not her fault");
    world.break_settings(false);
    world.clock.advance(std::time::Duration::from_mins(10));
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}
