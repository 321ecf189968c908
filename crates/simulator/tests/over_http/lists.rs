//! Member lists, look-ups and counts; types of what is read; field permissions and contact range.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{APP_KEY, APP_SECRET, Harness, merged, person, unhurried};

const CREATE: &str = "/topapi/v2/user/create";
const LIST: &str = "/topapi/v2/user/list";

#[tokio::test]
async fn pages_cover_everyone_once() {
    let harness = Harness::with(unhurried()).await;
    for number in 10..35 {
        harness.create(&format!("u{number}"), &format!("138000000{number}")).await;
    }
    let (mut cursor, mut seen, mut pages) = (json!(0), Vec::new(), 0);
    loop {
        let page = harness.succeed(LIST, json!({ "dept_id": 1, "cursor": cursor, "size": 10 })).await;
        let list = page["list"].as_array().expect("a list");
        seen.extend(list.iter().map(|user| user["userid"].as_str().expect("a text").to_owned()));
        pages += 1;
        if page["has_more"] == json!(false) {
            assert_eq!(page.get("next_cursor"), None);
            break;
        }
        cursor = page["next_cursor"].clone();
    }
    let expected: Vec<String> = (10..35).map(|number| format!("u{number}")).collect();
    assert_eq!((pages, seen), (3, expected), "earlier joiners have the larger automatic order");

    for (changes, list_errcode, simple_errcode) in [
        (json!({ "size": 101 }), 400_002, 40069),
        (json!({ "size": 0 }), 400_002, 40069),
        (json!({ "cursor": -1 }), 400_002, 40068),
        (json!({ "dept_id": 99 }), 60003, 60003),
        (json!({ "dept_id": null }), 400_002, 400_002),
    ] {
        let body = merged(json!({ "dept_id": 1, "cursor": 0, "size": 10 }), &changes);
        assert_eq!(harness.errcode(LIST, body.clone()).await, list_errcode, "{changes}");
        assert_eq!(harness.errcode("/topapi/user/listsimple", body).await, simple_errcode, "{changes}");
    }
}

#[tokio::test]
async fn the_order_can_be_chosen() {
    let harness = Harness::with(unhurried()).await;
    for (userid, mobile, order) in [("a", "13800000001", 1), ("b", "13800000002", 3), ("c", "13800000003", 2)] {
        let order = json!({ "dept_order_list": [{ "dept_id": 1, "order": order }] });
        harness.succeed(CREATE, merged(person(userid, mobile), &order)).await;
    }
    harness.succeed("/topapi/v2/user/update", json!({ "userid": "b", "title": "x" })).await;
    for (field, expected) in [
        ("custom", ["b", "c", "a"]),
        ("entry_asc", ["a", "b", "c"]),
        ("entry_desc", ["c", "b", "a"]),
        ("modify_asc", ["a", "c", "b"]),
        ("modify_desc", ["b", "c", "a"]),
    ] {
        let body = json!({ "dept_id": "1", "cursor": "0", "size": "100", "order_field": field });
        let page = harness.succeed("/topapi/user/listsimple", body).await;
        let userids: Vec<&str> =
            page["list"].as_array().expect("a list").iter().filter_map(|user| user["userid"].as_str()).collect();
        assert_eq!(userids, expected, "{field}");
    }
}

#[tokio::test]
async fn a_list_tells_less_than_a_read() {
    let harness = Harness::with(unhurried()).await;
    harness.create("boss", "13800000001").await;
    let fields = json!({ "manager_userid": "boss", "hired_date": "1700000000000", "hide_mobile": "true", "mobile": "+1-4155550100" });
    harness.succeed(CREATE, merged(person("anna", "13800000002"), &fields)).await;
    let read = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    let page = harness.succeed(LIST, json!({ "dept_id": 1, "cursor": 0, "size": 100 })).await;
    let listed = &page["list"][1];
    for (name, value) in [
        ("userid", json!("anna")),
        ("hired_date", json!(1_700_000_000_000_i64)),
        ("hide_mobile", json!(true)),
        ("state_code", json!("1")),
        ("mobile", json!("4155550100")),
        ("dept_id_list", json!([1])),
        ("active", json!(false)),
    ] {
        assert_eq!((&read[name], &listed[name]), (&value, &value), "{name}");
    }
    assert_eq!(read["manager_userid"], "boss");
    assert_eq!(listed.get("manager_userid"), None);
    let order = listed["dept_order"].as_i64().expect("a whole number");
    assert!(order > 1 << 53, "automatic orders do not fit a double: {order}");
    assert_eq!(read["dept_order_list"], json!([{ "dept_id": 1, "order": order }]));
    assert_eq!((read.get("remark"), read.get("role_list")), (None, None), "what is empty is absent");
}

