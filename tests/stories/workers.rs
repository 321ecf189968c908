//! Several processes on one database: they share the work and the rate budget.

use std::collections::BTreeMap;

use anyhow::ensure;
use serde_json::Value;

use crate::company::Company;
use crate::drivers::Driver;
use crate::idp::Idp;
use crate::setup::{Rate, Setup};
use crate::world::World;

const PERMITTED: usize = 20;
/// Calls are sent evenly, with some 40 ms in hand for each second. A machine that is busy with other things delivers
/// some of them later than that, next to those that follow: so few more than permitted may arrive in one second. Two
/// workers that do not share their budget make twice as many as permitted.
const LATE: usize = 5;

/// Fails when any API was called more often than permitted, over a second or over several.
fn expect_within_the_limit(calls: &[Value]) -> anyhow::Result<()> {
    let mut moments: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for call in calls {
        let (api, at) = (call["api"].as_str().unwrap_or_default(), call["at_ms"].as_u64().unwrap_or_default());
        moments.entry(api).or_default().push(at);
    }
    for (api, moments) in &mut moments {
        moments.sort_unstable();
        for (seconds, span) in [(1, 1_000), (3, 3_000), (5, 5_000)] {
            let within = |from: u64| moments.iter().filter(|at| (from..from + span).contains(at)).count();
            let highest = moments.iter().map(|from| within(*from)).max().unwrap_or(0);
            println!("{api}: {highest} calls in {seconds} s at most");
            ensure!(highest <= PERMITTED * seconds + LATE, "{api} was called {highest} times within {seconds} s");
        }
    }
    let throttled = calls.iter().filter(|call| call["throttled"] == true).count();
    ensure!(throttled <= LATE, "DingTalk throttled {throttled} calls");
    Ok(())
}

/// Fails when two workers made the same person or department. A throttled call is none: it was made again.
fn expect_made_once(calls: &[Value]) -> anyhow::Result<()> {
    for (api, key) in [("/topapi/v2/user/create", "mobile"), ("/topapi/v2/department/create", "dept_id")] {
        let mut made: BTreeMap<String, usize> = BTreeMap::new();
        for call in calls.iter().filter(|call| call["api"] == api && call["throttled"] != true) {
            ensure!(call["committed"] == true, "somebody else was faster: {call}");
            *made.entry(call[key].to_string()).or_default() += 1;
        }
        ensure!(!made.is_empty() && !made.contains_key("null"), "no {key} in the log of {api}: {made:?}");
        made.retain(|_, times| *times != 1);
        ensure!(made.is_empty(), "{api} made more than once: {made:?}");
    }
    Ok(())
}

#[tokio::test]
async fn two_workers_share_the_work_and_the_limit() -> anyhow::Result<()> {
    let driver = Driver::EntraWithFlag;
    let world = World::with(Setup {
        profile: driver.profile(),
        client: driver.client(),
        rate: Rate::Standard,
        roles: &["api", "worker", "worker"],
        alone: true,
    })
    .await?;
    let mut idp = Idp::new(driver, world.scim()?);
    let [founded, changed, ..] = Company::chapters(120, 12);
    idp.push(&founded).await?;
    idp.push(&changed).await?;
    world.settled().await?;
    world.expect_at_dingtalk(&changed.at_dingtalk()).await?;

    expect_within_the_limit(&world.all_calls().await?)?;
    expect_made_once(&world.all_calls().await?)?;
    let workers: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT worker) FROM attempts").fetch_one(world.database.pool()).await?;
    ensure!(workers == 2, "{workers} workers took part");
    Ok(())
}
