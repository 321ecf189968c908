//! Paths of PATCH operations: an attribute path with a filter inside.

use std::fmt;

use super::{AttributePath, Resolution, resolve};
use crate::error::Error;
use crate::filter::Filter;
use crate::limits::MAX_PATH_BYTES;
use crate::profile::Profile;
use crate::schema::{ResourceType, Schema};

/// Where a PATCH operation acts (RFC 7644 figure 7).
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute, and the sub-attribute if one is named, also when it stands behind the filter.
    pub path: AttributePath,
    /// Which elements of a multi-valued attribute are meant.
    pub filter: Option<Filter>,
}

impl fmt::Display for PatchPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(filter) = &self.filter else {
            return write!(f, "{}", self.path);
        };
        let elements = Filter::ValuePath { path: self.path.parent(), filter: Box::new(filter.clone()) };
        write!(f, "{elements}")?;
        match &self.path.sub_attribute {
            Some(name) => write!(f, ".{name}"),
            None => Ok(()),
        }
    }
}

/// What the path of a PATCH operation names.
#[derive(Debug, Clone, PartialEq)]
pub enum PatchTarget<'a> {
    /// Something inside the resource.
    Path(Box<PatchPath>),
    /// A whole schema: an extension, or the core schema, which stands for the resource itself.
    Schema(&'a Schema),
    /// A well-formed path to something that no schema defines. `qualified` tells that it starts with a URN, so
    /// that it is, or would be, in an extension.
    Unknown {
        /// The path starts with a URN.
        qualified: bool,
    },
}

impl<'a> PatchTarget<'a> {
    /// Parses a path. Case of names and URNs does not matter, nor does space around brackets and operators: an
    /// example of RFC 7644 itself leaves it out.
    ///
    /// # Errors
    /// 400 `invalidPath` for malformed text, `invalidFilter` for the filter inside.
    pub fn parse(text: &str, rt: &'a ResourceType, profile: &Profile) -> Result<Self, Error> {
        if text.len() > MAX_PATH_BYTES {
            return Err(Error::invalid_path(format!("the path is longer than {MAX_PATH_BYTES} bytes")));
        }
        let Some((head, tail)) = text.split_once('[') else {
            return match resolve(rt, text) {
                Resolution::Attribute(path) => Ok(Self::at(path, None)),
                Resolution::Schema(schema) => Ok(Self::Schema(schema)),
                Resolution::Unknown { qualified } => Ok(Self::Unknown { qualified }),
                Resolution::Malformed => Err(malformed(text)),
            };
        };
        let path = match resolve(rt, head) {
            Resolution::Attribute(path) if path.sub_attribute.is_none() => path,
            Resolution::Unknown { qualified } => return Ok(Self::Unknown { qualified }),
            _ => return Err(malformed(text)),
        };
        if !rt.attribute(&path).is_some_and(|attribute| attribute.multi_valued) {
            return Err(Error::invalid_path(format!(
                "\"{path}\" has one value, so it takes no filter in brackets: use \"{path}\" or one of its parts"
            )));
        }
        let (filter, rest) = Filter::parse_bracketed(tail, rt, profile, &path)?;
        let path = match rest.trim() {
            "" => path,
            rest => match rest.strip_prefix('.').map(|part| resolve(rt, &format!("{path}.{}", part.trim()))) {
                Some(Resolution::Attribute(path)) => path,
                Some(Resolution::Unknown { qualified }) => return Ok(Self::Unknown { qualified }),
                _ => return Err(malformed(text)),
            },
        };
        Ok(Self::at(path, Some(filter)))
    }

    fn at(path: AttributePath, filter: Option<Filter>) -> Self {
        Self::Path(Box::new(PatchPath { path, filter }))
    }
}

fn malformed(text: &str) -> Error {
    let start: String = text.chars().take(100).collect();
    Error::invalid_path(format!(
        "\"{start}\" is not a path: write it like displayName, name.givenName or emails[type eq \"work\"].value"
    ))
}
