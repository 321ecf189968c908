//! From a client's JSON value to the canonical value of an attribute.
//!
//! The schema decides everything: type, sub-attributes, what is kept. Having no value (`null`, `""`, `[]`, an
//! object without parts) is always the same as not being there; in the parts of a PATCH it is written as `null`,
//! which means "clear".

mod elements;
mod scalar;
mod wrapped;

use std::fmt;

use serde_json::{Map, Value};

pub(crate) use elements::{Elements, is_same_element, once};
pub(crate) use scalar::{boolean, instant};

use crate::error::{Error, quoted};
use crate::limits::{MAX_KEY_BYTES, MAX_VALUES};
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::{Attribute, Kind, Storage, Wrapping, sub};

/// Where a value stands, for error texts: `emails[2].value`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    path: &'a AttributePath,
    index: Option<usize>,
    part: Option<&'a str>,
}

impl<'a> Place<'a> {
    pub(crate) const fn of(path: &'a AttributePath) -> Self {
        Self { path, index: None, part: None }
    }

    const fn at(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    const fn part(self, part: &'a str) -> Self {
        Self { part: Some(part), ..self }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}", self.path)?;
        if let Some(index) = self.index {
            write!(f, "[{index}]")?;
        }
        if let Some(part) = self.part {
            write!(f, ".{part}")?;
        }
        f.write_str("\"")
    }
}

/// The parts of a complex value under their canonical names; `null` clears a part.
pub(crate) type Parts = Map<String, Value>;

/// The whole value of an attribute; `None` means it has none.
pub(crate) fn whole(
    attribute: &Attribute,
    value: &Value,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Option<Value>, Error> {
    if attribute.multi_valued {
        let items = list(attribute, value, place, profile)?;
        return Ok((!items.is_empty()).then_some(Value::Array(items)));
    }
    one(attribute, value, place, profile)
}

/// The values of a multi-valued attribute, without repetitions and with at most one primary value (RFC 7643
/// §2.4). A single value may stand without the array around it.
pub(crate) fn list(
    attribute: &Attribute,
    value: &Value,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Vec<Value>, Error> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    check_count(attribute, items.len(), place)?;
    let mut elements = Elements::new(attribute, Vec::new());
    for (index, item) in items.iter().enumerate() {
        if let Some(element) = one(attribute, item, place.at(index), profile)? {
            elements.add(element);
        }
    }
    let items = elements.into_vec();
    if items.iter().filter(|item| is_primary(item)).count() > 1 {
        return Err(Error::invalid_value(format!(
            "{place} has several values with \"{}\": true: mark at most one as primary",
            sub::PRIMARY
        )));
    }
    Ok(items)
}

/// The elements that a `remove` with a value names. Parts may be missing, since one is enough to find an element.
pub(crate) fn wanted(
    attribute: &Attribute,
    value: &Value,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Vec<Value>, Error> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let element = if attribute.kind == Kind::Complex {
            parts(attribute, item, place.at(index), profile)?.and_then(without_nulls)
        } else {
            scalar::read(attribute, item, place.at(index), profile)?
        };
        found.extend(element);
    }
    Ok(found)
}

/// The parts of a complex value. `None` means that the value as a whole is cleared.
///
/// Entra and others send the `value` part alone as a string, or a single-valued attribute as an array of one.
pub(crate) fn parts(
    attribute: &Attribute,
    value: &Value,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Option<Parts>, Error> {
    let value = match value {
        Value::Array(items) if !attribute.multi_valued => match items.as_slice() {
            [] => return Ok(None),
            [only] => only,
            _ => return Err(Error::invalid_value(format!("{place} takes one value, not {}", items.len()))),
        },
        other => other,
    };
    let mut read = match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(_) => match attribute.sub_attribute(sub::VALUE) {
            Some(part) => {
                let read = simple(part, value, place.part(sub::VALUE), profile)?;
                Ok(read.map(|read| Map::from_iter([(part.name.clone(), read)])))
            }
            None => Err(scalar::wrong_type(attribute, value, place)),
        },
        Value::Object(object) => object_parts(attribute, object, place, profile).map(Some),
        _ => Err(scalar::wrong_type(attribute, value, place)),
    }?;
    let unwraps = attribute.wrapping == Wrapping::JsonText && profile.unwrap_role_values;
    if let Some(parts) = read.as_mut().filter(|_| unwraps) {
        wrapped::unwrap(parts);
    }
    Ok(read)
}

