//! Clients that take a connection and do nothing with it.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use rollcall_tests::{Database, ServeOptions, Server, server_binary};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn who_sends_half_a_request_is_not_waited_for() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let server = Server::start(server_binary!(), &database, ServeOptions::default()).await?;
    let mut waiting = tokio::task::JoinSet::new();
    for start in ["", "GET /livez HT", "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n"] {
        let mut stream = TcpStream::connect(server.listen()).await?;
        stream.write_all(start.as_bytes()).await?;
        waiting.spawn(async move {
            let began = Instant::now();
            let read = tokio::time::timeout(Duration::from_secs(40), stream.read(&mut [0; 1])).await;
            (start, read, began.elapsed())
        });
    }
    while let Some(ended) = waiting.join_next().await {
        let (start, read, elapsed) = ended?;
        let read = read.with_context(|| format!("{start:?} is waited for"))?;
        let closed = match &read {
            Ok(count) => *count == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(closed, "{start:?} is closed on, without an answer: {read:?}");
        assert!(elapsed > Duration::from_secs(5), "{start:?} had its time: {elapsed:?}");
    }
    let answer = reqwest::get(format!("{}/livez", server.base_url())).await?;
    assert!(answer.status().is_success(), "others are served as ever");
    Ok(())
}
