//! Regular expressions. They are compiled with the document, never when it is used.

use super::{Answer, Arguments, absent, argument, flag, optional_text, text};
use cel::ExecutionError;
use cel::common::types::Type;
use cel::common::value::{StaticVal, Val};
use regex::{Regex, RegexBuilder};
use std::any::Any;

/// The most memory of one compiled pattern, in bytes.
const MOST_MEMORY: usize = 1 << 20;

static PATTERN: Type = Type::new_unspecified_type("pattern");

/// A compiled regular expression as a value.
#[derive(Clone, Debug)]
pub(in crate::mapping) struct Pattern(Regex);

impl Pattern {
    /// Compiles one. The error is a sentence without its full stop.
    pub(in crate::mapping) fn new(pattern: &str) -> Result<Self, String> {
        let built = RegexBuilder::new(pattern).size_limit(MOST_MEMORY).dfa_size_limit(MOST_MEMORY).build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            other => other.to_string().lines().last().unwrap_or("it cannot be read").trim().to_owned(),
        })
    }
}

impl Val for Pattern {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &PATTERN
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for Pattern {}

fn pattern<'a>(function: &str, arguments: &'a Arguments<'_, '_>) -> Result<&'a Regex, ExecutionError> {
    let problem = || ExecutionError::function_error(function, "the pattern must be written out");
    argument(function, arguments, 1)?.downcast_ref::<Pattern>().map(|pattern| &pattern.0).ok_or_else(problem)
}

pub(super) fn matches<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "matches";
    let pattern = pattern(NAME, &arguments)?;
    Ok(flag(optional_text(NAME, &arguments, 0)?.is_some_and(|text| pattern.is_match(text))))
}

pub(super) fn extract<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "extract";
    let pattern = pattern(NAME, &arguments)?;
    let found = optional_text(NAME, &arguments, 0)?.and_then(|text| pattern.captures(text));
    let Some(found) = found else { return Ok(absent()) };
    match found.get(1).or_else(|| found.get(0)) {
        Some(part) => text(NAME, part.as_str().to_owned()),
        None => Ok(absent()),
    }
}
