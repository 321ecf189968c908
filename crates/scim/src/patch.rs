//! PATCH (RFC 7644 §3.5.2).
//!
//! [`PatchRequest::parse`] reads the body without knowing the resource: it resolves paths, takes objects without a
//! path apart into one operation per attribute, checks types and mutability, and turns every operation into a
//! change that needs no further interpretation. [`apply`] then makes the changes on a copy of what is stored, in
//! order; the first that fails ends it, so a PATCH happens as a whole or not at all.

mod apply;
mod detached;
mod inline;
mod operation;
mod parse;

use serde_json::Value;

use crate::error::Error;
use crate::filter::Filter;
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::resource::Resource;
use crate::schema::ResourceType;
use operation::Operation;

/// Schema URN of a PATCH body.
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH body, read and checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatchRequest {
    operations: Vec<Operation>,
    ignored: Vec<String>,
}

impl PatchRequest {
    /// Reads a PATCH body.
    ///
    /// # Errors
    /// 400 with the keyword of RFC 7644 §3.5.2 that fits, naming the operation by its number; 413 for more
    /// operations than [`crate::limits::MAX_PATCH_OPERATIONS`].
    pub fn parse(rt: &ResourceType, body: &Value, profile: &Profile) -> Result<Self, Error> {
        parse::parse(rt, body, profile)
    }

    /// True if the request says anything of an attribute, be it what is stored already.
    pub fn names(&self, attribute: &AttributePath) -> bool {
        self.operations.iter().any(|operation| operation.path == *attribute)
    }

    /// Names in the request that no schema defines and that were left out, for a log.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

/// What [`apply`] must know besides the resource and the request.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Id of the resource. Okta repeats it in the value of a group rename; another id is an error.
    pub id: &'a str,
    /// Tolerances of the client.
    pub profile: &'a Profile,
    /// Names of attributes that are kept apart and are not in the resource given to [`apply`]. They must be
    /// multi-valued and outside extensions; see [`ResourceType::apart`].
    pub detached: &'a [&'a str],
}

/// The result of a PATCH.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched {
    /// The resource after all operations; equal to the one given if nothing changed.
    pub resource: Resource,
    /// What to do with the attributes kept apart, in order.
    pub detached: Vec<DetachedChange>,
}

/// One change of an attribute kept apart.
#[derive(Debug, Clone, PartialEq)]
pub struct DetachedChange {
    /// Canonical name of the attribute.
    pub attribute: String,
    /// What to do.
    pub change: Detached,
}

/// What to do with the values of an attribute kept apart. Values are canonical elements: objects without `null`,
/// each there once.
#[derive(Debug, Clone, PartialEq)]
pub enum Detached {
    /// Add these; those whose `value` is there already stay as they are.
    Add(Vec<Value>),
    /// Remove all.
    RemoveAll,
    /// Remove those for which [`Filter::matches_element`] holds; there may be none.
    RemoveWhere(Filter),
    /// Remove those with the same `value`; some may not be there.
    RemoveValues(Vec<Value>),
    /// Have exactly these.
    Replace(Vec<Value>),
}

/// Applies a request to what is stored. Nothing is changed in place: on an error the caller still holds the old
/// resource.
///
/// # Errors
/// 400 `noTarget`, `mutability` or `invalidValue`, naming the operation and the attribute.
pub fn apply(
    rt: &ResourceType,
    current: &Resource,
    request: &PatchRequest,
    context: &Context<'_>,
) -> Result<Patched, Error> {
    apply::apply(rt, current, request, context)
}
