//! Calls without an answer: whether the write may have happened decides what must be read first.

use crate::world::*;
use rollcall_dingtalk::DingTalk;
use rollcall_provisioning::connector::{Connector, ErrorClass};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use wiremock::ResponseTemplate;

#[tokio::test]
async fn an_answer_that_cannot_be_used_leaves_a_write_open() {
    let too_large = json!({"errcode": 0, "result": {"userid": "u1"}, "filler": "x".repeat(9 * 1024 * 1024)});
    for (response, code) in [
        (ResponseTemplate::new(500), "http_500"),
        (ResponseTemplate::new(502).set_body_raw("<html>bad gateway</html>", "text/html"), "http_502"),
        (ResponseTemplate::new(504).set_body_json(json!({"code": "unknownError"})), "unknownError"),
        (ResponseTemplate::new(200).set_body_string("not json"), "unreadable"),
        (ResponseTemplate::new(200).set_body_string(r#"{"errcode":0,"result""#), "unreadable"),
        (ResponseTemplate::new(200), "unreadable"),
        (ResponseTemplate::new(200).set_body_json(json!({"result": {}})), "unreadable"),
        (ResponseTemplate::new(200).set_body_json(too_large), "unreadable"),
        (
            ResponseTemplate::new(200)
                .set_body_json(json!({"errcode": 15, "sub_code": "isp.top-remote-connection-timeout"})),
            "15",
        ),
    ] {
        let world = World::new().await;
        world.respond(USER_CREATE, response.clone()).await;
        world.respond(USER_GET, response).await;
        let error = world.dingtalk.apply(&joiner()).await.expect_err(code);
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, code));
        assert!(error.outcome_unknown, "{code}");
        let error = world.dingtalk.account("u1").await.expect_err(code);
        assert!(!error.outcome_unknown, "a read changes nothing: {code}");
    }
}

#[tokio::test]
async fn a_department_without_an_id_may_be_there() {
    let world = World::new().await;
    world.answer(DEPARTMENT_CREATE, &json!({"errcode": 0, "result": {}})).await;
    let action =
        create(rollcall_provisioning::entity::EntityKind::OrgUnit, None, json!({"name": "研发", "parent": "1"}));
    let error = world.dingtalk.apply(&action).await.expect_err("no id");
    assert!(error.outcome_unknown);
}

#[tokio::test]
async fn no_answer_in_time() {
    let world = World::new().await;
    let never = ResponseTemplate::new(200).set_delay(Duration::from_mins(5));
    world.respond(USER_CREATE, never).await;
    let mut settings = settings(&world.server.uri());
    settings.timeout = Duration::from_secs(2);
    let dingtalk = DingTalk::new(&settings, Arc::clone(&world.budget) as _).expect("good settings");
    let error = dingtalk.apply(&joiner()).await.expect_err("too slow");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "timeout"));
    assert!(error.outcome_unknown);
}

/// A server that hands out a token, reads the next call, and then does `then`.
async fn server_that(then: &'static [u8]) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let mut server = JoinSet::new();
    server.spawn(async move {
        let token = r#"{"accessToken":"t0ken","expireIn":7200}"#;
        let token = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{token}", token.len());
        let mut answers = vec![token.as_bytes(), then].into_iter();
        while let (Ok((mut stream, _)), Some(answer)) = (listener.accept().await, answers.next()) {
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") || !request.ends_with(b"}") {
                stream.read_buf(&mut request).await.expect("a request");
            }
            stream.write_all(answer).await.expect("a reader");
        }
    });
    (base, server)
}

#[tokio::test]
async fn a_connection_that_breaks() {
    for then in [b"" as &[u8], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"errcode\":0"] {
        let (base, _server) = server_that(then).await;
        let dingtalk = connector(&base, Arc::default());
        let error = dingtalk.apply(&joiner()).await.expect_err("broken");
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "connection_lost"), "{error}");
        assert!(error.outcome_unknown);
    }
}

#[tokio::test]
async fn a_call_that_never_left_changed_nothing() {
    let world = World::new().await;
    let mut settings = settings(&world.server.uri());
    // The token comes from one server; the port that the call goes to is taken, but nobody listens.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a port");
    settings.oapi_url = format!("http://{}", socket.local_addr().expect("an address"));
    let dingtalk = DingTalk::new(&settings, Arc::clone(&world.budget) as _).expect("good settings");
    let error = dingtalk.apply(&joiner()).await.expect_err("nobody there");
    assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "connection"));
    assert!(!error.outcome_unknown);
    assert!(error.message.contains("refused"), "the reason is told: {}", error.message);
}
