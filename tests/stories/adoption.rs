//! An organisation that was there before Rollcall is adopted: read, recognised, linked, and changed by a plan alone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::StatusCode;
use rollcall_provisioning::decider::Decider;
use rollcall_provisioning::guard::Guards;
use rollcall_provisioning::ids::{IdSource, TargetId, TenantId};
use rollcall_provisioning::time::ManualClock;
use rollcall_store::projection::{NewPlan, PlanScope, Wave};
use rollcall_store::{Ports, Store};
use rollcall_tests::wait_until;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::staff::{job_number, mobile, replace, somebody, with};
use crate::world::World;

const PATIENCE: Duration = Duration::from_mins(1);

struct Random;

impl IdSource for Random {
    #[expect(clippy::disallowed_methods, reason = "this test stands in for the binary, which makes ids so")]
    fn new_id(&self) -> Uuid {
        Uuid::now_v7()
    }
}

impl World {
    /// The target's path below the REST API.
    async fn target_path(&self) -> anyhow::Result<String> {
        let targets = self.rest("/targets").await?;
        Ok(format!("/targets/{}", targets["data"][0]["id"].as_str().context("a target without an id")?))
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let path = format!("{}{path}", self.target_path().await?);
        let reply = self.rest_of(&self.tenant)?.post(&path, body).await?;
        ensure!(reply.status.is_success(), "{path} answered {} {}", reply.status, reply.body);
        Ok(reply.body)
    }

    /// Waits until the newest scan is done, and returns how adoption stands.
    async fn scanned(&self) -> anyhow::Result<Value> {
        let path = format!("{}/adoption", self.target_path().await?);
        let waited = wait_until(PATIENCE, "the scan is done", async || {
            let view = self.rest(&path).await?;
            ensure!(view["scan"]["state"] != "failed", "the scan failed: {view}");
            Ok((view["scan"]["state"] == "done").then_some(view))
        });
        waited.await
    }

    async fn candidates(&self, bucket: &str) -> anyhow::Result<Vec<Value>> {
        let path = format!("{}/adoption/candidates?bucket={bucket}&limit=200", self.target_path().await?);
        Ok(self.rest(&path).await?["data"].as_array().cloned().unwrap_or_default())
    }

    async fn decide(&self, candidate: &Value, decision: &str) -> anyhow::Result<Value> {
        let body = json!({ "decisions": [{ "id": candidate["id"], "decision": decision }] });
        self.post("/adoption/decisions", &body).await
    }

    /// Makes a plan of all that is held, and applies it, released by a second person if need be.
    #[expect(clippy::disallowed_methods, reason = "the server's clock is the wall's, and a plan is made beside it")]
    async fn plan_and_apply(&self, held_by: Option<&str>, released: bool) -> anyhow::Result<Vec<Value>> {
        let ports = Ports { clock: Arc::new(ManualClock::new(OffsetDateTime::now_utc())), ids: Arc::new(Random) };
        let store = Store::connect(self.database.url(), 2, ports).await?;
        let tenant = store.tenants().await?.first().map(|tenant| tenant.id).context("no tenant")?;
        let target: TargetId = store.targets(tenant).await?.first().map(|target| target.id).context("no target")?;
        let scope = PlanScope { resources: Vec::new(), held_by: held_by.map(str::to_owned) };
        let new = NewPlan { target, scope: &scope, guards: &Guards::default(), by: "ann" };
        let plan = store.make_plan(tenant, &new).await?;
        let changes = self.apply(&store, tenant, plan, released).await;
        store.close().await;
        changes
    }

    async fn apply(&self, store: &Store, tenant: TenantId, plan: Uuid, released: bool) -> anyhow::Result<Vec<Value>> {
        let all = rollcall_store::projection::PlanChangeQuery { limit: 1_000, ..Default::default() };
        let changes = store.plan_changes(tenant, plan, &all).await?;
        if released {
            store.request_release(tenant, plan, &Decider::new("ann"), "agreed").await?;
            store.release_plan(tenant, plan, &Decider::new("bob")).await?;
        }
        store.apply_plan(tenant, plan, &Wave::All, "ann").await?;
        store.tell_workers().await?;
        Ok(changes.into_iter().map(|change| change.proposal).collect())
    }

