//! Reading the body of a POST.

use rollcall_scim::Error;
use rollcall_scim::patch::{self, Context, PatchRequest};
use rollcall_scim::path::AttributePath;
use rollcall_scim::profile::Profile;
use rollcall_scim::resource::{self, Resource};
use serde_json::{Map, Value, json};

use crate::given::{
    CUSTOM, DINGTALK, ENTERPRISE, GROUP, ID, USER, custom_users, generic, groups, keyword, patch_body, stored, strict,
    users,
};

/// A user body with `userName` and the given attributes.
fn body(attributes: Value) -> Value {
    let Value::Object(attributes) = attributes else { panic!("an object") };
    let mut body = Map::from_iter([("schemas".to_owned(), json!([USER])), ("userName".to_owned(), json!("u"))]);
    body.extend(attributes);
    Value::Object(body)
}

fn read(attributes: Value, profile: &Profile) -> Result<Value, Error> {
    resource::parse(&custom_users(), &body(attributes), profile).map(|read| Value::Object(read.into_map()))
}

/// Checks what is stored besides `userName` and the default of `active`.
#[track_caller]
fn check(attributes: Value, wanted: &Value) {
    let text = attributes.to_string();
    let mut read = read(attributes, &generic()).unwrap_or_else(|error| panic!("{text}: {error}"));
    let map = read.as_object_mut().expect("an object");
    assert_eq!(map.remove("userName"), Some(json!("u")));
    if wanted.get("active").is_none() {
        assert_eq!(map.remove("active"), Some(json!(true)), "{text}");
    }
    assert_eq!(read, *wanted, "{text}");
}

