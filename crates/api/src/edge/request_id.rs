//! The id by which one request is found again: in the answer's header, in error texts, in logs, in the change log
//! and in attempts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// The header in which a client may send an id and every answer carries one.
pub const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Shortest and longest id accepted from a client. Longer ones would flood logs, shorter ones find nothing.
const ACCEPTED_LENGTH: std::ops::RangeInclusive<usize> = 8..=64;

/// The id of a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id that the client sent, if it is a sane one: letters, digits, `-`, `_` and `.`. Anything else could
    /// forge log lines or markup, and is replaced silently.
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(HEADER)?.to_str().ok()?;
        let sane = ACCEPTED_LENGTH.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        sane.then(|| Self(text.into()))
    }

    /// An id of our own: 22 characters of base64url, growing with time.
    pub fn from_uuid(id: Uuid) -> Self {
        Self(URL_SAFE_NO_PAD.encode(id.as_bytes()).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a header value.
    pub fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
