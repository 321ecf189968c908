//! A link that is wrong is found, broken, and looked for again; DingTalk hears of it by a plan alone.

use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use reqwest::redirect::Policy;
use rollcall_tests::wait_until;
use serde_json::{Value, json};

use crate::console::Browser;
use crate::staff::{enterprise, job_number, mobile, replace, somebody};
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);

impl World {
    async fn links(&self, query: &str) -> anyhow::Result<Vec<Value>> {
        let target = self.target().await?;
        let page = self.rest(&format!("/targets/{target}/links?kind=user{query}")).await?;
        Ok(page["data"].as_array().context("a page")?.clone())
    }

    /// Waits until who is who is found out, and whoever is linked was read.
    async fn found_out(&self) -> anyhow::Result<()> {
        let path = format!("/targets/{}/adoption", self.target().await?);
        wait_until(PATIENCE, "it is found out", async || {
            Ok((self.rest(&path).await?["scan"]["state"] == "done").then_some(()))
        })
        .await?;
        self.settled().await
    }

    /// How many calls have changed something at DingTalk.
    async fn written(&self) -> anyhow::Result<usize> {
        Ok(self.all_calls().await?.iter().filter(|call| call["committed"] == true).count())
    }

    async fn account(&self, userid: &str, name: &str, number: usize, job: usize) -> anyhow::Result<()> {
        let user = json!({ "action": "create_user", "userid": userid, "name": name, "mobile": mobile(number),
                           "job_number": job_number(job), "dept_id_list": "1" });
        self.simulator.edit(&user).await.map(drop)
    }
}

#[tokio::test]
async fn a_wrong_link_is_found_broken_and_looked_for_again() -> anyhow::Result<()> {
    let world = World::start().await?;
    // The numbers of one and two were mixed up at the source.
    world.account("old-1", "Somebody 1", 1, 1).await?;
    world.account("old-2", "Somebody 2", 2, 2).await?;
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    let mut person = somebody(2);
    person["userName"] = json!("one@corp.example");
    person["displayName"] = json!("Somebody 1");
    let one = world.join(&person).await?;
    world.settled().await?;
    world.cli(&["adopt", "scan"]).await?;
    world.found_out().await?;
    let before = (world.written().await?, world.simulator.users().await?);
    let target = world.target().await?;
    let links = world.links("&person=ONE@corp.example").await?;
    ensure!(links.len() == 1 && links[0]["remote_id"] == "old-2" && links[0]["origin"] == "adopted", "{links:?}");

    // Live, the wrong link is broken; nobody gets a new account.
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    let api = world.rest_of(&world.tenant)?;
    let link = format!("/targets/{target}/links/user/{one}");
    for (path, told) in [(link.clone(), "must say why"), (format!("{link}?reason=x&else=y"), "unknown parameter")] {
        let reply = api.delete(&path).await?;
        ensure!(reply.status == StatusCode::BAD_REQUEST && reply.body.to_string().contains(told), "{}", reply.body);
    }
    let broken =
        world.cli(&["links", "break", "one@corp.example", "--reason", "somebody else", "--by", "maria"]).await?;
    ensure!(broken["remote_id"] == "old-2", "{broken}");
    world.settled().await?;
    let standing = world.until_state(&one, "held").await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("waits for a plan")), "{standing}");
    ensure!(world.links("").await?.is_empty(), "it is linked to nobody");
    ensure!(api.delete(&format!("{link}?reason=x")).await?.status == StatusCode::NOT_FOUND, "it is broken already");

    // Looked for again with the same numbers it is not found: a person has said that it is not theirs.
    let rematch = format!("{link}/rematch");
    let reason = json!({ "reason": "the source was mended" });
    ensure!(api.post(&rematch, &reason).await?.status == StatusCode::ACCEPTED, "it is looked for");
    world.found_out().await?;
    ensure!(world.links("").await?.is_empty(), "a broken link does not come back");
    world.change(&one, replace(&enterprise("employeeNumber"), job_number(1))).await?;
    world.change(&one, replace("phoneNumbers[type eq \"mobile\"].value", mobile(1))).await?;
    world.settled().await?;
    ensure!(api.post(&rematch, &reason).await?.status == StatusCode::ACCEPTED, "it is looked for again");
    world.found_out().await?;
    let links = world.links("").await?;
    ensure!(links.len() == 1 && links[0]["remote_id"] == "old-1", "{links:?}");
    ensure!((world.written().await?, world.simulator.users().await?) == before, "nothing was sent");

    let csv = world.text(&["links", "export", "--kind", "user"]).await?;
    ensure!(csv.starts_with("kind,resource_id,name") && csv.contains("old-1"), "{csv}");
    let log = world.rest(&format!("/changes?resource={one}")).await?;
    let told = log["data"].as_array().context("a log")?.iter().find(|entry| entry["operation"] == "link_broken");
    let details = &told.context("it is in the log")?["details"];
    ensure!(details["by"] == "command line maria" && details["reason"] == "somebody else", "{details}");
    Ok(())
}

