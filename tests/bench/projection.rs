//! From the answer to a SCIM change until DingTalk has accepted it.
//!
//! A few people are in step with the simulator. Then each of them gets a new title, ten in a second, and nothing else
//! happens. The time runs from the moment when the client has the answer of the PATCH to the moment when the call that
//! changes this person arrives at the simulator, which answers it within a millisecond. The simulator counts
//! milliseconds since its start; where that is on our clock is found by asking it often and believing the quickest
//! answer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use rollcall_tests::wait_until;
use serde_json::{Value, json};
use tokio::time::MissedTickBehavior;

use crate::cluster::Cluster;
use crate::figures::percentile;
use crate::load::{Choice, Connection, Load, Template, Until};
use crate::operation::{FIRST, Operation, leave_request, patch_request};
use crate::product::{Api, Product, Running};
use crate::usage::{Memory, memory};

/// Changes in a second.
const PER_SECOND: u32 = 10;

/// Connections of the first load; DingTalk's limit makes the rest.
const CONNECTIONS: u16 = 4;

/// A database of its own, so that the directory of the other parts is not projected too.
const DATABASE: &str = "rollcall_projection";

/// DingTalk takes 20 creations a second, and a few retries may come in between.
const PATIENCE: Duration = Duration::from_mins(10);

/// How often the simulator's clock is read.
const READINGS: u32 = 50;

/// What was measured.
#[derive(Debug)]
pub(crate) struct Measured {
    /// How many changes.
    pub(crate) changes: usize,
    /// Half of them took less, in milliseconds.
    pub(crate) p50: f64,
    /// All but one in a hundred took less.
    pub(crate) p99: f64,
    /// The longest.
    pub(crate) longest: f64,
    /// How far the two clocks may be apart at most, in milliseconds.
    pub(crate) uncertainty: f64,
    /// The server's memory at the end.
    pub(crate) memory: Memory,
}

/// Measures for so many seconds.
pub(crate) async fn measure(cluster: &Cluster, binary: &std::path::Path, seconds: u32) -> anyhow::Result<Measured> {
    cluster.execute(&[&format!("CREATE DATABASE {DATABASE}")]).await?;
    let product = Product::new(binary, cluster.url(DATABASE), cluster.folder().join("projection"))?;
    let simulator = product.simulate().await?;
    let simulator_url = format!("http://{}", simulator.address);
    let tenant = product.set_up(&simulator_url, "live").await?;
    let server = product.serve("all").await?;
    let mut world = World::new(cluster, DATABASE, tenant.api(&server), simulator.address).await?;
    world.create(u64::from(seconds * PER_SECOND)).await?;
    let changes =
        world.ids().await?.into_iter().map(Change::Title).take(usize::try_from(seconds * PER_SECOND)?).collect();
    let measured = world.steady(changes, PER_SECOND, &server).await;
    server.stop().await?;
    simulator.stop().await?;
    measured
}

/// Somebody whom the directory has.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The SCIM id.
    id: String,
    /// The account's id.
    userid: String,
}

/// What is sent of one person.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    /// A new title.
    Title(Known),
    /// Somebody new, with this number.
    Join(u64),
    /// Somebody leaves.
    Leave(Known),
}

/// A tenant whose target is a simulator.
pub(crate) struct World<'a> {
    cluster: &'a Cluster,
    database: &'static str,
    api: Api,
    control: Connection,
}

impl<'a> World<'a> {
    /// The tenant of `api`, which is in `database`, and the simulator that listens at `simulator`.
    pub(crate) async fn new(
        cluster: &'a Cluster,
        database: &'static str,
        api: Api,
        simulator: SocketAddr,
    ) -> anyhow::Result<Self> {
        Ok(Self { cluster, database, api, control: Connection::open(simulator).await? })
    }

    /// Creates so many people, and waits until all are there.
    async fn create(&self, people: u64) -> anyhow::Result<()> {
        let create = Load {
            address: self.api.address,
            template: Template::new(&Operation::Create.request(&self.api.host, &self.api.token)),
            success: Operation::Create.success(),
            connections: CONNECTIONS,
            choice: Choice::Next(FIRST),
            until: Until::Each(people.div_ceil(u64::from(CONNECTIONS))),
        };
        let people = u64::try_from(create.run().await?.all)?;
        self.until_in_step(people).await
    }

