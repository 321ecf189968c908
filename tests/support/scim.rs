//! A SCIM client that looks like the ones that will call: same headers, same media types.

use anyhow::Context;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::server::http_client;

/// Whose headers to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Okta's SCIM 2.0 client.
    Okta,
    /// Microsoft Entra's provisioning service.
    Entra,
    /// A client that sends what RFC 7644 section 3.8 asks for, and nothing else.
    Plain,
}

impl Client {
    /// The User-Agent, where it is known, and the type of a body.
    fn headers(self) -> (Option<&'static str>, &'static str) {
        match self {
            Self::Okta => (Some("Okta SCIM Client 1.0.0"), "application/scim+json; charset=utf-8"),
            Self::Entra => (None, "application/scim+json; charset=utf-8"),
            Self::Plain => (None, "application/scim+json"),
        }
    }
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; `Null` if it is empty.
    pub body: Value,
}

impl Reply {
    /// The text at a JSON pointer (RFC 6901), such as `/id`.
    ///
    /// # Errors
    /// There is no text; the error holds the whole body.
    pub fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        self.body
            .pointer(pointer)
            .and_then(Value::as_str)
            .with_context(|| format!("no text at {pointer} in the answer {} {}", self.status, self.body))
    }

    /// The `ETag` header, if the answer has one.
    pub fn etag(&self) -> Option<&str> {
        self.headers.get("etag")?.to_str().ok()
    }
}

/// A client of one SCIM source.
#[derive(Debug, Clone)]
pub struct ScimClient {
    base_url: String,
    http: reqwest::Client,
    headers: HeaderMap,
}

impl ScimClient {
    /// `base_url` is what an admin enters: everything before `/Users`.
    ///
    /// # Errors
    /// The token cannot be sent in a header.
    pub fn new(client: Client, base_url: &str, token: &str) -> anyhow::Result<Self> {
        Self::anonymous(client, base_url)?.with_header(AUTHORIZATION.as_str(), &format!("Bearer {token}"))
    }

    /// A client without a token.
    ///
    /// # Errors
    /// The HTTP client cannot be made.
    pub fn anonymous(client: Client, base_url: &str) -> anyhow::Result<Self> {
        let (user_agent, content_type) = client.headers();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/scim+json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(user_agent) = user_agent {
            headers.insert(USER_AGENT, HeaderValue::from_static(user_agent));
        }
        Ok(Self { base_url: base_url.trim_end_matches('/').to_owned(), http: http_client()?, headers })
    }

    /// The same client with one more header on every request, such as `If-Match`.
    ///
    /// # Errors
    /// The name or the value is not a header's.
    pub fn with_header(&self, name: &str, value: &str) -> anyhow::Result<Self> {
        let mut client = self.clone();
        client.headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value)?);
        Ok(client)
    }

    /// `path` begins with a slash and is sent as it is: a filter in it must be percent-encoded.
    ///
    /// # Errors
    /// There was no answer, or its body is neither empty nor JSON.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, None).await
    }

    /// Lists `path` (such as `/Users`) with a filter in plain text.
    ///
    /// # Errors
    /// As [`ScimClient::get`].
    pub async fn find(&self, path: &str, filter: &str) -> anyhow::Result<Reply> {
        let mut url = reqwest::Url::parse(&format!("{}{path}", self.base_url))?;
        url.query_pairs_mut().append_pair("filter", filter);
        self.send_to(Method::GET, url, None).await
    }

    /// Creates.
    ///
    /// # Errors
    /// As [`ScimClient::get`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Replaces.
    ///
    /// # Errors
    /// As [`ScimClient::get`].
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Changes.
    ///
    /// # Errors
    /// As [`ScimClient::get`].
    pub async fn patch(&self, path: &str, body: &Value) -> anyhow::Result<Reply> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Deletes.
    ///
    /// # Errors
    /// As [`ScimClient::get`].
    pub async fn delete(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Reply> {
        let url = reqwest::Url::parse(&format!("{}{path}", self.base_url))?;
        self.send_to(method, url, body).await
    }

    async fn send_to(&self, method: Method, url: reqwest::Url, body: Option<&Value>) -> anyhow::Result<Reply> {
        let what = format!("{method} {url}");
        let mut request = self.http.request(method, url).headers(self.headers.clone());
        if let Some(body) = body {
            request = request.body(serde_json::to_vec(body)?);
        }
        let answer = request.send().await.with_context(|| what.clone())?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.with_context(|| what.clone())?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes)
                .with_context(|| format!("{what} answered {status}: {}", String::from_utf8_lossy(&bytes)))?
        };
        Ok(Reply { status, headers, body })
    }
}
