//! How many calls a target may be sent: what is more waits for the next day, and people who lose their access do not.

use anyhow::Context;
use rollcall_provisioning::allowance::Spent;
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{NewPlan, NewSettings, PlanScope, TargetMode, Wave};
use rollcall_store::sources::SetUpBy;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fake::{Fate, refusal};
use crate::group_rules::rules;
use crate::world::{Never, World};

impl World {
    /// Gives the target these settings.
    pub(crate) async fn settings(&self, settings: Value) -> anyhow::Result<()> {
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
    world.settings(json!({ "calls_per_day": 3 })).await?;
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
    world.settings(json!({ "calls_per_month": 1 })).await?;
    for name in ["ann", "bob"] {
        world.person(name, json!({})).await?;
    }
    world.do_all().await?;
    assert_eq!(world.states_of(&["ann", "bob"]).await?, ["in_step", "waiting"]);
    world.settings(json!({ "calls_per_month": 2 })).await?;
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
    world.settings(json!({ "calls_per_day": 3 })).await?;
    for name in ["ann", "bob"] {
        world.person(name, json!({})).await?;
    }
    world.set(old, json!({ "active": false })).await?;
    world.settle().await?;
    let scope = PlanScope::default();
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    let shown = world.store.plan(world.tenant, plan).await?.context("no plan")?;
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

#[tokio::test]
async fn whoever_loses_their_access_leaves_roles_and_chats_although_nothing_else_is_sent() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut document = Mapping::default_document();
    document["groups"] = rules();
    document["leavers"] = json!([{ "name": "all", "access_ended_after_days": 0, "removed_after_days": 14 }]);
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    let ann = world.person("ann", json!({})).await?;
    let bob = world.person("bob", json!({})).await?;
    let cat = world.person("cat", json!({})).await?;
    let role = world.group("Role Staff", &[ann, bob]).await?;
    world.settle().await?;
    let members = || world.circles()[0].members.clone();
    assert_eq!(members(), ["ann", "bob"]);
    world.settings(json!({ "calls_per_day": 1 })).await?;
    let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let window = json!([{ "name": "freeze", "days": all, "from": "00:00", "to": "00:00", "zone": "UTC" }]);
    let by = (SetUpBy::CommandLine, "test");
    assert!(world.store.set_deny_windows(world.tenant, world.target, &window, by).await?);
    world.add(role, &[cat]).await?;
    world.rename_group(role, "Role Everybody").await?;
    world.set(bob, json!({ "active": false })).await?;
    world.do_all().await?;
    assert_eq!(members(), ["ann"], "bob is out, and cat not in yet");
    let waits: String = sqlx::query_scalar("SELECT error_code FROM deliveries WHERE resource_kind = 'group'")
        .fetch_one(world.database.pool())
        .await?;
    assert_eq!(waits, "deny_window");
    assert!(world.store.set_deny_windows(world.tenant, world.target, &json!([]), by).await?);
    world.do_all().await?;
    assert_eq!(members(), ["ann"], "the calls of today are used up");
    world.clock.advance(Duration::from_hours(24));
    world.do_all().await?;
    let seen = world.circles();
    assert_eq!(
        (seen[0].name.as_str(), seen[0].members.as_slice()),
        ("Staff", &["ann".to_owned(), "cat".to_owned()][..])
    );
    Ok(())
}
