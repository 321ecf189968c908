//! Roles, their groups and their members.
//!
//! A role belongs to a role group. Groups are found by name or made once; no call renames or deletes one, and the group
//! 默认 with its roles cannot be changed at all (pages `add-a-role-group`, `address-book-add-role`). To give somebody a
//! role twice, or to take away what they do not have, is taken to do nothing.

use crate::client::Client;
use crate::operation::Operation;
use crate::wire::role as wire;
use crate::{error, fit, list};
use rollcall_provisioning::connector::{Applied, ConnectorError, Cursor, ErrorClass, Page};
use rollcall_provisioning::entity::{self, Attributes, Entity};
use rollcall_provisioning::plan::{self, Action, Change};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// The group that DingTalk keeps for itself.
pub(crate) const IMMUTABLE_GROUP: &str = "默认";
/// The most people that one call gives roles to, and takes them from (pages
/// `add-role-information-to-employees-in-batches`, `delete-the-color-information-of-employee-corners-in-batches`).
pub(crate) const MOST_ADDED: usize = 20;
pub(crate) const MOST_REMOVED: usize = 100;
/// Groups on a page (page `obtains-a-list-of-enterprise-roles`).
const GROUPS: u64 = 200;
/// Members on a page (page `obtain-the-list-of-employees-of-a-role`).
const MEMBERS: u64 = 100;

/// Ids of role groups by name. A group is made by one caller at a time; two processes that both find none may still
/// make two, and then either serves.
pub(crate) type Groups = Mutex<BTreeMap<String, i64>>;

/// The roles of one organisation.
pub(crate) struct Roles<'a> {
    pub(crate) client: &'a Client,
    pub(crate) groups: &'a Groups,
    /// The group of roles for which none is named.
    pub(crate) usual_group: &'a str,
}

