//! What one configured DingTalk organisation needs to be known by, and what of it is acceptable.

use crate::contact::MOST_LABELS;
use crate::role::IMMUTABLE_GROUP;
use reqwest::Url;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How to reach one DingTalk organisation, and how fast.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Base of the old host, where all contacts calls live. `http` or `https`, a path prefix is kept.
    pub oapi_url: String,
    /// Base of the new host, where the token comes from.
    pub api_url: String,
    /// The application's key (`AppKey`, also called Client ID).
    pub app_key: String,
    /// The application's secret (`AppSecret`, also called Client Secret).
    pub app_secret: SecretString,
    /// The longest that one call may take. DingTalk itself gives up after 3 s, so it should be longer.
    pub timeout: Duration,
    /// Calls per second that DingTalk permits one application on one API path: 20, up to 60 with the add-on
    /// (page `how-to-process-api-throttling-on-the-dingtalk-server`). At least 1.
    pub calls_per_second: u32,
    /// Calls per second from this server's address. DingTalk bans an address at 10,000 in 20 s (page
    /// `call-frequency-limit`). At least 1.
    pub ip_calls_per_second: u32,
    /// How long nobody calls from this address after a ban: DingTalk's five minutes and a little.
    pub ip_ban_pause: Duration,
    /// The longest that a call waits for its place in the rate budget; if it would be longer, the call fails
    /// as rate limited instead of holding its caller.
    pub longest_wait: Duration,
    /// The department at the top; DingTalk's is always `1` (page `user-management-acquires-the-list-departments`).
    pub root_dept_id: String,
    /// Whether the organisation is registered outside the mainland: then mainland numbers are sent with their country
    /// code (page `user-information-creation`).
    pub registered_abroad: bool,
    /// Whether the organisation has bought enterprise accounts (page `dedicated-account-overview`). Then every update
    /// of a person costs one read more, because such an account is updated otherwise than a normal one.
    pub enterprise_accounts: bool,
    /// Whether DingTalk tells the first password to the owner of an account whose sign-in it keeps, by short message or
    /// e-mail (page `create-dingtalk-user-created-dedicated-account`).
    pub send_initial_password: bool,
    /// The role group of roles for which none is named; it is made when it is not there. Not 默认, which DingTalk keeps
    /// for itself.
    pub role_group: String,
    /// The group template that chats are made from, of the developer console (page `create-a-scene-group`). With one,
    /// the creation of a chat can be repeated and chats can be dissolved; without one they are normal groups.
    pub chat_template_id: Option<String>,
    /// The labels of an external contact for whom none is named, as the DingTalk console made them (page
    /// `obtains-a-list-of-external-contact-tags`). At most 20.
    pub contact_label_ids: Vec<i64>,
    /// The userid of who looks after an external contact for whom nobody is named.
    pub contact_follower: Option<String>,
    /// The organisation's own id (`CorpId`), which only the preflight needs: to look at the certification level.
    pub corp_id: Option<String>,
}

impl Settings {
    /// DingTalk's own hosts and the limits of its standard edition.
    pub fn new(app_key: impl Into<String>, app_secret: SecretString) -> Self {
        Self {
            oapi_url: "https://oapi.dingtalk.com".to_owned(),
            api_url: "https://api.dingtalk.com".to_owned(),
            app_key: app_key.into(),
            app_secret,
            timeout: Duration::from_secs(5),
            calls_per_second: 20,
            ip_calls_per_second: 450,
            ip_ban_pause: Duration::from_secs(310),
            longest_wait: Duration::from_secs(30),
            root_dept_id: "1".to_owned(),
            registered_abroad: false,
            enterprise_accounts: false,
            send_initial_password: true,
            role_group: "Rollcall".to_owned(),
            chat_template_id: None,
            contact_label_ids: Vec::new(),
            contact_follower: None,
            corp_id: None,
        }
    }

