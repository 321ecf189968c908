//! Enterprise accounts: the part of a member that the organisation manages itself (pages A0103 to A0115).
//!
//! They are the only members that need no mobile number and that can be disabled without being deleted.

use crate::errcode::{INVALID_ARGUMENT, INVALID_MOBILE, Refusal};
use crate::mobile::Mobile;
use crate::params::Params;

use super::Corp;
use super::user::{AccountOwner, Exclusive, User};

/// Shortest initial password of an account that DingTalk manages.
const PASSWORD_LENGTH: usize = 8;

/// Length of a DingTalk id.
const DINGTALK_ID_LENGTH: std::ops::RangeInclusive<usize> = 6..=20;

/// Why an operation on an enterprise account is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountRefusal {
    /// There is no such member.
    NoSuchMember,
    /// The member has an ordinary account.
    Ordinary,
    /// The account belongs to another organisation.
    Foreign,
    /// The DingTalk id has been set before.
    AlreadySet,
    /// The DingTalk id does not begin with a letter or has other characters than letters, digits, `_` and `-`.
    Format,
    /// The DingTalk id is too short or too long.
    Length,
    /// The DingTalk id is someone else's.
    Reserved,
}

impl Corp {
    /// The enterprise-account part of a create call; `None` for an ordinary account.
    pub(super) fn new_enterprise_account(&self, params: &Params) -> Result<Option<Exclusive>, Refusal> {
        if let Some(owner) = self.foreign_owner(params)? {
            return Ok(Some(Exclusive { kind: "dingtalk".to_owned(), owner: Some(owner), ..Exclusive::default() }));
        }
        if !params.boolean("exclusive_account")?.unwrap_or(false) {
            return Ok(None);
        }
        if !self.organisation.enterprise_accounts {
            return Err(INVALID_ARGUMENT.about("exclusive_account"));
        }
        let kind = params.required_text("exclusive_account_type")?;
        let login_id = match kind.as_str() {
            "sso" => None,
            "dingtalk" => {
                check_password(&params.required_text("init_password")?)?;
                params.boolean("send_password_to_user")?;
                Some(self.free_login_id(params.required_text("login_id")?, None)?)
            }
            _ => return Err(INVALID_ARGUMENT.about("exclusive_account_type")),
        };
        let mut account = Exclusive { kind, login_id, mobile: self.contact_number(params)?, ..Exclusive::default() };
        write_profile(&mut account, params)?;
        Ok(Some(account))
    }

    /// The enterprise-account part of an update call, where the login name is spelt `loginId` (page A0107).
    pub(super) fn change_enterprise_account(&self, user: &mut User, params: &Params) -> Result<(), Refusal> {
        let Some(account) = &mut user.exclusive else { return Ok(()) };
        write_profile(account, params)?;
        if let Some(mobile) = self.contact_number(params)? {
            account.mobile = Some(mobile);
        }
        params.boolean("send_password_to_user")?;
        if let Some(password) = params.text("init_password")? {
            check_password(&password)?;
        }
        if let Some(login_id) = params.text("loginId")?.filter(|login_id| !login_id.is_empty())
            && account.kind == "dingtalk"
        {
            account.login_id = Some(self.free_login_id(login_id, Some(&user.userid))?);
        }
        Ok(())
    }

    /// The account of this organisation with a login name.
    pub(crate) fn account_by_login_id(&self, login_id: &str) -> Option<&User> {
        let holds = |account: &Exclusive| account.login_id.as_deref() == Some(login_id);
        self.users.iter().find(|user| user.exclusive.as_ref().is_some_and(holds))
    }

    /// An enterprise account that this organisation owns.
    pub(crate) fn own_account(&self, userid: &str) -> Result<&Exclusive, AccountRefusal> {
        let user = self.find_user(userid).ok_or(AccountRefusal::NoSuchMember)?;
        let account = user.exclusive.as_ref().ok_or(AccountRefusal::Ordinary)?;
        if account.owner.is_some() { Err(AccountRefusal::Foreign) } else { Ok(account) }
    }

    /// Disables an account or enables it again; doing so twice is harmless (inferred).
    pub(crate) fn set_disabled(&mut self, userid: &str, disabled: bool) -> Result<(), AccountRefusal> {
        if self.own_account(userid)?.disabled != disabled {
            self.change_account(userid, |account| account.disabled = disabled);
        }
        Ok(())
    }

