//! What a mapping is told about a person or a group.

use serde_json::{Map, Value, json};

/// A group, or the group that a person is in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GroupFacts<'a> {
    /// Its SCIM id.
    pub id: &'a str,
    /// The resource without read-only attributes, members not needed.
    pub resource: &'a Map<String, Value>,
}

/// The source that pushes a resource.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceFacts(pub(super) Value);

impl SourceFacts {
    /// A source by its name and the name of its wire profile.
    pub fn new(name: &str, profile: &str) -> Self {
        Self(json!({ "name": name, "profile": profile }))
    }
}

/// A person.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Person<'a> {
    /// The SCIM id.
    pub id: &'a str,
    /// The resource without read-only attributes, as [`rollcall_scim`] keeps it.
    pub resource: &'a Map<String, Value>,
    /// The groups that the person is in.
    pub groups: &'a [GroupFacts<'a>],
    /// Who pushes the person, if that is known.
    pub source: Option<&'a SourceFacts>,
}

impl<'a> Person<'a> {
    /// A person of whom no groups and no source are known.
    pub const fn alone(id: &'a str, resource: &'a Map<String, Value>) -> Self {
        Self { id, resource, groups: &[], source: None }
    }
}
