//! From a failure to what it means. The meaning of each code is data, in [`table`]; what is said here is the
//! same for all codes.
//!
//! A code that the table does not know is [`ErrorClass::Transient`], with DingTalk's own text: such a call is
//! repeated ever more slowly (half an hour apart in the end) and a person is told after a few tries, so it is
//! neither hammered nor lost. Parking it as invalid would lose it if it was a passing fault under a new number.

pub(crate) mod table;
pub(crate) mod text;

use crate::answer::{Failure, Refusal};
use crate::operation::Operation;
use rollcall_provisioning::budget::BudgetError;
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::stop::Cause;
use std::time::Duration;

/// The codes that say that the token is no longer good (pages `server-api-error-codes-1`, `server-api-calling-guide`).
const TOKEN_CODES: [&str; 6] =
    ["40014", "42001", "40001", "InvalidAuthentication", "unauthorized", "accesstoken.expired"];
/// The codes that say that the application lacks a permission, and so perhaps only its token does.
const PERMISSION_CODES: [&str; 3] = ["60011", "400020", "Forbidden.AccessDenied.AccessTokenPermissionDenied"];
/// The codes that say that the month's calls are used up (page `how-to-process-api-throttling-on-the-dingtalk-server`).
const QUOTA_CODES: [&str; 2] = ["90020", "Forbidden.AccessDenied.ApiCountLimitForOrg"];
/// The codes that say that a person is not there (pages `add-role-information-to-employees-in-batches`, `common-errors`).
const NOBODY_CODES: [&str; 4] = ["33012", "40003", "60111", "60121"];
/// Errors of DingTalk's own: its time-out (page `retry`) and what it says of itself. None of them says that the write
/// has not happened, and some of them have been seen after writes that had.
const OWN_ERRORS: [&str; 9] =
    ["-1", "15", "1002", "400001", "system.error", "systemError", "system.busy", "server.error", "unknownError"];

/// Whether the call may work with a fresh token.
pub(crate) fn refuses_token(error: &ConnectorError) -> bool {
    TOKEN_CODES.contains(&bare(&error.code))
}

/// Whether the application, or only its present token, lacks a permission.
pub(crate) fn lacks_permission(error: &ConnectorError) -> bool {
    PERMISSION_CODES.contains(&bare(&error.code))
}

/// Whether the organisation has used up what it bought.
pub(crate) fn means_quota(error: &ConnectorError) -> bool {
    QUOTA_CODES.contains(&bare(&error.code))
}

/// Why a call was refused that stops more than itself.
pub(crate) fn cause(error: &ConnectorError) -> Cause {
    if means_quota(error) {
        return Cause::Quota;
    }
    if lacks_permission(error) {
        return Cause::Permission;
    }
    match bare(&error.code) {
        "banned" | "90001" | "90017" => Cause::Ban,
        "40014"
        | "42001"
        | "40001"
        | "InvalidAuthentication"
        | "unauthorized"
        | "accesstoken.expired"
        | "40089"
        | "40096"
        | "invalidClientIdOrSecret"
        | "invalid.client"
        | "unauthorized.client" => Cause::Credential,
        "60020" | "Forbidden.AccessDenied.IpNotInWhiteList" | "48002" | "48004" => Cause::Permission,
        _ => Cause::Organisation,
    }
}

/// Whether one of the people that a call names is not there.
pub(crate) fn names_nobody(error: &ConnectorError) -> bool {
    NOBODY_CODES.contains(&bare(&error.code))
}

/// Whether somebody is to be removed from a chat who is not in it.
pub(crate) fn names_no_member(error: &ConnectorError) -> bool {
    bare(&error.code) == "60124"
}

/// Whether the role group that a call names is not there.
pub(crate) fn names_no_group(error: &ConnectorError) -> bool {
    bare(&error.code) == "34020"
}

fn bare(code: &str) -> &str {
    code.strip_prefix("88/").unwrap_or(code)
}

