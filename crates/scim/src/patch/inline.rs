//! One change of one attribute inside the resource.

use serde_json::{Map, Value};

use super::operation::{Change, Matching, Verb};
use crate::error::Error;
use crate::path::{AttributePath, PatchPath};
use crate::profile::Profile;
use crate::resource::outlives_clearing;
use crate::schema::{Attribute, Kind, Mutability, ResourceType, sub};
use crate::value::{
    self, Elements, Parts, Place, check_count, check_required, is_primary, is_same_element, without_nulls,
};

/// The attribute that is changed.
pub(super) struct Target<'a> {
    pub(super) rt: &'a ResourceType,
    pub(super) attribute: &'a Attribute,
    pub(super) path: &'a AttributePath,
    pub(super) profile: &'a Profile,
}

impl Target<'_> {
    /// The value after the change; `None` means no value.
    pub(super) fn changed(&self, old: Option<Value>, change: &Change, verb: Verb) -> Result<Option<Value>, Error> {
        Ok(match change {
            Change::Set(value) => Some(value.clone()),
            Change::Clear => old.filter(|_| outlives_clearing(self.attribute)),
            Change::Merge(parts) => {
                let old = match old {
                    Some(Value::Object(old)) => old,
                    _ => Map::new(),
                };
                without_nulls(self.merged(old, parts)?)
            }
            Change::Append(values) => self.appended(items(old), values)?,
            Change::SetAll(values) => listed(values.clone()),
            Change::RemoveValues(wanted) => {
                without(items(old), |item| wanted.iter().any(|wanted| is_same_element(self.attribute, item, wanted)))
            }
            Change::RemoveWhere(filter) => without(items(old), |item| filter.matches_element(self.rt, item)),
            Change::MergeWhere(matching) => self.merged_where(items(old), matching, verb)?,
            Change::Claim(_) => old,
        })
    }

    /// Adds elements. One that is there already is completed, and a new primary one takes the mark from the
    /// former (RFC 7644 §3.5.2).
    fn appended(&self, items: Vec<Value>, added: &[Value]) -> Result<Option<Value>, Error> {
        let mut elements = Elements::new(self.attribute, items);
        let mut primary = None;
        for element in added {
            let index = elements.add(element.clone());
            if is_primary(element) {
                primary = Some(index);
            }
        }
        let mut items = elements.into_vec();
        check_count(self.attribute, items.len(), Place::of(self.path))?;
        if let Some(primary) = primary {
            keep_one_primary(&mut items, primary);
        }
        Ok(listed(items))
    }

    /// Sets parts of elements; or, where a profile wants it so, puts what the parts describe in their place.
    fn merged_where(&self, mut items: Vec<Value>, matching: &Matching, verb: Verb) -> Result<Option<Value>, Error> {
        let is_meant =
            |item: &Value| matching.filter.as_ref().is_none_or(|filter| filter.matches_element(self.rt, item));
        let meant: Vec<usize> =
            items.iter().enumerate().filter(|(_, item)| is_meant(item)).map(|(index, _)| index).collect();
        let replaces = verb == Verb::Replace && !matching.names_part && !self.profile.replace_keeps_parts;
        let sets_primary = matching.parts.get(sub::PRIMARY) == Some(&Value::Bool(true));
        let mut primary = meant.first().copied().filter(|_| sets_primary);
        if sets_primary && meant.len() > 1 {
            return Err(Error::invalid_value(format!(
                "\"{}\" would have {} primary values: name one",
                self.path,
                meant.len()
            )));
        }
        for index in &meant {
            if let Some(Value::Object(element)) = items.get_mut(*index) {
                let old = if replaces { Map::new() } else { std::mem::take(element) };
                *element = self.merged(old, &matching.parts)?;
                if replaces && !element.is_empty() {
                    check_required(self.attribute, element, Place::of(self.path))?;
                }
            }
        }
        if meant.is_empty()
            && let Some(element) = self.unmatched(matching, verb)?
        {
            check_count(self.attribute, items.len() + 1, Place::of(self.path))?;
            primary = is_primary(&element).then_some(items.len());
            items.push(element);
        }
        if let Some(primary) = primary {
            keep_one_primary(&mut items, primary);
        }
        if matching.parts.values().any(Value::is_null) || (replaces && matching.parts.is_empty()) {
            items.retain(|item| !self.says_nothing(item));
        }
        Ok(listed(items))
    }

    /// What becomes of an operation that no element matches: nothing, a new element, or an error. Clearing a part
    /// of an element that is not there is done already; only where a filter asks for one, strict profiles want it to be
    /// there (RFC 7644 §3.5.2.3).
    fn unmatched(&self, matching: &Matching, verb: Verb) -> Result<Option<Value>, Error> {
        let clears = matching.parts.values().all(Value::is_null);
        let optional = self.profile.create_on_no_match || matching.filter.is_none();
        if verb == Verb::Remove || (clears && optional) {
            return Ok(None);
        }
        let create = || created(self.rt, self.attribute, self.path, matching);
        let created = self.profile.create_on_no_match.then(create).flatten();
        created.map(Some).ok_or_else(|| {
            let path = PatchPath { path: self.path.clone(), filter: matching.filter.clone() };
            Error::no_target(format!("no value matches {path}: add one first, or correct the path"))
        })
    }

    /// Sets parts. A reference that stands beside a `value` goes when the value changes, since it would name what
    /// the value named before.
    fn merged(&self, mut element: Parts, parts: &Parts) -> Result<Parts, Error> {
        for (name, value) in parts {
            let part = self.attribute.sub_attribute(name);
            let old = element.get(name);
            let fixed = part.is_some_and(|part| part.mutability == Mutability::Immutable);
            if fixed && old.is_some_and(|old| old != value) {
                return Err(unchangeable(&self.path.clone().sub(name)));
            }
        }
        let value_changes = parts.get(sub::VALUE).is_some_and(|new| {
            let old = element.get(sub::VALUE).unwrap_or(&Value::Null);
            old != new
        });
        if value_changes {
            element.retain(|name, _| name != sub::REF);
        }
        for (name, value) in parts {
            if value.is_null() {
                element.shift_remove(name);
            } else {
                element.insert(name.clone(), value.clone());
            }
        }
        Ok(element)
    }

    /// True for an element that is left with its label and its mark alone, after its last value was cleared.
    fn says_nothing(&self, element: &Value) -> bool {
        self.attribute.kind == Kind::Complex
            && element
                .as_object()
                .is_none_or(|parts| parts.keys().all(|name| name == sub::TYPE || name == sub::PRIMARY))
    }
}

