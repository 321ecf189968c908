//! The order of lists.

use rollcall_scim::schema::ResourceType;
use rollcall_scim::sort::{Comparison, Sort};
use serde_json::{Value, json};

use crate::given::{CUSTOM, ENTERPRISE, custom_users, groups, keyword, users};

fn sort(rt: &ResourceType, by: &str, order: &str) -> Sort {
    Sort::parse(rt, &[], Some(by), Some(order)).expect(by).expect("a sort")
}

#[test]
fn what_is_sorted_by() {
    let department = format!("{ENTERPRISE}:department");
    let issued = format!("{CUSTOM}:issuedAt");
    // sortBy, the canonical path, how values are compared.
    let cases = [
        ("USERNAME", "userName", Comparison::Folded),
        ("externalId", "externalId", Comparison::Exact),
        ("id", "id", Comparison::Exact),
        ("name.familyname", "name.familyName", Comparison::Folded),
        ("emails", "emails.value", Comparison::Folded),
        ("emails.primary", "emails.primary", Comparison::Plain),
        ("x509Certificates", "x509Certificates.value", Comparison::Exact),
        ("active", "active", Comparison::Plain),
        ("meta.created", "meta.created", Comparison::Moment),
        ("department", &department, Comparison::Folded),
        ("issuedAt", &issued, Comparison::Moment),
        (" urn:ietf:params:scim:schemas:core:2.0:User:title ", "title", Comparison::Folded),
    ];
    for (by, path, comparison) in cases {
        let by = sort(&custom_users(), by, "").by.expect("an attribute");
        assert_eq!((by.path.to_string().as_str(), by.comparison), (path, comparison));
    }
}

#[test]
fn orders_in_any_case() {
    let cases = [(None, false), (Some(""), false), (Some("Ascending"), false), (Some("DESCENDING"), true)];
    for (order, descending) in cases {
        let sort = Sort::parse(&users(), &[], Some("userName"), order).expect("readable").expect("a sort");
        assert_eq!(sort.descending, descending, "{order:?}");
    }
    for by in [None, Some(""), Some(" ")] {
        assert_eq!(Sort::parse(&users(), &[], by, Some("backwards")).expect("not looked at"), None);
    }
}

#[test]
fn what_cannot_be_sorted_by_is_told() {
    let cases = [
        (users(), "name", "name.formatted"),
        (users(), "addresses", "addresses.formatted"),
        (users(), "manager", "manager.value"),
        (users(), "meta", "meta.resourceType"),
        (users(), "password", "never shown"),
        (users(), "groups.display", "not kept with"),
        (users(), "manager.displayName", "not kept with"),
        (users(), "urn:rollcall:params:scim:schemas:extension:dingtalk:2.0:User:state", "not kept with"),
        (users(), "members", "not an attribute of User"),
        (users(), "emails[type eq \"work\"]", "not an attribute of User"),
        (groups(), "members", "not kept with"),
        (groups(), "userName", "not an attribute of Group"),
    ];
    for (rt, by, part) in cases {
        let error = Sort::parse(&rt, &[], Some(by), None).expect_err(by);
        assert_eq!(keyword(&error), "invalidValue", "{by}");
        assert!(error.detail.contains(part), "{by}: {}", error.detail);
    }
    let error = Sort::parse(&users(), &[], Some("userName"), Some("up")).expect_err("no order");
    assert_eq!(keyword(&error), "invalidValue");
    assert!(error.detail.contains("\"up\""), "{}", error.detail);
}

#[test]
fn what_another_type_defines_has_no_value() {
    let (users, groups) = (users(), groups());
    let of_groups = Sort::parse(&groups, &[&users], Some("userName"), Some("descending")).expect("readable");
    assert_eq!(of_groups, Some(Sort { by: None, descending: true }));
    assert!(Sort::parse(&groups, &[&users], Some("name"), None).is_err(), "nor can the other type be sorted by it");
    let error = Sort::parse(&users, &[&groups], Some("unheardOf"), None).expect_err("nobody's");
    assert!(error.detail.contains("User or Group"), "{}", error.detail);
}

/// The names of the resources in order.
fn ordered(rt: &ResourceType, by: &str, order: &str, resources: &[(&str, Value)]) -> String {
    let sort = sort(rt, by, order);
    let mut resources: Vec<_> = resources.iter().map(|(name, value)| (*name, sort.key(value))).collect();
    resources.sort_by(|(_, one), (_, two)| sort.compare(one.as_ref(), two.as_ref()));
    resources.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn the_order_of_values() {
    let mail = |value: &str, primary: bool| json!({ "value": value, "primary": primary });
    let level = |level: i64| json!({ CUSTOM: { "level": level } });
    let born = |at: &str| json!({ "meta": { "created": at } });
    let issued = |at: &str| json!({ CUSTOM: { "issuedAt": at } });
    // sortBy, resources, then their order ascending and descending.
    let cases = [
        ("title", vec![("a", json!({ "title": "b" })), ("b", json!({})), ("c", json!({ "title": "A" }))], "cab", "bac"),
        ("title", vec![("a", json!({ "title": "Ｚ" })), ("b", json!({ "title": "y" }))], "ba", "ab"),
        ("externalId", vec![("a", json!({ "externalId": "a" })), ("b", json!({ "externalId": "B" }))], "ba", "ab"),
        (
            "emails",
            vec![
                ("a", json!({ "emails": [mail("z", false), mail("b", true)] })),
                ("b", json!({ "emails": [mail("c", false), mail("a", false)] })),
                ("c", json!({ "emails": [] })),
            ],
            "abc",
            "cba",
        ),
        ("active", vec![("a", json!({ "active": true })), ("b", json!({ "active": false }))], "ba", "ab"),
        ("level", vec![("a", level(10)), ("b", level(9)), ("c", level(-1))], "cba", "abc"),
        (
            "meta.created",
            vec![("a", born("2026-01-01T08:00:00Z")), ("b", born("2026-01-01T09:00:00+02:00"))],
            "ba",
            "ab",
        ),
        // As they were written: with other zones, without one, and finer than the order.
        (
            "issuedAt",
            vec![
                ("a", issued("2026-01-01T08:00:00.0000019Z")),
                ("b", issued("2026-01-01T23:59:00+20:00")),
                ("c", json!({ CUSTOM: { "door": "d" } })),
                ("d", issued("2026-01-01T08:00:00.000001")),
                ("e", issued("0000-12-31T00:00:00Z")),
            ],
            "ebadc",
            "cadbe",
        ),
    ];
    for (by, resources, ascending, descending) in cases {
        assert_eq!(ordered(&custom_users(), by, "ascending", &resources), ascending, "{by}");
        assert_eq!(ordered(&custom_users(), by, "descending", &resources), descending, "{by}");
    }
}
