//! The switches of each client, and how a source overrides them.

use rollcall_scim::Error;
use rollcall_scim::filter::Filter;
use rollcall_scim::profile::{
    GroupPatchResponse, ManagerBy, Overrides, PatchResponse, Position, Profile, Switch, SwitchError, SwitchKind,
};
use rollcall_scim::resource;
use serde_json::{Value, json};

use crate::given::{USER, generic, patched, strict, users};

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
        ("okta", GroupPatchResponse::WithoutMembers),
        ("entra", GroupPatchResponse::NoContent),
        ("workday", GroupPatchResponse::WithoutMembers),
        ("generic", GroupPatchResponse::WithoutMembers),
        ("strict", GroupPatchResponse::Full),
    ];
    for (name, groups) in cases {
        let profile = Profile::named(name).expect(name);
        assert_eq!(
            (profile.patch_response_users, profile.patch_response_groups),
            (PatchResponse::Full, groups),
            "{name}"
        );
    }
}

#[test]
fn strict_tolerates_nothing_and_generic_everything() {
    for switch in Switch::all().iter().filter(|switch| switch.kind == SwitchKind::Boolean) {
        assert_eq!(switch.of(&strict()), Position::Bool(false), "{}", switch.name);
        assert_eq!(switch.of(&generic()), Position::Bool(true), "{}", switch.name);
    }
}

#[test]
fn only_feeds_name_managers_by_worker_id() {
    for profile in Profile::all() {
        let wanted = if profile.name == "workday" { ManagerBy::ExternalId } else { ManagerBy::Id };
        assert_eq!(profile.manager_by, wanted, "{}", profile.name);
    }
}

