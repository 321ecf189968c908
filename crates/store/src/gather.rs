//! Reads of one row each that go to the database together.
//!
//! A read is sent at once while no other is under way. While the database is busy with earlier ones, those that come
//! wait for the next turn and share a statement: what a statement costs besides its rows (the round trip, the switches between
//! processes, the executor's start) is most of what a read costs. A statement never starts before the read that it
//! answers has come, so everybody sees what was written before they asked.

use crate::StoreError;
use crate::connections::Connections;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// So many must wait for each statement under way before another one is sent beside it.
const CROWD: usize = 16;
/// Statements under way at a time at most.
const TURNS: usize = 8;
/// How long a statement may take: it finds some rows by an index, so whoever takes longer is not there any more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Reads that share a statement at most, so that nobody waits for many rows of others.
const SHARED: usize = 64;

/// What reads must have in common to share a statement, and how it is sent.
pub(crate) trait Lookup: Copy + PartialEq + Send + Sync + 'static {
    /// What one row is found by.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What is found.
    type Found: Send + 'static;

    /// Finds the rows of all keys with one statement. Keys that nothing is found by are left out.
    fn fetch(
        self,
        connections: &Connections,
        keys: Vec<Self::Key>,
    ) -> impl Future<Output = Result<Rows<Self>, StoreError>> + Send;
}

/// Each row by its key. A row that does not fit what this program writes spoils nobody else's read.
pub(crate) type Rows<L> = Vec<(<L as Lookup>::Key, Result<<L as Lookup>::Found, StoreError>)>;

type Answer<L> = oneshot::Sender<Result<Option<<L as Lookup>::Found>, StoreError>>;
type Batch<L> = HashMap<<L as Lookup>::Key, Answer<L>>;

/// Reads of one kind. Cheap to clone.
pub(crate) struct Gather<L: Lookup>(Arc<Inner<L>>);

struct Inner<L: Lookup> {
    connections: Connections,
    queue: Mutex<Queue<L>>,
}

struct Queue<L: Lookup> {
    waiting: Vec<(L, L::Key, Answer<L>)>,
    turns: usize,
}

impl<L: Lookup> Clone for Gather<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: Lookup> Gather<L> {
    pub(crate) fn new(connections: Connections) -> Self {
        let queue = Mutex::new(Queue { waiting: Vec::new(), turns: 0 });
        Self(Arc::new(Inner { connections, queue }))
    }

    /// What there is by this key.
    pub(crate) async fn read(&self, lookup: L, key: L::Key) -> Result<Option<L::Found>, StoreError> {
        let (answer, told) = oneshot::channel();
        self.0.queue().waiting.push((lookup, key, answer));
        self.0.start();
        // Nobody answers when the turn has panicked or the process ends.
        told.await.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

impl<L: Lookup> Inner<L> {
    fn queue(&self) -> MutexGuard<'_, Queue<L>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a turn, if there is one free and enough wait for it.
    fn start(self: &Arc<Self>) {
        // A runtime that is shutting down drops the turn at once, which takes the lock: it is not held here.
        let taken = self.queue().take();
        let Some((lookup, batch)) = taken else { return };
        let turn = Turn(Arc::clone(self));
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { turn.0.answer(lookup, batch).await });
        }
    }

    async fn fetch(&self, lookup: L, keys: Vec<L::Key>) -> Result<Rows<L>, StoreError> {
        let rows = tokio::time::timeout(PATIENCE, lookup.fetch(&self.connections, keys)).await;
        rows.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)))
    }

    async fn answer(&self, lookup: L, mut batch: Batch<L>) {
        match self.fetch(lookup, batch.keys().cloned().collect()).await {
            Ok(rows) => {
                for (key, found) in rows {
                    if let Some(answer) = batch.remove(&key) {
                        // Whoever does not wait any more needs no answer; here and below.
                        let _ = answer.send(found.map(Some));
                    }
                }
                for answer in batch.into_values() {
                    let _ = answer.send(Ok(None));
                }
            }
            Err(error) if batch.len() == 1 => {
                batch.into_values().next().map(|answer| answer.send(Err(error)));
            }
            // Everybody for themselves: what is wrong with one must not be told to the others.
            Err(_) => {
                let alone = batch.into_iter().map(async |(key, answer)| {
                    let rows = self.fetch(lookup, vec![key]).await;
                    let found = rows.and_then(|rows| rows.into_iter().next().map(|(_, found)| found).transpose());
                    let _ = answer.send(found);
                });
                futures::future::join_all(alone).await;
            }
        }
    }
}

impl<L: Lookup> Queue<L> {
    /// The reads of one more turn: those that can share a statement with whoever came first, and one for each key.
    fn take(&mut self) -> Option<(L, Batch<L>)> {
        if self.turns >= TURNS || self.waiting.len() < self.turns * CROWD {
            return None;
        }
        self.waiting.retain(|(_, _, answer)| !answer.is_closed());
        let lookup = self.waiting.first()?.0;
        let mut batch = Batch::<L>::new();
        let mut left = Vec::new();
        for (its, key, answer) in self.waiting.drain(..) {
            if batch.len() < SHARED && its == lookup {
                match batch.entry(key) {
                    Entry::Vacant(place) => {
                        place.insert(answer);
                    }
                    Entry::Occupied(place) => left.push((its, place.key().clone(), answer)),
                }
            } else {
                left.push((its, key, answer));
            }
        }
        self.waiting = left;
        self.turns += 1;
        Some((lookup, batch))
    }
}

/// A turn under way. However it ends, the next one starts.
struct Turn<L: Lookup>(Arc<Inner<L>>);

impl<L: Lookup> Drop for Turn<L> {
    fn drop(&mut self) {
        self.0.queue().turns -= 1;
        self.0.start();
    }
}
