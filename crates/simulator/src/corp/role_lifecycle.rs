//! Creating, renaming, deleting and giving roles (pages A0086 to A0096).
//!
//! DingTalk's pages list the error numbers without saying when each applies; what they do not say is inferred here: names
//! are unique within their group, giving a role twice is harmless.

use std::collections::BTreeSet;

use crate::errcode::{
    DEPARTMENT_NOT_FOUND, EMPTY_ROLE, EMPTY_ROLE_NAME, Errcode, INVALID_ARGUMENT, INVALID_ROLE, INVALID_ROLE_GROUP,
    INVALID_SCOPE_ROLE, INVALID_SCOPE_USER, INVALID_USERID, NOT_IN_ORGANISATION, ROLE_NAME_TAKEN, Refusal,
    SERVICE_ERROR, SYSTEM_ROLE,
};
use crate::params::Params;

use super::roles::{DEFAULT_GROUP, Role, RoleGroup, SystemRole};
use super::{Actor, Corp};

/// Most roles in one call.
const ROLES_PER_CALL: usize = 20;

/// Most departments that one holder of a role may manage.
const SCOPE_DEPARTMENTS: usize = 50;

/// Whether people are given roles or lose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// Up to 20 people (page A0093).
    Add,
    /// Up to 100 people (page A0094).
    Remove,
}

impl Grant {
    fn people_per_call(self) -> usize {
        match self {
            Self::Add => 20,
            Self::Remove => 100,
        }
    }
}

impl Corp {
    /// Creates a role group and returns its id.
    pub(crate) fn create_role_group(&mut self, params: &Params) -> Result<i64, Refusal> {
        let name = given_name(params, "name", EMPTY_ROLE)?;
        if self.roles.groups().any(|group| group.name == name) {
            return Err(ROLE_NAME_TAKEN.about("name"));
        }
        self.committed();
        let gap = self.random.number();
        Ok(self.roles.add_group(name, gap))
    }

    /// Renames a role group, which only an admin in the console can do.
    pub(crate) fn rename_role_group(&mut self, params: &Params) -> Result<(), Refusal> {
        let group_id = self.own_group(params.integer("groupId")?)?.group_id;
        let name = given_name(params, "name", EMPTY_ROLE)?;
        if self.roles.groups().any(|group| group.name == name && group.group_id != group_id) {
            return Err(ROLE_NAME_TAKEN.about("name"));
        }
        self.committed();
        self.roles.rename_group(group_id, name);
        Ok(())
    }

    /// Deletes an empty role group, which only an admin in the console can do.
    pub(crate) fn delete_role_group(&mut self, params: &Params) -> Result<(), Refusal> {
        let group_id = self.own_group(params.integer("groupId")?)?.group_id;
        if self.roles.of_group(group_id).next().is_some() {
            return Err(SERVICE_ERROR.about("the group has roles"));
        }
        self.committed();
        self.roles.remove_group(group_id);
        Ok(())
    }

    /// Creates a role and returns its id.
    pub(crate) fn create_role(&mut self, params: &Params) -> Result<i64, Refusal> {
        let name = given_name(params, "roleName", EMPTY_ROLE)?;
        let group_id = params.integer("groupId")?.ok_or_else(|| EMPTY_ROLE.about("groupId"))?;
        let group_id = self.own_group(Some(group_id))?.group_id;
        self.check_role_name(&name, group_id, None)?;
        self.committed();
        let gap = self.random.number();
        Ok(self.roles.add(group_id, name, gap))
    }

    /// Renames a role.
    pub(crate) fn rename_role(&mut self, params: &Params) -> Result<(), Refusal> {
        let name = given_name(params, "roleName", EMPTY_ROLE_NAME)?;
        let role_id = params.integer("roleId")?.ok_or_else(|| EMPTY_ROLE_NAME.about("roleId"))?;
        let (role_id, group_id) = self.own_role(role_id).map(|role| (role.id, role.group_id))?;
        self.check_role_name(&name, group_id, Some(role_id))?;
        self.committed();
        self.roles.rename(role_id, name);
        Ok(())
    }

    /// Deletes a role that nobody holds. An admin in the console may delete any.
    pub(crate) fn delete_role(&mut self, role_id: i64, actor: Actor) -> Result<(), Refusal> {
        let holders: Vec<String> = self.own_role(role_id)?.holders.keys().cloned().collect();
        if actor == Actor::Api && !holders.is_empty() {
            return Err(Errcode::of(self.switches.held_role_delete_errcode).about("the role has members"));
        }
        self.committed();
        for userid in holders {
            self.roles.revoke(role_id, &userid);
        }
        self.roles.remove(role_id);
        Ok(())
    }

    /// Gives every person each of the roles, or takes them. One unknown person refuses the whole call, or only their
    /// part of it, as the switch says; the answer is 33012 in both cases.
    pub(crate) fn grant_roles(&mut self, params: &Params, grant: Grant) -> Result<(), Refusal> {
        let role_ids = params.id_list("roleIds", || INVALID_ROLE.about("roleIds"))?.unwrap_or_default();
        let asked = params.comma_list("userIds").map_err(|_| INVALID_USERID.about("userIds"))?.unwrap_or_default();
        if role_ids.is_empty() {
            return Err(INVALID_ROLE.about("roleIds"));
        }
        if asked.is_empty() {
            return Err(INVALID_USERID.about("userIds"));
        }
        if role_ids.len() > ROLES_PER_CALL || asked.len() > grant.people_per_call() {
            return Err(INVALID_ARGUMENT.about("roleIds or userIds"));
        }
        for &role_id in &role_ids {
            self.own_role(role_id)?;
        }
        let known: Vec<String> =
            asked.iter().filter_map(|userid| self.find_user(userid)).map(|user| user.userid.clone()).collect();
        let complete = known.len() == asked.len();
        if !complete && self.switches.role_batch_is_atomic {
            return Err(INVALID_USERID.about("userIds"));
        }
        let mut changed = false;
        for userid in &known {
            for &role_id in &role_ids {
                changed |= match grant {
                    Grant::Add => self.roles.grant(role_id, userid),
                    Grant::Remove => self.roles.revoke(role_id, userid),
                };
            }
        }
        if changed {
            self.committed();
        }
        if complete { Ok(()) } else { Err(INVALID_USERID.about("userIds")) }
    }

