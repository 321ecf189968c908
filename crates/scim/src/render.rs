//! From what is stored to what a client reads.

use std::borrow::Cow;

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::projection::{Parts, Projection};
use crate::resource::Resource;
use crate::schema::ResourceType;
use crate::version::etag;

/// A resource with everything the server knows about it.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// Its id.
    pub id: &'a str,
    /// What clients wrote.
    pub resource: &'a Resource,
    /// Its version, as in the `ETag`.
    pub version: i64,
    /// When it was created.
    pub created: OffsetDateTime,
    /// When it last changed.
    pub modified: OffsetDateTime,
    /// Its URL.
    pub location: &'a str,
    /// What the server adds: `groups`, `members`, and objects under extension URNs. Objects are merged into what
    /// clients wrote, so that a manager's `displayName` can be added.
    pub read_only: Map<String, Value>,
}

/// Renders a resource. Order is fixed: the attributes every resource has, the core schema, the extensions,
/// `meta`. `schemas` lists the core schema and the extensions that are in the reply.
pub fn render(rt: &ResourceType, envelope: &Envelope<'_>, projection: &Projection<'_>) -> Value {
    let mut reply = Map::with_capacity(projection.entries().len());
    reply.insert("schemas".into(), Value::Null);
    let mut last = None;
    for entry in projection.entries() {
        match (entry.schema, entry.attribute) {
            (None, "schemas") => {}
            (None, "meta") => last = pick(meta(rt, envelope), &entry.parts),
            (None, "id") => {
                reply.insert("id".into(), envelope.id.into());
            }
            (None, name) => {
                let both = Both::of(envelope.resource.as_map(), &envelope.read_only, name);
                if let Some(value) = both.value().and_then(|value| pick(value, &entry.parts)) {
                    reply.insert(name.to_owned(), value);
                }
            }
            (Some(urn), name) => {
                let home = Both::of(envelope.resource.as_map(), &envelope.read_only, urn).below(name);
                if let Some(value) = home.value().and_then(|value| pick(value, &entry.parts)) {
                    let home = reply.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                    if let Some(home) = home.as_object_mut() {
                        home.insert(name.to_owned(), value);
                    }
                }
            }
        }
    }
    let used = rt.extensions.iter().map(|extension| &extension.schema.id).filter(|urn| reply.contains_key(*urn));
    let schemas: Vec<Value> = std::iter::once(&rt.schema.id).chain(used).map(|urn| urn.as_str().into()).collect();
    reply.insert("schemas".into(), schemas.into());
    if let Some(meta) = last {
        reply.insert("meta".into(), meta);
    }
    Value::Object(reply)
}

/// What clients wrote under one name, and what the server adds there. Looked at in place: a reply is made for every
/// request, and a resource can be large.
#[derive(Clone, Copy)]
struct Both<'a> {
    written: Option<&'a Value>,
    added: Option<&'a Value>,
}

impl<'a> Both<'a> {
    fn of(written: &'a Map<String, Value>, added: &'a Map<String, Value>, name: &str) -> Self {
        Self { written: written.get(name), added: added.get(name) }
    }

    /// What is under a name inside of both.
    fn below(self, name: &str) -> Self {
        let inside = |value: Option<&'a Value>| value?.as_object()?.get(name);
        Self { written: inside(self.written), added: inside(self.added) }
    }

    /// One value: objects are merged, anything else that is added stands over what is written. `None` if there is
    /// none.
    fn value(self) -> Option<Cow<'a, Value>> {
        let value = match (self.written, self.added) {
            (Some(Value::Object(written)), Some(Value::Object(added))) => {
                let mut merged = written.clone();
                merge(&mut merged, added);
                Cow::Owned(Value::Object(merged))
            }
            (written, added) => Cow::Borrowed(added.or(written)?),
        };
        (!value.is_null()).then_some(value)
    }
}

/// Puts `added` over `base`, merging objects.
fn merge(base: &mut Map<String, Value>, added: &Map<String, Value>) {
    for (key, value) in added {
        match (base.get_mut(key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            (_, value) => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

fn meta(rt: &ResourceType, envelope: &Envelope<'_>) -> Cow<'static, Value> {
    Cow::Owned(json!({
        "resourceType": rt.name,
        "created": timestamp(envelope.created),
        "lastModified": timestamp(envelope.modified),
        "location": envelope.location,
        "version": etag(envelope.version),
    }))
}

/// A dateTime in UTC; `null` for a year RFC 3339 cannot write.
fn timestamp(at: OffsetDateTime) -> Value {
    at.checked_to_offset(UtcOffset::UTC).and_then(|at| at.format(&Rfc3339).ok()).into()
}

/// The selected parts of a value; `None` if nothing of it is selected.
fn pick(value: Cow<'_, Value>, parts: &Parts<'_>) -> Option<Value> {
    let Parts::Only(names) = parts else {
        return Some(value.into_owned());
    };
    match &*value {
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(|item| part(item, names)).filter(is_something).collect();
            Some(items.into())
        }
        value => Some(part(value, names)).filter(is_something),
    }
}

fn part(value: &Value, names: &[&str]) -> Value {
    let Some(map) = value.as_object() else {
        return value.clone();
    };
    let kept = map.iter().filter(|(key, _)| names.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn is_something(value: &Value) -> bool {
    value.as_object().is_none_or(|map| !map.is_empty())
}
