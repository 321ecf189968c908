//! Departments: renamed, removed and adopted only where they are ours.

use std::collections::BTreeMap;

use rollcall_provisioning::entity;
use serde_json::json;

use crate::fake::{Fate, ROOT};
use crate::world::World;

/// A department that somebody made by hand.
fn by_hand(world: &World, name: &str, sign: Option<&str>) -> anyhow::Result<String> {
    let mut attributes =
        BTreeMap::from([(entity::NAME.to_owned(), json!(name)), (entity::PARENT.to_owned(), json!(ROOT))]);
    if let Some(sign) = sign {
        attributes.insert(entity::SOURCE_IDENTIFIER.to_owned(), json!(sign));
    }
    Ok(world.fake.holdings(|held| held.create_department(&attributes))?)
}

#[tokio::test]
async fn a_department_that_is_not_ours_is_never_renamed() -> anyhow::Result<()> {
    let world = World::new().await?;
    by_hand(&world, "Sales", None)?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    world.set(ann, json!({ "department": "Legal" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, ["/Legal", "/Sales"]);
    assert_eq!(world.fake.count("delete org_unit"), 0);
    Ok(())
}

#[tokio::test]
async fn our_own_department_is_renamed() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    world.set(ann, json!({ "department": "Legal" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, ["/Legal"]);
    assert_eq!((world.fake.count("update org_unit"), world.fake.count("create org_unit")), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_department_whose_parent_is_not_known_is_not_looked_for_at_the_top() -> anyhow::Result<()> {
    let world = World::new().await?;
    // Of another installation, and empty: it looks as if it could go.
    by_hand(&world, "Inner", Some("rollcall:of-somebody-else"))?;
    world.fake.on("create org_unit Outer", 100, Fate::Lost { done: false });
    let ann = world.person("ann", json!({ "division": "Outer", "department": "Inner" })).await?;
    world
        .work(World::options("worker"), async {
            world.until("unit Outer", "retrying").await?;
            world.until("ann", "waiting").await
        })
        .await?;
    // As after a crash in a creation.
    sqlx::query(
        "INSERT INTO links (tenant_id, target_id, resource_kind, resource_id, observed, updated_at)
         SELECT tenant_id, target_id, 'org_unit', id, 'unknown', created_at FROM org_units WHERE name = 'Inner'",
    )
    .execute(world.database.pool())
    .await?;
    world.delete(ann).await?;
    world.work(World::options("worker"), world.until("ann", "gone")).await?;
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    world.fake.heal();
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, ["/Inner"], "{:?}", world.fake.calls());
    Ok(())
}

#[tokio::test]
async fn a_division_can_be_renamed_while_a_rename_in_it_is_in_doubt() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "division": "Old", "department": "Sales" })).await?;
    world.settle().await?;
    world.fake.on("update org_unit", 100, Fate::Lost { done: false });
    world.fake.on("read org_unit", 100, Fate::Lost { done: false });
    world.set(ann, json!({ "department": "Legal" })).await?;
    world.work(World::options("worker"), world.until("unit Legal", "retrying")).await?;
    world.set(ann, json!({ "division": "New" })).await?;
    world.work(World::options("worker"), world.until("unit New", "waiting")).await?;
    world.fake.heal();
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, ["/New", "/New/Legal"], "{:?}", world.fake.calls());
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_name_that_a_rename_gives_up_is_free_for_the_next_one() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    let gate = std::sync::Arc::new(crate::fake::Gate::default());
    world.fake.on("update org_unit Sales", 1, Fate::Before(gate.clone()));
    world.set(ann, json!({ "department": "Legal" })).await?;
    world
        .work(World::options("worker"), async {
            gate.reached().await?;
            world.person("bob", json!({ "department": "Sales" })).await?;
            world.until("bob", "waiting").await?;
            world.until("unit Sales", "needs_attention").await?;
            gate.open();
            world.at_rest().await
        })
        .await?;
    assert_eq!(world.picture().await?.departments, ["/Legal", "/Sales"]);
    assert_eq!(world.standing("bob").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_parent_removed_by_hand_is_made_again_also_after_a_lost_answer() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("bob", json!({ "division": "Outer" })).await?;
    world.settle().await?;
    world.fake.on("create org_unit Inner", 1, Fate::Lost { done: false });
    world.fake.holdings(|held| {
        held.accounts.clear();
        held.departments.clear();
    });
    world.person("ann", json!({ "division": "Outer", "department": "Inner" })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.departments, ["/Outer", "/Outer/Inner"]);
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn whoever_depends_on_something_made_anew_follows_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    let boss = world.person("boss", json!({ "department": "Sales" })).await?;
    world.person("ann", json!({ "department": "Sales", "manager": boss.0 })).await?;
    world.settle().await?;
    // Somebody removes the boss and the department by hand; the accounts in it fall to the top.
    world.fake.holdings(|held| {
        held.departments.clear();
        held.accounts.retain(|_, account| crate::fake::text(account, entity::NAME) == "ann");
        for account in held.accounts.values_mut() {
            account.insert(entity::ORG_UNITS.to_owned(), json!([ROOT]));
            account.remove(entity::MANAGER);
        }
    });
    world.set(boss, json!({ "title": "Head" })).await?;
    world.person("bob", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    let people = world.picture().await?.people;
    let ann = (people["ann"][0].departments[0].as_str(), people["ann"][0].manager.as_str());
    assert_eq!(ann, ("/Sales", "boss"), "{:?}", world.fake.calls());
    Ok(())
}

#[tokio::test]
async fn a_department_is_not_removed_with_those_that_were_moved_into_it() -> anyhow::Result<()> {
    let world = World::new().await?;
    by_hand(&world, "Printers", None)?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world.person("bob", json!({ "department": "Legal" })).await?;
    world.settle().await?;
    world.fake.holdings(|held| {
        let sales = held.departments.iter().find(|(_, it)| it[entity::NAME] == "Sales").map(|(id, _)| *id);
        for moved in held.departments.values_mut().filter(|it| it[entity::NAME] != "Sales") {
            moved.insert(entity::PARENT.to_owned(), json!(sales.unwrap_or_default().to_string()));
        }
    });
    world.delete(ann).await?;
    world.work(World::options("worker"), world.until("unit Sales", "retrying")).await?;
    let told = world.standing("unit Sales").await?.reason.unwrap_or_default();
    let (others, ours) = ("Not made by this directory: Printers.", "moved there in DingTalk: Legal. Move them back");
    assert!(told.contains(others) && told.contains(ours), "{told}");
    assert_eq!(world.picture().await?.departments, ["/Sales", "/Sales/Legal", "/Sales/Printers"]);
    Ok(())
}
