//! The way back from updates, attribute by attribute.

use super::reasons::{Cannot, Step};
use super::{Presence, Standing, Surroundings, Undo};
use crate::connector::Clearing;
use crate::entity::{self, Attributes, Observed};
use crate::overrides::{Override, paths_value};
use crate::plan::{Action, Change, satisfied};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Between the names of a path that people read.
const BETWEEN_UNITS: &str = " / ";

/// The way back from the updates that are chosen of `steps`.
pub(super) fn back(steps: &[Step<'_>], standing: &Standing<'_>, around: &Surroundings<'_>) -> Undo {
    let Some(first) = steps.iter().find(|step| step.chosen) else { return Undo::default() };
    let entity = match (standing.presence, standing.observed) {
        (Presence::Left, _) => return Undo::refused(Cannot::left(first)),
        (Presence::LeftOut(why), Observed::Known(_)) => return Undo::refused(Cannot::goes(why)),
        (_, Observed::Known(entity)) => entity,
        (_, Observed::Absent) => return Undo::refused(Cannot::absent()),
        (_, Observed::Unknown) => return Undo::refused(Cannot::in_doubt()),
    };
    let touched = steps.iter().filter(|step| step.chosen).flat_map(|step| step.attributes);
    let touched: BTreeSet<&str> = touched.map(String::as_str).collect();
    let mut way = Way { standing, around, now: &entity.attributes, changes: BTreeMap::new(), undo: Undo::default() };
    let mut places = BTreeMap::new();
    for attribute in touched {
        match way.earlier(attribute, steps) {
            Ok(Earlier::There) => {}
            Ok(Earlier::Was(earlier)) if matches!(attribute, entity::ORG_UNITS | entity::PRIMARY_ORG_UNIT) => {
                places.insert(attribute, earlier);
            }
            Ok(Earlier::Was(earlier)) => way.keep(attribute, earlier.cloned()),
            Err(cannot) => way.undo.cannot.push(*cannot),
        }
    }
    way.place(&places);
    let Way { changes, mut undo, .. } = way;
    if !changes.is_empty() {
        undo.action = Some(Action::Update { kind: standing.kind, remote_id: entity.remote_id.clone(), changes });
    }
    undo
}

/// What an attribute was before.
enum Earlier<'s> {
    /// What it is now.
    There,
    /// Something else, or nothing.
    Was(Option<&'s Value>),
}

/// What is found on the way back.
struct Way<'a> {
    standing: &'a Standing<'a>,
    around: &'a Surroundings<'a>,
    /// What the target has.
    now: &'a Attributes,
    changes: BTreeMap<String, Change>,
    undo: Undo,
}

