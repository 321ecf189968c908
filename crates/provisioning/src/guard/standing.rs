//! What guards judge that look at how things stand at this moment, and count nothing that has passed.

use super::{Effect, Limit, Trip, Window};

/// How things stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// People report to one who leaves.
    Manager {
        /// How many.
        reports: u64,
        /// Of how many people at the target.
        people: u64,
    },
    /// A source has fewer people than yesterday.
    Source {
        /// How many were active yesterday.
        yesterday: u64,
        /// How many are active now.
        now: u64,
    },
}

impl Standing {
    /// Whether it is over the limit. Of a source: whether so many are missing that the list itself must be wrong, or
    /// all of them, unless the share of the limit is 1.
    pub fn judge(self, effect: &Effect, limit: &Limit) -> Option<Trip> {
        let (observed, base, emptied, window) = match self {
            Self::Manager { reports, people } => (reports, people, false, Window::Plan),
            Self::Source { yesterday, now } => {
                let emptied = now == 0 && yesterday > 1 && limit.share < 1.0;
                (yesterday.saturating_sub(now), yesterday, emptied, Window::Day)
            }
        };
        let most = limit.most(Window::Plan, base).unwrap_or(0);
        (observed > most || emptied).then(|| Trip {
            effect: effect.clone(),
            window,
            observed,
            most,
            base,
            limit: *limit,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::{Guard, Guards};

    fn judge(guard: Guard, standing: Standing) -> Option<String> {
        standing.judge(&Effect::new(guard, "x"), &Guards::default().limit(guard)).map(|trip| trip.to_string())
    }

    #[test]
    fn a_list_that_is_suddenly_short() {
        let source = |yesterday, now| judge(Guard::SourceEmpty, Standing::Source { yesterday, now });
        for (yesterday, now) in [(0, 0), (1, 0), (2, 1), (3, 1), (100, 70), (100, 130), (1_000, 700)] {
            assert_eq!(source(yesterday, now), None, "{yesterday} {now}");
        }
        assert_eq!(
            source(100, 69).as_deref(),
            Some("source.empty:x: 31 of the 100 people of yesterday are missing, more than 30 (30 %, at least 2)")
        );
        assert_eq!(source(2, 0).as_deref(), Some("source.empty:x: none of the 2 people of yesterday is left"));
        let everything = Limit { floor: 0, share: 1.0, day: None, week: None };
        let effect = Effect::new(Guard::SourceEmpty, "x");
        assert_eq!(Standing::Source { yesterday: 9, now: 0 }.judge(&effect, &everything), None);
    }

    #[test]
    fn somebody_to_whom_many_report() {
        let manager = |reports| judge(Guard::ManagersLost, Standing::Manager { reports, people: 100_000 });
        assert_eq!(manager(50), None);
        assert_eq!(
            manager(51).as_deref(),
            Some("managers.lost: 51 people report to somebody who leaves, more than 50")
        );
    }
}
