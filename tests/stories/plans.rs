//! Nothing is sent that nobody has read: a rehearsal, a plan, a few people first; and a landslide that takes two people.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use rollcall_tests::{Client, Reply, ScimClient};
use serde_json::{Value, json};

use crate::staff::{replace, somebody, with};
use crate::world::World;

/// Somebody in one of two departments.
fn placed(number: usize) -> Value {
    let department = if number <= 12 { "Legal" } else { "EMEA" };
    let person = with(with(somebody(number), "organization", "Acme"), "department", department);
    if number <= 12 { person } else { with(person, "division", "Sales") }
}

impl World {
    pub(crate) async fn target(&self) -> anyhow::Result<String> {
        let targets = self.rest("/targets").await?;
        Ok(targets["data"][0]["id"].as_str().context("a target without an id")?.to_owned())
    }

    /// A client with a token of its own, called by a name.
    async fn token_of(&self, name: &str) -> anyhow::Result<ScimClient> {
        let made = self.cli(&["token", "create", "--label", name]).await?;
        let token = made["token"].as_str().context("no token was shown")?;
        ScimClient::new(Client::Plain, &format!("{}/api/v1", self.server.base_url()), token)
    }

    async fn rehearse(&self) -> anyhow::Result<()> {
        self.cli(&["target", "mode", "dingtalk", "rehearsal"]).await.map(drop)
    }

    async fn at_dingtalk(&self) -> anyhow::Result<usize> {
        Ok(self.simulator.users().await?.len())
    }
}

/// A plan of everything that is held.
async fn make(rest: &ScimClient, world: &World) -> anyhow::Result<Value> {
    let made = rest.post(&format!("/targets/{}/plans", world.target().await?), &json!({})).await?;
    ensure!(made.status == StatusCode::CREATED, "{} {}", made.status, made.body);
    Ok(made.body)
}

async fn act(rest: &ScimClient, plan: &Value, what: &str, body: Value) -> anyhow::Result<Reply> {
    rest.post(&format!("/plans/{}/{what}", plan["id"].as_str().context("an id")?), &body).await
}

async fn apply(rest: &ScimClient, plan: &Value, wave: Value) -> anyhow::Result<Value> {
    let reply = act(rest, plan, "apply", json!({ "wave": wave })).await?;
    ensure!(reply.status == StatusCode::OK, "{} {}", reply.status, reply.body);
    Ok(reply.body)
}

#[tokio::test]
async fn a_rehearsal_goes_out_ten_people_first_then_a_department_then_all() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearse().await?;
    for number in 1..=16 {
        world.join(&placed(number)).await?;
    }
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 0, "a rehearsal sends nothing");
    let maria = world.token_of("maria").await?;
    let held = maria.get("/deliveries?state=held&kind=user&limit=1").await?.body["data"][0].clone();
    ensure!(held["held_by"] == "rehearsal" && held["proposal"]["verb"] == "create", "{held}");

    let plan = make(&maria, &world).await?;
    ensure!(plan["state"] == "ready" && plan["created_by"] == "token maria", "{plan}");
    let counts = json!([
        { "kind": "org_unit", "verb": "create", "count": 4 },
        { "kind": "user", "verb": "create", "count": 16 },
    ]);
    ensure!(plan["changes"] == counts && plan["total"] == 20 && plan["guarded"] == 0, "{plan}");
    ensure!(plan["seconds"] == 1 && plan["states"] == json!({ "planned": 20 }), "{plan}");
    let path = format!("/plans/{}/changes", plan["id"].as_str().unwrap_or_default());
    let first = maria.get(&format!("{path}?verb=create&limit=15")).await?.body;
    let rest =
        maria.get(&format!("{path}?limit=15&cursor={}", first["next_cursor"].as_str().unwrap_or("-"))).await?.body;
    let all: Vec<Value> =
        [&first, &rest].iter().flat_map(|page| page["data"].as_array().cloned().unwrap_or_default()).collect();
    ensure!(all.len() == 20 && rest["has_more"] == false, "{} in two pages", all.len());
    let one = all.iter().find(|change| change["name"] == "somebody.16@corp.example").context("one of them")?;
    let line = json!({ "attribute": "org_units", "before": null, "after": ["Acme / Sales / EMEA"] });
    ensure!(one["lines"].as_array().is_some_and(|lines| lines.contains(&line)), "{one}");
    a_spreadsheet(&world, &path).await?;

    let done = apply(&maria, &plan, json!({ "people": 10 })).await?;
    ensure!(done["withheld"] == 0 && done["plan"]["applied_by"] == "token maria", "{done}");
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 10, "ten people, and the departments that they need");
    apply(&maria, &plan, json!({ "department": "Acme / Sales" })).await?;
    world.settled().await?;
    for number in 13..=16 {
        ensure!(world.member(number).await?.is_some(), "somebody {number} of the department is there");
    }
    apply(&maria, &plan, json!("all")).await?;
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 16, "everybody is there");
    let id = over_all(&world, &maria).await?;
    let strange = maria.get(&format!("/users/{id}/explain?target={id}")).await?;
    ensure!(strange.status == StatusCode::NOT_FOUND, "{}", strange.body);
    let over = maria.get(&format!("/plans/{}", plan["id"].as_str().unwrap_or_default())).await?.body;
    ensure!(over["state"] == "applied" && over["states"] == json!({ "applied": 20 }), "{over}");
    let again = act(&maria, &plan, "apply", json!({ "wave": "all" })).await?;
    ensure!(again.status == StatusCode::CONFLICT && again.body["code"] == "plan_over", "{}", again.body);
    Ok(())
}

