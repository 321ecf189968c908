//! Who is projected, as what, and what becomes of those who leave.

use crate::given::{ID, errors, map, mapping, object, person, with};
use rollcall_provisioning::mapping::{GroupFacts, Person, PersonKind, Reference, SourceFacts, Stages};
use serde_json::{Value, json};

#[test]
fn the_first_rule_that_matches_decides_who_is_in() {
    let document = with(&json!({"scope": [
        {"name": "keep", "when": "user.userName.startsWith(\"keep\")", "include": true},
        {"name": "service accounts", "when": "user.userType == \"Service\"", "include": false},
        {"name": "temps", "when": "extensions[\"urn:example:hr:2.0:User\"].isTemp", "include": false},
    ]}));
    for (more, included, rule) in [
        (json!({}), true, None),
        (json!({"userType": "Service"}), false, Some("service accounts")),
        (json!({"userType": "Service", "userName": "keep-me"}), true, Some("keep")),
        (json!({"urn:example:hr:2.0:User": {"isTemp": true}}), false, Some("temps")),
        (json!({"urn:example:hr:2.0:User": {"isTemp": false}}), true, None),
    ] {
        let mapped = map(&document, &more);
        assert_eq!((mapped.scope.included, mapped.scope.rule.as_deref()), (included, rule), "{more}");
        assert_eq!(mapped.attributes.is_empty(), !included, "nothing is said of somebody who is out");
    }
    let out = map(&document, &json!({"userType": "Service"}));
    assert_eq!(out.scope.reason(), "The rule \"service accounts\" leaves the person out.");
}

#[test]
fn a_rule_that_fails_removes_nobody() {
    let document = with(&json!({"scope": [{"name": "odd", "when": "user.title + \"x\" == \"x\"", "include": false}]}));
    let mapped = map(&document, &json!({}));
    assert!(mapped.scope.included && mapped.blocked);
    let finding = mapped.findings.first().expect("a finding");
    assert_eq!(finding.code, "scope_rule_failed");
    assert!(
        finding.message.starts_with("In the rule \"odd\": The rule for scope failed at line 1, column "),
        "{finding}"
    );
    assert_eq!(finding.source_path.as_deref(), Some("title"));
    let no_answer = with(&json!({"scope": [{"name": "odd", "when": "user.userName", "include": false}]}));
    assert!(map(&no_answer, &json!({})).blocked, "a text is neither yes nor no");
}

fn kinds() -> Value {
    let rule =
        |name: &str, kind: &str| json!({"name": name, "when": format!("user.userType == \"{name}\""), "kind": kind});
    let mut document = with(&json!({
        "kinds": [rule("Sso", "sso"), rule("Managed", "dingtalk"), rule("Guest", "contact")],
        "contact": {
            "name": {"value": "user.displayName"},
            "mobile": {"value": "e164(typed(user.phoneNumbers, \"mobile\"))"},
            "company": {"value": "user.organization", "owner": "target"},
            "labels": {"value": "[3, 1, 3]"},
            "follower": {"value": "enterprise.manager.value"},
        },
    }));
    document["contact"]["company"] = json!({"value": "enterprise.organization"});
    document["account"]["login_id"] = json!({"value": "user.userName"});
    document["account"]["exclusive_mobile"] = json!({"value": "\"+86-13800000001\""});
    document
}

#[test]
fn what_a_person_becomes_decides_which_attributes_they_have() {
    let of = |kind: &str| map(&kinds(), &json!({"userType": kind, "phoneNumbers": []}));
    let normal = of("Employee");
    assert!(normal.blocked, "a normal account needs a number");
    let sso = of("Sso");
    assert_eq!(sso.kind, PersonKind::Sso);
    assert!(!sso.blocked && sso.findings.is_empty(), "{:?}", sso.findings);
    assert_eq!(sso.attributes.get("account_kind"), Some(&Some(json!("sso"))));
    assert!(!sso.attributes.contains_key("mobile") && !sso.attributes.contains_key("login_id"));
    assert!(sso.attributes.contains_key("exclusive_mobile"));
    let managed = of("Managed");
    assert_eq!(managed.attributes.get("login_id"), Some(&Some(json!("sample@example.com"))));
    assert!(!normal.attributes.contains_key("account_kind"), "nothing new is said of normal accounts");
    let mut without = kinds();
    without["account"]["login_id"] = json!({"value": "user.nickName"});
    assert!(map(&without, &json!({"userType": "Managed"})).blocked, "it cannot be without");
    assert!(!map(&without, &json!({"userType": "Employee"})).blocked);
    without["account"].as_object_mut().expect("a table").remove("login_id");
    assert_eq!(
        errors(&without),
        ["/account/login_id: The target requires a login_id, and there is no rule for it. Write one."]
    );
}

