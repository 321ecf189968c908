//! The settings of a DingTalk target: what each is for, what it is when nobody says anything, and what it can be.

use rollcall_api::target_kinds::{Setting, SettingProblem};
use rollcall_dingtalk::{Settings, SettingsError};
use rollcall_provisioning::invitation::{AT_MOST, MOST_DAYS, MOST_INVITATIONS};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What the `settings` of a DingTalk target hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct DingTalkSettings {
    #[serde(default = "oapi_url")]
    pub(crate) oapi_url: String,
    #[serde(default = "api_url")]
    pub(crate) api_url: String,
    pub(crate) app_key: String,
    #[serde(default = "calls_per_second")]
    pub(crate) calls_per_second: u32,
    #[serde(default)]
    pub(crate) calls_per_day: Option<u64>,
    #[serde(default)]
    pub(crate) calls_per_month: Option<u64>,
    #[serde(default)]
    pub(crate) registered_abroad: bool,
    #[serde(default)]
    pub(crate) enterprise_accounts: bool,
    #[serde(default = "yes")]
    pub(crate) send_initial_password: bool,
    #[serde(default = "role_group")]
    pub(crate) role_group: String,
    #[serde(default)]
    pub(crate) chat_template_id: Option<String>,
    #[serde(default)]
    pub(crate) contact_label_ids: Vec<i64>,
    #[serde(default)]
    pub(crate) contact_follower: Option<String>,
    #[serde(default)]
    pub(crate) invite_again_after_days: Option<u32>,
    #[serde(default = "invitations_at_most")]
    pub(crate) invitations_at_most: u32,
    #[serde(default)]
    pub(crate) corp_id: Option<String>,
}

/// The most calls per second that DingTalk sells (page `how-to-process-api-throttling-on-the-dingtalk-server`).
const MOST_CALLS_PER_SECOND: u32 = 60;

/// Every setting.
pub(super) const SETTINGS: &[Setting] = &[
    Setting { name: "app_key", what: "The key (Client ID) of the internal application." },
    Setting { name: "oapi_url", what: "The base URL of DingTalk's old host, where contacts are written." },
    Setting { name: "api_url", what: "The base URL of DingTalk's new host, where tokens come from." },
    Setting {
        name: "calls_per_second",
        what: "How many calls a second DingTalk permits the application per API: 20 in the standard edition, 60 at most.",
    },
    Setting {
        name: "calls_per_day",
        what: "The most calls in a day (UTC) that change something at DingTalk, but for people who lose their access. What is \
               more waits for the next day. Left out: no limit.",
    },
    Setting {
        name: "calls_per_month",
        what: "The same in a calendar month (UTC): what the organisation has bought, less what other applications need.",
    },
    Setting {
        name: "registered_abroad",
        what: "Whether the organisation is registered outside the mainland of China: then mainland numbers are sent with +86.",
    },
    Setting {
        name: "enterprise_accounts",
        what: "Whether the organisation has bought enterprise accounts, so that the mapping may ask for the kinds sso and \
               dingtalk.",
    },
    Setting {
        name: "send_initial_password",
        what: "Whether DingTalk sends the first password to the owner of an account of the kind dingtalk, by short message or \
               e-mail. If not, an operator fetches it from Rollcall, once.",
    },
    Setting {
        name: "role_group",
        what: "The role group of roles for which the mapping names none. It is made when it is missing.",
    },
    Setting {
        name: "chat_template_id",
        what: "The group template that chats are made from. With one they can be dissolved; without one they are normal groups.",
    },
    Setting {
        name: "contact_label_ids",
        what: "The ids of the labels of an external contact for whom the mapping names none; 20 at most.",
    },
    Setting {
        name: "contact_follower",
        what: "The userid of who looks after an external contact for whom the mapping names nobody.",
    },
    Setting {
        name: "invite_again_after_days",
        what: "After how many days without an answer a person whom DingTalk has to ask is invited again: 1 to 90, at a target \
               that is live. Left out: they are not invited again by themselves.",
    },
    Setting {
        name: "invitations_at_most",
        what: "How many invitations there are by themselves, the first one with them: 1 to 10; 3 if left out. People are told \
               when the last one has not been answered for 14 days.",
    },
    Setting {
        name: "corp_id",
        what: "The organisation's CorpId, so that `rollcall doctor` can look at its certification level.",
    },
];

