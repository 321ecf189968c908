//! The functions of mapping expressions, beside CEL's own.
//!
//! Every function can be written in both ways: `lower(user.title)` and `user.title.lower()`. A text that is absent
//! stays absent: `lower(null)` is `null`.
//!
//! | function | gives |
//! |---|---|
//! | `coalesce(a, b, …)` | the first that is not blank |
//! | `isNullOrEmpty(a)` | whether it is `null`, a blank text or an empty list |
//! | `join(list, separator)` | the texts of a list as one text; blank ones are left out |
//! | `split(text, separator)` | the parts of a text as a list |
//! | `trim(text)` | without white space around it |
//! | `lower(text)`, `upper(text)` | in lower or upper case |
//! | `replace(text, what, by)` | with every `what` replaced |
//! | `mid(text, start, length)` | the part of a text that begins with its character number `start`, counted from 1 |
//! | `fit(text, most)` | its first `most` characters |
//! | `normalizeDiacritics(text)` | letters without their accents: `José` becomes `Jose` |
//! | `matches(text, "pattern")` | whether a regular expression is found in it |
//! | `extract(text, "pattern")` | what the first group of a regular expression found, or else all that it found |
//! | `switch(value, {"a": "b", …}, default)` | what the value stands for in a table, `default` if it is not there |
//! | `typed(list, "work")` | the `value` of the element of this `type` |
//! | `anyTyped(list, "work")` | the same; else that of the primary element, else that of the first |
//! | `dingTalkPhone(text)`, `dingTalkPhone(text, "HK")` | a telephone number as DingTalk takes it; a number without a country code is one of the region |
//! | `e164(text)`, `e164(text, "HK")` | a telephone number as `+85291234567` |
//! | `dateMillis(text)`, `dateMillis(text, "Asia/Shanghai")` | midnight of a date in milliseconds since 1970, in Shanghai if no zone is named |
//! | `dateFormat(text, "dd/MM/yyyy")` | a date in another form, of `yyyy`, `MM`, `M`, `dd`, `d` and any signs between |
//! | `hanName(family, given)` | a full name in its own order: `王伟`, but `Ada Lovelace` |
//! | `orgName(text)` | a department's name without the characters that DingTalk refuses |
//!
//! Of CEL's own there are the operators, `size`, `contains`, `startsWith`, `endsWith`, `int`, `double`, `string`, `bool`,
//! `type`, `has` and the macros `all`, `exists`, `exists_one`, `map` and `filter`. `contains`, `startsWith` and
//! `endsWith` of an absent text are false.
//!
//! Patterns of regular expressions must be written out in the document: they are compiled once, and the search takes
//! a time that grows with the text alone (no backtracking).

#![expect(clippy::needless_pass_by_value, reason = "the interpreter hands arguments over by value")]

mod dates;
mod lists;
mod patterns;
mod phones;
mod texts;

pub(super) use patterns::Pattern;

use cel::common::functions::Function as Op;
use cel::common::types::{CelBool, CelInt, CelNull, CelString, DYN_TYPE, NULL_TYPE, STRING_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};

/// The most characters of a text that a function makes.
pub(super) const MOST_CHARS: usize = 10_000;

/// A function, and with how many arguments it can be called.
#[derive(Clone, Copy)]
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) least: usize,
    pub(super) most: usize,
    op: Op,
}

/// The number of arguments that has no limit but the length of an expression.
pub(super) const MANY: usize = usize::MAX;

/// Our functions.
pub(super) static FUNCTIONS: &[Function] = &[
    Function { name: "coalesce", least: 1, most: MANY, op: lists::coalesce },
    Function { name: "isNullOrEmpty", least: 1, most: 1, op: lists::is_null_or_empty },
    Function { name: "join", least: 2, most: 2, op: lists::join },
    Function { name: "split", least: 2, most: 2, op: lists::split },
    Function { name: "trim", least: 1, most: 1, op: texts::trim },
    Function { name: "lower", least: 1, most: 1, op: texts::lower },
    Function { name: "upper", least: 1, most: 1, op: texts::upper },
    Function { name: "replace", least: 3, most: 3, op: texts::replace },
    Function { name: "mid", least: 3, most: 3, op: texts::mid },
    Function { name: "fit", least: 2, most: 2, op: texts::fit },
    Function { name: "normalizeDiacritics", least: 1, most: 1, op: texts::normalize_diacritics },
    Function { name: "matches", least: 2, most: 2, op: patterns::matches },
    Function { name: "extract", least: 2, most: 2, op: patterns::extract },
    Function { name: "switch", least: 3, most: 3, op: lists::switch },
    Function { name: "typed", least: 2, most: 2, op: lists::typed },
    Function { name: "anyTyped", least: 2, most: 2, op: lists::any_typed },
    Function { name: "dingTalkPhone", least: 1, most: 2, op: phones::dingtalk },
    Function { name: "e164", least: 1, most: 2, op: phones::e164 },
    Function { name: "dateMillis", least: 1, most: 2, op: dates::millis },
    Function { name: "dateFormat", least: 2, most: 2, op: dates::format },
    Function { name: "hanName", least: 2, most: 2, op: texts::han_name },
    Function { name: "orgName", least: 1, most: 1, op: texts::org_name },
];