    /// Whether everything is usable, so that a mistake shows when it is made and not at the first call.
    pub fn validate(&self) -> Result<(), SettingsError> {
        base_url("oapi_url", &self.oapi_url)?;
        base_url("api_url", &self.api_url)?;
        let blank = |text: &str| text.trim().is_empty();
        if blank(&self.app_key) {
            return Err(SettingsError::Empty { setting: "app_key" });
        }
        if blank(self.app_secret.expose_secret()) {
            return Err(SettingsError::Empty { setting: "app_secret" });
        }
        if blank(&self.role_group) {
            return Err(SettingsError::Empty { setting: "role_group" });
        }
        for (setting, text) in [
            ("chat_template_id", &self.chat_template_id),
            ("contact_follower", &self.contact_follower),
            ("corp_id", &self.corp_id),
        ] {
            if text.as_deref().is_some_and(blank) {
                return Err(SettingsError::Empty { setting });
            }
        }
        if self.contact_label_ids.len() > MOST_LABELS {
            return Err(SettingsError::Unusable { setting: "contact_label_ids", problem: "must not be more than 20" });
        }
        if self.role_group == IMMUTABLE_GROUP {
            let problem = "must not be 默认, whose roles no application can change";
            return Err(SettingsError::Unusable { setting: "role_group", problem });
        }
        let positive = [
            ("timeout", !self.timeout.is_zero()),
            ("calls_per_second", self.calls_per_second > 0),
            ("ip_calls_per_second", self.ip_calls_per_second > 0),
            ("root_dept_id", self.root_dept_id.parse().is_ok_and(|id: i64| id > 0)),
        ];
        match positive.into_iter().find(|(_, holds)| !holds) {
            Some((setting, _)) => Err(SettingsError::NotPositive { setting }),
            None => Ok(()),
        }
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not a URL at all.
    #[error("{setting} is not a URL")]
    NotAUrl {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A URL, but not one that calls can be built on.
    #[error("{setting} {problem}")]
    UnusableUrl {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A value that DingTalk does not take.
    #[error("{setting} {problem}")]
    Unusable {
        /// Which one.
        setting: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A text that must be there is blank.
    #[error("{setting} is empty")]
    Empty {
        /// Which one.
        setting: &'static str,
    },
    /// A number that must be above zero is not.
    #[error("{setting} must be a number above zero")]
    NotPositive {
        /// Which one.
        setting: &'static str,
    },
    /// The HTTP client cannot be built, for example because the system has no certificates.
    #[error("the HTTP client cannot be built")]
    HttpClient(#[source] reqwest::Error),
}

/// A base URL that paths can be appended to: no slash at the end, nothing that calls would repeat or leak.
pub(crate) fn base_url(setting: &'static str, text: &str) -> Result<Url, SettingsError> {
    let mut url =
        Url::parse(text.trim()).map_err(|source| SettingsError::NotAUrl { setting, source: Box::new(source) })?;
    let problem = if !matches!(url.scheme(), "http" | "https") {
        Some("must begin with http:// or https://")
    } else if !url.username().is_empty() || url.password().is_some() {
        Some("must not contain a user name or password")
    } else if url.query().is_some() || url.fragment().is_some() {
        Some("must not contain a query or a fragment")
    } else {
        None
    };
    if let Some(problem) = problem {
        return Err(SettingsError::UnusableUrl { setting, problem });
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new("dingapp", SecretString::from("s3cret"))
    }

    #[test]
    fn urls() {
        for (text, expected) in [
            ("https://oapi.dingtalk.com", Ok("/")),
            ("https://oapi.dingtalk.com/", Ok("/")),
            ("http://127.0.0.1:8090/prefix//", Ok("/prefix")),
            ("ftp://oapi.dingtalk.com", Err("oapi_url must begin with http:// or https://")),
            ("https://me:pw@oapi.dingtalk.com", Err("oapi_url must not contain a user name or password")),
            ("https://oapi.dingtalk.com?x=1", Err("oapi_url must not contain a query or a fragment")),
            ("oapi.dingtalk.com", Err("oapi_url is not a URL")),
            ("", Err("oapi_url is not a URL")),
        ] {
            let found = base_url("oapi_url", text).map(|url| url.path().to_owned()).map_err(|e| e.to_string());
            assert_eq!(found.as_deref().map_err(String::as_str), expected, "{text}");
        }
    }

    #[test]
    fn mistakes_name_the_setting() {
        type Spoil = fn(&mut Settings);
        let cases: &[(Spoil, &str)] = &[
            (|s| s.app_key = " ".into(), "app_key is empty"),
            (|s| s.app_secret = SecretString::from(""), "app_secret is empty"),
            (|s| s.calls_per_second = 0, "calls_per_second must be a number above zero"),
            (|s| s.timeout = Duration::ZERO, "timeout must be a number above zero"),
            (|s| s.root_dept_id = "-7".into(), "root_dept_id must be a number above zero"),
            (|s| s.role_group = " ".into(), "role_group is empty"),
            (|s| s.contact_follower = Some(" ".into()), "contact_follower is empty"),
            (|s| s.contact_label_ids = (1..=21).collect(), "contact_label_ids must not be more than 20"),
            (|s| s.chat_template_id = Some(String::new()), "chat_template_id is empty"),
            (|s| s.role_group = "默认".into(), "role_group must not be 默认, whose roles no application can change"),
            (|s| s.api_url = "x:y".into(), "api_url must begin with http:// or https://"),
        ];
        assert!(settings().validate().is_ok());
        for (spoil, expected) in cases {
            let mut spoilt = settings();
            spoil(&mut spoilt);
            assert_eq!(spoilt.validate().expect_err("spoilt").to_string(), *expected);
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        assert!(!format!("{:?}", settings()).contains("s3cret"));
    }
}
