//! Reads of departments (pages A0081 to A0085, and the old department/list).

use serde_json::{Map, Value, json};

use crate::corp::department::Department;
use crate::corp::{Corp, ROOT};
use crate::errcode::Refusal;
use crate::params::Params;

use super::{Caller, fields, result, wire};

/// One department.
pub(crate) fn get(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let department = caller.department(corp, params.required_integer("dept_id")?)?;
    Ok(result(wire::department_details(corp, department)))
}

/// The departments directly below one, as far as the contact range goes.
pub(crate) fn list_sub(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let dept_id = params.integer("dept_id")?.unwrap_or(ROOT);
    caller.department(corp, dept_id)?;
    let children = covered(corp, caller, corp.departments.children(dept_id));
    let mut list: Vec<Value> = children.into_iter().map(wire::department_in_list).collect();
    if let Some(school) = corp.departments.pseudo_children(dept_id) {
        list.push(json!({
            "dept_id": school, "name": "家校通讯录", "parent_id": ROOT,
            "create_dept_group": false, "auto_add_user": false,
        }));
    }
    Ok(result(Value::Array(corp.in_some_order(list))))
}

/// The ids of the departments directly below one, whatever the contact range.
pub(crate) fn list_sub_ids(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let dept_id = corp.existing_department(params.required_integer("dept_id")?)?.dept_id;
    let children = corp.departments.children(dept_id).into_iter().map(|department| department.dept_id);
    let ids: Vec<i64> = children.chain(corp.departments.pseudo_children(dept_id)).collect();
    Ok(result(json!({ "dept_id_list": corp.in_some_order(ids) })))
}

/// A department and all above it, up to the root.
pub(crate) fn list_parents_of_department(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let dept_id = caller.department(corp, params.required_integer("dept_id")?)?.dept_id;
    Ok(result(json!({ "parent_id_list": corp.departments.path_to_root(dept_id) })))
}

/// The same for each department of a member.
pub(crate) fn list_parents_of_user(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let user = caller.user(corp, &params.required_text("userid")?)?;
    let paths = user.dept_id_list.iter().map(|&dept_id| corp.departments.path_to_root(dept_id));
    let paths: Vec<Value> = paths.map(|path| json!({ "parent_dept_id_list": path })).collect();
    Ok(result(json!({ "parent_list": paths })))
}

/// The old call: children, or the whole subtree with `fetch_child`. Without an id it starts at the root and shows it.
pub(crate) fn list_all(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let asked = params.integer("id")?;
    let start = caller.department(corp, asked.unwrap_or(ROOT))?;
    let below = if params.boolean("fetch_child")?.unwrap_or(false) {
        let subtree = corp.departments.subtree(start.dept_id).into_iter().skip(1);
        subtree.filter_map(|id| corp.departments.get(id)).collect()
    } else {
        corp.departments.children(start.dept_id)
    };
    let shown = asked.is_none().then_some(start);
    let list = shown.into_iter().chain(covered(corp, caller, below)).map(wire::legacy_department).collect();
    Ok(fields([("department", Value::Array(corp.in_some_order(list)))]))
}

fn covered<'c>(corp: &Corp, caller: Caller<'_>, departments: Vec<&'c Department>) -> Vec<&'c Department> {
    let range = caller.app.range.as_ref();
    departments.into_iter().filter(|department| corp.covers_department(range, department.dept_id)).collect()
}
