//! A Postgres of the benchmark's own: as the product starts it, with every commit on disk, in a folder that vanishes.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rollcall_server::postgres::{Durability, Postgres, Search};
use rollcall_tests::{Scratch, wait_until};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A database of the cluster that is measured.
pub(crate) const DATABASE: &str = rollcall_server::postgres::DATABASE;

/// How long Postgres may take to do what it was told by a signal or a pipe.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    postgres: Postgres,
    // After the hold, so that the server has gone when the folder is removed.
    folder: Scratch,
}

impl Cluster {
    /// Makes and starts it.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let folder = Scratch::new()?;
        let bin_dir = std::env::var_os("ROLLCALL_PG_BIN").map(PathBuf::from);
        let search = Search { bin_dir, path: std::env::var_os("PATH") };
        let postgres = Postgres::start(folder.path(), Durability::Full, &search).await?;
        Ok(Self { postgres, folder })
    }

    /// Stops it cleanly.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        Ok(self.postgres.stop().await?)
    }

    /// The URL of one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        self.postgres.url(database)
    }

    /// The process id of its first process.
    pub(crate) fn pid(&self) -> u32 {
        self.postgres.pid()
    }

    /// Its major version.
    pub(crate) fn major(&self) -> u32 {
        self.postgres.major()
    }

    /// A folder for whatever else the benchmark writes.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The pgbench that was installed with this server.
    pub(crate) fn pgbench(&self) -> anyhow::Result<PathBuf> {
        let server = fs::read_link(format!("/proc/{}/exe", self.pid())).context("finding Postgres's programs")?;
        let pgbench = server.with_file_name("pgbench");
        anyhow::ensure!(
            pgbench.is_file(),
            "{} is missing; it comes with PostgreSQL's server or contrib package",
            pgbench.display()
        );
        Ok(pgbench)
    }

    /// A connection to one of its databases.
    pub(crate) async fn connect(&self, database: &str) -> anyhow::Result<PgConnection> {
        PgConnection::connect(&self.url(database)).await.context("connecting to the benchmark's Postgres")
    }

    /// Runs statements that answer nothing, each by itself.
    pub(crate) async fn execute(&self, statements: &[&str]) -> anyhow::Result<()> {
        let mut connection = self.connect(DATABASE).await?;
        for &statement in statements {
            let done = sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await;
            done.with_context(|| statement.to_owned())?;
        }
        Ok(connection.close().await?)
    }
}

/// Postgres's own log of the statements that it is sent, while this is there.
#[derive(Debug)]
pub(crate) struct StatementLog {
    connection: PgConnection,
    marks: u32,
    position: i64,
}

impl StatementLog {
    /// Begins to log what connections send that are opened from now on.
    pub(crate) async fn start(cluster: &Cluster) -> anyhow::Result<Self> {
        let set = |setting: &str| format!("ALTER DATABASE {DATABASE} SET {setting}");
        cluster
            .execute(&[
                "ALTER SYSTEM SET log_destination = 'jsonlog'",
                "SELECT pg_reload_conf()",
                &set("log_statement = 'all'"),
                // The parameters are a detail, which the product keeps out of its logs.
                &set("log_error_verbosity = 'default'"),
                &set("log_parameter_max_length = -1"),
            ])
            .await?;
        let mut log = Self { connection: cluster.connect(DATABASE).await?, marks: 0, position: 0 };
        log.lines().await?;
        Ok(log)
    }

    /// What was logged since the last call, one JSON document per entry.
    pub(crate) async fn lines(&mut self) -> anyhow::Result<Vec<Value>> {
        self.marks += 1;
        // The log is written by another process; once this is in it, so is everything before.
        let mark = format!("/* mark {} */", self.marks);
        sqlx::raw_sql(AssertSqlSafe(format!("SELECT {mark} 1"))).execute(&mut self.connection).await?;
        wait_until(PATIENCE, "the statements are in the log", async || {
            let read = "SELECT pg_read_file(file, $1, 100000000) FROM pg_current_logfile('jsonlog') file";
            let text: Option<String> =
                sqlx::query_scalar(read).bind(self.position).fetch_optional(&mut self.connection).await?.flatten();
            let Some(text) = text.filter(|text| text.contains(&mark)) else { return Ok(None) };
            let end = text.rfind('\n').map_or(0, |at| at + 1);
            self.position += i64::try_from(end)?;
            let lines = text.get(..end).unwrap_or_default().lines();
            Ok(Some(lines.filter(|line| !line.contains(&mark)).map(serde_json::from_str).collect::<Result<_, _>>()?))
        })
        .await
    }

    /// Ends the logging for connections that are opened from now on.
    pub(crate) async fn stop(self, cluster: &Cluster) -> anyhow::Result<()> {
        self.connection.close().await?;
        let reset = format!("ALTER DATABASE {DATABASE} RESET ALL");
        cluster.execute(&[&reset, "ALTER SYSTEM RESET log_destination", "SELECT pg_reload_conf()"]).await
    }
}
