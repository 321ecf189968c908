//! The monthly quota: which calls count, and what is said when it is used up (pages A1432 and A1433).

use reqwest::Method;
use rollcall_simulator::{Options, Organisation};
use serde_json::{Value, json};

use crate::harness::{Harness, unhurried};

const QUERY: &str = "/v1.0/im/sceneGroups/query";
const USED_UP: &str = "Forbidden.AccessDenied.ApiCountLimitForOrg";
const MONTH_MS: u64 = 32 * 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn only_calls_that_cost_something_count() {
    let organisation = Organisation { monthly_call_quota: Some(2), ..Organisation::default() };
    let mut harness = Harness::with(Options { organisation, ..unhurried() }).await;
    for (path, expected) in [("/v1.0/im/sceneGroups/query", "paramBlank"), (QUERY, "paramBlank"), (QUERY, USED_UP)] {
        assert_eq!(harness.code(Method::POST, path, json!({})).await, expected);
    }
    let (status, _) = harness.new_host(Method::POST, QUERY, json!({})).await;
    assert_eq!(status, 403);
    let chat = harness.get_json(&format!("/chat/get?access_token={}&chatid=x", harness.token)).await;
    assert_eq!(chat["sub_code"], "90020", "the old host says it in a number: {chat}");
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], 0, "contacts are free");
    let sums = harness.get_json("/_simulator/stats").await;
    assert_eq!((&sums["counted_this_month"], &sums["apis"][QUERY]["throttled"]), (&json!(2), &json!(2)));

    harness.post_control("/clock", json!({ "advance_ms": MONTH_MS })).await;
    harness.token = harness.fresh_token().await;
    assert_eq!(harness.code(Method::POST, QUERY, json!({})).await, "paramBlank", "a new month");
}

#[tokio::test]
async fn a_fault_can_say_that_the_month_is_over() {
    let harness = Harness::start().await;
    harness.fault(json!({ "path": "/v1.0/im", "kind": { "throttled": "month" }, "times": 1 })).await;
    assert_eq!(harness.code(Method::POST, QUERY, Value::Null).await, USED_UP);
    assert_eq!(harness.code(Method::POST, QUERY, Value::Null).await, "paramBlank");
}
