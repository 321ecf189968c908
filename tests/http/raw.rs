//! HTTP below what a client library lets through.

use std::time::Duration;

use anyhow::{Context, ensure};
use rollcall_tests::Server;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The start of one answer, read as text.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The status line and the headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON; `Null` if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// Sends bytes and reads until the server closes the connection.
pub(crate) async fn exchange(server: &Server, request: &[u8]) -> anyhow::Result<Answer> {
    let talk = async {
        let mut stream = TcpStream::connect(server.listen()).await?;
        // A server that has heard enough may close before everything is sent.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        while stream.read_buf(&mut answer).await.is_ok_and(|count| count > 0) {}
        anyhow::Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let text = tokio::time::timeout(Duration::from_secs(20), talk).await.context("no end of the answer")??;
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no HTTP: {text:?}"))?;
    let status = head.split(' ').nth(1).context("no status")?.parse()?;
    ensure!(head.starts_with("HTTP/1."), "{head}");
    Ok(Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() })
}
