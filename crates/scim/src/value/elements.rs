//! The elements of a multi-valued attribute: which of them are the same, and how one is added.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Map, Value};

use super::is_primary;
use crate::fold::fold;
use crate::schema::{Attribute, Kind, Mutability, sub};

/// A list of elements that knows each by its identity, so that adding many stays linear.
pub(crate) struct Elements<'a> {
    attribute: &'a Attribute,
    items: Vec<Value>,
    known: HashMap<String, usize>,
}

impl<'a> Elements<'a> {
    pub(crate) fn new(attribute: &'a Attribute, items: Vec<Value>) -> Self {
        let mut known = HashMap::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            known.entry(identity(attribute, item)).or_insert(index);
        }
        Self { attribute, items, known }
    }

    /// Adds an element, or completes the one that is the same; gives its position. What says who an element is
    /// cannot change (members), so such an element is left as it is.
    pub(crate) fn add(&mut self, element: Value) -> usize {
        match self.known.entry(identity(self.attribute, &element)) {
            Entry::Vacant(slot) => {
                let index = self.items.len();
                slot.insert(index);
                self.items.push(element);
                index
            }
            Entry::Occupied(slot) => {
                let index = *slot.get();
                if let (Some(Value::Object(old)), Value::Object(new), false) =
                    (self.items.get_mut(index), element, value_is_identity(self.attribute))
                {
                    old.extend(new);
                }
                index
            }
        }
    }

    pub(crate) fn into_vec(self) -> Vec<Value> {
        self.items
    }
}

/// The elements, each there once: the first of those that are the same is completed by the others. It is the
/// preferred one if one of them was.
pub(crate) fn once(attribute: &Attribute, items: Vec<Value>) -> Vec<Value> {
    let mut elements = Elements::new(attribute, Vec::with_capacity(items.len()));
    let mut preferred = None;
    for item in items {
        let marked = is_primary(&item);
        let index = elements.add(item);
        preferred = marked.then_some(index).or(preferred);
    }
    let mut items = elements.into_vec();
    if let Some(Value::Object(parts)) = preferred.and_then(|index| items.get_mut(index)) {
        parts.insert(sub::PRIMARY.to_owned(), Value::Bool(true));
    }
    items
}

/// A key that two elements share if they are the same.
///
/// Elements with a `value` are the same if value and `type` agree (RFC 7643 §2.4), or the value alone where it can
/// never change: Entra leaves the type of a member out. Others are the same if everything but `primary` agrees.
fn identity(attribute: &Attribute, element: &Value) -> String {
    let Value::Object(parts) = element else {
        return key(attribute, element);
    };
    let value = attribute.sub_attribute(sub::VALUE).zip(parts.get(sub::VALUE));
    let Some((value_attribute, value)) = value else {
        return whole(attribute, parts);
    };
    let mut found = key(value_attribute, value);
    if !value_is_identity(attribute) {
        found.push('\0');
        if let Some((label_attribute, label)) = attribute.sub_attribute(sub::TYPE).zip(parts.get(sub::TYPE)) {
            found.push_str(&key(label_attribute, label));
        }
    }
    found
}

/// True if `element` is one that `wanted`, the value of a `remove`, means: same `value` (and `type`, if it is
/// given and counts), or, without a `value`, every part that is given.
pub(crate) fn is_same_element(attribute: &Attribute, element: &Value, wanted: &Value) -> bool {
    let Value::Object(wanted_parts) = wanted else {
        return element.as_object().is_none() && key(attribute, element) == key(attribute, wanted);
    };
    let agrees = |name: &str| {
        let part = attribute.sub_attribute(name);
        part.zip(element.get(name).zip(wanted_parts.get(name)))
            .is_some_and(|(part, (have, want))| key(part, have) == key(part, want))
    };
    if wanted_parts.contains_key(sub::VALUE) {
        let label_counts = wanted_parts.contains_key(sub::TYPE) && !value_is_identity(attribute);
        return agrees(sub::VALUE) && (!label_counts || agrees(sub::TYPE));
    }
    wanted_parts.keys().all(|name| agrees(name))
}

/// True if an element is known by its `value` alone.
fn value_is_identity(attribute: &Attribute) -> bool {
    attribute.sub_attribute(sub::VALUE).is_some_and(|part| part.mutability == Mutability::Immutable)
}

fn whole(attribute: &Attribute, parts: &Map<String, Value>) -> String {
    let mut keys: Vec<String> = parts
        .iter()
        .filter(|(name, _)| *name != sub::PRIMARY)
        .map(|(name, value)| {
            let part = attribute.sub_attribute(name);
            let text = part.map_or_else(|| value.to_string(), |part| key(part, value));
            format!("{name}={text}")
        })
        .collect();
    keys.sort_unstable();
    keys.join("\u{1}")
}

/// A value as it is compared: strings folded unless case counts.
fn key(attribute: &Attribute, value: &Value) -> String {
    match value {
        Value::String(text) if attribute.kind == Kind::String && !attribute.case_exact => fold(text),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
