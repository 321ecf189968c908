//! Groups become roles and chats: made, taken over, renamed, filled in batches and emptied, whatever fails in between.

use rollcall_provisioning::connector::ErrorClass;
use rollcall_provisioning::entity;
use rollcall_provisioning::ids::ResourceId;
use rollcall_store::projection::MarkAgain;
use serde_json::json;

use crate::fake::{Fate, refusal};
use crate::world::World;

/// A world in which groups become what their names say.
pub(crate) async fn ruled() -> anyhow::Result<World> {
    let world = World::new().await?;
    world.group_rules(|_| {}).await?;
    Ok(world)
}

/// So many people with accounts.
pub(crate) async fn crowd(world: &World, number: usize) -> anyhow::Result<Vec<ResourceId>> {
    let mut ids = Vec::with_capacity(number);
    for index in 0..number {
        ids.push(world.person(&format!("p{index:04}"), json!({ "mobile": format!("139{index:08}") })).await?);
    }
    world.settle().await?;
    Ok(ids)
}

pub(crate) fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_group_becomes_a_role_and_follows_its_members_and_its_name() -> anyhow::Result<()> {
    let world = ruled().await?;
    let ids = world.people(&["ann", "bob", "cyd"]).await?;
    let group = world.group("Role Cashier", &ids[..2]).await?;
    world.settle().await?;
    let role = world.circle("Cashier")?;
    assert_eq!(
        (role.is_chat, role.role_group.as_str(), role.members.clone()),
        (false, "Rollcall", names(&["ann", "bob"]))
    );
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
                circle.members =
                    [ids[0].0.simple().to_string(), ids[1].0.simple().to_string(), "stranger".to_owned()].into();
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
    assert_eq!(
        (standing.state.as_str(), standing.error_code.as_deref()),
        ("needs_attention", Some("role_of_another_group"))
    );
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
async fn one_member_more_or_less_of_two_thousand_is_one_call() -> anyhow::Result<()> {
    let world = World::new().await?;
    world.save_rules(&json!([{ "name": "roles", "becomes": "role", "called": "\"Staff\"" }])).await?;
    let ids = world.crowd_at_rest(2_001).await?;
    let group = world.group("everybody", &ids[..2_000]).await?;
    world.settle().await?;
    assert_eq!(world.fake.count("add_members role Staff"), 100);
    for (join, call) in [(true, "add_members role Staff"), (false, "remove_members role Staff")] {
        let before = world.fake.calls().len();
        if join {
            world.add(group, &ids[2_000..]).await?;
        } else {
            world.remove(group, &ids[..1]).await?;
        }
        world.settle().await?;
        assert_eq!(world.fake.calls()[before..], [call]);
        assert_eq!(world.circle("Staff")?.members.len(), if join { 2_001 } else { 2_000 });
    }
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
    for (group, kind, times) in [("Role One", "role", 1), ("Chat Two", "chat", 1), ("Chat Three", "chat", 2)] {
        for done in [true, false] {
            world.fake.on(&format!("create {kind}"), times, Fate::Lost { done });
            let id = world.group(&format!("{group}{done}"), &ids).await?;
            world.settle().await?;
            let circle = world.circle(&format!("{}{done}", &group[5..]))?;
            assert_eq!(circle.members, names(&["ann"]), "{group} {done}");
            world.delete_group(id).await?;
            world.settle().await?;
            let stays = world.circles().iter().any(|circle| circle.name == format!("{}{done}", &group[5..]));
            assert_eq!(stays, kind == "chat", "the role is ours, so it goes with its group: {group} {done}");
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
        assert_eq!(
            world.circle("Outer")?.members,
            expected(&["ann", "bob"]),
            "who was in it through a group left with it"
        );
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
        assert_eq!(
            (standing.state.as_str(), standing.error_code.as_deref()),
            ("needs_attention", Some("members_refused"))
        );
        assert!(standing.reason.as_ref().is_some_and(|reason| reason.contains("p0033")), "{standing:?}");
        world.fake.holdings(|held| held.unwelcome.clear());
        let again = MarkAgain::default();
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
