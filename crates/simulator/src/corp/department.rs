//! One department, as stored.

use std::collections::BTreeMap;

use serde::Serialize;

/// A department. Its JSON form is the one of `/_simulator/state`, not DingTalk's.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Department {
    /// Id, chosen by DingTalk.
    pub(crate) dept_id: i64,
    /// The department above; none for the root.
    pub(crate) parent_id: Option<i64>,
    /// Name, unique among its siblings.
    pub(crate) name: String,
    /// Sort order; smaller is earlier.
    pub(crate) order: i64,
    /// The developer's own key, not shown to people.
    pub(crate) source_identifier: Option<String>,
    /// Short description.
    pub(crate) brief: Option<String>,
    /// Telephone.
    pub(crate) telephone: Option<String>,
    /// Custom data, as sent.
    pub(crate) extension: Option<String>,
    /// Department code.
    pub(crate) code: Option<String>,
    /// Managers, who are members of the department.
    #[serde(rename = "dept_manager_userid_list")]
    pub(crate) managers: Vec<String>,
    /// Owner of the department's group chat.
    pub(crate) org_dept_owner: Option<String>,
    /// The department's group chat.
    pub(crate) dept_group_chat_id: Option<String>,
    /// Departments that may see this one although it is hidden.
    pub(crate) dept_permits: Vec<i64>,
    /// People who may see this one although it is hidden.
    pub(crate) user_permits: Vec<String>,
    /// Departments that members of a restricted department may see.
    pub(crate) outer_permit_depts: Vec<i64>,
    /// People whom members of a restricted department may see.
    pub(crate) outer_permit_users: Vec<String>,
    /// The yes-or-no settings, see `FLAGS`.
    #[serde(flatten)]
    pub(crate) flags: BTreeMap<&'static str, bool>,
}

/// The yes-or-no settings of a department; all are off at first (pages A0077 and A0078).
pub(crate) const FLAGS: [&str; 9] = [
    "hide_dept",
    "outer_dept",
    "outer_dept_only_self",
    "create_dept_group",
    "auto_add_user",
    "auto_approve_apply",
    "group_contain_sub_dept",
    "group_contain_outer_dept",
    "group_contain_hidden_dept",
];

impl Department {
    /// A yes-or-no setting.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.flags.get(name).copied().unwrap_or(false)
    }
}
