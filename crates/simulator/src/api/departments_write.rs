//! department/create, department/update, department/delete (pages A0077 to A0079).

use serde_json::{Map, Value, json};

use crate::corp::Corp;
use crate::errcode::Refusal;
use crate::params::Params;

use super::{Caller, result};

/// Creates a department; its id cannot be chosen.
pub(crate) fn create(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    check_parent(corp, caller, params)?;
    let dept_id = corp.create_department(params)?;
    Ok(result(json!({ "dept_id": dept_id })))
}

/// Changes or moves a department.
pub(crate) fn update(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    caller.department(corp, params.required_integer("dept_id")?)?;
    check_parent(corp, caller, params)?;
    corp.update_department(params)?;
    Ok(Map::new())
}

/// Deletes a department.
pub(crate) fn delete(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let dept_id = params.required_integer("dept_id")?;
    caller.department(corp, dept_id)?;
    corp.delete_department(dept_id)?;
    Ok(Map::new())
}

/// The new parent, where there is one, must lie within the contact range.
fn check_parent(corp: &Corp, caller: Caller<'_>, params: &Params) -> Result<(), Refusal> {
    match params.integer("parent_id")? {
        Some(parent_id) => caller.covers_department(corp, parent_id),
        None => Ok(()),
    }
}
