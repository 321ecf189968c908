//! What a client wrote about a resource, in canonical form.

mod parse;
mod replace;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::ResourceType;
pub(crate) use parse::{check_complete, check_keys, fill_defaults, member, member_mut, outlives_clearing};

/// The attributes a client may write, under their canonical names, extension attributes in an object under the
/// URN of the extension.
///
/// `id`, `schemas`, `meta` and read-only attributes are not in it: the server knows them or computes them. No
/// `null`, empty array, empty object or empty string is in it either: having no value means not being there.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    attributes: Map<String, Value>,
}

impl Resource {
    /// Takes a map that is canonical already, such as one read back from the database.
    pub const fn from_map(attributes: Map<String, Value>) -> Self {
        Self { attributes }
    }

    /// The attributes.
    pub const fn as_map(&self) -> &Map<String, Value> {
        &self.attributes
    }

    /// The attributes, by value.
    pub fn into_map(self) -> Map<String, Value> {
        self.attributes
    }

    /// The value at a path. A sub-attribute of a multi-valued attribute has no single value, hence `None`.
    pub fn get(&self, path: &AttributePath) -> Option<&Value> {
        let home = match &path.schema {
            Some(urn) => self.extension(urn)?,
            None => &self.attributes,
        };
        let value = home.get(&path.attribute)?;
        match &path.sub_attribute {
            Some(name) => value.as_object()?.get(name),
            None => Some(value),
        }
    }

    /// A string attribute outside extensions, by its canonical name.
    pub fn string(&self, attribute: &str) -> Option<&str> {
        self.attributes.get(attribute)?.as_str()
    }

    /// A boolean attribute outside extensions, by its canonical name.
    pub fn boolean(&self, attribute: &str) -> Option<bool> {
        self.attributes.get(attribute)?.as_bool()
    }

    /// The values of a multi-valued attribute outside extensions; none if it has no value.
    pub fn values(&self, attribute: &str) -> &[Value] {
        self.attributes.get(attribute).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The attributes of an extension, by its canonical URN.
    pub fn extension(&self, urn: &str) -> Option<&Map<String, Value>> {
        self.attributes.get(urn)?.as_object()
    }

    /// Takes a multi-valued attribute out of the resource, for a store that keeps its values apart.
    pub fn take_values(&mut self, attribute: &str) -> Vec<Value> {
        match self.attributes.shift_remove(attribute) {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        }
    }
}

/// Reads the body of a POST (RFC 7644 §3.3).
///
/// # Errors
/// 400 `invalidSyntax` or `invalidValue` that names the attribute.
pub fn parse(rt: &ResourceType, body: &Value, profile: &Profile) -> Result<Resource, Error> {
    parse::parse(rt, body, profile)
}

/// Reads the body of a PUT and gives what the resource becomes (RFC 7644 §3.5.1).
///
/// # Errors
/// As [`parse`], and 400 `mutability` for a changed immutable attribute.
pub fn replace(rt: &ResourceType, current: &Resource, body: &Value, profile: &Profile) -> Result<Resource, Error> {
    replace::replace(rt, current, body, profile)
}
