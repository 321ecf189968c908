//! What is wrong with an expression is said when it is written, with its place and what was perhaps meant.

use crate::given::{compile, errors, with, with_rule};
use serde_json::json;

#[test]
fn expressions_speak_of_things_that_exist() {
    let mut wrong = Vec::new();
    for (expression, expected) in [
        ("user.dispalyName", "line 1, column 5: No schema knows user.dispalyName. Did you mean \"displayName\"?"),
        (
            "coalesce(user.displayName,\n  user.name.famliyName)",
            "line 2, column 12: No schema knows user.name.famliyName. Did you mean \"familyName\"?",
        ),
        (
            "enterprise.departement",
            "line 1, column 11: No schema knows enterprise.departement. Did you mean \"department\"?",
        ),
        (
            "extensions[\"urn:example:hr:2.0:User\"].shoesize",
            "line 1, column 38: No schema knows extensions[\"urn:example:hr:2.0:User\"].shoesize. Did you mean \"shoeSize\"?",
        ),
        (
            "extensions[\"urn:example:crm:1.0:Client\"].x",
            "line 1, column 11: No schema knows extensions.urn:example:crm:1.0:Client. Write the URN of a registered schema: \
             extensions[\"urn:…\"].",
        ),
        ("user.groups[0].value", "line 1, column 5: No schema knows user.groups. Use the variable groups."),
        (
            "user.password",
            "line 1, column 5: No schema knows user.password. The attributes are listed by the SCIM endpoint /Schemas.",
        ),
        (
            "user.emails.value",
            "line 1, column 12: user.emails holds several values, so it has no part \"value\". Choose one with \
             typed(user.emails, \"work\") or anyTyped(user.emails, \"work\"), or use all with user.emails.map(x, x.value).",
        ),
        (
            "user.title.text",
            "line 1, column 11: user.title is a single value without parts, so it has no \"text\". Remove what comes after \
             the dot.",
        ),
        (
            "user.emails.filter(e, e.typ == \"work\")[0].value",
            "line 1, column 24: No schema knows e.typ. Did you mean \"type\"?",
        ),
        (
            "user.emails.filter(e, e.type == \"work\")[0].valeu",
            "line 1, column 43: No schema knows .valeu. Did you mean \"value\"?",
        ),
        (
            "user.emails.map(e, user.photos.map(p, p.valeu + e.value))[0][0]",
            "line 1, column 40: No schema knows p.valeu. Did you mean \"value\"?",
        ),
        (
            "groups.map(g, g.displayname)[0]",
            "line 1, column 16: No schema knows g.displayname. Did you mean \"displayName\"?",
        ),
        ("usr.title", "line 1, column 1: \"usr\" is not known here. Did you mean \"user\"?"),
        (
            "title",
            "line 1, column 1: \"title\" is not known here. Here there are user, enterprise, extensions, groups, source. \
             Texts are written in quotes.",
        ),
        (
            "path[0]",
            "line 1, column 1: \"path\" is not known here. Here there are user, enterprise, extensions, groups, source. Texts are written in quotes.",
        ),
        (
            "toLower(user.title)",
            "line 1, column 8: There is no function toLower(…) of this form. Did you mean \"lower\"?",
        ),
        (
            "user.emails.map(e)",
            "line 1, column 16: There is no function map(…) of this form. Write it as list.map(x, …), with a name for the element before the comma.",
        ),
        (
            "fit(user.title)",
            "line 1, column 4: fit(…) takes 2 values and got 1. What stands before the dot counts as the first one.",
        ),
        (
            "user.title.fit()",
            "line 1, column 15: fit(…) takes 2 values and got 1. What stands before the dot counts as the first one.",
        ),
    ] {
        let found = errors(&with_rule("remark", &json!({ "value": expression })));
        if found.first() != Some(&format!("/account/remark/value, {expected}")) {
            wrong.push((expression, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn expressions_make_sense() {
    let mut wrong = Vec::new();
    for (expression, expected) in [
        (
            "enterprise.manager == null ? \"a\" : \"b\"",
            "line 1, column 11: enterprise.manager consists of parts and is never equal to anything. Compare one of its parts, \
             such as enterprise.manager.value.",
        ),
        (
            "user.title.map(x, x)[0]",
            "line 1, column 5: This is not a list, so there is nothing to go through. Go through a list such as user.emails or groups.",
        ),
        (
            "user.title.matches(user.locale) ? \"a\" : \"b\"",
            "line 1, column 24: The regular expression of matches(…) is not written out. Write it as a text in quotes.",
        ),
        (
            "Person{name: 1}",
            "line 1, column 7: \"Person\" is not the name of a type. Write tables as {\"key\": value}.",
        ),
    ] {
        let found = errors(&with_rule("remark", &json!({ "value": expression })));
        if found.first() != Some(&format!("/account/remark/value, {expected}")) {
            wrong.push((expression, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn expressions_can_be_read() {
    for (expression, expected) in [
        ("user.title +", "The expression cannot be read: "),
        ("\"open", "The expression cannot be read: "),
        ("", "The expression is empty. "),
        ("a.?b", "The expression cannot be read: "),
        (
            "user.title.matches(\"(\") ? \"a\" : \"b\"",
            "The regular expression \"(\" cannot be used: error: unclosed group. ",
        ),
        ("user.title.matches(\"(a)\\\\1\") ? \"a\" : \"b\"", "The regular expression \"(a)\\1\" cannot be used: "),
    ] {
        let found = errors(&with_rule("remark", &json!({ "value": expression })));
        assert!(found.iter().any(|error| error.contains(expected)), "{expression}: {found:#?}");
    }
}

#[test]
fn all_that_is_wrong_is_told() {
    let found = errors(&with(&json!({
        "scope": [
            {"name": "a", "when": "user.usrType == \"x\"", "include": false},
            {"name": "a", "include": true, "wenn": "true"},
        ],
        "groups": [{"name": "g", "when": "group.displayname == \"x\"", "becomes": "rolle"}],
    })));
    assert_eq!(
        found,
        [
            "/scope/0/when, line 1, column 5: No schema knows user.usrType. Did you mean \"userType\"?",
            "/scope/1/wenn: \"wenn\" means nothing here. Did you mean \"when\"?",
            "/scope/1: There is another rule named \"a\". Give each rule of a section a name of its own.",
            "/groups/0/when, line 1, column 6: No schema knows group.displayname. Did you mean \"displayName\"?",
            "/groups/0/becomes: A group cannot become \"rolle\". Say role, department, chat or nothing.",
        ]
    );
}

#[test]
fn the_name_of_the_attribute_is_told_apart() {
    let errors = compile(&with_rule("remark", &json!({"value": "user.dispalyName"}))).expect_err("it is wrong");
    let error = errors.first().expect("one error");
    assert_eq!(error.attribute.as_deref(), Some("dispalyName"));
    assert_eq!(error.pointer, "/account/remark/value");
    assert_eq!(error.position.map(|position| (position.line, position.column)), Some((1, 5)));
}
