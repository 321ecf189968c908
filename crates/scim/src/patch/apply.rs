//! Applying the operations to a copy of the resource.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::operation::{Change, Operation};
use super::{Context, DetachedChange, PatchRequest, Patched, detached, inline};
use crate::error::Error;
use crate::limits::{MAX_RESOURCE_BYTES, size};
use crate::path::AttributePath;
use crate::resource::{Resource, check_complete, fill_defaults};
use crate::schema::{Attribute, Mutability, ResourceType};
use crate::value::once;

pub(super) fn apply(
    rt: &ResourceType,
    current: &Resource,
    request: &PatchRequest,
    context: &Context<'_>,
) -> Result<Patched, Error> {
    let mut work = Work { rt, context, attributes: current.as_map().clone(), detached: Vec::new() };
    for operation in &request.operations {
        work.operation(operation).map_err(|error| operation.blame(error))?;
    }
    work.drop_repetitions(request);
    work.attributes.retain(|_, value| !is_nothing(value));
    fill_defaults(rt, &mut work.attributes);
    // When all is done: one operation may begin an extension and the next complete it.
    check_complete(rt, &work.attributes, Some(current.as_map()))?;
    check_size(rt, current.as_map(), &work.attributes)?;
    Ok(Patched { resource: Resource::from_map(work.attributes), detached: work.detached })
}

/// Refuses what makes a resource grow beyond the limit. One that is larger already may shrink.
fn check_size(rt: &ResourceType, before: &Map<String, Value>, after: &Map<String, Value>) -> Result<(), Error> {
    let bytes = size(after);
    if bytes > MAX_RESOURCE_BYTES && bytes > size(before) {
        return Err(Error::payload_too_large(format!(
            "the {} would take {bytes} bytes; at most {MAX_RESOURCE_BYTES} are possible",
            rt.name
        )));
    }
    Ok(())
}

struct Work<'a> {
    rt: &'a ResourceType,
    context: &'a Context<'a>,
    attributes: Map<String, Value>,
    detached: Vec<DetachedChange>,
}

impl Work<'_> {
    fn operation(&mut self, operation: &Operation) -> Result<(), Error> {
        let path = &operation.path;
        if let Change::Claim(value) = &operation.change {
            return self.check_claim(path, value);
        }
        let Some(attribute) = self.rt.attribute(path) else {
            return Err(Error::invalid_path(format!("\"{path}\" is not an attribute of {}", self.rt.name)));
        };
        if path.schema.is_none() && self.context.detached.contains(&path.attribute.as_str()) {
            let changes = detached::changes(self.rt, attribute, operation)?;
            self.detached
                .extend(changes.into_iter().map(|change| DetachedChange { attribute: path.attribute.clone(), change }));
            return Ok(());
        }
        self.inline(attribute, operation)
    }

    fn inline(&mut self, attribute: &Attribute, operation: &Operation) -> Result<(), Error> {
        let path = &operation.path;
        let home = match &path.schema {
            Some(urn) => self.attributes.entry(urn).or_insert_with(|| Value::Object(Map::new())).as_object_mut(),
            None => Some(&mut self.attributes),
        };
        let Some(home) = home else { return Ok(()) };
        let old = home.get_mut(&path.attribute).map(Value::take);
        let before = (attribute.mutability == Mutability::Immutable).then(|| old.clone()).flatten();
        let target = inline::Target { rt: self.rt, attribute, path, profile: self.context.profile };
        let had_value = old.is_some();
        let new = target.changed(old, &operation.change, operation.verb)?;
        if before.is_some() && before != new {
            return Err(Error::mutability(format!(
                "\"{path}\" cannot change and cannot be removed once it is set: take it out of the request"
            )));
        }
        // An extension can go as a whole; what it needs while it stays is judged at the end.
        if attribute.required && path.schema.is_none() && had_value && new.is_none() {
            return Err(Error::mutability(format!("\"{path}\" is required and cannot be left without a value")));
        }
        match new {
            Some(value) => home.insert(path.attribute.clone(), value),
            None => home.shift_remove(&path.attribute),
        };
        Ok(())
    }

    /// Setting parts of elements can make two of them the same. That is judged when all is done: on the way there two
    /// may be the same that will differ (RFC 7643 §2.4).
    fn drop_repetitions(&mut self, request: &PatchRequest) {
        let set = request.operations.iter().filter(|operation| matches!(operation.change, Change::MergeWhere(_)));
        for path in set.map(|operation| &operation.path).collect::<HashSet<_>>() {
            let home = match &path.schema {
                Some(urn) => self.attributes.get_mut(urn).and_then(Value::as_object_mut),
                None => Some(&mut self.attributes),
            };
            let value = home.and_then(|home| home.get_mut(&path.attribute));
            if let (Some(Value::Array(items)), Some(attribute)) = (value, self.rt.attribute(path)) {
                *items = once(attribute, std::mem::take(items));
            }
        }
    }

    /// A read-only value in an object without a path is tolerated if it is the one there is.
    fn check_claim(&self, path: &AttributePath, value: &Value) -> Result<(), Error> {
        if value.as_str() == Some(self.context.id) {
            return Ok(());
        }
        Err(Error::mutability(format!(
            "\"{path}\" is read-only and differs from that of the resource, \"{}\": take it out of the request",
            self.context.id
        )))
    }
}

/// True for an extension object without attributes.
fn is_nothing(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}
