//! One request and its answer: budget, sending, reading within limits, classifying, measuring.

use crate::answer::{self, Failure, Head};
use crate::error;
use crate::limiter::Limiter;
use crate::operation::{Host, Operation};
use crate::settings::{self, Settings, SettingsError};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use rollcall_provisioning::budget::Budget;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// More than any answer of the calls made here can need.
const LARGEST_ANSWER: usize = 8 * 1024 * 1024;

/// Where the new host wants the token (page `server-api-calling-guide`); in the query it is not seen.
const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";

/// What is sent.
pub(crate) struct Call<'a, B> {
    pub(crate) operation: Operation,
    /// Beside the token of the old host.
    pub(crate) query: &'a [(&'static str, &'a str)],
    /// Without a body it is a GET.
    pub(crate) body: Option<&'a B>,
}

/// Connections to DingTalk, which any number of connectors share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections(reqwest::Client);

impl Connections {
    /// None is open yet. `timeout` is the longest that one call may take.
    ///
    /// # Errors
    ///
    /// [`SettingsError::HttpClient`] when the system has no certificates.
    pub fn new(timeout: Duration) -> Result<Self, SettingsError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            // Shorter than the whole, so that a connection that was never made is told from a lost answer.
            .connect_timeout(timeout / 2)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .build()
            .map_err(SettingsError::HttpClient)?;
        Ok(Self(http))
    }
}

pub(crate) struct Transport {
    http: reqwest::Client,
    oapi: Url,
    api: Url,
    app_key: String,
    limiter: Limiter,
}

impl Transport {
    pub(crate) fn new(
        settings: &Settings,
        budget: Arc<dyn Budget>,
        connections: &Connections,
    ) -> Result<Self, SettingsError> {
        settings.validate()?;
        Ok(Self {
            http: connections.0.clone(),
            oapi: settings::base_url("oapi_url", &settings.oapi_url)?,
            api: settings::base_url("api_url", &settings.api_url)?,
            app_key: settings.app_key.clone(),
            limiter: Limiter::new(settings, budget),
        })
    }

    /// Makes one call and returns its successful answer.
    pub(crate) async fn send<B: Serialize + Sync>(
        &self,
        call: &Call<'_, B>,
        token: Option<&SecretString>,
    ) -> Result<Value, ConnectorError> {
        let operation = call.operation;
        let request = self.request(call, token);
        self.limiter.reserve(operation).await?;
        let started = Instant::now();
        let answer = match request {
            Ok(request) => exchange(operation, request).await,
            Err(failure) => Err(failure),
        };
        let result = match answer {
            Ok(answer) => {
                self.limiter.calm(operation);
                Ok(answer)
            }
            Err(failure) => {
                let mut error = error::explain(operation, &self.app_key, &failure);
                self.limiter.heed(operation, &failure, &mut error).await;
                Err(error)
            }
        };
        observe(operation, result.as_ref().err(), started.elapsed());
        result
    }

    /// Reads the payload of a successful answer.
    pub(crate) fn decode<T: DeserializeOwned>(
        &self,
        operation: Operation,
        payload: Value,
    ) -> Result<T, ConnectorError> {
        // The problem's text may quote values, which may be personal data, so it is not kept.
        serde_json::from_value(payload).map_err(|_| self.unreadable(operation))
    }

    /// The failure of a call that succeeded without saying what it must say.
    pub(crate) fn unreadable(&self, operation: Operation) -> ConnectorError {
        error::explain(operation, &self.app_key, &Failure::Unreadable { status: 200 })
    }

    /// The failure of a call that was answered with a no.
    pub(crate) fn denied(&self, operation: Operation) -> ConnectorError {
        error::explain(operation, &self.app_key, &Failure::Denied)
    }

