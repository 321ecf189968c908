//! Paths of PATCH operations: an attribute path with a filter inside.

use super::AttributePath;
use crate::filter::Filter;

/// Where a PATCH operation acts (RFC 7644 figure 7).
#[derive(Debug, Clone, PartialEq)]
pub struct PatchPath {
    /// The attribute, and the sub-attribute if one is named, also when it stands behind the filter.
    pub path: AttributePath,
    /// Which elements of a multi-valued attribute are meant.
    pub filter: Option<Filter>,
}
