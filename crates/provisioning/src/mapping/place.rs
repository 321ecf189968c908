//! The departments of a person.

use super::accept::About;
use super::expression::{Expression, kind};
use super::inputs::Inputs;
use super::model::{Deeper, Departments, Levels};
use super::person::Mapped;
use crate::entity;
use crate::finding::Finding;
use crate::org_unit::{MAX_NAME_CHARS, OrgName};
use serde_json::Value;
use std::borrow::Cow;

/// The most departments of one person (page `user-information-creation`).
const MOST_DEPARTMENTS: usize = 100;

/// The most characters of the title in a department, as of any title.
const MOST_TITLE_CHARS: usize = 200;

/// A place where a person belongs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Department {
    /// The departments from the top down to it. Empty is directly under the root.
    pub path: Vec<OrgName>,
    /// Where the person stands among its people.
    pub order: Option<i64>,
    /// The person's title in it.
    pub title: Option<String>,
    /// Whether the person heads it.
    pub head: bool,
}

/// A name, and which level it was before levels were put together.
type Level = (usize, OrgName);

impl Departments {
    /// Finds the departments of a person.
    pub(super) fn place(&self, inputs: Inputs<'_>, mapped: &mut Mapped) {
        let about = About { attribute: entity::ORG_UNITS, expression: &self.paths };
        let paths = match self.paths.value(&inputs) {
            Ok(value) => self.paths(&value, about),
            Err(failure) => Err(Box::new(about.failed(&failure))),
        };
        let mut paths = match paths {
            Ok(paths) => paths,
            Err(finding) => {
                mapped.refuse(*finding);
                return;
            }
        };
        if paths.len() > MOST_DEPARTMENTS {
            let message = format!("The person is in {} departments; DingTalk takes {MOST_DEPARTMENTS}.", paths.len());
            let advice = "Let the rule choose fewer; the others are left out.";
            mapped.findings.push(about.wrong("too_many", message, advice));
            paths.truncate(MOST_DEPARTMENTS);
        }
        for path in paths {
            let department = self.detailed(path, inputs, &mut mapped.findings);
            mapped.departments.push(department);
        }
    }

    /// The paths in a value: a list of names is one path, a list of lists several. The first is the primary one.
    fn paths(&self, value: &Value, about: About<'_>) -> Result<Vec<Vec<OrgName>>, Box<Finding>> {
        let wanted = "a list of names, or a list of such lists,";
        let lists: Vec<&[Value]> = match value {
            Value::Null => Vec::new(),
            Value::String(_) => vec![std::slice::from_ref(value)],
            Value::Array(elements) if elements.iter().any(Value::is_array) => elements
                .iter()
                .filter(|element| !element.is_null())
                .map(|element| match element {
                    Value::Array(names) => Ok(names.as_slice()),
                    other => Err(Box::new(about.mistyped(other, wanted))),
                })
                .collect::<Result<_, _>>()?,
            Value::Array(names) => vec![names],
            other => return Err(Box::new(about.mistyped(other, wanted))),
        };
        let several = lists.len() > 1;
        let mut paths: Vec<Vec<OrgName>> = Vec::new();
        for names in lists {
            let path = self.path(names, about, several)?;
            // Of several paths, one that leads nowhere is none.
            let same = |other: &Vec<OrgName>| other.iter().map(|unit| &unit.key).eq(path.iter().map(|unit| &unit.key));
            let nowhere = several && path.is_empty();
            if !nowhere && !paths.iter().any(same) {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            paths.push(Vec::new());
        }
        Ok(paths)
    }

    fn path(&self, names: &[Value], about: About<'_>, several: bool) -> Result<Vec<OrgName>, Box<Finding>> {
        let mut levels: Vec<Level> = Vec::new();
        for (level, name) in names.iter().enumerate() {
            let name = match name {
                Value::Null => continue,
                Value::String(name) => Cow::Borrowed(name.as_str()),
                Value::Number(name) => Cow::Owned(name.to_string()),
                other => return Err(Box::new(about.mistyped(other, "the name of a department"))),
            };
            levels.extend(OrgName::new(&name).map(|name| (level, name)));
        }
        let levels = self.levels.fit(levels);
        for (level, name) in &levels {
            let length = name.name.chars().count();
            if length > MAX_NAME_CHARS {
                let message = format!("The department name has {length} characters; DingTalk takes {MAX_NAME_CHARS}.");
                let source = about.expression.sources.get(*level).filter(|_| !several).cloned().flatten();
                let finding =
                    about.wrong("", message, "Shorten it at the source, or cut it in the mapping with fit(…).");
                let code = "department_name_too_long".to_owned();
                let source_path = source.or(finding.source_path);
                return Err(Box::new(Finding { code, source_path, ..finding }));
            }
        }
        Ok(levels.into_iter().map(|(_, name)| name).collect())
    }

    fn detailed(&self, path: Vec<OrgName>, inputs: Inputs<'_>, findings: &mut Vec<Finding>) -> Department {
        if self.title.is_none() && self.order.is_none() && self.head.is_none() {
            return Department { path, ..Department::default() };
        }
        let names: Value = path.iter().map(|unit| Value::String(unit.name.clone())).collect();
        let inputs = Inputs { path: Some(&names), ..inputs };
        let mut tell = |attribute: &str, expression: &Expression| match expression.value(&inputs) {
            Ok(value) => value,
            Err(failure) => {
                findings.push(About { attribute, expression }.failed(&failure));
                Value::Null
            }
        };
        let title = self.title.as_ref().map(|title| (title, tell("department_title", title)));
        let order = self.order.as_ref().map(|order| (order, tell("department_order", order)));
        let head = self.head.as_ref().map(|head| (head, tell("department_head", head)));
        let mut department = Department { path, ..Department::default() };
        if let Some((expression, value)) = title {
            let about = About { attribute: "department_title", expression };
            match value {
                Value::Null => {}
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) if text.chars().count() > MOST_TITLE_CHARS => {
                    findings.push(about.too_long(text.chars().count(), MOST_TITLE_CHARS));
                }
                Value::String(text) => department.title = Some(text.trim().to_owned()),
                other => findings.push(about.mistyped(&other, "a text")),
            }
        }
        if let Some((expression, value)) = order {
            department.order = value.as_i64();
            if !value.is_null() && department.order.is_none() {
                let about = About { attribute: "department_order", expression };
                findings.push(about.mistyped(&value, "a whole number"));
            }
        }
        if let Some((expression, value)) = head {
            department.head = value == Value::Bool(true);
            if !value.is_null() && !value.is_boolean() {
                let about = About { attribute: "department_head", expression };
                let message = format!("The rule for the head of a department gives {}.", kind(&value));
                findings.push(about.wrong("rule_failed", message, "Let it give true or false."));
            }
        }
        department
    }
}

impl Levels {
    fn fit(&self, mut levels: Vec<Level>) -> Vec<Level> {
        let Some(most) = self.most.filter(|most| levels.len() > *most) else { return levels };
        let below = levels.split_off(most.saturating_sub(1));
        let lowest = match self.deeper {
            Deeper::Cut => below.into_iter().next(),
            Deeper::Flatten => below.into_iter().next_back(),
            Deeper::Join => {
                let level = below.first().map_or(0, |(level, _)| *level);
                let names: Vec<&str> = below.iter().map(|(_, unit)| unit.name.as_str()).collect();
                OrgName::new(&names.join(&self.separator)).map(|name| (level, name))
            }
        };
        levels.extend(lowest);
        levels
    }
}
