//! What is held is told on one page: by what, why, whom, and what to do; and a trip that is not too much any more is closed
//! there.

use std::fs;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::header::COOKIE;
use serde_json::Value;

use crate::staff::somebody;
use crate::world::World;

const HELD: &str = "/console/held";
/// Every day, the whole day.
const ALWAYS: &str = r#"[{ "name": "stocktaking", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    "from": "00:00", "to": "00:00", "zone": "UTC" }]"#;

/// The first address in a page that contains this.
pub(crate) fn address(page: &str, part: &str) -> anyhow::Result<String> {
    let found = page.split('"').find(|text| text.starts_with("/console") && text.contains(part));
    Ok(found.with_context(|| format!("no address with {part} in {page}"))?.replace("&#38;", "&"))
}

#[tokio::test]
async fn what_is_held_is_told_and_closed_when_it_is_not_too_much_any_more() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=8 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    // One guard at a time.
    fs::write(world.folder().join("limits.json"), r#"{ "source.deactivate": { "floor": 100, "share": 1 } }"#)?;
    world.cli(&["guards", "set", "limits.json"]).await?;
    let browser = world.browser()?;
    let (ann, bob) = (world.operator(&browser, "ann").await?, world.operator(&browser, "bob").await?);
    let page = async |path: &str| anyhow::Ok(browser.get(path, &ann).await?.text().await?);
    ensure!(page(HELD).await?.contains("Nothing is held here."), "nothing is held");
    world.cli(&["pause"]).await?;
    for id in &ids[..7] {
        world.set_active(id, false).await?;
    }
    let paused = page(HELD).await?;
    ensure!(paused.contains("Sending is paused by a person. 7 changes wait"), "{paused}");
    world.cli(&["resume"]).await?;
    world.settled().await?;

    let home = page("/console").await?;
    for part in ["7 people are held at dingtalk; 1 guard has tripped.", "What is held, why, and what to do"] {
        ensure!(home.contains(part), "{part}: {home}");
    }
    let shown = page(HELD).await?;
    for part in ["Accounts removed", "7 at once; 5 are let pass, of ", ">7 people<", "which two people release"] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    let list = page(&address(&shown, "held_by=guard%3Apeople.remove")?).await?;
    for id in &ids[..7] {
        ensure!(list.contains(&format!("/console/people/{id}")), "{id}: {list}");
    }
    ensure!(!list.contains(&ids[7]) && !list.contains("Retry all of this list"), "{list}");
    let held = world.rest("/held").await?;
    let first = &held["data"][0]["holds"][0];
    ensure!(first["held_by"] == "guard:people.remove" && first["people"] == 7 && first["trip"]["held"] == 7, "{held}");
    let count = async |query: &str| {
        let found = world.rest(&format!("/deliveries?state=held{query}")).await?;
        anyhow::Ok(found["data"].as_array().context("a page")?.len())
    };
    ensure!((count("&held_by=guard:people.remove").await?, count("&held_by=rehearsal").await?) == (7, 0));

    // A plan of what the guard holds waits for somebody else.
    let target = world.target().await?;
    let plans = format!("/console/targets/{target}/plans");
    let wrong = browser.post(&plans, &ann, &[("held_by", "printer")]).await?;
    ensure!(wrong.status() == StatusCode::BAD_REQUEST, "{}", wrong.status());
    let made = browser.post(&plans, &ann, &[("held_by", "guard:people.remove")]).await?;
    ensure!(made.status() == StatusCode::SEE_OTHER, "{}", made.status());
    let plan = made.headers()["location"].to_str()?.to_owned();
    let asked = browser.post(&format!("{plan}/request-release"), &ann, &[("reason", "The branch is closed.")]).await?;
    ensure!(asked.status() == StatusCode::SEE_OTHER, "{}", asked.status());
    let shown = browser.get(HELD, &bob).await?.text().await?;
    for part in ["Waits for a second person", "operator ann", "The branch is closed.", plan.as_str()] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(page("/console").await?.contains("1 plan waits for a second person"), "the home page says so too");

    // Closed by hand: not without a reason, not while it is too much, not by another tenant.
    let close = address(&shown, "/trips/")?;
    let blank = browser.post(&close, &ann, &[("reason", " ")]).await?;
    ensure!(blank.status() == StatusCode::BAD_REQUEST && blank.text().await?.contains("must say why"), "no reason");
    let foreign = browser.http.post(format!("{}{close}", browser.base)).header(COOKIE, &ann);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("reason", "x")]).send().await?;
    ensure!(foreign.status() == StatusCode::FORBIDDEN, "{}", foreign.status());
    let early = browser.post(&close, &ann, &[("reason", "They have left.")]).await?;
    ensure!(early.status() == StatusCode::CONFLICT, "{}", early.status());
    let told = early.text().await?;
    ensure!(told.contains("role=\"alert\"") && told.contains("still too much: people.remove: 7 at once"), "{told}");
    let (_globex, _their_dingtalk) = world.another_tenant("globex").await?;
    let operator = world.cli(&["operator", "create", "eve", "--tenant", "globex"]).await?;
    let eve = browser.sign_in("eve", operator["password"].as_str().context("a password")?).await?;
    let theirs = browser.post(&close, &eve, &[("reason", "x")]).await?;
    ensure!(theirs.status() == StatusCode::NOT_FOUND, "{}", theirs.status());
    ensure!(!browser.get(HELD, &eve).await?.text().await?.contains("Accounts removed"), "they see their own");
    for id in &ids[..4] {
        world.set_active(id, true).await?;
    }
    world.settled().await?;
    let done = browser.post(&close, &ann, &[("reason", "Four have come back.")]).await?;
    ensure!(done.status() == StatusCode::SEE_OTHER, "{}", done.status());
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 5, "the other three have gone");
    ensure!(!page(HELD).await?.contains("Accounts removed"), "the guard holds nothing");
    let log = world.rest("/changes?limit=200").await?;
    let closed = log["data"].as_array().into_iter().flatten().find(|entry| entry["operation"] == "guard_closed");
    let details: &Value = &closed.context("it is in the log")?["details"];
    ensure!(details["by"] == "operator ann" && details["reason"] == "Four have come back.", "{details}");

    // What only waits for a time is there too.
    fs::write(world.folder().join("windows.json"), ALWAYS)?;
    world.cli(&["target", "windows", "dingtalk", "windows.json", "--tenant", "acme"]).await?;
    let late = world.join(&somebody(9)).await?;
    world.until_state(&late, "waiting").await?;
    let shown = page(HELD).await?;
    for part in ["A deny window is open", "Goes on by itself", "stocktaking"] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    let list = page(&address(&shown, "code=deny_window")?).await?;
    ensure!(list.contains(&format!("/console/people/{late}")), "{list}");
    Ok(())
}
