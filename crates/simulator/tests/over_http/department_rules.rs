//! What the department APIs refuse, and what their reads show.

use reqwest::Method;
use rollcall_simulator::{Options, Organisation};
use serde_json::json;

use crate::harness::{Harness, merged, person, unhurried};

const CREATE: &str = "/topapi/v2/department/create";
const UPDATE: &str = "/topapi/v2/department/update";
const DELETE: &str = "/topapi/v2/department/delete";
const GET: &str = "/topapi/v2/department/get";
const USER: &str = "/topapi/v2/user/create";

#[tokio::test]
async fn create_refuses_with_the_documented_errcode() {
    let harness = Harness::with(unhurried()).await;
    harness.department("Taken", 1).await;
    let many: Vec<&str> = vec!["1"; 51];
    for (changes, expected) in [
        (json!({ "name": null }), 60001),
        (json!({ "name": " " }), 60001),
        (json!({ "name": "x".repeat(65) }), 60001),
        (json!({ "name": "R-D" }), 60009),
        (json!({ "name": "R,D" }), 60009),
        (json!({ "name": "R，D" }), 60009),
        (json!({ "name": "Taken" }), 60021),
        (json!({ "parent_id": null }), 400_002),
        (json!({ "parent_id": 99 }), 60004),
        (json!({ "parent_id": -7 }), 40010),
        (json!({ "order": 0 }), 40011),
        (json!({ "dept_permits": "99" }), 600_109),
        (json!({ "dept_permits": many.join(",") }), 600_109),
        (json!({ "user_permits": "nobody" }), 600_109),
        (json!({ "brief": "x".repeat(256) }), 400_002),
        (json!({ "parent_id": "1", "order": "3", "hide_dept": "true" }), 0),
    ] {
        let errcode = harness.errcode(CREATE, merged(json!({ "name": "New", "parent_id": 1 }), &changes)).await;
        assert_eq!(errcode, expected, "{changes}");
    }
}

#[tokio::test]
async fn update_refuses_with_the_documented_errcode() {
    let harness = Harness::with(unhurried()).await;
    let top = harness.department("Top", 1).await;
    let below = harness.department("Below", top).await;
    let beside = harness.department("Beside", 1).await;
    harness.succeed(USER, merged(person("anna", "13800000001"), &json!({ "dept_id_list": below.to_string() }))).await;
    for (changes, expected) in [
        (json!({ "dept_id": null }), 400_002),
        (json!({ "dept_id": 99 }), 60003),
        (json!({ "dept_id": -7 }), 40009),
        (json!({ "dept_id": 1, "name": "Root" }), 60018),
        (json!({ "dept_id": beside, "name": "Top" }), 60021),
        (json!({ "dept_id": beside, "name": "Below", "parent_id": top }), 60021),
        (json!({ "dept_id": top, "parent_id": below }), 60010),
        (json!({ "dept_id": top, "parent_id": top }), 60010),
        (json!({ "dept_id": top, "parent_id": 99 }), 60004),
        (json!({ "dept_id": top, "dept_manager_userid_list": "anna" }), 40031),
        (json!({ "dept_id": below, "dept_manager_userid_list": "" }), 40031),
        (json!({ "dept_id": below, "dept_manager_userid_list": "anna,nobody" }), 40031),
        (json!({ "dept_id": top, "org_dept_owner": "anna" }), 40093),
        (json!({ "dept_id": top, "user_permits": "nobody" }), 60109),
        (json!({ "dept_id": top, "code": "x".repeat(31) }), 400_002),
        (json!({ "dept_id": below, "dept_manager_userid_list": "ANNA", "org_dept_owner": "anna" }), 0),
        (json!({ "dept_id": below, "parent_id": beside }), 0),
    ] {
        assert_eq!(harness.errcode(UPDATE, merged(json!({}), &changes)).await, expected, "{changes}");
    }
    let department = harness.succeed(GET, json!({ "dept_id": below })).await;
    assert_eq!(department["parent_id"], beside);
    assert_eq!(department["dept_manager_userid_list"], json!(["anna"]));
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    assert_eq!(anna["leader_in_dept"], json!([{ "dept_id": below, "leader": true }]));

    let clear = json!({ "dept_id": below, "force_update_fields": "dept_manager_userid_list" });
    harness.succeed(UPDATE, clear).await;
    let department = harness.succeed(GET, json!({ "dept_id": below })).await;
    assert_eq!(department["dept_manager_userid_list"], json!([]));
}