    /// What is at DingTalk by hand: two departments, and people of whom some are in the directory.
    async fn made_by_hand(&self) -> anyhow::Result<String> {
        let made =
            self.simulator.edit(&json!({ "action": "create_department", "name": "Sales", "parent_id": 1 })).await?;
        let sales = made["dept_id"].to_string();
        let all = [
            json!({ "userid": "old-1", "name": "Somebody 1", "mobile": mobile(1), "job_number": job_number(1),
                    "title": "Clerk", "dept_id_list": sales }),
            json!({ "userid": "old-2", "name": "SOMEBODY 2", "mobile": mobile(2), "dept_id_list": "1" }),
            json!({ "userid": "old-3", "name": "Somebody 3", "mobile": mobile(4), "job_number": job_number(3),
                    "dept_id_list": "1" }),
            json!({ "userid": "robot", "name": "Attendance robot", "mobile": mobile(77), "dept_id_list": sales }),
            json!({ "userid": "boss", "name": "Somebody 6", "mobile": mobile(6), "job_number": job_number(6),
                    "title": "Owner", "dept_id_list": "1", "admin_level": 1 }),
        ];
        for mut user in all {
            user["action"] = json!("create_user");
            self.simulator.edit(&user).await?;
        }
        // Several departments for one person: found on both lists, counted once.
        let both = format!("1,{sales}");
        self.simulator.edit(&json!({ "action": "update_user", "userid": "robot", "dept_id_list": both })).await?;
        Ok(sales)
    }

    async fn rehearsing(&self) -> anyhow::Result<()> {
        self.cli(&["target", "mode", "dingtalk", "rehearsal"]).await.map(drop)
    }
}

/// Every API of DingTalk that was asked since `after`, and whether it wrote.
async fn writes_since(world: &World, after: usize) -> anyhow::Result<BTreeSet<String>> {
    let calls = world.all_calls().await?;
    let wrote = calls.iter().skip(after).filter(|call| call["committed"] == true);
    Ok(wrote.map(|call| call["api"].as_str().unwrap_or_default().to_owned()).collect())
}

