//! How far the body of a request has come: whether it is still awaited when time is up, and what is left of it when the
//! answer is given before it was read.

use crate::limits::{LINGER_BYTES, LINGER_TIME};
use axum::body::{Body, HttpBody as _};
use bytes::Bytes;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the edge knows of a body. Put into the request's extensions; whoever reads the body tells it.
#[derive(Clone, Default, Debug)]
pub(crate) struct Arrival(Arc<Mutex<State>>);

#[derive(Default, Debug)]
enum State {
    /// Nobody has asked for the body, or it is complete.
    #[default]
    Settled,
    /// Somebody waits for it.
    Awaited,
    /// Nobody wants the rest.
    Refused(Body),
}

impl Arrival {
    /// Somebody waits for the body from now on.
    pub(crate) fn await_body(&self) {
        self.set(State::Awaited);
    }

    /// The body is complete.
    pub(crate) fn complete(&self) {
        self.set(State::Settled);
    }

    /// The rest of the body is not wanted.
    pub(crate) fn refuse(&self, rest: Body) {
        self.set(State::Refused(rest));
    }

    /// True while somebody waits for the body.
    pub(super) fn is_awaited(&self) -> bool {
        matches!(*self.state(), State::Awaited)
    }

    /// True if nothing of the body is still to come, as far as anybody wanted it.
    pub(super) fn is_settled(&self) -> bool {
        matches!(*self.state(), State::Settled)
    }

    /// Reads what a client still sends after it was refused. A connection that is closed on unread bytes is reset, and
    /// the reset can overtake the answer (RFC 9112 §9.6); so it is closed when the client has said everything, or too
    /// much.
    pub(super) fn linger(&self) {
        let State::Refused(mut rest) = std::mem::take(&mut *self.state()) else { return };
        let read = async move {
            let mut left = LINGER_BYTES;
            while let Some(Ok(piece)) = next_piece(&mut rest).await {
                let Some(less) = left.checked_sub(piece.len()) else { break };
                left = less;
            }
        };
        #[expect(clippy::disallowed_methods, reason = "nothing depends on it, and it ends by itself")]
        drop(tokio::spawn(tokio::time::timeout(LINGER_TIME, read)));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state() = state;
    }
}

/// The next piece of a body; `None` at its end.
pub(crate) async fn next_piece(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await?;
    // What is no data are trailers, which nobody reads.
    Some(frame.map(|frame| frame.into_data().unwrap_or_default()))
}
