//! Filters: what is read prints as text that reads the same, and can be judged by.

use rollcall_scim::filter::Filter;
use rollcall_scim::profile::Profile;
use serde_json::{Value, json};

use super::{CUSTOM, types};

/// Any text.
pub(crate) fn check(text: &str) {
    for rt in types() {
        let strict = Filter::parse(text, &rt, &Profile::strict());
        let generic = Filter::parse(text, &rt, &Profile::generic());
        if strict.is_ok() {
            assert_eq!(generic, strict, "a tolerant profile reads what a strict one reads in the same way: {text}");
        }
        let Ok(filter) = generic else { continue };
        let printed = filter.to_string();
        for profile in [Profile::generic(), Profile::strict()] {
            assert_eq!(Filter::parse(&printed, &rt, &profile).as_ref(), Ok(&filter), "{printed}");
        }
        for resource in resources() {
            let holds = filter.matches(&rt, &resource);
            assert_eq!(Filter::Not(Box::new(filter.clone())).matches(&rt, &resource), !holds, "{printed}");
            assert!(Filter::Or(vec![filter.clone(), Filter::Not(Box::new(filter.clone()))]).matches(&rt, &resource));
        }
    }
}

fn resources() -> [Value; 3] {
    [
        Value::Null,
        json!({ "displayName": "Staff", "members": [{ "value": "a", "type": "User" }, { "value": "b" }] }),
        json!({
            "userName": "ﬁnn@Example.com", "active": false, "name": { "givenName": "Ærø", "familyName": null },
            "emails": [{ "type": "work", "value": "a", "primary": true }, { "value": "" }, {}],
            "meta": { "created": "2024-02-29T23:59:60Z", "lastModified": "2024-02-29T23:59:59.5+08:00" },
            CUSTOM: { "level": -7, "weight": 0.5, "tags": ["x", "y"], "issuedAt": "9999-12-31T23:00:00-05:00" },
        }),
    ]
}
