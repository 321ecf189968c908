//! Filters: what they mean, and what is refused.

use rollcall_scim::filter::Filter;
use rollcall_scim::path::AttributePath;
use serde_json::{Value, json};

use crate::given::{CUSTOM, DINGTALK, ENTERPRISE, USER, custom_users, generic, groups, users};

fn barbara() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE, CUSTOM],
        "id": "2819c223",
        "externalId": "bJensen",
        "userName": "BJensen@example.com",
        "name": { "formatted": "Barbara \"Babs\" Jensen \\ III", "familyName": "O'Malley", "givenName": "Bärbel" },
        "title": "Vice President",
        "userType": "Employee",
        "active": true,
        "emails": [
            { "type": "work", "value": "bjensen@example.com", "primary": true },
            { "type": "home", "value": "babs+x@home.example" },
        ],
        "addresses": [{ "type": "work", "locality": "杭州" }],
        "photos": [],
        "nickName": null,
        "roles": [{ "value": "admin", "primary": false }],
        "x509Certificates": [{ "value": "MIIB+w==" }],
        "groups": [{ "value": "g1", "display": "Staff" }],
        "meta": {
            "resourceType": "User",
            "created": "2024-01-01T00:00:00Z",
            "lastModified": "2024-01-01T00:00:00.5Z",
            "version": "W/\"3\"",
        },
        ENTERPRISE: { "employeeNumber": "701984", "department": "Sales", "manager": { "value": "26118915" } },
        CUSTOM: { "level": 7, "weight": 1.5, "issuedAt": "2024-06-01T08:00:00+08:00", "tags": ["Red", "green"] },
    })
}

#[track_caller]
fn holds(text: &str) -> bool {
    let rt = custom_users();
    let filter = Filter::parse(text, &rt, &generic()).unwrap_or_else(|error| panic!("{text}: {error}"));
    filter.matches(&rt, &barbara())
}

#[track_caller]
fn check(cases: &[(&str, bool)]) {
    for (text, wanted) in cases {
        assert_eq!(holds(text), *wanted, "{text}");
    }
}

#[test]
fn operators_on_strings() {
    check(&[
        ("userName eq \"bjensen@EXAMPLE.com\"", true),
        ("userName eq \"bjensen\"", false),
        ("userName ne \"bjensen\"", true),
        ("userName ne \"BJENSEN@example.com\"", false),
        ("userName co \"JENSEN@\"", true),
        ("userName sw \"bj\"", true),
        ("userName sw \"jensen\"", false),
        ("userName ew \".COM\"", true),
        ("userName ew \"bj\"", false),
        ("userName gt \"a\"", true),
        ("userName lt \"C\"", true),
        ("userName ge \"bjensen@example.com\"", true),
        ("userName le \"bjensen@example.com\"", true),
        ("userName gt \"bjensen@example.com\"", false),
        ("name.givenName eq \"BÄRBEL\"", true),
        ("name.familyName eq \"o'malley\"", true),
        ("addresses.locality eq \"杭州\"", true),
        ("addresses.locality co \"杭\"", true),
        ("emails.value co \"+x@\"", true),
    ]);
}

#[test]
fn case_counts_where_the_schema_says_so() {
    check(&[
        ("externalId eq \"bJensen\"", true),
        ("externalId eq \"bjensen\"", false),
        ("id eq \"2819c223\"", true),
        ("id eq \"2819C223\"", false),
        ("manager eq \"26118915\"", true),
        ("schemas eq \"URN:ietf:params:scim:schemas:core:2.0:user\"", true),
        ("x509Certificates eq \"miib+w==\"", false),
        ("x509Certificates eq \"MIIB+w==\"", true),
    ]);
}

#[test]
fn names_operators_and_literals_in_any_case() {
    check(&[
        ("USERNAME EQ \"bjensen@example.com\"", true),
        ("userName Eq \"bjensen@example.com\" AND Active eq TRUE", true),
        ("NOT (title Pr)", false),
        ("title eq \"x\" OR userType SW \"emp\"", true),
        (&format!("{}:department eq \"sales\"", ENTERPRISE.to_uppercase()), true),
        (&format!("{USER}:userName sw \"b\""), true),
        ("department eq \"sales\"", true),
    ]);
}

#[test]
fn precedence_and_grouping() {
    check(&[
        ("title pr or title eq \"x\" and title eq \"y\"", true),
        ("(title pr or title eq \"x\") and title eq \"y\"", false),
        ("title eq \"x\" and title eq \"y\" or title pr", true),
        ("not (title pr) or title pr", true),
        ("not (title pr or title pr)", false),
        ("not(userType eq \"x\")", true),
        ("not (userType eq \"Employee\") and title pr", false),
        ("not (not (title pr))", true),
        ("((((title pr))))", true),
        ("userName sw\"b\"and(active eq true)", true),
    ]);
}