fn oapi_url() -> String {
    "https://oapi.dingtalk.com".to_owned()
}

fn api_url() -> String {
    "https://api.dingtalk.com".to_owned()
}

const fn calls_per_second() -> u32 {
    20
}

const fn yes() -> bool {
    true
}

const fn invitations_at_most() -> u32 {
    AT_MOST
}

fn role_group() -> String {
    "Rollcall".to_owned()
}

impl DingTalkSettings {
    /// The settings as they stand in the database. What a later version has written besides is passed over.
    pub(super) fn stored(settings: &Value) -> Result<Self, serde_json::Error> {
        Self::deserialize(settings)
    }

    /// The connector's own settings.
    pub(super) fn with_secret(self, secret: SecretString) -> Settings {
        Settings {
            oapi_url: self.oapi_url,
            api_url: self.api_url,
            calls_per_second: self.calls_per_second,
            registered_abroad: self.registered_abroad,
            enterprise_accounts: self.enterprise_accounts,
            send_initial_password: self.send_initial_password,
            role_group: self.role_group,
            chat_template_id: self.chat_template_id,
            contact_label_ids: self.contact_label_ids,
            contact_follower: self.contact_follower,
            corp_id: self.corp_id,
            ..Settings::new(self.app_key, secret)
        }
    }
}

/// All settings, checked.
pub(super) fn complete(given: &Map<String, Value>) -> Result<Map<String, Value>, SettingProblem> {
    for (name, value) in given {
        let setting = SETTINGS.iter().find(|setting| setting.name == name);
        let setting =
            setting.ok_or_else(|| problem(None, &format!("is called {name:?}, and there is no such setting")))?;
        if let Err(expected) = fits(setting.name, value) {
            return Err(problem(Some(setting.name), &format!("must be {expected}, and is {}", shown(value))));
        }
    }
    if !given.contains_key("app_key") {
        return Err(problem(Some("app_key"), "is missing; it is the key (Client ID) of the internal application"));
    }
    let settings = DingTalkSettings::stored(&Value::Object(given.clone()))
        .map_err(|error| problem(None, &format!("cannot be used: {error}")))?;
    // The secret is checked when it is given.
    let with_any_secret = settings.clone().with_secret("any".into());
    with_any_secret.validate().map_err(|error| refused(&error))?;
    match serde_json::to_value(&settings) {
        Ok(Value::Object(settings)) => Ok(settings),
        _ => Err(problem(None, "cannot be written down")),
    }
}

/// Whether the addresses that differ from those before are DingTalk's own.
pub(super) fn check_addresses(
    before: &Map<String, Value>,
    settings: &Map<String, Value>,
) -> Result<(), SettingProblem> {
    for name in ["oapi_url", "api_url"] {
        let differs = settings.get(name) != before.get(name);
        if differs && !settings.get(name).and_then(Value::as_str).is_some_and(is_dingtalks) {
            let text = "must be https:// and a host of dingtalk.com: only the command line, or a server with \
                        allow_other_target_urls, sets another one";
            return Err(problem(Some(name), text));
        }
    }
    Ok(())
}

/// Whether a URL is that of a host of DingTalk's and nothing else: no user, no port, no path.
fn is_dingtalks(url: &str) -> bool {
    let host = url.strip_prefix("https://").map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    host.and_then(|host| host.strip_suffix(".dingtalk.com")).is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    })
}