/// Whether a failure bans every call from this address.
pub(crate) fn bans_address(failure: &Failure) -> bool {
    match failure {
        Failure::Banned => true,
        Failure::Refused(refusal) => matches!(refusal.code.as_str(), "90001" | "90017"),
        _ => false,
    }
}

/// What a failed call means.
pub(crate) fn explain(operation: Operation, app_key: &str, failure: &Failure) -> ConnectorError {
    let lost = operation.writes();
    let network = "Check the network between this server and DingTalk if it does not end by itself.";
    let passing = |code: String, message: String, outcome_unknown: bool| ConnectorError {
        class: ErrorClass::Transient,
        code,
        message,
        advice: network.to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown,
    };
    match failure {
        Failure::Unsent { cause } => {
            passing("connection".into(), format!("DingTalk cannot be reached ({cause})."), false)
        }
        Failure::Timeout => passing("timeout".into(), "DingTalk did not answer in time.".into(), lost),
        Failure::Lost { cause } => {
            let message = format!("The connection to DingTalk broke before the answer was there ({cause}).");
            passing("connection_lost".into(), message, lost)
        }
        Failure::Server { status } => {
            passing(format!("http_{status}"), format!("DingTalk answered with HTTP status {status}."), lost)
        }
        Failure::Unreadable { status } => {
            let message = format!("DingTalk's answer cannot be read (HTTP status {status}).");
            passing("unreadable".into(), message, lost)
        }
        Failure::Denied => {
            passing("denied".into(), "DingTalk answered that it did not do it, and not why.".into(), lost)
        }
        Failure::TooMany { after } => ConnectorError {
            class: ErrorClass::RateLimited,
            retry_after: Some(after.unwrap_or(Duration::from_secs(1))),
            ..passing("http_429".into(), "Too many calls (HTTP status 429).".into(), false)
        },
        Failure::Banned => ConnectorError {
            class: ErrorClass::Stopped,
            advice: "Nothing needs to be done unless it comes back: then lower the calls per second, and check \
                     that no proxy answers in DingTalk's place."
                .to_owned(),
            ..passing(
                "banned".into(),
                "DingTalk answered with a web page, as it does when it has banned this server's address.".into(),
                false,
            )
        },
        Failure::Refused(refusal) => refused(operation, app_key, refusal),
    }
}

fn refused(operation: Operation, app_key: &str, refusal: &Refusal) -> ConnectorError {
    let row = table::find(&refusal.code, operation);
    // What the gate wraps has not reached the directory; of a code that nobody knows, nothing is known.
    let unsure = OWN_ERRORS.contains(&refusal.code.as_str()) || row.is_none();
    let outcome_unknown = operation.writes() && (refusal.server_error || unsure && !refusal.wrapped);
    let Some(row) = row else {
        return ConnectorError {
            class: ErrorClass::Transient,
            code: refusal.shown(),
            message: format!("DingTalk answered \"{}\".", text::shown(&refusal.text)),
            advice: "It is tried again ever more slowly; look the code up in DingTalk's list of error codes."
                .to_owned(),
            attribute: None,
            retry_after: None,
            outcome_unknown,
        };
    };
    let mut error = ConnectorError {
        class: row.class,
        code: refusal.shown(),
        message: row.message.to_owned(),
        advice: row.advice.to_owned(),
        attribute: row.attribute,
        retry_after: (row.wait_secs > 0).then(|| Duration::from_secs(row.wait_secs)),
        outcome_unknown,
    };
    // The sentence ends with what DingTalk says only in its text: the permission or the address.
    if !row.message.ends_with('.') {
        let permissions = text::permissions(&refusal.text);
        let address = text::refused_address(&refusal.text);
        match (address, permissions.first()) {
            (Some(address), _) => error.message = format!("{} {address}.", row.message),
            (None, Some(first)) if lacks_permission(&error) => {
                error.message = format!("{}: {}.", row.message, permissions.join(", "));
                // The address that DingTalk itself gives in this case (page `permission-deny`).
                let apply = format!("https://open-dev.dingtalk.com/appscope/apply?content={app_key}%23{first}");
                error.advice = format!("{} Apply here: {apply}", row.advice);
            }
            _ => error.message.push('.'),
        }
    }
    error
}

