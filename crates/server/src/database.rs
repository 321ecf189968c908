//! The database of a process: the one of `DATABASE_URL`, else the embedded Postgres of the data folder.

use crate::clock::{SystemClock, TimeOrderedIds};
use crate::config::Config;
use crate::postgres::{DATABASE, Durability, Postgres, Search};
use anyhow::{Context, Result, anyhow, bail};
use rollcall_store::instance::Restored;
use rollcall_store::{Ports, Store, StoreError};
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::sync::Arc;

/// An open database; the embedded Postgres lives as long as this.
pub(crate) struct Database {
    pub(crate) store: Store,
    embedded: Option<Postgres>,
}

impl Database {
    /// Opens a database that somebody has made, without looking at its schema. Where there is none, nothing is made.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        if config.database_url.is_none() && !Postgres::exists(&config.data_dir) {
            bail!("{}", absent(&config.data_dir));
        }
        Self::open_or_make(config).await
    }

    /// Opens the database, and makes the embedded one where there is none.
    async fn open_or_make(config: &Config) -> Result<Self> {
        let (url, embedded) = if let Some(url) = &config.database_url {
            (url.expose_secret().to_owned(), None)
        } else {
            let search = Search { bin_dir: config.pg_bin.clone(), path: std::env::var_os("PATH") };
            let postgres = Postgres::start(&config.data_dir, Durability::Full, &search).await?;
            (postgres.url(DATABASE), Some(postgres))
        };
        let ports = Ports { clock: Arc::new(SystemClock), ids: Arc::new(TimeOrderedIds) };
        let store = match Store::connect(&url, config.database_connections, ports).await {
            Ok(store) => store,
            Err(error) if embedded.is_some() => return Err(error).context("the embedded Postgres cannot be used"),
            Err(error) => return Err(why(&url, error)),
        };
        Ok(Self { store, embedded })
    }

    /// Opens the database and brings it to this version's schema. From one that was restored or copied nothing is sent.
    pub(crate) async fn open_migrated(config: &Config) -> Result<Self> {
        let database = Self::open_or_make(config).await?;
        database.store.migrate().await.context("the database could not be brought to this version's schema")?;
        if let Some(Restored { what, paused }) = database.store.note_instance().await? {
            tracing::warn!(
                what,
                paused,
                "the database was restored or copied: its targets are paused until somebody sets them to rehearsal or live"
            );
        }
        Ok(database)
    }

    /// Whether the schema is this version's; the error says what to do.
    pub(crate) async fn check_schema(&self) -> Result<()> {
        self.store.check_schema().await.map_err(|error| match error {
            StoreError::Schema { found: None, .. } => {
                anyhow!("the database has no tables of Rollcall yet: run `rollcall migrate` or start the server first")
            }
            StoreError::Schema { found: Some(found), needed } => anyhow!(
                "the database's tables are those of version {found}, this program needs version {}: run `rollcall \
                 migrate` or start the server first",
                needed.unwrap_or_default()
            ),
            other => other.into(),
        })
    }

    /// Closes the connections and lets go of the embedded Postgres.
    pub(crate) async fn close(self) -> Result<()> {
        self.store.close().await;
        if let Some(postgres) = self.embedded {
            postgres.stop().await?;
        }
        Ok(())
    }
}

/// What to tell somebody who looks for a database where none is.
fn absent(folder: &Path) -> String {
    let demo = folder.join("demo");
    let hint = if Postgres::exists(&demo) { format!("; the demo's is in {}", demo.display()) } else { String::new() };
    format!(
        "there is no Rollcall database in {}{hint}: say where it is with --data-dir or DATABASE_URL, or make one with \
         `rollcall serve` or `rollcall migrate`",
        folder.display()
    )
}

/// Why the database at `url` cannot be opened.
fn why(url: &str, error: StoreError) -> anyhow::Error {
    let Ok(options) = url.parse::<PgConnectOptions>() else {
        return anyhow::Error::new(error).context("the database cannot be opened; check DATABASE_URL");
    };
    let place = match options.get_socket() {
        Some(socket) => format!("in {}", socket.display()),
        None => format!("at {}:{}", options.get_host(), options.get_port()),
    };
    let cause = match error {
        StoreError::Unavailable(sqlx::Error::Io(cause)) => cause.into(),
        StoreError::Unavailable(sqlx::Error::PoolTimedOut) => anyhow!("it does not answer"),
        // The driver's errors repeat their own causes.
        StoreError::Unavailable(cause) | StoreError::Database(cause) => anyhow!("{cause}"),
        other => other.into(),
    };
    cause.context(format!("the database {place} cannot be opened; check DATABASE_URL"))
}