#[test]
fn every_switch_says_what_it_is() {
    let mut names: Vec<&str> = Switch::all().iter().map(|switch| switch.name).collect();
    for switch in Switch::all() {
        assert!(switch.does.ends_with('.') && switch.why.ends_with('.'), "{}: whole sentences", switch.name);
        assert!(!switch.client.is_empty() && !switch.client.ends_with('.'), "{}: a name", switch.name);
        assert!(switch.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
        assert!(switch.kind.positions().len() > 1, "{}: a switch that cannot be moved", switch.name);
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Switch::all().len(), "one name, one switch");
}

#[test]
fn an_override_moves_its_switch_alone() {
    for profile in Profile::all() {
        for switch in Switch::all() {
            for position in switch.kind.positions() {
                let overrides = Overrides::parse(&json!({ (switch.name): position.to_json() })).expect("an override");
                let moved = profile.with(&overrides);
                for other in Switch::all() {
                    let wanted = if other.name == switch.name { position } else { other.of(&profile) };
                    assert_eq!(other.of(&moved), wanted, "{} of {}, {} moved", other.name, profile.name, switch.name);
                }
                assert_eq!(moved.name, profile.name);
                assert_eq!(Overrides::parse(&overrides.to_json()), Ok(overrides));
                assert_eq!(switch.parse_word(&position.to_string()), Ok(position));
            }
        }
    }
}

#[test]
fn overrides_are_changed_as_by_a_merge_patch() {
    let start = json!({ "string_booleans": false, "manager_by": "externalId" });
    let cases = [
        (json!({}), start.clone()),
        (json!({ "manager_by": null }), json!({ "string_booleans": false })),
        (json!({ "manager_by": "id", "string_booleans": null }), json!({ "manager_by": "id" })),
        (json!({ "restore_on_post": null }), start.clone()),
        (
            json!({ "restore_on_post": true }),
            json!({ "string_booleans": false, "restore_on_post": true, "manager_by": "externalId" }),
        ),
    ];
    for (patch, wanted) in cases {
        let overrides = Overrides::parse(&start).expect("overrides");
        let merged = overrides.merged(patch.as_object().expect("an object")).expect("a merge");
        assert_eq!(merged.to_json(), wanted, "{patch}");
        assert_eq!(merged.is_empty(), wanted == json!({}));
    }
}

#[test]
fn an_override_that_cannot_be_is_refused_with_what_can_be() {
    let cases = [
        (json!([]), "the overrides must be a JSON object of switch names and values"),
        (json!(null), "the overrides must be a JSON object of switch names and values"),
        (
            json!({ "stringBooleans": true }),
            "there is no switch \"stringBooleans\"; the switches are string_booleans, ",
        ),
        (json!({ "x".repeat(300): true }), "x…\"; the switches are string_booleans, "),
        (
            json!({ "string_booleans": "true" }),
            "the switch \"string_booleans\" cannot be \"true\"; it can be true or false",
        ),
        (json!({ "string_booleans": null }), "the switch \"string_booleans\" cannot be null; it can be true or false"),
        (json!({ "manager_by": "workerId" }), "it can be id, externalId, employeeNumber"),
        (json!({ "manager_by": true }), "it can be id, externalId, employeeNumber"),
        (json!({ "patch_response_users": "without_members" }), "it can be full, no_content"),
    ];
    for (overrides, wanted) in cases {
        let error = Overrides::parse(&overrides).expect_err("a refusal");
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let unknown = Overrides::default().merged(json!({ "nope": null }).as_object().expect("an object"));
    assert!(matches!(unknown, Err(SwitchError::Unknown { .. })), "also to reset it: {unknown:?}");
}

/// What becomes of a user with these attributes, or of the PATCH of one without any.
fn read(profile: &Profile, attributes: &Value) -> Result<Value, Error> {
    let mut body = json!({ "schemas": [USER], "userName": "u" });
    for (name, value) in attributes.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    resource::parse(&users(), &body, profile).map(|read| Value::Object(read.into_map()))
}

fn after_patch(profile: &Profile, operation: &Value) -> Result<Value, Error> {
    let current = json!({ "userName": "u", "emails": [{ "type": "home", "value": "h@x.test" }] });
    let patched = patched(&users(), profile, &current, &json!([operation]))?;
    Ok(Value::Object(patched.resource.into_map()))
}

fn matches(profile: &Profile, filter: &str) -> Result<Value, Error> {
    let user = json!({ "userName": "u", "active": false, "externalId": "jyoung" });
    Ok(Filter::parse(filter, &users(), profile)?.matches(&users(), &user).into())
}

/// A switch, what it is looked at with, and the text that is in the outcome when it is on and when it is off.
type Case = (&'static str, fn(&Profile) -> Result<Value, Error>, &'static str, &'static str);

#[test]
fn each_switch_of_the_pure_part_in_both_positions() {
    let cases: [Case; 10] = [
        ("string_booleans", |on| read(on, &json!({ "active": "False" })), "\"active\":false", "must be true or false"),
        ("string_booleans", |on| matches(on, "active eq \"False\""), "true", "true or false"),
        (
            "create_on_no_match",
            |on| {
                after_patch(
                    on,
                    &json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": "w@x.test" }),
                )
            },
            "w@x.test",
            "no value matches",
        ),
        (
            "replace_keeps_parts",
            |on| {
                let value = json!({ "value": "n@x.test" });
                after_patch(on, &json!({ "op": "replace", "path": "emails[type eq \"home\"]", "value": value }))
            },
            "[{\"type\":\"home\",\"value\":\"n@x.test\"}]",
            "[{\"value\":\"n@x.test\"}]",
        ),
        ("bare_filter_words", |on| matches(on, "externalId eq jyoung"), "true", "put strings in double quotes"),
        (
            "unknown_attributes_ignored",
            |on| read(on, &json!({ "shoeSize": 43 })),
            "{\"userName\":\"u\",\"active\":true}",
            "\"shoeSize\" is not an attribute",
        ),
        (
            "scim_1_schemas",
            |on| read(on, &json!({ "schemas": ["urn:scim:schemas:core:1.0"] })),
            "\"userName\":\"u\"",
            "\"schemas\" must be an array",
        ),
        (
            "unwrap_role_values",
            |on| read(on, &json!({ "roles": [{ "value": WRAPPED }] })),
            "[{\"value\":\"Admin\",\"display\":\"The admin\"}]",
            "[{\"value\":\"{",
        ),
        (
            "text_references",
            |on| read(on, &json!({ "profileUrl": "not set" })),
            "\"profileUrl\":\"not set\"",
            "\"profileUrl\" must be a URI",
        ),
        (
            "text_references",
            |on| {
                let on = Profile { create_on_no_match: true, ..*on };
                let photo = json!({ "op": "add", "path": "photos[type eq \"photo\"].value", "value": "ada 1.png" });
                after_patch(&on, &photo)
            },
            "\"value\":\"ada 1.png\"",
            "\"photos.value\" must be a URI",
        ),
    ];
    for (name, outcome, on, off) in cases {
        // Nothing else decides: the other switches stand now as in one profile and now as in the other.
        for base in [generic(), strict()] {
            for (position, wanted) in [(true, on), (false, off)] {
                let overrides = Overrides::parse(&json!({ (name): position })).expect("an override");
                let told = match outcome(&base.with(&overrides)) {
                    Ok(value) => value.to_string(),
                    Err(error) => error.detail,
                };
                assert!(told.contains(wanted), "{name}={position} over {}: {told}", base.name);
            }
        }
    }
}

#[test]
fn a_reference_is_a_uri_whole_or_relative() {
    let uris = [
        "https://host.example/~ada?x=[1]#top",
        "HTTP://host:8080/%E5%BC%A0",
        "urn:example:a:b",
        "mailto:ada@host.example",
        "../Users/26118915",
        "/Users/26118915",
        "ada.png",
        "?page=1:2",
        "a/b:c",
        "N/A",
    ];
    let others =
        ["not set", "a\tb", "https://host/张", "C:\\ada.png", "1a:b", ":b", "a#b#c", "100%", "%4", "<x>", "\u{7f}"];
    for (texts, fits) in [(&uris[..], true), (&others[..], false)] {
        for text in texts {
            let strict = read(&strict(), &json!({ "profileUrl": text }));
            assert_eq!(strict.is_ok(), fits, "{text}: {strict:?}");
            assert!(read(&generic(), &json!({ "profileUrl": text })).is_ok(), "{text}");
        }
    }
}

const WRAPPED: &str = r#"{"id":"18d1","value":"Admin","displayName":"The admin"}"#;

#[test]
fn a_wrapped_role_is_unwrapped_wherever_it_comes_from() {
    let role = |value: &str, display: &str| json!([{ "value": value, "display": display }]);
    let sent = |element: Value| json!([element]);
    let cases = [
        (sent(json!({ "value": WRAPPED })), role("Admin", "The admin")),
        (sent(json!({ "value": format!(" {WRAPPED}") })), role("Admin", "The admin")),
        (sent(json!(WRAPPED)), role("Admin", "The admin")),
        (json!({ "value": WRAPPED }), role("Admin", "The admin")),
        (sent(json!({ "value": WRAPPED, "display": null })), role("Admin", "The admin")),
        (sent(json!({ "value": WRAPPED, "display": "Chosen" })), role("Admin", "Chosen")),
        (
            sent(json!({ "primary": "True", "type": "app", "value": WRAPPED })),
            json!([{ "primary": true, "type": "app", "value": "Admin", "display": "The admin" }]),
        ),
        (sent(json!({ "value": r#"{"value":null,"displayName":"User"}"# })), role("User", "User")),
        (sent(json!({ "value": r#"{"value":"Admin"}"# })), sent(json!({ "value": "Admin" }))),
        // Twice the same role is one.
        (json!([{ "value": WRAPPED }, { "value": WRAPPED }]), role("Admin", "The admin")),
        // What is no such text stays as it is.
        (sent(json!({ "value": "Admin" })), sent(json!({ "value": "Admin" }))),
        (sent(json!({ "value": "{Admin}" })), sent(json!({ "value": "{Admin}" }))),
        (sent(json!({ "value": "{}" })), sent(json!({ "value": "{}" }))),
        (sent(json!({ "value": r#"{"value":"a\u0000"}"# })), sent(json!({ "value": r#"{"value":"a\u0000"}"# }))),
        (
            sent(json!({ "value": r#"{"value":{"value":"x"}}"# })),
            sent(json!({ "value": r#"{"value":{"value":"x"}}"# })),
        ),
    ];
    for (roles, wanted) in cases {
        assert_eq!(read(&generic(), &json!({ "roles": roles })).expect("a user")["roles"], wanted, "POST {roles}");
        for verb in ["Add", "Replace"] {
            let operation = json!({ "op": verb, "path": "roles", "value": roles });
            assert_eq!(after_patch(&generic(), &operation).expect("a user")["roles"], wanted, "{operation}");
        }
    }
    // Only roles are wrapped.
    let entitlements = json!([{ "value": WRAPPED }]);
    let kept = read(&generic(), &json!({ "entitlements": entitlements })).expect("a user");
    assert_eq!(kept["entitlements"], entitlements);
}

/// Entra adds a role again whenever it looks at the person, and may remove it in the same form.
#[test]
fn a_wrapped_role_that_is_there_changes_nothing() {
    let current = json!({ "userName": "u", "active": true, "roles": [{ "value": "Admin", "display": "The admin" }] });
    let after = |verb: &str| {
        let operations = json!([{ "op": verb, "path": "roles", "value": [{ "value": WRAPPED }] }]);
        Value::Object(patched(&users(), &generic(), &current, &operations).expect("a user").resource.into_map())
    };
    assert_eq!(after("Add"), current);
    assert_eq!(after("Replace"), current);
    assert_eq!(after("Remove"), json!({ "userName": "u", "active": true }));
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