#[test]
fn what_is_stored() {
    let cases = [
        (json!({}), json!({})),
        // Read-only attributes are ignored (X3).
        (json!({ "id": "x", "meta": { "version": 1 }, "groups": [{ "value": "g" }] }), json!({})),
        (json!({ DINGTALK: { "userId": "u", "state": 7 } }), json!({})),
        (json!({ ENTERPRISE: { "manager": { "displayName": "Boss" } } }), json!({})),
        // Having no value is not being there.
        (
            json!({ "title": null, "nickName": "", "emails": [], "roles": [null, {}], "name": {}, "ims": null }),
            json!({}),
        ),
        (json!({ "name": { "givenName": null, "familyName": "" }, ENTERPRISE: null }), json!({})),
        (json!({ ENTERPRISE: {} }), json!({})),
        (json!({ "emails": [{ "value": "a", "display": null }] }), json!({ "emails": [{ "value": "a" }] })),
        // Names in any case (C5).
        (json!({ "TITLE": "t", "Name": { "GIVENNAME": "g" } }), json!({ "title": "t", "name": { "givenName": "g" } })),
        (json!({ ENTERPRISE.to_uppercase(): { "DEPARTMENT": "d" } }), json!({ ENTERPRISE: { "department": "d" } })),
        (json!({ "EXTERNALID": "E" }), json!({ "externalId": "E" })),
        // Booleans as strings (A2) and real ones (A6).
        (json!({ "active": "False" }), json!({ "active": false })),
        (json!({ "active": "TRUE" }), json!({ "active": true })),
        (json!({ "active": false }), json!({ "active": false })),
        (
            json!({ "roles": [{ "primary": "True", "value": "r" }] }),
            json!({ "roles": [{ "primary": true, "value": "r" }] }),
        ),
        // A single value where several are possible, and strings where the value part is meant.
        (json!({ "emails": { "value": "a" } }), json!({ "emails": [{ "value": "a" }] })),
        (json!({ "emails": "a" }), json!({ "emails": [{ "value": "a" }] })),
        (json!({ "emails": ["a", "b"] }), json!({ "emails": [{ "value": "a" }, { "value": "b" }] })),
        // The same value with another type is another value; the same with the same type is not.
        (
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "a", "type": "home" }] }),
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "a", "type": "home" }] }),
        ),
        (
            json!({ "emails": [{ "value": "a", "type": "work" }, { "value": "A", "type": "Work", "primary": true }] }),
            json!({ "emails": [{ "value": "A", "type": "Work", "primary": true }] }),
        ),
        // The manager in every form (E1, E2), inside and outside its extension.
        (json!({ ENTERPRISE: { "manager": "m" } }), json!({ ENTERPRISE: { "manager": { "value": "m" } } })),
        (
            json!({ ENTERPRISE: { "manager": [{ "value": "m", "$ref": "../Users/m" }] } }),
            json!({ ENTERPRISE: { "manager": { "value": "m", "$ref": "../Users/m" } } }),
        ),
        (json!({ ENTERPRISE: { "manager": { "value": "" } } }), json!({})),
        (json!({ ENTERPRISE: { "manager": [] } }), json!({})),
        (json!({ ENTERPRISE: { "manager.value": "m" } }), json!({ ENTERPRISE: { "manager": { "value": "m" } } })),
        (json!({ "manager": "m" }), json!({ ENTERPRISE: { "manager": { "value": "m" } } })),
        (
            json!({ "manager": null, "department": null, ENTERPRISE: { "manager": { "value": "m" } } }),
            json!({ ENTERPRISE: { "manager": { "value": "m" } } }),
        ),
        (
            json!({ ENTERPRISE: { "department": "real" }, "department": "guessed" }),
            json!({ ENTERPRISE: { "department": "real" } }),
        ),
        // Paths as keys (E6, P4).
        (
            json!({ format!("{ENTERPRISE}:employeeNumber"): "7", format!("{ENTERPRISE}:manager.value"): "m" }),
            json!({ ENTERPRISE: { "employeeNumber": "7", "manager": { "value": "m" } } }),
        ),
        (
            json!({ "name.givenName": "g", "name": { "familyName": "f" } }),
            json!({ "name": { "givenName": "g", "familyName": "f" } }),
        ),
        (json!({ format!("{USER}:title"): "t" }), json!({ "title": "t" })),
        (json!({ USER: { "title": "t" } }), json!({ "title": "t" })),
        // Unknown names are ignored.
        (json!({ "foo": 1, "foo.bar": 2, "": 3, "a b": 4, "urn:example:x:y": { "z": 5 } }), json!({})),
        (
            json!({ "name": { "foo": 1 }, "emails": [{ "value": "a", "operation": "delete" }] }),
            json!({ "emails": [{ "value": "a" }] }),
        ),
        (json!({ "emails.value": "a", ENTERPRISE: { "foo": 1 } }), json!({})),
        // A password is accepted and dropped (X4); a role that is JSON in a string is unwrapped.
        (json!({ "password": "t1meMa$heen" }), json!({})),
        (
            json!({ "roles": [{ "value": "{\"id\":\"1\",\"value\":\"Admin\"}" }] }),
            json!({ "roles": [{ "value": "Admin" }] }),
        ),
        // Values are kept as sent; canonical values are suggestions.
        (
            json!({ "emails": [{ "value": " A@X.example", "type": "Büro" }] }),
            json!({ "emails": [{ "value": " A@X.example", "type": "Büro" }] }),
        ),
        (
            json!({ "x509Certificates": [{ "value": "MIIB+/8=" }] }),
            json!({ "x509Certificates": [{ "value": "MIIB+/8=" }] }),
        ),
        (json!({ "timezone": "Mars/Base", "locale": "en_US" }), json!({ "timezone": "Mars/Base", "locale": "en_US" })),
        // A tenant's own extension, listed in schemas or not.
        (
            json!({ CUSTOM: { "door": "d", "level": 3, "weight": 1.5, "issuedAt": "2024-01-01T00:00:00", "tags": ["a", "A", "b"] } }),
            json!({ CUSTOM: { "door": "d", "level": 3, "weight": 1.5, "issuedAt": "2024-01-01T00:00:00", "tags": ["a", "b"] } }),
        ),
    ];
    for (attributes, wanted) in cases {
        check(attributes, &wanted);
    }
}

