//! Bulk requests: what is read, in which order operations are served, what stands in place of a `bulkId`.

use proptest::prelude::*;
use rollcall_scim::bulk::{BulkRequest, REQUEST_SCHEMA, Step, references, resolve, without};
use rollcall_scim::schema::ResourceType;
use rollcall_scim::{Error, ScimType};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::given::{ENTERPRISE, groups, users};

fn types() -> [ResourceType; 2] {
    [users(), groups()]
}

fn request(operations: &Value) -> Result<BulkRequest, Error> {
    BulkRequest::parse(&json!({ "schemas": [REQUEST_SCHEMA], "Operations": operations }), &types())
}

/// A POST named `name` that refers to others.
fn post(name: &str, others: &[&str]) -> Value {
    let members: Vec<Value> = others.iter().map(|other| json!({ "value": format!("bulkId:{other}") })).collect();
    json!({ "method": "POST", "path": "/Groups", "bulkId": name, "data": { "displayName": name, "members": members } })
}

#[test]
fn operations_are_served_after_what_they_refer_to() {
    let delete = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    let change = |id: &str, other: &str| {
        let value = if other.is_empty() { json!("x") } else { json!(format!("bulkId:{other}")) };
        let operations = json!([{ "op": "add", "path": "manager", "value": { "value": value } }]);
        json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": { "Operations": operations } })
    };
    let cases = [
        (json!([post("a", &[]), post("b", &[])]), "0 1"),
        (json!([post("a", &["b"]), post("b", &[])]), "1 0"),
        (json!([post("a", &["b"]), post("b", &["c"]), post("c", &[])]), "2 1 0"),
        (json!([delete("bulkId:b"), post("b", &[]), post("c", &[])]), "1 0 2"),
        (json!([post("a", &["b"]), post("b", &["a"])]), "0- 1 0+"),
        (json!([post("a", &["a"])]), "0- 0+"),
        (json!([post("x", &["a"]), post("a", &["b"]), post("b", &["a"])]), "1- 0 2 1+"),
        (json!([change("1", "n"), change("1", ""), post("n", &[])]), "2 0 1"),
        (json!([change("1", "n"), delete("1"), change("2", ""), post("n", &[])]), "2 3 0 1"),
        (json!([post("a", &["b"]), change("bulkId:a", ""), post("b", &["a"])]), "0- 2 0+ 1"),
        (json!([change("bulkId:x", ""), post("x", &["a"]), post("a", &["b"]), post("b", &["a"])]), "2- 1 0 3 2+"),
        (json!([post("a", &["b", "c"]), post("b", &["a"]), post("c", &["b"])]), "0- 1 2 0+"),
    ];
    for (operations, order) in cases {
        let steps = request(&operations).expect("a request").plan();
        let words = steps.iter().map(|step| match step {
            Step::Whole(place) => place.to_string(),
            Step::Without(place) => format!("{place}-"),
            Step::Complete(place) => format!("{place}+"),
        });
        assert_eq!(words.collect::<Vec<_>>().join(" "), order, "{operations}");
    }
}

