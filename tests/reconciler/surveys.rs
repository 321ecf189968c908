//! Surveys: what they say of a person is what a delivery would say, and nothing gets lost between the two.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use rollcall_provisioning::delivery::{Outcome, next};
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{MarkAgain, NewTarget, Settled, TargetMode};
use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use crate::world::{START, World};

/// How a person stands, as far as a survey says.
#[derive(sqlx::FromRow, Clone, PartialEq, Debug)]
struct Stand {
    name: String,
    state: String,
    held_by: Option<String>,
    proposal: Option<Json<Value>>,
    reason: Option<String>,
    error_class: Option<String>,
    error_code: Option<String>,
    applied_version: Option<i64>,
    dirty: bool,
    wanted: i64,
}

async fn stands(world: &World, target: Uuid) -> anyhow::Result<BTreeMap<String, Stand>> {
    let all: Vec<Stand> = sqlx::query_as(
        "SELECT COALESCE(u.attributes ->> 'userName', d.resource_id::text) AS name, d.state, d.held_by, d.proposal,
                d.reason, d.error_class, d.error_code, d.applied_version, d.mark > d.done_mark AS dirty,
                (SELECT count(*) FROM placements p WHERE p.target_id = d.target_id AND p.user_id = d.resource_id AND p.wanted)
                AS wanted
         FROM deliveries d JOIN users u ON u.tenant_id = d.tenant_id AND u.id = d.resource_id
         WHERE d.tenant_id = $1 AND d.target_id = $2 AND d.resource_kind = 'user'",
    )
    .bind(world.tenant.0)
    .bind(target)
    .fetch_all(world.database.pool())
    .await?;
    Ok(all.into_iter().map(|stand| (stand.name.clone(), stand)).collect())
}

async fn marks(world: &World) -> anyhow::Result<BTreeMap<String, i64>> {
    Ok(world.standings().await?.into_iter().map(|(name, standing)| (name, standing.mark)).collect())
}

async fn save(world: &World, parts: &[(&str, Value)]) -> anyhow::Result<i32> {
    let mut document = Mapping::default_document();
    for (pointer, part) in parts {
        let (above, name) = pointer.rsplit_once('/').context("a pointer")?;
        let above = document.pointer_mut(above).and_then(Value::as_object_mut).context("a member")?;
        above.insert((*name).to_owned(), part.clone());
    }
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    Ok(world.store.save_mapping(world.tenant, &new).await?)
}

/// People of every sort that rules and targets know.
async fn people(world: &World) -> anyhow::Result<()> {
    let boss = world.person("boss", json!({ "title": "head", "department": "Sales" })).await?;
    let boss = boss.to_string();
    world.person("clerk", json!({ "title": "clerk", "department": "Sales", "manager": boss })).await?;
    world.person("upper", json!({ "title": "CLERK", "department": "Sales" })).await?;
    world.person("rootless", json!({ "title": "clerk" })).await?;
    world.person("deep", json!({ "organization": "Sample", "division": "North", "department": "Stores" })).await?;
    world.person("nobodys", json!({ "title": "clerk", "manager": Uuid::from_u128(7).to_string() })).await?;
    world.person("own", json!({ "title": "clerk" })).await?;
    world.person("numberless", json!({ "mobile": null, "title": "clerk" })).await?;
    world.person("robot", json!({ "title": "robot", "department": "Sales" })).await?;
    let leaver = world.person("leaver", json!({ "title": "clerk", "department": "Sales" })).await?;
    world.set(leaver, json!({ "active": false })).await
}

/// Lets deliveries look at everybody again, one by one.
async fn look_again(world: &World) -> anyhow::Result<()> {
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM users WHERE tenant_id = $1")
        .bind(world.tenant.0)
        .fetch_all(world.database.pool())
        .await?;
    for id in ids {
        let again = MarkAgain { resource: Some(ResourceId(id)), ..MarkAgain::default() };
        world.store.mark_again(world.tenant, &again, "request").await?;
    }
    Ok(())
}

#[tokio::test]
async fn other_rules_say_of_everybody_what_a_delivery_says() -> anyhow::Result<()> {
    let robots = json!([{ "name": "robots", "when": "user.title == \"robot\"", "include": false }]);
    let cases: [(&str, &[(&str, Value)]); 5] = [
        ("nothing changes", &[]),
        ("titles", &[("/account/title/value", json!("upper(user.title)"))]),
        ("scope", &[("/scope", robots)]),
        ("departments", &[("/departments", json!({ "paths": "[\"All\"]" }))]),
        (
            "a title that is too long",
            &[("/account/title/value", json!(format!("user.title + \"{}\"", "x".repeat(300))))],
        ),
    ];
    for (case, parts) in cases {
        let world = World::new().await?;
        people(&world).await?;
        world.settle().await?;
        save(&world, parts).await?;
        // Whoever is to lose an account is read before that, also when it waits for a plan.
        let sent = || world.fake.calls().iter().filter(|call| !call.starts_with("read account")).count();
        let calls = sent();
        world.settle().await?;
        let surveyed = stands(&world, world.target.0).await?;
        look_again(&world).await?;
        world.settle().await?;
        assert_eq!(surveyed, stands(&world, world.target.0).await?, "{case}");
        assert_eq!(sent(), calls, "{case}: nothing is sent");
    }
    Ok(())
}

