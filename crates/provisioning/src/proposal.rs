//! What would be done, in words that do not depend on when it is done.
//!
//! A step names departments and people by remote ids, which may not exist yet. A proposal names departments by their
//! path and shows each attribute before and after, so that people can read it, and so that it can be told later
//! whether the same is still to be done.

use crate::entity::{self, Attributes};
use crate::guard::{Effect, Guard, effects};
use crate::plan::{Action, Change};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One step as people read it.
#[derive(Clone, PartialEq, Debug)]
pub struct Proposal {
    /// `create`, `update` or `delete`.
    pub verb: &'static str,
    /// Each attribute that changes, in the order of names.
    pub lines: Vec<Line>,
    /// What guards count of it, as [`Effect::key`] writes it.
    pub effects: Vec<String>,
}

/// One attribute, before and after. `None` is no value.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Which attribute.
    pub attribute: String,
    /// What the target has.
    pub before: Option<Value>,
    /// What it would have.
    pub after: Option<Value>,
}

/// The line of a proposal that says who becomes a member of a role or chat.
pub const MEMBERS_ADDED: &str = "members_added";
/// The line of a proposal that says who is no member any more.
pub const MEMBERS_REMOVED: &str = "members_removed";

/// People who come to a role or chat, or leave it: too many to be all named.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Movement {
    /// How many.
    pub count: u64,
    /// The first of them, by their names.
    pub first: Vec<String>,
    /// What differs when they are others.
    pub set: String,
}

impl Movement {
    fn value(&self) -> Value {
        json!({ "count": self.count, "first": self.first, "set": self.set })
    }
}

/// Remote ids of org units, and the path that people know each by.
pub type Paths = BTreeMap<String, String>;

impl Proposal {
    /// What `action` would do to an entity that has `before`.
    pub fn new(action: &Action, before: &Attributes, paths: &Paths) -> Self {
        let shown = |name: &str, value: &Value| readable(name, value, paths);
        let line = |name: &str, after: Option<&Value>| Line {
            attribute: name.to_owned(),
            before: before.get(name).map(|value| shown(name, value)),
            after: after.map(|value| shown(name, value)),
        };
        let lines = match action {
            Action::Create { attributes, .. } => {
                attributes.iter().map(|(name, value)| line(name, Some(value))).collect()
            }
            Action::Update { changes, .. } => changes
                .iter()
                .map(|(name, change)| match change {
                    Change::Set(value) => line(name, Some(value)),
                    Change::Clear => line(name, None),
                })
                .collect(),
            Action::Delete { .. } => before.keys().map(|name| line(name, None)).collect(),
            Action::AddMembers { members, .. } => {
                vec![Line { attribute: "members".to_owned(), before: None, after: Some(json!(members)) }]
            }
            Action::RemoveMembers { members, .. } => {
                vec![Line { attribute: "members".to_owned(), before: Some(json!(members)), after: None }]
            }
        };
        let effects = effects(action, before).iter().map(Effect::key).collect();
        Self { verb: action.verb(), lines, effects }
    }

    /// What would be done to the role or chat of a group and to its members: `action` is the step that concerns itself,
    /// if there is one, and `removal` what guards count of a removal.
    pub fn of_group(
        action: Option<(&Action, &Attributes)>,
        (added, removed): (&Movement, &Movement),
        removal: &Effect,
    ) -> Self {
        let mut proposal = action.map_or_else(
            || Self { verb: "update", lines: Vec::new(), effects: Vec::new() },
            |(action, before)| Self::new(action, before, &Paths::new()),
        );
        if added.count > 0 {
            let attribute = MEMBERS_ADDED.to_owned();
            proposal.lines.push(Line { attribute, before: None, after: Some(added.value()) });
        }
        if removed.count > 0 {
            let attribute = MEMBERS_REMOVED.to_owned();
            proposal.lines.push(Line { attribute, before: Some(removed.value()), after: None });
            proposal.effects.push(removal.key());
        }
        proposal
    }

    /// The same against something that is marked: a plan of it is released by two people.
    #[must_use]
    pub fn protected(mut self) -> Self {
        self.effects.push(Guard::Protected.as_str().to_owned());
        self
    }

