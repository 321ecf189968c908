//! Requests about one user each that go to the database together.
//!
//! A request is sent at once while no other of its kind is under way. While the database is busy with earlier ones, those
//! that come wait for the next turn and share a statement: what a statement costs besides its rows (the round trip, the
//! switches between processes, the executor's start, the commit) is most of what one costs. A statement never starts
//! before the requests that it serves have come, so everybody sees what was written before they asked.
//!
//! A statement that the database refuses has done nothing, and is sent again for everybody alone: what is wrong with one
//! request is never told to another. One that does not come back keeps nobody waiting for long.

use crate::StoreError;
use crate::connections::Connections;
use crate::signal::DirtySignal;
use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Statements of all kinds under way at a time at most.
const TURNS: usize = 16;
/// So many of one kind must wait for each of its statements under way before another one is sent beside it.
const CROWD: usize = 16;
/// Whoever has waited this long does not wait for a crowd: the statement in front has come to a lock.
const JAM: Duration = Duration::from_millis(50);
/// Requests that share a statement at most, so that nobody waits for many rows of others.
const SHARED: usize = 64;
/// How long a statement may take: it finds some rows by an index, so whoever takes longer is not there any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind of request. The value is what requests must have in common to share a statement; the tenant, above all.
pub(crate) trait Kind: Copy + Eq + Hash + Send + Sync + 'static {
    /// What one request is about. No two with the same share a statement.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What else it says.
    type Input: Send + Sync + 'static;
    /// What it gets.
    type Output: Send + 'static;

    /// Whether this leaves a mark on a delivery, so that workers must look.
    fn marks(_: &Self::Output) -> bool {
        false
    }

    /// Serves all with one statement. Keys for which there is nothing are left out.
    fn run(
        self,
        connections: &Connections,
        requests: &[(Self::Key, Self::Input)],
    ) -> impl Future<Output = Result<Rows<Self>, StoreError>> + Send;
}

/// What each gets. A row that does not fit what this program writes spoils nobody else's request.
pub(crate) type Rows<K> = Vec<(<K as Kind>::Key, Result<<K as Kind>::Output, StoreError>)>;

/// One column of what a statement is given.
pub(crate) fn column<'a, K, I, T>(requests: &'a [(K, I)], of: impl Fn(&'a I) -> T) -> Vec<T> {
    requests.iter().map(|(_, input)| of(input)).collect()
}

type Answer<K> = oneshot::Sender<Result<Option<<K as Kind>::Output>, StoreError>>;

/// Requests of one sort. Cheap to clone.
pub(crate) struct Gather<K: Kind>(Arc<Inner<K>>);

struct Inner<K: Kind> {
    connections: Connections,
    signal: Arc<DirtySignal>,
    queue: Mutex<Queue<K>>,
}

/// Who waits, kind by kind, and how many statements are under way.
struct Queue<K: Kind> {
    lanes: HashMap<K, Lane<K>>,
    turns: usize,
}

struct Lane<K: Kind> {
    waiting: Vec<Request<K>>,
    turns: usize,
}

struct Request<K: Kind> {
    key: K::Key,
    input: K::Input,
    answer: Answer<K>,
}

/// Those who share a statement.
struct Batch<K: Kind> {
    kind: K,
    requests: Vec<(K::Key, K::Input)>,
    answers: HashMap<K::Key, Answer<K>>,
}

impl<K: Kind> Clone for Gather<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Kind> Gather<K> {
    pub(crate) fn new(connections: &Connections, signal: &Arc<DirtySignal>) -> Self {
        let queue = Mutex::new(Queue { lanes: HashMap::new(), turns: 0 });
        Self(Arc::new(Inner { connections: connections.clone(), signal: Arc::clone(signal), queue }))
    }

