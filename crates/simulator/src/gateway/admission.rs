//! The gateway's checks when a call arrives: address, path, token, IP, scope, rate, verb and body, in this order.

use std::sync::Arc;

use crate::api::{NewApi, NewRefusal, OldApi};
use crate::errcode::{
    APP_QPS, BUSY, Errcode, INVALID_TOKEN, IP_NOT_WHITELISTED, MONTHLY_QUOTA, NEEDS_GET, NEEDS_POST, PARAMETER_ERROR,
    PLATFORM_QPS, Refusal, SCOPE_MISSING,
};
use crate::faults::{BanForm, Concern, FaultKind, Mishap, ThrottleScope};
use crate::options::App;
use crate::params::Params;
use crate::simulator::World;
use crate::throttle::AddressLimit;
use crate::tokens::{Host, Token};

use super::answer::Answer;
use super::call::Call;
use super::catalogue::{self, Entry, Kind, TokenApi, Verb};

/// What tells that the month's calls are used up, on either host.
const OUT_OF_QUOTA: (Errcode, &str) = (MONTHLY_QUOTA, "Forbidden.AccessDenied.ApiCountLimitForOrg");

/// Parameters that name whom or what a call is about, for fault rules.
const SUBJECTS: [&str; 11] = [
    "userid",
    "userId",
    "user_id",
    "dept_id",
    "mobile",
    "role_id",
    "roleId",
    "chatid",
    "openConversationId",
    "open_conversation_id",
    "uuid",
];

/// A call with the gateway's verdict.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(super) call: Call,
    pub(super) at_ms: u64,
    pub(super) verdict: Verdict,
    /// What faults do to the call.
    pub(super) mishap: Mishap,
}

/// What becomes of a call.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It may be carried out.
    Pass { entry: &'static Entry, app: Option<String>, work: Work },
    /// It is answered without being carried out.
    Stop(Box<Stop>),
}

/// What there is to carry out, and for which app.
#[derive(Debug)]
pub(super) enum Work {
    Old(OldApi, Arc<App>),
    New(NewApi, Arc<App>),
    Token(TokenApi),
}

/// A call that the gateway has refused.
#[derive(Debug)]
pub(super) struct Stop {
    pub(super) answer: Answer,
    pub(super) app: Option<String>,
    pub(super) throttled: bool,
}

impl Stop {
    fn new(answer: Answer) -> Box<Self> {
        Box::new(Self { answer, app: None, throttled: false })
    }

    fn of_app(mut self: Box<Self>, app: Option<&str>) -> Box<Self> {
        self.app = app.map(str::to_owned);
        self
    }

    fn throttled(mut self: Box<Self>) -> Box<Self> {
        self.throttled = true;
        self
    }
}

/// What a check of the gateway returns.
type Checked<T> = Result<T, Box<Stop>>;

impl World {
    /// Judges a call that has just arrived.
    pub(super) fn admit(&mut self, mut call: Call) -> Admission {
        let in_path = catalogue::find(&call.path).and_then(|entry| entry.read_path(&call.path)).unwrap_or_default();
        let in_path = in_path.into_iter().map(|(name, value)| (name.to_owned(), value));
        call.params = Params::from_pairs(in_path).or(call.params);
        let at_ms = self.clock.elapsed_ms();
        let subjects = SUBJECTS.map(|name| call.subject(name));
        let subjects = subjects.iter().flatten().map(String::as_str).collect();
        let mishap = self.faults.strike(&Concern { path: &call.path, subjects });
        let verdict = self.judge(&call, mishap.instead.as_ref(), at_ms).unwrap_or_else(Verdict::Stop);
        Admission { call, at_ms, verdict, mishap }
    }

    fn judge(&mut self, call: &Call, fault: Option<&FaultKind>, now_ms: u64) -> Checked<Verdict> {
        self.check_address(call, now_ms)?;
        self.check_network(fault)?;
        let entry = catalogue::find(&call.path).ok_or_else(|| Stop::new(self.unknown_path(call)))?;
        let (work, app) = match entry.kind {
            Kind::Token(api) => (Work::Token(api), self.key_of_credentials(call, api)),
            Kind::Old(api) => {
                let app = self.authorise(call, entry, fault, now_ms)?;
                (Work::Old(api, Arc::clone(&app)), Some(app.key.clone()))
            }
            Kind::New(api) => {
                let app = self.authorise(call, entry, fault, now_ms)?;
                (Work::New(api, Arc::clone(&app)), Some(app.key.clone()))
            }
        };
        self.check_rate(entry, app.as_deref(), fault, now_ms)?;
        match self.business_fault(entry, fault).or_else(|| self.misread(call, entry)) {
            Some(answer) => Err(Stop::new(answer).of_app(app.as_deref())),
            None => Ok(Verdict::Pass { entry, app, work }),
        }
    }

