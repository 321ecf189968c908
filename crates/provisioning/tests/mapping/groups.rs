//! What groups become.

use crate::given::{errors, mapping, object, with};
use rollcall_provisioning::mapping::{Becomes, Extra, GroupFacts, MappedGroup, Mapping};
use serde_json::json;

fn board() -> Mapping {
    mapping(&with(&json!({
        "groups": [
            {"name": "roles", "when": "group.displayName.startsWith(\"DT-Role-\")", "becomes": "role",
             "called": "replace(group.displayName, \"DT-Role-\", \"\")", "role_group": "Job roles", "extra": "remove"},
            {"name": "departments", "when": "group.displayName.startsWith(\"DT-Dept-\")", "becomes": "department",
             "path": "split(replace(group.displayName, \"DT-Dept-\", \"\"), \"/\")", "nested": true},
            {"name": "chats", "when": "group.displayName.startsWith(\"DT-Chat-\")", "becomes": "chat",
             "called": "mid(group.displayName, 9, 99)", "owner": "group.externalId"},
            {"name": "none", "when": "group.displayName == \"Everyone\"", "becomes": "nothing"},
        ],
        "groups_by_hand": {"g7": {"becomes": "role"}},
    })))
}

fn of(id: &str, name: &str) -> MappedGroup {
    let resource = object(&json!({"displayName": name, "externalId": "sample.owner"}));
    board().group(&GroupFacts { id, resource: &resource }, None)
}

#[test]
fn rules_and_hands_decide() {
    let role = of("g1", "DT-Role-Cashier");
    let (name, role_group) = ("Cashier".to_owned(), "Job roles".to_owned());
    assert_eq!(role.becomes, Becomes::Role { name, role_group, extra: Extra::Remove });
    assert_eq!(role.rule.as_deref(), Some("roles"));
    let Becomes::Department { path } = of("g1", "DT-Dept-Sales/EMEA").becomes else { panic!("a department") };
    assert_eq!(path.iter().map(|unit| unit.name.as_str()).collect::<Vec<_>>(), ["Sales", "EMEA"]);
    assert!(of("g1", "DT-Dept-Sales").nested);
    let (name, owner) = ("News".to_owned(), Some("sample.owner".to_owned()));
    assert_eq!(of("g1", "DT-Chat-News").becomes, Becomes::Chat { name, owner, extra: Extra::Tolerate });
    assert_eq!(of("g1", "Everyone").rule.as_deref(), Some("none"));
    assert_eq!((of("g1", "Other").rule, of("g1", "Other").becomes), (None, Becomes::Nothing));
    let by_hand = of("g7", "DT-Chat-News");
    let (name, role_group) = ("DT-Chat-News".to_owned(), "Rollcall".to_owned());
    assert_eq!(by_hand.becomes, Becomes::Role { name, role_group, extra: Extra::Tolerate });
    assert_eq!(by_hand.rule.as_deref(), Some("by hand"));
}

#[test]
fn what_does_not_fit_is_told() {
    for (name, code) in [
        ("DT-Chat-a name that is too long for a chat", "chat_name_too_long"),
        ("DT-Role-", "role_name_missing"),
        ("DT-Dept-", "department_path_missing"),
    ] {
        let mapped = of("g1", name);
        assert_eq!(mapped.findings.first().map(|finding| finding.code.as_str()), Some(code), "{name}");
        assert!(mapped.blocked && mapped.becomes == Becomes::Nothing);
        assert_eq!(mapped.findings[0].source_path.as_deref(), Some("displayName"));
    }
}

#[test]
fn rules_that_cannot_be() {
    for (rule, expected) in [
        (json!({}), "/groups/0/becomes: \"becomes\" is missing."),
        (json!({"becomes": "department"}), "/groups/0/path: \"path\" is missing."),
        (
            json!({"becomes": "nothing", "called": "group.id"}),
            "/groups/0/called: \"called\" means nothing for a group that becomes nothing.",
        ),
        (
            json!({"becomes": "chat", "role_group": "x"}),
            "/groups/0/role_group: \"role_group\" means nothing for a group that becomes chat.",
        ),
        (json!({"becomes": "role", "role_group": " "}), "/groups/0/role_group: The role group has no name."),
        (
            json!({"becomes": "role", "called": "user.title"}),
            "/groups/0/called, line 1, column 1: \"user\" is not known here.",
        ),
        (json!({"becomes": "role", "called": "group.members[0]"}), "No schema knows group.members."),
    ] {
        let mut rule = rule;
        rule["name"] = json!("odd");
        let found = errors(&with(&json!({"groups": [rule]})));
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
}