    /// Gives an account its DingTalk id, for good (page A0105).
    pub(crate) fn set_dingtalk_id(&mut self, userid: &str, dingtalk_id: String) -> Result<(), AccountRefusal> {
        if self.own_account(userid)?.dingtalk_id.is_some() {
            return Err(AccountRefusal::AlreadySet);
        }
        if !DINGTALK_ID_LENGTH.contains(&dingtalk_id.chars().count()) {
            return Err(AccountRefusal::Length);
        }
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if !dingtalk_id.starts_with(|first: char| first.is_ascii_alphabetic()) || !dingtalk_id.chars().all(allowed) {
            return Err(AccountRefusal::Format);
        }
        let holds = |account: &Exclusive| account.dingtalk_id.as_ref() == Some(&dingtalk_id);
        if self.users.iter().any(|user| user.exclusive.as_ref().is_some_and(holds)) {
            return Err(AccountRefusal::Reserved);
        }
        self.change_account(userid, |account| account.dingtalk_id = Some(dingtalk_id));
        Ok(())
    }

    fn change_account(&mut self, userid: &str, change: impl FnOnce(&mut Exclusive)) {
        let Some(mut user) = self.find_user(userid).cloned() else { return };
        if let Some(account) = &mut user.exclusive {
            change(account);
        }
        self.committed();
        user.modified = self.revision;
        self.users.put(user);
    }

    /// Whose account joins, when the call names another organisation. That organisation must have allowed it.
    fn foreign_owner(&self, params: &Params) -> Result<Option<AccountOwner>, Refusal> {
        let present = |name: &str| params.text(name).map(|text| text.filter(|text| !text.is_empty()));
        let (corp_id, userid) = match (present("outer_exclusive_corpid")?, present("outer_exclusive_userid")?) {
            (None, None) => return Ok(None),
            (Some(corp_id), Some(userid)) => (corp_id, userid),
            (Some(_), None) => return Err(INVALID_ARGUMENT.about("outer_exclusive_userid")),
            (None, Some(_)) => return Err(INVALID_ARGUMENT.about("outer_exclusive_corpid")),
        };
        let mut granted = self.organisation.foreign_accounts.iter();
        let found = granted.find(|account| account.corp_id == corp_id && account.userid == userid);
        let found = found.ok_or_else(|| INVALID_ARGUMENT.about("outer_exclusive_userid"))?;
        Ok(Some(AccountOwner { corp_id, name: found.corp_name.clone(), userid }))
    }

    /// A login name that nobody else has. The error for a taken one is inferred.
    fn free_login_id(&self, login_id: String, userid: Option<&str>) -> Result<String, Refusal> {
        let holder = self.account_by_login_id(&login_id);
        if holder.is_some_and(|holder| Some(holder.userid.as_str()) != userid) {
            return Err(INVALID_ARGUMENT.about("login_id"));
        }
        Ok(login_id)
    }

    fn contact_number(&self, params: &Params) -> Result<Option<Mobile>, Refusal> {
        let text = params.text("exclusive_mobile")?.filter(|mobile| !mobile.is_empty());
        let parse = |text: String| Mobile::parse(&text, self.organisation.registered_abroad);
        text.map(|text| parse(text).ok_or_else(|| INVALID_MOBILE.about("exclusive_mobile"))).transpose()
    }
}

fn write_profile(account: &mut Exclusive, params: &Params) -> Result<(), Refusal> {
    if let Some(nickname) = params.text("nickname")? {
        account.nickname = Some(nickname).filter(|nickname| !nickname.is_empty());
    }
    if let Some(avatar) = params.text("avatarMediaId")? {
        account.avatar = Some(avatar).filter(|avatar| !avatar.is_empty());
    }
    Ok(())
}

/// At least eight characters, neither letters only nor digits only (page A0106).
fn check_password(password: &str) -> Result<(), Refusal> {
    let letters_only = password.chars().all(char::is_alphabetic);
    let digits_only = password.chars().all(|character| character.is_ascii_digit());
    if password.chars().count() < PASSWORD_LENGTH || letters_only || digits_only {
        return Err(INVALID_ARGUMENT.about("init_password"));
    }
    Ok(())
}