#[test]
fn an_external_contact_has_attributes_of_its_own() {
    let manager = json!({"manager": {"value": "m1"}});
    let more = json!({"userType": "Guest", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": manager});
    let mapped = map(&kinds(), &more);
    assert_eq!(mapped.kind, PersonKind::Contact);
    assert_eq!(mapped.attributes.get("labels"), Some(&Some(json!([1, 3]))));
    assert_eq!(mapped.attributes.get("mobile"), Some(&Some(json!("+8613800000001"))));
    assert_eq!(mapped.attributes.get("follower"), Some(&Some(json!("m1"))));
    assert!(!mapped.blocked && mapped.departments.is_empty() && mapped.userid.is_none());
    let without = with(&json!({"kinds": [{"name": "all", "kind": "contact"}]}));
    assert_eq!(errors(&without).len(), 4, "what the target requires of contacts has no rules");
}

#[test]
fn groups_and_source_count() {
    let document = with(&json!({"scope": [
        {"name": "vip", "when": "groups.exists(g, g.displayName == \"VIP\")", "include": true},
        {"name": "feed", "when": "source.profile == \"workday\" && !(\"g2\" in groups.map(g, g.id))", "include": false},
    ]}));
    let mapping = mapping(&document);
    let resource = person(&json!({}));
    let (vip, staff) = (object(&json!({"displayName": "VIP"})), object(&json!({"displayName": "Staff"})));
    let source = SourceFacts::new("hr", "workday");
    for (groups, source, rule) in [
        (vec![GroupFacts { id: "g1", resource: &vip }], Some(&source), Some("vip")),
        (vec![GroupFacts { id: "g1", resource: &staff }], Some(&source), Some("feed")),
        (vec![GroupFacts { id: "g2", resource: &staff }], Some(&source), None),
        (Vec::new(), None, None),
    ] {
        let mapped = mapping.person(&Person { id: ID, resource: &resource, groups: &groups, source });
        assert_eq!(mapped.scope.rule.as_deref(), rule);
    }
}

#[test]
fn userids_must_fit() {
    for (value, expected) in [
        ("user.userName.replace(\"@\", \"_\").replace(\".\", \"_\")", Ok("sample_example_com")),
        ("user.userName", Err("userid_malformed")),
        ("user.nickName", Err("userid_missing")),
        ("5", Err("userid_rule_failed")),
    ] {
        let mapped = map(&with(&json!({"userid": { "value": value }})), &json!({}));
        let got = mapped
            .findings
            .first()
            .map_or_else(|| Ok(mapped.userid.as_deref().unwrap_or_default()), |finding| Err(finding.code.as_str()));
        assert_eq!(got, expected, "{value}");
        assert_eq!(mapped.blocked, expected.is_err());
    }
}

#[test]
fn the_days_of_leavers() {
    let document = with(&json!({"leavers": [
        {"name": "kept", "when": "user.userType == \"Director\"", "removed_after_days": "never"},
        {"name": "null", "when": "user.userType == \"Partner\"", "removed_after_days": null},
        {"name": "staff", "when": "user.userType == \"Employee\"", "access_ended_after_days": 1,
         "removed_after_days": 14, "erased_after_days": 90},
    ]}));
    let mapping = mapping(&document);
    let stages = |access, removed, erased| Stages {
        access_ended_after_days: access,
        removed_after_days: removed,
        erased_after_days: erased,
    };
    for (kind, rule, expected) in [
        ("Director", Some("kept"), stages(0, None, None)),
        ("Partner", Some("null"), stages(0, None, None)),
        ("Employee", Some("staff"), stages(1, Some(14), Some(90))),
        ("Other", None, Stages::default()),
    ] {
        let resource = person(&json!({ "userType": kind }));
        let leaving = mapping.leaver(&Person::alone(ID, &resource));
        assert_eq!((leaving.rule.as_deref(), leaving.stages), (rule, expected), "{kind}");
    }
    for (rule, expected) in [
        (
            json!({"access_ended_after_days": 5, "removed_after_days": 1}),
            "/leavers/0: The account would be removed before access ends.",
        ),
        (
            json!({"removed_after_days": 60, "erased_after_days": 30}),
            "/leavers/0: What we remember would be erased before the account is removed.",
        ),
        (json!({"removed_after_days": "never", "erased_after_days": 5}), "What we remember of an account that is kept"),
        (json!({"removed_after_days": -1}), "/leavers/0/removed_after_days: The number does not fit."),
        (json!({"removed_after_days": "soon"}), "/leavers/0/removed_after_days: This is no number."),
    ] {
        let mut rule = rule;
        rule["name"] = json!("odd");
        let found = errors(&with(&json!({"leavers": [rule]})));
        assert!(found.iter().any(|error| error.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn a_leaver_rule_that_fails_removes_nothing() {
    let mapping = mapping(&with(&json!({"leavers": [{"name": "odd", "when": "user.title + \"x\" == \"x\""}]})));
    let resource = person(&json!({}));
    let leaving = mapping.leaver(&Person::alone(ID, &resource));
    assert_eq!(leaving.stages.removed_after_days, None);
    assert_eq!(leaving.finding.map(|finding| finding.code), Some("leavers_rule_failed".to_owned()));
}

#[test]
fn a_rule_says_who_takes_over() {
    let leavers = json!([
        {"name": "short", "when": "user.userType == \"Temp\""},
        {"name": "odd", "when": "user.userType == \"Odd\"", "successor": "size(user.emails)"},
        {"name": "all", "successor": "user.nickName"},
    ]);
    let document = with(&json!({ "leavers": leavers }));
    let mapping = mapping(&document);
    assert!(mapping.names_successors());
    for (resource, expected, finding) in [
        (json!({"userType": "Temp", "nickName": "W7"}), Reference::LeftAlone, None),
        (json!({"userType": "Odd"}), Reference::Nobody, Some("successor_rule_failed")),
        (json!({"nickName": " W7 "}), Reference::To("W7".to_owned()), None),
        (json!({"nickName": " "}), Reference::Nobody, None),
        (json!({}), Reference::Nobody, None),
    ] {
        let person = person(&resource);
        let leaving = mapping.leaver(&Person::alone(ID, &person));
        assert_eq!(leaving.successor, expected, "{resource}");
        assert_eq!(leaving.finding.map(|finding| finding.code).as_deref(), finding, "{resource}");
    }
}
