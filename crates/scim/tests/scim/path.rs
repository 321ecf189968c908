//! Paths.

use rollcall_scim::path::PatchTarget;
use rollcall_scim::schema::ResourceType;

use crate::given::{CUSTOM, DINGTALK, ENTERPRISE, USER, custom_users, generic, groups, keyword, strict, users};

/// The canonical form of a path, with its filter.
fn canonical(rt: &ResourceType, text: &str) -> String {
    match PatchTarget::parse(text, rt, &generic()) {
        Ok(PatchTarget::Path(path)) => path.to_string(),
        Ok(PatchTarget::Schema(schema)) => format!("schema {}", schema.id),
        Ok(PatchTarget::Unknown { qualified }) => format!("unknown {qualified}"),
        Err(error) => keyword(&error),
    }
}

#[test]
fn user_paths() {
    let cases = [
        ("userName", "userName".to_owned()),
        ("USERNAME", "userName".into()),
        ("  displayName ", "displayName".into()),
        ("name.familyName", "name.familyName".into()),
        ("Name.GIVENNAME", "name.givenName".into()),
        ("externalId", "externalId".into()),
        ("meta.lastModified", "meta.lastModified".into()),
        ("emails", "emails".into()),
        ("emails.value", "emails.value".into()),
        (&format!("{USER}:userName"), "userName".into()),
        (&format!("{USER}:name.givenName"), "name.givenName".into()),
        (&format!("{USER}:externalId"), "externalId".into()),
        (&format!("{}:name.givenName", USER.to_uppercase()), "name.givenName".into()),
        (USER, format!("schema {USER}")),
        (ENTERPRISE, format!("schema {ENTERPRISE}")),
        (&ENTERPRISE.to_lowercase(), format!("schema {ENTERPRISE}")),
        (&format!("{ENTERPRISE}:department"), format!("{ENTERPRISE}:department")),
        (&format!("{ENTERPRISE}:manager.value"), format!("{ENTERPRISE}:manager.value")),
        (&format!("{ENTERPRISE}:manager.$ref"), format!("{ENTERPRISE}:manager.$ref")),
        (&format!("{DINGTALK}:state"), format!("{DINGTALK}:state")),
        // Extension attributes without their URN, as Entra sends them; only those a client may write.
        ("manager", format!("{ENTERPRISE}:manager")),
        ("department", format!("{ENTERPRISE}:department")),
        ("state", "unknown false".into()),
        // Filters.
        ("emails[type eq \"work\"]", "emails[type eq \"work\"]".into()),
        ("emails[type eq \"work\"].value", "emails[type eq \"work\"].value".into()),
        ("emails [ TYPE EQ \"work\" ] . value", "emails[type eq \"work\"].value".into()),
        ("emails[type eq\"work\"].value", "emails[type eq \"work\"].value".into()),
        ("emails[type eq work].value", "emails[type eq \"work\"].value".into()),
        ("addresses[type eq \"other\"].Formatted", "addresses[type eq \"other\"].formatted".into()),
        ("roles[primary eq \"True\"].value", "roles[primary eq true].value".into()),
        ("emails[value eq \"a]b\"].type", "emails[value eq \"a]b\"].type".into()),
        ("emails[type eq \"work\" and value co \"@x\"]", "emails[type eq \"work\" and value co \"@x\"]".into()),
        (&format!("{USER}:emails[type eq \"work\"].value"), "emails[type eq \"work\"].value".into()),
        // Unknown but well-formed.
        ("foo", "unknown false".into()),
        ("name.foo", "unknown false".into()),
        ("emails[type eq \"work\"].foo", "unknown false".into()),
        (&format!("{ENTERPRISE}:foo"), "unknown true".into()),
        (&format!("{USER}:foo"), "unknown false".into()),
        ("urn:example:other:2.0:User:foo.bar", "unknown true".into()),
        // Malformed.
        ("", "invalidPath".into()),
        ("   ", "invalidPath".into()),
        (".", "invalidPath".into()),
        ("a.b.c", "invalidPath".into()),
        ("name..givenName", "invalidPath".into()),
        ("name.", "invalidPath".into()),
        ("user name", "invalidPath".into()),
        ("emails[0]", "invalidFilter".into()),
        ("emails[type eq \"work\"", "invalidFilter".into()),
        ("emails[", "invalidFilter".into()),
        ("emails[]", "invalidFilter".into()),
        ("emails[foo eq \"x\"]", "invalidFilter".into()),
        ("emails[type eq \"work\"]value", "invalidPath".into()),
        ("emails[type eq \"work\"].value.x", "invalidPath".into()),
        ("emails[type eq \"work\"] and active", "invalidPath".into()),
        ("emails.value[type eq \"work\"]", "invalidPath".into()),
        ("name[givenName eq \"x\"]", "invalidPath".into()),
        ("[type eq \"work\"]", "invalidPath".into()),
        (&format!("{ENTERPRISE}[department eq \"x\"]"), "invalidPath".into()),
        (&"a".repeat(9_000), "invalidPath".into()),
    ];
    for (text, wanted) in cases {
        assert_eq!(canonical(&users(), text), wanted, "{text}");
    }
}

#[test]
fn group_paths() {
    let cases = [
        ("members", "members"),
        ("members[value eq \"a\"]", "members[value eq \"a\"]"),
        ("members[value eq\"a\"].display", "members[value eq \"a\"].display"),
        ("members [ value eq \"a\" ]", "members[value eq \"a\"]"),
        ("members.$ref", "members.$ref"),
        ("members[$ref ew \"/a\"]", "members[$ref ew \"/a\"]"),
        ("userName", "unknown false"),
    ];
    for (text, wanted) in cases {
        assert_eq!(canonical(&groups(), text), wanted, "{text}");
    }
}

#[test]
fn the_longest_known_urn_wins() {
    use rollcall_scim::schema::{Attribute, Extension, Schema};
    let urn = format!("{CUSTOM}:more");
    let longer = Schema::new(&urn, "More", "More", vec![Attribute::string("level", "Level.")]);
    let rt = custom_users().with_extension(Extension::optional(longer));
    assert_eq!(canonical(&rt, &format!("{CUSTOM}:level")), format!("{CUSTOM}:level"));
    assert_eq!(canonical(&rt, &format!("{urn}:level")), format!("{urn}:level"));
    assert_eq!(canonical(&rt, &urn), format!("schema {urn}"));
}

#[test]
fn values_of_simple_attributes_are_their_own_value() {
    let text = format!("{CUSTOM}:tags[value eq \"a\"]");
    assert_eq!(canonical(&custom_users(), &text), text);
}

#[test]
fn bare_words_are_refused_by_the_strict_profile() {
    let error = PatchTarget::parse("emails[type eq work]", &users(), &strict()).expect_err("strict");
    assert_eq!(keyword(&error), "invalidFilter");
    assert!(error.detail.contains("double quotes"), "{}", error.detail);
}
