//! The body of a request: its media type, its size, its form.

pub(crate) mod unambiguous;

use crate::edge::arrival::{Arrival, next_piece};
use crate::error::ApiError;
use crate::limits::MAX_BODY_BYTES;
use axum::body::Body;
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use rollcall_scim::Error;
use rollcall_scim::limits::check_depth;
use serde_json::Value;
use unambiguous::Unambiguous;

/// A JSON body, checked for everything that does not depend on what it is about: size, media type, UTF-8, syntax,
/// depth, and characters that the database cannot hold.
#[derive(Debug)]
pub struct JsonBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        check_media_type(request.headers())?;
        Ok(Self(read_json(request).await?))
    }
}

/// A body that may be left out.
impl<S: Send + Sync> OptionalFromRequest<S> for JsonBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Option<Self>, ApiError> {
        let media_type = check_media_type(request.headers());
        let bytes = read_bytes(request).await?;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(None);
        }
        media_type?;
        Ok(Some(Self(parse(&bytes)?)))
    }
}

/// A JSON body that says what changes, checked as a [`JsonBody`]. It may also call itself a merge patch (RFC 7396).
#[derive(Debug)]
pub struct MergePatchBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for MergePatchBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        check_media_type_among(
            request.headers(),
            &["application/merge-patch+json", "application/json", "application/scim+json"],
        )?;
        Ok(Self(read_json(request).await?))
    }
}

async fn read_json(request: Request) -> Result<Value, ApiError> {
    Ok(parse(&read_bytes(request).await?)?)
}

async fn read_bytes(request: Request) -> Result<Vec<u8>, ApiError> {
    check_encoding(request.headers())?;
    let arrival = request.extensions().get::<Arrival>().cloned().unwrap_or_default();
    read(request.into_body(), &arrival).await
}

/// Accepts `application/json` and `application/scim+json`, with any parameters, and a body without a media type
/// (RFC 7644 §3.8; older clients name none).
///
/// # Errors
/// 415 for anything else, and for a charset other than UTF-8.
pub fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    check_media_type_among(headers, &["application/json", "application/scim+json"])
}

fn check_media_type_among(headers: &HeaderMap, ours: &[&str]) -> Result<(), ApiError> {
    let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let text = String::from_utf8_lossy(value.as_bytes());
    let mut parts = text.split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let known = media_type.is_empty() || ours.iter().any(|ours| media_type.eq_ignore_ascii_case(ours));
    let foreign_charset = parts.filter_map(|parameter| parameter.split_once('=')).any(|(name, charset)| {
        let charset = charset.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset")
            && !["utf-8", "utf8"].iter().any(|ours| charset.eq_ignore_ascii_case(ours))
    });
    if known && !foreign_charset { Ok(()) } else { Err(ApiError::UnsupportedMediaType(text.into_owned())) }
}

/// Accepts a body as it is, without any content coding (RFC 9110 §8.4).
///
/// # Errors
/// 415 for a compressed body.
pub fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let codings = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    match codings.into_iter().find(|coding| !coding.is_empty() && !coding.trim().eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => Err(ApiError::UnsupportedEncoding(coding.into_owned())),
    }
}

/// Reads the whole body, but never keeps more than [`MAX_BODY_BYTES`]. One that says beforehand that it is larger has
/// been refused by the edge.
///
/// # Errors
/// 413 when there is more, 400 when the connection broke off.
pub(crate) async fn read(mut body: Body, arrival: &Arrival) -> Result<Vec<u8>, ApiError> {
    arrival.await_body();
    let mut bytes = Vec::new();
    while let Some(piece) = next_piece(&mut body).await {
        let piece = piece.map_err(|_broken| ApiError::BodyBroken)?;
        if piece.len() > MAX_BODY_BYTES - bytes.len() {
            arrival.refuse(body);
            return Err(ApiError::BodyTooLarge);
        }
        bytes.extend_from_slice(&piece);
    }
    arrival.complete();
    Ok(bytes)
}

/// Parses a JSON body.
///
/// # Errors
/// 400 `invalidSyntax` that says where the text stops being JSON or which name an object holds twice, or `invalidValue`
/// that names the attribute which holds a null character: PostgreSQL can store it neither as text nor as JSON.
pub fn parse(bytes: &[u8]) -> Result<Value, Error> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid_syntax("the body is empty; this request needs a JSON object"));
    }
    let Unambiguous(value) = serde_json::from_slice(bytes).map_err(|error| syntax_error(bytes, &error))?;
    if !value.is_object() {
        return Err(Error::invalid_syntax(format!("the body must be a JSON object, not {}", form(&value))));
    }
    check_depth(&value)?;
    // In JSON a null character can only stand as an escape, so most bodies need no walk.
    if bytes.windows(6).any(|window| window == b"\\u0000")
        && let Some(place) = null_character(&value)
    {
        return Err(Error::invalid_value(format!(
            "{place} holds a null character (\\u0000), which cannot be stored; take it out at the source"
        )));
    }
    Ok(value)
}

fn syntax_error(bytes: &[u8], error: &serde_json::Error) -> Error {
    if let Err(utf8) = std::str::from_utf8(bytes) {
        return Error::invalid_syntax(format!("the body is not UTF-8: byte {} does not fit", utf8.valid_up_to()));
    }
    if error.to_string().contains("recursion limit") {
        return Error::invalid_syntax(format!(
            "the body is nested deeper than {} levels",
            rollcall_scim::limits::MAX_JSON_DEPTH
        ));
    }
    if error.is_data() {
        return Error::invalid_syntax(format!("the body can be read in two ways: {error}"));
    }
    Error::invalid_syntax(format!("the body is not JSON: {error}"))
}

const fn form(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The path of the first string or name that holds a null character.
fn null_character(value: &Value) -> Option<String> {
    let mut waiting = vec![(String::new(), value)];
    while let Some((place, value)) = waiting.pop() {
        match value {
            Value::String(text) if text.contains('\0') => return Some(format!("\"{place}\"")),
            Value::Array(items) => {
                waiting.extend(items.iter().enumerate().map(|(index, item)| (format!("{place}[{index}]"), item)));
            }
            Value::Object(map) => {
                if map.keys().any(|key| key.contains('\0')) {
                    return Some("the name of an attribute".to_owned());
                }
                let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
                waiting.extend(map.iter().map(|(key, item)| (below(key), item)));
            }
            _ => {}
        }
    }
    None
}
