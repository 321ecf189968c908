//! Clients that take a connection and do nothing with it.

use std::time::{Duration, Instant};

use rollcall_tests::{Database, ServeOptions, Server, server_binary};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[tokio::test]
async fn who_sends_half_a_request_is_not_waited_for() -> anyhow::Result<()> {
    let database = Database::new().await?;
    let server = Server::start(server_binary!(), &database, ServeOptions::default()).await?;
    let began = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for start in ["", "GET /livez HT", "POST /scim/v2/Users HTTP/1.1\r\nHost: x\r\nX-Slow: 1\r\n"] {
        let mut stream = TcpStream::connect(server.listen()).await?;
        stream.write_all(start.as_bytes()).await?;
        waiting.spawn(async move { stream.read(&mut [0; 1]).await });
    }
    let all = async { while waiting.join_next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(40), all).await?;
    assert!(began.elapsed() > Duration::from_secs(5), "but they had their time");
    let answer = reqwest::get(format!("{}/livez", server.base_url())).await?;
    assert!(answer.status().is_success(), "others are served as ever");
    Ok(())
}