#[test]
fn no_value_is_the_default() {
    for attributes in [json!({ "active": null }), json!({ "active": "" }), json!({})] {
        let read = read(attributes.clone(), &generic()).expect("a user");
        assert_eq!(read.get("active"), Some(&json!(true)), "{attributes}");
    }
}

#[test]
fn what_is_refused() {
    let invalid = "invalidValue";
    let large = |weight: &str| {
        let weight: Value = serde_json::from_str(weight).expect("a number");
        json!({ CUSTOM: { "door": "d", "weight": weight } })
    };
    let cases = [
        (json!({ "userName": null }), invalid, "\"userName\""),
        (json!({ "userName": "" }), invalid, "\"userName\""),
        (json!({ "userName": "  " }), invalid, "\"userName\""),
        (json!({ "userName": 7 }), invalid, "must be a string, not 7"),
        (json!({ "userName": "a\tb" }), invalid, "\"userName\" holds the control character U+0009 at position 2"),
        (
            json!({ "displayName": "éa\u{85}" }),
            invalid,
            "\"displayName\" holds the control character U+0085 at position 3",
        ),
        (json!({ "userName": "a".repeat(1_025) }), invalid, "1024 bytes"),
        (json!({ "title": true }), invalid, "\"title\" must be a string"),
        (json!({ "title": ["a"] }), invalid, "not an array"),
        (json!({ "title": { "a": 1 } }), invalid, "not an object"),
        (json!({ "title": "a\u{0}b" }), invalid, "NUL"),
        (json!({ "title": "a".repeat(200_000) }), invalid, "longer than"),
        (json!({ "active": "maybe" }), invalid, "true or false"),
        (json!({ "active": 1 }), invalid, "true or false"),
        (json!({ "name": 7 }), invalid, "\"name\" must be an object"),
        (json!({ "name": "Jensen" }), invalid, "\"name\" must be an object"),
        (json!({ "name": { "givenName": 7 } }), invalid, "\"name.givenName\""),
        (json!({ "emails": [{ "value": 7 }] }), invalid, "\"emails[0].value\""),
        (json!({ "emails": [{ "value": "a" }, 7] }), invalid, "\"emails[1]\""),
        (json!({ "emails": [[]] }), invalid, "\"emails[0]\""),
        (json!({ "emails": 7 }), invalid, "\"emails"),
        (json!({ "password": 7 }), invalid, "\"password\""),
        (json!({ "x509Certificates": [{ "value": "not base64!" }] }), invalid, "base64"),
        (
            json!({ "emails": [{ "value": "a", "primary": true }, { "value": "b", "primary": "true" }] }),
            invalid,
            "at most one",
        ),
        (json!({ ENTERPRISE: { "manager": ["a", "b"] } }), invalid, "one value, not 2"),
        (json!({ ENTERPRISE: { "manager": 7 } }), invalid, "an object"),
        (json!({ ENTERPRISE: "Sales" }), invalid, "must be an object"),
        (json!({ ENTERPRISE: { "department": 7 } }), invalid, &format!("\"{ENTERPRISE}:department\"")),
        (
            json!({ CUSTOM: { "level": 3 } }),
            invalid,
            "\"urn:example:params:scim:schemas:extension:badge:2.0:User:door\"",
        ),
        (json!({ CUSTOM: { "door": "d", "level": 3.5 } }), invalid, "whole number"),
        (json!({ CUSTOM: { "door": "d", "level": "3" } }), invalid, "whole number"),
        (json!({ CUSTOM: { "door": "d", "weight": "3" } }), invalid, "a number"),
        // What would be rounded.
        (json!({ CUSTOM: { "door": "d", "weight": 9_007_199_254_740_993.5 } }), invalid, "kept as it is written"),
        (large("18446744073709551616"), invalid, "kept as it is written"),
        (large("-1e300"), invalid, "smaller than 9007199254740992"),
        (json!({ CUSTOM: { "door": "d", "issuedAt": "yesterday" } }), invalid, "date and time"),
        (json!({ "TITLE": "a", "title": "b" }), "invalidSyntax", "twice"),
        (json!({ "name": { "givenName": "a", "givenname": "b" } }), "invalidSyntax", "twice"),
        (json!({ ENTERPRISE: { "Department": "a", "department": "b" } }), "invalidSyntax", "twice"),
        (json!({ "emails": vec![json!({ "value": "a" }); 1_001] }), "413", "at most 1000"),
        (json!({ "schemas": [] }), "invalidSyntax", USER),
        (json!({ "schemas": null }), "invalidSyntax", USER),
        (json!({ "schemas": USER }), "invalidSyntax", USER),
        (json!({ "schemas": [GROUP] }), "invalidSyntax", USER),
    ];
    for (attributes, wanted, part) in cases {
        let mut text = attributes.to_string();
        text.truncate(200);
        let error = read(attributes, &generic()).expect_err(&text);
        assert_eq!(keyword(&error), wanted, "{text}");
        assert!(error.detail.contains(part), "{text}: {}", error.detail);
    }
}