impl Way<'_> {
    /// What there was before an attribute was touched first.
    fn earlier<'s>(&self, attribute: &str, steps: &[Step<'s>]) -> Result<Earlier<'s>, Box<Cannot>> {
        let mut touching = steps.iter().filter(|step| step.touches(attribute)).skip_while(|step| !step.chosen);
        let Some(first) = touching.next() else { return Ok(Earlier::There) };
        let mut last = first;
        for step in touching {
            if !step.chosen {
                return Err(Box::new(Cannot::touched_later(attribute, step)));
            }
            last = step;
        }
        for step in [first, last] {
            if step.lost {
                return Err(Box::new(Cannot::answer_lost(attribute, step)));
            }
        }
        let (Some(before), Some(after)) = (first.before, last.after) else {
            return Err(Box::new(Cannot::not_kept(Some(attribute), first)));
        };
        let (earlier, written, current) = (before.get(attribute), after.get(attribute), self.now.get(attribute));
        let blank = self.around.schema.blank(self.standing.kind, attribute);
        let same = |one: Option<&Value>, other: Option<&Value>| one.or(blank) == other.or(blank);
        if same(earlier, current) {
            return Ok(Earlier::There);
        }
        if !same(written, current) {
            return Err(Box::new(Cannot::changed_by_others(attribute, current)));
        }
        self.is_possible(attribute, earlier)?;
        Ok(Earlier::Was(earlier))
    }

    /// Refuses what the target does not take back, and what refers to something that is gone.
    fn is_possible(&self, attribute: &str, earlier: Option<&Value>) -> Result<(), Box<Cannot>> {
        let spec = self.around.schema.attribute(self.standing.kind, attribute);
        let Some(earlier) = earlier else {
            let impossible = spec.is_some_and(|spec| spec.create_only || spec.clearing == Clearing::Impossible);
            return if impossible { Err(Box::new(Cannot::unclearable(attribute))) } else { Ok(()) };
        };
        if spec.is_some_and(|spec| spec.create_only) {
            return Err(Box::new(Cannot::unchangeable(attribute)));
        }
        let named = || texts(earlier);
        let units = self.around.units;
        match attribute {
            entity::MANAGER | entity::HEADS => {
                let gone = named().into_iter().find(|id| !self.around.accounts.contains(*id));
                gone.map_or(Ok(()), |id| Err(Box::new(Cannot::account_gone(attribute, id))))
            }
            entity::PARENT => {
                let gone =
                    named().into_iter().find(|id| *id != self.around.root && !units.get(*id).is_some_and(|u| u.there));
                gone.map_or(Ok(()), |id| Err(Box::new(Cannot::unit_gone(attribute, id))))
            }
            // One that was removed since is made again.
            entity::ORG_UNITS | entity::PRIMARY_ORG_UNIT => {
                let gone = named().into_iter().find(|id| *id != self.around.root && !units.contains_key(*id));
                gone.map_or(Ok(()), |id| Err(Box::new(Cannot::unit_gone(attribute, id))))
            }
            _ => Ok(()),
        }
    }

    /// Takes an attribute back to what it was: by lifting what holds it, if the rules want just that, else by holding it.
    fn keep(&mut self, attribute: &str, earlier: Option<Value>) {
        // What the rules want waits for a decision, or it is what the target has.
        let wish = match self.standing.waiting.get(attribute) {
            None => self.now.get(attribute).cloned(),
            // A proposal names departments by their paths.
            Some(wanted) if is_by_unit(attribute) && !self.is_held(attribute) => {
                return self.undo.cannot.push(Cannot::other_waits(attribute, wanted.as_ref()));
            }
            Some(wanted) => wanted.clone(),
        };
        let change = earlier.clone().map_or(Change::Clear, Change::Set);
        self.changes.insert(attribute.to_owned(), change);
        self.hold(attribute, earlier, wish);
    }

    fn is_held(&self, attribute: &str) -> bool {
        self.standing.overrides.iter().any(|held| held.attribute == attribute)
    }

    /// Holds an attribute at a value against the wish for another one.
    fn hold(&mut self, attribute: &str, value: Option<Value>, wish: Option<Value>) {
        let blank = self.around.schema.blank(self.standing.kind, attribute);
        let held = self.standing.overrides.iter().find(|held| held.attribute == attribute);
        match held {
            Some(held) if satisfied(held.against.as_ref(), value.as_ref(), blank) => {
                self.undo.lifted.push(attribute.to_owned());
            }
            Some(held) => {
                let against = held.against.clone();
                self.undo.held.push(Override { id: 0, attribute: attribute.to_owned(), value, against });
            }
            None => {
                // What waits is not sent as long as this holds, which is to be known before.
                let waits = self.standing.waiting.get(attribute).filter(|_| wish != value);
                self.undo.cannot.extend(waits.map(|wanted| Cannot::newer_waits(attribute, wanted.as_ref())));
                self.undo.held.push(Override { id: 0, attribute: attribute.to_owned(), value, against: wish });
            }
        }
    }

    /// Takes a person back to their departments: those, and which is their own, go together.
    fn place(&mut self, earlier: &BTreeMap<&str, Option<&Value>>) {
        let refused = |name: &str| self.undo.cannot.iter().any(|cannot| cannot.attribute.as_deref() == Some(name));
        if earlier.is_empty() || refused(entity::ORG_UNITS) || refused(entity::PRIMARY_ORG_UNIT) {
            return;
        }
        let was = |name: &str| earlier.get(name).copied().unwrap_or_else(|| self.now.get(name));
        let (units, primary) = (was(entity::ORG_UNITS), was(entity::PRIMARY_ORG_UNIT));
        let value = self.paths(units, primary);
        let wish = match self.standing.waiting.get(entity::ORG_UNITS) {
            None => self.paths(self.now.get(entity::ORG_UNITS), self.now.get(entity::PRIMARY_ORG_UNIT)),
            Some(wanted) => match wanted.as_ref().and_then(shown_paths) {
                Some(wanted) => wanted,
                None if self.is_held(entity::ORG_UNITS) => Value::Null,
                None => {
                    return self.undo.cannot.push(Cannot::other_waits(entity::ORG_UNITS, wanted.as_ref()));
                }
            },
        };
        for (name, was) in [(entity::ORG_UNITS, units), (entity::PRIMARY_ORG_UNIT, primary)] {
            if let Some(was) = was.filter(|was| Some(*was) != self.now.get(name)) {
                self.changes.insert(name.to_owned(), Change::Set(was.clone()));
            }
        }
        self.hold(entity::ORG_UNITS, Some(value), Some(wish));
    }

    /// Departments as places in the tree, the person's own first.
    fn paths(&self, units: Option<&Value>, primary: Option<&Value>) -> Value {
        let mut ids = units.map(texts).unwrap_or_default();
        ids.sort_by_key(|id| Some(*id) != primary.and_then(Value::as_str));
        let known = |id: &&str| {
            if **id == *self.around.root { Some(Vec::new()) } else { Some(self.around.units.get(*id)?.path.clone()) }
        };
        let paths: Vec<Vec<String>> = ids.iter().filter_map(known).collect();
        if paths.is_empty() { json!([]) } else { paths_value(paths.iter().map(Vec::as_slice)) }
    }
}

/// Whether a proposal names the departments of an attribute by their paths, of which the remote ids are not known.
fn is_by_unit(attribute: &str) -> bool {
    matches!(attribute, entity::ORG_UNIT_ORDERS | entity::ORG_UNIT_TITLES | entity::PARENT)
}

/// Places in the tree of which a proposal shows the paths; `None` if the path of one is not known.
fn shown_paths(shown: &Value) -> Option<Value> {
    let path = |shown: &Value| match shown.as_str()? {
        "/" => Some(Vec::new()),
        unknown if unknown.starts_with('#') => None,
        path => Some(path.split(BETWEEN_UNITS).map(str::to_owned).collect()),
    };
    let paths: Vec<Vec<String>> = shown.as_array()?.iter().map(path).collect::<Option<_>>()?;
    Some(paths_value(paths.iter().map(Vec::as_slice)))
}

/// The texts of a value: itself, or its elements.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}
