//! The token: fetched once, renewed when refused, never shown.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use wiremock::matchers::path;
use wiremock::{Mock, Request, ResponseTemplate};

/// Starts 50 reads at once and returns how each ended.
async fn fifty_reads(world: &World) -> Vec<Result<(), String>> {
    let mut calls = JoinSet::new();
    for number in 0..50 {
        let dingtalk = Arc::clone(&world.dingtalk);
        calls.spawn(async move { dingtalk.account(&format!("u{number}")).await.map(drop).map_err(|error| error.code) });
    }
    calls.join_all().await
}

fn person() -> Value {
    json!({"errcode": 0, "result": {"userid": "u1", "name": "a"}})
}

#[tokio::test]
async fn fifty_callers_share_one_fetch() {
    let world = World::without_tokens().await;
    let token = json!({"accessToken": "t0ken", "expireIn": 7200});
    let slowly = ResponseTemplate::new(200).set_body_json(token).set_delay(Duration::from_millis(100));
    world.respond(TOKEN_PATH, slowly).await;
    world.answer(USER_GET, &person()).await;
    assert!(fifty_reads(&world).await.iter().all(Result::is_ok));
    assert_eq!(world.received(TOKEN_PATH).await.len(), 1);
    assert_eq!(world.body(TOKEN_PATH).await, r#"{"appKey":"dingapp","appSecret":"s3cret"}"#);
    assert_eq!(world.received(USER_GET).await.len(), 50);
}

#[tokio::test]
async fn fifty_callers_share_one_failure() {
    let world = World::without_tokens().await;
    let refusal =
        json!({"code": "invalidClientIdOrSecret", "requestid": "r", "message": "无效的clientId或者clientSecret"});
    let slowly = ResponseTemplate::new(400).set_body_json(refusal).set_delay(Duration::from_millis(100));
    world.respond(TOKEN_PATH, slowly).await;
    for outcome in fifty_reads(&world).await {
        assert_eq!(outcome, Err("invalidClientIdOrSecret".to_owned()));
    }
    assert_eq!(world.received(TOKEN_PATH).await.len(), 1);
    assert!(world.received(USER_GET).await.is_empty(), "nothing is called without a token");
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_call_repeated() {
    let refusals = [
        json!({"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token"}),
        json!({"errcode": 40014, "errmsg": "不合法的access_token"}),
        json!({"errcode": "42001"}),
        json!({"errcode": 40001}),
    ];
    for refusal in refusals {
        let world = World::without_tokens().await;
        let tokens = ["first", "second"].map(|token| json!({"accessToken": token, "expireIn": 7200}));
        world.answer_in_turn(TOKEN_PATH, tokens.to_vec()).await;
        let created = json!({"errcode": 0, "result": {"userid": "u1"}});
        world.answer_in_turn(USER_CREATE, vec![refusal.clone(), created]).await;
        world.dingtalk.apply(&joiner()).await.expect("created at the second try");
        let calls = world.received(USER_CREATE).await;
        let queries: Vec<_> = calls.iter().filter_map(|call| call.url.query()).collect();
        assert_eq!(queries, ["access_token=first", "access_token=second"], "{refusal}");
    }
}

#[tokio::test]
async fn fifty_refusals_of_one_token_renew_it_once() {
    let world = World::without_tokens().await;
    let tokens = ["first", "second"].map(|token| json!({"accessToken": token, "expireIn": 7200}));
    world.answer_in_turn(TOKEN_PATH, tokens.to_vec()).await;
    let refuse_first = |request: &Request| {
        let refused = request.url.query() == Some("access_token=first");
        let answer = if refused { json!({"errcode": 88, "sub_code": "40014"}) } else { person() };
        ResponseTemplate::new(200).set_body_json(answer).set_delay(Duration::from_millis(50))
    };
    Mock::given(path(USER_GET)).respond_with(refuse_first).mount(&world.server).await;
    assert!(fifty_reads(&world).await.iter().all(Result::is_ok));
    assert_eq!(world.received(TOKEN_PATH).await.len(), 2);
}

#[tokio::test]
async fn a_token_that_stays_refused_stops_the_target() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 88, "sub_code": "40014"})).await;
    let error = world.dingtalk.account("u1").await.expect_err("refused twice");
    assert_eq!((error.class, error.retry_after), (ErrorClass::Stopped, Some(Duration::from_mins(1))));
    assert_eq!(world.received(USER_GET).await.len(), 2, "one call and one repetition");
}

#[tokio::test]
async fn a_token_without_a_future_is_fetched_each_time() {
    for (lifetime, fetches) in [(json!(0), 2), (json!("0"), 2), (json!(7200), 1), (json!("7200"), 1), (Value::Null, 1)]
    {
        let world = World::without_tokens().await;
        world.answer(TOKEN_PATH, &json!({"accessToken": "t0ken", "expireIn": lifetime})).await;
        world.answer(USER_GET, &person()).await;
        for _ in 0..2 {
            world.dingtalk.account("u1").await.expect("read");
        }
        assert_eq!(world.received(TOKEN_PATH).await.len(), fetches, "{lifetime}");
    }
}

#[tokio::test]
async fn neither_token_nor_secret_is_in_an_error() {
    let world = World::new().await;
    let drop = ResponseTemplate::new(302).insert_header("location", "/elsewhere?access_token=t0ken");
    world.respond(USER_GET, drop).await;
    let error = world.dingtalk.account("u1").await.expect_err("no redirect is followed");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("t0ken") && !shown.contains("s3cret"), "{shown}");
    assert!(world.received("/elsewhere").await.is_empty(), "a redirect would carry the token away");
}
