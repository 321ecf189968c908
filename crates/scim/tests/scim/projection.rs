//! Which attributes a reply holds.

use rollcall_scim::projection::Projection;
use rollcall_scim::render::{Envelope, render};
use serde_json::{Map, Value, json};
use time::macros::datetime;

use crate::given::{DINGTALK, ENTERPRISE, USER, groups, keyword, stored, users};

fn rendered(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let rt = users();
    let resource = stored(&json!({
        "userName": "bjensen",
        "name": { "givenName": "Barbara", "familyName": "Jensen" },
        "active": true,
        "emails": [{ "value": "b@x.example", "type": "work" }],
        ENTERPRISE: { "department": "Sales", "manager": { "value": "m" } },
    }));
    let read_only = Map::from_iter([
        ("groups".to_owned(), json!([{ "value": "g1" }])),
        (DINGTALK.to_owned(), json!({ "userId": "u1", "state": "in_step" })),
    ]);
    let envelope = Envelope {
        id: "7",
        resource: &resource,
        version: 3,
        created: datetime!(2024-01-01 00:00 UTC),
        modified: datetime!(2024-01-02 00:00 UTC),
        location: "https://x.example/Users/7",
        read_only,
    };
    render(&rt, &envelope, &Projection::parse(&rt, attributes, excluded).expect("a projection"))
}

/// The keys of a reply, with the keys of the objects in it.
fn outline(value: &Value) -> String {
    let key = |(name, value): (&String, &Value)| {
        let name = name.rsplit(':').nth(2).map_or_else(|| name.clone(), str::to_owned);
        let inner = value.as_array().and_then(|items| items.first()).unwrap_or(value);
        match inner.as_object() {
            Some(parts) => format!("{name}({})", parts.keys().cloned().collect::<Vec<_>>().join(" ")),
            None => name,
        }
    };
    value.as_object().expect("an object").iter().map(key).collect::<Vec<_>>().join(", ")
}

const META: &str = "meta(resourceType created lastModified location version)";

#[test]
fn attributes_and_excluded_attributes() {
    let all = format!(
        "schemas, id, userName, name(familyName givenName), active, emails(value type), groups(value), \
         enterprise(department manager), {META}"
    );
    let cases = [
        (None, None, all.clone()),
        (Some(""), Some(" , "), all.clone()),
        (Some("userName"), None, "schemas, id, userName".into()),
        (Some("USERNAME, active"), None, "schemas, id, userName, active".into()),
        (Some("name.givenName"), None, "schemas, id, name(givenName)".into()),
        (Some("name.givenName,name"), None, "schemas, id, name(givenName familyName)".into()),
        (Some("emails.value"), None, "schemas, id, emails(value)".into()),
        (Some("emails.display"), None, "schemas, id, emails".into()),
        (Some("id"), None, "schemas, id".into()),
        (Some("foo"), None, "schemas, id".into()),
        (Some("foo,a b,,userName"), None, "schemas, id, userName".into()),
        (Some("password,userName"), None, "schemas, id, userName".into()),
        (Some("meta"), None, format!("schemas, id, {META}")),
        (Some("meta.version"), None, "schemas, id, meta(version)".into()),
        (Some(ENTERPRISE), None, "schemas, id, enterprise(department manager)".into()),
        (Some(&format!("{ENTERPRISE}:department")), None, "schemas, id, enterprise(department)".into()),
        (Some(&format!("{USER}:userName")), None, "schemas, id, userName".into()),
        (Some(DINGTALK), None, "schemas, id, dingtalk(userId state)".into()),
        (Some(&format!("{DINGTALK}:state")), None, "schemas, id, dingtalk(state)".into()),
        (None, Some("groups"), all.replace(" groups(value),", "")),
        (None, Some("id,schemas,userName"), all.replace(" userName,", "")),
        (None, Some("name.givenName"), all.replace("(familyName givenName)", "(familyName)")),
        (None, Some("name.givenName,name.familyName"), all.replace(" name(familyName givenName),", "")),
        (None, Some(ENTERPRISE), all.replace(" enterprise(department manager),", "")),
        (None, Some(&format!("{ENTERPRISE}:manager")), all.replace("(department manager)", "(department)")),
        (None, Some("meta"), all.replace(&format!(", {META}"), "")),
        (None, Some("foo"), all.clone()),
    ];
    for (attributes, excluded, wanted) in cases {
        let mut got = outline(&rendered(attributes, excluded));
        // The order inside a complex value is that of what is stored.
        got = got.replace("(givenName familyName)", "(familyName givenName)");
        assert_eq!(
            got,
            wanted.replace("(givenName familyName)", "(familyName givenName)"),
            "{attributes:?} {excluded:?}"
        );
    }
}

#[test]
fn schemas_list_what_is_in_the_reply() {
    let schemas = |attributes, excluded| rendered(attributes, excluded)["schemas"].clone();
    assert_eq!(schemas(None, None), json!([USER, ENTERPRISE]));
    assert_eq!(schemas(Some("userName"), None), json!([USER]));
    assert_eq!(schemas(None, Some(ENTERPRISE)), json!([USER]));
    assert_eq!(schemas(Some(DINGTALK), None), json!([USER, DINGTALK]));
}

#[test]
fn both_parameters_are_refused() {
    let error = Projection::parse(&users(), Some("userName"), Some("groups")).expect_err("both");
    assert_eq!(keyword(&error), "invalidValue");
}

#[test]
fn a_caller_knows_what_to_load() {
    // attributes, excludedAttributes, whether members are wanted.
    let cases = [
        (None, None, true),
        (None, Some("members"), false),
        (None, Some("MEMBERS,displayName"), false),
        (None, Some("members.display"), true),
        (Some("displayName"), None, false),
        (Some("id"), None, false),
        (Some("members.value"), None, true),
        (Some("members"), None, true),
    ];
    for (attributes, excluded, wanted) in cases {
        let rt = groups();
        let projection = Projection::parse(&rt, attributes, excluded).expect("a projection");
        assert_eq!(projection.wants("members"), wanted, "{attributes:?} {excluded:?}");
    }
    let wants = |attributes: Option<&str>| {
        let rt = users();
        let projection = Projection::parse(&rt, attributes, None).expect("a projection");
        (projection.wants("groups"), projection.wants_extension(DINGTALK), projection.wants_extension(ENTERPRISE))
    };
    assert_eq!(wants(None), (true, false, true));
    assert_eq!(wants(Some("userName")), (false, false, false));
    assert_eq!(wants(Some(&format!("groups,{DINGTALK}:reason"))), (true, true, false));
    assert_eq!(wants(Some(&ENTERPRISE.to_lowercase())), (false, false, true));
    assert!(!Projection::standard(&users()).wants("password"));
}

#[test]
fn everything_but_secrets_can_be_filtered_by() {
    let rt = users();
    let complete = Projection::complete(&rt);
    assert!(complete.wants("groups") && complete.wants_extension(DINGTALK) && complete.wants_extension(ENTERPRISE));
    assert!(!complete.wants("password"));
}

#[test]
fn lists_work_like_parameters() {
    let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let rt = users();
    let same = |names: &[&str], text| {
        assert_eq!(
            Projection::from_lists(&rt, &list(names), &[]).expect("a projection"),
            Projection::parse(&rt, text, None).expect("a projection")
        );
    };
    same(&["userName", "name.givenName"], Some("userName,name.givenName"));
    same(&[], None);
    assert!(Projection::from_lists(&rt, &list(&["id"]), &list(&["name"])).is_err());
}
