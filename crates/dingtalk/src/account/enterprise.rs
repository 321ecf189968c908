//! Enterprise accounts (企业账号): whether they may be used, which only they can be denied without being deleted.
//!
//! Pages `dedicated-account-overview`, `enable-a-dedicated-account`, `disable-an-exclusive-account`,
//! `force-logout-from-dedicated-account`, `query-dedicated-account-status-1`.

use super::Accounts;
use crate::error::halfway;
use crate::operation::Operation;
use crate::wire::account::{AccountStatus, EnterpriseUser};
use rollcall_provisioning::connector::{ConnectorError, ErrorClass};
use rollcall_provisioning::entity;

/// The kinds of account, as `account_kind` names them.
pub(crate) const NORMAL: &str = "normal";
pub(crate) const SSO: &str = "sso";
pub(crate) const DINGTALK: &str = "dingtalk";

/// The attributes that only an enterprise account has.
const ONLY_THEIRS: [&str; 4] = [entity::ENABLED, entity::LOGIN_ID, entity::NICKNAME, entity::EXCLUSIVE_MOBILE];

/// The first of these attributes that a normal account cannot have.
pub(super) fn not_for_normal<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'static str> {
    names.find_map(|name| ONLY_THEIRS.into_iter().find(|theirs| theirs == name))
}

/// The refusal of what only an enterprise account can have or be.
pub(super) fn unavailable(attribute: &'static str) -> ConnectorError {
    ConnectorError {
        class: ErrorClass::Forbidden,
        code: format!("{attribute}_unavailable"),
        message: format!("Only enterprise accounts (企业账号) have the attribute {attribute}."),
        advice: "Leave it out of the mapping, or let the person have an enterprise account and say in the settings of \
                 the target that the organisation has such accounts."
            .to_owned(),
        attribute: Some(attribute),
        retry_after: None,
        outcome_unknown: false,
    }
}

impl Accounts<'_> {
    /// Denies the use of an account, and ends its present sessions. Repeated, it changes nothing; if only the second
    /// call fails, the account is turned off and its sessions live on until it is repeated.
    pub(super) async fn disable(&self, userid: &str) -> Result<(), ConnectorError> {
        let body = EnterpriseUser { user_id: userid };
        self.client.confirmed(Operation::AccountDisable, &body, "result").await?;
        self.client.confirmed(Operation::AccountSignOut, &body, "result").await.map_err(halfway)
    }

    pub(super) async fn enable(&self, userid: &str) -> Result<(), ConnectorError> {
        self.client.confirmed(Operation::AccountEnable, &EnterpriseUser { user_id: userid }, "result").await
    }

    /// Whether an enterprise account may be used.
    pub(super) async fn is_enabled(&self, userid: &str) -> Result<bool, ConnectorError> {
        let status: AccountStatus = self.client.get(Operation::AccountStatus, &[("userId", userid)]).await?;
        let disabled = status.disable.ok_or_else(|| self.client.unreadable(Operation::AccountStatus))?;
        Ok(!disabled)
    }
}
