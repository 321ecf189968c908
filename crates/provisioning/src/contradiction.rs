//! The judge of finished plans: it looks for what a plan must never hold, whoever made it.

use crate::connector::{TargetSchema, account_kind};
use crate::entity::{Desired, EntityKind};
use crate::plan::{Action, Plan};
use std::collections::BTreeSet;

/// A contradiction in a plan. It is a defect of the planner, so the plan is not sent.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Contradiction {
    /// Two steps for one entity, other than batches of its members.
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
    /// Somebody becomes a member and is made none.
    #[error("the plan both adds and removes the member {0}")]
    AddsAndRemoves(String),
    /// Members of something that is deleted before.
    #[error("the plan touches the members of {0}, which it has deleted")]
    MembersOfDeleted(String),
}

/// Judges `plan`, made for `desired`. `root` is the remote id of the department at the top.
pub fn judge(plan: &Plan, desired: &Desired, schema: &dyn TargetSchema, root: &str) -> Result<(), Contradiction> {
    let mut seen = BTreeSet::new();
    members(&plan.actions)?;
    for action in &plan.actions {
        let is_batch = matches!(action, Action::AddMembers { .. } | Action::RemoveMembers { .. });
        if let Some(id) = action.remote_id() {
            if action.kind() == EntityKind::OrgUnit && id == root {
                return Err(Contradiction::TouchesRoot);
            }
            if !is_batch && !seen.insert(id) {
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
            let required = schema.required(*kind, account_kind(attributes));
            if let Some(name) = required.into_iter().find(|name| !attributes.contains_key(*name)) {
                return Err(Contradiction::Incomplete(name));
            }
        }
    }
    Ok(())
}

/// Batches of members: nobody both in and out, and none after the deletion of what they are members of.
fn members(actions: &[Action]) -> Result<(), Contradiction> {
    let (mut added, mut removed, mut deleted) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for action in actions {
        let Some(id) = action.remote_id() else { continue };
        let (mine, other) = match action {
            Action::Delete { .. } => {
                deleted.insert(id);
                continue;
            }
            Action::AddMembers { .. } => (&mut added, &removed),
            Action::RemoveMembers { .. } => (&mut removed, &added),
            Action::Create { .. } | Action::Update { .. } => continue,
        };
        if deleted.contains(id) {
            return Err(Contradiction::MembersOfDeleted(id.to_owned()));
        }
        for member in action.members() {
            if other.contains(&(id, member)) {
                return Err(Contradiction::AddsAndRemoves(member.clone()));
            }
            mine.insert((id, member));
        }
    }
    Ok(())
}
