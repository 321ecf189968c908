//! Invitations that nobody answers: when a person is invited again by itself, how many times, and when people are told.
//!
//! DingTalk documents neither how long an invitation is good for nor what it does about a second one. So nobody is invited
//! again unless the settings of the target say so, and never twice in a day.

use serde_json::Value;
use std::time::Duration;
use time::{Duration as Span, OffsetDateTime};

/// So long after an invitation nobody is invited again, whoever wants it.
pub const NOT_BEFORE: Span = Span::days(1);
/// How long the last invitation may stay unanswered before people are told.
pub const PATIENCE: Span = Span::days(14);
/// How many invitations there are at most when nobody says anything.
pub const AT_MOST: u32 = 3;
/// The longest time, in days, that the settings can leave between two invitations.
pub const MOST_DAYS: u32 = 90;
/// The most invitations that the settings can allow.
pub const MOST_INVITATIONS: u32 = 10;

/// An invitation that has not been accepted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invited {
    /// When the person was invited first, under the number that they have now.
    pub first_at: OffsetDateTime,
    /// When the last invitation was sent.
    pub last_at: OffsetDateTime,
    /// How many were sent, counting those whose answer was lost. At least 1.
    pub times: u32,
    /// Who wants the person to be invited once more, at once.
    pub asked_by: Option<String>,
}

/// How long an invitation is left alone, and how many there are at most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// After how many days without an answer a person is invited again; `None`: never by itself.
    pub after_days: Option<u32>,
    /// How many invitations there are by itself, the first one with them.
    pub at_most: u32,
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// Ours: the person is invited again now.
    Invite,
    /// The person's, who may still answer.
    Wait,
    /// The last invitation has not been answered for so long that people are told.
    Unanswered,
}

impl Invited {
    /// From when on the person can be invited again.
    pub fn again_from(&self) -> OffsetDateTime {
        self.last_at + NOT_BEFORE
    }

    /// In which time it is looked whether the person has accepted: soon after an invitation, then ever more slowly.
    pub fn look_again(&self, now: OffsetDateTime) -> Duration {
        let since = now - self.last_at;
        if since < Span::minutes(10) {
            Duration::from_mins(1)
        } else if since < Span::days(1) {
            Duration::from_hours(1)
        } else {
            Duration::from_hours(24)
        }
    }
}

impl Rules {
    /// The settings `invite_again_after_days` and `invitations_at_most` of a target.
    pub fn of(settings: &Value) -> Self {
        let number = |name: &str| settings.get(name).and_then(Value::as_u64).and_then(|number| number.try_into().ok());
        Self {
            after_days: number("invite_again_after_days"),
            at_most: number("invitations_at_most").unwrap_or(AT_MOST),
        }
    }

    /// When a person who does not answer is invited again, by itself or because somebody wants it; `None`: not.
    pub fn next(&self, invited: &Invited) -> Option<OffsetDateTime> {
        if invited.asked_by.is_some() {
            return Some(invited.again_from());
        }
        let after = self.after_days.filter(|_| invited.times < self.at_most)?;
        Some(invited.last_at + Span::days(i64::from(after)).max(NOT_BEFORE))
    }

    /// Whose turn it is now.
    pub fn turn(&self, invited: &Invited, now: OffsetDateTime) -> Turn {
        match self.next(invited) {
            Some(next) if next <= now => Turn::Invite,
            None if now - invited.last_at > PATIENCE => Turn::Unanswered,
            _ => Turn::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    const FIRST: OffsetDateTime = datetime!(2026-03-01 08:00 UTC);

    fn invited(times: u32, last_after: Span, asked_by: Option<&str>) -> Invited {
        Invited { first_at: FIRST, last_at: FIRST + last_after, times, asked_by: asked_by.map(str::to_owned) }
    }

    #[test]
    fn whose_turn_it_is_follows_from_the_settings() {
        let day = Span::DAY;
        for (settings, times, asked, after_last, expected) in [
            (json!({}), 1, None, day * 13, Turn::Wait),
            (json!({}), 1, None, day * 15, Turn::Unanswered),
            (json!({ "invite_again_after_days": null }), 1, None, day * 15, Turn::Unanswered),
            (json!({ "invite_again_after_days": 7 }), 1, None, day * 6, Turn::Wait),
            (json!({ "invite_again_after_days": 7 }), 1, None, day * 7, Turn::Invite),
            (json!({ "invite_again_after_days": 7 }), 2, None, day * 7, Turn::Invite),
            (json!({ "invite_again_after_days": 7 }), 3, None, day * 7, Turn::Wait),
            (json!({ "invite_again_after_days": 7 }), 3, None, day * 15, Turn::Unanswered),
            (json!({ "invite_again_after_days": 30 }), 1, None, day * 20, Turn::Wait),
            (json!({ "invite_again_after_days": 7, "invitations_at_most": 1 }), 1, None, day * 7, Turn::Wait),
            (json!({ "invite_again_after_days": 7, "invitations_at_most": 5 }), 4, None, day * 7, Turn::Invite),
            (json!({ "invite_again_after_days": 0 }), 1, None, Span::hours(23), Turn::Wait),
            (json!({}), 1, Some("ann"), Span::hours(23), Turn::Wait),
            (json!({}), 7, Some("ann"), Span::hours(24), Turn::Invite),
        ] {
            let found = Rules::of(&settings).turn(&invited(times, day * 3, asked), FIRST + day * 3 + after_last);
            assert_eq!(found, expected, "{settings}, {times} invitations, {after_last} after the last");
        }
    }

    #[test]
    fn it_is_looked_ever_more_slowly() {
        let invited = invited(2, Span::DAY * 7, None);
        let look = |after: Span| invited.look_again(invited.last_at + after);
        assert_eq!(look(Span::minutes(9)), Duration::from_mins(1));
        assert_eq!(look(Span::hours(23)), Duration::from_hours(1));
        assert_eq!(look(Span::days(40)), Duration::from_hours(24));
    }
}
