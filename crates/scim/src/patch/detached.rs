//! Operations on an attribute whose values are kept apart: what the store has to do, without seeing the values.

use serde_json::{Map, Value};

use super::Detached;
use super::inline::{made_from, unchangeable};
use super::operation::{Change, Matching, Operation, Verb};
use crate::error::Error;
use crate::path::AttributePath;
use crate::schema::{Attribute, Mutability};
use crate::value::without_nulls;

pub(super) fn changes(
    attribute: &Attribute,
    path: &AttributePath,
    operation: &Operation,
) -> Result<Vec<Detached>, Error> {
    Ok(match &operation.change {
        Change::Append(values) => vec![Detached::Add(values.clone())],
        Change::SetAll(values) => vec![Detached::Replace(values.clone())],
        Change::Clear => vec![Detached::RemoveAll],
        Change::RemoveWhere(filter) => vec![Detached::RemoveWhere(filter.clone())],
        Change::RemoveValues(values) if values.is_empty() => Vec::new(),
        Change::RemoveValues(values) => vec![Detached::RemoveValues(values.clone())],
        Change::MergeWhere(matching) => elements(attribute, path, matching, operation.verb)?,
        Change::Set(_) | Change::Merge(_) | Change::Claim(_) => {
            return Err(Error::invalid_path(format!("\"{path}\" holds several values")));
        }
    })
}

/// Setting parts of elements that cannot be seen. A part that says who the element is cannot change; a whole
/// element can be put in the place of those that match.
fn elements(
    attribute: &Attribute,
    path: &AttributePath,
    matching: &Matching,
    verb: Verb,
) -> Result<Vec<Detached>, Error> {
    if matching.names_part {
        let part = matching.parts.keys().next().and_then(|name| attribute.sub_attribute(name));
        let path = part.map_or_else(|| path.clone(), |part| path.clone().sub(&part.name));
        return Err(match part {
            Some(part) if part.mutability == Mutability::Immutable => unchangeable(&path),
            _ => Error::invalid_path(format!("\"{path}\" cannot be set on its own")),
        });
    }
    let made = matching.filter.as_ref().map_or_else(|| Some(Map::new()), |filter| made_from(attribute, filter));
    let Some(mut element) = made else {
        return Err(Error::no_target(format!(
            "\"{path}\" has no value that the filter describes: use a filter such as value eq \"…\""
        )));
    };
    element.extend(matching.parts.clone());
    let missing = attribute
        .sub_attributes
        .iter()
        .find(|part| part.required && !element.get(&part.name).is_some_and(Value::is_string));
    if let Some(part) = missing {
        return Err(Error::invalid_value(format!("\"{path}\" needs a \"{}\" for each value", part.name)));
    }
    let add = without_nulls(element).map(|element| Detached::Add(vec![element]));
    let remove = match (&matching.filter, verb) {
        (Some(filter), Verb::Replace) => Some(Detached::RemoveWhere(filter.clone())),
        _ => None,
    };
    Ok(remove.into_iter().chain(add).collect())
}