fn object_parts(
    attribute: &Attribute,
    object: &Map<String, Value>,
    place: Place<'_>,
    profile: &Profile,
) -> Result<Parts, Error> {
    let mut found = Map::new();
    for (key, item) in object {
        let Some(part) = attribute.sub_attribute(key) else {
            if profile.unknown_attributes_ignored {
                continue;
            }
            return Err(Error::invalid_value(format!("{place} has no part called {}", quoted(key))));
        };
        if !part.is_kept() {
            continue;
        }
        let read = simple(part, item, place.part(&part.name), profile)?.unwrap_or(Value::Null);
        if found.insert(part.name.clone(), read).is_some() {
            return Err(Error::invalid_syntax(format!(
                "{place} holds {} twice, in different case: names are compared without regard to case",
                quoted(key)
            )));
        }
    }
    Ok(found)
}

/// One value: the only one, or one element.
fn one(attribute: &Attribute, value: &Value, place: Place<'_>, profile: &Profile) -> Result<Option<Value>, Error> {
    if attribute.kind != Kind::Complex {
        return scalar::read(attribute, value, place, profile);
    }
    let element = match parts(attribute, value, place, profile)?.and_then(without_nulls) {
        // Only what the server sets was sent, such as the name of a member without its identifier.
        None if says_something(value) => Value::Object(Map::new()),
        None => return Ok(None),
        Some(element) => element,
    };
    if let Value::Object(element) = &element {
        check_required(attribute, element, place)?;
        if element.is_empty() {
            return Ok(None);
        }
    }
    check_key(attribute, &element, place)?;
    Ok(Some(element))
}

/// Refuses an element that lacks a part which every element must have.
pub(crate) fn check_required(attribute: &Attribute, element: &Parts, place: Place<'_>) -> Result<(), Error> {
    let mut required = attribute.sub_attributes.iter().filter(|part| part.required && part.is_kept());
    match required.find(|part| !element.contains_key(&part.name)) {
        None => Ok(()),
        Some(part) => Err(Error::invalid_value(format!("{place} has no \"{}\": it is required", part.name))),
    }
}

/// Refuses an element that is kept apart and whose `value`, which finds it, is longer than an index can hold.
fn check_key(attribute: &Attribute, element: &Value, place: Place<'_>) -> Result<(), Error> {
    let key = element.get(sub::VALUE).and_then(Value::as_str).unwrap_or_default();
    if attribute.storage == Storage::Apart && key.len() > MAX_KEY_BYTES {
        let place = place.part(sub::VALUE);
        return Err(Error::invalid_value(format!("{place} is longer than {MAX_KEY_BYTES} bytes: send an id")));
    }
    Ok(())
}

/// A value that is not complex, or several of them.
fn simple(attribute: &Attribute, value: &Value, place: Place<'_>, profile: &Profile) -> Result<Option<Value>, Error> {
    if attribute.multi_valued && attribute.kind != Kind::Complex {
        return whole(attribute, value, place, profile);
    }
    scalar::read(attribute, value, place, profile)
}

/// Refuses more values than an attribute inside the resource may have.
pub(crate) fn check_count(attribute: &Attribute, count: usize, place: Place<'_>) -> Result<(), Error> {
    if attribute.storage == Storage::Inline && count > MAX_VALUES {
        return Err(Error::payload_too_large(format!(
            "{place} would have {count} values; at most {MAX_VALUES} are possible"
        )));
    }
    Ok(())
}

/// The object without its `null` parts; `None` if nothing is left.
pub(crate) fn without_nulls(parts: Parts) -> Option<Value> {
    let kept: Parts = parts.into_iter().filter(|(_, value)| !value.is_null()).collect();
    (!kept.is_empty()).then_some(Value::Object(kept))
}

/// True for an object with a part that has a value.
fn says_something(value: &Value) -> bool {
    let is_value = |part: &Value| !part.is_null() && part.as_str() != Some("");
    value.as_object().is_some_and(|object| object.values().any(is_value))
}

/// True for the element that is marked as the preferred one.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get(sub::PRIMARY) == Some(&Value::Bool(true))
}
