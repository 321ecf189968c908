//! The paths outside DingTalk's own: state, call log, hand edits, reset, and the page to watch.

use reqwest::{Method, StatusCode};
use rollcall_simulator::{Options, Simulator, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::harness::{APP_KEY, Harness, merged, person};

#[tokio::test]
async fn the_state_shows_what_is_stored_sorted_by_id() {
    let harness = Harness::start().await;
    let dept_id = harness.department("East", 1).await;
    harness.create("b", "13800000002").await;
    let fields = json!({ "manager_userid": "b", "dept_id_list": format!("{dept_id},1"), "job_number": "7" });
    harness.succeed("/topapi/v2/user/create", merged(person("a", "13800000001"), &fields)).await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    let state = harness.state().await;
    assert_eq!(harness.userids().await, ["a", "b"]);
    let first = &state["users"][0];
    for (name, value) in [
        ("manager_userid", json!("b")),
        ("dept_id_list", json!([dept_id, 1])),
        ("mobile", json!("13800000001")),
        ("job_number", json!("7")),
        ("active", json!(false)),
        ("email", Value::Null),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    let departments = state["departments"].as_array().expect("a list");
    assert_eq!((&departments[1]["name"], &departments[1]["parent_id"]), (&json!("East"), &json!(1)));
    assert_eq!(state["people"]["13900000001"]["privacy"], true);
    for (name, length) in
        [("role_groups", 1), ("roles", 4), ("chats", 0), ("external_contacts", 0), ("label_groups", 3)]
    {
        assert_eq!(state[name].as_array().map(Vec::len), Some(length), "{name}");
    }
    assert_eq!(harness.state().await, state, "reading changes nothing");
}

#[tokio::test]
async fn the_same_calls_lead_to_the_same_state() {
    let mut states = Vec::new();
    for _ in 0..2 {
        let harness = Harness::start().await;
        let dept_id = harness.department("East", 1).await;
        let body = json!({ "name": "Anna", "mobile": "13800000001", "dept_id_list": dept_id.to_string() });
        harness.succeed("/topapi/v2/user/create", body).await;
        states.push(harness.state().await);
    }
    assert_eq!(states[0], states[1]);
}

#[tokio::test]
async fn the_call_log_can_be_followed() {
    let harness = Harness::with(Options { call_log_capacity: 3, ..Options::default() }).await;
    harness.create("anna", "13800000001").await;
    harness.create("anna", "13800000001").await;
    let dept_id = harness.department("East", 1).await;
    let answer = harness.get_json("/_simulator/calls").await;
    let seqs: Vec<u64> =
        answer["calls"].as_array().expect("a list").iter().filter_map(|call| call["seq"].as_u64()).collect();
    assert_eq!((seqs.as_slice(), &answer["last_seq"]), ([2, 3, 4].as_slice(), &json!(4)), "gettoken fell out");
    let answer = harness.get_json("/_simulator/calls?after=3&limit=5").await;
    let last = &answer["calls"][0];
    assert_eq!((&last["api"], &last["dept_id"]), (&json!("/topapi/v2/department/create"), &json!(dept_id)));
    assert_eq!((&last["committed"], &last["errcode"], &last["app"]), (&json!(true), &json!(0), &json!(APP_KEY)));
    let creates = harness.calls("/topapi/v2/user/create").await;
    let told: Vec<(&Value, &Value)> = creates.iter().map(|call| (&call["errcode"], &call["committed"])).collect();
    assert_eq!(told, [(&json!(0), &json!(true)), (&json!(60102), &json!(false))]);
}

#[tokio::test]
async fn an_admin_edits_by_hand_without_the_api() {
    let harness = Harness::start().await;
    harness.create("anna", "13800000001").await;
    harness.post_control("/users/anna/login", Value::Null).await;
    let edit = async |body: Value| harness.control(Method::POST, "/edit", body).await;
    let (status, made) = edit(json!({ "action": "create_department", "name": "East", "parent_id": 1 })).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let moved = json!({
        "action": "update_user", "userid": "anna", "mobile": "13800000009", "dept_id_list": made["dept_id"].to_string()
    });
    assert_eq!(edit(moved).await.0, StatusCode::OK, "an admin may even change the number");
    let renamed = json!({ "action": "update_department", "dept_id": made["dept_id"], "name": "West" });
    assert_eq!(edit(renamed).await.0, StatusCode::OK);
    let anna = harness.succeed("/topapi/v2/user/get", json!({ "userid": "anna" })).await;
    assert_eq!((&anna["mobile"], &anna["dept_id_list"]), (&json!("13800000009"), &json!([made["dept_id"]])));

    let (status, refused) = edit(json!({ "action": "delete_department", "dept_id": made["dept_id"] })).await;
    assert_eq!((status, &refused["errcode"]), (StatusCode::CONFLICT, &json!(60005)));
    assert_eq!(edit(json!({ "action": "delete_user", "userid": "anna" })).await.0, StatusCode::OK);
    assert_eq!(edit(json!({ "action": "dance" })).await.0, StatusCode::BAD_REQUEST);
    assert_eq!(harness.calls("/topapi/v2/user/update").await, Vec::<Value>::new());
}

#[tokio::test]
async fn reset_goes_back_to_the_beginning() {
    let mut harness = Harness::start().await;
    harness.create("anna", "13800000001").await;
    harness.fault(json!({ "kind": "down" })).await;
    harness.control(Method::PATCH, "/switches", json!({ "empty_string_clears": false })).await;
    harness.post_control("/reset", Value::Null).await;
    assert_eq!(harness.userids().await, Vec::<String>::new());
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], 0);
    let (_, switches) = harness.control(Method::GET, "/switches", Value::Null).await;
    assert_eq!(switches["empty_string_clears"], true);
    let log = harness.get_json("/_simulator/calls").await;
    assert_eq!(log["last_seq"], 2);
}