#[tokio::test]
async fn people_are_found_and_counted() {
    let harness = Harness::start().await;
    let created = harness.create("anna", "13800000001").await;
    harness.create("bert", "13800000002").await;
    harness.post_control("/users/anna/login", Value::Null).await;
    let unionid = created["result"]["unionId"].clone();
    let found = harness.succeed("/topapi/user/getbyunionid", json!({ "unionid": unionid })).await;
    assert_eq!(found, json!({ "contact_type": 0, "userid": "anna" }));
    assert_eq!(harness.errcode("/topapi/user/getbyunionid", json!({ "unionid": "x" })).await, 60121);
    assert_eq!(harness.errcode("/topapi/v2/user/getbymobile", json!({ "mobile": "12" })).await, 40104);
    assert_eq!(harness.errcode("/topapi/v2/user/getbymobile", json!({ "mobile": "13800000009" })).await, 60121);
    for (only_active, expected) in [(json!(true), 1), (json!("false"), 2)] {
        let count = harness.succeed("/topapi/user/count", json!({ "only_active": only_active })).await;
        assert_eq!(count, json!({ "count": expected }));
    }
    assert_eq!(harness.errcode("/topapi/user/count", json!({})).await, 400_002);
}

#[tokio::test]
async fn fields_without_permission_are_silently_absent() {
    let harness = Harness::start().await;
    let fields = json!({ "email": "a@example.com", "remark": "r", "title": "t" });
    harness.succeed(CREATE, merged(person("anna", "13800000001"), &fields)).await;
    let app = json!({ "key": APP_KEY, "secret": APP_SECRET, "reads_mobile": false, "reads_personal": false });
    harness.control(Method::PUT, "/apps", app).await;
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    for name in ["mobile", "state_code", "email", "remark"] {
        assert_eq!(anna.get(name), None, "{name}");
    }
    assert_eq!(anna["title"], "t");
    let scopes = harness.get_json(&format!("/auth/scopes?access_token={}", harness.token)).await;
    let readable = scopes["auth_user_field"].as_array().expect("a list");
    assert!(readable.contains(&json!("name")) && !readable.contains(&json!("mobile")), "{readable:?}");
}

#[tokio::test]
async fn the_contact_range_limits_all_but_two_reads() {
    let harness = Harness::with(unhurried()).await;
    let (inside, outside) = (harness.department("Inside", 1).await, harness.department("Outside", 1).await);
    let below = harness.department("Below", inside).await;
    for (userid, mobile, dept_id) in [("in", "13800000001", below), ("out", "13800000002", outside)] {
        harness.succeed(CREATE, merged(person(userid, mobile), &json!({ "dept_id_list": dept_id.to_string() }))).await;
    }
    let app = json!({ "key": APP_KEY, "secret": APP_SECRET, "range": [inside] });
    harness.control(Method::PUT, "/apps", app).await;
    for (api, body, expected) in [
        ("/topapi/v2/user/get", json!({ "userid": "in" }), 0),
        ("/topapi/v2/user/get", json!({ "userid": "out" }), 50002),
        ("/topapi/v2/user/update", json!({ "userid": "out", "title": "x" }), 50002),
        ("/topapi/v2/user/delete", json!({ "userid": "out" }), 50002),
        ("/topapi/v2/user/update", json!({ "userid": "in", "dept_id_list": outside.to_string() }), 50004),
        ("/topapi/v2/department/get", json!({ "dept_id": outside }), 50004),
        ("/topapi/v2/department/get", json!({ "dept_id": below }), 0),
        ("/topapi/v2/department/create", json!({ "name": "New", "parent_id": 1 }), 50004),
        (LIST, json!({ "dept_id": outside, "cursor": 0, "size": 10 }), 50004),
        ("/topapi/user/listid", json!({ "dept_id": outside }), 0),
        ("/topapi/v2/department/listsubid", json!({ "dept_id": 1 }), 0),
    ] {
        assert_eq!(harness.errcode(api, body.clone()).await, expected, "{api} {body}");
    }
    let scopes = harness.get_json(&format!("/auth/scopes?access_token={}", harness.token)).await;
    assert_eq!(scopes["auth_org_scopes"], json!({ "authed_user": [], "authed_dept": [inside] }));
}

#[tokio::test]
async fn leavers_are_on_record_with_their_reason() {
    let harness = Harness::start().await;
    harness.create("anna", "13800000001").await;
    harness.create("bert", "13800000002").await;
    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "anna" })).await;
    harness.post_control("/edit", json!({ "action": "delete_user", "userid": "bert" })).await;
    let now = harness.post_control("/clock", json!({ "advance_ms": 1_000 })).await;
    let hour_ago = now["wall_ms"].as_i64().expect("a number") / 1_000 - 3_600;
    let (mut next_token, mut records) = (json!("0"), Vec::new());
    while let Some(token) = next_token.as_str() {
        let since = rfc3339(hour_ago);
        let path = format!("/v1.0/contact/empLeaveRecords?startTime={since}&nextToken={token}&maxResults=1");
        let request = harness.request(Method::GET, &path).header("x-acs-dingtalk-access-token", &harness.token);
        let page: Value = request.send().await.expect("an answer").json().await.expect("JSON");
        records.extend(page["records"].as_array().expect("a list").clone());
        next_token = page["nextToken"].clone();
    }
    let told: Vec<(&str, &str)> = records
        .iter()
        .filter_map(|record| Some((record["userId"].as_str()?, record["leaveReason"].as_str()?)))
        .collect();
    assert_eq!(told, [("anna", "oapi"), ("bert", "delete")]);
}

fn rfc3339(seconds: i64) -> String {
    let moment = time::OffsetDateTime::from_unix_timestamp(seconds).expect("a moment");
    moment.format(&time::format_description::well_known::Rfc3339).expect("a text")
}
