//! Where one operation may refer to what another one makes (RFC 7644 §3.7.2): in attributes that name resources, whether
//! they are references or have a `$ref` beside their `value`, and in filters of paths that choose among such values. A
//! text anywhere else is what it says, however it begins.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::path::{AttributePath, Resolution, resolve as read_path};
use crate::resource::{member, member_mut};
use crate::schema::{Attribute, Kind, ResourceType, sub};

/// Before the `bulkId` of another operation, where its resource's id is meant.
const REFERENCE: &str = "bulkId:";
/// The same where a literal of a filter begins.
const LITERAL: &str = "\"bulkId:";

/// The `bulkId` that a text refers to.
pub(super) fn reference(text: &str) -> Option<&str> {
    text.strip_prefix(REFERENCE).filter(|id| !id.is_empty())
}

/// The id that a text refers to; the text itself if it refers to nothing in `ids`.
pub fn resolved<'a>(text: &'a str, ids: &'a BTreeMap<String, String>) -> &'a str {
    reference(text).and_then(|name| ids.get(name)).map_or(text, String::as_str)
}

/// The `bulkId`s that a body refers to.
pub fn references(rt: &ResourceType, data: &Value) -> BTreeSet<String> {
    let (mut data, mut found) = (data.clone(), BTreeSet::new());
    let visit = |text: &mut String| {
        found.extend(reference(text).map(str::to_owned));
        true
    };
    Walk { rt, visit }.body(&mut data);
    found
}

/// Puts the ids in place of the references to them. What is not in `ids` stays.
pub fn resolve(rt: &ResourceType, data: &mut Value, ids: &BTreeMap<String, String>) {
    let visit = |text: &mut String| {
        *text = resolved(text, ids).to_owned();
        true
    };
    Walk { rt, visit }.body(data);
}

/// The body of a POST without the values that refer to one of these: an element of an array goes as a whole, and so does
/// an attribute such as `manager`, whose `value` is the reference.
pub fn without(rt: &ResourceType, data: &Value, missing: &BTreeSet<String>) -> Value {
    let mut data = data.clone();
    let visit = |text: &mut String| !reference(text).is_some_and(|name| missing.contains(name));
    Walk { rt, visit }.body(&mut data);
    data
}

/// Visits every text of a body that may be a reference. A value of which a text is not to be kept goes.
struct Walk<'a, F> {
    rt: &'a ResourceType,
    visit: F,
}

impl<F: FnMut(&mut String) -> bool> Walk<'_, F> {
    fn body(&mut self, data: &mut Value) {
        let Value::Object(object) = data else { return };
        self.attributes("", object);
        let operations = member_mut(object, "Operations").and_then(Value::as_array_mut);
        operations.into_iter().flatten().filter_map(Value::as_object_mut).for_each(|one| self.operation(one));
    }

    /// The attributes of an object; `urn` is that of their schema and a colon, where the object stands below it.
    fn attributes(&mut self, urn: &str, object: &mut Map<String, Value>) {
        object.retain(|key, value| match (read_path(self.rt, &format!("{urn}{key}")), value) {
            (Resolution::Attribute(path), value) => self.values(&path, value),
            (Resolution::Schema(schema), Value::Object(inner)) if urn.is_empty() => {
                self.attributes(&format!("{}:", schema.id), inner);
                true
            }
            _ => true,
        });
    }

    /// One operation of a PATCH.
    fn operation(&mut self, operation: &mut Map<String, Value>) {
        let text = member(operation, "path").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (head, filtered) = text.split_once('[').unwrap_or((&text, ""));
        let tail = filtered.rsplit_once(']').map_or("", |(_, tail)| tail.trim());
        let target = read_path(self.rt, &format!("{}{tail}", head.trim()));
        if let (Resolution::Attribute(path), false) = (&target, filtered.is_empty())
            && Spot::of(self.rt, &path.parent()).is_some()
            && let Some(Value::String(path)) = member_mut(operation, "path")
        {
            self.literals(path);
        }
        match (target, member_mut(operation, "value")) {
            (Resolution::Attribute(path), Some(value)) => {
                self.values(&path, value);
            }
            (Resolution::Schema(schema), Some(Value::Object(object))) => {
                self.attributes(&format!("{}:", schema.id), object);
            }
            (_, Some(Value::Object(object))) if text.is_empty() => self.attributes("", object),
            _ => {}
        }
    }

    /// The strings in the filter of a path.
    fn literals(&mut self, path: &mut String) {
        let (mut read, mut rest) = (String::new(), path.as_str());
        while let Some((before, (name, behind))) =
            rest.split_once(LITERAL).and_then(|(before, after)| Some((before, after.split_once('"')?)))
        {
            let mut text = format!("{REFERENCE}{name}");
            (self.visit)(&mut text);
            read.extend([before, "\"", &text, "\""]);
            rest = behind;
        }
        read.push_str(rest);
        *path = read;
    }

    /// The value of an attribute, or its values; false if it is to go.
    fn values(&mut self, path: &AttributePath, value: &mut Value) -> bool {
        let Some(spot) = Spot::of(self.rt, path) else { return true };
        match value {
            Value::Array(items) => {
                items.retain_mut(|item| self.value(&spot, item));
                true
            }
            one => self.value(&spot, one),
        }
    }

    fn value(&mut self, spot: &Spot<'_>, value: &mut Value) -> bool {
        let mut keep = true;
        for text in spot.texts(value) {
            keep &= (self.visit)(text);
        }
        keep
    }
}

/// Something that may refer to a resource.
enum Spot<'a> {
    /// A text.
    Text,
    /// Some parts of a complex value, or the one that stands for it.
    Parts(&'a Attribute),
}

impl<'a> Spot<'a> {
    /// What a path names; `None` if no reference can stand there.
    fn of(rt: &'a ResourceType, path: &AttributePath) -> Option<Self> {
        let (parent, named) = (rt.parent(path)?, rt.attribute(path)?);
        let refers = match named.kind {
            Kind::Complex => named.sub_attributes.iter().any(is_reference).then_some(Self::Parts(named)),
            _ if path.sub_attribute.is_some() => is_part(parent, named).then_some(Self::Text),
            _ => is_reference(named).then_some(Self::Text),
        };
        refers.filter(|_| parent.is_kept())
    }

    fn texts<'v>(&self, value: &'v mut Value) -> Vec<&'v mut String> {
        match (self, value) {
            (_, Value::String(text)) => vec![text],
            (Self::Parts(attribute), Value::Object(parts)) => {
                let refers = |name: &str| attribute.sub_attribute(name).is_some_and(|part| is_part(attribute, part));
                let texts = parts.iter_mut().filter(|(name, _)| refers(name));
                texts.filter_map(|(_, part)| if let Value::String(text) = part { Some(text) } else { None }).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Whether an attribute refers to resources, and not to whatever else has an address.
fn is_reference(attribute: &Attribute) -> bool {
    let types = &attribute.reference_types;
    let is_foreign = |name: &String| matches!(name.as_str(), "external" | "uri");
    attribute.kind == Kind::Reference && (types.is_empty() || !types.iter().all(is_foreign))
}

/// Whether a part of a complex attribute says which resource is meant: a reference, or the `value` beside a `$ref`.
fn is_part(attribute: &Attribute, part: &Attribute) -> bool {
    is_reference(part) || (part.name == sub::VALUE && attribute.sub_attribute(sub::REF).is_some_and(is_reference))
}
