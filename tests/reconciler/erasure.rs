//! What is kept of a person who has left is erased when the days of the rules are over, everywhere; before that, and
//! without a rule, it is kept.

use anyhow::Context;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::adoption::{MarkKind, MarkedThing, NewMark};
use rollcall_store::changes::{ChangeCursor, Operation};
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{NewPlan, PlanChangeQuery, PlanScope, TargetMode, Wave};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::time::Duration;

use crate::world::World;

/// What nobody else has in this test.
const SECRETS: [&str; 6] =
    ["winifred", "Quackenbush", "13899900017", "wq@private.example", "Zookeeper of owls", "E-774411"];

fn winifred() -> Value {
    json!({
        "displayName": "Winifred Quackenbush", "mobile": "13899900017", "email": "wq@private.example",
        "title": "Zookeeper of owls", "employeeNumber": "E-774411", "department": "Sales",
    })
}

async fn rules(world: &World, erased: Value) -> anyhow::Result<()> {
    let mut document = Mapping::default_document();
    let leavers = json!([{ "name": "all", "removed_after_days": 2, "erased_after_days": erased }]);
    document.as_object_mut().context("the document is a table")?.insert("leavers".to_owned(), leavers);
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    Ok(())
}

/// Everything that any table holds and that tells of her, as `table: row`.
async fn traces(world: &World) -> anyhow::Result<Vec<String>> {
    let pool = world.database.pool();
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            .fetch_all(pool)
            .await?;
    assert!(tables.len() > 20, "all tables are looked at: {tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let rows: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(format!("SELECT t::text FROM {table} t"))).fetch_all(pool).await?;
        let told = |row: &String| SECRETS.iter().any(|secret| row.to_lowercase().contains(&secret.to_lowercase()));
        found.extend(rows.into_iter().filter(told).map(|row| format!("{table}: {row}")));
    }
    Ok(found)
}

async fn tables_with_traces(world: &World) -> anyhow::Result<Vec<String>> {
    let mut tables: Vec<String> =
        traces(world).await?.iter().filter_map(|row| row.split(':').next().map(str::to_owned)).collect();
    tables.dedup();
    Ok(tables)
}

/// A life with everything that leaves traces: rehearsed and planned, guarded, refused, marked, changed.
async fn a_full_life(world: &World) -> anyhow::Result<ResourceId> {
    world.mode(TargetMode::Rehearsal).await?;
    let id = world.person("winifred", winifred()).await?;
    world.person("bob", json!({ "department": "Sales", "manager": id.to_string() })).await?;
    world.settle().await?;
    let scope = PlanScope { resources: Vec::new(), held_by: None };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    let plan = world.store.make_plan(world.tenant, &new).await?;
    world.store.apply_plan(world.tenant, plan, &Wave::All, "ann").await?;
    world.settle().await?;
    world.mode(TargetMode::Live).await?;
    world.settle().await?;
    assert_eq!(world.standing("winifred").await?.state, "in_step");
    world.set(id, json!({ "title": "Zookeeper of owls, senior" })).await?;
    world.settle().await?;
    let about = MarkedThing::Resource(id);
    let mark = NewMark {
        about: &about,
        kind: MarkKind::Later,
        reason: "Ask Winifred Quackenbush.",
        review_on: None,
        by: "ann",
    };
    world.store.set_mark(world.tenant, world.target, &mark).await?;
    let seen = tables_with_traces(world).await?;
    for table in ["attempts", "links", "marks", "plan_changes", "users"] {
        assert!(seen.iter().any(|found| found == table), "{table} holds something of her: {seen:?}");
    }
    Ok(id)
}

/// Lets the days pass one by one, as workers see them.
async fn days(world: &World, number: u32) -> anyhow::Result<()> {
    for _ in 0..number {
        world.clock.advance(Duration::from_hours(24));
        world.work(World::options("worker"), world.at_rest()).await?;
    }
    Ok(())
}

