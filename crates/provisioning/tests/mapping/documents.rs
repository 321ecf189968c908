//! Documents as a whole: their examples, and what is different between two.

use crate::given::{CUSTOM, ENTERPRISE, compile, errors, mapping, with, with_rule};
use rollcall_provisioning::mapping::{Mapping, compare};
use serde_json::{Value, json};

#[test]
fn the_default_document_is_what_counts_without_one() {
    for document in [json!({}), Mapping::default_document()] {
        assert!(compile(&document).is_ok());
    }
    assert_eq!(errors(&json!([])), ["the document: This is a list. It must be a table."]);
    assert_eq!(errors(&json!({"scop": []})), ["/scop: \"scop\" means nothing here. Did you mean \"scope\"?"]);
    assert_eq!(errors(&json!({"scope": {}})), ["/scope: This is a table. It must be a list."]);
    assert_eq!(
        errors(&json!({"account": 5})).first().map(String::as_str),
        Some("/account: This is not a table. Write a table from the name of an attribute to its rule.")
    );
    assert_eq!(
        errors(&json!({"registered_abroad": "yes"})),
        ["/registered_abroad: This is a text. It must be true or false."]
    );
}

#[test]
fn a_mapping_is_shared() {
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    shared(&mapping(&json!({})));
}

#[test]
fn stored_examples_are_run() {
    let user = json!({
        "displayName": "Sample Person",
        "phoneNumbers": [{"type": "mobile", "value": "+852 5000 0001"}],
        ENTERPRISE: {"department": "Sales"},
        CUSTOM: {"shoeSize": "44"},
    });
    let expect = json!({
        "in_scope": true, "kind": "normal", "blocked": false, "findings": [], "manager": null,
        "attributes": {"name": "Sample Person", "mobile": "+852-50000001", "remark": "44", "title": null},
        "departments": [["Sales"]],
    });
    let mut wrong = expect.clone();
    wrong["attributes"]["name"] = json!("Someone else");
    wrong["departments"] = json!([["Marketing"]]);
    let mut document = with_rule("remark", &json!({"value": format!("extensions[\"{CUSTOM}\"].shoeSize")}));
    document["examples"] = json!([
        {"name": "as it should be", "user": user, "expect": expect},
        {"name": "otherwise", "user": user, "expect": wrong},
    ]);
    let results = mapping(&document).test();
    assert_eq!(results.len(), 2);
    assert!(results[0].differences.is_empty(), "{:?}", results[0]);
    let found: Vec<(&str, &Value, &Value)> =
        results[1].differences.iter().map(|one| (one.what.as_str(), &one.expected, &one.got)).collect();
    assert_eq!(
        found,
        [
            ("attributes.name", &json!("Someone else"), &json!("Sample Person")),
            ("departments", &json!([["Marketing"]]), &json!([["Sales"]])),
        ]
    );
}

#[test]
fn examples_that_cannot_be() {
    for (example, expected) in [
        (json!({"name": "x"}), "/examples/0/expect: \"expect\" is missing."),
        (
            json!({"name": "x", "expect": {"in_scop": true}}),
            "/examples/0/expect/in_scop: \"in_scop\" means nothing here. Did you mean \"in_scope\"?",
        ),
        (json!({"name": "x", "user": {"emails": 5}, "expect": {}}), "/examples/0/user: This is no user: "),
        (json!({"expect": {}}), "/examples/0/name: The rule has no name."),
    ] {
        let found = errors(&with(&json!({"examples": [example]})));
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn documents_are_compared_rule_by_rule() {
    let scope = |names: &[&str]| -> Value {
        names.iter().map(|name| json!({"name": name, "when": "true", "include": true})).collect()
    };
    let old = with(&json!({"scope": scope(&["a", "b", "c"])}));
    assert!(compare(&old, &old).is_empty());
    let mut new = with(&json!({"scope": scope(&["c", "a", "d"])}));
    new["account"]["title"]["value"] = json!("user.nickName");
    new["registered_abroad"] = json!(true);
    let found = compare(&old, &new);
    let changed: Vec<(&str, Option<&Value>, Option<&Value>)> =
        found.iter().map(|one| (one.path.as_str(), one.before.as_ref(), one.after.as_ref())).collect();
    let (b, d) =
        (json!({"name": "b", "when": "true", "include": true}), json!({"name": "d", "when": "true", "include": true}));
    assert_eq!(
        changed,
        [
            ("/account/title/value", Some(&json!("user.title")), Some(&json!("user.nickName"))),
            ("/scope/b", Some(&b), None),
            ("/scope/d", None, Some(&d)),
            ("/scope", Some(&json!(["a", "c"])), Some(&json!(["c", "a"]))),
            ("/registered_abroad", None, Some(&json!(true))),
        ]
    );
}
