//! Control of enterprise accounts on the new host (pages A0105 and A0109 to A0114).

use serde_json::{Value, json};

use crate::corp::Corp;
use crate::corp::enterprise::AccountRefusal;
use crate::params::Params;

use super::{Caller, NewRefusal};

/// Lets a disabled account log in again.
pub(crate) fn enable(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    corp.set_disabled(&userid(params)?, false).map_err(refused)?;
    Ok(json!({ "result": true }))
}

/// Keeps an account from logging in; it stays a member.
pub(crate) fn disable(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    corp.set_disabled(&userid(params)?, true).map_err(refused)?;
    Ok(json!({ "result": true }))
}

/// Ends the sessions of an account. No API can read sessions, so nothing is stored.
pub(crate) fn sign_out(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    corp.own_account(&userid(params)?).map_err(refused)?;
    Ok(json!({ "result": true }))
}

/// Whether an account is disabled.
pub(crate) fn status(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let account = corp.own_account(&userid(params)?).map_err(refused)?;
    Ok(json!({ "disable": account.disabled }))
}

/// Gives an account its DingTalk id. The codes of this API are its own.
pub(crate) fn change_dingtalk_id(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let userid = userid(params)?;
    let dingtalk_id = params.text("dingTalkId").ok().flatten().unwrap_or_default();
    corp.set_dingtalk_id(&userid, dingtalk_id).map_err(|refusal| match refusal {
        AccountRefusal::NoSuchMember => NewRefusal::new(400, "emp.not.exist", "员工不存在"),
        AccountRefusal::Ordinary | AccountRefusal::Foreign => {
            NewRefusal::new(400, "internalenterpriseaccount.limit", "仅限处理归属本企业的企业账号")
        }
        other => refused(other),
    })?;
    Ok(json!({ "result": true }))
}

/// The organisations that an account has created: none, since the simulator knows no other organisation.
pub(crate) fn owned_organizations(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    corp.own_account(&userid(params)?).map_err(|refusal| match refusal {
        AccountRefusal::NoSuchMember => NewRefusal::new(400, "employee.not.exist", "员工不存在"),
        _ => refused(AccountRefusal::Foreign),
    })?;
    Ok(json!({ "orgList": [] }))
}

/// Lets the organisation's accounts join another one, which is none of the simulator's.
pub(crate) fn let_join(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let invalid = || NewRefusal::new(400, "invalid.param", "无效参数");
    let joined = params.text("joinCorpId").ok().flatten().filter(|corp_id| !corp_id.is_empty());
    let dept_ids = params.texts("grantDeptIdList").map_err(|_| invalid())?.unwrap_or_default();
    let exists = |id: &String| id.parse().ok().and_then(|id| corp.departments.get(id)).is_some();
    if joined.is_none() || !corp.organisation.enterprise_accounts || !dept_ids.iter().all(exists) {
        return Err(invalid());
    }
    Ok(json!({}))
}

fn userid(params: &Params) -> Result<String, NewRefusal> {
    let userid = params.text("userId").ok().flatten().filter(|userid| !userid.is_empty());
    userid.ok_or_else(|| NewRefusal::new(400, "invalid.param", "userId不能为空"))
}

fn refused(refusal: AccountRefusal) -> NewRefusal {
    let (code, message) = match refusal {
        AccountRefusal::NoSuchMember => ("user.not.exist", "用户不存在"),
        AccountRefusal::Ordinary => ("exclusive.account.only", "只能操作专属账号"),
        AccountRefusal::Foreign => ("exclusive.account.limit", "只能操作归属该组织的专属账号"),
        AccountRefusal::AlreadySet => ("have.been.set", "你已经设置过钉钉号，无法修改"),
        AccountRefusal::Format => ("incorrect.format", "钉钉号格式不正确，请重新输入"),
        AccountRefusal::Length => ("incorrect.length", "钉钉号格式不正确，请重新输入"),
        AccountRefusal::Reserved => ("incorrect.reserved", "该钉钉号已被占用，请重新输入"),
    };
    NewRefusal::new(400, code, message)
}
