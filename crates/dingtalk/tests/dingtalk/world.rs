//! A DingTalk that answers what a test tells it to, and a budget that keeps a record.

use rollcall_dingtalk::{DingTalk, Settings};
use rollcall_provisioning::budget::{BoxFuture, Budget, BudgetError, Limit};
use rollcall_provisioning::entity::EntityKind;
use rollcall_provisioning::plan::{Action, Change};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

pub(crate) const TOKEN_PATH: &str = "/v1.0/oauth2/accessToken";
pub(crate) const USER_CREATE: &str = "/topapi/v2/user/create";
pub(crate) const USER_UPDATE: &str = "/topapi/v2/user/update";
pub(crate) const USER_DELETE: &str = "/topapi/v2/user/delete";
pub(crate) const USER_GET: &str = "/topapi/v2/user/get";
pub(crate) const USER_LIST: &str = "/topapi/v2/user/list";
pub(crate) const USER_COUNT: &str = "/topapi/user/count";
pub(crate) const USER_ADMINS: &str = "/topapi/user/listadmin";
pub(crate) const ACCOUNT_DISABLE: &str = "/v1.0/contact/orgAccounts/disable";
pub(crate) const ACCOUNT_ENABLE: &str = "/v1.0/contact/orgAccounts/enable";
pub(crate) const ACCOUNT_SIGN_OUT: &str = "/v1.0/contact/orgAccounts/signOut";
pub(crate) const ACCOUNT_STATUS: &str = "/v1.0/contact/orgAccounts/status";
pub(crate) const SCOPES: &str = "/auth/scopes";
pub(crate) const BY_MOBILE: &str = "/topapi/v2/user/getbymobile";
pub(crate) const DEPARTMENT_CREATE: &str = "/topapi/v2/department/create";
pub(crate) const DEPARTMENT_UPDATE: &str = "/topapi/v2/department/update";
pub(crate) const DEPARTMENT_DELETE: &str = "/topapi/v2/department/delete";
pub(crate) const DEPARTMENT_GET: &str = "/topapi/v2/department/get";
pub(crate) const LISTSUB: &str = "/topapi/v2/department/listsub";

/// A budget that lets everything pass after `wait` and remembers what was asked of it.
#[derive(Default)]
pub(crate) struct TestBudget {
    pub(crate) wait: Mutex<Duration>,
    pub(crate) broken: Mutex<bool>,
    pub(crate) reserved: Mutex<Vec<Vec<Limit>>>,
    pub(crate) pauses: Mutex<Vec<(String, Duration)>>,
}

impl TestBudget {
    pub(crate) fn pauses(&self) -> Vec<(String, Duration)> {
        std::mem::take(&mut self.pauses.lock().unwrap())
    }
}

impl Budget for TestBudget {
    fn reserve<'a>(&'a self, limits: &'a [Limit], _: Duration) -> BoxFuture<'a, Result<Duration, BudgetError>> {
        self.reserved.lock().unwrap().push(limits.to_vec());
        let wait = *self.wait.lock().unwrap();
        let broken = *self.broken.lock().unwrap();
        Box::pin(async move { if broken { Err(BudgetError("no database".into())) } else { Ok(wait) } })
    }

    fn pause<'a>(&'a self, key: &'a str, pause: Duration) -> BoxFuture<'a, Result<(), BudgetError>> {
        self.pauses.lock().unwrap().push((key.to_owned(), pause));
        Box::pin(async { Ok(()) })
    }
}

/// One fake DingTalk and a connector to it.
pub(crate) struct World {
    pub(crate) server: MockServer,
    pub(crate) budget: Arc<TestBudget>,
    pub(crate) dingtalk: Arc<DingTalk>,
}