/// A failure after another call of the same action has done its work: what is there must be read before it is planned
/// anew, as if the answer had been lost.
pub(crate) fn halfway(error: ConnectorError) -> ConnectorError {
    ConnectorError { outcome_unknown: true, ..error }
}

/// The shared rate budget is out of reach, so nothing may be sent.
pub(crate) fn no_budget(_: &BudgetError) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Transient,
        code: "budget".to_owned(),
        message: "The rate budget shared by all workers cannot be read, so nothing was sent.".to_owned(),
        advice: "Check the database.".to_owned(),
        attribute: None,
        retry_after: None,
        outcome_unknown: false,
    }
}

/// The place in the rate budget is too far away to wait for it.
pub(crate) fn paused(wait: Duration) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::RateLimited,
        code: "paused".to_owned(),
        message: "Calls to DingTalk are paused because there were too many; nothing was sent.".to_owned(),
        advice: "Nothing needs to be done: calls go on when the pause is over.".to_owned(),
        attribute: None,
        retry_after: Some(wait),
        outcome_unknown: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, text: &str) -> Failure {
        let (wrapped, code) = code.strip_prefix("88/").map_or((false, code), |sub| (true, sub));
        Failure::Refused(Refusal { wrapped, code: code.into(), text: text.into(), server_error: false })
    }

    #[test]
    fn a_missing_permission_is_named_with_the_way_to_it() {
        let text = "应用尚未开通所需的权限：[qyapi_get_member] requiredScopes=[qyapi_get_member]";
        let error = explain(Operation::UserGet, "dingapp", &refusal("88/60011", text));
        assert_eq!(error.message, "The application lacks a permission: qyapi_get_member.");
        assert!(error.advice.ends_with("content=dingapp%23qyapi_get_member"), "{}", error.advice);
        let silent = explain(Operation::UserGet, "dingapp", &refusal("60011", "没有权限"));
        assert_eq!(silent.message, "The application lacks a permission.");
        assert!(lacks_permission(&error) && lacks_permission(&silent));
    }

    #[test]
    fn a_refused_address_is_named() {
        let text = "访问ip不在白名单之中,request ip=203.0.113.7 appKey(dingapp)";
        let error = explain(Operation::UserGet, "dingapp", &refusal("88/60020", text));
        assert_eq!(error.message, "DingTalk does not accept calls from this server's address 203.0.113.7.");
    }

    #[test]
    fn an_unknown_code_is_shown_and_slows_down() {
        let error = explain(Operation::UserCreate, "dingapp", &refusal("987654", "手机 13800000001 奇怪"));
        assert_eq!((error.class, error.code.as_str()), (ErrorClass::Transient, "987654"));
        assert_eq!(error.message, "DingTalk answered \"手机 … 奇怪\".");
        assert!(error.outcome_unknown, "nobody knows what it says about the write");
    }

    #[test]
    fn only_writes_are_lost() {
        for (failure, lost) in [
            (Failure::Unsent { cause: "refused".into() }, false),
            (Failure::Timeout, true),
            (Failure::Lost { cause: "reset".into() }, true),
            (Failure::Server { status: 503 }, true),
            (Failure::Unreadable { status: 200 }, true),
            (Failure::TooMany { after: None }, false),
            (Failure::Banned, false),
            (refusal("15", "isp.top-remote-connection-timeout"), true),
            (refusal("-1", "系统繁忙"), true),
            (refusal("system.error", "系统错误"), true),
            (refusal("88/-1", "系统繁忙"), false),
            (refusal("60104", "手机号码已存在"), false),
        ] {
            assert_eq!(explain(Operation::DepartmentCreate, "", &failure).outcome_unknown, lost, "{failure:?}");
            assert!(!explain(Operation::UserGet, "", &failure).outcome_unknown, "{failure:?}");
        }
    }
}