/// What an explanation says of somebody who was applied. Returns their id.
async fn over_all(world: &World, rest: &ScimClient) -> anyhow::Result<String> {
    let found = rest.get("/users?userName=somebody.16@corp.example").await?.body;
    let id = found["data"][0]["id"].as_str().context("the person")?.to_owned();
    let why = rest.get(&format!("/users/{id}/explain?target={}", world.target().await?)).await?.body;
    let at = &why["targets"][0];
    let accepted = &at["accepted"][0];
    let line = json!({ "attribute": "org_units", "before": null, "after": ["Acme / Sales / EMEA"] });
    ensure!(accepted["action"] == "create account" && accepted["request_id"].is_string(), "{accepted}");
    ensure!(accepted["lines"].as_array().is_some_and(|lines| lines.contains(&line)), "{accepted}");
    ensure!(at["plans"][0]["state"] == "applied" && at["plans"][0]["plan_id"] == accepted["plan_id"], "{at}");
    ensure!(at["held"].is_null(), "{at}");
    Ok(id)
}

/// The whole plan as CSV: a row for each attribute, and nothing that a spreadsheet would run.
async fn a_spreadsheet(world: &World, path: &str) -> anyhow::Result<()> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let asked = http.get(format!("{}/api/v1{path}?verb=create", world.server.base_url()));
    let answer = asked
        .header(ACCEPT, "text/csv")
        .header(AUTHORIZATION, format!("Bearer {}", world.tenant.rest_token))
        .send()
        .await?;
    ensure!(answer.headers().get(CONTENT_TYPE).context("a type")? == "text/csv; charset=utf-8", "{answer:?}");
    let text = answer.text().await?;
    ensure!(text.starts_with("kind,resource_id,name,verb,"), "{text}");
    ensure!(text.contains(",mobile,,13900000016,") && text.matches(",job_number,,").count() == 16, "{text}");
    Ok(())
}

