//! How long it takes to plan everybody: what other rules change, and what a new target would get.
//!
//! The product projects a few hundred people of as many departments onto the simulator; Postgres then copies their rows,
//! with links and snapshots, so that everything is as if all of them had been projected. The first save changes nothing,
//! the second changes everybody, and then a second target is made in rehearsal, where nobody is yet. Each time it is
//! measured how long it takes from the command until everybody has been looked at, and until a plan of it is made.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rollcall_tests::wait_until;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::cluster::Cluster;
use crate::figures::Table;
use crate::load::Connection;
use crate::operation::{FIRST, ID_PREFIX, NUMBER, person, request};
use crate::options::Planning;
use crate::product::{Api, Product};
use crate::usage::memory;

/// A database of its own.
const DATABASE: &str = "rollcall_planning";

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// DingTalk takes 20 creations a second.
const PATIENCE: Duration = Duration::from_mins(10);

/// Seconds that everything together may take for 100,000 people.
const GOAL_SECONDS: f64 = 10.0;

/// Memory that the server may take at most, in MiB.
const GOAL_MEMORY: f64 = 500.0;

/// Fills, measures and prints.
pub(crate) async fn measure(options: &Planning, binary: &Path, cluster: &Cluster) -> anyhow::Result<()> {
    cluster.execute(&[&format!("CREATE DATABASE {DATABASE}")]).await?;
    let product = Product::new(binary, cluster.url(DATABASE), cluster.folder().join("planning"))?;
    let simulator = product.simulate().await?;
    let simulator_url = format!("http://{}", simulator.address);
    let tenant = product.set_up(&simulator_url, "live").await?;
    let mut postgres = cluster.connect(DATABASE).await?;

    let server = product.serve("all").await?;
    let models = create_models(&tenant.api(&server), options.departments).await?;
    until_looked_at(&mut postgres).await?;
    server.stop().await?;
    let start = Instant::now();
    copy(&mut postgres, &models, options.people).await?;
    println!(
        "{} people in {} departments: filled in {:.0} s",
        options.people,
        options.departments,
        start.elapsed().as_secs_f64()
    );

    let mut world = World { product: &product, postgres, simulator: Connection::open(simulator.address).await? };
    let server = product.serve("all").await?;
    let mut table = Table::new(&["", "looked at", "planned", "changes", "calls", "goal"]);
    for (name, title) in [
        ("other rules that change nobody", "user.title + \"\""),
        ("other rules that change everybody", "upper(user.title)"),
    ] {
        let file = world.mapping(title).await?;
        table.row(world.plan(name, &["mapping", "save", &file], "dingtalk").await?);
    }
    let settings = ["--app-key", "dingsimulator", "--app-secret-file", "app-secret", "--oapi-url", &simulator_url];
    let new =
        [["target", "create", "second", "--mode", "rehearsal"].as_slice(), &settings, &["--api-url", &simulator_url]];
    table.row(world.plan("a new target in rehearsal", &new.concat(), "second").await?);
    println!("\n{table}");
    let used = memory(server.pid()?)?;
    println!("Memory of the server: {:.0} MiB at most; the goal is {GOAL_MEMORY:.0} MiB.", used.peak);
    server.stop().await?;
    simulator.stop().await
}

struct World<'a> {
    product: &'a Product,
    postgres: PgConnection,
    simulator: Connection,
}

impl World<'_> {
    /// Writes the document that counts with another rule for titles into a file, and returns its name.
    async fn mapping(&mut self, title: &str) -> anyhow::Result<String> {
        let mut shown = self.product.run(&["mapping", "show"]).await?;
        let document = shown.get_mut("document").context("a mapping without a document")?;
        *document.pointer_mut("/account/title/value").context("no rule for titles")? = json!(title);
        let file = "mapping.json".to_owned();
        fs::write(self.product.folder().join(&file), document.to_string())?;
        Ok(file)
    }

    /// Runs a command after which everybody must be looked at, and makes a plan then.
    async fn plan(&mut self, name: &str, command: &[&str], target: &str) -> anyhow::Result<Vec<String>> {
        let before = self.calls().await?;
        let start = Instant::now();
        self.product.run(command).await?;
        until_looked_at(&mut self.postgres).await?;
        let looked_at = start.elapsed().as_secs_f64();
        let (changes,): (i64,) = sqlx::query_as(
            "SELECT count(*) FROM deliveries d JOIN targets t ON t.id = d.target_id WHERE t.name = $1 AND d.state = 'held'",
        )
        .bind(target)
        .fetch_one(&mut self.postgres)
        .await?;
        let planning = Instant::now();
        if changes > 0 {
            self.product.make_plan(target).await?;
        }
        let planned = looked_at + planning.elapsed().as_secs_f64();
        let calls = self.calls().await? - before;
        let goal = if planned <= GOAL_SECONDS { "reached" } else { "missed" };
        Ok(vec![
            name.to_owned(),
            format!("{looked_at:.1} s"),
            format!("{planned:.1} s"),
            changes.to_string(),
            calls.to_string(),
            format!("{GOAL_SECONDS:.0} s: {goal}"),
        ])
    }

    /// How many calls the simulator has taken.
    async fn calls(&mut self) -> anyhow::Result<u64> {
        let request = "GET /_simulator/calls?limit=0 HTTP/1.1\r\nHost: simulator\r\n\r\n";
        let answer = self.simulator.ask(request.as_bytes()).await?;
        let body: Value = serde_json::from_slice(answer.body)?;
        body.get("last_seq").and_then(Value::as_u64).context("no last call")
    }
}