#[tokio::test]
async fn an_organisation_is_adopted_and_changed_by_a_plan_alone() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearsing().await?;
    world.made_by_hand().await?;
    let mut ids = Vec::new();
    for number in 1..=6 {
        let mut person = somebody(number);
        if number == 1 {
            person = with(person, "department", "Sales");
            person["title"] = json!("Head");
        }
        ids.push(world.join(&person).await?);
    }
    world.settled().await?;
    world.post("/adoption/scan", &json!({})).await?;
    let view = world.scanned().await?;
    assert_eq!((&view["scan"]["accounts"], &view["scan"]["accounts_expected"]), (&json!(5), &json!(5)), "{view}");
    let count = |bucket: &str| -> i64 {
        let buckets = view["buckets"].as_array().cloned().unwrap_or_default();
        buckets.iter().find(|found| found["bucket"] == bucket).and_then(|found| found["count"].as_i64()).unwrap_or(0)
    };
    let counts: Vec<i64> =
        ["linked", "suggested", "contradiction", "only_in_target", "only_in_directory"].map(count).to_vec();
    assert_eq!(counts, [2, 1, 2, 1, 1], "{view}");
    world.settled().await?;
    assert_eq!(writes_since(&world, 0).await?, BTreeSet::new(), "a scan only reads");

    // The one that is certain shows only what really differs.
    let standing = world.until_state(&ids[0], "held").await?;
    let reason = standing["reason"].as_str().unwrap_or_default().to_owned();
    assert!(reason.contains("update it with title"), "{reason}");
    assert!(!reason.contains("org_units"), "{reason}");

    // A suggestion by rule: first how many, then done.
    let rule = json!({ "keys": ["mobile", "name"], "preview": true });
    assert_eq!(world.post("/adoption/decisions/by-rule", &rule).await?["decided"], 1);
    let rule = json!({ "keys": ["mobile", "name"] });
    assert_eq!(world.post("/adoption/decisions/by-rule", &rule).await?["linked"], 1);

    // Going live changes nothing of what was linked, and nobody gets a second account while it is unclear who they are.
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    world.settled().await?;
    for who in [0, 1, 2, 3] {
        let standing = world.until_state(&ids[who], "held").await?;
        let reason = standing["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("waits for a plan"), "{who}: {reason}");
    }
    world.until_state(&ids[4], "in_step").await?;
    let boss = world.until_state(&ids[5], "held").await?;
    assert!(boss["reason"].as_str().is_some_and(|reason| reason.contains("administrator")), "{boss}");
    assert_eq!(world.simulator.user("old-1").await?.context("old-1")?["title"], "Clerk");

    // A person decides about the contradiction: number 3 it is.
    let contradictions = world.candidates("contradiction").await?;
    let third = contradictions.iter().find(|row| row["resource_id"] == ids[2].as_str()).context("no candidate")?;
    world.decide(third, "accepted").await?;
    world.settled().await?;
    assert_eq!(world.candidates("contradiction").await?.iter().filter(|row| row["decision"].is_null()).count(), 0);

    let proposals = world.plan_and_apply(Some("adoption"), false).await?;
    assert!(proposals.iter().all(|proposal| proposal["verb"] != "delete"), "{proposals:?}");
    world.until_state(&ids[0], "in_step").await?;
    assert_eq!(world.simulator.user("old-1").await?.context("old-1")?["title"], "Head");
    assert_eq!(world.simulator.user("boss").await?.context("boss")?["title"], "Owner");

    // From now on it is like everybody else.
    world.change(&ids[0], replace("title", "Chief")).await?;
    world.until_state(&ids[0], "in_step").await?;
    assert_eq!(world.simulator.user("old-1").await?.context("old-1")?["title"], "Chief");

    // The administrator follows when two people say so.
    world.plan_and_apply(Some("guard:protected"), true).await?;
    world.settled().await?;
    assert!(world.simulator.user("boss").await?.context("boss")?["title"] != "Owner", "two people released it");
    // Whom nobody knows is still there.
    assert!(world.simulator.user("robot").await?.is_some());
    Ok(())
}

