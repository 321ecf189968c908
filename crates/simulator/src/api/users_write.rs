//! user/create, user/update, user/delete (pages A0055, A0057, A0058).

use serde_json::{Map, Value, json};

use crate::corp::{Actor, Corp};
use crate::errcode::Refusal;
use crate::params::Params;

use super::{Caller, result};

/// Creates a member. The answer spells `unionId` with a capital, unlike every read.
pub(crate) fn create(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    check_departments(corp, caller, params)?;
    let userid = corp.create_user(params, Actor::Api, caller.now_ms)?;
    let unionid = corp.find_user(&userid).map(|user| user.unionid.clone());
    Ok(result(json!({ "userid": userid, "unionId": unionid })))
}

/// Changes a member.
pub(crate) fn update(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    caller.user(corp, &params.required_text("userid")?)?;
    check_departments(corp, caller, params)?;
    corp.update_user(params, Actor::Api)?;
    Ok(Map::new())
}

/// Removes a member.
pub(crate) fn delete(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let userid = params.required_text("userid")?;
    caller.user(corp, &userid)?;
    corp.delete_user(&userid, Actor::Api, caller.now_ms)?;
    Ok(Map::new())
}

/// Every department named must lie within the contact range. What is malformed is for the business rules to refuse.
fn check_departments(corp: &Corp, caller: Caller<'_>, params: &Params) -> Result<(), Refusal> {
    let ids = params.comma_list("dept_id_list").ok().flatten().unwrap_or_default();
    let ids = ids.iter().filter_map(|id| id.parse().ok());
    ids.into_iter().try_for_each(|dept_id| caller.covers_department(corp, dept_id))
}
