//! Taking back what was done while something else waits: an undo is sent, or is told beforehand that it cannot be; and two
//! who decide about one person do not get in each other's way.

use anyhow::Context;
use rollcall_dingtalk::DingTalkSchema;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::{
    Applied, ApplyError, NewPlan, NewUndo, OverrideQuery, OverrideRow, PlanChangeQuery, PlanRow, PlanScope, TargetMode,
    UndoScope, Wave,
};
use rollcall_tests::wait_until;
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::fake::ROOT;
use crate::world::{PATIENCE, World};

/// Everybody may change everything, but for what is said here.
fn guards(limits: &Value) -> anyhow::Result<Guards> {
    Ok(Guards::parse(limits)?)
}

/// A plan that undoes what was done from a moment on.
async fn undo(world: &World, from: OffsetDateTime) -> anyhow::Result<Uuid> {
    let scope = UndoScope { from: Some(from), ..UndoScope::default() };
    let new = NewUndo {
        target: world.target,
        scope: &scope,
        guards: &Guards::default(),
        by: "ann",
        reason: "Too loud.",
        review_on: None,
        schema: &DingTalkSchema,
        root: ROOT,
    };
    let made = world.store.make_undo(world.tenant, &new).await?;
    made.ok_or_else(|| anyhow::anyhow!("nothing was done since"))
}

async fn plan(world: &World, resources: &[ResourceId]) -> anyhow::Result<Uuid> {
    let scope = PlanScope { resources: resources.to_vec(), held_by: None };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    Ok(world.store.make_plan(world.tenant, &new).await?)
}

async fn apply(world: &World, plan: Uuid) -> Result<Applied, ApplyError> {
    world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await
}

async fn shown(world: &World, plan: Uuid) -> anyhow::Result<PlanRow> {
    world.store.plan(world.tenant, plan).await?.context("no plan")
}

/// The codes of what a plan that undoes cannot take back, or not without a loss.
async fn cannot(world: &World, plan: Uuid) -> anyhow::Result<Vec<String>> {
    let query = PlanChangeQuery { limit: 100, ..PlanChangeQuery::default() };
    let changes = world.store.plan_changes(world.tenant, plan, &query).await?;
    let all = changes.iter().filter_map(|change| change.cannot.as_ref()?.as_array()).flatten();
    Ok(all
        .map(|one| format!("{}:{}", one["attribute"].as_str().unwrap_or("-"), one["code"].as_str().unwrap_or("-")))
        .collect())
}

async fn overrides(world: &World) -> anyhow::Result<Vec<OverrideRow>> {
    Ok(world.store.overrides(world.tenant, &OverrideQuery { limit: 10, ..OverrideQuery::default() }).await?)
}

async fn title(world: &World, name: &str) -> anyhow::Result<String> {
    let picture = world.picture().await?;
    let seen = picture.people.get(name).and_then(|all| all.first());
    Ok(seen.map(|seen| seen.title.clone()).unwrap_or_default())
}

/// Ann, a clerk who became a head a minute later, which is to be undone.
async fn a_clerk_who_became_a_head() -> anyhow::Result<(World, ResourceId, OffsetDateTime)> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "Clerk", "email": "ann@corp.example" })).await?;
    world.settle().await?;
    world.clock.advance(Duration::from_mins(1));
    let from = rollcall_provisioning::time::Clock::now(&*world.clock);
    world.set(ann, json!({ "title": "Head" })).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Head");
    Ok((world, ann, from))
}

#[tokio::test]
async fn what_a_rehearsal_holds_does_not_keep_an_undo_from_being_sent() -> anyhow::Result<()> {
    let (world, ann, from) = a_clerk_who_became_a_head().await?;
    world.mode(TargetMode::Rehearsal).await?;
    world.set(ann, json!({ "title": "Boss", "email": "boss@corp.example" })).await?;
    world.settle().await?;
    let way_back = undo(&world, from).await?;
    assert_eq!(cannot(&world, way_back).await?, ["title:newer_waits"], "that it takes the place of what waits is said");
    assert_eq!(apply(&world, way_back).await?, Applied { permitted: 1, withheld: 0 });
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Clerk");
    assert_eq!(world.picture().await?.people["ann"][0].email, "ann@corp.example", "the plan says nothing of it");
    let over = shown(&world, way_back).await?;
    assert_eq!((over.state.as_str(), over.states), ("applied", json!({ "applied": 1 })));
    let held = overrides(&world).await?;
    assert_eq!(held.iter().map(|held| held.against.clone()).collect::<Vec<_>>(), [Some(json!("Boss"))]);
    assert_eq!(world.standing("ann").await?.state, "held", "the rest waits on");

    // The rest goes by a plan of its own, and the title stays; until the source has something new to say.
    let rest = plan(&world, &[]).await?;
    apply(&world, rest).await?;
    world.settle().await?;
    let seen = world.picture().await?.people["ann"][0].clone();
    assert_eq!((seen.title.as_str(), seen.email.as_str()), ("Clerk", "boss@corp.example"));
    world.mode(TargetMode::Live).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Clerk");
    world.set(ann, json!({ "title": "Chief" })).await?;
    world.settle().await?;
    assert_eq!((title(&world, "ann").await?.as_str(), overrides(&world).await?.len()), ("Chief", 0));
    Ok(())
}

