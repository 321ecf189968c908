//! Lists of many: pages that end, and failures that are never an empty list.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, Cursor, ErrorClass, Page};
use rollcall_provisioning::entity::Entity;
use serde_json::{Value, json};

fn page(ids: &[&str], more: Option<u64>) -> Value {
    let list: Vec<Value> = ids.iter().map(|id| json!({"userid": id, "name": "a", "dept_id_list": [7]})).collect();
    json!({"errcode": 0, "result": {"has_more": more.is_some(), "next_cursor": more, "list": list}})
}

fn ids(page: &Page<Entity>) -> Vec<&str> {
    page.items.iter().map(|entity| entity.remote_id.as_str()).collect()
}

#[tokio::test]
async fn people_page_by_page() {
    let world = World::new().await;
    let pages = vec![page(&["a", "b"], Some(100)), page(&["c"], None)];
    world.answer_in_turn(USER_LIST, pages).await;
    let first = world.dingtalk.accounts_in("7", None).await.expect("a page");
    assert_eq!(ids(&first), ["a", "b"]);
    let second = world.dingtalk.accounts_in("7", first.next.as_ref()).await.expect("a page");
    assert_eq!((ids(&second), second.next.is_none()), (vec!["c"], true));
    let bodies = world.received(USER_LIST).await;
    let bodies: Vec<&str> = bodies.iter().map(|request| std::str::from_utf8(&request.body).unwrap()).collect();
    assert_eq!(bodies, [r#"{"dept_id":7,"cursor":0,"size":100}"#, r#"{"dept_id":7,"cursor":100,"size":100}"#]);
}

#[tokio::test]
async fn a_list_does_not_show_everything() {
    let world = World::new().await;
    let person = json!({
        "userid": "a", "name": "张三", "dept_id_list": [7], "dept_order": 176_352_449_285_043_512_i64, "leader": true,
        "extension": {"衬衫": "L"}, "hide_mobile": true, "hired_date": "1597573616828"
    });
    world.answer(USER_LIST, &json!({"errcode": "0", "result": {"has_more": "false", "list": person}})).await;
    let page = world.dingtalk.accounts_in("7", None).await.expect("a page");
    let expected = json!({
        "name": "张三", "org_units": ["7"], "extension.衬衫": "L", "hide_mobile": true, "hired_date": 1_597_573_616_828_i64
    });
    assert_eq!(json!(page.items[0].attributes), expected);
    for name in ["manager", "senior_mode", "org_unit_orders", "org_unit_titles", "primary_org_unit"] {
        assert!(world.dingtalk.unlisted().covers(name), "{name}");
    }
}

#[tokio::test]
async fn a_failed_page_is_never_an_empty_one() {
    for (answer, class, code) in [
        (json!({"errcode": 60003, "errmsg": "部门不存在"}), ErrorClass::NotFound, "60003"),
        (json!({"errcode": 60019, "errmsg": "…"}), ErrorClass::Transient, "60019"),
        (json!({"errcode": 50004, "errmsg": "…"}), ErrorClass::Forbidden, "50004"),
        (json!({"errcode": 0}), ErrorClass::Transient, "unreadable"),
        (json!({"errcode": 0, "result": {}}), ErrorClass::Transient, "unreadable"),
        (json!({"errcode": 0, "result": {"has_more": true, "list": []}}), ErrorClass::Transient, "unreadable"),
        (json!({"errcode": 0, "result": {"list": [{"name": "a"}]}}), ErrorClass::Transient, "unreadable"),
        (json!({"errcode": 0, "result": {"has_more": false, "list": "?"}}), ErrorClass::Transient, "unreadable"),
        (page(&["a"], Some(0)), ErrorClass::Transient, "list_in_circle"),
    ] {
        let world = World::new().await;
        world.answer(USER_LIST, &answer).await;
        let error = world.dingtalk.accounts_in("7", None).await.expect_err(code);
        assert_eq!((error.class, error.code.as_str()), (class, code), "{answer}");
    }
    let world = World::new().await;
    world.answer(USER_LIST, &json!({"errcode": 0, "result": {"has_more": false}})).await;
    assert!(world.dingtalk.accounts_in("7", None).await.expect("nobody is in it").items.is_empty());
    world.dingtalk.accounts_in("7", Some(&Cursor::start("x"))).await.expect_err("a place of another list");
}

#[tokio::test]
async fn a_place_that_does_not_move_ends_the_list() {
    let world = World::new().await;
    world.answer(USER_LIST, &page(&["a"], Some(100))).await;
    let first = world.dingtalk.accounts_in("7", None).await.expect("a page");
    let error = world.dingtalk.accounts_in("7", first.next.as_ref()).await.expect_err("the same place again");
    assert_eq!(error.code, "list_in_circle");
}

#[tokio::test]
async fn how_many_and_who_administers() {
    let world = World::new().await;
    world.answer(USER_COUNT, &json!({"errcode": 0, "result": {"count": "1203"}})).await;
    world
        .answer(
            USER_ADMINS,
            &json!({"errcode": 0, "result": [{"sys_level": 1, "userid": "boss"}, {"sys_level": 2, "userid": 7}]}),
        )
        .await;
    assert_eq!(world.dingtalk.account_count().await.expect("a number"), 1203);
    assert_eq!(world.body(USER_COUNT).await, r#"{"only_active":false}"#);
    assert_eq!(world.dingtalk.administrators().await.expect("administrators"), ["boss", "7"]);
    for answer in [json!({"errcode": 0}), json!({"errcode": 0, "result": "?"}), json!({"errcode": 0, "result": [{}]})] {
        let world = World::new().await;
        world.answer(USER_ADMINS, &answer).await;
        world.answer(USER_COUNT, &answer).await;
        world.dingtalk.administrators().await.expect_err("not an empty list");
        world.dingtalk.account_count().await.expect_err("no number");
    }
}

#[tokio::test]
async fn the_departments_below_one() {
    let children = json!([{"dept_id": -7, "name": "家校通讯录"}, {"dept_id": "8", "name": "研发"}, {"dept_id": 9, "name": "销售"}]);
    let world = World::new().await;
    world.answer(LISTSUB, &json!({"errcode": 0, "result": children})).await;
    let found = world.dingtalk.children("1").await.expect("a list");
    let found: Vec<_> = found.iter().map(|child| (child.remote_id.as_str(), child.name.as_str())).collect();
    assert_eq!(found, [("8", "研发"), ("9", "销售")], "no pseudo-department of a school");
    for answer in [json!({"errcode": 60003}), json!({"errcode": 0}), json!({"errcode": 0, "result": [{"dept_id": 8}]})]
    {
        let world = World::new().await;
        world.answer(LISTSUB, &answer).await;
        world.dingtalk.children("7").await.expect_err("not an empty list");
    }
}
