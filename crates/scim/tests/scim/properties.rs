//! What holds for any input.

use proptest::prelude::*;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::patch::{self, Context, PatchRequest};
use rollcall_scim::path::{AttributePath, PatchTarget};
use rollcall_scim::projection::Projection;
use rollcall_scim::resource::{self, Resource};
use rollcall_scim::schema::{Attribute, Kind, Mutability, ResourceType};
use serde_json::{Value, json};

use crate::given::{CUSTOM, ENTERPRISE, ID, USER, custom_users, generic, groups, patch_body, stored, strict};
use crate::oracles::canonical::check_canonical;

/// All paths to values that are not complex and may be in a filter.
fn simple_paths(rt: &ResourceType) -> Vec<(AttributePath, Kind)> {
    let core = rt.top_level().map(|attribute| (AttributePath::core(&attribute.name), attribute));
    let extensions = rt.extensions.iter().flat_map(|extension| {
        let schema = &extension.schema;
        schema.attributes.iter().map(|attribute| (AttributePath::extension(&schema.id, &attribute.name), attribute))
    });
    let parts = |(path, attribute): (AttributePath, &Attribute)| -> Vec<(AttributePath, Kind)> {
        if attribute.kind != Kind::Complex {
            return vec![(path, attribute.kind)];
        }
        attribute.sub_attributes.iter().map(|part| (path.clone().sub(&part.name), part.kind)).collect()
    };
    core.chain(extensions).filter(|(path, _)| path.attribute != "password").flat_map(parts).collect()
}

fn comparison(path: AttributePath, kind: Kind) -> BoxedStrategy<Filter> {
    use CompareOp::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    let compare = move |(op, value): (CompareOp, Value)| Filter::Compare { path: path.clone(), op, value };
    let text = any::<String>().prop_map(|text| Value::String(text.replace('\0', "")));
    match kind {
        Kind::Boolean => {
            (prop::sample::select(vec![Eq, Ne]), any::<bool>().prop_map(Value::from)).prop_map(compare).boxed()
        }
        Kind::Integer | Kind::Decimal => {
            let number = prop_oneof![any::<i64>().prop_map(Value::from), (-1e9..1e9f64).prop_map(Value::from)];
            (prop::sample::select(vec![Eq, Ne, Gt, Ge, Lt, Le]), number).prop_map(compare).boxed()
        }
        Kind::DateTime => {
            let date = Just(json!("2024-02-29T23:59:59.5+08:00"));
            (prop::sample::select(vec![Eq, Ne, Gt, Ge, Lt, Le]), date).prop_map(compare).boxed()
        }
        Kind::Binary => (prop::sample::select(vec![Eq, Ne]), text).prop_map(compare).boxed(),
        _ => (prop::sample::select(vec![Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le]), text).prop_map(compare).boxed(),
    }
}

fn leaf(paths: Vec<(AttributePath, Kind)>) -> BoxedStrategy<Filter> {
    prop::sample::select(paths)
        .prop_flat_map(
            |(path, kind)| prop_oneof![1 => Just(Filter::Present(path.clone())), 4 => comparison(path, kind)],
        )
        .boxed()
}

fn tree(leaf: BoxedStrategy<Filter>) -> BoxedStrategy<Filter> {
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    })
    .boxed()
}

fn filters() -> BoxedStrategy<Filter> {
    let paths = simple_paths(&custom_users());
    let emails: Vec<_> = paths.iter().filter(|(path, _)| path.attribute == "emails").cloned().collect();
    let bracketed = tree(leaf(emails))
        .prop_map(|filter| Filter::ValuePath { path: AttributePath::core("emails"), filter: Box::new(filter) });
    tree(prop_oneof![4 => leaf(paths), 1 => bracketed.boxed()].boxed())
}

