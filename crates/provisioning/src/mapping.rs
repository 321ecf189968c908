//! The default mapping: from a SCIM User to the account that DingTalk should have.
//!
//! It works for Okta and Entra as they come. What a target does not allow becomes a [`Finding`] that names
//! the SCIM path and the attribute; an optional attribute with a finding is left alone and the person is
//! projected without it, so that a title that is too long does not cost a joiner their account.

use crate::connector::TargetSchema;
use crate::entity::{self, EntityKind};
use crate::finding::{Finding, FindingKind};
use crate::mobile;
use crate::org_unit::{self, OrgName};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What the mapping makes of a user.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mapped {
    /// Wanted attributes, without those that refer to other resources. `None` means *no value*.
    pub attributes: BTreeMap<String, Option<Value>>,
    /// The departments above the person, the top one first. Empty means directly under the root.
    pub org_path: Vec<OrgName>,
    /// The SCIM id of the manager, as the source sent it.
    pub manager: Option<String>,
    /// What does not fit.
    pub findings: Vec<Finding>,
    /// Whether a finding keeps the person out altogether: a required attribute has no usable value.
    pub blocked: bool,
}

impl Mapped {
    fn refuse(&mut self, finding: Finding) {
        self.blocked = true;
        self.findings.push(finding);
    }
}

/// Maps a user. `attributes` is the resource without read-only attributes, as [`rollcall_scim`] keeps it.
pub fn user(attributes: &Map<String, Value>, schema: &dyn TargetSchema) -> Mapped {
    let user = User(attributes);
    let mut mapped = Mapped { manager: user.enterprise("manager").and_then(manager_id), ..Mapped::default() };
    match user.name() {
        Some(name) => {
            mapped.attributes.insert(entity::NAME.to_owned(), Some(Value::String(name)));
        }
        None => mapped.refuse(missing(entity::NAME, "displayName", "Send displayName or name.")),
    }
    match user.mobile() {
        None => mapped.refuse(missing(
            entity::MOBILE,
            MOBILE_PATH,
            "A DingTalk account needs a mobile number: give the person one at the source and map it.",
        )),
        Some(number) => match mobile::dingtalk_form(number) {
            Ok(form) => {
                mapped.attributes.insert(entity::MOBILE.to_owned(), Some(Value::String(form)));
            }
            Err(error) => mapped.refuse(Finding {
                kind: FindingKind::Invalid,
                code: "mobile_malformed".to_owned(),
                attribute: Some(entity::MOBILE.to_owned()),
                source_path: Some(MOBILE_PATH.to_owned()),
                message: format!("The mobile number cannot be used: {error}."),
                advice: "Write it with its country code, for example +852 9123 4567.".to_owned(),
            }),
        },
    }
    for (name, value) in [
        (entity::EMAIL, user.typed("emails", "work")),
        (entity::TELEPHONE, user.only_typed("phoneNumbers", "work")),
        (entity::TITLE, user.text("title")),
        (entity::JOB_NUMBER, user.enterprise("employeeNumber").and_then(Value::as_str)),
    ] {
        let value = value.map(str::trim).filter(|text| !text.is_empty());
        mapped.attributes.insert(name.to_owned(), value.map(|text| Value::String(text.to_owned())));
    }
    let level = |name: &str| user.enterprise(name).and_then(Value::as_str);
    let levels = [
        (ORGANIZATION_PATH, level("organization")),
        (DIVISION_PATH, level("division")),
        (DEPARTMENT_PATH, level("department")),
    ];
    match org_unit::path(levels) {
        Ok(path) => mapped.org_path = path,
        Err(finding) => mapped.refuse(*finding),
    }
    check_lengths(&mut mapped, schema);
    mapped
}

const MOBILE_PATH: &str = "phoneNumbers[type eq \"mobile\"].value";
const ORGANIZATION_PATH: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:organization";
const DIVISION_PATH: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:division";
const DEPARTMENT_PATH: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

