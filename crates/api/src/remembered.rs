//! What was looked up lately, so that no request pays a round trip for what the one before it has read.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

/// Values by their keys, believed for a while or until somebody says that something changed.
pub(crate) struct Remembered<K, V> {
    believed_for: Duration,
    /// How many are kept.
    most: usize,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K, V> {
    /// Grows with each change, so that a look-up begun before it does not bring back what it read.
    generation: u64,
    known: HashMap<K, (Arc<V>, OffsetDateTime)>,
    /// Look-ups that somebody waits for. Whoever else asks waits with them.
    under_way: HashMap<K, Weak<LookUp<V>>>,
}

type LookUp<V> = OnceCell<Option<Arc<V>>>;

impl<K: Eq + Hash + Copy, V> Remembered<K, V> {
    pub(crate) fn new(believed_for: Duration, most: usize) -> Self {
        let entries = Entries { generation: 0, known: HashMap::new(), under_way: HashMap::new() };
        Self { believed_for, most, entries: Mutex::new(entries) }
    }

    /// Forgets everything. Look-ups that are under way serve those who wait for them and nobody else.
    pub(crate) fn forget_all(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.known.clear();
        entries.under_way.clear();
    }

    /// The value of a key, from memory or by `look_up`. It is kept only if it is `worth` it.
    pub(crate) async fn get<E>(
        &self,
        key: K,
        now: OffsetDateTime,
        worth: impl Fn(&V) -> bool + Send,
        look_up: impl Future<Output = Result<Option<V>, E>> + Send,
    ) -> Result<Option<Arc<V>>, E> {
        let (generation, cell) = {
            let mut entries = self.entries();
            if let Some((value, looked_up)) = entries.known.get(&key)
                && now - *looked_up < self.believed_for
            {
                return Ok(Some(Arc::clone(value)));
            }
            (entries.generation, entries.join(key, self.most))
        };
        // One that fails, or that nobody waits for any more, is done by the next who waits.
        let found = cell.get_or_try_init(|| async { Ok(look_up.await?.map(Arc::new)) }).await?.clone();
        let mut entries = self.entries();
        if entries.generation == generation {
            entries.under_way.remove(&key);
            if let Some(value) = found.as_ref().filter(|value| worth(value)) {
                entries.make_room(self.most);
                entries.known.insert(key, (Arc::clone(value), now));
            }
        }
        Ok(found)
    }

    fn entries(&self) -> MutexGuard<'_, Entries<K, V>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy, V> Entries<K, V> {
    /// The look-up of a key that is under way, or a new one.
    fn join(&mut self, key: K, most: usize) -> Arc<LookUp<V>> {
        if let Some(cell) = self.under_way.get(&key).and_then(Weak::upgrade) {
            return cell;
        }
        if self.under_way.len() >= most {
            // What is left of those that nobody waits for any more.
            self.under_way.retain(|_, cell| cell.strong_count() > 0);
        }
        let cell = Arc::new(OnceCell::new());
        self.under_way.insert(key, Arc::downgrade(&cell));
        cell
    }

    /// Forgets the older half when there are too many.
    fn make_room(&mut self, most: usize) {
        if self.known.len() < most {
            return;
        }
        let middle = middle(self.known.values().map(|(_, looked_up)| *looked_up));
        self.known.retain(|_, (_, looked_up)| Some(*looked_up) > middle);
    }
}

/// The moment in the middle, by their order; `None` if there are none.
pub(crate) fn middle(moments: impl Iterator<Item = OffsetDateTime>) -> Option<OffsetDateTime> {
    let mut moments: Vec<OffsetDateTime> = moments.collect();
    let middle = moments.len() / 2;
    (middle < moments.len()).then(|| *moments.select_nth_unstable(middle).1)
}

impl<K, V> fmt::Debug for Remembered<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("most", &self.most).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::sync::Notify;

    const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn memory(most: usize) -> Remembered<usize, usize> {
        Remembered::new(Duration::from_secs(5), most)
    }

