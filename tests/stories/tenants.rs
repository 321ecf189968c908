//! Two tenants on one server never see each other: not by id, not by filter, not by membership, not over REST.

use anyhow::ensure;
use reqwest::{Method, StatusCode};
use rollcall_tests::wait_until;
use serde_json::{Value, json};
use std::time::Duration;

use crate::drivers::{ENTERPRISE, GROUP, PATCH_OP};
use crate::endpoint::Endpoint;
use crate::staff::{job_number, somebody, with};
use crate::world::World;

/// A group with one member. Returns its id.
async fn team(scim: &Endpoint, name: &str, member: &str) -> anyhow::Result<String> {
    let body = json!({ "schemas": [GROUP], "displayName": name, "members": [{ "value": member }] });
    let made = scim.expect(StatusCode::CREATED, Method::POST, "/Groups", &body).await?;
    Ok(made.text("/id")?.to_owned())
}

#[tokio::test]
async fn tenants_are_apart_over_scim() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (other, _their_dingtalk) = world.another_tenant("globex").await?;
    let ours = world.scim()?;
    let theirs = Endpoint::fixed(world.scim_client(&other)?);
    let (created, post) = (StatusCode::CREATED, Method::POST);
    // The same names and external ids are free in each.
    let mut person = somebody(1);
    person["externalId"] = json!("one");
    let our_user = ours.expect(created, post.clone(), "/Users", &person).await?.text("/id")?.to_owned();
    let their_user = theirs.expect(created, post, "/Users", &person).await?.text("/id")?.to_owned();
    let our_team = team(&ours, "Team", &our_user).await?;
    let their_team = team(&theirs, "Team", &their_user).await?;
    ensure!(our_user != their_user && our_team != their_team, "ids are one's own");

    let patch =
        json!({ "schemas": [PATCH_OP], "Operations": [{ "op": "replace", "path": "displayName", "value": "Stolen" }] });
    let group = json!({ "schemas": [GROUP], "displayName": "Stolen" });
    for (path, body) in [(format!("/Users/{our_user}"), &somebody(2)), (format!("/Groups/{our_team}"), &group)] {
        for (method, body) in
            [(Method::GET, &Value::Null), (Method::PATCH, &patch), (Method::PUT, body), (Method::DELETE, &Value::Null)]
        {
            let reply = theirs.expect(StatusCode::NOT_FOUND, method, &path, body).await?;
            ensure!(!reply.body.to_string().contains("Somebody"), "an error tells about others: {}", reply.body);
        }
    }
    for (path, filter) in [
        ("/Users", format!("id eq \"{our_user}\"")),
        ("/Groups", format!("id eq \"{our_team}\"")),
        ("/Groups", format!("members.value eq \"{our_user}\"")),
        ("/Users", format!("groups.value eq \"{our_team}\"")),
    ] {
        ensure!(ours.find(path, "", &filter).await?.is_some(), "{filter} finds ours for us");
        ensure!(theirs.find(path, "", &filter).await?.is_none(), "{filter} finds ours for them");
    }
    for filter in ["userName eq \"somebody.1@corp.example\"", "externalId eq \"one\""] {
        let found = theirs.find("/Users", "", filter).await?.unwrap_or_default();
        ensure!(found["id"] == their_user.as_str(), "{filter} finds {found}");
    }
    for path in ["/Users", "/Groups"] {
        ensure!(theirs.get(path).await?.body["totalResults"] == 1, "{path} lists one's own alone");
    }
    let untouched = ours.get(&format!("/Users/{our_user}")).await?;
    ensure!(untouched.body["displayName"] == "Somebody 1", "{}", untouched.body);
    ensure!(untouched.body["groups"][0]["value"] == our_team.as_str(), "{}", untouched.body);
    Ok(())
}

