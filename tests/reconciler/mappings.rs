//! Versions of the mapping: saving one sends nothing; what it changes waits for a plan, everything else goes on.

use anyhow::Context;
use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceKind;
use rollcall_provisioning::mapping::Mapping;
use rollcall_scim::schema::{Attribute, Schema};
use rollcall_store::mappings::{NewMapping, SaveError};
use rollcall_store::projection::{NewPlan, PlanScope, Wave};
use rollcall_store::sources::SetUpBy;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fake::{Fate, refusal};
use crate::world::World;

/// The document that all begin with, with parts replaced.
fn document(parts: &Value) -> Value {
    let mut document = Mapping::default_document();
    let Value::Object(parts) = parts else { return document };
    for (pointer, part) in parts {
        let (above, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
        if let Some(members) = document.pointer_mut(above).and_then(Value::as_object_mut) {
            members.insert(name.to_owned(), part.clone());
        }
    }
    document
}

async fn save(world: &World, parts: &Value) -> anyhow::Result<i32> {
    let document = document(parts);
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    Ok(world.store.save_mapping(world.tenant, &new).await?)
}

async fn plan(world: &World, held_by: &str) -> anyhow::Result<Uuid> {
    let scope = PlanScope { resources: Vec::new(), held_by: Some(held_by.to_owned()) };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    Ok(world.store.make_plan(world.tenant, &new).await?)
}

async fn title(world: &World, name: &str) -> anyhow::Result<String> {
    let picture = world.picture().await?;
    let account = picture.people.get(name).and_then(|accounts| accounts.first());
    Ok(account.with_context(|| format!("{name} has an account"))?.title.clone())
}

#[tokio::test]
async fn saving_sends_nothing_and_a_plan_does() -> anyhow::Result<()> {
    let world = World::new().await?;
    for name in ["ann", "bob"] {
        world.person(name, json!({ "title": "clerk", "department": "Sales" })).await?;
    }
    world.settle().await?;
    let before = world.fake.calls().len();
    let version = save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    world.settle().await?;
    assert_eq!((version, world.fake.calls().len()), (1, before), "nothing was called");
    for name in ["ann", "bob"] {
        let standing = world.standing(name).await?;
        assert_eq!(standing.state, "held", "{name}");
        assert!(standing.reason.is_some_and(|reason| reason.contains("Version 1 of the mapping")), "{name}");
    }
    world.person("joiner", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    assert_eq!(title(&world, "joiner").await?, "CLERK", "who is new does not wait");
    let made = plan(&world, "mapping:1").await?;
    world.store.apply_plan(world.tenant, made, &Wave::People(1), "ann").await?;
    world.settle().await?;
    assert_eq!((title(&world, "ann").await?, title(&world, "bob").await?), ("CLERK".to_owned(), "clerk".to_owned()));
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(title(&world, "bob").await?, "CLERK");
    assert!(world.standings().await?.iter().all(|(_, standing)| standing.state == "in_step"));
    Ok(())
}

#[tokio::test]
async fn going_back_to_the_old_rules_leaves_nothing_to_do() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("ann", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    assert_eq!(save(&world, &json!({})).await?, 2);
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    assert_eq!(title(&world, "ann").await?, "clerk");
    Ok(())
}

#[tokio::test]
async fn a_leaver_does_not_wait_for_a_mapping() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    world.settle().await?;
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    Ok(())
}

#[tokio::test]
async fn who_is_left_out_goes_with_a_plan_and_comes_back() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("ann", json!({ "title": "clerk", "department": "Sales" })).await?;
    world.person("robot", json!({ "title": "robot", "department": "Sales" })).await?;
    world.settle().await?;
    let rule = json!([{ "name": "robots", "when": "user.title == \"robot\"", "include": false }]);
    save(&world, &json!({ "/scope": rule })).await?;
    world.settle().await?;
    assert_eq!(world.standing("robot").await?.state, "held");
    assert_eq!(world.picture().await?.people.len(), 2);
    let made = plan(&world, "mapping:1").await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    let robot = world.standing("robot").await?;
    assert_eq!(robot.state, "gone");
    assert!(robot.reason.is_some_and(|reason| reason.contains("\"robots\"")));
    assert_eq!(world.picture().await?.people.into_keys().collect::<Vec<_>>(), ["ann"]);
    world.person("other", json!({ "title": "robot" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("other").await?.state, "gone", "who is new and left out never gets there");
    save(&world, &json!({})).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people.len(), 3, "who comes in again does not wait");
    Ok(())
}

#[tokio::test]
async fn a_person_is_in_several_departments() -> anyhow::Result<()> {
    let world = World::new().await?;
    let paths = "[[enterprise.department], [enterprise.department, user.title]]";
    save(&world, &json!({ "/departments": { "paths": paths, "head": "user.title == \"Lead\" && size(path) == 1" } }))
        .await?;
    let ann = world.person("ann", json!({ "title": "Lead", "department": "Sales" })).await?;
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!(picture.departments, ["/Sales", "/Sales/Lead"]);
    assert_eq!(picture.people["ann"][0].departments, ["/Sales", "/Sales/Lead"]);
    let heads = |name: &'static str| {
        world.fake.holdings(|held| {
            let unit = held.departments.values().find(|unit| unit["name"] == json!(name)).cloned().unwrap_or_default();
            unit.get("heads").cloned()
        })
    };
    assert_eq!((heads("Sales"), heads("Lead")), (Some(json!([ann.0.simple().to_string()])), None));
    world.set(ann, json!({ "title": "Clerk" })).await?;
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!(picture.people["ann"][0].departments, ["/Sales", "/Sales/Clerk"]);
    assert_eq!(picture.departments, ["/Sales", "/Sales/Clerk"], "it was renamed, since everybody in it moved");
    assert_eq!(heads("Sales"), None);
    Ok(())
}

