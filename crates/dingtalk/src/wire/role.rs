//! Roles on the wire. Most of their calls are camelCase, some are not; pages `address-book-add-role`,
//! `obtains-a-list-of-enterprise-roles`, `add-role-information-to-employees-in-batches`.

use super::lenient;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub(crate) struct NewGroup<'a> {
    pub(crate) name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddedGroup {
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) group_id: Option<i64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewRole<'a> {
    pub(crate) role_name: &'a str,
    pub(crate) group_id: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddedRole {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) role_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RenamedRole<'a> {
    pub(crate) role_id: i64,
    pub(crate) role_name: &'a str,
}

/// The body of getrole.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleId {
    pub(crate) role_id: i64,
}

/// The body of deleterole.
#[derive(Serialize)]
pub(crate) struct DeletedRole {
    pub(crate) role_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct GotRole {
    pub(crate) role: Option<RoleDetails>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleDetails {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::integer")]
    pub(crate) group_id: Option<i64>,
}

/// The body of getrolegroup.
#[derive(Serialize)]
pub(crate) struct GroupId {
    pub(crate) group_id: i64,
}

#[derive(Deserialize)]
pub(crate) struct GotGroup {
    pub(crate) role_group: Option<GroupDetails>,
}

#[derive(Deserialize)]
pub(crate) struct GroupDetails {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) group_name: Option<String>,
}

/// A page of groups, or of the members of a role.
#[derive(Serialize)]
pub(crate) struct ListGroups {
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

#[derive(Serialize)]
pub(crate) struct ListMembers {
    pub(crate) role_id: i64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupPage {
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) has_more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::some_objects")]
    pub(crate) list: Option<Vec<Group>>,
}

#[derive(Deserialize)]
pub(crate) struct Group {
    #[serde(rename = "groupId", default, deserialize_with = "lenient::integer")]
    pub(crate) id: Option<i64>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
    #[serde(default, deserialize_with = "lenient::objects")]
    pub(crate) roles: Vec<Role>,
}

#[derive(Deserialize)]
pub(crate) struct Role {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) id: Option<String>,
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberPage {
    #[serde(default, deserialize_with = "lenient::boolean")]
    pub(crate) has_more: Option<bool>,
    #[serde(default, deserialize_with = "lenient::some_objects")]
    pub(crate) list: Option<Vec<Member>>,
}

#[derive(Deserialize)]
pub(crate) struct Member {
    #[serde(default, deserialize_with = "lenient::text")]
    pub(crate) userid: Option<String>,
}

/// The body of addrolesforemps and removerolesforemps: ids joined by commas.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleMembers {
    pub(crate) role_ids: String,
    pub(crate) user_ids: String,
}
