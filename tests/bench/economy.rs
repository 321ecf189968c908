//! What the first projection costs, and how fast it is beside what DingTalk permits.
//!
//! People with departments and managers are pushed while the target is paused. Then it goes live, and everything runs to
//! its end against a simulator whose every answer takes as long as it is told. How many calls there were, how fast the
//! creations came and what the simulator refused is the simulator's own count. Afterwards nothing changes for a while,
//! the same titles are sent once more, a group of everybody becomes a role, and then people change evenly: first titles,
//! joiners and leavers as they come in a day, then titles alone, as fast as DingTalk takes calls of one API.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rollcall_tests::wait_until;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::figures::Table;
use crate::load::Connection;
use crate::operation::{FIRST, NUMBER, person, request};
use crate::options::Economy;
use crate::product::{Api, Product, Running};
use crate::projection::{Change, World};
use crate::usage::memory;

/// A database of its own.
const DATABASE: &str = "rollcall_economy";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The API that makes accounts, and so the one that a first projection waits for.
const CREATION: &str = "/topapi/v2/user/create";

/// The share of the permitted rate that creations are to reach.
const GOAL_RATE: f64 = 0.95;

/// Calls for a person whose departments and manager are there.
const GOAL_CALLS: f64 = 1.05;

/// The slowest but one in a hundred of steady changes, in milliseconds.
const GOAL_P99: f64 = 1000.0;

/// How long nothing happens.
const QUIET: Duration = Duration::from_secs(20);

/// How often the memory is read while accounts are made.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Fills, measures and prints.
pub(crate) async fn measure(options: &Economy, binary: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    cluster.execute(&[&format!("CREATE DATABASE {DATABASE}")]).await?;
    let product = Product::new(binary, cluster.url(DATABASE), cluster.folder().join("economy"))?;
    let simulator = product.simulate().await?;
    let simulator_url = format!("http://{}", simulator.address);
    let tenant = product.set_up(&simulator_url, "paused").await?;
    let server = product.serve("all").await?;
    let api = tenant.api(&server);
    let mut world = World::new(cluster, DATABASE, api.clone(), simulator.address).await?;
    world.slow_down(options.latency).await?;

    let ids = push(&api, options).await?;
    let mut table = Table::new(&["", "measured", "goal"]);
    let mut row = |what: &str, measured: String, goal: String| {
        // It takes long: what is known is shown at once.
        println!("{what}: {measured} ({goal})");
        table.row([what.to_owned(), measured, goal]);
    };

    let before = Counted::read(&mut world).await?;
    let start = Instant::now();
    product.run(&["target", "mode", "dingtalk", "live"]).await?;
    let (quarter, end) = watch(&mut world, &server, options.people).await?;
    world.until_in_step(u64::from(options.people)).await?;
    let taken = start.elapsed().as_secs_f64();
    let after = Counted::read(&mut world).await?;
    let (calls, creations) = (after.calls - before.calls, f64::from(options.people));
    let rate = creations / taken;
    let share = rate / after.permitted;
    row(
        "creations in a second, of those permitted",
        format!("{rate:.1} of {:.0}: {:.1} %", after.permitted, share * 100.0),
        format!("{:.0} %: {}", GOAL_RATE * 100.0, word(share >= GOAL_RATE)),
    );
    row(
        "most calls of one API in any second",
        after.highest.to_string(),
        format!("{:.0}: {}", after.permitted, word(f64::from(after.highest) <= after.permitted)),
    );
    row("calls that were too much", after.throttled.to_string(), format!("0: {}", word(after.throttled == 0)));
    let people_calls = calls - f64::from(options.departments);
    row(
        "calls for a person, besides one for each department",
        format!("{:.3}", people_calls / creations),
        format!("{GOAL_CALLS}: {}", word(people_calls / creations <= GOAL_CALLS)),
    );
    row("memory with a quarter of them there", format!("{quarter:.0} MiB"), String::new());
    row("memory with all of them there", format!("{end:.0} MiB"), format!("as much: {}", word(end <= quarter * 1.25)));

    sleep(QUIET).await;
    let quiet = Counted::read(&mut world).await?;
    same_again(&api, &ids).await?;
    world.until_in_step(u64::from(options.people)).await?;
    let again = Counted::read(&mut world).await?;
    let idle = again.calls - after.calls;
    ensure!(quiet.calls <= again.calls, "the simulator forgot calls");
    row(
        "calls when nothing changes, and when the same is sent again",
        format!("{idle:.0}"),
        format!("0: {}", word(idle == 0.0)),
    );

    let members = ids.len().min(options.members);
    let role = role(&product, &api, &mut world, ids.get(..members).unwrap_or_default()).await?;
    let batches = members.div_ceil(20);
    row(
        &format!("calls for a role of {members} people, 20 a call"),
        format!("{role:.0}"),
        format!("{batches} and 4 to find and make it: {}", word(role <= f64::from(u32::try_from(batches)?) + 4.0)),
    );

    // In a minute as much changes as in a week, and nobody is there to release it.
    let guards = ["people.create", "people.remove", "source.deactivate", "fields.changed"];
    let limits: Map<String, Value> =
        guards.iter().map(|guard| ((*guard).to_owned(), json!({ "floor": 1_000_000, "share": 1.0 }))).collect();
    std::fs::write(product.folder().join("limits.json"), Value::Object(limits).to_string())?;
    product.run(&["guards", "set", "limits.json"]).await?;
    for (name, changes) in [("changes", mixed(&world, options).await?), ("titles", titles(&world, options).await?)] {
        let steady = world.steady(changes, options.per_second, &server).await?;
        let late = steady.p99 + f64::from(options.latency);
        row(
            &format!("{} {name} a second until accepted, p50 and p99", options.per_second),
            format!("{:.0} ms, {late:.0} ms", steady.p50 + f64::from(options.latency)),
            format!("{GOAL_P99:.0} ms: {}", word(late <= GOAL_P99)),
        );
    }
    let last = Counted::read(&mut world).await?;
    row("calls that were too much, in all", last.throttled.to_string(), format!("0: {}", word(last.throttled == 0)));
    row("memory at the end", format!("{:.0} MiB", memory(server.pid()?)?.resident), String::new());
    println!(
        "{} people in {} departments, {} ms for each answer of the simulator; the first projection took {taken:.0} s\n\n{table}",
        options.people, options.departments, options.latency
    );
    server.stop().await?;
    simulator.stop().await
}

