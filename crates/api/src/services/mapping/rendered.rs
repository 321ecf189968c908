//! One person as a mapping makes them, with how each attribute came about.

use crate::services::explain::{FindingView, MappingView};
use rollcall_provisioning::ids::ResourceId;
use rollcall_provisioning::mapping::{Decision, GroupFacts, Mapped, Mapping, Person, Reference, SourceFacts, Trace};
use rollcall_store::facts::PersonFacts;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// Somebody, and what a mapping makes of them.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct ShownPerson {
    /// The SCIM id.
    pub id: Uuid,
    /// The SCIM userName.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// Why they were chosen: `longest_name`, `other_script`, `no_phone`, `contractor` or `several_departments`; absent if
    /// they were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub chosen_for: Vec<String>,
    /// What the mapping makes of them.
    pub mapping: MappingView,
}

/// Something that a rule reads.
#[derive(Serialize, ToSchema, Clone, PartialEq, Debug)]
pub struct InputView {
    /// Its SCIM path.
    #[schema(example = "title")]
    pub path: String,
    /// What stands there; `null` if there is nothing.
    pub value: Value,
}

/// How an attribute came about.
#[derive(Serialize, ToSchema, Clone, Debug)]
pub struct TraceView {
    /// The attribute; `userid` and `org_units` too.
    #[schema(example = "title")]
    pub attribute: String,
    /// Its rule, as a JSON pointer into the document.
    #[schema(example = "/account/title")]
    pub rule: String,
    /// The expression; absent if the target owns the attribute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What the expression reads.
    pub inputs: Vec<InputView>,
    /// What it gives, before the target's limits are looked at; absent if it fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Who decides the value: `source`, `target` or `once`.
    #[schema(example = "source")]
    pub owner: String,
    /// What no value means: `leave`, `clear` or `hold`.
    #[schema(example = "clear")]
    pub blank: String,
    /// What becomes of it: `set`, `cleared`, `left`, `theirs` or `held`.
    #[schema(example = "set")]
    pub decision: String,
    /// The value that it is set to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Value>,
    /// Why it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingView>,
}

impl From<Trace> for TraceView {
    fn from(trace: Trace) -> Self {
        let inputs = trace.inputs.into_iter().map(|input| InputView { path: input.path, value: input.value });
        let (decision, wanted, finding) = match trace.decision {
            Decision::Theirs => ("theirs", None, None),
            Decision::Left => ("left", None, None),
            Decision::Cleared => ("cleared", None, None),
            Decision::Set(value) => ("set", Some(value), None),
            Decision::Held(finding) => ("held", None, Some(FindingView::from(*finding))),
        };
        Self {
            attribute: trace.attribute,
            rule: trace.pointer,
            expression: trace.expression,
            inputs: inputs.collect(),
            value: trace.value,
            owner: trace.owner.as_str().to_owned(),
            blank: trace.blank.as_str().to_owned(),
            decision: decision.to_owned(),
            wanted,
            finding,
        }
    }
}

/// Calls `judge` with the person as rules see them.
pub(crate) fn as_person<T>(facts: &PersonFacts, judge: impl FnOnce(&Person<'_>) -> T) -> T {
    let id = facts.id.to_string();
    let groups: Vec<GroupFacts<'_>> =
        facts.groups.iter().map(|group| GroupFacts { id: &group.id, resource: &group.attributes }).collect();
    let source = facts.source.as_ref().map(|(name, profile)| SourceFacts::new(name, profile));
    judge(&Person { id: &id, resource: &facts.attributes, groups: &groups, source: source.as_ref() })
}

/// Somebody with how each attribute came about.
pub(crate) fn with_traces(facts: &PersonFacts, mapping: &Mapping) -> MappingView {
    as_person(facts, |person| {
        let traces = mapping.traces(person).into_iter().map(TraceView::from).collect();
        MappingView { traces, ..MappingView::from(mapping.person(person)) }
    })
}

/// Somebody who was asked for.
pub(super) fn asked_for(facts: &PersonFacts, mapping: &Mapping) -> ShownPerson {
    ShownPerson {
        id: facts.id.0,
        user_name: user_name(facts),
        chosen_for: Vec::new(),
        mapping: with_traces(facts, mapping),
    }
}

/// Somebody who was chosen.
pub(super) fn chosen(
    id: ResourceId,
    user_name: Option<String>,
    chosen_for: Vec<String>,
    mapped: Mapped,
) -> ShownPerson {
    ShownPerson { id: id.0, user_name, chosen_for, mapping: MappingView::from(mapped) }
}

pub(super) fn user_name(facts: &PersonFacts) -> Option<String> {
    facts.attributes.get("userName").and_then(Value::as_str).map(str::to_owned)
}

impl From<Mapped> for MappingView {
    fn from(mapped: Mapped) -> Self {
        let names = |path: &[rollcall_provisioning::org_unit::OrgName]| -> Vec<String> {
            path.iter().map(|unit| unit.name.clone()).collect()
        };
        Self {
            scope: mapped.scope.reason(),
            included: mapped.scope.included,
            kind: mapped.kind.as_str().to_owned(),
            departments: names(mapped.org_path()),
            places: mapped.departments.iter().map(|department| names(&department.path)).collect(),
            userid: mapped.userid,
            attributes: mapped.attributes,
            manager: match mapped.manager {
                Reference::To(manager) => Some(manager),
                Reference::Nobody | Reference::LeftAlone => None,
            },
            findings: mapped.findings.into_iter().map(FindingView::from).collect(),
            blocked: mapped.blocked,
            traces: Vec::new(),
        }
    }
}
