//! Which guards there are, and their limits.

use super::Limit;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is guarded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Guard {
    /// Accounts removed.
    PeopleRemove,
    /// Enterprise accounts turned off.
    PeopleDeactivate,
    /// Accounts created: a wrong scope costs seats.
    PeopleCreate,
    /// People who change departments.
    PeopleMove,
    /// Mobile number, e-mail or job number changed.
    IdentityChange,
    /// One attribute emptied, counted attribute by attribute.
    FieldsBlanked,
    /// One attribute changed, counted attribute by attribute: the sign of a mistake in the mapping.
    FieldsChanged,
    /// Departments removed.
    DepartmentsRemove,
    /// Members taken out of one role or chat, counted group by group.
    MembersRemove,
    /// Deactivations and deletions that one source sent, counted source by source.
    SourceDeactivate,
    /// People whom a source has no longer although it had them yesterday, counted source by source: the sign of a list
    /// that is incomplete.
    SourceEmpty,
    /// Reports of a person who leaves, counted person by person.
    ManagersLost,
    /// An account removed or turned off that administers the target.
    AdministratorsLost,
    /// Any change to an account that is marked as protected.
    Protected,
    /// The calls of a plan, against what is left of those that the target may be sent ([`crate::allowance`]).
    Quota,
}

/// Nothing passes.
const NOTHING: Limit = Limit { floor: 0, share: 0.0, day: None, week: None };

/// Every guard with its word and its limit until an organisation has its own (operations, section 5.2).
const ALL: [(Guard, &str, Limit); 15] = [
    (Guard::PeopleRemove, "people.remove", Limit { floor: 5, share: 0.01, day: Some(2), week: Some(4) }),
    (Guard::PeopleDeactivate, "people.deactivate", Limit { floor: 5, share: 0.01, day: Some(2), week: Some(4) }),
    (Guard::PeopleCreate, "people.create", Limit { floor: 50, share: 0.1, day: None, week: None }),
    (Guard::PeopleMove, "people.move", Limit { floor: 50, share: 0.1, day: Some(1), week: None }),
    (Guard::IdentityChange, "identity.change", Limit { floor: 10, share: 0.01, day: Some(1), week: None }),
    (Guard::FieldsBlanked, "fields.blanked", Limit { floor: 10, share: 0.01, day: Some(1), week: None }),
    (Guard::FieldsChanged, "fields.changed", Limit { floor: 50, share: 0.25, day: None, week: None }),
    (Guard::DepartmentsRemove, "departments.remove", Limit { floor: 2, share: 0.02, day: None, week: None }),
    (Guard::MembersRemove, "members.remove", Limit { floor: 10, share: 0.2, day: None, week: None }),
    (Guard::SourceDeactivate, "source.deactivate", Limit { floor: 5, share: 0.01, day: None, week: None }),
    (Guard::SourceEmpty, "source.empty", Limit { floor: 2, share: 0.3, day: None, week: None }),
    (Guard::ManagersLost, "managers.lost", Limit { floor: 50, share: 0.0, day: None, week: None }),
    (Guard::AdministratorsLost, "administrators.lost", NOTHING),
    (Guard::Protected, "protected", NOTHING),
    (Guard::Quota, "quota", NOTHING),
];

impl Guard {
    /// All guards.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|(guard, _, _)| guard)
    }

    /// The word used in tables, JSON and screens.
    pub fn as_str(self) -> &'static str {
        ALL.into_iter().find(|(guard, _, _)| *guard == self).map_or("", |(_, word, _)| word)
    }

    /// The guard behind a word.
    pub fn parse(word: &str) -> Option<Self> {
        ALL.into_iter().find(|(_, known, _)| *known == word).map(|(guard, _, _)| guard)
    }

    /// Whether it has no limit: whatever it counts takes a plan that two people have released.
    pub const fn is_absolute(self) -> bool {
        matches!(self, Self::AdministratorsLost | Self::Protected)
    }

    /// Whether a limit can be set: absolute guards have none, and the quota is a setting of the target.
    pub const fn has_limit(self) -> bool {
        !self.is_absolute() && !matches!(self, Self::Quota)
    }

    /// Whether it looks at how things stand ([`super::Standing`]) and not at how much has passed.
    pub const fn looks_at_standing(self) -> bool {
        matches!(self, Self::SourceEmpty | Self::ManagersLost)
    }

    /// Whether it counts what a live target is sent, not only what a stored plan holds. Additive changes go on.
    pub const fn watches_live(self) -> bool {
        !matches!(self, Self::PeopleCreate | Self::Quota)
    }
}

