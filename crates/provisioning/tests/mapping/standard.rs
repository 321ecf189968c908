//! The default mapping: one case a line, whole people where it matters.

use rollcall_provisioning::connector::{AttributeSpec, Clearing, TargetSchema};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::mapping::{Mapped, Mapping, Person, Reference, source_path};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

struct Schema(Vec<AttributeSpec>);

impl TargetSchema for Schema {
    fn attributes(&self, _: EntityKind) -> &[AttributeSpec] {
        &self.0
    }
}

fn schema() -> Schema {
    let spec = |name, required, max_chars| AttributeSpec {
        name,
        required,
        max_chars: Some(max_chars),
        clearing: if required { Clearing::Impossible } else { Clearing::Possible },
        ..AttributeSpec::OPTIONAL
    };
    Schema(vec![
        spec("name", true, 10),
        spec("title", false, 5),
        spec("mobile", true, 30),
        spec("email", false, 50),
        spec("telephone", false, 50),
        spec("job_number", false, 50),
        spec("manager", false, 50),
    ])
}

/// The default mapping for what the schema above allows.
static STANDARD: LazyLock<Mapping> = LazyLock::new(|| Mapping::standard(&schema()).expect("the default document fits"));

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_else(|| unreachable!("the cases below are objects"))
}

fn user(resource: &Map<String, Value>) -> Mapped {
    STANDARD.person(&Person::alone("8b7f3c52-0000-4000-8000-000000000001", resource))
}

/// A person with a mobile number and `more`.
fn map(more: &Value) -> Mapped {
    let mut person = object(&json!({"phoneNumbers": [{"type": "mobile", "value": "13800000001"}]}));
    person.extend(object(more));
    user(&person)
}

fn wanted(mapped: &Mapped, attribute: &str) -> Option<Value> {
    mapped.attributes.get(attribute).cloned().flatten()
}

#[test]
fn names() {
    for (person, expected) in [
        (json!({"displayName": "Ada", "name": {"formatted": "x"}}), "Ada"),
        (json!({"name": {"formatted": "A. L."}}), "A. L."),
        (json!({"name": {"givenName": "Ada", "familyName": "Love"}}), "Ada Love"),
        (json!({"name": {"givenName": "伟", "familyName": "王"}}), "王伟"),
        (json!({"name": {"familyName": "Love"}}), "Love"),
        (json!({"userName": "ada@x", "displayName": "  "}), "ada@x"),
    ] {
        assert_eq!(wanted(&map(&person), "name"), Some(json!(expected)), "{person}");
    }
}

#[test]
fn addresses_and_numbers_by_type() {
    let mapped = map(&json!({
        "displayName": "A",
        "emails": [{"type": "home", "value": "h@x", "primary": true}, {"type": "Work", "value": "w@x"}],
        "phoneNumbers": [{"type": "work", "value": "4711"}, {"type": "mobile", "value": "+852 9123 4567"}],
    }));
    assert_eq!(wanted(&mapped, "email"), Some(json!("w@x")));
    assert_eq!(wanted(&mapped, "telephone"), Some(json!("4711")));
    assert_eq!(wanted(&mapped, "mobile"), Some(json!("+852-91234567")));
    let primary = map(&json!({"displayName": "A", "emails": [{"value": "a@x"}, {"value": "b@x", "primary": true}]}));
    assert_eq!(wanted(&primary, "email"), Some(json!("b@x")));
}

#[test]
fn what_is_blank_at_the_source_is_wanted_blank() {
    let mapped = map(&json!({"displayName": "A"}));
    assert_eq!(mapped.attributes.get("title"), Some(&None));
    assert_eq!(mapped.attributes.get("email"), Some(&None));
}

#[test]
fn departments_and_manager() {
    let mapped = map(&json!({"displayName": "A", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
        "organization": "Acme", "division": "", "department": "R&D - China", "manager": {"value": "m1"},
    }}));
    let names: Vec<&str> = mapped.org_path().iter().map(|unit| unit.name.as_str()).collect();
    assert_eq!(names, ["Acme", "R&D － China"]);
    assert_eq!(mapped.manager, Reference::To("m1".to_owned()));
    assert!(!mapped.blocked && mapped.findings.is_empty());
}

#[test]
fn findings_name_attribute_and_source() {
    let no_mobile = user(&object(&json!({"displayName": "A"})));
    let work_only = object(&json!({"displayName": "A", "phoneNumbers": [{"type": "work", "value": "1"}]}));
    for (mapped, code, blocked) in [
        (no_mobile, "mobile_missing", true),
        (user(&work_only), "mobile_missing", true),
        (
            map(&json!({"displayName": "A", "phoneNumbers": [{"type": "mobile", "value": "12"}]})),
            "mobile_malformed",
            true,
        ),
        (map(&json!({"displayName": "A", "title": "Engineer"})), "title_too_long", false),
        (map(&json!({"displayName": "far too long a name"})), "name_too_long", true),
    ] {
        assert_eq!(mapped.blocked, blocked, "{code}");
        let finding = mapped.findings.first().unwrap_or_else(|| panic!("{code}: no finding"));
        assert_eq!(finding.code, code);
        assert!(finding.source_path.is_some() && finding.attribute.is_some(), "{finding:?}");
        assert!(finding.message.ends_with('.') && finding.advice.ends_with('.'), "{finding}");
    }
}

#[test]
fn an_optional_attribute_with_a_finding_is_left_alone() {
    let mapped = map(&json!({"displayName": "A", "title": "Engineer"}));
    assert!(!mapped.attributes.contains_key("title"), "neither set nor cleared");
}

#[test]
fn what_the_reading_side_says_about_origins_is_what_the_default_document_does() {
    for attribute in ["name", "mobile", "email", "telephone", "title", "job_number", "manager"] {
        assert_eq!(STANDARD.source_path(attribute), source_path(attribute), "{attribute}");
    }
}

#[test]
fn nobody_is_left_out_and_the_userid_is_the_scim_id() {
    let mapped = map(&json!({"displayName": "A"}));
    assert!(mapped.scope.included && mapped.scope.rule.is_none());
    assert_eq!(mapped.userid.as_deref(), Some("8b7f3c52000040008000000000000001"));
    assert_eq!(mapped.departments.len(), 1, "directly under the root");
    assert_eq!(mapped.manager, Reference::Nobody);
}
