//! The OpenAPI document is the one that is checked in. `UPDATE=1` writes it anew.

use serde_json::Value;
use std::path::Path;

#[test]
fn the_document_is_the_checked_in_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi/rollcall.json");
    let document = rollcall_api::openapi_document();
    #[expect(clippy::disallowed_methods, reason = "a switch of the person who runs the test, not of the program")]
    if std::env::var("UPDATE").is_ok() {
        std::fs::write(&path, &document).expect("the document can be written");
    }
    let checked_in = std::fs::read_to_string(&path).expect("openapi/rollcall.json is there");
    assert!(document == checked_in, "the routes have changed: run this test with UPDATE=1 and look at the difference");
}

#[test]
fn every_operation_is_complete() {
    let document: Value = serde_json::from_str(&rollcall_api::openapi_document()).expect("JSON");
    let mut ids = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        assert!(["/scim/v2/", "/api/v1/", "/oauth/"].iter().any(|start| path.starts_with(start)), "{path}");
        for (method, operation) in item.as_object().expect("operations") {
            ids.push(operation["operationId"].as_str().expect("operationId").to_owned());
            let described = operation["summary"].is_string() || operation["description"].is_string();
            assert!(described, "{method} {path} says nothing");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path} has no success");
        }
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "two operations share an id");
    assert!(count >= 22, "only {count} operations");
}

#[test]
fn every_reference_leads_somewhere() {
    let document: Value = serde_json::from_str(&rollcall_api::openapi_document()).expect("JSON");
    let mut waiting = vec![&document];
    let mut seen = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(map) => {
                if let Some(Value::String(reference)) = map.get("$ref") {
                    let pointer = reference.trim_start_matches('#');
                    assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
                    seen += 1;
                }
                waiting.extend(map.values());
            }
            _ => {}
        }
    }
    assert!(seen > 0, "there are references");
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    // HTTP Basic is for SCIM alone; discovery needs nothing.
    assert_eq!(document["components"]["securitySchemes"]["basic"]["scheme"], "basic");
    let security = |path: &str| &document["paths"][path]["get"]["security"];
    assert_eq!(*security("/scim/v2/Users"), serde_json::json!([{ "bearer": [] }, { "basic": [] }]));
    assert_eq!(*security("/scim/v2/Schemas"), serde_json::json!([{}]));
    assert_eq!(*security("/api/v1/sources"), Value::Null);
    assert_eq!(document["security"], serde_json::json!([{ "bearer": [] }]));
    assert_eq!(document["info"]["license"]["identifier"], "Apache-2.0");
}
