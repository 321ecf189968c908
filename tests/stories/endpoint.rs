//! The way from an identity provider to the server, which may be killed and come back elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use reqwest::{Method, StatusCode};
use rollcall_tests::{Reply, ScimClient};
use serde_json::Value;
use tokio::sync::watch;

/// How long a client waits for a server that has gone.
const PATIENCE: Duration = Duration::from_mins(1);

/// A SCIM base URL as a client knows it. A request that gets no answer is sent again as soon as the server is back;
/// where nobody can bring it back, the request fails.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    current: watch::Receiver<ScimClient>,
    /// Appended to every URL, as an admin glued it to the base URL.
    flag: Option<&'static str>,
    acknowledged: Arc<AtomicU64>,
}

/// Tells an [`Endpoint`] where the server is now.
pub(crate) type Signpost = watch::Sender<ScimClient>;

impl Endpoint {
    /// An endpoint that stays where it is.
    pub(crate) fn fixed(client: ScimClient) -> Self {
        Self::movable(client).0
    }

    /// An endpoint that can move.
    pub(crate) fn movable(client: ScimClient) -> (Self, Signpost) {
        let (signpost, current) = watch::channel(client);
        (Self { current, flag: None, acknowledged: Arc::default() }, signpost)
    }

    /// The same endpoint with a parameter in every URL.
    pub(crate) fn with_flag(self, flag: Option<&'static str>) -> Self {
        Self { flag, ..self }
    }

    /// How many requests were answered so far, by all clones together.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Reads.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, &Value::Null).await
    }

    /// Sends a request and fails unless the answer has this status.
    pub(crate) async fn expect(
        &self,
        status: StatusCode,
        method: Method,
        path: &str,
        body: &Value,
    ) -> anyhow::Result<Reply> {
        let reply = self.send(method.clone(), path, body).await?;
        ensure!(reply.status == status, "{method} {path} {body} answered {} {}", reply.status, reply.body);
        Ok(reply)
    }

    /// Sends a request. An answer of 500 or more is a failure of the product, whatever was asked.
    pub(crate) async fn send(&self, method: Method, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let path = self.flagged(path);
        let mut current = self.current.clone();
        loop {
            let client = current.borrow_and_update().clone();
            let answer = match method {
                Method::POST => client.post(&path, body).await,
                Method::PUT => client.put(&path, body).await,
                Method::PATCH => client.patch(&path, body).await,
                Method::DELETE => client.delete(&path).await,
                _ => client.get(&path).await,
            };
            match answer {
                Ok(reply) => {
                    ensure!(
                        !reply.status.is_server_error(),
                        "{method} {path} {body} answered {} {}",
                        reply.status,
                        reply.body
                    );
                    self.acknowledged.fetch_add(1, Ordering::Relaxed);
                    return Ok(reply);
                }
                Err(error) => {
                    let back = tokio::time::timeout(PATIENCE, current.changed()).await;
                    if !matches!(back, Ok(Ok(()))) {
                        return Err(error.context("there was no answer, and the server did not come back"));
                    }
                }
            }
        }
    }

    /// The only resource that a filter finds, if it finds one. `parameters` come before the filter.
    pub(crate) async fn find(&self, path: &str, parameters: &str, filter: &str) -> anyhow::Result<Option<Value>> {
        let reply = self.get(&format!("{path}?{parameters}filter={}", percent_encoded(filter))).await?;
        ensure!(reply.status == StatusCode::OK, "{path} with {filter} answered {} {}", reply.status, reply.body);
        let total = reply.body["totalResults"].as_u64().with_context(|| format!("no total in {}", reply.body))?;
        ensure!(total <= 1, "{filter} finds {total} at {path}");
        let found = reply.body["Resources"].as_array().with_context(|| format!("no Resources in {}", reply.body))?;
        ensure!(u64::try_from(found.len())? == total, "{filter} says {total} and shows {}", found.len());
        Ok(found.first().cloned())
    }

    fn flagged(&self, path: &str) -> String {
        match (self.flag, path.split_once('?')) {
            (None, _) => path.to_owned(),
            (Some(flag), None) => format!("{path}?{flag}"),
            (Some(flag), Some((path, query))) => format!("{path}?{flag}&{query}"),
        }
    }
}

/// A text as a value in a URL, with `%20` for a space as Okta and Entra send it.
pub(crate) fn percent_encoded(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encoded).collect()
}
