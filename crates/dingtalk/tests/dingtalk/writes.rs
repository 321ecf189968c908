//! What is sent, byte for byte, and what is taken from the answer.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::{Account, OrgUnit};
use rollcall_provisioning::plan::Action;
use serde_json::{Value, json};

#[tokio::test]
async fn a_joiner_is_sent_as_raw_utf8_with_joined_departments() {
    let world = World::new().await;
    let answer = json!({"errcode": 0, "errmsg": "ok", "result": {"userid": "u1", "unionId": "x"}, "request_id": "r"});
    world.answer(USER_CREATE, &answer).await;
    let joiner = create(
        Account,
        Some("u1"),
        json!({
            "name": "张三 😀", "mobile": "+65-91234567", "email": "z@example.com", "telephone": "8001",
            "title": "工程师", "job_number": "007", "work_place": "杭州", "org_units": ["10", "2"], "manager": "boss"
        }),
    );
    let applied = world.dingtalk.apply(&joiner).await.expect("created");
    assert_eq!(applied.remote_id, "u1");
    assert_eq!(
        world.body(USER_CREATE).await,
        "{\"userid\":\"u1\",\"name\":\"张三 😀\",\"mobile\":\"+65-91234567\",\"email\":\"z@example.com\",\
         \"telephone\":\"8001\",\"title\":\"工程师\",\"job_number\":\"007\",\"work_place\":\"杭州\",\
         \"dept_id_list\":\"10,2\",\"manager_userid\":\"boss\"}"
    );
    let request = &world.received(USER_CREATE).await[0];
    assert_eq!(request.method.as_str(), "POST");
    assert_eq!(request.url.query(), Some("access_token=t0ken"));
    assert_eq!(request.headers["content-type"], "application/json");
}

