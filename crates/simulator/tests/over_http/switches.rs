//! The questions that DingTalk's documents leave open, answered either way.

use reqwest::Method;
use rollcall_simulator::{Options, Switches};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, person, unhurried};

const CREATE: &str = "/topapi/v2/user/create";
const DELETE: &str = "/topapi/v2/user/delete";

async fn harness(switches: Switches) -> Harness {
    Harness::with(Options { switches, ..unhurried() }).await
}

#[tokio::test]
async fn what_a_user_id_may_be() {
    for (strict, ignores_case, userid, expected) in [
        (true, true, "a.b@c", 33012),
        (false, true, "a.b@c", 0),
        (false, true, "张三", 0),
        (false, true, "a\nb", 33012),
        (true, true, "ANNA", 60102),
        (true, false, "ANNA", 0),
        (true, false, "anna", 60102),
    ] {
        let switches =
            Switches { userid_strict_charset: strict, userid_ignores_case: ignores_case, ..Switches::default() };
        let harness = harness(switches).await;
        harness.create("anna", "13800000001").await;
        let errcode = harness.errcode(CREATE, person(userid, "13800000002")).await;
        assert_eq!(errcode, expected, "{userid:?} strict={strict} ignores_case={ignores_case}");
    }
}

#[tokio::test]
async fn what_an_empty_text_does() {
    for (clears, expected) in [(true, None), (false, Some(&json!("kept")))] {
        let harness = harness(Switches { empty_string_clears: clears, ..Switches::default() }).await;
        harness.succeed(CREATE, merged(person("anna", "13800000001"), &json!({ "remark": "kept" }))).await;
        harness.succeed("/topapi/v2/user/update", json!({ "userid": "anna", "remark": "" })).await;
        let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
        assert_eq!(anna.get("remark"), expected, "clears={clears}");

        let dept_id = harness.department("East", 1).await;
        for code in ["kept", ""] {
            harness.succeed("/topapi/v2/department/update", json!({ "dept_id": dept_id, "code": code })).await;
        }
        let east = harness.succeed("/topapi/v2/department/get", json!({ "dept_id": dept_id })).await;
        assert_eq!(east.get("code"), expected, "clears={clears}");

        let labels = harness.call("/topapi/extcontact/listlabelgroups", json!({})).await;
        let contact = json!({
            "name": "Client", "mobile": "13900000001", "state_code": "86", "follower_user_id": "anna", "remark": "kept",
            "label_ids": [labels["results"][0]["labels"][0]["id"]]
        });
        let made = harness.call("/topapi/extcontact/create", json!({ "contact": contact })).await;
        let changed = merged(contact, &json!({ "user_id": made["userid"], "remark": "" }));
        harness.succeed("/topapi/extcontact/update", json!({ "contact": changed })).await;
        let contact = harness.succeed("/topapi/extcontact/get", json!({ "user_id": made["userid"] })).await;
        assert_eq!(contact.get("remark"), expected, "clears={clears}");
    }
}

#[tokio::test]
async fn whether_a_former_id_may_be_given_again() {
    for (taken, expected) in [(false, 0), (true, 60102)] {
        let switches =
            Switches { departed_userid_is_taken: taken, same_day_rejoin_needs_consent: false, ..Switches::default() };
        let harness = harness(switches).await;
        harness.create("anna", "13800000001").await;
        harness.succeed(DELETE, json!({ "userid": "anna" })).await;
        assert_eq!(harness.create("anna", "13800000002").await["errcode"], expected, "taken={taken}");
        assert_eq!(harness.create("anna2", "13800000001").await["errcode"], 0, "the number is free in any case");
    }
}

#[tokio::test]
async fn what_deleting_the_main_administrator_answers() {
    for errcode in [400_002, -1] {
        let harness = harness(Switches { main_admin_delete_errcode: errcode, ..Switches::default() }).await;
        for (userid, mobile) in [("anna", "13800000001"), ("bert", "13800000002")] {
            let admin = json!({ "action": "create_user", "admin_level": 1 });
            harness.post_control("/edit", merged(person(userid, mobile), &admin)).await;
        }
        assert_eq!(harness.errcode(DELETE, json!({ "userid": "bert" })).await, errcode);
        let admins = harness.succeed("/topapi/user/listadmin", json!({})).await;
        assert_eq!(admins, json!([{ "sys_level": 1, "userid": "bert" }]), "there is one main administrator");
        assert_eq!(harness.errcode(DELETE, json!({ "userid": "anna" })).await, 0, "who is so no longer may go");
    }
}

