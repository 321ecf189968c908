//! The token endpoint (RFC 6749 §3.2): where an OAuth client of a source exchanges what it proves itself by for an access
//! token. One grant is known, that of client credentials (§4.4).
//!
//! Errors are those of RFC 6749 §5.2. As at every other door, all that is wrong with a client reads the same.

mod client;
mod form;

use crate::auth::access_token::Grant;
use crate::auth::scopes::Scopes;
use crate::auth::{PrincipalKind, guard};
use crate::error::ApiError;
use crate::state::ApiState;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use client::Proven;
use form::Form;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::net::IpAddr;
use time::OffsetDateTime;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Path of the token endpoint.
pub const TOKEN_PATH: &str = "/oauth/token";

/// The documented routes.
pub(crate) fn documented() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(token))
}

/// An access token (RFC 6749 §5.1).
#[derive(Serialize, ToSchema, Debug)]
pub(crate) struct TokenAnswer {
    /// The token.
    access_token: String,
    /// How to send it.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long it lives, in seconds.
    #[schema(example = 7200)]
    expires_in: i32,
    /// What it may do.
    #[schema(example = "users:read users:write groups:read groups:write")]
    scope: String,
}

/// Why there is no token (RFC 6749 §5.2).
#[derive(Serialize, ToSchema, Debug)]
pub(crate) struct TokenRefusal {
    /// A word that a program can switch on.
    #[schema(example = "invalid_client")]
    error: &'static str,
    /// What to do about it.
    error_description: String,
}

impl TokenRefusal {
    /// What another door says by a status and a sentence.
    pub(crate) fn of(status: StatusCode, detail: &str) -> Self {
        let error = match status {
            StatusCode::FORBIDDEN => "unauthorized_client",
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request",
        };
        Self { error, error_description: printable(detail) }
    }

    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Gives an OAuth client of a source an access token for SCIM. The client proves itself by one of its secrets, in the body or
/// by HTTP Basic, or by an assertion (RFC 7523): signed with its own key, or by an issuer that it trusts, such as Entra.
#[utoipa::path(
    post, path = "/oauth/token", tag = "oauth", operation_id = "fetchToken",
    request_body(content = Object, content_type = "application/x-www-form-urlencoded",
        description = "`grant_type=client_credentials`, with `client_id` and `client_secret`, or `client_assertion_type` and \
                       `client_assertion`; `scope` may narrow what the token may do"),
    responses(
        (status = 200, description = "The token", body = TokenAnswer),
        (status = 400, description = "The request cannot be granted", body = TokenRefusal),
        (status = 401, description = "The client is not known, or has not proved itself", body = TokenRefusal),
        (status = 403, description = "The source may not call from this address", body = TokenRefusal),
        (status = 413, description = "The body is too large", body = TokenRefusal),
        (status = 415, description = "The body is compressed", body = TokenRefusal),
        (status = 429, description = "Too fast, or failed too often: come again after `Retry-After`", body = TokenRefusal),
        (status = 503, description = "The database cannot be reached: come again after `Retry-After`", body = TokenRefusal),
    ),
    security(()),
)]
async fn token(State(state): State<ApiState>, request: Request) -> Response {
    let now = state.clock().now();
    let headers = request.headers().clone();
    let address = state.guard().address(request.extensions(), &headers);
    let form = match form::of(request).await {
        Ok(form) => form,
        Err(refusal) => return refusal.answer(),
    };
    let granted = async {
        let proven = client::prove(&state, &headers, &form, now).await?;
        grant(&state, &form, proven, address, now).await
    };
    match granted.await {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(No::Client) => match state.guard().note_failure(address, now) {
            Ok(()) => No::Client.answer(),
            Err(error) => No::Other(error).answer(),
        },
        Err(no) => no.answer(),
    }
}

