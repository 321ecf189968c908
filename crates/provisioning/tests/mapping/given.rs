//! What the cases start from.

use rollcall_provisioning::connector::{AttributeSpec, Clearing, Form, TargetSchema, ValueType};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::mapping::{Mapped, Mapping, MappingError, Person, Schemas};
use rollcall_scim::schema::builtin::{group_type, user_type};
use rollcall_scim::schema::{Extension, ResourceType, Schema};
use serde_json::{Map, Value, json};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const CUSTOM: &str = "urn:example:hr:2.0:User";
pub(crate) const ID: &str = "8b7f3c52-0000-4000-8000-000000000001";

/// A target with an attribute of each kind.
pub(crate) struct Target {
    account: Vec<AttributeSpec>,
    contact: Vec<AttributeSpec>,
}

impl Target {
    pub(crate) fn new() -> Self {
        let optional = AttributeSpec::OPTIONAL;
        let required = AttributeSpec { required: true, clearing: Clearing::Impossible, ..optional.clone() };
        let enterprise: &[&str] = &["sso", "dingtalk"];
        let of = |name, spec: &AttributeSpec| AttributeSpec { name, ..spec.clone() };
        let account = vec![
            AttributeSpec { max_chars: Some(80), ..of("name", &required) },
            AttributeSpec { unique: true, account_kinds: &["normal"], create_only: true, ..of("mobile", &required) },
            AttributeSpec { max_chars: Some(50), unique: true, ..of("email", &optional) },
            AttributeSpec { max_chars: Some(100), form: Form::Mail, ..of("org_email", &optional) },
            of("telephone", &optional),
            AttributeSpec { max_chars: Some(20), ..of("title", &optional) },
            of("job_number", &optional),
            of("remark", &optional),
            AttributeSpec {
                value_type: ValueType::Whole,
                clearing: Clearing::Impossible,
                ..of("hired_date", &optional)
            },
            AttributeSpec {
                value_type: ValueType::Flag,
                clearing: Clearing::Impossible,
                ..of("hide_mobile", &optional)
            },
            AttributeSpec { max_chars: Some(60), ..of("extension.", &optional) },
            AttributeSpec { account_kinds: &["dingtalk"], needed_by: &["dingtalk"], ..of("login_id", &optional) },
            AttributeSpec { form: Form::Phone, account_kinds: enterprise, ..of("exclusive_mobile", &optional) },
            of("manager", &optional),
            AttributeSpec { value_type: ValueType::Derived, ..of("org_units", &required) },
        ];
        let contact = vec![
            of("name", &required),
            of("mobile", &required),
            of("company", &optional),
            AttributeSpec { value_type: ValueType::Wholes, ..of("labels", &required) },
            of("follower", &required),
        ];
        Self { account, contact }
    }
}

impl TargetSchema for Target {
    fn attributes(&self, kind: EntityKind) -> &[AttributeSpec] {
        if kind == EntityKind::Contact { &self.contact } else { &self.account }
    }
}

/// People with an extension of the tenant's own.
pub(crate) fn users() -> ResourceType {
    let text = |name: &str| json!({"name": name, "type": "string"});
    let schema = json!({"id": CUSTOM, "name": "Hr", "attributes": [
        text("shoeSize"), text("startDate"), {"name": "isTemp", "type": "boolean"}, {"name": "grade", "type": "integer"},
        {"name": "projects", "type": "string", "multiValued": true},
        {"name": "home", "type": "complex", "subAttributes": [text("city")]},
    ]});
    user_type().with_extension(Extension::optional(Schema::define(&schema).expect("the sample schema is one")))
}

pub(crate) fn compile(document: &Value) -> Result<Mapping, Vec<MappingError>> {
    Mapping::compile(document, Schemas { user: &users(), group: &group_type() }, &Target::new())
}

#[track_caller]
pub(crate) fn mapping(document: &Value) -> Mapping {
    compile(document).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// The errors of a document as sentences.
#[track_caller]
pub(crate) fn errors(document: &Value) -> Vec<String> {
    compile(document).expect_err("something is wrong").iter().map(ToString::to_string).collect()
}

/// The default document with other members.
pub(crate) fn with(changes: &Value) -> Value {
    let mut document = Mapping::default_document();
    for (name, value) in object(changes) {
        document[name] = value;
    }
    document
}

/// The default document with one more rule for an attribute.
pub(crate) fn with_rule(attribute: &str, rule: &Value) -> Value {
    let mut document = Mapping::default_document();
    document["account"][attribute] = rule.clone();
    document
}

pub(crate) fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

/// A person with a name and a mobile number, and `more`.
pub(crate) fn person(more: &Value) -> Map<String, Value> {
    let mut person = object(&json!({
        "userName": "sample@example.com",
        "displayName": "Sample Person",
        "phoneNumbers": [{"type": "mobile", "value": "13800000001"}],
    }));
    person.extend(object(more));
    person
}

pub(crate) fn map(document: &Value, more: &Value) -> Mapped {
    mapping(document).person(&Person::alone(ID, &person(more)))
}

/// What an expression gives for a person, as a remark; the finding's sentence if it fails.
#[track_caller]
pub(crate) fn value(expression: &str, more: &Value) -> Result<Option<Value>, String> {
    let mapped = map(&with_rule("remark", &json!({ "value": expression, "blank": "clear" })), more);
    match mapped.findings.first() {
        Some(finding) => Err(finding.message.clone()),
        None => Ok(mapped.attributes.get("remark").cloned().flatten()),
    }
}
