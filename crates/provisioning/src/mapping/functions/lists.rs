//! Functions of lists and of any value.

use super::{Answer, Arguments, absent, argument, as_text, flag, is_blank, optional_text, required_text, text};
use cel::ExecutionError;
use cel::common::types::{CelBool, CelList, CelString};
use cel::common::value::{CowVal, Val};

/// The elements of a list argument. An absent list has none.
fn elements<'a, 'b, 'v>(
    function: &str,
    arguments: &'a [CowVal<'b, 'v>],
    place: usize,
) -> Result<Vec<&'a (dyn Val + 'v)>, ExecutionError> {
    let value = argument(function, arguments, place)?;
    if is_blank(value) {
        return Ok(Vec::new());
    }
    let problem = || {
        let problem = format!("it wants a list and got a value of type {}", value.get_type().name());
        ExecutionError::function_error(function, problem)
    };
    let list = value.downcast_ref::<CelList>().ok_or_else(problem)?;
    Ok(list.inner().iter().map(|element| &**element).collect())
}

/// Gets its arguments as a list.
pub(super) fn coalesce<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let given = elements("coalesce", &arguments, 0)?;
    let first = given.into_iter().find(|value| !is_blank(*value));
    Ok(first.map_or_else(absent, |value| CowVal::Owned(value.clone_as_boxed())))
}

pub(super) fn is_null_or_empty<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    Ok(flag(is_blank(argument("isNullOrEmpty", &arguments, 0)?)))
}

pub(super) fn join<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "join";
    let separator = required_text(NAME, &arguments, 1)?;
    let mut joined = String::new();
    for element in elements(NAME, &arguments, 0)? {
        let Some(part) = as_text(NAME, element)?.filter(|part| !part.trim().is_empty()) else { continue };
        if !joined.is_empty() {
            joined.push_str(separator);
        }
        joined.push_str(part);
        if joined.len() > super::MOST_CHARS * 4 {
            break;
        }
    }
    text(NAME, joined)
}

pub(super) fn split<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "split";
    let (given, separator) = (optional_text(NAME, &arguments, 0)?, required_text(NAME, &arguments, 1)?);
    let parts: Vec<&str> = match given {
        None => Vec::new(),
        Some(given) if given.trim().is_empty() => Vec::new(),
        Some(given) if separator.is_empty() => vec![given],
        Some(given) => given.split(separator).collect(),
    };
    let owned = |part: &str| -> Box<dyn Val + 'v> { Box::new(CelString::from(part.to_owned())) };
    Ok(CowVal::owned(CelList::from(parts.into_iter().map(owned).collect::<Vec<_>>())))
}

pub(super) fn switch<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "switch";
    let (value, table) = (argument(NAME, &arguments, 0)?, argument(NAME, &arguments, 1)?);
    let problem = || ExecutionError::function_error(NAME, "argument 2 must be a table such as {\"a\": \"b\"}");
    let (container, indexer) = (table.as_container().ok_or_else(problem)?, table.as_indexer().ok_or_else(problem)?);
    if !is_blank(value) && container.contains(value)? {
        return Ok(CowVal::Owned(indexer.get(value)?.into_owned()));
    }
    Ok(CowVal::Owned(argument(NAME, &arguments, 2)?.clone_as_boxed()))
}

pub(super) fn typed<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "typed";
    let list = elements(NAME, &arguments, 0)?;
    of_type(NAME, &list, required_text(NAME, &arguments, 1)?)
}

pub(super) fn any_typed<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    const NAME: &str = "anyTyped";
    let list = elements(NAME, &arguments, 0)?;
    let found = of_type(NAME, &list, required_text(NAME, &arguments, 1)?)?;
    if !is_blank(&*found) {
        return Ok(found);
    }
    let primary = list.iter().copied().find(|element| {
        let mark = part(NAME, *element, "primary");
        mark.is_ok_and(|mark| mark.downcast_ref::<CelBool>().is_some_and(|mark| *mark.inner()))
    });
    primary.or_else(|| list.first().copied()).map_or_else(|| Ok(absent()), |element| part(NAME, element, "value"))
}

/// The value of the first element of this type, whatever its case.
fn of_type<'b, 'v>(function: &str, list: &[&(dyn Val + 'v)], kind: &str) -> Answer<'b, 'v> {
    for element in list {
        let label = part(function, *element, "type")?;
        let is_it = label.downcast_ref::<CelString>().is_some_and(|label| label.inner().eq_ignore_ascii_case(kind));
        if is_it {
            return part(function, *element, "value");
        }
    }
    Ok(absent())
}

fn part<'b, 'v>(function: &str, element: &(dyn Val + 'v), name: &'static str) -> Answer<'b, 'v> {
    let problem = || ExecutionError::function_error(function, "it wants a list of values with a type");
    let found = element.as_indexer().ok_or_else(problem)?.get(&CelString::from(name)).map_err(|_| problem())?;
    Ok(CowVal::Owned(found.into_owned()))
}
