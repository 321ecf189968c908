//! Schemas and resource types, built at run time.

use std::sync::Arc;

use super::attribute::find;
use super::{Attribute, Storage, base_attributes};
use crate::path::AttributePath;

/// A schema: a URN and the attributes defined under it (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// URN.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it describes, for people.
    pub description: String,
    /// The attributes.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// A schema from its parts.
    pub fn new(
        id: impl Into<String>,
        name: impl Into<String>,
        description: impl Into<String>,
        attributes: Vec<Attribute>,
    ) -> Self {
        Self { id: id.into(), name: name.into(), description: description.into(), attributes }
    }

    /// The attribute of that name, in any case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.attributes, name)
    }

    /// True for the `schemas` that some serialisers put into the object of an extension beside its attributes. RFC 7643
    /// §3.3 does not have it there; it says nothing that the URN before the object does not say.
    pub(crate) fn is_own_mark(&self, key: &str) -> bool {
        key.eq_ignore_ascii_case("schemas") && self.attribute(key).is_none()
    }
}

/// A schema that adds attributes to a resource type (RFC 7643 §3.3).
#[derive(Debug, Clone, PartialEq)]
pub struct Extension {
    /// The added schema.
    pub schema: Arc<Schema>,
    /// True if every resource must have it.
    pub required: bool,
}

impl Extension {
    /// An extension that a resource may have.
    pub fn optional(schema: Schema) -> Self {
        Self { schema: Arc::new(schema), required: false }
    }

    /// An extension that a resource must have.
    pub fn required(schema: Schema) -> Self {
        Self { schema: Arc::new(schema), required: true }
    }
}

/// A kind of resource: its endpoint, its schema and its extensions (RFC 7643 §6).
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceType {
    /// Name, as in `meta.resourceType`.
    pub name: String,
    /// Path below the base URL, with the leading slash.
    pub endpoint: String,
    /// What it is, for people.
    pub description: String,
    /// The core schema.
    pub schema: Arc<Schema>,
    /// The extensions, in the order in which they are rendered.
    pub extensions: Vec<Extension>,
}

impl ResourceType {
    /// A resource type without extensions.
    pub fn new(
        name: impl Into<String>,
        endpoint: impl Into<String>,
        description: impl Into<String>,
        schema: Schema,
    ) -> Self {
        Self {
            name: name.into(),
            endpoint: endpoint.into(),
            description: description.into(),
            schema: Arc::new(schema),
            extensions: Vec::new(),
        }
    }

    /// Adds an extension, such as a tenant's own schema.
    #[must_use]
    pub fn with_extension(mut self, extension: Extension) -> Self {
        self.extensions.push(extension);
        self
    }

    /// The extension with that URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.schema.id.eq_ignore_ascii_case(urn))
    }

    /// The attributes outside extensions: those every resource has, then those of the core schema.
    pub fn top_level(&self) -> impl Iterator<Item = &Attribute> {
        base_attributes().iter().chain(&self.schema.attributes)
    }

    /// The attribute of that name outside extensions, in any case.
    pub fn top_level_attribute(&self, name: &str) -> Option<&Attribute> {
        self.schema.attribute(name).or_else(|| find(base_attributes(), name))
    }

    /// The attribute a path starts with, without its sub-attribute.
    pub fn parent(&self, path: &AttributePath) -> Option<&Attribute> {
        match &path.schema {
            Some(urn) => self.extension(urn)?.schema.attribute(&path.attribute),
            None => self.top_level_attribute(&path.attribute),
        }
    }

    /// The attribute or sub-attribute a path names.
    pub fn attribute(&self, path: &AttributePath) -> Option<&Attribute> {
        let parent = self.parent(path)?;
        match &path.sub_attribute {
            Some(name) => parent.sub_attribute(name),
            None => Some(parent),
        }
    }

    /// Names of the attributes a store may keep as rows of their own.
    pub fn apart(&self) -> impl Iterator<Item = &str> {
        self.top_level()
            .filter(|attribute| attribute.storage == Storage::Apart)
            .map(|attribute| attribute.name.as_str())
    }
}
