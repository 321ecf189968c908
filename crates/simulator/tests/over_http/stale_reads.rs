//! Reads that lag behind the writes.

use reqwest::Method;
use rollcall_simulator::{Options, Switches};
use serde_json::{Value, json};

use crate::harness::{Harness, unhurried};

const GET: &str = "/topapi/v2/user/get";
const LIST_ID: &str = "/topapi/user/listid";
const LAG_MS: u64 = 3_600_000;

async fn listed(harness: &Harness) -> Value {
    harness.succeed(LIST_ID, json!({ "dept_id": 1 })).await["userid_list"].clone()
}

async fn pass(harness: &Harness, ms: u64) {
    harness.post_control("/clock", json!({ "advance_ms": ms })).await;
}

#[tokio::test]
async fn reads_show_the_organisation_as_it_was() {
    let switches = Switches { stale_reads_ms: LAG_MS, ..Switches::default() };
    let harness = Harness::with(Options { switches, token_seconds: 86_400, ..unhurried() }).await;
    harness.create("anna", "13800000001").await;
    assert_eq!(harness.errcode(GET, json!({ "userid": "anna" })).await, 60121, "not there yet");
    assert_eq!(harness.create("anna", "13800000001").await["errcode"], 60102, "writes know better");
    pass(&harness, LAG_MS / 2).await;
    harness.create("bert", "13800000002").await;
    assert_eq!(listed(&harness).await, json!([]));
    pass(&harness, LAG_MS / 2).await;
    assert_eq!(listed(&harness).await, json!(["anna"]), "the one is old enough, the other is not");
    pass(&harness, LAG_MS / 2).await;
    assert_eq!(listed(&harness).await, json!(["anna", "bert"]));

    harness.succeed("/topapi/v2/user/delete", json!({ "userid": "anna" })).await;
    harness.post_control("/edit", json!({ "action": "delete_user", "userid": "bert" })).await;
    assert_eq!(listed(&harness).await, json!(["anna", "bert"]), "an admin's hand is seen as late as a call");
    assert_eq!(harness.userids().await, Vec::<String>::new(), "the state is what really is");
    harness.control(Method::PATCH, "/switches", json!({ "stale_reads_ms": 0 })).await;
    assert_eq!(listed(&harness).await, json!([]));
}

#[tokio::test]
async fn some_reads_can_lag_and_others_not() {
    let harness = Harness::with(unhurried()).await;
    let rule = json!({ "path": LIST_ID, "kind": { "stale": { "ms": LAG_MS } }, "times": 2 });
    harness.fault(rule).await;
    harness.create("anna", "13800000001").await;
    assert_eq!(harness.errcode(GET, json!({ "userid": "anna" })).await, 0);
    for expected in [json!([]), json!([]), json!(["anna"])] {
        assert_eq!(listed(&harness).await, expected, "the rule has fired twice and is spent");
    }
    let log = harness.calls(LIST_ID).await;
    assert!(log.iter().all(|call| call["errcode"] == 0), "a stale read is a success: {log:?}");
}
