//! Numbers, and how many of what.

use rollcall_api::services::targets::TargetView;
use rollcall_provisioning::delivery::DeliveryState;
use std::fmt;

/// A number with its thousands set apart: `4,812`.
pub fn number(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::new();
    if n < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// How many of each kind of resource. Reads as `3 people and 1 department`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Tally {
    /// Users.
    pub people: i64,
    /// Departments.
    pub departments: i64,
    /// Groups.
    pub groups: i64,
}

impl Tally {
    /// What of a target stands in one of `states`.
    pub fn of(target: &TargetView, states: &[DeliveryState]) -> Self {
        let count = |kind: &str| {
            let counted = target.counts.iter().filter(|count| {
                count.kind == kind && DeliveryState::parse(&count.state).is_some_and(|state| states.contains(&state))
            });
            counted.map(|count| count.count).sum()
        };
        Self { people: count("user"), departments: count("org_unit"), groups: count("group") }
    }

    /// All kinds together.
    pub fn all(self) -> i64 {
        self.people + self.departments + self.groups
    }

    /// `has` behind one thing, `have` behind none or several.
    pub fn verb(self, one: &'static str, many: &'static str) -> &'static str {
        if self.all() == 1 { one } else { many }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |n: i64, one: &str, many: &str| (n != 0).then(|| count_of(n, one, many));
        let parts: Vec<String> = [
            named(self.people, "person", "people"),
            named(self.departments, "department", "departments"),
            named(self.groups, "group", "groups"),
        ]
        .into_iter()
        .flatten()
        .collect();
        match parts.split_last() {
            None => f.write_str("nothing"),
            Some((last, [])) => f.write_str(last),
            Some((last, before)) => write!(f, "{} and {last}", before.join(", ")),
        }
    }
}

/// `1 change`, `42 changes`.
pub fn count_of(n: i64, one: &str, many: &str) -> String {
    format!("{} {}", number(n), if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands() {
        for (n, expected) in
            [(0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (-4812, "-4,812"), (1_234_567, "1,234,567")]
        {
            assert_eq!(number(n), expected);
        }
    }

    #[test]
    fn tallies_read_as_words() {
        for (people, departments, groups, expected) in [
            (0, 0, 0, "nothing"),
            (1, 0, 0, "1 person"),
            (2, 1, 0, "2 people and 1 department"),
            (1200, 3, 2, "1,200 people, 3 departments and 2 groups"),
        ] {
            assert_eq!(Tally { people, departments, groups }.to_string(), expected);
        }
    }
}
