//! Bulk: every operation has its turn once, after what it refers to.

use std::collections::BTreeSet;

use rollcall_scim::bulk::{self, BulkRequest, Method, Step};
use serde_json::Value;

/// Any text; one that is JSON is taken as the body of a request.
pub(crate) fn check(text: &str) {
    if let Ok(body) = serde_json::from_str(text) {
        check_body(&body);
    }
}

/// Any body.
pub(crate) fn check_body(body: &Value) {
    let Ok(request) = BulkRequest::parse(body, &["/Users", "/Groups"]) else { return };
    assert_eq!(request.waves(false).concat(), request.plan(), "waves are the plan, cut");
    let (mut begun, mut partial) = (BTreeSet::new(), BTreeSet::new());
    let mut made: BTreeSet<&str> = BTreeSet::new();
    for step in request.plan() {
        let (Step::Whole(place) | Step::Without(place) | Step::Complete(place)) = step;
        let entry = request.operations.get(place).expect("a step is an operation of the request");
        let references: BTreeSet<&str> =
            entry.operation.iter().flat_map(|operation| operation.references.iter().map(String::as_str)).collect();
        let posts = entry.operation.as_ref().is_ok_and(|operation| operation.method == Method::Post);
        match step {
            Step::Complete(_) => assert!(partial.remove(&place), "only what was begun is completed, and once"),
            Step::Whole(_) => assert!(begun.insert(place), "an operation is served once"),
            Step::Without(_) => {
                assert!(begun.insert(place) && partial.insert(place), "an operation is served once");
                assert!(posts && !references.is_subset(&made), "only a POST in a circle begins without something");
            }
        }
        if !matches!(step, Step::Without(_)) {
            assert!(references.is_subset(&made), "what an operation refers to comes before it");
        }
        made.extend(entry.bulk_id.as_deref().filter(|_| posts));
        if let Ok(operation) = &entry.operation {
            check_references(&operation.data, &operation.references);
        }
    }
    assert_eq!(begun.len(), request.operations.len(), "every operation is served");
    assert!(partial.is_empty(), "what was begun without something is completed");
}

/// Putting ids in place of all references leaves none, and so does leaving out what refers to them.
fn check_references(data: &Value, references: &BTreeSet<String>) {
    let ids = references.iter().map(|name| (name.clone(), "id".to_owned())).collect();
    let mut resolved = data.clone();
    bulk::resolve(&mut resolved, &ids);
    let mentioned = |value: &Value| references.iter().any(|name| mentions(value, &format!("bulkId:{name}")));
    assert!(!mentioned(&resolved), "{resolved}");
    let without = bulk::without(data, references);
    assert!(!mentioned(&without), "{without}");
    assert_eq!(bulk::without(data, &BTreeSet::new()), *data, "nothing is missing, nothing goes");
}

/// True if the text is one of the values.
fn mentions(value: &Value, text: &str) -> bool {
    match value {
        Value::String(one) => one == text,
        Value::Array(items) => items.iter().any(|item| mentions(item, text)),
        Value::Object(map) => map.values().any(|item| mentions(item, text)),
        _ => false,
    }
}
