//! What is made of DingTalk's answers, typed as in the documents or as loosely as they come.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::EntityKind::Account;
use serde_json::{Value, json};

async fn read_account(result: Value) -> Value {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 0, "errmsg": "ok", "result": result})).await;
    let entity = world.dingtalk.account("u1").await.expect("read").expect("there");
    assert_eq!(entity.remote_id, "u1");
    json!(entity.attributes)
}

#[tokio::test]
async fn a_person_as_documented() {
    let attributes = read_account(json!({
        "userid": "u1", "unionid": "x", "name": "张三", "state_code": "86", "mobile": "13800000001",
        "hide_mobile": false, "telephone": "8001", "job_number": "007", "title": "工程师", "email": "z@example.com",
        "work_place": "杭州", "extension": "{\"爱好\":\"旅游\"}", "dept_id_list": [10, 9, 2],
        "dept_order_list": [{"dept_id": 2, "order": 176_352_449_285_043_512_u64}],
        "leader_in_dept": [{"dept_id": 2, "leader": true}], "role_list": [{"id": 1, "name": "a", "group_name": "b"}],
        "manager_userid": "boss", "hired_date": 1_597_573_616_828_u64, "active": true, "senior": false
    }))
    .await;
    let expected = json!({
        "name": "张三", "mobile": "13800000001", "telephone": "8001", "job_number": "007", "title": "工程师",
        "email": "z@example.com", "work_place": "杭州", "manager": "boss", "org_units": ["10", "2", "9"],
        "extension.爱好": "旅游", "org_unit_orders": {"2": 176_352_449_285_043_512_u64},
        "hired_date": 1_597_573_616_828_u64
    });
    assert_eq!(attributes, expected);
}

#[tokio::test]
async fn a_person_as_loosely_as_it_comes() {
    for (result, expected) in [
        (json!({"userid": "u1"}), json!({})),
        (json!({"userid": "u1", "title": "", "email": null, "dept_id_list": []}), json!({})),
        (json!({"userid": "u1", "job_number": 7}), json!({"job_number": "7"})),
        (json!({"userid": "u1", "dept_id_list": "2,1"}), json!({"org_units": ["1", "2"]})),
        (json!({"userid": "u1", "dept_id_list": ["2", 1, "2"]}), json!({"org_units": ["1", "2"]})),
        (json!({"userid": "u1", "dept_id_list": 2}), json!({"org_units": ["2"]})),
        (json!({"userid": "u1", "dept_id_list": [-7, 0, 3]}), json!({"org_units": ["3"]})),
        (
            json!({"userid": "u1", "active": "true", "extension": {"a": "b"}, "role_list": {}}),
            json!({"extension.a": "b"}),
        ),
        (json!({"userid": "u1", "mobile": "91234567", "state_code": 65}), json!({"mobile": "+65-91234567"})),
    ] {
        assert_eq!(read_account(result.clone()).await, expected, "{result}");
    }
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_not_an_empty_person() {
    for answer in [json!({"errcode": 0}), json!({"errcode": 0, "result": {}}), json!({"errcode": 0, "result": []})] {
        let world = World::new().await;
        world.answer(USER_GET, &answer).await;
        let error = world.dingtalk.account("u1").await.expect_err("no person");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "unreadable"), "{answer}");
        assert!(!error.outcome_unknown);
    }
}

#[tokio::test]
async fn who_is_not_there_is_none() {
    for code in [60121, 33012, 60111] {
        let world = World::new().await;
        world.answer(USER_GET, &json!({"errcode": code, "errmsg": "找不到该用户"})).await;
        world.answer(BY_MOBILE, &json!({"errcode": code, "errmsg": "找不到该用户"})).await;
        assert_eq!(world.dingtalk.account("u1").await.expect("an answer"), None);
        assert_eq!(world.dingtalk.account_by_mobile("13800000001").await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn outside_the_range_is_not_absent() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 88, "sub_code": "50002", "errmsg": "…"})).await;
    let error = world.dingtalk.account("u1").await.expect_err("out of reach");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Forbidden, "88/50002"));
}

