//! Attribute paths, resolved against a resource type (RFC 7644 §3.5.2, §3.10).

mod patch;
mod resolve;

use std::fmt;

pub use patch::{PatchPath, PatchTarget};
pub(crate) use resolve::{Resolution, resolve};

/// A path to an attribute or sub-attribute in canonical spelling.
///
/// It is made by resolving text against a resource type, so it names something that exists there. Attributes of
/// the core schema and those every resource has carry no schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributePath {
    /// URN of the extension the attribute belongs to; `None` outside extensions.
    pub schema: Option<String>,
    /// Name of the attribute.
    pub attribute: String,
    /// Name of the sub-attribute.
    pub sub_attribute: Option<String>,
}

impl AttributePath {
    /// A path outside extensions.
    pub fn core(attribute: impl Into<String>) -> Self {
        Self { schema: None, attribute: attribute.into(), sub_attribute: None }
    }

    /// A path inside an extension.
    pub fn extension(urn: impl Into<String>, attribute: impl Into<String>) -> Self {
        Self { schema: Some(urn.into()), attribute: attribute.into(), sub_attribute: None }
    }

    /// The path to a part of this attribute.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "nothing is subtracted: it reads like the dot of a path")]
    pub fn sub(self, sub_attribute: impl Into<String>) -> Self {
        Self { sub_attribute: Some(sub_attribute.into()), ..self }
    }

    /// The path without its sub-attribute.
    #[must_use]
    pub fn parent(&self) -> Self {
        Self { schema: self.schema.clone(), attribute: self.attribute.clone(), sub_attribute: None }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.attribute)?;
        match &self.sub_attribute {
            Some(name) => write!(f, ".{name}"),
            None => Ok(()),
        }
    }
}
