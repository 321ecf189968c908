//! Whether the target takes the value of a rule. What it does not take becomes a finding that names the attribute and
//! where the value comes from.

use super::expression::{Expression, kind};
use super::failure::Failure;
use crate::connector::{AttributeSpec, ValueType};
use crate::entity;
use crate::finding::{Finding, FindingKind};
use serde_json::Value;
use std::collections::BTreeSet;

/// What findings about a value say beside what is wrong.
#[derive(Clone, Copy)]
pub(super) struct About<'a> {
    pub(super) attribute: &'a str,
    pub(super) expression: &'a Expression,
}

impl About<'_> {
    fn finding(self, what: &str, message: String, advice: &str) -> Finding {
        Finding {
            kind: FindingKind::Invalid,
            code: format!("{}_{what}", self.attribute),
            attribute: Some(self.attribute.to_owned()),
            source_path: self.expression.source().map(str::to_owned),
            message,
            advice: advice.to_owned(),
        }
    }

    /// The source says nothing although the value is needed.
    pub(super) fn missing(self) -> Finding {
        let advice = if self.attribute == entity::MOBILE {
            "A DingTalk account needs a mobile number: give the person one at the source and map it."
        } else {
            "Give the person one at the source, or change the rule in the mapping."
        };
        self.finding("missing", format!("The person has no {}.", self.attribute), advice)
    }

    /// The expression could not be evaluated.
    pub(super) fn failed(self, failure: &Failure) -> Finding {
        let Failure { malformed, position, problem, advice } = failure;
        if *malformed {
            return self.finding("malformed", format!("The {} cannot be used: {problem}.", self.attribute), advice);
        }
        let place = position.map_or_else(String::new, |position| format!(" at {position}"));
        let message = format!("The rule for {} failed{place}: {problem}.", self.attribute);
        self.finding("rule_failed", message, advice)
    }

    /// The value is of another type.
    pub(super) fn mistyped(self, value: &Value, wanted: &str) -> Finding {
        let message = format!("The rule for {} gives {}; {wanted} is wanted.", self.attribute, kind(value));
        self.finding("rule_failed", message, "Correct the rule in the mapping.")
    }

    pub(super) fn too_long(self, length: usize, most: usize) -> Finding {
        let message = format!("The {} has {length} characters; DingTalk takes {most}.", self.attribute);
        self.finding("too_long", message, "Shorten it at the source, or cut it in the mapping with fit(…).")
    }

    pub(super) fn ill_formed(self, form: &str) -> Finding {
        let message = format!("The {} cannot be used: it must be {form}.", self.attribute);
        self.finding("malformed", message, "Correct it at the source, or change the rule in the mapping.")
    }

    /// Any other thing that is wrong.
    pub(super) fn wrong(self, what: &str, message: String, advice: &str) -> Finding {
        self.finding(what, message, advice)
    }
}

/// The value as the target takes it; `None` if it is blank.
pub(super) fn accept(value: Value, spec: &AttributeSpec, about: About<'_>) -> Result<Option<Value>, Box<Finding>> {
    match spec.value_type {
        ValueType::Text | ValueType::Derived => text(value, spec, about),
        ValueType::Flag => flag(value, about),
        ValueType::Whole => whole(&value, about),
        ValueType::Wholes => wholes(&value, about),
    }
}

fn text(value: Value, spec: &AttributeSpec, about: About<'_>) -> Result<Option<Value>, Box<Finding>> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.trim().len() == text.len() => text,
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        other => return Err(Box::new(about.mistyped(&other, "a text"))),
    };
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(most) = spec.max_chars {
        let length = text.chars().count();
        if length > most {
            return Err(Box::new(about.too_long(length, most)));
        }
    }
    if !spec.form.admits(&text) {
        return Err(Box::new(about.ill_formed(&spec.form.describe())));
    }
    Ok(Some(Value::String(text)))
}

fn flag(value: Value, about: About<'_>) -> Result<Option<Value>, Box<Finding>> {
    let word = match &value {
        Value::Null => return Ok(None),
        Value::Bool(_) => return Ok(Some(value)),
        Value::String(text) => text.trim(),
        _ => "?",
    };
    // Directories that know texts alone write truth as a word.
    match word {
        "" => Ok(None),
        word if word.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
        word if word.eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
        _ => Err(Box::new(about.mistyped(&value, "true or false"))),
    }
}

fn whole(value: &Value, about: About<'_>) -> Result<Option<Value>, Box<Finding>> {
    if value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Ok(None);
    }
    let wrong = || Box::new(about.mistyped(value, "a whole number"));
    integer(value).map(|number| Some(Value::from(number))).ok_or_else(wrong)
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

fn wholes(value: &Value, about: About<'_>) -> Result<Option<Value>, Box<Finding>> {
    let elements = match value {
        Value::Null => return Ok(None),
        Value::Array(elements) => elements,
        _ => return Err(Box::new(about.mistyped(value, "a list of whole numbers"))),
    };
    let numbers: Option<BTreeSet<i64>> = elements.iter().filter(|element| !element.is_null()).map(integer).collect();
    match numbers {
        Some(numbers) if numbers.is_empty() => Ok(None),
        Some(numbers) => Ok(Some(numbers.into_iter().collect())),
        None => Err(Box::new(about.mistyped(value, "a list of whole numbers"))),
    }
}
