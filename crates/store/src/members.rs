//! The members of groups: rows, never an array, so that a change costs the same at ten and at a hundred thousand.
//!
//! A member is kept as the client named it. A name that belongs to nobody stays and is found as soon as somebody has
//! that id; a member who was deleted is not shown, whichever came first, the deletion or the membership.

use rollcall_provisioning::ids::ResourceKind;
use rollcall_scim::filter::{CompareOp, Filter};
use rollcall_scim::patch::{Detached, DetachedChange};
use rollcall_scim::schema::{ResourceType, builtin, sub};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// True of a text column that is spelt as ids are: only such a text can name somebody.
macro_rules! names_somebody {
    ($column:literal) => {
        concat!($column, " ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'")
    };
}
pub(crate) use names_somebody;

/// The id that a text column names; null if it is not spelt as ids are.
macro_rules! named_id {
    ($column:literal) => {
        concat!("CASE WHEN ", $crate::members::names_somebody!($column), " THEN ", $column, "::uuid END")
    };
}
pub(crate) use named_id;

/// The attribute of a group that is kept here.
pub(crate) const MEMBERS: &str = "members";

static GROUP_TYPE: LazyLock<ResourceType> = LazyLock::new(builtin::group_type);

/// One member of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The id, as the client sent it.
    pub value: String,
    /// What the member is; `None` when nobody has that id.
    pub kind: Option<ResourceKind>,
    /// The member's present name; `None` when nobody has that id.
    pub display: Option<String>,
}

impl Member {
    /// The element of `members` that a client would see, but for its `$ref`, which depends on the server's address.
    fn element(&self) -> Value {
        let kind = self.kind.and_then(|kind| match kind {
            ResourceKind::User => Some("User"),
            ResourceKind::Group => Some("Group"),
            ResourceKind::OrgUnit => None,
        });
        let parts = [(sub::VALUE, Some(self.value.as_str())), (sub::TYPE, kind), ("display", self.display.as_deref())];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), Value::from(part?))));
        Value::Object(parts.collect::<Map<_, _>>())
    }
}

/// What several changes, one after the other, come to.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct NetChange {
    /// Whether those that are there now go, but for those in `add`.
    pub(crate) cleared: bool,
    /// Who is a member afterwards.
    pub(crate) add: BTreeSet<String>,
    /// Who is not; empty when `cleared`.
    pub(crate) remove: BTreeSet<String>,
}

impl NetChange {
    /// Adds up changes. `present` are the members before the first of them; it is needed only if [`needs_members`]
    /// says so.
    pub(crate) fn of(changes: &[DetachedChange], present: &[Member]) -> Self {
        let present = present.iter().map(|member| (member.value.as_str(), member.element())).collect();
        let mut net = Self::default();
        for DetachedChange { attribute, change } in changes {
            if attribute == MEMBERS {
                net.then(change, &present);
            }
        }
        net
    }

    /// True if nothing was asked for.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    fn then(&mut self, change: &Detached, present: &BTreeMap<&str, Value>) {
        match change {
            Detached::Add(elements) => values(elements).for_each(|value| self.add(value)),
            Detached::RemoveValues(elements) => values(elements).for_each(|value| self.remove(value)),
            Detached::RemoveAll => self.clear(),
            Detached::Replace(elements) => {
                self.clear();
                values(elements).for_each(|value| self.add(value));
            }
            Detached::RemoveWhere(filter) => match named(filter) {
                Some(names) => names.into_iter().for_each(|value| self.remove(value)),
                None => self.remove_matching(filter, present),
            },
        }
    }

    fn add(&mut self, value: &str) {
        self.remove.remove(value);
        self.add.insert(value.to_owned());
    }

    fn remove(&mut self, value: &str) {
        self.add.remove(value);
        if !self.cleared {
            self.remove.insert(value.to_owned());
        }
    }

    fn clear(&mut self) {
        *self = Self { cleared: true, ..Self::default() };
    }

    /// Judges everybody who would be a member at this point, and whom the filter can mean at all.
    fn remove_matching(&mut self, filter: &Filter, present: &BTreeMap<&str, Value>) {
        let is_meant = |value: &str| match present.get(value) {
            Some(element) => filter.matches_element(&GROUP_TYPE, element),
            None => filter.matches_element(&GROUP_TYPE, &bare(value)),
        };
        let is_there = |value: &str| {
            let stays = present.contains_key(value) && !self.cleared && !self.remove.contains(value);
            stays || self.add.contains(value)
        };
        let gone: Vec<String> = if let Some(values) = candidates(filter) {
            values.into_iter().filter(|value| is_there(value) && is_meant(value)).map(str::to_owned).collect()
        } else {
            let added = self.add.iter().map(String::as_str).filter(|value| !present.contains_key(value));
            let all = added.chain(present.keys().copied().filter(|value| is_there(value)));
            all.filter(|value| is_meant(value)).map(str::to_owned).collect()
        };
        for value in &gone {
            self.remove(value);
        }
    }
}

/// True if the changes can only be added up by somebody who knows the members there are.
pub(crate) fn needs_members(changes: &[DetachedChange]) -> bool {
    changes.iter().any(|change| removes_by(change, |filter| named(filter).is_none()))
}

/// How many of the changes look at every member that there is.
pub(crate) fn sweeps(changes: &[DetachedChange]) -> usize {
    changes.iter().filter(|change| removes_by(change, |filter| candidates(filter).is_none())).count()
}

fn removes_by(change: &DetachedChange, which: impl Fn(&Filter) -> bool) -> bool {
    change.attribute == MEMBERS && matches!(&change.change, Detached::RemoveWhere(filter) if which(filter))
}

/// A member of whom nothing is known but the value.
fn bare(value: &str) -> Value {
    Member { value: value.to_owned(), kind: None, display: None }.element()
}

fn values(elements: &[Value]) -> impl Iterator<Item = &str> {
    elements.iter().filter_map(|element| element.get(sub::VALUE)?.as_str())
}

/// The members that a filter names one by one: `value eq "a" or value eq "b"`. `None` if it says anything else.
fn named(filter: &Filter) -> Option<Vec<&str>> {
    match filter {
        Filter::Compare { path, op: CompareOp::Eq, value }
            if path.attribute == MEMBERS && path.sub_attribute.as_deref() == Some(sub::VALUE) =>
        {
            Some(vec![value.as_str()?])
        }
        Filter::Or(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(named).collect();
            Some(parts?.into_iter().flatten().collect())
        }
        _ => None,
    }
}

/// The only members that can satisfy a filter; `None` if anybody could.
fn candidates(filter: &Filter) -> Option<Vec<&str>> {
    match filter {
        Filter::And(parts) => parts.iter().find_map(candidates),
        Filter::Or(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(candidates).collect();
            Some(parts?.into_iter().flatten().collect())
        }
        filter => named(filter),
    }
}
