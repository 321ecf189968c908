//! Groups become roles and chats: made, taken over, renamed, filled in batches and emptied, whatever fails in between.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::{NewPlan, PlanChangeQuery, PlanScope, TargetMode, Wave};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::fake::{Fate, refusal};
use crate::world::World;

async fn plan(world: &World, held_by: Option<&str>) -> anyhow::Result<Uuid> {
    let scope = PlanScope { resources: Vec::new(), held_by: held_by.map(str::to_owned) };
    let new = NewPlan { target: world.target, scope: &scope, guards: &Guards::default(), by: "ann" };
    Ok(world.store.make_plan(world.tenant, &new).await?)
}

async fn ruled() -> anyhow::Result<World> {
    let world = World::new().await?;
    world.group_rules(|_| {}).await?;
    Ok(world)
}

async fn crowd(world: &World, number: usize) -> anyhow::Result<Vec<ResourceId>> {
    let mut ids = Vec::with_capacity(number);
    for index in 0..number {
        ids.push(world.person(&format!("p{index:04}"), json!({ "mobile": format!("139{index:08}") })).await?);
    }
    world.settle().await?;
    Ok(ids)
}

#[tokio::test]
async fn a_group_becomes_a_role_and_follows_its_members_and_its_name() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob", "cyd"]).await?;
    let group = world.group("Role Cashier", &ids[..2]).await?;
    world.settle().await?;
    let role = world.circle("Cashier")?;
    assert_eq!((role.is_chat, role.role_group.as_str(), role.members.clone()), (false, "Rollcall", names(&["ann", "bob"])));
    assert_eq!(world.standing("group Role Cashier").await?.state, "in_step");
    world.add(group, &ids[2..]).await?;
    world.remove(group, &ids[..1]).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["bob", "cyd"]));
    world.rename_group(group, "Role Till").await?;
    world.settle().await?;
    assert_eq!(world.circles().len(), 1, "a rename stays a rename");
    assert_eq!(world.circle("Till")?.members, names(&["bob", "cyd"]));
    assert_eq!(world.fake.count("create role"), 1);
    world.delete_group(group).await?;
    world.settle().await?;
    assert_eq!(world.circles(), []);
    Ok(())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_chat_has_an_owner_through_everything() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob", "cyd"]).await?;
    let group = world.group("Chat News", &ids).await?;
    world.settle().await?;
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("ann", names(&["ann", "bob", "cyd"])), "the eldest owns it");
    world.remove(group, &ids[..1]).await?;
    world.settle().await?;
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("bob", names(&["bob", "cyd"])), "the owner left it");
    world.set(ids[1], json!({ "active": false })).await?;
    world.settle().await?;
    let chat = world.circle("News")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("cyd", names(&["cyd"])), "the owner left the company");
    assert_eq!(world.standing("group Chat News").await?.state, "in_step");
    world.remove(group, &ids[2..]).await?;
    world.settle().await?;
    assert_eq!(world.circle("News")?.members, names(&["cyd"]), "the last owner stays");
    world.delete_group(group).await?;
    world.settle().await?;
    assert_eq!(world.circles().len(), 1, "a chat holds what people wrote, so it stays unless a rule says otherwise");
    Ok(())
}

#[tokio::test]
async fn a_rule_names_the_owner_of_a_chat() -> anyhow::Result<()> {
    let world = World::new().await?;
    world
        .group_rules(|rule| {
            if rule["becomes"] == "chat" {
                rule["owner"] = json!("\"boss\"");
                rule["gone"] = json!("remove");
            }
        })
        .await?;
    let ids = world.people(&["ann"]).await?;
    let group = world.group("Chat News", &ids).await?;
    world.settle().await?;
    let standing = world.standing("group Chat News").await?;
    assert_eq!(standing.error_code.as_deref(), Some("chat_owner_unknown"), "{standing:?}");
    assert_eq!(world.circle("News")?.owner, "ann", "a member owns it meanwhile");
    world.people(&["boss"]).await?;
    world.rename_group(group, "Chat Notes").await?;
    world.settle().await?;
    let chat = world.circle("Notes")?;
    assert_eq!((chat.owner.as_str(), chat.members), ("boss", names(&["ann", "boss"])));
    world.delete_group(group).await?;
    world.settle().await?;
    assert_eq!(world.circles(), []);
    Ok(())
}

