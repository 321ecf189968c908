//! Properties of plans: they reach what is wanted, ask for nothing when it is reached, and pass the judge.

use proptest::prelude::*;
use rollcall_provisioning::connector::{AttributeSpec, Clearing, TargetSchema};
use rollcall_provisioning::contradiction::{Contradiction, judge};
use rollcall_provisioning::entity::{Attributes, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::plan::{Action, InitialPassword, Plan, after, given_up, plan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

struct Schema(Vec<AttributeSpec>);

impl TargetSchema for Schema {
    fn attributes(&self, _: EntityKind) -> &[AttributeSpec] {
        &self.0
    }
}

fn schema() -> Schema {
    let spec = |name, create_only, clearing| AttributeSpec {
        name,
        required: name == "name",
        create_only,
        clearing,
        unique: name == "email",
        ..AttributeSpec::OPTIONAL
    };
    Schema(vec![
        spec("name", false, Clearing::Possible),
        spec("title", false, Clearing::Possible),
        spec("manager", false, Clearing::Possible),
        spec("email", false, Clearing::Impossible),
        spec("mobile", true, Clearing::Impossible),
    ])
}

const ROOT: &str = "1";

fn wishes() -> impl Strategy<Value = BTreeMap<String, Option<Value>>> {
    let value = prop_oneof![Just(None), "[a-c]{1,2}".prop_map(|text| Some(json!(text)))];
    let name = prop_oneof![Just("title"), Just("manager")];
    (prop::collection::btree_map(name.prop_map(str::to_owned), value, 0..3), "[a-c]").prop_map(|(mut wishes, name)| {
        wishes.insert("name".to_owned(), Some(json!(name)));
        wishes
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let name = prop_oneof![Just("name"), Just("title"), Just("manager"), Just("email"), Just("other")];
    prop::collection::btree_map(name.prop_map(str::to_owned), "[a-c]{1,2}".prop_map(|text| json!(text)), 0..5)
}

fn known(attributes: Attributes) -> Observed {
    Observed::Known(Entity { remote_id: "u1".into(), attributes })
}

fn reached(plan: &Plan, start: &Attributes) -> Attributes {
    plan.actions.iter().fold(start.clone(), |attributes, action| after(&attributes, action))
}

proptest! {
    #[test]
    fn a_plan_reaches_what_is_wanted_and_then_rests(wanted in wishes(), start in attributes(), exists: bool) {
        let desired = Desired::Present(wanted.clone());
        let observed = if exists { known(start.clone()) } else { Observed::Absent };
        let made = plan(EntityKind::Account, &desired, &observed, Some("u1"), &schema());
        prop_assert_eq!(judge(&made, &desired, &schema(), ROOT), Ok(()));
        let end = reached(&made, if exists { &start } else { const { &Attributes::new() } });
        for (name, value) in &wanted {
            prop_assert_eq!(end.get(name), value.as_ref(), "{}", name);
        }
        if exists {
            for (name, value) in start.iter().filter(|(name, _)| !wanted.contains_key(*name)) {
                prop_assert_eq!(end.get(name), Some(value), "{} is not ours", name);
            }
        }
        prop_assert_eq!(plan(EntityKind::Account, &desired, &known(end), Some("u1"), &schema()), Plan::default());
    }

    #[test]
    fn absence_is_reached_too(start in attributes()) {
        let made = plan(EntityKind::Account, &Desired::Absent, &known(start), None, &schema());
        prop_assert_eq!(made.actions, vec![Action::Delete { kind: EntityKind::Account, remote_id: "u1".into() }]);
    }
}

#[test]
fn nothing_is_planned_from_ignorance() {
    let desired = Desired::Present([("name".to_owned(), Some(json!("A")))].into());
    for desired in [desired, Desired::Absent] {
        assert_eq!(plan(EntityKind::Account, &desired, &Observed::Unknown, None, &schema()), Plan::default());
    }
}

#[test]
fn what_cannot_be_changed_is_reported_and_the_rest_is_done() {
    let wanted = [("mobile", Some(json!("2"))), ("email", None), ("title", Some(json!("b")))];
    let desired = Desired::Present(wanted.map(|(name, value)| (name.to_owned(), value)).into());
    let start = [("mobile", json!("1")), ("email", json!("a@x")), ("title", json!("a"))];
    let observed = known(start.map(|(name, value)| (name.to_owned(), value)).into());
    let made = plan(EntityKind::Account, &desired, &observed, None, &schema());
    let codes: Vec<&str> = made.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["email_unclearable", "mobile_unchangeable"]);
    assert_eq!(made.actions.iter().map(Action::attributes).collect::<Vec<_>>(), [["title"]]);
}

#[test]
fn an_account_of_another_kind_is_left_and_what_both_have_is_kept_in_step() {
    let of = |name, create_only, account_kinds| AttributeSpec {
        name,
        create_only,
        account_kinds,
        ..AttributeSpec::OPTIONAL
    };
    let schema = Schema(vec![
        of("account_kind", true, &[]),
        of("title", false, &[]),
        of("mobile", true, &["normal"]),
        of("enabled", false, &["sso", "dingtalk"]),
    ]);
    for (there, wanted, parts) in [
        ("normal", "sso", ["has a normal account", "to have an enterprise account of the kind sso"]),
        ("sso", "normal", ["has an enterprise account of the kind sso", "24 hours"]),
        ("sso", "dingtalk", ["of the kind sso at DingTalk", "to have an enterprise account of the kind dingtalk"]),
        ("sso", "sso", ["", ""]),
    ] {
        let desired =
            [("account_kind", json!(wanted)), ("title", json!("b")), ("mobile", json!("2")), ("enabled", json!(true))];
        let desired = Desired::Present(desired.map(|(name, value)| (name.to_owned(), Some(value))).into());
        let own = if there == "normal" { ("mobile", json!("2")) } else { ("enabled", json!(true)) };
        let start = [("account_kind", json!(there)), ("title", json!("a")), own];
        let observed = known(start.map(|(name, value)| (name.to_owned(), value)).into());
        let made = plan(EntityKind::Account, &desired, &observed, None, &schema);
        assert_eq!(made.actions.iter().map(Action::attributes).collect::<Vec<_>>(), [["title"]], "{there} {wanted}");
        let told: Vec<String> = made.findings.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), usize::from(there != wanted), "{told:?}");
        assert!(told.iter().all(|told| parts.iter().all(|part| told.contains(part))), "{told:?}");
        assert!(made.findings.iter().all(|finding| finding.code == "account_kind_unchangeable"));
    }
}

#[test]
fn the_judge_refuses_contradictions() {
    let delete = |kind, id: &str| Action::Delete { kind, remote_id: id.to_owned() };
    let create = Action::Create {
        kind: EntityKind::Account,
        remote_id: Some("u".into()),
        attributes: Attributes::new(),
        password: None,
    };
    let odd = Action::Update {
        kind: EntityKind::Account,
        remote_id: "u".into(),
        changes: [("shoe_size".to_owned(), rollcall_provisioning::plan::Change::Clear)].into(),
    };
    let (kind, remote_id) = (EntityKind::Role, "7".to_owned());
    let add =
        |member: &str| Action::AddMembers { kind, remote_id: remote_id.clone(), members: vec![member.to_owned()] };
    let remove =
        |member: &str| Action::RemoveMembers { kind, remote_id: remote_id.clone(), members: vec![member.to_owned()] };
    let present = Desired::Present(BTreeMap::new());
    let account = EntityKind::Account;
    for (actions, desired, expected) in [
        (vec![delete(account, "u"), delete(account, "u")], &Desired::Absent, Contradiction::Twice("u".into())),
        (vec![delete(account, "u")], &present, Contradiction::DeletesWanted("u".into())),
        (vec![delete(EntityKind::OrgUnit, ROOT)], &Desired::Absent, Contradiction::TouchesRoot),
        (vec![odd], &present, Contradiction::UnknownAttribute("shoe_size".into())),
        (vec![create], &present, Contradiction::Incomplete("name")),
        (vec![add("u"), remove("v"), add("v")], &present, Contradiction::AddsAndRemoves("v".into())),
        (
            vec![delete(EntityKind::Role, "7"), remove("u")],
            &Desired::Absent,
            Contradiction::MembersOfDeleted("7".into()),
        ),
    ] {
        let plan = Plan { actions, findings: Vec::new() };
        assert_eq!(judge(&plan, desired, &schema(), ROOT), Err(expected));
    }
    let batches = vec![add("u"), add("v"), remove("w"), delete(EntityKind::Role, "7")];
    let plan = Plan { actions: batches, findings: Vec::new() };
    assert_eq!(judge(&plan, &Desired::Absent, &schema(), ROOT), Ok(()), "several batches for one role");
}

/// A schema with a switch and with titles by department.
struct Switches;

impl TargetSchema for Switches {
    fn attributes(&self, _: EntityKind) -> &[AttributeSpec] {
        &[]
    }

    fn blank(&self, _: EntityKind, name: &str) -> Option<&Value> {
        (name == "hidden").then_some(&Value::Bool(false))
    }
}

#[test]
fn only_what_is_asked_of_an_object_or_a_switch_counts() {
    for (name, wanted, current, differs) in [
        ("hidden", json!(null), json!(false), false),
        ("hidden", json!(false), json!(null), false),
        ("hidden", json!(true), json!(null), true),
        ("hidden", json!(null), json!(true), true),
        ("enabled", json!(false), json!(null), true),
        ("titles", json!({"1": "a"}), json!({"1": "a", "2": "b"}), false),
        ("titles", json!({"1": "b"}), json!({"1": "a"}), true),
        ("titles", json!({"2": null}), json!({"1": "a"}), false),
        ("titles", json!({"1": null}), json!({"1": "a"}), true),
        ("titles", json!({}), json!(null), false),
    ] {
        let given = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let desired = Desired::Present([(name.to_owned(), given(&wanted))].into());
        let observed = known(given(&current).map(|value| (name.to_owned(), value)).into_iter().collect());
        let made = plan(EntityKind::OrgUnit, &desired, &observed, None, &Switches);
        assert_eq!(!made.actions.is_empty(), differs, "{name}: {wanted} over {current}");
    }
}

#[test]
fn a_first_password_is_never_shown() {
    let password = Some(InitialPassword::new("s3cret-pw"));
    let (kind, remote_id) = (EntityKind::Account, None);
    let action = Action::Create { kind, remote_id, attributes: Attributes::new(), password };
    assert!(!format!("{action:?}").contains("s3cret"));
    assert!(after(&Attributes::new(), &action).is_empty());
}

#[test]
fn only_a_unique_value_that_was_there_is_given_up() {
    let with = |pairs: &[(&str, &str)]| -> Attributes {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect()
    };
    let before = with(&[("email", "A@x"), ("title", "Clerk")]);
    for (after, expected) in [
        (Some(with(&[("email", "a@x"), ("title", "Head")])), &[][..]),
        (Some(with(&[("email", "b@x"), ("title", "Clerk")])), &["email=a@x"]),
        (Some(with(&[("title", "Clerk")])), &["email=a@x"]),
        (None, &["email=a@x"]),
    ] {
        assert_eq!(given_up(EntityKind::Account, &before, after.as_ref(), &schema()), expected, "{after:?}");
    }
    assert!(given_up(EntityKind::Account, &with(&[("title", "Clerk")]), None, &schema()).is_empty());
}
