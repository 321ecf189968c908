//! Reading an HTTP answer in either dialect: a success with its body, or what kind of failure it is.
//!
//! DingTalk answers failures with HTTP 200 and an `errcode` on the old host (wrapped as 88 with a `sub_code`
//! when the gateway refuses), with HTTP 4xx and a `code` on the new one, and with a web page when it has
//! banned the caller's address. Numbers may come as strings (page `server-api-calling-guide`).

use crate::error::text;
use crate::operation::Host;
use serde_json::Value;
use std::time::Duration;

/// Why a call has no usable answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No connection was made, so nothing was sent.
    Unsent { cause: String },
    /// No answer in time.
    Timeout,
    /// The connection broke before the answer was complete.
    Lost { cause: String },
    /// HTTP 5xx without anything to read.
    Server { status: u16 },
    /// HTTP 429, as a proxy in between may answer.
    TooMany { after: Option<Duration> },
    /// The page or body of an address ban (page `call-frequency-limit`).
    Banned,
    /// Neither a success nor a failure in DingTalk's form.
    Unreadable { status: u16 },
    /// A success that says of itself that it was none.
    Denied,
    /// DingTalk said no.
    Refused(Refusal),
}

/// A refusal with its code.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Whether the gateway wrapped it as 88.
    pub(crate) wrapped: bool,
    /// The code to switch on: `errcode`, the `sub_code` of an 88, or the `code` of the new host.
    pub(crate) code: String,
    /// DingTalk's own text. Only for finding a permission, an address or a time in it.
    pub(crate) text: String,
    /// Whether the HTTP status is 5xx.
    pub(crate) server_error: bool,
}

impl Refusal {
    /// The code as people see it in DingTalk's documents: `60104`, `88/60011`.
    pub(crate) fn shown(&self) -> String {
        if self.wrapped { format!("88/{}", self.code) } else { self.code.clone() }
    }
}

/// What surrounds a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    /// `Retry-After` in seconds, if it was sent.
    pub(crate) retry_after: Option<Duration>,
}

/// Reads an answer of `host`.
pub(crate) fn read(host: Host, head: Head, body: &[u8]) -> Result<Value, Failure> {
    let parsed = serde_json::from_slice::<Value>(body).ok();
    if parsed.as_ref().and_then(|body| scalar(body.get("status")?)).as_deref() == Some("1111") {
        return Err(Failure::Banned);
    }
    if let Some(refusal) = parsed.as_ref().and_then(|body| refusal(head.status, body)) {
        return Err(Failure::Refused(refusal));
    }
    match (head.status, parsed) {
        (200..=299, Some(body)) if host == Host::New || body.get("errcode").and_then(scalar).is_some() => Ok(body),
        (429, _) => Err(Failure::TooMany { after: head.retry_after }),
        (500.., _) => Err(Failure::Server { status: head.status }),
        // A page under a wrong address is a wrong base URL, not a ban.
        (status @ (300..=399 | 404 | 410), _) => Err(Failure::Unreadable { status }),
        (_, None) if body.trim_ascii_start().starts_with(b"<") => Err(Failure::Banned),
        (status, _) => Err(Failure::Unreadable { status }),
    }
}

