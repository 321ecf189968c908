//! The query part of SCIM URLs.
#![expect(clippy::expect_used, reason = "helpers of tests may fail loudly")]

use proptest::prelude::*;
use rollcall_api::scim::query::Query;
use rollcall_scim::ScimType;
use rollcall_scim::list::{CursorPage, Page, Paging};
use std::fmt::Write as _;

fn filter(raw: &str) -> Option<String> {
    Query::parse(Some(raw)).expect(raw).filter
}

#[test]
fn known_parameters_are_decoded() {
    let query = Query::parse(Some(
        "filter=userName%20eq+%22a%2Bb%40c%22&startIndex=2&count=5&attributes=userName&excludedAttributes=members",
    ))
    .expect("readable");
    assert_eq!(query.filter.as_deref(), Some(r#"userName eq "a+b@c""#));
    assert_eq!((query.start_index.as_deref(), query.count.as_deref()), (Some("2"), Some("5")));
    assert_eq!((query.attributes.as_deref(), query.excluded.as_deref()), (Some("userName"), Some("members")));
    assert!(query.chooses_attributes());
}

#[test]
fn absent_empty_and_unknown_parameters() {
    for raw in [None, Some(""), Some("&&"), Some("filter=&count="), Some("filter"), Some("sortUp=userName&x=%zz&%ff=1")]
    {
        assert_eq!(Query::parse(raw).expect("readable"), Query::default(), "{raw:?}");
    }
}

#[test]
fn the_flag_of_entra_is_ignored_wherever_it_is_glued() {
    let wanted = Some(r#"userName eq "x""#.to_owned());
    for raw in [
        "aadOptscim062020&filter=userName%20eq%20%22x%22",
        "filter=userName%20eq%20%22x%22&aadOptscim062020",
        "aadOptscim062020?filter=userName%20eq%20%22x%22",
        "filter=userName%20eq%20%22x%22?aadOptscim062020",
        "count=1?aadOptscim062020&filter=userName%20eq%20%22x%22",
        "aadOptscim062020=1&filter=userName%20eq%20%22x%22",
        "AADOPTSCIM062020?filter=userName%20eq%20%22x%22",
        "tenant=acme?filter=userName%20eq%20%22x%22",
        "a?b=c?filter=userName%20eq%20%22x%22&count=1",
    ] {
        assert_eq!(filter(raw), wanted, "{raw}");
    }
}

#[test]
fn a_question_mark_in_a_known_parameter_is_part_of_it() {
    assert_eq!(filter("filter=title%20eq%20%22why?count=5%22").as_deref(), Some(r#"title eq "why?count=5""#));
}

#[test]
fn names_in_other_case_and_lists_in_parts() {
    assert_eq!(filter("FILTER=id%20pr").as_deref(), Some("id pr"));
    let query = Query::parse(Some("attributes=userName&attributes=name.givenName")).expect("readable");
    assert_eq!(query.attributes.as_deref(), Some("userName,name.givenName"));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (raw, scim_type, part) in [
        ("filter=%zz", "invalidFilter", "\"filter\" holds a \"%\""),
        ("filter=%4", "invalidFilter", "\"filter\" holds a \"%\""),
        ("filter=%ff", "invalidFilter", "\"filter\" is not UTF-8"),
        ("filter=a%00b", "invalidFilter", "\"filter\" holds a null character"),
        ("attributes=%C3%28", "invalidValue", "\"attributes\" is not UTF-8"),
        ("filter=id%20pr&filter=id%20pr", "invalidFilter", "\"filter\" is given twice"),
        ("count=1&count=2", "invalidValue", "\"count\" is given twice"),
    ] {
        let error = Query::parse(Some(raw)).expect_err(raw);
        assert_eq!((error.status, error.scim_type.map(ScimType::as_str)), (400, Some(scim_type)), "{raw}");
        assert!(error.detail.contains(part), "{raw}: {}", error.detail);
    }
}

#[test]
fn pages_are_bounded() {
    for (raw, start, count) in
        [("", 1, 100), ("startIndex=0&count=-3", 1, 0), ("count=100000", 1, 1000), ("startIndex=11&count=5", 11, 5)]
    {
        let paging = Query::parse(Some(raw)).expect(raw).paging().expect(raw);
        assert_eq!(paging, Paging::Index(Page { start_index: start, count }), "{raw}");
    }
    assert!(Query::parse(Some("count=ten")).expect("readable").paging().is_err());
}

/// A cursor that is there, even an empty one, asks for pages by cursor (RFC 9865 §2).
#[test]
fn cursors_are_told_from_positions() {
    let cursor = |text: Option<&str>, count| Paging::Cursor(CursorPage { cursor: text.map(str::to_owned), count });
    for (raw, expected) in [
        ("cursor", Ok(cursor(None, None))),
        ("cursor=&count=7", Ok(cursor(None, Some(7)))),
        ("cursor=%20&count=-7", Ok(cursor(None, Some(0)))),
        ("cursor=a-b._~&startIndex=", Ok(cursor(Some("a-b._~"), None))),
        ("Cursor=x&count=1000", Ok(cursor(Some("x"), Some(1000)))),
        ("cursor=x&count=1001", Err("invalidCount")),
        ("cursor&count=ten", Err("invalidCount")),
        ("cursor&startIndex=1", Err("invalidValue")),
    ] {
        let paging = Query::parse(Some(raw)).expect(raw).paging();
        assert_eq!(paging.map_err(|error| error.scim_type.map_or("", ScimType::as_str)), expected, "{raw}");
    }
}

#[test]
fn a_search_means_what_a_url_means() {
    let body = serde_json::json!({
        "schemas": [rollcall_scim::search::SEARCH_SCHEMA],
        "attributes": ["userName", "emails"], "filter": "id pr", "startIndex": 2, "count": 5,
        "sortBy": "title", "sortOrder": "descending",
    });
    let search = rollcall_scim::search::SearchRequest::parse(&body).expect("a search");
    let url = Query::parse(Some(
        "attributes=userName,emails&filter=id%20pr&startIndex=2&count=5&sortBy=title&sortOrder=descending",
    ))
    .expect("readable");
    assert_eq!(Query::from(search), url);
    assert_eq!(Query::from(rollcall_scim::search::SearchRequest::default()), Query::default());
}

proptest! {
    #[test]
    fn any_text_survives_encoding(text in "[^\0]{1,40}") {
        prop_assume!(!text.trim().is_empty());
        let mut encoded = String::new();
        text.bytes().for_each(|byte| write!(encoded, "%{byte:02X}").expect("a string takes everything"));
        prop_assert_eq!(filter(&format!("filter={encoded}")), Some(text));
    }

    #[test]
    fn nothing_makes_it_panic(raw in ".{0,80}") {
        let _ = Query::parse(Some(&raw));
    }
}
