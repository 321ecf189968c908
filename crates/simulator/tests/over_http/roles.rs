//! Role groups, roles and who holds them (pages A0086 to A0096).

use reqwest::{Method, StatusCode};
use rollcall_simulator::{Options, Switches};
use serde_json::{Value, json};

use crate::harness::{Harness, merged, unhurried};

const ADD: &str = "/topapi/role/addrolesforemps";
const REMOVE: &str = "/topapi/role/removerolesforemps";
const HOLDERS: &str = "/topapi/role/simplelist";
const LIST: &str = "/topapi/role/list";

/// A simulator with one group, one role in it, and two people.
async fn harness(switches: Switches) -> (Harness, i64, i64) {
    let harness = Harness::with(Options { switches, ..unhurried() }).await;
    let group = made(&harness, "/role/add_role_group", json!({ "name": "Jobs" }), "groupId").await;
    let role = made(&harness, "/role/add_role", json!({ "roleName": "Cashier", "groupId": group }), "roleId").await;
    harness.create("anna", "13800000001").await;
    harness.create("bert", "13800000002").await;
    (harness, group, role)
}

async fn made(harness: &Harness, path: &str, body: Value, id: &str) -> i64 {
    let answer = harness.call(path, body).await;
    assert_eq!(
        answer,
        json!({ "errcode": 0, "errmsg": "ok", id: answer[id] }),
        "the id is at the top, and no request id"
    );
    answer[id].as_i64().expect("a number")
}

async fn holders(harness: &Harness, role: i64) -> Vec<String> {
    let page = harness.succeed(HOLDERS, json!({ "role_id": role, "offset": 0, "size": 100 })).await;
    let list = page["list"].as_array().expect("a list");
    list.iter().filter_map(|holder| holder["userid"].as_str()).map(str::to_owned).collect()
}

#[tokio::test]
async fn roles_are_refused_with_the_documented_errcode() {
    let (harness, group, role) = harness(Switches::default()).await;
    let groups = harness.succeed(LIST, json!({})).await;
    let (default, main_admin) = (&groups["list"][0]["groupId"], &groups["list"][0]["roles"][2]["id"]);
    let many = |count: i64| (0..count).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
    let ids = |roles: Value, users: &str| json!({ "roleIds": roles, "userIds": users });
    for (api, body, expected) in [
        ("/role/add_role_group", json!({}), 34018),
        ("/role/add_role_group", json!({ "name": "Jobs" }), 34021),
        ("/role/add_role", json!({ "groupId": group }), 34018),
        ("/role/add_role", json!({ "roleName": "x" }), 34018),
        ("/role/add_role", json!({ "roleName": "x", "groupId": 1 }), 34020),
        ("/role/add_role", json!({ "roleName": "Cashier", "groupId": group }), 34021),
        ("/role/add_role", json!({ "roleName": "x", "groupId": default }), 23004),
        ("/role/update_role", json!({ "roleName": "", "roleId": role }), 660_000),
        ("/role/update_role", json!({ "roleName": "x" }), 660_000),
        ("/role/update_role", json!({ "roleName": "x", "roleId": 1 }), 33011),
        ("/role/update_role", json!({ "roleName": "x", "roleId": main_admin }), 23004),
        ("/topapi/role/deleterole", json!({}), 33011),
        ("/topapi/role/deleterole", json!({ "role_id": 1 }), 33011),
        ("/topapi/role/deleterole", json!({ "role_id": main_admin }), 23004),
        ("/topapi/role/getrole", json!({ "roleId": 1 }), 33011),
        ("/topapi/role/getrolegroup", json!({ "group_id": 1 }), 400_002),
        (HOLDERS, json!({ "role_id": 1 }), 33011),
        (HOLDERS, json!({ "role_id": role, "size": 101, "offset": 0 }), 40069),
        (HOLDERS, json!({ "role_id": role, "size": 0, "offset": 0 }), 40069),
        (HOLDERS, json!({ "role_id": role, "size": 1, "offset": -1 }), 40068),
        (HOLDERS, json!({ "role_id": role, "size": 500 }), 0),
        (LIST, json!({ "size": 201, "offset": 0 }), 40069),
        (LIST, json!({ "size": 200, "offset": 0 }), 0),
        (ADD, ids(json!(""), "anna"), 33011),
        (ADD, ids(json!("1"), "anna"), 33011),
        (ADD, ids(json!("x"), "anna"), 33011),
        (ADD, ids(json!(role), ""), 33012),
        (ADD, ids(json!(role), "nobody"), 33012),
        (ADD, ids(main_admin.clone(), "anna"), 23004),
        (ADD, ids(json!(many(21)), "anna"), 400_002),
        (ADD, ids(json!(role), &many(21)), 400_002),
        (REMOVE, ids(json!(role), &many(21)), 33012),
        (REMOVE, ids(json!(role), &many(101)), 400_002),
    ] {
        assert_eq!(harness.errcode(api, body.clone()).await, expected, "{api} {body}");
    }
    assert_eq!(holders(&harness, role).await, Vec::<String>::new());
}

