//! Operations on an attribute whose values are kept apart: what the store has to do, without seeing the values.

use serde_json::Value;

use super::Detached;
use super::inline::{created, unchangeable};
use super::operation::{Change, Matching, Operation, Verb};
use crate::error::Error;
use crate::schema::{Attribute, ResourceType};
use crate::value::without_nulls;

pub(super) fn changes(rt: &ResourceType, attribute: &Attribute, operation: &Operation) -> Result<Vec<Detached>, Error> {
    Ok(match &operation.change {
        Change::Append(values) => vec![Detached::Add(values.clone())],
        Change::SetAll(values) => vec![Detached::Replace(values.clone())],
        Change::Clear => vec![Detached::RemoveAll],
        Change::RemoveWhere(filter) => vec![Detached::RemoveWhere(filter.clone())],
        Change::RemoveValues(values) if values.is_empty() => Vec::new(),
        Change::RemoveValues(values) => vec![Detached::RemoveValues(values.clone())],
        Change::MergeWhere(matching) => elements(rt, attribute, operation, matching)?,
        Change::Set(_) | Change::Merge(_) | Change::Claim(_) => {
            return Err(Error::invalid_path(format!("\"{}\" holds several values", operation.path)));
        }
    })
}

/// Setting parts of elements that cannot be seen. A part that says who the element is cannot change; a whole
/// element can be added, or put in the place of those that match.
fn elements(
    rt: &ResourceType,
    attribute: &Attribute,
    operation: &Operation,
    matching: &Matching,
) -> Result<Vec<Detached>, Error> {
    let path = &operation.path;
    if matching.names_part {
        let name = matching.parts.keys().next().map_or("", String::as_str);
        return Err(unchangeable(&path.clone().sub(name)));
    }
    let (element, replaced) = match (&matching.filter, operation.verb) {
        (Some(filter), Verb::Replace) => {
            (without_nulls(matching.parts.clone()), Some(Detached::RemoveWhere(filter.clone())))
        }
        _ => (created(rt, attribute, path, matching), None),
    };
    let complete = |element: &Value| {
        let mut required = attribute.sub_attributes.iter().filter(|part| part.required);
        required.all(|part| element.get(&part.name).is_some())
    };
    let Some(element) = element.filter(complete) else {
        return Err(Error::no_target(format!(
            "\"{path}\" with this filter and value does not say which value is meant: use a filter such as value eq \"…\", \
             or no filter"
        )));
    };
    Ok(replaced.into_iter().chain([Detached::Add(vec![element])]).collect())
}