/// What `dingTalkPhone` is for an organisation that is registered outside the mainland.
pub(super) const PHONE_ABROAD: &str = "@dingTalkPhoneAbroad";

/// CEL's own functions: name, and with how many arguments they can be called, the target counted.
pub(super) static STANDARD: &[(&str, usize, usize)] = &[
    ("size", 1, 1),
    ("contains", 2, 2),
    ("startsWith", 2, 2),
    ("endsWith", 2, 2),
    ("int", 1, 1),
    ("uint", 1, 1),
    ("double", 1, 1),
    ("string", 1, 1),
    ("bool", 1, 1),
    ("type", 1, 1),
    ("dyn", 1, 1),
];

/// Adds them to an environment.
pub(super) fn declare(env: &mut Env) -> Result<(), cel::DeclarationError> {
    let abroad = Function { name: PHONE_ABROAD, least: 1, most: 2, op: phones::dingtalk_abroad };
    for function in FUNCTIONS.iter().copied().chain([abroad]) {
        // One of any number of arguments gets them as a list.
        let arities = if function.most == MANY { 1..=1 } else { function.least..=function.most };
        for arity in arities {
            let id = format!("{}_{arity}", function.name);
            env.add_overload(function.name, &id, any(arity), function.op)?;
            let rest = any(arity - 1);
            env.add_member_overload(function.name, &format!("member_{id}"), DYN_TYPE, rest, function.op)?;
        }
    }
    for name in ["contains", "startsWith", "endsWith"] {
        let id = format!("null_{name}");
        env.add_member_overload(name, &id, NULL_TYPE, vec![STRING_TYPE], |_| Ok(flag(false)))?;
    }
    Ok(())
}

fn any(count: usize) -> Vec<Type> {
    std::iter::repeat_with(|| DYN_TYPE).take(count).collect()
}

/// What a function gets.
type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;

/// What a function gives.
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

fn absent<'b, 'v>() -> CowVal<'b, 'v> {
    CowVal::owned(CelNull)
}

fn flag<'b, 'v>(flag: bool) -> CowVal<'b, 'v> {
    CowVal::owned(CelBool::from(flag))
}

/// A text as an answer, unless it is too long.
fn text<'b, 'v>(function: &str, text: String) -> Answer<'b, 'v> {
    if text.len() > MOST_CHARS && text.chars().count() > MOST_CHARS {
        return Err(ExecutionError::function_error(
            function,
            format!("the text is longer than {MOST_CHARS} characters"),
        ));
    }
    Ok(CowVal::owned(CelString::from(text)))
}

/// The argument in a place; there always is one, because functions are found by the number of their arguments.
fn argument<'a, 'b, 'v>(
    function: &str,
    arguments: &'a [CowVal<'b, 'v>],
    place: usize,
) -> Result<&'a (dyn Val + 'v), ExecutionError> {
    let missing = || ExecutionError::function_error(function, "an argument is missing");
    arguments.get(place).map(|argument| &**argument).ok_or_else(missing)
}

/// A text argument; `None` if it is absent.
fn optional_text<'a>(
    function: &str,
    arguments: &'a [CowVal<'_, '_>],
    place: usize,
) -> Result<Option<&'a str>, ExecutionError> {
    let value = argument(function, arguments, place)?;
    as_text(function, value)
}

fn as_text<'a>(function: &str, value: &'a (dyn Val + '_)) -> Result<Option<&'a str>, ExecutionError> {
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(None);
    }
    let unexpected = || {
        let problem = format!("it wants a text and got a value of type {}", value.get_type().name());
        ExecutionError::function_error(function, problem)
    };
    value.downcast_ref::<CelString>().map(|text| Some(text.inner())).ok_or_else(unexpected)
}

/// A text argument that must be there.
fn required_text<'a>(function: &str, arguments: &'a [CowVal<'_, '_>], place: usize) -> Result<&'a str, ExecutionError> {
    let problem = || ExecutionError::function_error(function, format!("argument {} must not be absent", place + 1));
    optional_text(function, arguments, place)?.ok_or_else(problem)
}

/// A whole number that is not below zero.
fn count(function: &str, arguments: &[CowVal<'_, '_>], place: usize) -> Result<usize, ExecutionError> {
    let number = argument(function, arguments, place)?.downcast_ref::<CelInt>().map(|number| *number.inner());
    let problem =
        || ExecutionError::function_error(function, format!("argument {} must be a whole number from 0 on", place + 1));
    number.and_then(|number| usize::try_from(number).ok()).ok_or_else(problem)
}

/// Whether there is nothing in it.
fn is_blank(value: &dyn Val) -> bool {
    if value.downcast_ref::<CelNull>().is_some() {
        return true;
    }
    if let Some(text) = value.downcast_ref::<CelString>() {
        return text.inner().trim().is_empty();
    }
    value.as_sizer().is_some_and(|sizer| *sizer.size().inner() == 0)
}
