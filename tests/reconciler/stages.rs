//! Leaving in stages: access ends at once, the account goes when its days are over, and whoever comes back before that
//! has it again.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::adoption::{MarkKind, MarkedThing, NewMark};
use rollcall_store::changes::{ChangeCursor, Operation};
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::MarkAgain;
use serde_json::{Value, json};
use std::time::Duration;

use crate::fake::{Fate, refusal};
use crate::world::World;

const DAY: Duration = Duration::from_hours(24);

/// A world with these rules besides those that all begin with, and one person in it.
async fn world(rules: &Value) -> anyhow::Result<(World, ResourceId)> {
    let world = World::new().await?;
    let mut document = Mapping::default_document();
    if let (Some(document), Some(rules)) = (document.as_object_mut(), rules.as_object()) {
        document.extend(rules.clone());
    }
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok((world, ann))
}

fn leavers(removed: &Value) -> Value {
    let erased = if removed.is_u64() { json!(30) } else { Value::Null };
    json!([{ "name": "all", "access_ended_after_days": 0, "removed_after_days": removed, "erased_after_days": erased }])
}

/// Lets the days pass one by one, as workers see them.
async fn days(world: &World, number: usize) -> anyhow::Result<()> {
    for _ in 0..number {
        world.clock.advance(DAY);
        world.work(World::options("worker"), world.at_rest()).await?;
    }
    Ok(())
}

fn enabled(world: &World) -> Vec<Option<Value>> {
    world.fake.holdings(|held| held.accounts.values().map(|account| account.get("enabled").cloned()).collect())
}

#[tokio::test]
async fn an_account_goes_when_its_days_are_over() -> anyhow::Result<()> {
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(14)) })).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    let standing = world.standing("ann").await?;
    assert!(standing.reason.is_some_and(|reason| reason.contains("removed on 2026-03-15")));
    days(&world, 13).await?;
    assert_eq!(world.picture().await?.people.len(), 1, "not before its time");
    days(&world, 2).await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    assert_eq!(world.picture().await?.departments, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn whoever_leaves_is_signed_out_although_the_answer_to_that_was_lost() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "all", "kind": "sso" }]);
    let (world, ann) = world(&json!({ "leavers": leavers(&json!("never")), "kinds": kinds })).await?;
    // Turning off is two calls: of one whose answer is lost nobody knows whether the sessions were ended, too.
    world.fake.on("update account", 1, Fate::Lost { done: true });
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!((enabled(&world), world.fake.count("update account")), (vec![Some(json!(false))], 2));
    world.store.mark_again(world.tenant, &MarkAgain::default(), "retry").await?;
    world.settle().await?;
    assert_eq!(world.fake.count("update account"), 2, "once is enough");
    Ok(())
}

#[tokio::test]
async fn whoever_comes_back_keeps_the_account() -> anyhow::Result<()> {
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(14)) })).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    let calls = world.fake.calls().len();
    world.set(ann, json!({ "active": true })).await?;
    world.work(World::options("worker"), world.until("ann", "in_step")).await?;
    days(&world, 20).await?;
    assert_eq!(world.picture().await?.people["ann"][0].departments, ["/Sales"]);
    assert_eq!(world.fake.calls().len(), calls, "nothing had to be done for that");
    // The days begin anew.
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    days(&world, 13).await?;
    assert_eq!(world.picture().await?.people.len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_enterprise_account_is_turned_off_at_once_and_on_again() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "all", "kind": "sso" }]);
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(30)), "kinds": kinds })).await?;
    assert_eq!(enabled(&world), [Some(json!(true))]);
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    assert_eq!(enabled(&world), [Some(json!(false))]);
    world.set(ann, json!({ "active": true })).await?;
    world.work(World::options("worker"), world.until("ann", "in_step")).await?;
    assert_eq!(enabled(&world), [Some(json!(true))]);
    world.delete(ann).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    assert_eq!(enabled(&world), [Some(json!(false))]);
    days(&world, 31).await?;
    assert_eq!(world.picture().await?.people.len(), 0);
    Ok(())
}

