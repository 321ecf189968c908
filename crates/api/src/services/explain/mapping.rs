//! What the mapping makes of a person: the station between what is stored and what is decided.

use rollcall_provisioning::finding::Finding;
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{Mapping, Person, Reference};
use rollcall_store::users::StoredUser;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What the mapping makes of a person.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct MappingView {
    /// The attributes that the account should have; `null` where it should have no value.
    #[schema(value_type = Object)]
    pub attributes: BTreeMap<String, Option<Value>>,
    /// The departments above the person, the top one first.
    pub departments: Vec<String>,
    /// The SCIM id of the manager, as the source sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// What does not fit.
    pub findings: Vec<FindingView>,
    /// Whether a finding keeps the person out altogether.
    pub blocked: bool,
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

pub(super) fn mapped(id: ResourceId, user: &StoredUser, mapping: &Mapping) -> MappingView {
    let id = id.to_string();
    let mapped = mapping.person(&Person::alone(&id, user.resource.as_map()));
    MappingView {
        departments: mapped.org_path().iter().map(|unit| unit.name.clone()).collect(),
        attributes: mapped.attributes,
        manager: match mapped.manager {
            Reference::To(manager) => Some(manager),
            Reference::Nobody | Reference::LeftAlone => None,
        },
        findings: mapped.findings.into_iter().map(FindingView::from).collect(),
        blocked: mapped.blocked,
    }
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
