//! Contact APIs of the new host: certification of the organisation, those who have left, those who are invited (pages
//! A0124, A0125 and A0073).

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::clock::DAY_MS;
use crate::corp::person::Departure;
use crate::corp::{Corp, ROOT};
use crate::mobile::Mobile;
use crate::params::Params;

use super::{Caller, NewRefusal};

/// Largest page of leave records.
const PAGE_SIZE: i64 = 50;

/// Longest span of time one call may ask about.
const LONGEST_SPAN_MS: i64 = 365 * DAY_MS;

/// How far the organisation is certified. Without a certificate that is all; the licence of a certified one is made up.
pub(crate) fn auth_infos(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let target = params.text("targetCorpId").ok().flatten().filter(|target| !target.is_empty());
    if target.is_some_and(|target| target != corp.id) {
        return Err(NewRefusal::new(400, "invalidParameter.system.param", "无效的企业targetCorpId"));
    }
    let (name, auth_level) = (&corp.organisation.name, corp.organisation.auth_level);
    if auth_level == 0 {
        return Ok(json!({ "orgName": name, "authLevel": auth_level }));
    }
    Ok(json!({
        "orgName": name,
        "licenseOrgName": name,
        "registrationNum": "000000000000000",
        "unifiedSocialCredit": "000000000000000000",
        "organizationCode": "00000000-0",
        "legalPerson": "Simulated Person",
        "licenseUrl": "https://example.com/licence",
        "authLevel": auth_level,
    }))
}

/// How people may ask to join: the switches of a new organisation, which nothing here can change.
pub(crate) fn invite_infos(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let empty = || NewRefusal::new(400, "invalidParameter.param.empty", "参数为空");
    let inviter = params.text("inviterUserId").ok().flatten().filter(|userid| !userid.is_empty()).ok_or_else(empty)?;
    let dept_id = params.integer("deptId").map_err(|_| empty())?.unwrap_or(ROOT);
    let known = caller.user(corp, &inviter).is_ok() && caller.department(corp, dept_id).is_ok();
    if !known {
        return Err(invalid("inviterUserId or deptId"));
    }
    Ok(json!({
        "inviteSwitch": true,
        "searchNameInvite": true,
        "orgApplyCodeInvite": true,
        "linkInvite": true,
        "inviteUrl": format!("https://example.com/invite/{}/{dept_id}", corp.id),
        "auditType": 0,
        "empApplyJoinDept": false,
    }))
}

/// One page of those who left within a span of time, oldest first.
pub(crate) fn leave_records(corp: &mut Corp, caller: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    let start_ms = moment(params, "startTime")?.ok_or_else(|| invalid("startTime"))?;
    let end_ms = moment(params, "endTime")?.unwrap_or(caller.now_ms.saturating_add(1));
    if end_ms < start_ms || end_ms.saturating_sub(start_ms) > LONGEST_SPAN_MS {
        return Err(invalid("endTime"));
    }
    let skip = whole_number(params, "nextToken")?;
    let skip = usize::try_from(skip).map_err(|_| invalid("nextToken"))?;
    let size = Some(whole_number(params, "maxResults")?).filter(|size| (1..=PAGE_SIZE).contains(size));
    let size = size.and_then(|size| usize::try_from(size).ok()).ok_or_else(|| invalid("maxResults"))?;
    let within = corp.departures.iter().filter(|departure| (start_ms..end_ms).contains(&departure.left_ms));
    let found: Vec<&Departure> = within.skip(skip).take(size + 1).collect();
    let mut body = Map::new();
    if found.len() > size {
        body.insert("nextToken".to_owned(), json!((skip + size).to_string()));
    }
    let records = found.into_iter().take(size).map(|departure| record(departure, caller)).collect();
    body.insert("records".to_owned(), Value::Array(records));
    Ok(Value::Object(body))
}

/// Withdraws an invitation. Only the official SDK knows this call, so its answers are inferred.
pub(crate) fn recall_invitation(corp: &mut Corp, _: Caller<'_>, params: &Params) -> Result<Value, NewRefusal> {
    if !corp.switches.invitations_can_be_recalled {
        return Err(NewRefusal::new(404, "InvalidAction.NotFound", "Specified api is not found"));
    }
    let mobile = params.text("mobile").ok().flatten().unwrap_or_default();
    let mobile = Mobile::parse(&mobile, corp.organisation.registered_abroad).ok_or_else(|| invalid("mobile"))?;
    if corp.decline_invitation(&mobile) {
        Ok(json!({ "result": true }))
    } else {
        Err(NewRefusal::new(400, "user.not.exist", "用户不存在"))
    }
}

fn record(departure: &Departure, caller: Caller<'_>) -> Value {
    let left = OffsetDateTime::from_unix_timestamp(departure.left_ms.div_euclid(1_000)).ok();
    let mut record = json!({
        "userId": departure.userid,
        "name": departure.name,
        "leaveTime": left.and_then(|left| left.format(&Rfc3339).ok()),
        "leaveReason": departure.reason,
    });
    if let (Some(mobile), true, Value::Object(fields)) = (&departure.mobile, caller.app.reads_mobile, &mut record) {
        fields.insert("stateCode".to_owned(), json!(mobile.state_code()));
        fields.insert("mobile".to_owned(), json!(mobile.number()));
    }
    record
}

/// A moment in ISO 8601, as milliseconds since 1970.
fn moment(params: &Params, name: &str) -> Result<Option<i64>, NewRefusal> {
    let Some(text) = params.text(name).map_err(|_| invalid(name))? else { return Ok(None) };
    let moment = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| invalid(name))?;
    Ok(Some(moment.unix_timestamp().saturating_mul(1_000)))
}

fn whole_number(params: &Params, name: &str) -> Result<i64, NewRefusal> {
    params.required_integer(name).map_err(|_| invalid(name))
}

fn invalid(name: &str) -> NewRefusal {
    NewRefusal::new(400, "invalidParameter.param.invalid", format!("参数不合法: {name}"))
}
