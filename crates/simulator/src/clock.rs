//! The simulator's own time: the only file that reads a clock.
//!
//! Windows and lifetimes follow the monotonic clock. The wall clock is read once, at the start, and carried on from
//! there, so both agree and `/_simulator/clock` can move them together. A [`ManualClock`] takes the place of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::time::Instant;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// DingTalk's days are those of China, eight hours ahead of UTC.
const CHINA_OFFSET_MS: i64 = 8 * 60 * 60 * 1_000;

/// A clock that stands still until it is moved, for runs that must repeat themselves. Cloning gives another handle to
/// the same clock, so one clock can drive the simulator and the program that calls it.
#[derive(Clone, Debug)]
pub struct ManualClock {
    unix_ms: Arc<AtomicI64>,
}

impl ManualClock {
    /// A clock that shows `unix_ms` milliseconds since 1970-01-01 UTC.
    pub fn at(unix_ms: i64) -> Self {
        Self { unix_ms: Arc::new(AtomicI64::new(unix_ms)) }
    }

    /// What it shows, in milliseconds since 1970-01-01 UTC.
    pub fn now(&self) -> i64 {
        self.unix_ms.load(Ordering::Acquire)
    }

    /// Moves it to a later moment. Time does not go back: an earlier one changes nothing.
    pub fn set(&self, unix_ms: i64) {
        self.unix_ms.fetch_max(unix_ms, Ordering::AcqRel);
    }

    /// Moves it on by `ms` milliseconds.
    pub fn advance(&self, ms: u64) {
        self.unix_ms.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::AcqRel);
    }
}

/// Time since the simulator started, and the wall clock that belongs to it.
#[derive(Debug)]
pub(crate) struct Clock {
    started_wall_ms: i64,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Running { started: Instant, advanced_ms: u64 },
    Manual(ManualClock),
}

impl Clock {
    /// A clock that starts now: with the given one, or else with the machine's.
    pub(crate) fn start(manual: Option<ManualClock>) -> Self {
        match manual {
            Some(clock) => Self { started_wall_ms: clock.now(), source: Source::Manual(clock) },
            None => {
                Self { started_wall_ms: wall_ms(), source: Source::Running { started: Instant::now(), advanced_ms: 0 } }
            }
        }
    }

    /// Milliseconds since the start, including the jumps of [`Clock::advance`].
    pub(crate) fn elapsed_ms(&self) -> u64 {
        match &self.source {
            Source::Running { started, advanced_ms } => {
                u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(*advanced_ms)
            }
            Source::Manual(clock) => u64::try_from(clock.now().saturating_sub(self.started_wall_ms)).unwrap_or(0),
        }
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.started_wall_ms.saturating_add(i64::try_from(self.elapsed_ms()).unwrap_or(i64::MAX))
    }

    /// Jumps forward, so that a test need not wait for a token to expire.
    pub(crate) fn advance(&mut self, ms: u64) {
        match &mut self.source {
            Source::Running { advanced_ms, .. } => *advanced_ms = advanced_ms.saturating_add(ms),
            Source::Manual(clock) => clock.advance(ms),
        }
    }

    /// Whether time passes by itself, so that a delay can be waited for.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.source, Source::Running { .. })
    }
}

/// Whether two moments, in milliseconds since 1970, fall on the same day in China.
pub(crate) fn same_day(first_ms: i64, second_ms: i64) -> bool {
    let day = |ms: i64| ms.saturating_add(CHINA_OFFSET_MS).div_euclid(DAY_MS);
    day(first_ms) == day(second_ms)
}

#[expect(clippy::disallowed_methods, reason = "the simulator is a stand-in for an outside service with its own clock")]
fn wall_ms() -> i64 {
    let nanos = time::OffsetDateTime::now_utc().unix_timestamp_nanos();
    i64::try_from(nanos / 1_000_000).unwrap_or(i64::MAX)
}