#[tokio::test]
async fn only_an_empty_department_can_be_deleted() {
    let harness = Harness::with(unhurried()).await;
    let top = harness.department("Top", 1).await;
    let below = harness.department("Below", top).await;
    harness.succeed(USER, merged(person("anna", "13800000001"), &json!({ "dept_id_list": below.to_string() }))).await;
    assert_eq!(harness.errcode(DELETE, json!({ "dept_id": 1 })).await, 60007);
    assert_eq!(harness.errcode(DELETE, json!({ "dept_id": 99 })).await, 60003);
    assert_eq!(harness.errcode(DELETE, json!({ "dept_id": top })).await, 60005, "members below count");
    harness.succeed("/topapi/v2/user/update", json!({ "userid": "anna", "dept_id_list": 1 })).await;
    assert_eq!(harness.errcode(DELETE, json!({ "dept_id": top })).await, 60006);
    harness.control(Method::PATCH, "/switches", json!({ "cascade_empty_children": true })).await;
    assert_eq!(harness.errcode(DELETE, json!({ "dept_id": top })).await, 0);
    assert_eq!(harness.errcode(GET, json!({ "dept_id": below })).await, 60003);
    harness.department("Top", 1).await;
}

#[tokio::test]
async fn the_tree_reads_in_order_and_level_by_level() {
    let organisation = Organisation { school_departments: true, ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    let later = json!({ "name": "Later", "parent_id": 1, "order": 9 });
    let later = harness.succeed(CREATE, later).await["dept_id"].as_i64().expect("a number");
    let sooner = json!({ "name": "Sooner", "parent_id": 1, "order": 3, "source_identifier": "key" });
    let sooner = harness.succeed(CREATE, sooner).await["dept_id"].as_i64().expect("a number");
    let deep = harness.department("Deep", sooner).await;
    for (userid, mobile, departments) in
        [("anna", "13800000001", format!("{deep},{sooner}")), ("bert", "13800000002", deep.to_string())]
    {
        harness.succeed(USER, merged(person(userid, mobile), &json!({ "dept_id_list": departments }))).await;
    }

    let listed = harness.succeed("/topapi/v2/department/listsubid", json!({ "dept_id": 1 })).await;
    assert_eq!(listed, json!({ "dept_id_list": [sooner, later, -7] }));
    let listed = harness.succeed("/topapi/v2/department/listsub", json!({})).await;
    let first = json!({
        "dept_id": sooner, "name": "Sooner", "parent_id": 1, "create_dept_group": false, "auto_add_user": false
    });
    assert_eq!(listed[0], first);
    assert_eq!(harness.errcode("/topapi/v2/department/listsub", json!({ "dept_id": -7 })).await, 40009);

    let department = harness.succeed(GET, json!({ "dept_id": sooner })).await;
    assert_eq!((&department["member_count"], &department["owning_member_count"]), (&json!(2), &json!(1)));
    assert_eq!((&department["source_identifier"], &department["order"]), (&json!("key"), &json!(3)));
    assert_eq!(harness.succeed(GET, json!({ "dept_id": 1 })).await.get("parent_id"), None);

    let parents = harness.succeed("/topapi/v2/department/listparentbydept", json!({ "dept_id": deep })).await;
    assert_eq!(parents, json!({ "parent_id_list": [deep, sooner, 1] }));
    let parents = harness.succeed("/topapi/v2/department/listparentbyuser", json!({ "userid": "anna" })).await;
    let expected = json!([{ "parent_dept_id_list": [deep, sooner, 1] }, { "parent_dept_id_list": [sooner, 1] }]);
    assert_eq!(parents["parent_list"], expected);

    let token = &harness.token;
    let whole = harness.get_json(&format!("/department/list?access_token={token}&id=1&fetch_child=true")).await;
    let ids: Vec<i64> =
        whole["department"].as_array().expect("a list").iter().filter_map(|entry| entry["id"].as_i64()).collect();
    assert_eq!(ids, [sooner, deep, later]);
}

#[tokio::test]
async fn limits_without_published_numbers_can_be_set() {
    let organisation = Organisation { depth_limit: Some(3), department_limit: Some(4), ..Organisation::default() };
    let harness = Harness::with(Options { organisation, ..unhurried() }).await;
    let second = harness.department("Second", 1).await;
    let third = harness.department("Third", second).await;
    assert_eq!(harness.errcode(CREATE, json!({ "name": "Fourth", "parent_id": third })).await, 60002);
    let other = harness.department("Other", 1).await;
    assert_eq!(harness.errcode(UPDATE, json!({ "dept_id": second, "parent_id": other })).await, 60002);
    assert_eq!(harness.errcode(CREATE, json!({ "name": "One more", "parent_id": 1 })).await, 60110);
}