    async fn get(memory: &Remembered<usize, usize>, key: usize, now: OffsetDateTime, fresh: usize) -> Option<usize> {
        let look_up = async { Ok::<_, Infallible>((fresh > 0).then_some(fresh)) };
        let Ok(found) = memory.get(key, now, |value| *value < 100, look_up).await;
        found.map(|value| *value)
    }

    #[tokio::test]
    async fn values_are_believed_for_a_while() {
        let memory = memory(10);
        let later = |seconds| NOW + Duration::from_secs(seconds);
        assert_eq!(get(&memory, 1, NOW, 7).await, Some(7));
        assert_eq!(get(&memory, 1, later(4), 8).await, Some(7));
        assert_eq!(get(&memory, 2, later(4), 9).await, Some(9), "another key");
        assert_eq!(get(&memory, 1, later(5), 8).await, Some(8));
        memory.forget_all();
        assert_eq!(get(&memory, 1, later(5), 10).await, Some(10));
        assert_eq!(get(&memory, 3, NOW, 0).await, None);
        assert_eq!(get(&memory, 3, NOW, 5).await, Some(5), "what is not there is not remembered");
        assert_eq!(get(&memory, 4, NOW, 100).await, Some(100));
        assert_eq!(get(&memory, 4, NOW, 6).await, Some(6), "nor what is not worth it");
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_waits_for_one_look_up() {
        let (memory, asked, go) = (memory(10), AtomicUsize::new(0), Notify::new());
        let ask = || async {
            let look_up = async {
                asked.fetch_add(1, Ordering::Relaxed);
                go.notified().await;
                Ok::<_, Infallible>(Some(7))
            };
            let Ok(found) = memory.get(1, NOW, |_| true, look_up).await;
            found.map(|value| *value)
        };
        let (one, two, ()) = tokio::join!(ask(), ask(), async { go.notify_one() });
        assert_eq!((one, two, asked.load(Ordering::Relaxed)), (Some(7), Some(7), 1));
        assert!(memory.entries().under_way.is_empty());
    }

    /// A revocation that comes while a look-up is under way must not be undone by what that look-up has read.
    #[tokio::test]
    async fn what_was_read_before_a_change_serves_nobody_after_it() {
        let (memory, go) = (memory(10), Notify::new());
        let old = async {
            let look_up = async {
                go.notified().await;
                Ok::<_, Infallible>(Some(1))
            };
            let Ok(found) = memory.get(1, NOW, |_| true, look_up).await;
            found.map(|value| *value)
        };
        let change = async {
            memory.forget_all();
            let fresh = get(&memory, 1, NOW, 2).await;
            go.notify_one();
            fresh
        };
        assert_eq!(tokio::join!(old, change), (Some(1), Some(2)));
        assert_eq!(get(&memory, 1, NOW, 3).await, Some(2), "and does not replace what was read since");
    }

    #[tokio::test]
    async fn a_look_up_that_fails_or_is_given_up_is_done_by_the_next() {
        let memory = memory(10);
        assert_eq!(memory.get(1, NOW, |_| true, async { Err::<Option<usize>, _>("no") }).await, Err("no"));
        let never = memory.get(1, NOW, |_| true, std::future::pending::<Result<_, Infallible>>());
        assert!(tokio::time::timeout(Duration::from_millis(1), never).await.is_err());
        assert_eq!(get(&memory, 1, NOW, 7).await, Some(7));
    }

    #[tokio::test]
    async fn no_more_are_kept_than_may_be_and_the_newer_ones_stay() {
        let memory = memory(8);
        for key in 0..100 {
            get(&memory, key, NOW + Duration::from_millis(key as u64), 1).await;
            assert!(memory.entries().known.len() <= 8);
            assert!(memory.entries().known.contains_key(&key));
        }
        assert_eq!(get(&memory, 98, NOW, 2).await, Some(1));
    }
}