#[test]
fn what_does_not_touch_each_other_is_served_at_once() {
    let user = |name: &str| json!({ "method": "POST", "path": "/Users", "data": { "userName": name } });
    let boss = json!({ "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "boss" } });
    let report = |name: &str| json!({ "method": "POST", "path": "/Users", "data": { "userName": name, "manager": { "value": "bulkId:b" } } });
    let patch = |id: &str| json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": {} });
    let delete = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}") });
    let delete_version = |id: &str| json!({ "method": "DELETE", "path": format!("/Users/{id}"), "version": "W/\"1\"" });
    let called = |name: &str, external: &str| json!({ "method": "POST", "path": "/Users", "data": { "userName": name, "externalId": external } });
    let rename = |id: &str, name: &str| {
        let operations =
            json!([{ "op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:username", "value": name }]);
        json!({ "method": "PATCH", "path": format!("/Users/{id}"), "data": { "Operations": operations } })
    };
    let cases = [
        (json!([user("a"), user("b"), user("c")]), "0 1 2"),
        (json!([user("a"), user("A"), user("c")]), "0 | 1 2"),
        (json!([user("a"), post("g", &[]), user("c")]), "0 | 1 | 2"),
        (json!([called("a", "X"), called("b", "X"), called("c", "Y")]), "0 | 1 2"),
        (json!([rename("1", "a"), rename("2", "b"), rename("3", "A")]), "0 1 | 2"),
        (json!([delete("1"), delete_version("2"), delete("3"), delete("4")]), "0 | 1 | 2 3"),
        (json!([boss, report("r"), report("s")]), "0 | 1 2"),
        (json!([patch("1"), patch("2"), patch("1")]), "0 1 | 2"),
        (json!([patch("1"), delete("2"), delete("3")]), "0 | 1 2"),
        (json!([user("a"), "nonsense", user("b")]), "0 1 2"),
        (json!([post("a", &["b"]), post("b", &["a"]), post("c", &[])]), "2 | 0 | 1 | 0"),
    ];
    for (operations, expected) in cases {
        let mut request = request(&operations).expect("a request");
        let waves = |request: &BulkRequest| {
            let place = |step: Step| match step {
                Step::Whole(place) | Step::Without(place) | Step::Complete(place) => place.to_string(),
            };
            let waves =
                request.waves(false).into_iter().map(|wave| wave.into_iter().map(place).collect::<Vec<_>>().join(" "));
            waves.collect::<Vec<_>>().join(" | ")
        };
        assert_eq!(waves(&request), expected, "{operations}");
        request.fail_on_errors = Some(1);
        assert_eq!(waves(&request), expected.replace(" | ", " ").replace(' ', " | "), "{operations}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error_of_its_own() {
    let cases = [
        (json!({ "method": "GET", "path": "/Users/1" }), ScimType::InvalidSyntax, "method"),
        (json!({ "path": "/Users/1" }), ScimType::InvalidSyntax, "method"),
        (json!({ "method": "DELETE" }), ScimType::InvalidSyntax, "path"),
        (json!({ "method": "DELETE", "path": "/Users" }), ScimType::InvalidPath, "/Users/{id}"),
        (json!({ "method": "POST", "path": "/Users/1", "data": {} }), ScimType::InvalidPath, "must be /Users"),
        (json!({ "method": "POST", "path": "/Bulk", "data": {} }), ScimType::InvalidPath, "/Users, /Groups"),
        (json!({ "method": "PUT", "path": "/Users/1/2", "data": {} }), ScimType::InvalidPath, "/Users/1/2"),
        (json!({ "method": "PUT", "path": "/Users/1?x=y", "data": {} }), ScimType::InvalidPath, "x=y"),
        (json!({ "method": "PATCH", "path": "/Users/1" }), ScimType::InvalidSyntax, "data"),
        (json!({ "method": "DELETE", "path": "/Users/1", "version": 7 }), ScimType::InvalidSyntax, "version"),
        (json!({ "method": "DELETE", "path": "/Users/bulkId:x" }), ScimType::InvalidValue, "\"x\""),
        (post("a", &["nobody"]), ScimType::InvalidValue, "\"nobody\""),
        (json!("POST"), ScimType::InvalidSyntax, "method"),
    ];
    for (operation, scim_type, part) in cases {
        let read = request(&json!([operation, post("b", &[])])).expect("a request");
        let error = read.operations[0].operation.clone().expect_err(&operation.to_string());
        assert_eq!(error.scim_type, Some(scim_type), "{operation}: {error:?}");
        assert!(error.detail.contains(part), "{operation}: {}", error.detail);
        assert!(read.operations[1].operation.is_ok());
        assert_eq!(read.plan(), [Step::Whole(0), Step::Whole(1)]);
    }
    // What refers to such an operation is an error too, and so on; in no order is it served in part.
    let chain = json!([post("a", &["b"]), post("b", &["c"]), post("c", &["nobody"]), post("d", &[])]);
    let read = request(&chain).expect("a request");
    let failed: Vec<bool> = read.operations.iter().map(|entry| entry.operation.is_err()).collect();
    assert_eq!(failed, [true, true, true, false]);
    assert_eq!(read.plan(), [Step::Whole(0), Step::Whole(1), Step::Whole(2), Step::Whole(3)]);
    for method in ["post", "Post"] {
        let read = request(&json!([{ "method": method, "path": "users/", "data": {} }])).expect("a request");
        let operation = read.operations[0].operation.clone().expect("other spellings");
        assert_eq!(operation.endpoint, "/Users");
    }
}

#[test]
fn the_frame_is_checked() {
    let cases = [
        (json!({ "Operations": [] }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA] }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA], "Operations": {} }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA], "Operations": [], "failOnErrors": "1" }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA], "Operations": [], "failOnErrors": -1 }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA], "Operations": [post("a", &[]), post("a", &[])] }), 400),
        (json!({ "schemas": [REQUEST_SCHEMA], "Operations": vec![json!({}); 1_001] }), 413),
    ];
    for (body, status) in cases {
        assert_eq!(BulkRequest::parse(&body, &types()).expect_err("a bad frame").status, status);
    }
    let read = |number: Value| {
        let body = json!({ "schemas": [REQUEST_SCHEMA], "Operations": [], "failOnErrors": number });
        BulkRequest::parse(&body, &types()).expect("a request").fail_on_errors
    };
    assert_eq!((read(json!(1)), read(json!(0)), read(Value::Null)), (Some(1), None, None));
}

