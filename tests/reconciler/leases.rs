//! Who holds a delivery, who has lost it, and what the one who has lost it can still do: nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use rollcall_provisioning::delivery::{self, HeldBy, Lane, Outcome};
use rollcall_provisioning::ids::TargetId;
use rollcall_provisioning::proposal::Proposal;
use rollcall_reconciler::Options;
use rollcall_store::projection::{Claim, ClaimRequest, Recorded, TargetMode};
use rollcall_tests::wait_until;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::fake::{Fate, Gate};
use crate::world::{PATIENCE, START, World};

/// A worker whose leases are short enough to see them being extended.
fn short_lived(worker: &str) -> Options {
    Options { lease: Duration::from_millis(300), ..World::options(worker) }
}

#[tokio::test]
async fn a_late_worker_writes_nothing() -> anyhow::Result<()> {
    let world = World::new().await?;
    let gate = Arc::new(Gate::default());
    world.fake.on("create account ann", 1, Fate::After(gate.clone()));
    let ann = world.person("ann", json!({ "title": "old" })).await?;
    let late = world.work(World::options("late"), async {
        gate.reached().await?;
        world.end_leases().await?;
        // Another one takes over, and the directory goes on.
        world.work(World::options("next"), world.until("ann", "in_step")).await?;
        world.set(ann, json!({ "title": "new" })).await?;
        world.work(World::options("next"), world.until("ann", "in_step")).await?;
        let before = (world.standing("ann").await?, world.link(ann).await?);
        gate.open();
        world.attempts_are(ann, 2).await?;
        world.nothing_is_due().await?;
        Ok((before, (world.standing("ann").await?, world.link(ann).await?)))
    });
    let (before, after) = Box::pin(late).await?;
    assert_eq!(before, after, "the late one changed nothing but the log of attempts");
    assert_eq!(before.0.applied_version, Some(2));
    assert_eq!(world.picture().await?.people["ann"].len(), 1);
    Ok(())
}

#[tokio::test]
async fn a_call_whose_lease_cannot_be_extended_is_not_made() -> anyhow::Result<()> {
    let world = World::new().await?;
    let gate = Arc::new(Gate::default());
    world.fake.on("create account ann", 1, Fate::Before(gate.clone()));
    world.person("ann", json!({})).await?;
    let idle = Arc::strong_count(&gate);
    world
        .work(short_lived("cut off"), async {
            gate.reached().await?;
            // Whoever holds the row keeps it from being extended.
            let mut holder = world.database.pool().begin().await?;
            sqlx::query("SELECT 1 FROM deliveries FOR UPDATE").execute(&mut *holder).await?;
            wait_until(PATIENCE, "the call is dropped", async || {
                Ok((Arc::strong_count(&gate) < idle + 1).then_some(()))
            })
            .await?;
            assert!(world.picture().await?.people.is_empty(), "nothing was sent");
            holder.rollback().await?;
            world.until("ann", "in_step").await
        })
        .await?;
    assert_eq!(world.fake.count("create account ann"), 2);
    Ok(())
}

#[tokio::test]
async fn a_worker_that_stops_holds_on_to_what_is_under_way() -> anyhow::Result<()> {
    let world = World::new().await?;
    let gate = Arc::new(Gate::default());
    world.fake.on("create account ann", 1, Fate::Before(gate.clone()));
    world.person("ann", json!({})).await?;
    let stop = CancellationToken::new();
    let reconciler = world.reconciler(short_lived("stopping"));
    let story = async {
        gate.reached().await?;
        stop.cancel();
        let lease = async || -> anyhow::Result<time::OffsetDateTime> {
            Ok(sqlx::query_scalar("SELECT lease_until FROM deliveries").fetch_one(world.database.pool()).await?)
        };
        let first = lease().await?;
        wait_until(PATIENCE, "the lease is longer than two", async || {
            Ok((lease().await? > first + Duration::from_millis(600)).then_some(()))
        })
        .await?;
        gate.open();
        anyhow::Ok(())
    };
    let ((), story) = tokio::join!(reconciler.run(stop.clone()), story);
    story?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    let epoch: i64 = sqlx::query_scalar("SELECT lease_epoch FROM deliveries").fetch_one(world.database.pool()).await?;
    assert_eq!(epoch, 1, "nobody else took it");
    Ok(())
}

