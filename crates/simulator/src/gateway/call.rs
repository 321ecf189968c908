//! One call as it came in: host dialect, path, token, parameters.

use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::extract::{Form, FromRequest, Query};
use axum::http::{HeaderMap, Method, Request, Uri, header, request::Parts};
use serde_json::Value;

use crate::errcode::{Errcode, UNICODE_ESCAPE, UNPARSEABLE_BODY};
use crate::params::Params;
use crate::tokens::Host;

/// Header of the new host's token.
const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";

/// A call before anything has been checked.
#[derive(Debug)]
pub(super) struct Call {
    /// The caller's address.
    pub(super) peer: IpAddr,
    /// GET or POST.
    pub(super) method: Method,
    /// The request path.
    pub(super) path: String,
    /// Which host the path belongs to.
    pub(super) host: Host,
    /// The caller meant the new host but left out the version.
    pub(super) lacks_version: bool,
    /// The token, from where this host looks for it.
    pub(super) token: Option<String>,
    /// Parameters of the query alone.
    pub(super) query: Params,
    /// Parameters of body and query; the body wins.
    pub(super) params: Params,
    /// Why the body could not be read.
    pub(super) unreadable: Option<Errcode>,
    /// The body holds `\uXXXX` escapes of printable characters.
    pub(super) has_unicode_escapes: bool,
}

impl Call {
    /// Reads a request. Nothing is refused here: the gateway decides when to look at which fault.
    pub(super) async fn read(parts: &Parts, body: &Bytes, peer: IpAddr) -> Self {
        let path = parts.uri.path().to_owned();
        let means_new_host = header_text(&parts.headers, header::HOST).is_some_and(|host| host.starts_with("api."));
        let is_versioned = has_version(&path);
        let host = if is_versioned { Host::New } else { Host::Old };
        let query = pairs_of_query(&parts.uri);
        let form = if is_form(&parts.headers) { pairs_of_form(body).await } else { None };
        let token = match host {
            Host::New => parts.headers.get(TOKEN_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned),
            Host::Old => token_of(&query).or_else(|| token_of(form.as_deref()?)),
        };
        let query = Params::from_pairs(query);
        let body_params = match form {
            Some(pairs) => Ok(Params::from_pairs(pairs)),
            None => params_of_json(body),
        };
        let unreadable = body_params.as_ref().err().copied();
        Self {
            peer,
            method: parts.method.clone(),
            lacks_version: means_new_host && !is_versioned,
            path,
            host,
            token: token.filter(|token| !token.is_empty()),
            params: body_params.unwrap_or_default().or(query.clone()),
            query,
            unreadable,
            has_unicode_escapes: has_unicode_escapes(body),
        }
    }

    /// The people and departments the call names, for fault rules and the call log.
    pub(super) fn subject(&self, name: &str) -> Option<String> {
        self.params.text(name).ok().flatten().filter(|subject| !subject.is_empty())
    }

    /// The error that the body deserves once the gateway has let the call pass.
    pub(super) fn body_error(&self, refuses_unicode_escapes: bool) -> Option<Errcode> {
        self.unreadable.or((self.has_unicode_escapes && refuses_unicode_escapes).then_some(UNICODE_ESCAPE))
    }
}

/// Whether a path begins with a version such as `/v1.0/`.
fn has_version(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    let Some((major, minor)) = first.strip_prefix('v').and_then(|version| version.split_once('.')) else {
        return false;
    };
    [major, minor].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

fn is_form(headers: &HeaderMap) -> bool {
    header_text(headers, header::CONTENT_TYPE)
        .is_some_and(|value| value.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}

fn pairs_of_query(uri: &Uri) -> Vec<(String, String)> {
    Query::try_from_uri(uri).map(|Query(pairs)| pairs).unwrap_or_default()
}

async fn pairs_of_form(body: &Bytes) -> Option<Vec<(String, String)>> {
    let request = Request::post("/")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.clone()))
        .ok()?;
    Form::from_request(request, &()).await.ok().map(|Form(pairs)| pairs)
}

fn token_of(pairs: &[(String, String)]) -> Option<String> {
    pairs.iter().find(|(name, _)| name == "access_token").map(|(_, value)| value.clone())
}

fn params_of_json(body: &[u8]) -> Result<Params, Errcode> {
    if body.trim_ascii().is_empty() {
        return Ok(Params::default());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(Params::from_object(object)),
        _ => Err(UNPARSEABLE_BODY),
    }
}

/// Whether JSON text escapes a character that it could have written as it is. Control characters must be escaped.
fn has_unicode_escapes(body: &[u8]) -> bool {
    let mut bytes = body.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' || bytes.next() != Some(b'u') {
            continue;
        }
        let code: Vec<u8> = bytes.by_ref().take(4).collect();
        let code = std::str::from_utf8(&code).ok().and_then(|code| u32::from_str_radix(code, 16).ok());
        if code.is_some_and(|code| code >= 0x20) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{has_unicode_escapes, has_version};

    #[test]
    fn versions_tell_the_new_host() {
        for (path, expected) in [
            ("/v1.0/contact/users/search", true),
            ("/v2.0/x", true),
            ("/topapi/v2/user/get", false),
            ("/v1/x", false),
            ("/vx.0/x", false),
            ("/", false),
        ] {
            assert_eq!(has_version(path), expected, "{path}");
        }
    }

    #[test]
    fn escapes_of_printable_characters_are_seen() {
        for (body, expected) in [
            (r#"{"name":"\u5f20"}"#, true),
            (r#"{"name":"张"}"#, false),
            (r#"{"name":"a\\u5f20"}"#, false),
            (r#"{"name":"a\u0001b"}"#, false),
            (r#"{"name":"a\n\u5f20"}"#, true),
        ] {
            assert_eq!(has_unicode_escapes(body.as_bytes()), expected, "{body}");
        }
    }
}
