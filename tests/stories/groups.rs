//! Groups of the identity provider at DingTalk: a joiner is in the right department, role and chat after one push; an admin
//! sees what each group becomes and decides about one by hand, as docs/groups.md says.

use std::fs;

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::drivers::{GROUP, PATCH_OP};
use crate::staff::somebody;
use crate::world::World;

/// The first document of docs/groups.md.
fn documented() -> anyhow::Result<String> {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/groups.md"))?;
    let block = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    Ok(block.context("docs/groups.md has a document")?.to_owned())
}

async fn save_documented_rules(world: &World) -> anyhow::Result<()> {
    fs::write(world.folder().join("groups.toml"), documented()?)?;
    let saved = world.shell(&["mapping", "save", "groups.toml"]).await?;
    ensure!(saved.status.success(), "{}{}", saved.stdout, saved.stderr);
    Ok(())
}

async fn push_group(world: &World, name: &str, members: &[&str]) -> anyhow::Result<String> {
    let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
    let made = world.scim()?.expect(StatusCode::CREATED, Method::POST, "/Groups", &body).await?;
    Ok(made.text("/id")?.to_owned())
}

async fn add_member(world: &World, group: &str, member: &str) -> anyhow::Result<()> {
    let operation = json!({ "op": "add", "path": "members", "value": [{ "value": member }] });
    let body = json!({ "schemas": [PATCH_OP], "Operations": [operation] });
    let reply = world.scim()?.send(Method::PATCH, &format!("/Groups/{group}"), &body).await?;
    ensure!(reply.status.is_success(), "{} {}", reply.status, reply.body);
    Ok(())
}

fn named<'a>(state: &'a Value, list: &str, key: &str, name: &str) -> Option<&'a Value> {
    state[list].as_array()?.iter().find(|one| one[key] == name)
}

/// Who has a role, sorted.
fn holders(state: &Value, role: &str) -> anyhow::Result<Vec<String>> {
    let role = named(state, "roles", "name", role).with_context(|| format!("there is a role {role}"))?;
    Ok(role["holders"].as_object().context("a role has holders")?.keys().cloned().collect())
}

async fn target(world: &World) -> anyhow::Result<String> {
    Ok(world.rest("/targets").await?["data"][0]["id"].as_str().context("there is a target")?.to_owned())
}

#[tokio::test]
async fn a_joiner_is_in_department_role_and_chat_after_one_push_and_a_leaver_in_none() -> anyhow::Result<()> {
    let world = World::start().await?;
    save_documented_rules(&world).await?;
    let old = world.join(&somebody(0)).await?;
    let mut groups = Vec::new();
    for name in ["DT-Role-Approver", "DT-Chat-News", "DT-Dept-Lantern"] {
        groups.push(push_group(&world, name, &[&old]).await?);
    }
    world.settled().await?;
    let calls = world.all_calls().await?.len();
    let joiner = world.join(&somebody(1)).await?;
    for group in &groups {
        add_member(&world, group, &joiner).await?;
    }
    world.settled().await?;
    let both = {
        let mut both = vec![world.userid(0).await?, world.userid(1).await?];
        both.sort();
        both
    };
    let state = world.simulator.state().await?;
    assert_eq!(holders(&state, "Approver")?, both);
    let chat = named(&state, "chats", "title", "News").context("there is a chat")?;
    assert_eq!((&chat["members"], &chat["owner"]), (&json!(both), &json!(world.userid(0).await?)));
    let lantern = named(&state, "departments", "name", "Lantern").context("there is a department")?["dept_id"].clone();
    let member = world.member(1).await?.context("they joined")?;
    assert!(member["dept_id_list"].as_array().is_some_and(|list| list.contains(&lantern)), "{member}");
    let committed = world.all_calls().await?.into_iter().skip(calls).filter(|call| call["committed"] == true).count();
    assert!((3..=4).contains(&committed), "the account, its department, one call for the role, one for the chat");

    world.set_active(&old, false).await?;
    world.settled().await?;
    let state = world.simulator.state().await?;
    let left = vec![world.userid(1).await?];
    assert_eq!(holders(&state, "Approver")?, left);
    let chat = named(&state, "chats", "title", "News").context("there is a chat")?;
    assert_eq!((&chat["members"], &chat["owner"]), (&json!(left), &json!(left[0])), "the chat has an owner still");
    for group in &groups {
        let standing = world.standing(group).await?;
        assert_eq!(standing["state"], "in_step", "{standing}");
    }
    Ok(())
}

#[tokio::test]
async fn an_admin_sees_what_groups_become_and_decides_by_hand() -> anyhow::Result<()> {
    let world = World::start().await?;
    save_documented_rules(&world).await?;
    let id = world.join(&somebody(0)).await?;
    push_group(&world, "DT-Role-Approver", &[&id]).await?;
    let choir = push_group(&world, "Choir", &[&id]).await?;
    world.settled().await?;
    let at = format!("/targets/{}/groups", target(&world).await?);
    let list = world.rest(&at).await?;
    let seen: Vec<(&Value, &Value, &Value)> = list["data"]
        .as_array()
        .context("a list")?
        .iter()
        .map(|group| (&group["becomes"], &group["rule"], &group["members"]["applied"]))
        .collect();
    assert_eq!(
        seen,
        [(&json!("role"), &json!("roles"), &json!(1)), (&json!("nothing"), &json!("the rest"), &json!(0))]
    );

    let api = world.rest_of(&world.tenant)?;
    let decision = json!({ "becomes": "role", "called": "Singer", "role_group": "Clubs" });
    let put = api.put(&format!("{at}/{choir}"), &decision).await?;
    ensure!(put.status == StatusCode::OK, "{} {}", put.status, put.body);
    assert_eq!((&put.body["rule"], &put.body["called"]), (&json!("by hand"), &json!("Singer")));
    world.settled().await?;
    let state = world.simulator.state().await?;
    assert_eq!(holders(&state, "Singer")?, [world.userid(0).await?]);
    let explained = world.cli(&["group", "explain", "Choir"]).await?;
    assert_eq!((&explained["state"], &explained["members"]["applied"]), (&json!("in_step"), &json!(1)), "{explained}");

    let wrong = api.put(&format!("{at}/{choir}"), &json!({ "becomes": "chat", "path": ["x"] })).await?;
    assert_eq!((wrong.status.as_u16(), &wrong.body["errors"][0]["pointer"]), (422, &json!("/path")), "{}", wrong.body);
    let nobody = api.put(&format!("{at}/{id}"), &decision).await?;
    assert_eq!(nobody.status.as_u16(), 404, "{}", nobody.body);

    world.cli(&["group", "set", "Choir", "nothing", "--by", "maria"]).await?;
    world.settled().await?;
    assert!(named(&world.simulator.state().await?, "roles", "name", "Singer").is_none(), "the role is gone");
    let back = api.delete(&format!("{at}/{choir}")).await?;
    assert_eq!(back.status.as_u16(), 204, "{}", back.body);
    assert_eq!(world.rest(&format!("{at}/{choir}")).await?["rule"], "the rest");
    let log = world.rest("/changes?limit=200").await?;
    let chosen = log["data"].as_array().context("a log")?.iter().filter(|entry| entry["operation"] == "group_chosen");
    assert_eq!(chosen.count(), 3, "{log}");
    Ok(())
}