    /// The same with only some of its attributes.
    #[must_use]
    pub fn only(mut self, attributes: &BTreeSet<String>) -> Self {
        self.lines.retain(|line| attributes.contains(&line.attribute));
        self
    }

    /// Whether all of it is in `planned`, as [`Self::to_value`] wrote that: each attribute with the same value after. A
    /// part that was done meanwhile is missing here, which is no difference. An account that goes may be turned off before. Of members it is only asked whether some were to
    /// come or to leave: which, is known of each of them. Of a deletion it does not matter what goes with the entity. What only two people can release must have been so when it was
    /// planned, because only then they have.
    pub fn is_within(&self, planned: &Value) -> bool {
        let verb = planned.get("verb").and_then(Value::as_str).unwrap_or_default();
        let turns_off = |line: &Line| line.attribute == entity::ENABLED && line.after == Some(Value::Bool(false));
        let only_turns_off = !self.lines.is_empty() && self.lines.iter().all(turns_off);
        let same_kind = verb == self.verb
            || (verb == "create" && self.verb == "update")
            || (verb == "delete" && self.verb == "update" && only_turns_off);
        let lines = planned.get("lines").and_then(Value::as_array);
        let agreed = |line: &Line| {
            let value = |planned: &Value, name: &str| planned.get(name).filter(|value| !value.is_null()).cloned();
            lines.is_some_and(|lines| {
                lines.iter().any(|planned| {
                    planned.get("attribute").and_then(Value::as_str) == Some(line.attribute.as_str())
                        && (matches!(line.attribute.as_str(), MEMBERS_ADDED | MEMBERS_REMOVED)
                            || value(planned, "after") == line.after
                                && (verb == "create" || value(planned, "before") == line.before))
                })
            })
        };
        let known = planned.get("effects").and_then(Value::as_array);
        let was_planned = |effect: &String| known.is_some_and(|known| known.iter().any(|known| known == effect));
        let released = self
            .effects
            .iter()
            .filter(|key| Effect::parse(key).is_some_and(|e| e.guard.is_absolute()))
            .all(was_planned);
        same_kind && released && (verb == "delete" || self.lines.iter().all(agreed))
    }

    /// The attributes that `planned` does not name, if all others are within it.
    pub fn beyond(&self, planned: &Value) -> Option<BTreeSet<String>> {
        let lines = planned.get("lines").and_then(Value::as_array)?;
        let named = lines.iter().filter_map(|line| line.get("attribute")?.as_str()).map(str::to_owned).collect();
        let is_beyond = |line: &&Line| !BTreeSet::contains(&named, &line.attribute);
        let beyond = self.lines.iter().filter(is_beyond).map(|line| line.attribute.clone()).collect();
        self.clone().only(&named).is_within(planned).then_some(beyond)
    }

    /// As kept in tables: `{"verb": …, "lines": [{"attribute": …, "before": …, "after": …}], "effects": […]}`.
    pub fn to_value(&self) -> Value {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                let mut members = Map::new();
                members.insert("attribute".to_owned(), Value::String(line.attribute.clone()));
                members.insert("before".to_owned(), line.before.clone().unwrap_or(Value::Null));
                members.insert("after".to_owned(), line.after.clone().unwrap_or(Value::Null));
                Value::Object(members)
            })
            .collect();
        json!({ "verb": self.verb, "lines": lines, "effects": self.effects })
    }
}

