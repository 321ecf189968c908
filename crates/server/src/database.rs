//! The database of a process: the one of `DATABASE_URL`, else the embedded Postgres of the data folder.

use crate::clock::{SystemClock, TimeOrderedIds};
use crate::config::Config;
use crate::postgres::{DATABASE, Durability, Postgres, Search};
use anyhow::{Context, Result};
use rollcall_store::{Ports, Store};
use secrecy::ExposeSecret;
use std::sync::Arc;

/// An open database; the embedded Postgres lives as long as this.
pub(crate) struct Database {
    pub(crate) store: Store,
    embedded: Option<Postgres>,
}

impl Database {
    /// Starts or joins the database, without looking at its schema.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let (url, embedded) = if let Some(url) = &config.database_url {
            (url.expose_secret().to_owned(), None)
        } else {
            let search = Search { bin_dir: config.pg_bin.clone(), path: std::env::var_os("PATH") };
            let postgres = Postgres::start(&config.data_dir, Durability::Full, &search).await?;
            (postgres.url(DATABASE), Some(postgres))
        };
        let ports = Ports { clock: Arc::new(SystemClock), ids: Arc::new(TimeOrderedIds) };
        let store = Store::connect(&url, config.database_connections, ports)
            .await
            .context("the database cannot be opened; check DATABASE_URL")?;
        Ok(Self { store, embedded })
    }

    /// Opens the database and brings it to this version's schema.
    pub(crate) async fn open_migrated(config: &Config) -> Result<Self> {
        let database = Self::open(config).await?;
        database.store.migrate().await.context("the database could not be brought to this version's schema")?;
        Ok(database)
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
