//! In which order the operations of a bulk request are served.

use std::collections::{BTreeSet, HashMap};

use super::{Entry, Method, Operation, Step};

/// The order, as it comes about.
pub(super) struct Plan<'a> {
    operations: &'a [Entry],
    /// Who refers to a name.
    dependents: HashMap<&'a str, Vec<usize>>,
    /// Who is next at the same resource.
    followers: HashMap<usize, usize>,
    /// How much an operation still waits for: its references, and who is before it at the same resource.
    missing: Vec<usize>,
    /// Not begun.
    waiting: BTreeSet<usize>,
    /// Not begun, and nothing is missing.
    ready: BTreeSet<usize>,
    /// Begun without something.
    begun: BTreeSet<usize>,
    /// To be completed.
    complete: BTreeSet<usize>,
    pub(super) steps: Vec<Step>,
}

impl<'a> Plan<'a> {
    pub(super) fn of(operations: &'a [Entry]) -> Self {
        let mut dependents: HashMap<&str, Vec<usize>> = HashMap::new();
        let (mut followers, mut last) = (HashMap::new(), HashMap::new());
        let mut missing = Vec::new();
        for (place, entry) in operations.iter().enumerate() {
            let mut number = 0;
            for name in entry.references() {
                dependents.entry(name).or_default().push(place);
                number += 1;
            }
            let resource = entry.operation.as_ref().ok().and_then(Operation::resource);
            if let Some(before) = resource.and_then(|resource| last.insert(resource, place)) {
                followers.insert(before, place);
                number += 1;
            }
            missing.push(number);
        }
        let waiting: BTreeSet<usize> = (0..operations.len()).collect();
        let ready = waiting.iter().copied().filter(|place| missing.get(*place) == Some(&0)).collect();
        let (begun, complete, steps) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        Self { operations, dependents, followers, missing, waiting, ready, begun, complete, steps }
    }

    fn posts(&self, place: usize) -> bool {
        let operation = self.operations.get(place).and_then(|entry| entry.operation.as_ref().ok());
        operation.is_some_and(|operation| operation.method == Method::Post)
    }

    pub(super) fn next(&self) -> Option<Step> {
        if let Some(place) = self.complete.first() {
            return Some(Step::Complete(*place));
        }
        if let Some(place) = self.ready.first() {
            return Some(Step::Whole(*place));
        }
        // Everybody waits for somebody, so some POSTs do so in a circle; only what other POSTs wait for helps them.
        let awaited = |place: &&usize| {
            let name = self.operations.get(**place).and_then(Entry::name);
            name.and_then(|name| self.dependents.get(name))
                .is_some_and(|those| those.iter().any(|one| self.posts(*one)))
        };
        self.waiting.iter().find(awaited).or(self.waiting.first()).map(|place| Step::Without(*place))
    }

    pub(super) fn take(&mut self, step: Step) {
        self.steps.push(step);
        let (Step::Whole(place) | Step::Without(place) | Step::Complete(place)) = step;
        self.complete.remove(&place);
        self.waiting.remove(&place);
        self.ready.remove(&place);
        let name = self.operations.get(place).and_then(Entry::name);
        let mut released = name.and_then(|name| self.dependents.remove(name)).unwrap_or_default();
        released.extend(self.followers.remove(&place));
        if let (Step::Without(_), Some(name)) = (step, name) {
            self.begun.insert(place);
            // Whoever changes the resource waits until it is complete, which would undo the change.
            let (posts, others) = released.into_iter().partition(|dependent| self.posts(*dependent));
            self.dependents.insert(name, others);
            released = posts;
        }
        for dependent in released {
            let Some(missing) = self.missing.get_mut(dependent) else { continue };
            *missing -= 1;
            if *missing > 0 {
                continue;
            }
            if self.begun.remove(&dependent) {
                self.complete.insert(dependent);
            } else if self.waiting.contains(&dependent) {
                self.ready.insert(dependent);
            }
        }
    }
}
