//! What was done is taken back: by plan, by person, by time, by version of the mapping; it lasts until the source has something
//! new to say, and what cannot be taken back is said before anything is sent.

use std::fs;

use anyhow::{Context, ensure};
use reqwest::StatusCode;

use rollcall_tests::{Reply, ScimClient};
use serde_json::{Value, json};

use crate::staff::{enterprise, replace, somebody, with};
use crate::world::World;

async fn undo(rest: &ScimClient, world: &World, body: Value) -> anyhow::Result<Value> {
    let made = rest.post(&format!("/targets/{}/undo", world.target().await?), &body).await?;
    ensure!(made.status == StatusCode::CREATED, "{} {}", made.status, made.body);
    Ok(made.body)
}

async fn apply(rest: &ScimClient, plan: &Value) -> anyhow::Result<Reply> {
    rest.post(&format!("/plans/{}/apply", text(plan, "id")?), &json!({ "wave": "all" })).await
}

async fn applied(rest: &ScimClient, world: &World, plan: &Value) -> anyhow::Result<Value> {
    let reply = apply(rest, plan).await?;
    ensure!(reply.status == StatusCode::OK, "{} {}", reply.status, reply.body);
    world.settled().await?;
    Ok(reply.body)
}

async fn changes(rest: &ScimClient, plan: &Value) -> anyhow::Result<Vec<Value>> {
    let page = rest.get(&format!("/plans/{}/changes", text(plan, "id")?)).await?.body;
    Ok(page["data"].as_array().context("a page of changes")?.clone())
}

async fn overrides(rest: &ScimClient, which: &str) -> anyhow::Result<Vec<Value>> {
    let page = rest.get(&format!("/overrides{which}")).await?.body;
    Ok(page["data"].as_array().context("a page of overrides")?.clone())
}

fn text(value: &Value, member: &str) -> anyhow::Result<String> {
    Ok(value[member].as_str().with_context(|| format!("no {member} in {value}"))?.to_owned())
}

pub(crate) fn titled(number: usize, title: &str) -> Value {
    let mut person = somebody(number);
    person["title"] = json!(title);
    person
}

pub(crate) async fn title(world: &World, number: usize) -> anyhow::Result<Value> {
    Ok(world.member(number).await?.with_context(|| format!("{number} is at DingTalk"))?["title"].clone())
}

/// Saves rules by which titles are written in capitals, and applies what that holds. Returns the plan.
pub(crate) async fn capitals(world: &World, rest: &ScimClient, ids: &[String]) -> anyhow::Result<Value> {
    let shown = world.shell(&["mapping", "show", "--toml"]).await?.stdout;
    fs::write(world.folder().join("capitals.toml"), shown.replace("\"user.title\"", "\"upper(user.title)\""))?;
    world.cli(&["mapping", "save", "capitals.toml", "--note", "Capitals"]).await?;
    for id in ids {
        world.until_state(id, "held").await?;
    }
    let made = rest.post(&format!("/targets/{}/plans", world.target().await?), &json!({})).await?.body;
    applied(rest, world, &made).await?;
    Ok(made)
}