/// A value as people read it: org units by their paths, in the order of these.
pub fn readable(name: &str, value: &Value, paths: &Paths) -> Value {
    let path = |id: &Value| {
        let text = id.as_str().unwrap_or_default();
        paths.get(text).cloned().unwrap_or_else(|| format!("#{text}"))
    };
    match (name, value) {
        (entity::ORG_UNITS, Value::Array(ids)) => json!(ids.iter().map(path).collect::<BTreeSet<_>>()),
        (entity::PRIMARY_ORG_UNIT | entity::PARENT, Value::String(_)) => Value::String(path(value)),
        (entity::ORG_UNIT_ORDERS | entity::ORG_UNIT_TITLES, Value::Object(by_unit)) => {
            let named = by_unit.iter().map(|(id, value)| (path(&Value::String(id.clone())), value.clone()));
            Value::Object(named.collect::<BTreeMap<_, _>>().into_iter().collect())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entity::EntityKind;

    fn account() -> Attributes {
        serde_json::from_value(json!({ "name": "Ann", "title": "Clerk", "org_units": ["7"] })).expect("an object")
    }

    #[test]
    fn departments_are_named_by_their_path() {
        let paths: Paths = [("7".to_owned(), "Sales".to_owned()), ("new".to_owned(), "Legal / Tax".to_owned())].into();
        let changes = [("org_units".to_owned(), Change::Set(json!(["new", "9"])))].into();
        let action = Action::Update { kind: EntityKind::Account, remote_id: "u".to_owned(), changes };
        let expected = json!({
            "verb": "update",
            "lines": [{ "attribute": "org_units", "before": ["Sales"], "after": ["#9", "Legal / Tax"] }],
            "effects": ["people.move", "fields.changed:org_units"],
        });
        assert_eq!(Proposal::new(&action, &account(), &paths).to_value(), expected);
    }

    #[test]
    fn only_what_was_planned_is_within() {
        let set = |name: &str, value: Value| {
            let changes = [(name.to_owned(), Change::Set(value))].into();
            let action = Action::Update { kind: EntityKind::Account, remote_id: "u".to_owned(), changes };
            Proposal::new(&action, &account(), &Paths::new())
        };
        let mut both = set("title", json!("Head"));
        both.lines.extend(set("email", json!("a@x.test")).lines);
        let planned = both.to_value();
        for (now, within) in [
            (set("title", json!("Head")), true),
            (set("title", json!("Chief")), false),
            (set("email", json!("a@x.test")), true),
            (set("job_number", json!("7")), false),
            (
                Proposal::new(
                    &Action::Delete { kind: EntityKind::Account, remote_id: "u".into() },
                    &account(),
                    &Paths::new(),
                ),
                false,
            ),
        ] {
            assert_eq!(now.is_within(&planned), within, "{now:?}");
        }
        let marked = set("title", json!("Head")).protected();
        assert!(!marked.is_within(&planned), "it was not protected when it was planned");
        assert!(marked.is_within(&marked.to_value()) && set("title", json!("Head")).is_within(&marked.to_value()));
        let moved = json!({ "verb": "update", "lines": [{ "attribute": "title", "before": "Boss", "after": "Head" }] });
        assert!(!set("title", json!("Head")).is_within(&moved), "the target had something else");
    }

    #[test]
    fn members_are_counted_and_the_first_are_named() {
        let movement = |count, set: &str| Movement { count, first: vec!["ann".to_owned()], set: set.to_owned() };
        let removal = Effect::new(crate::guard::Guard::MembersRemove, "g");
        let nobody = Movement::default();
        let create = Action::Create {
            kind: EntityKind::Role,
            remote_id: None,
            attributes: [("name".to_owned(), json!("Cashier"))].into(),
            password: None,
        };
        let before = Attributes::new();
        let planned = Proposal::of_group(Some((&create, &before)), (&movement(3, "a"), &nobody), &removal);
        let expected = json!({
            "verb": "create",
            "lines": [
                { "attribute": "name", "before": null, "after": "Cashier" },
                { "attribute": "members_added", "before": null,
                  "after": { "count": 3, "first": ["ann"], "set": "a" } },
            ],
            "effects": [],
        });
        assert_eq!(planned.to_value(), expected);
        let rest = Proposal::of_group(None, (&movement(1, "b"), &nobody), &removal);
        assert!(rest.is_within(&expected), "a part was done meanwhile");
        let other = Proposal::of_group(None, (&nobody, &movement(1, "b")), &removal);
        assert!(!other.is_within(&expected), "nobody was to leave");
        assert_eq!(other.effects, ["members.remove:g"]);
    }

    #[test]
    fn a_removal_shows_what_is_lost() {
        let action = Action::Delete { kind: EntityKind::Account, remote_id: "u".to_owned() };
        let proposal = Proposal::new(&action, &account(), &Paths::new());
        let lost: Vec<&str> = proposal.lines.iter().map(|line| line.attribute.as_str()).collect();
        assert_eq!((proposal.verb, lost), ("delete", vec!["name", "org_units", "title"]));
        assert!(proposal.lines.iter().all(|line| line.after.is_none()));
    }
}
