//! The simulator's own time: the only file that reads a clock.
//!
//! Windows and lifetimes follow the monotonic clock. The wall clock is read once, at the start, and carried on from
//! there, so both agree and `/_simulator/clock` can move them together.

use tokio::time::Instant;

/// Milliseconds in a day.
pub(crate) const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// DingTalk's days are those of China, eight hours ahead of UTC.
const CHINA_OFFSET_MS: i64 = 8 * 60 * 60 * 1_000;

/// Time since the simulator started, and the wall clock that belongs to it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_wall_ms: i64,
    advanced_ms: u64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), started_wall_ms: wall_ms(), advanced_ms: 0 }
    }

    /// Milliseconds since the start, including the jumps of [`Clock::advance`].
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(self.advanced_ms)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.started_wall_ms.saturating_add(i64::try_from(self.elapsed_ms()).unwrap_or(i64::MAX))
    }

    /// Jumps forward, so that a test need not wait for a token to expire.
    pub(crate) fn advance(&mut self, ms: u64) {
        self.advanced_ms = self.advanced_ms.saturating_add(ms);
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
