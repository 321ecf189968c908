//! The way back: what would undo steps that were taken at a target, and what of them cannot be undone.
//!
//! Undoing writes what there was before each attribute was touched first. That alone would not last, because the rules
//! still want what they wanted: so each attribute is also held by an [`Override`] against that wish. Where an earlier
//! override is what was done, it is lifted instead.
//!
//! An attribute is refused, and the others are not, when something touched it later, when the target has something else by
//! now, or when the target does not take it back.

mod attributes;
mod reasons;

pub use reasons::{Cannot, Step};

use crate::connector::TargetSchema;
use crate::entity::{EntityKind, Observed};
use crate::overrides::{ACCOUNT, Override};
use crate::plan::Action;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Whether the directory wants the resource to be at the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence<'a> {
    /// It does.
    Wanted,
    /// The person has left, or was deleted.
    Left,
    /// The rules leave the person out, for this reason.
    LeftOut(&'a str),
}

/// How a resource stands now.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// What it is at the target.
    pub kind: EntityKind,
    /// Whether it is to be there.
    pub presence: Presence<'a>,
    /// What is known to be there.
    pub observed: &'a Observed,
    /// What is held of it.
    pub overrides: &'a [Override],
    /// The attributes that wait for a person's decision, with what the rules want of each, as a proposal shows it.
    pub waiting: &'a Waiting,
}

/// What the rules want of attributes that wait for a person's decision; `None` is no value.
pub type Waiting = BTreeMap<String, Option<Value>>;

/// A department, by its remote id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// The names from the top to it.
    pub path: Vec<String>,
    /// Whether it is at the target now.
    pub there: bool,
}

/// What is known of the target besides.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// What it allows.
    pub schema: &'a dyn TargetSchema,
    /// Accounts of ours that are there, of those that are named.
    pub accounts: &'a BTreeSet<String>,
    /// Departments that are or were there, of those that are named.
    pub units: &'a BTreeMap<String, Unit>,
    /// The department above all others.
    pub root: &'a str,
}

/// The way back for one resource.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Undo {
    /// The step that would be taken; `None` if there is nothing to do or nothing that can be done.
    pub action: Option<Action>,
    /// What is held from then on; their numbers mean nothing.
    pub held: Vec<Override>,
    /// The attributes of which an override is lifted.
    pub lifted: Vec<String>,
    /// What cannot be undone, and what is lost although the rest can be.
    pub cannot: Vec<Cannot>,
}

impl Undo {
    fn refused(cannot: Cannot) -> Self {
        Self { cannot: vec![cannot], ..Self::default() }
    }

    /// The attributes that it changes.
    pub fn attributes(&self) -> Vec<&str> {
        self.held.iter().map(|held| held.attribute.as_str()).chain(self.lifted.iter().map(String::as_str)).collect()
    }
}

/// The way back from those of `steps` that are chosen. `steps` are all steps about the resource since the first one that
/// is chosen, in their order.
pub fn undo(steps: &[Step<'_>], standing: &Standing<'_>, around: &Surroundings<'_>) -> Undo {
    let mut chosen = steps.iter().filter(|step| step.chosen);
    let (Some(first), last) = (chosen.next(), chosen.next_back()) else { return Undo::default() };
    let last = last.unwrap_or(first);
    if let Some(cannot) = other_kind(steps, standing) {
        return Undo::refused(cannot);
    }
    let later = || steps.iter().filter(|step| !step.chosen);
    if let Some(step) = later().find(|step| step.is_creation() || step.is_removal()) {
        return Undo::refused(Cannot::replaced_later(step));
    }
    let in_between = |step: &&Step<'_>| {
        step.is_creation() && step.number != first.number || step.is_removal() && step.number != last.number
    };
    if let Some(step) = steps.iter().filter(|step| step.chosen).find(in_between) {
        return Undo::refused(Cannot::made_anew(step));
    }
    match (first.is_creation(), last.is_removal()) {
        (true, true) => Undo::default(),
        (false, false) => attributes::back(steps, standing, around),
        (true, false) => remove(first, later().count(), standing),
        (false, true) => bring_back(last, standing),
    }
}

/// Why nothing of it can be undone, because of what it is.
fn other_kind(steps: &[Step<'_>], standing: &Standing<'_>) -> Option<Cannot> {
    let step = steps.iter().filter(|step| step.chosen).find(|step| match standing.kind {
        EntityKind::Account => step.entity() != EntityKind::Account.as_str(),
        EntityKind::OrgUnit => step.is_creation() || step.is_removal(),
        EntityKind::Role | EntityKind::Chat | EntityKind::Contact => true,
    })?;
    Some(match standing.kind {
        EntityKind::OrgUnit => Cannot::department(step),
        EntityKind::Role | EntityKind::Chat => Cannot::group(step),
        EntityKind::Account | EntityKind::Contact => Cannot::contact(step),
    })
}

/// The way back from a creation: the account goes, and is held absent.
fn remove(created: &Step<'_>, later: usize, standing: &Standing<'_>) -> Undo {
    let entity = match (standing.presence, standing.observed) {
        (Presence::Left, _) => return Undo::refused(Cannot::left(created)),
        (_, Observed::Known(entity)) => entity,
        (_, Observed::Unknown) => return Undo::refused(Cannot::in_doubt()),
        (_, Observed::Absent) => return Undo::default(),
    };
    let held = Override { id: 0, attribute: ACCOUNT.to_owned(), value: None, against: Some(true.into()) };
    Undo {
        action: Some(Action::Delete { kind: standing.kind, remote_id: entity.remote_id.clone() }),
        held: vec![held],
        lifted: Vec::new(),
        cannot: Cannot::lost_with_the_account(later),
    }
}

/// The way back from a removal: only where an override holds the account absent. Otherwise directory and rules decide.
fn bring_back(removed: &Step<'_>, standing: &Standing<'_>) -> Undo {
    match (standing.presence, standing.observed) {
        (Presence::Left, _) => return Undo::refused(Cannot::left(removed)),
        (_, Observed::Known(_)) => return Undo::refused(Cannot::there_again(removed)),
        (_, Observed::Unknown) => return Undo::refused(Cannot::in_doubt()),
        (_, Observed::Absent) => {}
    }
    if !standing.overrides.iter().any(|held| held.attribute == ACCOUNT) {
        let why = if let Presence::LeftOut(reason) = standing.presence { Some(reason) } else { None };
        return Undo::refused(Cannot::left_out(removed, why));
    }
    let Some(attributes) = removed.before.cloned() else { return Undo::refused(Cannot::not_kept(None, removed)) };
    Undo {
        action: Some(Action::Create { kind: standing.kind, remote_id: None, attributes, password: None }),
        held: Vec::new(),
        lifted: vec![ACCOUNT.to_owned()],
        cannot: vec![Cannot::history_stays_lost()],
    }
}