    /// Sends changes evenly, so many in a second and of each person at most one, and measures how long each takes.
    pub(crate) async fn steady(
        &mut self,
        changes: Vec<Change>,
        per_second: u32,
        server: &Running,
    ) -> anyhow::Result<Measured> {
        let last_call = self.control("calls?limit=0").await?;
        let last_call = last_call.get("last_seq").and_then(Value::as_u64).context("no last call")?;
        let answered = self.change(&changes, per_second).await?;
        self.until_at_rest().await?;
        let clock = self.read_clock().await?;

        let calls = self.control(&format!("calls?after={last_call}&limit={}", changes.len() * 20)).await?;
        let calls = calls.get("calls").and_then(Value::as_array).context("no calls")?;
        let mut accepted: HashMap<&str, f64> = HashMap::new();
        for call in calls.iter().filter(|call| call.get("committed") == Some(&Value::Bool(true))) {
            let userid = call.get("userid").and_then(Value::as_str);
            if let (Some(userid), Some(at)) = (userid, call.get("at_ms").and_then(Value::as_f64)) {
                accepted.entry(userid).or_insert(at);
            }
        }
        let mut taken = Vec::new();
        for (userid, at) in &answered {
            let Some(accepted) = accepted.get(userid.as_str()) else {
                bail!("{userid} was never changed: {}", self.standing(userid).await?);
            };
            // The simulator cuts off fractions of a millisecond, half of one on average.
            taken.push(accepted + 0.5 - clock.on_simulator(*at));
        }
        Ok(Measured {
            changes: taken.len(),
            p50: percentile(&taken, 0.5),
            p99: percentile(&taken, 0.99),
            longest: percentile(&taken, 1.0),
            uncertainty: clock.uncertainty + 0.5,
            memory: memory(server.pid()?)?,
        })
    }

    /// How somebody stands whose userid the rules make of the SCIM id.
    async fn standing(&self, userid: &str) -> anyhow::Result<String> {
        let mut connection = self.cluster.connect(self.database).await?;
        let standing = "SELECT concat_ws(' ', state, error_code, reason) FROM deliveries \
                        WHERE resource_kind = 'user' AND replace(resource_id::text, '-', '') = $1";
        let found: Option<String> = sqlx::query_scalar(standing).bind(userid).fetch_optional(&mut connection).await?;
        Ok(found.unwrap_or_else(|| "nobody".to_owned()))
    }

    /// Lets every answer of the simulator take so many milliseconds.
    pub(crate) async fn slow_down(&mut self, ms: u32) -> anyhow::Result<()> {
        let faults = json!([{ "kind": { "latency": { "ms": ms, "jitter_ms": 0 } } }]).to_string();
        let request = format!(
            "PUT /_simulator/faults HTTP/1.1\r\nHost: simulator\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{faults}",
            faults.len()
        );
        let answer = self.control.ask(request.as_bytes()).await?;
        ensure!(answer.status < 300, "the simulator answered {} to its faults", answer.status);
        Ok(())
    }

    /// Waits until nothing is left to do.
    pub(crate) async fn until_at_rest(&self) -> anyhow::Result<()> {
        let mut connection = self.cluster.connect(self.database).await?;
        wait_until(PATIENCE, "nothing is left to do", async || {
            let at_rest = "SELECT NOT EXISTS (SELECT FROM surveys) \
                           AND NOT EXISTS (SELECT FROM deliveries WHERE mark > done_mark)";
            Ok(sqlx::query_scalar::<_, bool>(at_rest).fetch_one(&mut connection).await?.then_some(()))
        })
        .await
    }

