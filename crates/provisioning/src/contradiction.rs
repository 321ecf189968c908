//! The judge of finished plans: it looks for what a plan must never hold, whoever made it.

use crate::connector::TargetSchema;
use crate::entity::Desired;
use crate::plan::{Action, Plan};
use std::collections::BTreeSet;

/// A contradiction in a plan. It is a defect of the planner, so the plan is not sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Contradiction {
    /// Two steps for one entity.
    #[error("the plan acts twice on {0}")]
    Twice(String),
    /// A deletion although the resource is there.
    #[error("the plan deletes {0}, which is wanted")]
    DeletesWanted(String),
    /// A step against the department at the top.
    #[error("the plan touches the department at the top")]
    TouchesRoot,
    /// An attribute that the target does not have.
    #[error("the plan sets {0}, which the target does not know")]
    UnknownAttribute(String),
    /// A creation without something that the target requires.
    #[error("the plan creates an entity without {0}")]
    Incomplete(&'static str),
}

/// Judges `plan`, made for `desired`. `root` is the remote id of the department at the top.
pub fn judge(plan: &Plan, desired: &Desired, schema: &dyn TargetSchema, root: &str) -> Result<(), Contradiction> {
    let mut seen = BTreeSet::new();
    for action in &plan.actions {
        let id = match action {
            Action::Create { remote_id, .. } => remote_id.as_deref(),
            Action::Update { remote_id, .. } | Action::Delete { remote_id, .. } => Some(remote_id.as_str()),
        };
        if let Some(id) = id {
            if action.kind() == crate::entity::EntityKind::OrgUnit && id == root {
                return Err(Contradiction::TouchesRoot);
            }
            if !seen.insert(id) {
                return Err(Contradiction::Twice(id.to_owned()));
            }
        }
        if let (Action::Delete { remote_id, .. }, Desired::Present(_)) = (action, desired) {
            return Err(Contradiction::DeletesWanted(remote_id.clone()));
        }
        let names = action.attributes();
        if let Some(unknown) = names.iter().find(|name| schema.attribute(action.kind(), name).is_none()) {
            return Err(Contradiction::UnknownAttribute((*unknown).to_owned()));
        }
        if let Action::Create { kind, attributes, .. } = action {
            let required = schema.attributes(*kind).iter().filter(|spec| spec.required);
            if let Some(spec) = required.into_iter().find(|spec| !attributes.contains_key(spec.name)) {
                return Err(Contradiction::Incomplete(spec.name));
            }
        }
    }
    Ok(())
}