/// Text that looks a little like SCIM, so that it gets past the first check.
pub(crate) fn scim_text() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "userName",
        "emails",
        "emails[",
        "]",
        "(",
        ")",
        "not",
        "not(",
        "and",
        "or",
        "eq",
        "pr",
        "co",
        "gt",
        "type",
        "value",
        ".value",
        "\"work\"",
        "\"",
        "true",
        "null",
        "7",
        " ",
        "  ",
        "urn:",
        ENTERPRISE,
        CUSTOM,
        ":",
        ".",
        "manager",
        "members",
        "\\",
        "meta.created",
        "\u{0}",
        "名",
        "name.givenName",
        "$ref",
        "'",
    ]);
    prop_oneof![
        any::<String>(),
        prop::collection::vec(word, 0..12).prop_map(|words| words.join(" ")),
        prop::collection::vec(
            prop::sample::select(vec![
                "emails", "[", "type", " eq ", "\"x\"", "]", ".", "value", "(", ")", "not", " and "
            ]),
            0..12
        )
        .prop_map(|words| words.concat())
    ]
}

fn json_value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z\u{0}\u{7f}名\"]{0,6}".prop_map(Value::from),
        Just(json!("True")),
        Just(json!("")),
    ];
    let key = prop::sample::select(vec![
        "value",
        "type",
        "primary",
        "display",
        "$ref",
        "userName",
        "USERNAME",
        "name",
        "givenName",
        "name.givenName",
        "emails",
        "emails[type eq \"work\"].value",
        "active",
        "manager",
        "id",
        "meta",
        "schemas",
        "groups",
        "members",
        "password",
        ENTERPRISE,
        CUSTOM,
        "tags",
        "level",
        "badgeId",
        "foo",
        "op",
        "path",
        "Operations",
        "",
    ]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..4).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
    .boxed()
}

pub(crate) fn operation() -> impl Strategy<Value = Value> {
    let path = prop::sample::select(vec![
        "userName",
        "active",
        "name",
        "name.givenName",
        "emails",
        "emails.value",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[primary eq true].primary",
        "emails[value co \"a\"].display",
        "manager",
        "members",
        "members[value eq \"a\"]",
        "displayName",
        "schemas",
        "password",
        "title",
        ENTERPRISE,
        USER,
    ]);
    let op = prop::sample::select(vec!["add", "Remove", "REPLACE"]);
    (op, prop::option::of(path), json_value()).prop_map(|(op, path, value)| match path {
        Some(path) => json!({ "op": op, "path": path, "value": value }),
        None => json!({ "op": op, "value": value }),
    })
}

fn user() -> Resource {
    stored(&json!({
        "userName": "bjensen",
        "active": true,
        "name": { "givenName": "B", "familyName": "J" },
        "emails": [{ "type": "work", "value": "a", "primary": true }, { "type": "home", "value": "b" }],
        ENTERPRISE: { "manager": { "value": "m" } },
        CUSTOM: { "badgeId": "7", "door": "d" },
    }))
}

fn applied(current: &Resource, operations: &[Value]) -> Option<Resource> {
    let (rt, profile) = (custom_users(), generic());
    let request = PatchRequest::parse(&rt, &patch_body(&json!(operations)), &profile).ok()?;
    let context = Context { id: ID, profile: &profile, detached: &[] };
    patch::apply(&rt, current, &request, &context).ok().map(|patched| patched.resource)
}

