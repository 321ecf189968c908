//! What does not work is stopped as far as its cause reaches, tried by the clock of that cause, and remembered with the calls
//! that were refused. And times at which nothing is sent.

use std::time::Duration;

use anyhow::Context;
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::stop::{Reach, Step};
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
    let (reach, stop) = (Reach::Kind(EntityKind::Account), &stops[0]);
    assert_eq!((stop.reach, stop.tries, stop.code.as_str()), (reach, 1, "60011"));
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
    assert_eq!((world.creations(), world.stops().await?[0].reach), (1, Reach::Target));
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

#[tokio::test]
async fn a_target_that_does_not_answer_is_left_alone_and_comes_back_with_one_answer() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account", 6, Fate::Refused(refusal(ErrorClass::Transient, "timeout", None)));
    let names = ["p1", "p2", "p3", "p4", "p5", "p6", "p7"];
    for name in names {
        world.person(name, json!({})).await?;
    }
    let tried = async |tries: i32| {
        rollcall_tests::wait_until(Duration::from_secs(20), "the target is stopped", async || {
            Ok(world.stops().await?.first().is_some_and(|stop| stop.tries == tries).then_some(()))
        })
        .await
    };
    let first = world.work(World::one_by_one("worker"), tried(1)).await;
    assert!(first.is_ok(), "{:?} {:?} {:?}", world.fake.calls(), world.stops().await?, world.standings().await?);
    assert_eq!(world.creations(), 5, "five in a row, and nobody else is tried");
    let stops = world.stops().await?;
    let stop = &stops[0];
    assert_eq!((stop.reach, stop.cause.as_str(), stop.code.as_str()), (Reach::Target, "outage", "timeout"));
    assert_eq!(stops[0].next_try_at, world.clock.now() + Duration::from_secs(10));
    assert_eq!(stops[0].advice, "Do something.");

    world.clock.advance(Duration::from_secs(10));
    world.work(World::one_by_one("worker"), tried(2)).await?;
    assert_eq!(world.creations(), 6, "one has tried");
    assert_eq!(world.stops().await?[0].next_try_at, world.clock.now() + Duration::from_secs(20));

    world.clock.advance(Duration::from_secs(20));
    world.settle().await?;
    assert_eq!(world.states_of(&names).await?, ["in_step"; 7]);
    assert!(world.stops().await?.is_empty(), "nothing is left of the stop");
    Ok(())
}

#[tokio::test]
async fn one_person_whose_calls_are_not_answered_does_not_stop_the_others() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account slow", 8, Fate::Refused(refusal(ErrorClass::Transient, "timeout", None)));
    world.person("slow", json!({})).await?;
    for _ in 0..8 {
        world.do_what_is_due().await?;
        world.clock.advance(Duration::from_mins(31));
    }
    assert_eq!(world.creations(), 8);
    assert!(world.stops().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn values_of_too_many_that_are_refused_alike_stop_creations_until_one_works() -> anyhow::Result<()> {
    let world = World::new().await?;
    let leaver = world.person("leaver", json!({})).await?;
    let staff = world.person("staff", json!({})).await?;
    world.settle().await?;
    let wrong = || Fate::Refused(refusal(ErrorClass::Invalid, "40022", None));
    world.fake.on("create account p", 16, wrong());
    for index in 0..15 {
        world.person(&format!("p{index:02}"), json!({})).await?;
    }
    world.do_what_is_due().await?;
    assert!(world.stops().await?.is_empty(), "fifteen of fifty are not too many, also while there are not fifty");
    for index in 15..20 {
        world.person(&format!("p{index:02}"), json!({})).await?;
    }
    world.do_what_is_due().await?;
    let stops = world.stops().await?;
    assert_eq!((stops.len(), stops[0].reach), (1, Reach::Steps(Step::Create, EntityKind::Account)));
    assert_eq!((stops[0].cause.as_str(), stops[0].code.as_str(), stops[0].tries), ("values", "40022", 1));
    let since = world.clock.now();
    assert_eq!(stops[0].next_try_at, since + Duration::from_mins(5));
    assert!(stops[0].reason.contains("16 were refused with the code 40022"), "{}", stops[0].reason);
    assert_eq!(
        world.creations(),
        18,
        "leaver, staff and sixteen whose values are wrong; the others were not even tried"
    );
    assert_eq!(world.standing("p15").await?.state, "needs_attention", "what is wrong with somebody is said as ever");
    let waits = world.standing("p19").await?;
    assert_eq!((waits.state.as_str(), waits.due_at), ("waiting", Some(since + Duration::from_mins(5))));

    // Others go on: changes, and above all people who leave.
    world.set(staff, json!({ "title": "Clerk" })).await?;
    world.delete(leaver).await?;
    world.do_what_is_due().await?;
    assert_eq!(world.standing("staff").await?.state, "in_step");
    assert_eq!(world.standing("leaver").await?.state, "gone");

    // Whoever tries is refused as well: the clock of the stop goes on.
    world.fake.on("create account p", 1, wrong());
    world.clock.advance(Duration::from_mins(5));
    world.do_what_is_due().await?;
    let stops = world.stops().await?;
    assert_eq!((world.creations(), stops[0].tries), (19, 2));
    assert_eq!(stops[0].next_try_at, world.clock.now() + Duration::from_mins(15));

    // One works, and the others follow. The seventeen of before are counted no more, so the next one is one of a handful.
    world.clock.advance(Duration::from_mins(15));
    world.do_what_is_due().await?;
    assert!(world.stops().await?.is_empty());
    assert_eq!(world.states_of(&["p17", "p18", "p19"]).await?, ["in_step"; 3]);
    world.fake.on("create account late", 1, wrong());
    world.person("late", json!({})).await?;
    world.person("later", json!({})).await?;
    world.do_what_is_due().await?;
    assert!(world.stops().await?.is_empty());
    assert_eq!(world.standing("late").await?.state, "needs_attention");
    assert_eq!(world.standing("later").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_with_single_people_is_no_outage() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.on("create account", 8, Fate::Refused(refusal(ErrorClass::Invalid, "40022", None)));
    for index in 0..8 {
        world.person(&format!("p{index}"), json!({})).await?;
    }
    world.do_what_is_due().await?;
    assert!(world.stops().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn whoever_is_about_to_wait_for_a_window_that_is_removed_goes_on() -> anyhow::Result<()> {
    let world = World::new().await?;
    let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let window = json!([{ "name": "freeze", "days": all, "from": "00:00", "to": "00:00", "zone": "UTC" }]);
    assert!(world.store.set_deny_windows(world.tenant, world.target, &window, BY).await?);
    world.person("ann", json!({})).await?;
    let reconciler = world.reconciler(World::one_by_one("worker"));
    let claim = reconciler.claim_next().await?.context("she is due")?;
    // The worker knows the window; before it says that she waits for it there is none any more.
    assert!(world.store.set_deny_windows(world.tenant, world.target, &json!([]), BY).await?);
    reconciler.work_on(&claim).await;
    world.do_what_is_due().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}
