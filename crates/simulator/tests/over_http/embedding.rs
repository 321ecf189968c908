//! In-process, with a clock that moves only when told to: runs repeat themselves byte for byte.

use axum::body::Bytes;
use axum::http::Request;
use rollcall_simulator::{ManualClock, Options, Simulator, Transit};
use serde_json::{Value, json};

use crate::harness::{APP_KEY, APP_SECRET, person};

const NOON: i64 = 1_767_240_000_000;

/// A simulator without a network, and everything it has answered.
struct Embedded {
    simulator: Simulator,
    clock: ManualClock,
    token: String,
    transcript: Vec<Bytes>,
    transits: Vec<Transit>,
}

impl Embedded {
    async fn start(seed: u64) -> Self {
        let clock = ManualClock::at(NOON);
        let simulator = Simulator::with_clock(Options { seed, ..Options::default() }, clock.clone());
        let (token, transcript, transits) = (String::new(), Vec::new(), Vec::new());
        let mut embedded = Self { simulator, clock, token, transcript, transits };
        let token = embedded.get(&format!("/gettoken?appkey={APP_KEY}&appsecret={APP_SECRET}")).await;
        Self { token: token["access_token"].as_str().expect("a token").to_owned(), ..embedded }
    }

    async fn get(&mut self, path: &str) -> Value {
        self.send(Request::get(path).body(Bytes::new()).expect("a request")).await
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let path = format!("{path}?access_token={}", self.token);
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Bytes::from(body.to_string())).expect("a request")).await
    }

    async fn send(&mut self, request: Request<Bytes>) -> Value {
        let response = self.simulator.respond(request).await;
        self.transits.extend(response.extensions().get::<Transit>());
        self.transcript.push(response.body().clone());
        serde_json::from_slice(response.body()).unwrap_or_default()
    }
}

async fn story(seed: u64) -> Embedded {
    let mut it = Embedded::start(seed).await;
    let fault = json!({ "path": "/topapi", "kind": { "errcode": -1 }, "probability": 0.5 });
    it.post("/_simulator/faults", &fault).await;
    for number in 0..30 {
        let mobile = format!("138000000{:02}", number % 20);
        let nameless = json!({ "name": "Person", "mobile": mobile, "dept_id_list": "1" });
        it.post("/topapi/v2/user/create", &nameless).await;
        it.post("/topapi/v2/department/create", &json!({ "name": format!("East {number}"), "parent_id": 1 })).await;
        it.post("/role/add_role_group", &json!({ "name": format!("Jobs {number}") })).await;
        it.clock.advance(40);
    }
    it.get("/_simulator/calls").await;
    it.get("/_simulator/state").await;
    it
}

#[tokio::test]
async fn the_same_calls_at_the_same_moments_give_the_same_bytes() {
    let (first, second, other) = (story(7).await, story(7).await, story(8).await);
    assert_eq!(first.transcript, second.transcript);
    assert_ne!(first.transcript, other.transcript, "another seed gives another story");
}

#[tokio::test]
async fn time_stands_still_until_it_is_moved() {
    let mut it = Embedded::start(1).await;
    for number in 0..25 {
        let answer =
            it.post("/topapi/v2/user/create", &person(&format!("u{number}"), &format!("138000000{number:02}"))).await;
        assert_eq!(answer["errcode"], if number < 20 { 0 } else { 88 }, "{number}: {answer}");
    }
    it.clock.advance(999);
    assert_eq!(it.post("/topapi/v2/user/create", &person("late", "13800000030")).await["errcode"], 88);
    it.clock.set(NOON + 1_000);
    assert_eq!(it.post("/topapi/v2/user/create", &person("late", "13800000030")).await["errcode"], 0);
    it.clock.set(NOON);
    assert_eq!(it.clock.now(), NOON + 1_000, "time does not go back");
    let jumped = it.post("/_simulator/clock", &json!({ "advance_ms": 500 })).await;
    assert_eq!((&jumped["elapsed_ms"], it.clock.now()), (&json!(1_500), NOON + 1_500), "there is one clock");
    it.clock.set(NOON + 7_200_000);
    assert_eq!(it.post("/topapi/user/listadmin", &json!({})).await["sub_code"], "40014", "the token has expired");
}

#[tokio::test]
async fn delays_and_cut_connections_are_told_instead_of_felt() {
    let mut it = Embedded::start(1).await;
    let slow = json!({ "kind": { "latency": { "ms": 60_000 } }, "times": 1 });
    let slower = json!({ "kind": { "latency": { "ms": 600_000 } }, "after_commit": true, "times": 1 });
    for fault in [slow, slower, json!({ "kind": "down", "after_commit": true, "times": 1 })] {
        it.post("/_simulator/faults", &fault).await;
    }
    it.post("/topapi/v2/user/create", &person("anna", "13800000001")).await;
    let expected = Transit { before_ms: 60_000, after_ms: 600_000, is_cut: true };
    assert_eq!(it.transits.last(), Some(&expected));
    assert_eq!(it.get("/_simulator/state").await["users"][0]["userid"], "anna", "the write happened");
    it.post("/topapi/user/listadmin", &json!({})).await;
    assert_eq!(it.transits.last(), Some(&Transit::default()));
}
