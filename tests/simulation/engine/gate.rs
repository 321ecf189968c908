//! Gates: the points at which a worker stands until the scheduler lets it go on.
//!
//! Between two gates a worker is alone: nobody else's future is polled, and no transaction of anybody is open. So a
//! death at a gate is a death anywhere between it and the gate before.

use axum::body::Bytes;
use axum::http::{Request, Response};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// How a statement may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    Go,
    /// It has its effect, and the connection breaks before the answer.
    Cut,
}

/// Where a worker stands.
#[derive(Debug)]
pub(crate) enum At {
    /// Before a statement or a transaction.
    Statement(oneshot::Sender<Leave>),
    /// Before a call; what is sent back is the answer, and nothing is a connection that is cut.
    Call(Box<Request<Bytes>>, oneshot::Sender<Response<Bytes>>),
    /// Until its place in the rate budget has come: in this many milliseconds.
    Rest(u64, oneshot::Sender<()>),
}

/// The way from the gates of one worker to the scheduler.
pub(crate) type Gate = UnboundedSender<At>;

/// Stands at a statement until it may go. `None`: never.
pub(crate) async fn statement(gate: &Gate) -> Option<Leave> {
    let (go, gone) = oneshot::channel();
    gate.send(At::Statement(go)).ok()?;
    gone.await.ok()
}

/// Rests for so many milliseconds of the simulated time.
pub(crate) async fn rest(gate: &Gate, ms: u64) {
    let (go, gone) = oneshot::channel();
    if gate.send(At::Rest(ms, go)).is_err() || gone.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Stands at a call until it is answered. `None`: it never is.
pub(crate) async fn call(gate: &Gate, request: Request<Bytes>) -> Option<Response<Bytes>> {
    let (answer, answered) = oneshot::channel();
    gate.send(At::Call(Box::new(request), answer)).ok()?;
    answered.await.ok()
}
