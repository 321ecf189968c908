//! What went wrong while an expression was evaluated, in words for a person and without a word of what it was evaluated
//! with: a finding is kept and shown, the person's data are not part of it.

use super::error::Position;
use super::functions::FUNCTIONS;
use super::metered::BUDGET_NAME;
use cel::ExecutionError;

/// A failed evaluation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Failure {
    /// Whether the value is one that cannot be read as what it should be, rather than the rule being wrong.
    pub(super) malformed: bool,
    pub(super) position: Option<Position>,
    /// A part of a sentence: "… because {problem}".
    pub(super) problem: String,
    pub(super) advice: String,
}

impl Failure {
    fn new(problem: impl Into<String>, advice: &str) -> Self {
        Self { malformed: false, position: None, problem: problem.into(), advice: advice.to_owned() }
    }

    pub(super) fn defect() -> Self {
        Self::new("the interpreter is not there", "Report this to the developers of Rollcall.")
    }
}

const CORRECT: &str = "Correct the rule in the mapping.";

/// The result is nothing that can be used.
pub(super) fn result(problem: String) -> Failure {
    Failure::new(problem, CORRECT)
}

/// Explains a failure of the interpreter.
pub(super) fn explain(error: &ExecutionError) -> Failure {
    match error {
        ExecutionError::FunctionError { function, message } => function_failed(function, message),
        ExecutionError::NoSuchOverload(call) => {
            let types = call.argument_types();
            let absent = types.iter().any(|name| name == "null_type");
            let written = operator(call.function());
            let problem = if absent {
                format!("{written} was given a value that is absent")
            } else {
                format!("{written} cannot be used with {}", types.join(" and "))
            };
            let advice = if absent {
                "Give a value for that case, for example with coalesce(…, \"\"), or use join([…], \"\") instead of +."
            } else {
                CORRECT
            };
            Failure::new(problem, advice)
        }
        ExecutionError::NoSuchKey(key) => {
            Failure::new(format!("there is no \"{key}\""), "Correct the name, or ask with has(…) first.")
        }
        ExecutionError::UndeclaredReference(name) => Failure::new(format!("\"{name}\" is not known"), CORRECT),
        ExecutionError::UnexpectedType { got, want } => {
            Failure::new(format!("a value of type {want} was expected and one of type {got} came"), CORRECT)
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => {
            Failure::new("it divides by zero", CORRECT)
        }
        ExecutionError::Overflow(..) => Failure::new("a number becomes too large", CORRECT),
        ExecutionError::IndexOutOfBounds(_) => {
            Failure::new("a list does not have so many elements", "Ask with size(…) first.")
        }
        ExecutionError::DuplicateKey(_) => Failure::new("a table has a key twice", CORRECT),
        ExecutionError::ValuesNotComparable(..) => Failure::new("two values of different types are compared", CORRECT),
        _ => Failure::new("a value does not have the type that the expression needs", CORRECT),
    }
}

fn function_failed(function: &str, message: &str) -> Failure {
    match function {
        BUDGET_NAME => Failure::new(message, "Use fewer loops within loops."),
        "dingTalkPhone" | "e164" => Failure {
            malformed: true,
            ..Failure::new(message, "Write it with its country code, for example +852 9123 4567.")
        },
        "dateMillis" | "dateFormat" => {
            Failure { malformed: true, ..Failure::new(message, "Write it as year, month and day: 2024-03-01.") }
        }
        "+" => Failure::new(message, CORRECT),
        // The interpreter's own functions repeat the value, which is not ours to show.
        _ if FUNCTIONS.iter().all(|ours| ours.name != function) => {
            Failure::new(format!("{function}(…) cannot use the value"), CORRECT)
        }
        _ => Failure::new(format!("{function}(…): {message}"), CORRECT),
    }
}

fn operator(function: &str) -> String {
    let sign: String = function.chars().filter(|letter| *letter != '_' && *letter != '@').collect();
    match sign.as_str() {
        "[]" => "[…]".to_owned(),
        "." => "a dot".to_owned(),
        _ if sign.is_empty() => "an operator".to_owned(),
        _ => sign,
    }
}
