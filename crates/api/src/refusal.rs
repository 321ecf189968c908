//! How "no" is said: one value for every refused request, written out at the edge in the dialect of its route.
//!
//! A handler, an extractor or a layer answers with a [`Refusal`] and does not care who asked. The edge, which
//! alone knows the request id, turns it into a SCIM error (RFC 7644 §3.12) below `/scim`, into one of OAuth (RFC 6749
//! §5.2) at the token endpoint, and into problem details (RFC 9457) elsewhere. Bare errors made by axum itself (404, 405) become refusals there too.

use crate::auth::scopes::Scopes;
use crate::edge::request_id::RequestId;
use crate::oauth::{TOKEN_PATH, TokenRefusal};
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, StatusCode, Uri};
use rollcall_scim::ScimType;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Media type of every SCIM answer (RFC 7644 §3.8).
pub const SCIM_JSON: &str = "application/scim+json";
/// Media type of problem details (RFC 9457).
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Longest sentence of a refusal, in bytes. Whatever a client sent may be quoted in it.
const MAX_DETAIL_BYTES: usize = 2_000;

/// Why a request was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// A word that a program can switch on; the same in SCIM, REST and metrics.
    pub code: &'static str,
    /// The keyword of RFC 7644 table 9, where it has one. Only SCIM answers carry it.
    pub scim_type: Option<ScimType>,
    /// What, whose, which attribute, what to do.
    pub detail: String,
    /// When to come again, in seconds.
    pub retry_after: Option<u32>,
    /// What `WWW-Authenticate` says.
    pub challenge: Challenge,
    /// What a program can read besides; only problem details carry it.
    pub extras: Extras,
}

/// What problem details say besides (RFC 9457 §3.2).
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug, Default)]
pub struct Extras {
    /// The parts of the body that cannot be used.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<PartProblem>,
    /// Of a plan that is stale: the first hundred resources that have moved since it was made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<Moved>,
    /// How many have moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_count: Option<i64>,
}

/// A part of a body that cannot be used.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct PartProblem {
    /// Where, as a JSON pointer (RFC 6901).
    #[schema(example = "/people.remove/floor")]
    pub pointer: String,
    /// The line in the text that stands there, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The character in that line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The attribute that is to blame, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// What is wrong with it.
    pub detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// A resource for which something else is to be done by now.
#[derive(Serialize, ToSchema, Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// The resource.
    pub resource_id: Uuid,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a client is told about how to authenticate (RFC 9110 §11.6.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Challenge {
    /// Nothing.
    None,
    /// By a bearer token (RFC 6750 §3).
    Bearer,
    /// By a bearer token, or by user name and password (RFC 7617 §2).
    BearerOrBasic,
    /// By a bearer token with these rights (RFC 6750 §3.1).
    Scopes(Scopes),
}

impl Challenge {
    /// The values of the header. HTTP Basic is for SCIM alone.
    fn values(self, dialect: Dialect) -> Vec<String> {
        let bearer = "Bearer realm=\"rollcall\"".to_owned();
        match self {
            Self::None => Vec::new(),
            Self::BearerOrBasic if dialect == Dialect::Scim => {
                vec![bearer, "Basic realm=\"rollcall\", charset=\"UTF-8\"".to_owned()]
            }
            Self::Bearer | Self::BearerOrBasic => vec![bearer],
            Self::Scopes(missing) => {
                vec![format!("{bearer}, error=\"insufficient_scope\", scope=\"{missing}\"")]
            }
        }
    }
}

impl Refusal {
    /// A refusal told by its status, a word and a sentence.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (scim_type, retry_after, challenge, extras) = (None, None, Challenge::None, Extras::default());
        Self { status, code, scim_type, detail: detail.into(), retry_after, challenge, extras }
    }

    /// The same, with what a program can read besides.
    #[must_use]
    pub fn extras(mut self, extras: Extras) -> Self {
        self.extras = extras;
        self
    }

    /// The same, with the time after which the client should come again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The same, with what the client is told about how to authenticate.
    #[must_use]
    pub fn challenge(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    /// What a bare error status means, for answers that axum made by itself.
    pub fn from_status(status: StatusCode, method: &Method, uri: &Uri) -> Self {
        let path = uri.path();
        match status {
            StatusCode::NOT_FOUND => Self::new(
                status,
                "unknown_route",
                format!("there is nothing at {path}; check the base URL and the spelling of the endpoint"),
            ),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(
                status,
                "method_not_allowed",
                format!("{method} is not possible at {path}; the Allow header names the methods that are"),
            ),
            _ => Self::new(
                status,
                "refused",
                format!("the request was refused: {}", status.canonical_reason().unwrap_or("no reason is known")),
            ),
        }
    }

    /// The answer in the given dialect. Every detail ends with the request id, because that is what a person
    /// copies into a ticket.
    pub fn render(self, dialect: Dialect, id: &RequestId) -> Response {
        let kept = self.detail.get(..self.detail.floor_char_boundary(MAX_DETAIL_BYTES)).unwrap_or_default();
        let detail = format!("{kept} [request {id}]");
        let (media_type, body) = match dialect {
            Dialect::Scim => {
                let error = rollcall_scim::Error { status: self.status.as_u16(), scim_type: self.scim_type, detail };
                (SCIM_JSON, error.to_json().to_string())
            }
            Dialect::Problem => {
                let problem = Problem {
                    problem_type: format!("urn:rollcall:problem:{}", self.code),
                    title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
                    status: self.status.as_u16(),
                    detail,
                    code: self.code.to_owned(),
                    request_id: id.as_str().to_owned(),
                    extras: self.extras,
                };
                (PROBLEM_JSON, serde_json::to_string(&problem).unwrap_or_default())
            }
            Dialect::Oauth => ("application/json", TokenRefusal::of(self.status, &detail).to_json()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        for value in self.challenge.values(dialect) {
            headers.extend(HeaderValue::from_str(&value).ok().map(|value| (WWW_AUTHENTICATE, value)));
        }
        response
    }
}

/// The refusal travels to the edge inside the answer's extensions.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
        response
    }
}

/// In which form errors of a route are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// RFC 7644 §3.12.
    Scim,
    /// RFC 9457.
    Problem,
    /// RFC 6749 §5.2.
    Oauth,
}

impl Dialect {
    /// The dialect of a path.
    pub fn of(path: &str) -> Self {
        let is_below =
            |start: &str| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_below("/scim") {
            Self::Scim
        } else if is_below(TOKEN_PATH) {
            Self::Oauth
        } else {
            Self::Problem
        }
    }
}

/// Problem details (RFC 9457): how a REST request was refused.
#[derive(Serialize, ToSchema, Debug)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[serde(rename = "type")]
    #[schema(rename = "type", example = "urn:rollcall:problem:not_found")]
    pub problem_type: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong and what to do about it; ends with the request id.
    pub detail: String,
    /// A word that a program can switch on.
    #[schema(example = "not_found")]
    pub code: String,
    /// The id of the request, to be found again in logs and in the change log.
    pub request_id: String,
    /// What is said besides.
    #[serde(flatten)]
    pub extras: Extras,
}

/// Replaces the body of an answer that axum made by itself, and keeps its other headers (`Allow`).
pub(crate) fn replace_body(bare: Response, rendered: Response) -> Response {
    let (mut parts, _) = bare.into_parts();
    let (rendered_parts, body) = rendered.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(rendered_parts.headers);
    parts.status = rendered_parts.status;
    Response::from_parts(parts, body)
}