    /// Token, IP and scope.
    fn authorise(&mut self, call: &Call, entry: &Entry, fault: Option<&FaultKind>, now_ms: u64) -> Checked<Arc<App>> {
        let (token, app) = self.check_token(call, entry, fault, now_ms)?;
        self.check_ip(call, entry, &app, fault)?;
        self.check_scope(entry, &token, &app, fault)?;
        Ok(app)
    }

    fn check_address(&mut self, call: &Call, now_ms: u64) -> Checked<()> {
        let limit = AddressLimit { budget: self.limits.ip_budget, ban_seconds: self.limits.ban_seconds };
        if self.throttle.admit_address(call.peer, limit, now_ms) {
            return Ok(());
        }
        Err(Stop::new(Answer::ip_ban(BanForm::Html, &mut self.random)).throttled())
    }

    /// Faults of the network and of machines in front of the gateway.
    fn check_network(&mut self, fault: Option<&FaultKind>) -> Checked<()> {
        let answer = match fault {
            Some(FaultKind::Down) => Answer::cut(),
            Some(FaultKind::Http(status)) => Answer::proxy_error(*status),
            Some(FaultKind::Malformed) => Answer::old_refusal(&BUSY.plain(), &mut self.random).malformed(),
            Some(FaultKind::IpBan(form)) => {
                let answer = Answer::ip_ban(*form, &mut self.random);
                return Err(Stop::new(answer).throttled());
            }
            _ => return Ok(()),
        };
        Err(Stop::new(answer))
    }

    fn unknown_path(&mut self, call: &Call) -> Answer {
        match call.host {
            _ if call.lacks_version => Answer::new_without_version(),
            Host::Old => Answer::old_unknown_path(&call.path, &mut self.random),
            Host::New => {
                let refusal = NewRefusal::new(404, "InvalidAction.NotFound", "Specified api is not found");
                Answer::new_refusal(&refusal, &mut self.random)
            }
        }
    }

    fn check_token(
        &mut self,
        call: &Call,
        entry: &Entry,
        fault: Option<&FaultKind>,
        now_ms: u64,
    ) -> Checked<(Token, Arc<App>)> {
        let Some(value) = &call.token else {
            let new =
                NewRefusal::new(400, "AuthenticationFailed.MissingParameter", "缺少参数：x-acs-dingtalk-access-token");
            return Err(Stop::new(self.gateway_refusal(entry, &PARAMETER_ERROR.plain(), &new)));
        };
        if matches!(fault, Some(FaultKind::TokenRevoked)) {
            self.tokens.revoke(value);
        }
        let interchangeable = self.corp.switches.tokens_are_interchangeable;
        let token = self.tokens.find(value, now_ms).filter(|token| interchangeable || token.host == call.host);
        let found = token.and_then(|token| Some((token.clone(), self.app(&token.app)?)));
        found.ok_or_else(|| {
            let new = NewRefusal::new(400, "InvalidAuthentication", INVALID_TOKEN.text);
            Stop::new(self.gateway_refusal(entry, &INVALID_TOKEN.plain(), &new))
        })
    }

    fn check_ip(&mut self, call: &Call, entry: &Entry, app: &App, fault: Option<&FaultKind>) -> Checked<()> {
        let listed = app.ip_whitelist.as_ref().is_none_or(|list| list.contains(&call.peer.to_string()));
        if listed && !matches!(fault, Some(FaultKind::IpNotWhitelisted)) {
            return Ok(());
        }
        let text = format!("{},request ip={} appKey({})", IP_NOT_WHITELISTED.text, call.peer, app.key);
        let new = NewRefusal::new(403, "Forbidden.AccessDenied.IpNotInWhiteList", text.clone());
        let answer = self.gateway_refusal(entry, &IP_NOT_WHITELISTED.worded(text), &new);
        Err(Stop::new(answer).of_app(Some(&app.key)))
    }

    fn check_scope(&mut self, entry: &Entry, token: &Token, app: &App, fault: Option<&FaultKind>) -> Checked<()> {
        let Some(scope) = entry.scope else { return Ok(()) };
        if token.scopes.contains(scope) && !matches!(fault, Some(FaultKind::ScopeMissing)) {
            return Ok(());
        }
        let text = format!(
            "应用尚未开通所需的权限：[{scope}]，点击链接申请并开通即可：\
             https://open-dev.dingtalk.com/appscope/apply?content={}%23{scope},requiredScopes=[{scope}]",
            app.key
        );
        let new = NewRefusal {
            required_scope: Some(scope),
            ..NewRefusal::new(403, "Forbidden.AccessDenied.AccessTokenPermissionDenied", text.clone())
        };
        let answer = self.gateway_refusal(entry, &SCOPE_MISSING.worded(text), &new);
        Err(Stop::new(answer).of_app(Some(&app.key)))
    }

