//! What the target in memory holds, and what it forbids.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_provisioning::connector::{Applied, ConnectorError, ErrorClass};
use rollcall_provisioning::entity::{self, Attributes, EntityKind};
use rollcall_provisioning::plan::{self, Action, Change};
use serde_json::Value;

use crate::circles::Circle;
use crate::fake::{ROOT, department, refusal, text};

/// What the target holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Holdings {
    /// By userid.
    pub(crate) accounts: BTreeMap<String, Attributes>,
    /// By department id; the one at the top is not listed.
    pub(crate) departments: BTreeMap<u64, Attributes>,
    /// Numbers whose owners must accept before they have an account.
    pub(crate) reserved: BTreeSet<String>,
    /// Reads of accounts that still find nothing, as DingTalk's may shortly after a write.
    pub(crate) hidden_reads: u32,
    /// Who was invited and has not accepted: number, userid, attributes.
    pub(crate) invited: Vec<(String, String, Attributes)>,
    pub(crate) last_department: u64,
    /// Roles and chats by id.
    pub(crate) circles: BTreeMap<u64, Circle>,
    pub(crate) last_circle: u64,
    /// External contacts by their ids.
    pub(crate) contacts: BTreeMap<String, Attributes>,
    /// Accounts that no role and no chat takes.
    pub(crate) unwelcome: BTreeSet<String>,
}

impl Holdings {
    /// The ids of an account's departments.
    pub(crate) fn departments_of(attributes: &Attributes) -> Vec<u64> {
        let ids = attributes.get(entity::ORG_UNITS).and_then(Value::as_array);
        ids.into_iter().flatten().filter_map(Value::as_str).map(department).collect()
    }

    pub(crate) fn has_department(&self, id: u64) -> bool {
        id.to_string() == ROOT || self.departments.contains_key(&id)
    }

    /// What forbids an account to look like this; `userid` is its own.
    pub(crate) fn judge_account(&self, userid: &str, attributes: &Attributes) -> Result<(), ConnectorError> {
        if Self::departments_of(attributes).into_iter().any(|id| !self.has_department(id)) {
            return Err(refusal(ErrorClass::MissingReference, "60003", Some(entity::ORG_UNITS)));
        }
        let manager = text(attributes, entity::MANAGER);
        if !manager.is_empty() && !self.accounts.contains_key(manager) {
            return Err(refusal(ErrorClass::MissingReference, "60128", Some(entity::MANAGER)));
        }
        for (name, code) in [(entity::MOBILE, "60104"), (entity::EMAIL, "40101"), (entity::TELEPHONE, "40100")] {
            let value = text(attributes, name);
            let taken =
                |(id, other): (&String, &Attributes)| id != userid && text(other, name).eq_ignore_ascii_case(value);
            if !value.is_empty() && self.accounts.iter().any(taken) {
                return Err(refusal(ErrorClass::Conflict, code, Some(name)));
            }
        }
        Ok(())
    }

    pub(crate) fn create_contact(&mut self, attributes: &Attributes) -> Result<String, ConnectorError> {
        let mobile = text(attributes, entity::MOBILE);
        if self.contacts.values().any(|other| text(other, entity::MOBILE) == mobile) {
            return Err(refusal(ErrorClass::Conflict, "22005", Some(entity::MOBILE)));
        }
        let id = format!("contact-{mobile}");
        self.contacts.insert(id.clone(), attributes.clone());
        Ok(id)
    }

    pub(crate) fn judge_department(&self, id: u64, attributes: &Attributes) -> Result<(), ConnectorError> {
        let parent = text(attributes, entity::PARENT);
        if !self.has_department(department(parent)) {
            return Err(refusal(ErrorClass::MissingReference, "60004", Some(entity::PARENT)));
        }
        let same = |other: &Attributes| {
            text(other, entity::PARENT) == parent && text(other, entity::NAME) == text(attributes, entity::NAME)
        };
        if self.departments.iter().any(|(other_id, other)| *other_id != id && same(other)) {
            return Err(refusal(ErrorClass::Conflict, "60021", Some(entity::NAME)));
        }
        Ok(())
    }