#[tokio::test]
async fn what_a_second_invitation_answers() {
    for (errcode, times) in [(40103, 2), (60104, 1)] {
        let harness = harness(Switches { reinvite_errcode: errcode, ..Switches::default() }).await;
        harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
        assert_eq!(harness.create("anna", "13900000001").await["errcode"], 40103);
        assert_eq!(harness.create("anna", "13900000001").await["errcode"], errcode);
        assert_eq!(harness.state().await["invitations"][0]["times"], times);
    }
}

#[tokio::test]
async fn whether_the_last_page_has_a_cursor_and_errors_are_wrapped() {
    let switches = Switches { next_cursor_on_last_page: true, wraps_business_errors: true, ..Switches::default() };
    let harness = harness(switches).await;
    harness.create("anna", "13800000001").await;
    let page = json!({ "dept_id": 1, "cursor": 0, "size": 10 });
    let page = harness.succeed("/topapi/v2/user/list", page).await;
    assert_eq!((&page["has_more"], &page["next_cursor"]), (&json!(false), &json!(1)));
    let answer = harness.call("/topapi/v2/user/get", json!({ "userid": "nobody" })).await;
    assert_eq!((&answer["errcode"], &answer["sub_code"]), (&json!(88), &json!("60121")));
    let answer = harness.call("/role/add_role", json!({ "roleName": "x", "groupId": 1 })).await;
    assert_eq!(answer["errcode"], 34020, "paths from before the gateway stay bare");
}

#[tokio::test]
async fn lists_whose_order_nobody_tells_can_come_the_other_way_round() {
    let harness = harness(Switches::default()).await;
    for (userid, mobile, level) in [("a", "13800000001", 1), ("b", "13800000002", 2)] {
        let changes = json!({ "action": "create_user", "admin_level": level });
        harness.post_control("/edit", merged(person(userid, mobile), &changes)).await;
    }
    for name in ["East", "West"] {
        harness.department(name, 1).await;
    }
    let group = harness.call("/role/add_role_group", json!({ "name": "Jobs" })).await;
    let role = harness.call("/role/add_role", json!({ "roleName": "Cashier", "groupId": group["groupId"] })).await;
    harness.succeed("/topapi/role/addrolesforemps", json!({ "roleIds": role["roleId"], "userIds": "a,b" })).await;
    let paged = json!({ "dept_id": 1, "cursor": 0, "size": 10 });
    let ordered = merged(paged.clone(), &json!({ "order_field": "entry_asc" }));
    for (api, body, pointer, reverses) in [
        ("/topapi/user/listid", json!({ "dept_id": 1 }), "/userid_list", true),
        ("/topapi/user/listsimple", paged, "/list", true),
        ("/topapi/user/listsimple", ordered, "/list", false),
        ("/topapi/user/listadmin", json!({}), "", true),
        ("/topapi/v2/department/listsub", json!({}), "", true),
        ("/topapi/v2/department/listsubid", json!({ "dept_id": 1 }), "/dept_id_list", true),
        ("/topapi/role/list", json!({}), "/list", true),
        ("/topapi/role/simplelist", json!({ "role_id": role["roleId"] }), "/list", true),
    ] {
        let mut lists = Vec::new();
        for reversed in [false, true] {
            harness.control(Method::PATCH, "/switches", json!({ "reverses_undocumented_order": reversed })).await;
            let answer = harness.succeed(api, body.clone()).await;
            lists.push(answer.pointer(pointer).and_then(Value::as_array).expect("a list").clone());
        }
        if reverses {
            lists[1].reverse();
        }
        assert_eq!((lists[0].len(), &lists[0]), (2, &lists[1]), "{api} {body}");
    }
}
