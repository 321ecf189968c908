//! Moments and distances between them.

use time::{Duration, OffsetDateTime, UtcOffset};

/// A moment, for a `<time>` element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct When {
    /// For machines: RFC 3339.
    pub machine: String,
    /// The moment itself: `2026-03-01 08:00:00 UTC`.
    pub moment: String,
    /// How far it is away: `4 min ago`.
    pub distance: String,
}

impl When {
    /// A moment in the past.
    pub fn past(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self::with(at, ago(at, now))
    }

    /// The beginning of something that still lasts; its distance is how long.
    pub fn lasting(since: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self::with(since, span(now - since))
    }

    /// A moment to come.
    pub fn future(at: OffsetDateTime, now: OffsetDateTime) -> Self {
        Self::with(at, ahead(at, now))
    }

    fn with(at: OffsetDateTime, distance: String) -> Self {
        let utc = at.to_offset(UtcOffset::UTC);
        let (hour, minute, second) = utc.to_hms();
        let date = utc.date();
        Self { machine: format!("{date}T{hour:02}:{minute:02}:{second:02}Z"), moment: moment(at), distance }
    }
}

/// A moment in full: `2026-03-01 08:00:00 UTC`.
pub fn moment(at: OffsetDateTime) -> String {
    let utc = at.to_offset(UtcOffset::UTC);
    let (hour, minute, second) = utc.to_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", utc.date())
}

/// How long ago something was.
pub fn ago(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let passed = now - at;
    if passed < Duration::SECOND { "just now".to_owned() } else { format!("{} ago", span(passed)) }
}

/// How far away something is.
pub fn ahead(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let left = at - now;
    if left <= Duration::ZERO {
        return "any moment now".to_owned();
    }
    let begun = i64::from(left.subsec_nanoseconds() > 0);
    format!("in {}", span(Duration::seconds(left.whole_seconds().saturating_add(begun))))
}

/// A length of time in its one or two largest units.
pub fn span(length: Duration) -> String {
    let seconds = length.whole_seconds().max(0);
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 if seconds / 60 % 60 == 0 => format!("{} h", seconds / 3600),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOW: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    #[test]
    fn spans() {
        for (seconds, expected) in [
            (-5, "0 s"),
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (3660, "1 h 1 min"),
            (172_799, "47 h 59 min"),
            (172_800, "2 days"),
            (86_400 * 400, "400 days"),
        ] {
            assert_eq!(span(Duration::seconds(seconds)), expected, "{seconds}");
        }
    }

    #[test]
    fn before_and_after() {
        assert_eq!(ago(NOW, NOW), "just now");
        assert_eq!(ago(NOW + Duration::SECOND, NOW), "just now", "clocks may differ a little");
        assert_eq!(ago(NOW - Duration::minutes(4), NOW), "4 min ago");
        assert_eq!(ahead(NOW - Duration::SECOND, NOW), "any moment now");
        assert_eq!(ahead(NOW + Duration::milliseconds(400), NOW), "in 1 s");
        assert_eq!(ahead(NOW + Duration::seconds(90), NOW), "in 1 min");
    }

    #[test]
    fn moments_are_in_utc() {
        let when = When::past(datetime!(2026-03-01 15:30:05 +8), NOW);
        assert_eq!(when.machine, "2026-03-01T07:30:05Z");
        assert_eq!(when.moment, "2026-03-01 07:30:05 UTC");
        assert_eq!(when.distance, "29 min ago");
        assert_eq!(When::lasting(NOW - Duration::minutes(4), NOW).distance, "4 min");
    }
}
