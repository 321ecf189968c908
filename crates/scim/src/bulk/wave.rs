//! Which operations of a bulk request can be served at the same time.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Entry, Method, Operation, Step};
use crate::fold::fold;
use crate::resource::member;

/// Steps that can be served at the same time.
#[derive(Default)]
pub(super) struct Wave<'a> {
    pub(super) steps: Vec<Step>,
    pub(super) kind: Option<(Method, &'a str)>,
    ids: BTreeSet<&'a str>,
    claims: BTreeSet<String>,
    makes: BTreeSet<&'a str>,
    alone: bool,
}

impl<'a> Wave<'a> {
    pub(super) fn takes(&self, operations: &[Entry], step: Step) -> bool {
        let Step::Whole(place) = step else { return false };
        let Some(entry) = operations.get(place) else { return false };
        // What cannot be read is not served either.
        let Ok(operation) = &entry.operation else { return true };
        !self.alone
            && self.kind.is_none_or(|kind| kind == (operation.method, operation.endpoint.as_str()))
            && operation.id.as_deref().is_none_or(|id| !self.ids.contains(id))
            && !operation.is_touchy()
            && self.claims.is_disjoint(&operation.claims())
            && !operation.references.iter().any(|name| self.makes.contains(name.as_str()))
    }

    pub(super) fn add(&mut self, operations: &'a [Entry], step: Step) {
        let (Step::Whole(place) | Step::Without(place) | Step::Complete(place)) = step;
        self.steps.push(step);
        self.alone |= !matches!(step, Step::Whole(_));
        let Some(entry) = operations.get(place) else { return };
        if let Ok(operation) = &entry.operation {
            self.kind = Some((operation.method, &operation.endpoint));
            self.ids.extend(operation.id.as_deref());
            self.alone |= operation.is_touchy();
            self.claims.extend(operation.claims());
            self.makes.extend(entry.name());
        }
    }
}

impl Operation {
    /// The names that it gives, by which resources are told from each other, folded: whoever comes first has them.
    fn claims(&self) -> BTreeSet<String> {
        let mut claims = BTreeSet::new();
        claim(&self.data, &mut claims);
        let operations = self.data.as_object().and_then(|data| member(data, "Operations")).and_then(Value::as_array);
        for operation in operations.into_iter().flatten().filter_map(Value::as_object) {
            let path = member(operation, "path").and_then(Value::as_str);
            match member(operation, "value") {
                Some(Value::String(name)) if path.is_some_and(names) => {
                    claims.insert(fold(name));
                }
                Some(value) => claim(value, &mut claims),
                None => {}
            }
        }
        claims
    }

    /// Whether what others do beside it could move the version that it wants: a user who is deleted moves those of their
    /// reports.
    fn is_touchy(&self) -> bool {
        self.method == Method::Delete && self.version.is_some()
    }
}

/// Whether an attribute is one by which resources are told from each other; a path may have the schema before it.
fn names(path: &str) -> bool {
    let attribute = path.rsplit(':').next().unwrap_or(path);
    ["userName", "displayName", "externalId"].iter().any(|name| name.eq_ignore_ascii_case(attribute))
}

fn claim(value: &Value, claims: &mut BTreeSet<String>) {
    let given = value.as_object().into_iter().flatten().filter(|(key, _)| names(key));
    claims.extend(given.filter_map(|(_, value)| value.as_str()).map(fold));
}