#[test]
fn the_body_must_be_an_object_with_schemas() {
    for body in [json!(null), json!([]), json!("x"), json!({}), json!({ "userName": "u" })] {
        let error = resource::parse(&users(), &body, &generic()).expect_err("no resource");
        assert_eq!(keyword(&error), "invalidSyntax", "{body}");
    }
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(keyword(&read(json!({ "title": deep }), &generic()).expect_err("deep")), "invalidSyntax");
}

#[test]
fn odd_schemas_are_of_no_consequence() {
    let accepted = [
        json!([USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"]),
        json!([USER.to_uppercase()]),
        json!(["http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User", USER]),
        json!(["urn:scim:schemas:core:1.0"]),
        json!([USER, 7, null]),
    ];
    for schemas in accepted {
        assert!(
            read(json!({ "schemas": schemas, ENTERPRISE: { "department": "d" } }), &generic()).is_ok(),
            "{schemas}"
        );
    }
    assert!(read(json!({ "schemas": ["urn:scim:schemas:core:1.0"] }), &strict()).is_err());
}

#[test]
fn the_strict_profile_refuses_what_the_rfc_does_not_know() {
    let cases = [
        (json!({ "active": "True" }), "invalidValue"),
        (json!({ "roles": [{ "primary": "True" }] }), "invalidValue"),
        (json!({ "foo": 1 }), "invalidSyntax"),
        (json!({ ENTERPRISE: { "foo": 1 } }), "invalidSyntax"),
        (json!({ "name": { "foo": 1 } }), "invalidValue"),
    ];
    for (attributes, wanted) in cases {
        assert_eq!(keyword(&read(attributes.clone(), &strict()).expect_err("strict")), wanted, "{attributes}");
        assert!(read(attributes.clone(), &generic()).is_ok(), "{attributes}");
    }
}

#[test]
fn required_extensions_must_be_there() {
    use rollcall_scim::schema::{Attribute, Extension, Schema};
    let schema = Schema::new("urn:example:must", "Must", "Must", vec![Attribute::string("a", "A.")]);
    let rt = users().with_extension(Extension::required(schema));
    let error = resource::parse(&rt, &body(json!({})), &generic()).expect_err("the extension is missing");
    assert!(error.detail.contains("urn:example:must"), "{}", error.detail);
    assert!(resource::parse(&rt, &body(json!({ "urn:example:must": { "a": "x" } })), &generic()).is_ok());
}

#[test]
fn groups_with_members() {
    let read = |members: Value, profile: &Profile| {
        let body = json!({
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "displayName": "Staff", "externalId": "o", "members": members,
        });
        resource::parse(&groups(), &body, profile)
    };
    let members = |members: Value| -> Vec<Value> {
        read(members, &generic()).map(|mut group| group.take_values("members")).expect("a group")
    };
    assert_eq!(members(json!([])), Vec::<Value>::new());
    // B10, B9.
    assert_eq!(
        members(json!([
            { "value": "a", "$ref": null, "displayName": "A" },
            { "value": "b", "type": "User", "display": "B" },
            { "value": "a", "type": "User" },
            "c",
        ])),
        vec![json!({ "value": "a" }), json!({ "value": "b", "type": "User" }), json!({ "value": "c" })]
    );
    let error = read(json!([{ "value": "a" }, { "display": "nobody" }]), &generic()).expect_err("no value");
    assert!(error.detail.contains("\"members[1]\" has no \"value\""), "{}", error.detail);
    assert_eq!(members(json!(["a".repeat(1_024)])).len(), 1);
    let error = read(json!(["a", "b".repeat(1_025)]), &generic()).expect_err("too long for an index");
    assert!(error.detail.contains("\"members[1].value\" is longer than 1024 bytes"), "{}", error.detail);
    let many: Vec<Value> = (0..5_000).map(|index| json!({ "value": index.to_string() })).collect();
    assert_eq!(members(json!(many)).len(), 5_000);
    let nameless = json!({ "schemas": [GROUP], "members": [] });
    assert_eq!(keyword(&resource::parse(&groups(), &nameless, &generic()).expect_err("nameless")), "invalidValue");
}

#[test]
fn a_resource_gives_its_values() {
    let body = body(json!({
        "active": false,
        "name": { "givenName": "g" },
        "emails": [{ "value": "a" }],
        ENTERPRISE: { "manager": { "value": "m" } },
    }));
    let user = resource::parse(&users(), &body, &generic()).expect("a user");
    assert_eq!(user.string("userName"), Some("u"));
    assert_eq!(user.string("name"), None);
    assert_eq!(user.boolean("active"), Some(false));
    assert_eq!(user.values("emails"), [json!({ "value": "a" })]);
    assert!(user.values("photos").is_empty() && user.values("userName").is_empty());
    let get = |path: AttributePath| user.get(&path).cloned();
    assert_eq!(get(AttributePath::core("name").sub("givenName")), Some(json!("g")));
    assert_eq!(get(AttributePath::core("emails").sub("value")), None);
    assert_eq!(get(AttributePath::extension(ENTERPRISE, "manager").sub("value")), Some(json!("m")));
    assert_eq!(get(AttributePath::extension(DINGTALK, "state")), None);
    assert_eq!(user.extension(ENTERPRISE).map(Map::len), Some(1));
    assert_eq!(Resource::from_map(user.clone().into_map()), user);
}

/// A serialiser that gives extensions a `schemas` of their own is understood, in a body and in a PATCH.
#[test]
fn an_extension_may_name_itself() {
    let extension = json!({ "schemas": [ENTERPRISE], "department": "Sales" });
    let body = json!({ "schemas": [USER], "userName": "u", ENTERPRISE: extension });
    let user = resource::parse(&users(), &body, &strict()).expect("a user");
    assert_eq!(user.as_map()[ENTERPRISE], json!({ "department": "Sales" }));

    for operation in [
        json!({ "op": "add", "path": ENTERPRISE, "value": extension }),
        json!({ "op": "replace", "value": { ENTERPRISE: extension } }),
    ] {
        let profile = strict();
        let request = PatchRequest::parse(&users(), &patch_body(&json!([operation])), &profile).expect("a request");
        let context = Context { id: ID, profile: &profile, detached: &[] };
        let current = stored(&json!({ "userName": "u" }));
        let patched = patch::apply(&users(), &current, &request, &context).expect("success");
        assert_eq!(patched.resource.as_map()[ENTERPRISE], json!({ "department": "Sales" }), "{operation}");
    }
}
