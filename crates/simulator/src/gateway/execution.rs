//! Carrying out an admitted call, writing it to the log, and what goes wrong afterwards.

use serde_json::Value;

use crate::api::Caller;
use crate::calls::CallRecord;
use crate::corp::Corp;
use crate::faults::FaultKind;
use crate::simulator::World;

use super::admission::{Admission, Verdict, Work};
use super::answer::Answer;
use super::call::Call;
use super::catalogue::{self, Entry};

impl World {
    /// Carries out a call and writes it to the log.
    pub(super) fn execute(&mut self, admission: Admission) -> Answer {
        let Admission { call, at_ms, verdict, mishap } = admission;
        let revision = self.corp.revision;
        let mut record = CallRecord {
            at_ms,
            api: catalogue::find(&call.path).map_or_else(|| call.path.clone(), |entry| entry.path.to_owned()),
            userid: ["userid", "userId", "user_id"].iter().find_map(|name| call.subject(name)),
            dept_id: call.params.integer("dept_id").ok().flatten(),
            mobile: call.subject("mobile"),
            ..CallRecord::default()
        };
        let answer = match verdict {
            Verdict::Stop(stop) => {
                record.app = stop.app;
                record.throttled = stop.throttled;
                stop.answer
            }
            Verdict::Pass { entry, app, work } => {
                record.app = app;
                self.carry_out(&call, entry, work, mishap.stale_ms)
            }
        };
        let answer = if catalogue::find(&call.path).is_some_and(Entry::is_legacy) {
            answer.without_request_id()
        } else {
            answer
        };
        record.committed = self.corp.revision != revision;
        if let Some(result) = answer.result() {
            let made = |name: &str| result.get(name);
            record.userid = record.userid.or_else(|| made("userid").and_then(Value::as_str).map(str::to_owned));
            record.dept_id = record.dept_id.or_else(|| made("dept_id").and_then(Value::as_i64));
        }
        let answer = match mishap.afterwards {
            Some(fault) => self.spoil(answer, &fault, &call),
            None => answer,
        };
        record.status = (!answer.is_cut).then_some(answer.status);
        record.errcode = answer.errcode;
        record.code.clone_from(&answer.code);
        self.calls.add(record);
        answer
    }

    fn carry_out(&mut self, call: &Call, entry: &Entry, work: Work, stale_ms: u64) -> Answer {
        let now_ms = self.clock.wall_ms();
        match work {
            Work::Token(api) => self.give_token(call, api),
            Work::Old(api, app) => {
                let caller = Caller { app: &app, now_ms };
                match self.on_corp(entry, stale_ms, |corp| api(corp, caller, &call.params)) {
                    Ok(fields) => Answer::old_success(fields, &mut self.random),
                    Err(refusal) => self.business_refusal(entry, &refusal),
                }
            }
            Work::New(api, app) => {
                let caller = Caller { app: &app, now_ms };
                match self.on_corp(entry, stale_ms, |corp| api(corp, caller, &call.params)) {
                    Ok(body) => Answer::new_success(body),
                    Err(refusal) => Answer::new_refusal(&refusal, &mut self.random),
                }
            }
        }
    }

    /// Writes meet the organisation as it is, reads perhaps as it was.
    fn on_corp<T>(&mut self, entry: &Entry, stale_ms: u64, work: impl FnOnce(&mut Corp) -> T) -> T {
        if entry.reads { work(self.view(stale_ms)) } else { self.change(work) }
    }

    /// The call has been carried out, but its answer suffers.
    fn spoil(&mut self, answer: Answer, fault: &FaultKind, call: &Call) -> Answer {
        match fault {
            FaultKind::Down => Answer::cut(),
            FaultKind::Http(status) => Answer::proxy_error(*status),
            FaultKind::IpBan(form) => Answer::ip_ban(*form, &mut self.random),
            FaultKind::Malformed => answer.malformed(),
            FaultKind::Errcode(_) | FaultKind::Timeout => {
                catalogue::find(&call.path).and_then(|entry| self.business_fault(entry, Some(fault))).unwrap_or(answer)
            }
            FaultKind::Latency { .. }
            | FaultKind::Stale { .. }
            | FaultKind::Throttled(_)
            | FaultKind::TokenRevoked
            | FaultKind::ScopeMissing
            | FaultKind::IpNotWhitelisted => answer,
        }
    }
}
