//! A door in front of Postgres: it lets through a worker's statements one by one, when the scheduler says so.
//!
//! It reads only the frames of the protocol (PostgreSQL's manual, "Message Formats"). A batch that executes something
//! while no transaction is open stands at a gate; what prepares statements, and what is inside a transaction, passes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;

use super::gate::{self, Gate, Leave};

/// `ReadyForQuery` says so when no transaction is open.
const IDLE: u8 = b'I';
const CHUNK: usize = 16 * 1024;

/// What is known of a connection. One of a worker's connections at a time is in the middle of something: those that a
/// worker uses side by side would otherwise be served in an order of their own.
struct Turn {
    alone: Arc<Mutex<()>>,
    held: std::sync::Mutex<Option<OwnedMutexGuard<()>>>,
    status: AtomicU8,
    /// The connection breaks before the next answer.
    cut: AtomicBool,
}

impl Turn {
    async fn take(&self) {
        let held = Arc::clone(&self.alone).lock_owned().await;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(held);
    }

    fn give_back(&self) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Serves `listener`, with `upstream` behind it, for ever.
pub(crate) async fn serve(listener: UnixListener, upstream: PathBuf, gate: Gate) {
    let alone = Arc::new(Mutex::new(()));
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, gate, alone) = (upstream.clone(), gate.clone(), Arc::clone(&alone));
        connections.spawn(async move {
            let Ok(server) = UnixStream::connect(upstream).await else { return };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            let turn = Turn {
                alone,
                held: std::sync::Mutex::default(),
                status: AtomicU8::new(0),
                cut: AtomicBool::new(false),
            };
            // Either end is the end of both.
            tokio::select! {
                () = requests(from_client, to_server, &gate, &turn) => {}
                () = answers(from_server, to_client, &turn) => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

/// The length of the frame at the beginning of `bytes`, once its head is there.
fn frame(bytes: &[u8], typed: bool) -> Option<usize> {
    let at = usize::from(typed);
    let length: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_be_bytes(length)).ok().map(|length| length + at)
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, gate: &Gate, turn: &Turn) {
    let (mut held, mut seen, mut executes, mut begun) = (Vec::with_capacity(CHUNK), 0, false, false);
    loop {
        while let Some(length) = held.get(seen..).and_then(|rest| frame(rest, begun)) {
            if held.len() < seen + length {
                break;
            }
            let kind = if begun { held.get(seen).copied().unwrap_or_default() } else { 0 };
            seen += length;
            executes |= matches!(kind, b'E' | b'Q');
            if !begun || matches!(kind, b'S' | b'Q' | b'X' | b'p') {
                if executes && turn.status.load(Ordering::Relaxed) == IDLE {
                    turn.take().await;
                    match gate::statement(gate).await {
                        Some(leave) => turn.cut.store(leave == Leave::Cut, Ordering::Relaxed),
                        None => return,
                    }
                }
                let batch: Vec<u8> = held.drain(..seen).collect();
                if to.write_all(&batch).await.is_err() {
                    return;
                }
                (seen, executes, begun) = (0, false, true);
            }
        }
        if !matches!(from.read_buf(&mut held).await, Ok(1..)) {
            return;
        }
    }
}

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, turn: &Turn) {
    let mut held: Vec<u8> = Vec::with_capacity(CHUNK);
    loop {
        let mut seen = 0;
        while let Some(rest) = held.get(seen..)
            && let Some(length) = frame(rest, true)
            && rest.len() >= length
        {
            if let (Some(b'Z'), Some(now)) = (rest.first(), rest.get(5)) {
                turn.status.store(*now, Ordering::Relaxed);
                if *now == IDLE {
                    // A transaction has its effect with its last statement.
                    if turn.cut.load(Ordering::Relaxed) {
                        return;
                    }
                    turn.give_back();
                }
            }
            seen += length;
        }
        let whole: Vec<u8> = held.drain(..seen).collect();
        if to.write_all(&whole).await.is_err() || !matches!(from.read_buf(&mut held).await, Ok(1..)) {
            return;
        }
    }
}