#[tokio::test]
async fn a_plan_is_undone_until_the_source_says_something_new() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(world.join(&titled(number, "clerk")).await?);
    }
    world.settled().await?;
    let plan = capitals(&world, &rest, &ids).await?;
    assert_eq!(title(&world, 0).await?, "CLERK");

    let way_back =
        undo(&rest, &world, json!({ "plan": plan["id"], "reason": "Too loud.", "review_on": "2027-01-31" })).await?;
    assert_eq!(
        (&way_back["kind"], &way_back["state"], &way_back["total"]),
        (&json!("undo"), &json!("ready"), &json!(3))
    );
    assert_eq!((&way_back["undoes"]["plan"], &way_back["hindered"]), (&plan["id"], &json!(0)), "{way_back}");
    let line = json!([{ "attribute": "title", "before": "CLERK", "after": "clerk" }]);
    for change in changes(&rest, &way_back).await? {
        assert_eq!((&change["verb"], &change["lines"]), (&json!("update"), &line), "{change}");
    }
    assert_eq!(title(&world, 0).await?, "CLERK", "a plan sends nothing");
    applied(&rest, &world, &way_back).await?;
    for number in 0..3 {
        assert_eq!(title(&world, number).await?, "clerk");
    }
    let over = rest.get(&format!("/plans/{}", text(&way_back, "id")?)).await?.body;
    assert_eq!((&over["state"], &over["states"]), (&json!("applied"), &json!({ "applied": 3 })));

    // It lasts: another change of the person, a look at everybody.
    world.change(&ids[0], replace(&enterprise("employeeNumber"), "S0000")).await?;
    world.change(&ids[0], replace("displayName", "Somebody Else")).await?;
    world.retry(&ids[1]).await?;
    world.settled().await?;
    assert_eq!((title(&world, 0).await?, title(&world, 1).await?), (json!("clerk"), json!("clerk")));
    assert_eq!(world.member(0).await?.context("they are there")?["name"], "Somebody Else");
    let why = world.rest(&format!("/users/{}/explain", ids[0])).await?;
    let held = &why["targets"][0]["overrides"][0];
    let told = (&held["attribute"], &held["value"], &held["against"], &held["reason"], &held["review_on"]);
    let expected = (&json!("title"), &json!("clerk"), &json!("CLERK"), &json!("Too loud."), &json!("2027-01-31"));
    assert_eq!(told, expected, "{why}");
    let said = world.text(&["explain", "somebody.0@corp.example"]).await?;
    assert!(said.contains("4 Held at    title = clerk instead of CLERK"), "{said}");

    // The source has something new to say about the first; the second is lifted by a person; the third stays.
    world.change(&ids[0], replace("title", "head")).await?;
    let of_second = overrides(&rest, &format!("?resource={}", ids[1])).await?;
    let number = of_second.first().context("the second is held")?["id"].to_string();
    let said = world.text(&["override", "lift", &number, "--by", "maria"]).await?;
    assert!(said.contains("the rules count again"), "{said}");
    world.settled().await?;
    assert_eq!((title(&world, 0).await?, title(&world, 1).await?), (json!("HEAD"), json!("CLERK")));
    let counting = overrides(&rest, "").await?;
    assert_eq!(counting.iter().map(|held| &held["resource_id"]).collect::<Vec<_>>(), [&json!(ids[2])]);
    let ended = overrides(&rest, "?ended=true").await?;
    let of = |id: &str| ended.iter().find(|held| held["resource_id"] == id).cloned().unwrap_or_default();
    assert_eq!(of(&ids[0])["ended_why"], "Source or rules want something else by now.");
    assert_eq!((&of(&ids[1])["ended_by"], &of(&ids[1])["ended_why"]), (&json!("command line maria"), &Value::Null));
    let again = rest.delete(&format!("/overrides/{number}")).await?;
    assert_eq!(again.status, StatusCode::NOT_FOUND, "{}", again.body);

    // Undoing the undo lifts what it holds; what was touched since is refused.
    let back = undo(&rest, &world, json!({ "plan": way_back["id"] })).await?;
    assert_eq!((&back["total"], &back["hindered"]), (&json!(1), &json!(2)), "{back}");
    let all = changes(&rest, &back).await?;
    let refused = all.iter().find(|change| change["resource_id"] == json!(ids[0])).context("the first")?;
    let cannot = &refused["cannot"][0];
    assert_eq!(
        (&refused["state"], &cannot["code"], &cannot["attribute"]),
        (&json!("impossible"), &json!("conflict"), &json!("title"))
    );
    assert!(cannot["whose"].as_str().is_some_and(|whose| whose.starts_with("source ")), "{cannot}");
    applied(&rest, &world, &back).await?;
    assert_eq!(title(&world, 2).await?, "CLERK");
    assert!(overrides(&rest, "").await?.is_empty(), "nothing is held any more");
    let log = world.rest(&format!("/changes?resource={}&limit=200", ids[0])).await?;
    let told: Vec<&Value> = log["data"].as_array().into_iter().flatten().map(|entry| &entry["operation"]).collect();
    assert!(told.contains(&&json!("overridden")) && told.contains(&&json!("override_ended")), "{told:?}");
    Ok(())
}

