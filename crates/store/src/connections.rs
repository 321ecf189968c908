//! The connections to Postgres, kept open and used again.
//!
//! The driver has a pool of its own. This one differs where a busy server feels it:
//!
//! * A connection that comes back is not asked whether it is still in order. The driver's pool sends an empty message
//!   and waits for the answer after every use, which is a second round trip for each statement. Here it is known: a
//!   connection whose statement came to its end is in order, and any other (the request was given up in the middle,
//!   the network failed, a transaction was not committed) is closed.
//! * The connection that came back last goes out first, not the one that has waited longest. A few processes of
//!   Postgres with warm memory do the work, and those that are not needed stay idle until they are closed.
//!
//! Waiting is fair: whoever comes first gets the next place.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgQueryResult, PgRow, PgSeverity, PgStatement, PgTypeInfo};
use sqlx::{
    ConnectOptions as _, Connection as _, Describe, Either, Error, Execute, Executor, PgConnection, Postgres, SqlStr,
};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// How long somebody waits for a place and a connection before they are told that the database is not available.
const PATIENCE: Duration = Duration::from_secs(10);
/// Idle connections are closed after this long.
const IDLE_TIME: Duration = Duration::from_mins(10);
/// Connections are replaced after this long, so that the memory of their process does not grow for ever.
const LIFETIME: Duration = Duration::from_hours(1);
/// The first pause before the database is tried again while it starts or has no connection left; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// All connections of one store. Cheap to clone. As an executor it runs each statement on whatever connection is free.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Inner>);

struct Inner {
    options: PgConnectOptions,
    most: u32,
    places: Arc<Semaphore>,
    /// The one used last is at the end.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

impl Connections {
    /// Connects once, so that a wrong address is told now and not by the first request.
    pub(crate) async fn open(options: PgConnectOptions, most: u32) -> Result<Self, Error> {
        let places = usize::try_from(most).unwrap_or(Semaphore::MAX_PERMITS).min(Semaphore::MAX_PERMITS);
        let inner = Inner { options, most, places: Arc::new(Semaphore::new(places)), idle: Mutex::default() };
        let connections = Self(Arc::new(inner));
        connections.acquire().await?.keep();
        Ok(connections)
    }

    /// How connections are made.
    pub(crate) fn options(&self) -> &PgConnectOptions {
        &self.0.options
    }

    /// A connection for several statements. Whoever has it says at the end that it is in order ([`Lease::keep`]).
    pub(crate) async fn acquire(&self) -> Result<Lease, Error> {
        // Mostly there is an idle one, and no timer is needed.
        if let Ok(place) = Arc::clone(&self.0.places).try_acquire_owned()
            && let Some(idle) = self.0.take_idle()
        {
            return Ok(self.lease(idle.connection, idle.opened, place));
        }
        let until = Instant::now() + PATIENCE;
        let patient = async {
            let place = Arc::clone(&self.0.places).acquire_owned().await.map_err(|_| Error::PoolClosed)?;
            let (connection, opened) = match self.0.take_idle() {
                Some(idle) => (idle.connection, idle.opened),
                None => (self.0.connect(until).await?, Instant::now()),
            };
            Ok(self.lease(connection, opened, place))
        };
        tokio::time::timeout(PATIENCE, patient).await.unwrap_or(Err(Error::PoolTimedOut))
    }

    /// A transaction of several statements; what is not committed is undone.
    pub(crate) async fn begin(&self) -> Result<Transaction, Error> {
        let mut lease = self.acquire().await?;
        lease.execute(sqlx::raw_sql("BEGIN")).await?;
        Ok(Transaction(lease))
    }

    /// Closes everything, after what is in use has come back. Whoever wants a connection from then on gets an error.
    pub(crate) async fn close(&self) {
        // Whoever waits in front of us is served first.
        let everything = self.0.places.acquire_many(self.0.most).await;
        self.0.places.close();
        let idle = std::mem::take(&mut *self.0.idle());
        drop(everything);
        for Idle { connection, .. } in idle {
            // It is gone either way.
            let _ = connection.close().await;
        }
    }