#[tokio::test]
async fn settings_refuse_unknown_names() {
    let harness = Harness::start().await;
    for path in ["/switches", "/organisation"] {
        let (status, answer) = harness.control(Method::PATCH, path, json!({ "no_such_name": true })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    }
    let (_, apps) = harness.control(Method::GET, "/apps", Value::Null).await;
    assert_eq!((&apps["apps"][0]["key"], apps["apps"][0].get("secret")), (&json!(APP_KEY), None));
    let (status, answer) = harness.control(Method::GET, "/nothing", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{answer}");
}

#[tokio::test]
async fn the_page_shows_people_and_trusts_no_name() {
    let harness = Harness::start().await;
    let dept_id = harness.department("R&D", 1).await;
    let hostile = json!({ "name": "<script>alert('x')</script>", "dept_id_list": dept_id.to_string() });
    harness.succeed("/topapi/v2/user/create", merged(person("anna", "13800000001"), &hostile)).await;
    harness.post_control("/people", json!({ "mobile": "13900000001", "privacy": true })).await;
    harness.create("bert", "13900000001").await;
    for path in ["/_simulator/", "/_simulator"] {
        let response = harness.request(Method::GET, path).send().await.expect("an answer");
        assert!(response.headers()["content-security-policy"].to_str().expect("a text").contains("default-src 'none'"));
        let page = response.text().await.expect("a page");
        for expected in [
            r#"<meta http-equiv="refresh" content="2">"#,
            r#"<span dir="auto">R&amp;D</span>"#,
            r#"<span dir="auto">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</span>"#,
            "1 people in 2 departments, 0 of them with enterprise accounts; 4 roles in 1 groups; 0 chats; 0 external contacts;",
            r#"<span dir="auto">Person bert</span>"#,
        ] {
            assert!(page.contains(expected), "{expected} is missing in {page}");
        }
        assert!(!page.contains("<script"), "no script of anyone's");
    }
}

#[tokio::test]
async fn serving_ends_when_told_so_even_with_slow_answers_open() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = serve(listener, Simulator::new(Options::default()), async move {
        stopped.await.ok();
    });
    let mut open_calls = JoinSet::new();
    let story = async {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let slow = json!([{ "path": "/gettoken", "kind": { "latency": { "ms": 600_000 } } }]);
        client.put(format!("{base}/_simulator/faults")).json(&slow).send().await.expect("an answer");
        open_calls.spawn(client.get(format!("{base}/gettoken")).send());
        loop {
            let faults = client.get(format!("{base}/_simulator/faults")).send().await.expect("an answer");
            let faults: Value = faults.json().await.expect("JSON");
            if faults["faults"][0]["fired"] == 1 {
                break;
            }
        }
        stop.send(()).expect("the server runs");
    };
    let (ended, ()) = tokio::join!(server, story);
    assert!(ended.is_ok());
    assert!(open_calls.try_join_next().is_none(), "the slow call was still open");
}