#[tokio::test]
async fn bodies_of_updates_and_deletions() {
    let cases: Vec<(Action, &str, &str)> = vec![
        (update(Account, "u1", json!({"title": "CTO"})), USER_UPDATE, r#"{"userid":"u1","title":"CTO"}"#),
        // Only the manager has a documented way to be cleared: named, and not sent.
        (
            update(Account, "u1", json!({"manager": null, "name": "李"})),
            USER_UPDATE,
            r#"{"userid":"u1","name":"李","force_update_fields":"manager_userid"}"#,
        ),
        (update(Account, "u1", json!({"manager": "m"})), USER_UPDATE, r#"{"userid":"u1","manager_userid":"m"}"#),
        (
            update(Account, "u1", json!({"email": null, "telephone": null, "title": null, "job_number": null})),
            USER_UPDATE,
            r#"{"userid":"u1","email":"","telephone":"","title":"","job_number":""}"#,
        ),
        (update(Account, "u1", json!({"org_units": ["7"]})), USER_UPDATE, r#"{"userid":"u1","dept_id_list":"7"}"#),
        (delete(Account, "u1"), USER_DELETE, r#"{"userid":"u1"}"#),
        (update(OrgUnit, "9", json!({"name": "研发"})), DEPARTMENT_UPDATE, r#"{"dept_id":9,"name":"研发"}"#),
        (update(OrgUnit, "9", json!({"parent": "1"})), DEPARTMENT_UPDATE, r#"{"dept_id":9,"parent_id":1}"#),
        (
            update(OrgUnit, "9", json!({"source_identifier": "o-1"})),
            DEPARTMENT_UPDATE,
            r#"{"dept_id":9,"source_identifier":"o-1"}"#,
        ),
        (
            update(OrgUnit, "9", json!({"heads": ["u2", "u1"], "order": 5, "hidden": true, "restricted": true})),
            DEPARTMENT_UPDATE,
            r#"{"dept_id":9,"order":5,"hide_dept":true,"outer_dept":true,"outer_dept_only_self":true,"dept_manager_userid_list":"u2,u1"}"#,
        ),
        // Heads are named and not sent: an empty list is an error.
        (
            update(OrgUnit, "9", json!({"heads": null, "hidden": null, "restricted": null})),
            DEPARTMENT_UPDATE,
            r#"{"dept_id":9,"hide_dept":false,"outer_dept":false,"outer_dept_only_self":false,"force_update_fields":"dept_manager_userid_list"}"#,
        ),
        (
            update(OrgUnit, "9", json!({"heads": []})),
            DEPARTMENT_UPDATE,
            r#"{"dept_id":9,"force_update_fields":"dept_manager_userid_list"}"#,
        ),
        (delete(OrgUnit, "9"), DEPARTMENT_DELETE, r#"{"dept_id":9}"#),
    ];
    for (action, path, expected) in cases {
        let world = World::new().await;
        world.answer(path, &json!({"errcode": 0, "errmsg": "ok", "request_id": "r"})).await;
        let applied = world.dingtalk.apply(&action).await.expect(expected);
        assert_eq!(world.body(path).await, expected);
        assert!(["u1", "9"].contains(&applied.remote_id.as_str()));
    }
}

#[tokio::test]
async fn a_department_gets_its_id_from_dingtalk() {
    for id in [json!(100), json!("100")] {
        let world = World::new().await;
        world.answer(DEPARTMENT_CREATE, &json!({"errcode": "0", "result": {"dept_id": id}})).await;
        world.accept(&[DEPARTMENT_UPDATE]).await;
        let attributes =
            json!({"name": "研发", "parent": "1", "source_identifier": "o-1", "heads": ["u1"], "order": 2});
        let applied = world.dingtalk.apply(&create(OrgUnit, None, attributes)).await.expect("created");
        assert_eq!(applied.remote_id, "100");
        let body = world.body(DEPARTMENT_CREATE).await;
        assert_eq!(body, r#"{"name":"研发","parent_id":1,"source_identifier":"o-1","order":2}"#);
        // The identifier may be lost by the creation, and the heads are not part of it.
        let body = world.body(DEPARTMENT_UPDATE).await;
        assert_eq!(body, r#"{"dept_id":100,"source_identifier":"o-1","dept_manager_userid_list":"u1"}"#);
    }
}

#[tokio::test]
async fn a_department_whose_second_call_fails_is_there() {
    let world = World::new().await;
    world.answer(DEPARTMENT_CREATE, &json!({"errcode": 0, "result": {"dept_id": 100}})).await;
    world.answer(DEPARTMENT_UPDATE, &json!({"errcode": 40031, "errmsg": "不合法的UserID列表"})).await;
    let attributes = json!({"name": "研发", "parent": "1", "heads": ["u1"]});
    let error = world.dingtalk.apply(&create(OrgUnit, None, attributes)).await.expect_err("not a member");
    assert_eq!((error.class, error.attribute), (ErrorClass::MissingReference, Some("heads")));
    assert!(error.outcome_unknown, "it must be read");
}

#[tokio::test]
async fn the_userid_is_the_one_that_dingtalk_keeps() {
    for (result, expected) in
        [(json!({"userid": "u1-given", "unionid": "x"}), "u1-given"), (json!({}), "u1"), (Value::Null, "u1")]
    {
        let world = World::new().await;
        world.answer(USER_CREATE, &json!({"errcode": 0, "result": result})).await;
        assert_eq!(world.dingtalk.apply(&joiner()).await.expect("created").remote_id, expected);
    }
}

#[tokio::test]
async fn a_repeated_deletion_is_a_success() {
    for (action, path, codes) in [
        (delete(Account, "u1"), USER_DELETE, &["60121", "33012", "60111", "40003", "46004"] as &[_]),
        (delete(OrgUnit, "9"), DEPARTMENT_DELETE, &["60003"]),
    ] {
        for code in codes {
            let world = World::new().await;
            world.answer(path, &json!({"errcode": code, "errmsg": "不存在"})).await;
            assert!(world.dingtalk.apply(&action).await.is_ok(), "{code}");
        }
    }
}

#[tokio::test]
async fn what_cannot_fit_is_not_sent() {
    let person = |attributes| create(Account, Some("u1"), attributes);
    let many: Vec<String> = (1..=101).map(|id: u32| id.to_string()).collect();
    for (action, class, code) in [
        (person(json!({"name": "a", "org_units": ["1"]})), ErrorClass::Invalid, "mobile_missing"),
        (person(json!({"name": "a", "mobile": "1"})), ErrorClass::Invalid, "org_units_missing"),
        (person(json!({"name": "a", "mobile": "1", "org_units": []})), ErrorClass::Invalid, "org_units_malformed"),
        (person(json!({"name": "a", "mobile": "1", "org_units": ["-7"]})), ErrorClass::Invalid, "org_units_malformed"),
        (person(json!({"name": "a", "mobile": "1", "org_units": many})), ErrorClass::Invalid, "org_units_too_many"),
        (person(json!({"name": 7, "mobile": "1", "org_units": ["1"]})), ErrorClass::Invalid, "name_malformed"),
        // JSON could only write it as an escape, which DingTalk refuses with 40033.
        (update(Account, "u1", json!({"title": "a\u{1}b"})), ErrorClass::Invalid, "title_malformed"),
        (update(Account, "u1", json!({"mobile": "2"})), ErrorClass::Conflict, "mobile_unchangeable"),
        (update(Account, "u1", json!({"name": null})), ErrorClass::Invalid, "name_unclearable"),
        (update(Account, "u1", json!({"shoe_size": "44"})), ErrorClass::Invalid, "unknown_attribute"),
        (update(OrgUnit, "9", json!({"order": 0})), ErrorClass::Invalid, "order_malformed"),
        (update(OrgUnit, "9", json!({"heads": ["a,b"]})), ErrorClass::Invalid, "heads_malformed"),
        (create(OrgUnit, None, json!({"name": "a"})), ErrorClass::Invalid, "parent_missing"),
        (create(OrgUnit, None, json!({"name": "a", "parent": "x"})), ErrorClass::Invalid, "parent_malformed"),
        (update(OrgUnit, "1", json!({"name": "a"})), ErrorClass::Forbidden, "untouchable"),
        (delete(OrgUnit, "1"), ErrorClass::Forbidden, "untouchable"),
        (delete(OrgUnit, "-7"), ErrorClass::Forbidden, "untouchable"),
        (delete(OrgUnit, "01"), ErrorClass::Forbidden, "untouchable"),
    ] {
        let world = World::new().await;
        let error = world.dingtalk.apply(&action).await.expect_err(code);
        assert_eq!((error.class, error.code.as_str()), (class, code));
        assert!(!error.outcome_unknown);
        assert!(world.server.received_requests().await.unwrap_or_default().is_empty(), "{code} cost a call");
    }
}

#[tokio::test]
async fn what_the_personnel_system_keeps_is_named() {
    for (changes, attribute) in [
        (json!({"title": "CTO", "org_units": ["2"]}), "title"),
        (json!({"org_units": ["2"], "email": "a@b.c"}), "org_units"),
    ] {
        let world = World::new().await;
        world.answer(USER_UPDATE, &json!({"errcode": 12150, "errmsg": "…"})).await;
        let error = world.dingtalk.apply(&update(Account, "u1", changes)).await.expect_err("refused");
        assert_eq!((error.class, error.attribute), (ErrorClass::Forbidden, Some(attribute)));
    }
}
