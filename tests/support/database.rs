//! A database of one's own for each test.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::cluster::Cluster;
use crate::wait::wait_until;

/// How long another session is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A database with all migrations applied and nothing in it, which no other test sees. Dropped with this value.
#[derive(Debug)]
pub struct Database {
    cluster: &'static Cluster,
    name: String,
    url: String,
    pool: PgPool,
}

impl Database {
    /// Makes the database: milliseconds, but for the first test on a machine or after a new migration.
    ///
    /// # Errors
    /// There is no Postgres, or it does not answer.
    pub async fn new() -> anyhow::Result<Self> {
        let cluster = Cluster::shared().await?;
        // The standard library seeds each of these from the operating system's randomness.
        let random = RandomState::new().build_hasher().finish();
        let name = format!("rollcall_test_{random:016x}");
        cluster.create(&name).await?;
        let url = cluster.url(&name);
        let pool = PgPoolOptions::new().max_connections(5).connect_lazy(&url)?;
        Ok(Self { cluster, name, url, pool })
    }

    /// The database's URL, as `DATABASE_URL` wants it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A pool of at most five connections, opened when they are needed.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Copies the database as it is now. Nobody may use it meanwhile.
    ///
    /// # Errors
    /// Somebody uses it, or Postgres does not answer.
    pub async fn back_up(&self) -> anyhow::Result<()> {
        self.cluster.copy(&self.name, &self.backup()).await
    }

    /// Puts the copy of [`Self::back_up`] into the place of the database. Whoever uses it is disconnected.
    ///
    /// # Errors
    /// There is no copy, or Postgres does not answer.
    pub async fn restore(&self) -> anyhow::Result<()> {
        self.cluster.replace(&self.name, &self.backup()).await
    }

    fn backup(&self) -> String {
        format!("{}_backup", self.name)
    }

    /// Waits until some session of this database waits for a lock.
    ///
    /// # Errors
    /// None does for [`PATIENCE`], or Postgres does not answer.
    pub async fn until_somebody_waits(&self) -> anyhow::Result<()> {
        let waiting = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock')";
        wait_until(PATIENCE, "somebody waits for a lock", async || {
            let waits: bool = sqlx::query_scalar(waiting).fetch_one(&self.pool).await?;
            Ok(waits.then_some(()))
        })
        .await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (cluster, name) = (self.cluster, self.name.clone());
        // A drop cannot wait inside the test's own runtime, so another thread with its own does it. Best effort: the
        // throw-away cluster is removed as a whole, with whatever is left in it.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(cluster.drop(&name))
        });
        let _ = dropping.join();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn tables(pool: &PgPool) -> anyhow::Result<i64> {
        let sql = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
        Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
    }

    #[tokio::test]
    async fn databases_are_migrated_apart_from_each_other_and_dropped() -> anyhow::Result<()> {
        let (one, two) = (Database::new().await?, Database::new().await?);
        let migrated = tables(one.pool()).await?;
        assert!(migrated > 1, "the migrations are applied");
        sqlx::raw_sql("CREATE TABLE mine ()").execute(one.pool()).await?;
        assert_eq!(tables(one.pool()).await?, migrated + 1);
        assert_eq!(tables(two.pool()).await?, migrated, "the other one does not see it");

        let name = one.name().to_owned();
        drop(one);
        let sql = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
        let exists: bool = sqlx::query_scalar(sql).bind(name).fetch_one(two.pool()).await?;
        assert!(!exists, "it is gone although its pool still had connections");
        Ok(())
    }
}