impl World {
    /// Both hosts on one listener, tokens for everybody.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn without_tokens() -> Self {
        Self::set_up(|_| {}).await
    }

    /// As [`World::new`], with other settings.
    pub(crate) async fn with(settle: impl FnOnce(&mut Settings)) -> Self {
        let world = Self::set_up(settle).await;
        world.answer(TOKEN_PATH, &json!({"accessToken": "t0ken", "expireIn": 7200})).await;
        world
    }

    async fn set_up(settle: impl FnOnce(&mut Settings)) -> Self {
        let server = MockServer::start().await;
        let budget = Arc::new(TestBudget::default());
        let mut settings = settings(&server.uri());
        settle(&mut settings);
        let dingtalk = DingTalk::new(&settings, Arc::clone(&budget) as _).expect("good settings");
        Self { server, budget, dingtalk: Arc::new(dingtalk) }
    }

    /// Lets `path` be written, whatever is sent.
    pub(crate) async fn accept(&self, paths: &[&str]) {
        for path in paths {
            self.answer(path, &json!({"errcode": 0, "errmsg": "ok", "request_id": "15s9in2w1yat9"})).await;
        }
    }

    /// The paths that were called, in their order, without that of the token.
    pub(crate) async fn paths(&self) -> Vec<String> {
        let requests = self.server.received_requests().await.unwrap_or_default();
        let paths = requests.iter().map(|request| request.url.path().to_owned());
        paths.filter(|path| path != TOKEN_PATH).collect()
    }

    /// Lets `path` answer HTTP 200 with this body.
    pub(crate) async fn answer(&self, at: &str, body: &Value) {
        self.respond(at, ResponseTemplate::new(200).set_body_json(body)).await;
    }

    /// Lets `path` answer this.
    pub(crate) async fn respond(&self, at: &str, response: ResponseTemplate) {
        Mock::given(path(at)).respond_with(response).mount(&self.server).await;
    }

    /// Lets `path` answer these bodies one after the other, the last one for ever.
    pub(crate) async fn answer_in_turn(&self, at: &str, bodies: Vec<Value>) {
        let bodies = Mutex::new(bodies);
        let next = move |_: &Request| {
            let mut bodies = bodies.lock().unwrap();
            let body = if bodies.len() > 1 { bodies.remove(0) } else { bodies[0].clone() };
            ResponseTemplate::new(200).set_body_json(body)
        };
        Mock::given(method("POST")).and(path(at)).respond_with(next).mount(&self.server).await;
    }

    /// The requests that reached `path`.
    pub(crate) async fn received(&self, at: &str) -> Vec<Request> {
        let requests = self.server.received_requests().await.unwrap_or_default();
        requests.into_iter().filter(|request| request.url.path() == at).collect()
    }

    /// The only body that reached `path`, byte for byte.
    pub(crate) async fn body(&self, at: &str) -> String {
        let requests = self.received(at).await;
        assert_eq!(requests.len(), 1, "one call of {at}");
        String::from_utf8(requests[0].body.clone()).expect("UTF-8")
    }
}

pub(crate) fn settings(base: &str) -> Settings {
    let mut settings = Settings::new("dingapp", SecretString::from("s3cret"));
    settings.oapi_url = format!("{base}/");
    base.clone_into(&mut settings.api_url);
    settings
}

pub(crate) fn connector(base: &str, budget: Arc<TestBudget>) -> DingTalk {
    DingTalk::new(&settings(base), budget).expect("good settings")
}

pub(crate) fn create(kind: EntityKind, remote_id: Option<&str>, attributes: Value) -> Action {
    let Value::Object(attributes) = attributes else { panic!("attributes are an object") };
    let (remote_id, attributes) = (remote_id.map(str::to_owned), attributes.into_iter().collect());
    Action::Create { kind, remote_id, attributes, password: None }
}

/// An update; `null` clears.
pub(crate) fn update(kind: EntityKind, remote_id: &str, changes: Value) -> Action {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    let change = |value| if value == Value::Null { Change::Clear } else { Change::Set(value) };
    let changes = changes.into_iter().map(|(name, value)| (name, change(value))).collect();
    Action::Update { kind, remote_id: remote_id.to_owned(), changes }
}

pub(crate) fn delete(kind: EntityKind, remote_id: &str) -> Action {
    Action::Delete { kind, remote_id: remote_id.to_owned() }
}

/// A person that has all that DingTalk needs.
pub(crate) fn joiner() -> Action {
    let attributes = json!({"name": "张三", "mobile": "13800000001", "org_units": ["1"]});
    create(EntityKind::Account, Some("u1"), attributes)
}
