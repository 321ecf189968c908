//! What a call leaves in metrics and logs.

use crate::world::*;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use rollcall_provisioning::connector::Connector;
use serde_json::json;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;
use wiremock::ResponseTemplate;

/// Remembers each metric that was touched, with its labels.
#[derive(Default)]
struct Touched(Mutex<Vec<String>>);

impl Touched {
    fn note(&self, key: &Key) {
        let labels: Vec<String> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        self.0.lock().unwrap().push(format!("{} {}", key.name(), labels.join(" ")));
    }
}

impl Recorder for Touched {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

#[tokio::test]
async fn each_call_is_counted_by_operation_and_outcome() {
    for (answer, outcome) in [
        (ResponseTemplate::new(200).set_body_json(json!({"errcode": 0, "result": {"userid": "u1"}})), "ok"),
        (ResponseTemplate::new(200).set_body_json(json!({"errcode": 60104})), "data"),
        (ResponseTemplate::new(200).set_body_json(json!({"errcode": 60011})), "auth"),
        (ResponseTemplate::new(200).set_body_json(json!({"errcode": 90018})), "throttle"),
        (ResponseTemplate::new(200).set_body_string("<html>"), "throttle"),
        (ResponseTemplate::new(200).set_body_json(json!({"errcode": 90020})), "quota"),
        (ResponseTemplate::new(503), "server"),
    ] {
        let touched = Touched::default();
        let recording = metrics::set_default_local_recorder(&touched);
        let world = World::new().await;
        world.respond(USER_CREATE, answer).await;
        drop(world.dingtalk.apply(&joiner()).await);
        drop(recording);
        let touched = touched.0.into_inner().unwrap();
        let expected = [
            "rollcall_dingtalk_requests_total operation=token outcome=ok".to_owned(),
            "rollcall_dingtalk_request_duration_seconds operation=token".to_owned(),
            format!("rollcall_dingtalk_requests_total operation=user_create outcome={outcome}"),
            "rollcall_dingtalk_request_duration_seconds operation=user_create".to_owned(),
        ];
        assert_eq!(touched, expected);
    }
}

/// A log that a test can read.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_hold_codes_and_times_and_nothing_personal() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // For the whole process: a scoped subscriber misses callsites that other tests have met before.
    tracing::subscriber::set_global_default(subscriber).expect("the only subscriber");
    let world = World::new().await;
    world.answer(USER_CREATE, &json!({"errcode": 60104, "errmsg": "13800000001 已存在"})).await;
    world.respond(USER_GET, ResponseTemplate::new(302).insert_header("location", "/?access_token=t0ken")).await;
    world.dingtalk.apply(&joiner()).await.expect_err("taken");
    world.dingtalk.account("u1").await.expect_err("unreadable");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).expect("UTF-8");
    assert!(log.contains("user_create") && log.contains("60104"), "the call is told: {log}");
    for secret in ["t0ken", "s3cret", "13800000001", "张三", "access_token"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
