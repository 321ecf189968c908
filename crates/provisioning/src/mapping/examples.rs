//! Stored examples: a person, and what the mapping should make of them.

use super::Mapping;
use super::document::MOST_EXAMPLES;
use super::error::MappingError;
use super::facts::{GroupFacts, Person, SourceFacts};
use super::metered::Options;
use super::person::{Mapped, Reference};
use super::reader::{Reader, Table, below};
use crate::entity;
use rollcall_scim::profile::Profile;
use rollcall_scim::resource;
use serde_json::{Map, Value, json};

/// The id of somebody in an example that does not say one.
const SAMPLE_ID: &str = "00000000-0000-4000-8000-000000000001";

/// A person, and what is expected.
#[derive(Debug)]
pub(super) struct Example {
    name: String,
    id: String,
    resource: Map<String, Value>,
    groups: Vec<(String, Map<String, Value>)>,
    source: Option<SourceFacts>,
    expect: Map<String, Value>,
}

/// Something that is not as expected.
#[derive(Clone, PartialEq, Debug)]
pub struct Difference {
    /// What: `in_scope`, `kind`, `userid`, `departments`, `manager`, `blocked`, `findings`, or `attributes.<name>`.
    pub what: String,
    /// What the example expects.
    pub expected: Value,
    /// What the mapping makes; `null` for no value and for what is left alone.
    pub got: Value,
}

/// How an example came out.
#[derive(Clone, PartialEq, Debug)]
pub struct ExampleResult {
    /// The example's name.
    pub name: String,
    /// What is not as expected; nothing if the example passed.
    pub differences: Vec<Difference>,
}

const MEMBERS: [&str; 6] = ["name", "id", "user", "groups", "source", "expect"];
const EXPECT: [&str; 8] = ["in_scope", "kind", "userid", "attributes", "departments", "manager", "blocked", "findings"];

/// Reads the examples of a document into the mapping made of it.
pub(super) fn read(document: &Value, mut mapping: Mapping) -> Result<Mapping, Vec<MappingError>> {
    let mut examples = Vec::new();
    let options = Options { registered_abroad: false };
    let mut reader = Reader { shapes: &mapping.shapes, options, errors: Vec::new() };
    if let Some(members) = document.as_object() {
        let table = Table { pointer: String::new(), members };
        for (value, pointer) in reader.list(&table, "examples", MOST_EXAMPLES) {
            examples.extend(example(&mut reader, &mapping, value, pointer));
        }
    }
    let errors = reader.errors;
    mapping.examples = examples;
    if errors.is_empty() { Ok(mapping) } else { Err(errors) }
}

fn example<'a>(reader: &mut Reader<'a>, mapping: &Mapping, value: &'a Value, pointer: String) -> Option<Example> {
    let table = reader.table(value, pointer, &MEMBERS)?;
    let name = reader.name(&table);
    let mut user = table.members.get("user").cloned().unwrap_or_else(|| json!({}));
    if let Some(members) = user.as_object_mut() {
        // An example says what matters for it; the rest of what a request must hold is added.
        members.entry("schemas").or_insert_with(|| json!([mapping.user_type.schema.id]));
        members.entry("userName").or_insert_with(|| json!("sample@example.com"));
    }
    let resource = match resource::parse(&mapping.user_type, &user, &Profile::generic()) {
        Ok(resource) => Some(resource.into_map()),
        Err(error) => {
            let message = format!("This is no user: {}.", error.detail);
            reader.wrong(below(&table.pointer, "user"), message, "Write a SCIM User as a source would send it.");
            None
        }
    };
    let mut groups = Vec::new();
    for (value, pointer) in reader.list(&table, "groups", MOST_EXAMPLES) {
        let known = ["id", "displayName", "externalId"];
        let Some(group) = reader.table(value, pointer, &known) else { continue };
        let texts: Vec<Option<&str>> = known.iter().map(|name| reader.text(&group, name)).collect();
        groups.push((texts.first().copied().flatten().unwrap_or_default().to_owned(), group.members.clone()));
    }
    let mut source = None;
    if let Some(value) = table.members.get("source") {
        let known = ["name", "profile"];
        let given = reader.table(value, below(&table.pointer, "source"), &known)?;
        let mut text = |name| reader.text(&given, name).unwrap_or_default();
        source = Some(SourceFacts::new(text("name"), text("profile")));
    }
    let id = reader.text(&table, "id").unwrap_or(SAMPLE_ID).to_owned();
    let Some(expect) = table.members.get("expect") else {
        reader.wrong(below(&table.pointer, "expect"), "\"expect\" is missing.", "Say what the mapping should make.");
        return None;
    };
    let expect = reader.table(expect, below(&table.pointer, "expect"), &EXPECT)?;
    if expect.members.get("attributes").is_some_and(|attributes| !attributes.is_object()) {
        let advice = "Write a table from the name of an attribute to its value.";
        reader.wrong(below(&expect.pointer, "attributes"), "This is not a table.", advice);
    }
    Some(Example { name: name?, id, resource: resource?, groups, source, expect: expect.members.clone() })
}

impl Mapping {
    /// Runs the stored examples.
    pub fn test(&self) -> Vec<ExampleResult> {
        self.examples.iter().map(|example| self.run(example)).collect()
    }

    fn run(&self, example: &Example) -> ExampleResult {
        let groups: Vec<GroupFacts<'_>> =
            example.groups.iter().map(|(id, resource)| GroupFacts { id, resource }).collect();
        let person =
            Person { id: &example.id, resource: &example.resource, groups: &groups, source: example.source.as_ref() };
        let mapped = self.person(&person);
        let mut differences = Vec::new();
        for (what, expected) in &example.expect {
            if let Value::Object(attributes) = expected {
                for (name, expected) in attributes {
                    note(&mut differences, format!("{what}.{name}"), expected, attribute(&mapped, name));
                }
            } else {
                note(&mut differences, what.clone(), expected, whole(&mapped, what));
            }
        }
        ExampleResult { name: example.name.clone(), differences }
    }
}

fn note(differences: &mut Vec<Difference>, what: String, expected: &Value, got: Value) {
    if *expected != got {
        differences.push(Difference { what, expected: expected.clone(), got });
    }
}

fn attribute(mapped: &Mapped, name: &str) -> Value {
    if name == entity::MANAGER {
        return whole(mapped, name);
    }
    mapped.attributes.get(name).cloned().flatten().unwrap_or(Value::Null)
}

fn whole(mapped: &Mapped, what: &str) -> Value {
    match what {
        "in_scope" => json!(mapped.scope.included),
        "kind" => json!(mapped.kind.as_str()),
        "userid" => json!(mapped.userid),
        "blocked" => json!(mapped.blocked),
        "manager" => match &mapped.manager {
            Reference::To(id) => json!(id),
            Reference::Nobody | Reference::LeftAlone => Value::Null,
        },
        "findings" => mapped.findings.iter().map(|finding| json!(finding.code)).collect(),
        "departments" => {
            let names =
                |path: &[crate::org_unit::OrgName]| -> Value { path.iter().map(|unit| json!(unit.name)).collect() };
            mapped.departments.iter().map(|department| names(&department.path)).collect()
        }
        _ => Value::Null,
    }
}
