//! Whoever leaves is gone at the end, whatever the target answered in between, and nobody else is.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use rollcall_provisioning::guard::Guards;
use serde_json::json;
use std::time::Duration;

use crate::fake::{Fate, refusal, text};
use crate::world::World;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn an_account_that_cannot_be_read_is_not_taken_for_gone() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    world.settle().await?;
    world.fake.on("delete account", 1, Fate::Lost { done: false });
    world.fake.on("read account", 1, Fate::Refused(refusal(ErrorClass::Forbidden, "50002", None)));
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("50002")));
    assert_eq!(world.fake.holdings(|held| held.accounts.len()), 1, "it is still there, and that is said");
    Ok(())
}

#[tokio::test]
async fn an_account_made_by_a_creation_that_seemed_to_fail_is_found_again() -> anyhow::Result<()> {
    for (code, attribute) in [("60102", None), ("60104", Some(entity::MOBILE))] {
        let world = World::new().await?;
        // The answer was lost, and the account is not to be seen at once (pitfall 36 of the reference).
        world.fake.on("create account", 1, Fate::Lost { done: true });
        world.fake.on("read account", 1, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
        let ann = world.person("ann", json!({})).await?;
        world.fake.on("create account", 1, Fate::Refused(refusal(ErrorClass::Conflict, code, attribute)));
        world.fake.holdings(|held| held.hidden_reads = 1);
        world.settle().await?;
        assert_eq!(world.standing("ann").await?.state, "in_step", "{code}");
        world.assert_links_are_true().await?;
        world.set(ann, json!({ "active": false })).await?;
        world.settle().await?;
        assert!(world.picture().await?.people.is_empty(), "{code}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_arrives_late_does_not_outlive_its_person() -> anyhow::Result<()> {
    let world = World::new().await?;
    // The answer was lost, and the account is not to be seen at once.
    world.fake.on("create account", 1, Fate::Lost { done: true });
    world.fake.on("read account", 100, Fate::Refused(refusal(ErrorClass::Transient, "-1", None)));
    let ann = world.person("ann", json!({})).await?;
    world.work(World::options("worker"), world.until("ann", "retrying")).await?;
    world.fake.heal();
    world.fake.holdings(|held| held.hidden_reads = 1);
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    assert!(world.picture().await?.people.is_empty(), "{:?}", world.fake.calls());
    Ok(())
}

#[tokio::test]
async fn a_number_that_cannot_be_read_is_not_given_up() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({ "mobile": "13900000001" })).await?;
    world.settle().await?;
    // As for an application that may not read numbers.
    world.fake.holdings(|held| held.accounts.values_mut().for_each(|account| drop(account.remove(entity::MOBILE))));
    world.fake.on("update account", 1, Fate::Lost { done: true });
    world.set(ann, json!({ "title": "Head" })).await?;
    world.settle().await?;
    let link = world.link(ann).await?;
    let number = link.and_then(|link| link.snapshot.get(entity::MOBILE).cloned());
    assert!(number.is_some_and(|number| number.as_str().is_some_and(|number| number.contains("13900000001"))));
    world.set(ann, json!({ "mobile": "13900000002" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention", "it cannot be changed, and that is said");
    Ok(())
}

#[tokio::test]
async fn who_accepts_an_invitation_after_leaving_is_removed() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.holdings(|held| held.reserved.insert("13900000001".to_owned()));
    let ann = world.person("ann", json!({ "mobile": "13900000001", "department": "Sales" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "waiting");
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    let standing = world.standing("ann").await?;
    assert_eq!(standing.state, "waiting");
    let reason = standing.reason.unwrap_or_default();
    assert!(!reason.contains("Ask them to accept"), "nobody is asked to accept: {reason}");
    assert!(world.picture().await?.departments.is_empty(), "nobody is wanted in the department any more");
    world.clock.advance(DAY * 20);
    world.settle().await?;
    world.fake.accept("13900000001", "chosen-by-dingtalk");
    world.clock.advance(DAY * 2);
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "gone");
    assert!(world.picture().await?.people.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_leaver_does_not_take_the_account_of_whoever_came_back_under_a_new_id() -> anyhow::Result<()> {
    let world = World::new().await?;
    let number = "13900000001";
    world.fake.holdings(|held| held.reserved.insert(number.to_owned()));
    let before = world.person("ann", json!({ "mobile": number })).await?;
    world.settle().await?;
    world.delete(before).await?;
    let again = world.person("ann", json!({ "mobile": number })).await?;
    world.settle().await?;
    world.fake.accept(number, "chosen-by-dingtalk");
    for _ in 0..3 {
        world.clock.advance(DAY * 2);
        world.settle().await?;
    }
    let ann = world.fake.holdings(|held| held.accounts.get("chosen-by-dingtalk").cloned());
    assert_eq!(ann.map(|ann| text(&ann, entity::NAME).to_owned()).as_deref(), Some("ann"), "{:?}", world.fake.calls());
    let link = world.link(again).await?;
    assert_eq!(link.and_then(|link| link.remote_id).as_deref(), Some("chosen-by-dingtalk"));
    Ok(())
}

#[tokio::test]
async fn an_unanswered_invitation_is_looked_at_also_after_a_person_was_told() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.holdings(|held| held.reserved.insert("13900000001".to_owned()));
    world.person("ann", json!({ "mobile": "13900000001" })).await?;
    world.settle().await?;
    world.clock.advance(DAY * 20);
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.fake.accept("13900000001", "chosen-by-dingtalk");
    world.clock.advance(DAY * 2);
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_second_number_does_not_make_the_first_invitation_forgotten() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.fake.holdings(|held| held.reserved.insert("13900000001".to_owned()));
    let ann = world.person("ann", json!({ "mobile": "13900000001" })).await?;
    world.settle().await?;
    // The second number cannot be used at all, so the first invitation is all that there is.
    world.fake.on("create account", 1, Fate::Refused(refusal(ErrorClass::Invalid, "60103", Some(entity::MOBILE))));
    world.set(ann, json!({ "mobile": "13900000002" })).await?;
    world.settle().await?;
    assert_eq!(world.standing("ann").await?.state, "needs_attention");
    world.fake.accept("13900000001", "chosen-by-dingtalk");
    world.set(ann, json!({ "active": false })).await?;
    world.settle().await?;
    assert!(world.picture().await?.people.is_empty());
    Ok(())
}

#[tokio::test]
async fn leavers_who_manage_each_other_or_themselves_come_to_rest() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    let bob = world.person("bob", json!({ "manager": ann.0 })).await?;
    let cem = world.person("cem", json!({})).await?;
    world.set(ann, json!({ "manager": bob.0 })).await?;
    world.set(cem, json!({ "manager": cem.0 })).await?;
    world.settle().await?;
    for id in [ann, bob, cem] {
        world.set(id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    for name in ["ann", "bob", "cem"] {
        let standing = world.standing(name).await?;
        assert_eq!(standing.state, "gone", "{standing:?}");
        assert!(standing.mark < 20, "nobody wakes them again and again: {standing:?}");
    }
    Ok(())
}

#[tokio::test]
async fn leavers_who_manage_each_other_and_are_held_come_to_rest() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ann = world.person("ann", json!({})).await?;
    let bob = world.person("bob", json!({ "manager": ann.0 })).await?;
    world.set(ann, json!({ "manager": bob.0 })).await?;
    world.settle().await?;
    let nobody = json!({ "people.remove": { "floor": 0, "share": 0 } });
    world.limit(&Guards::parse(&nobody)?).await?;
    for id in [ann, bob] {
        world.set(id, json!({ "active": false })).await?;
    }
    world.settle().await?;
    for name in ["ann", "bob"] {
        let standing = world.standing(name).await?;
        assert_eq!(standing.state, "held", "{standing:?}");
        assert!(standing.mark < 20, "nobody wakes them again and again: {standing:?}");
    }
    Ok(())
}
