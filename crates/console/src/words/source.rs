//! What a source wrote about a person, attribute by attribute, under the SCIM paths that its admin knows.

use crate::words::mask;
use serde_json::{Map, Value};
use uuid::Uuid;

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    /// The SCIM path.
    pub path: String,
    /// The value, telephone numbers masked.
    pub value: String,
    /// The page of the person that the value names.
    pub href: Option<String>,
}

impl Said {
    /// A value that names nobody.
    pub fn plain(path: &str, value: String) -> Self {
        Self { path: path.to_owned(), value, href: None }
    }

    /// A value under its path. A manager is named by a SCIM id, which has a page.
    fn of(path: &str, value: &Value) -> Self {
        let shown = shown(path, value);
        let id = Uuid::try_parse(&shown).ok().filter(|_| path.ends_with(":manager.value"));
        Self { href: id.map(|id| format!("/console/people/{id}")), ..Self::plain(path, shown) }
    }
}

/// All values of a resource, in the order in which they are kept.
pub fn said(attributes: &Map<String, Value>) -> Vec<Said> {
    let mut all = Vec::new();
    for (name, value) in attributes {
        match value {
            Value::Object(inner) if name.starts_with("urn:") => {
                for (inner_name, inner_value) in inner {
                    put(&mut all, &format!("{name}:{inner_name}"), inner_value);
                }
            }
            _ => put(&mut all, name, value),
        }
    }
    all
}

fn put(all: &mut Vec<Said>, path: &str, value: &Value) {
    match value {
        Value::Object(parts) => {
            for (name, part) in parts {
                put(all, &format!("{path}.{name}"), part);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                put_element(all, path, element);
            }
        }
        other => all.push(Said::of(path, other)),
    }
}

/// An element of a multi-valued attribute. Its type is in the path, as in a filter, and only what it says beside that
/// and beside being primary is a value of its own.
fn put_element(all: &mut Vec<Said>, path: &str, element: &Value) {
    let Value::Object(parts) = element else {
        all.push(Said::of(path, element));
        return;
    };
    let path = match parts.get("type").and_then(Value::as_str) {
        Some(kind) => format!("{path}[type eq \"{kind}\"]"),
        None => path.to_owned(),
    };
    for (name, part) in parts.iter().filter(|(name, _)| !["type", "primary"].contains(&name.as_str())) {
        put(all, &format!("{path}.{name}"), part);
    }
}

/// A single value as text.
pub fn shown(path: &str, value: &Value) -> String {
    match value {
        Value::String(text) if mask::is_phone(path) => mask::phone(text),
        Value::String(text) => text.clone(),
        Value::Null => "no value".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other if mask::is_phone(path) => mask::phone(&other.to_string()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_stand_under_their_paths() {
        let resource = json!({
            "userName": "ada",
            "active": true,
            "name": { "familyName": "Lovelace" },
            "emails": [{ "type": "work", "value": "ada@example.com", "primary": true }],
            "phoneNumbers": [{ "type": "mobile", "value": "+85291234567" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "42" } },
        });
        let found: Vec<(String, String)> =
            said(resource.as_object().expect("an object")).into_iter().map(|said| (said.path, said.value)).collect();
        let expected = [
            ("userName", "ada"),
            ("active", "yes"),
            ("name.familyName", "Lovelace"),
            ("emails[type eq \"work\"].value", "ada@example.com"),
            ("phoneNumbers[type eq \"mobile\"].value", "+852 •••• 4567"),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value", "42"),
        ];
        assert_eq!(found, expected.map(|(path, value)| (path.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_manager_has_a_page_if_it_is_an_id() {
        let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value";
        let id = "00000000-0000-0000-0000-000000000007";
        assert_eq!(Said::of(path, &json!(id)).href, Some(format!("/console/people/{id}")));
        assert_eq!(Said::of(path, &json!("javascript:alert(1)")).href, None);
        assert_eq!(Said::of("externalId", &json!(id)).href, None);
    }

    #[test]
    fn no_telephone_number_stays_readable() {
        let resource = json!({
            "phoneNumbers": [{ "value": "+852 9123 4567", "display": "+852 9123 4567" }],
            "urn:example:User": { "deskPhone": 85_291_234_567_u64, "mobiles": ["91234567"] },
        });
        for said in said(resource.as_object().expect("an object")) {
            assert!(!said.value.contains("9123") && said.value.contains("••••"), "{said:?}");
        }
    }
}