    /// Says which departments a holder of a role manages; without any it is everyone.
    pub(crate) fn set_role_scope(&mut self, params: &Params) -> Result<(), Refusal> {
        let userid = params.text("userid")?.filter(|userid| !userid.is_empty());
        let userid = userid.ok_or_else(|| INVALID_SCOPE_USER.about("userid"))?;
        let role_id = params.integer("role_id")?.ok_or_else(|| EMPTY_ROLE.about("role_id"))?;
        let role = self.roles.get(role_id).ok_or_else(|| INVALID_SCOPE_ROLE.about("role_id"))?;
        let user = self.find_user(&userid).ok_or_else(|| NOT_IN_ORGANISATION.plain())?;
        let dept_ids = params.id_list("dept_ids", || INVALID_ARGUMENT.about("dept_ids"))?.unwrap_or_default();
        if dept_ids.len() > SCOPE_DEPARTMENTS {
            return Err(INVALID_ARGUMENT.about("dept_ids"));
        }
        if let Some(unknown) = dept_ids.iter().find(|&&dept_id| self.departments.get(dept_id).is_none()) {
            return Err(DEPARTMENT_NOT_FOUND.about(unknown.to_string()));
        }
        if !role.holders.contains_key(&user.userid) {
            return Err(INVALID_ARGUMENT.about("the person does not hold the role"));
        }
        let userid = user.userid.clone();
        self.committed();
        self.roles.set_scope(role_id, &userid, dept_ids.into_iter().collect());
        Ok(())
    }

    /// A role that must be there.
    pub(crate) fn existing_role(&self, role_id: i64) -> Result<&Role, Refusal> {
        self.roles.get(role_id).ok_or_else(|| INVALID_ROLE.plain())
    }

    /// Who holds a role, by id. The holders of default roles follow from other facts.
    pub(crate) fn role_holders<'a>(&'a self, role: &'a Role) -> BTreeSet<&'a str> {
        let of_level = |level: u8| {
            let admins = self.users.iter().filter(move |user| user.admin_level == level);
            admins.map(|user| user.userid.as_str()).collect()
        };
        match role.system {
            None => role.holders.keys().map(String::as_str).collect(),
            Some(SystemRole::Owner) => BTreeSet::new(),
            Some(SystemRole::MainAdmin) => of_level(1),
            Some(SystemRole::SubAdmin) => of_level(2),
            Some(SystemRole::Manager) => {
                let leaders =
                    self.users.iter().filter(|user| user.dept_id_list.iter().any(|&id| self.leads(&user.userid, id)));
                leaders.map(|user| user.userid.as_str()).collect()
            }
        }
    }

    /// The roles of a person with their groups, by role id.
    pub(crate) fn roles_of(&self, userid: &str) -> Vec<(&Role, &RoleGroup)> {
        let user = self.find_user(userid);
        let implied = self.roles.of_default_group().filter(|role| match (role.system, user) {
            (Some(SystemRole::MainAdmin), Some(user)) => user.admin_level == 1,
            (Some(SystemRole::SubAdmin), Some(user)) => user.admin_level == 2,
            (Some(SystemRole::Manager), Some(user)) => {
                user.dept_id_list.iter().any(|&dept_id| self.leads(&user.userid, dept_id))
            }
            _ => false,
        });
        let all = implied.chain(self.roles.held_by(userid));
        all.filter_map(|role| Some((role, self.roles.group(role.group_id)?))).collect()
    }

    /// A group that is not the default one.
    fn own_group(&self, group_id: Option<i64>) -> Result<&RoleGroup, Refusal> {
        let group = group_id.and_then(|group_id| self.roles.group(group_id));
        let group = group.ok_or_else(|| INVALID_ROLE_GROUP.about("groupId"))?;
        if group.name == DEFAULT_GROUP { Err(SYSTEM_ROLE.plain()) } else { Ok(group) }
    }

    /// A role that is not one of the default group.
    fn own_role(&self, role_id: i64) -> Result<&Role, Refusal> {
        let role = self.existing_role(role_id)?;
        if role.system.is_some() { Err(SYSTEM_ROLE.plain()) } else { Ok(role) }
    }

    fn check_role_name(&self, name: &str, group_id: i64, own_id: Option<i64>) -> Result<(), Refusal> {
        let everywhere = self.switches.role_names_are_unique_in_organisation;
        let clashes =
            |role: &&Role| role.name == name && (everywhere || role.group_id == group_id) && Some(role.id) != own_id;
        if self.roles.iter().any(|role| clashes(&role)) { Err(ROLE_NAME_TAKEN.about("roleName")) } else { Ok(()) }
    }
}

fn given_name(params: &Params, param: &str, empty: Errcode) -> Result<String, Refusal> {
    let name = params.text(param)?.map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).ok_or_else(|| empty.about(param))
}
