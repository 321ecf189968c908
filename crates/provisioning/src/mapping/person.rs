//! What a mapping makes of a person.

use super::Mapping;
use super::accept::{About, accept};
use super::facts::Person;
use super::inputs::Inputs;
use super::model::{AttributeRule, Blank, Owner, PersonKind, Rule};
use super::place::Department;
use crate::connector::Form;
use crate::entity;
use crate::finding::Finding;
use crate::org_unit::OrgName;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a person is projected, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Whether they are.
    pub included: bool,
    /// The name of the rule that decided; `None` if none did, so that the person is in.
    pub rule: Option<String>,
}

impl Verdict {
    /// The reason, as a sentence.
    pub fn reason(&self) -> String {
        match (&self.rule, self.included) {
            (Some(rule), true) => format!("The rule \"{rule}\" includes the person."),
            (Some(rule), false) => format!("The rule \"{rule}\" leaves the person out."),
            (None, _) => "No rule leaves the person out.".to_owned(),
        }
    }
}

/// Somebody else whom a person refers to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Reference {
    /// What the target has is left as it is.
    #[default]
    LeftAlone,
    /// Nobody: what the target has is cleared.
    Nobody,
    /// This one, as the source names them.
    To(String),
}

/// What the mapping makes of a person.
#[derive(Clone, PartialEq, Debug)]
pub struct Mapped {
    /// Whether they are projected. Of somebody who is not, nothing else is said.
    pub scope: Verdict,
    /// As what.
    pub kind: PersonKind,
    /// The remote id that a new account gets.
    pub userid: Option<String>,
    /// Wanted attributes, without those that refer to other resources. `None` means *no value*; an attribute that is not
    /// named is left alone.
    pub attributes: BTreeMap<String, Option<Value>>,
    /// Those of them (and perhaps the manager) that are only written when the account is created.
    pub once: BTreeSet<String>,
    /// Where the person belongs, the primary place first. There is always one; an empty path is directly under the root.
    pub departments: Vec<Department>,
    /// The manager, as the source named them.
    pub manager: Reference,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Whether a finding keeps the person out altogether: a required attribute has no usable value.
    pub blocked: bool,
}

impl Mapped {
    fn new(scope: Verdict) -> Self {
        Self {
            scope,
            kind: PersonKind::default(),
            userid: None,
            attributes: BTreeMap::new(),
            once: BTreeSet::new(),
            departments: Vec::new(),
            manager: Reference::LeftAlone,
            findings: Vec::new(),
            blocked: false,
        }
    }

    /// The path of the primary department, the top one first. Empty means directly under the root.
    pub fn org_path(&self) -> &[OrgName] {
        self.departments.first().map_or(&[], |department| &department.path)
    }

    pub(super) fn refuse(&mut self, finding: Finding) {
        self.blocked = true;
        self.findings.push(finding);
    }
}

/// What becomes of an attribute.
#[derive(Clone, PartialEq, Debug)]
pub enum Decision {
    /// The target owns it, so it is never written.
    Theirs,
    /// There is no value, and what the target has is left as it is.
    Left,
    /// There is no value, and the target should have none either.
    Cleared,
    /// It gets this value.
    Set(Value),
    /// It is left as it is until a person has looked.
    Held(Box<Finding>),
}

impl Mapping {
    /// Maps a person.
    pub fn person(&self, person: &Person<'_>) -> Mapped {
        let inputs = self.inputs(person);
        let scope = match first(&self.scope, &inputs) {
            Ok(None) => Verdict { included: true, rule: None },
            Ok(Some(rule)) => Verdict { included: rule.then, rule: Some(rule.name.clone()) },
            Err(finding) => {
                // A rule that fails decides nothing; least of all that somebody goes.
                let mut mapped = Mapped::new(Verdict { included: true, rule: None });
                mapped.refuse(*finding);
                return mapped;
            }
        };
        let mut mapped = Mapped::new(scope);
        if !mapped.scope.included {
            return mapped;
        }
        match first(&self.kinds, &inputs) {
            Ok(rule) => mapped.kind = rule.map_or_else(PersonKind::default, |rule| rule.then),
            Err(finding) => {
                mapped.refuse(*finding);
                return mapped;
            }
        }
        for rule in self.rules(mapped.kind) {
            keep(rule, decide(rule, &inputs), &mut mapped);
        }
        self.check_extensions(&mut mapped);
        if mapped.kind != PersonKind::Contact {
            if mapped.kind != PersonKind::Normal {
                let word = Value::String(mapped.kind.as_str().to_owned());
                mapped.attributes.insert(entity::ACCOUNT_KIND.to_owned(), Some(word));
            }
            self.userid(&inputs, &mut mapped);
            self.departments.place(inputs, &mut mapped);
        }
        mapped
    }

