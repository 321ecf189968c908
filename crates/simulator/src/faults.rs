//! Faults on demand: rules that say which calls go wrong, how, and how often.
//!
//! A rule fires before DingTalk does anything, or with `after_commit` once the call has been carried out, which is how
//! an answer gets lost: the write happened and the caller does not know.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// How a call goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum FaultKind {
    /// The answer comes late. Before: the work waits too. After commit: only the answer waits.
    Latency {
        /// Least delay in milliseconds.
        ms: u64,
        /// Up to this much more, in milliseconds.
        #[serde(default)]
        jitter_ms: u64,
    },
    /// The connection is cut without an answer.
    Down,
    /// errcode 15, or HTTP 504 on the new host: DingTalk's own three seconds are over.
    Timeout,
    /// Any errcode of the old host, for example −1.
    Errcode(i64),
    /// Too many calls.
    Throttled(ThrottleScope),
    /// The answer of an IP ban, which carries no errcode.
    IpBan(BanForm),
    /// The token of this call becomes invalid now.
    TokenRevoked,
    /// The app lacks the scope of this API.
    ScopeMissing,
    /// The caller's address is not on the app's whitelist.
    IpNotWhitelisted,
    /// An HTTP status from some proxy on the way, with an HTML body: 502, 503.
    Http(u16),
    /// A body that is cut in the middle.
    Malformed,
    /// A read shows the organisation as it was a while ago, as from a replica that lags behind. Writes do not care.
    Stale {
        /// How long ago, in milliseconds.
        ms: u64,
    },
}

/// Whose limit is exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ThrottleScope {
    /// The app's: 90018.
    App,
    /// The platform's: 90002.
    Platform,
    /// The organisation's, for this month: 90020.
    Month,
}

/// What a banned address sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BanForm {
    /// A page for people.
    Html,
    /// `{"status":1111,…}`.
    Json,
}

/// One rule, as it is put to `/_simulator/faults`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRule {
    /// An API's path, or a folder of paths. `/` is everything.
    #[serde(default = "everything")]
    pub(crate) path: String,
    /// Only calls about this person, department, number, role or chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) concerning: Option<String>,
    /// How it goes wrong.
    pub(crate) kind: FaultKind,
    /// The call is carried out first; only its answer suffers.
    #[serde(default)]
    pub(crate) after_commit: bool,
    /// Matching calls that pass before the rule begins.
    #[serde(default)]
    pub(crate) skip: u64,
    /// How often it fires. Absent: until the rule is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u64>,
    /// Probability of firing, 0 to 1. Absent: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) probability: Option<f64>,
    /// Seed of the rule's own randomness. Absent: the simulator's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
}

fn everything() -> String {
    "/".to_owned()
}

impl FaultRule {
    /// Why the rule makes no sense, in words for the person who wrote it.
    pub(crate) fn complaint(&self) -> Option<&'static str> {
        if self.probability.is_some_and(|probability| !(0.0..=1.0).contains(&probability)) {
            return Some("probability must lie between 0 and 1");
        }
        if let FaultKind::Http(status) = self.kind
            && !(400..=599).contains(&status)
        {
            return Some("http must be a status between 400 and 599");
        }
        if self.after_commit && matches!(self.kind, FaultKind::Stale { .. }) {
            return Some("a read that lags behind commits nothing");
        }
        let gate = matches!(
            self.kind,
            FaultKind::TokenRevoked | FaultKind::ScopeMissing | FaultKind::IpNotWhitelisted | FaultKind::Throttled(_)
        );
        (self.after_commit && gate).then_some("this kind refuses the call, so nothing is left to do after a commit")
    }

    fn matches(&self, call: &Concern<'_>) -> bool {
        let folder = self.path.trim_end_matches('/');
        let path = call.path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        path && self.concerning.as_deref().is_none_or(|subject| call.subjects.contains(&subject))
    }
}

/// What a rule looks at.
#[derive(Debug)]
pub(crate) struct Concern<'a> {
    /// The request path.
    pub(crate) path: &'a str,
    /// The people and departments it names.
    pub(crate) subjects: Vec<&'a str>,
}

/// A rule in force.
#[derive(Debug, Serialize)]
pub(crate) struct ActiveFault {
    /// Names the rule in `DELETE /_simulator/faults/{id}`.
    pub(crate) id: u64,
    /// How often it has fired.
    pub(crate) fired: u64,
    #[serde(skip)]
    seen: u64,
    #[serde(skip)]
    random: Random,
    #[serde(flatten)]
    rule: FaultRule,
}

impl ActiveFault {
    fn fires(&mut self, call: &Concern<'_>) -> bool {
        if !self.rule.matches(call) || self.rule.times.is_some_and(|times| self.fired >= times) {
            return false;
        }
        self.seen += 1;
        let due = self.seen > self.rule.skip
            && self.rule.probability.is_none_or(|probability| self.random.chance(probability));
        self.fired += u64::from(due);
        due
    }
}

/// What happens to one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mishap {
    /// Milliseconds before the work.
    pub(crate) delay_before_ms: u64,
    /// Milliseconds between the work and its answer.
    pub(crate) delay_after_ms: u64,
    /// A read looks so many milliseconds back.
    pub(crate) stale_ms: u64,
    /// Goes wrong instead of the work.
    pub(crate) instead: Option<FaultKind>,
    /// Goes wrong once the work is done.
    pub(crate) afterwards: Option<FaultKind>,
}

/// All rules in force, in the order they were given.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Vec<ActiveFault>,
    last_id: u64,
}

