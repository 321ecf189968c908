//! Roles and chats of the target in memory: as strict about members as the real one where the loop depends on it.

use std::collections::BTreeSet;

use rollcall_provisioning::connector::{Applied, ConnectorError, ErrorClass};
use rollcall_provisioning::entity::{self, Attributes, Entity, EntityKind};
use rollcall_provisioning::plan::Action;
use serde_json::Value;

use crate::fake::{department, refusal, text};
use crate::holdings::{Holdings, changed};

/// A role or a chat.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circle {
    /// Whether it is a chat.
    pub(crate) is_chat: bool,
    pub(crate) attributes: Attributes,
    /// Remote ids.
    pub(crate) members: BTreeSet<String>,
    /// Of a chat, the key with which it was made.
    key: Option<String>,
}

impl Holdings {
    /// Roles and chats.
    pub(crate) fn apply_to_circle(&mut self, action: &Action) -> Result<Applied, ConnectorError> {
        let is_chat = action.kind() == EntityKind::Chat;
        if let Action::Create { attributes, remote_id: key, .. } = action {
            return self.create_circle(is_chat, attributes, key.as_deref()).map(Applied::to);
        }
        let remote_id = action.remote_id().unwrap_or_default().to_owned();
        let id = department(&remote_id);
        if let Action::Delete { .. } = action {
            self.circles.remove(&id);
            return Ok(Applied::to(remote_id));
        }
        let known: BTreeSet<String> = self.accounts.keys().cloned().collect();
        let unwelcome = self.unwelcome.clone();
        let missing = || refusal(ErrorClass::NotFound, "33011", None);
        let circle = self.circles.get_mut(&id).filter(|circle| circle.is_chat == is_chat).ok_or_else(missing)?;
        let owner = text(&circle.attributes, entity::OWNER).to_owned();
        match action {
            Action::AddMembers { members, .. } => {
                assert!(members.len() <= most(is_chat, true), "too many for one call");
                if members.iter().any(|member| !known.contains(member)) {
                    return Err(refusal(ErrorClass::MissingReference, "33012", None));
                }
                if members.iter().any(|member| unwelcome.contains(member)) {
                    return Err(refusal(ErrorClass::Forbidden, "49020", None));
                }
                circle.members.extend(members.iter().cloned());
            }
            Action::RemoveMembers { members, .. } => {
                assert!(members.len() <= most(is_chat, false), "too many for one call");
                if is_chat && members.contains(&owner) {
                    return Err(refusal(ErrorClass::Invalid, "the owner stays", Some(entity::OWNER)));
                }
                circle.members.retain(|member| !members.contains(member));
            }
            Action::Update { changes, .. } => {
                let kind = action.kind();
                let attributes = changed(&circle.attributes, &remote_id, kind, changes);
                let owner = text(&attributes, entity::OWNER);
                if is_chat && !circle.members.contains(owner) {
                    return Err(refusal(ErrorClass::Invalid, "49006", Some(entity::OWNER)));
                }
                circle.attributes = attributes;
            }
            _ => return Err(ConnectorError::unsupported(action.kind().as_str())),
        }
        Ok(Applied::to(remote_id))
    }

    /// Makes a role or a chat by hand, or for a call.
    pub(crate) fn create_circle(
        &mut self,
        is_chat: bool,
        attributes: &Attributes,
        key: Option<&str>,
    ) -> Result<String, ConnectorError> {
        let mut members = BTreeSet::new();
        if is_chat {
            let known =
                self.circles.iter().find(|(_, chat)| chat.is_chat && key.is_some() && chat.key.as_deref() == key);
            if let Some((id, _)) = known {
                return Ok(id.to_string());
            }
            let owner = text(attributes, entity::OWNER);
            if !self.accounts.contains_key(owner) {
                return Err(refusal(ErrorClass::MissingReference, "member.notFound", Some(entity::OWNER)));
            }
            members.insert(owner.to_owned());
        } else if self.role(text(attributes, entity::ROLE_GROUP), text(attributes, entity::NAME)).is_some() {
            return Err(refusal(ErrorClass::Conflict, "34021", Some(entity::NAME)));
        }
        self.last_circle += 1;
        let circle = Circle { is_chat, attributes: attributes.clone(), members, key: key.map(str::to_owned) };
        self.circles.insert(self.last_circle, circle);
        Ok(self.last_circle.to_string())
    }

    pub(crate) fn role(&self, group: &str, name: &str) -> Option<Entity> {
        let named = |(_, role): &(&u64, &Circle)| {
            !role.is_chat
                && text(&role.attributes, entity::ROLE_GROUP) == group
                && text(&role.attributes, entity::NAME) == name
        };
        let found = self.circles.iter().find(named);
        found.map(|(id, role)| Entity { remote_id: id.to_string(), attributes: role.attributes.clone() })
    }

    /// Whoever is gone is in no role and no chat; a chat of theirs gets another owner, or ends.
    pub(crate) fn leave_circles(&mut self, account: &str) {
        for circle in self.circles.values_mut() {
            circle.members.remove(account);
            if text(&circle.attributes, entity::OWNER) == account
                && let Some(heir) = circle.members.first()
            {
                circle.attributes.insert(entity::OWNER.to_owned(), Value::String(heir.clone()));
            }
        }
        self.circles.retain(|_, circle| !circle.is_chat || !circle.members.is_empty());
    }
}

/// The most members of one call.
pub(crate) const fn most(is_chat: bool, adding: bool) -> usize {
    match (is_chat, adding) {
        (false, true) => 20,
        _ => 100,
    }
}
