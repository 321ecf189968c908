//! One operation, ready to be applied.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::filter::Filter;
use crate::path::AttributePath;

/// The verb of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Remove,
    Replace,
}

impl Verb {
    /// The verb in any case: Entra capitalises it.
    pub(super) fn named(word: &str) -> Option<Self> {
        [Self::Add, Self::Remove, Self::Replace].into_iter().find(|verb| verb.as_str().eq_ignore_ascii_case(word))
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

/// One operation on one attribute. An operation of the request that names several attributes becomes several of
/// these with one number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    /// Position in the request, from 1, for error texts.
    pub(super) number: usize,
    pub(super) verb: Verb,
    /// The attribute, never a part of it.
    pub(super) path: AttributePath,
    pub(super) change: Change,
}

impl Operation {
    /// Tells which operation an error is about.
    pub(super) fn blame(&self, error: Error) -> Error {
        error.within(Blame(self.number, self.verb))
    }
}

/// How an operation is named in an error: `operation 2 (replace)`.
pub(super) struct Blame(pub(super) usize, pub(super) Verb);

impl fmt::Display for Blame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "operation {} ({})", self.0, self.1.as_str())
    }
}

/// What happens to one attribute. Values are canonical already.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Give a single value that is not complex.
    Set(Value),
    /// Take all values away; but see [`outlives_clearing`](crate::resource::outlives_clearing).
    Clear,
    /// Set the parts of a single complex value; `null` clears a part.
    Merge(Map<String, Value>),
    /// Add elements.
    Append(Vec<Value>),
    /// Have exactly these elements.
    SetAll(Vec<Value>),
    /// Take these elements away; parts may be missing.
    RemoveValues(Vec<Value>),
    /// Take matching elements away.
    RemoveWhere(Filter),
    /// Set the parts of matching elements, or of all; `null` clears a part. Whole elements are replaced where the
    /// profile says so.
    MergeWhere(Matching),
    /// State a read-only value that must be the one there is: Okta repeats the id of the resource.
    Claim(Value),
}

/// The elements meant by a path, and the parts to set in them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Matching {
    /// Which elements; all without a filter.
    pub(super) filter: Option<Filter>,
    /// The parts.
    pub(super) parts: Map<String, Value>,
    /// True if the path names a single part, false if it names whole elements.
    pub(super) names_part: bool,
}
