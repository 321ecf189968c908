//! How long a connection is waited for.
//!
//! One timer for each connection, which looks now and then at a mark; a request costs two stores of a number. Between
//! requests the mark says when the connection is given up, and during one that it is not.

use super::Limits;
use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// In place of a mark: a request is being answered.
const BUSY: u64 = u64::MAX;

/// How long a connection is waited for.
pub(super) struct Patience {
    began: Instant,
    /// When it is over, in milliseconds after the beginning; or [`BUSY`].
    until: AtomicU64,
    next_head: Duration,
}

impl Patience {
    /// A connection that has just been taken.
    pub(super) fn new(limits: Limits) -> Self {
        let Limits { first_head, next_head, .. } = limits;
        Self { began: Instant::now(), until: AtomicU64::new(millis(first_head)), next_head }
    }

    /// The head of a request has come in: nothing runs out until what is returned is dropped. How long its body is
    /// waited for is the API's limit.
    pub(super) fn busy(patience: &Arc<Self>) -> Busy {
        patience.until.store(BUSY, Ordering::Relaxed);
        Busy(Arc::clone(patience))
    }

    /// Completes when it is over.
    pub(super) async fn run_out(&self) {
        loop {
            let (until, now) = (self.until.load(Ordering::Relaxed), self.began.elapsed());
            let left = match until {
                BUSY => Duration::MAX,
                until => Duration::from_millis(until).saturating_sub(now),
            };
            if left.is_zero() {
                return;
            }
            // Whatever is answered from now on leaves at least this much time.
            tokio::time::sleep(left.min(self.next_head)).await;
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(BUSY - 1)
}

/// A request that is being answered.
pub(super) struct Busy(Arc<Patience>);

impl Busy {
    /// The next thing to happen is up to the client.
    fn wait(&self) {
        let Patience { began, until, next_head } = &*self.0;
        until.store(millis(began.elapsed() + *next_head), Ordering::Relaxed);
    }

    /// The next thing to happen is up to us.
    fn work(&self) {
        self.0.until.store(BUSY, Ordering::Relaxed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.wait();
    }
}

/// The body of an answer. When a part of it has been handed over for sending, the client is waited for: to read so much that
/// there is room for the next part, or to send the next request. So one that does not read its answer is not waited for.
pub(super) struct Answer {
    body: Body,
    busy: Busy,
}

impl Answer {
    pub(super) fn new(body: Body, busy: Busy) -> Self {
        Self { body, busy }
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if frame.is_ready() {
            self.busy.wait();
        } else {
            self.busy.work();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