#[tokio::test]
async fn an_account_of_another_kind_is_told_and_made_anew_by_leaving_and_coming_back() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "temps", "when": "user.userType == \"Temp\"", "kind": "sso" }]);
    let (world, ann) = world(&json!({ "kinds": kinds })).await?;
    for (kind, wanted, there) in
        [("Temp", "sso", "has a normal account"), ("Staff", "normal", "has an enterprise account of the kind sso")]
    {
        // DingTalk says of every account that it reads of which kind it is.
        world.fake.holdings(|held| {
            for account in held.accounts.values_mut() {
                account.entry("account_kind".to_owned()).or_insert_with(|| json!("normal"));
            }
        });
        sqlx::query("UPDATE links SET observed = 'unknown' WHERE resource_id = $1")
            .bind(ann.0)
            .execute(world.database.pool())
            .await?;
        let made = world.fake.count("create account");
        world.set(ann, json!({ "userType": kind, "title": kind })).await?;
        world.settle().await?;
        let standing = world.standing("ann").await?;
        assert_eq!(standing.error_code.as_deref(), Some("account_kind_unchangeable"), "{standing:?}");
        let reason = standing.reason.unwrap_or_default();
        assert!(reason.contains(there) && reason.contains("rollcall remove"), "{reason}");
        assert_eq!(world.picture().await?.people["ann"][0].title, kind, "what both kinds have is kept in step");
        assert_eq!(world.fake.count("create account"), made, "nothing is made anew by itself");
        // What the advice says leads there.
        world.set(ann, json!({ "active": false })).await?;
        world.settle().await?;
        world.set(ann, json!({ "active": true })).await?;
        world.settle().await?;
        assert_eq!(world.standing("ann").await?.state, "in_step");
        let account = world.fake.holdings(|held| held.accounts.values().next().cloned()).unwrap_or_default();
        assert_eq!(account.get("account_kind").and_then(Value::as_str).unwrap_or("normal"), wanted);
    }
    Ok(())
}

#[tokio::test]
async fn an_administrator_is_turned_off_when_two_people_say_so_and_stays_till_then() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "all", "kind": "sso" }]);
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(14)), "kinds": kinds })).await?;
    world.administers("ann", true);
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    let held = world.standing("ann").await?;
    assert_eq!((held.state.as_str(), enabled(&world)), ("held", vec![Some(json!(true))]), "{held:?}");
    assert!(held.reason.is_some_and(|reason| reason.contains("administers the organisation")));
    assert_eq!(world.picture().await?.people["ann"][0].departments, ["/Sales"]);
    let plan = world.plan().await?;
    world.release(plan).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    assert_eq!(enabled(&world), [Some(json!(false))]);
    Ok(())
}

#[tokio::test]
async fn a_release_of_leavers_is_one_of_turning_off_and_of_removing_them() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "all", "kind": "sso" }]);
    let stages = json!([{ "name": "all", "access_ended_after_days": 3, "removed_after_days": 14 }]);
    let (world, ann) = world(&json!({ "leavers": stages, "kinds": kinds })).await?;
    let all = [ann, world.person("bob", json!({})).await?, world.person("cem", json!({})).await?];
    world.settle().await?;
    let limit = json!({ "floor": 1, "share": 0.0 });
    let limits = json!({ "people.remove": limit, "people.deactivate": limit, "source.deactivate": limit });
    world.limit(&Guards::parse(&limits)?).await?;
    for id in all {
        world.set(id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held");
    let plan = world.plan().await?;
    world.release(plan).await?;
    world.work(World::options("worker"), world.nothing_is_due()).await?;
    assert_eq!(enabled(&world), vec![Some(json!(true)); 3], "their days begin");
    days(&world, 4).await?;
    assert_eq!(enabled(&world), vec![Some(json!(false)); 3], "held once is enough");
    days(&world, 11).await?;
    assert_eq!(world.picture().await?.people.len(), 0);
    Ok(())
}

#[tokio::test]
async fn whoever_comes_back_may_use_the_account_also_by_rules_that_make_normal_ones() -> anyhow::Result<()> {
    let kinds = json!([{ "name": "all", "kind": "sso" }]);
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(30)), "kinds": kinds })).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    assert_eq!(enabled(&world), [Some(json!(false))]);
    let mut document = Mapping::default_document();
    document["leavers"] = leavers(&json!(30));
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    world.set(ann, json!({ "active": true })).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!(standing.error_code.as_deref(), Some("account_kind_unchangeable"), "{standing:?}");
    assert_eq!(enabled(&world), [Some(json!(true))]);
    Ok(())
}