    pub(crate) fn create_account(&mut self, userid: &str, attributes: &Attributes) -> Result<String, ConnectorError> {
        if self.accounts.contains_key(userid) {
            return Err(refusal(ErrorClass::Conflict, "60102", None));
        }
        self.judge_account(userid, attributes)?;
        let mobile = text(attributes, entity::MOBILE).to_owned();
        if self.reserved.contains(&mobile) {
            self.invited.retain(|(number, _, _)| *number != mobile);
            self.invited.push((mobile, userid.to_owned(), attributes.clone()));
            return Err(refusal(ErrorClass::Invited, "40103", None));
        }
        self.accounts.insert(userid.to_owned(), attributes.clone());
        Ok(userid.to_owned())
    }

    pub(crate) fn update_account(
        &mut self,
        userid: &str,
        changes: &BTreeMap<String, Change>,
    ) -> Result<String, ConnectorError> {
        let before = self.accounts.get(userid).ok_or_else(|| refusal(ErrorClass::NotFound, "60121", None))?;
        let attributes = changed(before, userid, EntityKind::Account, changes);
        self.judge_account(userid, &attributes)?;
        self.accounts.insert(userid.to_owned(), attributes);
        Ok(userid.to_owned())
    }

    /// Adds a department by hand, or for a call.
    pub(crate) fn create_department(&mut self, attributes: &Attributes) -> Result<String, ConnectorError> {
        let id = self.last_department.max(1) + 1;
        self.judge_department(id, attributes)?;
        self.last_department = id;
        self.departments.insert(id, attributes.clone());
        Ok(id.to_string())
    }

    pub(crate) fn update_department(
        &mut self,
        id: &str,
        changes: &BTreeMap<String, Change>,
    ) -> Result<String, ConnectorError> {
        let number = department(id);
        let before = self.departments.get(&number).ok_or_else(|| refusal(ErrorClass::NotFound, "60003", None))?;
        let attributes = changed(before, id, EntityKind::OrgUnit, changes);
        self.judge_department(number, &attributes)?;
        self.departments.insert(number, attributes);
        Ok(id.to_owned())
    }

    pub(crate) fn delete_department(&mut self, id: &str) -> Result<String, ConnectorError> {
        let number = department(id);
        if self.accounts.values().any(|account| Self::departments_of(account).contains(&number)) {
            return Err(refusal(ErrorClass::Transient, "60005", None));
        }
        if self.departments.values().any(|other| text(other, entity::PARENT) == id) {
            return Err(refusal(ErrorClass::Transient, "60006", None));
        }
        self.departments.remove(&number);
        Ok(id.to_owned())
    }

    pub(crate) fn apply(&mut self, action: &Action) -> Result<Applied, ConnectorError> {
        let remote_id = match action {
            Action::Create { kind: EntityKind::Account, remote_id, attributes, .. } => {
                self.create_account(remote_id.as_deref().unwrap_or(""), attributes)
            }
            Action::Create { kind: EntityKind::OrgUnit, attributes, .. } => self.create_department(attributes),
            Action::Create { kind: EntityKind::Contact, attributes, .. } => self.create_contact(attributes),
            Action::Delete { kind: EntityKind::Contact, remote_id } => {
                self.contacts.remove(remote_id);
                Ok(remote_id.clone())
            }
            Action::Update { kind: EntityKind::Account, remote_id, changes } => self.update_account(remote_id, changes),
            Action::Update { kind: EntityKind::OrgUnit, remote_id, changes } => {
                self.update_department(remote_id, changes)
            }
            Action::Delete { kind: EntityKind::Account, remote_id } => {
                self.accounts.remove(remote_id);
                self.leave_circles(remote_id);
                for account in self.accounts.values_mut().filter(|other| text(other, entity::MANAGER) == remote_id) {
                    account.remove(entity::MANAGER);
                }
                Ok(remote_id.clone())
            }
            Action::Delete { kind: EntityKind::OrgUnit, remote_id } => self.delete_department(remote_id),
            other => return self.apply_to_circle(other),
        };
        Ok(Applied::to(remote_id?))
    }
}

pub(crate) fn changed(
    before: &Attributes,
    remote_id: &str,
    kind: EntityKind,
    changes: &BTreeMap<String, Change>,
) -> Attributes {
    plan::after(before, &Action::Update { kind, remote_id: remote_id.to_owned(), changes: changes.clone() })
}