pub(super) fn check_secret(secret: &SecretString) -> Result<(), SettingProblem> {
    if secret.expose_secret().trim().is_empty() {
        return Err(problem(Some("app_secret"), "is empty"));
    }
    Ok(())
}

/// Whether a value is of the form of a setting; if not, what it must be.
fn fits(name: &str, value: &Value) -> Result<(), String> {
    let number =
        |value: &Value, most: u32| value.as_u64().is_some_and(|number| (1..=u64::from(most)).contains(&number));
    let (fits, expected) = match name {
        "registered_abroad" | "enterprise_accounts" | "send_initial_password" => {
            (value.is_boolean(), "true or false".to_owned())
        }
        "calls_per_second" => {
            (number(value, MOST_CALLS_PER_SECOND), format!("a number from 1 to {MOST_CALLS_PER_SECOND}"))
        }
        "calls_per_day" | "calls_per_month" => {
            (number(value, u32::MAX) || value.is_null(), "a number of 1 or more".to_owned())
        }
        "invite_again_after_days" => {
            (number(value, MOST_DAYS) || value.is_null(), format!("a number of days from 1 to {MOST_DAYS}"))
        }
        "invitations_at_most" => (number(value, MOST_INVITATIONS), format!("a number from 1 to {MOST_INVITATIONS}")),
        "contact_label_ids" => {
            let ids = value.as_array().is_some_and(|ids| ids.iter().all(Value::is_i64));
            (ids, "an array of numbers".to_owned())
        }
        "chat_template_id" | "contact_follower" | "corp_id" => {
            (value.is_string() || value.is_null(), "a text".to_owned())
        }
        _ => (value.is_string(), "a text".to_owned()),
    };
    if fits { Ok(()) } else { Err(expected) }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "another array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    }
}

/// The connector's own refusal, which begins with the name of the setting.
fn refused(error: &SettingsError) -> SettingProblem {
    let text = error.to_string();
    let named = SETTINGS.iter().find_map(|setting| Some((setting.name, text.strip_prefix(setting.name)?)));
    match named {
        Some((name, rest)) => problem(Some(name), rest.trim_start()),
        None => problem(None, &format!("cannot be used: {text}")),
    }
}

