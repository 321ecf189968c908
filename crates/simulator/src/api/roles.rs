//! Roles and role groups (pages A0086 to A0096). The older of these APIs spell their fields in camel case.

use serde_json::{Map, Value, json};

use crate::corp::role_lifecycle::Grant;
use crate::corp::roles::{Role, RoleGroup};
use crate::corp::{Actor, Corp};
use crate::errcode::{INVALID_ARGUMENT, INVALID_ROLE, INVALID_SIZE, Refusal};
use crate::params::Params;

use super::paging::Slice;
use super::{Caller, fields, result};

/// Largest page of groups, and of the holders of one role.
const GROUPS_PER_PAGE: usize = 200;
const HOLDERS_PER_PAGE: usize = 100;

/// Creates a role group.
pub(crate) fn add_group(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    Ok(fields([("groupId", json!(corp.create_role_group(params)?))]))
}

/// Creates a role.
pub(crate) fn add(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    Ok(fields([("roleId", json!(corp.create_role(params)?))]))
}

/// Renames a role.
pub(crate) fn update(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    corp.rename_role(params)?;
    Ok(Map::new())
}

/// Deletes a role.
pub(crate) fn delete(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    corp.delete_role(role_id(params, "role_id")?, Actor::Api)?;
    Ok(Map::new())
}

/// Gives roles to people.
pub(crate) fn add_holders(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    grant(corp, caller, params, Grant::Add)
}

/// Takes roles from people.
pub(crate) fn remove_holders(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    grant(corp, caller, params, Grant::Remove)
}

/// Says whom a holder of a role manages.
pub(crate) fn set_scope(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    within_range(corp, caller, &params.text("userid")?.unwrap_or_default())?;
    corp.set_role_scope(params)?;
    Ok(Map::new())
}

/// One page of groups, each with all its roles: a page counts groups (inferred).
pub(crate) fn list(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let slice = Slice::read(params, GROUPS_PER_PAGE, INVALID_SIZE)?;
    let (groups, has_more) = slice.of(corp.in_some_order(corp.roles.groups().collect()));
    let list: Vec<Value> = groups.into_iter().map(|group| group_with_roles(corp, group)).collect();
    Ok(result(json!({ "hasMore": has_more, "list": list })))
}

/// One role.
pub(crate) fn get(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let role = corp.existing_role(role_id(params, "roleId")?)?;
    Ok(fields([("role", json!({ "name": role.name, "groupId": role.group_id }))]))
}

/// One group with its roles.
pub(crate) fn get_group(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let group = corp.roles.group(params.required_integer("group_id")?);
    let group = group.ok_or_else(|| INVALID_ARGUMENT.about("group_id"))?;
    let roles = corp.roles.of_group(group.group_id);
    let roles: Vec<Value> = roles.map(|role| json!({ "role_id": role.id, "role_name": role.name })).collect();
    Ok(fields([("role_group", json!({ "group_name": group.name, "roles": roles }))]))
}

/// One page of those who hold a role, as far as the contact range goes.
pub(crate) fn list_holders(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let role = corp.existing_role(role_id(params, "role_id")?)?;
    let slice = Slice::read(params, HOLDERS_PER_PAGE, INVALID_SIZE)?;
    let holders = corp.role_holders(role).into_iter().filter_map(|userid| corp.find_user(userid));
    let holders = holders.filter(|user| corp.covers_user(caller.app.range.as_ref(), user));
    let (holders, has_more) = slice.of(corp.in_some_order(holders.collect()));
    let list: Vec<Value> = holders.into_iter().map(|user| holder(corp, role, &user.userid, &user.name)).collect();
    Ok(result(json!({ "hasMore": has_more, "list": list })))
}

fn holder(corp: &Corp, role: &Role, userid: &str, name: &str) -> Value {
    let mut holder = json!({ "userid": userid, "name": name });
    let scope = role.holders.get(userid).into_iter().flatten().filter_map(|&id| corp.departments.get(id));
    let scope: Vec<Value> =
        scope.map(|department| json!({ "dept_id": department.dept_id, "name": department.name })).collect();
    if let (Value::Object(fields), false) = (&mut holder, scope.is_empty()) {
        fields.insert("manageScopes".to_owned(), Value::Array(scope));
    }
    holder
}

fn group_with_roles(corp: &Corp, group: &RoleGroup) -> Value {
    let roles = corp.roles.of_group(group.group_id).map(|role| json!({ "id": role.id, "name": role.name }));
    json!({ "groupId": group.group_id, "name": group.name, "roles": roles.collect::<Vec<_>>() })
}

fn grant(corp: &mut Corp, caller: Caller<'_>, params: &Params, grant: Grant) -> Result<Map<String, Value>, Refusal> {
    for userid in params.comma_list("userIds").ok().flatten().unwrap_or_default() {
        within_range(corp, caller, &userid)?;
    }
    corp.grant_roles(params, grant)?;
    Ok(Map::new())
}

/// Whoever exists must lie within the contact range; whoever does not is for the business rules to refuse.
fn within_range(corp: &Corp, caller: Caller<'_>, userid: &str) -> Result<(), Refusal> {
    if corp.find_user(userid).is_some() { caller.user(corp, userid).map(|_| ()) } else { Ok(()) }
}

fn role_id(params: &Params, name: &str) -> Result<i64, Refusal> {
    params.required_integer(name).map_err(|_| INVALID_ROLE.about(name))
}
