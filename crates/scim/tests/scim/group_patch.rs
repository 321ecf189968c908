//! PATCH on groups, whose members are kept apart and not loaded.

use rollcall_scim::filter::Filter;
use rollcall_scim::patch::{self, Context, Detached, PatchRequest};
use serde_json::{Value, json};

use crate::given::{ID, generic, groups, keyword, member_changes, patch_body, patched, stored};

fn filter(text: &str) -> Filter {
    match Filter::parse(&format!("members[{text}]"), &groups(), &generic()) {
        Ok(Filter::ValuePath { filter, .. }) => *filter,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn changes_of_members() {
    let a = || json!({ "value": "a" });
    let b = || json!({ "value": "b" });
    let cases = [
        // B1, B2: the value says whom to remove, by `value` alone.
        (
            json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]),
            vec![Detached::RemoveValues(vec![a()])],
        ),
        (
            json!([{ "op": "remove", "path": "members", "value": { "value": "a" } }]),
            vec![Detached::RemoveValues(vec![a()])],
        ),
        (
            json!([{ "op": "remove", "path": "members", "value": ["a", "b"] }]),
            vec![Detached::RemoveValues(vec![a(), b()])],
        ),
        (json!([{ "op": "remove", "path": "members", "value": [] }]), vec![]),
        (json!([{ "op": "remove", "path": "members", "value": [{ "$ref": null }] }]), vec![]),
        // B3, P11.
        (
            json!([{ "op": "remove", "path": "members[value eq \"a\"]" }]),
            vec![Detached::RemoveWhere(filter("value eq \"a\""))],
        ),
        (
            json!([{ "op": "remove", "path": "members[value eq\"a\"]" }]),
            vec![Detached::RemoveWhere(filter("value eq \"a\""))],
        ),
        (
            json!([{ "op": "remove", "path": "members [ value eq \"a\" ]" }]),
            vec![Detached::RemoveWhere(filter("value eq \"a\""))],
        ),
        // B4.
        (json!([{ "op": "remove", "path": "members" }]), vec![Detached::RemoveAll]),
        (json!([{ "op": "remove", "path": "members", "value": null }]), vec![Detached::RemoveAll]),
        (json!([{ "op": "remove", "path": "members", "value": "" }]), vec![Detached::RemoveAll]),
        // B6, B10, B15, B16.
        (
            json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }]),
            vec![Detached::Add(vec![a()])],
        ),
        (json!([{ "op": "add", "path": "members", "value": [a(), b(), a()] }]), vec![Detached::Add(vec![a(), b()])]),
        (
            json!([{ "op": "add", "path": "members", "value": [{ "value": "a", "type": "User", "displayName": "A" }] }]),
            vec![Detached::Add(vec![json!({ "value": "a", "type": "User" })])],
        ),
        (json!([{ "op": "add", "path": "members", "value": a() }]), vec![Detached::Add(vec![a()])]),
        (json!([{ "op": "add", "value": { "members": [a()] } }]), vec![Detached::Add(vec![a()])]),
        (json!([{ "op": "add", "path": "members", "value": [] }]), vec![]),
        (
            json!([{ "op": "add", "path": "members[value eq \"a\"]", "value": { "type": "User" } }]),
            vec![Detached::Add(vec![json!({ "value": "a", "type": "User" })])],
        ),
        // B7.
        (json!([{ "op": "replace", "path": "members", "value": [] }]), vec![Detached::Replace(vec![])]),
        (json!([{ "op": "replace", "path": "members", "value": [a(), a()] }]), vec![Detached::Replace(vec![a()])]),
        (json!([{ "op": "replace", "value": { "members": [b()] } }]), vec![Detached::Replace(vec![b()])]),
        (
            json!([{ "op": "replace", "path": "members[value eq \"a\"]", "value": { "value": "b" } }]),
            vec![Detached::RemoveWhere(filter("value eq \"a\"")), Detached::Add(vec![b()])],
        ),
        // Okta's push and a validator's round trip: order is kept.
        (
            json!([
                { "op": "remove", "path": "members[value eq \"a\"]" },
                { "op": "add", "path": "members", "value": [{ "value": "b", "display": "B" }] },
            ]),
            vec![Detached::RemoveWhere(filter("value eq \"a\"")), Detached::Add(vec![json!({ "value": "b" })])],
        ),
    ];
    for (operations, wanted) in cases {
        let changes = member_changes(&operations);
        assert!(changes.iter().all(|change| change.attribute == "members"));
        assert_eq!(changes.into_iter().map(|change| change.change).collect::<Vec<_>>(), wanted, "{operations}");
    }
}

