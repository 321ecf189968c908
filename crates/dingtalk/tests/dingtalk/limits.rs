//! The shared budget: reserved before each call, paused after a throttle or a ban.

use crate::world::*;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use serde_json::json;
use std::time::{Duration, Instant};
use wiremock::ResponseTemplate;

const USER_GET_KEY: &str = "dingapp:/topapi/v2/user/get";

#[tokio::test]
async fn every_call_takes_a_place_under_its_api_and_its_address() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 60121})).await;
    world.dingtalk.account("u1").await.expect("an answer");
    let reserved = world.budget.reserved.lock().unwrap().clone();
    let keys: Vec<Vec<&str>> =
        reserved.iter().map(|limits| limits.iter().map(|limit| limit.key.as_str()).collect()).collect();
    assert_eq!(keys, [vec!["dingapp:/v1.0/oauth2/accessToken", "ip"], vec![USER_GET_KEY, "ip"]]);
    let [api, ip] = &reserved[1][..] else { panic!("two limits") };
    assert_eq!((api.interval.as_millis(), api.burst), (52, 1));
    assert_eq!((ip.interval.as_micros(), ip.burst), (2222, 100));
}

#[tokio::test]
async fn a_call_waits_for_its_place() {
    let world = World::new().await;
    world.answer(USER_GET, &json!({"errcode": 60121})).await;
    *world.budget.wait.lock().unwrap() = Duration::from_millis(60);
    let started = Instant::now();
    world.dingtalk.account("u1").await.expect("an answer");
    assert!(started.elapsed() >= Duration::from_millis(120), "the token and the read wait, each");
}

#[tokio::test]
async fn a_place_too_far_away_is_not_waited_for() {
    let world = World::new().await;
    *world.budget.wait.lock().unwrap() = Duration::from_secs(310);
    let error = world.dingtalk.apply(&joiner()).await.expect_err("paused");
    assert_eq!((error.class, error.retry_after), (ErrorClass::RateLimited, Some(Duration::from_secs(310))));
    assert!(!error.outcome_unknown);
    assert!(world.server.received_requests().await.unwrap_or_default().is_empty());
}

#[tokio::test]
async fn without_a_budget_nothing_is_sent() {
    let world = World::new().await;
    *world.budget.broken.lock().unwrap() = true;
    let error = world.dingtalk.apply(&joiner()).await.expect_err("no budget");
    assert_eq!((error.class, error.outcome_unknown), (ErrorClass::Transient, false));
    assert!(world.server.received_requests().await.unwrap_or_default().is_empty());
}

#[tokio::test]
async fn throttles_pause_their_api() {
    for (body, pause) in [
        (json!({"errcode": 90018, "errmsg": "…"}), 1),
        (json!({"errcode": 88, "sub_code": "90018"}), 1),
        (json!({"errcode": 88, "sub_code": "90014"}), 60),
        (json!({"errcode": 90020}), 600),
        (
            json!({"errcode": 88, "sub_msg": "从 2026-09-03 00:01:02 到 2026-09-03 00:01:02 请求总次数超过 1200 次, 限制将在 2026-09-03 00:01:32 结束.", "sub_code": "90002"}),
            30,
        ),
    ] {
        let world = World::new().await;
        world.answer(USER_GET, &body).await;
        let error = world.dingtalk.account("u1").await.expect_err("throttled");
        let pause = Duration::from_secs(pause);
        assert_eq!((error.class, error.retry_after), (ErrorClass::RateLimited, Some(pause)), "{body}");
        assert_eq!(world.budget.pauses(), [(USER_GET_KEY.to_owned(), pause)]);
    }
}

#[tokio::test]
async fn platform_wide_throttles_pause_ever_longer_until_a_success() {
    let world = World::new().await;
    let throttled = json!({"errcode": 90002, "errmsg": "被限流了"});
    let mut answers = vec![throttled.clone(); 8];
    answers.extend([json!({"errcode": 0, "result": {"userid": "u1"}}), throttled]);
    world.answer_in_turn(USER_GET, answers).await;
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let outcome = world.dingtalk.account("u1").await;
        pauses.push(outcome.err().and_then(|error| error.retry_after).map_or(0, |pause| pause.as_secs()));
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 0, 1]);
}

#[tokio::test]
async fn a_ban_pauses_the_address() {
    let page = "<!DOCTYPE html><html><body>访问过于频繁</body></html>";
    let json_body = r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"1"}"#;
    for response in [
        ResponseTemplate::new(200).set_body_raw(page, "text/html"),
        ResponseTemplate::new(403).set_body_raw(page, "text/html"),
        ResponseTemplate::new(200).set_body_raw(json_body, "application/json"),
        ResponseTemplate::new(200).set_body_raw(json_body, "text/html"),
    ] {
        let world = World::new().await;
        world.respond(USER_CREATE, response).await;
        let error = world.dingtalk.apply(&joiner()).await.expect_err("banned");
        let pause = Duration::from_secs(310);
        assert_eq!((error.class, error.retry_after), (ErrorClass::Stopped, Some(pause)));
        assert!(!error.outcome_unknown, "a banned call does not reach the directory");
        assert_eq!(world.budget.pauses(), [("ip".to_owned(), pause)]);
    }
}

#[tokio::test]
async fn a_proxy_in_between_may_say_429() {
    let world = World::new().await;
    world.respond(USER_GET, ResponseTemplate::new(429).insert_header("retry-after", "7")).await;
    let error = world.dingtalk.account("u1").await.expect_err("throttled");
    assert_eq!((error.class, error.retry_after), (ErrorClass::RateLimited, Some(Duration::from_secs(7))));
}