#[tokio::test]
async fn a_person_by_mobile_number() {
    let world = World::new().await;
    world.answer(BY_MOBILE, &json!({"errcode": 0, "result": {"userid": "u7"}})).await;
    assert_eq!(world.dingtalk.account_by_mobile("13800000001").await.expect("found").as_deref(), Some("u7"));
    assert_eq!(world.body(BY_MOBILE).await, r#"{"mobile":"13800000001"}"#);
}

#[tokio::test]
async fn a_department() {
    for (result, expected) in [
        (
            json!({"dept_id": 9, "name": "研发", "parent_id": 1, "source_identifier": "o-1", "order": 9_999_999_999_u64}),
            json!({"name": "研发", "parent": "1", "source_identifier": "o-1", "order": 9_999_999_999_u64}),
        ),
        (
            json!({
                "dept_id": 9, "name": "研发", "parent_id": 1, "hide_dept": "true", "outer_dept": false, "order": "3",
                "dept_manager_userid_list": ["u2", "u1", "u2"]
            }),
            json!({"name": "研发", "parent": "1", "hidden": true, "order": 3, "heads": ["u1", "u2"]}),
        ),
        (json!({"dept_id": "9", "name": "研发", "parent_id": "1"}), json!({"name": "研发", "parent": "1"})),
        (json!({"dept_id": 9, "name": "Acme", "source_identifier": ""}), json!({"name": "Acme"})),
    ] {
        let world = World::new().await;
        world.answer(DEPARTMENT_GET, &json!({"errcode": 0, "result": result})).await;
        let entity = world.dingtalk.org_unit("9").await.expect("read").expect("there");
        assert_eq!((entity.remote_id.as_str(), json!(entity.attributes)), ("9", expected));
        assert_eq!(world.body(DEPARTMENT_GET).await, r#"{"dept_id":9}"#);
    }
    let world = World::new().await;
    world.answer(DEPARTMENT_GET, &json!({"errcode": 60003, "errmsg": "部门不存在"})).await;
    assert_eq!(world.dingtalk.org_unit("9").await.expect("an answer"), None);
    assert_eq!(world.dingtalk.org_unit("-1").await.expect("an answer"), None, "a pseudo-department of a school");
}

#[tokio::test]
async fn a_department_by_name_under_its_parent() {
    let children = json!([
        {"dept_id": -7, "name": "研发", "parent_id": 1},
        {"dept_id": 8, "name": "研发二部", "parent_id": 1},
        {"dept_id": 9, "name": "研发", "parent_id": 1}
    ]);
    for (children, name, expected) in [
        (children.clone(), "研发", Some("9")),
        (children, "销售", None),
        (json!({"dept_id": "9", "name": "研发"}), "研发", Some("9")),
        (json!([]), "研发", None),
        (Value::Null, "研发", None),
    ] {
        let world = World::new().await;
        world.answer(LISTSUB, &json!({"errcode": 0, "result": children})).await;
        let read = json!({"dept_id": 9, "name": "研发", "parent_id": 1, "source_identifier": "o-1"});
        world.answer(DEPARTMENT_GET, &json!({"errcode": 0, "result": read})).await;
        let found = world.dingtalk.org_unit_by_name("1", name).await.expect("read");
        assert_eq!(found.as_ref().map(|entity| entity.remote_id.as_str()), expected);
        if let Some(entity) = found {
            assert_eq!(entity.attributes["source_identifier"], "o-1", "the whole department is read");
        }
        assert_eq!(world.body(LISTSUB).await, r#"{"dept_id":1}"#);
    }
}

#[tokio::test]
async fn a_missing_parent_is_not_an_empty_one() {
    let world = World::new().await;
    world.answer(LISTSUB, &json!({"errcode": 60003, "errmsg": "部门不存在"})).await;
    let error = world.dingtalk.org_unit_by_name("9", "研发").await.expect_err("no parent");
    assert_eq!((error.class, error.attribute), (ErrorClass::MissingReference, Some("parent")));
}

#[tokio::test]
async fn what_an_update_leaves_is_what_a_read_returns() {
    let world = World::new().await;
    let before = json!({"name": "张三", "email": "a@example.com", "org_units": ["1"]});
    let Value::Object(before) = before else { panic!("an object") };
    let action = update(Account, "u1", json!({"email": null, "title": "CTO", "org_units": ["9", "10"]}));
    let after = world.dingtalk.after(&before.into_iter().collect(), &action);
    assert_eq!(json!(after), json!({"name": "张三", "title": "CTO", "org_units": ["10", "9"]}));
}