    /// Asks together with others; `None` when there is nothing for this key.
    pub(crate) async fn ask(&self, kind: K, key: K::Key, input: K::Input) -> Result<Option<K::Output>, StoreError> {
        let (answer, mut told) = oneshot::channel();
        self.0.queue().lane(kind).waiting.push(Request { key, input, answer });
        self.0.start(kind, CROWD);
        let told = match tokio::time::timeout(JAM, &mut told).await {
            Ok(told) => told,
            Err(_jam) => {
                self.0.start(kind, 0);
                told.await
            }
        };
        // Nobody answers when the turn has panicked or the process ends.
        told.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

impl<K: Kind> Inner<K> {
    fn queue(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a turn for a kind, if there is one free and enough wait for it.
    fn start(self: &Arc<Self>, kind: K, crowd: usize) {
        // A runtime that is shutting down drops the turn at once, which takes the lock: it is not held here.
        let taken = self.queue().take(kind, crowd);
        let Some(batch) = taken else { return };
        let turn = Turn { inner: Arc::clone(self), kind };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { turn.inner.serve(batch).await });
        }
    }

    async fn serve(&self, batch: Batch<K>) {
        let Batch { kind, requests, mut answers } = batch;
        match self.run(kind, &requests).await {
            Ok(rows) => {
                for (key, output) in rows {
                    if let Some(answer) = answers.remove(&key) {
                        // Whoever does not wait any more needs no answer; here and below.
                        let _ = answer.send(output.map(Some));
                    }
                }
                for answer in answers.into_values() {
                    let _ = answer.send(Ok(None));
                }
            }
            Err(error) if error.is_refusal() && answers.len() > 1 => {
                let alone = requests.into_iter().map(|request| {
                    let answer = answers.remove(&request.0);
                    async move {
                        let rows = self.run(kind, std::slice::from_ref(&request)).await;
                        let output =
                            rows.and_then(|rows| rows.into_iter().next().map(|(_, output)| output).transpose());
                        answer.map(|answer| answer.send(output))
                    }
                });
                futures::future::join_all(alone).await;
            }
            // What became of it is not known, and trying again is not ours to decide. One of them hears the cause.
            Err(error) => {
                let unavailable = matches!(error, StoreError::Unavailable(_));
                let mut answers = answers.into_values();
                answers.next().map(|answer| answer.send(Err(error)));
                for answer in answers {
                    let same = sqlx::Error::WorkerCrashed;
                    let same = if unavailable { StoreError::Unavailable(same) } else { StoreError::Database(same) };
                    let _ = answer.send(Err(same));
                }
            }
        }
    }

    async fn run(&self, kind: K, requests: &[(K::Key, K::Input)]) -> Result<Rows<K>, StoreError> {
        let rows = tokio::time::timeout(PATIENCE, kind.run(&self.connections, requests)).await;
        // Here, because whoever asked may be gone by now.
        if let Ok(Ok(rows)) = &rows
            && rows.iter().any(|(_, output)| output.as_ref().is_ok_and(K::marks))
        {
            self.signal.dirty();
        }
        let late = || io::Error::new(io::ErrorKind::TimedOut, "a statement about single rows took too long");
        rows.unwrap_or_else(|_elapsed| Err(StoreError::Unavailable(late().into())))
    }
}

impl<K: Kind> Queue<K> {
    fn lane(&mut self, kind: K) -> &mut Lane<K> {
        self.lanes.entry(kind).or_insert_with(|| Lane { waiting: Vec::new(), turns: 0 })
    }

    /// The requests of one more turn of a kind.
    fn take(&mut self, kind: K, crowd: usize) -> Option<Batch<K>> {
        if self.turns >= TURNS {
            return None;
        }
        let lane = self.lanes.get_mut(&kind)?;
        lane.waiting.retain(|request| !request.answer.is_closed());
        if lane.waiting.is_empty() || lane.waiting.len() < lane.turns * crowd {
            return None;
        }
        let mut batch = Batch { kind, requests: Vec::new(), answers: HashMap::new() };
        let mut left = Vec::new();
        for request in lane.waiting.drain(..) {
            if batch.requests.len() < SHARED && !batch.answers.contains_key(&request.key) {
                batch.answers.insert(request.key.clone(), request.answer);
                batch.requests.push((request.key, request.input));
            } else {
                left.push(request);
            }
        }
        lane.waiting = left;
        lane.turns += 1;
        self.turns += 1;
        Some(batch)
    }

    /// A turn of a kind is over. The kinds that may have one now: its own, and one that had none because all were taken.
    fn give_back(&mut self, kind: K) -> [Option<K>; 2] {
        let was_full = self.turns >= TURNS;
        self.turns -= 1;
        let Some(lane) = self.lanes.get_mut(&kind) else { return [None, None] };
        lane.turns -= 1;
        if lane.turns == 0 && lane.waiting.is_empty() {
            self.lanes.remove(&kind);
        }
        let starved = |(_, lane): &(&K, &Lane<K>)| lane.turns == 0 && !lane.waiting.is_empty();
        let other = if was_full { self.lanes.iter().find(starved).map(|(other, _)| *other) } else { None };
        [other, Some(kind)]
    }
}

/// A turn under way. However it ends, the next one starts.
struct Turn<K: Kind> {
    inner: Arc<Inner<K>>,
    kind: K,
}

impl<K: Kind> Drop for Turn<K> {
    fn drop(&mut self) {
        let next = self.inner.queue().give_back(self.kind);
        for kind in next.into_iter().flatten() {
            self.inner.start(kind, CROWD);
        }
    }
}
