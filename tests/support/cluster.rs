//! The Postgres cluster that all tests of one run share.
//!
//! `DATABASE_URL` names it; without that, the first test process starts a throw-away cluster in the temporary folder,
//! and the others join it under a file lock. The runner is our parent process: `cargo`, or nextest, which runs each
//! test in a process of its own. A keeper process holds the cluster until the runner has gone, then removes it.
//!
//! Every cluster has a template database with all migrations applied, named by their hash. A throw-away cluster starts
//! as a copy of a golden one, so that neither `initdb` nor the migrations run twice on a machine.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail, ensure};
use rollcall_server::postgres::{Durability, Postgres, Search, installed_major};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::sync::OnceCell;

/// Golden copies of older migrations that are kept: switching between two branches costs nothing then.
const GOLDEN_COPIES: usize = 3;

/// Waits for the runner to end, then closes its hold on the cluster (standard input), waits until Postgres has
/// stopped, and removes the folder.
const KEEPER: &str = r#"
trap '' HUP INT
while kill -0 "$1" 2>/dev/null; do sleep 1; done
exec </dev/null
tries=0
while [ -e "$2/postgres/data/postmaster.pid" ] && [ "$tries" -lt 60 ]; do tries=$((tries + 1)); sleep 1; done
rm -rf "$2"
"#;

/// A server on which tests make databases.
#[derive(Debug)]
pub(crate) struct Cluster {
    admin_url: String,
    template: String,
    /// Held until this process ends; `None` for the server of `DATABASE_URL`.
    _postgres: Option<Postgres>,
}

impl Cluster {
    /// The cluster of this test run.
    pub(crate) async fn shared() -> anyhow::Result<&'static Self> {
        static SHARED: OnceCell<Cluster> = OnceCell::const_new();
        SHARED.get_or_try_init(Self::connect).await
    }

    async fn connect() -> anyhow::Result<Self> {
        let template = format!("rollcall_template_{}", migrations_hash());
        if let Some(url) = variable("DATABASE_URL") {
            create_template(&url, &template).await.context("on the server of DATABASE_URL")?;
            return Ok(Self { admin_url: url, template, _postgres: None });
        }
        let postgres = throw_away(&template).await.context("starting a throw-away Postgres for the tests")?;
        let admin_url = postgres.url("postgres");
        create_template(&admin_url, &template).await?;
        Ok(Self { admin_url, template, _postgres: Some(postgres) })
    }

    /// The URL of one database.
    pub(crate) fn url(&self, database: &str) -> String {
        with_database(&self.admin_url, database)
    }

    /// Copies the template. The new database is private to the caller.
    pub(crate) async fn create(&self, database: &str) -> anyhow::Result<()> {
        let template = &self.template;
        // Copying files takes milliseconds; copying through the write-ahead log, the default, takes far longer.
        let sql = format!("CREATE DATABASE {database} TEMPLATE {template} STRATEGY file_copy");
        execute(&self.admin_url, sql).await
    }

    /// Copies a database. Whoever is connected to it is disconnected.
    pub(crate) async fn copy(&self, database: &str, copy: &str) -> anyhow::Result<()> {
        let sessions =
            format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'");
        execute(&self.admin_url, sessions).await?;
        execute(&self.admin_url, format!("CREATE DATABASE {copy} TEMPLATE {database} STRATEGY file_copy")).await
    }

    /// Puts a copy into the place of a database.
    pub(crate) async fn replace(&self, database: &str, copy: &str) -> anyhow::Result<()> {
        self.drop(database).await?;
        execute(&self.admin_url, format!("ALTER DATABASE {copy} RENAME TO {database}")).await
    }

    /// Drops a database, also when somebody is still connected to it.
    pub(crate) async fn drop(&self, database: &str) -> anyhow::Result<()> {
        execute(&self.admin_url, format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await
    }
}

async fn execute(url: &str, sql: String) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(url).await.context("connecting to the tests' Postgres")?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await;
    done.with_context(|| sql)?;
    Ok(connection.close().await?)
}

/// Makes the template if it is missing. It takes its final name when it is complete, and nobody may connect to it
/// after that, since Postgres cannot copy a database that is in use.
async fn create_template(admin_url: &str, template: &str) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(admin_url).await.context("connecting to the tests' Postgres")?;
    // Any number that nobody else uses: it keeps two test processes from building at once.
    sqlx::query("SELECT pg_advisory_lock(76437644)").execute(&mut admin).await?;
    let exists: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(template)
        .fetch_one(&mut admin)
        .await?;
    if !exists {
        let building = format!("{template}_building");
        for sql in [format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"), format!("CREATE DATABASE {building}")] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await?;
        }
        let mut connection = PgConnection::connect(&with_database(admin_url, &building)).await?;
        rollcall_store::MIGRATOR.run(&mut connection).await.context("applying the migrations")?;
        connection.close().await?;
        for sql in [
            format!("ALTER DATABASE {building} ALLOW_CONNECTIONS false"),
            format!("ALTER DATABASE {building} RENAME TO {template}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await?;
        }
    }
    // Closing the session gives the lock back.
    Ok(admin.close().await?)
}

