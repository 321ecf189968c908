//! How one attribute of one person came about, step by step.

use super::Mapping;
use super::facts::Person;
use super::model::{Blank, Owner};
use super::person::{Decision, decide};
use super::{Expression, entity};
use crate::org_unit::OrgName;
use serde_json::{Value, json};

/// Something that a rule reads.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Its SCIM path.
    pub path: String,
    /// What stands there; `null` if there is nothing.
    pub value: Value,
}

/// How an attribute came about.
#[derive(Clone, PartialEq, Debug)]
pub struct Trace {
    /// The attribute.
    pub attribute: String,
    /// JSON pointer to its rule in the document.
    pub pointer: String,
    /// The text of its expression; `None` if the target owns it and there is none.
    pub expression: Option<String>,
    /// What it reads.
    pub inputs: Vec<Input>,
    /// What it gives, before the target's limits are looked at; `None` if it fails.
    pub value: Option<Value>,
    /// Who decides the value.
    pub owner: Owner,
    /// What no value means.
    pub blank: Blank,
    /// What becomes of it.
    pub decision: Decision,
}

impl Mapping {
    /// Traces an attribute of a person; `None` if the mapping has no rule for it. Beside the attributes of the target
    /// there are `userid` and `org_units`.
    pub fn trace(&self, person: &Person<'_>, attribute: &str) -> Option<Trace> {
        let inputs = self.inputs(person);
        let of = |expression: Option<&Expression>| expression.and_then(|expression| expression.value(&inputs).ok());
        let read = |expression: Option<&Expression>| {
            let paths = expression.map_or(&[][..], |expression| &expression.reads);
            paths.iter().map(|path| Input { path: path.clone(), value: stored(person, path) }).collect()
        };
        let mapped = self.person(person);
        if let Some(expression) = self.of_whole(attribute) {
            let finding = mapped.findings.iter().find(|finding| finding.attribute.as_deref() == Some(attribute));
            let decision = match finding {
                Some(finding) => Decision::Held(Box::new(finding.clone())),
                None if attribute == entity::ORG_UNITS => {
                    Decision::Set(mapped.departments.iter().map(|department| names(&department.path)).collect())
                }
                None => mapped.userid.map_or(Decision::Left, |userid| Decision::Set(Value::String(userid))),
            };
            let once = attribute != entity::ORG_UNITS;
            return Some(Trace {
                attribute: attribute.to_owned(),
                pointer: if once { "/userid/value" } else { "/departments/paths" }.to_owned(),
                expression: Some(expression.text.clone()),
                inputs: read(Some(expression)),
                value: of(Some(expression)),
                owner: if once { Owner::Once } else { Owner::Source },
                blank: Blank::Hold,
                decision,
            });
        }
        let rule = self.rules(mapped.kind).find(|rule| rule.name == attribute)?;
        Some(Trace {
            attribute: attribute.to_owned(),
            pointer: rule.pointer.clone(),
            expression: rule.value.as_ref().map(|expression| expression.text.clone()),
            inputs: read(rule.value.as_ref()),
            value: of(rule.value.as_ref()),
            owner: rule.owner,
            blank: rule.blank,
            decision: decide(rule, &inputs),
        })
    }

    /// Traces all that the mapping says of a person: the userid and the departments, unless they become a contact, and
    /// each attribute that they can have. Of somebody who is left out nothing is said.
    pub fn traces(&self, person: &Person<'_>) -> Vec<Trace> {
        let mapped = self.person(person);
        if !mapped.scope.included {
            return Vec::new();
        }
        let whole: &[&str] =
            if mapped.kind == super::PersonKind::Contact { &[] } else { &["userid", entity::ORG_UNITS] };
        let attributes = self.rules(mapped.kind).map(|rule| rule.name.as_str());
        whole.iter().copied().chain(attributes).filter_map(|name| self.trace(person, name)).collect()
    }

    /// The expression of what is said of a person as a whole.
    fn of_whole(&self, attribute: &str) -> Option<&Expression> {
        match attribute {
            "userid" => Some(&self.userid),
            entity::ORG_UNITS => Some(&self.departments.paths),
            _ => None,
        }
    }
}

fn names(path: &[OrgName]) -> Value {
    path.iter().map(|unit| Value::String(unit.name.clone())).collect()
}

/// What stands at a path that an expression reads.
fn stored(person: &Person<'_>, path: &str) -> Value {
    match path {
        "id" => return json!(person.id),
        "groups" => {
            let name =
                |group: &super::GroupFacts<'_>| group.resource.get("displayName").cloned().unwrap_or(Value::Null);
            return person.groups.iter().map(name).collect();
        }
        _ => {}
    }
    if let Some(name) = path.strip_prefix("source.") {
        return person.source.and_then(|source| source.0.get(name)).cloned().unwrap_or(Value::Null);
    }
    // The URN of an extension holds dots and colons itself; it is what the resource calls it.
    let extension =
        person.resource.keys().find(|key| path.strip_prefix(*key).is_some_and(|rest| rest.starts_with(':')));
    let (home, rest) = match extension {
        Some(urn) => {
            (person.resource.get(urn).and_then(Value::as_object), path.get(urn.len() + 1..).unwrap_or_default())
        }
        None => (Some(person.resource), path),
    };
    let name = rest.split(['.', '[']).next().unwrap_or(rest);
    let whole = home.and_then(|home| home.get(name));
    let value = match rest.strip_prefix(name).and_then(|rest| rest.strip_prefix('.')) {
        Some(parts) => parts.split('.').fold(whole, |value, part| value.and_then(|value| value.get(part))),
        None => whole,
    };
    value.cloned().unwrap_or(Value::Null)
}