#[test]
fn references_become_ids_or_go() {
    let op = |path: &str, value: Value| json!({ "Operations": [{ "op": "add", "path": path, "value": value }] });
    let filtered =
        |name: &str| json!({ "Operations": [{ "op": "remove", "path": format!("members[value eq \"{name}\"]") }] });
    let (a, named) = (|| json!("bulkId:a"), |value: Value| json!({ "value": value }));
    let groups = groups();
    // Where a reference stands: what becomes of it, and what is left without it.
    for (rt, body, resolved, left) in [
        (
            &groups,
            json!({ "members": [named(a()), "bulkId:a", "m"] }),
            json!({ "members": [named(json!("1")), "1", "m"] }),
            json!({ "members": ["m"] }),
        ),
        (&groups, json!({ "Members": { "VALUE": "bulkId:a" } }), json!({ "Members": { "VALUE": "1" } }), json!({})),
        (
            &groups,
            json!({ "members": [{ "$ref": "bulkId:a" }] }),
            json!({ "members": [{ "$ref": "1" }] }),
            json!({ "members": [] }),
        ),
        (
            &users(),
            json!({ ENTERPRISE: { "manager": named(a()), "department": "bulkId:a" } }),
            json!({ ENTERPRISE: { "manager": named(json!("1")), "department": "bulkId:a" } }),
            json!({ ENTERPRISE: { "department": "bulkId:a" } }),
        ),
        (&users(), json!({ "manager": "bulkId:a" }), json!({ "manager": "1" }), json!({})),
        (
            &users(),
            json!({ format!("{ENTERPRISE}:manager.value"): "bulkId:a" }),
            json!({ format!("{ENTERPRISE}:manager.value"): "1" }),
            json!({}),
        ),
    ] {
        assert_eq!(references(rt, &body), BTreeSet::from(["a".to_owned()]), "{body}");
        assert_eq!(with_ids(rt, &body), resolved, "{body}");
        assert_eq!(without(rt, &body, &BTreeSet::from(["a".to_owned()])), left, "{body}");
        assert_eq!(without(rt, &body, &BTreeSet::from(["b".to_owned()])), body);
    }
    // In what a PATCH says.
    for (rt, body, resolved) in [
        (&groups, op("members", json!([named(a())])), op("members", json!([named(json!("1"))]))),
        (&groups, op("", json!({ "members": [named(a())] })), op("", json!({ "members": [named(json!("1"))] }))),
        (&groups, op("members[value eq \"x\"].value", a()), op("members[value eq \"x\"].value", json!("1"))),
        (&groups, filtered("bulkId:a"), filtered("1")),
        (&groups, filtered("bulkId:a\" or value eq \"bulkId:a"), filtered("1\" or value eq \"1")),
        (&users(), op("manager", named(a())), op("manager", named(json!("1")))),
        (
            &users(),
            op(&format!("{ENTERPRISE}:manager.value"), a()),
            op(&format!("{ENTERPRISE}:manager.value"), json!("1")),
        ),
        (
            &users(),
            op(ENTERPRISE, json!({ "manager": a(), "division": a() })),
            op(ENTERPRISE, json!({ "manager": "1", "division": a() })),
        ),
    ] {
        assert_eq!(references(rt, &body), BTreeSet::from(["a".to_owned()]), "{body}");
        assert_eq!(with_ids(rt, &body), resolved, "{body}");
    }
    // What only looks like one.
    for (rt, body) in [
        (&groups, json!({ "displayName": "bulkId:a", "externalId": "bulkId:a" })),
        (&groups, json!({ "members": [named(json!("bulkId:")), { "display": "bulkId:a" }, ["bulkId:a"]] })),
        (
            &users(),
            json!({ "displayName": "bulkId:a", "emails": [named(a())], "photos": [named(a())], "profileUrl": a() }),
        ),
        (&users(), json!({ "groups": [named(a())], "nothing": a(), "urn:x": { "manager": a() } })),
        (&users(), op("displayName", a())),
        (&users(), op("emails[value eq \"bulkId:a\"].display", a())),
        (&users(), op("", json!({ "title": "bulkId:a" }))),
    ] {
        assert_eq!(references(rt, &body), BTreeSet::new(), "{body}");
        assert_eq!(with_ids(rt, &body), body);
        assert_eq!(without(rt, &body, &BTreeSet::from(["a".to_owned()])), body);
    }
}

