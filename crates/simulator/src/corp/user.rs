//! One member of the organisation, as stored.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::mobile::Mobile;

/// A member. Its JSON form is the one of `/_simulator/state`, not DingTalk's.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct User {
    /// Immutable id.
    pub(crate) userid: String,
    /// Id of the person across the organisations of one developer.
    pub(crate) unionid: String,
    /// Display name.
    pub(crate) name: String,
    /// Number; none only for enterprise accounts.
    pub(crate) mobile: Option<Mobile>,
    /// The profile hides the number.
    pub(crate) hide_mobile: bool,
    /// Extension number, unique.
    pub(crate) telephone: Option<String>,
    /// Employee number.
    pub(crate) job_number: Option<String>,
    /// Job title.
    pub(crate) title: Option<String>,
    /// Personal e-mail, unique.
    pub(crate) email: Option<String>,
    /// Company mailbox.
    pub(crate) org_email: Option<String>,
    /// Kind of the company mailbox, `profession` or `base`.
    pub(crate) org_email_type: Option<String>,
    /// Office.
    pub(crate) work_place: Option<String>,
    /// Remark.
    pub(crate) remark: Option<String>,
    /// Login address of mailbox accounts.
    pub(crate) login_email: Option<String>,
    /// Departments, in the order in which they were given; never empty.
    pub(crate) dept_id_list: Vec<i64>,
    /// Sort order within a department; larger is earlier. Departments without an entry have an automatic one.
    pub(crate) dept_order: BTreeMap<i64, i64>,
    /// Post within a department.
    pub(crate) dept_position: BTreeMap<i64, Position>,
    /// Custom fields.
    pub(crate) extension: BTreeMap<String, String>,
    /// Translations of custom fields, as sent.
    pub(crate) extension_i18n: Option<Value>,
    /// Senior mode.
    pub(crate) senior_mode: bool,
    /// Milliseconds since 1970.
    pub(crate) hired_date: Option<i64>,
    /// Direct manager.
    pub(crate) manager_userid: Option<String>,
    /// Has logged in since joining.
    pub(crate) active: bool,
    /// 0 none, 1 main administrator, 2 sub-administrator.
    pub(crate) admin_level: u8,
    /// Departments that a sub-administrator manages.
    pub(crate) admin_dept_ids: BTreeSet<i64>,
    /// Set for enterprise accounts.
    pub(crate) exclusive: Option<Exclusive>,
    /// When the person joined, in milliseconds since 1970.
    #[serde(skip)]
    pub(crate) joined_ms: i64,
    /// Revision of the organisation when the person was created: the order of entry.
    #[serde(skip)]
    pub(crate) created: u64,
    /// Revision of the last change.
    #[serde(skip)]
    pub(crate) modified: u64,
}

/// A post in a department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    /// Title there.
    pub(crate) title: Option<String>,
    /// Office there.
    pub(crate) work_place: Option<String>,
    /// Marks the main department.
    pub(crate) is_main: bool,
}

/// What only enterprise accounts have (page A0103).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Exclusive {
    /// `sso` or `dingtalk`.
    pub(crate) kind: String,
    /// Login name of accounts that DingTalk manages.
    pub(crate) login_id: Option<String>,
    /// Nickname.
    pub(crate) nickname: Option<String>,
    /// Media id of the picture; none for the default one.
    pub(crate) avatar: Option<String>,
    /// Contact number.
    pub(crate) mobile: Option<Mobile>,
    /// The account cannot log in until it is enabled again.
    pub(crate) disabled: bool,
    /// DingTalk id, which can be set once.
    pub(crate) dingtalk_id: Option<String>,
    /// The organisation that owns the account, when it is not this one.
    pub(crate) owner: Option<AccountOwner>,
}

/// Another organisation that owns an enterprise account (page A0115).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct AccountOwner {
    /// Its corp id.
    pub(crate) corp_id: String,
    /// Its name.
    pub(crate) name: String,
    /// The account's user id there.
    pub(crate) userid: String,
}

impl User {
    /// The sort order within a department: the one set, or an automatic one that puts later joiners later. Automatic
    /// values are as large as DingTalk's, which do not fit a JSON double.
    pub(crate) fn order_in(&self, dept_id: i64) -> i64 {
        const FIRST: i64 = 176_352_449_285_043_513;
        let step = i64::try_from(self.created).unwrap_or(i64::MAX);
        self.dept_order.get(&dept_id).copied().unwrap_or_else(|| FIRST.saturating_sub(step))
    }

    /// Forgets what belongs to departments the person is no longer in.
    pub(crate) fn drop_foreign_memberships(&mut self) {
        let departments = &self.dept_id_list;
        self.dept_order.retain(|id, _| departments.contains(id));
        self.dept_position.retain(|id, _| departments.contains(id));
    }
}
