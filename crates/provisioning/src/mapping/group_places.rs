//! Groups that become departments: whoever is in one belongs to its department too.

use super::Mapping;
use super::choice::Choice;
use super::facts::{GroupFacts, SourceFacts};
use super::groups::Becomes;
use super::model::PersonKind;
use super::person::Mapped;
use super::place::Department;
use crate::org_unit::OrgName;

/// A group that a person is in.
#[derive(Clone, Copy, Debug)]
pub struct HeldGroup<'a> {
    /// The group.
    pub facts: GroupFacts<'a>,
    /// Whether the person is in it by name, and not through a group within it.
    pub direct: bool,
    /// What a person decided about it.
    pub choice: Option<&'a Choice>,
    /// Who pushes it, if that is known.
    pub source: Option<&'a SourceFacts>,
}

impl Mapping {
    /// Adds the departments that follow from a person's groups, in the order of these, behind their own ones. Somebody
    /// who has no department of their own is not directly under the root then. A group that does not fit is told at the
    /// group, not at everybody in it.
    pub fn place_by_groups(&self, mapped: &mut Mapped, groups: &[HeldGroup<'_>]) {
        if !mapped.scope.included || mapped.blocked || mapped.kind == PersonKind::Contact {
            return;
        }
        let keys = |path: &[OrgName]| path.iter().map(|unit| unit.key.clone()).collect::<Vec<_>>();
        for group in groups {
            let made = self.group_as(group.choice, &group.facts, group.source);
            let Becomes::Department { path } = made.becomes else { continue };
            if !(group.direct || made.nested) || mapped.departments.iter().any(|own| keys(&own.path) == keys(&path)) {
                continue;
            }
            mapped.departments.retain(|own| !own.path.is_empty());
            mapped.departments.push(Department { path, ..Department::default() });
        }
    }
}