/// The body with 1 in place of references to `a`.
fn with_ids(rt: &ResourceType, body: &Value) -> Value {
    let mut resolved = body.clone();
    resolve(rt, &mut resolved, &BTreeMap::from([("a".to_owned(), "1".to_owned())]));
    resolved
}

proptest! {
    /// Whoever refers to whom: everybody is served once, nobody whole before what they refer to, and whoever began
    /// without something is completed when it is all there.
    #[test]
    fn every_plan_serves_everybody(edges in proptest::collection::vec((0_usize..8, 0_usize..8), 0..24)) {
        let names: Vec<String> = (0..8).map(|number| format!("n{number}")).collect();
        let others = |place: usize| -> BTreeSet<usize> {
            edges.iter().filter(|(from, _)| *from == place).map(|(_, to)| *to).collect()
        };
        let posts: Vec<Value> = (0..8)
            .map(|place| post(&names[place], &others(place).iter().map(|to| names[*to].as_str()).collect::<Vec<_>>()))
            .collect();
        let mut there = HashSet::new();
        let mut begun = HashSet::new();
        for step in request(&json!(posts)).expect("a request").plan() {
            match step {
                Step::Whole(place) => {
                    prop_assert!(others(place).iter().all(|to| there.contains(to)));
                    prop_assert!(there.insert(place));
                }
                Step::Without(place) => {
                    prop_assert!(!others(place).iter().all(|to| there.contains(to)), "for no reason");
                    prop_assert!(there.insert(place));
                    begun.insert(place);
                }
                Step::Complete(place) => {
                    prop_assert!(others(place).iter().all(|to| there.contains(to)));
                    prop_assert!(begun.remove(&place));
                }
            }
        }
        prop_assert_eq!(there.len(), 8);
        prop_assert!(begun.is_empty());
    }
}