fn problem(name: Option<&'static str>, problem: &str) -> SettingProblem {
    SettingProblem { name, problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn completed(given: &Value) -> Result<Value, String> {
        complete(given.as_object().expect("an object")).map(Value::Object).map_err(|error| error.to_string())
    }

    #[test]
    fn what_nobody_says_is_as_at_dingtalk() {
        let all = completed(&json!({ "app_key": "dingapp" })).expect("usable");
        let read = DingTalkSettings::stored(&all).expect("read");
        let (ours, theirs) = (read.with_secret("s3cret".into()), Settings::new("dingapp", "s3cret".into()));
        assert_eq!(format!("{ours:?}"), format!("{theirs:?}"));
        assert!(!format!("{ours:?}").contains("s3cret"));
        let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        let mut held: Vec<&str> = all.as_object().expect("an object").keys().map(String::as_str).collect();
        held.sort_unstable();
        let mut listed = names;
        listed.sort_unstable();
        assert_eq!(held, listed, "every setting is described");
    }

    #[test]
    fn a_mistake_names_its_setting_and_what_it_must_be() {
        for (name, value, expected) in [
            ("calls_per_second", json!(0), "calls_per_second must be a number from 1 to 60, and is 0"),
            ("calls_per_second", json!(61), "calls_per_second must be a number from 1 to 60, and is 61"),
            ("calls_per_second", json!("20"), "calls_per_second must be a number from 1 to 60, and is \"20\""),
            ("calls_per_day", json!(0), "calls_per_day must be a number of 1 or more, and is 0"),
            ("calls_per_month", json!("5000"), "calls_per_month must be a number of 1 or more, and is \"5000\""),
            ("enterprise_accounts", json!("yes"), "enterprise_accounts must be true or false, and is \"yes\""),
            ("registered_abroad", json!(1), "registered_abroad must be true or false, and is 1"),
            ("send_initial_password", json!([]), "send_initial_password must be true or false, and is another array"),
            ("role_group", json!("默认"), "role_group must not be 默认, whose roles no application can change"),
            ("role_group", json!(" "), "role_group is empty"),
            ("role_group", json!(null), "role_group must be a text, and is null"),
            ("chat_template_id", json!(""), "chat_template_id is empty"),
            (
                "contact_label_ids",
                json!([1, "2"]),
                "contact_label_ids must be an array of numbers, and is another array",
            ),
            ("contact_label_ids", json!((0..21).collect::<Vec<_>>()), "contact_label_ids must not be more than 20"),
            ("contact_follower", json!(" "), "contact_follower is empty"),
            (
                "invite_again_after_days",
                json!(0),
                "invite_again_after_days must be a number of days from 1 to 90, and is 0",
            ),
            (
                "invite_again_after_days",
                json!(0.5),
                "invite_again_after_days must be a number of days from 1 to 90, and is 0.5",
            ),
            ("invitations_at_most", json!(11), "invitations_at_most must be a number from 1 to 10, and is 11"),
            ("invitations_at_most", json!(null), "invitations_at_most must be a number from 1 to 10, and is null"),
            ("corp_id", json!(7), "corp_id must be a text, and is 7"),
            ("oapi_url", json!("oapi.dingtalk.com"), "oapi_url is not a URL"),
            ("api_url", json!("ftp://x"), "api_url must begin with http:// or https://"),
            ("app_key", json!(""), "app_key is empty"),
            ("app_secret", json!("s3cret"), "a setting is called \"app_secret\", and there is no such setting"),
        ] {
            let mut given = json!({ "app_key": "dingapp" });
            given[name] = value;
            assert_eq!(completed(&given).expect_err(name), expected);
        }
        assert!(completed(&json!({})).expect_err("no key").contains("app_key is missing"));
    }

    #[test]
    fn over_http_only_dingtalks_hosts_can_be_named() {
        let with = |url: &str| json!({ "oapi_url": url, "api_url": "https://api.dingtalk.com" });
        let of = |url: &str| with(url).as_object().cloned().expect("an object");
        for url in ["https://oapi.dingtalk.com", "https://oapi.dingtalk.com/", "https://pre-oapi.dingtalk.com"] {
            assert_eq!(check_addresses(&Map::new(), &of(url)), Ok(()), "{url}");
        }
        for url in [
            "http://oapi.dingtalk.com",
            "https://dingtalk.com.evil.example",
            "https://evil.example/.dingtalk.com",
            "https://evil.example#.dingtalk.com",
            "https://evil.example?.dingtalk.com",
            "https://evil.example\\.dingtalk.com",
            "https://user@oapi.dingtalk.com",
            "https://oapi.dingtalk.com:8443",
            "https://oapi.dingtalk.com/path",
            "https://evildingtalk.com",
            "https://.dingtalk.com",
            "https://127.0.0.1",
            "https://169.254.169.254",
        ] {
            let refused = check_addresses(&Map::new(), &of(url)).expect_err(url);
            assert_eq!(refused.name, Some("oapi_url"), "{url}");
            // What the command line has set stays.
            assert_eq!(check_addresses(&of(url), &of(url)), Ok(()), "{url}");
        }
    }

    #[test]
    fn an_earlier_version_said_less() {
        let stored = json!({ "oapi_url": "https://o", "api_url": "https://a", "app_key": "k", "calls_per_second": 60 });
        let read = DingTalkSettings::stored(&stored).expect("read");
        assert_eq!(
            (read.calls_per_second, read.send_initial_password, read.role_group.as_str()),
            (60, true, "Rollcall")
        );
    }
}
