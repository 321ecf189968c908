//! The body of `.search`, and filters over several resource types.

use rollcall_scim::Error;
use rollcall_scim::filter::Filter;
use rollcall_scim::list::Page;
use rollcall_scim::search::{SEARCH_SCHEMA, SearchRequest};
use serde_json::{Value, json};

use crate::given::{ENTERPRISE, generic, groups, keyword, users};

fn search(mut members: Value) -> Result<SearchRequest, Error> {
    members["schemas"] = json!([SEARCH_SCHEMA]);
    SearchRequest::parse(&members)
}

#[test]
fn a_search_is_taken_apart() {
    let body = json!({
        "attributes": ["userName", "emails"], "FILTER": "id pr", "sortBy": "userName",
        "sortOrder": "descending", "startIndex": 3, "count": "5", "unheardOf": {},
    });
    let wanted = SearchRequest {
        attributes: vec!["userName".into(), "emails".into()],
        excluded_attributes: Vec::new(),
        filter: Some("id pr".into()),
        sort_by: Some("userName".into()),
        sort_order: Some("descending".into()),
        start_index: Some("3".into()),
        count: Some("5".into()),
        cursor: None,
    };
    assert_eq!(search(body).expect("a search"), wanted);
    let empty = json!({ "filter": " ", "count": null, "attributes": [], "excludedAttributes": null });
    assert_eq!(search(empty).expect("a search"), SearchRequest::default());
    // An empty cursor asks for the first page (RFC 9865 section 2).
    assert_eq!(search(json!({ "cursor": "" })).expect("a search").cursor, Some(String::new()));
    assert_eq!(search(json!({ "cursor": null })).expect("a search").cursor, None);
    let excluded = search(json!({ "excludedAttributes": "members,meta" })).expect("a search").excluded_attributes;
    assert_eq!(excluded, ["members", "meta"]);
}

#[test]
fn a_search_of_the_wrong_form_is_refused() {
    let cases = [
        (json!({ "filter": ["id pr"] }), "invalidFilter", "\"filter\""),
        (json!({ "attributes": [1] }), "invalidValue", "\"attributes\""),
        (json!({ "excludedAttributes": {} }), "invalidValue", "\"excludedAttributes\""),
        (json!({ "startIndex": true }), "invalidValue", "\"startIndex\""),
        (json!({ "count": [] }), "invalidValue", "\"count\""),
        (json!({ "cursor": 7 }), "invalidValue", "\"cursor\""),
        (json!({ "sortBy": ["id"] }), "invalidValue", "\"sortBy\""),
        (json!({ "count": 1, "Count": 2 }), "invalidSyntax", "twice"),
    ];
    for (body, wanted, part) in cases {
        let error = search(body.clone()).expect_err("wrong");
        assert_eq!(keyword(&error), wanted, "{body}");
        assert!(error.detail.contains(part), "{body}: {}", error.detail);
    }
    for body in [json!({}), json!({ "schemas": [ENTERPRISE] }), json!({ "schemas": SEARCH_SCHEMA })] {
        assert_eq!(keyword(&SearchRequest::parse(&body).expect_err("no schema")), "invalidSyntax", "{body}");
    }
}

#[test]
fn what_a_type_does_not_define_has_no_value_there() {
    let (users, groups) = (users(), groups());
    let user = json!({ "userName": "ada", "displayName": "Ada", "meta": { "resourceType": "User" } });
    let group = json!({ "displayName": "Ada", "meta": { "resourceType": "Group" }, "members": [{ "value": "7" }] });
    // filter, found user, found group.
    let cases = [
        (r#"userName eq "ada""#.to_owned(), true, false),
        (r#"userName ne "ada""#.to_owned(), false, true),
        ("userName pr".to_owned(), true, false),
        ("not (userName pr)".to_owned(), false, true),
        ("userName eq null".to_owned(), false, true),
        (r#"members.value eq "7""#.to_owned(), false, true),
        (r#"members[value eq "7"]"#.to_owned(), false, true),
        (r#"displayName eq "ada""#.to_owned(), true, true),
        (r#"userName eq "ada" or members.value eq "7""#.to_owned(), true, true),
        (r#"userName eq "ada" and members.value eq "7""#.to_owned(), false, false),
        (r#"meta.resourceType eq "User""#.to_owned(), true, false),
        (r#"meta.resourceType eq Group and displayName sw "a""#.to_owned(), false, true),
        (format!(r#"{ENTERPRISE}:department ne "x""#), true, true),
        (r#"urn:ietf:params:scim:schemas:core:2.0:User:displayName eq "ada""#.to_owned(), true, false),
    ];
    for (text, finds_user, finds_group) in cases {
        let of_users = Filter::parse_across(&text, &users, &[&groups], &generic()).expect(&text);
        let of_groups = Filter::parse_across(&text, &groups, &[&users], &generic()).expect(&text);
        let found = (of_users.matches(&users, &user), of_groups.matches(&groups, &group));
        assert_eq!(found, (finds_user, finds_group), "{text}");
    }
}

#[test]
fn what_no_type_defines_is_refused() {
    let (users, groups) = (users(), groups());
    for text in ["unheardOf pr", "password pr", r#"members[unheardOf eq "x"]"#, "active eq 1"] {
        for (rt, other) in [(&users, &groups), (&groups, &users)] {
            let error = Filter::parse_across(text, rt, &[other], &generic()).expect_err(text);
            assert_eq!(keyword(&error), "invalidFilter", "{text}");
        }
    }
    let error = Filter::parse_across("unheardOf pr", &users, &[&groups], &generic()).expect_err("unknown");
    assert!(error.detail.contains("an attribute of User or Group"), "{}", error.detail);
}

#[test]
fn a_page_goes_on_in_the_second_list() {
    // first, count, total of the first list, taken from it, then what is wanted of the second.
    let cases = [
        (1, 10, 4, 4, 1, 6),
        (3, 2, 4, 2, 1, 0),
        (4, 2, 4, 1, 1, 1),
        (5, 2, 4, 0, 1, 2),
        (9, 2, 4, 0, 5, 2),
        (1, 0, 4, 0, 1, 0),
        (1, 5, 0, 0, 1, 5),
    ];
    for (start_index, count, total, taken, next_start, next_count) in cases {
        let page = Page { start_index, count }.after(total, taken);
        assert_eq!(page, Page { start_index: next_start, count: next_count }, "{start_index} {count} {total}");
    }
}
