//! Limits in the console: seen, tried, set, refused while they would free what a guard holds, and accepted as they are proposed.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::header::COOKIE;
use serde_json::Value;

use crate::console::Browser;
use crate::limits::a_month_ago;
use crate::staff::somebody;
use crate::world::World;

/// What a guard of the first target is like.
async fn guard(world: &World, name: &str) -> anyhow::Result<Value> {
    let found = world.rest(&format!("/targets/{}/guards", world.target().await?)).await?;
    let all = found["guards"].as_array().context("guards")?;
    all.iter().find(|one| one["guard"] == name).cloned().with_context(|| format!("no {name} in {found}"))
}

/// What the form of a guard sends.
fn limit(
    guard: &'static str,
    floor: &'static str,
    share: &'static str,
    act: &'static str,
) -> [(&'static str, &'static str); 6] {
    [("guard", guard), ("floor", floor), ("share", share), ("day", "2"), ("week", ""), ("act", act)]
}

async fn is_nobody_elses(world: &World, browser: &Browser, paths: [&str; 2]) -> anyhow::Result<()> {
    let (_globex, _their_dingtalk) = world.another_tenant("globex").await?;
    let made = world.cli(&["operator", "create", "eve", "--tenant", "globex"]).await?;
    let eve = browser.sign_in("eve", made["password"].as_str().context("a password")?).await?;
    for path in paths {
        let theirs = browser.post(path, &eve, &limit("people.remove", "9", "1", "set")).await?;
        ensure!(theirs.status() == StatusCode::NOT_FOUND, "{path}: {}", theirs.status());
    }
    Ok(())
}