    /// Waits until everybody is there and nothing is left to do.
    pub(crate) async fn until_in_step(&self, people: u64) -> anyhow::Result<()> {
        let mut connection = self.cluster.connect(self.database).await?;
        wait_until(PATIENCE, "everybody is in step", async || {
            let count = "SELECT count(*) FILTER (WHERE state = 'in_step' AND resource_kind = 'user'), \
                         count(*) FILTER (WHERE mark > done_mark) FROM deliveries";
            let (in_step, dirty): (i64, i64) = sqlx::query_as(count).fetch_one(&mut connection).await?;
            Ok((u64::try_from(in_step)? == people && dirty == 0).then_some(()))
        })
        .await
    }

    /// Everybody who has an account.
    pub(crate) async fn ids(&self) -> anyhow::Result<Vec<Known>> {
        let mut connection = self.cluster.connect(self.database).await?;
        let links = "SELECT resource_id::text, remote_id FROM links WHERE resource_kind = 'user' ORDER BY resource_id";
        let rows: Vec<(String, String)> = sqlx::query_as(links).fetch_all(&mut connection).await?;
        Ok(rows.into_iter().map(|(id, userid)| Known { id, userid }).collect())
    }

    /// Sends changes at even intervals. Returns when each answer was there, by userid.
    async fn change(&self, changes: &[Change], per_second: u32) -> anyhow::Result<Vec<(String, Instant)>> {
        let mut connection = Connection::open(self.api.address).await?;
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / per_second);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut answered = Vec::new();
        let (host, token) = (&self.api.host, &self.api.token);
        for (turn, change) in (0..).zip(changes) {
            let (request, number) = match change {
                Change::Title(known) => (patch_request(&known.id, host, token), 0),
                Change::Join(number) => (Operation::Create.request(host, token), *number),
                Change::Leave(known) => (leave_request(&known.id, host, token), 0),
            };
            let mut template = Template::new(&request);
            ticks.tick().await;
            let answer = connection.ask(template.fill(number, turn)).await?;
            let at = Instant::now();
            ensure!((200..300).contains(&answer.status), "a change was answered with {}", answer.status);
            let userid = match change {
                Change::Title(known) | Change::Leave(known) => known.userid.clone(),
                Change::Join(_) => {
                    let made: Value = serde_json::from_slice(answer.body)?;
                    // The rules as they come make the userid of the SCIM id.
                    made.get("id").and_then(Value::as_str).context("an answer without an id")?.replace('-', "")
                }
            };
            answered.push((userid, at));
        }
        Ok(answered)
    }

    /// What the simulator says outside DingTalk's paths.
    pub(crate) async fn control(&mut self, what: &str) -> anyhow::Result<Value> {
        let request = format!("GET /_simulator/{what} HTTP/1.1\r\nHost: simulator\r\n\r\n");
        let answer = self.control.ask(request.as_bytes()).await?;
        ensure!(answer.status == 200, "the simulator answered {} to {what}", answer.status);
        Ok(serde_json::from_slice(answer.body)?)
    }

    async fn read_clock(&mut self) -> anyhow::Result<SimulatorClock> {
        let mut best: Option<SimulatorClock> = None;
        for _ in 0..READINGS {
            let before = Instant::now();
            let stats = self.control("stats").await?;
            let round_trip = before.elapsed();
            let elapsed = stats.get("elapsed_ms").and_then(Value::as_f64).context("no clock")?;
            let uncertainty = round_trip.as_secs_f64() * 500.0;
            if best.as_ref().is_none_or(|best| uncertainty < best.uncertainty) {
                best = Some(SimulatorClock { instant: before + round_trip / 2, elapsed: elapsed + 0.5, uncertainty });
            }
        }
        best.context("the clock was not read")
    }
}

/// One reading of the simulator's clock, in milliseconds.
struct SimulatorClock {
    instant: Instant,
    elapsed: f64,
    uncertainty: f64,
}

impl SimulatorClock {
    /// A moment of our clock, on the simulator's.
    fn on_simulator(&self, at: Instant) -> f64 {
        let after = at.checked_duration_since(self.instant).map(|time| time.as_secs_f64());
        let before = self.instant.checked_duration_since(at).map(|time| -time.as_secs_f64());
        self.elapsed + after.or(before).unwrap_or(0.0) * 1000.0
    }
}
