//! What a document asks about groups, so that whoever writes one knows what depends on it.

use serde_json::Value;

/// What depends on groups by the rules of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asked {
    /// Groups become something.
    pub maps_groups: bool,
    /// What becomes of a person depends on the groups that they are in.
    pub asks_groups: bool,
}

/// The sections whose expressions see the groups of a person.
const OF_PEOPLE: [&str; 7] = ["scope", "kinds", "account", "contact", "userid", "departments", "leavers"];

impl Asked {
    /// What a document asks. A rule that only speaks the word in a text counts too: then somebody is looked at once more
    /// than is needed.
    pub fn by(document: &Value) -> Self {
        let rules = || ["groups", "groups_by_hand"].into_iter().filter_map(|section| document.get(section));
        let in_department = |rule: &Value| rule.get("becomes").and_then(Value::as_str) == Some("department");
        let people = OF_PEOPLE.into_iter().filter_map(|section| document.get(section));
        Self {
            maps_groups: rules().any(|section| !elements(section).is_empty()),
            asks_groups: rules().flat_map(elements).any(in_department) || people.into_iter().any(speaks_of_groups),
        }
    }
}

fn elements(section: &Value) -> Vec<&Value> {
    match section {
        Value::Array(rules) => rules.iter().collect(),
        Value::Object(rules) => rules.values().collect(),
        _ => Vec::new(),
    }
}

/// Whether one of its texts has the name `groups` in it.
fn speaks_of_groups(value: &Value) -> bool {
    match value {
        Value::String(text) => text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(|w| w == "groups"),
        other => elements(other).into_iter().any(speaks_of_groups),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_say_what_depends_on_groups() {
        let role = json!([{ "name": "r", "becomes": "role" }]);
        let department = json!([{ "name": "d", "becomes": "department", "path": "[group.displayName]" }]);
        for (document, maps_groups, asks_groups) in [
            (super::super::Mapping::default_document(), false, false),
            (json!({ "groups": [] }), false, false),
            (json!({ "groups": role }), true, false),
            (json!({ "groups": department }), true, true),
            (json!({ "groups_by_hand": { "g": { "becomes": "chat" } } }), true, false),
            (json!({ "groups_by_hand": { "g": { "becomes": "department", "path": "[\"x\"]" } } }), true, true),
            (
                json!({ "scope": [{ "name": "x", "when": "groups.exists(g, g.id == \"1\")", "include": true }] }),
                false,
                true,
            ),
            (
                json!({ "departments": { "paths": "[[enterprise.department]] + groups.map(g, [g.displayName])" } }),
                false,
                true,
            ),
            (json!({ "account": { "title": { "value": "user.subgroups_title" } } }), false, false),
            (json!({ "examples": [{ "groups": [{ "displayName": "groups" }] }] }), false, false),
        ] {
            assert_eq!(Asked::by(&document), Asked { maps_groups, asks_groups }, "{document}");
        }
    }
}
