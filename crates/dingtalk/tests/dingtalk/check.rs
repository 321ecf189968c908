//! The preflight.

use crate::world::*;
use rollcall_dingtalk::{Settings, Verdict};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

/// An organisation where everything is permitted, except that `path` answers `body`.
async fn organisation(path: &str, body: &Value) -> World {
    organisation_with(path, body, |_| {}).await
}

async fn organisation_with(path: &str, body: &Value, settle: impl FnOnce(&mut Settings)) -> World {
    let world = World::with(settle).await;
    world.answer(path, body).await;
    let scopes = json!({
        "errcode": 0, "errmsg": "ok", "auth_user_field": ["name", "mobile", "email"], "condition_field": [],
        "auth_org_scopes": {"authed_user": [], "authed_dept": [1]}
    });
    world.answer(SCOPES, &scopes).await;
    world.answer(DEPARTMENT_GET, &json!({"errcode": 0, "result": {"dept_id": 1, "name": "Acme"}})).await;
    world.answer(USER_GET, &json!({"errcode": 60121, "errmsg": "找不到该用户"})).await;
    world.answer(BY_MOBILE, &json!({"errcode": 40104, "errmsg": "无效的手机号"})).await;
    world.answer(USER_UPDATE, &json!({"errcode": 60121, "errmsg": "找不到该用户"})).await;
    world.answer(USER_LIST, &json!({"errcode": 0, "result": {"has_more": false, "list": []}})).await;
    world.answer(USER_COUNT, &json!({"errcode": 0, "result": {"count": 3}})).await;
    world.answer(USER_ADMINS, &json!({"errcode": 0, "result": [{"userid": "boss"}]})).await;
    world.answer(LISTSUB, &json!({"errcode": 0, "result": []})).await;
    world.answer(ROLES, &json!({"errcode": 0, "result": {"hasMore": false, "list": []}})).await;
    world.answer(CHAT_GET, &json!({"errcode": 34001, "errmsg": "…"})).await;
    let refusal = json!({"code": "permession.checkFailed", "message": "…"});
    world.respond(CHAT_UPDATE, ResponseTemplate::new(400).set_body_json(refusal)).await;
    world.answer(CONTACTS, &json!({"errcode": 0, "results": []})).await;
    world.answer(CONTACT_DELETE, &json!({"errcode": 33012, "errmsg": "…"})).await;
    let refusal = json!({"code": "exclusive.account.only", "message": "…"});
    world.respond(ACCOUNT_STATUS, ResponseTemplate::new(400).set_body_json(refusal)).await;
    world.answer(CERTIFICATION, &json!({"authLevel": "1", "orgName": "Acme"})).await;
    world
}

const ROLES: &str = "/topapi/role/list";
const CHAT_GET: &str = "/chat/get";
const CHAT_UPDATE: &str = "/v1.0/im/group/update";
const CONTACTS: &str = "/topapi/extcontact/list";
const CONTACT_DELETE: &str = "/topapi/extcontact/delete";
const CERTIFICATION: &str = "/v1.0/contact/organizations/authInfos";

/// The settings of an organisation that uses everything.
fn everything(settings: &mut Settings) {
    settings.enterprise_accounts = true;
    settings.chat_template_id = Some("tpl-1".into());
    settings.contact_label_ids = vec![7];
    settings.contact_follower = Some("boss".into());
    settings.corp_id = Some("dingcorp".into());
}

