//! A target is set up in the console, and its mode, settings and secret are changed there.

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::header::{COOKIE, LOCATION};

use crate::staff::somebody;
use crate::world::World;

const TARGETS: &str = "/console/targets";

#[tokio::test]
async fn a_target_is_set_up_and_changed_in_the_console() -> anyhow::Result<()> {
    let world = World::start().await?;
    let browser = world.browser()?;
    let me = world.operator(&browser, "ann").await?;
    let page = async |path: &str| anyhow::Ok(browser.get(path, &me).await?.text().await?);
    let own = format!("{TARGETS}/{}", world.target().await?);
    ensure!(page(TARGETS).await?.contains(&own), "it is listed");

    // Its mode: pausing keeps what comes, going live sends it.
    let mode = format!("{own}/mode");
    let foreign = browser.http.post(format!("{}{mode}", browser.base)).header(COOKIE, &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("mode", "paused")]).send().await?;
    ensure!(foreign.status() == StatusCode::FORBIDDEN, "{}", foreign.status());
    let wrong = browser.post(&mode, &me, &[("mode", "sideways")]).await?;
    ensure!(wrong.status() == StatusCode::BAD_REQUEST, "{}", wrong.status());
    ensure!(wrong.text().await?.contains("must be rehearsal, live or paused"), "it is told");
    ensure!(browser.post(&mode, &me, &[("mode", "paused")]).await?.status() == StatusCode::SEE_OTHER);
    let id = world.join(&somebody(1)).await?;
    ensure!(page("/console/held").await?.contains("1 change waits until sending goes on"), "it waits");
    ensure!(browser.post(&mode, &me, &[("mode", "live")]).await?.status() == StatusCode::SEE_OTHER);
    world.until_state(&id, "in_step").await?;

    // A setting, and one that cannot be.
    let settings = format!("{own}/settings");
    for (name, value, told) in
        [("calls_per_second", "many", "calls_per_second"), ("printer", "x", "printer"), ("app_key", "", "app_key")]
    {
        let wrong = browser.post(&settings, &me, &[("name", name), ("value", value)]).await?;
        ensure!(wrong.status() == StatusCode::BAD_REQUEST, "{name}: {}", wrong.status());
        let page = wrong.text().await?;
        ensure!(page.contains("role=\"alert\"") && page.contains(told), "{name}: {page}");
    }
    for (value, shown) in [("40000", "value=\"40000\""), ("", "value=\"\"")] {
        let done = browser.post(&settings, &me, &[("name", "calls_per_month"), ("value", value)]).await?;
        ensure!(done.status() == StatusCode::SEE_OTHER, "{value}: {}", done.status());
        let shown_page = page(&own).await?;
        let (_, part) = shown_page.split_once("id=\"value-calls_per_month\"").context("the setting")?;
        ensure!(part.split_once('>').is_some_and(|(field, _)| field.contains(shown)), "{value}: {part}");
    }
    let wrong = browser.post(&format!("{own}/secret"), &me, &[("app_secret", " ")]).await?;
    ensure!(wrong.status() == StatusCode::BAD_REQUEST, "{}", wrong.status());

    // Another one, which begins in rehearsal. Nobody sees its secret.
    let new = |name: &'static str, secret: &'static str| {
        [("name", name), ("app_key", "dingbranch<1>"), ("app_secret", secret)]
    };
    for form in [new("dingtalk", "s3cret-of-branch"), new("", "s3cret-of-branch"), new("branch", "")] {
        let refused = browser.post(TARGETS, &me, &form).await?;
        ensure!(refused.status().is_client_error(), "{form:?}: {}", refused.status());
        let page = refused.text().await?;
        ensure!(page.contains("role=\"alert\"") && page.contains("dingbranch&#60;1&#62;"), "{form:?}: {page}");
        ensure!(!page.contains("s3cret"), "{page}");
    }
    let created = browser.post(TARGETS, &me, &new("branch", "s3cret-of-branch")).await?;
    ensure!(created.status() == StatusCode::SEE_OTHER, "{} {}", created.status(), created.text().await?);
    let branch = created.headers().get(LOCATION).context("a way")?.to_str()?.to_owned();
    let shown = page(&branch).await?;
    ensure!(shown.contains(">Rehearsal<") && shown.contains("/preflight") && !shown.contains("s3cret"), "{shown}");
    ensure!(
        browser.post(&format!("{branch}/mode"), &me, &[("mode", "paused")]).await?.status() == StatusCode::SEE_OTHER
    );
    let log = world.rest("/changes?limit=200").await?;
    ensure!(!log.to_string().contains("s3cret"), "nor in the log: {log}");

    let (_globex, _their_dingtalk) = world.another_tenant("globex").await?;
    let eve = world.cli(&["operator", "create", "eve", "--tenant", "globex"]).await?;
    let eve = browser.sign_in("eve", eve["password"].as_str().context("a password")?).await?;
    for part in ["mode", "settings", "secret"] {
        let form = [("mode", "live"), ("name", "calls_per_month"), ("value", "1"), ("app_secret", "s3cret-of-eve")];
        let theirs = browser.post(&format!("{own}/{part}"), &eve, &form).await?;
        ensure!(theirs.status() == StatusCode::NOT_FOUND, "{part}: {}", theirs.status());
    }
    Ok(())
}
