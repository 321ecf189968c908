//! The way back: what undoes steps, what cannot be undone, and that what is undone is as it was and stays so.

use proptest::prelude::*;
use rollcall_provisioning::connector::{AttributeSpec, Clearing, TargetSchema};
use rollcall_provisioning::entity::{Attributes, Desired, Entity, EntityKind, Observed};
use rollcall_provisioning::overrides::Override;
use rollcall_provisioning::plan::{Action, after, plan};
use rollcall_provisioning::undo::{Presence, Standing, Step, Surroundings, Undo, Unit, Waiting, undo};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use time::OffsetDateTime;

struct Schema(Vec<AttributeSpec>);

impl TargetSchema for Schema {
    fn attributes(&self, _: EntityKind) -> &[AttributeSpec] {
        &self.0
    }
}

fn schema() -> Schema {
    let spec = |name, create_only, clearing| AttributeSpec { name, create_only, clearing, ..AttributeSpec::OPTIONAL };
    Schema(vec![
        spec("name", false, Clearing::Impossible),
        spec("title", false, Clearing::Possible),
        spec("email", false, Clearing::Possible),
        spec("manager", false, Clearing::Possible),
        spec("hired_date", false, Clearing::Impossible),
        spec("mobile", true, Clearing::Impossible),
        spec("org_units", false, Clearing::Impossible),
        spec("primary_org_unit", false, Clearing::Impossible),
    ])
}

/// A step as a table writes it.
struct Done {
    action: &'static str,
    before: Option<Attributes>,
    after: Option<Attributes>,
    attributes: Vec<String>,
    lost: bool,
    chosen: bool,
}

fn map(value: Value) -> Attributes {
    serde_json::from_value(value).unwrap_or_default()
}

/// An update from one value of an attribute to another.
fn set(attribute: &str, before: Value, after: Value) -> Done {
    let image = |value: Value| {
        let some = (!value.is_null()).then(|| (attribute.to_owned(), value));
        Some(some.into_iter().collect::<Attributes>())
    };
    Done {
        action: "update account",
        before: image(before),
        after: image(after),
        attributes: vec![attribute.to_owned()],
        lost: false,
        chosen: true,
    }
}

fn made(action: &'static str, before: Option<Value>, after: Option<Value>) -> Done {
    let attributes = after.as_ref().map_or_else(Vec::new, |after| map(after.clone()).into_keys().collect());
    Done { action, before: before.map(map), after: after.map(map), attributes, lost: false, chosen: true }
}

impl Done {
    fn by_others(self) -> Self {
        Self { chosen: false, ..self }
    }

    fn lost(self) -> Self {
        Self { lost: true, before: None, after: None, ..self }
    }
}

fn known(attributes: Value) -> Observed {
    Observed::Known(Entity { remote_id: "u1".to_owned(), attributes: map(attributes) })
}

fn held(attribute: &str, value: Value, against: Value) -> Override {
    let some = |value: Value| Some(value).filter(|value| !value.is_null());
    Override { id: 7, attribute: attribute.to_owned(), value: some(value), against: some(against) }
}

fn way(done: &[Done], presence: Presence<'_>, observed: &Observed, overrides: &[Override]) -> Undo {
    let kind = EntityKind::Account;
    way_of(done, &Standing { kind, presence, observed, overrides, waiting: &Waiting::new() })
}

fn way_of(done: &[Done], standing: &Standing<'_>) -> Undo {
    let steps: Vec<Step<'_>> = (1..)
        .zip(done)
        .map(|(number, done)| Step {
            number,
            at: OffsetDateTime::UNIX_EPOCH,
            action: done.action,
            attributes: &done.attributes,
            before: done.before.as_ref(),
            after: done.after.as_ref(),
            lost: done.lost,
            chosen: done.chosen,
            whose: "source okta",
        })
        .collect();
    let accounts = BTreeSet::from(["boss".to_owned()]);
    let unit = |path: &[&str], there| Unit { path: path.iter().map(|name| (*name).to_owned()).collect(), there };
    let units = BTreeMap::from([
        ("7".to_owned(), unit(&["Sales"], true)),
        ("8".to_owned(), unit(&["Sales", "EMEA"], false)),
        ("9".to_owned(), unit(&["Legal"], true)),
    ]);
    let schema = schema();
    let around = Surroundings { schema: &schema, accounts: &accounts, units: &units, root: "1" };
    undo(&steps, standing, &around)
}