#[tokio::test]
async fn after_her_days_nothing_tells_of_her() -> anyhow::Result<()> {
    for deleted in [false, true] {
        let world = World::new().await?;
        rules(&world, json!(30)).await?;
        let id = a_full_life(&world).await?;
        if deleted {
            world.delete(id).await?;
        } else {
            world.set(id, json!({ "active": false })).await?;
        }
        days(&world, 3).await?;
        assert_eq!(world.store.remove_at_once(world.tenant, id, "ann", "Winifred again.").await?, 0, "she is gone");
        world.clock.advance(Duration::from_hours(24 * 20));
        world.work(World::options("worker"), world.at_rest()).await?;
        assert_eq!(world.store.erase(10).await?, 0, "not before her day");
        assert_eq!(world.store.collect(10).await?, 0, "and nobody else takes her row away");
        assert!(!traces(&world).await?.is_empty());
        days(&world, 8).await?;
        assert_eq!(world.store.erase(10).await?, 1, "deleted: {deleted}");
        assert_eq!(traces(&world).await?, Vec::<String>::new(), "deleted: {deleted}");
        assert_eq!(world.store.erase(10).await?, 0, "once is enough");
        // What was done, when and by whom stays, by her id.
        let entries = world.store.changes(world.tenant, ChangeCursor::After(0), 100, Some(id)).await?;
        let operations: Vec<Operation> = entries.iter().map(|entry| entry.operation).collect();
        assert_eq!(operations.first(), Some(&Operation::Create));
        assert_eq!(operations.last(), Some(&Operation::Erased));
        let attempts: i64 = sqlx::query_scalar("SELECT count(*) FROM attempts WHERE resource_id = $1")
            .bind(id.0)
            .fetch_one(world.database.pool())
            .await?;
        assert!(attempts >= 3, "created, changed, removed: {attempts}");
        // The plan can still be shown.
        let plan = world.store.plans(world.tenant, None, None, 1).await?.remove(0);
        let all = PlanChangeQuery { limit: 100, ..PlanChangeQuery::default() };
        let changes = world.store.plan_changes(world.tenant, plan.id, &all).await?;
        let hers = changes.into_iter().find(|change| change.resource_id == id.0).map(|change| change.proposal);
        assert_eq!(hers, Some(json!({ "verb": "create", "lines": [], "effects": ["people.create"] })));
        assert_eq!(world.standing("bob").await?.state, "in_step", "and nobody else is touched");
        assert_eq!(world.picture().await?.people["bob"].len(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn without_a_rule_nobody_is_erased() -> anyhow::Result<()> {
    let world = World::new().await?;
    let id = world.person("winifred", winifred()).await?;
    world.settle().await?;
    world.set(id, json!({ "active": false })).await?;
    world.settle().await?;
    world.clock.advance(Duration::from_hours(24 * 4_000));
    assert_eq!(world.store.erase(10).await?, 0);
    assert!(!traces(&world).await?.is_empty());
    // A rule that comes later counts for those who left before.
    rules(&world, json!(30)).await?;
    world.settle().await?;
    assert_eq!(world.store.erase(10).await?, 1);
    assert_eq!(traces(&world).await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn whoever_comes_back_is_not_erased() -> anyhow::Result<()> {
    let world = World::new().await?;
    rules(&world, json!(30)).await?;
    let id = world.person("winifred", winifred()).await?;
    world.settle().await?;
    world.set(id, json!({ "active": false })).await?;
    days(&world, 10).await?;
    world.set(id, json!({ "active": true })).await?;
    world.settle().await?;
    world.clock.advance(Duration::from_hours(24 * 60));
    assert_eq!(world.store.erase(10).await?, 0, "she works here");
    // The days begin anew, also before a worker has seen that she left.
    world.set(id, json!({ "active": false })).await?;
    assert_eq!(world.store.erase(10).await?, 0, "she has just left");
    days(&world, 10).await?;
    assert_eq!(world.store.erase(10).await?, 0, "ten days ago");
    days(&world, 21).await?;
    assert_eq!(world.store.erase(10).await?, 1);
    Ok(())
}

#[tokio::test]
async fn who_is_still_there_is_not_erased() -> anyhow::Result<()> {
    let world = World::new().await?;
    rules(&world, json!(2)).await?;
    let id = world.person("winifred", winifred()).await?;
    world.settle().await?;
    let about = MarkedThing::Resource(id);
    let mark = NewMark { about: &about, kind: MarkKind::Protected, reason: "robot", review_on: None, by: "ann" };
    world.store.set_mark(world.tenant, world.target, &mark).await?;
    world.set(id, json!({ "active": false })).await?;
    days(&world, 30).await?;
    assert_eq!(world.standing("winifred").await?.state, "held");
    assert_eq!(world.store.erase(10).await?, 0);
    Ok(())
}

#[tokio::test]
async fn batches_are_bounded() -> anyhow::Result<()> {
    let world = World::new().await?;
    rules(&world, json!(2)).await?;
    for number in 0..5 {
        let id = world.person(&format!("p{number}"), json!({ "mobile": format!("1380000000{number}") })).await?;
        world.set(id, json!({ "active": false })).await?;
    }
    days(&world, 3).await?;
    assert_eq!((world.store.erase(3).await?, world.store.erase(3).await?, world.store.erase(3).await?), (3, 2, 0));
    Ok(())
}
