//! The discovery documents.

use rollcall_scim::discovery::{Capabilities, resource_type, resource_types, schema, schemas, service_provider_config};
use rollcall_scim::schema::{Attribute, Kind, Mutability, ResourceType, Returned, Schema, Uniqueness};
use serde_json::{Value, json};

use crate::given::{DINGTALK, ENTERPRISE, GROUP, USER, groups, users};

const BASE: &str = "https://x.example/scim/v2";

fn types() -> Vec<ResourceType> {
    vec![users(), groups()]
}

fn attribute<'a>(schema: &'a Value, path: &str) -> &'a Value {
    path.split('.').fold(schema, |found, name| {
        let list = found.get("attributes").or_else(|| found.get("subAttributes")).and_then(Value::as_array);
        list.into_iter().flatten().find(|attribute| attribute["name"] == name).unwrap_or_else(|| panic!("{path}"))
    })
}

#[test]
fn the_configuration_tells_the_truth() {
    let capabilities = Capabilities {
        max_results: 200,
        default_page_size: 100,
        cursor_timeout: 3600,
        max_payload_size: 1_048_576,
        basic_authentication: false,
        documentation_uri: Some("https://x.example/docs".into()),
    };
    let body = service_provider_config(&capabilities, BASE);
    assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    assert_eq!(body["patch"], json!({ "supported": true }));
    assert_eq!(body["bulk"], json!({ "supported": true, "maxOperations": 1_000, "maxPayloadSize": 1_048_576 }));
    assert_eq!(body["filter"], json!({ "supported": true, "maxResults": 200 }));
    assert_eq!(body["changePassword"]["supported"], json!(false));
    assert_eq!(body["sort"]["supported"], json!(true));
    assert_eq!(body["etag"]["supported"], json!(true));
    assert_eq!(body["authenticationSchemes"][0]["type"], json!("oauthbearertoken"));
    assert_eq!(body["documentationUri"], json!("https://x.example/docs"));
    let pagination = json!({
        "cursor": true, "index": true, "defaultPaginationMethod": "index", "defaultPageSize": 100,
        "maxPageSize": 200, "cursorTimeout": 3600,
    });
    assert_eq!(body["pagination"], pagination);
    assert_eq!(body["authenticationSchemes"][1]["type"], json!("oauth2"));
    assert_eq!(body["authenticationSchemes"].as_array().map(Vec::len), Some(2));
    let basic = Capabilities { basic_authentication: true, documentation_uri: None, ..capabilities };
    assert_eq!(service_provider_config(&basic, BASE)["authenticationSchemes"][2]["type"], json!("httpbasic"));
    let silent = service_provider_config(&Capabilities { documentation_uri: None, ..capabilities }, BASE);
    assert_eq!(silent.get("documentationUri"), None);
}

#[test]
fn schemas_are_all_there_once() {
    let body = schemas(BASE, &types());
    let ids: Vec<&str> =
        body["Resources"].as_array().expect("a list").iter().filter_map(|item| item["id"].as_str()).collect();
    let core = |name: &str| format!("urn:ietf:params:scim:schemas:core:2.0:{name}");
    assert_eq!(
        ids,
        [USER, ENTERPRISE, DINGTALK, GROUP, &core("ServiceProviderConfig"), &core("ResourceType"), &core("Schema")]
    );
    assert_eq!((&body["totalResults"], &body["itemsPerPage"], &body["startIndex"]), (&json!(7), &json!(7), &json!(1)));
    assert!(!body.to_string().contains("null"), "Entra wants no null");
}

#[test]
fn a_schema_is_found_in_any_case() {
    let body = schema(BASE, &types(), &GROUP.to_uppercase()).expect("the group schema");
    assert_eq!(body["id"], json!(GROUP));
    assert_eq!(body["meta"]["location"], json!(format!("{BASE}/Schemas/{GROUP}")));
    let error = schema(BASE, &types(), "urn:example:none").expect_err("unknown");
    assert_eq!(error.status, 404);
    assert_eq!(
        schema(BASE, &types(), "urn:ietf:params:scim:api:messages:2.0:ListResponse").expect_err("a message").status,
        404
    );
}

#[test]
fn resource_types_name_their_extensions() {
    let body = resource_types(BASE, &types());
    assert_eq!(body["totalResults"], json!(2));
    let user = resource_type(BASE, &types(), "user").expect("User");
    assert_eq!(user, body["Resources"][0]);
    assert_eq!((&user["endpoint"], &user["schema"]), (&json!("/Users"), &json!(USER)));
    assert_eq!(
        user["schemaExtensions"],
        json!([{ "schema": ENTERPRISE, "required": false }, { "schema": DINGTALK, "required": false }])
    );
    assert_eq!(resource_type(BASE, &types(), "Device").expect_err("unknown").status, 404);
}