impl Roles<'_> {
    pub(crate) async fn get(&self, id: &str) -> Result<Option<Entity>, ConnectorError> {
        let Some(role_id) = number(id) else { return Ok(None) };
        let operation = Operation::RoleGet;
        let found: wire::GotRole = match self.client.whole(operation, &wire::RoleId { role_id }).await {
            Ok(found) => found,
            Err(error) if error.class == ErrorClass::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let unreadable = || self.client.unreadable(operation);
        let role = found.role.ok_or_else(unreadable)?;
        let (name, group_id) = role.name.zip(role.group_id).ok_or_else(unreadable)?;
        let group = self.group_name(group_id).await?;
        Ok(Some(role_entity(role_id.to_string(), name, &group)))
    }

    async fn group_name(&self, group_id: i64) -> Result<String, ConnectorError> {
        let known = self.groups.lock().await;
        if let Some((name, _)) = known.iter().find(|(_, id)| **id == group_id) {
            return Ok(name.clone());
        }
        drop(known);
        let operation = Operation::RoleGroupGet;
        let found: wire::GotGroup = self.client.whole(operation, &wire::GroupId { group_id }).await?;
        let name = found.role_group.and_then(|group| group.group_name);
        name.ok_or_else(|| self.client.unreadable(operation))
    }

    /// The role of this name in the group of that name.
    pub(crate) async fn by_name(&self, group: Option<&str>, name: &str) -> Result<Option<Entity>, ConnectorError> {
        let group = group.unwrap_or(self.usual_group);
        let mut from = None;
        loop {
            let page = self.groups_from(from.as_ref()).await?;
            for found in page.items.into_iter().filter(|found| found.name == group) {
                if let Some((id, name)) = found.roles.into_iter().find(|(_, found)| found == name) {
                    return Ok(Some(role_entity(id, name, group)));
                }
            }
            match page.next {
                Some(next) => from = Some(next),
                None => return Ok(None),
            }
        }
    }

    /// All roles, those of as many groups as fit a page at a time.
    pub(crate) async fn list(&self, from: Option<&Cursor>) -> Result<Page<Entity>, ConnectorError> {
        let page = self.groups_from(from).await?;
        let roles = page.items.into_iter().flat_map(|group| {
            let role = |(id, name)| role_entity(id, name, &group.name);
            group.roles.into_iter().map(role).collect::<Vec<_>>()
        });
        Ok(Page { items: roles.collect(), next: page.next })
    }

    async fn groups_from(&self, from: Option<&Cursor>) -> Result<Page<Group>, ConnectorError> {
        let operation = Operation::RoleList;
        let at = list::at(from);
        let offset = list::number(&at)?;
        let page: wire::GroupPage = self.client.query(operation, &wire::ListGroups { size: GROUPS, offset }).await?;
        let unreadable = || self.client.unreadable(operation);
        if page.has_more.is_none() && page.list.is_none() {
            return Err(unreadable());
        }
        let groups: Option<Vec<Group>> = page.list.unwrap_or_default().into_iter().map(Group::read).collect();
        let items = groups.ok_or_else(unreadable)?;
        let place = (page.has_more == Some(true)).then(|| (offset + GROUPS).to_string());
        let next = place.map(|place| list::next(self.client, operation, &at, Some(place))).transpose()?;
        Ok(Page { items, next })
    }

    /// The members of a role.
    pub(crate) async fn members(&self, id: &str, from: Option<&Cursor>) -> Result<Page<String>, ConnectorError> {
        let operation = Operation::RoleMembers;
        let role_id = known(id)?;
        let at = list::at(from);
        let offset = list::number(&at)?;
        let body = wire::ListMembers { role_id, size: MEMBERS, offset };
        let page: wire::MemberPage = self.client.query(operation, &body).await?;
        let unreadable = || self.client.unreadable(operation);
        if page.has_more.is_none() && page.list.is_none() {
            return Err(unreadable());
        }
        let ids: Option<Vec<String>> = page.list.unwrap_or_default().into_iter().map(|member| member.userid).collect();
        let place = (page.has_more == Some(true)).then(|| (offset + MEMBERS).to_string());
        let next = place.map(|place| list::next(self.client, operation, &at, Some(place))).transpose()?;
        Ok(Page { items: ids.ok_or_else(unreadable)?, next })
    }

    /// Creates a role, and its group if that is not there. A lost answer leaves at most an empty group or the role
    /// itself, which the next try is told of by its name (34021).
    pub(crate) async fn create(&self, attributes: &Attributes) -> Result<String, ConnectorError> {
        let empty = Value::String(String::new());
        let name = fit::text(entity::NAME, attributes.get(entity::NAME).unwrap_or(&empty))?;
        let group = match attributes.get(entity::ROLE_GROUP) {
            Some(group) => fit::text(entity::ROLE_GROUP, group)?,
            None => self.usual_group.to_owned(),
        };
        if group == IMMUTABLE_GROUP {
            return Err(fit::unfit(entity::ROLE_GROUP, "immutable", "is the one that DingTalk keeps for itself"));
        }
        let created = match self.add(&group, &name).await {
            // The group that is remembered has been removed by hand.
            Err(error) if error::names_no_group(&error) => {
                self.groups.lock().await.remove(&group);
                self.add(&group, &name).await?
            }
            created => created?,
        };
        created.role_id.ok_or_else(|| self.client.unreadable(Operation::RoleCreate))
    }

    /// The attributes that an accepted action leaves: a role is always in a group.
    pub(crate) fn after(&self, before: &Attributes, action: &Action) -> Attributes {
        let mut attributes = plan::after(before, action);
        if let Action::Create { .. } = action {
            attributes.entry(entity::ROLE_GROUP.to_owned()).or_insert_with(|| self.usual_group.into());
        }
        attributes
    }

    async fn add(&self, group: &str, name: &str) -> Result<wire::AddedRole, ConnectorError> {
        let group_id = self.group(group).await?;
        self.client.whole(Operation::RoleCreate, &wire::NewRole { role_name: name, group_id }).await
    }

    /// The id of the group of this name.
    async fn group(&self, name: &str) -> Result<i64, ConnectorError> {
        let mut known = self.groups.lock().await;
        if let Some(id) = known.get(name) {
            return Ok(*id);
        }
        let mut from = None;
        loop {
            let page = self.groups_from(from.as_ref()).await?;
            if let Some(found) = page.items.iter().find(|group| group.name == name) {
                known.insert(name.to_owned(), found.id);
                return Ok(found.id);
            }
            match page.next {
                Some(next) => from = Some(next),
                None => break,
            }
        }
        let operation = Operation::RoleGroupCreate;
        let added: wire::AddedGroup = self.client.whole(operation, &wire::NewGroup { name }).await?;
        let id = added.group_id.ok_or_else(|| self.client.unreadable(operation))?;
        known.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(crate) async fn update(&self, id: &str, changes: &BTreeMap<String, Change>) -> Result<(), ConnectorError> {
        let role_id = known(id)?;
        // The schema lets only the name change.
        let Some(Change::Set(name)) = changes.get(entity::NAME) else { return Ok(()) };
        let name = fit::text(entity::NAME, name)?;
        self.client.command(Operation::RoleUpdate, &wire::RenamedRole { role_id, role_name: &name }).await
    }

    /// Deletes a role after its members, who must have been removed before (page `delete-role-information`).
    pub(crate) async fn delete(&self, id: &str) -> Result<(), ConnectorError> {
        let role_id = known(id)?;
        let mut before = Vec::new();
        loop {
            let members = match self.members(id, None).await {
                Ok(page) => page.items,
                Err(error) if error.class == ErrorClass::NotFound => return Ok(()),
                Err(error) => return Err(error),
            };
            if members.is_empty() {
                break;
            }
            if members == before {
                return Err(still_there());
            }
            for batch in members.chunks(MOST_REMOVED) {
                self.remove_members(id, batch).await?;
            }
            before = members;
        }
        match self.client.command(Operation::RoleDelete, &wire::DeletedRole { role_id }).await {
            Err(error) if error.class == ErrorClass::NotFound => Ok(()),
            result => result,
        }
    }

    /// Gives the role to people. If DingTalk refuses the batch because of one of them, they are taken one by one, and
    /// those whom it does not know are told.
    pub(crate) async fn add_members(&self, id: &str, members: &[String]) -> Result<Applied, ConnectorError> {
        fit::members(members, MOST_ADDED)?;
        let mut applied = Applied::to(id.to_owned());
        for (member, outcome) in self.each(Operation::RoleAddMembers, id, members).await? {
            if let Err(error) = outcome {
                applied.refused.push((member, error));
            }
        }
        Ok(applied)
    }

    /// Takes the role from people. Whoever is not there does not have it.
    pub(crate) async fn remove_members(&self, id: &str, members: &[String]) -> Result<(), ConnectorError> {
        fit::members(members, MOST_REMOVED)?;
        self.each(Operation::RoleRemoveMembers, id, members).await.map(drop)
    }

    /// One call for all, or, if one of them is unknown, one for each: then with how each ended. Any other failure ends
    /// it; what was done until then does no harm when it is repeated.
    async fn each(
        &self,
        operation: Operation,
        id: &str,
        members: &[String],
    ) -> Result<Vec<(String, Result<(), ConnectorError>)>, ConnectorError> {
        let role_ids = known(id)?.to_string();
        let call = async |members: &[String]| {
            let body = wire::RoleMembers { role_ids: role_ids.clone(), user_ids: members.join(",") };
            self.client.command(operation, &body).await
        };
        match (call(members).await, members) {
            (Ok(()), _) => return Ok(Vec::new()),
            (Err(error), [only]) if error::names_nobody(&error) => return Ok(vec![(only.clone(), Err(error))]),
            (Err(error), _) if error::names_nobody(&error) => {}
            (Err(error), _) => return Err(error),
        }
        let mut outcomes = Vec::new();
        for member in members {
            let outcome = match call(std::slice::from_ref(member)).await {
                Err(error) if !error::names_nobody(&error) => return Err(error),
                outcome => outcome,
            };
            outcomes.push((member.clone(), outcome));
        }
        Ok(outcomes)
    }
}

/// A role group with its roles: id and name.
struct Group {
    id: i64,
    name: String,
    roles: Vec<(String, String)>,
}

impl Group {
    fn read(group: wire::Group) -> Option<Self> {
        let roles = group.roles.into_iter().map(|role| role.id.zip(role.name));
        Some(Self { id: group.id?, name: group.name?, roles: roles.collect::<Option<_>>()? })
    }
}

fn role_entity(remote_id: String, name: String, group: &str) -> Entity {
    let attributes = [(entity::NAME, name), (entity::ROLE_GROUP, group.to_owned())];
    let attributes = attributes.map(|(attribute, text)| (attribute.to_owned(), Value::String(text)));
    Entity { remote_id, attributes: attributes.into() }
}

fn number(id: &str) -> Option<i64> {
    id.parse().ok().filter(|number| *number > 0)
}

/// The number of a role that is acted on.
fn known(id: &str) -> Result<i64, ConnectorError> {
    number(id).ok_or_else(|| ConnectorError {
        class: ErrorClass::NotFound,
        attribute: None,
        ..fit::unfit("role", "malformed", "has no id that DingTalk could know")
    })
}

/// Members were removed, and the list still holds the same.
fn still_there() -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Transient,
        code: "role_not_emptied".to_owned(),
        message: "DingTalk still lists the members of the role that were removed, so it was not deleted.".to_owned(),
        advice: "Nothing needs to be done: it is tried again.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: true,
    }
}