#[tokio::test]
async fn a_link_by_hand_waits_for_a_plan_and_is_nobody_elses_business() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.account("old-9", "Whoever", 9, 9).await?;
    world.cli(&["target", "mode", "dingtalk", "rehearsal"]).await?;
    let id = world.join(&somebody(1)).await?;
    world.settled().await?;
    let written = world.written().await?;
    let target = world.target().await?;
    let (other, _their_dingtalk) = world.another_tenant("globex").await?;
    let theirs = world.rest_of(&other)?;
    let body = json!({ "resource_id": id, "remote_id": "old-9", "reason": "x" });
    for reply in [
        theirs.get(&format!("/targets/{target}/links")).await?,
        theirs.get(&format!("/targets/{target}/links.csv")).await?,
        theirs.post(&format!("/targets/{target}/links"), &body).await?,
        theirs.delete(&format!("/targets/{target}/links/user/{id}?reason=x")).await?,
        theirs.post(&format!("/targets/{target}/links/user/{id}/rematch"), &json!({ "reason": "x" })).await?,
    ] {
        ensure!(reply.status == StatusCode::NOT_FOUND, "{} {}", reply.status, reply.body);
    }

    // No scan has found the account, so DingTalk is asked.
    let ours = world.rest_of(&world.tenant)?;
    let path = format!("/targets/{target}/links");
    let nobody = json!({ "resource_id": id, "remote_id": "old-8", "reason": "x" });
    let reply = ours.post(&path, &nobody).await?;
    ensure!(
        reply.status == StatusCode::CONFLICT && reply.body["detail"].to_string().contains("no account"),
        "{}",
        reply.body
    );
    let reply = ours.post(&path, &body).await?;
    ensure!(
        reply.status == StatusCode::CREATED && reply.body["remote_id"] == "old-9",
        "{} {}",
        reply.status,
        reply.body
    );
    world.cli(&["target", "mode", "dingtalk", "live", "--tenant", "acme"]).await?;
    world.settled().await?;
    let standing = world.until_state(&id, "held").await?;
    ensure!(standing["reason"].as_str().is_some_and(|reason| reason.contains("waits for a plan")), "{standing}");
    ensure!(world.written().await? == written, "nothing was sent");
    ensure!(world.simulator.user("old-9").await?.context("old-9")?["name"] == "Whoever", "it is as it was");

    // The console shows it, and breaks it with a reason.
    let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build()?;
    let browser = Browser { http, base: world.server.base_url() };
    let made = world.cli(&["operator", "create", "maria", "--tenant", "acme"]).await?;
    let me = browser.sign_in("maria", made["password"].as_str().context("a password")?).await?;
    let page = browser.get("/console/links", &me).await?.text().await?;
    for part in ["Somebody 1", "old-9", "Was there before", "links.csv"] {
        ensure!(page.contains(part), "{part}: {page}");
    }
    let part = format!("/console/targets/{target}/links/user/{id}/break");
    let refused = browser.post(&part, &me, &[("reason", " ")]).await?;
    ensure!(refused.status() == StatusCode::BAD_REQUEST, "{}", refused.status());
    ensure!(refused.text().await?.contains("must say why"), "it is told");
    let foreign = browser.http.post(format!("{}{part}", browser.base)).header("Cookie", &me);
    let foreign = foreign.header("Sec-Fetch-Site", "cross-site").form(&[("reason", "x")]).send().await?;
    ensure!(foreign.status() == StatusCode::FORBIDDEN, "{}", foreign.status());
    let done = browser.post(&part, &me, &[("reason", "a namesake")]).await?;
    ensure!(done.status() == StatusCode::SEE_OTHER, "{}", done.status());
    let file = browser.get(&format!("/console/targets/{target}/links.csv"), &me).await?.text().await?;
    ensure!(file.starts_with("kind,resource_id") && !file.contains("old-9"), "{file}");
    Ok(())
}
