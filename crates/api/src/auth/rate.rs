//! How fast somebody may call: token buckets, kept in memory, by the clock that the caller hands in.
//!
//! A bucket is one moment: when it will be full again (the generic cell rate algorithm). Rates differ from source to source
//! and change while the server runs, which is why this is not one of the ready-made limiters: those bind a rate to all keys
//! for good. Each process counts for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use time::OffsetDateTime;

/// How many keys a set of buckets remembers.
const MOST_KEYS: usize = 16_384;

/// How much is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// All the time, per second.
    pub per_second: u32,
    /// At once, after a pause.
    pub burst: u32,
}

/// The least that a source may be allowed. Identity providers send that much.
pub const FEWEST: Rate = Rate { per_second: 25, burst: 50 };

impl Rate {
    /// Nanoseconds that one call uses up.
    fn interval(self) -> i128 {
        1_000_000_000 / i128::from(self.per_second.max(1))
    }
}

/// The buckets of many keys.
#[derive(Debug)]
pub(crate) struct Buckets<K>(Mutex<HashMap<K, i128>>);

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash> Buckets<K> {
    /// Takes one call out of the bucket of `key`.
    ///
    /// # Errors
    /// When the bucket is empty: how long until it is not.
    pub(crate) fn take(&self, key: K, rate: Rate, now: OffsetDateTime) -> Result<(), Duration> {
        let now = now.unix_timestamp_nanos();
        let (interval, depth) = (rate.interval(), rate.interval() * i128::from(rate.burst.max(1)));
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= MOST_KEYS && !full_at.contains_key(&key) {
            make_room(&mut full_at, now);
        }
        let at = full_at.entry(key).or_insert(now);
        let next = (*at).max(now) + interval;
        let over = next - now - depth;
        if over > 0 {
            return Err(Duration::from_nanos(u64::try_from(over).unwrap_or(u64::MAX)));
        }
        *at = next;
        Ok(())
    }
}

/// Forgets the buckets that are full, which are as good as none, and of the others the fuller half: whoever has used up most
/// stays, however many others come. Half at once, so that not each of them costs a look at all.
fn make_room<K>(full_at: &mut HashMap<K, i128>, now: i128) {
    let mut moments: Vec<i128> = full_at.values().copied().collect();
    let middle = moments.len() / 2;
    let cut = if middle < moments.len() { *moments.select_nth_unstable(middle).1 } else { now };
    full_at.retain(|_, at| *at > cut.max(now));
}

/// Whole seconds to wait, for `Retry-After`.
pub(crate) fn seconds(wait: Duration) -> u32 {
    let up = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
    u32::try_from(up).unwrap_or(u32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_provisioning::time::{Clock, ManualClock};

    const RATE: Rate = FEWEST;

    /// How many of `tries` pass.
    fn passed(buckets: &Buckets<u8>, key: u8, tries: usize, now: OffsetDateTime) -> usize {
        (0..tries).filter(|_| buckets.take(key, RATE, now).is_ok()).count()
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let buckets = Buckets::default();
        assert_eq!(passed(&buckets, 1, 80, clock.now()), 50, "a whole burst at one moment");
        assert_eq!(buckets.take(1, RATE, clock.now()), Err(Duration::from_millis(40)));
        assert_eq!(passed(&buckets, 2, 80, clock.now()), 50, "another one's bucket is untouched");
        clock.advance(Duration::from_millis(40));
        assert_eq!(passed(&buckets, 1, 5, clock.now()), 1);
        clock.advance(Duration::from_secs(1));
        assert_eq!(passed(&buckets, 1, 80, clock.now()), 25);
        clock.advance(Duration::from_hours(1));
        assert_eq!(passed(&buckets, 1, 80, clock.now()), 50, "it never holds more than a burst");
    }

    #[test]
    fn a_steady_client_at_the_rate_is_never_stopped() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let buckets = Buckets::default();
        for second in 0..3_600 {
            assert_eq!(passed(&buckets, 1, 25, clock.now()), 25, "second {second}");
            clock.advance(Duration::from_secs(1));
        }
    }

    #[test]
    fn many_keys_are_bounded() {
        let buckets = Buckets::default();
        let now = OffsetDateTime::UNIX_EPOCH;
        for key in 0..3 * MOST_KEYS {
            assert_eq!(buckets.take(key, RATE, now), Ok(()));
            assert!(buckets.0.lock().expect("a lock").len() <= MOST_KEYS);
        }
    }

    /// Whoever has many addresses cannot have the count of another one forgotten.
    #[test]
    fn many_others_do_not_fill_a_bucket_that_is_used_up() {
        let clock = ManualClock::new(OffsetDateTime::UNIX_EPOCH);
        let buckets = Buckets::default();
        let take = |key: usize| buckets.take(key, RATE, clock.now());
        assert_eq!((0..80).filter(|_| take(0).is_ok()).count(), 50);
        for stranger in 1..=10 * MOST_KEYS {
            assert_eq!(take(stranger), Ok(()));
        }
        assert!(take(0).is_err(), "it is as empty as before");
    }

    #[test]
    fn waits_are_whole_seconds() {
        for (wait, expected) in [(0, 1), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (60_000, 60)] {
            assert_eq!(seconds(Duration::from_millis(wait)), expected, "{wait} ms");
        }
    }
}