    fn request<B: Serialize>(
        &self,
        call: &Call<'_, B>,
        token: Option<&SecretString>,
    ) -> Result<reqwest::RequestBuilder, Failure> {
        let host = call.operation.host();
        let mut url = match host {
            Host::Old => self.oapi.clone(),
            Host::New => self.api.clone(),
        };
        let path = format!("{}{}", url.path().trim_end_matches('/'), call.operation.path());
        url.set_path(&path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        let mut header = None;
        match (token, host) {
            (Some(token), Host::Old) => {
                url.query_pairs_mut().append_pair("access_token", token.expose_secret());
            }
            (Some(token), Host::New) => {
                let unsent = |_| Failure::Unsent { cause: "the token cannot be a header".to_owned() };
                let mut value = HeaderValue::from_str(token.expose_secret()).map_err(unsent)?;
                value.set_sensitive(true);
                header = Some(value);
            }
            (None, _) => {}
        }
        let request = match call.body {
            None => self.http.get(url),
            Some(body) => {
                // Raw UTF-8: DingTalk refuses `\uXXXX` escapes (40033).
                let body =
                    serde_json::to_vec(body).map_err(|problem| Failure::Unsent { cause: problem.to_string() })?;
                self.http.post(url).header(CONTENT_TYPE, "application/json").body(body)
            }
        };
        Ok(header.into_iter().fold(request, |request, token| request.header(TOKEN_HEADER, token)))
    }
}

async fn exchange(operation: Operation, request: reqwest::RequestBuilder) -> Result<Value, Failure> {
    let mut response = request.send().await.map_err(|problem| broken(operation, problem))?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|problem| broken(operation, problem))? {
        if body.len() + chunk.len() > LARGEST_ANSWER {
            return Err(Failure::Unreadable { status });
        }
        body.extend_from_slice(&chunk);
    }
    answer::read(operation.host(), Head { status, retry_after: retry_after.map(Duration::from_secs) }, &body)
}

/// What a failure below HTTP means. The URL is dropped at once, because it carries the token.
fn broken(operation: Operation, problem: reqwest::Error) -> Failure {
    let problem = problem.without_url();
    let mut root: &dyn std::error::Error = &problem;
    while let Some(source) = root.source() {
        root = source;
    }
    let cause = root.to_string();
    tracing::debug!(operation = operation.name(), cause, "no answer");
    if problem.is_connect() || problem.is_builder() {
        Failure::Unsent { cause }
    } else if problem.is_timeout() {
        Failure::Timeout
    } else {
        Failure::Lost { cause }
    }
}

fn observe(operation: Operation, error: Option<&ConnectorError>, took: Duration) {
    let operation = operation.name();
    metrics::counter!("rollcall_dingtalk_requests_total", "operation" => operation, "outcome" => outcome(error))
        .increment(1);
    metrics::histogram!("rollcall_dingtalk_request_duration_seconds", "operation" => operation)
        .record(took.as_secs_f64());
    let code = error.map_or("0", |error| error.code.as_str());
    tracing::debug!(operation, code, ms = took.as_millis(), "called DingTalk");
}

/// The few words that a dashboard needs to tell causes apart.
fn outcome(error: Option<&ConnectorError>) -> &'static str {
    let Some(error) = error else { return "ok" };
    match error.class {
        ErrorClass::RateLimited | ErrorClass::KindStopped if error::means_quota(error) => "quota",
        ErrorClass::RateLimited => "throttle",
        ErrorClass::Stopped if error.code == "banned" => "throttle",
        ErrorClass::Stopped | ErrorClass::KindStopped => "auth",
        ErrorClass::Transient if error.code.starts_with("connection") || error.code == "timeout" => "network",
        ErrorClass::Transient => "server",
        ErrorClass::NotFound => "not_found",
        ErrorClass::Conflict
        | ErrorClass::Invalid
        | ErrorClass::Forbidden
        | ErrorClass::Ambiguous
        | ErrorClass::Invited
        | ErrorClass::MissingReference => "data",
    }
}
