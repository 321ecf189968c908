//! Several processes on one database: they share the work and the rate budget.

use std::collections::BTreeMap;

use anyhow::ensure;
use reqwest::Method;
use serde_json::Value;

use crate::company::Company;
use crate::drivers::Driver;
use crate::idp::Idp;
use crate::setup::{Rate, Setup};
use crate::world::World;

const PERMITTED: u64 = 20;

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

    let stats = world.simulator.control(Method::GET, "stats", None).await?;
    ensure!(stats["throttled"] == 0, "DingTalk throttled us: {stats}");
    for (api, sums) in stats["apis"].as_object().into_iter().flatten() {
        let highest = sums["highest_per_second"].as_u64();
        ensure!(highest <= Some(PERMITTED), "{api} was called {highest:?} times in a second");
    }
    for (api, key) in [("/topapi/v2/user/create", "mobile"), ("/topapi/v2/department/create", "dept_id")] {
        let mut made: BTreeMap<String, usize> = BTreeMap::new();
        for call in world.all_calls().await?.iter().filter(|call| call["api"] == api) {
            *made.entry(call[key].to_string()).or_default() += 1;
        }
        ensure!(made.values().all(|times| *times == 1), "{api} was called twice for somebody: {made:?}");
        ensure!(!made.contains_key(&Value::Null.to_string()), "{api} has no {key} in the log: {made:?}");
    }
    let workers: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT worker) FROM attempts").fetch_one(world.database.pool()).await?;
    ensure!(workers == 2, "{workers} workers took part");
    Ok(())
}
