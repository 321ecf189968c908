//! What all runs of a process share: a database, doors in front of it and of the simulator, and connections that stay
//! open.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::body::Bytes;
use axum::http::{Method, Request};
use rollcall_dingtalk::Connections;
use rollcall_provisioning::ids::{TargetId, TenantId};
use rollcall_reconciler::{Options, Reconciler};
use rollcall_scim::profile::Profile;
use rollcall_simulator::{Simulator, Switches};
use rollcall_store::projection::{NewTarget, TargetMode};
use rollcall_store::{Ports, Store};
use rollcall_tests::{Database, Scratch};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use super::contacts::KEEPER;
use super::directory::Directory;
use super::gate::At;
use super::ports::{Factory, GatedBudget, Series, SharedClock};
use super::random::Random;
use super::script::Script;
use super::{gateway, proxy};

/// The most workers of a run.
pub(crate) const WORKERS: usize = 3;
/// Calls that DingTalk permits one application to one API in a second: few, so that they are soon used up.
pub(crate) const CALLS_A_SECOND: usize = 5;
/// How long a claim holds without a sign of life.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// The database's clocks are those of the run, and what must never happen in a table is noted.
const SCENE: &str = "
    CREATE SCHEMA sim;
    CREATE SEQUENCE sim.clock_ms;
    CREATE FUNCTION sim.now() RETURNS timestamptz STABLE LANGUAGE sql AS
        'SELECT to_timestamp(last_value / 1000.0) FROM sim.clock_ms';
    CREATE FUNCTION sim.clock_timestamp() RETURNS timestamptz STABLE LANGUAGE sql AS
        'SELECT to_timestamp(last_value / 1000.0) FROM sim.clock_ms';
    CREATE TABLE sim.wrongs (what text NOT NULL);
    CREATE FUNCTION sim.watch() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO sim.wrongs VALUES (format('%s: applied_version %s after %s', NEW.resource_id,
            COALESCE(NEW.applied_version::text, 'none'), OLD.applied_version));
        RETURN NULL;
    END $$;
    CREATE TRIGGER sim_watch AFTER UPDATE ON deliveries FOR EACH ROW
        WHEN (OLD.applied_version IS NOT NULL AND (NEW.applied_version IS NULL OR NEW.applied_version < OLD.applied_version))
        EXECUTE FUNCTION sim.watch();";

/// What is kept between runs.
pub(crate) struct Stage {
    pub(crate) admin: PgConnection,
    /// The script's own way to the directory, without gates.
    pub(crate) store: Store,
    pub(crate) clock: Arc<SharedClock>,
    series: Arc<Series>,
    pub(crate) doors: Vec<Door>,
    wipe: String,
    /// Dropped last: they serve the doors, and hold the database and the folder of its sockets.
    _held: (JoinSet<()>, Scratch, Database),
}

/// A worker's way to the world.
pub(crate) struct Door {
    store: Store,
    factory: Arc<Factory>,
    pub(crate) stands: UnboundedReceiver<At>,
}

/// What a run begins with.
pub(crate) struct Set {
    pub(crate) simulator: Simulator,
    pub(crate) directory: Directory,
    pub(crate) target: TargetId,
}

