//! Serving HTTP: connections are taken, bounded in number and in what they may leave undone, and ended in order.
//!
//! HTTP/1.1 alone is spoken, as a proxy in front speaks it. [`Limits`] says what a client may not do: hold more
//! connections than there are file descriptors for, or hold one without ever sending the whole head of a request. How
//! long a request may take from there on, its body included, is the API's limit.

mod patience;

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::header::CONTENT_LENGTH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use patience::{Answer, Patience};
use rollcall_api::auth::address::Peer;
use rustix::process::{Resource, getrlimit};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// The most connections at once, however many file descriptors there are.
const MOST_CONNECTIONS: usize = 10_000;
/// Where descriptors are so few that the reserve leaves none: enough to be looked at.
const FEWEST_CONNECTIONS: usize = 16;
/// File descriptors for everything else but the database and deliveries: logs, the listener, the runtime.
const OTHER_FILES: usize = 100;
/// How long after a failure to take a connection the next one is tried.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// How often it is said that no connection is free.
const REMINDER: Duration = Duration::from_mins(1);

/// What clients may leave undone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Connections at once. Others wait in the operating system's queue until one is free.
    pub(crate) connections: usize,
    /// How long a new connection may take to send the whole head of its first request. Nobody who is there for a
    /// request needs longer.
    pub(crate) first_head: Duration,
    /// How long it may take from an answer to the end of the next request's head: to be idle, mostly. More than the
    /// 60 s for which proxies and load balancers keep theirs, so that it is they who close and no request is lost.
    pub(crate) next_head: Duration,
}

impl Limits {
    /// The limits of a process that opens up to `other_sockets` connections itself.
    pub(crate) fn for_process(other_sockets: usize) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        let connections = connections(files, other_sockets.saturating_add(OTHER_FILES));
        Self { connections, first_head: Duration::from_secs(10), next_head: Duration::from_secs(75) }
    }
}

/// How many connections fit into the `files` that may be open, when `reserved` of them are needed for something else.
fn connections(files: Option<u64>, reserved: usize) -> usize {
    let files = files.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    files.saturating_sub(reserved).clamp(FEWEST_CONNECTIONS, MOST_CONNECTIONS)
}

/// Answers on `listener` until `stop`; then takes no more, and returns when what was under way has ended.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: CancellationToken,
) -> Result<()> {
    let places = Places::new(limits.connections);
    let tracker = TaskTracker::new();
    while let Some((stream, peer, place)) = next(&listener, &places, &stop).await {
        let (router, stop) = (router.clone(), stop.clone());
        tracker.spawn(async move {
            answer(stream, peer, router, limits, stop).await;
            drop(place);
        });
    }
    drop(listener);
    tracker.close();
    tracker.wait().await;
    Ok(())
}

/// The next connection, once there is a place for it; `None` when it is time to stop.
async fn next(
    listener: &TcpListener,
    places: &Places,
    stop: &CancellationToken,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let taken = async {
        let place = places.take().await?;
        let (stream, peer) = taken(listener).await;
        Some((stream, peer, place))
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        next = taken => next,
    }
}

async fn taken(listener: &TcpListener) -> (TcpStream, Peer) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, Peer(address.ip())),
            // The client has gone while it waited.
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::error!(%error, "a connection cannot be taken");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Answers the requests of one connection until it ends, its patience runs out, or it is time to stop.
async fn answer(stream: TcpStream, peer: Peer, router: Router, limits: Limits, stop: CancellationToken) {
    let patience = Arc::new(Patience::new(limits));
    let service = service_fn(|request: Request<Incoming>| {
        let busy = Patience::busy(&patience);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let answered = router.clone().oneshot(request);
        async { answered.await.map(|answer| without_length_of_nothing(answer).map(|body| Answer::new(body, busy))) }
    });
    let mut connection = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let mut run_out = pin!(patience.run_out());
    tokio::select! {
        // A client that breaks off is no concern of ours.
        _ = connection.as_mut() => return,
        () = run_out.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = run_out => {}
    }
}

/// A 304 has no content, and says nothing of the length that the content would have (RFC 9110 §8.6). The router gives it
/// one all the same when `HEAD` asks.
fn without_length_of_nothing<B>(mut answer: Response<B>) -> Response<B> {
    if answer.status() == StatusCode::NOT_MODIFIED {
        answer.headers_mut().remove(CONTENT_LENGTH);
    }
    answer
}

/// Places for connections; says when there is none left.
struct Places {
    free: Arc<Semaphore>,
    most: usize,
    reminded: std::sync::Mutex<Option<Instant>>,
}

impl Places {
    fn new(most: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(most)), most, reminded: std::sync::Mutex::default() }
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.free).try_acquire_owned() {
            return Some(place);
        }
        self.remind();
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    fn remind(&self) {
        let mut reminded = self.reminded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if reminded.is_none_or(|at| at.elapsed() >= REMINDER) {
            *reminded = Some(Instant::now());
            tracing::warn!(most = self.most, "all connections are in use; new ones wait until one ends");
        }
    }
}

#[cfg(test)]
mod tests;