#[tokio::test]
async fn what_only_another_kind_of_account_has_is_not_written() -> anyhow::Result<()> {
    let (world, _) = world(&json!({ "kinds": json!([{ "name": "all", "kind": "sso" }]) })).await?;
    let mut document = Mapping::default_document();
    document["kinds"] = json!([{ "name": "all", "kind": "dingtalk" }]);
    document["account"]["login_id"] = json!({ "value": "user.userName", "blank": "hold" });
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    let stands = (standing.state.as_str(), standing.error_code.as_deref());
    assert_eq!(stands, ("needs_attention", Some("account_kind_unchangeable")), "{standing:?}");
    assert_eq!(world.fake.count("update account"), 0);
    Ok(())
}

#[tokio::test]
async fn an_account_may_be_kept() -> anyhow::Result<()> {
    let (world, ann) = world(&json!({ "leavers": leavers(&Value::Null) })).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!(standing.state, "in_step");
    assert!(standing.reason.is_some_and(|reason| reason.contains("kept")));
    days(&world, 40).await?;
    assert_eq!(world.picture().await?.people.len(), 1);
    Ok(())
}

#[tokio::test]
async fn one_person_is_removed_at_once_past_rules_and_guards() -> anyhow::Result<()> {
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(14)) })).await?;
    let none =
        json!({ "people.remove": { "floor": 0, "share": 0.0 }, "source.deactivate": { "floor": 0, "share": 0.0 } });
    world.limit(&Guards::parse(&none)?).await?;
    let at_once = || world.store.remove_at_once(world.tenant, ann, "operator", "The contract was ended.");
    assert_eq!(at_once().await?, 0, "nobody is removed who has not left");
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held", "the departure does not begin");
    assert_eq!(at_once().await?, 1);
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    assert_eq!(world.picture().await?.people.len(), 0);
    // Who comes back and leaves again has the rules again.
    world.set(ann, json!({ "active": true })).await?;
    world.settle().await?;
    world.limit(&Guards::default()).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.work(World::options("worker"), world.until("ann", "waiting")).await?;
    assert_eq!(world.picture().await?.people.len(), 1);
    Ok(())
}

#[tokio::test]
async fn what_is_protected_is_not_removed_at_once() -> anyhow::Result<()> {
    let (world, ann) = world(&json!({ "leavers": leavers(&json!(14)) })).await?;
    let about = MarkedThing::Resource(ann);
    let mark = NewMark { about: &about, kind: MarkKind::Protected, reason: "robot", review_on: None, by: "bob" };
    world.store.set_mark(world.tenant, world.target, &mark).await?;
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "held", "the departure does not begin");
    assert_eq!(world.store.remove_at_once(world.tenant, ann, "operator", "The contract was ended.").await?, 1);
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!(standing.state, "held");
    assert!(standing.reason.is_some_and(|reason| reason.contains("marked as protected")));
    assert_eq!(world.picture().await?.people.len(), 1);
    let entries = world.store.changes(world.tenant, ChangeCursor::After(0), 100, Some(ann)).await?;
    let noted = entries.iter().find(|entry| entry.operation == Operation::RemovedAtOnce);
    let details = noted.map(|entry| entry.details.clone()).unwrap_or_default();
    assert_eq!((&details["by"], &details["reason"]), (&json!("operator"), &json!("The contract was ended.")));
    Ok(())
}

#[tokio::test]
async fn an_account_that_may_not_be_there_is_looked_for_before_it_is_said_to_stay() -> anyhow::Result<()> {
    let (world, _) = world(&json!({ "leavers": leavers(&json!("never")) })).await?;
    for (name, done, state, accounts) in [("bob", false, "gone", 1), ("cem", true, "in_step", 2)] {
        world.fake.on(&format!("create account {name}"), 1, Fate::Lost { done });
        world.fake.on("read account", 100, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
        let leaver = world.person(name, json!({})).await?;
        world.work(World::options("worker"), world.until(name, "retrying")).await?;
        world.fake.heal();
        world.set(leaver, json!({ "active": false })).await?;
        days(&world, 1).await?;
        let standing = world.standing(name).await?;
        assert_eq!(standing.state, state, "{standing:?}");
        assert_eq!(world.picture().await?.people.values().flatten().count(), accounts, "{name}");
    }
    Ok(())
}