#[tokio::test]
async fn an_attribute_of_the_tenants_own_schema_is_mapped() -> anyhow::Result<()> {
    let world = World::new().await?;
    let urn = "urn:example:params:scim:schemas:extension:hr:2.0:User";
    let schema = Schema::new(urn, "HR", "Sample.", vec![Attribute::string("shirtSize", "Size.")]);
    let by = (SetUpBy::CommandLine, "request");
    world.store.create_schema(world.tenant, by, ResourceKind::User, &schema).await?;
    world.person("ann", json!({ urn: { "shirtSize": "xl" } })).await?;
    world.person("bob", json!({})).await?;
    let size = format!("upper(extensions[\"{urn}\"].shirtSize)");
    let remark = json!({ "value": size, "owner": "source", "blank": "clear" });
    save(&world, &json!({ "/account/remark": remark })).await?;
    world.settle().await?;
    let remarks = world.fake.holdings(|held| {
        let mut remarks: Vec<_> = held.accounts.values().map(|account| account.get("remark").cloned()).collect();
        remarks.sort_by_key(|remark| remark.as_ref().map(ToString::to_string));
        remarks
    });
    assert_eq!(remarks, [None, Some(json!("XL"))]);
    Ok(())
}

#[tokio::test]
async fn a_userid_made_by_a_rule_takes_over_nobodys_account() -> anyhow::Result<()> {
    let world = World::new().await?;
    save(&world, &json!({ "/userid": { "value": "lower(user.userName)" } })).await?;
    world.person("ann", json!({})).await?;
    world.settle().await?;
    assert_eq!(world.fake.holdings(|held| held.accounts.keys().cloned().collect::<Vec<_>>()), ["ann"]);
    // Somebody made by hand has the userid of the next one.
    world.fake.holdings(|held| {
        let hand_made = json!({ "name": "by hand", "mobile": "13700000009" });
        held.accounts
            .insert("bob".to_owned(), hand_made.as_object().cloned().unwrap_or_default().into_iter().collect());
    });
    let taken = refusal(ErrorClass::Conflict, "60102", None);
    for fate in [Fate::Refused(taken), Fate::Lost { done: false }] {
        world.fake.on("create account", 1, fate);
        let bob = world.person("bob", json!({})).await?;
        world.settle().await?;
        assert_eq!(world.standing("bob").await?.error_code.as_deref(), Some("userid_taken"));
        world.delete(bob).await?;
        world.settle().await?;
        let name = world.fake.holdings(|held| held.accounts["bob"]["name"].clone());
        assert_eq!(name, json!("by hand"), "it is neither changed nor removed");
    }
    Ok(())
}

