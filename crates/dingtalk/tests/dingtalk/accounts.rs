//! Every attribute of a person: what is sent for it, what it needs to be read for, and how it is read back.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use rollcall_provisioning::entity::Attributes;
use rollcall_provisioning::entity::EntityKind::Account;
use serde_json::{Value, json};

/// A person as user/get tells of them.
fn present() -> Value {
    json!({
        "userid": "u1", "name": "张三", "extension": "{\"衬衫\":\"L\",\"爱好\":\"旅游\"}", "dept_id_list": [10, 2],
        "dept_order_list": [{"dept_id": 2, "order": 176_352_449_285_043_512_i64}, {"dept_id": "10", "order": "5"}],
        "dept_position_list": [
            {"dept_id": 2, "title": "工程师", "work_place": "杭州", "is_main": true},
            {"dept_id": 10, "is_main": "false"}
        ],
        "senior": true, "hide_mobile": false, "remark": "左撇子", "org_email": "z@acme.example"
    })
}

fn readable() -> Value {
    json!({"errcode": 0, "auth_user_field": ["mobile", "email"], "auth_org_scopes": {"authed_dept": [1]}})
}

/// What an update of the person above sends, and whether they were read for it.
async fn sent(changes: &Value) -> (String, bool) {
    let world = World::new().await;
    world.accept(&[USER_UPDATE]).await;
    world.answer(USER_GET, &json!({"errcode": 0, "result": present()})).await;
    world.answer(SCOPES, &readable()).await;
    world.dingtalk.apply(&update(Account, "u1", changes.clone())).await.expect("updated");
    (world.body(USER_UPDATE).await, !world.received(USER_GET).await.is_empty())
}

#[tokio::test]
async fn what_an_update_sends() {
    for (changes, read, expected) in [
        (json!({"org_email": "z@acme.example"}), false, r#""org_email":"z@acme.example""#),
        (json!({"remark": null}), false, r#""remark":"""#),
        (json!({"hired_date": 1_597_573_616_828_i64}), false, r#""hired_date":1597573616828"#),
        (json!({"hide_mobile": true, "senior_mode": null}), false, r#""hide_mobile":true,"senior_mode":false"#),
        // Only the fields that change, in the mode that leaves the others alone.
        (
            json!({"extension.衬衫": "M", "extension.x": "1"}),
            false,
            r#""extension":"{\"x\":\"1\",\"衬衫\":\"M\"}","ext_attrs_update_mode":1"#,
        ),
        // One goes: all others are sent, in the mode that overwrites.
        (
            json!({"extension.衬衫": null, "extension.x": "1"}),
            true,
            r#""extension":"{\"x\":\"1\",\"爱好\":\"旅游\"}","ext_attrs_update_mode":0"#,
        ),
        (
            json!({"extension.衬衫": null, "extension.爱好": null}),
            true,
            r#""extension":"{}","ext_attrs_update_mode":0"#,
        ),
        (
            json!({"org_unit_orders": {"10": 9}}),
            true,
            r#""dept_order_list":[{"dept_id":10,"order":9},{"dept_id":2,"order":176352449285043512}]"#,
        ),
        (
            json!({"org_unit_titles": {"10": "顾问", "2": null}}),
            true,
            r#""dept_position_list":[{"dept_id":10,"title":"顾问","is_main":false},{"dept_id":2,"title":"","work_place":"杭州","is_main":true}]"#,
        ),
        (
            json!({"org_unit_titles": null}),
            true,
            r#""dept_position_list":[{"dept_id":10,"is_main":false},{"dept_id":2,"title":"","work_place":"杭州","is_main":true}]"#,
        ),
        (
            json!({"primary_org_unit": "10"}),
            true,
            r#""dept_position_list":[{"dept_id":10,"is_main":true},{"dept_id":2,"title":"工程师","work_place":"杭州","is_main":false}]"#,
        ),
        // Posts are those of the departments that the person gets in the same call.
        (
            json!({"org_units": ["2", "7"], "primary_org_unit": "7"}),
            true,
            r#""dept_id_list":"2,7","dept_position_list":[{"dept_id":2,"title":"工程师","work_place":"杭州","is_main":false},{"dept_id":7,"is_main":true}]"#,
        ),
    ] {
        let found = sent(&changes).await;
        assert_eq!(found, (format!("{{\"userid\":\"u1\",{expected}}}"), read), "{changes}");
    }
}

#[tokio::test]
async fn a_joiner_with_everything() {
    let world = World::with(|settings| settings.registered_abroad = true).await;
    world.answer(USER_CREATE, &json!({"errcode": 0, "result": {"userid": "u1"}})).await;
    let attributes = json!({
        "name": "张三", "mobile": "13800000001", "hide_mobile": true, "org_email": "z@acme.example", "remark": "新",
        "hired_date": 1_597_573_616_828_i64, "senior_mode": false, "extension.衬衫": "L", "org_units": ["10", "2"],
        "org_unit_orders": {"2": 7}, "org_unit_titles": {"2": "工程师"}, "primary_org_unit": "10"
    });
    world.dingtalk.apply(&create(Account, Some("u1"), attributes)).await.expect("created");
    assert_eq!(
        world.body(USER_CREATE).await,
        "{\"userid\":\"u1\",\"name\":\"张三\",\"mobile\":\"+86-13800000001\",\"hide_mobile\":true,\
         \"org_email\":\"z@acme.example\",\"remark\":\"新\",\"hired_date\":1597573616828,\"senior_mode\":false,\
         \"extension\":\"{\\\"衬衫\\\":\\\"L\\\"}\",\"dept_id_list\":\"10,2\",\
         \"dept_order_list\":[{\"dept_id\":2,\"order\":7}],\
         \"dept_position_list\":[{\"dept_id\":10,\"is_main\":true},{\"dept_id\":2,\"title\":\"工程师\",\"is_main\":false}]}"
    );
}

#[tokio::test]
async fn everything_is_read_back() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 0, "result": present()})).await;
    let entity = world.dingtalk.account("u1").await.expect("read").expect("there");
    let expected = json!({
        "name": "张三", "extension.衬衫": "L", "extension.爱好": "旅游", "org_units": ["10", "2"],
        "org_unit_orders": {"2": 176_352_449_285_043_512_i64, "10": 5}, "org_unit_titles": {"2": "工程师"},
        "primary_org_unit": "2", "senior_mode": true, "remark": "左撇子", "org_email": "z@acme.example"
    });
    assert_eq!(json!(entity.attributes), expected, "a switch that is off is as good as none");
}

