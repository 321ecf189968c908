//! The three ways to get a token (pages A1444, A0033 and A0037).

use std::sync::Arc;

use serde_json::{Map, json};

use crate::api::NewRefusal;
use crate::errcode::{BAD_CREDENTIALS, INVALID_PARAMETERS};
use crate::options::App;
use crate::params::Params;
use crate::simulator::World;
use crate::tokens::{Host, Life};

use super::answer::Answer;
use super::call::Call;
use super::catalogue::TokenApi;

impl World {
    /// Answers a call for a token.
    pub(super) fn give_token(&mut self, call: &Call, api: TokenApi) -> Answer {
        match api {
            TokenApi::OldHost => self.get_token(&call.query),
            TokenApi::NewHost => self.access_token(&call.params),
            TokenApi::Corp => self.corp_token(call),
        }
    }

    /// Looks at the query alone: the same parameters in a body do not count.
    fn get_token(&mut self, query: &Params) -> Answer {
        let (Some(key), Some(secret)) = (sent(query, "appkey"), sent(query, "appsecret")) else {
            let refusal = INVALID_PARAMETERS.worded("缺少参数 corpid or appkey");
            return Answer::old_refusal(&refusal, &mut self.random);
        };
        let Some(app) = self.authenticate(&key, &secret) else {
            return Answer::old_refusal(&BAD_CREDENTIALS.plain(), &mut self.random);
        };
        let mut fields = Map::new();
        fields.insert("access_token".to_owned(), json!(self.issue(&app, Host::Old)));
        fields.insert("expires_in".to_owned(), json!(self.limits.token_seconds));
        Answer::old_success(fields, &mut self.random)
    }

    fn access_token(&mut self, params: &Params) -> Answer {
        let (key, secret) = match (sent(params, "appKey"), sent(params, "appSecret")) {
            (Some(key), Some(secret)) => (key, secret),
            (None, _) => return self.refuse(400, "MissingappKey", "appKey is mandatory for this action."),
            (_, None) => return self.refuse(400, "MissingappSecret", "appSecret is mandatory for this action."),
        };
        match self.authenticate(&key, &secret) {
            Some(app) => {
                let token = self.issue(&app, Host::New);
                Answer::new_success(json!({ "accessToken": token, "expireIn": self.limits.token_seconds }))
            }
            None => self.refuse(400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret"),
        }
    }

    fn corp_token(&mut self, call: &Call) -> Answer {
        if sent(&call.params, "corpId").as_deref() != Some(self.corp.id.as_str()) {
            return self.refuse(500, "unknownError", "未知错误");
        }
        if sent(&call.params, "grant_type").as_deref() != Some("client_credentials") {
            return self.refuse(400, "unsupported.grant.type", "unsupported grant type");
        }
        let credentials = sent(&call.params, "client_id").zip(sent(&call.params, "client_secret"));
        match credentials.and_then(|(key, secret)| self.authenticate(&key, &secret)) {
            Some(app) => {
                let token = self.issue(&app, Host::New);
                Answer::new_success(json!({ "access_token": token, "expires_in": self.limits.token_seconds }))
            }
            None => self.refuse(400, "invalid.client", "invalid client"),
        }
    }

    fn authenticate(&self, key: &str, secret: &str) -> Option<Arc<App>> {
        self.app(key).filter(|app| app.secret == secret)
    }

    fn issue(&mut self, app: &App, host: Host) -> String {
        let now_ms = self.clock.elapsed_ms();
        let expires_ms = now_ms.saturating_add(self.limits.token_seconds.saturating_mul(1_000));
        // Where tokens are interchangeable, an app has one token, whichever host it asks.
        let host = if self.corp.switches.tokens_are_interchangeable { Host::Old } else { host };
        self.tokens.issue(app, host, Life { now_ms, expires_ms }, &mut self.random)
    }

    fn refuse(&mut self, status: u16, code: &'static str, message: &str) -> Answer {
        Answer::new_refusal(&NewRefusal::new(status, code, message), &mut self.random)
    }
}

fn sent(params: &Params, name: &str) -> Option<String> {
    params.text(name).ok().flatten().filter(|text| !text.is_empty())
}