#[tokio::test]
async fn two_authors_do_not_overwrite_each_other() -> anyhow::Result<()> {
    let world = World::new().await?;
    let document = document(&json!({}));
    let by = |after| NewMapping { document: &document, note: "", by: "ann", after };
    assert_eq!(world.store.save_mapping(world.tenant, &by(Some(0))).await?, 1);
    assert!(matches!(world.store.save_mapping(world.tenant, &by(Some(0))).await, Err(SaveError::Outdated(1))));
    let versions = world.store.mappings(world.tenant, 10).await?;
    assert_eq!(versions.iter().map(|version| (version.version, version.active)).collect::<Vec<_>>(), [(1, true)]);
    Ok(())
}

#[tokio::test]
async fn a_joiner_under_saved_rules_gets_the_manager_who_comes_later() -> anyhow::Result<()> {
    let world = World::new().await?;
    save(&world, &json!({})).await?;
    world.fake.on("create account boss", 1, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
    let boss = world.person("boss", json!({})).await?;
    world.person("ann", json!({ "manager": boss.0 })).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["ann"][0].manager, "boss", "{:?}", world.standing("ann").await?);
    Ok(())
}

#[tokio::test]
async fn nobody_is_held_because_their_department_is_in_doubt_for_a_moment() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.person("ann", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    sqlx::query("UPDATE links SET observed = 'unknown' WHERE resource_kind = 'org_unit'")
        .execute(world.database.pool())
        .await?;
    world.fake.on("read org_unit", 1, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
    save(&world, &json!({})).await?;
    world.settle().await?;
    let ann = world.standing("ann").await?;
    assert_eq!(ann.state, "in_step", "{ann:?}");
    Ok(())
}

#[tokio::test]
async fn a_lasting_finding_does_not_let_the_mapping_hold_what_the_source_changes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let nobody = Uuid::from_u128(7);
    let ann = world.person("ann", json!({ "title": "clerk", "manager": nobody })).await?;
    world.settle().await?;
    save(&world, &json!({})).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.set(ann, json!({ "title": "cook" })).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "cook");
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    // Nor does it after a plan has permitted what the mapping changes.
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    let made = plan(&world, "mapping:2").await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "COOK");
    world.set(ann, json!({ "title": "guard" })).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "GUARD");
    Ok(())
}

