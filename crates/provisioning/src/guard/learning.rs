//! Limits learnt from what is usual: three times the 99th percentile of the days, never below the floor that all begin with.
//! A proposal changes nothing; a person accepts it or not.

use super::{Guard, Guards, Limit, Window};

/// How many days must be known before anything is proposed.
pub const DAYS_NEEDED: usize = 14;
/// How many times as much as is usual may pass.
pub const TIMES: u64 = 3;
/// Shares are proposed in steps of a hundredth of a percent.
const STEPS: f64 = 10_000.0;

/// What is proposed for one guard, with its arithmetic.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Learnt {
    /// The 99th percentile of the days.
    pub percentile: u64,
    /// The limit that all begin with has this floor.
    pub floor: u64,
    /// What would be allowed at once: `TIMES` the percentile, at least the floor.
    pub most: u64,
    /// The limit that comes to that with the base of now.
    pub limit: Limit,
}

impl Guard {
    /// Whether its limit can be learnt from days: it counts what passes, and of one base for all.
    pub const fn learns(self) -> bool {
        self.has_limit() && !self.looks_at_standing() && !matches!(self, Self::MembersRemove)
    }
}

/// What `days` (one number for each day that is known, also for those on which nothing was done) say of a guard that has
/// `now` as its limit and `base` to protect; `None` while too few days are known.
pub fn learn(guard: Guard, days: &[u64], base: u64, now: &Limit) -> Option<Learnt> {
    if days.len() < DAYS_NEEDED {
        return None;
    }
    let percentile = percentile_99(days);
    let floor = Guards::default().limit(guard).floor;
    let wanted = percentile.saturating_mul(TIMES);
    #[expect(clippy::cast_precision_loss, reason = "a count of people is far below 2^53")]
    let share = if base == 0 { now.share } else { ((wanted as f64 / base as f64) * STEPS).ceil() / STEPS };
    let limit = Limit { floor, share: share.min(1.0), ..*now };
    let most = limit.most(Window::Plan, base).unwrap_or(floor);
    Some(Learnt { percentile, floor, most, limit })
}

/// By the nearest rank: the smallest number that at least 99 of 100 days do not exceed.
fn percentile_99(days: &[u64]) -> u64 {
    let mut sorted = days.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 99).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: Limit = Limit { floor: 5, share: 0.01, day: Some(2), week: Some(4) };

    #[test]
    fn two_weeks_are_needed() {
        assert_eq!(learn(Guard::PeopleRemove, &[3; 13], 1_000, &NOW), None);
        assert!(learn(Guard::PeopleRemove, &[3; 14], 1_000, &NOW).is_some());
    }

    #[test]
    fn three_times_the_usual_and_never_below_the_floor() {
        for (usual, base, most, share) in
            [(0, 1_000, 5, 0.0), (1, 1_000, 5, 0.003), (4, 1_000, 12, 0.012), (7, 0, 5, 0.01)]
        {
            let learnt = learn(Guard::PeopleRemove, &[usual; 20], base, &NOW).expect("enough days");
            assert_eq!((learnt.percentile, learnt.floor, learnt.most), (usual, 5, most), "{usual} of {base}");
            assert!((learnt.limit.share - share).abs() < 1e-9, "{learnt:?}");
            assert_eq!((learnt.limit.day, learnt.limit.week), (Some(2), Some(4)), "the other windows stay");
        }
    }

    #[test]
    fn one_day_in_a_hundred_does_not_count() {
        let mut days = vec![2; 199];
        days.push(5_000);
        assert_eq!(learn(Guard::PeopleRemove, &days, 1_000, &NOW).map(|learnt| learnt.percentile), Some(2));
        assert_eq!(percentile_99(&[1, 2, 3]), 3);
    }

    proptest! {
        #[test]
        fn what_was_usual_passes(days in proptest::collection::vec(0_u64..500, 14..60), base in 0_u64..100_000) {
            for guard in Guard::all().filter(|guard| guard.learns()) {
                let now = Guards::default().limit(guard);
                let learnt = learn(guard, &days, base, &now).expect("enough days");
                prop_assert!(learnt.most >= now.floor);
                prop_assert!(base == 0 || learnt.most >= learnt.percentile.saturating_mul(TIMES).min(base));
            }
        }
    }
}