#[tokio::test]
async fn a_panic_is_one_failure_of_one_delivery() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account ann", 1, Fate::Panic);
    world.person("ann", json!({})).await?;
    world.person("bob", json!({})).await?;
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    assert_eq!(world.standing("bob").await?.state, "in_step");
    let ann = world.standing("ann").await?;
    assert_eq!((ann.state.as_str(), ann.error_code.as_deref(), ann.attempt), ("retrying", Some("panic"), 1));
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

async fn claim(world: &World, limit: u32) -> anyhow::Result<Vec<Claim>> {
    claim_besides(world, limit, &[]).await
}

async fn claim_besides(world: &World, limit: u32, at_work: &[(TargetId, usize)]) -> anyhow::Result<Vec<Claim>> {
    let lease = Duration::from_hours(1);
    let request = ClaimRequest { worker: "one", up_to: Lane::Other, limit, lease, at_work };
    Ok(world.store.claim(&request).await?)
}

#[tokio::test]
async fn a_large_import_of_one_target_does_not_keep_the_others_waiting() -> anyhow::Result<()> {
    let large = World::new().await?;
    for number in 0..20 {
        large.person(&format!("p{number}"), json!({})).await?;
    }
    large.clock.advance(Duration::from_mins(1));
    let small = large.neighbour().await?;
    let ann = small.person("ann", json!({})).await?;
    let claims = claim(&large, 4).await?;
    assert_eq!(claims.len(), 4);
    assert!(claims.iter().any(|claim| claim.resource == ann), "{claims:?}");
    // One place after the other becomes free, and the large one has most of them.
    let bob = small.person("bob", json!({})).await?;
    let claims = claim_besides(&large, 1, &[(large.target, 3), (small.target, 1)]).await?;
    assert_eq!(claims.iter().map(|claim| claim.resource).collect::<Vec<_>>(), [bob]);
    // A leaver of the large one goes before everybody else of it all the same.
    let leaver = large.person("leaver", json!({ "active": false })).await?;
    assert_eq!(claim(&large, 1).await?.first().map(|claim| claim.resource), Some(leaver));
    Ok(())
}

#[tokio::test]
async fn whoever_rehearses_while_the_target_goes_live_looks_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("ann", json!({})).await?;
    let mut claims = claim(&world, 1).await?;
    let mut rehearsed = claims.pop().context("a claim")?;
    // What a claim is that began before the target went live and found the row after that.
    rehearsed.mode = TargetMode::Rehearsal;
    let proposal = Proposal { verb: "create", lines: Vec::new(), effects: Vec::new() };
    let outcome = Outcome::Held { by: HeldBy::Rehearsal, proposal, reason: "rehearsal".to_owned() };
    let standing = delivery::next(&outcome, 0, START, 1);
    assert_eq!(world.store.record(&rehearsed, &standing, None).await?, Recorded::MoreToDo);
    assert_eq!(claim(&world, 1).await?.len(), 1, "it is due at once");
    Ok(())
}

#[tokio::test]
async fn no_two_workers_claim_the_same() -> anyhow::Result<()> {
    let world = World::new().await?;
    for number in 0..60 {
        world.person(&format!("p{number}"), json!({})).await?;
    }
    let claiming = (0..8).map(|_| claim(&world, 10));
    let mut claimed = Vec::new();
    for claims in futures_joined(claiming).await {
        claimed.extend(claims?.into_iter().map(|claim| claim.resource));
    }
    claimed.extend(claim(&world, 60).await?.into_iter().map(|claim| claim.resource));
    assert_eq!(claimed.len(), 60);
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 60, "each once");
    Ok(())
}

/// Waits for all, all at once.
async fn futures_joined<F: Future>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in waiting.iter_mut().filter(|(_, output)| output.is_none()) {
            if let std::task::Poll::Ready(ready) = future.as_mut().poll(context) {
                *output = Some(ready);
            }
        }
        if waiting.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}
