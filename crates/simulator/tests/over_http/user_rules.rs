//! What user/create, user/update and user/delete refuse, and what they do.

use reqwest::Method;
use rollcall_simulator::{Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, person, unhurried};

const CREATE: &str = "/topapi/v2/user/create";
const UPDATE: &str = "/topapi/v2/user/update";
const DELETE: &str = "/topapi/v2/user/delete";
const GET: &str = "/topapi/v2/user/get";

#[tokio::test]
async fn create_refuses_with_the_documented_errcode() {
    let organisation =
        Organisation { sensitive_words: vec!["forbidden".to_owned()], corp_mailbox: true, ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    let taken = json!({ "telephone": "8001", "email": "Taken@example.com" });
    harness.succeed(CREATE, merged(person("Existing", "13800000001"), &taken)).await;
    let many: Vec<String> = (1..=101).map(|id| id.to_string()).collect();
    for (changes, expected) in [
        (json!({ "name": null }), 400_002),
        (json!({ "name": "x".repeat(81) }), 60112),
        (json!({ "name": "a\u{7}b" }), 60112),
        (json!({ "name": "a forbidden name" }), 60022),
        (json!({ "userid": "x".repeat(65) }), 33012),
        (json!({ "userid": "a b" }), 33012),
        (json!({ "userid": "Existing" }), 60102),
        (json!({ "userid": "eXISTING" }), 60102),
        (json!({ "mobile": null }), 60113),
        (json!({ "mobile": "" }), 60113),
        (json!({ "mobile": "1380000000" }), 60103),
        (json!({ "mobile": "+8613800000009" }), 60103),
        (json!({ "mobile": "13800000001" }), 60104),
        (json!({ "mobile": "+86-13800000001" }), 60104),
        (json!({ "telephone": "8001" }), 40100),
        (json!({ "telephone": "8".repeat(51) }), 40063),
        (json!({ "email": "taken@EXAMPLE.com" }), 40101),
        (json!({ "email": "no-at-sign" }), 60105),
        (json!({ "email": format!("{}@example.com", "x".repeat(40)) }), 60105),
        (json!({ "org_email": "no-at-sign" }), 60105),
        (json!({ "work_place": "x".repeat(101) }), 40064),
        (json!({ "remark": "x".repeat(2_001) }), 40065),
        (json!({ "title": "x".repeat(201) }), 60119),
        (json!({ "job_number": "x".repeat(51) }), 60123),
        (json!({ "extension": { "key": "x".repeat(2_000) } }), 60122),
        (json!({ "extension": "[not an object" }), 400_002),
        (json!({ "dept_id_list": null }), 40066),
        (json!({ "dept_id_list": "" }), 40066),
        (json!({ "dept_id_list": "1,x" }), 40066),
        (json!({ "dept_id_list": [1] }), 40066),
        (json!({ "dept_id_list": many.join(",") }), 40066),
        (json!({ "dept_id_list": "999" }), 60003),
        (json!({ "dept_id_list": "-7" }), 40009),
        (json!({ "dept_order_list": [{ "dept_id": 2, "order": 1 }] }), 400_002),
        (json!({ "manager_userid": "nobody" }), 60128),
        (json!({ "hide_mobile": "maybe" }), 400_002),
        (json!({ "exclusive_account": true, "exclusive_account_type": "sso" }), 400_002),
    ] {
        let errcode = harness.errcode(CREATE, merged(person("new", "13800000009"), &changes)).await;
        assert_eq!(errcode, expected, "{changes}");
    }
    assert_eq!(harness.userids().await, ["Existing"], "a refused call changes nothing");
}

#[tokio::test]
async fn update_refuses_with_the_documented_errcode() {
    let harness = Harness::with(unhurried()).await;
    for (userid, mobile, changes) in [
        ("anna", "13800000001", json!({ "telephone": "8001", "email": "anna@example.com" })),
        ("bert", "13800000002", json!({})),
    ] {
        harness.succeed(CREATE, merged(person(userid, mobile), &changes)).await;
    }
    harness.post_control("/people", json!({ "mobile": "13800000003" })).await;
    for (changes, expected) in [
        (json!({ "userid": null }), 400_002),
        (json!({ "userid": "nobody" }), 60121),
        (json!({ "name": "" }), 60112),
        (json!({ "telephone": "8001" }), 40100),
        (json!({ "email": "anna@example.com" }), 40101),
        (json!({ "dept_id_list": "" }), 40066),
        (json!({ "dept_id_list": "5" }), 60003),
        (json!({ "manager_userid": "nobody" }), 60128),
        (json!({ "ext_attrs_update_mode": 2, "extension": {} }), 400_002),
        (json!({ "mobile": "13800000001" }), 60104),
        (json!({ "mobile": "13800000003" }), 40021),
        (json!({ "mobile": "13800000009" }), 41054),
        (json!({ "mobile": "13800000002", "title": "same number, so this works" }), 0),
    ] {
        let errcode = harness.errcode(UPDATE, merged(json!({ "userid": "bert" }), &changes)).await;
        assert_eq!(errcode, expected, "{changes}");
    }
    harness.post_control("/users/bert/login", Value::Null).await;
    let change = json!({ "userid": "bert", "mobile": "13800000009", "title": "lost" });
    assert_eq!(harness.errcode(UPDATE, change).await, 40022, "the number is bound once the person has logged in");
    let bert = harness.succeed(GET, json!({ "userid": "bert" })).await;
    assert_eq!(bert["title"], "same number, so this works", "the whole update was refused");
    assert_eq!(bert["active"], true);
}

#[tokio::test]
async fn update_is_partial_and_departments_are_replaced() {
    let harness = Harness::with(unhurried()).await;
    let (east, west) = (harness.department("East", 1).await, harness.department("West", 1).await);
    harness.create("boss", "13800000001").await;
    let fields = json!({
        "title": "Clerk", "remark": "kept", "manager_userid": "boss", "dept_id_list": format!("{east},1"),
        "dept_order_list": [{ "dept_id": east, "order": 7 }], "extension": { "a": "1", "b": "2" }
    });
    harness.succeed(CREATE, merged(person("anna", "13800000002"), &fields)).await;

    let moved = json!({ "userid": "anna", "dept_id_list": west.to_string(), "title": "", "manager_userid": "" });
    harness.succeed(UPDATE, moved).await;
    let anna = harness.succeed(GET, json!({ "userid": "anna" })).await;
    assert_eq!(anna["dept_id_list"], json!([west]));
    assert_eq!(anna["dept_order_list"].as_array().map(Vec::len), Some(1));
    assert_eq!(anna.get("title"), None, "an empty text clears, and what is empty is absent");
    assert_eq!(anna["remark"], "kept");
    assert_eq!(anna["manager_userid"], "boss", "an empty text does not clear the manager");

    harness.succeed(UPDATE, json!({ "userid": "anna", "force_update_fields": "manager_userid" })).await;
    let anna = harness.succeed(GET, json!({ "userid": "anna" })).await;
    assert_eq!(anna.get("manager_userid"), None);

    harness.succeed(UPDATE, json!({ "userid": "anna", "dept_id_list": east.to_string() })).await;
    let anna = harness.succeed(GET, json!({ "userid": "anna" })).await;
    assert_ne!(anna["dept_order_list"][0]["order"], 7, "what belonged to the membership went with it");
}

#[tokio::test]
async fn extension_is_overwritten_unless_told_to_append() {
    let harness = Harness::start().await;
    harness
        .succeed(CREATE, merged(person("anna", "13800000001"), &json!({ "extension": { "a": "1", "b": "2" } })))
        .await;
    for (changes, expected) in [
        (json!({ "extension": { "c": "3" }, "ext_attrs_update_mode": 1 }), Some(r#"{"a":"1","b":"2","c":"3"}"#)),
        (json!({ "extension": "{\"c\":\"4\"}" }), Some(r#"{"c":"4"}"#)),
        (json!({ "title": "unrelated" }), Some(r#"{"c":"4"}"#)),
        (json!({ "extension": {} }), None),
    ] {
        harness.succeed(UPDATE, merged(json!({ "userid": "anna" }), &changes)).await;
        let anna = harness.succeed(GET, json!({ "userid": "anna" })).await;
        assert_eq!(anna.get("extension").and_then(Value::as_str), expected, "{changes}");
    }
}

#[tokio::test]
async fn an_empty_text_is_ignored_when_switched_so() {
    let harness = Harness::start().await;
    harness.succeed(CREATE, merged(person("anna", "13800000001"), &json!({ "title": "Clerk" }))).await;
    harness.control(Method::PATCH, "/switches", json!({ "empty_string_clears": false })).await;
    harness.succeed(UPDATE, json!({ "userid": "anna", "title": "" })).await;
    assert_eq!(harness.succeed(GET, json!({ "userid": "anna" })).await["title"], "Clerk");
}

#[tokio::test]
async fn smart_hr_guards_titles_and_departments() {
    let harness = Harness::start().await;
    harness.create("anna", "13800000001").await;
    let dept_id = harness.department("East", 1).await;
    harness.control(Method::PATCH, "/organisation", json!({ "hr_position_management": true })).await;
    for (changes, expected) in [
        (json!({ "title": "Chief" }), 12150),
        (json!({ "dept_id_list": dept_id.to_string() }), 12150),
        (json!({ "dept_id_list": "1" }), 0),
        (json!({ "remark": "fine" }), 0),
    ] {
        let errcode = harness.errcode(UPDATE, merged(json!({ "userid": "anna" }), &changes)).await;
        assert_eq!(errcode, expected, "{changes}");
    }
}

#[tokio::test]
async fn a_leaver_leaves_no_trace_behind() {
    let harness = Harness::with(unhurried()).await;
    let dept_id = harness.department("East", 1).await;
    let fields = json!({ "dept_id_list": dept_id.to_string(), "telephone": "8001" });
    harness.succeed(CREATE, merged(person("boss", "13800000001"), &fields)).await;
    harness.succeed(CREATE, merged(person("anna", "13800000002"), &json!({ "manager_userid": "boss" }))).await;
    let managers = json!({ "dept_id": dept_id, "dept_manager_userid_list": "boss" });
    harness.succeed("/topapi/v2/department/update", managers).await;

    harness.succeed(DELETE, json!({ "userid": "boss" })).await;
    assert_eq!(harness.errcode(DELETE, json!({ "userid": "boss" })).await, 60121);
    assert_eq!(harness.errcode(GET, json!({ "userid": "boss" })).await, 60121);
    let anna = harness.succeed(GET, json!({ "userid": "anna" })).await;
    assert_eq!(anna.get("manager_userid"), None);
    let department = harness.succeed("/topapi/v2/department/get", json!({ "dept_id": dept_id })).await;
    assert_eq!(department["dept_manager_userid_list"], json!([]));
    let again = merged(person("carl", "13800000003"), &json!({ "telephone": "8001" }));
    assert_eq!(harness.errcode(CREATE, again).await, 0, "the extension number is free again");
}

#[tokio::test]
async fn the_main_administrator_stays() {
    let harness = Harness::start().await;
    let admin = merged(person("admin", "13800000001"), &json!({ "action": "create_user", "admin_level": 1 }));
    harness.post_control("/edit", admin).await;
    assert_eq!(harness.errcode(DELETE, json!({ "userid": "admin" })).await, 400_002);
    let admins = harness.succeed("/topapi/user/listadmin", json!({})).await;
    assert_eq!(admins, json!([{ "sys_level": 1, "userid": "admin" }]));
    harness.post_control("/edit", json!({ "action": "delete_user", "userid": "admin" })).await;
    assert_eq!(harness.userids().await, Vec::<String>::new(), "an admin in the console may");
}
