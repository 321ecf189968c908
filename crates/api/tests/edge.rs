//! What every request passes, without a database behind it.
#![expect(clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "helpers of tests may fail loudly")]

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::routing::{get, post};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, StatusCode};
use rollcall_api::body::JsonBody;
use rollcall_api::edge::Edge;
use rollcall_api::limits::MAX_BODY_BYTES;
use rollcall_provisioning::ids::IdSource;
use rollcall_provisioning::time::ManualClock;
use serde_json::Value;
use std::convert::Infallible;
use std::sync::Arc;
use time::OffsetDateTime;
use tower::ServiceExt as _;
use uuid::Uuid;

struct SameId;

impl IdSource for SameId {
    fn new_id(&self) -> Uuid {
        Uuid::from_u128(u128::MAX)
    }
}

fn app() -> Router {
    let routes = Router::new()
        .route("/scim/v2/Users", post(async |JsonBody(body): JsonBody| body.to_string()))
        .route("/scim/v2/Users/{id}", get(async || "here"))
        .route("/scim/v2/panic", get(panics))
        .route("/scim/v2/slow", post(async |JsonBody(_)| std::future::pending::<String>().await))
        .route("/api/v1/targets", get(async || "here"))
        .route("/api/v1/panic", get(panics));
    let edge = Edge { clock: Arc::new(ManualClock::new(OffsetDateTime::UNIX_EPOCH)), ids: Arc::new(SameId) };
    edge.apply(routes)
}

async fn panics() -> &'static str {
    panic!("the pool is on fire")
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

async fn send(request: Request<Body>) -> Answer {
    let response = app().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    Answer { status: parts.status, headers: parts.headers, body }
}

fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "rollcall.example")
}

async fn get_path(path: &str) -> Answer {
    send(request(Method::GET, path).body(Body::empty()).expect("a request")).await
}

/// Checks that an answer is a SCIM error and returns its detail.
fn scim_error(answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(answer.header("content-type"), "application/scim+json");
    let body = answer.json();
    assert_eq!(body["schemas"], serde_json::json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    assert_eq!(body["status"], status.to_string(), "a string");
    let detail = body["detail"].as_str().expect("a detail").to_owned();
    assert!(detail.ends_with(&format!("[request {}]", answer.header("x-request-id"))), "{detail}");
    detail
}

/// Checks that an answer is a problem and returns its body.
fn problem(answer: &Answer, status: u16, code: &str) -> Value {
    assert_eq!(answer.status.as_u16(), status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let body = answer.json();
    assert_eq!((&body["status"], &body["code"]), (&Value::from(status), &Value::from(code)));
    assert_eq!(body["type"], format!("urn:rollcall:problem:{code}"));
    assert_eq!(body["request_id"], answer.header("x-request-id"));
    body
}

#[tokio::test]
async fn an_unknown_route_is_404_in_the_dialect_of_its_place() {
    let detail = scim_error(&get_path("/scim/v2/Nobody?filter=secret").await, 404);
    assert!(detail.contains("/scim/v2/Nobody") && !detail.contains("secret"), "{detail}");
    problem(&get_path("/api/v1/nothing").await, 404, "unknown_route");
    problem(&get_path("/elsewhere").await, 404, "unknown_route");
}

#[tokio::test]
async fn a_wrong_method_is_405_with_allow() {
    let answer = send(request(Method::PUT, "/scim/v2/Users").body(Body::empty()).expect("a request")).await;
    scim_error(&answer, 405);
    assert_eq!(answer.header("allow"), "POST");
    let answer = send(request(Method::DELETE, "/api/v1/targets").body(Body::empty()).expect("a request")).await;
    problem(&answer, 405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_panic_is_500_without_internal_text() {
    let detail = scim_error(&get_path("/scim/v2/panic").await, 500);
    assert!(!detail.contains("fire"), "{detail}");
    let body = problem(&get_path("/api/v1/panic").await, 500, "internal");
    assert!(!body.to_string().contains("fire"), "{body}");
}

#[tokio::test]
async fn a_foreign_media_type_is_415() {
    let body = request(Method::POST, "/scim/v2/Users").header("content-type", "text/xml").body(Body::from("<user/>"));
    let detail = scim_error(&send(body.expect("a request")).await, 415);
    assert!(detail.contains("text/xml") && detail.contains("application/scim+json"), "{detail}");
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_with_and_without_a_length() {
    let large = vec![b' '; MAX_BODY_BYTES + 1];
    let known = request(Method::POST, "/scim/v2/Users").header("content-length", large.len());
    let detail = scim_error(&send(known.body(Body::from(large.clone())).expect("a request")).await, 413);
    assert!(detail.contains(&MAX_BODY_BYTES.to_string()), "{detail}");
    // A stream does not say how long it will be.
    let pieces = large.chunks(65_536).map(|piece| Ok::<_, Infallible>(Bytes::copy_from_slice(piece)));
    let stream = Body::from_stream(stream::iter(pieces.collect::<Vec<_>>()));
    scim_error(&send(request(Method::POST, "/scim/v2/Users").body(stream).expect("a request")).await, 413);
}

#[tokio::test]
async fn a_body_that_says_it_is_too_large_is_not_waited_for() {
    for (path, header) in
        [("/scim/v2/Users", "x-nothing"), ("/scim/v2/Users", "expect"), ("/scim/v2/Nobody", "x-nothing")]
    {
        for length in [(MAX_BODY_BYTES + 1).to_string(), "9".repeat(40)] {
            let never = Body::from_stream(stream::pending::<Result<Bytes, Infallible>>());
            let request = request(Method::POST, path).header("content-length", &length).header(header, "100-continue");
            let answer = send(request.body(never).expect("a request")).await;
            scim_error(&answer, 413);
            assert_eq!(answer.header("connection"), "close", "{path} {header} {length}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_told_who_was_too_slow() {
    let pieces = |count: usize| stream::iter((0..count).map(|_| Ok::<_, Infallible>(Bytes::from_static(b" "))));
    let stalled = || Body::from_stream(pieces(3).chain(stream::pending()));
    let post = async |path: &str, body: Body| send(request(Method::POST, path).body(body).expect("a request")).await;
    for path in ["/scim/v2/Users", "/scim/v2/slow"] {
        let answer = post(path, stalled()).await;
        let detail = scim_error(&answer, 408);
        assert!(detail.contains("30 seconds"), "{detail}");
        assert_eq!((answer.header("connection"), answer.header("retry-after")), ("close", ""));
    }
    let answer = post("/scim/v2/slow", Body::from("{}")).await;
    scim_error(&answer, 503);
    assert_eq!((answer.header("connection"), answer.header("retry-after")), ("", "5"));
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let text = format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_BODY_BYTES - 8));
    assert_eq!(text.len(), MAX_BODY_BYTES);
    let answer = send(request(Method::POST, "/scim/v2/Users").body(Body::from(text)).expect("a request")).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_sane_request_id_is_kept_and_any_other_replaced() {
    for (sent, kept) in [
        ("abc-123.DEF_4", true),
        ("12345678", true),
        ("1234567", false),
        ("has space", false),
        ("<script>alert(1)</script>", false),
        (&"x".repeat(65), false),
    ] {
        let request = request(Method::GET, "/api/v1/targets").header("x-request-id", sent);
        let answer = send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.header("x-request-id") == sent, kept, "{sent}");
        assert!(kept || answer.header("x-request-id") == "_".repeat(21) + "w", "{}", answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn answers_are_protected() {
    let answer = get_path("/scim/v2/nowhere").await;
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("content-security-policy").contains("default-src 'none'"));
}
