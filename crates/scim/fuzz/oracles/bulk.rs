//! Bulk: every operation has its turn once, after what it refers to.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_scim::bulk::{self, BulkRequest, Method, Operation, Step};
use rollcall_scim::schema::ResourceType;
use serde_json::Value;

/// Any text; one that is JSON is taken as the body of a request.
pub(crate) fn check(text: &str) {
    if let Ok(body) = serde_json::from_str(text) {
        check_body(&body);
    }
}

/// Any body.
pub(crate) fn check_body(body: &Value) {
    let types = super::types();
    let Ok(request) = BulkRequest::parse(body, &types) else { return };
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
            let rt = types.iter().find(|rt| rt.endpoint == operation.endpoint).expect("one of the types");
            check_references(rt, operation);
        }
    }
    assert_eq!(begun.len(), request.operations.len(), "every operation is served");
    assert!(partial.is_empty(), "what was begun without something is completed");
}

/// Putting ids in place of all references leaves none, and so does leaving out what refers to them. Whatever else there is
/// stays.
fn check_references(rt: &ResourceType, operation: &Operation) {
    let Operation { data, references, .. } = operation;
    let ids = references.iter().map(|name| (name.clone(), "id".to_owned())).collect();
    let mut resolved = data.clone();
    bulk::resolve(rt, &mut resolved, &ids);
    assert!(bulk::references(rt, &resolved).is_empty(), "{resolved}");
    let without = bulk::without(rt, data, references);
    let left = bulk::references(rt, &without);
    assert!(left.is_empty() || operation.method == Method::Patch, "{left:?}: {without}");
    assert_eq!(bulk::without(rt, data, &BTreeSet::new()), *data, "nothing is missing, nothing goes");
    let mut untouched = data.clone();
    bulk::resolve(rt, &mut untouched, &BTreeMap::new());
    assert_eq!(untouched, *data, "nothing is known, nothing changes");
}
