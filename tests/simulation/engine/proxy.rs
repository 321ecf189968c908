//! A door in front of Postgres: it lets through a worker's statements one by one, when the scheduler says so.
//!
//! It reads only the frames of the protocol (PostgreSQL's manual, "Message Formats"). A batch that executes something
//! while no transaction is open stands at a gate; what prepares statements, and what is inside a transaction, passes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

use super::gate::{self, Gate, Leave};

/// `ReadyForQuery` says so when no transaction is open.
const IDLE: u8 = b'I';
const CHUNK: usize = 16 * 1024;

/// Serves `listener`, with `upstream` behind it, for ever.
pub(crate) async fn serve(listener: UnixListener, upstream: PathBuf, gate: Gate) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let (upstream, gate) = (upstream.clone(), gate.clone());
        connections.spawn(async move {
            let Ok(server) = UnixStream::connect(upstream).await else { return };
            let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
            let (status, cut) = (AtomicU8::new(0), AtomicBool::new(false));
            // Either end is the end of both.
            tokio::select! {
                () = requests(from_client, to_server, &gate, (&status, &cut)) => {}
                () = answers(from_server, to_client, (&status, &cut)) => {}
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

async fn requests(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    gate: &Gate,
    (status, cut): (&AtomicU8, &AtomicBool),
) {
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
                if executes && status.load(Ordering::Relaxed) == IDLE {
                    match gate::statement(gate).await {
                        Some(leave) => cut.store(leave == Leave::Cut, Ordering::Relaxed),
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

async fn answers(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, (status, cut): (&AtomicU8, &AtomicBool)) {
    let mut held: Vec<u8> = Vec::with_capacity(CHUNK);
    loop {
        let mut seen = 0;
        while let Some(rest) = held.get(seen..)
            && let Some(length) = frame(rest, true)
            && rest.len() >= length
        {
            if let (Some(b'Z'), Some(now)) = (rest.first(), rest.get(5)) {
                status.store(*now, Ordering::Relaxed);
                // A transaction has its effect with its last statement.
                if *now == IDLE && cut.load(Ordering::Relaxed) {
                    return;
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
