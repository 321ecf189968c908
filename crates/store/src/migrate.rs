//! The schema of the database: its migrations, and whether the database is where this program needs it.

use crate::{Store, StoreError};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection};

/// The migrations of the folder `migrations`, embedded into the program.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

impl Store {
    /// Brings the schema to the newest version. Safe to call from many processes at once: one does the work, the
    /// others wait for it.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // A migration of a large table, and the wait for another process that migrates, take as long as they take.
        let patient = self.pool().options().clone().options([("statement_timeout", "0")]);
        let mut connection = PgConnection::connect_with(&patient).await?;
        let done = MIGRATOR.run(&mut connection).await;
        connection.close().await?;
        done.map_err(|error| StoreError::Migrate(Box::new(error)))
    }

    /// Checks that the newest migration of this program has been applied. One cheap statement: it is asked by every
    /// readiness probe.
    ///
    /// A database that is ahead is accepted, because migrations only add until the release after (expand, move,
    /// contract): the old program still runs during a release.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let needed = MIGRATOR.iter().map(|migration| migration.version).max();
        let applied: Result<(Option<i64>, bool), _> = sqlx::query_as(
            "SELECT max(version), COALESCE(bool_or(version = $1), false) FROM _sqlx_migrations WHERE success",
        )
        .bind(needed)
        .fetch_one(self.pool())
        .await;
        match applied {
            Ok((_, true)) => Ok(()),
            Ok((found, false)) => Err(StoreError::Schema { found, needed }),
            // The table itself is missing: nothing was ever migrated.
            Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some("42P01") => {
                Err(StoreError::Schema { found: None, needed })
            }
            Err(error) => Err(error.into()),
        }
    }
}
