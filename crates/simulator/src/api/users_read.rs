//! Reads of single members and of facts about all of them (pages A0056, A0059, A0063, A0064, A0068, A0070).

use serde_json::{Map, Value, json};

use crate::corp::{Corp, ROOT};
use crate::errcode::{INVALID_ARGUMENT, MALFORMED_MOBILE, Refusal, USER_NOT_FOUND};
use crate::mobile::Mobile;
use crate::params::Params;

use super::{Caller, fields, result, wire};

/// All that an app may know of one member. A login name, where there is one, wins over the user id (page A0108).
pub(crate) fn get(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let userid = match params.text("login_id")?.filter(|login_id| !login_id.is_empty()) {
        Some(login_id) => corp.account_by_login_id(&login_id).ok_or_else(|| USER_NOT_FOUND.plain())?.userid.clone(),
        None => params.required_text("userid")?,
    };
    let user = caller.user(corp, &userid)?;
    Ok(result(wire::user_details(corp, caller.app, user)))
}

/// The member with a number. Enterprise accounts are found by their contact number, in a list of their own.
pub(crate) fn get_by_mobile(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let text = params.required_text("mobile")?;
    let mobile =
        Mobile::parse(&text, corp.organisation.registered_abroad).ok_or_else(|| MALFORMED_MOBILE.about("mobile"))?;
    let mut found = Map::new();
    if let Some(user) = corp.users.by_mobile(&mobile) {
        let user = caller.user(corp, &user.userid)?;
        found.insert("userid".to_owned(), json!(user.userid));
    }
    if params.boolean("support_exclusive_account_search")?.unwrap_or(false) {
        let holds = |account: &crate::corp::user::Exclusive| account.mobile.as_ref() == Some(&mobile);
        let accounts = corp.users.iter().filter(|user| user.exclusive.as_ref().is_some_and(holds));
        let userids: Vec<&str> = accounts.map(|user| user.userid.as_str()).collect();
        if !userids.is_empty() {
            found.insert("exclusive_account_userid_list".to_owned(), json!(userids));
        }
    }
    if found.is_empty() { Err(USER_NOT_FOUND.plain()) } else { Ok(result(Value::Object(found))) }
}

/// The member with a unionid, or else the external contact.
pub(crate) fn get_by_unionid(
    corp: &mut Corp,
    caller: Caller<'_>,
    params: &Params,
) -> Result<Map<String, Value>, Refusal> {
    let unionid = params.required_text("unionid")?;
    if let Some(contact) = corp.external.by_unionid(&unionid).filter(|_| corp.users.by_unionid(&unionid).is_none()) {
        return Ok(result(json!({ "contact_type": 1, "userid": contact.id })));
    }
    let user = corp.users.by_unionid(&unionid).ok_or_else(|| USER_NOT_FOUND.plain())?;
    let user = caller.user(corp, &user.userid)?;
    Ok(result(json!({ "contact_type": 0, "userid": user.userid })))
}

/// How many members there are, or how many of them have logged in.
pub(crate) fn count(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let only_active = params.boolean("only_active")?.ok_or_else(|| INVALID_ARGUMENT.about("only_active"))?;
    let count = if only_active { corp.users.iter().filter(|user| user.active).count() } else { corp.users.len() };
    Ok(result(json!({ "count": count })))
}

/// The departments that an administrator manages: all for the main one, none for whoever is no administrator (inferred).
pub(crate) fn admin_scope(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Map<String, Value>, Refusal> {
    let user = caller.user(corp, &params.required_text("userid")?)?;
    let dept_ids = match user.admin_level {
        1 => json!([ROOT]),
        2 => json!(user.admin_dept_ids),
        _ => json!([]),
    };
    Ok(fields([("dept_ids", dept_ids)]))
}

/// Administrators with their level.
#[expect(clippy::unnecessary_wraps, reason = "every API has the same signature, so that the catalogue can list it")]
pub(crate) fn list_admins(corp: &mut Corp, _: Caller<'_>, _: &Params) -> Result<Map<String, Value>, Refusal> {
    let admins = corp.users.iter().filter(|user| user.admin_level > 0);
    let admins: Vec<Value> =
        admins.map(|user| json!({ "sys_level": user.admin_level, "userid": user.userid })).collect();
    Ok(result(Value::Array(corp.in_some_order(admins))))
}