#[tokio::test]
async fn a_version_of_the_mapping_is_undone_and_nothing_that_the_source_did() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let ids = [world.join(&titled(0, "clerk")).await?, world.join(&titled(1, "HEAD")).await?];
    world.settled().await?;
    capitals(&world, &rest, &ids[..1]).await?;
    // By the same rules, but because of the source.
    world.change(&ids[1], replace("title", "boss")).await?;
    let third = world.join(&titled(2, "cook")).await?;
    world.settled().await?;
    assert_eq!((title(&world, 1).await?, title(&world, 2).await?), (json!("BOSS"), json!("COOK")));

    let said = world.shell(&["undo", "--mapping-version", "1"]).await?;
    assert_eq!(said.status.code(), Some(2), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("Undo of what version 1 of the mapping changed."), "{}", said.stdout);
    assert!(said.stdout.contains("people 1: title 1"), "{}", said.stdout);
    let plan = said.stdout.strip_prefix("Plan ").and_then(|rest| rest.split(' ').next()).context("a plan")?.to_owned();
    world.cli(&["apply", &plan]).await?;
    world.settled().await?;
    assert_eq!(title(&world, 0).await?, "clerk");
    assert_eq!((title(&world, 1).await?, title(&world, 2).await?), (json!("BOSS"), json!("COOK")), "{third}");

    // Going back to the rules before ends what is held by itself.
    world.cli(&["mapping", "revert", "0"]).await?;
    world.settled().await?;
    world.until_state(&ids[0], "in_step").await?;
    assert!(overrides(&rest, "").await?.is_empty(), "the rules want what was held");
    assert_eq!(title(&world, 0).await?, "clerk");
    let unknown = world.shell(&["undo", "--mapping-version", "9"]).await?;
    assert!(!unknown.status.success() && unknown.stderr.contains("the version 9 of the mapping"), "{}", unknown.stderr);
    Ok(())
}

#[tokio::test]
async fn of_a_person_in_a_time_the_rest_is_undone_and_the_conflict_shown() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let boss = world.join(&somebody(8)).await?;
    let chief = world.join(&somebody(9)).await?;
    let person = with(with(titled(1, "clerk"), "department", "Sales"), "manager", json!({ "value": boss }));
    let id = world.join(&person).await?;
    let other = world.join(&with(somebody(2), "department", "Sales")).await?;
    world.settled().await?;
    let sales = world.member(1).await?.context("they joined")?;

    world.change(&id, replace("title", "head")).await?;
    world.change(&id, replace(&enterprise("department"), "Legal")).await?;
    world.change(&id, replace(&enterprise("manager"), json!({ "value": chief }))).await?;
    world.settled().await?;
    let legal = world.member(1).await?.context("they are there")?;
    ensure!(legal["dept_id_list"] != sales["dept_id_list"], "{legal}");
    // The last one of Sales leaves, and so the department goes.
    world.set_active(&other, false).await?;
    world.settled().await?;
    world.change(&id, replace("title", "boss")).await?;
    world.settled().await?;

    // From the first step after the creation to before the last one.
    let steps = world.rest(&format!("/attempts?resource={id}&limit=50")).await?["data"].clone();
    let number = steps.as_array().map_or(0, Vec::len);
    ensure!(number > 2, "{steps}");
    let body = json!({ "users": [id], "from": text(&steps[number - 2], "at")?, "to": text(&steps[0], "at")? });
    let plan = undo(&rest, &world, body).await?;
    let all = changes(&rest, &plan).await?;
    let change = all.first().context("one change")?;
    let lines: Vec<&Value> = change["lines"].as_array().into_iter().flatten().collect();
    let touched: Vec<&Value> = lines.iter().map(|line| &line["attribute"]).collect();
    assert_eq!(touched, [&json!("manager"), &json!("org_units")], "{change}");
    assert_eq!((&lines[1]["before"], &lines[1]["after"]), (&json!(["Legal"]), &json!(["Sales"])), "{change}");
    let cannot = &change["cannot"][0];
    assert_eq!((&cannot["attribute"], &cannot["code"]), (&json!("title"), &json!("conflict")), "{change}");
    assert!(cannot["at"].is_string() && cannot["message"].as_str().is_some_and(|m| m.contains("update account at")));

    applied(&rest, &world, &plan).await?;
    let back = world.member(1).await?.context("they stay")?;
    assert_eq!(back["manager_userid"], sales["manager_userid"], "{back}");
    assert_eq!(back["title"], "boss", "what a later change has touched stays");
    let departments = world.rest(&format!("/users/{id}/explain")).await?;
    let held = departments["targets"][0]["overrides"].as_array().context("overrides")?.clone();
    let of_places = held.iter().find(|held| held["attribute"] == "org_units").context("the places are held")?;
    assert_eq!((&of_places["value"], &of_places["against"]), (&json!(["Sales"]), &json!(["Legal"])));
    let units = world.simulator.state().await?["departments"].to_string();
    assert!(units.contains("Sales"), "the department was removed, and is made again: {units}");
    world.retry(&id).await?;
    world.settled().await?;
    assert_eq!(world.member(1).await?.context("they stay")?["dept_id_list"], back["dept_id_list"], "it lasts");
    Ok(())
}

