//! Functions and CEL's own, one case a line.

use crate::given::{CUSTOM, ENTERPRISE, map, value, with_rule};
use serde_json::{Value, json};

fn sample() -> Value {
    json!({
        "title": "  Senior Engineer ",
        "nickName": "José Ærøskøbing",
        "emails": [{"type": "home", "value": "h@example.com"}, {"type": "Work", "value": "w@example.com"}],
        "name": {"givenName": "伟", "familyName": "王"},
        "addresses": [{"type": "work", "locality": "Shanghai", "primary": true}, {"locality": "Hong Kong"}],
        ENTERPRISE: {"department": "R&D - China", "costCenter": "CC-0042"},
        CUSTOM: {"startDate": "2024-03-01T08:00:00Z", "projects": ["a", "b", "c"], "grade": 7, "isTemp": false},
    })
}

#[test]
fn values() {
    let mut wrong = Vec::new();
    let extension = |name: &str| format!("extensions[\"{CUSTOM}\"].{name}");
    for (expression, expected) in [
        ("user.title", Some("Senior Engineer")),
        ("user.title.trim()", Some("Senior Engineer")),
        ("coalesce(user.nickName, user.title)", Some("José Ærøskøbing")),
        ("coalesce(user.locale, null, \" \", user.emails[0].value)", Some("h@example.com")),
        ("coalesce(user.locale, user.timezone)", None),
        ("user.locale.coalesce(\"en\")", Some("en")),
        ("join([\"a\", null, \" \", \"b\"], \"-\")", Some("a-b")),
        ("join(user.emails.map(e, e.value), \", \")", Some("h@example.com, w@example.com")),
        ("split(\"a/b\", \"/\")[1]", Some("b")),
        ("string(size(split(user.locale, \"/\")))", Some("0")),
        ("upper(\"straße\")", Some("STRASSE")),
        ("lower(null)", None),
        ("replace(enterprise.costCenter, \"CC-\", \"\")", Some("0042")),
        ("replace(\"abc\", \"\", \"x\")", Some("abc")),
        ("mid(\"abcdef\", 2, 3)", Some("bcd")),
        ("mid(\"王小明\", 2, 9)", Some("小明")),
        ("fit(\"ab cd\", 3)", Some("ab")),
        ("fit(\"王小明先生\", 3)", Some("王小明")),
        ("normalizeDiacritics(user.nickName)", Some("Jose AEroskobing")),
        ("normalizeDiacritics(\"Ngô Đình 王 한글\")", Some("Ngo Dinh 王 한글")),
        ("extract(enterprise.costCenter, \"CC-0*([0-9]+)\")", Some("42")),
        ("extract(enterprise.costCenter, \"[0-9]+\")", Some("0042")),
        ("extract(enterprise.costCenter, \"x\")", None),
        ("matches(user.title, \"^ *Senior\") ? \"yes\" : \"no\"", Some("yes")),
        ("user.locale.matches(\".\") ? \"yes\" : \"no\"", Some("no")),
        ("switch(enterprise.costCenter, {\"CC-0042\": \"Labs\"}, \"Other\")", Some("Labs")),
        ("switch(user.locale, {\"x\": \"y\"}, \"Other\")", Some("Other")),
        ("typed(user.emails, \"work\")", Some("w@example.com")),
        ("typed(user.emails, \"other\")", None),
        ("anyTyped(user.emails, \"other\")", Some("h@example.com")),
        ("user.emails.filter(e, e.type == \"home\")[0].value", Some("h@example.com")),
        ("user.addresses.filter(a, a.primary == true)[0].locality", Some("Shanghai")),
        ("e164(\"9123 4567\", \"HK\")", Some("+85291234567")),
        ("dingTalkPhone(\"13800000001\")", Some("13800000001")),
        ("dingTalkPhone(user.locale)", None),
        ("hanName(user.name.familyName, user.name.givenName)", Some("王伟")),
        ("hanName(\"Lovelace\", \"Ada\")", Some("Ada Lovelace")),
        ("hanName(user.name.familyName, null)", Some("王")),
        ("orgName(enterprise.department)", Some("R&D － China")),
        ("isNullOrEmpty(user.locale) && isNullOrEmpty(user.photos) ? \"blank\" : \"not\"", Some("blank")),
        ("user.title.startsWith(\"  S\") && !user.locale.startsWith(\"e\") ? \"yes\" : \"no\"", Some("yes")),
        ("user.emails.exists(e, e.value.endsWith(\"example.com\")) ? \"yes\" : \"no\"", Some("yes")),
        ("has(user.title) ? \"known\" : \"unknown\"", Some("known")),
        ("\"department\" in enterprise ? \"known\" : \"unknown\"", Some("known")),
        ("source.name", None),
        ("user.id", Some("8b7f3c52-0000-4000-8000-000000000001")),
        (&format!("dateFormat({}, \"dd/MM/yyyy\")", extension("startDate")), Some("01/03/2024")),
        (&format!("dateFormat({}, \"yyyy年M月d日\")", extension("startDate")), Some("2024年3月1日")),
        (&format!("string(dateMillis({}))", extension("startDate")), Some("1709222400000")),
        (&format!("string(dateMillis({}, \"UTC\"))", extension("startDate")), Some("1709251200000")),
        (&format!("string(dateMillis({}, \"-05:30\"))", extension("startDate")), Some("1709271000000")),
        (&format!("join({}, \"+\")", extension("projects")), Some("a+b+c")),
        (&format!("\"c\" in {} ? \"yes\" : \"no\"", extension("projects")), Some("yes")),
        (&format!("{} > 5 ? \"high\" : \"low\"", extension("grade")), Some("high")),
        (&format!("{} == true ? \"yes\" : \"no\"", extension("isTemp")), Some("no")),
        (&extension("home.city"), None),
        (&extension("shoeSize"), None),
    ] {
        let found = value(expression, &sample());
        if found != Ok(expected.map(Value::from)) {
            wrong.push((expression.to_owned(), found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn failures_say_what_is_wrong_and_nothing_about_the_person() {
    let mut wrong = Vec::new();
    for (expression, expected) in [
        (
            "\"Dr. \" + user.locale",
            "The rule for remark failed at line 1, column 8: + was given a value that is absent.",
        ),
        ("user.title < 5", "The rule for remark failed at line 1, column 12: < cannot be used with string and int."),
        (
            "user.photos[3].value",
            "The rule for remark failed at line 1, column 12: a list does not have so many elements.",
        ),
        ("string(1 / (size(user.photos)))", "The rule for remark failed at line 1, column 10: it divides by zero."),
        (
            "lower(5)",
            "The rule for remark failed at line 1, column 6: lower(…): it wants a text and got a value of type int.",
        ),
        (
            "fit(user.title, -1)",
            "The rule for remark failed at line 1, column 4: fit(…): argument 2 must be a whole number from 0 on.",
        ),
        ("string(int(user.title))", "The rule for remark failed at line 1, column 11: int(…) cannot use the value."),
        ("user.emails", "The rule for remark failed: it gives a value of type parts, which no attribute can hold."),
        ("user.name", "The rule for remark failed: it gives a value of type parts, which no attribute can hold."),
        ("[\"a\"]", "The rule for remark gives a list; a text is wanted."),
        ("dingTalkPhone(\"9123 4567\")", "The remark cannot be used: the number has no country code."),
        ("dateFormat(\"soon\", \"yyyy\")", "The remark cannot be used: the date does not look like 2024-03-01."),
        (
            "join(\n  [\"a\"],\n  user.locale)",
            "The rule for remark failed at line 1, column 5: join(…): argument 2 must not be absent.",
        ),
        (
            "\"王\" +\n  user.locale + \"x\"",
            "The rule for remark failed at line 1, column 5: + was given a value that is absent.",
        ),
    ] {
        let found = value(expression, &sample());
        if found != Err(expected.to_owned()) {
            wrong.push((expression, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn numbers_of_an_organisation_abroad() {
    let rule = json!({"value": "dingTalkPhone(typed(user.phoneNumbers, \"mobile\"))"});
    let mut document = with_rule("remark", &rule);
    document["registered_abroad"] = json!(true);
    let mapped = map(&document, &json!({}));
    for attribute in ["remark", "mobile"] {
        assert_eq!(mapped.attributes.get(attribute), Some(&Some(json!("+86-13800000001"))), "{attribute}");
    }
}