#[tokio::test]
async fn people_are_given_roles_and_lose_them() {
    let (harness, group, role) = harness(Switches::default()).await;
    let other = made(&harness, "/role/add_role", json!({ "roleName": "Auditor", "groupId": group }), "roleId").await;
    let both = json!({ "roleIds": format!("{role},{other}"), "userIds": "anna,BERT" });
    for _ in 0..2 {
        harness.succeed(ADD, both.clone()).await;
        assert_eq!(holders(&harness, role).await, ["anna", "bert"], "an id is kept in its own spelling");
    }
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    let expected = json!([
        { "id": role, "name": "Cashier", "group_name": "Jobs" },
        { "id": other, "name": "Auditor", "group_name": "Jobs" },
    ]);
    assert_eq!(anna["role_list"], expected);
    let answer = harness.call("/topapi/role/getrole", json!({ "roleId": role })).await;
    assert_eq!(answer["role"], json!({ "name": "Cashier", "groupId": group }));

    for errcode in [23004, 1002] {
        harness.control(Method::PATCH, "/switches", json!({ "held_role_delete_errcode": errcode })).await;
        assert_eq!(harness.errcode("/topapi/role/deleterole", json!({ "role_id": role })).await, errcode);
    }
    for _ in 0..2 {
        harness.succeed(REMOVE, json!({ "roleIds": role, "userIds": "anna" })).await;
        assert_eq!(holders(&harness, role).await, ["bert"]);
    }
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "bert" })).await;
    assert_eq!(holders(&harness, role).await, Vec::<String>::new(), "a leaver holds nothing");
    harness.succeed("/topapi/role/deleterole", json!({ "role_id": role })).await;
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    assert_eq!(anna["role_list"], json!([{ "id": other, "name": "Auditor", "group_name": "Jobs" }]));
    let commits = harness.calls(ADD).await.iter().filter(|call| call["committed"] == true).count();
    assert_eq!(commits, 1, "the second time nothing changed");
}

#[tokio::test]
async fn one_unknown_person_stops_a_batch_or_not() {
    for (atomic, expected) in [(true, vec![]), (false, vec!["anna", "bert"])] {
        let (harness, _, role) = harness(Switches { role_batch_is_atomic: atomic, ..Switches::default() }).await;
        let body = json!({ "roleIds": role, "userIds": "anna,nobody,bert" });
        assert_eq!(harness.errcode(ADD, body).await, 33012);
        assert_eq!(holders(&harness, role).await, expected, "atomic={atomic}");
        assert_eq!(harness.calls(ADD).await[0]["committed"], !atomic);
    }
}

#[tokio::test]
async fn names_are_unique_in_their_group_or_everywhere() {
    for (everywhere, expected) in [(false, 0), (true, 34021)] {
        let switches = Switches { role_names_are_unique_in_organisation: everywhere, ..Switches::default() };
        let (harness, group, role) = harness(switches).await;
        let other = made(&harness, "/role/add_role_group", json!({ "name": "Skills" }), "groupId").await;
        let body = json!({ "roleName": "Cashier", "groupId": other });
        assert_eq!(harness.errcode("/role/add_role", body).await, expected, "everywhere={everywhere}");
        let rename = json!({ "roleId": role, "roleName": "Cashier" });
        assert_eq!(harness.errcode("/role/update_role", rename).await, 0, "its own name is free to itself");
        let group = harness.call("/topapi/role/getrolegroup", json!({ "group_id": group })).await;
        let expected = json!({ "group_name": "Jobs", "roles": [{ "role_id": role, "role_name": "Cashier" }] });
        assert_eq!(group["role_group"], expected);
    }
}

