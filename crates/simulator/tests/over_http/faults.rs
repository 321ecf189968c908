//! Faults on demand: what the caller sees, and what really happened.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{Harness, person};

const CREATE: &str = "/topapi/v2/user/create";

#[tokio::test]
async fn an_answer_can_get_lost_after_the_write() {
    let harness = Harness::start().await;
    for (number, kind) in
        [("1", json!("down")), ("2", json!("timeout")), ("3", json!({ "http": 502 })), ("4", json!("malformed"))]
    {
        harness.fault(json!({ "path": CREATE, "kind": kind, "after_commit": true, "times": 1 })).await;
        let (userid, mobile) = (format!("u{number}"), format!("1380000000{number}"));
        let answer = harness.try_call(CREATE, person(&userid, &mobile)).await;
        match number {
            "1" => assert!(answer.is_err(), "the connection was cut: {answer:?}"),
            "2" => assert_eq!(answer.expect("an answer").json::<Value>().await.expect("JSON")["errcode"], 15),
            "3" => assert_eq!(answer.expect("an answer").status(), StatusCode::BAD_GATEWAY),
            _ => assert!(answer.expect("an answer").json::<Value>().await.is_err(), "half a body is no JSON"),
        }
        assert!(harness.userids().await.contains(&userid), "{kind}: the write happened all the same");
        assert_eq!(harness.create(&userid, &mobile).await["errcode"], 60102, "so a blind repetition is refused");
    }
    let log = harness.calls(CREATE).await;
    let committed: Vec<bool> = log.iter().filter_map(|call| call["committed"].as_bool()).collect();
    assert_eq!(committed, [true, false].repeat(4));
    assert_eq!((&log[0]["status"], &log[0]["userid"]), (&Value::Null, &json!("u1")));
}

#[tokio::test]
async fn a_slow_answer_outlives_its_callers_patience() {
    let harness = Harness::start().await;
    let slow = json!({ "path": CREATE, "kind": { "latency": { "ms": 600_000 } }, "after_commit": true, "times": 1 });
    harness.fault(slow).await;
    let request = harness.request(Method::POST, &format!("{CREATE}?access_token={}", harness.token));
    let mut caller = JoinSet::new();
    caller.spawn(request.timeout(Duration::from_mins(15)).json(&person("anna", "13800000001")).send());
    while harness.userids().await.is_empty() {
        assert!(caller.try_join_next().is_none(), "the answer must not come before the write");
    }
    assert!(caller.try_join_next().is_none(), "the write has happened and the caller still waits");
    assert_eq!(harness.calls(CREATE).await[0]["committed"], true);
}

#[tokio::test]
async fn before_the_write_nothing_happens() {
    let harness = Harness::start().await;
    for (kind, expected) in [
        (json!("timeout"), json!(15)),
        (json!({ "errcode": -1 }), json!(-1)),
        (json!({ "errcode": 45024 }), json!(45024)),
        (json!({ "throttled": "app" }), json!("90018")),
        (json!({ "throttled": "platform" }), json!("90002")),
        (json!("scope_missing"), json!("60011")),
        (json!("ip_not_whitelisted"), json!("60020")),
        (json!({ "ip_ban": "json" }), json!(1111)),
    ] {
        harness.fault(json!({ "kind": kind, "times": 1 })).await;
        let answer = harness.create("anna", "13800000001").await;
        let told = [&answer["sub_code"], &answer["errcode"], &answer["status"]];
        assert!(told.contains(&&expected), "{kind}: {answer}");
        assert!(kind != json!({ "ip_ban": "json" }) || answer.get("errcode").is_none(), "{answer}");
    }
    harness.fault(json!({ "kind": "down", "times": 1 })).await;
    assert!(harness.try_call(CREATE, person("anna", "13800000001")).await.is_err());
    for (kind, status) in [(json!({ "http": 503 }), 503), (json!({ "ip_ban": "html" }), 200), (json!("malformed"), 200)]
    {
        harness.fault(json!({ "kind": kind, "times": 1 })).await;
        let response = harness.try_call(CREATE, person("anna", "13800000001")).await.expect("an answer");
        assert_eq!(response.status().as_u16(), status, "{kind}");
        assert!(response.json::<Value>().await.is_err(), "{kind} is no JSON");
    }
    assert_eq!(harness.userids().await, Vec::<String>::new());
    let stats = harness.get_json("/_simulator/stats").await;
    assert_eq!(stats["apis"][CREATE]["committed"], 0);
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], 0, "every rule has spent itself");
}

#[tokio::test]
async fn a_token_can_be_revoked_in_the_middle() {
    let mut harness = Harness::start().await;
    harness.fault(json!({ "path": "/topapi", "kind": "token_revoked", "times": 1 })).await;
    assert_eq!(harness.call("/topapi/user/listadmin", json!({})).await["sub_code"], "40014");
    assert_eq!(harness.call("/topapi/user/listadmin", json!({})).await["sub_code"], "40014", "it stays invalid");
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 0);
}

#[tokio::test]
async fn busy_may_mean_done() {
    let harness = Harness::start().await;
    harness.fault(json!({ "path": CREATE, "kind": { "errcode": -1 }, "after_commit": true, "times": 1 })).await;
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], -1);
    assert_eq!(harness.userids().await, ["anna"]);
}

#[tokio::test]
async fn one_person_can_be_unlucky() {
    let harness = Harness::start().await;
    harness.fault(json!({ "path": CREATE, "concerning": "bert", "kind": { "errcode": 60022 } })).await;
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], 0);
    assert_eq!(harness.create("bert", "13800000002").await["errcode"], 60022);
    assert_eq!(harness.create("carl", "13800000003").await["errcode"], 0);
}

#[tokio::test]
async fn rules_are_listed_replaced_and_removed() {
    let harness = Harness::start().await;
    let rules = json!([{ "kind": "down" }, { "path": "/topapi", "kind": { "latency": { "ms": 1 } }, "times": 2 }]);
    let (status, answer) = harness.control(Method::PUT, "/faults", rules).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let first = answer["faults"][0]["id"].as_u64().expect("an id");
    let (status, _) = harness.control(Method::DELETE, &format!("/faults/{first}"), Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(harness.errcode("/topapi/user/listadmin", json!({})).await, 0);
    let (_, answer) = harness.control(Method::GET, "/faults", Value::Null).await;
    assert_eq!((answer["faults"].as_array().map(Vec::len), &answer["faults"][0]["fired"]), (Some(1), &json!(1)));
    for senseless in [
        json!({ "kind": "down", "probability": 2.0 }),
        json!({ "kind": "no such kind" }),
        json!({ "kind": "down", "tims": 1 }),
    ] {
        let (status, answer) = harness.control(Method::POST, "/faults", senseless).await;
        assert!(status.is_client_error(), "{answer}");
    }
    harness.control(Method::DELETE, "/faults", Value::Null).await;
    let (_, answer) = harness.control(Method::GET, "/faults", Value::Null).await;
    assert_eq!(answer, json!({ "faults": [] }));
}
