//! The switches of each client.

use rollcall_scim::Error;
use rollcall_scim::profile::{PatchResponse, Profile};
use serde_json::json;

#[test]
fn every_name_has_a_profile() {
    for name in Profile::names() {
        assert_eq!(Profile::named(name).map(|profile| profile.name), Some(name));
    }
    assert_eq!(Profile::names().count(), 5);
    assert_eq!(Profile::named("Okta"), None);
    assert_eq!(Profile::named(""), None);
}

#[test]
fn patch_is_answered_as_each_client_wants() {
    let cases = [
        ("okta", PatchResponse::Full, PatchResponse::WithoutMembers),
        ("entra", PatchResponse::Full, PatchResponse::NoContent),
        ("workday", PatchResponse::Full, PatchResponse::WithoutMembers),
        ("generic", PatchResponse::Full, PatchResponse::WithoutMembers),
        ("strict", PatchResponse::Full, PatchResponse::Full),
    ];
    for (name, users, groups) in cases {
        let response = Profile::named(name).expect(name).patch_response;
        assert_eq!((response.users, response.groups), (users, groups), "{name}");
    }
}

#[test]
fn strict_tolerates_nothing() {
    let strict = Profile::strict();
    let on = [
        strict.string_booleans,
        strict.create_on_no_match,
        strict.replace_keeps_parts,
        strict.dangling_members,
        strict.bare_filter_words,
        strict.restore_on_post,
        strict.unknown_attributes_ignored,
    ];
    assert_eq!(on, [false; 7]);
}

#[test]
fn errors_have_the_form_of_the_rfc() {
    let cases = [
        (Error::uniqueness("taken"), 409, Some("uniqueness")),
        (Error::invalid_filter("bad"), 400, Some("invalidFilter")),
        (Error::too_many("many"), 400, Some("tooMany")),
        (Error::mutability("fixed"), 400, Some("mutability")),
        (Error::invalid_syntax("bad"), 400, Some("invalidSyntax")),
        (Error::invalid_path("bad"), 400, Some("invalidPath")),
        (Error::no_target("none"), 400, Some("noTarget")),
        (Error::invalid_value("bad"), 400, Some("invalidValue")),
        (Error::invalid_vers("v9"), 400, Some("invalidVers")),
        (Error::sensitive("pii"), 403, Some("sensitive")),
        (Error::invalid_cursor("bad"), 400, Some("invalidCursor")),
        (Error::expired_cursor("old"), 400, Some("expiredCursor")),
        (Error::invalid_count("bad"), 400, Some("invalidCount")),
        (Error::not_found("User", "7"), 404, None),
        (Error::precondition_failed("W/\"2\""), 412, None),
        (Error::payload_too_large("big"), 413, None),
        (Error::status(501, "not offered"), 501, None),
    ];
    for (error, status, keyword) in cases {
        let body = error.to_json();
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], json!(status.to_string()), "the status is a string");
        assert_eq!(body.get("scimType"), keyword.map(|keyword| json!(keyword)).as_ref());
        assert_eq!(body["detail"], json!(error.to_string()));
    }
}
