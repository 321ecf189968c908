//! Owners, blank rules, types and forms of attributes.

use crate::given::{ENTERPRISE, ID, errors, map, mapping, person, with, with_rule};
use rollcall_provisioning::mapping::{Decision, Person, Reference};
use serde_json::{Value, json};

/// What a mapping says of an attribute.
#[derive(Clone, PartialEq, Debug)]
enum Said {
    Nothing,
    Clear,
    Set(Value),
}

fn said(value: Option<&Option<Value>>) -> Said {
    match value {
        None => Said::Nothing,
        Some(None) => Said::Clear,
        Some(Some(value)) => Said::Set(value.clone()),
    }
}

/// What is said of the title, whether only once, and the findings.
fn only(rule: &Value, more: &Value) -> (Said, bool, Vec<String>) {
    let mapped = map(&with_rule("title", rule), more);
    let codes = mapped.findings.iter().map(|finding| finding.code.clone()).collect();
    (said(mapped.attributes.get("title")), mapped.once.contains("title"), codes)
}

#[test]
fn owners() {
    let user = json!({"title": "Clerk"});
    for (owner, expected, once) in [
        ("source", Said::Set(json!("Clerk")), false),
        ("once", Said::Set(json!("Clerk")), true),
        ("target", Said::Nothing, false),
    ] {
        let got = only(&json!({"value": "user.title", "owner": owner}), &user);
        assert_eq!(got, (expected, once, Vec::new()), "{owner}");
    }
    assert_eq!(only(&json!({"owner": "target"}), &user).0, Said::Nothing, "no expression is needed");
}

#[test]
fn what_blank_means() {
    for (blank, expected, findings) in
        [("leave", Said::Nothing, &[][..]), ("clear", Said::Clear, &[]), ("hold", Said::Nothing, &["title_missing"])]
    {
        for value in ["user.title", "null", "\"\"", "\"  \"", "coalesce(user.title, \" \")"] {
            let (got, _, codes) = only(&json!({"value": value, "blank": blank}), &json!({}));
            assert_eq!(got, expected, "{blank} {value}");
            assert_eq!(codes, findings, "{blank} {value}");
        }
    }
    assert_eq!(only(&json!({"value": "user.title"}), &json!({})).0, Said::Nothing, "it is left when nothing is said");
}

#[test]
fn types_and_forms() {
    for (attribute, value, expected) in [
        ("hired_date", "dateMillis(\"2024-03-01\")", Ok(json!(1_709_222_400_000_i64))),
        ("hired_date", "\" 17 \"", Ok(json!(17))),
        ("hired_date", "\"soon\"", Err("hired_date_rule_failed")),
        ("hide_mobile", "true", Ok(json!(true))),
        ("hide_mobile", "\"TRUE\"", Ok(json!(true))),
        ("hide_mobile", "1", Err("hide_mobile_rule_failed")),
        ("remark", "5", Ok(json!("5"))),
        ("remark", "true", Err("remark_rule_failed")),
        ("remark", "[\"a\"]", Err("remark_rule_failed")),
        ("org_email", "\"a@example.com\"", Ok(json!("a@example.com"))),
        ("org_email", "\"example.com\"", Err("org_email_malformed")),
        ("title", "\"a title that is too long\"", Err("title_too_long")),
        ("extension.shirt size", "\"XL\"", Ok(json!("XL"))),
    ] {
        let mapped = map(&with_rule(attribute, &json!({ "value": value })), &json!({}));
        let got = match mapped.findings.first() {
            Some(finding) => Err(finding.code.as_str()),
            None => Ok(mapped.attributes.get(attribute).cloned().flatten().unwrap_or_default()),
        };
        assert_eq!(got, expected, "{attribute} {value}");
        assert!(!mapped.blocked, "{attribute} is optional");
    }
}

#[test]
fn fields_of_the_organisation_share_their_length() {
    let rules = json!({"shirt": {"value": "user.title"}, "shoe": {"value": "user.title"}});
    let document = with_rule("extension", &rules);
    let short = map(&document, &json!({"title": "ten chars."}));
    assert_eq!(short.attributes.get("extension.shoe"), Some(&Some(json!("ten chars."))));
    let long = map(&with_rule("extension", &rules), &json!({"title": "twenty characters ..."}));
    let codes: Vec<&str> = long.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["title_too_long", "extension_too_long"]);
    assert!(long.attributes.keys().all(|name| !name.starts_with("extension.")));
}