    /// The rate of the app, and the month of the organisation.
    fn check_rate(&mut self, entry: &Entry, app: Option<&str>, fault: Option<&FaultKind>, now_ms: u64) -> Checked<()> {
        let free = app.is_none_or(|app| self.throttle.admit(app, entry.path, self.limits.qps, now_ms));
        let quota = self.corp.organisation.monthly_call_quota;
        let wall_ms = self.clock.wall_ms();
        let (errcode, new_code) = match fault {
            Some(FaultKind::Throttled(ThrottleScope::Platform)) => {
                (PLATFORM_QPS, "Forbidden.AccessDenied.QpsLimitForApi")
            }
            Some(FaultKind::Throttled(ThrottleScope::App)) => {
                (APP_QPS, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
            }
            Some(FaultKind::Throttled(ThrottleScope::Month)) => OUT_OF_QUOTA,
            _ if free && (!entry.counted || self.quota.admit(quota, wall_ms)) => return Ok(()),
            _ if free => OUT_OF_QUOTA,
            _ => (APP_QPS, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"),
        };
        let answer = match entry.host() {
            Host::New => Answer::new_refusal(&NewRefusal::new(403, new_code, errcode.text), &mut self.random),
            Host::Old if self.corp.switches.wraps_throttling => Answer::old_wrapped(&errcode.plain(), &mut self.random),
            Host::Old => Answer::old_refusal(&errcode.plain(), &mut self.random),
        };
        Err(Stop::new(answer).of_app(app).throttled())
    }

    /// Faults of the service behind the gateway.
    pub(super) fn business_fault(&mut self, entry: &Entry, fault: Option<&FaultKind>) -> Option<Answer> {
        match fault? {
            FaultKind::Errcode(number) => Some(self.service_error(entry, Errcode::of(*number))),
            FaultKind::Timeout => Some(self.timeout(entry.host())),
            _ => None,
        }
    }

    /// A refusal of the service behind the old host.
    pub(super) fn business_refusal(&mut self, entry: &Entry, refusal: &Refusal) -> Answer {
        if self.corp.switches.wraps_business_errors && !entry.is_legacy() {
            Answer::old_wrapped(refusal, &mut self.random)
        } else {
            Answer::old_refusal(refusal, &mut self.random)
        }
    }

    fn service_error(&mut self, entry: &Entry, errcode: Errcode) -> Answer {
        match entry.host() {
            Host::Old => self.business_refusal(entry, &errcode.plain()),
            Host::New => Answer::new_refusal(&NewRefusal::new(500, "system.error", errcode.text), &mut self.random),
        }
    }

    /// DingTalk gave up after its own three seconds.
    pub(super) fn timeout(&mut self, host: Host) -> Answer {
        match host {
            Host::Old => Answer::old_timeout(&mut self.random),
            Host::New => {
                let refusal = NewRefusal::new(504, "ServiceTimeout", "isp.top-remote-connection-timeout");
                Answer::new_refusal(&refusal, &mut self.random)
            }
        }
    }

    /// The wrong verb, or a body that cannot be read.
    fn misread(&mut self, call: &Call, entry: &Entry) -> Option<Answer> {
        let errcode = if entry.verb.allows(&call.method) {
            call.body_error(self.corp.switches.refuses_unicode_escapes)?
        } else if entry.verb == Verb::Get {
            NEEDS_GET
        } else {
            NEEDS_POST
        };
        Some(match entry.host() {
            Host::Old => Answer::old_refusal(&errcode.plain(), &mut self.random),
            Host::New => Answer::new_refusal(&NewRefusal::new(400, "InvalidParameter", errcode.text), &mut self.random),
        })
    }

    /// A refusal of the gateway, worded for the host of the API: bare on legacy paths, wrapped on `/topapi/`.
    fn gateway_refusal(&mut self, entry: &Entry, old: &Refusal, new: &NewRefusal) -> Answer {
        match entry.host() {
            Host::New => Answer::new_refusal(new, &mut self.random),
            Host::Old if entry.is_legacy() && matches!(old.code, INVALID_TOKEN | PARAMETER_ERROR) => {
                Answer::old_refusal(old, &mut self.random)
            }
            Host::Old => Answer::old_wrapped(old, &mut self.random),
        }
    }

    /// The known app that a token call names, so that its rate counts. Wrong credentials are a matter of business.
    fn key_of_credentials(&self, call: &Call, api: TokenApi) -> Option<String> {
        let name = match api {
            TokenApi::OldHost => "appkey",
            TokenApi::NewHost => "appKey",
            TokenApi::Corp => "client_id",
        };
        self.app(&call.subject(name)?).map(|app| app.key.clone())
    }
}
