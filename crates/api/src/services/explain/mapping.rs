//! What the mapping makes of a person: the station between what is stored and what is decided.

use crate::services::mapping::rendered::TraceView;
use rollcall_provisioning::finding::Finding;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the mapping makes of a person.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MappingView {
    /// Whether the person is projected. If not, nothing else is said of them.
    pub included: bool,
    /// Why, as a sentence that names the rule.
    pub scope: String,
    /// As what: `normal`, `sso`, `dingtalk` or `contact`.
    #[schema(example = "normal")]
    pub kind: String,
    /// The remote id that a new account gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub userid: Option<String>,
    /// The attributes that the account should have; `null` where it should have no value.
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, Option<Value>>,
    /// The departments above the person, the top one first; of several places those of the first one.
    pub departments: Vec<String>,
    /// All places of the person, each as the departments from the top down.
    pub places: Vec<Vec<String>>,
    /// The SCIM id of the manager, as the source sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// What does not fit.
    pub findings: Vec<FindingView>,
    /// Whether a finding keeps the person out altogether.
    pub blocked: bool,
    /// How each attribute came about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<TraceView>,
}

/// One thing that does not fit.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct FindingView {
    /// What kind of hindrance.
    #[schema(example = "invalid")]
    pub kind: String,
    /// A code to switch on.
    #[schema(example = "mobile_missing")]
    pub code: String,
    /// The target's attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// The SCIM path that its value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_path: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What a person can do about it.
    pub advice: String,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> Self {
        Self {
            kind: finding.kind.as_str().to_owned(),
            code: finding.code,
            attribute: finding.attribute,
            source_path: finding.source_path,
            message: finding.message,
            advice: finding.advice,
        }
    }
}