/// Starts or joins this run's throw-away cluster.
async fn throw_away(template: &str) -> anyhow::Result<Postgres> {
    let search = Search { bin_dir: variable("ROLLCALL_PG_BIN").map(PathBuf::from), path: std::env::var_os("PATH") };
    let base = base_folder()?;
    let lock = File::create(base.join("lock")).context("opening the lock of the tests")?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;

    let runner = rustix::process::getppid().context("this process has no parent")?.as_raw_nonzero().get();
    let run = base.join(format!("run-{runner}"));
    remove_abandoned_runs(&base);
    if !run.exists() {
        let golden = golden(&base, template, &search).await?;
        copy(&golden, &run)?;
    }
    let postgres = Postgres::start(&run, Durability::None, &search).await?;
    if !postgres.joined() {
        start_keeper(&postgres, runner, &run)?;
    }
    drop(lock);
    Ok(postgres)
}

/// The folder of all test clusters of this user.
fn base_folder() -> anyhow::Result<PathBuf> {
    let user = rustix::process::geteuid();
    let base = std::env::temp_dir().join(format!("rollcall-tests-{}", user.as_raw()));
    // The account that runs Postgres for root must be able to pass through.
    let mode = if user.is_root() { 0o711 } else { 0o700 };
    match fs::DirBuilder::new().mode(mode).create(&base) {
        Ok(()) => fs::set_permissions(&base, fs::Permissions::from_mode(mode))?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error).with_context(|| format!("making {}", base.display())),
    }
    let owner = fs::symlink_metadata(&base)?;
    ensure!(
        owner.is_dir() && owner.uid() == user.as_raw(),
        "{} belongs to somebody else; set TMPDIR to another folder",
        base.display()
    );
    Ok(base)
}

/// The golden copy: a cleanly stopped cluster with the template in it.
async fn golden(base: &Path, template: &str, search: &Search) -> anyhow::Result<PathBuf> {
    let golden = base.join(format!("golden-{}-{}", installed_major(search)?, migrations_hash()));
    if golden.exists() {
        return Ok(golden);
    }
    let making = base.join("making");
    if making.exists() {
        // Somebody was killed here. Starting and stopping waits for what may still be running.
        Postgres::start(&making, Durability::None, search).await?.stop().await?;
        fs::remove_dir_all(&making)?;
    }
    let postgres = Postgres::start(&making, Durability::None, search).await?;
    create_template(&postgres.url("postgres"), template).await?;
    postgres.stop().await?;
    fs::rename(&making, &golden)?;
    remove_old_golden_copies(base, &golden);
    Ok(golden)
}

/// Best effort: what cannot be removed only takes space.
fn remove_old_golden_copies(base: &Path, newest: &Path) {
    let mut copies: Vec<_> = folders(base, "golden-")
        .filter(|path| path != newest)
        .filter_map(|path| Some((fs::metadata(&path).ok()?.modified().ok()?, path)))
        .collect();
    copies.sort();
    copies.reverse();
    for (_, path) in copies.into_iter().skip(GOLDEN_COPIES - 1) {
        let _ = fs::remove_dir_all(path);
    }
}

/// Removes the clusters that nobody holds: their keeper was killed. One may have our own name, from an earlier process
/// with our runner's id. The caller holds the lock.
fn remove_abandoned_runs(base: &Path) {
    for run in folders(base, "run-") {
        let held = File::open(run.join("postgres/holders.lock")).is_ok_and(|file| file.try_lock().is_err());
        if !held {
            let _ = fs::remove_dir_all(run);
        }
    }
}

fn folders(base: &Path, prefix: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(base).into_iter().flatten().filter_map(Result::ok);
    entries.filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix)).map(|entry| entry.path())
}

/// Copies a stopped cluster with its owners. It takes its final name when it is complete.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let copying = to.with_extension("copying");
    let _ = fs::remove_dir_all(&copying);
    let status = Command::new("cp").arg("-a").arg(from).arg(&copying).status().context("running cp")?;
    if !status.success() {
        bail!("copying {} to {} failed", from.display(), copying.display());
    }
    Ok(fs::rename(&copying, to)?)
}

fn start_keeper(postgres: &Postgres, runner: i32, run: &Path) -> anyhow::Result<()> {
    let keeper = Command::new("/bin/sh")
        .args(["-c", KEEPER, "rollcall-tests-keeper", &runner.to_string()])
        .arg(run)
        .stdin(postgres.share_hold()?)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // It must survive a Ctrl-C that ends the runner, and the end of this test process.
        .process_group(0)
        .spawn()
        .context("starting the keeper of the tests' Postgres")?;
    // It outlives us on purpose and is collected by the system.
    drop(keeper);
    Ok(())
}

/// Names the migrations that a template was made from.
fn migrations_hash() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in rollcall_store::MIGRATOR.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

/// The same server's URL with another database: the path of a URL is the database's name.
fn with_database(url: &str, database: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, ""), |(base, query)| (base, query));
    let host = base.find("://").map_or(0, |scheme| scheme + "://".len());
    let end = base.get(host..).and_then(|rest| rest.find('/')).map_or(base.len(), |slash| host + slash);
    let server = base.get(..end).unwrap_or(base);
    let mark = if query.is_empty() { "" } else { "?" };
    format!("{server}/{database}{mark}{query}")
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration but these two variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::with_database;

    #[test]
    fn the_database_of_a_url_is_replaced() {
        for (url, expected) in [
            ("postgres://u:p@host:5432/old", "postgres://u:p@host:5432/new"),
            ("postgres://host", "postgres://host/new"),
            ("postgres://host/", "postgres://host/new"),
            ("postgres://host/old?sslmode=require", "postgres://host/new?sslmode=require"),
            ("postgres://host?sslmode=require", "postgres://host/new?sslmode=require"),
            ("postgresql:///old?host=/tmp/x&user=me", "postgresql:///new?host=/tmp/x&user=me"),
        ] {
            assert_eq!(with_database(url, "new"), expected, "{url}");
        }
    }
}