impl Faults {
    /// Adds a rule and returns its id.
    pub(crate) fn add(&mut self, rule: FaultRule, simulator_seed: u64) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let seed = rule.seed.unwrap_or_else(|| simulator_seed.wrapping_add(id));
        self.rules.push(ActiveFault { id, fired: 0, seen: 0, random: Random::new(seed), rule });
        id
    }

    /// Removes one rule. False: there is none of that id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.rules.len();
        self.rules.retain(|fault| fault.id != id);
        self.rules.len() < before
    }

    /// Removes every rule.
    pub(crate) fn clear(&mut self) {
        self.rules.clear();
    }

    /// The rules in force.
    pub(crate) fn rules(&self) -> &[ActiveFault] {
        &self.rules
    }

    /// How far back any rule lets a read look, in milliseconds.
    pub(crate) fn longest_stale_ms(&self) -> u64 {
        let looks_back = |fault: &ActiveFault| match fault.rule.kind {
            FaultKind::Stale { ms } => ms,
            _ => 0,
        };
        self.rules.iter().map(looks_back).max().unwrap_or(0)
    }

    /// What the rules do to a call. Delays add up; of the others the first that fires wins.
    pub(crate) fn strike(&mut self, call: &Concern<'_>) -> Mishap {
        let mut mishap = Mishap::default();
        for fault in &mut self.rules {
            let is_delay = matches!(fault.rule.kind, FaultKind::Latency { .. } | FaultKind::Stale { .. });
            let taken = mishap.instead.is_some() || mishap.afterwards.is_some();
            if (taken && !is_delay) || !fault.fires(call) {
                continue;
            }
            let after = fault.rule.after_commit;
            match fault.rule.kind.clone() {
                FaultKind::Latency { ms, jitter_ms } => {
                    let delay = ms.saturating_add(fault.random.below(jitter_ms.saturating_add(1)));
                    let slot = if after { &mut mishap.delay_after_ms } else { &mut mishap.delay_before_ms };
                    *slot = slot.saturating_add(delay);
                }
                FaultKind::Stale { ms } => mishap.stale_ms = mishap.stale_ms.max(ms),
                kind if after => mishap.afterwards = Some(kind),
                kind => mishap.instead = Some(kind),
            }
        }
        mishap
    }
}

#[cfg(test)]
mod tests {
    use super::{Concern, FaultKind, FaultRule, Faults};

    fn rule(json: &str) -> FaultRule {
        serde_json::from_str(json).expect("a rule")
    }

    fn struck(faults: &mut Faults, path: &str, subjects: &[&str]) -> bool {
        faults.strike(&Concern { path, subjects: subjects.to_vec() }).instead.is_some()
    }

    #[test]
    fn a_path_is_an_api_or_a_folder() {
        for (rule_path, path, expected) in [
            ("/", "/topapi/v2/user/get", true),
            ("/topapi/v2/user", "/topapi/v2/user/get", true),
            ("/topapi/v2/user/", "/topapi/v2/user/get", true),
            ("/topapi/v2/user/get", "/topapi/v2/user/get", true),
            ("/topapi/v2/user/get", "/topapi/v2/user/getbymobile", false),
            ("/topapi/v2/department", "/topapi/v2/user/get", false),
        ] {
            let mut faults = Faults::default();
            faults.add(rule(&format!(r#"{{"path":"{rule_path}","kind":"down"}}"#)), 1);
            assert_eq!(struck(&mut faults, path, &[]), expected, "{rule_path} against {path}");
        }
    }

    #[test]
    fn skip_and_times_bound_a_rule() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"kind":"down","skip":1,"times":2}"#), 1);
        let hits: Vec<bool> = (0..5).map(|_| struck(&mut faults, "/x", &[])).collect();
        assert_eq!(hits, [false, true, true, false, false]);
    }

    #[test]
    fn a_rule_may_concern_one_person() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"kind":{"errcode":-1},"concerning":"u7"}"#), 1);
        assert!(struck(&mut faults, "/x", &["u7"]));
        assert!(!struck(&mut faults, "/x", &["u8"]));
    }

    #[test]
    fn probability_follows_the_seed() {
        let run = |seed: u64| -> Vec<bool> {
            let mut faults = Faults::default();
            faults.add(rule(&format!(r#"{{"kind":"down","probability":0.5,"seed":{seed}}}"#)), 1);
            (0..200).map(|_| struck(&mut faults, "/x", &[])).collect()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
        let hits = run(7).into_iter().filter(|&hit| hit).count();
        assert!((60..=140).contains(&hits), "{hits} of 200");
    }

    #[test]
    fn delays_add_up_and_the_first_other_fault_wins() {
        let mut faults = Faults::default();
        faults.add(rule(r#"{"kind":{"latency":{"ms":5}}}"#), 1);
        faults.add(rule(r#"{"kind":"timeout","after_commit":true}"#), 1);
        faults.add(rule(r#"{"kind":"down"}"#), 1);
        faults.add(rule(r#"{"kind":{"latency":{"ms":7}}}"#), 1);
        let mishap = faults.strike(&Concern { path: "/x", subjects: Vec::new() });
        assert_eq!((mishap.delay_before_ms, mishap.instead), (12, None));
        assert_eq!(mishap.afterwards, Some(FaultKind::Timeout));
    }

    #[test]
    fn senseless_rules_are_refused() {
        for json in [
            r#"{"kind":"down","probability":1.5}"#,
            r#"{"kind":{"http":200}}"#,
            r#"{"kind":"token_revoked","after_commit":true}"#,
            r#"{"kind":{"stale":{"ms":5}},"after_commit":true}"#,
        ] {
            assert!(rule(json).complaint().is_some(), "{json}");
        }
        assert!(serde_json::from_str::<FaultRule>(r#"{"kind":"down","tims":1}"#).is_err());
    }
}
