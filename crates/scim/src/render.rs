//! From what is stored to what a client reads.

use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::projection::{Entry, Parts, Projection};
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
pub fn render(rt: &ResourceType, envelope: &Envelope<'_>, projection: &Projection) -> Value {
    let mut source = envelope.resource.as_map().clone();
    merge(&mut source, envelope.read_only.clone());
    source.insert("id".into(), envelope.id.into());
    source.insert("meta".into(), meta(rt, envelope));

    let mut reply = Map::new();
    reply.insert("schemas".into(), Value::Null);
    let mut last = None;
    for entry in projection.entries() {
        match (&entry.schema, entry.attribute.as_str()) {
            (None, "schemas") => {}
            (None, "meta") => last = pick(&source, entry),
            (None, name) => {
                if let Some(value) = pick(&source, entry) {
                    reply.insert(name.to_owned(), value);
                }
            }
            (Some(urn), name) => {
                let value = source.get(urn).and_then(Value::as_object).and_then(|home| pick(home, entry));
                if let Some(value) = value {
                    let home = reply.entry(urn.clone()).or_insert_with(|| Value::Object(Map::new()));
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

/// Puts `added` over `base`, merging objects.
fn merge(base: &mut Map<String, Value>, added: Map<String, Value>) {
    for (key, value) in added {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn meta(rt: &ResourceType, envelope: &Envelope<'_>) -> Value {
    json!({
        "resourceType": rt.name,
        "created": timestamp(envelope.created),
        "lastModified": timestamp(envelope.modified),
        "location": envelope.location,
        "version": etag(envelope.version),
    })
}

/// A dateTime in UTC; `null` for a year RFC 3339 cannot write.
fn timestamp(at: OffsetDateTime) -> Value {
    at.checked_to_offset(UtcOffset::UTC).and_then(|at| at.format(&Rfc3339).ok()).into()
}

/// The value of an entry in its selected parts; `None` if there is none.
fn pick(home: &Map<String, Value>, entry: &Entry) -> Option<Value> {
    let value = home.get(&entry.attribute).filter(|value| !value.is_null())?;
    let Parts::Only(names) = &entry.parts else {
        return Some(value.clone());
    };
    match value {
        Value::Array(items) => {
            let items: Vec<Value> = items.iter().map(|item| part(item, names)).filter(is_something).collect();
            Some(items.into())
        }
        value => Some(part(value, names)).filter(is_something),
    }
}

fn part(value: &Value, names: &[String]) -> Value {
    let Some(map) = value.as_object() else {
        return value.clone();
    };
    let kept = map.iter().filter(|(key, _)| names.contains(key));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn is_something(value: &Value) -> bool {
    value.as_object().is_none_or(|map| !map.is_empty())
}
