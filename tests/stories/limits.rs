//! Limits of guards that follow from what was usual: shown with the arithmetic, accepted by a person, tried on last week.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::staff::somebody;
use crate::world::World;

/// As if the target had been there for a month, with up to three leavers a day.
pub(crate) async fn a_month_ago(world: &World) -> anyhow::Result<()> {
    sqlx::query("UPDATE targets SET created_at = created_at - interval '30 days'")
        .execute(world.database.pool())
        .await?;
    sqlx::query(
        "INSERT INTO effect_days (tenant_id, target_id, effect, day, passed)
         SELECT t.tenant_id, t.id, 'people.remove', (now() AT TIME ZONE 'UTC')::date - age, 1 + age % 3
         FROM targets t, generate_series(1, 20) AS age",
    )
    .execute(world.database.pool())
    .await?;
    Ok(())
}

fn of<'a>(proposals: &'a Value, guard: &str) -> anyhow::Result<&'a Value> {
    let all = proposals["proposals"].as_array().context("proposals")?;
    all.iter().find(|one| one["guard"] == guard).with_context(|| format!("no proposal for {guard}: {proposals}"))
}

#[tokio::test]
async fn limits_follow_from_a_month_and_a_person_accepts_them() -> anyhow::Result<()> {
    let world = World::start().await?;
    for number in 1..=3 {
        world.join(&somebody(number)).await?;
    }
    world.settled().await?;
    let (target, api) = (world.target().await?, world.rest_of(&world.tenant)?);
    let path = format!("/targets/{target}/guards/proposals");
    let early = world.rest(&path).await?;
    ensure!(early["days"] == 0 && early["days_needed"] == 14 && early["proposals"] == json!([]), "{early}");
    let refused = api.post(&format!("{path}/accept"), &json!({})).await?;
    ensure!(refused.status == StatusCode::CONFLICT, "{} {}", refused.status, refused.body);
    ensure!(world.text(&["guards", "propose"]).await?.contains("limits are proposed from 14 on"));

    a_month_ago(&world).await?;
    let shown = world.rest(&path).await?;
    ensure!(shown["days"] == 29, "{shown}");
    let leavers = of(&shown, "people.remove")?;
    ensure!(leavers["percentile_99"] == 3 && leavers["times"] == 3 && leavers["base"] == 3, "{leavers}");
    ensure!(leavers["history"].as_array().is_some_and(|days| days.len() == 20), "{leavers}");
    ensure!(leavers["limit"]["share"] == 0.01 && leavers["most"] == 5, "{leavers}");
    ensure!(leavers["proposed"]["share"] == 1.0 && leavers["proposed"]["floor"] == 5, "{leavers}");
    let text = world.text(&["guards", "propose"]).await?;
    ensure!(text.contains("3 × 3 a day = 9, at least 5: 100 % of 3, which is 5; now 1 %"), "{text}");
    ensure!(text.contains("Nothing is changed by itself"), "{text}");
    let before = world.rest(&format!("/targets/{target}/guards")).await?;
    ensure!(before["guards"][0]["own"] == false, "looking changes nothing: {before}");

    for (body, status) in [
        (json!({ "guards": ["protected"] }), StatusCode::BAD_REQUEST),
        (json!({ "guards": [] }), StatusCode::BAD_REQUEST),
        (json!({ "guard": "people.remove" }), StatusCode::BAD_REQUEST),
        (json!([]), StatusCode::BAD_REQUEST),
    ] {
        let reply = api.post(&format!("{path}/accept"), &body).await?;
        ensure!(reply.status == status, "{body}: {} {}", reply.status, reply.body);
    }
    let accepted = api.post(&format!("{path}/accept"), &json!({ "guards": ["people.remove"] })).await?;
    let guard = &accepted.body["guards"][0];
    ensure!(guard["own"] == true && guard["limit"]["share"] == 1.0 && guard["limit"]["day"] == 2, "{}", accepted.body);
    ensure!(accepted.body["guards"][1]["own"] == false, "only what was accepted: {}", accepted.body);
    let log = world.rest(&format!("/changes?resource={target}&limit=50")).await?;
    let told = log["data"].as_array().is_some_and(|all| all.iter().any(|one| one["operation"] == "guards_changed"));
    ensure!(told, "{log}");

    // What would other limits have held last week?
    let limits = world.folder().join("tight.json");
    std::fs::write(&limits, r#"{ "people.remove": { "floor": 2, "share": 0 } }"#)?;
    let tried = world.cli(&["guards", "test", &limits.to_string_lossy()]).await?;
    let trips = tried["trips"].as_array().context("trips")?;
    ensure!(trips.len() == 2 && trips.iter().all(|trip| trip["observed"] == 3 && trip["most"] == 2), "{tried}");
    let in_force = api.post(&format!("/targets/{target}/guards/test"), &json!({})).await?;
    ensure!(in_force.body["trips"] == json!([]) && in_force.body["days"] == 7, "{}", in_force.body);
    let wrong = api.post(&format!("/targets/{target}/guards/test"), &json!({ "limits": { "x": {} } })).await?;
    ensure!(wrong.status == StatusCode::BAD_REQUEST, "{} {}", wrong.status, wrong.body);
    world.cli(&["guards", "accept", "--all"]).await?;
    Ok(())
}
