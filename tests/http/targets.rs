//! Targets set up over REST: in rehearsal, at DingTalk's own hosts, with a secret that nobody sees again.

use anyhow::ensure;
use serde_json::{Value, json};

use crate::world::World;

/// A secret that must not be seen anywhere.
const SECRET: &str = "swordfish-9f2c";

fn body(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = json!({ "name": "hq", "settings": { "app_key": "dingx7q2" }, "app_secret": SECRET });
    change(&mut body);
    body
}

#[tokio::test]
async fn a_target_is_set_up_in_rehearsal_and_its_secret_is_not_seen_again() -> anyhow::Result<()> {
    let mut world = World::with(&["generic"]).await?;
    world.tenant("umbrella", &[]).await?;
    let rest = world.rest().await?;
    for (change, told) in [
        (body(|body| body["settings"]["oapi_url"] = json!("http://169.254.169.254")), "\"oapi_url\" must be https://"),
        (body(|body| body["settings"]["api_url"] = json!("https://evil.example")), "\"api_url\" must be https://"),
        (body(|body| body["settings"]["calls"] = json!(1)), "there is no such setting"),
        (body(|body| body["settings"] = json!({})), "\"app_key\" is missing"),
        (body(|body| body["settings"] = json!(SECRET)), "\"settings\" must be an object"),
        (body(|body| body["app_secret"] = json!([SECRET])), "\"app_secret\" must be a string"),
        (body(|body| body["app_secret"] = json!(" ")), "\"app_secret\" is empty"),
        (body(|body| body["name"] = json!(" hq")), "must not begin or end with a space"),
        (body(|body| body["mode"] = json!("on")), "must be rehearsal, live or paused"),
        (body(|body| body["kind"] = json!("feishu")), "which is unknown"),
        (body(|body| body[SECRET] = json!(1)), "must be an object with name"),
    ] {
        let reply = rest.post("/targets", &change).await?;
        ensure!(
            reply.status == 400 && reply.text("/detail")?.contains(told),
            "{told}: {} {}",
            reply.status,
            reply.body
        );
        ensure!(!reply.body.to_string().contains(SECRET), "{}", reply.body);
    }
    let made = rest.post("/targets", &body(|_| ())).await?;
    ensure!(made.status == 201 && made.body["mode"] == "rehearsal", "{} {}", made.status, made.body);
    let id = made.text("/id")?;
    ensure!(rest.post("/targets", &body(|_| ())).await?.status == 409, "the name is taken");
    let settings = rest.get(&format!("/targets/{id}/settings")).await?;
    ensure!(settings.status == 200 && !settings.body.to_string().contains(SECRET), "{}", settings.body);
    let sealed: Vec<u8> =
        sqlx::query_scalar("SELECT secret_sealed FROM targets").fetch_one(world.database.pool()).await?;
    ensure!(!sealed.is_empty() && !sealed.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "it is sealed");

    // An address cannot be changed to another host either, and what else is changed is.
    let settings = format!("/targets/{id}/settings");
    let refused = rest.patch(&settings, &json!({ "oapi_url": "https://evil.example" })).await?;
    ensure!(refused.status == 400, "{} {}", refused.status, refused.body);
    ensure!(rest.patch(&settings, &json!({ "calls_per_second": 40 })).await?.status == 200, "it is changed");

    let sending = format!("/targets/{id}/mode");
    for (given, told) in [(json!({ "mode": "on" }), "rehearsal, live or paused"), (json!({}), "is missing")] {
        let reply = rest.put(&sending, &given).await?;
        ensure!(reply.status == 400 && reply.text("/detail")?.contains(told), "{}", reply.body);
    }
    let paused = rest.put(&sending, &json!({ "mode": "paused" })).await?;
    ensure!(paused.status == 200 && paused.body["mode"] == "paused", "{}", paused.body);
    let log = rest.get(&format!("/changes?resource={id}")).await?;
    let entries = log.body["data"].as_array().cloned().unwrap_or_default();
    let told = |operation: &str, mode: &str| {
        let of = |entry: &&Value| entry["operation"] == operation && entry["details"]["mode"] == mode;
        entries.iter().find(of).is_some_and(|entry| entry["details"]["by"]["token"].is_string())
    };
    ensure!(told("create", "rehearsal") && told("update", "paused"), "{}", log.body);
    ensure!(!log.body.to_string().contains(SECRET), "{}", log.body);

    let (_, theirs) = world.token(&["--tenant", "umbrella"]).await?;
    let base = format!("{}/api/v1", world.server.base_url());
    let theirs = rollcall_tests::ScimClient::new(rollcall_tests::Client::Plain, &base, &theirs)?;
    ensure!(theirs.put(&sending, &json!({ "mode": "live" })).await?.status == 404, "it is not theirs");
    ensure!(theirs.get(&format!("/targets/{id}/preflight")).await?.status == 404, "it is not theirs");
    Ok(())
}
