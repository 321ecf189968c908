//! The line of the home page that says whether anything waits for a person.

use crate::words::count::{Tally, count_of};
use rollcall_api::services::overview::Overview;
use rollcall_provisioning::delivery::DeliveryState::Held;

/// What is held, in one line; `None` when nothing is.
pub fn line(overview: &Overview) -> Option<String> {
    let count = |number: usize, one: &str, many: &str| {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        (number > 0).then(|| count_of(number, one, many))
    };
    let mut parts = Vec::new();
    for target in &overview.targets {
        let tally = Tally::of(&target.view, &[Held]);
        if tally.all() > 0 {
            parts.push(format!("{tally} {} held at {}", tally.verb("is", "are"), target.view.name));
        }
    }
    let trips = overview.targets.iter().map(|target| target.trips.len()).sum();
    parts.extend(count(trips, "guard has tripped", "guards have tripped"));
    parts.extend(count(overview.releases, "plan waits for a second person", "plans wait for a second person"));
    let stopped = overview.targets.iter().filter(|target| !target.view.stops.is_empty()).count();
    parts.extend(count(stopped, "target is stopped, in whole or in part", "targets are stopped, in whole or in part"));
    let paused = overview.targets.iter().filter(|target| target.view.mode == "paused").count();
    parts.extend(count(paused, "target is paused", "targets are paused"));
    (!parts.is_empty()).then(|| format!("{}.", parts.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{overview, target};

    #[test]
    fn it_is_said_when_anything_is_held_and_not_otherwise() {
        let waiting = Overview { releases: 2, ..overview(vec![target("live", &[("in_step", 3)])]) };
        for (overview, expected) in [
            (overview(vec![target("live", &[("in_step", 3), ("pending", 1)])]), None),
            (overview(vec![target("live", &[("held", 7)])]), Some("7 people are held at hq.")),
            (overview(vec![target("paused", &[])]), Some("1 target is paused.")),
            (waiting, Some("2 plans wait for a second person.")),
        ] {
            assert_eq!(line(&overview).as_deref(), expected);
        }
    }
}