#[tokio::test]
async fn references_into_another_tenant_lead_nowhere() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (other, their_dingtalk) = world.another_tenant("globex").await?;
    let theirs = Endpoint::fixed(world.scim_client(&other)?);
    let our_user = world.join(&somebody(1)).await?;
    // A foreign id as a manager and as a member is an id that means nobody.
    let report = with(somebody(2), "manager", json!({ "value": our_user }));
    let report = theirs.expect(StatusCode::CREATED, Method::POST, "/Users", &report).await?.text("/id")?.to_owned();
    let their_team = team(&theirs, "Team", &our_user).await?;
    let seen = theirs.get(&format!("/Users/{report}")).await?;
    ensure!(seen.body[ENTERPRISE]["manager"].get("displayName").is_none(), "the name of a stranger: {}", seen.body);
    let seen = theirs.get(&format!("/Groups/{their_team}")).await?;
    ensure!(!seen.body.to_string().contains("Somebody 1"), "the name of a stranger: {}", seen.body);
    let ours = world.scim()?.get(&format!("/Users/{our_user}")).await?;
    ensure!(ours.body["groups"].as_array().is_none_or(Vec::is_empty), "a membership from outside: {}", ours.body);

    let rest = world.rest_of(&other)?;
    let standing = wait_until(Duration::from_mins(1), "the report needs attention", async || {
        let found = rest.get(&format!("/deliveries?resource={report}")).await?.body["data"][0].clone();
        Ok((found["state"] == "needs_attention").then_some(found))
    })
    .await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("not in the directory")), "{standing}");
    world.settled().await?;
    // Each DingTalk has its own people.
    let users = their_dingtalk.users().await?;
    ensure!(users.len() == 1 && users[0]["job_number"] == job_number(2).as_str(), "{users:?}");
    let users = world.simulator.users().await?;
    ensure!(users.len() == 1 && users[0]["job_number"] == job_number(1).as_str(), "{users:?}");
    Ok(())
}

#[tokio::test]
async fn tenants_are_apart_over_rest() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (other, _their_dingtalk) = world.another_tenant("globex").await?;
    let our_user = world.join(&somebody(1)).await?;
    world.until_state(&our_user, "in_step").await?;
    let (ours, theirs) = (world.rest_of(&world.tenant)?, world.rest_of(&other)?);
    let our_target = world.target().await?;
    for path in [format!("/users/{our_user}"), format!("/users/{our_user}/explain")] {
        ensure!(ours.get(&path).await?.status == StatusCode::OK, "{path} is there for us");
        ensure!(theirs.get(&path).await?.status == StatusCode::NOT_FOUND, "{path} is not there for them");
    }
    let by_name = "/users?userName=somebody.1%40corp.example";
    ensure!(ours.get(by_name).await?.body["data"][0]["id"] == our_user.as_str(), "we find them by name");
    ensure!(theirs.get(by_name).await?.body["data"] == json!([]), "they do not");
    for path in ["/deliveries", "/attempts", "/changes"] {
        for path in [path.to_owned(), format!("{path}?resource={our_user}")] {
            let length = |reply: rollcall_tests::Reply| reply.body["data"].as_array().map(Vec::len);
            ensure!(length(ours.get(&path).await?) > Some(0), "{path} shows something to us");
            // What they see of their own is how they were set up.
            let seen = theirs.get(&path).await?.body["data"].clone();
            let entries = seen.as_array().into_iter().flatten();
            let theirs = |entry: &Value| entry["kind"] == "credential" || entry["kind"] == "target";
            let name_us =
                |entry: &Value| entry.to_string().contains(&our_target) || entry.to_string().contains(&our_user);
            ensure!(
                entries.into_iter().all(|entry| theirs(entry) && !name_us(entry)),
                "{path} shows nothing of ours: {seen}"
            );
        }
    }
    let retried = theirs.post("/deliveries/retry", &json!({ "resource_id": our_user })).await?;
    ensure!(retried.body["marked"] == 0, "they mark nothing of ours: {}", retried.body);
    let target = world.rest("/targets").await?["data"][0]["id"].clone();
    let their_target = theirs.get("/targets").await?.body["data"][0].clone();
    ensure!(their_target["id"].is_string() && their_target["id"] != target, "targets are one's own: {their_target}");
    // A SCIM token opens no REST API, whosever it is.
    let scim_token_on_rest = rollcall_tests::ScimClient::new(
        rollcall_tests::Client::Plain,
        &format!("{}/api/v1", world.server.base_url()),
        &world.tenant.scim_token,
    )?;
    ensure!(scim_token_on_rest.get("/targets").await?.status == StatusCode::FORBIDDEN, "a SCIM token opens REST");
    Ok(())
}
