//! Role groups, roles and who holds them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// Where generated ids start.
const FIRST_ID: i64 = 1_500_000_000;

/// Ids are spread out, so that nobody relies on them being consecutive.
const LARGEST_ID_GAP: u64 = 100;

/// The group that every organisation has and that no API can change (page A0089).
pub(crate) const DEFAULT_GROUP: &str = "默认";

/// A role group. Its JSON form is the one of `/_simulator/state`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RoleGroup {
    /// Id, chosen by DingTalk.
    pub(crate) group_id: i64,
    /// Name.
    pub(crate) name: String,
}

/// A role of the default group, whose holders follow from other facts (inferred).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SystemRole {
    /// 负责人: nobody, since no API and no simulated console appoints one.
    Owner,
    /// 主管: the managers of departments.
    Manager,
    /// 主管理员: the main administrator.
    MainAdmin,
    /// 子管理员: the sub-administrators.
    SubAdmin,
}

impl SystemRole {
    const ALL: [(Self, &'static str); 4] =
        [(Self::Owner, "负责人"), (Self::Manager, "主管"), (Self::MainAdmin, "主管理员"), (Self::SubAdmin, "子管理员")];
}

/// A role. Its JSON form is the one of `/_simulator/state`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Role {
    /// Id, chosen by DingTalk.
    #[serde(rename = "role_id")]
    pub(crate) id: i64,
    /// The group it belongs to.
    pub(crate) group_id: i64,
    /// Name.
    pub(crate) name: String,
    /// Set for the roles of the default group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<SystemRole>,
    /// Who holds it, with the departments they manage in it; none means everyone. Empty for roles of the default group.
    pub(crate) holders: BTreeMap<String, BTreeSet<i64>>,
}

/// All role groups and roles.
#[derive(Clone, Debug)]
pub(crate) struct Roles {
    groups: BTreeMap<i64, RoleGroup>,
    all: BTreeMap<i64, Role>,
    held: BTreeMap<String, BTreeSet<i64>>,
    last_id: i64,
}

impl Roles {
    /// The default group with its four roles.
    pub(crate) fn with_default_group() -> Self {
        let mut roles =
            Self { groups: BTreeMap::new(), all: BTreeMap::new(), held: BTreeMap::new(), last_id: FIRST_ID };
        let group_id = roles.add_group(DEFAULT_GROUP.to_owned(), 0);
        for (system, name) in SystemRole::ALL {
            let role_id = roles.next_id(0);
            let (name, holders) = (name.to_owned(), BTreeMap::new());
            roles.all.insert(role_id, Role { id: role_id, group_id, name, system: Some(system), holders });
        }
        roles
    }

    /// All groups, by id.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &RoleGroup> {
        self.groups.values()
    }

    /// All roles, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Role> {
        self.all.values()
    }

    /// The group of that id.
    pub(crate) fn group(&self, group_id: i64) -> Option<&RoleGroup> {
        self.groups.get(&group_id)
    }

    /// The role of that id.
    pub(crate) fn get(&self, role_id: i64) -> Option<&Role> {
        self.all.get(&role_id)
    }

    /// The roles of a group, by id.
    pub(crate) fn of_group(&self, group_id: i64) -> impl Iterator<Item = &Role> {
        self.all.values().filter(move |role| role.group_id == group_id)
    }

    /// The roles of the default group, which are the first ones and stay.
    pub(crate) fn of_default_group(&self) -> impl Iterator<Item = &Role> {
        self.all.values().take(SystemRole::ALL.len())
    }

    /// The roles that someone has been given, by id; those of the default group are not among them.
    pub(crate) fn held_by(&self, userid: &str) -> impl Iterator<Item = &Role> {
        self.held.get(userid).into_iter().flatten().filter_map(|role_id| self.all.get(role_id))
    }

    /// Adds a group and returns its id.
    pub(crate) fn add_group(&mut self, name: String, gap: u64) -> i64 {
        let group_id = self.next_id(gap);
        self.groups.insert(group_id, RoleGroup { group_id, name });
        group_id
    }

    /// Renames a group.
    pub(crate) fn rename_group(&mut self, group_id: i64, name: String) {
        if let Some(group) = self.groups.get_mut(&group_id) {
            group.name = name;
        }
    }

    /// Takes out a group, which must be empty.
    pub(crate) fn remove_group(&mut self, group_id: i64) {
        self.groups.remove(&group_id);
    }

    /// Adds a role and returns its id.
    pub(crate) fn add(&mut self, group_id: i64, name: String, gap: u64) -> i64 {
        let role_id = self.next_id(gap);
        self.all.insert(role_id, Role { id: role_id, group_id, name, system: None, holders: BTreeMap::new() });
        role_id
    }

    /// Renames a role.
    pub(crate) fn rename(&mut self, role_id: i64, name: String) {
        if let Some(role) = self.all.get_mut(&role_id) {
            role.name = name;
        }
    }

    /// Takes out a role, which nobody must hold.
    pub(crate) fn remove(&mut self, role_id: i64) {
        self.all.remove(&role_id);
    }

    /// Gives someone a role. False: they had it.
    pub(crate) fn grant(&mut self, role_id: i64, userid: &str) -> bool {
        let Some(role) = self.all.get_mut(&role_id) else { return false };
        if role.holders.contains_key(userid) {
            return false;
        }
        role.holders.insert(userid.to_owned(), BTreeSet::new());
        self.held.entry(userid.to_owned()).or_default().insert(role_id)
    }

    /// Takes a role from someone. False: they did not have it.
    pub(crate) fn revoke(&mut self, role_id: i64, userid: &str) -> bool {
        if let Some(held) = self.held.get_mut(userid) {
            held.remove(&role_id);
        }
        self.all.get_mut(&role_id).is_some_and(|role| role.holders.remove(userid).is_some())
    }

    /// Says which departments someone manages in a role; none means everyone.
    pub(crate) fn set_scope(&mut self, role_id: i64, userid: &str, dept_ids: BTreeSet<i64>) {
        if let Some(scope) = self.all.get_mut(&role_id).and_then(|role| role.holders.get_mut(userid)) {
            *scope = dept_ids;
        }
    }

    /// Someone has left the organisation.
    pub(crate) fn forget_user(&mut self, userid: &str) {
        for role_id in self.held.remove(userid).unwrap_or_default() {
            if let Some(role) = self.all.get_mut(&role_id) {
                role.holders.remove(userid);
            }
        }
    }

    /// A department is gone, and so nobody manages it.
    pub(crate) fn forget_department(&mut self, dept_id: i64) {
        for scope in self.all.values_mut().flat_map(|role| role.holders.values_mut()) {
            scope.remove(&dept_id);
        }
    }

    fn next_id(&mut self, gap: u64) -> i64 {
        self.last_id += 1 + i64::try_from(gap % LARGEST_ID_GAP).unwrap_or(0);
        self.last_id
    }
}