#[tokio::test]
async fn a_role_that_is_there_is_taken_over_and_one_elsewhere_is_left_alone() -> anyhow::Result<()> {
    for extra in ["tolerate", "remove"] {
        let world = World::new().await?;
        world
            .group_rules(|rule| {
                if rule["becomes"] == "role" {
                    rule["extra"] = json!(extra);
                }
            })
            .await?;
        let ids = world.people(&["ann", "bob"]).await?;
        world.fake.holdings(|held| {
            for role_group in ["Rollcall", "By hand"] {
                let attributes =
                    [(entity::NAME.to_owned(), json!("Cashier")), (entity::ROLE_GROUP.to_owned(), json!(role_group))];
                held.create_circle(false, &attributes.into(), None).map_err(|error| anyhow::anyhow!("{error}"))?;
            }
            let stranger = json!({ "name": "stranger", "mobile": "13700000001" });
            let stranger = stranger.as_object().cloned().unwrap_or_default().into_iter().collect();
            held.accounts.insert("stranger".to_owned(), stranger);
            for circle in held.circles.values_mut() {
                circle.members = [ids[0].0.simple().to_string(), ids[1].0.simple().to_string(), "stranger".to_owned()].into();
            }
            anyhow::Ok(())
        })?;
        let group = world.group("Role Cashier", &ids[..1]).await?;
        world.settle().await?;
        assert_eq!(world.fake.count("create role"), 0, "never a duplicate");
        assert_eq!(world.fake.count("add_members"), 0, "who is in it need not be added");
        let (ours, theirs): (Vec<_>, Vec<_>) =
            world.circles().into_iter().partition(|circle| circle.role_group == "Rollcall");
        let expected = if extra == "remove" { names(&["ann"]) } else { names(&["ann", "bob", "stranger"]) };
        assert_eq!(ours[0].members, expected, "{extra}");
        assert_eq!(theirs[0].members, names(&["ann", "bob", "stranger"]), "that one is not ours");
        world.delete_group(group).await?;
        world.settle().await?;
        assert_eq!(world.circles().len(), 2, "it was there before us, so it stays");
        assert_eq!(world.circles().iter().filter(|role| role.members.contains(&"ann".to_owned())).count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn two_groups_do_not_become_one_role() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.save_rules(&json!([{ "name": "all", "becomes": "role", "called": "\"Cashier\"" }])).await?;
    let ids = world.people(&["ann", "bob"]).await?;
    let first = world.group("one", &ids[..1]).await?;
    world.settle().await?;
    world.group("two", &ids[1..]).await?;
    world.settle().await?;
    let standing = world.standing("group two").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("role_of_another_group")));
    assert_eq!(world.circle("Cashier")?.members, names(&["ann"]));
    world.delete_group(first).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["bob"]), "the name is free again");
    Ok(())
}

#[tokio::test]
async fn two_hundred_people_cost_ten_calls_and_one_more_costs_one() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = crowd(&world, 201).await?;
    let group = world.group("Role Staff", &ids[..200]).await?;
    let before = world.fake.calls().len();
    world.settle().await?;
    assert_eq!(world.fake.count("add_members role Staff"), 10);
    assert_eq!(world.fake.calls().len() - before, 12, "to look for the role, to make it, to fill it");
    let before = world.fake.calls().len();
    world.add(group, &ids[200..]).await?;
    world.settle().await?;
    assert_eq!(world.fake.calls()[before..], ["add_members role Staff"]);
    world.remove(group, &ids[..1]).await?;
    world.settle().await?;
    assert_eq!(world.fake.calls()[before + 1..], ["remove_members role Staff"]);
    assert_eq!(world.circle("Staff")?.members.len(), 200);
    Ok(())
}

