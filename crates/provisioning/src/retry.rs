//! When a failed try is repeated. A passing failure never gives up: it gets slower and louder.

use crate::connector::ErrorClass;
use std::time::Duration;

/// Tries that come quickly, one after the other, before a person is told.
pub const QUICK_TRIES: u32 = 3;
/// The longest distance between two tries.
pub const LONGEST: Duration = Duration::from_mins(30);

/// Base distances before the second, third, … try. The last one repeats for ever.
const LADDER: [Duration; 10] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(15),
    LONGEST,
];

/// When to try again, and whether to tell a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// The distance from now.
    pub after: Duration,
    /// Whether a person is told. True once in a row of failures: when the quick tries are used up.
    pub alert: bool,
}

/// Decides on the `failed`-th failure in a row (1 is the first). `retry_after` is the target's own wish,
/// which is honoured when it is longer than ours, up to [`LONGEST`]. The distance is spread by up to a fifth
/// downwards, by `seed` and `failed` alone, so that many resources do not come back in one moment.
pub fn decide(class: ErrorClass, failed: u32, retry_after: Option<Duration>, seed: u64) -> Retry {
    let step = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX);
    let base = LADDER.get(step).copied().unwrap_or(LONGEST);
    let spread = base.mul_f64(1.0 - 0.2 * fraction(seed, failed));
    let after = retry_after.map_or(spread, |wish| spread.max(wish)).min(LONGEST);
    // A throttled call is no fault of anybody's; it only becomes news when it does not end.
    let quiet = if class == ErrorClass::RateLimited { QUICK_TRIES * 2 } else { QUICK_TRIES };
    Retry { after, alert: failed == quiet + 1 }
}

/// A number in 0..1 that is the same for the same input (splitmix64).
fn fraction(seed: u64, attempt: u32) -> f64 {
    let mut mixed = seed.wrapping_add(u64::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    // Twenty-four bits fit a float exactly.
    f64::from(u32::try_from(mixed >> 40).unwrap_or(0)) / f64::from(1_u32 << 24)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quick_then_slow() {
        let after = |failed| decide(ErrorClass::Transient, failed, None, 1).after;
        assert!(after(1) <= Duration::from_millis(500));
        assert!(after(3) <= Duration::from_secs(2));
        assert!(after(4) >= Duration::from_secs(8));
        assert!(after(50) >= Duration::from_mins(24));
    }

    #[test]
    fn the_wish_of_the_target_counts_when_longer() {
        let wish = Some(Duration::from_secs(40));
        assert_eq!(decide(ErrorClass::RateLimited, 1, wish, 1).after, Duration::from_secs(40));
        let day = Some(Duration::from_hours(24));
        assert_eq!(decide(ErrorClass::RateLimited, 1, day, 1).after, LONGEST);
    }

    proptest! {
        #[test]
        fn bounded_spread_and_repeatable(failed in 1_u32..200, seed: u64) {
            let retry = decide(ErrorClass::Transient, failed, None, seed);
            prop_assert_eq!(retry, decide(ErrorClass::Transient, failed, None, seed));
            prop_assert!(retry.after <= LONGEST);
            let later = decide(ErrorClass::Transient, failed + 1, None, seed ^ 0xFF);
            prop_assert!(later.after >= retry.after.mul_f64(0.79), "tries never get much closer again");
        }
    }
}
