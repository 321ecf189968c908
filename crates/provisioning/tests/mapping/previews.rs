//! What a mapping would make of many people.

use crate::given::{ENTERPRISE, mapping, object, person, with};
use rollcall_provisioning::mapping::{Person, PersonKind, SampleReason};
use serde_json::{Map, Value, json};

#[test]
fn counts_duplicates_and_samples() {
    let document = with(&json!({
        "scope": [{"name": "service", "when": "user.userType == \"Service\"", "include": false}],
        "departments": {"paths": "[[\"All\"], [enterprise.department]]"},
    }));
    let mapping = mapping(&document);
    let people: Vec<(String, Map<String, Value>)> = [
        person(&json!({"displayName": "Sample One"})),
        person(&json!({"displayName": "王小明", "phoneNumbers": [{"type": "mobile", "value": "+852 5000 0001"}]})),
        object(&json!({"displayName": "No Number", "userType": "Contractor"})),
        person(&json!({"displayName": "A Sample with the Longest Name of All", ENTERPRISE: {"department": "Sales"}})),
        person(&json!({"userType": "Service"})),
        object(&json!({"displayName": "No Number Either"})),
        person(&json!({"displayName": "Twin", "title": "a title that is too long"})),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, resource)| (format!("p{number}"), resource))
    .collect();
    let report = mapping.preview(people.iter().map(|(id, resource)| Person::alone(id, resource)));
    assert_eq!((report.people, report.ready, report.blocked), (7, 3, 2));
    assert_eq!(report.excluded.get("service"), Some(&1));
    assert_eq!(report.included.get(&None), Some(&6));
    assert_eq!(report.kinds.get(&PersonKind::Normal), Some(&6));
    let missing = report.failing.get("mobile_missing").expect("two have no number");
    assert_eq!((missing.count, missing.blocks), (2, true));
    assert_eq!(missing.first, ["p2", "p5"]);
    let long = report.failing.get("title_too_long").expect("one has a long title");
    assert_eq!((long.count, long.blocks), (1, false));
    let twins = report.duplicates.get("mobile").expect("three have one number");
    assert_eq!((twins.count, &*twins.first), (2, &["p3".to_owned(), "p6".to_owned()][..]));
    assert!(!report.duplicates_incomplete);
    let samples: Vec<(SampleReason, &str)> =
        report.samples.iter().map(|(reason, sample)| (*reason, sample.id.as_str())).collect();
    assert_eq!(
        samples,
        [
            (SampleReason::LongestName, "p3"),
            (SampleReason::OtherScript, "p1"),
            (SampleReason::NoPhone, "p2"),
            (SampleReason::Contractor, "p2"),
            (SampleReason::SeveralDepartments, "p3"),
        ]
    );
}

#[test]
fn only_the_first_are_named() {
    let mapping = mapping(&json!({}));
    let nobody = Map::new();
    let ids: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    let report = mapping.preview(ids.iter().map(|id| Person::alone(id, &nobody)));
    let missing = report.failing.get("mobile_missing").expect("nobody has a number");
    assert_eq!((missing.count, missing.first.len()), (100, 20));
}