#[tokio::test]
async fn a_crash_between_or_in_batches_costs_at_most_one() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = crowd(&world, 100).await?;
    for done in [true, false] {
        let name = if done { "Role Done" } else { "Role Undone" };
        world.fake.heal();
        world.fake.stick_after(4, done);
        let before = world.fake.calls().len();
        world
            .work(World::one_by_one("victim"), async {
                world.group(name, &ids).await?;
                world.fake.stuck().await;
                Ok(())
            })
            .await?;
        world.settle().await?;
        let role = world.circle(name.trim_start_matches("Role "))?;
        assert_eq!(role.members.len(), 100, "{name}");
        let calls = world.fake.calls()[before..].iter().filter(|call| call.starts_with("add_members")).count();
        assert_eq!(calls, 6, "five batches and the one that was under way");
        assert_eq!(world.standing(&format!("group {name}")).await?.state, "in_step");
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_creation_makes_no_second_one() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann"]).await?;
    for (group, kind) in [("Role One", "role"), ("Chat Two", "chat")] {
        for done in [true, false] {
            world.fake.on(&format!("create {kind}"), 1, Fate::Lost { done });
            let id = world.group(&format!("{group}{done}"), &ids).await?;
            world.settle().await?;
            let made = world.circle(group[5..].to_owned().as_str().trim()).ok();
            assert_eq!(made, None);
            let circle = world.circle(&format!("{}{done}", &group[5..]))?;
            assert_eq!(circle.members, names(&["ann"]), "{group} {done}");
            world.delete_group(id).await?;
            world.settle().await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn groups_within_groups_count_if_the_rule_says_so() -> anyhow::Result<()> {
    for nested in [true, false] {
        let world = World::new().await?;
        world.group_rules(|rule| rule["nested"] = json!(nested)).await?;
        let ids = world.people(&["ann", "bob", "cyd", "dee"]).await?;
        let inner = world.group("inner", &ids[2..3]).await?;
        let middle = world.group("middle", &[ids[1], inner]).await?;
        let outer = world.group("Role Outer", &[ids[0], middle]).await?;
        // A circle must not lead anybody astray.
        world.add(inner, &[outer]).await?;
        world.settle().await?;
        let expected = |all: &[&str]| if nested { names(all) } else { names(&["ann"]) };
        assert_eq!(world.circle("Outer")?.members, expected(&["ann", "bob", "cyd"]));
        world.add(inner, &ids[3..]).await?;
        world.settle().await?;
        assert_eq!(world.circle("Outer")?.members, expected(&["ann", "bob", "cyd", "dee"]));
        world.remove(middle, &[inner]).await?;
        world.settle().await?;
        assert_eq!(world.circle("Outer")?.members, expected(&["ann", "bob"]), "who was in it through a group left with it");
        world.add(middle, &[inner]).await?;
        world.settle().await?;
        world.delete_group(inner).await?;
        world.settle().await?;
        assert_eq!(world.circle("Outer")?.members, expected(&["ann", "bob"]), "the group was deleted");
        assert_eq!(world.standing("group Role Outer").await?.state, "in_step");
    }
    Ok(())
}

#[tokio::test]
async fn who_has_no_account_yet_is_waited_for_and_then_joins() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann"]).await?;
    world.fake.holdings(|held| held.reserved.insert("13700000077".to_owned()));
    let bob = world.person("bob", json!({ "mobile": "13700000077" })).await?;
    let group = world.group("Role Cashier", &[ids[0], bob]).await?;
    world.work(World::options("first"), world.nothing_is_due()).await?;
    let standing = world.standing("group Role Cashier").await?;
    assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("waiting", Some("waiting_for_members")));
    assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains("bob")), "{standing:?}");
    assert_eq!(world.circle("Cashier")?.members, names(&["ann"]), "the others do not wait");
    world.fake.accept("13700000077", "chosen-by-dingtalk");
    world.clock.advance(std::time::Duration::from_mins(2));
    world.work(World::options("second"), world.until("group Role Cashier", "in_step")).await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    world.set(bob, json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann"]), "a leaver is out of it");
    assert_eq!(world.standing("group Role Cashier").await?.state, "in_step", "and is not waited for");
    world.add(group, &[]).await?;
    world.set(bob, json!({ "active": true, "mobile": "13700000078" })).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]), "who comes back is in it again");
    Ok(())
}