#[test]
fn rules_that_cannot_be() {
    for (attribute, rule, expected) in [
        ("tilte", json!({"value": "user.title"}), "The target has no attribute \"tilte\". Did you mean \"title\"?"),
        ("org_units", json!({"value": "[]"}), "No rule of its own gives \"org_units\". It follows from"),
        (
            "name",
            json!({"value": "user.title", "blank": "clear"}),
            "/account/name/blank: The target requires a name, so a blank one",
        ),
        ("name", json!({"owner": "target"}), "/account/name/owner: The target requires a name, so it cannot own it."),
        ("hired_date", json!({"value": "1", "blank": "clear"}), "The target has no way to clear the hired_date."),
        (
            "title",
            json!({"value": "user.title", "owner": "sorce"}),
            "/account/title/owner: \"sorce\" means nothing here. Did you mean \"source\"?",
        ),
        ("title", json!({"blank": "clear"}), "/account/title/value: \"value\" is missing."),
        ("title", json!({"value": 5}), "/account/title/value: This is a number. It must be a text."),
        ("title", json!("user.title"), "/account/title: This is a text. It must be a table."),
        (
            "title",
            json!({"value": "user.title", "vlaue": ""}),
            "/account/title/vlaue: \"vlaue\" means nothing here. Did you mean \"value\"?",
        ),
    ] {
        let found = errors(&with_rule(attribute, &rule));
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
    let found = errors(&with(&json!({"account": {"name": {"value": "user.displayName"}}})));
    assert_eq!(found, ["/account/mobile: The target requires a mobile, and there is no rule for it. Write one."]);
}

#[test]
fn the_manager_is_a_rule_like_any_other() {
    let manager = json!({ENTERPRISE: {"manager": {"value": "m1"}}});
    for (rule, more, expected) in [
        (json!({"value": "enterprise.manager.value", "blank": "clear"}), &manager, Reference::To("m1".into())),
        (json!({"value": "enterprise.manager.value", "blank": "clear"}), &json!({}), Reference::Nobody),
        (json!({"value": "enterprise.manager.value"}), &json!({}), Reference::LeftAlone),
        (json!({"owner": "target"}), &manager, Reference::LeftAlone),
    ] {
        assert_eq!(map(&with_rule("manager", &rule), more).manager, expected, "{rule}");
    }
}

#[test]
fn a_trace_tells_how_a_value_came_about() {
    let mapping = mapping(&with_rule(
        "title",
        &json!({
            "value": "join([user.title, enterprise.costCenter, typed(user.phoneNumbers, \"mobile\")], \" / \")",
            "owner": "once", "blank": "hold",
        }),
    ));
    let resource = person(&json!({"title": "Clerk", ENTERPRISE: {"costCenter": "C1"}}));
    let person = Person::alone(ID, &resource);
    let trace = mapping.trace(&person, "title").expect("there is a rule");
    let inputs: Vec<(&str, &Value)> = trace.inputs.iter().map(|input| (input.path.as_str(), &input.value)).collect();
    let numbers = json!([{"type": "mobile", "value": "13800000001"}]);
    let center = format!("{ENTERPRISE}:costCenter");
    assert_eq!(
        inputs,
        [
            ("title", &json!("Clerk")),
            (center.as_str(), &json!("C1")),
            ("phoneNumbers[type eq \"mobile\"].value", &numbers),
        ]
    );
    assert_eq!(trace.pointer, "/account/title");
    assert_eq!(trace.value, Some(json!("Clerk / C1 / 13800000001")));
    assert!(matches!(&trace.decision, Decision::Held(finding) if finding.code == "title_too_long"), "{trace:?}");
    assert_eq!((trace.owner.as_str(), trace.blank.as_str()), ("once", "hold"));
    let userid = mapping.trace(&person, "userid").expect("it is traced too");
    assert_eq!(userid.decision, Decision::Set(json!("8b7f3c52000040008000000000000001")));
    let place = mapping.trace(&person, "org_units").expect("it is traced too");
    assert_eq!(place.decision, Decision::Set(json!([[]])), "directly under the root");
    assert_eq!(mapping.trace(&person, "shoe_size"), None);
}
