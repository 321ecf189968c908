//! Successful SCIM answers: media type, version, location.

use crate::refusal::SCIM_JSON;
use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderValue, StatusCode};
use rollcall_scim::version::etag;
use serde_json::Value;

/// What the headers of an answer about one resource say.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    /// Its version.
    pub(super) version: i64,
    /// Its URL.
    pub(super) location: &'a str,
}

/// An answer with a body and nothing about a version: discovery documents and lists.
pub(super) fn document(body: &Value) -> Response {
    with_body(StatusCode::OK, body)
}

/// An answer with a resource. 201 and 200 carry `Location` and `ETag` alike (RFC 7644 §3.3, §3.5.1).
pub(super) fn resource(status: StatusCode, body: &Value, about: About<'_>) -> Response {
    let mut response = with_body(status, body);
    tell(&mut response, about);
    response
}

/// 204: done, and the client does not want to see it; or 304: the client has it already.
pub(super) fn bodiless(status: StatusCode, about: About<'_>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    tell(&mut response, about);
    response
}

/// 204 after a deletion: there is nothing left to say anything about.
pub(super) fn deleted() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn with_body(status: StatusCode, body: &Value) -> Response {
    // Writing a value to memory cannot fail; it is quicker than to go through its `Display`.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SCIM_JSON));
    response
}

/// Says the version and the URL.
pub(super) fn tell(response: &mut Response, about: About<'_>) {
    for (name, value) in [(ETAG, etag(about.version)), (LOCATION, about.location.to_owned())] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
}
