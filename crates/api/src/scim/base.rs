//! The URL under which a client reaches the SCIM interface.

use crate::state::ApiState;
use axum::extract::FromRequestParts;
use http::header::HOST;
use http::request::Parts;
use http::uri::Authority;
use std::convert::Infallible;

/// Path of the SCIM interface.
pub const PATH: &str = "/scim/v2";

/// The base URL of RFC 7644 §1.3, without a slash at its end.
#[derive(Clone, Debug)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of one resource. `endpoint` begins with a slash.
    pub fn resource(&self, endpoint: &str, id: impl std::fmt::Display) -> String {
        format!("{}{endpoint}/{id}", self.0)
    }
}

impl FromRequestParts<ApiState> for BaseUrl {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Infallible> {
        Ok(Self(base_url(state.public_url(), parts)))
    }
}

/// The configured URL, or the host that the client named. `X-Forwarded-Proto` and its like are not looked at: anyone
/// can send them, and who runs behind a proxy configures the URL.
fn base_url(public_url: Option<&str>, parts: &Parts) -> String {
    if let Some(url) = public_url {
        return format!("{}{PATH}", url.trim_end_matches('/'));
    }
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    // HTTP/2 has the host in the URI.
    let authority = host.and_then(|host| host.parse::<Authority>().ok()).or_else(|| parts.uri.authority().cloned());
    match authority {
        Some(authority) => format!("http://{authority}{PATH}"),
        None => PATH.to_owned(),
    }
}