#[tokio::test]
async fn what_is_protected_survives_everything() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearsing().await?;
    world.made_by_hand().await?;
    let id = world.join(&with(somebody(1), "department", "Sales")).await?;
    world.settled().await?;
    world.cli(&["adopt", "scan"]).await?;
    world.scanned().await?;
    let made = world.cli(&["adopt", "mark", "--account", "old-1", "--reason", "runs the door"]).await?;
    world.cli(&["target", "mode", "dingtalk", "live"]).await?;
    world.change(&id, replace("title", "Nobody")).await?;
    world.until_state(&id, "held").await?;
    world.set_active(&id, false).await?;
    world.settled().await?;
    let standing = world.until_state(&id, "held").await?;
    assert!(standing["reason"].as_str().is_some_and(|reason| reason.contains("runs the door")), "{standing}");
    assert!(world.plan_and_apply(None, false).await.is_ok(), "nothing of it is applied");
    world.settled().await?;
    assert!(world.simulator.user("old-1").await?.is_some(), "it was removed");
    let lift = made["id"].as_str().context("no mark")?.to_owned();
    // One person alone cannot take it back, nor put something harmless in its place.
    for _ in 0..2 {
        let asked = world.shell(&["adopt", "mark", "--lift", &lift, "--by", "maria"]).await?;
        let text = format!("{}{}", asked.stdout, asked.stderr);
        assert!(text.contains("omebody else has to lift it") || text.contains("cannot grant it"), "{text}");
    }
    let other = ["adopt", "mark", "--account", "old-1", "--kind", "later", "--reason", "x", "--by", "maria"];
    let other = world.shell(&other).await?;
    assert!(!other.status.success() && other.stderr.contains("two people"), "{}", other.stderr);
    world.settled().await?;
    assert!(world.simulator.user("old-1").await?.is_some(), "it is protected still");
    let lifted = world.cli(&["adopt", "mark", "--lift", &lift, "--by", "jo"]).await?;
    assert_eq!(lifted["lifted"], true);
    world.settled().await?;
    // It was adopted, so it still waits for a plan.
    world.until_state(&id, "held").await?;
    world.plan_and_apply(None, false).await?;
    world.until_state(&id, "gone").await?;
    assert!(world.simulator.user("old-1").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_page_that_fails_is_not_taken_for_empty_and_a_kill_loses_nothing() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    world.rehearsing().await?;
    world.made_by_hand().await?;
    world.simulator.add_fault(&json!({ "path": "/topapi/v2/user/list", "kind": { "errcode": -1 } })).await?;
    world.post("/adoption/scan", &json!({})).await?;
    let path = format!("{}/adoption", world.target_path().await?);
    wait_until(PATIENCE, "the scan fails", async || {
        let view = world.rest(&path).await?;
        Ok(view["scan"]["attempt"].as_i64().filter(|tries| *tries > 1))
    })
    .await?;
    let view = world.rest(&path).await?;
    assert_eq!((&view["scan"]["state"], &view["scan"]["accounts"]), (&json!("walking"), &json!(0)), "{view}");
    world.server.kill().await?;
    world.simulator.clear_faults().await?;
    world.server.restart().await?;
    let view = world.scanned().await?;
    assert_eq!(view["scan"]["accounts"], 5, "{view}");
    assert_eq!(world.candidates("only_in_target").await?.len(), 5);
    Ok(())
}

#[tokio::test]
async fn decisions_go_out_and_come_back_and_can_be_forgotten() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.rehearsing().await?;
    world.made_by_hand().await?;
    for number in 1..=4 {
        world.join(&somebody(number)).await?;
    }
    world.settled().await?;
    world.cli(&["adopt", "scan"]).await?;
    world.scanned().await?;
    let file = tempfile(&world, "candidates.csv")?;
    let text = world.text(&["adopt", "export"]).await?;
    assert!(text.starts_with("row_id,decision,bucket,score,keys"), "{text}");
    // One bad line, and nothing is decided.
    let bad =
        text.replace(",,suggested,", ",accepted,suggested,").replace(",,contradiction,", ",perhaps,contradiction,");
    std::fs::write(&file, &bad)?;
    let refused = world.cli(&["adopt", "import", &file]).await.expect_err("a bad file");
    assert!(format!("{refused:#}").contains("line "), "{refused:#}");
    assert!(world.candidates("suggested").await?.iter().all(|row| row["decision"].is_null()));
    std::fs::write(&file, text.replace(",,suggested,", ",accepted,suggested,"))?;
    let taken = world.cli(&["adopt", "import", &file]).await?;
    assert_eq!(taken, json!({ "decided": 1, "linked": 1 }));
    world.settled().await?;
    let before = world.simulator.state().await?;
    let forgotten = world.cli(&["adopt", "restart"]).await?;
    assert_eq!(forgotten["unlinked"], 2);
    world.settled().await?;
    assert_eq!(world.simulator.state().await?["users"], before["users"], "nothing changed at DingTalk");
    let reply =
        world.rest_of(&world.tenant)?.get(&format!("{}/adoption/candidates", world.target_path().await?)).await?;
    assert_eq!((reply.status, reply.body["data"].as_array().map(Vec::len)), (StatusCode::OK, Some(0)));
    // What was found is still known.
    world.cli(&["adopt", "scan", "--correlate"]).await?;
    world.scanned().await?;
    assert_eq!(world.candidates("linked").await?.len(), 1);
    Ok(())
}

fn tempfile(world: &World, name: &str) -> anyhow::Result<String> {
    Ok(world.folder().join(name).to_str().context("the folder is no text")?.to_owned())
}
