//! PATCH (RFC 7644 §3.5.2).
//!
//! [`PatchRequest::parse`] reads the body without knowing the resource: it resolves paths, takes objects without a
//! path apart, checks types and mutability. [`apply`] then runs the operations on a copy of what is stored.

mod apply;
mod parse;

use serde_json::Value;

use crate::error::Error;
use crate::filter::Filter;
use crate::path::PatchPath;
use crate::profile::Profile;
use crate::resource::Resource;
use crate::schema::ResourceType;

/// Schema URN of a PATCH body.
pub const PATCH_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH body, read and checked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PatchRequest {
    operations: Vec<Operation>,
}

/// One operation on one attribute.
#[derive(Debug, Clone, PartialEq)]
struct Operation {
    path: PatchPath,
    value: Option<Value>,
}

impl PatchRequest {
    /// Reads a PATCH body.
    ///
    /// # Errors
    /// 400 with the keyword of RFC 7644 §3.5.2 that fits, naming the operation by its number.
    pub fn parse(rt: &ResourceType, body: &Value, profile: &Profile) -> Result<Self, Error> {
        parse::parse(rt, body, profile)
    }
}

/// What [`apply`] must know besides the resource and the request.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Id of the resource. Okta repeats it in the value of a group rename; another id is an error.
    pub id: &'a str,
    /// Tolerances of the client.
    pub profile: &'a Profile,
    /// Attributes that are kept apart and are not in the resource given to [`apply`]; only those whose schema
    /// data say [`crate::schema::Storage::Apart`] can be.
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

/// What to do with the values of an attribute kept apart. Values are canonical elements: objects without `null`.
#[derive(Debug, Clone, PartialEq)]
pub enum Detached {
    /// Add these; those that are there already stay as they are.
    Add(Vec<Value>),
    /// Remove all.
    RemoveAll,
    /// Remove those that match; none may.
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
