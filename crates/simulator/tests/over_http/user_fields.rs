//! Every attribute of a member: written by create and update, shown by user/get and user/list (pages A0055 to A0062).

use rollcall_simulator::{Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, person, unhurried};

const CREATE: &str = "/topapi/v2/user/create";
const UPDATE: &str = "/topapi/v2/user/update";

async fn shown(harness: &Harness, userid: &str) -> (Value, Value) {
    let read = harness.succeed("/topapi/v2/user/get", json!({ "userid": userid })).await;
    let page = json!({ "dept_id": read["dept_id_list"][0], "cursor": 0, "size": 100 });
    let page = harness.succeed("/topapi/v2/user/list", page).await;
    let listed = page["list"].as_array().and_then(|list| list.iter().find(|one| one["userid"] == userid)).cloned();
    (read, listed.expect("the person is in the list"))
}

#[tokio::test]
async fn every_attribute_is_kept_and_shown() {
    let organisation = Organisation { corp_mailbox: true, ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    let east = harness.department("East", 1).await;
    harness.create("boss", "13800000001").await;
    let both = json!([{ "dept_id": 1, "title": "Clerk" }, { "dept_id": east, "title": "Lead" }]);
    let fields = json!({
        "dept_id_list": format!("1,{east}"), "hide_mobile": true, "telephone": "8001", "job_number": "7",
        "title": "Clerk", "email": "a@example.com", "org_email": "a@corp.example.com", "org_email_type": "profession",
        "work_place": "Here", "remark": "R", "dept_order_list": [{ "dept_id": 1, "order": 5 }],
        "dept_title_list": both, "extension": { "hobby": "tea" }, "senior_mode": true, "hired_date": 1_700_000_000_000_i64,
        "extension_i18n": { "hobby": { "zh_CN": "茶" } }, "manager_userid": "boss", "language": "zh_CN"
    });
    harness.succeed(CREATE, merged(person("anna", "13800000002"), &fields)).await;
    let (read, listed) = shown(&harness, "anna").await;
    for (name, value, is_listed) in [
        ("hide_mobile", json!(true), true),
        ("telephone", json!("8001"), true),
        ("job_number", json!("7"), true),
        ("title", json!("Clerk"), true),
        ("email", json!("a@example.com"), true),
        ("org_email", json!("a@corp.example.com"), true),
        ("org_email_type", json!("profession"), false),
        ("work_place", json!("Here"), true),
        ("remark", json!("R"), true),
        ("dept_id_list", json!([1, east]), true),
        ("extension", json!(r#"{"hobby":"tea"}"#), true),
        ("extension_i18n", json!({ "hobby": { "zh_CN": "茶" } }), false),
        ("senior", json!(true), false),
        ("hired_date", json!(1_700_000_000_000_i64), true),
        ("manager_userid", json!("boss"), false),
        ("active", json!(false), true),
        ("admin", json!(false), true),
        ("boss", json!(false), true),
        ("exclusive_account", json!(false), true),
        ("state_code", json!("86"), true),
    ] {
        assert_eq!(read[name], value, "{name}");
        assert_eq!(listed.get(name), is_listed.then_some(&value), "{name} in the list");
    }
    assert_eq!((&read["dept_order_list"][0], &listed["dept_order"]), (&json!({ "dept_id": 1, "order": 5 }), &json!(5)));
    assert_eq!(read["leader_in_dept"][1], json!({ "dept_id": east, "leader": false }));
    let positions = json!([
        { "dept_id": 1, "title": "Clerk", "is_main": false }, { "dept_id": east, "title": "Lead", "is_main": false }
    ]);
    assert_eq!(read["dept_position_list"], positions);
}

#[tokio::test]
async fn one_department_is_the_main_one() {
    let harness = Harness::with(unhurried()).await;
    let east = harness.department("East", 1).await;
    let changes =
        json!({ "dept_id_list": format!("1,{east}"), "dept_position_list": [{ "dept_id": 1, "is_main": true }] });
    harness.succeed(CREATE, merged(person("anna", "13800000001"), &changes)).await;
    let moved = json!([{ "dept_id": east, "is_main": true, "title": "Lead", "work_place": "There" }]);
    harness.succeed(UPDATE, json!({ "userid": "anna", "dept_position_list": moved })).await;
    let (read, _) = shown(&harness, "anna").await;
    let expected = json!([
        { "dept_id": 1, "is_main": false },
        { "dept_id": east, "title": "Lead", "work_place": "There", "is_main": true }
    ]);
    assert_eq!(read["dept_position_list"], expected);
}

#[tokio::test]
async fn an_update_may_name_more_departments_than_a_create() {
    let harness = Harness::with(unhurried()).await;
    let mut ids = Vec::new();
    for number in 0..101 {
        ids.push(harness.department(&format!("D{number}"), 1).await.to_string());
    }
    let all = json!({ "dept_id_list": ids.join(",") });
    assert_eq!(harness.errcode(CREATE, merged(person("anna", "13800000001"), &all)).await, 40066);
    harness.create("anna", "13800000001").await;
    assert_eq!(harness.errcode(UPDATE, merged(json!({ "userid": "anna" }), &all)).await, 0);
}