#[tokio::test]
async fn a_department_gets_back_its_name() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let id = world.join(&with(somebody(1), "department", "Sales")).await?;
    world.settled().await?;
    let before = world.rest("/attempts?limit=1").await?["data"][0].clone();
    world.change(&id, replace(&enterprise("department"), "Trade")).await?;
    world.settled().await?;
    let renamed = world.rest("/attempts?limit=1").await?["data"][0].clone();
    assert_eq!((&renamed["action"], &renamed["attributes"]), (&json!("update org_unit"), &json!(["name"])), "{before}");
    let plan = undo(&rest, &world, json!({ "from": renamed["at"] })).await?;
    let all = changes(&rest, &plan).await?;
    assert_eq!(all[0]["lines"], json!([{ "attribute": "name", "before": "Trade", "after": "Sales" }]), "{all:?}");
    applied(&rest, &world, &plan).await?;
    let names = |state: &Value| state["departments"].to_string();
    let now = names(&world.simulator.state().await?);
    assert!(now.contains("Sales") && !now.contains("Trade"), "{now}");
    world.change(&id, replace(&enterprise("department"), "Bureau")).await?;
    world.settled().await?;
    let now = names(&world.simulator.state().await?);
    assert!(now.contains("Bureau") && !now.contains("Sales"), "the source has another name by now: {now}");
    Ok(())
}

#[tokio::test]
async fn to_undo_the_creation_of_a_manager_of_many_takes_two_people() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let boss = world.join(&somebody(0)).await?;
    for number in 1..4 {
        world.join(&with(somebody(number), "manager", json!({ "value": boss }))).await?;
    }
    world.settled().await?;
    let limits = json!({ "managers.lost": { "floor": 2, "share": 0.0 } });
    let set = rest.put(&format!("/targets/{}/guards", world.target().await?), &limits).await?;
    ensure!(set.status == StatusCode::OK, "{}", set.body);
    let plan = undo(&rest, &world, json!({ "users": [boss], "from": "2020-01-01T00:00:00Z" })).await?;
    assert_eq!((&plan["state"], &plan["guarded"]), (&json!("guarded"), &json!(1)), "{plan}");
    let guards = plan["guards"].to_string();
    ensure!(guards.contains("managers.lost: 3 people report to somebody who leaves, more than 2"), "{plan}");
    let held = applied(&rest, &world, &plan).await?;
    assert_eq!((&held["permitted"], &held["withheld"]), (&json!(0), &json!(1)));
    ensure!(world.member(0).await?.is_some(), "nobody has released it");
    Ok(())
}

