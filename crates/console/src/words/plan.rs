//! Plans in words and signs.

use crate::words::count::number;
use crate::words::source::shown;
use rollcall_api::services::overrides::OverrideView;
use rollcall_api::services::plans::PlanView;
use rollcall_api::services::proposal::LineView;
use serde_json::Value;

/// What a change does: the word in addresses and JSON, a sign, and what people call it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verb {
    /// In addresses and JSON.
    pub word: &'static str,
    /// A sign.
    pub sign: &'static str,
    /// What people call it.
    pub label: &'static str,
}

/// The verbs.
pub const VERBS: [Verb; 3] = [
    Verb { word: "create", sign: "+", label: "Create" },
    Verb { word: "update", sign: "~", label: "Update" },
    Verb { word: "delete", sign: "−", label: "Remove" },
];

impl Verb {
    /// The verb behind a word.
    pub fn of(word: &str) -> Option<Self> {
        VERBS.into_iter().find(|verb| verb.word == word)
    }
}

/// What a plan does, in one line: `+12 create ~148 update −3 remove !2 held`.
pub fn size(plan: &PlanView) -> String {
    let mut parts: Vec<String> = VERBS
        .into_iter()
        .map(|verb| (verb, plan.count(verb.word)))
        .filter(|(_, count)| *count > 0)
        .map(|(verb, count)| format!("{}{} {}", verb.sign, number(count), verb.label.to_lowercase()))
        .collect();
    if plan.guarded > 0 {
        parts.push(format!("!{} held", number(plan.guarded)));
    }
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(" ") }
}

/// The state of a plan as a badge: the class for the style sheet, and the word.
pub fn state(plan: &PlanView) -> (&'static str, &'static str) {
    match plan.state.as_str() {
        "ready" => ("pending", "Ready"),
        "guarded" => ("held", "A guard holds a part"),
        "applying" => ("applying", "Being applied"),
        "applied" => ("in_step", "Applied"),
        "partly_applied" => ("waiting", "Partly applied"),
        "rejected" => ("gone", "Rejected"),
        _ => ("gone", "Expired"),
    }
}

/// The state of a change in a plan.
pub fn change_state(word: &str) -> (&'static str, &'static str) {
    match word {
        "permitted" => ("applying", "On its way"),
        "applied" => ("in_step", "Applied"),
        "moved" => ("held", "Has moved"),
        "failed" => ("needs_attention", "Failed"),
        "impossible" => ("gone", "Cannot be undone"),
        _ => ("pending", "Planned"),
    }
}

/// One attribute before and after, telephone numbers masked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The attribute.
    pub attribute: String,
    /// What the target has; `None` for no value.
    pub before: Option<String>,
    /// What it would have; `None` for no value.
    pub after: Option<String>,
}

impl Line {
    /// A line of a proposal.
    pub fn of(line: &LineView) -> Self {
        let text = |value: &Option<Value>| {
            value.as_ref().filter(|value| !value.is_null()).map(|value| readable(&line.attribute, value))
        };
        Self { attribute: line.attribute.clone(), before: text(&line.before), after: text(&line.after) }
    }

    /// What an override holds, against what the rules want.
    pub fn of_override(held: &OverrideView) -> Self {
        let (before, after) = (held.against.clone(), held.value.clone());
        Self::of(&LineView { attribute: held.attribute.clone(), before, after })
    }
}

fn readable(attribute: &str, value: &Value) -> String {
    match value {
        Value::Array(values) => values.iter().map(|value| readable(attribute, value)).collect::<Vec<_>>().join(", "),
        other => shown(attribute, other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::plan;
    use serde_json::json;

    #[test]
    fn a_plan_is_one_line() {
        assert_eq!(size(&plan("ready", 0)), "+12 create ~1,480 update −3 remove");
        assert_eq!(size(&plan("guarded", 2)), "+12 create ~1,480 update −3 remove !2 held");
    }

    #[test]
    fn no_telephone_number_is_readable() {
        for (attribute, value, expected) in [
            ("mobile", json!("+852-91234567"), Some("+852 •••• 4567")),
            ("exclusive_mobile", json!(["+852-91234567"]), Some("+852 •••• 4567")),
            ("org_units", json!(["Sales", "Legal / Tax"]), Some("Sales, Legal / Tax")),
            ("title", Value::Null, None),
        ] {
            let line = Line::of(&LineView { attribute: attribute.to_owned(), before: Some(value), after: None });
            assert_eq!((line.before.as_deref(), line.after), (expected, None), "{attribute}");
        }
    }
}
