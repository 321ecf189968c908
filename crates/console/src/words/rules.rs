//! Rules of the mapping in words: what is wrong with them, what is different, how examples come out.

use rollcall_api::refusal::PartProblem;
use rollcall_api::services::mapping::written::Written;
use rollcall_api::services::mapping::{ExampleView, RuleChangeView};
use serde_json::Value;

/// Something that is wrong with a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Where in the text: `Line 12, character 9`; empty where that is not known.
    pub place: String,
    /// In which part, as a JSON pointer.
    pub part: String,
    /// What, and what to do.
    pub text: String,
}

impl Problem {
    /// A problem of a document, with its place in the text that it was read from.
    pub fn of(error: &PartProblem, written: Option<&Written>) -> Self {
        let inside = match (error.line, error.column) {
            (Some(1), Some(column)) => format!(", character {column} of what stands there"),
            (Some(line), Some(column)) => format!(", line {line} and character {column} of what stands there"),
            _ => String::new(),
        };
        Self {
            place: written.and_then(|written| written.place(&error.pointer)).map(place).unwrap_or_default(),
            part: format!("{}{inside}", error.pointer),
            text: format!("{} {}", error.detail, error.advice.as_deref().unwrap_or_default()).trim_end().to_owned(),
        }
    }
}

/// A place in a text.
pub fn place((line, character): (usize, usize)) -> String {
    format!("Line {line}, character {character}")
}

/// Something that one document says otherwise than another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule {
    /// Where.
    pub path: String,
    /// What the old one says.
    pub before: Option<String>,
    /// What the new one says.
    pub after: Option<String>,
}

impl Rule {
    /// A difference.
    pub fn of(change: &RuleChangeView) -> Self {
        Self {
            path: change.path.clone(),
            before: change.before.as_ref().map(said),
            after: change.after.as_ref().map(said),
        }
    }
}

fn said(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How an example came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// Whether everything is as expected.
    pub passed: bool,
    /// What is not.
    pub differences: Vec<String>,
}

impl Tested {
    /// An example.
    pub fn of(view: &ExampleView) -> Self {
        let difference = view.differences.iter();
        let difference =
            difference.map(|one| format!("{} is {} and not {}", one.what, said(&one.got), said(&one.expected)));
        Self { name: view.name.clone(), passed: view.passed, differences: difference.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_found_in_the_text() {
        let written = Written::read("[account.title]\nvalue = \"user.titel\"\n").expect("TOML");
        let error = PartProblem {
            pointer: "/account/title/value".to_owned(),
            line: Some(1),
            column: Some(6),
            attribute: None,
            detail: "There is no titel.".to_owned(),
            advice: Some("Did you mean title?".to_owned()),
        };
        let problem = Problem::of(&error, Some(&written));
        assert_eq!(problem.place, "Line 2, character 9");
        assert_eq!(problem.part, "/account/title/value, character 6 of what stands there");
        assert_eq!(problem.text, "There is no titel. Did you mean title?");
        assert_eq!(Problem::of(&error, None).place, "");
    }
}
