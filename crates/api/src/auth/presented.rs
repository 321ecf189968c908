//! What a request shows to prove who it is from: the `Authorization` header, read but not judged.

use crate::auth::token::{self, PresentedToken};
use crate::error::ApiError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// Something that may prove who a request is from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Presented<'a> {
    /// A bearer token of ours (RFC 6750).
    Token(PresentedToken),
    /// A JSON Web Token as a bearer token: an access token of ours, or one of an issuer that a source trusts.
    Jwt(&'a str),
    /// User name and password of HTTP Basic (RFC 7617).
    Password(PresentedToken),
}

/// What the request shows; `None` if that can be nobody's. Of two headers, a proxy on the way could have judged the one and
/// we the other.
///
/// # Errors
/// When there are several `Authorization` headers.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<Presented<'_>>, ApiError> {
    let mut headers = headers.get_all(AUTHORIZATION).iter();
    let header = headers.next();
    if headers.next().is_some() {
        return Err(ApiError::TwoTokens);
    }
    Ok(header.and_then(|header| header.to_str().ok()).and_then(parse))
}

fn parse(value: &str) -> Option<Presented<'_>> {
    if let Some((name, password)) = basic(value) {
        return token::parse_password(&name, &password).map(Presented::Password);
    }
    let text = token::from_header(value);
    if text.starts_with(token::PREFIX) {
        return token::parse(text).map(Presented::Token);
    }
    let parts = text.split('.').count();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (parts == 3 && plain).then_some(Presented::Jwt(text))
}

/// User name and password of an HTTP Basic header (RFC 7617 §2).
pub(crate) fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}
