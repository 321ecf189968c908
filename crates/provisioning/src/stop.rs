//! Stops: what does not work at a target until its cause has gone, and when it is tried next. Each cause has a clock of its
//! own; none of them ever ends.

use crate::entity::EntityKind;
use crate::plan::Action;
use crate::window::Nature;
use std::time::Duration;

/// What of a target is stopped: as little as the cause allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// All of it.
    Target,
    /// One kind of entity.
    Kind(EntityKind),
    /// One kind of step at one kind of entity.
    Steps(Step, EntityKind),
}

/// A kind of step that can be stopped by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Something is created.
    Create,
    /// Something is changed.
    Update,
}

const KINDS: [EntityKind; 5] =
    [EntityKind::Account, EntityKind::OrgUnit, EntityKind::Role, EntityKind::Chat, EntityKind::Contact];

impl Step {
    /// The word used in tables and JSON, as [`Action::verb`] writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
        }
    }
}

impl Reach {
    /// The word kept in tables: empty, `account`, `create account`.
    pub fn word(self) -> String {
        match self {
            Self::Target => String::new(),
            Self::Kind(kind) => kind.as_str().to_owned(),
            Self::Steps(step, kind) => format!("{} {}", step.as_str(), kind.as_str()),
        }
    }

    /// What [`Self::word`] wrote.
    pub fn parse(word: &str) -> Option<Self> {
        let kind = |word: &str| KINDS.into_iter().find(|kind| kind.as_str() == word);
        match word.split_once(' ') {
            None if word.is_empty() => Some(Self::Target),
            None => kind(word).map(Self::Kind),
            Some((verb, word)) => {
                let step = [Step::Create, Step::Update].into_iter().find(|step| step.as_str() == verb)?;
                kind(word).map(|kind| Self::Steps(step, kind))
            }
        }
    }

    /// The kind of entity; `None` for the whole target.
    pub const fn kind(self) -> Option<EntityKind> {
        match self {
            Self::Target => None,
            Self::Kind(kind) | Self::Steps(_, kind) => Some(kind),
        }
    }

    /// The kind of step; `None` where all of them are stopped.
    pub const fn step(self) -> Option<Step> {
        match self {
            Self::Target | Self::Kind(_) => None,
            Self::Steps(step, _) => Some(step),
        }
    }

    /// What a stop for wrong values has to reach to hold steps such as this one; `None` where there is none. Whoever loses
    /// their access is never stopped because of others, and of members the target says who is to blame.
    pub fn of_values(action: &Action) -> Option<Self> {
        match action {
            _ if Nature::of(action) == Nature::EndsAccess => None,
            Action::Create { kind, .. } => Some(Self::Steps(Step::Create, *kind)),
            Action::Update { kind, .. } => Some(Self::Steps(Step::Update, *kind)),
            Action::Delete { .. } | Action::AddMembers { .. } | Action::RemoveMembers { .. } => None,
        }
    }
}

/// So many of the last outcomes are looked at to tell whether values are wrong (operations, section 5.3).
pub const OUTCOMES: u64 = 50;

/// Whether so many resources that were refused with one code are too many: more than 30 % of [`OUTCOMES`], also while
/// there are fewer of those, so that a handful of bad records never stops the others.
pub const fn are_too_many(refused: u64) -> bool {
    refused * 10 > OUTCOMES * 3
}

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
    /// The target does not answer ([`crate::outage`]).
    Outage,
    /// Too many values in a row are refused with one code.
    Values,
}

/// Seconds.
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Cause {
    /// All causes.
    pub const ALL: [Self; 8] = [
        Self::Credential,
        Self::Permission,
        Self::Organisation,
        Self::Quota,
        Self::Ban,
        Self::Settings,
        Self::Outage,
        Self::Values,
    ];

    /// The word used in tables, JSON and screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credential => "credential",
            Self::Permission => "permission",
            Self::Organisation => "organisation",
            Self::Quota => "quota",
            Self::Ban => "ban",
            Self::Settings => "settings",
            Self::Outage => "outage",
            Self::Values => "values",
        }
    }

    /// Distances before the next try, in seconds; the last one repeats for ever.
    const fn clock(self) -> &'static [u64] {
        match self {
            // A person mends these, and says so with "try now" or by a new setting.
            Self::Credential | Self::Settings => &[MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE],
            Self::Permission | Self::Organisation | Self::Values => &[5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR],
            Self::Quota => &[HOUR, 3 * HOUR, 6 * HOUR],
            Self::Outage => &[10, 20, 40, 80, 160, 5 * MINUTE],
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
    fn every_reach_reads_back() {
        let steps = |step| KINDS.into_iter().map(move |kind| Reach::Steps(step, kind));
        let all = KINDS.into_iter().map(Reach::Kind).chain(steps(Step::Create)).chain(steps(Step::Update));
        for reach in all.chain([Reach::Target]) {
            assert_eq!(Reach::parse(&reach.word()), Some(reach));
        }
        assert_eq!((Reach::parse("delete account"), Reach::parse("person")), (None, None));
    }

    #[test]
    fn a_handful_is_not_too_many() {
        assert!(!are_too_many(15) && are_too_many(16));
    }

    #[test]
    fn the_target_may_ask_for_more_time() {
        assert_eq!(next_try(Cause::Ban, 1, Some(Duration::from_secs(310))), Duration::from_secs(310));
        assert_eq!(next_try(Cause::Ban, 1, Some(Duration::from_secs(1))), Duration::from_mins(5));
    }
}