async fn grant(
    state: &ApiState,
    form: &Form,
    proven: Proven,
    address: Option<IpAddr>,
    now: OffsetDateTime,
) -> Result<TokenAnswer, No> {
    let PrincipalKind::Source(source) = &proven.known.principal else { return Err(No::Client) };
    guard::check_address(source, address).map_err(No::Other)?;
    state.guard().admit_source(proven.tenant, source, now).map_err(No::Other)?;
    state.last_uses().note(proven.tenant, proven.credential, now);
    let scopes = wanted(form.get("scope"), proven.known.scopes)?;
    let client = proven.known.client.ok_or(No::Client)?;
    let grant = Grant { tenant: proven.tenant, client: client.id, credential: proven.credential, scopes };
    let token = state.token_key().issue(&grant, state.ids().new_id(), now, client.token_seconds);
    let access_token = token.ok_or_else(|| No::Request("the token could not be signed".to_owned()))?;
    // Last of all: an assertion that is refused for something else can be sent again, when its rate or its scopes allow.
    if let Some(assertion) = proven.assertion {
        assertion.consume(state, (proven.tenant, proven.credential)).await?;
    }
    Ok(TokenAnswer { access_token, token_type: "Bearer", expires_in: client.token_seconds, scope: scopes.to_string() })
}

/// What a client gets of what it asks for (RFC 6749 §3.3). Entra can only ask for everything that it is granted, by a word
/// that ends in `/.default`.
fn wanted(asked: Option<&str>, granted: Scopes) -> Result<Scopes, No> {
    let words: Vec<&str> = asked.unwrap_or_default().split_ascii_whitespace().collect();
    if words.is_empty() || words.iter().all(|word| word.ends_with("/.default") || *word == ".default") {
        return Ok(granted);
    }
    let asked = Scopes::parse(words)
        .map_err(|word| No::Scope(format!("the scope {word:?} is not known; there are {}", Scopes::ALL)))?;
    let beyond = asked.beyond(granted);
    if beyond.is_empty() { Ok(asked) } else { Err(No::Scope(format!("this client is not granted {beyond}"))) }
}

/// Why there is no token.
#[derive(Debug)]
pub(super) enum No {
    /// The request is not one. What is wrong with it, in words.
    Request(String),
    /// Whatever is wrong with the client.
    Client,
    /// Another grant than that of client credentials.
    GrantType,
    /// A scope that is not known or not granted.
    Scope(String),
    /// What every other door would say too.
    Other(ApiError),
}

impl No {
    fn answer(self) -> Response {
        let (status, error, description) = match self {
            Self::Request(text) => (StatusCode::BAD_REQUEST, "invalid_request", text),
            Self::Client => {
                let text = "the client is unknown or revoked, or what it proves itself by is wrong, expired or revoked";
                (StatusCode::UNAUTHORIZED, "invalid_client", text.to_owned())
            }
            Self::GrantType => {
                let text = "the only grant type is client_credentials";
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", text.to_owned())
            }
            Self::Scope(text) => (StatusCode::BAD_REQUEST, "invalid_scope", text),
            // The edge writes it out as it does for every other refusal.
            Self::Other(error) => return error.into_response(),
        };
        let mut response = json(status, &TokenRefusal { error, error_description: printable(&description) });
        if status == StatusCode::UNAUTHORIZED {
            let basic = HeaderValue::from_static("Basic realm=\"rollcall\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, basic);
        }
        response
    }
}

impl From<ApiError> for No {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

/// RFC 6749 §5.2 lets a description hold printable ASCII alone, without quotes and backslashes.
fn printable(text: &str) -> String {
    let plain = |letter: char| if matches!(letter, '"' | '\\') { '\'' } else { letter };
    text.chars().map(plain).filter(|letter| matches!(letter, ' '..='~')).collect()
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (PRAGMA, HeaderValue::from_static("no-cache")),
    ];
    (status, headers, Body::from(serde_json::to_vec(body).unwrap_or_default())).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::scopes::Scope;

    #[test]
    fn scopes_are_narrowed_and_never_widened() {
        let granted = Scopes::NONE.with(Scope::UsersRead).with(Scope::UsersWrite);
        for (asked, got) in [
            (None, Some("users:read users:write")),
            (Some(""), Some("users:read users:write")),
            (Some("users:read"), Some("users:read")),
            (Some("users:write  users:read users:read"), Some("users:read users:write")),
            (Some("api://sample/.default"), Some("users:read users:write")),
            (Some("groups:read"), None),
            (Some("users:read groups:read"), None),
            (Some("users"), None),
            (Some("api://sample/.default users:read"), None),
        ] {
            assert_eq!(wanted(asked, granted).ok().map(|scopes| scopes.to_string()).as_deref(), got, "{asked:?}");
        }
    }

    #[test]
    fn descriptions_are_printable() {
        assert_eq!(printable("a \"b\\c\" \u{e9}\n~"), "a 'b'c' ~");
    }
}
