//! Everything that is SQL.
//!
//! [`Store`] is the one door to Postgres. The directory half holds tenants, sources, credentials, operators, users,
//! groups with their memberships, and the change log; the projection half holds what is known about the targets.
//!
//! What must stay true:
//!
//! * A SCIM write is one transaction that holds the resource, its memberships, its change entry and the marks on its
//!   deliveries. Wherever the semantics allow, that transaction is one statement: a round trip is most of what a
//!   write costs.
//! * Statements are static text and every value is bound. The one place that composes SQL is the compiler of filters,
//!   and it composes it from static pieces only.
//! * Every statement names the tenant first, and every list is ordered and limited.
//! * Time and ids come from the [`Ports`]. The one exception is the lease of a delivery, which is judged by the
//!   database's own clock, because workers on different machines must agree about it.

/// Up to how many resources are counted for the sake of a page; a macro, so that it can stand in a statement.
macro_rules! counted {
    () => {
        10000
    };
}

pub mod adoption;
pub mod changes;
mod connections;
pub mod credentials;
mod deletion;
mod detail;
pub mod error;
pub mod external_ids;
pub mod facts;
mod filter_sql;
mod gather;
pub mod groups;
pub mod instance;
pub mod listing;
mod manager;
pub mod mappings;
mod mark;
mod members;
mod migrate;
pub mod operators;
pub mod overview;
pub mod owners;
pub mod projection;
pub mod roster;
pub mod schemas;
mod signal;
pub mod sorted;
pub mod sources;
pub mod tenants;
pub mod users;
pub mod wake;
pub mod walk;
pub mod write;

pub use error::{StoreError, Uniqueness};
pub use migrate::MIGRATOR;

use connections::Connections;
use gather::Gather;
use rollcall_provisioning::ids::IdSource;
use rollcall_provisioning::time::Clock;
use signal::DirtySignal;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// Prepared statements kept per connection; more than there are statements.
const STATEMENT_CACHE: usize = 256;

/// What the store needs from outside: the time, and new ids.
#[derive(Clone)]
pub struct Ports {
    /// Where `created_at`, `modified_at` and `due_at` come from.
    pub clock: Arc<dyn Clock>,
    /// Where the ids of new rows come from. They should grow with time (UUID version 7): lists are ordered by id.
    pub ids: Arc<dyn IdSource>,
}

/// The database. Cheap to clone; all clones share one pool of connections and one signal.
#[derive(Clone)]
pub struct Store {
    connections: Connections,
    users_by_id: Gather<users::ById>,
    users_by_name: Gather<users::ByUserName>,
    new_users: Gather<users::Create>,
    changed_users: Gather<users::Change>,
    ports: Ports,
    signal: Arc<DirtySignal>,
}

impl Store {
    /// Connects to the database at `url` (`postgres://…`), with at most `max_connections` connections.
    ///
    /// One connection is made at once, so that a wrong address is told here and not by the first request.
    pub async fn connect(url: &str, max_connections: u32, ports: Ports) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|source| StoreError::InvalidInput { what: "database address", source: Some(Box::new(source)) })?
            .application_name("rollcall")
            .statement_cache_capacity(STATEMENT_CACHE)
            // A client that is gone must not keep row locks, and no statement of a request may run for ever.
            .options([("statement_timeout", "60s"), ("idle_in_transaction_session_timeout", "30s")])
            // Statements are short: compiling them to machine code takes longer than running them.
            .options([("jit", "off")])
            // The statements that write rely on it, whatever the database's own default is.
            .options([("default_transaction_isolation", "read committed")]);
        let connections = Connections::open(options, max_connections).await?;
        let signal = Arc::new(DirtySignal::default());
        Ok(Self {
            users_by_id: Gather::new(&connections, &signal),
            users_by_name: Gather::new(&connections, &signal),
            new_users: Gather::new(&connections, &signal),
            changed_users: Gather::new(&connections, &signal),
            connections,
            ports,
            signal,
        })
    }

    /// Closes all connections, after those in use have come back.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    pub(crate) fn pool(&self) -> &Connections {
        &self.connections
    }

    /// The present moment in the precision that Postgres keeps, so that what is answered equals what is read later.
    pub(crate) fn now(&self) -> OffsetDateTime {
        let now = self.ports.clock.now();
        now.replace_microsecond(now.microsecond()).unwrap_or(now)
    }

    pub(crate) fn new_id(&self) -> Uuid {
        self.ports.ids.new_id()
    }
}