/// One person of each department, and their ids.
async fn create_models(api: &Api, departments: u32) -> anyhow::Result<Vec<String>> {
    let mut http = Connection::open(api.address).await?;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..departments {
        let own = format!("{:012}", FIRST - u64::from(number) - 1);
        let mut body: Value = serde_json::from_str(&person().to_string().replace(NUMBER, &own))?;
        let enterprise = body.get_mut(ENTERPRISE).and_then(Value::as_object_mut).context("no enterprise extension")?;
        enterprise.insert("department".to_owned(), json!(format!("Department {number:04}")));
        if let Some(first) = ids.first() {
            enterprise.insert("manager".to_owned(), json!({ "value": first }));
        }
        let answer = http.ask(request("POST", "/scim/v2/Users", Some(&body), &api.host, &api.token).as_bytes()).await?;
        ensure!(answer.status == 201, "a person: {}", String::from_utf8_lossy(answer.body));
        let made: Value = serde_json::from_slice(answer.body)?;
        ids.push(made.get("id").and_then(Value::as_str).context("an answer without an id")?.to_owned());
    }
    Ok(ids)
}

/// Copies the people with all that is known of them, until there are so many.
async fn copy(postgres: &mut PgConnection, models: &[String], people: u32) -> anyhow::Result<()> {
    let each = people / u32::try_from(models.len())?;
    for (table, id) in
        [("users", "id"), ("deliveries", "resource_id"), ("links", "resource_id"), ("placements", "user_id")]
    {
        let (columns, copied): (String, String) = sqlx::query_as(
            "SELECT string_agg(quote_ident(attname), ', '), string_agg('copy.' || quote_ident(attname), ', ')
             FROM pg_attribute
             WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attidentity = ''
               AND attgenerated = ''",
        )
        .bind(table)
        .fetch_one(&mut *postgres)
        .await?;
        // A person's number, as it is and as DingTalk writes it, and its id with and without dashes are all that tells two
        // copies apart.
        let insert = format!(
            "WITH model AS MATERIALIZED (
                 SELECT t.{id}::text AS id, replace(t.{id}::text, '-', '') AS userid, m.at - 1 AS at,
                        lpad(({FIRST} - m.at)::text, 12, '0') AS number, to_jsonb(t)::text AS row
                 FROM unnest($1::uuid[]) WITH ORDINALITY AS m (id, at) JOIN {table} t ON t.{id} = m.id)
             INSERT INTO {table} ({columns})
             SELECT {copied} FROM model
             CROSS JOIN LATERAL (SELECT lpad(({FIRST} + model.at * {each} + n)::text, 12, '0') AS number
                                 FROM generate_series(0, {each} - 1) n) n
             CROSS JOIN LATERAL jsonb_populate_record(NULL::{table},
                 replace(replace(replace(replace(model.row, model.id, '{ID_PREFIX}' || n.number), model.userid,
                                         replace('{ID_PREFIX}', '-', '') || n.number), model.number, n.number),
                         '+971-' || substr(model.number, 4), '+971-' || substr(n.number, 4))::jsonb) copy
             WHERE model.at > 0"
        );
        sqlx::query(AssertSqlSafe(insert))
            .bind(models.iter().map(|id| id.parse()).collect::<Result<Vec<uuid::Uuid>, _>>()?)
            .execute(&mut *postgres)
            .await
            .with_context(|| format!("copying {table}"))?;
    }
    sqlx::raw_sql("VACUUM ANALYZE").execute(&mut *postgres).await?;
    sqlx::raw_sql("CHECKPOINT").execute(&mut *postgres).await?;
    Ok(())
}

/// Waits until nothing is left to be looked at.
async fn until_looked_at(postgres: &mut PgConnection) -> anyhow::Result<()> {
    wait_until(PATIENCE, "everybody has been looked at", async || {
        let at_rest: bool = sqlx::query_scalar(
            "SELECT NOT EXISTS (SELECT FROM surveys)
                AND NOT EXISTS (SELECT FROM deliveries WHERE state IN ('pending', 'applying', 'retrying', 'waiting'))",
        )
        .fetch_one(&mut *postgres)
        .await?;
        Ok(at_rest.then_some(()))
    })
    .await
}