#[tokio::test]
async fn a_new_target_in_rehearsal_is_planned_as_deliveries_would_plan_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    people(&world).await?;
    world.settle().await?;
    let new = NewTarget {
        id: world.store.new_target_id(),
        name: "second".to_owned(),
        kind: "fake".to_owned(),
        settings: json!({}),
        secret_sealed: Vec::new(),
        mode: TargetMode::Rehearsal,
    };
    let target = world.store.create_target(world.tenant, &new).await?;
    world.serve(target);
    world.settle().await?;
    let surveyed = stands(&world, target.0).await?;
    assert_eq!(surveyed["clerk"].held_by.as_deref(), Some("rehearsal"));
    assert_eq!(surveyed["deep"].wanted, 1, "where somebody belongs is noted, so that departments are planned too");
    let units: Vec<(String, String)> = sqlx::query_as(
        "SELECT o.name, d.state FROM org_units o JOIN deliveries d ON d.target_id = o.target_id AND d.resource_id = o.id
         WHERE o.target_id = $1 ORDER BY o.name",
    )
    .bind(target.0)
    .fetch_all(world.database.pool())
    .await?;
    let held = |name: &str| (name.to_owned(), "held".to_owned());
    assert_eq!(units, [held("North"), held("Sales"), held("Sample"), held("Stores")]);
    look_again(&world).await?;
    world.settle().await?;
    assert_eq!(surveyed, stands(&world, target.0).await?);
    Ok(())
}

#[tokio::test]
async fn nobody_is_marked_who_can_be_settled_without_a_call() -> anyhow::Result<()> {
    let world = World::new().await?;
    for number in 0..8 {
        world.person(&format!("clerk{number}"), json!({ "title": "clerk", "department": "Sales" })).await?;
    }
    world.settle().await?;
    let before = marks(&world).await?;
    save(&world, &[("/account/title/value", json!("lower(user.title)"))]).await?;
    world.settle().await?;
    let people = |marks: BTreeMap<String, i64>| marks.into_iter().filter(|(name, _)| !name.starts_with("unit "));
    assert_eq!(people(before).collect::<Vec<_>>(), people(marks(&world).await?).collect::<Vec<_>>());
    let behind: i64 = sqlx::query_scalar("SELECT count(*) FROM deliveries WHERE mapping_version <> 1")
        .fetch_one(world.database.pool())
        .await?;
    assert_eq!(behind, 0, "and everybody is there by the new rules");
    let before = marks(&world).await?;
    save(&world, &[("/account/title/value", json!("upper(user.title)"))]).await?;
    world.settle().await?;
    assert_eq!(people(before).collect::<Vec<_>>(), people(marks(&world).await?).collect::<Vec<_>>());
    assert!(stands(&world, world.target.0).await?.values().all(|stand| stand.state == "held"), "without a mark");
    Ok(())
}

/// The page of a survey is read, then the person changes, then the page is kept.
#[tokio::test]
async fn whoever_changes_meanwhile_is_looked_at_again() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "clerk" })).await?;
    world.person("bob", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    save(&world, &[]).await?;
    let survey = world.store.claim_survey("slow", Duration::from_mins(1)).await?.context("a survey")?;
    let page = world.store.survey_page(&survey, None, 10).await?;
    world.set(ann, json!({ "title": "director" })).await?;
    let (mut seen, mut settled) = (Vec::new(), Vec::new());
    for person in page.people {
        seen.push(person.claim.resource.0);
        let standing = next(&Outcome::InStep, 0, START, 0);
        settled.push(Settled { applied_version: Some(1), standing, places: Vec::new(), claim: person.claim });
    }
    assert!(world.store.keep_survey_page(&survey, &seen, &settled, Duration::from_mins(1)).await?);
    let stands = stands(&world, world.target.0).await?;
    let of = |name: &str| (stands[name].state.as_str(), stands[name].dirty);
    assert_eq!((of("ann"), of("bob")), (("pending", true), ("in_step", false)));
    Ok(())
}

#[tokio::test]
async fn a_survey_that_begins_anew_takes_nothing_from_the_old_one() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("ann", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    save(&world, &[]).await?;
    let survey = world.store.claim_survey("slow", Duration::from_mins(1)).await?.context("a survey")?;
    assert!(world.store.claim_survey("other", Duration::from_mins(1)).await?.is_none(), "one worker is at it");
    let page = world.store.survey_page(&survey, None, 10).await?;
    let seen: Vec<Uuid> = page.people.iter().map(|person| person.claim.resource.0).collect();
    save(&world, &[("/account/title/value", json!("upper(user.title)"))]).await?;
    assert!(
        !world.store.keep_survey_page(&survey, &seen, &[], Duration::from_mins(1)).await?,
        "it is not theirs any more"
    );
    world.store.end_survey(&survey).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    Ok(())
}

#[tokio::test]
async fn a_survey_goes_on_after_its_worker_died() -> anyhow::Result<()> {
    let world = World::new().await?;
    for number in 0..10 {
        world.person(&format!("clerk{number}"), json!({ "title": "clerk" })).await?;
    }
    world.settle().await?;
    save(&world, &[("/account/title/value", json!("upper(user.title)"))]).await?;
    let survey = world.store.claim_survey("dead", Duration::ZERO).await?.context("a survey")?;
    let page = world.store.survey_page(&survey, None, 4).await?;
    let seen: Vec<Uuid> = page.people.iter().map(|person| person.claim.resource.0).collect();
    assert!(world.store.keep_survey_page(&survey, &seen, &[], Duration::ZERO).await?);
    let next = world.store.claim_survey("heir", Duration::ZERO).await?.context("a survey")?;
    assert_eq!(next.after, seen.last().copied(), "what is kept is not looked at again");
    world.settle().await?;
    assert!(stands(&world, world.target.0).await?.values().all(|stand| stand.state == "held"));
    Ok(())
}