impl Stage {
    /// Makes everything.
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let (database, scratch) = (Database::new().await?, Scratch::new()?);
        let mut admin = PgConnection::connect(database.url()).await?;
        sqlx::raw_sql(SCENE).execute(&mut admin).await?;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
               AND relname <> '_sqlx_migrations' ORDER BY 1",
        )
        .fetch_all(&mut admin)
        .await?;
        let quiet = tables.iter().map(|name| format!("ALTER TABLE {name} SET (autovacuum_enabled = false);"));
        sqlx::raw_sql(AssertSqlSafe(quiet.collect::<String>())).execute(&mut admin).await?;
        let sequences: Vec<String> = sqlx::query_scalar(
            "SELECT format('%I', relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
             ORDER BY 1",
        )
        .fetch_all(&mut admin)
        .await?;
        // Truncating would make new files for every table and index, which takes far longer than a few rows do.
        let deletes = tables.iter().map(|name| format!("DELETE FROM {name};"));
        let restarts = sequences.iter().map(|name| format!("SELECT setval('{name}', 1, false);"));
        let wipe = format!(
            "BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM sim.wrongs; {}{} COMMIT;",
            deletes.collect::<String>(),
            restarts.collect::<String>()
        );
        let (clock, series) = (Arc::new(SharedClock::default()), Arc::new(Series::default()));
        let ports = || Ports { clock: clock.clone(), ids: series.clone() };
        // Plans that do not depend on values are made once, and are the same in every run.
        let options = "-csearch_path%3Dsim,public,pg_catalog%20-cplan_cache_mode%3Dforce_generic_plan%20-cjit%3Doff";
        let url = format!("{}&options={options}", database.url());
        let store = Store::connect(&url, 2, ports()).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let upstream = socket(database.url())?;
        // Real time, in which a worker may stand at a gate.
        let connections = Connections::new(Duration::from_mins(10))?;
        let (mut serving, mut gates, mut doors) = (JoinSet::new(), Vec::new(), Vec::new());
        for worker in 0..WORKERS {
            let (gate, stands) = unbounded_channel();
            let folder = scratch.path().join(worker.to_string());
            std::fs::create_dir(&folder)?;
            let listener = UnixListener::bind(folder.join(upstream.file_name().context("no socket")?))?;
            serving.spawn(proxy::serve(listener, upstream.clone(), gate.clone()));
            let url = through(&url, &folder.to_string_lossy());
            let store = Store::connect(&url, 2, ports()).await?;
            let budget = Arc::new(GatedBudget { store: store.clone(), gate: gate.clone() });
            let factory =
                Arc::new(Factory { base: format!("{base}/w{worker}"), budget, connections: connections.clone() });
            gates.push(gate);
            doors.push(Door { store, factory, stands });
        }
        serving.spawn(gateway::serve(listener, gates));
        Ok(Self { admin, store, clock, series, doors, wipe, _held: (serving, scratch, database) })
    }

    /// Everything back to the beginning, as the script's seed wants it.
    pub(crate) async fn set(&mut self, script: &Script) -> anyhow::Result<Set> {
        sqlx::raw_sql(AssertSqlSafe(self.wipe.clone())).execute(&mut self.admin).await?;
        let clock = self.clock.restart();
        self.series.restart();
        self.tell_time().await?;
        let mut random = Random::new(script.seed ^ 0xd196_7a1c);
        let switches = Switches {
            departed_userid_is_taken: random.chance(50),
            invitation_keeps_userid: random.chance(50),
            same_day_rejoin_needs_consent: random.chance(30),
            reverses_undocumented_order: random.chance(50),
            cascade_empty_children: random.chance(30),
            ..Switches::default()
        };
        let options = rollcall_simulator::Options {
            seed: script.seed,
            switches,
            qps: CALLS_A_SECOND,
            ..rollcall_simulator::Options::default()
        };
        let simulator = Simulator::with_clock(options, clock);
        let keeper = json!({ "action": "create_user", "userid": KEEPER, "name": KEEPER, "mobile": "13700000000",
                             "dept_id_list": "1" });
        ask(&simulator, Method::POST, "edit", Some(&keeper)).await?;
        let sold = json!({ "enterprise_accounts": true });
        ask(&simulator, Method::PATCH, "organisation", Some(&sold)).await?;
        let tenant = self.store.create_tenant("tenant").await?.id;
        let source = self.store.create_source(tenant, "okta", &Profile::generic()).await?.id;
        let new = NewTarget {
            id: self.store.new_target_id(),
            name: "dingtalk".to_owned(),
            kind: "dingtalk".to_owned(),
            settings: json!({}),
            secret_sealed: Vec::new(),
            mode: if random.chance(20) { TargetMode::Rehearsal } else { TargetMode::Live },
        };
        let target = self.store.create_target(tenant, &new).await?;
        Ok(Set { simulator, directory: Directory::new(tenant, source), target })
    }

    /// A worker's process, just started.
    pub(crate) fn reconciler(&self, worker: usize) -> anyhow::Result<Reconciler> {
        let door = self.doors.get(worker).context("no such worker")?;
        let options = Options {
            worker: format!("w{worker}"),
            places: 1,
            leaver_places: 1,
            lease: LEASE,
            poll: Duration::from_hours(1),
            page: 3,
            // Real time, in which the worker may stand at a gate.
            limit: Duration::from_hours(1),
        };
        Ok(Reconciler::new(door.store.clone(), door.factory.clone(), self.clock.clone(), options))
    }

    /// Lets the database's clocks show what the run's clock shows.
    pub(crate) async fn tell_time(&mut self) -> anyhow::Result<()> {
        let ms = self.clock.ms();
        sqlx::query("SELECT setval('sim.clock_ms', $1)").bind(ms).execute(&mut self.admin).await?;
        Ok(())
    }

    /// Whether the target sends, as the table says.
    pub(crate) async fn mode(&mut self, tenant: TenantId) -> anyhow::Result<String> {
        let sql = "SELECT mode FROM targets WHERE tenant_id = $1";
        Ok(sqlx::query_scalar(sql).bind(tenant.0).fetch_one(&mut self.admin).await?)
    }
}

/// Asks the simulator itself. Its own paths answer in JSON, or with nothing.
pub(crate) async fn ask(
    simulator: &Simulator,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Value> {
    let (status, answer) = tell(simulator, method, path, body).await?;
    ensure!(status < 300, "{path}: {status} {answer}");
    Ok(answer)
}

/// The same; a refusal is an answer too.
pub(crate) async fn tell(
    simulator: &Simulator,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<(u16, Value)> {
    let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let request = Request::builder().method(method).uri(format!("/_simulator/{path}"));
    let answer = simulator.respond(request.header("content-type", "application/json").body(bytes)?).await;
    Ok((answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default()))
}

fn parameters(url: &str) -> HashMap<&str, &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    query.split('&').filter_map(|pair| pair.split_once('=')).collect()
}

/// The socket behind a URL that names a folder.
fn socket(url: &str) -> anyhow::Result<std::path::PathBuf> {
    let parameters = parameters(url);
    let folder = parameters.get("host").context("the simulation needs a Postgres on a Unix socket")?;
    let port = parameters.get("port").copied().unwrap_or("5432");
    Ok(std::path::Path::new(&folder.replace("%2F", "/").replace("%2D", "-")).join(format!(".s.PGSQL.{port}")))
}

/// The same URL with another folder.
fn through(url: &str, folder: &str) -> String {
    match parameters(url).get("host") {
        Some(host) => url.replacen(&format!("host={host}"), &format!("host={folder}"), 1),
        None => url.to_owned(),
    }
}