/// The limits of a target.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Guards {
    own: BTreeMap<Guard, Limit>,
}

/// Why limits cannot be taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SettingsError {
    /// There is no such guard.
    #[error("there is no guard {0:?}")]
    Unknown(String),
    /// The guard has no limit to set.
    #[error("the guard {0} has no limit that can be set")]
    Unlimited(&'static str),
    /// A member is missing or not what it should be.
    #[error("{guard}: {member} {problem}")]
    Member {
        /// Of which guard.
        guard: &'static str,
        /// Which one.
        member: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Guards {
    /// The limit of a guard: the target's own, or the one that all begin with.
    pub fn limit(&self, guard: Guard) -> Limit {
        let begins_with = || ALL.into_iter().find(|(known, _, _)| *known == guard).map(|(_, _, limit)| limit);
        self.own.get(&guard).copied().or_else(begins_with).unwrap_or(NOTHING)
    }

    /// Whether the target has its own limit for a guard.
    pub fn is_own(&self, guard: Guard) -> bool {
        self.own.contains_key(&guard)
    }

    /// The same with another limit of one guard.
    #[must_use]
    pub fn with(mut self, guard: Guard, limit: Limit) -> Self {
        self.own.insert(guard, limit);
        self
    }

    /// Reads limits: an object of guard to `{"floor": 5, "share": 0.01, "day": 2, "week": 4}`. A guard that is not
    /// named keeps the limit that all begin with; `day` and `week` that are not named are not counted.
    pub fn parse(value: &Value) -> Result<Self, SettingsError> {
        let empty = Map::new();
        let mut own = BTreeMap::new();
        for (word, limit) in value.as_object().unwrap_or(&empty) {
            let guard = Guard::parse(word).ok_or_else(|| SettingsError::Unknown(word.clone()))?;
            if !guard.has_limit() {
                return Err(SettingsError::Unlimited(guard.as_str()));
            }
            own.insert(guard, parse_limit(guard.as_str(), limit)?);
        }
        Ok(Self { own })
    }

    /// The target's own limits, as [`Self::parse`] reads them.
    pub fn to_value(&self) -> Value {
        let member = |(guard, limit): (&Guard, &Limit)| {
            let value = json!({ "floor": limit.floor, "share": limit.share, "day": limit.day, "week": limit.week });
            (guard.as_str().to_owned(), value)
        };
        Value::Object(self.own.iter().map(member).collect())
    }
}

fn parse_limit(guard: &'static str, value: &Value) -> Result<Limit, SettingsError> {
    let wrong = |member: &str, problem| SettingsError::Member { guard, member: member.to_owned(), problem };
    let members = value.as_object().ok_or_else(|| wrong("the limit", "must be an object"))?;
    if let Some(strange) = members.keys().find(|key| !["floor", "share", "day", "week"].contains(&key.as_str())) {
        return Err(wrong(strange, "is not a member of a limit: they are floor, share, day and week"));
    }
    let floor =
        members.get("floor").and_then(Value::as_u64).ok_or_else(|| wrong("floor", "must be a number of 0 or more"))?;
    let share = members.get("share").and_then(Value::as_f64).filter(|share| (0.0..=1.0).contains(share));
    let share = share.ok_or_else(|| wrong("share", "must be a number from 0 to 1"))?;
    let times = |name: &str| match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(times) if times > 0 => Ok(Some(times)),
            _ => Err(wrong(name, "must be a number of 1 or more, or null")),
        },
    };
    Ok(Limit { floor, share, day: times("day")?, week: times("week")? })
}
