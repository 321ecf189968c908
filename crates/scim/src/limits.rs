//! What one request may ask for at most. Every limit is a constant with its reason, and every refusal names it.

use serde_json::{Map, Value};

use crate::error::Error;

/// Longest filter, in bytes. Real clients stay under 300.
pub const MAX_FILTER_BYTES: usize = 8_192;

/// Deepest nesting of parentheses, `not` and value paths in a filter; bounds recursion.
pub const MAX_FILTER_DEPTH: usize = 32;

/// Longest PATCH path, in bytes; it may hold a filter.
pub const MAX_PATH_BYTES: usize = 8_192;

/// Most operations in one PATCH, also counted after objects without a path were taken apart.
pub const MAX_PATCH_OPERATIONS: usize = 1_000;

/// Most operations of one bulk request; published as `bulk.maxOperations`.
pub const MAX_BULK_OPERATIONS: usize = 1_000;

/// Most values of one multi-valued attribute that is kept inside the resource. Attributes kept apart (group
/// members) are bounded by the size of the body alone.
pub const MAX_VALUES: usize = 1_000;

/// Longest string value, in bytes.
pub const MAX_STRING_BYTES: usize = 131_072;

/// Largest resource that a PATCH may make, in bytes of its values and names. It is smaller than the largest body, so
/// that a client which reads a resource can send it back whole.
pub const MAX_RESOURCE_BYTES: usize = 1_000_000;

/// Longest value that becomes an index key, in bytes: of an attribute that must be unique (its folded form), and of
/// an element that is kept apart (a group member).
pub const MAX_KEY_BYTES: usize = 1_024;

/// Deepest nesting of a JSON body. A SCIM resource needs four levels; a PATCH with a resource inside, seven.
pub const MAX_JSON_DEPTH: usize = 32;

/// Refuses a body that is nested deeper than [`MAX_JSON_DEPTH`].
///
/// # Errors
/// 400 `invalidSyntax`.
pub fn check_depth(body: &Value) -> Result<(), Error> {
    if depth_within(body, MAX_JSON_DEPTH) {
        Ok(())
    } else {
        Err(Error::invalid_syntax(format!("the body is nested deeper than {MAX_JSON_DEPTH} levels")))
    }
}

/// True when no value lies deeper than `max` levels; a scalar is at level 0. Walks with a list of its own
/// instead of recursion, so that it can judge any input.
pub fn depth_within(body: &Value, max: usize) -> bool {
    let mut waiting = vec![(body, 0_usize)];
    while let Some((value, depth)) = waiting.pop() {
        let below = depth.saturating_add(1);
        match value {
            Value::Array(items) if below <= max => waiting.extend(items.iter().map(|item| (item, below))),
            Value::Object(map) if below <= max => waiting.extend(map.values().map(|item| (item, below))),
            Value::Array(_) | Value::Object(_) => return false,
            _ => {}
        }
    }
    true
}

/// About how many bytes a value takes when it is written as JSON: names and strings without their escapes, and a few
/// bytes for everything else. Walks with a list of its own, like [`depth_within`].
pub(crate) fn size(value: &Map<String, Value>) -> usize {
    let mut total = 0;
    let mut maps = vec![value];
    let mut waiting = Vec::new();
    while let Some(map) = maps.pop() {
        for (name, value) in map {
            total += name.len() + 4;
            waiting.push(value);
        }
        while let Some(value) = waiting.pop() {
            match value {
                Value::String(text) => total += text.len() + 3,
                Value::Array(items) => waiting.extend(items),
                Value::Object(map) => maps.push(map),
                Value::Null | Value::Bool(_) | Value::Number(_) => total += 8,
            }
        }
    }
    total
}
