//! What a SCIM group becomes.

use super::Mapping;
use super::accept::About;
use super::choice::Choice;
use super::expression::Expression;
use super::facts::{GroupFacts, SourceFacts};
use super::inputs::Inputs;
use super::model::{Extra, Gone, GroupForm};
use super::person::first;
use crate::finding::Finding;
use crate::org_unit::{MAX_NAME_CHARS, OrgName};
use serde_json::Value;

/// The most characters of a chat's name (page `create-group`).
pub(super) const MOST_CHAT_CHARS: usize = 20;

/// What a group becomes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Becomes {
    /// Nothing.
    Nothing,
    /// A role.
    Role {
        /// Its name.
        name: String,
        /// The group of roles it belongs to.
        role_group: String,
        /// What becomes of people who have it without being in the group.
        extra: Extra,
    },
    /// A department.
    Department {
        /// The departments from the top down to it.
        path: Vec<OrgName>,
    },
    /// A group chat.
    Chat {
        /// Its name.
        name: String,
        /// Its owner, by userName or id.
        owner: Option<String>,
        /// What becomes of people who are in it without being in the group.
        extra: Extra,
    },
}

/// What a mapping makes of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappedGroup {
    /// The rule that decided; `None` if none did.
    pub rule: Option<String>,
    /// What it becomes.
    pub becomes: Becomes,
    /// Whether the members of groups within it count as its members.
    pub nested: bool,
    /// What becomes of its role or chat when the group goes.
    pub gone: Gone,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Whether a finding keeps the group out.
    pub blocked: bool,
}

impl Becomes {
    /// The word of the document.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Role { .. } => "role",
            Self::Department { .. } => "department",
            Self::Chat { .. } => "chat",
        }
    }

    /// What becomes of it when the group goes, if nobody says otherwise: a chat holds what people have written.
    pub(super) const fn usual_end(&self) -> Gone {
        match self {
            Self::Chat { .. } => Gone::Keep,
            Self::Nothing | Self::Role { .. } | Self::Department { .. } => Gone::Remove,
        }
    }
}

impl MappedGroup {
    /// Nothing, by this rule.
    pub(super) fn nothing(rule: Option<String>) -> Self {
        Self {
            rule,
            becomes: Becomes::Nothing,
            nested: false,
            gone: Gone::Remove,
            findings: Vec::new(),
            blocked: false,
        }
    }

    pub(super) fn refuse(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.blocked = true;
    }
}

impl Mapping {
    /// Maps a group that a person may have decided about at one target.
    pub fn group_as(
        &self,
        choice: Option<&Choice>,
        group: &GroupFacts<'_>,
        source: Option<&SourceFacts>,
    ) -> MappedGroup {
        match choice {
            Some(choice) => choice.decide(group),
            None => self.group(group, source),
        }
    }

    /// Maps a group: as a person decided about this one, else by the first rule that matches, else to nothing.
    pub fn group(&self, group: &GroupFacts<'_>, source: Option<&SourceFacts>) -> MappedGroup {
        let GroupFacts { id, resource } = *group;
        let inputs = Inputs { shapes: &self.shapes, resource, id, groups: &[], source, path: None };
        let mut mapped = MappedGroup::nothing(None);
        let rule = match self.by_hand.get(id) {
            Some(rule) => Some(rule),
            None => match first(&self.groups, &inputs) {
                Ok(rule) => rule,
                Err(finding) => {
                    mapped.refuse(*finding);
                    return mapped;
                }
            },
        };
        let Some(rule) = rule else { return mapped };
        mapped.rule = Some(rule.name.clone());
        mapped.nested = rule.then.nested;
        match becomes(&rule.then.becomes, &inputs, &mut mapped.findings) {
            Ok(becomes) => mapped.becomes = becomes,
            Err(finding) => mapped.refuse(*finding),
        }
        mapped.gone = rule.then.gone.unwrap_or_else(|| mapped.becomes.usual_end());
        mapped
    }
}

fn becomes(form: &GroupForm, inputs: &Inputs<'_>, findings: &mut Vec<Finding>) -> Result<Becomes, Box<Finding>> {
    match form {
        GroupForm::Nothing => Ok(Becomes::Nothing),
        GroupForm::Role { called, role_group, extra } => {
            let name = name("role_name", called, inputs, None)?;
            Ok(Becomes::Role { name, role_group: role_group.clone(), extra: *extra })
        }
        GroupForm::Department { path } => Ok(Becomes::Department { path: department(path, inputs)? }),
        GroupForm::Chat { called, owner, extra } => {
            let name = name("chat_name", called, inputs, Some(MOST_CHAT_CHARS))?;
            let owner = owner.as_ref().map(|owner| text("chat_owner", owner, inputs)).transpose();
            let owner = owner.unwrap_or_else(|finding| {
                // The chat can be there without the owner whom the rule would have.
                findings.push(*finding);
                None
            });
            Ok(Becomes::Chat { name, owner: owner.flatten(), extra: *extra })
        }
    }
}

fn text(attribute: &str, expression: &Expression, inputs: &Inputs<'_>) -> Result<Option<String>, Box<Finding>> {
    let about = About { attribute, expression };
    match expression.value(inputs) {
        Ok(Value::Null) => Ok(None),
        Ok(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Ok(other) => Err(Box::new(about.mistyped(&other, "a text"))),
        Err(failure) => Err(Box::new(about.failed(&failure))),
    }
}

fn name(
    attribute: &str,
    expression: &Expression,
    inputs: &Inputs<'_>,
    most: Option<usize>,
) -> Result<String, Box<Finding>> {
    let about = About { attribute, expression };
    let missing = || {
        let message = "The group has no name.".to_owned();
        Box::new(about.wrong("missing", message, "Give it one at the source, or change the rule in the mapping."))
    };
    let name = text(attribute, expression, inputs)?.ok_or_else(missing)?;
    let length = name.chars().count();
    match most.filter(|most| length > *most) {
        Some(most) => Err(Box::new(about.too_long(length, most))),
        None => Ok(name),
    }
}

fn department(expression: &Expression, inputs: &Inputs<'_>) -> Result<Vec<OrgName>, Box<Finding>> {
    let about = About { attribute: "department_path", expression };
    let value = expression.value(inputs).map_err(|failure| Box::new(about.failed(&failure)))?;
    let names: &[Value] = match &value {
        Value::Null => &[],
        Value::Array(names) => names,
        text @ Value::String(_) => std::slice::from_ref(text),
        other => return Err(Box::new(about.mistyped(other, "a list of names"))),
    };
    let mut path = Vec::new();
    for name in names.iter().filter(|name| !name.is_null()) {
        let name = name.as_str().ok_or_else(|| Box::new(about.mistyped(name, "the name of a department")))?;
        path.extend(OrgName::new(name));
    }
    if path.is_empty() {
        let message = "The path of the department is empty.".to_owned();
        let advice = "Give the group a name at the source, or change the rule in the mapping.";
        return Err(Box::new(about.wrong("missing", message, advice)));
    }
    match path.iter().map(|unit| unit.name.chars().count()).find(|length| *length > MAX_NAME_CHARS) {
        Some(length) => Err(Box::new(about.too_long(length, MAX_NAME_CHARS))),
        None => Ok(path),
    }
}
