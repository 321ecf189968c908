//! Requests about one user each that go to the database together.
//!
//! A request is sent at once while no other of its kind is under way. While the database is busy with earlier ones, those
//! that come wait for the next turn and share a statement: what a statement costs besides its rows (the round trip, the
//! switches between processes, the executor's start, the commit) is most of what one costs. A statement never starts
//! before the requests that it serves have come, so everybody sees what was written before they asked.
//!
//! A statement that the database refuses has done nothing, and is sent again for everybody alone: what is wrong with one
//! request is never told to another.

use crate::StoreError;
use crate::connections::Connections;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Statements of one kind under way at a time at most.
const TURNS: usize = 8;
/// Requests that share a statement at most, so that nobody waits for many rows of others.
const SHARED: usize = 64;
/// How long a statement may take: it finds some rows by an index, so whoever takes longer is not there any more.
const PATIENCE: Duration = Duration::from_secs(10);

/// A kind of request. The value is what requests must have in common to share a statement.
pub(crate) trait Kind: Copy + PartialEq + Send + Sync + 'static {
    /// What one request is about. No two with the same share a statement.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What else it says.
    type Input: Send + Sync + 'static;
    /// What it gets.
    type Output: Send + 'static;
    /// So many must wait for each statement under way before another one is sent beside it.
    const CROWD: usize;

    /// Serves all with one statement. Keys for which there is nothing are left out.
    fn run(
        self,
        connections: &Connections,
        requests: &[(Self::Key, Self::Input)],
    ) -> impl Future<Output = Result<Rows<Self>, StoreError>> + Send;
}

/// What each gets. A row that does not fit what this program writes spoils nobody else's request.
pub(crate) type Rows<K> = Vec<(<K as Kind>::Key, Result<<K as Kind>::Output, StoreError>)>;

type Answer<K> = oneshot::Sender<Result<Option<<K as Kind>::Output>, StoreError>>;

/// Requests of one kind. Cheap to clone.
pub(crate) struct Gather<K: Kind>(Arc<Inner<K>>);

struct Inner<K: Kind> {
    connections: Connections,
    queue: Mutex<Queue<K>>,
}

struct Queue<K: Kind> {
    waiting: Vec<Request<K>>,
    turns: usize,
}

struct Request<K: Kind> {
    kind: K,
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
    pub(crate) fn new(connections: Connections) -> Self {
        let queue = Mutex::new(Queue { waiting: Vec::new(), turns: 0 });
        Self(Arc::new(Inner { connections, queue }))
    }

    /// Asks together with others; `None` when there is nothing for this key.
    pub(crate) async fn ask(&self, kind: K, key: K::Key, input: K::Input) -> Result<Option<K::Output>, StoreError> {
        let (answer, told) = oneshot::channel();
        self.0.queue().waiting.push(Request { kind, key, input, answer });
        self.0.start();
        // Nobody answers when the turn has panicked or the process ends.
        told.await.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

impl<K: Kind> Inner<K> {
    fn queue(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a turn, if there is one free and enough wait for it.
    fn start(self: &Arc<Self>) {
        // A runtime that is shutting down drops the turn at once, which takes the lock: it is not held here.
        let taken = self.queue().take();
        let Some(batch) = taken else { return };
        let turn = Turn(Arc::clone(self));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { turn.0.serve(batch).await });
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
            Err(error) if answers.len() == 1 => {
                answers.into_values().next().map(|answer| answer.send(Err(error)));
            }
            // What became of it is not known, and trying again is not ours to decide.
            Err(error) if !error.is_refusal() => {
                for answer in answers.into_values() {
                    let _ = answer.send(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)));
                }
            }
            Err(_) => {
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
        }
    }

    async fn run(&self, kind: K, requests: &[(K::Key, K::Input)]) -> Result<Rows<K>, StoreError> {
        let rows = tokio::time::timeout(PATIENCE, kind.run(&self.connections, requests)).await;
        rows.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)))
    }
}

impl<K: Kind> Queue<K> {
    /// The requests of one more turn: those that can share a statement with whoever came first.
    fn take(&mut self) -> Option<Batch<K>> {
        if self.turns >= TURNS || self.waiting.len() < self.turns * K::CROWD {
            return None;
        }
        self.waiting.retain(|request| !request.answer.is_closed());
        let kind = self.waiting.first()?.kind;
        let mut batch = Batch { kind, requests: Vec::new(), answers: HashMap::new() };
        let mut left = Vec::new();
        for request in self.waiting.drain(..) {
            let fits = batch.requests.len() < SHARED && request.kind == kind;
            match batch.answers.entry(request.key.clone()) {
                Entry::Vacant(place) if fits => {
                    batch.requests.push((request.key, request.input));
                    place.insert(request.answer);
                }
                _ => left.push(request),
            }
        }
        self.waiting = left;
        self.turns += 1;
        Some(batch)
    }
}

/// A turn under way. However it ends, the next one starts.
struct Turn<K: Kind>(Arc<Inner<K>>);

impl<K: Kind> Drop for Turn<K> {
    fn drop(&mut self) {
        self.0.queue().turns -= 1;
        self.0.start();
    }
}
