//! The preflight.

use crate::world::*;
use rollcall_dingtalk::Verdict;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

/// An organisation where everything is permitted, except that `path` answers `body`.
async fn organisation(path: &str, body: &Value) -> World {
    let world = World::new().await;
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
    world
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