#[test]
fn a_rename_that_repeats_the_id() {
    let current = json!({ "displayName": "Staff" });
    let rename = |id: Value| {
        let operations = json!([{ "op": "replace", "value": { "id": id, "displayName": "New" } }]);
        patched(&groups(), &generic(), &current, &operations)
    };
    let after = rename(json!(ID)).expect("the same id");
    assert_eq!(after.resource.string("displayName"), Some("New"));
    for id in [json!("other"), json!(7), json!(null)] {
        let error = rename(id.clone()).expect_err("another id");
        assert_eq!(keyword(&error), "mutability", "{id}");
        assert!(error.detail.contains("operation 1 (replace)") && error.detail.contains(ID), "{}", error.detail);
    }
}

#[test]
fn members_that_cannot_be() {
    let cases = [
        (json!([{ "op": "add", "path": "members", "value": [{ "display": "nobody" }] }]), "invalidValue"),
        (json!([{ "op": "add", "path": "members", "value": [7] }]), "invalidValue"),
        (json!([{ "op": "add", "path": "members" }]), "invalidValue"),
        (json!([{ "op": "add", "path": "members", "value": [{ "value": "a".repeat(1_025) }] }]), "invalidValue"),
        (json!([{ "op": "replace", "path": "members", "value": "a".repeat(1_025) }]), "invalidValue"),
        (json!([{ "op": "replace", "path": "members[value eq \"a\"].value", "value": "b" }]), "mutability"),
        (json!([{ "op": "replace", "path": "members[value eq \"a\"].display", "value": "b" }]), "mutability"),
        (json!([{ "op": "remove", "path": "members[value eq \"a\"].value" }]), "mutability"),
        (json!([{ "op": "add", "path": "members[value sw \"a\"]", "value": { "type": "User" } }]), "noTarget"),
        (json!([{ "op": "add", "path": "members[type eq \"User\"]", "value": { "display": "x" } }]), "noTarget"),
        (json!([{ "op": "add", "path": "members[value eq \"a\"]", "value": { "value": "b" } }]), "noTarget"),
        (json!([{ "op": "replace", "path": "members[value eq \"a\"]", "value": { "type": "User" } }]), "noTarget"),
        (json!([{ "op": "replace", "path": "members[foo eq \"a\"]", "value": {} }]), "invalidFilter"),
        (json!([{ "op": "remove", "path": "displayName" }]), "mutability"),
        (json!([{ "op": "replace", "path": "displayName", "value": "" }]), "invalidValue"),
    ];
    for (operations, wanted) in cases {
        let error =
            patched(&groups(), &generic(), &json!({ "displayName": "Staff" }), &operations).expect_err("refused");
        assert_eq!(keyword(&error), wanted, "{operations}: {}", error.detail);
    }
}

#[test]
fn members_can_also_be_kept_inside() {
    let current = stored(&json!({
        "displayName": "Staff",
        "members": [{ "value": "a", "display": "A", "type": "User" }, { "value": "b" }],
    }));
    let after = |operations: Value| {
        let request = PatchRequest::parse(&groups(), &patch_body(&operations), &generic()).expect("a request");
        let profile = generic();
        let context = Context { id: ID, profile: &profile, detached: &[] };
        let patched = patch::apply(&groups(), &current, &request, &context).expect("success");
        assert!(patched.detached.is_empty());
        patched
            .resource
            .values("members")
            .iter()
            .filter_map(|member| member["value"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    assert_eq!(after(json!([{ "op": "Remove", "path": "members", "value": [{ "value": "a" }] }])), ["b"]);
    assert_eq!(after(json!([{ "op": "remove", "path": "members[value eq \"a\"]" }])), ["b"]);
    assert_eq!(after(json!([{ "op": "remove", "path": "members[value eq \"x\"]" }])), ["a", "b"]);
    assert_eq!(
        after(json!([{ "op": "add", "path": "members", "value": [{ "value": "a" }, { "value": "c" }] }])),
        ["a", "b", "c"]
    );
    assert!(after(json!([{ "op": "replace", "path": "members", "value": [] }])).is_empty());
}