#[test]
fn presence_and_null() {
    check(&[
        ("title pr", true),
        ("displayName pr", false),
        ("nickName pr", false),
        ("photos pr", false),
        ("photos.value pr", false),
        ("emails pr", true),
        ("emails.display pr", false),
        ("emails.primary pr", true),
        ("name pr", true),
        ("name.middleName pr", false),
        ("manager pr", true),
        ("meta pr", true),
        (&format!("{DINGTALK}:state pr"), false),
        ("title eq null", false),
        ("title ne null", true),
        ("displayName eq NULL", true),
        ("displayName ne null", false),
        ("emails.display eq null", true),
        ("emails[type eq \"home\" and primary pr]", false),
        ("emails[type eq \"home\"].primary eq null", true),
    ]);
}

#[test]
fn no_value_equals_nothing_and_differs_from_everything() {
    check(&[
        ("displayName eq \"x\"", false),
        ("displayName ne \"x\"", true),
        ("displayName co \"\"", false),
        ("displayName gt \"\"", false),
        ("photos.value eq \"x\"", false),
        ("photos.value ne \"x\"", true),
    ]);
}

#[test]
fn several_values() {
    check(&[
        ("emails eq \"bjensen@example.com\"", true),
        ("emails co \"home\"", true),
        ("emails.type eq \"work\" and emails.value co \"@home\"", true),
        ("emails[type eq \"work\" and value co \"@home\"]", false),
        ("emails[type eq \"home\" and value co \"@home\"]", true),
        ("emails[type eq \"work\"].value eq \"bjensen@example.com\"", true),
        ("emails[type eq \"home\"].value eq \"bjensen@example.com\"", false),
        ("emails[type eq \"work\"] eq \"bjensen@example.com\"", true),
        ("emails[type eq \"work\"].value pr", true),
        ("emails[type eq \"fax\"].value pr", false),
        ("emails[type eq \"work\"]", true),
        ("emails[type eq \"work\" or type eq \"fax\"].value sw \"b\"", true),
        ("emails[not (type eq \"work\")].value sw \"b\"", true),
        ("emails[not (type eq \"work\")].value sw \"bj\"", false),
        ("emails[type ne \"work\"]", true),
        ("emails.type ne \"work\"", true),
        ("roles.value ne \"admin\"", false),
        ("roles[primary eq \"True\"]", false),
        ("roles[primary eq \"False\"]", true),
        ("emails[type eq \"work\" and primary eq false]", false),
        ("emails[type eq \"home\" and primary eq false]", true),
        ("emails[type eq \"home\" and primary ne true]", true),
        ("emails[type eq \"home\" and primary ne false]", false),
        ("emails[type eq \"home\" and not (primary eq false)]", false),
        ("emails[primary eq false].type eq \"home\"", true),
        ("emails.primary eq false", true),
        ("addresses.primary eq false", true),
        ("addresses.primary eq true", false),
        ("addresses.primary pr", false),
        ("photos.primary eq false", false),
        ("photos.primary ne false", true),
        ("groups.value eq \"g1\"", true),
        ("groups[value eq \"g1\" and display eq \"staff\"]", true),
        ("groups eq \"g2\"", false),
        (&format!("{CUSTOM}:tags eq \"red\""), true),
        (&format!("{CUSTOM}:tags[value sw \"gr\"]"), true),
        (&format!("{CUSTOM}:tags[value eq \"blue\"]"), false),
        ("name[givenName eq \"Bärbel\" and familyName pr]", true),
    ]);
}

#[test]
fn booleans_numbers_and_dates() {
    check(&[
        ("active eq true", true),
        ("active eq \"True\"", true),
        ("active ne false", true),
        ("active eq false", false),
        ("meta.lastModified gt \"2024-01-01T08:00:00+08:00\"", true),
        ("meta.lastModified gt \"2024-01-01T00:00:00.500Z\"", false),
        ("meta.lastModified ge \"2024-01-01T00:00:00.500Z\"", true),
        ("meta.lastModified lt \"2024-01-01T00:00:01\"", true),
        ("meta.created eq \"2023-12-31T19:00:00-05:00\"", true),
        ("meta.created eq 2024-01-01T00:00:00Z", true),
        ("meta.resourceType eq User", true),
        ("meta.resourceType eq \"Group\"", false),
        ("meta.version eq \"W/\\\"3\\\"\"", true),
        (&format!("{CUSTOM}:level ge 7"), true),
        (&format!("{CUSTOM}:level gt 7"), false),
        (&format!("{CUSTOM}:level eq 7.0"), true),
        (&format!("{CUSTOM}:weight lt 1.6e0"), true),
        (&format!("{CUSTOM}:issuedAt eq \"2024-06-01T00:00:00Z\""), true),
    ]);
}