    fn lease(&self, connection: PgConnection, opened: Instant, place: OwnedSemaphorePermit) -> Lease {
        Lease { connection, opened, place, home: Arc::clone(&self.0) }
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one used last, unless it is too old.
    fn take_idle(&self) -> Option<Idle> {
        let mut idle = self.idle();
        while let Some(last) = idle.pop() {
            if last.opened.elapsed() < LIFETIME {
                return Some(last);
            }
        }
        None
    }

    /// Connects; tries again while the database says, or lets be understood, that it will soon be there. The last error is
    /// told when there is no time for another try.
    async fn connect(&self, until: Instant) -> Result<PgConnection, Error> {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.options.connect().await {
                Err(error) if passes_by_itself(&error) && Instant::now() + pause < until => {
                    tokio::time::sleep(pause).await;
                }
                end => return end,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Whether a connection could not be made for a reason that passes: the server is starting or stopping, it has no
/// connection left, or nobody listens at the moment.
fn passes_by_itself(error: &Error) -> bool {
    match error {
        Error::Io(error) => matches!(
            error.kind(),
            std::io::ErrorKind::ConnectionRefused
                | std::io::ErrorKind::ConnectionAborted
                | std::io::ErrorKind::ConnectionReset
        ),
        // PostgreSQL's manual, appendix A: cannot_connect_now, too_many_connections.
        Error::Database(error) => matches!(error.code().as_deref(), Some("57P03" | "53300")),
        _ => false,
    }
}

/// Whether no further statement can be sent after this error: the network failed, or the server has said its last word
/// on this connection (PostgreSQL's manual, "Message Severity Levels").
fn breaks_connection(error: &Error) -> bool {
    match error {
        Error::Io(_) | Error::Tls(_) | Error::Protocol(_) => true,
        Error::Database(error) => error
            .try_downcast_ref::<PgDatabaseError>()
            .is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic)),
        _ => false,
    }
}

/// One connection, and its place among those that may be open. Closed when it is dropped, which costs whoever comes next a
/// new one; for a single statement the [`Connections`] themselves are an executor and keep it.
#[must_use = "a connection that is not kept is closed"]
pub(crate) struct Lease {
    connection: PgConnection,
    opened: Instant,
    place: OwnedSemaphorePermit,
    home: Arc<Inner>,
}

impl Lease {
    /// Gives the connection back for others: its last statement has come to its end, and no transaction is open.
    pub(crate) fn keep(self) {
        let Self { connection, opened, place, home } = self;
        let since = Instant::now();
        let mut idle = home.idle();
        // At most one is closed with each that comes back, so nobody waits for many.
        let overdue = idle.first().is_some_and(|first| since - first.since > IDLE_TIME).then(|| idle.remove(0));
        idle.push(Idle { connection, opened, since });
        drop(idle);
        drop(overdue);
        drop(place);
    }

    /// Gives the connection back after a single statement, unless it failed in a way that leaves the connection in
    /// doubt. Then idle ones are closed too: whatever broke this one has mostly broken them all.
    fn settle<T>(self, end: Result<T, Error>) -> Result<T, Error> {
        match &end {
            Err(error) if breaks_connection(error) => self.home.idle().clear(),
            _ => self.keep(),
        }
        end
    }
}

impl Deref for Lease {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Lease {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

/// An open transaction. When it is dropped its connection is closed, and the database undoes it.
pub(crate) struct Transaction(Lease);

impl Transaction {
    /// Makes everything lasting.
    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        self.0.execute(sqlx::raw_sql("COMMIT")).await?;
        self.0.keep();
        Ok(())
    }

    /// Undoes everything and keeps the connection.
    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        self.0.execute(sqlx::raw_sql("ROLLBACK")).await?;
        self.0.keep();
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("most", &self.0.most).finish_non_exhaustive()
    }
}

impl<'c> Executor<'c> for &'c Connections {
    type Database = Postgres;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<PgQueryResult, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut lease = self.acquire().await?;
            let end = lease.execute(query).await;
            lease.settle(end)
        })
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Vec<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut lease = self.acquire().await?;
            let end = lease.fetch_all(query).await;
            lease.settle(end)
        })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        Box::pin(async move {
            let mut lease = self.acquire().await?;
            let end = lease.fetch_optional(query).await;
            lease.settle(end)
        })
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let all = async move {
            let mut lease = self.acquire().await?;
            let end: Result<Vec<_>, Error> = lease.fetch_many(query).try_collect().await;
            let all = lease.settle(end)?;
            Ok::<_, Error>(stream::iter(all.into_iter().map(Ok)))
        };
        stream::once(all).try_flatten().boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lease = self.acquire().await?;
            let end = lease.prepare_with(sql, parameters).await;
            lease.settle(end)
        })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async move {
            let mut lease = self.acquire().await?;
            let end = lease.describe(sql).await;
            lease.settle(end)
        })
    }
}