proptest! {
    #[test]
    fn a_printed_filter_parses_to_the_same_tree(filter in filters()) {
        let rt = custom_users();
        for profile in [generic(), strict()] {
            let printed = filter.to_string();
            prop_assume!(printed.len() <= rollcall_scim::limits::MAX_FILTER_BYTES);
            let parsed = Filter::parse(&printed, &rt, &profile);
            prop_assert_eq!(parsed.as_ref(), Ok(&filter), "{}", printed);
        }
    }

    #[test]
    fn a_filter_that_parses_prints_what_parses(text in scim_text()) {
        let rt = custom_users();
        if let Ok(filter) = Filter::parse(&text, &rt, &generic()) {
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed, &rt, &generic()), Ok(filter), "{}", printed);
        }
    }

    #[test]
    fn not_turns_every_answer_around(filter in filters(), value in json_value()) {
        let rt = custom_users();
        let holds = filter.matches(&rt, &value);
        prop_assert_eq!(Filter::Not(Box::new(filter.clone())).matches(&rt, &value), !holds);
        let _ = filter.matches_element(&rt, &value);
    }

    #[test]
    fn no_text_is_too_odd(text in scim_text()) {
        for rt in [custom_users(), groups()] {
            for profile in [generic(), strict()] {
                let _ = Filter::parse(&text, &rt, &profile);
                let _ = PatchTarget::parse(&text, &rt, &profile);
            }
            let _ = Projection::parse(&rt, Some(&text), None);
            let _ = Projection::parse(&rt, None, Some(&text));
        }
    }

    #[test]
    fn no_body_is_too_odd(value in json_value(), operation in operation()) {
        let rt = custom_users();
        let Value::Object(mut body) = value.clone() else { return Ok(()) };
        body.insert("schemas".into(), json!([USER]));
        for profile in [generic(), strict()] {
            let _ = PatchRequest::parse(&rt, &value, &profile);
            let _ = PatchRequest::parse(&groups(), &patch_body(&json!([operation])), &profile);
            let body = Value::Object(body.clone());
            if let Ok(read) = resource::parse(&rt, &body, &profile) {
                check_canonical(&rt, &read);
            }
            if let Ok(read) = resource::replace(&rt, &user(), &body, &profile) {
                check_canonical(&rt, &read);
                prop_assert_eq!(read.extension(CUSTOM).map(|map| map["badgeId"].clone()), Some(json!("7")));
            }
        }
    }

    #[test]
    fn patch_keeps_resources_canonical(operations in prop::collection::vec(operation(), 1..5)) {
        if let Some(after) = applied(&user(), &operations) {
            check_canonical(&custom_users(), &after);
        }
    }

    #[test]
    fn patch_never_touches_what_only_the_server_or_nobody_changes(operations in prop::collection::vec(operation(), 1..5)) {
        if let Some(after) = applied(&user(), &operations) {
            prop_assert_eq!(after.extension(CUSTOM).map(|map| map["badgeId"].clone()), Some(json!("7")));
            for attribute in custom_users().top_level().filter(|attribute| attribute.mutability == Mutability::ReadOnly) {
                prop_assert_eq!(after.as_map().get(&attribute.name), None);
            }
        }
    }

    #[test]
    fn adding_twice_is_adding_once(path in prop::option::of(prop::sample::select(vec![
        "emails", "name", "title", "manager", "emails[type eq \"work\"].value", "phoneNumbers[type eq \"fax\"].value",
        "roles[primary eq true].display",
    ])), value in json_value()) {
        let operation = match path {
            Some(path) => json!({ "op": "add", "path": path, "value": value }),
            None => json!({ "op": "add", "value": value }),
        };
        if let Some(once) = applied(&user(), std::slice::from_ref(&operation)) {
            prop_assert_eq!(applied(&once, std::slice::from_ref(&operation)), Some(once.clone()));
            prop_assert_eq!(applied(&user(), &[operation.clone(), operation]), Some(once));
        }
    }

    #[test]
    fn what_is_replaced_reads_back(value in "[^\u{0}]{1,20}", active in any::<bool>()) {
        let extension = format!("{ENTERPRISE}:department");
        let operations = [
            json!({ "op": "replace", "path": "title", "value": value }),
            json!({ "op": "replace", "path": "name.givenName", "value": value }),
            json!({ "op": "replace", "path": "emails[type eq \"work\"].value", "value": value }),
            json!({ "op": "replace", "path": "phoneNumbers[type eq \"fax\"].value", "value": value }),
            json!({ "op": "replace", "value": { extension: value, "active": active } }),
        ];
        let after = applied(&user(), &operations).expect("success");
        prop_assert_eq!(after.string("title"), Some(value.as_str()));
        prop_assert_eq!(after.boolean("active"), Some(active));
        prop_assert_eq!(&after.as_map()["name"]["givenName"], &json!(value));
        prop_assert_eq!(&after.values("emails")[0]["value"], &json!(value));
        prop_assert_eq!(&after.values("phoneNumbers")[0], &json!({ "type": "fax", "value": value }));
        prop_assert_eq!(&after.as_map()[ENTERPRISE]["department"], &json!(value));
    }
}
