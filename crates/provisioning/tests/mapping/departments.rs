//! Where a person belongs.

use crate::given::{ENTERPRISE, errors, map, mapping, with};
use rollcall_provisioning::mapping::{Mapped, Visibility};
use rollcall_provisioning::org_unit::OrgName;
use serde_json::{Value, json};

fn place(section: &Value, more: &Value) -> Mapped {
    map(&with(&json!({ "departments": section })), more)
}

fn paths(mapped: &Mapped) -> Vec<Vec<&str>> {
    mapped.departments.iter().map(|place| place.path.iter().map(|unit| unit.name.as_str()).collect()).collect()
}

#[test]
fn one_path_or_several() {
    let user = json!({ENTERPRISE: {"organization": "Acme", "department": "Sales", "costCenter": "A/B"}});
    for (rule, expected) in [
        ("[enterprise.organization, enterprise.division, enterprise.department]", json!([["Acme", "Sales"]])),
        ("enterprise.department", json!([["Sales"]])),
        ("null", json!([[]])),
        ("[]", json!([[]])),
        ("split(enterprise.costCenter, \"/\")", json!([["A", "B"]])),
        (
            "[[\"Acme\", \"Sales\"], [\"Projects\", enterprise.costCenter]]",
            json!([["Acme", "Sales"], ["Projects", "A/B"]]),
        ),
        ("[[\"Acme\"], [enterprise.division], [\"acme\"]]", json!([["Acme"]])),
        ("groups.map(g, [\"Groups\", g.displayName])", json!([[]])),
        ("[\"Class\", 7]", json!([["Class", "7"]])),
    ] {
        let mapped = place(&json!({ "paths": rule }), &user);
        assert_eq!(json!(paths(&mapped)), expected, "{rule}: {:?}", mapped.findings);
    }
    for rule in ["true", "[true]", "[[\"a\"], \"b\"]", "[[[\"a\"]]]", "user.title + \"x\""] {
        let mapped = place(&json!({ "paths": rule }), &user);
        assert!(mapped.blocked, "{rule}");
        assert_eq!(mapped.findings[0].code, "org_units_rule_failed", "{rule}");
    }
}

#[test]
fn what_lies_too_deep() {
    for (deeper, expected) in [
        ("flatten", json!([["a", "b", "e"]])),
        ("join", json!([["a", "b", "c / d / e"]])),
        ("cut", json!([["a", "b", "c"]])),
    ] {
        let levels = json!({"most": 3, "deeper": deeper});
        let mapped = place(&json!({"paths": "[\"a\", \"b\", \"c\", \"d\", \"e\"]", "levels": levels}), &json!({}));
        assert_eq!(json!(paths(&mapped)), expected, "{deeper}");
        let mapped = place(&json!({"paths": "[\"a\", \"b\", \"c\"]", "levels": levels}), &json!({}));
        assert_eq!(json!(paths(&mapped)), json!([["a", "b", "c"]]), "{deeper}");
    }
    let levels = json!({"most": 1, "deeper": "join", "separator": " > "});
    let mapped = place(&json!({"paths": "[\"a\", \"b\"]", "levels": levels}), &json!({}));
    assert_eq!(json!(paths(&mapped)), json!([["a > b"]]));
}

#[test]
fn a_long_name_is_told_with_the_level_it_comes_from() {
    let more = json!({ENTERPRISE: {"organization": "Acme", "division": "x".repeat(65)}});
    let mapped = map(&with(&json!({})), &more);
    let finding = mapped.findings.first().expect("a finding");
    assert_eq!(finding.code, "department_name_too_long");
    assert_eq!(finding.source_path.as_deref(), Some(format!("{ENTERPRISE}:division").as_str()));
    assert!(mapped.blocked);
}

#[test]
fn title_order_and_head_of_each_place() {
    let section = json!({
        "paths": "[[\"Sales\"], [\"Projects\", \"X\"]]",
        "title": "path[0] == \"Projects\" ? \"Lead\" : user.title",
        "order": "size(path) * 10",
        "head": "\"X\" in path",
    });
    let mapped = place(&section, &json!({"title": "Clerk"}));
    let details: Vec<(Option<&str>, Option<i64>, bool)> =
        mapped.departments.iter().map(|place| (place.title.as_deref(), place.order, place.head)).collect();
    assert_eq!(details, [(Some("Clerk"), Some(10), false), (Some("Lead"), Some(20), true)]);
    let odd = json!({"paths": "[\"Sales\"]", "title": "5", "order": "\"x\"", "head": "\"yes\""});
    let mapped = place(&odd, &json!({}));
    let codes: Vec<&str> = mapped.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["department_title_rule_failed", "department_order_rule_failed", "department_head_rule_failed"]);
    assert!(!mapped.blocked && mapped.departments.len() == 1, "the person has a place all the same");
}

#[test]
fn departments_that_fewer_people_see() {
    let section = json!({"paths": "[]", "special": [
        {"path": ["Contractors"], "hidden": true},
        {"path": ["contractors", "Agency"], "restricted": true},
    ]});
    let mapping = mapping(&with(&json!({ "departments": section })));
    let seen = |path: &[&str]| {
        let path: Vec<OrgName> = path.iter().filter_map(|name| OrgName::new(name)).collect();
        mapping.visibility(&path)
    };
    assert_eq!(seen(&["Contractors"]), Visibility { hidden: true, restricted: false });
    assert_eq!(seen(&["CONTRACTORS", "Agency", "X"]), Visibility { hidden: true, restricted: true });
    assert_eq!(seen(&["Sales", "Contractors"]), Visibility::default());
    assert_eq!(seen(&[]), Visibility::default());
}

#[test]
fn sections_that_cannot_be() {
    for (section, expected) in [
        (json!({}), "/departments/paths: \"paths\" is missing."),
        (json!({"paths": "[]", "levels": {"most": 0}}), "/departments/levels/most: The number does not fit."),
        (
            json!({"paths": "[]", "levels": {"deeper": "merge"}}),
            "/departments/levels/deeper: \"merge\" means nothing here.",
        ),
        (json!({"paths": "[]", "special": [{"hidden": true}]}), "/departments/special/0/path: The path is missing."),
        (json!({"paths": "[]", "special": [{"path": [" "]}]}), "/departments/special/0/path/0: This is not the name"),
        (json!({"paths": "path"}), "/departments/paths, line 1, column 1: \"path\" is not known here."),
    ] {
        let found = errors(&with(&json!({ "departments": section })));
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
}
