//! What is different between two documents, rule by rule.

use serde_json::{Map, Value};

/// Something that one document says otherwise than another.
#[derive(Clone, PartialEq, Debug)]
pub struct RuleChange {
    /// Where: as a JSON pointer, but with the name of a rule in the place of its number.
    pub path: String,
    /// What the old document says; `None` if it says nothing.
    pub before: Option<Value>,
    /// What the new document says; `None` if it says nothing.
    pub after: Option<Value>,
}

/// Compares two documents. Rules are told apart by their names; that they changed places is one change of the section.
pub fn compare(old: &Value, new: &Value) -> Vec<RuleChange> {
    let mut changes = Vec::new();
    differ(String::new(), Some(old), Some(new), &mut changes);
    changes
}

fn differ(path: String, old: Option<&Value>, new: Option<&Value>, changes: &mut Vec<RuleChange>) {
    match (old, new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => tables(&path, old, new, changes),
        (Some(Value::Array(before)), Some(Value::Array(after))) => match (named(before), named(after)) {
            (Some(named_before), Some(named_after)) => {
                tables(&path, &named_before, &named_after, changes);
                order(path, &named_before, &named_after, changes);
            }
            _ if before != after => changes.push(change(path, old, new)),
            _ => {}
        },
        _ if old != new => changes.push(change(path, old, new)),
        _ => {}
    }
}

fn tables(path: &str, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<RuleChange>) {
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        differ(super::reader::below(path, name), old.get(name), new.get(name), changes);
    }
}

/// The rules that both documents have, if they come in another order.
fn order(path: String, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<RuleChange>) {
    let both = |these: &Map<String, Value>, those: &Map<String, Value>| -> Vec<Value> {
        these.keys().filter(|name| those.contains_key(*name)).map(|name| Value::String(name.clone())).collect()
    };
    let (before, after) = (Value::Array(both(old, new)), Value::Array(both(new, old)));
    if before != after {
        changes.push(change(path, Some(&before), Some(&after)));
    }
}

/// A list of rules as a table by their names; `None` if it is none.
fn named(rules: &[Value]) -> Option<Map<String, Value>> {
    let mut table = Map::new();
    for rule in rules {
        let name = rule.get("name")?.as_str()?.to_owned();
        if table.insert(name, rule.clone()).is_some() {
            return None;
        }
    }
    Some(table)
}

fn change(path: String, before: Option<&Value>, after: Option<&Value>) -> RuleChange {
    RuleChange { path, before: before.cloned(), after: after.cloned() }
}