#[tokio::test]
async fn what_a_guard_holds_does_not_keep_an_undo_from_being_sent() -> anyhow::Result<()> {
    let (world, ann, from) = a_clerk_who_became_a_head().await?;
    let strict = guards(&json!({ "fields.changed": { "floor": 0, "share": 0 } }))?;
    world.limit(&strict).await?;
    world.set(ann, json!({ "title": "Boss", "email": "boss@corp.example" })).await?;
    world.settle().await?;
    assert_eq!((world.standing("ann").await?.state.as_str(), title(&world, "ann").await?.as_str()), ("held", "Head"));
    let way_back = undo(&world, from).await?;
    assert_eq!(apply(&world, way_back).await?, Applied { permitted: 1, withheld: 0 });
    world.settle().await?;
    let seen = world.picture().await?.people["ann"][0].clone();
    assert_eq!((seen.title.as_str(), seen.email.as_str()), ("Clerk", "ann@corp.example"));
    assert_eq!(shown(&world, way_back).await?.state, "applied");
    Ok(())
}

#[tokio::test]
async fn what_the_source_says_after_the_plan_makes_it_stale() -> anyhow::Result<()> {
    let (world, ann, from) = a_clerk_who_became_a_head().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let way_back = undo(&world, from).await?;
    world.set(ann, json!({ "title": "Boss" })).await?;
    world.settle().await?;
    let refused = apply(&world, way_back).await;
    assert!(matches!(refused, Err(ApplyError::Stale { number: 1, .. })), "{refused:?}");
    assert!(overrides(&world).await?.is_empty(), "nothing is held by a plan that was not applied");
    Ok(())
}

/// Waits until so many statements of the store wait for a lock.
async fn blocked(world: &World, number: i64) -> anyhow::Result<()> {
    wait_until(PATIENCE, "the statements wait for the lock", async || {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND application_name = 'rollcall' AND wait_event_type = 'Lock'",
        )
        .fetch_one(world.database.pool())
        .await?;
        Ok((waiting == number).then_some(()))
    })
    .await
}

#[tokio::test]
async fn of_two_plans_of_one_person_that_are_applied_at_once_one_is_stale() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let ann = world.person("ann", json!({ "title": "Clerk" })).await?;
    world.settle().await?;
    let (first, second) = (plan(&world, &[]).await?, plan(&world, &[]).await?);
    let mut writer = world.database.pool().begin().await?;
    sqlx::query("SELECT 1 FROM deliveries WHERE resource_id = $1 FOR UPDATE").bind(ann.0).execute(&mut *writer).await?;
    let release = async {
        blocked(&world, 2).await?;
        writer.commit().await?;
        Ok::<_, anyhow::Error>(())
    };
    let (one, other, released) = tokio::join!(apply(&world, first), apply(&world, second), release);
    released?;
    let stale = |end: &Result<Applied, ApplyError>| matches!(end, Err(ApplyError::Stale { number: 1, .. }));
    assert!(one.is_ok() != other.is_ok() && (stale(&one) || stale(&other)), "{one:?} {other:?}");
    world.settle().await?;
    let mut states = [shown(&world, first).await?.state, shown(&world, second).await?.state];
    states.sort();
    assert_eq!(states, ["applied", "ready"], "neither waits for ever");
    Ok(())
}

#[tokio::test]
async fn an_undo_takes_the_place_of_a_plan_that_still_waits() -> anyhow::Result<()> {
    let (world, ann, from) = a_clerk_who_became_a_head().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let boss = world.person("boss", json!({})).await?;
    world.set(ann, json!({ "title": "Boss", "manager": boss.0.to_string() })).await?;
    world.settle().await?;
    let older = plan(&world, &[ann]).await?;
    apply(&world, older).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Boss");
    assert_eq!(shown(&world, older).await?.state, "applying", "it waits for the manager");
    let way_back = undo(&world, from).await?;
    assert_eq!(apply(&world, way_back).await?, Applied { permitted: 1, withheld: 0 });
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Clerk");
    let over = shown(&world, older).await?;
    assert_eq!((over.state.as_str(), over.states), ("partly_applied", json!({ "moved": 1 })));
    let query = PlanChangeQuery { limit: 10, ..PlanChangeQuery::default() };
    let detail = world.store.plan_changes(world.tenant, older, &query).await?.remove(0).detail.unwrap_or_default();
    assert!(detail.contains(&format!("Plan {way_back}, which takes back")), "{detail}");
    Ok(())
}

#[tokio::test]
async fn who_lifts_an_override_waits_for_its_delivery_first() -> anyhow::Result<()> {
    let (world, ann, from) = a_clerk_who_became_a_head().await?;
    let way_back = undo(&world, from).await?;
    apply(&world, way_back).await?;
    world.settle().await?;
    let number = overrides(&world).await?.remove(0).id;
    let mut worker = world.database.pool().begin().await?;
    sqlx::query("SELECT 1 FROM deliveries WHERE resource_id = $1 FOR UPDATE").bind(ann.0).execute(&mut *worker).await?;
    let ends_it_too = async {
        blocked(&world, 1).await?;
        // As a worker that finds that the rules want something else.
        let free = sqlx::query("SELECT 1 FROM overrides WHERE id = $1 FOR UPDATE NOWAIT").bind(number);
        let free = free.execute(&mut *worker).await;
        worker.commit().await?;
        Ok::<_, anyhow::Error>(free)
    };
    let (lifted, free) = tokio::join!(world.store.lift_override(world.tenant, number, "ann", "request"), ends_it_too);
    assert!(free?.is_ok() && lifted?, "they would have waited for each other");
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "Head");
    Ok(())
}
