//! What groups become is judged and held like everything else: rehearsals, guards, versions of the mapping, decisions by
//! hand; and what becomes of their people: departments, titles, the way out.

use anyhow::Context;
use std::time::Duration;

use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::mapping::Mapping;
use rollcall_store::changes::{ChangeCursor, Operation};
use rollcall_store::mappings::NewMapping;
use rollcall_store::projection::{NewPlan, PlanChangeQuery, PlanScope, TargetMode, Wave};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::group_rules::rules;
use crate::groups::{crowd, names, ruled};
use crate::world::World;

async fn plan(world: &World, held_by: Option<&str>) -> anyhow::Result<Uuid> {
    let scope = PlanScope { resources: Vec::new(), held_by: held_by.map(str::to_owned) };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    Ok(world.store.make_plan(world.tenant, &new).await?)
}

#[tokio::test]
async fn a_rehearsal_shows_what_would_be_done_and_a_plan_does_it() -> anyhow::Result<()> {
    let world = ruled().await?;
    world.mode(TargetMode::Rehearsal).await?;
    let mut ids = Vec::new();
    for name in ["ann", "bob"] {
        ids.push(world.person(name, json!({})).await?);
    }
    let group = world.group("Role Cashier", &ids).await?;
    world.group("Chat News", &ids).await?;
    world.settle().await?;
    assert_eq!(world.circles(), []);
    let made = plan(&world, None).await?;
    let changes = world
        .store
        .plan_changes(world.tenant, made, &PlanChangeQuery { limit: 100, ..PlanChangeQuery::default() })
        .await?;
    let lines = |name: &str| -> Value {
        let change = changes.iter().find(|change| change.name.as_deref() == Some(name));
        change.map(|change| change.proposal["lines"].clone()).unwrap_or_default()
    };
    let role = lines("Role Cashier");
    let added = role.as_array().and_then(|lines| lines.iter().find(|line| line["attribute"] == "members_added"));
    let after = added.map(|line| line["after"].clone()).unwrap_or_default();
    assert_eq!((&after["count"], &after["first"]), (&json!(2), &json!(["ann", "bob"])), "{role}");
    assert!(lines("Chat News").as_array().is_some_and(|lines| lines.len() == 3), "{}", lines("Chat News"));
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("ann", names(&["ann", "bob"])));
    let shown = world.store.plan(world.tenant, made).await?.context("no plan")?;
    assert_eq!(shown.state, "applied", "{:?}", shown.states);
    // Somebody else than the plan says makes it stale, also if there are as many of them.
    let cyd = world.person("cyd", json!({})).await?;
    world.add(group, &[cyd]).await?;
    world.settle().await?;
    assert_eq!(world.standing("group Role Cashier").await?.state, "held");
    let made = plan(&world, None).await?;
    let dee = world.person("dee", json!({})).await?;
    world.remove(group, &[cyd]).await?;
    world.add(group, &[dee]).await?;
    world.settle().await?;
    assert!(world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await.is_err());
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    Ok(())
}

#[tokio::test]
async fn a_chat_does_not_wait_for_the_eldest_member_whom_its_plan_shows() -> anyhow::Result<()> {
    let world = ruled().await?;
    world.fake.holdings(|held| held.reserved.insert("13700000077".to_owned()));
    world.mode(TargetMode::Rehearsal).await?;
    let eldest = world.person("bob", json!({ "mobile": "13700000077" })).await?;
    let other = world.person("ann", json!({})).await?;
    world.group("Chat News", &[eldest, other]).await?;
    world.settle().await?;
    let made = plan(&world, None).await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.work(World::options("first"), world.nothing_is_due()).await?;
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("ann", names(&["ann"])));
    let standing = world.standing("group Chat News").await?;
    assert_eq!(standing.error_code.as_deref(), Some("waiting_for_members"), "{standing:?}");
    assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains("bob")), "{standing:?}");
    Ok(())
}

