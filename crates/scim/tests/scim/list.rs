//! Paging, lists and versions.

use rollcall_scim::ScimType;
use rollcall_scim::limits::{MAX_JSON_DEPTH, check_depth, depth_within};
use rollcall_scim::list::{Page, list_response};
use rollcall_scim::version::{etag, if_match, if_none_match};
use serde_json::{Value, json};

#[test]
fn pages_follow_the_table() {
    // startIndex, count, then the page asked for.
    let cases = [
        (None, None, 1, 100),
        (Some("0"), None, 1, 100),
        (Some("-3"), Some("5"), 1, 5),
        (Some("6"), Some("5"), 6, 5),
        (Some("1"), Some("0"), 1, 0),
        (Some("1"), Some("-1"), 1, 0),
        (Some("1"), Some("201"), 1, 200),
        (Some(""), Some(""), 1, 100),
        (Some(" 7 "), Some("+3"), 7, 3),
        (Some("99999999999999999999999"), Some("99999999999999999999999"), i64::MAX, 200),
        (Some("-99999999999999999999999"), Some("-99999999999999999999999"), 1, 0),
    ];
    for (start, count, start_index, size) in cases {
        let page = Page::parse(start, count, 100, 200).expect("a page");
        assert_eq!((page.start_index, page.count), (start_index, size), "{start:?} {count:?}");
        assert_eq!(page.offset(), start_index - 1);
    }
}

#[test]
fn a_page_that_is_not_a_number_is_refused() {
    for text in ["abc", "1.5", "1e3", "-", "+", "--1", "0x10", "１"] {
        for (start, count) in [(Some(text), None), (None, Some(text))] {
            let error = Page::parse(start, count, 100, 200).expect_err(text);
            assert_eq!(error.scim_type, Some(ScimType::InvalidValue));
            assert!(error.detail.contains(text), "{}", error.detail);
        }
    }
}

#[test]
fn a_list_counts_what_is_in_it() {
    let list = list_response(vec![json!({"id": "a"}), json!({"id": "b"})], 41, 11);
    assert_eq!(
        list,
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 41, "startIndex": 11, "itemsPerPage": 2, "Resources": [{"id": "a"}, {"id": "b"}],
        })
    );
    let empty = list_response(Vec::new(), 0, 1);
    assert_eq!((&empty["Resources"], &empty["itemsPerPage"]), (&json!([]), &json!(0)));
}

#[test]
fn preconditions_ignore_weakness() {
    assert_eq!(etag(7), "W/\"7\"");
    // header, whether it names version 7.
    let cases = [
        ("W/\"7\"", true),
        ("\"7\"", true),
        ("w/\"7\"", true),
        ("7", true),
        ("*", true),
        ("W/\"6\", W/\"7\"", true),
        ("W/\"6\"", false),
        ("W/\"77\"", false),
        ("\"\"", false),
        ("", false),
    ];
    for (header, names) in cases {
        assert_eq!(if_match(Some(header), 7).is_ok(), names, "{header}");
        assert_eq!(if_none_match(Some(header), 7), names, "{header}");
    }
    assert!(if_match(None, 7).is_ok());
    assert!(!if_none_match(None, 7));
    let error = if_match(Some("W/\"6\""), 7).expect_err("another version");
    assert_eq!(error.status, 412);
    assert!(error.detail.contains("W/\"7\""), "{}", error.detail);
}

#[test]
fn depth_is_judged_without_recursion() {
    let nested = |levels: usize| (0..levels).fold(json!(1), |inner, _| Value::Array(vec![inner]));
    assert!(check_depth(&nested(MAX_JSON_DEPTH)).is_ok());
    assert_eq!(
        check_depth(&nested(MAX_JSON_DEPTH + 1)).expect_err("too deep").scim_type,
        Some(ScimType::InvalidSyntax)
    );
    assert!(depth_within(&json!(1), 0));
    assert!(!depth_within(&json!({}), 0));
    assert!(depth_within(&json!({"a": {"b": [1]}}), 3));
    assert!(!depth_within(&json!({"a": {"b": [1]}}), 2));
}
