//! Plans in the console: read, applied to a few, refused when stale, released by a second operator.

use anyhow::{Context, ensure};
use reqwest::header::{COOKIE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client as HttpClient, StatusCode};

use crate::console::Browser;
use crate::staff::{replace, somebody, with};
use crate::world::World;

impl World {
    /// A browser that is sent nowhere by itself.
    pub(crate) fn browser(&self) -> anyhow::Result<Browser> {
        let http = HttpClient::builder().redirect(Policy::none()).no_proxy().build()?;
        Ok(Browser { http, base: self.server.base_url() })
    }

    /// The session of a new operator of the first tenant.
    pub(crate) async fn operator(&self, browser: &Browser, name: &str) -> anyhow::Result<String> {
        let made = self.cli(&["operator", "create", name, "--tenant", "acme"]).await?;
        browser.sign_in(name, made["password"].as_str().context("the password is shown")?).await
    }
}

/// Makes a plan with the button of the home page. Returns its address.
async fn make(browser: &Browser, me: &str) -> anyhow::Result<String> {
    let home = browser.get("/console", me).await?.text().await?;
    let form = home.split("action=\"").filter_map(|rest| rest.split('"').next()).find(|form| form.ends_with("/plans"));
    let answer = browser.post(form.with_context(|| format!("no button in {home}"))?, me, &[]).await?;
    ensure!(answer.status() == StatusCode::SEE_OTHER, "{}", answer.status());
    Ok(answer.headers().get(LOCATION).context("a way")?.to_str()?.to_owned())
}

#[tokio::test]
async fn a_plan_is_read_applied_and_refused_when_it_is_stale() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    let mut ids = Vec::new();
    for number in 1..=4 {
        ids.push(world.join(&with(somebody(number), "department", "Sales")).await?);
    }
    world.settled().await?;
    let browser = world.browser()?;
    let me = world.operator(&browser, "maria").await?;
    let plan = make(&browser, &me).await?;
    let page = async |path: &str| anyhow::Ok(browser.get(path, &me).await?.text().await?);
    let shown = page(&plan).await?;
    for part in ["+5 create", ">Rehearsal<", "Apply 5", "operator maria", "somebody.3@corp.example", "Sales"] {
        ensure!(shown.contains(part), "{part}: {shown}");
    }
    ensure!(!shown.contains("13900000003") && shown.contains("•••• 0003"), "no number is readable: {shown}");
    ensure!(page("/console/plans").await?.contains("+5 create"), "it is listed");

    let apply = format!("{plan}/apply");
    let foreign = browser.http.post(format!("{}{apply}", browser.base)).header(COOKIE, &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("wave", "all")]).send().await?;
    ensure!(foreign.status() == StatusCode::FORBIDDEN, "{}", foreign.status());
    for form in [&[][..], &[("wave", "people"), ("people", "0")], &[("wave", "department"), ("department", "Nowhere")]]
    {
        let answer = browser.post(&apply, &me, form).await?;
        ensure!(answer.status() == StatusCode::BAD_REQUEST, "{form:?}: {}", answer.status());
        ensure!(answer.text().await?.contains("role=\"alert\""), "{form:?}");
    }
    ensure!(world.simulator.users().await?.is_empty(), "nothing was sent");
    let answer = browser.post(&apply, &me, &[("wave", "people"), ("people", "2")]).await?;
    ensure!(answer.status() == StatusCode::SEE_OTHER, "{}", answer.status());
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 2, "two people");

    let mut last = None;
    for (number, id) in (1..).zip(&ids) {
        if world.member(number).await?.is_none() {
            world.change(id, replace("title", "Head")).await?;
            last = Some(number);
        }
    }
    let last = last.context("somebody is left")?;
    world.settled().await?;
    let answer = browser.post(&apply, &me, &[("wave", "all")]).await?;
    ensure!(answer.status() == StatusCode::CONFLICT, "{}", answer.status());
    let told = answer.text().await?;
    for part in ["2 changes have moved", "What has moved", "Make a new plan", &format!("somebody.{last}@corp.example")]
    {
        ensure!(told.contains(part), "{part}: {told}");
    }
    let answer = browser.post(&format!("{plan}/reject"), &me, &[]).await?;
    ensure!(answer.status() == StatusCode::SEE_OTHER && page(&plan).await?.contains("Rejected"), "it is rejected");

    let person = page(&format!("/console/people/{}", ids[last - 1])).await?;
    for part in ["What would be done", "Plans", "title"] {
        ensure!(person.contains(part), "{part}: {person}");
    }
    let there = page(&format!("/console/people/{}", ids[0])).await?;
    ensure!(there.contains("What the target accepted last") && there.contains("create account"), "{there}");
    Ok(())
}

#[tokio::test]
async fn a_second_operator_releases_what_a_guard_holds() -> anyhow::Result<()> {
    let world = World::start().await?;
    let mut ids = Vec::new();
    for number in 1..=8 {
        ids.push(world.join(&somebody(number)).await?);
    }
    world.settled().await?;
    world.cli(&["pause"]).await?;
    for id in &ids[..7] {
        world.set_active(id, false).await?;
    }
    world.cli(&["resume"]).await?;
    world.settled().await?;
    let browser = world.browser()?;
    let (ann, bob) = (world.operator(&browser, "ann").await?, world.operator(&browser, "bob").await?);
    let home = browser.get("/console", &ann).await?.text().await?;
    ensure!(home.contains("people.remove: 7 at once, more than 5"), "{home}");
    let plan = make(&browser, &ann).await?;
    let page = async |me: &str| anyhow::Ok(browser.get(&plan, me).await?.text().await?);
    ensure!(page(&ann).await?.contains("Guards hold 7 changes until the plan is released"), "it is held");
    let (ask, release) = (format!("{plan}/request-release"), format!("{plan}/release"));
    ensure!(
        browser.post(&ask, &ann, &[("reason", " ")]).await?.status() == StatusCode::BAD_REQUEST,
        "without a reason"
    );
    let asked = browser.post(&ask, &ann, &[("reason", "The branch is closed.")]).await?;
    ensure!(asked.status() == StatusCode::SEE_OTHER, "{}", asked.status());
    ensure!(!page(&ann).await?.contains(">Release it<") && page(&bob).await?.contains(">Release it<"), "who may");
    ensure!(browser.post(&release, &ann, &[]).await?.status() == StatusCode::FORBIDDEN, "not whoever asked");
    ensure!(browser.post(&release, &bob, &[]).await?.status() == StatusCode::SEE_OTHER, "somebody else");
    ensure!(page(&ann).await?.contains("Apply 7"), "it can be applied now");
    let applied = browser.post(&format!("{plan}/apply"), &ann, &[("wave", "all")]).await?;
    ensure!(applied.status() == StatusCode::SEE_OTHER, "{}", applied.status());
    world.settled().await?;
    ensure!(world.simulator.users().await?.len() == 1, "seven have gone");
    Ok(())
}
