//! Answers, worded as the two hosts word them (§1.3 of the access pages).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::api::NewRefusal;
use crate::errcode::{REMOTE_TIMEOUT, Refusal};
use crate::faults::BanForm;
use crate::random::Random;

/// `sub_code` of a time-out.
const TIMEOUT_CODE: &str = "isp.top-remote-connection-timeout";

/// An answer with what the call log wants to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// HTTP status.
    pub(crate) status: u16,
    /// `errcode` of the old host, or `sub_code` where it says 88.
    pub(crate) errcode: Option<i64>,
    /// `code` of the new host.
    pub(crate) code: Option<String>,
    /// The connection is cut instead of answering.
    pub(crate) is_cut: bool,
    body: Content,
}

#[derive(Clone, Debug)]
enum Content {
    Json(Value),
    Html(String),
    BanPage,
    CutJson(String),
}

impl Answer {
    /// Success of the old host: `errcode` 0 and the fields of the API.
    pub(super) fn old_success(fields: Map<String, Value>, random: &mut Random) -> Self {
        let mut body = Map::new();
        body.insert("errcode".to_owned(), json!(0));
        body.insert("errmsg".to_owned(), json!("ok"));
        body.extend(fields);
        body.insert("request_id".to_owned(), json!(random.request_id()));
        Self::json(200, Some(0), Value::Object(body))
    }

    /// A bare error of the old host.
    pub(super) fn old_refusal(refusal: &Refusal, random: &mut Random) -> Self {
        let number = refusal.code.number;
        let body = json!({ "errcode": number, "errmsg": refusal.message, "request_id": random.request_id() });
        Self::json(200, Some(number), body)
    }

    /// A gateway error of the old host: 88 with the real number, as text, in `sub_code`.
    pub(super) fn old_wrapped(refusal: &Refusal, random: &mut Random) -> Self {
        let (code, message) = (refusal.code.number.to_string(), &refusal.message);
        let body = json!({
            "errcode": 88,
            "sub_code": code,
            "sub_msg": message,
            "errmsg": format!("ding talk error[subcode={code},submsg={message}]"),
            "request_id": random.request_id(),
        });
        Self::json(200, Some(refusal.code.number), body)
    }

    /// The old host gave up on the service behind it after three seconds.
    pub(super) fn old_timeout(random: &mut Random) -> Self {
        let body = json!({
            "errcode": REMOTE_TIMEOUT.number,
            "sub_code": TIMEOUT_CODE,
            "sub_msg": "远程服务调用超时",
            "errmsg": format!("{}[subcode={TIMEOUT_CODE},submsg=远程服务调用超时]", REMOTE_TIMEOUT.text),
            "request_id": random.request_id(),
        });
        Self::json(200, Some(REMOTE_TIMEOUT.number), body)
    }

    /// The old host does not know the path.
    pub(super) fn old_unknown_path(path: &str, random: &mut Random) -> Self {
        let message = format!("不合法ApiName，ApiName = {}", api_name(path));
        let body = json!({
            "errcode": 22,
            "sub_msg": message,
            "errmsg": format!("Invalid method[submsg={message}]"),
            "request_id": random.request_id(),
        });
        Self::json(200, Some(22), body)
    }

    /// The new host was called without a version in the path.
    pub(super) fn new_without_version() -> Self {
        Self::json(404, Some(404), json!({ "errcode": 404, "errmsg": "请求的URI地址不存在" }))
    }

    /// Success of the new host.
    pub(super) fn new_success(body: Value) -> Self {
        Self::json(200, None, body)
    }

    /// An error of the new host.
    pub(super) fn new_refusal(refusal: &NewRefusal, random: &mut Random) -> Self {
        let mut body = json!({ "code": refusal.code, "requestid": random.uuid(), "message": refusal.message });
        if let (Some(scope), Value::Object(fields)) = (refusal.required_scope, &mut body) {
            fields.insert("accessdenieddetail".to_owned(), json!({ "requiredScopes": [scope] }));
        }
        Self { code: Some(refusal.code.to_owned()), ..Self::json(refusal.status, None, body) }
    }

    /// What a banned address sees (page A0012). Neither form has an errcode.
    pub(super) fn ip_ban(form: BanForm, random: &mut Random) -> Self {
        match form {
            BanForm::Html => Self { body: Content::BanPage, ..Self::json(200, None, Value::Null) }.counted_as_failure(),
            BanForm::Json => {
                let uuid = random.uuid();
                let body = json!({ "status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": uuid });
                Self::json(200, None, body).counted_as_failure()
            }
        }
    }

    /// An error of some proxy on the way.
    pub(super) fn proxy_error(status: u16) -> Self {
        let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("Error");
        let page = format!(
            "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n<center><h1>{status} {reason}</h1>\
             </center>\r\n<hr><center>Tengine</center>\r\n</body>\r\n</html>\r\n"
        );
        Self { body: Content::Html(page), ..Self::json(status, None, Value::Null) }
    }

    /// No answer: the connection is cut.
    pub(super) fn cut() -> Self {
        Self { is_cut: true, ..Self::json(502, None, Value::Null) }
    }

    /// This answer with its body cut in the middle.
    pub(super) fn malformed(self) -> Self {
        let Content::Json(body) = &self.body else { return self };
        let text = body.to_string();
        let half = text.chars().take(text.chars().count() / 2).collect();
        Self { body: Content::CutJson(half), ..self }
    }

    /// This answer as a path from before the TOP gateway words it: without a `request_id`, unless it is wrapped.
    pub(super) fn without_request_id(mut self) -> Self {
        if let Content::Json(Value::Object(body)) = &mut self.body
            && !body.contains_key("sub_code")
        {
            body.shift_remove("request_id");
        }
        self
    }

    /// The `result` of a successful call of the old host.
    pub(super) fn result(&self) -> Option<&Value> {
        match &self.body {
            Content::Json(body) => body.get("result"),
            Content::Html(_) | Content::BanPage | Content::CutJson(_) => None,
        }
    }

    fn counted_as_failure(self) -> Self {
        Self { code: Some("ip_ban".to_owned()), ..self }
    }

    fn json(status: u16, errcode: Option<i64>, body: Value) -> Self {
        Self { status, errcode, code: None, is_cut: false, body: Content::Json(body) }
    }
}

/// The API's name, which the gateway derives from the path.
fn api_name(path: &str) -> String {
    let path = path.strip_prefix("/topapi").unwrap_or(path);
    format!("dingtalk.oapi{}", path.trim_end_matches('/').replace('/', "."))
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let json = [(header::CONTENT_TYPE, "application/json;charset=UTF-8")];
        let html = [(header::CONTENT_TYPE, "text/html;charset=UTF-8")];
        match self.body {
            Content::Json(body) => (status, json, body.to_string()).into_response(),
            Content::CutJson(text) => (status, json, text).into_response(),
            Content::Html(page) => (status, html, page).into_response(),
            Content::BanPage => (status, html, [("bxpunish", "1")], BAN_PAGE).into_response(),
        }
    }
}

const BAN_PAGE: &str = "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>403</title></head>\
    <body><p>非常抱歉，您的访问过于频繁，请稍后再试。</p></body></html>\n";

#[cfg(test)]
mod tests {
    use super::api_name;

    #[test]
    fn api_names_follow_the_path() {
        for (path, expected) in [
            ("/topapi/v2/user/notexist", "dingtalk.oapi.v2.user.notexist"),
            ("/user/notexist", "dingtalk.oapi.user.notexist"),
            ("/", "dingtalk.oapi"),
        ] {
            assert_eq!(api_name(path), expected, "{path}");
        }
    }
}
