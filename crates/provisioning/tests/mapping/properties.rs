//! Whatever comes, nothing panics, nothing is too long, and the same gives the same.

use crate::given::{CUSTOM, ENTERPRISE, ID, Target, compile, mapping, with_rule};
use proptest::prelude::*;
use rollcall_provisioning::connector::TargetSchema as _;
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::mapping::{Mapping, Person};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static BUSY: LazyLock<Mapping> = LazyLock::new(|| {
    let mut document = with_rule("title", &json!({"value": "fit(user.title, 20)", "blank": "clear"}));
    document["account"]["remark"] = json!({"value": "join(user.emails.map(e, upper(e.value)), \" \")"});
    document["account"]["hired_date"] = json!({"value": format!("dateMillis(extensions[\"{CUSTOM}\"].startDate)")});
    document["account"]["hide_mobile"] = json!({"value": "user.active == false"});
    document["scope"] = json!([{"name": "odd", "when": "user.title.matches(\"^x+$\")", "include": false}]);
    document["departments"] = json!({
        "paths": format!("[[enterprise.department], extensions[\"{CUSTOM}\"].projects]"),
        "levels": {"most": 2, "deeper": "join"}, "title": "path.join(\" \")", "order": "size(path)",
    });
    mapping(&document)
});

/// Any JSON, with the names of attributes more often than by chance.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,90}".prop_map(Value::from),
        Just(json!("2024-03-01")),
        Just(json!("+852 5000 0001")),
        Just(json!("mobile")),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "userName",
            "displayName",
            "name",
            "title",
            "emails",
            "phoneNumbers",
            "active",
            "value",
            "type",
            "primary",
            "familyName",
            "department",
            "manager",
            "startDate",
            "projects",
            ENTERPRISE,
            CUSTOM,
        ])
        .prop_map(str::to_owned),
        "\\PC{0,8}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn resource() -> impl Strategy<Value = Map<String, Value>> {
    let person =
        ("\\PC{0,90}", "\\PC{0,30}", "[+0-9 ]{0,16}", json(), json()).prop_map(|(name, title, number, one, other)| {
            json!({
                "displayName": name, "title": title, "phoneNumbers": [{"type": "mobile", "value": number}],
                ENTERPRISE: {"department": title}, CUSTOM: one, "emails": other,
            })
        });
    prop_oneof![json(), person].prop_map(|value| value.as_object().cloned().unwrap_or_default())
}

/// Something like an expression.
fn expression() -> impl Strategy<Value = String> {
    let words = vec![
        "user",
        ".title",
        ".emails",
        "[0]",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "\"a\"",
        "'",
        "1",
        " + ",
        " == ",
        " ? ",
        " : ",
        ".map(x, ",
        "x",
        ",",
        "coalesce(",
        "typed(",
        "user.emails",
        "enterprise",
        "null",
        "!",
        "-",
        "&&",
        "||",
        "in",
        "has(",
        ".exists(e, ",
        "e.value",
        "matches(",
        "@result",
        "extensions",
        "switch(",
        "`",
        "\\",
        "王",
        "\n",
        ".size()",
    ];
    prop_oneof![
        prop::collection::vec(prop::sample::select(words), 0..14).prop_map(|words| words.concat()),
        "\\PC{0,60}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn anybody_can_be_mapped(resource in resource()) {
        let person = Person::alone(ID, &resource);
        for mapping in [&*BUSY] {
            let mapped = mapping.person(&person);
            prop_assert_eq!(&mapping.person(&person), &mapped, "the same person gives the same");
            let target = Target::new();
            for (name, value) in &mapped.attributes {
                let spec = target.attribute(EntityKind::Account, name);
                let Some(Value::String(text)) = value else { continue };
                let most = spec.and_then(|spec| spec.max_chars).unwrap_or(usize::MAX);
                prop_assert!(text.chars().count() <= most, "{name}");
                prop_assert!(!text.trim().is_empty() && text.trim() == text, "{name}");
            }
            for place in &mapped.departments {
                prop_assert!(place.path.len() <= 2);
                prop_assert!(place.path.iter().all(|unit| unit.name.chars().count() <= 64));
            }
            prop_assert_eq!(mapped.blocked && mapped.findings.is_empty(), false, "nobody is blocked without a reason");
            for finding in &mapped.findings {
                prop_assert!(finding.message.ends_with('.') && finding.advice.ends_with('.'), "{}", finding);
            }
            mapping.leaver(&person);
            mapping.trace(&person, "remark");
        }
    }

    #[test]
    fn any_document_is_read_or_refused(document in json()) {
        if let Err(errors) = compile(&document) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn any_expression_is_read_or_refused(expression in expression(), resource in resource()) {
        match compile(&with_rule("remark", &json!({ "value": expression }))) {
            Ok(mapping) => {
                mapping.person(&Person::alone(ID, &resource));
            }
            Err(errors) => {
                for error in errors {
                    let text = error.to_string();
                    prop_assert!(text.ends_with(['.', '?']), "{}", text);
                }
            }
        }
    }
}
