//! How much is too much.

use super::{Effect, Guard};
use std::fmt;
use std::time::Duration;

/// How much a guard lets pass: `share` of what it protects, but at least `floor`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limit {
    /// This much is always allowed, so that small organisations can work.
    pub floor: u64,
    /// The share of the base that is allowed, 0 to 1.
    pub share: f64,
    /// How many times as much is allowed in a day; `None` where a day is not counted.
    pub day: Option<u64>,
    /// How many times as much is allowed in a week; `None` where a week is not counted.
    pub week: Option<u64>,
}

impl Limit {
    /// The most in `window` when `base` are protected; `None` where the window is not counted.
    pub fn most(&self, window: Window, base: u64) -> Option<u64> {
        #[expect(clippy::cast_precision_loss, reason = "a count of people is far below 2^53")]
        let share = (base as f64 * self.share.clamp(0.0, 1.0)).floor();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies between 0 and the base")]
        let once = self.floor.max(share as u64);
        match window {
            Window::Plan => Some(once),
            Window::Day => self.day.map(|times| once.saturating_mul(times)),
            Window::Week => self.week.map(|times| once.saturating_mul(times)),
        }
    }

    /// Whether it lets more pass than `other` in any window when `base` are protected.
    pub fn is_looser_than(&self, other: &Self, base: u64) -> bool {
        // What is not counted is without a limit.
        let most = |limit: &Self, window| limit.most(window, base).unwrap_or(u64::MAX);
        Window::ALL.into_iter().any(|window| most(self, window) > most(other, window))
    }
}

/// Over what is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Window {
    /// The plan at hand; of a live target, the last hour and what is due.
    Plan,
    /// The last 24 hours.
    Day,
    /// The last seven days.
    Week,
}

impl Window {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Plan, Self::Day, Self::Week];

    /// How far back it looks at a live target.
    pub const fn span(self) -> Duration {
        match self {
            Self::Plan => Duration::from_hours(1),
            Self::Day => Duration::from_hours(24),
            Self::Week => Duration::from_hours(7 * 24),
        }
    }

    /// The word used in tables and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Day => "day",
            Self::Week => "week",
        }
    }
}

/// What was counted, in each window, with what is asked for now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// In the plan at hand.
    pub plan: u64,
    /// In the last day.
    pub day: u64,
    /// In the last week.
    pub week: u64,
    /// How many there are to protect.
    pub base: u64,
}

impl Reading {
    const fn in_window(&self, window: Window) -> u64 {
        match window {
            Window::Plan => self.plan,
            Window::Day => self.day,
            Window::Week => self.week,
        }
    }

    /// Whether the reading is over the limit, and where first.
    pub fn judge(&self, effect: &Effect, limit: &Limit) -> Option<Trip> {
        Window::ALL.into_iter().find_map(|window| {
            let most = limit.most(window, self.base)?;
            let observed = self.in_window(window);
            (observed > most).then(|| Trip {
                effect: effect.clone(),
                window,
                observed,
                most,
                base: self.base,
                limit: *limit,
            })
        })
    }
}

/// A guard that holds changes, with its arithmetic.
#[derive(Clone, PartialEq, Debug)]
pub struct Trip {
    /// What is counted.
    pub effect: Effect,
    /// Over what.
    pub window: Window,
    /// How many there are.
    pub observed: u64,
    /// How many are allowed.
    pub most: u64,
    /// Of how many.
    pub base: u64,
    /// By which limit.
    pub limit: Limit,
}

impl fmt::Display for Trip {
    /// `people.remove: 14 in this plan, more than 10 (1 % of 1012, at least 5)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { observed, most, base, .. } = self;
        match self.effect.guard {
            Guard::AdministratorsLost => {
                let who = if *observed == 1 { "an account that administers" } else { "accounts that administer" };
                return write!(f, "{}: {observed} at once, {who} the organisation", self.effect.key());
            }
            Guard::ManagersLost => {
                let word = self.effect.guard.as_str();
                return write!(f, "{word}: {observed} people report to somebody who leaves, more than {most}");
            }
            Guard::SourceEmpty if observed == base => {
                return write!(f, "{}: none of the {base} people of yesterday is left", self.effect.key());
            }
            Guard::SourceEmpty => {
                let (percent, floor) = (self.limit.share * 100.0, self.limit.floor);
                return write!(
                    f,
                    "{}: {observed} of the {base} people of yesterday are missing, more than {most} ({percent} %, at \
                     least {floor})",
                    self.effect.key()
                );
            }
            _ => {}
        }
        let window = match self.window {
            Window::Plan => "at once",
            Window::Day => "in 24 hours",
            Window::Week => "in 7 days",
        };
        write!(f, "{}: {} {window}, more than {}", self.effect.key(), self.observed, self.most)?;
        if self.effect.guard == Guard::Protected {
            return Ok(());
        }
        let percent = self.limit.share * 100.0;
        write!(f, " ({percent} % of {}, at least {}", self.base, self.limit.floor)?;
        match self.window {
            Window::Plan => f.write_str(")"),
            Window::Day => write!(f, ", {} times in a day)", self.limit.day.unwrap_or(1)),
            Window::Week => write!(f, ", {} times in a week)", self.limit.week.unwrap_or(1)),
        }
    }
}