#[tokio::test]
async fn what_an_update_leaves_of_each_attribute() {
    let attributes = |value: Value| -> Attributes {
        let Value::Object(object) = value else { panic!("an object") };
        object.into_iter().collect()
    };
    let world = World::new().await;
    for (before, changes, expected) in [
        (
            json!({"org_units": ["1", "2"], "org_unit_titles": {"1": "a", "2": "b"}}),
            json!({"org_unit_titles": {"2": null}}),
            json!({"org_units": ["1", "2"], "org_unit_titles": {"1": "a"}}),
        ),
        (
            json!({"org_units": ["1", "2"], "org_unit_orders": {"1": 1, "2": 2}, "primary_org_unit": "2"}),
            json!({"org_units": ["1", "3"]}),
            json!({"org_units": ["1", "3"], "org_unit_orders": {"1": 1}}),
        ),
        (json!({"senior_mode": true}), json!({"senior_mode": false}), json!({})),
        (json!({"extension.a": "1", "extension.b": "2"}), json!({"extension.a": null}), json!({"extension.b": "2"})),
    ] {
        let after = world.dingtalk.after(&attributes(before.clone()), &update(Account, "u1", changes.clone()));
        assert_eq!(json!(after), expected, "{before} {changes}");
    }
}

#[tokio::test]
async fn fields_that_cannot_be_read_are_not_overwritten() {
    let world = World::new().await;
    world.answer(SCOPES, &json!({"errcode": 0, "auth_user_field": ["mobile"]})).await;
    let clear = update(Account, "u1", json!({"extension.衬衫": null}));
    let error = world.dingtalk.apply(&clear).await.expect_err("it would wipe the others");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Forbidden, "extension_unreadable"));
    assert_eq!(world.paths().await, [SCOPES], "nothing was written");

    let hidden = world.dingtalk.unreadable(Account).await.expect("read");
    assert!(hidden.covers("remark") && hidden.covers("extension.衬衫") && !hidden.covers("mobile"));
    assert_eq!(world.paths().await, [SCOPES], "it is remembered");
}

#[tokio::test]
async fn what_cannot_fit_is_not_sent() {
    let all = |changes: Value| update(Account, "u1", changes);
    for (action, code) in [
        (all(json!({"hired_date": "2020"})), "hired_date_malformed"),
        (all(json!({"hired_date": null})), "hired_date_unclearable"),
        (all(json!({"hide_mobile": "yes"})), "hide_mobile_malformed"),
        (all(json!({"org_unit_orders": {"x": 1}})), "org_unit_orders_malformed"),
        (all(json!({"org_unit_titles": ["a"]})), "org_unit_titles_malformed"),
        (all(json!({"extension.": "a"})), "unknown_attribute"),
        (all(json!({"extension.a": "长".repeat(2000)})), "extension_too_long"),
    ] {
        let world = World::new().await;
        let error = world.dingtalk.apply(&action).await.expect_err(code);
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Invalid, code));
        assert!(world.paths().await.is_empty(), "{code} cost a call");
    }
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 0, "result": present()})).await;
    let error = world.dingtalk.apply(&all(json!({"primary_org_unit": "7"}))).await.expect_err("elsewhere");
    assert_eq!((error.code.as_str(), error.attribute), ("primary_org_unit_elsewhere", Some("primary_org_unit")));
}

#[tokio::test]
async fn whoever_is_gone_when_they_are_read_is_not_found() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 60121, "errmsg": "找不到该用户"})).await;
    let error = world.dingtalk.apply(&update(Account, "u1", json!({"primary_org_unit": "2"}))).await.expect_err("gone");
    assert_eq!((error.class, error.outcome_unknown), (ErrorClass::NotFound, false));
}