/// The element that the path and the parts describe together. `None` if the filter does not say what an element
/// looks like, or says something that no element can have, or if the parts contradict it: then the next such operation
/// would make yet another element.
pub(super) fn created(
    rt: &ResourceType,
    attribute: &Attribute,
    path: &AttributePath,
    matching: &Matching,
) -> Option<Value> {
    let mut parts = Map::new();
    if let Some(filter) = &matching.filter {
        for (path, value) in filter.equalities()? {
            let part = attribute.sub_attribute(path.sub_attribute.as_deref()?)?;
            parts.insert(part.name.clone(), value.clone());
        }
    }
    parts.extend(matching.parts.clone());
    // What a filter compares with has not been read as a value yet, which can be empty or too long.
    let described = without_nulls(parts)?;
    // The parts have been read by the client's own profile.
    let profile = Profile { text_references: true, ..Profile::strict() };
    let element = value::list(attribute, &described, Place::of(path), &profile).ok()?.pop()?;
    matching.filter.as_ref().is_none_or(|filter| filter.matches_element(rt, &element)).then_some(element)
}

/// The error for changing a part that can be set once only. The value that it is a part of can go as a whole.
pub(super) fn unchangeable(path: &AttributePath) -> Error {
    Error::mutability(format!(
        "\"{path}\" cannot change once it is set: remove the whole value of \"{}\" and add a new one",
        path.parent()
    ))
}

fn items(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(items)) => items,
        _ => Vec::new(),
    }
}

fn without(mut items: Vec<Value>, removed: impl Fn(&Value) -> bool) -> Option<Value> {
    items.retain(|item| !removed(item));
    listed(items)
}

fn listed(items: Vec<Value>) -> Option<Value> {
    (!items.is_empty()).then_some(Value::Array(items))
}

/// Takes the mark from all elements but one.
fn keep_one_primary(items: &mut [Value], primary: usize) {
    let others = items.iter_mut().enumerate().filter(|(index, item)| *index != primary && is_primary(item));
    for (_, item) in others {
        if let Some(parts) = item.as_object_mut() {
            parts.insert(sub::PRIMARY.to_owned(), Value::Bool(false));
        }
    }
}
