//! What would be done to one resource, attribute by attribute.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// What would be done.
#[derive(Serialize, Deserialize, ToSchema, Clone, PartialEq, Debug)]
pub struct ProposalView {
    /// `create`, `update` or `delete`.
    #[schema(example = "update")]
    pub verb: String,
    /// Each attribute that changes.
    pub lines: Vec<LineView>,
    /// What guards count of it.
    pub effects: Vec<String>,
}

/// One attribute, before and after; `null` is no value. Departments are named by their paths.
#[derive(Serialize, Deserialize, ToSchema, Clone, PartialEq, Debug)]
pub struct LineView {
    /// The target's attribute.
    #[schema(example = "title")]
    pub attribute: String,
    /// What the target has.
    pub before: Option<Value>,
    /// What it would have.
    pub after: Option<Value>,
}

impl ProposalView {
    /// A proposal as the store keeps it.
    pub(crate) fn of(stored: &Value) -> Self {
        Self::deserialize(stored).unwrap_or_else(|_| Self {
            verb: String::new(),
            lines: Vec::new(),
            effects: Vec::new(),
        })
    }
}