#[test]
fn characteristics_of_attributes() {
    let find = |urn| schema(BASE, &types(), urn).expect("a schema");
    let (user, group, enterprise, dingtalk) = (find(USER), find(GROUP), find(ENTERPRISE), find(DINGTALK));
    // schema, attribute, characteristic, value.
    let cases = [
        (&user, "userName", "required", json!(true)),
        (&user, "userName", "uniqueness", json!("server")),
        (&user, "userName", "caseExact", json!(false)),
        (&user, "active", "type", json!("boolean")),
        (&user, "active", "required", json!(false)),
        (&user, "password", "returned", json!("never")),
        (&user, "password", "mutability", json!("writeOnly")),
        (&user, "emails", "multiValued", json!(true)),
        (&user, "emails.type", "canonicalValues", json!(["work", "home", "other"])),
        (&user, "addresses.primary", "type", json!("boolean")),
        (&user, "groups", "mutability", json!("readOnly")),
        (&user, "groups.$ref", "referenceTypes", json!(["Group"])),
        (&user, "x509Certificates.value", "type", json!("binary")),
        (&user, "profileUrl", "referenceTypes", json!(["external"])),
        (&group, "displayName", "required", json!(true)),
        (&group, "displayName", "uniqueness", json!("server")),
        (&group, "members.value", "mutability", json!("immutable")),
        (&group, "members.display", "type", json!("string")),
        (&group, "members.$ref", "referenceTypes", json!(["User", "Group"])),
        (&enterprise, "manager.value", "caseExact", json!(true)),
        (&enterprise, "manager.displayName", "mutability", json!("readOnly")),
        (&dingtalk, "appliedVersion", "type", json!("integer")),
        (&dingtalk, "lastAppliedAt", "type", json!("dateTime")),
        (&dingtalk, "state", "returned", json!("request")),
        (&dingtalk, "state", "mutability", json!("readOnly")),
    ];
    for (schema, path, characteristic, wanted) in cases {
        assert_eq!(attribute(schema, path)[characteristic], wanted, "{path} {characteristic}");
    }
    assert_eq!(attribute(&user, "displayName").get("canonicalValues"), None, "empty lists are left out");
}

/// Checks that a document holds what its own published schema declares: nothing unknown, nothing required missing,
/// and every value of its type.
fn check_document(place: &str, document: &Value, attributes: &[Attribute]) {
    // The schema of schemas describes parts of attributes once, however deep they are (RFC 7643 §8.7.2).
    let object = document.as_object().unwrap_or_else(|| panic!("{place} is an object"));
    for (key, value) in object.iter().filter(|(key, _)| !["schemas", "id", "meta"].contains(&key.as_str())) {
        let known = attributes.iter().find(|attribute| attribute.name == *key);
        let attribute = known.unwrap_or_else(|| panic!("{place}.{key} is declared"));
        let values =
            if attribute.multi_valued { value.as_array().expect("an array").clone() } else { vec![value.clone()] };
        for value in values {
            let fits = match attribute.kind {
                Kind::Complex => true,
                Kind::Boolean => value.is_boolean(),
                Kind::Integer => value.is_i64(),
                _ => value.is_string(),
            };
            assert!(fits, "{place}.{key} is {value}");
            if attribute.kind == Kind::Complex {
                let mut parts = attribute.sub_attributes.clone();
                parts.extend((key == "subAttributes").then(|| attribute.clone()));
                check_document(&format!("{place}.{key}"), &value, &parts);
            }
        }
    }
    for attribute in attributes.iter().filter(|attribute| attribute.required) {
        assert!(object.contains_key(&attribute.name), "{place}.{} is required", attribute.name);
    }
}

#[test]
fn documents_obey_their_own_schemas() {
    let documents: Vec<Schema> = rollcall_scim::schema::meta::schemas();
    let find = |name: &str| {
        let schema = documents.iter().find(|schema| schema.id.ends_with(name)).expect(name);
        assert!(schema.attributes.iter().all(|attribute| attribute.mutability == Mutability::ReadOnly));
        schema.attributes.clone()
    };
    let capabilities = Capabilities {
        max_results: 1,
        default_page_size: 1,
        cursor_timeout: 1,
        max_payload_size: 1,
        basic_authentication: false,
        documentation_uri: None,
    };
    check_document("config", &service_provider_config(&capabilities, BASE), &find(":ServiceProviderConfig"));
    for body in resource_types(BASE, &types())["Resources"].as_array().expect("a list") {
        check_document("type", body, &find(":ResourceType"));
    }
    for body in schemas(BASE, &types())["Resources"].as_array().expect("a list") {
        check_document("schema", body, &find(":Schema"));
    }
}

#[test]
fn only_the_server_writes_the_dingtalk_extension() {
    let rt = users();
    let extension = rt.extension(&DINGTALK.to_lowercase()).expect("the extension");
    let names: Vec<&str> = extension.schema.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["userId", "state", "appliedVersion", "lastAppliedAt", "reason"]);
    for attribute in &extension.schema.attributes {
        assert_eq!((attribute.mutability, attribute.returned), (Mutability::ReadOnly, Returned::Request));
        assert_eq!(attribute.uniqueness, Uniqueness::None);
    }
}