/// The SCIM path that an account attribute comes from, for people who read a finding.
pub fn source_path(attribute: &str) -> Option<&'static str> {
    Some(match attribute {
        entity::NAME => "displayName",
        entity::MOBILE => MOBILE_PATH,
        entity::EMAIL => "emails[type eq \"work\"].value",
        entity::TELEPHONE => "phoneNumbers[type eq \"work\"].value",
        entity::TITLE => "title",
        entity::JOB_NUMBER => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
        entity::MANAGER => "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
        entity::ORG_UNITS => DEPARTMENT_PATH,
        _ => return None,
    })
}

fn check_lengths(mapped: &mut Mapped, schema: &dyn TargetSchema) {
    let mut findings = Vec::new();
    for (name, value) in &mapped.attributes {
        let Some(Value::String(text)) = value else { continue };
        let Some(spec) = schema.attribute(EntityKind::Account, name) else { continue };
        let length = text.chars().count();
        if let Some(most) = spec.max_chars.filter(|most| length > *most) {
            let finding = Finding {
                kind: FindingKind::Invalid,
                code: format!("{name}_too_long"),
                attribute: Some(name.clone()),
                source_path: source_path(name).map(str::to_owned),
                message: format!("The {name} has {length} characters; DingTalk takes {most}."),
                advice: "Shorten it at the source.".to_owned(),
            };
            findings.push((spec.required, finding));
        }
    }
    for (required, finding) in findings {
        if let Some(attribute) = &finding.attribute {
            mapped.attributes.remove(attribute);
        }
        mapped.blocked |= required;
        mapped.findings.push(finding);
    }
}

fn missing(attribute: &str, source_path: &str, advice: &str) -> Finding {
    Finding {
        kind: FindingKind::Invalid,
        code: format!("{attribute}_missing"),
        attribute: Some(attribute.to_owned()),
        source_path: Some(source_path.to_owned()),
        message: format!("The person has no {attribute}."),
        advice: advice.to_owned(),
    }
}

fn manager_id(manager: &Value) -> Option<String> {
    manager.get("value").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}

/// A user's attributes, read by name.
struct User<'a>(&'a Map<String, Value>);

impl<'a> User<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty())
    }

    fn enterprise(&self, name: &str) -> Option<&'a Value> {
        self.0.get(ENTERPRISE)?.get(name)
    }

    fn name(&self) -> Option<String> {
        let part = |name: &str| {
            let value = self.0.get("name")?.get(name)?.as_str()?.trim();
            (!value.is_empty()).then_some(value)
        };
        if let Some(name) = self.text("displayName").or_else(|| part("formatted")) {
            return Some(name.trim().to_owned());
        }
        match (part("familyName"), part("givenName")) {
            // Names in Han characters are written family name first, without a space.
            (Some(family), Some(given)) if family.chars().all(is_han) => Some(format!("{family}{given}")),
            (Some(family), Some(given)) => Some(format!("{given} {family}")),
            (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
            (None, None) => self.text("userName").map(|name| name.trim().to_owned()),
        }
    }

    fn mobile(&self) -> Option<&'a str> {
        self.only_typed("phoneNumbers", "mobile")
    }

    /// The value of the element of this type.
    fn only_typed(&self, attribute: &str, kind: &str) -> Option<&'a str> {
        let elements = self.0.get(attribute)?.as_array()?;
        let of_kind = |element: &&Value| {
            let found = element.get("type").and_then(Value::as_str);
            found.is_some_and(|found| found.eq_ignore_ascii_case(kind))
        };
        elements.iter().find(of_kind)?.get("value")?.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The value of the element of this type, else of the primary one, else of the first.
    fn typed(&self, attribute: &str, kind: &str) -> Option<&'a str> {
        if let Some(value) = self.only_typed(attribute, kind) {
            return Some(value);
        }
        let elements = self.0.get(attribute)?.as_array()?;
        let primary = elements.iter().find(|element| element.get("primary") == Some(&Value::Bool(true)));
        primary.or_else(|| elements.first())?.get("value")?.as_str()
    }
}

/// Han characters of the basic blocks, as in Chinese family names.
const fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}')
}