#[test]
fn escapes_in_strings() {
    check(&[
        (r#"name.formatted eq "Barbara \"Babs\" Jensen \\ III""#, true),
        (r#"name.givenName eq "B\u00e4rbel""#, true),
        (r#"name.givenName eq "B\u00E4RBEL""#, true),
        (r#"title eq "vice president" and name.formatted co "\"babs\"""#, true),
        (r#"title eq "a ) ] or title pr""#, false),
        ("addresses.locality eq \"\\u676d\\u5dde\"", true),
    ]);
}

#[test]
fn words_without_quotes() {
    check(&[
        ("externalId eq bJensen", true),
        ("employeeNumber eq 701984", true),
        ("userName sw BJ", true),
        ("userName eq bjensen@example.com", true),
        ("title eq true", false),
        ("emails[type eq work]", true),
    ]);
}

#[test]
fn group_filters() {
    let rt = groups();
    let group = json!({
        "id": "g1", "displayName": "Staff", "members": [{ "value": "u1", "type": "User" }, { "value": "u2" }],
        "meta": { "resourceType": "Group" },
    });
    let cases = [
        ("id eq \"g1\" and members eq \"u2\"", true),
        ("members.value eq \"u1\"", true),
        ("members[value eq \"u1\" and type eq \"user\"]", true),
        ("members[value eq \"u2\" and type eq \"user\"]", false),
        ("members eq \"U1\"", false),
        ("displayName eq \"STAFF\"", true),
        ("displayName eq \"x\"", false),
    ];
    for (text, wanted) in cases {
        let filter = Filter::parse(text, &rt, &generic()).expect(text);
        assert_eq!(filter.matches(&rt, &group), wanted, "{text}");
    }
}

#[test]
fn a_filter_tells_what_it_looks_at() {
    let filter =
        Filter::parse("members[value eq \"u\"] and not (displayName pr) or externalId eq \"x\"", &groups(), &generic())
            .expect("a filter");
    let paths: Vec<String> = filter.paths().into_iter().map(ToString::to_string).collect();
    assert_eq!(paths, ["members", "members.value", "displayName", "externalId"]);
    assert!(filter.mentions("members"));
    assert!(!filter.mentions("meta"));
}

#[test]
fn equalities_of_simple_filters() {
    let list = |text: &str| {
        let filter = Filter::parse(text, &users(), &generic()).expect(text);
        filter
            .equalities()
            .map(|found| found.into_iter().map(|(path, value)| format!("{path}={value}")).collect::<Vec<_>>())
    };
    assert_eq!(list("userName eq \"x\""), Some(vec!["userName=\"x\"".into()]));
    assert_eq!(
        list("externalId eq \"x\" and (userName eq \"y\" and active eq true)"),
        Some(vec!["externalId=\"x\"".into(), "userName=\"y\"".into(), "active=true".into()])
    );
    for text in ["userName sw \"x\"", "userName eq \"x\" or title pr", "not (userName eq \"x\")", "title pr"] {
        assert_eq!(list(text), None, "{text}");
    }
}

#[test]
fn filters_print_in_canonical_form() {
    let cases = [
        ("USERNAME   EQ\"x\"", "userName eq \"x\""),
        ("emails co \"x\"", "emails.value co \"x\""),
        ("manager eq \"m\"", &format!("{ENTERPRISE}:manager.value eq \"m\"")),
        ("not(title pr)", "not (title pr)"),
        ("a eq 1", ""),
        ("(title pr and active eq True) or title pr", "title pr and active eq true or title pr"),
        ("title pr and (active eq true or title pr)", "title pr and (active eq true or title pr)"),
        ("emails[type eq work].value eq x", "emails[type eq \"work\" and value eq \"x\"]"),
        ("emails[type eq \"a\" or type eq \"b\"].value pr", "emails[(type eq \"a\" or type eq \"b\") and value pr]"),
        ("title eq null", "not (title pr)"),
        ("title eq \"a\\\"b\\\\c\\u00e4\"", "title eq \"a\\\"b\\\\cä\""),
    ];
    for (text, wanted) in cases {
        let printed = Filter::parse(text, &users(), &generic()).map(|filter| filter.to_string()).unwrap_or_default();
        assert_eq!(printed, wanted, "{text}");
    }
}

#[test]
fn elements_are_judged_alone() {
    let rt = users();
    let text = "emails[type eq \"work\" and not (primary eq true)]";
    let Ok(Filter::ValuePath { path, filter }) = Filter::parse(text, &rt, &generic()) else { panic!("a value path") };
    assert_eq!(path, AttributePath::core("emails"));
    assert!(filter.matches_element(&rt, &json!({ "type": "Work", "value": "x" })));
    assert!(!filter.matches_element(&rt, &json!({ "type": "work", "primary": true })));
    assert!(!filter.matches_element(&rt, &json!("work")));
    assert!(!filter.matches_element(&rt, &json!(null)));
}
