//! Enterprise accounts: created without a number, updated otherwise than normal ones, turned off and on.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::Account;
use rollcall_provisioning::plan::{Action, InitialPassword};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

async fn organisation() -> World {
    let world = World::with(|settings| settings.enterprise_accounts = true).await;
    world.accept(&[USER_UPDATE]).await;
    world.answer(USER_CREATE, &json!({"errcode": 0, "result": {"userid": "u1"}})).await;
    world
}

/// Lets the calls about the use of accounts succeed.
async fn in_control(world: &World) {
    for path in [ACCOUNT_DISABLE, ACCOUNT_ENABLE, ACCOUNT_SIGN_OUT] {
        world.answer(path, &json!({"result": true})).await;
    }
}

fn employee() -> Value {
    json!({
        "userid": "u1", "name": "张三", "dept_id_list": [10, 2], "exclusive_account": "true",
        "exclusive_account_type": "SSO", "nickname": "三儿"
    })
}

fn with_password(action: Action, password: &str) -> Action {
    let Action::Create { kind, remote_id, attributes, .. } = action else { panic!("a creation") };
    Action::Create { kind, remote_id, attributes, password: Some(InitialPassword::new(password)) }
}

#[tokio::test]
async fn creations() {
    let sso = json!({
        "account_kind": "sso", "name": "张三", "org_units": ["1"], "nickname": "三儿", "exclusive_mobile": "13800000001"
    });
    let managed = json!({"account_kind": "dingtalk", "name": "张三", "org_units": ["1"], "login_id": "zhangsan"});
    for (action, expected) in [
        (
            create(Account, Some("u1"), sso),
            r#"{"userid":"u1","name":"张三","dept_id_list":"1","exclusive_account":true,"exclusive_account_type":"sso","nickname":"三儿","exclusive_mobile":"+86-13800000001"}"#,
        ),
        (
            with_password(create(Account, Some("u1"), managed), "hunter2-hunter2"),
            r#"{"userid":"u1","name":"张三","dept_id_list":"1","exclusive_account":true,"exclusive_account_type":"dingtalk","login_id":"zhangsan","init_password":"hunter2-hunter2","send_password_to_user":true}"#,
        ),
    ] {
        let world = organisation().await;
        assert_eq!(world.dingtalk.apply(&action).await.expect("created").remote_id, "u1");
        assert_eq!(world.body(USER_CREATE).await, expected);
        let after = world.dingtalk.after(&std::collections::BTreeMap::new(), &action);
        assert_eq!(after["enabled"], json!(true), "as every new one is read");
        assert!(!format!("{after:?}{action:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn what_cannot_be_created() {
    let managed =
        |login: Value| json!({"account_kind": "dingtalk", "name": "a", "org_units": ["1"], "login_id": login});
    let sso = json!({"account_kind": "sso", "name": "a", "org_units": ["1"]});
    let odd = json!({"account_kind": "guest", "name": "a", "mobile": "1", "org_units": ["1"]});
    let normal = json!({"name": "a", "mobile": "1", "org_units": ["1"], "enabled": false});
    let new = |attributes| create(Account, Some("u1"), attributes);
    let without_login = json!({"account_kind": "dingtalk", "name": "a", "org_units": ["1"]});
    for (on, action, code) in [
        (false, new(sso), "account_kind_unavailable"),
        (true, new(odd), "account_kind_malformed"),
        (true, new(normal), "enabled_unavailable"),
        (true, new(without_login), "login_id_missing"),
        (true, new(managed(json!("zs"))), "password_missing"),
        (true, with_password(new(managed(json!("zs"))), "12345678"), "password_malformed"),
        (true, with_password(new(managed(json!("zs"))), "short1!"), "password_malformed"),
        (false, update(Account, "u1", json!({"nickname": "a"})), "nickname_unavailable"),
        (true, update(Account, "u1", json!({"account_kind": "sso"})), "account_kind_unchangeable"),
        (true, update(Account, "u1", json!({"login_id": null})), "login_id_unclearable"),
    ] {
        let world = World::with(|settings| settings.enterprise_accounts = on).await;
        let error = world.dingtalk.apply(&action).await.expect_err(code);
        assert_eq!(error.code, code);
        assert!(world.paths().await.is_empty(), "{code} cost a call");
        assert!(!format!("{error:?}").contains("12345678"));
    }
}

#[tokio::test]
async fn updates_name_the_departments_and_spell_otherwise() {
    for (changes, expected) in [
        (json!({"title": "CTO"}), r#""title":"CTO","dept_id_list":"10,2""#),
        (json!({"login_id": "zs"}), r#""dept_id_list":"10,2","loginId":"zs""#),
        (json!({"org_units": ["7"]}), r#""dept_id_list":"7""#),
        (
            json!({"org_email": null, "manager": null}),
            r#""org_email":"","dept_id_list":"10,2","force_update_fields":"manager_userid,org_email""#,
        ),
    ] {
        let world = organisation().await;
        world.answer(USER_GET, &json!({"errcode": 0, "result": employee()})).await;
        world.dingtalk.apply(&update(Account, "u1", changes)).await.expect("updated");
        assert_eq!(world.body(USER_UPDATE).await, format!("{{\"userid\":\"u1\",{expected}}}"));
    }
    let world = organisation().await;
    world.answer(USER_GET, &json!({"errcode": 0, "result": {"userid": "u1", "exclusive_account": false}})).await;
    world.dingtalk.apply(&update(Account, "u1", json!({"title": "CTO"}))).await.expect("a normal account");
    assert_eq!(world.body(USER_UPDATE).await, r#"{"userid":"u1","title":"CTO"}"#);
    let nickname = update(Account, "u1", json!({"nickname": "a"}));
    let error = world.dingtalk.apply(&nickname).await.expect_err("a normal account has none");
    assert_eq!((error.class, error.attribute), (ErrorClass::Forbidden, Some("nickname")));
}

#[tokio::test]
async fn off_first_and_on_last() {
    for (changes, expected) in [
        (json!({"enabled": false}), vec![ACCOUNT_DISABLE, ACCOUNT_SIGN_OUT]),
        (json!({"enabled": true}), vec![ACCOUNT_ENABLE]),
        (json!({"enabled": false, "title": null}), vec![USER_GET, ACCOUNT_DISABLE, ACCOUNT_SIGN_OUT, USER_UPDATE]),
        (json!({"enabled": true, "title": "CTO"}), vec![USER_GET, USER_UPDATE, ACCOUNT_ENABLE]),
    ] {
        let world = organisation().await;
        in_control(&world).await;
        world.answer(USER_GET, &json!({"errcode": 0, "result": employee()})).await;
        world.dingtalk.apply(&update(Account, "u1", changes)).await.expect("done");
        assert_eq!(world.paths().await, expected);
        for path in expected.iter().filter(|path| path.starts_with("/v1.0")) {
            assert_eq!(world.body(path).await, r#"{"userId":"u1"}"#);
            let request = &world.received(path).await[0];
            assert_eq!(request.headers["x-acs-dingtalk-access-token"], "t0ken");
            assert_eq!(request.url.query(), None, "the token is not in the query of the new host");
        }
    }
}

#[tokio::test]
async fn a_failure_in_the_middle_leaves_the_outcome_open() {
    let refused = || ResponseTemplate::new(400).set_body_json(json!({"code": "invalid.param", "message": "…"}));
    for (broken, changes) in [
        (ACCOUNT_SIGN_OUT, json!({"enabled": false})),
        (USER_UPDATE, json!({"enabled": false, "title": "CTO"})),
        (ACCOUNT_ENABLE, json!({"enabled": true, "title": "CTO"})),
    ] {
        let world = World::with(|settings| settings.enterprise_accounts = true).await;
        world.respond(broken, refused()).await;
        world.accept(&[USER_UPDATE]).await;
        in_control(&world).await;
        world.answer(USER_GET, &json!({"errcode": 0, "result": employee()})).await;
        let error = world.dingtalk.apply(&update(Account, "u1", changes)).await.expect_err(broken);
        assert!(error.outcome_unknown, "{broken}: it must be read");
    }
    let world = organisation().await;
    world.respond(ACCOUNT_DISABLE, refused()).await;
    let error = world.dingtalk.apply(&update(Account, "u1", json!({"enabled": false}))).await.expect_err("refused");
    assert!(!error.outcome_unknown, "nothing has happened");
    let world = organisation().await;
    world.respond(ACCOUNT_DISABLE, refused()).await;
    let leaver = json!({"account_kind": "sso", "name": "a", "org_units": ["1"], "enabled": false});
    let error = world.dingtalk.apply(&create(Account, Some("u1"), leaver)).await.expect_err("half done");
    assert!(error.outcome_unknown, "the account is there");
}

#[tokio::test]
async fn why_an_account_cannot_be_turned_off() {
    for (status, body, class, attribute) in [
        (400, json!({"code": "exclusive.account.only"}), ErrorClass::Forbidden, Some("enabled")),
        (400, json!({"code": "exclusive.account.limit"}), ErrorClass::Forbidden, Some("enabled")),
        (400, json!({"code": "user.not.exist"}), ErrorClass::NotFound, None),
        (500, json!({"code": "system.busy"}), ErrorClass::Transient, None),
        (200, json!({"result": false}), ErrorClass::Transient, None),
        (
            403,
            json!({
                "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
                "accessdenieddetail": {"requiredScopes": ["Contact.OrgAccountSecurity.ReadWrite"]}
            }),
            ErrorClass::Forbidden,
            Some("enabled"),
        ),
    ] {
        let world = organisation().await;
        world.respond(ACCOUNT_DISABLE, ResponseTemplate::new(status).set_body_json(&body)).await;
        let error = world.dingtalk.apply(&update(Account, "u1", json!({"enabled": false}))).await.expect_err("no");
        assert_eq!((error.class, error.attribute), (class, attribute), "{body}");
    }
}

#[tokio::test]
async fn whether_it_may_be_used_is_read() {
    for (extra, status, expected) in [
        (json!({}), Some(json!({"disable": false})), json!(true)),
        (json!({}), Some(json!({"disable": "true"})), json!(false)),
        (json!({"disable_status": "true"}), None, json!(false)),
        (json!({"disable_status": "NORMAL"}), Some(json!({"disable": false})), json!(true)),
    ] {
        let world = organisation().await;
        let mut result = employee();
        for (name, value) in extra.as_object().expect("an object") {
            result[name] = value.clone();
        }
        world.answer(USER_GET, &json!({"errcode": 0, "result": result})).await;
        if let Some(status) = &status {
            world.answer(ACCOUNT_STATUS, status).await;
        }
        let entity = world.dingtalk.account("u1").await.expect("read").expect("there");
        let expected = json!({
            "name": "张三", "org_units": ["10", "2"], "account_kind": "sso", "nickname": "三儿", "enabled": expected
        });
        assert_eq!(json!(entity.attributes), expected);
        let asked = world.received(ACCOUNT_STATUS).await;
        assert_eq!(asked.first().and_then(|request| request.url.query()), status.map(|_| "userId=u1"));
    }
    let world = organisation().await;
    world.answer(USER_GET, &json!({"errcode": 0, "result": employee()})).await;
    world.answer(ACCOUNT_STATUS, &json!({})).await;
    world.dingtalk.account("u1").await.expect_err("not known is not turned on");
}

#[tokio::test]
async fn people_with_several_accounts_by_number() {
    for (result, expected) in [
        (json!({"userid": "u1", "exclusive_account_userid_list": ["u2"]}), Ok("u1")),
        (json!({"exclusive_account_userid_list": ["u2"]}), Ok("u2")),
        (json!({"exclusive_account_userid_list": ["u2", "u3"]}), Err(ErrorClass::Ambiguous)),
        (json!({}), Err(ErrorClass::Transient)),
    ] {
        let world = organisation().await;
        world.answer(BY_MOBILE, &json!({"errcode": 0, "result": result})).await;
        let found = world.dingtalk.account_by_mobile("13800000001").await;
        let found = found.map(|id| id.expect("somebody")).map_err(|error| error.class);
        assert_eq!(found.as_deref().map_err(|class| *class), expected, "{result}");
        let body = world.body(BY_MOBILE).await;
        assert_eq!(body, r#"{"mobile":"13800000001","support_exclusive_account_search":true}"#);
    }
}