#[tokio::test]
async fn one_refused_member_does_not_stop_the_others() -> anyhow::Result<()> {
    for (group, circle) in [("Role Staff", "Staff"), ("Chat Staff", "Staff")] {
        let world = ruled().await?;
        let ids = crowd(&world, 50).await?;
        let odd = ids[33].0.simple().to_string();
        world.fake.holdings(|held| held.unwelcome.insert(odd));
        world.group(group, &ids).await?;
        world.settle().await?;
        assert_eq!(world.circle(circle)?.members.len(), 49, "{group}");
        let standing = world.standing(&format!("group {group}")).await?;
        assert_eq!((standing.state.as_str(), standing.error_code.as_deref()), ("needs_attention", Some("members_refused")));
        assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains("p0033")), "{standing:?}");
        world.fake.holdings(|held| held.unwelcome.clear());
        let again = rollcall_store::projection::MarkAgain::default();
        world.store.mark_again(world.tenant, &again, "retry").await?;
        world.settle().await?;
        assert_eq!(world.circle(circle)?.members.len(), 50, "{group}");
        assert_eq!(world.standing(&format!("group {group}")).await?.state, "in_step");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_was_removed_by_hand_is_made_again_and_joins_again() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob"]).await?;
    world.fake.holdings(|held| held.accounts.remove(&ids[1].0.simple().to_string()));
    world.group("Role Cashier", &ids).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    assert_eq!(world.standing("group Role Cashier").await?.state, "in_step");
    Ok(())
}

#[tokio::test]
async fn a_role_that_was_removed_by_hand_is_made_again() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob"]).await?;
    let group = world.group("Role Cashier", &ids[..1]).await?;
    world.settle().await?;
    world.fake.holdings(|held| held.circles.clear());
    world.add(group, &ids[1..]).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    assert_eq!(world.fake.count("create role"), 2);
    Ok(())
}

#[tokio::test]
async fn what_fails_for_a_while_is_tried_again() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob"]).await?;
    let busy = refusal(ErrorClass::Transient, "-1", None);
    world.fake.on("create role", 2, Fate::Refused(busy.clone()));
    world.fake.on("add_members", 2, Fate::Refused(busy));
    world.group("Role Cashier", &ids).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]));
    assert_eq!(world.standing("group Role Cashier").await?.state, "in_step");
    Ok(())
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
    let plans = world.store.plans(world.tenant, None, Some(made), 1).await?;
    assert_eq!(plans[0].state, "applied", "{:?}", plans[0].states);
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
    let shown = world.store.plans(world.tenant, None, Some(made), 1).await?;
    assert_eq!(shown[0].state, "guarded", "{:?}", shown[0].summary);
    let key = format!("members.remove:{}", group.0);
    assert_eq!(shown[0].summary["effects"][&key], 13);
    world.store.request_release(world.tenant, made, "ann", "They moved to another shop.").await?;
    world.store.release_plan(world.tenant, made, "bob").await?;
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
    let log = world.store.changes(world.tenant, rollcall_store::changes::ChangeCursor::Before(i64::MAX), 100, Some(group)).await?;
    let chosen = log.iter().filter(|entry| entry.operation == rollcall_store::changes::Operation::GroupChosen).count();
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
    let places = async |name: &str| anyhow::Ok(world.picture().await?.people[name][0].departments.clone());
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
    let mut document = rollcall_provisioning::mapping::Mapping::default_document();
    document["account"]["title"]["value"] =
        json!("groups.exists(g, g.displayName == \"Heads\") ? \"Head\" : user.title");
    let new = rollcall_store::mappings::NewMapping { document: &document, note: "", by: "ann", after: None };
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
    let mut document = rollcall_provisioning::mapping::Mapping::default_document();
    document["groups"] = crate::group_rules::rules();
    document["leavers"] =
        json!([{ "name": "all", "access_ended_after_days": 2, "removed_after_days": 9, "erased_after_days": 30 }]);
    let new = rollcall_store::mappings::NewMapping { document: &document, note: "", by: "ann", after: None };
    world.store.save_mapping(world.tenant, &new).await?;
    let ids = world.people(&["ann", "bob"]).await?;
    world.group("Role Cashier", &ids).await?;
    world.group("Chat News", &ids).await?;
    world.settle().await?;
    world.set(ids[0], json!({ "active": false })).await?;
    world.settle().await?;
    assert_eq!(world.circle("Cashier")?.members, names(&["ann", "bob"]), "access has not ended yet");
    world.clock.advance(std::time::Duration::from_hours(49));
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