/// Which attributes are changed, held and lifted, and the codes of what cannot be.
fn told(undo: &Undo) -> String {
    let verb = undo.action.as_ref().map_or("nothing", Action::verb);
    let held: Vec<&str> = undo.held.iter().map(|held| held.attribute.as_str()).collect();
    let cannot: Vec<String> = undo
        .cannot
        .iter()
        .map(|cannot| {
            format!("{}{}", cannot.attribute.as_ref().map_or(String::new(), |a| format!("{a}:")), cannot.code)
        })
        .collect();
    format!("{verb} held[{}] lifted[{}] cannot[{}]", held.join(","), undo.lifted.join(","), cannot.join(","))
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table with a row for each case")]
fn one_attribute_after_the_other() {
    let wanted = Presence::Wanted;
    let null = || Value::Null;
    for (what, done, observed, overrides, expected) in [
        (
            "a change",
            vec![set("title", json!("a"), json!("b"))],
            json!({ "title": "b" }),
            vec![],
            "update held[title] lifted[] cannot[]",
        ),
        (
            "a first value",
            vec![set("title", null(), json!("b"))],
            json!({ "title": "b" }),
            vec![],
            "update held[title] lifted[] cannot[]",
        ),
        (
            "an emptied one",
            vec![set("title", json!("a"), null())],
            json!({}),
            vec![],
            "update held[title] lifted[] cannot[]",
        ),
        (
            "two of the same",
            vec![set("title", json!("a"), json!("b")), set("title", json!("b"), json!("c"))],
            json!({ "title": "c" }),
            vec![],
            "update held[title] lifted[] cannot[]",
        ),
        (
            "there and back",
            vec![set("title", json!("a"), json!("b")), set("title", json!("b"), json!("a"))],
            json!({ "title": "a" }),
            vec![],
            "nothing held[] lifted[] cannot[]",
        ),
        (
            "touched later, another attribute is not",
            vec![
                set("title", json!("a"), json!("b")),
                set("email", json!("x"), json!("y")),
                set("title", json!("b"), json!("c")).by_others(),
            ],
            json!({ "title": "c", "email": "y" }),
            vec![],
            "update held[email] lifted[] cannot[title:conflict]",
        ),
        (
            "touched in between",
            vec![
                set("title", json!("a"), json!("b")),
                set("title", json!("b"), json!("c")).by_others(),
                set("title", json!("c"), json!("d")),
            ],
            json!({ "title": "d" }),
            vec![],
            "nothing held[] lifted[] cannot[title:conflict]",
        ),
        (
            "by hand",
            vec![set("title", json!("a"), json!("b"))],
            json!({ "title": "z" }),
            vec![],
            "nothing held[] lifted[] cannot[title:conflict]",
        ),
        (
            "unchangeable",
            vec![set("mobile", json!("1"), json!("2"))],
            json!({ "mobile": "2" }),
            vec![],
            "nothing held[] lifted[] cannot[mobile:unchangeable]",
        ),
        (
            "unclearable",
            vec![set("hired_date", null(), json!(5))],
            json!({ "hired_date": 5 }),
            vec![],
            "nothing held[] lifted[] cannot[hired_date:unclearable]",
        ),
        (
            "a manager",
            vec![set("manager", json!("boss"), json!("x"))],
            json!({ "manager": "x" }),
            vec![],
            "update held[manager] lifted[] cannot[]",
        ),
        (
            "a manager who is gone",
            vec![set("manager", json!("old"), json!("x"))],
            json!({ "manager": "x" }),
            vec![],
            "nothing held[] lifted[] cannot[manager:account_gone]",
        ),
        (
            "a move",
            vec![set("org_units", json!(["8"]), json!(["9"]))],
            json!({ "org_units": ["9"] }),
            vec![],
            "update held[org_units] lifted[] cannot[]",
        ),
        (
            "a move from nowhere known",
            vec![set("org_units", json!(["5"]), json!(["9"]))],
            json!({ "org_units": ["9"] }),
            vec![],
            "nothing held[] lifted[] cannot[org_units:department_gone]",
        ),
        (
            "a lost answer",
            vec![set("title", json!("a"), json!("b")).lost()],
            json!({ "title": "b" }),
            vec![],
            "nothing held[] lifted[] cannot[title:answer_lost]",
        ),
        (
            "what an override did",
            vec![set("title", json!("b"), json!("a"))],
            json!({ "title": "a" }),
            vec![held("title", json!("a"), json!("b"))],
            "update held[] lifted[title] cannot[]",
        ),
        (
            "another override",
            vec![set("title", json!("x"), json!("a"))],
            json!({ "title": "a" }),
            vec![held("title", json!("a"), json!("b"))],
            "update held[title] lifted[] cannot[]",
        ),
    ] {
        let undone = way(&done, wanted, &known(observed), &overrides);
        assert_eq!(told(&undone), expected, "{what}: {undone:?}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table with a row for each case")]
fn accounts_come_and_go() {
    let account = || json!({ "name": "Ann", "mobile": "1" });
    let create = || made("create account", None, Some(account()));
    let delete = || made("delete account", Some(account()), None);
    let absent = [held("account", Value::Null, json!(true))];
    let (there, gone) = (known(account()), Observed::Absent);
    let rule = Presence::LeftOut("The rule \"x\" leaves the person out.");
    for (what, done, presence, observed, overrides, expected) in [
        (
            "a creation",
            vec![create()],
            Presence::Wanted,
            &there,
            &[][..],
            "delete held[account] lifted[] cannot[history_lost]",
        ),
        (
            "a creation that was changed since",
            vec![create(), set("title", Value::Null, json!("a")).by_others()],
            Presence::Wanted,
            &there,
            &[],
            "delete held[account] lifted[] cannot[history_lost,later_changes]",
        ),
        (
            "a creation of somebody who has left",
            vec![create()],
            Presence::Left,
            &there,
            &[],
            "nothing held[] lifted[] cannot[person_left]",
        ),
        (
            "a creation and its end",
            vec![create(), delete()],
            Presence::Left,
            &gone,
            &[],
            "nothing held[] lifted[] cannot[]",
        ),
        (
            "a removal of somebody who has left",
            vec![delete()],
            Presence::Left,
            &gone,
            &[],
            "nothing held[] lifted[] cannot[person_left]",
        ),
        ("a removal by a rule", vec![delete()], rule, &gone, &[], "nothing held[] lifted[] cannot[left_out]"),
        (
            "a removal that was an undo",
            vec![delete()],
            rule,
            &gone,
            &absent[..],
            "create held[] lifted[account] cannot[history_lost]",
        ),
        (
            "a removal, and there again",
            vec![delete(), create().by_others()],
            Presence::Wanted,
            &there,
            &[],
            "nothing held[] lifted[] cannot[conflict]",
        ),
        (
            "made anew",
            vec![delete(), create()],
            Presence::Wanted,
            &there,
            &[],
            "nothing held[] lifted[] cannot[made_anew]",
        ),
        (
            "in doubt",
            vec![create()],
            Presence::Wanted,
            &Observed::Unknown,
            &[],
            "nothing held[] lifted[] cannot[in_doubt]",
        ),
        (
            "nothing left",
            vec![set("title", json!("a"), json!("b"))],
            Presence::Wanted,
            &gone,
            &[],
            "nothing held[] lifted[] cannot[no_account]",
        ),
        (
            "nothing chosen",
            vec![create().by_others()],
            Presence::Wanted,
            &there,
            &[],
            "nothing held[] lifted[] cannot[]",
        ),
        (
            "a contact",
            vec![made("create contact", None, Some(account()))],
            Presence::Wanted,
            &there,
            &[],
            "nothing held[] lifted[] cannot[contact]",
        ),
    ] {
        let undone = way(&done, presence, observed, overrides);
        assert_eq!(told(&undone), expected, "{what}: {undone:?}");
    }
    for (kind, action, expected) in [
        (EntityKind::OrgUnit, "create org_unit", "follows_from_people"),
        (EntityKind::OrgUnit, "delete org_unit", "follows_from_people"),
        (EntityKind::Role, "add_members role", "group"),
        (EntityKind::Chat, "update chat", "group"),
    ] {
        let standing =
            Standing { kind, presence: Presence::Wanted, observed: &there, overrides: &[], waiting: &Waiting::new() };
        let undone = way_of(&[made(action, None, None)], &standing);
        assert_eq!(undone.cannot.iter().map(|cannot| cannot.code).collect::<Vec<_>>(), [expected], "{action}");
    }
}

#[test]
fn places_are_held_as_places_in_the_tree() {
    let moved = [set("org_units", json!(["7", "8"]), json!(["9"])), set("primary_org_unit", json!("8"), Value::Null)];
    let undone = way(&moved, Presence::Wanted, &known(json!({ "org_units": ["9"] })), &[]);
    let held = undone.held.first().expect("the places are held");
    assert_eq!(held.value, Some(json!([["Sales", "EMEA"], ["Sales"]])), "the person's own first");
    assert_eq!(held.against, Some(json!([["Legal"]])));
    let conflict = [
        set("org_units", json!(["7", "8"]), json!(["7", "9"])),
        set("primary_org_unit", json!("8"), json!("9")),
        set("primary_org_unit", json!("9"), json!("7")).by_others(),
    ];
    let now = known(json!({ "org_units": ["7", "9"], "primary_org_unit": "7" }));
    let undone = way(&conflict, Presence::Wanted, &now, &[]);
    assert_eq!(told(&undone), "nothing held[] lifted[] cannot[primary_org_unit:conflict]", "they go together");
}

#[test]
fn what_waits_for_a_decision_is_what_is_held_against() {
    let both = [set("title", json!("a"), json!("b")), set("org_units", json!(["7"]), json!(["9"]))];
    let observed = known(json!({ "title": "b", "org_units": ["9"] }));
    for (waits, against, expected) in [
        (("title", json!("c")), json!("c"), "cannot[title:newer_waits]"),
        (("title", Value::Null), Value::Null, "cannot[title:newer_waits]"),
        (("title", json!("a")), json!("a"), "cannot[]"),
        (("org_units", json!(["/", "Legal / Tax"])), json!([[], ["Legal", "Tax"]]), "cannot[org_units:newer_waits]"),
    ] {
        let waiting = Waiting::from([(waits.0.to_owned(), Some(waits.1).filter(|value| !value.is_null()))]);
        let (kind, presence) = (EntityKind::Account, Presence::Wanted);
        let undone =
            way_of(&both, &Standing { kind, presence, observed: &observed, overrides: &[], waiting: &waiting });
        let held = undone.held.iter().find(|held| held.attribute == waits.0).expect("it is held");
        assert_eq!(held.against.clone().unwrap_or_default(), against, "{undone:?}");
        assert_eq!(told(&undone), format!("update held[title,org_units] lifted[] {expected}"));
    }
    let waiting = Waiting::from([("org_units".to_owned(), Some(json!(["#5"])))]);
    let (kind, presence) = (EntityKind::Account, Presence::Wanted);
    let undone = way_of(&both, &Standing { kind, presence, observed: &observed, overrides: &[], waiting: &waiting });
    assert_eq!(told(&undone), "update held[title] lifted[] cannot[org_units:conflict]", "nobody knows where that is");
    let goes = way(&both, Presence::LeftOut("The rule \"x\" leaves them out."), &observed, &[]);
    assert_eq!(told(&goes), "nothing held[] lifted[] cannot[account_goes]");
}

fn values() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![Just(None), "[a-c]".prop_map(|text| Some(json!(text)))]
}

fn wishes() -> impl Strategy<Value = BTreeMap<String, Option<Value>>> {
    let name = prop_oneof![Just("title"), Just("email")].prop_map(str::to_owned);
    prop::collection::btree_map(name, values(), 0..3)
}

proptest! {
    /// Whatever was wished one after the other: what is undone is as it was, the rules cannot bring it back, and something
    /// new that they want does.
    #[test]
    fn what_is_undone_is_as_it_was_and_stays_so(first in wishes(), wished in prop::collection::vec(wishes(), 1..5), new in "[d-f]") {
        let schema = schema();
        let start: Attributes = first.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let (mut now, mut done) = (start.clone(), Vec::new());
        for wish in &wished {
            let observed = Observed::Known(Entity { remote_id: "u1".to_owned(), attributes: now.clone() });
            let made = plan(EntityKind::Account, &Desired::Present(wish.clone()), &observed, None, &schema);
            for action in &made.actions {
                let next = after(&now, action);
                let names: Vec<String> = action.attributes().into_iter().map(str::to_owned).collect();
                let image = |of: &Attributes| Some(of.iter().filter(|(name, _)| names.contains(name)).map(|(n, v)| (n.clone(), v.clone())).collect());
                done.push(Done { action: "update account", before: image(&now), after: image(&next), attributes: names.clone(), lost: false, chosen: true });
                now = next;
            }
        }
        let undone = way(&done, Presence::Wanted, &Observed::Known(Entity { remote_id: "u1".to_owned(), attributes: now.clone() }), &[]);
        prop_assert!(undone.cannot.is_empty(), "{undone:?}");
        let back = undone.action.as_ref().map_or_else(|| now.clone(), |action| after(&now, action));
        prop_assert_eq!(&back, &start);
        // The rules want what they wanted last, attribute by attribute.
        let mut last = BTreeMap::new();
        for wish in wished {
            last.extend(wish);
        }
        for held in &undone.held {
            prop_assert!(held.counts(last.get(&held.attribute), None), "{held:?} {last:?}");
            prop_assert_eq!(held.value.as_ref(), start.get(&held.attribute));
            let new = Some(json!(new));
            prop_assert!(!held.counts(Some(&new), None), "something new counts again");
        }
    }
}