#[tokio::test]
async fn all_is_well() {
    let world = organisation("/unused", &Value::Null).await;
    let report = world.dingtalk.check().await;
    assert!(report.passed(), "{report:?}");
    assert!(report.lines.iter().all(|line| line.verdict == Verdict::Good), "{report:?}");
    assert!(report.unreadable.is_empty());
    assert_eq!(world.received(SCOPES).await[0].method.as_str(), "GET");
    let write = world.body(USER_UPDATE).await;
    assert_eq!(write, r#"{"userid":"rollcall-doctor-nobody"}"#, "the write names nobody and no field");
}

#[tokio::test]
async fn bad_credentials_end_it() {
    let world = World::without_tokens().await;
    let refusal = json!({"code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret"});
    world.respond(TOKEN_PATH, ResponseTemplate::new(400).set_body_json(refusal)).await;
    let report = world.dingtalk.check().await;
    assert!(!report.passed());
    assert_eq!(report.lines.len(), 1);
    assert!(report.lines[0].text.contains("AppSecret"), "{}", report.lines[0]);
}

#[tokio::test]
async fn each_missing_permission_is_told() {
    for (path, subject, permission) in [
        (DEPARTMENT_GET, "departments", "qyapi_get_department_list"),
        (USER_GET, "people", "qyapi_get_member"),
        (BY_MOBILE, "people by mobile number", "qyapi_get_member_by_mobile"),
        (USER_UPDATE, "writing", "qyapi_manage_addresslist"),
    ] {
        let text = format!("应用尚未开通所需的权限：[{permission}]");
        let world = organisation(path, &json!({"errcode": 88, "sub_code": "60011", "sub_msg": text})).await;
        let report = world.dingtalk.check().await;
        let bad: Vec<_> = report.lines.iter().filter(|line| line.verdict == Verdict::Bad).collect();
        assert_eq!(bad.len(), 1, "{report:?}");
        assert_eq!(bad[0].subject, subject);
        assert!(bad[0].text.contains(permission), "{}", bad[0]);
    }
}

#[tokio::test]
async fn a_narrow_range_and_hidden_fields_are_told() {
    let scopes = json!({
        "errcode": 0, "auth_user_field": "name", "auth_org_scopes": {"authed_user": ["a", "b"], "authed_dept": ["7"]}
    });
    let world = organisation(SCOPES, &scopes).await;
    let report = world.dingtalk.check().await;
    assert!(!report.passed());
    let range = report.lines.iter().find(|line| line.subject == "contact range").expect("a line");
    assert!(range.text.contains("1 departments and 2 people"), "{range}");
    assert_eq!(report.unreadable, ["mobile", "email", "org_email", "work_place", "remark", "extension."]);
    assert_eq!(report.lines.iter().filter(|line| line.verdict == Verdict::Warning).count(), 2);
}

#[tokio::test]
async fn what_a_feature_lacks_fails_where_it_is_asked_for() {
    for (path, subject, scope) in [
        (CHAT_GET, "reading chats", "qyapi_chat_read"),
        (CHAT_UPDATE, "writing chats", "qyapi_chat_manage"),
        (CONTACTS, "reading external contacts", "qyapi_ext_read"),
        (CONTACT_DELETE, "writing external contacts", "qyapi_ext_write"),
        (ACCOUNT_STATUS, "enterprise accounts", "Contact.OrgAccountSecurity.ReadWrite"),
    ] {
        let old = json!({"errcode": 88, "sub_code": "60011", "sub_msg": format!("所需的权限：[{scope}]")});
        for (settled, verdict) in [(true, Verdict::Bad), (false, Verdict::Warning)] {
            let settle = |settings: &mut Settings| {
                if settled {
                    everything(settings);
                }
            };
            let world = organisation_with(path, &old, settle).await;
            let report = world.dingtalk.check().await;
            let odd: Vec<_> = report.lines.iter().filter(|line| line.verdict != Verdict::Good).collect();
            if path == ACCOUNT_STATUS && !settled {
                assert!(odd.is_empty(), "nobody asks for it: {odd:?}");
                continue;
            }
            let [line] = odd[..] else { panic!("one line: {odd:?}") };
            assert_eq!((line.subject, line.verdict), (subject, verdict));
            assert!(line.text.contains(scope) && line.text.contains("Without it"), "{line}");
        }
    }
}

#[tokio::test]
async fn what_is_odd_about_the_organisation_is_told() {
    for (path, answer, subject, text) in [
        (
            LISTSUB,
            json!({"errcode": 0, "result": [{"dept_id": -7, "name": "家校通讯录"}]}),
            "school departments",
            "below zero",
        ),
        (USER_ADMINS, json!({"errcode": 0, "result": []}), "administrators", "主管理员"),
        (CERTIFICATION, json!({"authLevel": 0}), "certification", "not certified"),
        (CERTIFICATION, json!({}), "certification", "does not say"),
        (USER_LIST, json!({"errcode": 60011}), "lists of people", "qyapi_get_department_member"),
        (ROLES, json!({"errcode": 60011}), "roles", "qyapi_get_department_list"),
    ] {
        let world = organisation_with(path, &answer, everything).await;
        let report = world.dingtalk.check().await;
        assert!(report.passed(), "{report:?}");
        let odd: Vec<_> = report.lines.iter().filter(|line| line.verdict != Verdict::Good).collect();
        let [line] = odd[..] else { panic!("one line: {odd:?}") };
        assert_eq!((line.subject, line.verdict), (subject, Verdict::Warning));
        assert!(line.text.contains(text), "{line}");
    }
}

#[tokio::test]
async fn the_preflight_changes_nothing() {
    let world = organisation_with("/unused", &Value::Null, everything).await;
    let report = world.dingtalk.check().await;
    assert!(report.lines.iter().all(|line| line.verdict == Verdict::Good), "{report:?}");
    assert!(report.lines.iter().any(|line| line.subject == "monthly quota"));
    for (path, body) in [
        (CHAT_UPDATE, r#"{"chatid":"rollcall-doctor-nobody"}"#),
        (CONTACT_DELETE, r#"{"user_id":"rollcall-doctor-nobody"}"#),
        (USER_UPDATE, r#"{"userid":"rollcall-doctor-nobody"}"#),
    ] {
        assert_eq!(world.body(path).await, body, "a write that names nobody and nothing");
    }
}
