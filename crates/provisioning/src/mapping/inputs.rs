//! What expressions are evaluated with: the values of their variables.

use super::completed::{Completed, complete};
use super::facts::{GroupFacts, SourceFacts};
use super::functions::Pattern;
use super::metered::{BUDGET_NAME, Budget, PATTERN_PREFIX};
use super::shape::{Shape, Shapes};
use cel::common::types::CelList;
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use serde_json::{Map, Value};

/// What expressions are evaluated with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inputs<'a> {
    pub(super) shapes: &'a Shapes,
    pub(super) resource: &'a Map<String, Value>,
    pub(super) id: &'a str,
    pub(super) groups: &'a [GroupFacts<'a>],
    pub(super) source: Option<&'a SourceFacts>,
    pub(super) path: Option<&'a Value>,
}

/// The variables of one evaluation.
pub(super) struct Bound<'a> {
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) patterns: &'a [Pattern],
    pub(super) budget: Budget,
}

impl Bound<'_> {
    fn groups<'b>(&'b self) -> Vec<Box<dyn Val + 'b>> {
        let Shape::Many(shape) = &self.inputs.shapes.groups else { return Vec::new() };
        let Shape::Parts(parts) = &**shape else { return Vec::new() };
        let groups = self.inputs.groups.iter();
        groups
            .map(|group| -> Box<dyn Val + 'b> {
                Box::new(Completed { given: Some(group.resource), parts, id: Some(group.id) })
            })
            .collect()
    }
}

impl VariableResolver for Bound<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let Inputs { shapes, resource, id, source, path, .. } = *self.inputs;
        let whole = |shape: &'b Shape| match shape {
            Shape::Parts(parts) => Some(CowVal::owned(Completed { given: Some(resource), parts, id: Some(id) })),
            _ => None,
        };
        match variable {
            "user" => whole(&shapes.user),
            "group" => whole(&shapes.group),
            "enterprise" => {
                let given = resource.get(rollcall_scim::schema::enterprise::URN);
                Some(CowVal::Owned(complete(given, &shapes.enterprise)))
            }
            "extensions" => match &shapes.extensions {
                Shape::Parts(parts) => Some(CowVal::owned(Completed { given: Some(resource), parts, id: None })),
                _ => None,
            },
            "groups" => Some(CowVal::owned(CelList::from(self.groups()))),
            "source" => Some(CowVal::Owned(complete(source.map(|source| &source.0), &shapes.source))),
            "path" => path.map(|path| CowVal::Owned(complete(Some(path), &shapes.path))),
            BUDGET_NAME => Some(CowVal::Borrowed(&self.budget)),
            _ => {
                let number: usize = variable.strip_prefix(PATTERN_PREFIX)?.parse().ok()?;
                self.patterns.get(number).map(|pattern| CowVal::Borrowed(pattern as &dyn Val))
            }
        }
    }
}
