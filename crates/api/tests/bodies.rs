//! Media types and bodies.

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use rollcall_api::body::{check_encoding, check_media_type, parse};
use rollcall_scim::ScimType;

fn accepts(media_type: &'static str) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    check_media_type(&headers).is_ok()
}

#[test]
fn media_types() {
    assert!(check_media_type(&HeaderMap::new()).is_ok(), "none");
    for good in [
        "application/json",
        "application/scim+json",
        "Application/SCIM+JSON",
        "application/scim+json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/json; charset=\"utf-8\"",
        "application/json; profile=x",
        "",
    ] {
        assert!(accepts(good), "{good}");
    }
    for bad in [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json; charset=iso-8859-1",
        "multipart/form-data; boundary=application/json",
    ] {
        assert!(!accepts(bad), "{bad}");
    }
}

#[test]
fn bodies_are_not_compressed() {
    for (coding, good) in
        [("", true), ("identity", true), (" Identity ", true), ("gzip", false), ("identity, br", false)]
    {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        assert_eq!(check_encoding(&headers).is_ok(), good, "{coding}");
    }
    assert!(check_encoding(&HeaderMap::new()).is_ok(), "none");
}

#[test]
fn broken_bodies_are_told_precisely() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let bottomless = "[".repeat(100_000);
    let cases: [(&[u8], &str, &str); 14] = [
        (b"", "invalidSyntax", "is empty"),
        (b" \n", "invalidSyntax", "is empty"),
        (b"{\"a\":", "invalidSyntax", "line 1"),
        (b"[]", "invalidSyntax", "not an array"),
        (b"\"text\"", "invalidSyntax", "not a string"),
        (b"null", "invalidSyntax", "not null"),
        (b"{\"a\":\"\xFF\"}", "invalidSyntax", "not UTF-8"),
        (b"{\"a\":\"\\ud800\"}", "invalidSyntax", "not JSON"),
        (b"{\"a\":1,\"b\":2,\"a\":1}", "invalidSyntax", "\"a\" is there twice"),
        (b"{\"b\":[{\"c\":{\"\\u0061\":1,\"a\":2}}]}", "invalidSyntax", "\"a\" is there twice"),
        (b"{\"a\":{\"a\":{\"a\":1,\"a\":[", "invalidSyntax", "line 1"),
        (b"{\"a\":1e999}", "invalidSyntax", "not JSON"),
        (deep.as_bytes(), "invalidSyntax", "nested deeper"),
        (bottomless.as_bytes(), "invalidSyntax", "nested deeper"),
    ];
    for (body, scim_type, part) in cases {
        let error = parse(body).expect_err(part);
        let shown = String::from_utf8_lossy(body.get(..body.len().min(40)).unwrap_or_default()).into_owned();
        assert_eq!((error.status, error.scim_type.map(ScimType::as_str)), (400, Some(scim_type)), "{shown}");
        assert!(error.detail.contains(part), "{shown}: {}", error.detail);
    }
}

#[test]
fn what_means_one_thing_is_read_as_it_is() {
    let text = r#"{"a":[null,true,false,0,-0,-7,18446744073709551615,1.5,1e3,1e-400,"","\u00e9\ud83d\ude00"],"b":{"A":{},"a":[]}}"#;
    let plain: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(parse(text.as_bytes()).expect("a body"), plain);
}

#[test]
fn null_characters_are_refused_and_named() {
    for (body, place) in [
        (r#"{"userName":"a\u0000b"}"#, "\"userName\""),
        (r#"{"emails":[{"value":"x"},{"value":"\u0000"}]}"#, "\"emails[1].value\""),
        (r#"{"a\u0000":1}"#, "the name of an attribute"),
    ] {
        let error = parse(body.as_bytes()).expect_err(body);
        assert_eq!(error.scim_type.map(ScimType::as_str), Some("invalidValue"), "{body}");
        assert!(error.detail.starts_with(place), "{body}: {}", error.detail);
    }
    // A backslash and the letters behind it are an ordinary text.
    assert!(parse(br#"{"userName":"a\\u0000b"}"#).is_ok());
}
