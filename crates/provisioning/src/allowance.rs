//! How many calls a target may be sent in a day and in a month, by its own settings. Only calls that change something count;
//! a call to remove somebody is never put off for it.
//!
//! DingTalk sells calls by the calendar month; those that concern people and departments are free of it (page
//! `how-to-process-api-throttling-on-the-dingtalk-server`), those for chats are not. An organisation may want to stay below
//! what it has bought, because other applications share it.

use serde_json::Value;
use time::{Date, OffsetDateTime};

/// What may be sent; `None` is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Allowance {
    /// In a day (UTC).
    pub day: Option<u64>,
    /// In a calendar month (UTC).
    pub month: Option<u64>,
}

/// What was sent.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent {
    /// Today.
    pub day: u64,
    /// This month, today with it.
    pub month: u64,
}

/// A time for which there is an allowance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Period {
    /// A day.
    Day,
    /// A calendar month.
    Month,
}

/// What is left, of the allowance of which less is left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Left {
    /// How many calls.
    pub calls: u64,
    /// Of how many.
    pub of: u64,
    /// Until the end of what.
    pub period: Period,
}

impl Allowance {
    /// The settings `calls_per_day` and `calls_per_month` of a target.
    pub fn of(settings: &Value) -> Self {
        let number = |name: &str| settings.get(name).and_then(Value::as_u64);
        Self { day: number("calls_per_day"), month: number("calls_per_month") }
    }

    /// Whether there is any limit.
    pub const fn is_limited(&self) -> bool {
        self.day.is_some() || self.month.is_some()
    }

    /// What is left; `None` when there is no limit.
    pub fn left(&self, spent: Spent) -> Option<Left> {
        let left =
            |of: Option<u64>, spent: u64, period| of.map(|of| Left { calls: of.saturating_sub(spent), of, period });
        let month = left(self.month, spent.month, Period::Month);
        let day = left(self.day, spent.day, Period::Day);
        // Of equals the month: it ends later.
        month.into_iter().chain(day).min_by_key(|left| left.calls)
    }
}

impl Period {
    /// The word that people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "today",
            Self::Month => "this month",
        }
    }

    /// When the next one begins.
    pub fn next(self, now: OffsetDateTime) -> OffsetDateTime {
        let today = now.to_offset(time::UtcOffset::UTC).date();
        let next = match self {
            Self::Day => today.next_day(),
            Self::Month => {
                let year = if today.month() == time::Month::December { today.year() + 1 } else { today.year() };
                Date::from_calendar_date(year, today.month().next(), 1).ok()
            }
        };
        next.unwrap_or(Date::MAX).midnight().assume_utc()
    }
}

impl Left {
    /// Why a plan of so many calls is too much; `None` when it is not.
    pub fn judge(&self, calls: u64) -> Option<String> {
        (calls > self.calls).then(|| {
            format!(
                "quota: {calls} calls, more than the {} of {} that are left {}",
                self.calls,
                self.of,
                self.period.as_str()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn the_tighter_of_the_two_counts() {
        let allowance = Allowance::of(&json!({ "calls_per_day": 100, "calls_per_month": 1_000, "app_key": "k" }));
        let left = |day, month| allowance.left(Spent { day, month });
        assert_eq!(left(10, 10), Some(Left { calls: 90, of: 100, period: Period::Day }));
        assert_eq!(left(10, 950), Some(Left { calls: 50, of: 1_000, period: Period::Month }));
        assert_eq!(left(500, 5_000).map(|left| (left.calls, left.period)), Some((0, Period::Month)));
        assert_eq!(Allowance::of(&json!({ "calls_per_day": null })).left(Spent::default()), None);
        assert!(!Allowance::default().is_limited() && allowance.is_limited());
    }

    #[test]
    fn a_plan_that_needs_more_than_is_left() {
        let left = Left { calls: 30, of: 100, period: Period::Day };
        assert_eq!(left.judge(30), None);
        assert_eq!(left.judge(31).as_deref(), Some("quota: 31 calls, more than the 30 of 100 that are left today"));
    }

    #[test]
    fn days_and_months_end() {
        for (now, day, month) in [
            (datetime!(2026-03-01 08:00 UTC), datetime!(2026-03-02 00:00 UTC), datetime!(2026-04-01 00:00 UTC)),
            (datetime!(2026-12-31 23:59 UTC), datetime!(2027-01-01 00:00 UTC), datetime!(2027-01-01 00:00 UTC)),
            (datetime!(2026-02-28 20:00 -6), datetime!(2026-03-02 00:00 UTC), datetime!(2026-04-01 00:00 UTC)),
        ] {
            assert_eq!((Period::Day.next(now), Period::Month.next(now)), (day, month), "{now}");
        }
    }
}
