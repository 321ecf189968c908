//! What a mapping would make of many people, before anything is sent: who would fail, by rule, and a few people shown
//! whole. People are told one by one; what is kept of them does not grow with their number, but for one number for each
//! value that must be unique, up to a million of each attribute.

use super::Mapping;
use super::facts::Person;
use super::person::Mapped;
use crate::connector::AttributeSpec;
use crate::finding::Finding;
use crate::plan::unique_value;
use serde_json::Value;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashSet};
use std::hash::{Hash, Hasher};

/// The most people who are named for one thing.
const MOST_NAMED: usize = 20;

/// The most values of one attribute that are remembered. Beyond, duplicates are not seen any more.
pub(super) const MOST_VALUES: usize = 1_000_000;

/// People to whom one thing happens.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failing {
    /// How many.
    pub count: u64,
    /// The ids of the first of them.
    pub first: Vec<String>,
    /// Whether some of them are kept out altogether.
    pub blocks: bool,
    /// The first finding, as an example of the sentence.
    pub finding: Option<Finding>,
}

impl Failing {
    fn add(&mut self, id: &str) {
        self.count += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push(id.to_owned());
        }
    }
}

/// Why somebody was chosen to be shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SampleReason {
    /// Nobody's name is longer.
    LongestName,
    /// The name is written in other letters than Latin ones.
    OtherScript,
    /// There is no telephone number.
    NoPhone,
    /// The type of person is not that of an employee.
    Contractor,
    /// They belong to several departments.
    SeveralDepartments,
}

/// Somebody who is shown whole.
#[derive(Clone, PartialEq, Debug)]
pub struct Sample {
    /// The SCIM id.
    pub id: String,
    /// What the mapping makes of them.
    pub mapped: Mapped,
}

/// What came of a preview.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// How many people were looked at.
    pub people: u64,
    /// How many would be projected without any finding.
    pub ready: u64,
    /// How many would be kept out by a finding.
    pub blocked: u64,
    /// How many are in, by the rule that decided; `None` is no rule.
    pub included: BTreeMap<Option<String>, u64>,
    /// How many are out, by the rule that decided.
    pub excluded: BTreeMap<String, u64>,
    /// How many become what.
    pub kinds: BTreeMap<super::PersonKind, u64>,
    /// Who fails, by the code of the finding.
    pub failing: BTreeMap<String, Failing>,
    /// Who has a value that somebody before them has, by the attribute.
    pub duplicates: BTreeMap<String, Failing>,
    /// Whether there were more values than can be remembered, so that there may be more duplicates.
    pub duplicates_incomplete: bool,
    /// People shown whole.
    pub samples: BTreeMap<SampleReason, Sample>,
}

/// A preview on its way.
#[derive(Debug)]
pub struct Preview<'m> {
    mapping: &'m Mapping,
    report: Report,
    values: BTreeMap<&'m str, HashSet<u64>>,
    longest: usize,
}

impl Mapping {
    /// Previews people.
    pub fn preview<'p>(&self, people: impl IntoIterator<Item = Person<'p>>) -> Report {
        let mut preview = Preview::new(self);
        for person in people {
            preview.add(&person);
        }
        preview.finish()
    }
}

impl<'m> Preview<'m> {
    /// A preview of nobody yet.
    pub fn new(mapping: &'m Mapping) -> Self {
        Self { mapping, report: Report::default(), values: BTreeMap::new(), longest: 0 }
    }

    /// Looks at one more person. Returns what the mapping makes of them.
    pub fn add(&mut self, person: &Person<'_>) -> Mapped {
        let mapped = self.mapping.person(person);
        let report = &mut self.report;
        report.people += 1;
        match (&mapped.scope.rule, mapped.scope.included) {
            (Some(rule), false) => {
                *report.excluded.entry(rule.clone()).or_default() += 1;
                return mapped;
            }
            (rule, _) => *report.included.entry(rule.clone()).or_default() += 1,
        }
        *report.kinds.entry(mapped.kind).or_default() += 1;
        report.ready += u64::from(mapped.findings.is_empty());
        report.blocked += u64::from(mapped.blocked);
        for finding in &mapped.findings {
            let failing = report.failing.entry(finding.code.clone()).or_default();
            failing.add(person.id);
            failing.blocks |= mapped.blocked;
            failing.finding.get_or_insert_with(|| finding.clone());
        }
        self.compare_values(person.id, &mapped);
        self.sample(person, &mapped);
        mapped
    }

    /// The ids of the people who would be shown by now.
    pub fn samples(&self) -> impl Iterator<Item = &str> {
        self.report.samples.values().map(|sample| sample.id.as_str())
    }

    /// What came of it.
    pub fn finish(self) -> Report {
        self.report
    }

    fn compare_values(&mut self, id: &str, mapped: &Mapped) {
        let is_unique = |spec: &AttributeSpec| spec.unique;
        for rule in self.mapping.rules(mapped.kind).filter(|rule| is_unique(&rule.spec)) {
            let value = mapped.attributes.get(&rule.name).and_then(Option::as_ref);
            let Some(value) = value.and_then(|value| unique_value(&rule.name, value)) else { continue };
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            let seen = self.values.entry(&rule.name).or_default();
            if seen.contains(&hasher.finish()) {
                self.report.duplicates.entry(rule.name.clone()).or_default().add(id);
            } else if seen.len() < MOST_VALUES {
                seen.insert(hasher.finish());
            } else {
                self.report.duplicates_incomplete = true;
            }
        }
    }

    fn sample(&mut self, person: &Person<'_>, mapped: &Mapped) {
        let name = mapped.attributes.get(crate::entity::NAME).and_then(Option::as_ref).and_then(Value::as_str);
        let name = name.unwrap_or_default();
        let length = name.chars().count();
        let kind = person.resource.get("userType").and_then(Value::as_str).unwrap_or_default();
        let latin =
            |letter: char| !letter.is_alphabetic() || letter < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&letter);
        let mut reasons = Vec::new();
        if length > self.longest {
            self.longest = length;
            self.report.samples.remove(&SampleReason::LongestName);
            reasons.push(SampleReason::LongestName);
        }
        if !name.chars().all(latin) {
            reasons.push(SampleReason::OtherScript);
        }
        if !person.resource.contains_key("phoneNumbers") {
            reasons.push(SampleReason::NoPhone);
        }
        if !kind.is_empty() && !kind.eq_ignore_ascii_case("employee") {
            reasons.push(SampleReason::Contractor);
        }
        if mapped.departments.len() > 1 {
            reasons.push(SampleReason::SeveralDepartments);
        }
        for reason in reasons {
            let sample = || Sample { id: person.id.to_owned(), mapped: mapped.clone() };
            self.report.samples.entry(reason).or_insert_with(sample);
        }
    }
}
