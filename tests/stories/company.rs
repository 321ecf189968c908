//! The organisation that the stories push: people and groups as an identity provider has them, in four chapters.
//!
//! What must come of it, in the directory and at DingTalk, is read off a chapter by [`Company::in_directory`] and
//! [`Company::at_dingtalk`]; no product code takes part in that.

use std::collections::{BTreeMap, BTreeSet};

use crate::dingtalk::{Member, Organisation};
use crate::directory::{Directory, Entry};

/// Division and department as the source writes them, and the department's path at DingTalk, which refuses hyphens and
/// commas in names.
const DEPARTMENTS: [(&str, &str, &str); 12] = [
    ("Business", "Sales EMEA", "Business/Sales EMEA"),
    ("Business", "Sales APAC", "Business/Sales APAC"),
    ("Business", "Marketing", "Business/Marketing"),
    ("Business", "Customer Care", "Business/Customer Care"),
    ("Engineering", "Platform", "Engineering/Platform"),
    ("Engineering", "R&D - Robots", "Engineering/R&D － Robots"),
    ("Engineering", "Quality", "Engineering/Quality"),
    ("Engineering", "Mobile Apps", "Engineering/Mobile Apps"),
    ("Operations", "Finance", "Operations/Finance"),
    ("Operations", "Legal, Tax", "Operations/Legal、 Tax"),
    ("Operations", "People", "Operations/People"),
    ("中国区", "平台研发部", "中国区/平台研发部"),
];
/// Where one department goes in the second chapter, with everybody in it.
const RENAMED: (usize, (&str, &str, &str)) = (6, ("Engineering", "Quality and Test", "Engineering/Quality and Test"));

const GIVEN: [&str; 10] = ["Ada", "Björn", "Chen", "Dalia", "Émile", "Farah", "Goran", "Hana", "Iris", "伟"];
const FAMILY: [&str; 9] = ["Abel", "O'Brien", "Castro", "Dvořák", "Engel", "Fontaine", "González", "Haddad", "李"];
const TITLES: [&str; 6] = ["Analyst", "Engineer", "Designer", "Manager", "Counsel", "经理"];

/// One person, as the identity provider has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// Says who it is, whatever else changes.
    pub(crate) number: usize,
    pub(crate) given: String,
    pub(crate) family: String,
    pub(crate) user_name: String,
    pub(crate) title: String,
    /// Division, department, path at DingTalk.
    pub(crate) department: (&'static str, &'static str, &'static str),
    pub(crate) manager: Option<usize>,
    pub(crate) active: bool,
}

impl Person {
    pub(crate) fn job_number(&self) -> String {
        format!("E{:04}", self.number)
    }

    pub(crate) fn display_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// As the source writes it: some with the country code of the mainland, some without, some of Hong Kong.
    pub(crate) fn mobile(&self) -> String {
        match self.number % 3 {
            0 => format!("+86 138 0000 {:04}", self.number),
            1 => format!("1380000{:04}", self.number),
            _ => format!("+852 9123 {:04}", self.number),
        }
    }

    /// As DingTalk writes it.
    pub(crate) fn mobile_at_dingtalk(&self) -> String {
        match self.number % 3 {
            2 => format!("+852-9123{:04}", self.number),
            _ => format!("1380000{:04}", self.number),
        }
    }
}

/// One group, as the identity provider has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: String,
    /// Numbers of people.
    pub(crate) members: BTreeSet<usize>,
}

/// Everybody at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Company {
    pub(crate) people: Vec<Person>,
    /// By position: a group that is renamed stays where it is.
    pub(crate) groups: Vec<Group>,
}

impl Company {
    /// The first chapter.
    pub(crate) fn founded(people: usize, groups: usize) -> Self {
        let group = |index: usize| Group {
            name: format!("Team {index:02}"),
            members: match index {
                0 => (0..people).collect(),
                1 => BTreeSet::new(),
                _ => (0..people).filter(|number| number % groups == index).collect(),
            },
        };
        Self { people: (0..people).map(person).collect(), groups: (0..groups).map(group).collect() }
    }

    /// What happens next, chapter by chapter: changes of every kind; leavers; some of them coming back, and joiners.
    pub(crate) fn chapters(people: usize, groups: usize) -> [Self; 4] {
        let founded = Self::founded(people, groups);
        let changed = founded.changed();
        let left = changed.left();
        let last = left.returned();
        [founded, changed, left, last]
    }

