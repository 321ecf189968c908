//! Filters that are refused: always as `invalidFilter`, with a sentence that helps.

use rollcall_scim::filter::Filter;
use rollcall_scim::limits::{MAX_FILTER_BYTES, MAX_FILTER_DEPTH};

use crate::given::{CUSTOM, custom_users, generic, keyword, strict, users};

#[test]
fn refused_with_invalid_filter() {
    let deep = format!("{}title pr{}", "(".repeat(MAX_FILTER_DEPTH + 1), ")".repeat(MAX_FILTER_DEPTH + 1));
    let bottomless = "(".repeat(MAX_FILTER_BYTES);
    let nots = "not(".repeat(2_000);
    let long = format!("title eq \"{}\"", "a".repeat(MAX_FILTER_BYTES));
    let cases = [
        "",
        " ",
        "userName",
        "userName eq",
        "userName eq \"x",
        "userName eq \"x\" and",
        "userName eq \"x\" or or title pr",
        "userName eq \"x\" title pr",
        "userName xx \"x\"",
        "userName = \"x\"",
        "userName eq (\"x\")",
        "userName eq 'x'",
        "userName eq \"\\x\"",
        "userName eq \"\\ud800\"",
        "userName eq \"a\\u0000b\"",
        "eq \"x\"",
        "and",
        "not",
        "not title pr",
        "(title pr",
        "title pr)",
        "title pr]",
        "()",
        "\"x\" eq userName",
        "userNam eq \"x\"",
        "name.first eq \"x\"",
        "emails.foo eq \"x\"",
        "emails[foo eq \"x\"]",
        "emails[type eq \"work\"",
        "emails[]",
        "emails[type eq \"work\"].foo eq \"x\"",
        "emails[type eq \"work\"].value",
        "emails[emails[type eq \"work\"]]",
        "emails.value[type eq \"work\"]",
        "userName[value eq \"x\"]",
        "urn:example:x:foo eq \"x\"",
        "state eq \"x\"",
        "a.b.c eq \"x\"",
        "name eq \"x\"",
        "addresses eq \"x\"",
        "name co \"x\"",
        "active gt true",
        "active le false",
        "active co \"t\"",
        "active eq \"maybe\"",
        "active eq 1",
        "x509Certificates.value gt \"MIIB\"",
        "x509Certificates.value sw \"MIIB\"",
        "meta.created co \"2024\"",
        "meta.created gt \"yesterday\"",
        "meta.created gt \"2024-13-01T00:00:00Z\"",
        "title gt null",
        "title sw null",
        "password eq \"x\"",
        "password pr",
        &deep,
        &bottomless,
        &nots,
        &long,
    ];
    for text in cases {
        let error = Filter::parse(text, &users(), &generic()).expect_err(text);
        assert_eq!(keyword(&error), "invalidFilter", "{text}");
        assert!(error.detail.len() > 15 && error.detail.len() < 400, "{text}: {}", error.detail);
    }
}

#[test]
fn refused_numbers() {
    for text in ["level eq \"7\"", "level co 7", "level eq seven", "weight sw 1", "level eq 0x10"] {
        let text = format!("{CUSTOM}:{text}");
        let error = Filter::parse(&text, &custom_users(), &generic()).expect_err(&text);
        assert_eq!(keyword(&error), "invalidFilter");
    }
}

#[test]
fn a_number_that_is_too_large_is_named() {
    let digits = "9".repeat(400);
    for (attribute, number) in [
        ("level", "1e400"),
        ("weight", "-1e400"),
        ("level", "1.5E+999"),
        ("weight", &digits),
        ("level", "1e99999999999"),
    ] {
        let text = format!("{CUSTOM}:{attribute} lt {number}");
        for profile in [generic(), strict()] {
            let error = Filter::parse(&text, &custom_users(), &profile).expect_err(&text);
            assert_eq!(keyword(&error), "invalidFilter");
            let named = error.detail.contains(&format!("the number \"{}", &number[..number.len().min(20)]));
            assert!(named && error.detail.contains("between") && error.detail.len() < 400, "{text}: {}", error.detail);
        }
    }
    // The smallest are nothing, and the largest are numbers like any other.
    for number in ["1e-400", "1.7e308", "-1.7e308", "18446744073709551616"] {
        let text = format!("{CUSTOM}:level lt {number}");
        assert!(Filter::parse(&text, &custom_users(), &strict()).is_ok(), "{text}");
    }
}

#[test]
fn the_strict_profile_wants_json_literals() {
    for text in
        ["externalId eq jyoung", "externalId eq 701984", "active eq \"True\"", "emails[type eq work]", "title eq true"]
    {
        assert!(Filter::parse(text, &users(), &generic()).is_ok(), "{text}");
        let error = Filter::parse(text, &users(), &strict()).expect_err(text);
        assert_eq!(keyword(&error), "invalidFilter", "{text}");
    }
    for text in ["externalId eq \"jyoung\"", "active eq true", "title eq null", "title pr"] {
        assert!(Filter::parse(text, &users(), &strict()).is_ok(), "{text}");
    }
}

#[test]
fn details_say_what_to_do() {
    let cases = [
        ("userNam eq \"x\"", "\"userNam\" at position 1"),
        ("title pr and foo eq \"x\"", "\"foo\" at position 14"),
        ("userName eq 'x'", "double quotes"),
        ("name eq \"x\"", "name.formatted"),
        ("active gt true", "boolean"),
        ("userName is \"x\"", "use eq, ne, co"),
        ("userName eq \"x", "no closing quote"),
        ("meta.created gt \"x\"", "2026-01-31T08:00:00Z"),
        // In UTC it is in the year 10000, which no date can say.
        ("meta.created gt \"9999-12-31T23:59:59-23:59\"", "2026-01-31T08:00:00Z"),
    ];
    for (text, wanted) in cases {
        let error = Filter::parse(text, &users(), &generic()).expect_err(text);
        assert!(error.detail.contains(wanted), "{text}: {}", error.detail);
    }
}

#[test]
fn an_error_quotes_the_start_of_a_long_word() {
    let long = "x".repeat(8_000);
    for text in
        [format!("{long} pr"), format!("title {long} \"a\""), format!("title pr {long}"), format!("active eq {long}")]
    {
        let error = Filter::parse(&text, &users(), &strict()).expect_err("refused");
        assert!(error.detail.len() < 500, "{}", error.detail);
    }
}
