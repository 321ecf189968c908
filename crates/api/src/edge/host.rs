//! The header `Host`: RFC 9112 §3.2 wants it in every request of HTTP/1.1, once, and with a host in it. A server that puts
//! up with less can be made to read another host than the proxy in front of it.

use crate::refusal::Refusal;
use axum::extract::Request;
use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, StatusCode, Version};

/// Why a request is refused whose `Host` cannot stand.
pub(super) fn refusal(request: &Request) -> Option<Refusal> {
    let mut given = request.headers().get_all(HOST).iter();
    let problem = match (given.next(), given.next()) {
        (None, _) if request.version() == Version::HTTP_11 => "the request has no Host header; send one",
        (Some(host), None) if !is_host(host) => "the Host header names no host; send the one of the URL, with its port",
        (Some(_), Some(_)) => "the request has several Host headers; send one",
        _ => return None,
    };
    Some(Refusal::new(StatusCode::BAD_REQUEST, "bad_host", problem))
}

/// An empty one is that of a URL without a host.
fn is_host(value: &HeaderValue) -> bool {
    let is_authority = |text: &str| text.parse::<Authority>().is_ok_and(|authority| !authority.as_str().contains('@'));
    value.to_str().is_ok_and(|text| text.is_empty() || is_authority(text))
}
