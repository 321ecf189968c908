//! Reads of one row each that go to the database together.
//!
//! A read is sent at once while the database is idle. While it is busy with earlier ones, those that come wait for the
//! next turn and share a statement: what a statement costs besides its rows (the round trip, the switches between
//! processes, the executor's start) is most of what a read costs. A statement never starts before the read that it
//! answers has come, so everybody sees what was written before they asked.

use crate::StoreError;
use crate::connections::Connections;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Statements under way at a time: one that the database works at, and one that is on its way.
const TURNS: usize = 2;
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
        {
            let mut queue = self.0.queue();
            queue.waiting.push((lookup, key, answer));
            self.0.start(&mut queue);
        }
        // Nobody answers when the turn has panicked or the process ends.
        told.await.unwrap_or(Err(StoreError::Unavailable(sqlx::Error::WorkerCrashed)))
    }
}

impl<L: Lookup> Inner<L> {
    fn queue(&self) -> MutexGuard<'_, Queue<L>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a turn, if there is one free and somebody waits.
    fn start(self: &Arc<Self>, queue: &mut Queue<L>) {
        if queue.turns >= TURNS {
            return;
        }
        let (Some((lookup, batch)), Ok(runtime)) = (queue.take(), Handle::try_current()) else { return };
        queue.turns += 1;
        let turn = Turn(Arc::clone(self));
        runtime.spawn(async move { turn.0.answer(lookup, batch).await });
    }

    async fn answer(&self, lookup: L, mut batch: Batch<L>) {
        let keys: Vec<_> = batch.keys().cloned().collect();
        match lookup.fetch(&self.connections, keys).await {
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
                    let rows = lookup.fetch(&self.connections, vec![key]).await;
                    let found = rows.and_then(|rows| rows.into_iter().next().map(|(_, found)| found).transpose());
                    let _ = answer.send(found);
                });
                futures::future::join_all(alone).await;
            }
        }
    }
}

impl<L: Lookup> Queue<L> {
    /// Those that can share a statement with whoever came first, and one of them for each key.
    fn take(&mut self) -> Option<(L, Batch<L>)> {
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
        Some((lookup, batch))
    }
}

/// A turn under way. However it ends, the next one starts.
struct Turn<L: Lookup>(Arc<Inner<L>>);

impl<L: Lookup> Drop for Turn<L> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.turns -= 1;
        self.0.start(&mut queue);
    }
}
