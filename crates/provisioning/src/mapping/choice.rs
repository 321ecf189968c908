//! What a person decided that one group becomes at one target, before all rules of the mapping.
//!
//! It is written like a rule for groups, with texts in place of expressions: `{"becomes": "role", "called": "Approver"}`.

use super::facts::GroupFacts;
use super::group_rules::ROLE_GROUP;
use super::groups::{Becomes, MOST_CHAT_CHARS, MappedGroup};
use super::model::{Extra, Gone};
use crate::finding::{Finding, FindingKind};
use crate::org_unit::{MAX_NAME_CHARS, OrgName};
use serde_json::{Map, Value, json};

/// A decision about one group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    becomes: Becomes,
    nested: bool,
    gone: Gone,
}

/// What is wrong with a decision.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{member} {problem}")]
pub struct ChoiceError {
    /// The member that is wrong.
    pub member: String,
    /// What is wrong with it, to be read after its name.
    pub problem: String,
}

/// The most characters of a text in a decision.
const MOST_CHARS: usize = 200;

impl Choice {
    /// Reads a decision. A role or chat for which no name is `called` has the group's own.
    ///
    /// # Errors
    /// The first member that cannot be.
    pub fn parse(value: &Value) -> Result<Self, ChoiceError> {
        let Value::Object(members) = value else { return Err(wrong("the decision", "must be an object")) };
        let reader = Reader(members);
        let called = || reader.text("called").map(Option::unwrap_or_default);
        let becomes = match members.get("becomes").and_then(Value::as_str) {
            Some("nothing") => {
                reader.only(&[])?;
                Becomes::Nothing
            }
            Some("role") => {
                reader.only(&["called", "role_group", "extra", "nested", "gone"])?;
                let role_group = reader.text("role_group")?.unwrap_or_else(|| ROLE_GROUP.to_owned());
                Becomes::Role { name: called()?, role_group, extra: reader.extra()? }
            }
            Some("chat") => {
                reader.only(&["called", "owner", "extra", "nested", "gone"])?;
                Becomes::Chat { name: called()?, owner: reader.text("owner")?, extra: reader.extra()? }
            }
            Some("department") => {
                reader.only(&["path", "nested"])?;
                Becomes::Department { path: reader.path()? }
            }
            _ => return Err(wrong("becomes", "must be role, department, chat or nothing")),
        };
        let gone = match reader.text("gone")? {
            None => becomes.usual_end(),
            Some(word) => Gone::parse(&word).ok_or_else(|| wrong("gone", "must be remove or keep"))?,
        };
        let nested = match members.get("nested") {
            None | Some(Value::Null) => false,
            Some(value) => value.as_bool().ok_or_else(|| wrong("nested", "must be true or false"))?,
        };
        Ok(Self { becomes, nested, gone })
    }

    /// As [`Self::parse`] reads it.
    pub fn to_value(&self) -> Value {
        let mut members = Map::new();
        let mut put = |name: &str, value: Value| members.insert(name.to_owned(), value);
        put("becomes", json!(self.becomes.as_str()));
        match &self.becomes {
            Becomes::Nothing => {}
            Becomes::Role { name, role_group, extra } => {
                put("called", json!(Some(name).filter(|name| !name.is_empty())));
                put("role_group", json!(role_group));
                put("extra", json!(extra.as_str()));
            }
            Becomes::Chat { name, owner, extra } => {
                put("called", json!(Some(name).filter(|name| !name.is_empty())));
                put("owner", json!(owner));
                put("extra", json!(extra.as_str()));
            }
            Becomes::Department { path } => {
                put("path", path.iter().map(|unit| Value::String(unit.name.clone())).collect());
            }
        }
        if self.becomes != Becomes::Nothing {
            put("nested", json!(self.nested));
        }
        if let Becomes::Role { .. } | Becomes::Chat { .. } = self.becomes {
            put("gone", json!(self.gone.as_str()));
        }
        members.retain(|_, value| !value.is_null());
        Value::Object(members)
    }

    /// Whether it puts the members into a department.
    pub const fn is_department(&self) -> bool {
        matches!(self.becomes, Becomes::Department { .. })
    }

    /// What it makes of a group.
    pub(super) fn decide(&self, group: &GroupFacts<'_>) -> MappedGroup {
        let mut mapped = MappedGroup::nothing(Some("by hand".to_owned()));
        (mapped.nested, mapped.gone) = (self.nested, self.gone);
        let own = group.resource.get("displayName").and_then(Value::as_str).unwrap_or_default().trim();
        let mut becomes = self.becomes.clone();
        if let Becomes::Role { name, .. } | Becomes::Chat { name, .. } = &mut becomes
            && name.is_empty()
        {
            own.clone_into(name);
        }
        match &becomes {
            Becomes::Role { name, .. } | Becomes::Chat { name, .. } if name.is_empty() => {
                mapped.refuse(unfit("name_missing", "The group has no name.".to_owned()));
            }
            Becomes::Chat { name, .. } if name.chars().count() > MOST_CHAT_CHARS => {
                let message =
                    format!("The name has {} characters; a chat takes {MOST_CHAT_CHARS}.", name.chars().count());
                mapped.refuse(unfit("chat_name_too_long", message));
            }
            _ => mapped.becomes = becomes,
        }
        mapped
    }
}

struct Reader<'a>(&'a Map<String, Value>);

impl Reader<'_> {
    fn only(&self, known: &[&str]) -> Result<(), ChoiceError> {
        let strange = self.0.keys().find(|name| *name != "becomes" && !known.contains(&name.as_str()));
        let becomes = self.0.get("becomes").and_then(Value::as_str).unwrap_or_default();
        strange.map_or(Ok(()), |name| Err(wrong(name, &format!("means nothing for a group that becomes {becomes}"))))
    }

    fn text(&self, name: &str) -> Result<Option<String>, ChoiceError> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.chars().count() > MOST_CHARS => {
                Err(wrong(name, &format!("must have at most {MOST_CHARS} characters")))
            }
            Some(Value::String(text)) if !text.trim().is_empty() => Ok(Some(text.trim().to_owned())),
            Some(_) => Err(wrong(name, "must be a text that is not blank")),
        }
    }

    fn extra(&self) -> Result<Extra, ChoiceError> {
        let word = self.text("extra")?;
        let parsed = |word: String| Extra::parse(&word).ok_or_else(|| wrong("extra", "must be tolerate or remove"));
        word.map_or(Ok(Extra::default()), parsed)
    }

    fn path(&self) -> Result<Vec<OrgName>, ChoiceError> {
        let names = self.0.get("path").and_then(Value::as_array).filter(|names| !names.is_empty());
        let names = names.ok_or_else(|| wrong("path", "must be a list of names from the top down"))?;
        let unit = |name: &Value| name.as_str().and_then(OrgName::new);
        let fits = |unit: &OrgName| unit.name.chars().count() <= MAX_NAME_CHARS;
        let units = names.iter().map(|name| unit(name).filter(fits));
        let units: Option<Vec<OrgName>> = units.collect();
        units.ok_or_else(|| wrong("path", &format!("must hold names of 1 to {MAX_NAME_CHARS} characters")))
    }
}

fn wrong(member: &str, problem: &str) -> ChoiceError {
    ChoiceError { member: member.to_owned(), problem: problem.to_owned() }
}

fn unfit(code: &str, message: String) -> Finding {
    Finding {
        kind: FindingKind::Invalid,
        code: code.to_owned(),
        attribute: None,
        source_path: Some("displayName".to_owned()),
        message,
        advice: "Say by hand how it is called, or change the name at the source.".to_owned(),
    }
}
