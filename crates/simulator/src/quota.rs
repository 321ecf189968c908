//! The monthly quota of an organisation: calls that cost something, by calendar month in China (pages A1432, A1433).

use time::{Duration, OffsetDateTime};

/// How many counted calls there have been this month.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    month: Option<(i32, u8)>,
    used: u64,
}

impl Quota {
    /// Counts a call. False: the month's calls are used up, and this one does not count.
    pub(crate) fn admit(&mut self, limit: Option<u64>, now_ms: i64) -> bool {
        let month = month_in_china(now_ms);
        if self.month != month {
            *self = Self { month, used: 0 };
        }
        if limit.is_some_and(|limit| self.used >= limit) {
            return false;
        }
        self.used += 1;
        true
    }

    /// Counted calls of the month in which the last one was made.
    pub(crate) fn used(&self) -> u64 {
        self.used
    }
}

fn month_in_china(now_ms: i64) -> Option<(i32, u8)> {
    let moment = OffsetDateTime::from_unix_timestamp(now_ms.div_euclid(1_000)).ok()?;
    let moment = moment.checked_add(Duration::hours(8))?;
    Some((moment.year(), u8::from(moment.month())))
}

#[cfg(test)]
mod tests {
    use super::Quota;

    #[test]
    fn the_count_begins_anew_with_chinas_month() {
        const LAST_SECOND_OF_JANUARY: i64 = 1_769_875_199_000;
        let mut quota = Quota::default();
        let mut admit = |now_ms| quota.admit(Some(1), now_ms);
        assert!(admit(LAST_SECOND_OF_JANUARY));
        assert!(!admit(LAST_SECOND_OF_JANUARY), "used up");
        assert!(admit(LAST_SECOND_OF_JANUARY + 1_000));
        assert_eq!(quota.used(), 1);
    }
}
