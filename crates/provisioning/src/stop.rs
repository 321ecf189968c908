//! Stops: what does not work at a target until its cause has gone, and when it is tried next. Each cause has a clock of its
//! own; none of them ever ends.

use std::time::Duration;

/// Why something is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cause {
    /// The target refuses the application's key or secret.
    Credential,
    /// The application lacks a permission, or may not call from this address.
    Permission,
    /// The organisation, or what it has bought, does not allow it.
    Organisation,
    /// What was bought for a time is used up.
    Quota,
    /// Too many calls: the target does not answer for a while.
    Ban,
    /// The settings of the target cannot be used.
    Settings,
}

/// Seconds.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Cause {
    /// All causes.
    pub const ALL: [Self; 6] =
        [Self::Credential, Self::Permission, Self::Organisation, Self::Quota, Self::Ban, Self::Settings];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Permission => "permission",
            Self::Organisation => "organisation",
            Self::Quota => "quota",
            Self::Ban => "ban",
            Self::Settings => "settings",
        }
    }

    /// Distances before the next try, in seconds; the last one repeats for ever.
    const fn clock(self) -> &'static [u64] {
        match self {
            // A person mends these, and says so with "try now" or by a new setting.
            Self::Credential | Self::Settings => &[MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
            Self::Permission | Self::Organisation => &[5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR],
            Self::Quota => &[HOUR, 3 * HOUR, 6 * HOUR],
            Self::Ban => &[5 * MINUTE, 10 * MINUTE, 30 * MINUTE],
        }
    }
}

/// The distance to the next try after the `tries`-th in a row that failed (1 is the first). The target's own `wish` counts
/// when it is longer.
pub fn next_try(cause: Cause, tries: u32, wish: Option<Duration>) -> Duration {
    let clock = cause.clock();
    let step = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
    let seconds = clock.get(step).or(clock.last()).copied().unwrap_or(HOUR);
    Duration::from_secs(seconds).max(wish.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_clock_gets_slower_and_never_ends() {
        for cause in Cause::ALL {
            let tries: Vec<Duration> = (1..50).map(|tries| next_try(cause, tries, None)).collect();
            assert!(tries.is_sorted() && tries.last() <= Some(&Duration::from_hours(6)), "{cause:?}: {tries:?}");
            assert_eq!(Cause::ALL.iter().filter(|other| other.as_str() == cause.as_str()).count(), 1);
        }
        assert_eq!(next_try(Cause::Credential, 1, None), Duration::from_mins(1));
        assert_eq!(next_try(Cause::Quota, 2, None), Duration::from_hours(3));
    }

    #[test]
    fn the_target_may_ask_for_more_time() {
        assert_eq!(next_try(Cause::Ban, 1, Some(Duration::from_secs(310))), Duration::from_secs(310));
        assert_eq!(next_try(Cause::Ban, 1, Some(Duration::from_secs(1))), Duration::from_mins(5));
    }
}
