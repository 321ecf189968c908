//! What takes two people takes two: not two spellings of one name, not a token and the token that it made, and not one
//! person with a looser limit.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use rollcall_tests::{Client, ScimClient};
use serde_json::{Value, json};

use crate::staff::somebody;
use crate::world::World;

async fn refused(rest: &ScimClient, plan: &str, code: &str) -> anyhow::Result<String> {
    let reply = rest.post(&format!("/plans/{plan}/release"), &Value::Null).await?;
    ensure!(reply.body["code"] == code, "{} {}", reply.status, reply.body);
    Ok(reply.body["detail"].as_str().unwrap_or_default().to_owned())
}

fn client(world: &World, token: &Value) -> anyhow::Result<ScimClient> {
    let token = token["token"].as_str().context("no token was shown")?;
    ScimClient::new(Client::Plain, &format!("{}/api/v1", world.server.base_url()), token)
}

/// Somebody with a token that was made in a shell.
async fn given(world: &World, name: &str) -> anyhow::Result<ScimClient> {
    client(world, &world.cli(&["token", "create", "--label", name]).await?)
}

/// A token that another token makes.
async fn minted(world: &World, by: &ScimClient, name: &str) -> anyhow::Result<ScimClient> {
    let made = by.post("/credentials", &json!({ "kind": "token", "label": name })).await?;
    ensure!(made.status == StatusCode::CREATED, "{} {}", made.status, made.body);
    client(world, &made.body)
}

/// Two people who have left and are held, each with a plan of their own.
async fn two_leavers(world: &World) -> anyhow::Result<[String; 2]> {
    let rest = world.rest_of(&world.tenant)?;
    let target = world.target().await?;
    let ids = [world.join(&somebody(1)).await?, world.join(&somebody(2)).await?, world.join(&somebody(3)).await?];
    world.settled().await?;
    let strict = json!({ "people.remove": { "floor": 0, "share": 0 } });
    rest.put(&format!("/targets/{target}/guards"), &strict).await?;
    let mut plans = Vec::new();
    for id in &ids[..2] {
        world.set_active(id, false).await?;
        world.until_state(id, "held").await?;
        let made = rest.post(&format!("/targets/{target}/plans"), &json!({ "users": [id] })).await?.body;
        plans.push(made["id"].as_str().context("a plan")?.to_owned());
    }
    plans.try_into().map_err(|_| anyhow::anyhow!("two plans"))
}

#[tokio::test]
async fn one_person_under_two_names_is_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    let [first, second] = two_leavers(&world).await?;
    let (maria, jo) = (given(&world, "Maria Ortiz").await?, given(&world, "jo").await?);
    let ask = json!({ "reason": "The branch\u{1b}[2J is closed." });
    let path = format!("/plans/{first}/request-release");
    let asked = maria.post(&path, &ask).await?;
    ensure!(asked.status == StatusCode::OK, "{}", asked.body);
    let again = jo.post(&path, &json!({ "reason": "Another one." })).await?;
    ensure!(again.status == StatusCode::CONFLICT && again.body["code"] == "release_requested", "{}", again.body);
    let told = again.body["detail"].as_str().unwrap_or_default();
    ensure!(told.contains("token Maria Ortiz has asked") && told.contains("is closed."), "{told}");

    let detail = refused(&maria, &first, "same_person").await?;
    ensure!(
        detail.contains("token Maria Ortiz") && detail.contains("a second person has to release the plan"),
        "{detail}"
    );
    refused(&given(&world, "maria ORTIZ").await?, &first, "same_person").await?;
    let shell = world.shell(&["release", &first, "--approve", "--by", "MARIA ortiz"]).await?;
    ensure!(!shell.status.success() && shell.stderr.contains("a second person"), "{}{}", shell.stdout, shell.stderr);
    let hers = minted(&world, &maria, "li").await?;
    refused(&hers, &first, "same_person").await?;
    let of_hers = minted(&world, &hers, "wu").await?;
    refused(&of_hers, &first, "same_person").await?;

    // Nor do two tokens of hers make two, nor may she grant what one of them asks.
    let reason = json!({ "reason": "Hers." });
    ensure!(hers.post(&format!("/plans/{second}/request-release"), &reason).await?.status == StatusCode::OK);
    refused(&maria, &second, "same_person").await?;
    refused(&minted(&world, &maria, "su").await?, &second, "same_person").await?;

    let done = jo.post(&format!("/plans/{first}/release"), &Value::Null).await?;
    ensure!(done.body["release"]["approved_by"] == "token jo", "{}", done.body);
    ensure!(done.body["release"]["reason"] == ask["reason"], "the first reason stays: {}", done.body);
    let shown = world.text(&["plan", "show", &first]).await?;
    ensure!(shown.contains("The branch\\u{1b}[2J is closed.") && !shown.contains('\u{1b}'), "{shown:?}");
    ensure!(shown.contains("! held by people.remove"), "{shown}");
    let late = jo.post(&path, &reason).await?;
    ensure!(late.status == StatusCode::CONFLICT && late.body["code"] == "released", "{}", late.body);
    Ok(())
}

#[tokio::test]
async fn a_looser_limit_does_not_free_what_is_held() -> anyhow::Result<()> {
    let world = World::start().await?;
    let plans = two_leavers(&world).await?;
    let jo = given(&world, "jo").await?;
    let path = format!("/targets/{}/guards", world.target().await?);
    let looser = json!({ "people.remove": { "floor": 10, "share": 0 } });
    let reply = jo.put(&path, &looser).await?;
    ensure!(reply.status == StatusCode::CONFLICT, "{} {}", reply.status, reply.body);
    let told = reply.body["detail"].as_str().unwrap_or_default();
    ensure!(told.contains("people.remove holds 2 now") && told.contains("Two people release"), "{told}");
    let begins_with = jo.put(&path, &json!({})).await?;
    ensure!(begins_with.status == StatusCode::CONFLICT, "what all begin with is looser too: {}", begins_with.body);
    let others = json!({ "people.remove": { "floor": 0, "share": 0 }, "people.move": { "floor": 500, "share": 1 } });
    ensure!(jo.put(&path, &others).await?.status == StatusCode::OK, "a guard that holds nothing");
    ensure!(world.simulator.users().await?.len() == 3, "nobody was removed");

    for plan in plans {
        world.cli(&["release", &plan, "--reason", "Left.", "--by", "ann"]).await?;
        world.cli(&["release", &plan, "--approve", "--by", "bob"]).await?;
        world.cli(&["apply", &plan]).await?;
        world.settled().await?;
    }
    ensure!(world.simulator.users().await?.len() == 1);
    ensure!(jo.put(&path, &looser).await?.status == StatusCode::OK, "nothing is held any more");
    Ok(())
}