#[tokio::test]
async fn many_who_would_be_removed_are_held_and_the_others_go_on() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = crowd(&world, 61).await?;
    let group = world.group("Role Staff", &ids[..60]).await?;
    world.settle().await?;
    world.remove(group, &ids[..13]).await?;
    world.add(group, &ids[60..]).await?;
    world.settle().await?;
    let standing = world.standing("group Role Staff").await?;
    assert_eq!(standing.state, "held");
    assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains("more than 12")), "{standing:?}");
    assert_eq!(world.circle("Staff")?.members.len(), 61, "who comes is not held up");
    let made = plan(&world, None).await?;
    let shown = world.store.plan(world.tenant, made).await?.context("no plan")?;
    assert_eq!(shown.state, "guarded", "{:?}", shown.summary);
    let key = format!("members.remove:{}", group.0);
    assert_eq!(shown.summary["effects"][&key], 13);
    world.store.request_release(world.tenant, made, &Decider::new("ann"), "They moved to another shop.").await?;
    world.store.release_plan(world.tenant, made, &Decider::new("bob")).await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(world.circle("Staff")?.members.len(), 48);
    assert_eq!(world.standing("group Role Staff").await?.state, "in_step");
    // A few may go without a plan, but not after so many in one day's hour.
    world.remove(group, &ids[13..14]).await?;
    world.settle().await?;
    assert_eq!(world.standing("group Role Staff").await?.state, "held", "a slow bleed is counted together");
    Ok(())
}

#[tokio::test]
async fn new_rules_for_groups_that_are_there_wait_for_a_plan() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ids = world.people(&["ann", "bob"]).await?;
    let group = world.group("Role Cashier", &ids[..1]).await?;
    world.settle().await?;
    assert!(world.standing("group Role Cashier").await.is_err(), "without rules for groups nothing is marked");
    world.group_rules(|_| {}).await?;
    world.settle().await?;
    assert_eq!(world.standing("group Role Cashier").await?.state, "held", "saving sends nothing");
    world.group("Role Clerk", &ids[1..]).await?;
    world.settle().await?;
    assert_eq!(world.circle("Clerk")?.members, names(&["bob"]), "a new group does not wait");
    let made = plan(&world, Some("mapping:1")).await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann"]));
    // Rules that make nothing of it any more take it away, by a plan too.
    world.save_rules(&json!([])).await?;
    world.settle().await?;
    assert_eq!(world.standing("group Role Cashier").await?.state, "held");
    let made = plan(&world, Some("mapping:2")).await?;
    world.store.apply_plan(world.tenant, made, &Wave::All, "ann").await?;
    world.settle().await?;
    assert_eq!(world.circles(), []);
    assert_eq!(world.standing("group Role Cashier").await?.state, "gone");
    world.add(group, &ids[1..]).await?;
    world.settle().await?;
    assert_eq!(world.circles(), []);
    Ok(())
}

#[tokio::test]
async fn a_person_decides_by_hand_what_a_group_becomes() -> anyhow::Result<()> {
    let world = World::new().await?;
    let ids = world.people(&["ann", "bob"]).await?;
    let group = world.group("Everyone", &ids[..1]).await?;
    world.choose(group, Some(json!({ "becomes": "role", "called": "Staff", "role_group": "Ours" }))).await?;
    world.settle().await?;
    let role = world.circle("Staff")?;
    assert_eq!((role.role_group.as_str(), role.members), ("Ours", names(&["ann"])));
    world.add(group, &ids[1..]).await?;
    world.settle().await?;
    assert_eq!(world.circle("Staff")?.members, names(&["ann", "bob"]), "and it is followed from then on");
    world.choose(group, Some(json!({ "becomes": "chat" }))).await?;
    world.settle().await?;
    let seen = world.circles();
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert_eq!((seen[0].is_chat, seen[0].name.as_str(), seen[0].members.len()), (true, "Everyone", 2));
    world.choose(group, Some(json!({ "becomes": "department", "path": ["Clubs", "Chess"] }))).await?;
    world.settle().await?;
    let picture = world.picture().await?;
    assert_eq!(picture.people["bob"][0].departments, ["/Clubs/Chess"]);
    world.choose(group, None).await?;
    world.settle().await?;
    assert_eq!(world.picture().await?.people["bob"][0].departments, [""], "the rules say nothing of it");
    let log = world.store.changes(world.tenant, ChangeCursor::Before(i64::MAX), 100, Some(group)).await?;
    let chosen = log.iter().filter(|entry| entry.operation == Operation::GroupChosen).count();
    assert_eq!(chosen, 4);
    Ok(())
}

