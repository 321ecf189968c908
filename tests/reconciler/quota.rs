//! How many calls a target may be sent: what is more waits for the next day, and people who lose their access do not.

use rollcall_provisioning::allowance::Spent;
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::guard::Guards;
use rollcall_store::projection::{NewPlan, NewSettings, PlanScope, TargetMode, Wave};
use rollcall_store::sources::SetUpBy;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fake::{Fate, refusal};
use crate::world::{Never, World};

impl World {
    async fn may_be_sent(&self, settings: Value) -> anyhow::Result<()> {
        let new = |_: &_| Ok::<_, Never>(NewSettings { settings: settings.clone(), secret_sealed: None });
        let changed = self.store.change_target(self.tenant, self.target, (SetUpBy::CommandLine, "test"), new).await;
        changed.map_err(|error| anyhow::anyhow!("{error:?}"))?;
        Ok(())
    }

    async fn do_all(&self) -> anyhow::Result<()> {
        self.work(Self::one_by_one("worker"), self.nothing_is_due()).await
    }
}

#[tokio::test]
async fn what_is_more_than_a_day_allows_waits_for_the_next_and_leavers_go() -> anyhow::Result<()> {
    let world = World::new().await?;
    let old = world.person("old", json!({})).await?;
    world.settle().await?;
    assert_eq!(world.store.calls_spent(world.tenant, world.target).await?, Spent { day: 1, month: 1 });
    world.may_be_sent(json!({ "calls_per_day": 3 })).await?;
    for name in ["ann", "bob", "cat", "dan"] {
        world.person(name, json!({})).await?;
    }
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob", "cat", "dan"]).await?, ["in_step", "in_step", "waiting", "waiting"]);
    let waiting = world.standings().await?.into_iter().find(|(_, standing)| standing.state == "waiting");
    let waiting = waiting.map(|(_, standing)| standing.reason.unwrap_or_default()).unwrap_or_default();
    assert!(waiting.contains("The 3 calls that the target may be sent today are used up"), "{waiting}");
    assert!(waiting.contains("from 2026-03-02 00:00 UTC on") && waiting.contains("calls_per_day"), "{waiting}");
    world.set(old, json!({ "active": false })).await?;
    world.do_all().await?;
    assert_eq!(world.standing("old").await?.state, "gone", "access ends all the same");

    world.clock.advance(Duration::from_hours(16));
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob", "cat", "dan"]).await?, ["in_step"; 4]);
    assert_eq!(world.store.calls_spent(world.tenant, world.target).await?, Spent { day: 2, month: 6 });
    Ok(())
}

#[tokio::test]
async fn a_larger_allowance_counts_at_once() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.may_be_sent(json!({ "calls_per_month": 1 })).await?;
    for name in ["ann", "bob"] {
        world.person(name, json!({})).await?;
    }
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob"]).await?, ["in_step", "waiting"]);
    world.may_be_sent(json!({ "calls_per_month": 2 })).await?;
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob"]).await?, ["in_step"; 2]);
    Ok(())
}

#[tokio::test]
async fn a_plan_that_needs_more_calls_than_are_left_is_held_but_for_leavers() -> anyhow::Result<()> {
    let world = World::new().await?;
    let old = world.person("old", json!({})).await?;
    world.settle().await?;
    world.mode(TargetMode::Rehearsal).await?;
    world.may_be_sent(json!({ "calls_per_day": 3 })).await?;
    for name in ["ann", "bob"] {
        world.person(name, json!({})).await?;
    }
    world.set(old, json!({ "active": false })).await?;
    world.settle().await?;
    let scope = PlanScope::default();
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    let shown = world.store.plans(world.tenant, None, Some(plan), 1).await?.remove(0);
    assert_eq!((&shown.summary["calls"], &shown.summary["calls_left"]), (&json!(3), &json!(2)));
    assert_eq!(shown.summary["guards"]["quota"], "quota: 3 calls, more than the 2 of 3 that are left today");
    assert_eq!((shown.state.as_str(), shown.guarded), ("guarded", 2));
    let applied = world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    assert_eq!((applied.permitted, applied.withheld), (1, 2), "the leaver can go");
    world.settle().await?;
    assert_eq!(world.standing("old").await?.state, "gone");
    Ok(())
}

#[tokio::test]
async fn when_a_quota_is_renewed_leavers_go_first() -> anyhow::Result<()> {
    let world = World::new().await?;
    let old = world.person("old", json!({})).await?;
    world.settle().await?;
    world.fake.on("create account", 1, Fate::Refused(refusal(ErrorClass::KindStopped, "90020", None)));
    for name in ["ann", "bob"] {
        world.person(name, json!({})).await?;
    }
    world.do_all().await?;
    world.set(old, json!({ "active": false })).await?;
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob", "old"]).await?, ["waiting"; 3]);
    let calls = world.fake.calls().len();
    world.clock.advance(Duration::from_mins(5));
    world.do_all().await?;
    let after = world.fake.calls().split_off(calls);
    let changes: Vec<&str> = after.iter().map(String::as_str).filter(|call| !call.starts_with("read")).collect();
    assert!(changes[0].starts_with("delete account"), "{changes:?}");
    assert_eq!(changes.len(), 3, "{changes:?}");
    Ok(())
}
