//! What does not work is stopped as far as its cause reaches, tried by the clock of that cause, and remembered with the calls
//! that were refused. And times at which nothing is sent.

use std::time::Duration;

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::time::Clock as _;
use rollcall_store::projection::Stop;
use rollcall_store::sources::SetUpBy;
use serde_json::json;

use crate::fake::{Fate, refusal};
use crate::world::World;

const BY: (SetUpBy, &str) = (SetUpBy::CommandLine, "test");

impl World {
    /// Lets a worker do all that is due, one after the other.
    async fn do_what_is_due(&self) -> anyhow::Result<()> {
        self.work(Self::one_by_one("worker"), self.nothing_is_due()).await
    }

    async fn stops(&self) -> anyhow::Result<Vec<Stop>> {
        Ok(self.store.targets(self.tenant).await?.remove(0).stops)
    }

    fn creations(&self) -> usize {
        self.fake.calls().iter().filter(|call| call.starts_with("create account")).count()
    }
}

#[tokio::test]
async fn a_kind_of_entity_is_stopped_and_one_tries_for_all() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account", 2, Fate::Refused(refusal(ErrorClass::KindStopped, "60011", None)));
    for name in ["ann", "bob", "cat"] {
        world.person(name, json!({ "department": "Sales" })).await?;
    }
    world.do_what_is_due().await?;
    assert_eq!(world.creations(), 1, "the others were not even tried");
    assert_eq!(world.states_of(&["ann", "bob", "cat"]).await?, ["waiting"; 3]);
    assert_eq!(world.picture().await?.departments.len(), 1, "departments go on");
    let stops = world.stops().await?;
    assert_eq!(stops.len(), 1);
    assert_eq!((stops[0].kind, stops[0].tries, stops[0].code.as_str()), (Some(EntityKind::Account), 1, "60011"));
    assert_eq!(stops[0].next_try_at, world.clock.now() + Duration::from_mins(5));
    let call = &stops[0].calls[0];
    assert!(call["action"] == "create account" && call["request_id"] == "request", "the very call: {call}");
    for name in ["ann", "bob", "cat"] {
        let standing = world.standing(name).await?;
        assert!(standing.reason.is_some_and(|reason| reason.contains("Do something.")));
        assert_eq!(standing.attempt, 0, "it is nobody's fault");
    }

    world.clock.advance(Duration::from_mins(5));
    world.do_what_is_due().await?;
    assert_eq!(world.creations(), 2, "one of them has tried");
    let stops = world.stops().await?;
    assert_eq!((stops[0].tries, stops[0].next_try_at), (2, world.clock.now() + Duration::from_mins(15)));
    assert_eq!(stops[0].calls.as_array().map(Vec::len), Some(2));
    world.do_what_is_due().await?;
    assert_eq!(world.creations(), 2, "until its time has come nothing is tried");

    // Somebody has mended it, and does not wait for the clock.
    assert_eq!(world.store.try_now(world.tenant, world.target, BY).await?, 1);
    world.do_what_is_due().await?;
    assert_eq!(world.states_of(&["ann", "bob", "cat"]).await?, ["in_step"; 3]);
    assert!(world.stops().await?.is_empty(), "and nothing is left of the stop");
    Ok(())
}

#[tokio::test]
async fn a_stopped_target_is_tried_by_one_delivery() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account", 2, Fate::Refused(refusal(ErrorClass::Stopped, "40089", None)));
    let people: Vec<ResourceId> = vec![world.person("ann", json!({})).await?, world.person("bob", json!({})).await?];
    let stopped = async {
        rollcall_tests::wait_until(Duration::from_secs(20), "the target is stopped", async || {
            Ok((!world.stops().await?.is_empty()).then_some(()))
        })
        .await
    };
    world.work(World::one_by_one("worker"), stopped).await?;
    assert_eq!((world.creations(), world.stops().await?[0].kind), (1, None));
    // Many places, and yet one of two tries.
    world.clock.advance(Duration::from_mins(5));
    let tried = async {
        rollcall_tests::wait_until(Duration::from_secs(20), "it was tried", async || {
            Ok((world.stops().await?[0].tries == 2).then_some(()))
        })
        .await
    };
    world.work(World::options("worker"), tried).await?;
    assert_eq!(world.creations(), 2);
    world.clock.advance(Duration::from_mins(15));
    world.settle().await?;
    assert_eq!(world.states_of(&["ann", "bob"]).await?, ["in_step"; 2], "{people:?}");
    assert!(world.stops().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn in_a_deny_window_nothing_is_sent_but_leavers_go() -> anyhow::Result<()> {
    let world = World::new().await?;
    let bob = world.person("bob", json!({})).await?;
    world.settle().await?;
    let windows = |denies: &str| {
        let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        json!([{ "name": "freeze", "days": all, "from": "00:00", "to": "00:00", "zone": "UTC", "denies": denies,
                 "leavers": "go_on" }])
    };
    let set =
        async |windows: &serde_json::Value| world.store.set_deny_windows(world.tenant, world.target, windows, BY).await;
    assert!(set(&windows("everything")).await?);
    world.person("ann", json!({})).await?;
    world.delete(bob).await?;
    world.do_what_is_due().await?;
    assert_eq!(world.standing("bob").await?.state, "gone", "access ends all the same");
    let ann = world.standing("ann").await?;
    assert_eq!(ann.state, "waiting");
    let reason = ann.reason.unwrap_or_default();
    assert!(reason.contains("deny window \"freeze\"") && reason.contains("00:00 UTC"), "{reason}");
    let calls = world.fake.calls().len();

    // At midnight the next one begins; nothing is sent in between.
    world.clock.advance(Duration::from_hours(24));
    world.do_what_is_due().await?;
    assert_eq!((world.standing("ann").await?.state.as_str(), world.creations()), ("waiting", 1));
    assert!(world.fake.calls().len() >= calls);

    // What only denies the destructive lets her in, and takes effect at once.
    assert!(set(&windows("destructive")).await?);
    world.do_what_is_due().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}