#[tokio::test]
async fn groups_become_departments_of_their_members() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.group_rules(|rule| rule["nested"] = json!(true)).await?;
    let ann = world.person("ann", json!({ "department": "Sales" })).await?;
    let bob = world.person("bob", json!({})).await?;
    let inner = world.group("inner", &[bob]).await?;
    let unit = world.group("Unit Lantern", &[ann, inner]).await?;
    world.settle().await?;
    // DingTalk tells them in the order in which they were made, which two workers do not agree on.
    let places = async |name: &str| {
        let mut places = world.picture().await?.people[name][0].departments.clone();
        places.sort();
        anyhow::Ok(places)
    };
    assert_eq!(places("ann").await?, ["/Sales", "/Teams/Lantern"]);
    assert_eq!(places("bob").await?, ["/Teams/Lantern"]);
    assert_eq!(world.standing("group Unit Lantern").await?.state, "in_step");
    world.rename_group(unit, "Unit Torch").await?;
    world.settle().await?;
    assert_eq!(places("bob").await?, ["/Teams/Torch"]);
    assert_eq!(world.picture().await?.departments, ["/Sales", "/Teams", "/Teams/Torch"], "renamed, not made anew");
    world.remove(unit, &[inner]).await?;
    world.settle().await?;
    assert_eq!(places("bob").await?, [""]);
    world.delete_group(unit).await?;
    world.settle().await?;
    assert_eq!(places("ann").await?, ["/Sales"]);
    Ok(())
}

#[tokio::test]
async fn a_change_of_membership_looks_at_the_person_if_rules_ask_for_groups() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut document = Mapping::default_document();
    document["account"]["title"]["value"] =
        json!("groups.exists(g, g.displayName == \"Heads\") ? \"Head\" : user.title");
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    let ids = world.people(&["ann"]).await?;
    let title = async || anyhow::Ok(world.picture().await?.people["ann"][0].title.clone());
    let group = world.group("Heads", &ids).await?;
    world.settle().await?;
    assert_eq!(title().await?, "Head");
    world.rename_group(group, "Tails").await?;
    world.settle().await?;
    assert_eq!(title().await?, "");
    world.rename_group(group, "Heads").await?;
    world.settle().await?;
    world.remove(group, &ids).await?;
    world.settle().await?;
    assert_eq!(title().await?, "");
    Ok(())
}

#[tokio::test]
async fn who_leaves_in_stages_is_out_of_roles_and_chats_when_access_ends() -> anyhow::Result<()> {
    let world = World::new().await?;
    let mut document = Mapping::default_document();
    document["groups"] = rules();
    document["leavers"] =
        json!([{ "name": "all", "access_ended_after_days": 2, "removed_after_days": 9, "erased_after_days": 30 }]);
    let new = NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    let ids = world.people(&["ann", "bob"]).await?;
    world.group("Role Cashier", &ids).await?;
    world.group("Chat News", &ids).await?;
    world.settle().await?;
    world.set(ids[0], json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]), "access has not ended yet");
    world.clock.advance(Duration::from_hours(49));
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["bob"]));
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("bob", names(&["bob"])));
    assert!(world.picture().await?.people.contains_key("ann"), "the account is still there");
    world.set(ids[0], json!({ "active": true })).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]), "who comes back in time is in it again");
    Ok(())
}
