//! What a change entry says about what changed: names of attributes, numbers and member ids, never a person's values,
//! so that an entry may outlive the person's data.

use rollcall_scim::resource::Resource;
use serde_json::{Map, Value, json};

/// The details of a new resource.
pub(crate) fn created(resource: &Resource) -> Value {
    json!({ "attributes": names(&Map::new(), resource.as_map()) })
}

/// The details of a changed resource. Coming and going is said outright: it is what people search for.
pub(crate) fn updated(before: &Resource, after: &Resource) -> Value {
    let mut details = json!({ "attributes": names(before.as_map(), after.as_map()) });
    let active = after.boolean("active");
    if let Some(map) = details.as_object_mut()
        && before.boolean("active") != active
    {
        map.insert("active".to_owned(), active.into());
    }
    details
}

/// Says also which attributes the source wrote and another one decides.
pub(crate) fn withhold(details: &mut Value, withheld: Vec<String>) {
    if let (false, Some(map)) = (withheld.is_empty(), details.as_object_mut()) {
        map.insert("withheld".to_owned(), withheld.into());
    }
}

/// The attributes in which two resources differ, sorted. Those of extensions are named one by one, as in a path.
fn names(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let nothing = Map::new();
    let mut names = Vec::new();
    for name in differing(before, after) {
        if name.starts_with("urn:") {
            let home = |map: &'_ Map<String, Value>| map.get(name).and_then(Value::as_object).cloned();
            let (before, after) = (home(before), home(after));
            let (before, after) = (before.as_ref().unwrap_or(&nothing), after.as_ref().unwrap_or(&nothing));
            names.extend(differing(before, after).map(|inner| format!("{name}:{inner}")));
        } else {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    names
}

fn differing<'a>(before: &'a Map<String, Value>, after: &'a Map<String, Value>) -> impl Iterator<Item = &'a str> {
    let lost_or_changed = before.iter().filter(|(name, value)| after.get(*name) != Some(*value)).map(|(name, _)| name);
    let new = after.keys().filter(|name| !before.contains_key(*name));
    lost_or_changed.chain(new).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn resource(value: Value) -> Resource {
        let Value::Object(map) = value else { panic!("not an object") };
        Resource::from_map(map)
    }

    #[test]
    fn what_changed_is_named_without_its_value() {
        let before = resource(
            json!({ "userName": "a", "title": "x", "nickName": "n", ENTERPRISE: { "department": "d", "division": "v" } }),
        );
        let after = resource(
            json!({ "userName": "a", "title": "y", "active": false, ENTERPRISE: { "department": "e", "division": "v" } }),
        );
        assert_eq!(
            updated(&before, &after),
            json!({ "attributes": ["active", "nickName", "title", format!("{ENTERPRISE}:department")], "active": false })
        );
        assert_eq!(created(&resource(json!({ "userName": "a" }))), json!({ "attributes": ["userName"] }));
    }
}