#[tokio::test]
async fn a_landslide_of_leavers_takes_two_people() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=20 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    world.cli(&["pause"]).await?;
    for id in &ids[..8] {
        world.set_active(id, false).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 20, "nobody was removed: {}", world.report().await);
    let (ann, bob) = (world.token_of("ann").await?, world.token_of("bob").await?);
    let target = world.target().await?;
    let trips = ann.get(&format!("/targets/{target}/trips")).await?.body;
    let open = trips["data"].as_array().into_iter().flatten().find(|trip| trip["effect"] == "people.remove");
    let arithmetic = "people.remove: 8 at once, more than 5 (1 % of 20, at least 5)";
    ensure!(open.is_some_and(|trip| trip["arithmetic"] == arithmetic && trip["held"] == 8), "{trips}");
    let guards = ann.get(&format!("/targets/{target}/guards")).await?.body;
    let guard = guards["guards"].as_array().into_iter().flatten().find(|guard| guard["guard"] == "people.remove");
    let guard = guard.context("the guard")?;
    let stands = (&guard["own"], &guard["base"], &guard["most"]["at_once"], &guard["open"][0]["arithmetic"]);
    ensure!(stands == (&json!(false), &json!(20), &json!(5), &json!(arithmetic)), "{guard}");

    let plan = make(&ann, &world).await?;
    ensure!(plan["state"] == "guarded" && plan["guarded"] == 8, "{plan}");
    let done = apply(&ann, &plan, json!("all")).await?;
    ensure!(done["permitted"] == 0 && done["withheld"] == 8, "{done}");
    let early = act(&bob, &plan, "release", Value::Null).await?;
    ensure!(early.status == StatusCode::CONFLICT && early.body["code"] == "release_not_requested", "{}", early.body);
    for body in [json!({}), json!({ "reason": " " }), json!({ "reason": 5 }), json!({ "reason": "x", "by": "bob" })] {
        let refused = act(&ann, &plan, "request-release", body.clone()).await?;
        ensure!(refused.status == StatusCode::BAD_REQUEST, "{body}: {}", refused.body);
    }
    let asked = act(&ann, &plan, "request-release", json!({ "reason": "The branch is closed." })).await?;
    ensure!(asked.body["release"]["requested_by"] == "token ann", "{}", asked.body);
    let alone = act(&ann, &plan, "release", Value::Null).await?;
    ensure!(alone.status == StatusCode::FORBIDDEN && alone.body["code"] == "same_person", "{}", alone.body);
    let told = alone.body["detail"].as_str().unwrap_or_default();
    ensure!(told.contains("a second person has to release the plan"), "{told}");
    ensure!(world.at_dingtalk().await? == 20, "nothing has gone yet");
    let released = act(&bob, &plan, "release", Value::Null).await?;
    ensure!(released.body["release"]["approved_by"] == "token bob", "{}", released.body);
    let done = apply(&ann, &plan, json!("all")).await?;
    ensure!(done["permitted"] == 8 && done["withheld"] == 0, "{done}");
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 12, "now they are gone");
    let log = world.rest(&format!("/changes?resource={target}&limit=200")).await?;
    let told: Vec<&Value> = log["data"].as_array().into_iter().flatten().map(|entry| &entry["operation"]).collect();
    for operation in ["guard_tripped", "release_requested", "plan_released", "plan_applied"] {
        ensure!(told.contains(&&json!(operation)), "{operation} is not in the log: {told:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_has_moved_since_is_named_and_nothing_is_sent() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearse().await?;
    let mut ids = Vec::new();
    for number in 1..=3 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    let maria = world.token_of("maria").await?;
    let plan = make(&maria, &world).await?;
    world.change(&ids[1], replace("title", "Head")).await?;
    world.settled().await?;
    let stale = act(&maria, &plan, "apply", json!({ "wave": "all" })).await?;
    ensure!(stale.status == StatusCode::CONFLICT && stale.body["code"] == "plan_stale", "{}", stale.body);
    let moved = json!([{ "resource_id": ids[1], "name": "somebody.2@corp.example" }]);
    ensure!(stale.body["moved"] == moved && stale.body["moved_count"] == 1, "{}", stale.body);
    world.settled().await?;
    ensure!(world.at_dingtalk().await? == 0, "nothing of it was sent");
    apply(&maria, &plan, json!({ "users": [ids[0]] })).await?;
    world.settled().await?;
    ensure!(world.member(1).await?.is_some() && world.at_dingtalk().await? == 1, "who has not moved can go");
    let rejected = act(&maria, &plan, "reject", Value::Null).await?;
    ensure!(rejected.body["state"] == "rejected", "{}", rejected.body);
    let after = act(&maria, &plan, "apply", json!({ "wave": "all" })).await?;
    ensure!(after.status == StatusCode::CONFLICT, "{}", after.body);
    every_plan_is_listed(&world, &maria, &plan).await
}

/// Makes two plans more, and reads all of them page by page.
async fn every_plan_is_listed(world: &World, rest: &ScimClient, first: &Value) -> anyhow::Result<()> {
    let made = [make(rest, world).await?, make(rest, world).await?];
    let ids = |page: &Value| -> Vec<Value> {
        page["data"].as_array().into_iter().flatten().map(|plan| plan["id"].clone()).collect()
    };
    let newest = rest.get("/plans?limit=2").await?.body;
    ensure!(ids(&newest) == [made[1]["id"].clone(), made[0]["id"].clone()], "{newest}");
    let cursor = newest["next_cursor"].as_str().context("there are more")?;
    let earlier = rest.get(&format!("/plans?limit=2&target={}&cursor={cursor}", world.target().await?)).await?.body;
    ensure!(ids(&earlier) == [first["id"].clone()] && earlier["has_more"] == false, "{earlier}");
    let strange = rest.get("/plans?cursor=x").await?;
    ensure!(strange.status == StatusCode::BAD_REQUEST && strange.body["detail"].is_string(), "{}", strange.body);
    Ok(())
}

#[tokio::test]
async fn whatever_cannot_be_leaves_everything_as_it_was() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearse().await?;
    let id = world.join(&placed(1)).await?;
    world.settled().await?;
    let maria = world.token_of("maria").await?;
    let plan = make(&maria, &world).await?;
    let (target, plan_id) = (world.target().await?, plan["id"].as_str().context("an id")?.to_owned());
    let before = maria.get(&format!("/targets/{target}/guards")).await?.body;
    let (unknown, plans) = ("0196f3a0-0000-7000-8000-000000000000", format!("/targets/{target}/plans"));
    let apply = format!("/plans/{plan_id}/apply");
    for (path, body, status) in [
        (plans.as_str(), json!({ "users": "all" }), 400),
        (&plans, json!({ "users": [] }), 400),
        (&plans, json!({ "users": ["x"] }), 400),
        (&plans, json!({ "users": [unknown] }), 400),
        (&plans, json!({ "held_by": "nobody" }), 400),
        (&plans, json!({ "held_by": "guard:nobody" }), 400),
        (&plans, json!({ "bogus": 1 }), 400),
        (&format!("/targets/{unknown}/plans"), json!({}), 404),
        ("/targets/x/plans", json!({}), 404),
        (&apply, json!({}), 400),
        (&apply, json!({ "wave": "some" }), 400),
        (&apply, json!({ "wave": { "people": 0 } }), 400),
        (&apply, json!({ "wave": { "department": "Nowhere" } }), 400),
        (&apply, json!({ "wave": { "users": [unknown] } }), 400),
        (&apply, json!({ "wave": { "people": 1 }, "bogus": 1 }), 400),
        (&format!("/plans/{unknown}/apply"), json!({ "wave": "all" }), 404),
        (&format!("/plans/{unknown}/reject"), json!({}), 404),
        (&format!("/plans/{plan_id}/request-release"), json!({ "reason": "Because." }), 409),
    ] {
        let reply = maria.post(path, &body).await?;
        ensure!(reply.status.as_u16() == status, "{path} {body}: {} {}", reply.status, reply.body);
        ensure!(reply.body["detail"].is_string(), "{}", reply.body);
    }
    for (body, pointer) in [
        (json!({ "people.vanish": { "floor": 1, "share": 0 } }), "/people.vanish"),
        (json!({ "people.remove": { "floor": 1, "share": 7 } }), "/people.remove/share"),
        (json!({ "people.create": { "floor": 1, "share": 0 }, "protected": { "floor": 1, "share": 0 } }), "/protected"),
    ] {
        let reply = maria.put(&format!("/targets/{target}/guards"), &body).await?;
        ensure!(
            reply.status == StatusCode::BAD_REQUEST && reply.body["errors"][0]["pointer"] == pointer,
            "{}",
            reply.body
        );
    }
    for path in ["?verb=destroy", "?guarded=maybe", "?limit=0", "?cursor=x", "?bogus=1"] {
        let reply = maria.get(&format!("/plans/{plan_id}/changes{path}")).await?;
        ensure!(reply.status == StatusCode::BAD_REQUEST, "{path}: {} {}", reply.status, reply.body);
    }
    ensure!(maria.get(&format!("/targets/{target}/guards")).await?.body == before, "the limits are as they were");
    ensure!(maria.get(&format!("/plans/{plan_id}")).await?.body == plan, "the plan is as it was");
    let listed = maria.get("/plans").await?.body["data"].clone();
    ensure!(listed.as_array().is_some_and(|plans| plans.len() == 1), "no other plan was made: {listed}");
    ensure!(world.at_dingtalk().await? == 0 && world.standing(&id).await?["state"] == "held", "nothing was sent");

    let own = json!({ "people.remove": { "floor": 1, "share": 0.5, "week": 3 } });
    let set = maria.put(&format!("/targets/{target}/guards"), &own).await?.body;
    let guard = &set["guards"][0];
    ensure!(
        guard["own"] == true && guard["limit"] == json!({ "floor": 1, "share": 0.5, "day": null, "week": 3 }),
        "{guard}"
    );
    // Another tenant sees nothing of it.
    let (other, _their_dingtalk) = world.another_tenant("globex").await?;
    let theirs = world.rest_of(&other)?;
    for path in [format!("/plans/{plan_id}"), format!("/plans/{plan_id}/changes"), format!("/targets/{target}/guards")]
    {
        ensure!(theirs.get(&path).await?.status == StatusCode::NOT_FOUND, "{path} is not there for them");
    }
    ensure!(theirs.post(&apply, &json!({ "wave": "all" })).await?.status == StatusCode::NOT_FOUND, "nor to be applied");
    Ok(())
}
