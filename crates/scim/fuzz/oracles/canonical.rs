//! What is promised about every resource that is kept.

use rollcall_scim::resource::Resource;
use rollcall_scim::schema::{Attribute, Kind, ResourceType};
use serde_json::{Map, Value, json};

/// Checks everything that is promised about a stored resource.
pub(crate) fn check_canonical(rt: &ResourceType, resource: &Resource) {
    fn check_attributes(attributes: &[&Attribute], map: &Map<String, Value>) {
        for (key, value) in map {
            let attribute = attributes.iter().find(|attribute| attribute.name == *key);
            let attribute = attribute.unwrap_or_else(|| panic!("{key} is canonical"));
            assert!(attribute.is_kept(), "{key} is a client's");
            check_value(attribute, value);
        }
    }
    fn check_value(attribute: &Attribute, value: &Value) {
        let name = &attribute.name;
        match value {
            Value::Null => panic!("{name} is null"),
            Value::Array(items) => {
                assert!(attribute.multi_valued && !items.is_empty(), "{name}: {value}");
                let primaries = items.iter().filter(|item| item["primary"] == json!(true)).count();
                assert!(primaries <= 1, "{name}: {value}");
                let single = Attribute { multi_valued: false, ..attribute.clone() };
                for item in items {
                    check_value(&single, item);
                }
            }
            _ if attribute.multi_valued => panic!("{name} is an array: {value}"),
            Value::Object(parts) => {
                assert!(!parts.is_empty(), "{name}");
                check_attributes(&attribute.sub_attributes.iter().collect::<Vec<_>>(), parts);
            }
            Value::String(text) => {
                assert!(!text.is_empty() && !text.contains('\0'), "{name}");
                assert!(
                    matches!(attribute.kind, Kind::String | Kind::Reference | Kind::Binary | Kind::DateTime),
                    "{name}"
                );
            }
            Value::Bool(_) => assert_eq!(attribute.kind, Kind::Boolean, "{name}"),
            Value::Number(_) => assert!(matches!(attribute.kind, Kind::Integer | Kind::Decimal), "{name}"),
        }
    }
    let mut core = resource.as_map().clone();
    for extension in &rt.extensions {
        if let Some(Value::Object(map)) = core.shift_remove(&extension.schema.id) {
            assert!(!map.is_empty());
            check_attributes(&extension.schema.attributes.iter().collect::<Vec<_>>(), &map);
        }
    }
    check_attributes(&rt.top_level().collect::<Vec<_>>(), &core);
    assert!(resource.string("userName").is_some_and(|name| !name.trim().is_empty()), "userName is required");
}
