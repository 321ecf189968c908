//! The few things that DingTalk says only in prose: the missing permission, the refused address, the end of a
//! throttle. The texts are no contract (page `server-api-error-codes-1`), so nothing is decided by them.

use std::time::Duration;
use time::PrimitiveDateTime;
use time::macros::format_description;

/// The most characters of DingTalk's own text that are shown to a person.
const SHOWN_CHARS: usize = 200;
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// What stands between `before` and the next of `ends` (or the end of the text).
pub(crate) fn between<'a>(text: &'a str, before: &str, ends: &[char]) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    let found = rest.split(ends).next()?.trim();
    (!found.is_empty()).then_some(found)
}

/// The permissions named in brackets: `…所需的权限：[qyapi_get_member]…`, `requiredScopes=[A,B]`.
pub(super) fn permissions(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    for bracket in text.split('[').skip(1) {
        let Some((inside, _)) = bracket.split_once(']') else { continue };
        for name in inside.split(',').map(str::trim) {
            let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
            if plain && name.starts_with(|c: char| c.is_ascii_alphabetic()) && !found.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

/// The caller's address in `访问ip不在白名单之中,request ip=203.0.113.7 appKey(…)`.
pub(super) fn refused_address(text: &str) -> Option<&str> {
    let address = between(text, "request ip=", &[' ', ',', ']', '，'])?;
    address.parse::<std::net::IpAddr>().is_ok().then_some(address)
}

/// How long a throttle lasts by its text: `从 T1 到 T2 请求总次数超过 N 次, 限制将在 T3 结束`. T3 - T2 needs no clock of
/// ours and no time zone.
pub(crate) fn throttle_left(text: &str) -> Option<Duration> {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let starts = text.char_indices().map(|(start, _)| start);
    let times: Vec<PrimitiveDateTime> = starts
        .filter_map(|start| PrimitiveDateTime::parse(text.get(start..start + "2026-01-01 00:00:00".len())?, form).ok())
        .collect();
    let [.., window_end, throttle_end] = times.as_slice() else { return None };
    let left = Duration::try_from(*throttle_end - *window_end).ok()?;
    (!left.is_zero()).then_some(left.min(LONGEST_PAUSE))
}

/// DingTalk's text, fit to be shown: short, and without anything that may be a number or address of a person.
pub(super) fn shown(text: &str) -> String {
    let joined = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '_' | '+' | '-');
    let mut shown = String::new();
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| joined(c) != joined(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let personal = word.contains('@') || word.chars().filter(char::is_ascii_digit).count() >= 7;
        shown.push_str(if personal { "…" } else { word });
        rest = after;
    }
    shown.chars().take(SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_missing_permission() {
        let text = "应用尚未开通所需的权限：[qyapi_get_department_list]，点击链接申请并开通即可：\
                    https://open-dev.dingtalk.com/appscope/apply?content=ding%23x requiredScopes=[qyapi_get_department_list]";
        assert_eq!(permissions(text), ["qyapi_get_department_list"]);
        assert_eq!(permissions("requiredScopes=[Contact.User.Read, qyapi_base]"), ["Contact.User.Read", "qyapi_base"]);
        assert!(permissions("ding talk error[subcode=60011,submsg=没有权限]").is_empty());
        assert!(permissions("[").is_empty());
    }

    #[test]
    fn the_refused_address() {
        let text = "访问ip不在白名单之中,request ip=203.0.113.7 appKey(dingabc)";
        assert_eq!(refused_address(text), Some("203.0.113.7"));
        assert_eq!(refused_address("request ip=2001:db8::1]"), Some("2001:db8::1"));
        assert_eq!(refused_address("request ip=nonsense"), None);
        assert_eq!(refused_address("访问ip不在白名单之中"), None);
    }

    #[test]
    fn the_end_of_a_throttle() {
        let text = |end| {
            format!(
                "apiPath(x), 从 2026-09-03 00:01:02 到 2026-09-03 00:01:02 请求总次数超过 1200 次, 限制将在 {end} 结束."
            )
        };
        assert_eq!(throttle_left(&text("2026-09-03 00:01:03")), Some(Duration::from_secs(1)));
        assert_eq!(throttle_left(&text("2026-09-03 00:03:02")), Some(Duration::from_mins(2)));
        assert_eq!(throttle_left(&text("2027-09-03 00:03:02")), Some(LONGEST_PAUSE), "not for a year");
        assert_eq!(throttle_left(&text("2026-09-03 00:01:02")), None);
        assert_eq!(throttle_left(&text("2026-09-03 00:00:00")), None, "in the past");
        assert_eq!(throttle_left("被限流了"), None);
    }

    #[test]
    fn nothing_personal_is_shown() {
        assert_eq!(shown("手机号码 13800000001 已存在"), "手机号码 … 已存在");
        assert_eq!(shown("手机号+65-91234567已存在"), "手机号…已存在");
        assert_eq!(shown("mail(a.b@example.com) 已存在"), "mail(…) 已存在");
        assert_eq!(shown("invalid parameter dept_id_list [12]"), "invalid parameter dept_id_list [12]");
        assert_eq!(shown(&"长".repeat(500)).chars().count(), SHOWN_CHARS);
    }
}
