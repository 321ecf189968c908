//! A simulator on a loopback port of its own, and the few calls that every test makes.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use rollcall_simulator::{Options, Simulator, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Credentials of the app that `Options::default` brings.
pub(crate) const APP_KEY: &str = "dingsimulatorapp";
pub(crate) const APP_SECRET: &str = "simulator-secret";

/// Header of the new host's token.
pub(crate) const TOKEN_HEADER: &str = "x-acs-dingtalk-access-token";

/// A running simulator; it stops when dropped.
pub(crate) struct Harness {
    pub(crate) base: String,
    pub(crate) http: Client,
    pub(crate) token: String,
    _server: JoinSet<std::io::Result<()>>,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let mut server = JoinSet::new();
        server.spawn(serve(listener, Simulator::new(options), std::future::pending()));
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().expect("a client");
        let mut harness = Self { base, http, token: String::new(), _server: server };
        harness.token = harness.fresh_token().await;
        harness
    }

    /// Asks the old host for a token.
    pub(crate) async fn fresh_token(&self) -> String {
        let body = self.get_json(&format!("/gettoken?appkey={APP_KEY}&appsecret={APP_SECRET}")).await;
        body["access_token"].as_str().expect("a token").to_owned()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub(crate) async fn get_json(&self, path: &str) -> Value {
        let response = self.request(Method::GET, path).send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// A POST to the old host with the token in the query, as it came back from the network.
    pub(crate) async fn try_call(&self, path: &str, body: Value) -> reqwest::Result<Response> {
        self.request(Method::POST, &format!("{path}?access_token={}", self.token)).json(&body).send().await
    }

    /// The same, when an answer is expected.
    pub(crate) async fn call(&self, path: &str, body: Value) -> Value {
        let response = self.try_call(path, body).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK, "the old host answers 200 whatever happens");
        response.json().await.expect("JSON")
    }

    /// The same, when success is expected; returns `result`.
    pub(crate) async fn succeed(&self, path: &str, body: Value) -> Value {
        let answer = self.call(path, body).await;
        assert_eq!(answer["errcode"], 0, "{path}: {answer}");
        answer["result"].clone()
    }

    /// The errcode of a call.
    pub(crate) async fn errcode(&self, path: &str, body: Value) -> i64 {
        let answer = self.call(path, body).await;
        answer["errcode"].as_i64().unwrap_or_else(|| panic!("errcode is a number: {answer}"))
    }

    /// A call to the new host with the token in the header: HTTP status and body. A GET has its parameters in the path.
    pub(crate) async fn new_host(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let request = self.request(method, path).header(TOKEN_HEADER, &self.token);
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.expect("an answer");
        (response.status().as_u16(), response.json().await.expect("JSON"))
    }

    /// The same, when success is expected; returns the body.
    pub(crate) async fn succeed_new(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.new_host(method, path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The `code` of a call to the new host, empty for success.
    pub(crate) async fn code(&self, method: Method, path: &str, body: Value) -> String {
        let (status, answer) = self.new_host(method, path, body).await;
        assert_eq!(status == 200, answer.get("code").is_none(), "{path}: {status} {answer}");
        answer["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Creates a person in the root department.
    pub(crate) async fn create(&self, userid: &str, mobile: &str) -> Value {
        self.call("/topapi/v2/user/create", person(userid, mobile)).await
    }

    /// Creates a department and returns its id.
    pub(crate) async fn department(&self, name: &str, parent_id: i64) -> i64 {
        let result =
            self.succeed("/topapi/v2/department/create", json!({ "name": name, "parent_id": parent_id })).await;
        result["dept_id"].as_i64().expect("a number")
    }

    /// A request to the simulator itself.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let request = self.request(method, &format!("/_simulator{path}"));
        let request = if body.is_null() { request } else { request.json(&body) };
        let response = request.send().await.expect("an answer");
        let status = response.status();
        let text = response.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// The same, when it must work.
    pub(crate) async fn post_control(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.control(Method::POST, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// Adds a fault.
    pub(crate) async fn fault(&self, rule: Value) {
        self.post_control("/faults", rule).await;
    }

    pub(crate) async fn state(&self) -> Value {
        self.get_json("/_simulator/state").await
    }

    /// The ids of all members, as stored.
    pub(crate) async fn userids(&self) -> Vec<String> {
        let state = self.state().await;
        let users = state["users"].as_array().expect("a list");
        users.iter().map(|user| user["userid"].as_str().expect("a text").to_owned()).collect()
    }

    /// The call log of one API.
    pub(crate) async fn calls(&self, api: &str) -> Vec<Value> {
        let answer = self.get_json(&format!("/_simulator/calls?api={api}")).await;
        answer["calls"].as_array().expect("a list").clone()
    }
}

/// Options without the rate of one second, which many cases against one simulator exceed.
pub(crate) fn unhurried() -> Options {
    Options { qps: 10_000, ..Options::default() }
}

/// The body of a create call for a person in the root department.
pub(crate) fn person(userid: &str, mobile: &str) -> Value {
    json!({ "userid": userid, "name": format!("Person {userid}"), "mobile": mobile, "dept_id_list": "1" })
}

/// `base` with the fields of `changes` on top; `null` removes one.
pub(crate) fn merged(base: Value, changes: &Value) -> Value {
    let mut merged = base;
    let object = merged.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    merged
}