    fn changed(&self) -> Self {
        let mut next = self.clone();
        for person in &mut next.people {
            change(person);
        }
        let everybody = self.people.len();
        for (index, group) in next.groups.iter_mut().enumerate().skip(2) {
            if index % 3 == 0 {
                group.members.pop_first();
                group.members.insert((index * 11) % everybody);
            }
            if index % 5 == 0 {
                group.name = format!("{} (renamed)", group.name);
            }
        }
        next
    }

    fn left(&self) -> Self {
        let mut next = self.clone();
        for person in next.people.iter_mut().filter(|person| person.number % 10 == 7) {
            person.active = false;
        }
        // A group that loses its last member.
        if let Some(group) = next.groups.get_mut(2) {
            group.members.clear();
        }
        next
    }

    fn returned(&self) -> Self {
        let mut next = self.clone();
        for person in next.people.iter_mut().filter(|person| person.number % 20 == 7) {
            person.active = true;
            "Returned".clone_into(&mut person.title);
        }
        let everybody = self.people.len();
        next.people.extend((everybody..everybody + 5).map(person));
        if let Some(group) = next.groups.get_mut(1) {
            group.members.extend(everybody..everybody + 5);
        }
        next
    }

    /// What the directory must hold.
    pub(crate) fn in_directory(&self) -> Directory {
        let job_number = |number: usize| self.people.get(number).map(Person::job_number);
        let entry = |person: &Person| Entry {
            user_name: person.user_name.clone(),
            display_name: person.display_name(),
            name: (person.given.clone(), person.family.clone()),
            active: person.active,
            title: person.title.clone(),
            email: person.user_name.clone(),
            mobile: person.mobile(),
            department: (person.department.0.to_owned(), person.department.1.to_owned()),
            manager: person.manager.and_then(job_number),
        };
        Directory {
            people: self.people.iter().map(|person| (person.job_number(), entry(person))).collect(),
            groups: self
                .groups
                .iter()
                .map(|group| (group.name.clone(), group.members.iter().copied().filter_map(job_number).collect()))
                .collect(),
        }
    }

    /// What DingTalk must have: those who are active, in their departments, under managers who are active.
    pub(crate) fn at_dingtalk(&self) -> Organisation {
        let manager = |number: usize| self.people.get(number).filter(|manager| manager.active).map(Person::job_number);
        let present = self.people.iter().filter(|person| person.active);
        let member = |person: &Person| Member {
            name: person.display_name(),
            mobile: person.mobile_at_dingtalk(),
            email: Some(person.user_name.clone()),
            title: Some(person.title.clone()),
            department: person.department.2.to_owned(),
            manager: person.manager.and_then(manager),
        };
        let people: BTreeMap<_, _> = present.map(|person| (person.job_number(), member(person))).collect();
        let departments = people.values().flat_map(|member| with_those_above(&member.department)).collect();
        Organisation { people, departments }
    }
}

/// A path and the paths of the departments above it.
fn with_those_above(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').collect();
    (1..=parts.len()).filter_map(|length| Some(parts.get(..length)?.join("/"))).collect()
}

fn pick<T: Copy>(of: &[T], index: usize) -> Option<T> {
    of.get(index % of.len().max(1)).copied()
}

/// A person as they join.
pub(crate) fn person(number: usize) -> Person {
    let given = pick(&GIVEN, number).unwrap_or_default().to_owned();
    let family = pick(&FAMILY, number).unwrap_or_default().to_owned();
    Person {
        number,
        user_name: format!("Person.{number:04}@corp.example"),
        given,
        family,
        title: pick(&TITLES, number).unwrap_or_default().to_owned(),
        department: pick(&DEPARTMENTS, number).unwrap_or_default(),
        manager: number.checked_sub(1).map(|number| number / 8),
        active: true,
    }
}

/// What happens to a person in the second chapter.
fn change(person: &mut Person) {
    let number = person.number;
    match number % 10 {
        1 => person.title = format!("Senior {}", person.title),
        2 => {
            "Newlywed".clone_into(&mut person.family);
            person.user_name = format!("Person.{number:04}.Newlywed@corp.example");
        }
        4 => person.department = pick(&DEPARTMENTS, number + 5).unwrap_or_default(),
        5 => person.manager = Some(number / 2),
        // One more reports to the top, who has reports already.
        8 => person.manager = Some(0),
        _ => {}
    }
    let (index, renamed) = RENAMED;
    if pick(&DEPARTMENTS, index) == Some(person.department) {
        person.department = renamed;
    }
}