#[tokio::test]
async fn many_creations_are_undone_by_two_people_and_what_moved_by_nobody() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    let mut ids = Vec::new();
    for number in 0..8 {
        ids.push(world.join(&titled(number, "clerk")).await?);
    }
    world.settled().await?;
    let plan = rest.post(&format!("/targets/{}/plans", world.target().await?), &json!({})).await?.body;
    applied(&rest, &world, &plan).await?;
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 8, "everybody is there");

    let stale = undo(&rest, &world, json!({ "plan": plan["id"] })).await?;
    assert_eq!((&stale["state"], &stale["guarded"], &stale["hindered"]), (&json!("guarded"), &json!(8), &json!(8)));
    let all = changes(&rest, &stale).await?;
    assert!(all.iter().all(|change| change["verb"] == "delete" && change["cannot"][0]["code"] == "history_lost"));
    // Somebody leaves before it is applied.
    world.set_active(&ids[7], false).await?;
    world.settled().await?;
    let id = text(&stale, "id")?;
    let asked = rest.post(&format!("/plans/{id}/request-release"), &json!({ "reason": "The wrong people." })).await?;
    ensure!(asked.status == StatusCode::OK, "{}", asked.body);
    world.cli(&["release", &id, "--approve", "--by", "ann"]).await?;
    let moved = apply(&rest, &stale).await?;
    assert_eq!((moved.status, &moved.body["code"]), (StatusCode::CONFLICT, &json!("plan_stale")), "{}", moved.body);
    assert_eq!(moved.body["moved"][0]["resource_id"], json!(ids[7]));
    assert!(overrides(&rest, "").await?.is_empty(), "nothing is held by a plan that was not applied");

    let plan = undo(&rest, &world, json!({ "plan": plan["id"] })).await?;
    assert_eq!((&plan["total"], &plan["hindered"]), (&json!(7), &json!(8)), "who has left is not undone: {plan}");
    let held = applied(&rest, &world, &plan).await?;
    assert_eq!((&held["permitted"], &held["withheld"]), (&json!(0), &json!(7)));
    let id = text(&plan, "id")?;
    rest.post(&format!("/plans/{id}/request-release"), &json!({ "reason": "The wrong people." })).await?;
    world.cli(&["release", &id, "--approve", "--by", "ann"]).await?;
    let done = apply(&rest, &plan).await?;
    ensure!(done.body["permitted"] == 7, "{}", done.body);
    // In the middle of it.
    world.server.kill().await?;
    world.server.restart().await?;
    world.settled().await?;
    ensure!(world.simulator.users().await?.is_empty(), "everybody is gone");
    let rest = world.rest_of(&world.tenant)?;
    let over = rest.get(&format!("/plans/{id}")).await?.body;
    assert_eq!(over["state"], "applied", "{over}");
    world.retry(&ids[0]).await?;
    world.settled().await?;
    ensure!(world.simulator.users().await?.is_empty(), "and stays gone");
    assert_eq!(world.standing(&ids[0]).await?["state"], "gone");

    // One comes back by lifting what holds them, one by undoing the undo.
    world.rejoining_needs_no_consent().await?;
    let of_first = overrides(&rest, &format!("?resource={}", ids[0])).await?;
    assert_eq!(of_first[0]["attribute"], "account");
    rest.delete(&format!("/overrides/{}", of_first[0]["id"])).await?;
    let back = undo(&rest, &world, json!({ "plan": id, "users": [ids[1]] })).await?;
    assert_eq!(back["changes"], json!([{ "kind": "user", "verb": "create", "count": 1 }]), "{back}");
    applied(&rest, &world, &back).await?;
    ensure!(world.member(0).await?.is_some() && world.member(1).await?.is_some(), "both are there again");
    ensure!(world.simulator.users().await?.len() == 2, "and nobody else");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_named() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let id = world.join(&somebody(1)).await?;
    world.settled().await?;
    let (target, unknown) = (world.target().await?, "0196f3a0-0000-7000-8000-000000000000");
    let path = format!("/targets/{target}/undo");
    for (path, body, status, code) in [
        (path.as_str(), json!({}), 400, "invalid_parameter"),
        (path.as_str(), json!({ "to": "9999-12-31T23:59:59-23:59" }), 400, "invalid_parameter"),
        (&path, json!({ "reason": "x" }), 400, "invalid_parameter"),
        (&path, json!({ "bogus": 1 }), 400, "invalid_parameter"),
        (&path, json!({ "from": "yesterday" }), 400, "invalid_parameter"),
        (&path, json!({ "users": [id], "review_on": "soon" }), 400, "invalid_parameter"),
        (&path, json!({ "plan": unknown }), 404, "not_found"),
        (&path, json!({ "mapping_version": 7 }), 404, "not_found"),
        (&path, json!({ "users": [id] }), 400, "invalid_parameter"),
        (
            &path,
            json!({ "users": [id], "from": "2020-01-01T00:00:00Z", "review_on": "2026-01-31" }),
            400,
            "invalid_parameter",
        ),
        (&path, json!({ "users": [unknown], "from": "2020-01-01T00:00:00Z" }), 422, "nothing_to_undo"),
        (&path, json!({ "to": "2020-01-01T00:00:00Z" }), 422, "nothing_to_undo"),
        (&format!("/targets/{unknown}/undo"), json!({ "to": "2020-01-01T00:00:00Z" }), 404, "not_found"),
    ] {
        let reply = rest.post(path, &body).await?;
        ensure!(
            reply.status.as_u16() == status && reply.body["code"] == code,
            "{body}: {} {}",
            reply.status,
            reply.body
        );
    }
    ensure!(rest.get("/plans").await?.body["data"] == json!([]), "no plan was made");
    // A mobile number cannot be taken back, nor can the account of somebody who has left.
    world.set_active(&id, false).await?;
    world.settled().await?;
    let gone = undo(&rest, &world, json!({ "users": [id], "from": "2020-01-01T00:00:00Z" })).await?;
    assert_eq!(gone["total"], 0, "{gone}");
    Ok(())
}