/// Of twenty changes sixteen are new titles, three are joiners, and one is a leaver: each kind has an API of its own.
async fn mixed(world: &World<'_>, options: &Economy) -> anyhow::Result<Vec<Change>> {
    let mut known = world.ids().await?.into_iter().rev();
    let mut numbers = FIRST + u64::from(options.people)..;
    (0..options.per_second * options.seconds)
        .map(|turn| match turn % 20 {
            0 => known.next().map(Change::Leave).context("too few people"),
            5 | 10 | 15 => numbers.next().map(Change::Join).context("too few numbers"),
            _ => known.next().map(Change::Title).context("too few people"),
        })
        .collect()
}

/// Nothing but new titles, which are all calls of one API.
async fn titles(world: &World<'_>, options: &Economy) -> anyhow::Result<Vec<Change>> {
    let count = usize::try_from(options.per_second * options.seconds)?;
    Ok(world.ids().await?.into_iter().take(count).map(Change::Title).collect())
}

/// What the simulator has counted.
struct Counted {
    calls: f64,
    throttled: u64,
    highest: u32,
    permitted: f64,
    created: u64,
}

impl Counted {
    async fn read(world: &mut World<'_>) -> anyhow::Result<Self> {
        let stats = world.control("stats").await?;
        let apis = stats.get("apis").and_then(Value::as_object).context("no sums")?;
        let highest = apis.values().filter_map(|api| api.get("highest_per_second")?.as_u64()).max().unwrap_or(0);
        let created = apis.get(CREATION).and_then(|api| api.get("committed")?.as_u64()).unwrap_or(0);
        Ok(Self {
            calls: stats.get("calls").and_then(Value::as_f64).context("no sum of calls")?,
            throttled: stats.get("throttled").and_then(Value::as_u64).context("no sum of refusals")?,
            highest: u32::try_from(highest)?,
            permitted: stats.get("qps").and_then(Value::as_f64).context("no limit")?,
            created,
        })
    }
}

fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "missed" }
}