#[tokio::test]
async fn a_page_counts_groups_and_begins_with_the_default_one() {
    let (harness, group, role) = harness(Switches::default()).await;
    let page = harness.succeed(LIST, json!({ "offset": 0, "size": 1 })).await;
    let (name, roles) = (&page["list"][0]["name"], page["list"][0]["roles"].as_array().expect("a list"));
    let names: Vec<&str> = roles.iter().filter_map(|role| role["name"].as_str()).collect();
    assert_eq!((name, names), (&json!("默认"), vec!["负责人", "主管", "主管理员", "子管理员"]));
    assert_eq!(page["hasMore"], true);
    let page = harness.succeed(LIST, json!({ "offset": 1, "size": 1 })).await;
    let own = json!({ "groupId": group, "name": "Jobs", "roles": [{ "id": role, "name": "Cashier" }] });
    assert_eq!(page, json!({ "hasMore": false, "list": [own] }));

    let (managers, admins) = (roles[1]["id"].as_i64().expect("an id"), roles[2]["id"].as_i64().expect("an id"));
    harness.post_control("/edit", json!({ "action": "update_user", "userid": "bert", "admin_level": 1 })).await;
    let east = harness.department("East", 1).await;
    let moved = merged(json!({ "userid": "anna" }), &json!({ "dept_id_list": east.to_string() }));
    harness.succeed("/topapi/v2/user/update", moved).await;
    let leads = json!({ "dept_id": east, "dept_manager_userid_list": "anna" });
    harness.succeed("/topapi/v2/department/update", leads).await;
    assert_eq!(holders(&harness, managers).await, ["anna"]);
    assert_eq!(holders(&harness, admins).await, ["bert"]);
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    assert_eq!(anna["role_list"], json!([{ "id": managers, "name": "主管", "group_name": "默认" }]));
}

#[tokio::test]
async fn holders_manage_departments_within_a_role() {
    let (harness, _, role) = harness(Switches::default()).await;
    let scope = "/topapi/role/scope/update";
    let east = harness.department("East", 1).await;
    harness.succeed(ADD, json!({ "roleIds": role, "userIds": "anna" })).await;
    let many = vec!["1"; 51].join(",");
    for (changes, expected) in [
        (json!({ "userid": null }), 40003),
        (json!({ "userid": "nobody" }), 46004),
        (json!({ "role_id": null }), 34018),
        (json!({ "role_id": 1 }), 60301),
        (json!({ "dept_ids": "99" }), 60003),
        (json!({ "dept_ids": many }), 400_002),
        (json!({ "userid": "bert" }), 400_002),
        (json!({}), 0),
    ] {
        let body = merged(json!({ "userid": "anna", "role_id": role, "dept_ids": east.to_string() }), &changes);
        assert_eq!(harness.errcode(scope, body).await, expected, "{changes}");
    }
    let page = harness.succeed(HOLDERS, json!({ "role_id": role })).await;
    let expected =
        json!({ "userid": "anna", "name": "Person anna", "manageScopes": [{ "dept_id": east, "name": "East" }] });
    assert_eq!(page, json!({ "hasMore": false, "list": [expected] }));
    harness.succeed(scope, json!({ "userid": "anna", "role_id": role })).await;
    let page = harness.succeed(HOLDERS, json!({ "role_id": role })).await;
    assert_eq!(
        page["list"],
        json!([{ "userid": "anna", "name": "Person anna" }]),
        "without departments it is everyone"
    );
}

#[tokio::test]
async fn an_admin_may_do_more_with_roles() {
    let (harness, group, role) = harness(Switches::default()).await;
    let edit = async |body: Value| harness.control(Method::POST, "/edit", body).await;
    for (body, status) in [
        (json!({ "action": "add_role_holders", "roleIds": role, "userIds": "anna" }), StatusCode::OK),
        (json!({ "action": "update_role", "roleId": role, "roleName": "Teller" }), StatusCode::OK),
        (json!({ "action": "update_role_group", "groupId": group, "name": "Posts" }), StatusCode::OK),
        (json!({ "action": "delete_role_group", "groupId": group }), StatusCode::CONFLICT),
        (json!({ "action": "remove_role_holders", "roleIds": role, "userIds": "bert" }), StatusCode::OK),
    ] {
        assert_eq!(edit(body.clone()).await.0, status, "{body}");
    }
    let state = harness.state().await;
    assert_eq!(state["role_groups"][1], json!({ "group_id": group, "name": "Posts" }));
    let shown = state["roles"].as_array().and_then(|roles| roles.last()).expect("a role");
    let expected = json!({ "role_id": role, "group_id": group, "name": "Teller", "holders": { "anna": [] } });
    assert_eq!(shown, &expected);
    let (_, made) = edit(json!({ "action": "create_role_group", "name": "Short-lived" })).await;
    let (_, made_role) = edit(json!({ "action": "create_role", "groupId": made["groupId"], "roleName": "r" })).await;
    let delete = json!({ "action": "delete_role", "role_id": made_role["roleId"] });
    assert_eq!(edit(delete).await.0, StatusCode::OK);
    let delete = json!({ "action": "delete_role_group", "groupId": made["groupId"] });
    assert_eq!(edit(delete).await.0, StatusCode::OK);
    assert_eq!(harness.state().await["role_groups"].as_array().map(Vec::len), Some(2));
}