#[tokio::test]
async fn two_who_are_left_out_and_manage_each_other_come_to_rest() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "robot" })).await?;
    let bob = world.person("bob", json!({ "title": "robot", "manager": ann.0 })).await?;
    world.set(ann, json!({ "manager": bob.0 })).await?;
    world.settle().await?;
    let rule = json!([{ "name": "robots", "when": "user.title == \"robot\"", "include": false }]);
    save(&world, &json!({ "/scope": rule })).await?;
    world.settle().await?;
    let made = plan(&world, "mapping:1").await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    for name in ["ann", "bob"] {
        let standing = world.standing(name).await?;
        assert_eq!(standing.state, "gone", "{standing:?}");
        assert!(standing.mark < 20, "nobody wakes them again and again: {standing:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_the_source_changes_does_not_wait_for_the_plan_of_a_mapping() -> anyhow::Result<()> {
    let world = World::new().await?;
    let boss = world.person("boss", json!({ "title": "head" })).await?;
    let ann = world.person("ann", json!({ "title": "clerk", "department": "Sales" })).await?;
    world.settle().await?;
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    world.settle().await?;
    world.set(ann, json!({ "title": "lead", "department": "Stores", "manager": boss.to_string() })).await?;
    world.settle().await?;
    let picture = world.picture().await?;
    let seen = &picture.people["ann"][0];
    assert_eq!((seen.title.as_str(), seen.manager.as_str()), ("lead", "boss"), "by the rules that it came by");
    assert_eq!(seen.departments, ["/Stores"]);
    let standing = world.standing("ann").await?;
    assert_eq!(standing.state, "held", "and the other rules still wait");
    let made = plan(&world, "mapping:1").await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "LEAD");
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn what_a_guard_holds_hides_nothing_of_what_other_rules_would_change() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "clerk", "department": "Sales" })).await?;
    // Who stays, so that the department is left and not renamed.
    world.person("bob", json!({ "title": "HEAD", "department": "Sales" })).await?;
    world.settle().await?;
    let guards = Guards::parse(&json!({ "people.move": { "floor": 0, "share": 0.0 } }))?;
    world.limit(&guards).await?;
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    // By the rules that count until a plan is applied the title changes and the move is held.
    world.set(ann, json!({ "title": "lead", "department": "Legal" })).await?;
    world.settle().await?;
    let picture = world.picture().await?;
    let seen = &picture.people["ann"][0];
    assert_eq!((seen.title.as_str(), seen.departments.as_slice()), ("lead", &["/Sales".to_owned()][..]));
    let reason = world.standing("ann").await?.reason.unwrap_or_default();
    for told in ["until a person decides", "people.move: 1 at once", "Version 1 of the mapping", "title"] {
        assert!(reason.contains(told), "{told}: {reason}");
    }
    let made = plan(&world, "guard:people.move").await?;
    world.store.request_release(world.tenant, made, &Decider::new("ann"), "they move").await?;
    world.store.release_plan(world.tenant, made, &Decider::new("bob")).await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    let picture = world.picture().await?;
    let seen = &picture.people["ann"][0];
    assert_eq!((seen.title.as_str(), seen.departments.as_slice()), ("lead", &["/Legal".to_owned()][..]));
    let reason = world.standing("ann").await?.reason.unwrap_or_default();
    assert_eq!(reason, "Version 1 of the mapping changes it; that waits for a plan. The plan: update it with title.");
    let made = plan(&world, "mapping:1").await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!((title(&world, "ann").await?, world.standing("ann").await?.state), ("LEAD".into(), "in_step".into()));
    Ok(())
}

#[tokio::test]
async fn whom_other_rules_block_is_kept_by_the_old_ones() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    let rule = json!({ "value": "user.nickName", "blank": "hold" });
    save(&world, &json!({ "/account/name": rule })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.set(ann, json!({ "title": "lead" })).await?;
    world.settle().await?;
    assert_eq!(title(&world, "ann").await?, "lead");
    assert_eq!(world.standing("ann").await?.state, "needs_attention", "and still is told what hinders the new ones");
    Ok(())
}

#[tokio::test]
async fn rules_that_are_saved_between_claim_and_look_wait_for_a_plan() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "title": "clerk" })).await?;
    world.settle().await?;
    world.set(ann, json!({ "displayName": "Ann" })).await?;
    let reconciler = world.reconciler(World::one_by_one("worker"));
    let claim = reconciler.claim_next().await?.context("ann is due")?;
    save(&world, &json!({ "/account/title/value": "upper(user.title)" })).await?;
    // A worker that knows no rules yet reads those that were just saved.
    let another = world.reconciler(World::one_by_one("another"));
    another.work_on(&claim).await;
    assert_eq!(world.fake.count("update account"), 0, "{:?}", world.fake.calls());
    world.settle().await?;
    let accounts = world.fake.holdings(|held| held.accounts.values().cloned().collect::<Vec<_>>());
    assert_eq!((&accounts[0]["name"], &accounts[0]["title"]), (&json!("Ann"), &json!("clerk")));
    assert_eq!(world.standing("ann").await?.state, "held");
    Ok(())
}