/// Sends everybody, those first who are the managers of the others of their department. Returns their ids.
async fn push(api: &Api, options: &Economy) -> anyhow::Result<Vec<String>> {
    let mut http = Connection::open(api.address).await?;
    let departments = usize::try_from(options.departments)?;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..usize::try_from(options.people)? {
        let own = format!("{:012}", FIRST + u64::try_from(number)?);
        let mut body: Value = serde_json::from_str(&person().to_string().replace(NUMBER, &own))?;
        let enterprise = body.get_mut(ENTERPRISE).and_then(Value::as_object_mut).context("no enterprise extension")?;
        enterprise.insert("department".to_owned(), json!(format!("Department {:04}", number % departments)));
        if let Some(manager) = ids.get(number % departments) {
            enterprise.insert("manager".to_owned(), json!({ "value": manager }));
        }
        let answer = http.ask(request("POST", "/scim/v2/Users", Some(&body), &api.host, &api.token).as_bytes()).await?;
        ensure!(answer.status == 201, "a person: {}", String::from_utf8_lossy(answer.body));
        let made: Value = serde_json::from_slice(answer.body)?;
        ids.push(made.get("id").and_then(Value::as_str).context("an answer without an id")?.to_owned());
    }
    Ok(ids)
}

/// Waits until everybody has been created. Returns the memory when a quarter was there, and at the end, in MiB.
async fn watch(world: &mut World<'_>, server: &Running, people: u32) -> anyhow::Result<(f64, f64)> {
    let pid = server.pid()?;
    let mut quarter = None;
    let patience = Duration::from_secs(u64::from(people) / 10 + 60);
    wait_until(patience, "everybody has an account", async || {
        sleep(LOOK_EVERY).await;
        let created = Counted::read(world).await?.created;
        if quarter.is_none() && created * 4 >= u64::from(people) {
            quarter = Some(memory(pid)?.resident);
        }
        Ok((created >= u64::from(people)).then_some(()))
    })
    .await?;
    Ok((quarter.context("it was too fast to be looked at")?, memory(pid)?.resident))
}

/// Sends titles that people have already.
async fn same_again(api: &Api, ids: &[String]) -> anyhow::Result<()> {
    let mut http = Connection::open(api.address).await?;
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "title", "value": "Engineer" }],
    });
    for id in ids {
        let path = format!("/scim/v2/Users/{id}");
        let answer = http.ask(request("PATCH", &path, Some(&body), &api.host, &api.token).as_bytes()).await?;
        ensure!(answer.status == 200, "the same again: {}", String::from_utf8_lossy(answer.body));
    }
    Ok(())
}

/// Makes a group of these people, of which the rules make a role. Returns how many calls it took.
async fn role(product: &Product, api: &Api, world: &mut World<'_>, ids: &[String]) -> anyhow::Result<f64> {
    let mut shown = product.run(&["mapping", "show"]).await?;
    let document = shown.get_mut("document").and_then(Value::as_object_mut).context("a mapping without a document")?;
    document.insert("groups".to_owned(), json!([{ "name": "all", "when": "true", "becomes": "role" }]));
    let file = product.folder().join("groups.json");
    std::fs::write(&file, Value::Object(document.clone()).to_string())?;
    product.run(&["mapping", "save", "groups.json"]).await?;
    world.until_at_rest().await?;
    let before = Counted::read(world).await?;
    let mut http = Connection::open(api.address).await?;
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everybody" });
    let answer = http.ask(request("POST", "/scim/v2/Groups", Some(&body), &api.host, &api.token).as_bytes()).await?;
    ensure!(answer.status == 201, "a group: {}", String::from_utf8_lossy(answer.body));
    let made: Value = serde_json::from_slice(answer.body)?;
    let id = made.get("id").and_then(Value::as_str).context("an answer without an id")?;
    let members: Vec<Value> = ids.iter().map(|id| json!({ "value": id })).collect();
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "add", "path": "members", "value": members }],
    });
    let path = format!("/scim/v2/Groups/{id}");
    let answer = http.ask(request("PATCH", &path, Some(&body), &api.host, &api.token).as_bytes()).await?;
    ensure!(answer.status == 200, "its members: {}", String::from_utf8_lossy(answer.body));
    world.until_at_rest().await?;
    Ok(Counted::read(world).await?.calls - before.calls)
}
