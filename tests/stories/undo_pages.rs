//! In the console a plan is undone after a look at what cannot be, and what is held by that is lifted.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION};

use crate::held_page::address;
use crate::staff::replace;
use crate::undo::{capitals, title, titled};
use crate::world::World;

#[tokio::test]
async fn a_plan_is_undone_and_an_override_lifted_in_the_console() -> anyhow::Result<()> {
    let world = World::start().await?;
    let rest = world.rest_of(&world.tenant)?;
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(world.join(&titled(number, "clerk")).await?);
    }
    world.settled().await?;
    let plan = capitals(&world, &rest, &ids).await?;
    let plan = format!("/console/plans/{}", plan["id"].as_str().context("its id")?);
    world.change(&ids[0], replace("title", "head")).await?;
    world.settled().await?;
    let browser = world.browser()?;
    let me = world.operator(&browser, "ann").await?;
    let page = async |path: &str| anyhow::Ok(browser.get(path, &me).await?.text().await?);

    let shown = page(&plan).await?;
    ensure!(shown.contains("Take back what this plan has sent"), "{shown}");
    let undo = address(&shown, "/undo")?;
    let foreign = browser.http.post(format!("{}{undo}", browser.base)).header(COOKIE, &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("reason", "x")]).send().await?;
    ensure!(foreign.status() == StatusCode::FORBIDDEN, "{}", foreign.status());
    for day in ["2020-01-01", "soon"] {
        let wrong = browser.post(&undo, &me, &[("reason", "Too loud."), ("review_on", day)]).await?;
        ensure!(wrong.status() == StatusCode::BAD_REQUEST, "{day}: {}", wrong.status());
        ensure!(wrong.text().await?.contains("role=\"alert\""), "{day}");
    }
    let made = browser.post(&undo, &me, &[("reason", "Too loud."), ("review_on", "")]).await?;
    ensure!(made.status() == StatusCode::SEE_OTHER, "{}", made.status());
    let way_back = made.headers().get(LOCATION).context("a way")?.to_str()?.to_owned();
    let shown = page(&way_back).await?;
    for part in [
        "It takes back what a plan has sent: Too loud.",
        plan.as_str(),
        ">1 resource</a> not everything can be undone",
        "Not undone, or lost",
        "Cannot be undone 1",
        "CLERK",
    ] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(!shown.contains("Take back what this plan has sent"), "it has sent nothing: {shown}");
    let hindered = page(&format!("{way_back}?hindered=true")).await?;
    ensure!(hindered.contains("somebody.0@") && !hindered.contains("somebody.1@"), "{hindered}");
    ensure!(title(&world, 1).await? == "CLERK", "nothing was sent");
    let applied = browser.post(&format!("{way_back}/apply"), &me, &[("wave", "all")]).await?;
    ensure!(applied.status() == StatusCode::SEE_OTHER, "{}", applied.status());
    world.settled().await?;
    ensure!((title(&world, 0).await?, title(&world, 1).await?) == ("HEAD".into(), "clerk".into()));

    let person = page(&format!("/console/people/{}", ids[1])).await?;
    ensure!(person.contains("Held against the rules"), "{person}");
    let own = address(&person, "/console/overrides?resource=")?;
    let shown = page(&own).await?;
    for part in ["<bdi>clerk</bdi> instead of <bdi>CLERK</bdi>", "operator ann", "Too loud."] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(page("/console/overrides").await?.matches(">Lift it<").count() == 2, "of both");
    let lift = address(&shown, "/lift")?;
    let (_globex, _their_dingtalk) = world.another_tenant("globex").await?;
    let eve = world.cli(&["operator", "create", "eve", "--tenant", "globex"]).await?;
    let eve = browser.sign_in("eve", eve["password"].as_str().context("a password")?).await?;
    ensure!(browser.post(&lift, &eve, &[]).await?.status() == StatusCode::NOT_FOUND, "not another tenant");
    let lifted = browser.post(&lift, &me, &[("back", own.as_str())]).await?;
    ensure!(lifted.status() == StatusCode::SEE_OTHER && lifted.headers()["location"] == own.as_str(), "{lifted:?}");
    world.settled().await?;
    ensure!(title(&world, 1).await? == "CLERK", "the rules count again");
    let ended = page(&format!("{own}&ended=true")).await?;
    ensure!(ended.contains("Lifted by operator ann.") && !ended.contains(">Lift it<"), "{ended}");
    ensure!(browser.post(&lift, &me, &[]).await?.status() == StatusCode::NOT_FOUND, "it is lifted already");
    Ok(())
}
