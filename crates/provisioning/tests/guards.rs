//! What guards count and when they hold.

use rollcall_provisioning::entity::{Attributes, EntityKind};
use rollcall_provisioning::guard::{Effect, Guard, Guards, Reading, Trip, Window, effects};
use rollcall_provisioning::plan::{Action, Change};
use serde_json::{Value, json};

fn account() -> Attributes {
    let attributes =
        json!({ "name": "Ann", "mobile": "13800000001", "title": "Clerk", "org_units": ["7"], "enabled": true });
    attributes.as_object().cloned().unwrap_or_default().into_iter().collect()
}

fn update(attribute: &str, change: Change) -> Action {
    let changes = [(attribute.to_owned(), change)].into();
    Action::Update { kind: EntityKind::Account, remote_id: "u".to_owned(), changes }
}

fn keys(action: &Action) -> Vec<String> {
    effects(action, &account()).iter().map(Effect::key).collect()
}

#[test]
fn effects_of_steps() {
    let set = |attribute, value: Value| update(attribute, Change::Set(value));
    let create = |kind| Action::Create { kind, remote_id: None, attributes: Attributes::new(), password: None };
    let delete = |kind| Action::Delete { kind, remote_id: "u".to_owned() };
    for (action, expected) in [
        (create(EntityKind::Account), vec!["people.create"]),
        (create(EntityKind::OrgUnit), vec![]),
        (delete(EntityKind::Account), vec!["people.remove"]),
        (delete(EntityKind::OrgUnit), vec!["departments.remove"]),
        (set("title", json!("Head")), vec!["fields.changed:title"]),
        (set("email", json!("a@x.test")), vec![]),
        (set("mobile", json!("13800000002")), vec!["identity.change", "fields.changed:mobile"]),
        (set("org_units", json!(["8"])), vec!["people.move", "fields.changed:org_units"]),
        (set("enabled", json!(false)), vec!["people.deactivate", "fields.changed:enabled"]),
        (set("enabled", json!(true)), vec!["fields.changed:enabled"]),
        (update("title", Change::Clear), vec!["fields.blanked:title", "fields.changed:title"]),
        (update("email", Change::Clear), vec![]),
    ] {
        assert_eq!(keys(&action), expected, "{action:?}");
    }
}

#[test]
fn an_administrator_counts_besides() {
    let mut account = account();
    account.insert("administrator".to_owned(), json!(true));
    let keys = |action: &Action| effects(action, &account).iter().map(Effect::key).collect::<Vec<_>>();
    let removal = Action::Delete { kind: EntityKind::Account, remote_id: "u".to_owned() };
    assert_eq!(keys(&removal), ["people.remove", "administrators.lost"]);
    let off = update("enabled", Change::Set(json!(false)));
    assert_eq!(keys(&off), ["people.deactivate", "fields.changed:enabled", "administrators.lost"]);
    assert_eq!(keys(&update("title", Change::Clear)), ["fields.blanked:title", "fields.changed:title"]);
    let one = Reading { plan: 1, day: 1, week: 1, base: 100_000 };
    let trip = judge(Guard::AdministratorsLost, one).expect("one is too many");
    assert_eq!(trip.to_string(), "administrators.lost: 1 at once, an account that administers the organisation");
}

#[test]
fn every_word_reads_back() {
    for guard in Guard::all() {
        assert_eq!(Guard::parse(guard.as_str()), Some(guard));
        for scope in ["", "title", "0198"] {
            let effect = Effect::new(guard, scope);
            assert_eq!(Effect::parse(&effect.key()), Some(effect));
        }
    }
    assert_eq!(Guard::parse("people.sack"), None);
}

fn judge(guard: Guard, reading: Reading) -> Option<Trip> {
    let effect = Effect { guard, scope: String::new() };
    reading.judge(&effect, &Guards::default().limit(guard))
}

#[test]
fn limits_grow_with_what_they_protect() {
    for (base, most) in [(0, 5), (100, 5), (500, 5), (600, 6), (1_012, 10), (50_000, 500)] {
        let at = |plan| judge(Guard::PeopleRemove, Reading { plan, day: plan, week: plan, base });
        assert_eq!(at(most), None, "{most} of {base} may go");
        let trip = at(most + 1).expect("one more may not");
        assert_eq!((trip.window, trip.observed, trip.most), (Window::Plan, most + 1, most));
    }
}

#[test]
fn a_slow_bleed_is_held() {
    let trip =
        judge(Guard::PeopleRemove, Reading { plan: 1, day: 11, week: 11, base: 100 }).expect("too many in a day");
    assert_eq!(trip.window, Window::Day);
    let trip =
        judge(Guard::PeopleRemove, Reading { plan: 1, day: 1, week: 21, base: 100 }).expect("too many in a week");
    assert_eq!(trip.window, Window::Week);
    assert_eq!(judge(Guard::PeopleRemove, Reading { plan: 5, day: 10, week: 20, base: 100 }), None);
}

#[test]
fn arithmetic_is_shown() {
    let trip =
        judge(Guard::PeopleRemove, Reading { plan: 14, day: 16, week: 16, base: 1_012 }).expect("14 are too many");
    assert_eq!(trip.to_string(), "people.remove: 14 at once, more than 10 (1 % of 1012, at least 5)");
    let trip =
        judge(Guard::PeopleRemove, Reading { plan: 1, day: 21, week: 21, base: 1_012 }).expect("21 are too many");
    assert_eq!(
        trip.to_string(),
        "people.remove: 21 in 24 hours, more than 20 (1 % of 1012, at least 5, 2 times in a day)"
    );
}

#[test]
fn own_limits_read_back() {
    let own = json!({ "people.remove": { "floor": 2, "share": 0.5, "day": 3, "week": null } });
    let guards = Guards::parse(&own).expect("limits");
    assert_eq!(guards.to_value(), own);
    assert_eq!(guards.limit(Guard::PeopleRemove).most(Window::Day, 10), Some(15));
    assert_eq!(guards.limit(Guard::PeopleRemove).most(Window::Week, 10), None);
    assert!(guards.is_own(Guard::PeopleRemove) && !guards.is_own(Guard::PeopleMove));
}

#[test]
fn bad_limits_say_what_is_wrong() {
    for (limits, expected) in [
        (json!({ "people.sack": {} }), "there is no guard \"people.sack\""),
        (json!({ "protected": {} }), "the guard protected has no limit that can be set"),
        (json!({ "administrators.lost": {} }), "the guard administrators.lost has no limit that can be set"),
        (json!({ "people.move": 5 }), "people.move: the limit must be an object"),
        (json!({ "people.move": {} }), "people.move: floor must be a number of 0 or more"),
        (json!({ "people.move": { "floor": -1 } }), "people.move: floor must be a number of 0 or more"),
        (json!({ "people.move": { "floor": 1, "share": 5 } }), "people.move: share must be a number from 0 to 1"),
        (
            json!({ "people.move": { "floor": 1, "share": 0.5, "day": 0 } }),
            "people.move: day must be a number of 1 or more, or null",
        ),
        (
            json!({ "people.move": { "flor": 1, "share": 0.5 } }),
            "people.move: flor is not a member of a limit: they are floor, share, day and week",
        ),
    ] {
        assert_eq!(Guards::parse(&limits).expect_err("bad limits").to_string(), expected);
    }
}