fn refusal(status: u16, body: &Value) -> Option<Refusal> {
    let text = ["sub_msg", "errmsg", "message"].into_iter().filter_map(|name| body.get(name)?.as_str());
    let mut text = text.collect::<Vec<_>>().join(" ");
    if let Some(Value::Array(scopes)) = body.get("accessdenieddetail").and_then(|d| d.get("requiredScopes")) {
        let scopes: Vec<&str> = scopes.iter().filter_map(Value::as_str).collect();
        text = format!("{text} [{}]", scopes.join(","));
    }
    let server_error = status >= 500;
    match body.get("errcode").and_then(scalar) {
        Some(code) if code == "0" => None,
        Some(code) if code == "88" => {
            let sub = body.get("sub_code").and_then(scalar).filter(|sub| !sub.is_empty());
            // The field is missing on some paths; the text then still carries it.
            let sub = sub.or_else(|| text::between(&text, "subcode=", &[',', ']']).map(str::to_owned));
            Some(match sub {
                Some(code) => Refusal { wrapped: true, code, text, server_error },
                None => Refusal { wrapped: false, code, text, server_error },
            })
        }
        Some(code) => Some(Refusal { wrapped: false, code, text, server_error }),
        None if status >= 300 => {
            let code = body.get("code").and_then(scalar).filter(|code| !code.is_empty())?;
            Some(Refusal { wrapped: false, code, text, server_error })
        }
        None => None,
    }
}

/// A number or a string, as text without surrounding blanks.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(host: Host, status: u16, body: &str) -> String {
        match read(host, Head { status, retry_after: None }, body.as_bytes()) {
            Ok(_) => "ok".to_owned(),
            Err(Failure::Refused(refusal)) => refusal.shown(),
            Err(Failure::Server { status }) => format!("server {status}"),
            Err(Failure::Unreadable { status }) => format!("unreadable {status}"),
            Err(Failure::TooMany { .. }) => "too many".to_owned(),
            Err(Failure::Banned) => "banned".to_owned(),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn old_host() {
        for (status, body, expected) in [
            (200, r#"{"errcode":0,"errmsg":"ok"}"#, "ok"),
            (200, r#"{"errcode":"0"}"#, "ok"),
            (200, r#"{"errcode":60121,"errmsg":"找不到该用户"}"#, "60121"),
            (200, r#"{"errcode":"60121"}"#, "60121"),
            (200, r#"{"errcode":-1,"errmsg":"系统繁忙"}"#, "-1"),
            (200, r#"{"errcode":88,"sub_code":"40014","sub_msg":"不合法的access_token"}"#, "88/40014"),
            (200, r#"{"errcode":"88","sub_code":60011}"#, "88/60011"),
            (200, r#"{"errcode":88,"errmsg":"ding talk error[subcode=60020,submsg=…]"}"#, "88/60020"),
            (200, r#"{"errcode":88,"sub_code":"","errmsg":"auth"}"#, "88"),
            (200, r#"{"status":1111,"wait":5,"source":"x5","punish":"deny","uuid":"u"}"#, "banned"),
            (503, r#"{"status":"1111","wait":5}"#, "banned"),
            (200, "\n<!DOCTYPE html><html></html>", "banned"),
            (405, "<html>", "banned"),
            (404, "<html>not found</html>", "unreadable 404"),
            (302, "", "unreadable 302"),
            (502, "<html>bad gateway</html>", "server 502"),
            (429, "slow down", "too many"),
            (200, "", "unreadable 200"),
            (200, r#"{"result":{}}"#, "unreadable 200"),
            (200, r#"{"errcode":null}"#, "unreadable 200"),
            (500, r#"{"errcode":0}"#, "server 500"),
            (403, r#"{"code":"Forbidden.AccessDenied.IpNotInWhiteList"}"#, "Forbidden.AccessDenied.IpNotInWhiteList"),
        ] {
            assert_eq!(check(Host::Old, status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn new_host() {
        for (status, body, expected) in [
            (200, r#"{"accessToken":"t","expireIn":7200}"#, "ok"),
            (400, r#"{"code":"invalidClientIdOrSecret","message":"无效的clientId"}"#, "invalidClientIdOrSecret"),
            (404, r#"{"errcode":404,"errmsg":"请求的URI地址不存在"}"#, "404"),
            (500, r#"{"code":"unknownError"}"#, "unknownError"),
            (400, r#"{"message":"no code"}"#, "unreadable 400"),
            (200, "not json", "unreadable 200"),
        ] {
            assert_eq!(check(Host::New, status, body), expected, "{status} {body}");
        }
    }
}
