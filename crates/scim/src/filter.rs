//! Filters (RFC 7644 §3.4.2.2).
//!
//! A filter is parsed once into a tree whose paths are resolved and canonical; a store turns the tree into SQL or
//! lets [`Filter::matches`] judge a rendered resource. Both must agree, so the meaning is fixed here:
//!
//! * Strings compare by [`crate::fold::fold`] unless the attribute is case-exact; dates compare by instant,
//!   numbers by size.
//! * On several values a comparison holds if any value satisfies it. A value path asks for one element that
//!   satisfies everything.
//! * `ne` holds if there is no value at all, or if any value differs. `null`, `""`-less objects and `[]` count as
//!   no value, and `eq null` is parsed as `not (… pr)`.
//! * An element without `primary` compares as one where it is false (RFC 7643 §2.4); it still has no value there.

mod eval;
mod lexer;
mod literal;
mod parser;
mod print;

use serde_json::Value;

use crate::error::Error;
use crate::path::AttributePath;
use crate::profile::Profile;
use crate::schema::ResourceType;

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than.
    Lt,
    /// Less than or equal.
    Le,
}

/// A filter as a tree. `And` and `Or` of the parser hold two or more parts; an empty one of them stands for a
/// comparison that was settled, see [`Filter::parse_across`].
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All parts hold.
    And(Vec<Filter>),
    /// At least one part holds.
    Or(Vec<Filter>),
    /// The part does not hold.
    Not(Box<Filter>),
    /// A value compares so with a literal. A complex attribute never stands here: its bare name was resolved to
    /// its `value` sub-attribute.
    Compare {
        /// What is compared. Inside a value path it still starts with the attribute outside the brackets.
        path: AttributePath,
        /// How.
        op: CompareOp,
        /// With what: a string, number or boolean that fits the attribute, never `null`.
        value: Value,
    },
    /// The attribute has a value.
    Present(AttributePath),
    /// One element of a multi-valued attribute satisfies the filter.
    ValuePath {
        /// The attribute whose elements are looked at, without a sub-attribute.
        path: AttributePath,
        /// What one element must satisfy; its paths are full paths below `path`.
        filter: Box<Filter>,
    },
}

impl Filter {
    /// Parses a filter for a resource type.
    ///
    /// # Errors
    /// 400 `invalidFilter` that says where and why.
    pub fn parse(text: &str, rt: &ResourceType, profile: &Profile) -> Result<Self, Error> {
        parser::parse(text, rt, &[], profile)
    }

    /// Parses a filter for one resource type of a query that spans several (RFC 7644 §3.4.2.1). What only `others`
    /// define has no value in a resource of this type, so a comparison with it is settled here: an empty `Or` holds
    /// for nobody, an empty `And` for everybody.
    ///
    /// # Errors
    /// 400 `invalidFilter` that says where and why, also for an attribute that no type defines.
    pub fn parse_across(
        text: &str,
        rt: &ResourceType,
        others: &[&ResourceType],
        profile: &Profile,
    ) -> Result<Self, Error> {
        parser::parse(text, rt, others, profile)
    }

    /// Parses what follows `[` after `path` up to the closing bracket; gives the filter and the text behind it.
    pub(crate) fn parse_bracketed<'t>(
        text: &'t str,
        rt: &ResourceType,
        profile: &Profile,
        path: &AttributePath,
    ) -> Result<(Self, &'t str), Error> {
        parser::parse_bracketed(text, rt, profile, path)
    }

    /// The comparisons of a filter that is nothing but `eq` joined by `and`; `None` for any other filter. Such a
    /// filter says what an element looks like, so that one can be made, or found by an index.
    pub fn equalities(&self) -> Option<Vec<(&AttributePath, &Value)>> {
        parser::equalities(self)
    }

    /// True if a rendered resource satisfies the filter. The resource must hold every attribute the filter
    /// mentions (see [`Filter::paths`]), whatever the client wants to see of it.
    pub fn matches(&self, rt: &ResourceType, resource: &Value) -> bool {
        eval::matches(self, rt, resource)
    }

    /// True if one element of a multi-valued attribute satisfies the filter; for the inner filter of a value path
    /// or of a PATCH path.
    pub fn matches_element(&self, rt: &ResourceType, element: &Value) -> bool {
        eval::matches_element(self, rt, element)
    }

    /// All paths the filter mentions, so that a caller knows what to load.
    pub fn paths(&self) -> Vec<&AttributePath> {
        let mut found = Vec::new();
        let mut waiting = vec![self];
        while let Some(filter) = waiting.pop() {
            match filter {
                Self::And(parts) | Self::Or(parts) => waiting.extend(parts.iter().rev()),
                Self::Not(part) => waiting.push(part),
                Self::Compare { path, .. } | Self::Present(path) => found.push(path),
                Self::ValuePath { path, filter } => {
                    found.push(path);
                    waiting.push(filter);
                }
            }
        }
        found
    }

    /// True if the filter looks at that attribute outside extensions.
    pub fn mentions(&self, attribute: &str) -> bool {
        self.paths().into_iter().any(|path| path.schema.is_none() && path.attribute == attribute)
    }
}