#[tokio::test]
async fn limits_are_seen_tried_set_and_accepted() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=8 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    let browser = world.browser()?;
    let me = world.operator(&browser, "ann").await?;
    let page = async || anyhow::Ok(browser.get("/console/guards", &me).await?.text().await?);
    let shown = page().await?;
    for part in ["Accounts removed", "people.remove", "1 % of 8, at least 5", "Every change takes two people"] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(shown.contains("0 of 14 whole days are known") && !shown.contains("Own limit"), "{shown}");

    // One limit is set, the others stay as they are.
    let address = format!("/console/targets/{}/guards", world.target().await?);
    let foreign = browser.http.post(format!("{}{address}", browser.base)).header(COOKIE, &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&limit("people.remove", "90", "1", "set"));
    ensure!(foreign.send().await?.status() == StatusCode::FORBIDDEN);
    for (guard, floor) in [("source.deactivate", "90"), ("people.remove", "4")] {
        let done = browser.post(&address, &me, &limit(guard, floor, "2.5", "set")).await?;
        ensure!(done.status() == StatusCode::SEE_OTHER, "{}", done.status());
    }
    let set = guard(&world, "people.remove").await?;
    ensure!(set["limit"]["floor"] == 4 && set["limit"]["share"] == 0.025 && set["limit"]["day"] == 2, "{set}");
    ensure!(set["own"] == true && set["limit"]["week"].is_null(), "{set}");
    ensure!(guard(&world, "source.deactivate").await?["limit"]["floor"] == 90, "it stays");
    ensure!(page().await?.contains("2.5 % of 8, at least 4; 2 times as much in 24 hours"), "{}", page().await?);

    // What cannot be a limit is said, and what was typed stays.
    for (form, told) in [
        (limit("people.remove", "many", "1", "set"), "floor must be a number of 0 or more"),
        (limit("people.remove", "-1", "1", "set"), "floor must be a number of 0 or more"),
        (limit("people.remove", "5", "101", "set"), "percentage from 0 to 100"),
        (limit("protected", "5", "1", "set"), "has no limit that can be set"),
        (limit("printer", "5", "1", "set"), "is no guard"),
        (limit("people.remove", "some", "1", "try"), "floor must be a number of 0 or more"),
    ] {
        let answer = browser.post(&address, &me, &form).await?;
        ensure!(answer.status() == StatusCode::BAD_REQUEST, "{form:?}: {}", answer.status());
        let page = answer.text().await?;
        ensure!(page.contains("role=\"alert\"") && page.contains(told), "{form:?} {told}: {page}");
        let typed = format!("inputmode=\"numeric\" value=\"{}\"", form[1].1);
        ensure!(form[0].1 != "people.remove" || page.contains(&typed), "{form:?}: {page}");
    }
    ensure!(guard(&world, "people.remove").await?["limit"]["floor"] == 4, "nothing was set");

    // While it holds something it is not made looser by one person; a tighter one is set.
    world.cli(&["pause"]).await?;
    for id in &ids[..5] {
        world.set_active(id, false).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    ensure!(page().await?.contains("Holds 5 changes"), "{}", page().await?);
    for act in ["set", "usual"] {
        let answer = browser.post(&address, &me, &limit("people.remove", "9", "1", act)).await?;
        ensure!(answer.status() == StatusCode::CONFLICT, "{act}: {}", answer.status());
        let page = answer.text().await?;
        ensure!(page.contains("would let that pass by one person") && page.contains("role=\"alert\""), "{act}: {page}");
    }
    let tighter = browser.post(&address, &me, &limit("people.remove", "3", "1", "set")).await?;
    ensure!(tighter.status() == StatusCode::SEE_OTHER, "{}", tighter.status());
    for id in &ids[..5] {
        world.set_active(id, true).await?;
    }
    world.settled().await?;

    // What follows from what was usual is accepted, with the arithmetic before one's eyes.
    let accept = format!("{address}/accept");
    let early = browser.post(&accept, &me, &[("guard", "people.remove")]).await?;
    ensure!(early.status() == StatusCode::CONFLICT && early.text().await?.contains("from 14 on"), "too early");
    a_month_ago(&world).await?;
    let shown = page().await?;
    for part in
        ["By what was usual on 29 days", "3 × 3 a day = 9, at least 5", "Looser than now", "20 days with something"]
    {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    let tight = [("guard", "people.remove"), ("floor", "2"), ("share", "0"), ("act", "try")];
    let tried = browser.post(&address, &me, &tight).await?;
    let told = tried.text().await?;
    for part in ["Tried on last week", "7 whole days", "Accounts removed: 3 on ", "and 2 would have been let pass"] {
        ensure!(told.contains(part), "{part}: {told}");
    }
    ensure!(guard(&world, "people.remove").await?["limit"]["floor"] == 3, "it was only tried");
    let unread = browser.post(&accept, &me, &[]).await?;
    ensure!(unread.status() == StatusCode::NOT_FOUND, "what cannot be read accepts nothing: {}", unread.status());
    let untried = browser.post(&address, &me, &limit("members.remove", "0", "0", "try")).await?;
    ensure!(untried.status() == StatusCode::BAD_REQUEST, "{}", untried.status());
    ensure!(untried.text().await?.contains("not judged by what passed in a week"), "it is told");
    let accepted = browser.post(&accept, &me, &[("guard", "people.remove")]).await?;
    ensure!(accepted.status() == StatusCode::SEE_OTHER, "{} {}", accepted.status(), accepted.text().await?);
    ensure!(guard(&world, "people.remove").await?["limit"]["floor"] == 5);
    let back = browser.post(&address, &me, &limit("source.deactivate", "", "", "usual")).await?;
    ensure!(back.status() == StatusCode::SEE_OTHER, "{}", back.status());
    ensure!(guard(&world, "source.deactivate").await?["own"] == false);
    let log = world.rest("/changes?limit=200").await?;
    let by = log["data"].as_array().into_iter().flatten().find(|entry| entry["operation"] == "guards_changed");
    ensure!(by.context("it is in the log")?["details"]["by"] == "operator ann", "{log}");

    is_nobody_elses(&world, &browser, [&address, &accept]).await
}