    pub(super) fn inputs<'a>(&'a self, person: &Person<'a>) -> Inputs<'a> {
        Inputs {
            shapes: &self.shapes,
            resource: person.resource,
            id: person.id,
            groups: person.groups,
            source: person.source,
            path: None,
        }
    }

    /// The rules of the attributes that somebody of this kind has.
    pub(super) fn rules(&self, kind: PersonKind) -> impl Iterator<Item = &AttributeRule> {
        let rules = if kind == PersonKind::Contact { &self.contact } else { &self.account };
        rules.iter().filter(move |rule| rule.spec.is_of(kind.as_str()))
    }

    fn userid(&self, inputs: &Inputs<'_>, mapped: &mut Mapped) {
        let about = About { attribute: "userid", expression: &self.userid };
        match self.userid.value(inputs) {
            Ok(Value::String(text)) if Form::Id.admits(&text) => mapped.userid = Some(text),
            Ok(Value::String(_)) => mapped.refuse(about.ill_formed(&Form::Id.describe())),
            Ok(Value::Null) => mapped.refuse(about.missing()),
            Ok(other) => mapped.refuse(about.mistyped(&other, "a text")),
            Err(failure) => mapped.refuse(about.failed(&failure)),
        }
    }

    /// All fields that the organisation made itself share one limit.
    fn check_extensions(&self, mapped: &mut Mapped) {
        let is_field = |name: &str| name.starts_with(entity::EXTENSION_PREFIX);
        let Some(rule) = self.account.iter().find(|rule| is_field(&rule.name)) else { return };
        let (Some(most), Some(expression)) = (rule.spec.max_chars, &rule.value) else { return };
        let fields = mapped.attributes.iter().filter(|(name, _)| is_field(name));
        let length: usize = fields
            .map(|(name, value)| {
                let value = value.as_ref().and_then(Value::as_str).map_or(0, |text| text.chars().count());
                name.chars().count() + value
            })
            .sum();
        if length > most {
            mapped.attributes.retain(|name, _| !is_field(name));
            let message = format!("All fields of the organisation have {length} characters; DingTalk takes {most}.");
            let about = About { attribute: "extension", expression };
            mapped.findings.push(about.wrong("too_long", message, "Map fewer of them, or cut them with fit(…)."));
        }
    }
}

/// The first rule that matches.
pub(super) fn first<'r, T>(rules: &'r [Rule<T>], inputs: &Inputs<'_>) -> Result<Option<&'r Rule<T>>, Box<Finding>> {
    for rule in rules {
        let matches = match &rule.when {
            None => true,
            Some(when) => when.truth(inputs).map_err(|failure| {
                let section = rule.pointer.split('/').nth(1).unwrap_or_default();
                let about = About { attribute: section, expression: when };
                let finding = about.failed(&failure);
                let message = format!("In the rule \"{}\": {}", rule.name, finding.message);
                Box::new(Finding { attribute: None, message, ..finding })
            })?,
        };
        if matches {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

/// What becomes of one attribute.
pub(super) fn decide(rule: &AttributeRule, inputs: &Inputs<'_>) -> Decision {
    let Some(expression) = rule.value.as_ref().filter(|_| rule.owner != Owner::Target) else {
        return Decision::Theirs;
    };
    let about = About { attribute: &rule.name, expression };
    let value = match expression.value(inputs) {
        Ok(value) => accept(value, &rule.spec, about),
        Err(failure) => Err(Box::new(about.failed(&failure))),
    };
    match (value, rule.blank) {
        (Ok(Some(value)), _) => Decision::Set(value),
        (Ok(None), Blank::Leave) => Decision::Left,
        (Ok(None), Blank::Clear) => Decision::Cleared,
        (Ok(None), Blank::Hold) => Decision::Held(Box::new(about.missing())),
        (Err(finding), _) => Decision::Held(finding),
    }
}

fn keep(rule: &AttributeRule, decision: Decision, mapped: &mut Mapped) {
    let is_manager = rule.name == entity::MANAGER;
    if rule.owner == Owner::Once {
        mapped.once.insert(rule.name.clone());
    }
    match decision {
        Decision::Theirs | Decision::Left => {}
        Decision::Held(finding) => {
            // What a new account cannot do without keeps the person out; anything else is left as it is.
            mapped.blocked |= rule.spec.is_needed_by(mapped.kind.as_str());
            mapped.findings.push(*finding);
        }
        Decision::Cleared if is_manager => mapped.manager = Reference::Nobody,
        Decision::Set(Value::String(text)) if is_manager => mapped.manager = Reference::To(text),
        Decision::Cleared => {
            mapped.attributes.insert(rule.name.clone(), None);
        }
        Decision::Set(value) => {
            mapped.attributes.insert(rule.name.clone(), Some(value));
        }
    }
}
